//! Orders: create, list, get, notes, cancel, and the confirmation that FlexPortal's guides ask for without an operation.

use std::sync::Arc;

use super::addresses::{self, ADDRESS};
use super::customers::{
    COMPANY, CUSTOMER_ID, CUSTOMER_TYPE, EMAIL_ADDRESS, FIRST_NAME, KINDS, LAST_NAME, PHONE, ids, kind,
};
use super::failure::{at, named_by, not_that};
use super::pages::{self, COUNT, HAS_MORE, LIMIT, LIMIT_SHOWN, NEXT_CURSOR, SORT_DIR, START_AFTER};
use super::{Shown, addresses::add, signature, time};
use crate::domain::address::Address;
use crate::domain::customer::CustomerKind;
use crate::domain::ids::{CustomerId, OrderId, RentalId, Sku};
use crate::domain::order::{
    Cancellation, ExtensionDetails, MAX_CONTRACT_MONTHS, MAX_ITEMS, MAX_NOTES, MAX_REASON, MAX_UNITS, Order, OrderItem,
    OrderPayment, OrderPurpose, OrderStatus, OrderTotals, Orderer, UpgradeDetails,
};
use crate::domain::problem::Problem;
use crate::domain::rental_problem::RentalProblem;
use crate::engine::Stop;
use crate::engine::listing::{Sort, SortKey};
use crate::engine::orders::{self, NewItem, NewOrder, OrderFilter};
use crate::http::json::{Json, Object};
use crate::rest::read::Wrong;
use crate::rest::shape::{Data, member};
use crate::rest::{Answer, Asked, Call, Component, Fields, Flaw, Halt, Member, Plan, Refusal, Shape, data};

const STATUSES: &[&str] = &["pending", "confirmed", "partial", "fulfilled", "cancelled"];
const TYPES: &[&str] = &["standard", "extension", "upgrade"];
/// The longest text of details.
const MAX_TEXT: usize = 500;
/// The longest id or SKU.
const MAX_ID: usize = 255;
const SHOWN: Shape = Shape::text(0, usize::MAX);
const AMOUNT: Shape = Shape::Money(0, i64::MAX);
/// A number of months that a rule looks at: one that no contract can have has a code of its own. It is read in millionths.
const LENGTH: Shape = Shape::number(i64::MIN, i64::MAX, 6);
const MILLION: i64 = 1_000_000;
const CUSTOM_FIELDS: Data = Data { max_bytes: 16_384, max_depth: 10 };

/// An order's id.
pub const ORDER_ID: Member =
    member("orderId", Shape::text(1, MAX_ID)).doc("The order.").example("ord_01kc4vzm8fj2qh7n9w3x5r6t0e");

const fn text(name: &'static str) -> Member {
    member(name, Shape::text(0, MAX_TEXT))
}

static EXTENSION: Component = Component {
    name: "ExtensionDetails",
    doc: "What an extension is of. Dates are kept as they are written.",
    shape: Shape::Object(&[
        member("originalOrderId", Shape::text(1, MAX_ID)).needed().doc("The order that is extended."),
        member("extensionMonths", Shape::Whole(1, MAX_CONTRACT_MONTHS as i64)).needed().doc("By how many months."),
        text("previousEndDate").needed().doc("When the contract would have ended."),
        text("newEndDate").needed().doc("When it ends now."),
        text("reason").doc("Why."),
    ]),
};

static UPGRADE: Component = Component {
    name: "UpgradeDetails",
    doc: "What an upgrade is of.",
    shape: Shape::Object(&[
        text("previousDevice").needed().doc("The device that it replaces."),
        text("previousSerialNumber").needed().doc("That device's serial number."),
        member("previousMonthlyAmount", AMOUNT).needed().doc("What that device was rented for, a month."),
        member("previousRentalId", Shape::text(1, MAX_ID)).needed().doc("The subscription of it."),
        text("upgradeReason").doc("Why."),
    ]),
};

