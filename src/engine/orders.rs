//! Orders: create, read, list, confirm, cancel, note, and what renting a unit does to one. An order makes its customer when
//! nobody has its e-mail address.

use std::collections::BTreeMap;

use super::customers::Bringing;
use super::listing::{Listed, Objects, Paging};
use super::objects;
use super::{Ctx, Done, customers, rental_book, rentals, tell};
use crate::domain::account::Account;
use crate::domain::address::{Address, NewAddress, NewShipping};
use crate::domain::customer::{Customer, CustomerChange, CustomerKind, CustomerStatus};
use crate::domain::data::{Entries, Value};
use crate::domain::event::{Happening, ObjectChange};
use crate::domain::facts::{Facts, order_lists};
use crate::domain::ids::{CustomerId, OrderId, Sku};
use crate::domain::object::{List, ObjectKind};
use crate::domain::order::{
    Order, OrderItem, OrderPayment, OrderPaymentStatus, OrderPurpose, OrderStatus, OrderTotals, Orderer, RETRY_MILLIS,
};
use crate::domain::page::{Cursor, ObjectPage, Page, Place, Span};
use crate::domain::patch::Patch;
use crate::domain::product::{Product, Variant};
use crate::domain::rental_problem::RentalProblem;
use crate::domain::term::letters_without_case;
use crate::domain::unit::UnitSettings;
use crate::store::{Kept, Read, Tx};

/// How many of a customer's newest orders are looked at together for one that is asked for again.
const NEWEST: usize = 20;

/// A wish for an order.
#[derive(Clone, Debug)]
pub struct NewOrder {
    /// Who asks: the name of an API key.
    pub by: String,
    /// What it is for.
    pub purpose: OrderPurpose,
    /// The customer's e-mail address, without spaces around it.
    pub email: String,
    /// The customer's given name; empty when none was given.
    pub given_name: String,
    /// The customer's family name; empty when none was given.
    pub family_name: String,
    /// The customer's company.
    pub company: Option<String>,
    /// The customer's phone.
    pub phone: Option<String>,
    /// What kind of customer.
    pub kind: CustomerKind,
    /// Where the customer is.
    pub billing: Address,
    /// Where the devices go.
    pub shipping: Address,
    /// What is asked for; at least one line.
    pub items: Vec<NewItem>,
    /// Free data.
    pub custom_fields: Option<Entries>,
    /// Free text.
    pub notes: Option<String>,
}

/// A wish for a line of an order.
#[derive(Clone, Debug)]
pub struct NewItem {
    /// The variant.
    pub sku: Sku,
    /// How many units, at least one.
    pub quantity: u32,
    /// For how many months; `None` for what the business unit is used to.
    pub months: Option<u32>,
}

/// An order that was asked for.
#[derive(Debug)]
pub struct Placed {
    /// The order.
    pub order: Order,
    /// Whether it was made now; if not, it was asked for before, just now.
    pub made: bool,
}

/// Places an order, and makes its customer when nobody has the e-mail address. The same order asked for again within
/// [`RETRY_MILLIS`] is the first one.
pub fn create(tx: &mut dyn Tx, ctx: &Ctx<'_>, wish: &NewOrder) -> Done<Placed> {
    // Both are asked for before a failure is passed on: a store that fetches for a whole run then does so once.
    let (holder, offers) = (holder(tx, ctx.account, &wish.email), offers(tx, ctx.account, &wish.items));
    let (holder, offers) = (holder?, offers?);
    if let Some(holder) = &holder
        && let Some(order) = placed_before(tx, ctx, holder, wish, &offers)?
    {
        return Ok(Placed { order, made: false });
    }
    if holder.as_ref().is_some_and(|holder| holder.status != CustomerStatus::Active) {
        return Err(RentalProblem::CustomerInactive.into());
    }
    require_origin(tx, ctx.account, &wish.purpose, holder.as_ref())?;
    let items = priced(wish, &offers, &ctx.account.unit)?;
    let totals = totals(&items, ctx.account)?;
    let change = wish.change_of(holder.as_ref());

    let (customer, mut opened) = match holder {
        Some(before) => {
            let opened = rental_book::open(tx, ctx, &before.id)?;
            let (version, after) = (before.version, before.with(change, ctx.account.default_currency)?);
            let after = customers::replace(tx, ctx, before, after)?;
            let is_changed = after.version != version;
            (after.id, if is_changed { opened.of_changed() } else { opened })
        }
        None => {
            let made = customers::create(tx, ctx, change, &Bringing::default())?;
            let opened = rental_book::begin(&made);
            (made.id, opened)
        }
    };
    let order = wish.order(ctx, customer, items, totals);
    opened.book.ordered(&order.id);
    opened.close(tx, ctx)?;
    put(tx, ctx, None, &order)?;
    Ok(Placed { order, made: true })
}

