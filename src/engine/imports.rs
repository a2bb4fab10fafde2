//! Imports: known records come in with their own ids, all of them or none. Nothing is told of them: they have been there
//! all along.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;

use super::{Ctx, customers, objects, promotion_codes};
use crate::domain::balance::{BalanceReason, BalanceTransaction};
use crate::domain::cash::{BankTransfer, CashReason, CashTransaction};
use crate::domain::coupon::Coupon;
use crate::domain::customer::Customer;
use crate::domain::facts::Facts;
use crate::domain::ids::{
    BalanceTransactionId, CashTransactionId, CouponId, CouponSerial, CustomerId, DiscountId, InstrumentId,
    PromotionCodeId,
};
use crate::domain::metadata::Metadata;
use crate::domain::payment_method::LoosePaymentMethod;
use crate::domain::promotion_code::PromotionCode;
use crate::domain::term::Mark;
use crate::store::{Failure, Kept, Tx};

/// Something that comes in, and the line that it is on.
#[derive(Clone, Debug, PartialEq)]
pub struct At<T> {
    /// The line, counted from 1.
    pub line: usize,
    /// What comes in.
    pub what: T,
}

/// What comes in together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Import {
    /// Coupons. Their serials are theirs to be given.
    pub coupons: Vec<At<Coupon>>,
    /// Promotion codes. Which coupon of that id is found here.
    pub promotion_codes: Vec<At<PromotionCode>>,
    /// Payment methods that nobody holds.
    pub payment_methods: Vec<At<LoosePaymentMethod>>,
    /// Customers with all that they hold. One without an invoice prefix is given one, and so is a discount without an id.
    pub customers: Vec<At<Customer>>,
}

/// How much came in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Brought {
    /// Customers, deleted ones among them.
    pub customers: usize,
    /// Coupons.
    pub coupons: usize,
    /// Promotion codes.
    pub promotion_codes: usize,
    /// Payment methods that nobody holds.
    pub payment_methods: usize,
}

/// Why nothing came in: something on that line does not go with what is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clash {
    /// The line.
    pub line: usize,
    /// What is in the way.
    pub with: With,
}

/// What is in the way of an import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum With {
    /// There is a record of that id already, in the account or on another line.
    Known(String),
    /// Another customer has the invoice prefix.
    Prefix(String),
    /// A promotion code with this word can be redeemed already.
    Word(String),
    /// There is no such coupon, neither in the account nor in the file.
    NoCoupon(CouponId),
    /// There is no such promotion code.
    NoPromotionCode(PromotionCodeId),
    /// There is no such customer.
    NoCustomer(CustomerId),
}

impl fmt::Display for Clash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Clash { line, with } = self;
        write!(f, "line {line}: ")?;
        match with {
            With::Known(id) => write!(f, "{id} is there already"),
            With::Prefix(prefix) => write!(f, "invoice_prefix: another customer has {prefix}"),
            With::Word(word) => write!(f, "code: another promotion code that is switched on has {word}"),
            With::NoCoupon(id) => write!(f, "there is no coupon {id}"),
            With::NoPromotionCode(id) => write!(f, "there is no promotion code {id}"),
            With::NoCustomer(id) => write!(f, "there is no customer {id}"),
        }
    }
}

/// Brings everything in, or nothing.
pub fn bring_in(tx: &mut dyn Tx, ctx: &Ctx<'_>, import: &Import) -> Kept<Result<Brought, Clash>> {
    let Import { coupons, promotion_codes, payment_methods, customers } = import;
    let brought = Brought {
        customers: customers.len(),
        coupons: coupons.len(),
        promotion_codes: promotion_codes.len(),
        payment_methods: payment_methods.len(),
    };
    let decided = match decided(tx, ctx, import)? {
        Ok(decided) => decided,
        Err(clash) => return Ok(Err(clash)),
    };

    for facts in decided.facts {
        objects::put(tx, ctx, None, &facts)?;
    }
    for customer in decided.customers {
        tx.put_customer(ctx.account.space, None, &customer)?;
        note_balance(tx, ctx, &customer)?;
        note_cash(tx, ctx, &customer)?;
    }
    Ok(Ok(brought))
}

/// What is to be written.
struct Decided {
    facts: Vec<Facts>,
    customers: Vec<Customer>,
}

