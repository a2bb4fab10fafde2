//! Customers: the parameter table and the operations on it.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use super::discounts::{self, Shown};
use super::expand::{self, Expansions};
use super::failure::{Named, Names, Refusal};
use super::lists::{self, EXPAND, Paged, Paging, TEXT, row};
use super::offers::{self, Offer};
use super::params::{self, Empty, Field, Kind, Param, Shape, Value, field, word};
use super::sources::{BANK_ACCOUNT, CARD, SOURCE};
use super::tax_id_types::TYPE;
use super::{Answer, Call, Halt, Plan, search, tax_ids};
use crate::domain::address::{NewAddress, NewShipping, Postal};
use crate::domain::customer::{
    AmountTaxDisplay, CustomField, Customer, CustomerChange, MAX_CUSTOM_FIELDS, Reconciliation, RenderingChange,
    TaxExempt,
};
use crate::domain::ids::{CouponId, CustomerId, InstrumentId, PromotionCodeId};
use crate::domain::instrument::{SourceChoice, SourceKind};
use crate::domain::page::{CustomerPage, Page, Place, Span};
use crate::domain::patch::Patch;
use crate::domain::tax_id::MAX_TAX_IDS;
use crate::domain::time::Time;
use crate::engine::Ctx;
use crate::engine::customers::{self, Bringing};
use crate::http::conditions;
use crate::http::json::{Json, Object};
use crate::processor::Finding;
use crate::store::{Read, Tx};

/// What a create or an update asks for.
#[derive(Default)]
pub struct Input {
    pub(super) change: CustomerChange,
    offer: Option<Offer>,
    payment_method: Option<String>,
    /// The issuer of what is brought is not asked about it.
    no_questions: bool,
    coupon: Patch<CouponId>,
    promotion_code: Patch<PromotionCodeId>,
    /// Kinds and values, in their order.
    tax_ids: Vec<(String, String)>,
    pub(super) expand: Vec<String>,
}

impl Input {
    fn choose(&mut self, value: Value, kind: Option<SourceKind>) {
        self.change.default_source = Some(SourceChoice { id: InstrumentId(value.text()), kind });
    }
}

/// The parameters that say what the default source is to be.
const DEFAULTS: [&str; 7] = [
    "bank_account",
    "card",
    "default_alipay_account",
    "default_bank_account",
    "default_card",
    "default_source",
    "source",
];

const SOURCE_ID: Shape = Shape::Id(5000, "source");
const METHOD_ID: Shape = Shape::Id(5000, "PaymentMethod");
const NAME: Shape = Shape::Trimmed(256);
const SHORT_NAME: Shape = Shape::Text(150);
const EMAIL: Shape = Shape::Email(512);
const PHONE: Shape = Shape::Phone(20);
const BALANCE: Shape = Shape::Integer { min: i64::MIN, max: i64::MAX };
const SEQUENCE: Shape = Shape::Integer { min: 1, max: i64::MAX };
/// An address of six parts.
pub const ADDRESS: Shape = Shape::Record(&[
    field("city", &TEXT),
    field("country", &Shape::Country(5000)),
    field("line1", &TEXT),
    field("line2", &TEXT),
    field("postal_code", &TEXT),
    field("state", &TEXT),
]);
const SHIPPING: Shape = Shape::Record(&[
    Field { required: true, ..field("address", &ADDRESS) },
    Field { required: true, ..field("name", &TEXT) },
    field("phone", &TEXT),
]);
// The limits were 30 and 30 until some time in 2023, and are 40 and 140 in the present schema.
const CUSTOM_FIELDS: Shape = Shape::List(
    &Shape::Record(&[
        Field { required: true, ..field("name", &Shape::TextGrown { max: 40, was: 30, on: "2023-10-16" }) },
        Field { required: true, ..field("value", &Shape::TextGrown { max: 140, was: 30, on: "2023-10-16" }) },
    ]),
    MAX_CUSTOM_FIELDS,
);
const LOCALES: Shape = Shape::List(&Shape::Locale, 100);
const AMOUNT_TAX_DISPLAY: Shape = Shape::Choice(&[word("exclude_tax"), word("include_inclusive_tax")]);
const RECONCILIATION: Shape =
    Shape::Choice(&[word("automatic"), word("manual"), params::Word { word: "merchant_default", added: "2022-12-22" }]);