/// A new order.
pub static NEW: Shape = Shape::Object(&[
    member("orderType", Shape::Word(TYPES)).doc("What it is for; `standard` when nothing is said."),
    member("extensionDetails", Shape::Component(&EXTENSION)).doc("For an order of type `extension`, which needs it."),
    member("upgradeDetails", Shape::Component(&UPGRADE)).doc("For an order of type `upgrade`, which needs it."),
    member(
        "customer",
        Shape::Object(&[
            EMAIL_ADDRESS.needed(),
            FIRST_NAME.needed(),
            LAST_NAME.needed(),
            COMPANY.doc("Company."),
            PHONE.doc("Phone."),
            CUSTOMER_TYPE,
        ]),
    )
    .needed()
    .doc("Who orders. A customer with this e-mail address, case apart, is the one; else a new one is made."),
    member("billingAddress", Shape::Component(&ADDRESS)).needed().doc("Who pays, and where."),
    member("shippingAddress", Shape::Component(&ADDRESS)).doc("Where devices go; the same when nothing is said."),
    member(
        "items",
        Shape::List(
            &Shape::Object(&[
                member("sku", Shape::trimmed(1, MAX_ID)).needed().doc("The variant.").example("MACBOOK-PRO-16-M3"),
                member("quantity", Shape::Whole(1, MAX_UNITS as i64)).needed().doc("How many.").example("5"),
                member("contractLength", LENGTH)
                    .doc("For how many months; as the business unit is used to when nothing is said.")
                    .example("24"),
            ]),
            1,
            MAX_ITEMS,
        ),
    )
    .needed()
    .doc("What is to be rented."),
    member("customFields", Shape::Data(CUSTOM_FIELDS)).nullable().doc("Free data."),
    member("notes", Shape::text(0, MAX_NOTES)).doc("Free text."),
]);