fn decided(tx: &mut dyn Tx, ctx: &Ctx<'_>, import: &Import) -> Kept<Result<Decided, Clash>> {
    let mut known = Known::of(import);
    let mut decided = Decided { facts: Vec::new(), customers: Vec::with_capacity(import.customers.len()) };
    macro_rules! settle {
        ($line:expr, $settled:expr) => {
            match $settled? {
                Ok(settled) => settled,
                Err(with) => return Ok(Err(Clash { line: $line, with })),
            }
        };
    }
    for At { line, what } in &import.coupons {
        let coupon = settle!(*line, known.coupon(tx, ctx, what));
        decided.facts.push(coupon.into());
    }
    for At { line, what } in &import.promotion_codes {
        let code = settle!(*line, known.promotion_code(tx, ctx, what));
        decided.facts.push(code.into());
    }
    for At { line, what } in &import.payment_methods {
        settle!(*line, known.instrument(tx, ctx, what.method.id.as_str()));
        decided.facts.push(what.clone().into());
    }
    for At { line, what } in &import.customers {
        decided.customers.push(settle!(*line, known.customer(tx, ctx, what)));
    }
    Ok(Ok(decided))
}

/// What the file itself has, as far as it was looked at.
struct Known<'a> {
    serials: HashMap<CouponId, CouponSerial>,
    words: BTreeMap<String, Vec<PromotionCode>>,
    codes: HashSet<PromotionCodeId>,
    customers: HashSet<CustomerId>,
    prefixes: HashSet<String>,
    holdings: HashSet<String>,
    /// Every living customer of the file, with those that are still to be looked at.
    all: HashSet<&'a CustomerId>,
    /// Every prefix that the file brings along: one that is drawn keeps out of their way.
    given: HashSet<&'a str>,
}