const VALIDATE_LOCATION: Shape =
    Shape::Choice(&[params::Word { word: "auto", added: "2024-10-01" }, word("deferred"), word("immediately")]);
const TAX_IDS: Shape = Shape::List(
    &Shape::Record(&[
        Field { required: true, ..field("type", &TYPE) },
        Field { required: true, ..field("value", &TEXT) },
    ]),
    MAX_TAX_IDS,
);
const TAX_EXEMPT: Shape = Shape::Choice(&[word("none"), word("reverse"), word("exempt")]);

/// A row that an empty string unsets.
const fn unsettable(name: &'static str, kind: Kind<Input>) -> Param<Input> {
    Param { empty: Empty::Unsets, ..row(name, kind) }
}

const fn unsupported(name: &'static str) -> Param<Input> {
    row(name, Kind::Unsupported)
}

/// The row of `cash_balance[settings][reconciliation_mode]`, which has an endpoint of its own too.
pub const RECONCILIATION_MODE: Param<Input> = row(
    "reconciliation_mode",
    Kind::Value(&RECONCILIATION, |input, value| {
        input.change.reconciliation = match value.text().as_str() {
            "automatic" => Patch::Set(Reconciliation::Automatic),
            "manual" => Patch::Set(Reconciliation::Manual),
            _ => Patch::Clear,
        };
    }),
);

macro_rules! common_rows {
    // What only one of the operations has, by the place where its name belongs: rows are judged in their order.
    (
        bank: [$($bank:expr),*], card: [$($card:expr),*], default: [$($default:expr),*], pay: [$($pay:expr),*],
        tax_id: [$($tax_id:expr),*], clock: [$($clock:expr),*]
    ) => {
        &[
            Param { removed: "2019-10-17", ..row("account_balance", Kind::Value(&BALANCE, set_balance)) },
            Param {
                added: "2019-03-01",
                ..unsettable("address", Kind::Value(&ADDRESS, |input, value| {
                    input.change.address = value.patch(address).map(NewAddress::Postal);
                }))
            },
            Param { added: "2019-05-01", ..row("balance", Kind::Value(&BALANCE, set_balance)) },
            $($bank,)*
            Param {
                added: "2025-09-30",
                ..unsettable("business_name", Kind::Value(&SHORT_NAME, |input, value| {
                    input.change.business_name = value.patch(Value::text);
                }))
            },
            $($card,)*
            Param {
                added: "2022-04-18",
                ..row("cash_balance", Kind::Group(&[row("settings", Kind::Group(&[RECONCILIATION_MODE]))]))
            },
            Param {
                // docs.stripe.com/changelog/basil/2025-03-31/deprecate-singular-coupon-promotion-code
                removed: "2025-03-31",
                ..unsettable("coupon", Kind::Value(&TEXT, |input, value| {
                    input.coupon = value.patch(|value| CouponId(value.text()));
                }))
            },
            $($default,)*
            unsettable("description", Kind::Value(&TEXT, |input, value| {
                input.change.description = value.patch(Value::text);
            })),
            unsettable("email", Kind::Value(&EMAIL, |input, value| input.change.email = value.patch(Value::text))),
            EXPAND_ROW,
            Param {
                added: "2025-09-30",
                ..unsettable("individual_name", Kind::Value(&SHORT_NAME, |input, value| {
                    input.change.individual_name = value.patch(Value::text);
                }))
            },
            row("invoice_prefix", Kind::Value(&Shape::InvoicePrefix, |input, value| {
                input.change.invoice_prefix = Some(value.text());
            })),
            row("invoice_settings", Kind::Group(INVOICE_SETTINGS)),
            unsettable("metadata", Kind::Value(&Shape::Metadata, |input, value| {
                input.change.metadata = value.metadata();
            })),
            Param {
                added: "2019-03-01",
                ..unsettable("name", Kind::Value(&NAME, |input, value| input.change.name = value.patch(Value::text)))
            },
            Param {
                added: "2020-03-01",
                ..row("next_invoice_sequence", Kind::Value(&SEQUENCE, |input, value| {
                    input.change.next_invoice_sequence = Some(value.integer().unsigned_abs());
                }))
            },
            $($pay,)*
            Param {
                added: "2019-03-01",
                ..unsettable("phone", Kind::Value(&PHONE, |input, value| input.change.phone = value.patch(Value::text)))
            },
            Param {
                added: "2019-03-01",
                empty: Empty::Ignored,
                ..row("preferred_locales", Kind::Value(&LOCALES, |input, value| {
                    input.change.preferred_locales = Some(value.texts());
                }))
            },
            Param {
                added: "2020-08-27",
                removed: "2025-03-31",
                ..unsettable("promotion_code", Kind::Value(&TEXT, |input, value| {
                    input.promotion_code = value.patch(|value| PromotionCodeId(value.text()));
                }))
            },
            unsettable("shipping", Kind::Value(&SHIPPING, |input, value| {
                input.change.shipping = value.patch(shipping);
            })),
            row("source", Kind::Value(&SOURCE, |input, value| input.offer = Some(Offer::of(value, None)))),
            Param { added: "2021-06-01", ..row("tax", Kind::Group(TAX)) },
            Param {
                added: "2019-05-01",
                ..unsettable("tax_exempt", Kind::Value(&TAX_EXEMPT, |input, value| {
                    input.change.tax_exempt = value.patch(exemption);
                }))
            },
            $($tax_id,)*
            $($clock,)*
            row("validate", Kind::Value(&Shape::Flag, |input, value| input.no_questions = !value.flag())),
        ]
    };
}