/// Refuses an order that goes on with what is not there, or is another customer's.
fn require_origin(tx: &mut dyn Read, account: &Account, purpose: &OrderPurpose, holder: Option<&Customer>) -> Done<()> {
    let is_own = |owner: &CustomerId| holder.is_some_and(|holder| holder.id == *owner);
    match purpose {
        OrderPurpose::Standard => {}
        OrderPurpose::Extension(details) => {
            let original = read(tx, account, &details.original)?;
            if !is_own(&original.customer.id) {
                return Err(RentalProblem::OrderOfOtherCustomer.into());
            }
        }
        OrderPurpose::Upgrade(details) => {
            let previous = rentals::read(tx, account, &details.previous_rental)?;
            if !is_own(&previous.customer) {
                return Err(RentalProblem::RentalOfOtherCustomer { place: None, id: previous.id }.into());
            }
        }
    }
    Ok(())
}

/// An order.
pub fn read(tx: &mut dyn Read, account: &Account, id: &OrderId) -> Done<Order> {
    let found = objects::one(tx, account.space, ObjectKind::Order, id.as_str())?;
    Ok(found.ok_or_else(|| RentalProblem::NoSuchOrder(id.clone()))?)
}

/// Which orders to list.
#[derive(Clone, Debug, Default)]
pub struct OrderFilter {
    /// Only those of this customer.
    pub customer: Option<CustomerId>,
    /// Only those that are so far.
    pub status: Option<OrderStatus>,
    /// Only those whose free data have these values at these keys: a text as it is, anything else as JSON writes it.
    pub custom_fields: Vec<(String, String)>,
}

impl OrderFilter {
    fn lets_pass(&self, order: &Order) -> bool {
        let has = |(key, wanted): &(String, String)| {
            order.custom_fields.as_ref().and_then(|fields| fields.get(key)).is_some_and(|value| is_said(value, wanted))
        };
        self.customer.as_ref().is_none_or(|id| order.customer.id == *id)
            && self.status.is_none_or(|status| order.status == status)
            && self.custom_fields.iter().all(has)
    }
}

/// A page of orders.
pub fn list(tx: &mut dyn Read, account: &Account, filter: &OrderFilter, paging: &Paging<Order>) -> Done<Page<Order>> {
    let list = filter.customer.as_ref().map_or(List::all(ObjectKind::Order), order_lists::of_customer);
    let keep = |order: &Order| filter.lets_pass(order);
    Objects { space: account.space, list, kind: ObjectKind::Order, keep }.page(tx, paging)
}

/// Confirms an order. One that is confirmed stays as it is.
pub fn confirm(tx: &mut dyn Tx, ctx: &Ctx<'_>, id: &OrderId) -> Done<Order> {
    let before = read(tx, ctx.account, id)?;
    let after = before.confirm(ctx.now)?;
    replace(tx, ctx, before, after)
}

/// Gives an order other notes.
pub fn note(tx: &mut dyn Tx, ctx: &Ctx<'_>, id: &OrderId, notes: String) -> Done<Order> {
    let before = read(tx, ctx.account, id)?;
    let after = before.with_notes(notes, ctx.now);
    replace(tx, ctx, before, after)
}

/// Cancels an order of which nothing is rented.
pub fn cancel(tx: &mut dyn Tx, ctx: &Ctx<'_>, id: &OrderId, reason: Option<String>) -> Done<Order> {
    let before = read(tx, ctx.account, id)?;
    let after = before.cancel(reason, ctx.now)?;
    let mut opened = rental_book::open(tx, ctx, &before.customer.id)?;

    opened.book.settled();
    opened.close(tx, ctx)?;
    replace(tx, ctx, before, after)
}

/// Puts an order of which a unit was rented in the place of the old one, and notes in the customer's book, which the caller
/// closes, when none of it is left to be rented.
pub(super) fn rented(
    tx: &mut dyn Tx,
    ctx: &Ctx<'_>,
    before: Order,
    after: Order,
    opened: &mut rental_book::Opened,
) -> Kept<()> {
    if before.status.is_open() && !after.status.is_open() {
        opened.book.settled();
    }
    put(tx, ctx, Some(before), &after)
}

