//! `expand[]`: what can be filled in, and how deep.

use super::discounts::Shown;
use super::failure::Refusal;
use super::lists::DEFAULT_LIMIT;
use super::versions::{self, Version};
use super::{Call, cash_balance, customer_object, instruments, tax_ids};
use crate::domain::account::Account;
use crate::domain::api_key::{Access, Resource};
use crate::domain::customer::Customer;
use crate::domain::instrument::Instrument;
use crate::domain::tax_id::TaxId;
use crate::http::form::Node;
use crate::http::json::{Json, Object};

/// The most levels of one path.
pub const MAX_DEPTH: usize = 4;

/// What can be expanded on one kind of object.
pub type Expandable = &'static [Way];

/// The first segment of a path that can be expanded.
pub struct Way {
    name: &'static str,
    /// The date on which it came; empty when it was always there.
    added: &'static str,
    /// The date on which it went; empty when it is still there.
    removed: &'static str,
}

const fn always(name: &'static str) -> Way {
    Way { name, added: "", removed: "" }
}

const fn since(name: &'static str, added: &'static str) -> Way {
    Way { name, added, removed: "" }
}

/// On a customer. Those that are inline already, or have nothing in them, are accepted and change nothing.
pub const CUSTOMER: Expandable = &[
    always("address"),
    since("cash_balance", "2022-05-01"),
    always("default_source"),
    always("discount"),
    since("invoice_credit_balance", "2022-07-01"),
    always("invoice_settings"),
    always("shipping"),
    always("sources"),
    always("subscriptions"),
    since("tax", "2021-06-01"),
    since("tax_ids", "2019-05-01"),
    since("test_clock", "2021-10-01"),
];
/// On a balance transaction.
pub const BALANCE_TRANSACTION: Expandable =
    &[always("checkout_session"), always("credit_note"), always("customer"), always("invoice")];
/// On a coupon. It applies to everything and has one currency, so that nothing is filled in.
pub const COUPON: Expandable = &[always("applies_to"), since("currency_options", "2022-08-01")];
/// On a promotion code. The restrictions are inline, and so was the coupon.
pub const PROMOTION_CODE: Expandable = &[
    Way { removed: "2025-09-30", ..always("coupon") },
    always("customer"),
    since("promotion", "2025-09-30"),
    always("restrictions"),
];
/// On a discount. The coupon was inline, until it became a part of the source.
pub const DISCOUNT: Expandable = &[
    Way { removed: "2025-09-30", ..always("coupon") },
    always("customer"),
    since("promotion_code", "2020-08-27"),
    since("source", "2025-09-30"),
];
/// On a cash balance, where everything is inline.
pub const CASH_BALANCE: Expandable = &[always("settings")];
/// On a cash transaction. Only the customer is not inline; of the others there is the one that says what happened.
pub const CASH_TRANSACTION: Expandable = &[
    always("adjusted_for_overdraft"),
    always("applied_to_payment"),
    always("customer"),
    always("funded"),
    always("refunded_from_payment"),
    always("transferred_to_balance"),
    always("unapplied_from_payment"),
];
/// On funding instructions, where everything is inline.
pub const FUNDING_INSTRUCTIONS: Expandable = &[always("bank_transfer")];
/// On a customer's source.
pub const SOURCE: Expandable = &[always("customer")];
/// On a source of the Sources API, which shows all of it: docs.stripe.com/api/sources/object.
pub const SOURCE_OBJECT: Expandable =
    &[always("code_verification"), always("owner"), always("receiver"), always("redirect"), always("source_order")];
/// On a payment method.
pub const PAYMENT_METHOD: Expandable =
    &[always("billing_details"), always("card"), always("customer"), always("us_bank_account")];
/// On a setup intent. Mandates, applications and other accounts than one's own it has none.
pub const SETUP_INTENT: Expandable = &[
    always("application"),
    since("automatic_payment_methods", "2022-11-15"),
    always("customer"),
    always("last_setup_error"),
    always("latest_attempt"),
    always("mandate"),
    always("next_action"),
    always("on_behalf_of"),
    always("payment_method"),
    always("payment_method_options"),
    always("single_use_mandate"),
];
/// On an attempt of a setup intent.
pub const SETUP_ATTEMPT: Expandable = &[
    always("application"),
    always("customer"),
    always("on_behalf_of"),
    always("payment_method"),
    always("payment_method_details"),
    always("setup_error"),
    always("setup_intent"),
];
/// On a token. All of it is inline.
pub const TOKEN: Expandable = &[always("bank_account"), always("card")];
/// On a tax id. What is known of it is inline.
pub const TAX_ID: Expandable = &[always("customer"), since("owner", "2024-02-22"), always("verification")];
/// On what has nothing to expand.
pub const NOTHING: Expandable = &[];