/// An order.
pub static ORDER: Component = Component {
    name: "Order",
    doc: "An order. Customer and addresses are as they were when it was placed.",
    shape: Shape::Object(&[
        member("orderId", SHOWN).needed().doc("Its id."),
        member("tenantId", SHOWN).needed().doc("Its business unit."),
        member("status", Shape::Word(STATUSES)).needed().doc("How far it is."),
        member("orderType", Shape::Word(TYPES)).needed().doc("What it is for."),
        member(
            "customer",
            Shape::Object(&[
                member("customerId", SHOWN).needed().doc("Which customer."),
                member("email", SHOWN).needed().doc("E-mail address."),
                member("firstName", SHOWN).needed().doc("Given name."),
                member("lastName", SHOWN).needed().doc("Family name."),
                member("company", SHOWN).doc("Company."),
                member("phone", SHOWN).doc("Phone."),
                member("customerType", Shape::Word(KINDS)).needed().doc("A person or a company."),
            ]),
        )
        .needed()
        .doc("Who ordered, as it was then."),
        member("billingAddress", Shape::Component(&ADDRESS)).needed().doc("Who pays, and where."),
        member("shippingAddress", Shape::Component(&ADDRESS)).needed().doc("Where devices go."),
        member(
            "items",
            Shape::List(
                &Shape::Object(&[
                    member("productId", SHOWN).needed().doc("The product."),
                    member("productImageUrl", SHOWN).doc("A picture of it."),
                    member("variantId", SHOWN).needed().doc("The variant."),
                    member("sku", SHOWN).needed().doc("Its SKU."),
                    member("productName", SHOWN).needed().doc("The product's name as it was then."),
                    member("quantity", Shape::Whole(1, MAX_UNITS as i64)).needed().doc("How many."),
                    member("unitPrice", AMOUNT).needed().doc("What one costs a month."),
                    member("contractLength", Shape::Whole(1, MAX_CONTRACT_MONTHS as i64)).needed().doc("In months."),
                    member("listPrice", AMOUNT).doc("What one is sold for."),
                    member("listPriceSource", Shape::Word(&["variant", "unknown"])).needed().doc("Who says so."),
                    member("acquisitionCost", AMOUNT).doc("What one cost."),
                    member("acquisitionCostSource", Shape::Word(&["variant", "unknown"])).needed().doc("Who says so."),
                    member("usedListPriceAsAcquisition", Shape::Flag)
                        .needed()
                        .doc("Whether the list price stands for the cost."),
                    member("rentalIds", Shape::List(&SHOWN, 0, usize::MAX)).needed().doc("Its subscriptions."),
                    member("rentalStatus", Shape::Word(&["pending", "partial", "completed"]))
                        .needed()
                        .doc("How many are rented: none, some, all."),
                ]),
                0,
                MAX_ITEMS,
            ),
        )
        .needed()
        .doc("What is to be rented."),
        member(
            "totals",
            Shape::Object(&[
                member("subtotal", AMOUNT).needed().doc("The prices of all units for a month."),
                member("taxAmount", AMOUNT).needed().doc("The tax on top, or within where prices include it."),
                member("total", AMOUNT).needed().doc("What is to be paid."),
                member("currency", SHOWN).needed().doc("In which currency."),
                member("totalDevices", Shape::Whole(0, i64::MAX)).needed().doc("How many units."),
            ]),
        )
        .needed()
        .doc("What a month of it costs."),
        member(
            "payment",
            Shape::Object(&[
                member("status", Shape::Word(&["pending", "paid", "failed"])).needed().doc("Whether it is paid for."),
                member("method", Shape::Word(&["stripe", "manual"])).needed().doc("How. People note every payment."),
                member("transactionId", SHOWN).doc("The payment at whoever took it."),
                member("paidAmount", AMOUNT).doc("What was paid."),
                member("manuallyMarked", Shape::Flag).needed().doc("Whether a person noted it."),
            ]),
        )
        .needed(),
        member("customFields", Shape::Data(Data { max_bytes: usize::MAX, max_depth: usize::MAX }))
            .needed()
            .nullable()
            .doc("Free data."),
        member(
            "rentalProgress",
            Shape::Object(&[
                member("totalDevices", Shape::Whole(0, i64::MAX)).needed().doc("How many units it asks for."),
                member("rentedDevices", Shape::Whole(0, i64::MAX)).needed().doc("How many are rented."),
            ]),
        )
        .needed(),
        member("rentalIds", Shape::List(&SHOWN, 0, usize::MAX)).needed().doc("Its subscriptions."),
        member("createdAt", SHOWN).needed().doc("When it was placed."),
        member("updatedAt", SHOWN).needed().doc("When it changed last."),
        member("createdBy", SHOWN).needed().doc("Who placed it."),
        member("notes", SHOWN).doc("Free text."),
        member("cancelledAt", SHOWN).doc("When it was cancelled."),
        member("cancellationReason", SHOWN).doc("Why."),
        member("extensionDetails", Shape::Component(&EXTENSION)),
        member("upgradeDetails", Shape::Component(&UPGRADE)),
    ]),
};

/// An order by itself.
pub static WHOLE: Shape = Shape::Component(&ORDER);

/// What creation answers.
pub static PLACED: Shape = Shape::Object(&[
    member("success", Shape::Flag).needed(),
    member("message", SHOWN).needed(),
    member("orderId", SHOWN).needed(),
    member("order", Shape::Component(&ORDER)).needed(),
]);

/// What a change answers.
pub static CHANGED: Shape = Shape::Object(&[
    member("success", Shape::Flag).needed(),
    member("message", SHOWN).needed(),
    member("orderId", SHOWN).needed(),
]);

/// A page.
pub static PAGE: Shape = Shape::Object(&[
    member("orders", Shape::List(&Shape::Component(&ORDER), 0, usize::MAX)).needed(),
    COUNT,
    LIMIT_SHOWN,
    HAS_MORE,
    NEXT_CURSOR,
]);