fn replace(tx: &mut dyn Tx, ctx: &Ctx<'_>, before: Order, after: Order) -> Done<Order> {
    if after != before {
        put(tx, ctx, Some(before), &after)?;
    }
    Ok(after)
}

fn put(tx: &mut dyn Tx, ctx: &Ctx<'_>, before: Option<Order>, after: &Order) -> Kept<()> {
    let (before, after) = (before.map(Facts::from), Facts::from(after.clone()));
    objects::put(tx, ctx, before.as_ref(), &after)?;
    let change = match before {
        None => ObjectChange::Created(after),
        Some(before) => ObjectChange::Updated { before, after },
    };
    tell(tx, ctx, Happening::Object { change, beside: Vec::new() })
}

/// Whether a value of free data is what a text of a query string says.
fn is_said(value: &Value, text: &str) -> bool {
    match value {
        Value::Text(is) => is == text,
        Value::Flag(is) => text == if *is { "true" } else { "false" },
        Value::Null => text == "null",
        Value::Whole(_) | Value::Number(_) => Value::number(text).as_ref() == Some(value),
        Value::List(_) | Value::Map(_) => false,
    }
}

impl Listed for Order {
    fn place(&self) -> Place {
        Place { created: self.created, id: self.id.0.clone() }
    }
}

// --- Prices ---

/// What is offered under the SKUs of an order.
struct Offers {
    variants: BTreeMap<Sku, Variant>,
    products: BTreeMap<String, Product>,
}

fn offers(tx: &mut dyn Read, account: &Account, items: &[NewItem]) -> Kept<Offers> {
    // All are asked for before a failure is passed on: a store that fetches for a whole run then does so once.
    let found: Vec<Kept<Option<Variant>>> =
        items.iter().map(|item| objects::one(tx, account.space, ObjectKind::Variant, item.sku.as_str())).collect();
    let mut variants = BTreeMap::new();
    for variant in found {
        variants.extend(variant?.map(|variant| (variant.sku.clone(), variant)));
    }
    let wanted = variants.values().map(|variant| variant.product.as_str());
    let found: Vec<Kept<Option<Product>>> =
        wanted.map(|product| objects::one(tx, account.space, ObjectKind::Product, product)).collect();
    let mut products = BTreeMap::new();
    for product in found {
        products.extend(product?.map(|product| (product.id.0.clone(), product)));
    }
    Ok(Offers { variants, products })
}

/// For how many months a line is. The shortest contract is for those whose business unit has no usual length.
fn months(item: &NewItem, variant: &Variant, unit: &UnitSettings) -> Option<u32> {
    let usual = unit.default_contract_length.map(u32::from);
    item.months.or(usual).or_else(|| variant.shortest_tier().map(|tier| tier.months))
}

/// The lines with the prices of today.
fn priced(wish: &NewOrder, offers: &Offers, unit: &UnitSettings) -> Result<Vec<OrderItem>, RentalProblem> {
    let priced = |(line, item): (usize, &NewItem)| {
        let sku = || item.sku.clone();
        let variant = offers.variants.get(&item.sku);
        let variant = variant.ok_or_else(|| RentalProblem::NoSuchVariant { line, sku: sku() })?;
        if !variant.is_active() {
            return Err(RentalProblem::VariantInactive { line, sku: sku() });
        }
        let months = months(item, variant, unit);
        let tier = months.and_then(|months| variant.tier(months));
        let tier = tier.ok_or_else(|| RentalProblem::InvalidContractLength { line, sku: sku(), months })?;
        let product = offers.products.get(variant.product.as_str());
        Ok(OrderItem {
            product: variant.product.clone(),
            variant: variant.id.clone(),
            sku: sku(),
            product_name: product.map_or_else(|| variant.name.clone(), |product| product.name.clone()),
            image: variant.images.first().or(product.and_then(|product| product.images.first())).cloned(),
            quantity: item.quantity,
            unit_price: tier.monthly_price,
            contract_months: tier.months,
            list_price: variant.list_price,
            acquisition_cost: variant.acquisition_cost,
            rentals: Vec::new(),
        })
    };
    wish.items.iter().enumerate().map(priced).collect()
}

/// What a month of all of it costs.
fn totals(items: &[OrderItem], account: &Account) -> Result<OrderTotals, RentalProblem> {
    let sum = items
        .iter()
        .try_fold(0i64, |sum, item| sum.checked_add(item.unit_price.checked_mul(i64::from(item.quantity))?));
    let UnitSettings { tax_rate, tax_inclusive, .. } = account.unit;
    let totals = sum.and_then(|sum| OrderTotals::of(sum, tax_rate, tax_inclusive, account.default_currency));
    totals.ok_or(RentalProblem::OrderTooLarge)
}