/// The row of `expand`.
pub(super) const EXPAND_ROW: Param<Input> =
    row("expand", Kind::Value(&EXPAND, |input: &mut Input, value| input.expand = value.texts()));

const TAX_ID_DATA: Param<Input> =
    row("tax_id_data", Kind::Value(&TAX_IDS, |input, value| input.tax_ids = kinds_and_values(value)));

const INVOICE_SETTINGS: &[Param<Input>] = &[
    unsettable(
        "custom_fields",
        Kind::Value(&CUSTOM_FIELDS, |input, value| input.change.custom_fields = value.patch(custom_fields)),
    ),
    Param {
        added: "2019-03-01",
        ..unsettable(
            "default_payment_method",
            Kind::Value(&METHOD_ID, |input, value| {
                input.change.default_payment_method = value.patch(|value| InstrumentId(value.text()));
            }),
        )
    },
    unsettable("footer", Kind::Value(&TEXT, |input, value| input.change.footer = value.patch(Value::text))),
    Param { added: "2022-06-09", ..unsettable("rendering_options", Kind::Value(&RENDERING_OPTIONS, set_rendering)) },
];

// No template of an invoice can be made here, so none can be named.
const RENDERING_OPTIONS: Shape = Shape::Record(&[
    field("amount_tax_display", &AMOUNT_TAX_DISPLAY),
    Field { added: "2024-09-12", ..field("template", &Shape::NoSuch("invoice rendering template")) },
]);

const TAX: &[Param<Input>] = &[
    unsettable("ip_address", Kind::Value(&Shape::Ip, |input, value| input.change.tax_ip = value.patch(Value::ip))),
    Param {
        added: "2023-11-01",
        ..row(
            "validate_location",
            Kind::Value(&VALIDATE_LOCATION, |input, value| {
                input.change.tax_location_required = value.text() == "immediately";
            }),
        )
    },
];

/// The parameters of `POST /v1/customers`.
pub const CREATE: &[Param<Input>] = common_rows![
    bank: [], card: [], default: [], pay: [row("payment_method", Kind::Value(&METHOD_ID, |input, value| input.payment_method = Some(value.text())))],
    tax_id: [TAX_ID_DATA], clock: [unsupported("test_clock")]
];