/// The paths of a request, checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expansions(Vec<Vec<String>>);

impl Expansions {
    /// The paths for one object.
    pub fn of_object(paths: &[String], expandable: Expandable, version: &Version) -> Result<Expansions, Refusal> {
        let check = |path: &String| checked(path, path, expandable, version);
        paths.iter().map(check).collect::<Result<_, _>>().map(Expansions)
    }

    /// The paths for the objects of a list: each begins with `data.`. `countable` lists take `total_count` too.
    pub fn of_list(
        paths: &[String],
        expandable: Expandable,
        countable: bool,
        version: &Version,
    ) -> Result<(Expansions, bool), Refusal> {
        let mut expansions = Vec::new();
        let mut counted = false;
        for path in paths {
            if path == "total_count" {
                if !countable {
                    return Err(Refusal::cannot_include(path));
                }
                counted = true;
                continue;
            }
            match path.strip_prefix("data.") {
                Some(rest) => expansions.push(checked(path, rest, expandable, version)?),
                None => {
                    checked(path, path, expandable, version)?;
                    return Err(Refusal::expand_on_list(path));
                }
            }
        }
        Ok((Expansions(expansions), counted))
    }

    /// Whether the first segment of a path is that.
    pub fn has(&self, segment: &str) -> bool {
        self.0.iter().any(|path| path[0] == segment)
    }

    /// Whether a path has these segments one after the other, wherever.
    pub fn lead_through(&self, segments: &[&str]) -> bool {
        self.0.iter().any(|path| path.windows(segments.len()).any(|part| part == segments))
    }

    /// The same paths as seen from something that has this at that segment.
    pub fn inside(&self, segment: &str) -> Expansions {
        let inside = |path: &Vec<String>| std::iter::once(segment.to_owned()).chain(path.iter().cloned()).collect();
        Expansions(self.0.iter().map(inside).collect())
    }

    /// What follows that segment.
    pub fn below(&self, segment: &str) -> Expansions {
        let below = self.0.iter().filter(|path| path[0] == segment && path.len() > 1);
        Expansions(below.map(|path| path[1..].to_vec()).collect())
    }
}

fn checked(whole: &str, path: &str, expandable: Expandable, version: &Version) -> Result<Vec<String>, Refusal> {
    let segments: Vec<String> = path.split('.').map(str::to_owned).collect();
    // Later segments are not looked at by Stripe either.
    // What went is not shown in any version from then on, so no request from then on can mean it.
    let leads = |way: &Way| version.has(way.added, "") && (way.removed.is_empty() || !version.since(way.removed));
    if !expandable.iter().any(|way| way.name == segments[0] && leads(way)) {
        return Err(Refusal::cannot_expand(whole));
    }
    if segments.len() > MAX_DEPTH {
        return Err(Refusal::expansion_depth(whole));
    }
    Ok(segments)
}

/// A key has to be allowed to read what is filled in, wherever the path leads to it:
/// docs.stripe.com/stripe-apps/reference/permissions. What older versions show unasked is a part of the customer.
pub fn require_sight(call: &Call) -> Result<(), Refusal> {
    let paths = call.given.get("expand").and_then(Node::as_list).unwrap_or_default();
    let through =
        |path: &Node, segment: &str| matches!(path, Node::Text(path) if path.split('.').any(|it| it == segment));
    // Sources come with their customer, as they do under its path.
    let parts = [("tax_ids", Resource::TaxId), ("default_payment_method", Resource::PaymentMethod)];
    let mut filled = parts.into_iter().filter(|(part, _)| paths.iter().any(|path| through(path, part)));
    filled.try_for_each(|(_, resource)| call.require(resource, Access::Read))
}