/// The parameters of a list.
pub const LIST: &[Member] = &[
    LIMIT,
    START_AFTER,
    pages::sort_by(&["createdAt", "updatedAt", "orderId", "status", "totals.total"]),
    SORT_DIR,
    member("status", Shape::Word(STATUSES)).doc("Only those that are so far."),
    CUSTOMER_ID.doc("Only those of this customer."),
    member("customField_*", SHOWN).doc("Only those whose custom field of this name has this value."),
];

/// New notes.
pub static NOTES: Shape =
    Shape::Object(&[member("notes", Shape::text(0, MAX_NOTES)).needed().doc("Free text; an empty text clears it.")]);

/// A cancellation.
pub static CANCELLATION: Shape = Shape::Object(&[member("reason", Shape::text(0, MAX_REASON)).doc("Why.")]);

fn updated(order: &Order) -> SortKey {
    SortKey::Number(order.updated.0)
}

fn by_id(order: &Order) -> SortKey {
    SortKey::Text(order.id.0.clone())
}

fn by_status(order: &Order) -> SortKey {
    SortKey::Text(order.status.as_str().to_owned())
}

fn total(order: &Order) -> SortKey {
    SortKey::Number(order.totals.total)
}

const SORTS: &[(&str, Sort<Order>)] = &[
    ("updatedAt", Sort::By(updated)),
    ("orderId", Sort::By(by_id)),
    ("status", Sort::By(by_status)),
    ("totals.total", Sort::By(total)),
];

/// `POST /v1/orders`
pub fn create(call: &Arc<Call>, mut asked: Asked) -> Result<Plan, Refusal> {
    let wish = wish(asked.body(), signature(&call.key))?;
    Ok(Plan::write(move |call, tx, ctx| {
        let placed = orders::create(tx, ctx, &wish).map_err(named_in_body)?;
        let (shown, order) = (Shown::of(call), placed.order);
        let id = order.id.0.clone();
        let answer = Answer::later(move || {
            let message = if placed.made { "Order created successfully" } else { "Order was created before" };
            Object::new()
                .and("success", true)
                .and("message", message)
                .and("orderId", order.id.0.clone())
                .and("order", object(&order, &shown))
        });
        Ok(if placed.made { answer.created().located(call, &id) } else { answer })
    }))
}

/// `GET /v1/orders`
pub fn list(_: &Arc<Call>, mut asked: Asked) -> Result<Plan, Refusal> {
    let paging = pages::paging(&mut asked.query, SORTS);
    let filter = OrderFilter {
        customer: asked.query.get("customerId").map(CustomerId),
        status: asked.query.get::<String>("status").as_deref().and_then(OrderStatus::named),
        custom_fields: asked.query.beginning("customField_"),
    };
    Ok(Plan::scan(move |call, read| {
        let page = orders::list(read, &call.account, &filter, &paging)?;
        let shown = Shown::of(call);
        let item = |order: &Order| object(order, &shown);
        Ok(Answer::ok(pages::envelope("orders", &page, paging.limit, item, |order| order.id.0.clone())))
    }))
}

/// `GET /v1/orders/{orderId}`
pub fn retrieve(_: &Arc<Call>, mut asked: Asked) -> Result<Plan, Refusal> {
    let id = OrderId(asked.part(0));
    Ok(Plan::look(move |call, read| {
        let order = orders::read(read, &call.account, &id)?;
        Ok(Answer::ok(object(&order, &Shown::of(call))))
    }))
}

/// `PATCH /v1/orders/{orderId}/notes`
pub fn note(_: &Arc<Call>, mut asked: Asked) -> Result<Plan, Refusal> {
    let id = OrderId(asked.part(0));
    let notes: String = asked.body().needed("notes");
    Ok(Plan::write(move |_, tx, ctx| {
        let order = orders::note(tx, ctx, &id, notes.clone())?;
        Ok(changed(&order, "Notes updated successfully"))
    }))
}