/// The parameters of `POST /v1/customers/{id}`.
pub const UPDATE: &[Param<Input>] = common_rows![
    bank: [row("bank_account", Kind::Value(&BANK_ACCOUNT, |input, value| {
        input.offer = Some(Offer::of(value, Some(SourceKind::BankAccount)));
    }))],
    card: [row("card", Kind::Value(&CARD, |input, value| {
        input.offer = Some(Offer::of(value, Some(SourceKind::Card)));
    }))],
    default: [
        // Nobody has one.
        row("default_alipay_account", Kind::Value(&Shape::NoSuch("alipay account"), |_, _| {})),
        row("default_bank_account", Kind::Value(&SOURCE_ID, |input, value| {
            input.choose(value, Some(SourceKind::BankAccount));
        })),
        row("default_card", Kind::Value(&SOURCE_ID, |input, value| input.choose(value, Some(SourceKind::Card)))),
        row("default_source", Kind::Value(&SOURCE_ID, |input, value| input.choose(value, None)))
    ],
    pay: [], tax_id: [], clock: []
];

fn set_balance(input: &mut Input, value: Value) {
    input.change.balance = Some(value.integer());
}

fn set_rendering(input: &mut Input, value: Value) {
    input.change.rendering = value.patch(|mut options| RenderingChange {
        amount_tax_display: match options.take_patch("amount_tax_display") {
            Patch::Keep => Patch::Keep,
            Patch::Clear => Patch::Clear,
            Patch::Set(display) => Patch::Set(match display.text().as_str() {
                "exclude_tax" => AmountTaxDisplay::ExcludeTax,
                _ => AmountTaxDisplay::IncludeInclusiveTax,
            }),
        },
    });
}

fn exemption(value: Value) -> TaxExempt {
    match value.text().as_str() {
        "exempt" => TaxExempt::Exempt,
        "reverse" => TaxExempt::Reverse,
        _ => TaxExempt::None,
    }
}

/// The address of a value of that shape.
pub fn address(mut value: Value) -> Postal {
    let mut part = |name| value.take(name).map(Value::text);
    Postal {
        street: part("line1"),
        second_line: part("line2"),
        city: part("city"),
        region: part("state"),
        postal_code: part("postal_code"),
        country: part("country"),
    }
}

fn shipping(mut value: Value) -> NewShipping {
    NewShipping::Details {
        address: address(value.take("address").expect("the table requires it")),
        name: value.take("name").expect("the table requires it").text(),
        phone: value.take("phone").map(Value::text),
    }
}

fn custom_fields(value: Value) -> Vec<CustomField> {
    let line = |mut line: Value| CustomField {
        name: line.take("name").expect("the table requires it").text(),
        value: line.take("value").expect("the table requires it").text(),
    };
    value.list().into_iter().map(line).collect()
}

fn kinds_and_values(value: Value) -> Vec<(String, String)> {
    let pair = |mut tax_id: Value| {
        let mut part = |name| tax_id.take(name).expect("the table requires it").text();
        (part("type"), part("value"))
    };
    value.list().into_iter().map(pair).collect()
}

/// Two names of one fact; only one of them can be meant.
fn refuse_two_balances(call: &Call) -> Result<(), Refusal> {
    let both = ["account_balance", "balance"];
    if both.iter().all(|name| call.given.get(name).is_some()) { Err(Refusal::exclusive(&both)) } else { Ok(()) }
}

/// The one parameter that says what the default source is to be, if there is one.
fn default_given(call: &Call) -> Result<Option<&'static str>, Refusal> {
    let given: Vec<&str> = DEFAULTS.into_iter().filter(|name| call.given.get(name).is_some()).collect();
    if given.len() > 1 { Err(Refusal::exclusive(&given)) } else { Ok(given.first().copied()) }
}

/// What the operations on one customer call its id.
const ID: Names = Names::BY_PATH;

