//! Imports: known records come in with their own ids, all of them or none. Nothing is told of them: they have been there
//! all along.

use std::collections::{HashMap, HashSet, VecDeque};
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
    let mut known = Known::of(import, There::of(tx, ctx, import)?);
    let mut decided = Decided { facts: Vec::new(), customers: Vec::with_capacity(import.customers.len()) };
    macro_rules! settle {
        ($line:expr, $settled:expr) => {
            match $settled {
                Ok(settled) => settled,
                Err(with) => return Ok(Err(Clash { line: $line, with })),
            }
        };
    }
    for At { line, what } in &import.coupons {
        let coupon = settle!(*line, known.coupon(ctx, what));
        decided.facts.push(coupon.into());
    }
    for At { line, what } in &import.promotion_codes {
        let code = settle!(*line, known.promotion_code(what));
        decided.facts.push(code.into());
    }
    for At { line, what } in &import.payment_methods {
        settle!(*line, known.holding(what.method.id.as_str()));
        decided.facts.push(what.clone().into());
    }
    for At { line, what } in &import.customers {
        let prefix = known.prefix(tx, ctx, what)?;
        decided.customers.push(settle!(*line, known.customer(ctx, what, prefix)));
    }
    Ok(Ok(decided))
}

/// What is there of all that the file speaks of. It is asked for together: a store that fetches for a whole run then does
/// so once.
struct There {
    coupons: HashMap<CouponId, CouponSerial>,
    codes: HashSet<PromotionCodeId>,
    /// Words that customers could mistake for those of codes on these lines.
    taken: HashSet<PromotionCodeId>,
    /// Customers that are there, and whether they are deleted.
    customers: HashMap<CustomerId, bool>,
    prefixes: HashSet<String>,
    holdings: HashSet<String>,
    /// Prefixes for those who come without one, in their order.
    drawn: VecDeque<String>,
}

impl There {
    fn of(tx: &mut dyn Tx, ctx: &Ctx<'_>, import: &Import) -> Kept<There> {
        let Import { coupons, promotion_codes, payment_methods, customers } = import;
        let space = ctx.account.space;
        let customers = || customers.iter().map(|customer| &customer.what);
        let codes = || promotion_codes.iter().map(|code| &code.what);
        let discounts = || customers().filter_map(|customer| customer.discount.as_ref());

        let own = coupons.iter().map(|coupon| &coupon.what.id);
        let named = own.chain(codes().map(|code| &code.coupon)).chain(discounts().map(|discount| &discount.coupon));
        let named: HashSet<&CouponId> = named.collect();
        let coupons: Vec<_> = named.into_iter().map(|id| objects::coupon(tx, space, id)).collect();

        let redeemed = discounts().filter_map(|discount| discount.promotion_code.as_ref());
        let named: HashSet<&PromotionCodeId> = codes().map(|code| &code.id).chain(redeemed).collect();
        let kept_codes: Vec<_> = named.into_iter().map(|id| objects::promotion_code(tx, space, id)).collect();
        let switched_on = codes().filter(|code| code.switched_on);
        let free: Vec<_> =
            switched_on.map(|code| Ok((code.id.clone(), promotion_codes::is_free(tx, ctx, code)?))).collect();

        let named = customers().map(|customer| &customer.id).chain(codes().filter_map(|code| code.customer.as_ref()));
        let named: HashSet<&CustomerId> = named.collect();
        let kept: Vec<_> = named.into_iter().map(|id| tx.customer(space, id)).collect();

        let drawn = customers().filter(|customer| customer.invoice_prefix.is_empty());
        let drawn: VecDeque<String> = drawn.map(|_| customers::invoice_prefix(ctx)).collect();
        let given = customers().map(|customer| &customer.invoice_prefix).filter(|prefix| !prefix.is_empty());
        let prefixes: Vec<_> = given
            .chain(&drawn)
            .map(|prefix| {
                let holder = tx.marked(space, &Mark::InvoicePrefix(prefix.clone()))?;
                Ok(holder.map(|_| prefix.clone()))
            })
            .collect();

        let loose = payment_methods.iter().map(|method| method.what.method.id.as_str());
        let holdings: Vec<_> = loose
            .chain(customers().flat_map(holding_ids))
            .map(|id| {
                let held = tx.marked(space, &Mark::Holding(id.to_owned()));
                let loose = objects::loose_payment_method(tx, space, &InstrumentId(id.to_owned()));
                Ok((held?.is_some() || loose?.is_some()).then(|| id.to_owned()))
            })
            .collect();

        let coupons = all(coupons);
        let (kept_codes, free, kept, prefixes, holdings) =
            (all(kept_codes), all(free), all(kept), all(prefixes), all(holdings));
        Ok(There {
            coupons: coupons?.into_iter().flatten().map(|coupon| (coupon.id, coupon.serial)).collect(),
            codes: kept_codes?.into_iter().flatten().map(|code| code.id).collect(),
            taken: free?.into_iter().filter(|(_, free)| !free).map(|(id, _)| id).collect(),
            customers: kept?.into_iter().flatten().map(|kept| (kept.id, kept.deleted.is_some())).collect(),
            prefixes: prefixes?.into_iter().flatten().collect(),
            holdings: holdings?.into_iter().flatten().collect(),
            drawn,
        })
    }
}