/// `POST /v1/orders/{orderId}/cancel`
pub fn cancel(_: &Arc<Call>, mut asked: Asked) -> Result<Plan, Refusal> {
    let id = OrderId(asked.part(0));
    let reason: Option<String> = asked.body().get("reason");
    Ok(Plan::write(move |_, tx, ctx| {
        let order = orders::cancel(tx, ctx, &id, reason.clone())?;
        Ok(changed(&order, "Order cancelled successfully"))
    }))
}

/// `POST /v1/orders/{orderId}/confirm`
pub fn confirm(_: &Arc<Call>, mut asked: Asked) -> Result<Plan, Refusal> {
    let id = OrderId(asked.part(0));
    Ok(Plan::write(move |_, tx, ctx| {
        let order = orders::confirm(tx, ctx, &id)?;
        Ok(changed(&order, "Order confirmed successfully"))
    }))
}

fn changed(order: &Order, message: &'static str) -> Answer {
    Answer::ok(Object::new().and("success", true).and("message", message).and("orderId", order.id.0.clone()))
}

/// A problem of what an order goes on with, named by the member that says it.
fn named_in_body(stop: Stop) -> Halt {
    const ORDER: &str = "extensionDetails.originalOrderId";
    const RENTAL: &str = "upgradeDetails.previousRentalId";
    match stop {
        Stop::Problem(Problem::Rental(RentalProblem::NoSuchOrder(_))) => named_by(ORDER)(stop),
        Stop::Problem(Problem::Rental(RentalProblem::NoSuchRental(_))) => named_by(RENTAL)(stop),
        Stop::Problem(problem @ Problem::Rental(RentalProblem::OrderOfOtherCustomer)) => at(ORDER, problem),
        Stop::Problem(problem @ Problem::Rental(RentalProblem::RentalOfOtherCustomer { .. })) => at(RENTAL, problem),
        stop => stop.into(),
    }
}

// --- In ---

fn wish(mut body: Fields, by: String) -> Result<NewOrder, Refusal> {
    let purpose = purpose(&mut body)?;
    let mut customer: Fields = body.needed("customer");
    let known = |text: Option<String>| text.filter(|text| !text.is_empty());
    let billing = addresses::read(body.needed("billingAddress"));
    let shipping = body.get::<Fields>("shippingAddress").map_or_else(|| billing.clone(), addresses::read);
    let items: Vec<Fields> = body.needed("items");
    let items = items.into_iter().enumerate().map(item).collect::<Result<Vec<NewItem>, Refusal>>()?;
    // Each line is within the bound, so the sum fits.
    if items.iter().map(|item| u64::from(item.quantity)).sum::<u64>() > u64::from(MAX_UNITS) {
        let sentence = format!("can ask for at most {MAX_UNITS} units together");
        return Err(Refusal::flaw(Flaw::rule("items", "too_big", sentence)));
    }
    Ok(NewOrder {
        by,
        purpose,
        email: customer.needed("email"),
        given_name: customer.needed("firstName"),
        family_name: customer.needed("lastName"),
        company: known(customer.get("company")),
        phone: known(customer.get("phone")),
        kind: kind(&mut customer).unwrap_or(CustomerKind::Individual),
        billing,
        shipping,
        items,
        custom_fields: body.get("customFields"),
        notes: known(body.get("notes")),
    })
}

/// Its bounds keep each number within 32 bits.
fn number(given: &mut Fields, name: &str) -> Option<u32> {
    given.get::<i64>(name).and_then(|number| u32::try_from(number).ok())
}