/// `POST /v1/customers`
pub fn create(call: &Arc<Call>) -> Result<Plan, Refusal> {
    let Input { mut change, coupon, promotion_code, offer, payment_method, no_questions, tax_ids, expand } =
        params::read(CREATE, &call.given, &call.version)?;
    refuse_two_balances(call)?;
    let (redemption, names) = discounts::redemption(coupon, promotion_code)?;
    change.redemption = redemption;
    if !conditions::lets_make(&call.headers) {
        return Err(Refusal::nothing_to_match());
    }
    let expansions = discounts::expansions(call, &expand, expand::CUSTOMER)?;
    let name = |place| format!("tax_id_data[{place}][value]");
    let wishes = tax_ids.iter().enumerate();
    let wishes = wishes.map(|(place, (kind, value))| tax_ids::wish(call, kind, value, &name(place)));
    let new_tax_ids = wishes.collect::<Result<Vec<_>, _>>()?;
    let id = payment_method.map(InstrumentId);
    let write = {
        let (offer, id) = (offer.clone(), id.clone());
        move |tx: &mut dyn Tx, ctx: &Ctx<'_>, finding: Option<&Finding>| {
            let mut change = change.clone();
            let source = offer.as_ref().map(|offer| offer.brought(tx, ctx, finding)).transpose()?;
            let payment_method = id.as_ref().map(|id| offers::offered_method(tx, ctx, id, finding)).transpose()?;
            if let (Some(id), Some((method, _))) = (&id, &payment_method)
                && change.default_payment_method == Patch::Set(id.clone())
            {
                // The name of a test card is that of the payment method that is made of it.
                change.default_payment_method = Patch::Set(method.id.clone());
            }
            let made =
                customers::create(tx, ctx, change, &Bringing { source, payment_method, tax_ids: new_tax_ids.clone() })?;
            let shown = Shown::of(tx, ctx.account, made, &expansions, ctx.now)?;
            Ok(Answer::customer(shown, &expansions))
        }
    };
    match (offer, id) {
        (None, None) => Ok(Plan::write(names, move |_, tx, ctx| write(tx, ctx, None))),
        (Some(_), Some(_)) => Err(Refusal::exclusive(&["payment_method", "source"])),
        (offer, id) => {
            let ask = move |call: &Call, read: &mut dyn Read| match (&offer, &id) {
                (Some(offer), _) => offer.question(read, &call.account, !no_questions),
                (None, Some(id)) => offers::question_about_method(read, &call.account, id, !no_questions),
                (None, None) => Ok(None),
            };
            let names = Names {
                source: Named::by("source"),
                token: Named::by("source"),
                bank_account: "source",
                payment_method: Named::by("payment_method"),
                ..names
            };
            Ok(Plan::asking(names, ask, move |_, tx, ctx, finding| write(tx, ctx, finding)))
        }
    }
}

/// `POST /v1/customers/{id}`
pub fn update(call: &Arc<Call>) -> Result<Plan, Refusal> {
    let Input { mut change, coupon, promotion_code, offer, no_questions, expand, payment_method: _, tax_ids: _ } =
        params::read(UPDATE, &call.given, &call.version)?;
    refuse_two_balances(call)?;
    let (redemption, names) = discounts::redemption(coupon, promotion_code)?;
    change.redemption = redemption;
    let expansions = discounts::expansions(call, &expand, expand::CUSTOMER)?;
    let id = CustomerId(call.part(0)?);
    let insists = conditions::insists(&call.headers);
    let given = default_given(call)?;
    let named = given.map_or(ID.source, Named::by);
    let names = Names { source: named, token: named, bank_account: given.unwrap_or(ID.bank_account), ..names };
    let Some(offer) = offer else {
        return Ok(Plan::write(names, move |_, tx, ctx| {
            let customer = customers::update(tx, ctx, &id, &insists, change.clone(), &Bringing::default())?;
            let shown = Shown::of(tx, ctx.account, customer, &expansions, ctx.now)?;
            Ok(Answer::customer(shown, &expansions))
        }));
    };
    let asked = offer.clone();
    let ask = move |call: &Call, read: &mut dyn Read| asked.question(read, &call.account, !no_questions);
    Ok(Plan::asking(names, ask, move |_, tx, ctx, finding| {
        insists.check(customers::live(tx, ctx.account, &id)?.version)?;
        let source = Some(offer.brought(tx, ctx, finding)?);
        let bringing = Bringing { source, ..Bringing::default() };
        let customer = customers::update(tx, ctx, &id, &insists, change.clone(), &bringing)?;
        let shown = Shown::of(tx, ctx.account, customer, &expansions, ctx.now)?;
        Ok(Answer::customer(shown, &expansions))
    }))
}