impl<'a> Known<'a> {
    fn of(import: &'a Import) -> Known<'a> {
        let live = import.customers.iter().filter(|customer| customer.what.deleted.is_none());
        Known {
            serials: HashMap::new(),
            words: BTreeMap::new(),
            codes: HashSet::new(),
            customers: HashSet::new(),
            prefixes: HashSet::new(),
            holdings: HashSet::new(),
            all: live.map(|customer| &customer.what.id).collect(),
            given: import.customers.iter().map(|customer| customer.what.invoice_prefix.as_str()).collect(),
        }
    }

    fn coupon(&mut self, tx: &mut dyn Tx, ctx: &Ctx<'_>, coupon: &Coupon) -> Kept<Result<Coupon, With>> {
        let there = objects::coupon(tx, ctx.account.space, &coupon.id)?.is_some();
        let serial = CouponSerial::mint(ctx.ids, ctx.now);
        if self.serials.insert(coupon.id.clone(), serial.clone()).is_some() || there {
            return Ok(Err(With::Known(coupon.id.0.clone())));
        }
        Ok(Ok(Coupon { serial, ..coupon.clone() }))
    }

    /// Which coupon of that id there is.
    fn serial(&mut self, tx: &mut dyn Tx, ctx: &Ctx<'_>, id: &CouponId) -> Kept<Result<CouponSerial, With>> {
        if let Some(serial) = self.serials.get(id) {
            return Ok(Ok(serial.clone()));
        }
        let found = objects::coupon(tx, ctx.account.space, id)?;
        Ok(found.map(|coupon| coupon.serial).ok_or_else(|| With::NoCoupon(id.clone())))
    }

    fn promotion_code(
        &mut self,
        tx: &mut dyn Tx,
        ctx: &Ctx<'_>,
        code: &PromotionCode,
    ) -> Kept<Result<PromotionCode, With>> {
        let there = objects::promotion_code(tx, ctx.account.space, &code.id)?.is_some();
        if !self.codes.insert(code.id.clone()) || there {
            return Ok(Err(With::Known(code.id.0.clone())));
        }
        let coupon_serial = match self.serial(tx, ctx, &code.coupon)? {
            Ok(serial) => serial,
            Err(with) => return Ok(Err(with)),
        };
        if let Some(customer) = &code.customer
            && !self.all.contains(customer)
            && tx.customer(ctx.account.space, customer)?.is_none_or(|customer| customer.deleted.is_some())
        {
            return Ok(Err(With::NoCustomer(customer.clone())));
        }
        let decided = PromotionCode { coupon_serial, ..code.clone() };
        if decided.switched_on {
            let rivals = self.words.entry(decided.code.folded()).or_default();
            let taken = rivals.iter().any(|rival| rival.is_mistakable_for(&decided.code, decided.customer.as_ref()));
            if taken || !promotion_codes::is_free(tx, ctx, &decided)? {
                return Ok(Err(With::Word(decided.code.as_str().to_owned())));
            }
            rivals.push(decided.clone());
        }
        Ok(Ok(decided))
    }

    /// Whether nobody has an instrument or a tax id of that id.
    fn instrument(&mut self, tx: &mut dyn Tx, ctx: &Ctx<'_>, id: &str) -> Kept<Result<(), With>> {
        let space = ctx.account.space;
        let held = tx.marked(space, &Mark::Holding(id.to_owned()))?.is_some();
        let loose = objects::loose_payment_method(tx, space, &InstrumentId(id.to_owned()))?.is_some();
        let known = !self.holdings.insert(id.to_owned()) || held || loose;
        Ok(if known { Err(With::Known(id.to_owned())) } else { Ok(()) })
    }

    fn customer(&mut self, tx: &mut dyn Tx, ctx: &Ctx<'_>, customer: &Customer) -> Kept<Result<Customer, With>> {
        let space = ctx.account.space;
        let there = tx.customer(space, &customer.id)?.is_some();
        if !self.customers.insert(customer.id.clone()) || there {
            return Ok(Err(With::Known(customer.id.0.clone())));
        }
        let mut decided = customer.clone();
        if decided.invoice_prefix.is_empty() {
            decided.invoice_prefix = loop {
                let prefix = customers::free_invoice_prefix(tx, ctx)?;
                if !self.given.contains(prefix.as_str()) && !self.prefixes.contains(&prefix) {
                    break prefix;
                }
            };
        } else if tx.marked(space, &Mark::InvoicePrefix(decided.invoice_prefix.clone()))?.is_some() {
            return Ok(Err(With::Prefix(decided.invoice_prefix)));
        }
        if !self.prefixes.insert(decided.invoice_prefix.clone()) {
            return Ok(Err(With::Prefix(decided.invoice_prefix)));
        }
        let instruments = decided.instruments.iter().map(|instrument| instrument.id().as_str());
        let ids: Vec<&str> = instruments.chain(decided.tax_ids.iter().map(|tax_id| tax_id.id.as_str())).collect();
        for id in ids {
            if let Err(with) = self.instrument(tx, ctx, id)? {
                return Ok(Err(with));
            }
        }
        if let Some(discount) = &mut decided.discount {
            match self.serial(tx, ctx, &discount.coupon)? {
                Ok(serial) => discount.coupon_serial = serial,
                Err(with) => return Ok(Err(with)),
            }
            if let Some(code) = &discount.promotion_code
                && !self.codes.contains(code)
                && objects::promotion_code(tx, space, code)?.is_none()
            {
                return Ok(Err(With::NoPromotionCode(code.clone())));
            }
            if discount.id.as_str().is_empty() {
                discount.id = DiscountId::mint(ctx.ids, ctx.now);
            }
        }
        Ok(Ok(decided))
    }
}

/// The balance always equals the newest entry's ending balance, so a customer that comes with one comes with an entry.
fn note_balance(tx: &mut dyn Tx, ctx: &Ctx<'_>, customer: &Customer) -> Result<(), Failure> {
    if customer.balance == 0 {
        return Ok(());
    }
    let transaction = BalanceTransaction {
        id: BalanceTransactionId::mint(ctx.ids, ctx.now),
        customer: customer.id.clone(),
        created: customer.created,
        amount: customer.balance,
        currency: customer.currency.unwrap_or(ctx.account.default_currency),
        ending_balance: customer.balance,
        reason: BalanceReason::Initial,
        description: None,
        metadata: Metadata::new(),
    };
    tx.put_balance_transaction(ctx.account.space, &transaction)
}

/// The same for its cash. What cannot have been sent was not taken for the customer's.
fn note_cash(tx: &mut dyn Tx, ctx: &Ctx<'_>, customer: &Customer) -> Result<(), Failure> {
    for (currency, amount) in &customer.cash {
        let Some(by) = BankTransfer::of(*currency) else { continue };
        let transaction = CashTransaction {
            id: CashTransactionId::mint(ctx.ids, ctx.now),
            customer: customer.id.clone(),
            created: customer.created,
            net_amount: *amount,
            currency: *currency,
            ending_balance: *amount,
            reason: CashReason::Funded { by, reference: None },
        };
        objects::put(tx, ctx, None, &transaction.into())?;
    }
    Ok(())
}