fn item((line, mut given): (usize, Fields)) -> Result<NewItem, Refusal> {
    let months = given.get::<i64>("contractLength").map(|millionths| {
        let months = Some(millionths / MILLION).filter(|months| months * MILLION == millionths);
        let months = months.and_then(|months| u32::try_from(months).ok());
        months.filter(|months| (1..=MAX_CONTRACT_MONTHS).contains(months)).ok_or_else(|| {
            let message = format!("A contract has 1 to {MAX_CONTRACT_MONTHS} months.");
            not_that(&format!("items.{line}.contractLength"), "INVALID_CONTRACT_LENGTH", message)
        })
    });
    Ok(NewItem {
        sku: Sku(given.needed("sku")),
        quantity: number(&mut given, "quantity").unwrap_or_default(),
        months: months.transpose()?,
    })
}

/// Details belong to an order of their own type, which needs them.
fn purpose(body: &mut Fields) -> Result<OrderPurpose, Refusal> {
    let kind: Option<String> = body.get("orderType");
    let (extension, upgrade) = (body.get::<Fields>("extensionDetails"), body.get::<Fields>("upgradeDetails"));
    let missing = |name: &'static str| Refusal::flaw(Flaw::new(name, Wrong::Missing));
    let surplus = |name: &'static str| {
        let sentence = "does not belong to an order of this type";
        Err(Refusal::flaw(Flaw::rule(name, "custom", sentence)))
    };
    match (kind.as_deref(), extension, upgrade) {
        (Some("extension"), Some(mut given), None) => Ok(OrderPurpose::Extension(ExtensionDetails {
            original: OrderId(given.needed("originalOrderId")),
            months: number(&mut given, "extensionMonths").unwrap_or_default(),
            previous_end: given.needed("previousEndDate"),
            new_end: given.needed("newEndDate"),
            reason: given.get("reason"),
        })),
        (Some("extension"), None, _) => Err(missing("extensionDetails")),
        (Some("upgrade"), None, Some(mut given)) => Ok(OrderPurpose::Upgrade(UpgradeDetails {
            previous_device: given.needed("previousDevice"),
            previous_serial: given.needed("previousSerialNumber"),
            previous_monthly: given.needed("previousMonthlyAmount"),
            previous_rental: RentalId(given.needed("previousRentalId")),
            reason: given.get("upgradeReason"),
        })),
        (Some("upgrade"), _, None) => Err(missing("upgradeDetails")),
        (Some("extension"), _, Some(_)) => surplus("upgradeDetails"),
        (_, Some(_), _) => surplus("extensionDetails"),
        (_, None, Some(_)) => surplus("upgradeDetails"),
        (_, None, None) => Ok(OrderPurpose::Standard),
    }
}

// --- Out ---

/// An order.
pub fn object(order: &Order, shown: &Shown) -> Object {
    let Order {
        id,
        created,
        updated,
        created_by,
        status,
        purpose,
        customer,
        billing,
        shipping,
        items,
        totals,
        payment,
        custom_fields,
        notes,
        cancelled,
    } = order;
    let OrderTotals { subtotal, tax, total, currency } = totals;
    let shown = &shown.in_currency(*currency);
    let units = i64::from(order.units());
    let totals = Object::new()
        .and("subtotal", shown.money(*subtotal))
        .and("taxAmount", shown.money(*tax))
        .and("total", shown.money(*total))
        .and("currency", currency.as_str().to_ascii_uppercase())
        .and("totalDevices", units);
    let progress = Object::new().and("totalDevices", units).and("rentedDevices", i64::from(order.rented()));
    let mut object = Object::new()
        .and("orderId", id.0.clone())
        .and("tenantId", shown.tenant.clone())
        .and("status", status.as_str())
        .and("orderType", purpose.as_str())
        .and("customer", orderer(customer))
        .and("billingAddress", address(billing, customer))
        .and("shippingAddress", address(shipping, customer))
        .and("items", Json::List(items.iter().map(|item| item_object(item, shown).into()).collect()))
        .and("totals", totals)
        .and("payment", payment_object(payment, shown))
        .and("customFields", custom_fields.as_ref().map(data::json))
        .and("rentalProgress", progress)
        .and("rentalIds", ids(order.rentals().map(|id| &id.0)))
        .and("createdAt", time(*created))
        .and("updatedAt", time(*updated))
        .and("createdBy", created_by.clone());
    add(&mut object, "notes", notes);
    if let Some(Cancellation { at, reason }) = cancelled {
        object.add("cancelledAt", time(*at));
        add(&mut object, "cancellationReason", reason);
    }
    match purpose {
        OrderPurpose::Standard => {}
        OrderPurpose::Extension(details) => object.add("extensionDetails", extension(details)),
        OrderPurpose::Upgrade(details) => object.add("upgradeDetails", upgrade(details, shown)),
    }
    object
}