/// `DELETE /v1/customers/{id}`
pub fn delete(call: &Arc<Call>) -> Result<Plan, Refusal> {
    params::read(NO_PARAMETERS, &call.given, &call.version)?;
    let id = CustomerId(call.part(0)?);
    let insists = conditions::insists(&call.headers);
    Ok(Plan::write(ID, move |call, tx, ctx| {
        let nothing = Expansions::default();
        let gone = customers::delete(tx, ctx, &id, &insists)?;
        let shown = Shown::of(tx, &call.account, gone, &nothing, ctx.now)?;
        Ok(Answer::customer(shown, &nothing))
    }))
}

const NO_PARAMETERS: &[Param<()>] = &[];

/// What a retrieve asks for.
#[derive(Default)]
pub struct Retrieve {
    /// What to expand.
    pub expand: Vec<String>,
}

/// The parameters of every retrieve.
pub const RETRIEVE: &[Param<Retrieve>] =
    &[row("expand", Kind::Value(&EXPAND, |input: &mut Retrieve, value| input.expand = value.texts()))];

/// `GET /v1/customers/{id}`
pub fn retrieve(call: &Arc<Call>) -> Result<Plan, Refusal> {
    let input: Retrieve = params::read(RETRIEVE, &call.given, &call.version)?;
    let expansions = discounts::expansions(call, &input.expand, expand::CUSTOMER)?;
    let id = CustomerId(call.part(0)?);
    Ok(Plan::look(ID, move |call, read| {
        let customer = customers::read(read, &call.account, &id)?;
        let shown = Shown::of(read, &call.account, customer, &expansions, call.now)?;
        Ok(Answer::customer(shown, &expansions))
    }))
}

/// What a list of customers asks for.
#[derive(Default)]
pub struct List {
    paging: Paging,
    created: Span,
    email: Option<String>,
    test_clock: Option<String>,
}

impl Paged for List {
    fn paging(&mut self) -> &mut Paging {
        &mut self.paging
    }
}

/// The parameters of `GET /v1/customers`.
pub const LIST: &[Param<List>] = &[
    row("created", Kind::Value(&Shape::Span, |list, value| list.created = value.span())),
    row("email", Kind::Value(&Shape::Text(512), |list, value| list.email = Some(value.text()))),
    lists::ending_before(),
    lists::expand(),
    lists::limit(),
    lists::starting_after(),
    row("test_clock", Kind::Value(&TEXT, |list, value| list.test_clock = Some(value.text()))),
];

/// `GET /v1/customers`
pub fn list(call: &Arc<Call>) -> Result<Plan, Refusal> {
    let List { paging, created, email, test_clock } = params::read(LIST, &call.given, &call.version)?;
    let anchor = paging.anchor()?;
    let expansions = discounts::expansions_of_list(call, &paging.expand, expand::CUSTOMER)?;
    if let Some(clock) = test_clock {
        // Nothing here makes test clocks, so no id is one.
        return Err(Refusal::no_such("billingclock", &clock, "test_clock"));
    }
    let limit = paging.limit();
    Ok(Plan::scan(ID, move |call, read| {
        let cursor = lists::placed(&anchor, |id| {
            let customer = read.customer(call.account.space, &CustomerId(id.to_owned()))?;
            match customer.filter(|customer| customer.deleted.is_none()) {
                Some(customer) => Ok(place(&customer)),
                None => Err(Halt::from(Refusal::no_such("customer", id, lists::anchor_param(&anchor)))),
            }
        })?;
        let page = CustomerPage { created, email: email.clone(), cursor, limit };
        let page = customers::list(read, &call.account, &page)?;
        let page = Shown::page(read, &call.account, page, &expansions, call.now)?;
        let item = |shown: &Shown| expand::customer(shown, &call.account, &call.version, &expansions);
        Ok(Answer::of(lists::envelope(&page, "/v1/customers".to_owned(), item)))
    }))
}