/// A customer as the caller's version shows it, with what it wants filled in.
pub fn customer(shown: &Shown, account: &Account, version: &Version, expansions: &Expansions) -> Json {
    let customer = &shown.customer;
    if customer.deleted.is_some() {
        return customer_object::deleted(customer).into();
    }
    let mut object =
        customer_object::object(customer, account, shown.discount(account, version, &expansions.below("discount")));
    versions::down(&mut object, versions::CUSTOMER, &(), version);
    let below = |name: &str| expansions.below(name);
    let counted = versions::tells_lists(version);
    let shows = |name: &str| counted || expansions.has(name);
    if shows("sources") {
        let within = below("sources").below("data");
        let item = |one: &Instrument| source(one, shown, account, version, &within);
        object.add("sources", list(customer, "sources", customer.sources(), item, counted));
    }
    if shows("subscriptions") {
        // This server keeps none.
        let none = std::iter::empty::<Json>();
        object.add("subscriptions", list(customer, "subscriptions", none, |it| it, counted));
    }
    if shows("tax_ids") {
        let within = below("tax_ids").below("data");
        let item = |one: &TaxId| tax_ids::filled(one, shown, account, version, &within).into();
        object.add("tax_ids", list(customer, "tax_ids", customer.tax_ids_newest_first(), item, counted));
    }
    if let Some(default) = default_source(customer).filter(|_| expansions.has("default_source")) {
        object.set("default_source", source(default, shown, account, version, &below("default_source")));
    }
    let in_settings = below("invoice_settings");
    if let Some(default) = default_payment_method(customer).filter(|_| in_settings.has("default_payment_method"))
        && let Some(settings) = object.get_mut("invoice_settings").and_then(Json::as_object_mut)
    {
        let inside = in_settings.below("default_payment_method");
        settings.set("default_payment_method", payment_method(default, Some(shown), account, version, &inside));
    }
    if expansions.has("cash_balance") {
        object.add("cash_balance", cash_balance::object(customer, account, version));
    }
    if expansions.has("invoice_credit_balance") {
        object.add("invoice_credit_balance", customer_object::invoice_credit_balance(customer));
    }
    if expansions.has("tax") {
        object.add("tax", customer_object::tax(customer, version));
    }
    object.sort_from(2);
    object.into()
}

/// A customer's source as the caller's version shows it, with what it wants filled in.
pub fn source(
    source: &Instrument,
    holder: &Shown,
    account: &Account,
    version: &Version,
    expansions: &Expansions,
) -> Json {
    let object = instruments::source(source, Some(&holder.customer.id), account, version);
    match source {
        // Whose it is stays an id: docs.stripe.com/api/sources/object.
        Instrument::Source(_) => held(object, holder, account, version, &Expansions::default()),
        Instrument::Card(_) | Instrument::BankAccount(_) | Instrument::PaymentMethod(_) => {
            held(object, holder, account, version, expansions)
        }
    }
}

/// A customer's payment method as the caller's version shows it, with what it wants filled in.
pub fn payment_method(
    method: &Instrument,
    holder: Option<&Shown>,
    account: &Account,
    version: &Version,
    expansions: &Expansions,
) -> Json {
    let object = instruments::payment_method(method, holder.map(|holder| &holder.customer.id), account, version);
    match holder {
        Some(holder) => held(object, holder, account, version, expansions),
        None => object.into(),
    }
}

fn held(object: Option<Object>, holder: &Shown, account: &Account, version: &Version, expansions: &Expansions) -> Json {
    let mut object = object.expect("an instrument is shown only as what it is");
    if expansions.has("customer") {
        // What is filled in is the customer as it is found through what it holds: it is filled in no further.
        let whole = customer(holder, account, version, &expansions.below("customer"));
        object.set("customer", whole);
    }
    object.into()
}

fn default_source(customer: &Customer) -> Option<&Instrument> {
    customer.default_source.as_ref().and_then(|id| customer.instrument(id.as_str()))
}

fn default_payment_method(customer: &Customer) -> Option<&Instrument> {
    customer.invoice_settings.default_payment_method.as_ref().and_then(|id| customer.instrument(id.as_str()))
}

/// A list of what a customer has, given newest first: its first page, of the length that a page has unasked.
fn list<T>(
    customer: &Customer,
    name: &str,
    newest_first: impl Iterator<Item = T>,
    item: impl FnMut(T) -> Json,
    counted: bool,
) -> Object {
    let all: Vec<T> = newest_first.collect();
    let count = all.len();
    let data: Vec<Json> = all.into_iter().take(DEFAULT_LIMIT).map(item).collect();
    let mut list = Object::new().and("object", "list").and("data", data).and("has_more", count > DEFAULT_LIMIT);
    if counted {
        list.add("total_count", i64::try_from(count).unwrap_or(i64::MAX));
    }
    list.and("url", format!("/v1/customers/{}/{name}", customer.id))
}