fn orderer(orderer: &Orderer) -> Object {
    let Orderer { id, email, given_name, family_name, company, phone, kind } = orderer;
    let mut object = Object::new()
        .and("customerId", id.0.clone())
        .and("email", email.clone())
        .and("firstName", given_name.clone())
        .and("lastName", family_name.clone());
    add(&mut object, "company", company);
    add(&mut object, "phone", phone);
    object.add("customerType", kind.as_str());
    object
}

/// Where nobody is named to ask for, it is who ordered.
fn address(address: &Address, customer: &Orderer) -> Object {
    addresses::object(address, &address.contact_name.clone().unwrap_or_else(|| customer.name()))
}

fn item_object(item: &OrderItem, shown: &Shown) -> Object {
    let OrderItem {
        product,
        variant,
        sku,
        product_name,
        image,
        quantity,
        unit_price,
        contract_months,
        list_price,
        acquisition_cost,
        rentals,
    } = item;
    let source = |amount: &Option<i64>| if amount.is_some() { "variant" } else { "unknown" };
    let mut object = Object::new().and("productId", product.0.clone());
    add(&mut object, "productImageUrl", image);
    object.add("variantId", variant.0.clone());
    object.add("sku", sku.0.clone());
    object.add("productName", product_name.clone());
    object.add("quantity", i64::from(*quantity));
    object.add("unitPrice", shown.money(*unit_price));
    object.add("contractLength", i64::from(*contract_months));
    if let Some(amount) = list_price {
        object.add("listPrice", shown.money(*amount));
    }
    object.add("listPriceSource", source(list_price));
    if let Some(amount) = acquisition_cost {
        object.add("acquisitionCost", shown.money(*amount));
    }
    object.add("acquisitionCostSource", source(acquisition_cost));
    // A cost that nobody stated is unknown here.
    object.add("usedListPriceAsAcquisition", false);
    object.add("rentalIds", ids(rentals.iter().map(|id| &id.0)));
    object.add("rentalStatus", item.status().as_str());
    object
}

fn payment_object(payment: &OrderPayment, shown: &Shown) -> Object {
    let OrderPayment { status, paid, transaction, marked_by_hand } = payment;
    let mut object = Object::new().and("status", status.as_str()).and("method", "manual");
    add(&mut object, "transactionId", transaction);
    if let Some(amount) = paid {
        object.add("paidAmount", shown.money(*amount));
    }
    object.add("manuallyMarked", *marked_by_hand);
    object
}

fn extension(details: &ExtensionDetails) -> Object {
    let ExtensionDetails { original, months, previous_end, new_end, reason } = details;
    let mut object = Object::new()
        .and("originalOrderId", original.0.clone())
        .and("extensionMonths", i64::from(*months))
        .and("previousEndDate", previous_end.clone())
        .and("newEndDate", new_end.clone());
    add(&mut object, "reason", reason);
    object
}

fn upgrade(details: &UpgradeDetails, shown: &Shown) -> Object {
    let UpgradeDetails { previous_device, previous_serial, previous_monthly, previous_rental, reason } = details;
    let mut object = Object::new()
        .and("previousDevice", previous_device.clone())
        .and("previousSerialNumber", previous_serial.clone())
        .and("previousMonthlyAmount", shown.money(*previous_monthly))
        .and("previousRentalId", previous_rental.0.clone());
    add(&mut object, "upgradeReason", reason);
    object
}