/// What a search asks for.
#[derive(Default)]
pub struct Search {
    paging: Paging,
    query: String,
    page: Option<String>,
}

impl Paged for Search {
    fn paging(&mut self) -> &mut Paging {
        &mut self.paging
    }
}

/// The parameters of `GET /v1/customers/search`.
pub const SEARCH: &[Param<Search>] = &[
    lists::expand(),
    lists::limit(),
    row("page", Kind::Value(&TEXT, |search, value| search.page = Some(value.text()))),
    Param { required: true, ..row("query", Kind::Value(&TEXT, |search, value| search.query = value.text())) },
];

/// Counting stops here, as the documents say of `total_count`.
const MAX_COUNT: usize = 10_000;

/// `GET /v1/customers/search`
pub fn search(call: &Arc<Call>) -> Result<Plan, Refusal> {
    if !call.version.every_generation && !call.version.since("2020-08-27") {
        return Err(Refusal::search("Search is not available in API versions before 2020-08-27.".to_owned()));
    }
    let Search { paging, query: text, page } = params::read(SEARCH, &call.given, &call.version)?;
    let query = search::parse(&text).map_err(|error| Refusal::search(error.to_string()))?;
    let (expansions, counted) = Expansions::of_list(&paging.expand, expand::CUSTOMER, true, &call.version)?;
    discounts::require_sight(call, &expansions)?;
    let of = query_digest(&text);
    let after = page.map(|page| opened(&page, &of).ok_or_else(|| Refusal::invalid("page", "Invalid page token.")));
    let after = after.transpose()?;
    let limit = paging.limit();
    Ok(Plan::scan(ID, move |call, read| {
        let found = customers::search(read, &call.account, &query, after.as_ref(), limit)?;
        let found = Shown::page(read, &call.account, found, &expansions, call.now)?;
        let item = |shown: &Shown| expand::customer(shown, &call.account, &call.version, &expansions);
        let Page { items, has_more } = &found;
        let next = items.last().filter(|_| *has_more).map(|last| sealed(&place(&last.customer), &of));
        let data: Vec<Json> = items.iter().map(item).collect();
        let mut result = Object::new()
            .and("object", "search_result")
            .and("data", data)
            .and("has_more", *has_more)
            .and("next_page", next);
        if counted {
            let count = read.count(call.account.space, &query, MAX_COUNT)?;
            result.add("total_count", i64::try_from(count).unwrap_or(i64::MAX));
        }
        Ok(Answer::of(result.and("url", "/v1/customers/search").into()))
    }))
}

fn place(customer: &Customer) -> Place {
    Place { created: customer.created, id: customer.id.0.clone() }
}

/// A place as the token of the next page of one query.
fn sealed(place: &Place, of: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("{of}.{}.{}", place.created.0, place.id))
}

fn opened(token: &str, of: &str) -> Option<Place> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(token).ok()?).ok()?;
    let (known, place) = text.split_once('.')?;
    let (created, id) = place.split_once('.')?;
    (known == of).then_some(Place { created: Time(created.parse().ok()?), id: id.to_owned() })
}

/// Tells one query from another in tokens.
fn query_digest(query: &str) -> String {
    URL_SAFE_NO_PAD.encode(&Sha256::digest(query)[..6])
}

#[cfg(test)]
mod tests {
    use super::{CREATE, UPDATE};

    #[test]
    fn rows_are_in_the_order_of_their_names() {
        for table in [CREATE, UPDATE] {
            assert!(table.is_sorted_by_key(|param| param.name));
        }
    }
}