// --- The customer and the order ---

/// The customer that has an e-mail address, case apart. Of several that an API made which lets them share one it is the
/// oldest that can order, or else the oldest.
fn holder(tx: &mut dyn Tx, account: &Account, email: &str) -> Kept<Option<Customer>> {
    let found = customers::by_email(tx, account.space, email)?;
    let place =
        |customer: &Customer| (customer.status != CustomerStatus::Active, customer.created, customer.id.clone());
    Ok(found.into_iter().min_by_key(place))
}

/// The order that was asked for just now in the same words, if it was not cancelled since.
fn placed_before(
    tx: &mut dyn Tx,
    ctx: &Ctx<'_>,
    holder: &Customer,
    wish: &NewOrder,
    offers: &Offers,
) -> Kept<Option<Order>> {
    let lines = wish.items.iter().map(|item| {
        let months = match offers.variants.get(&item.sku) {
            Some(variant) => months(item, variant, &ctx.account.unit),
            None => item.months,
        };
        Some((item.sku.as_str(), item.quantity, months?))
    });
    let Some(mut lines) = lines.collect::<Option<Vec<_>>>() else { return Ok(None) };
    lines.sort_unstable();
    let is_same = |order: &Order| {
        order.customer.id == holder.id
            && order.status != OrderStatus::Cancelled
            && order.purpose == wish.purpose
            && letters_without_case(&order.customer.email).eq(letters_without_case(&wish.email))
            && order.lines() == lines
    };
    let since = ctx.now.plus_millis(-RETRY_MILLIS);
    let list = order_lists::of_customer(&holder.id);
    let mut cursor = Cursor::Newest;
    loop {
        // The moment is another one in each run, so nothing is asked for by it: the store would look for ever.
        let page = ObjectPage { list, created: Span::default(), cursor, limit: NEWEST };
        let Page { items, has_more } = objects::page::<Order>(tx, ctx.account.space, &page)?;
        let end = items.last().map(Order::place).filter(|end| has_more && end.created >= since);
        if let Some(order) = items.into_iter().find(|order| order.created >= since && is_same(order)) {
            return Ok(Some(order));
        }
        match end {
            Some(end) => cursor = Cursor::OlderThan(end),
            None => return Ok(None),
        }
    }
}

impl NewOrder {
    /// What the order makes of its customer. Of one that is known it fills what is empty, and the addresses are those of the
    /// newest order.
    fn change_of(&self, known: Option<&Customer>) -> CustomerChange {
        let given = |fact: &Option<String>| fact.clone().map_or(Patch::Keep, Patch::Set);
        let some = |name: &String| Some(name.clone()).filter(|name| !name.is_empty());
        let missing = |known: Option<&String>, fact: &Option<String>| match known {
            Some(_) => Patch::Keep,
            None => given(fact),
        };
        let change = CustomerChange {
            business_name: missing(known.and_then(|known| known.business_name.as_ref()), &self.company),
            phone: missing(known.and_then(|known| known.phone.as_ref()), &self.phone),
            address: Patch::Set(NewAddress::Whole(self.billing.clone())),
            shipping: Patch::Set(NewShipping::Address(self.shipping.clone())),
            ..CustomerChange::default()
        };
        if known.is_some() {
            return change;
        }
        CustomerChange {
            email: Patch::Set(self.email.clone()),
            given_name: given(&some(&self.given_name)),
            family_name: given(&some(&self.family_name)),
            kind: Patch::Set(self.kind),
            ..change
        }
    }

    fn order(&self, ctx: &Ctx<'_>, customer: CustomerId, items: Vec<OrderItem>, totals: OrderTotals) -> Order {
        let NewOrder {
            by,
            purpose,
            email,
            given_name,
            family_name,
            company,
            phone,
            kind,
            billing,
            shipping,
            items: _,
            custom_fields,
            notes,
        } = self.clone();
        Order {
            id: OrderId::mint(ctx.ids, ctx.now),
            created: ctx.now,
            updated: ctx.now,
            created_by: by,
            status: OrderStatus::Pending,
            purpose,
            customer: Orderer { id: customer, email, given_name, family_name, company, phone, kind },
            billing,
            shipping,
            items,
            totals,
            payment: OrderPayment {
                status: OrderPaymentStatus::Pending,
                paid: None,
                transaction: None,
                marked_by_hand: false,
            },
            custom_fields,
            notes,
            cancelled: None,
        }
    }
}