fn all<T>(those: Vec<Kept<T>>) -> Kept<Vec<T>> {
    those.into_iter().collect()
}

fn holding_ids(customer: &Customer) -> impl Iterator<Item = &str> {
    let instruments = customer.instruments.iter().map(|instrument| instrument.id().as_str());
    instruments.chain(customer.tax_ids.iter().map(|tax_id| tax_id.id.as_str()))
}

/// What is there, and what of the file was looked at.
struct Known<'a> {
    there: There,
    serials: HashMap<CouponId, CouponSerial>,
    words: HashMap<String, Vec<PromotionCode>>,
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
    fn of(import: &'a Import, there: There) -> Known<'a> {
        let live = import.customers.iter().filter(|customer| customer.what.deleted.is_none());
        Known {
            there,
            serials: HashMap::new(),
            words: HashMap::new(),
            codes: HashSet::new(),
            customers: HashSet::new(),
            prefixes: HashSet::new(),
            holdings: HashSet::new(),
            all: live.map(|customer| &customer.what.id).collect(),
            given: import.customers.iter().map(|customer| customer.what.invoice_prefix.as_str()).collect(),
        }
    }

    fn coupon(&mut self, ctx: &Ctx<'_>, coupon: &Coupon) -> Result<Coupon, With> {
        let serial = CouponSerial::mint(ctx.ids, ctx.now);
        let there = self.there.coupons.contains_key(&coupon.id);
        if self.serials.insert(coupon.id.clone(), serial.clone()).is_some() || there {
            return Err(With::Known(coupon.id.0.clone()));
        }
        Ok(Coupon { serial, ..coupon.clone() })
    }

    /// Which coupon of that id there is.
    fn serial(&self, id: &CouponId) -> Result<CouponSerial, With> {
        let serial = self.serials.get(id).or_else(|| self.there.coupons.get(id));
        serial.cloned().ok_or_else(|| With::NoCoupon(id.clone()))
    }

    fn promotion_code(&mut self, code: &PromotionCode) -> Result<PromotionCode, With> {
        if !self.codes.insert(code.id.clone()) || self.there.codes.contains(&code.id) {
            return Err(With::Known(code.id.0.clone()));
        }
        if let Some(customer) = &code.customer
            && !self.all.contains(customer)
            && self.there.customers.get(customer) != Some(&false)
        {
            return Err(With::NoCustomer(customer.clone()));
        }
        let decided = PromotionCode { coupon_serial: self.serial(&code.coupon)?, ..code.clone() };
        if decided.switched_on {
            let rivals = self.words.entry(decided.code.folded()).or_default();
            let taken = rivals.iter().any(|rival| rival.is_mistakable_for(&decided.code, decided.customer.as_ref()));
            if taken || self.there.taken.contains(&decided.id) {
                return Err(With::Word(decided.code.as_str().to_owned()));
            }
            rivals.push(decided.clone());
        }
        Ok(decided)
    }

    /// Refuses the id of an instrument or a tax id that somebody has.
    fn holding(&mut self, id: &str) -> Result<(), With> {
        let known = !self.holdings.insert(id.to_owned()) || self.there.holdings.contains(id);
        if known { Err(With::Known(id.to_owned())) } else { Ok(()) }
    }

    /// The prefix that the customer brings along, or a new one.
    fn prefix(&mut self, tx: &mut dyn Tx, ctx: &Ctx<'_>, customer: &Customer) -> Kept<String> {
        if !customer.invoice_prefix.is_empty() {
            return Ok(customer.invoice_prefix.clone());
        }
        let mut drawn = self.there.drawn.pop_front().filter(|drawn| !self.there.prefixes.contains(drawn));
        loop {
            match drawn.filter(|drawn| !self.given.contains(drawn.as_str()) && !self.prefixes.contains(drawn)) {
                Some(prefix) => return Ok(prefix),
                None => drawn = Some(customers::free_invoice_prefix(tx, ctx)?),
            }
        }
    }

    fn customer(&mut self, ctx: &Ctx<'_>, customer: &Customer, prefix: String) -> Result<Customer, With> {
        if !self.customers.insert(customer.id.clone()) || self.there.customers.contains_key(&customer.id) {
            return Err(With::Known(customer.id.0.clone()));
        }
        if !self.prefixes.insert(prefix.clone()) || self.there.prefixes.contains(&prefix) {
            return Err(With::Prefix(prefix));
        }
        for id in holding_ids(customer) {
            self.holding(id)?;
        }
        let mut decided = Customer { invoice_prefix: prefix, ..customer.clone() };
        if let Some(discount) = &mut decided.discount {
            discount.coupon_serial = self.serial(&discount.coupon)?;
            if let Some(code) = &discount.promotion_code
                && !self.codes.contains(code)
                && !self.there.codes.contains(code)
            {
                return Err(With::NoPromotionCode(code.clone()));
            }
            if discount.id.as_str().is_empty() {
                discount.id = DiscountId::mint(ctx.ids, ctx.now);
            }
        }
        Ok(decided)
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
