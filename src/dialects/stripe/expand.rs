//! `expand[]`: what can be filled in, and how deep.

use super::failure::Refusal;
use super::lists::DEFAULT_LIMIT;
use super::versions::{self, Version};
use super::{Call, customer_object, tax_ids};
use crate::domain::account::Account;
use crate::domain::api_key::{Access, Resource};
use crate::domain::customer::Customer;
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

/// A key has to be allowed to read what a customer is filled in with: docs.stripe.com/stripe-apps/reference/permissions.
/// What older versions show unasked is a part of the customer.
pub fn require_sight_of_customer(call: &Call, expansions: &Expansions) -> Result<(), Refusal> {
    if expansions.has("tax_ids") { call.require(Resource::TaxId, Access::Read) } else { Ok(()) }
}

/// A customer as the caller's version shows it, with what it wants filled in.
pub fn customer(customer: &Customer, account: &Account, version: &Version, expansions: &Expansions) -> Json {
    if customer.deleted.is_some() {
        return customer_object::deleted(customer).into();
    }
    let mut object = customer_object::object(customer, account);
    versions::down(&mut object, versions::CUSTOMER, &(), version);
    let unasked = versions::tells_lists(version);
    for name in ["sources", "subscriptions"] {
        if unasked || expansions.has(name) {
            object.add(name, list(customer, name, Vec::new(), unasked));
        }
    }
    if unasked || expansions.has("tax_ids") {
        let within = expansions.below("tax_ids").below("data");
        let newest = customer.tax_ids_newest_first();
        let data = newest.map(|tax_id| tax_ids::filled(tax_id, customer, account, version, &within).into()).collect();
        object.add("tax_ids", list(customer, "tax_ids", data, unasked));
    }
    if expansions.has("cash_balance") {
        object.add("cash_balance", customer_object::cash_balance(customer, account));
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

/// A list of what a customer has, newest first: the first page of it, of the length that a page has unasked. What is not
/// kept here is an empty list.
fn list(customer: &Customer, name: &str, mut data: Vec<Json>, counted: bool) -> Object {
    let count = data.len();
    data.truncate(DEFAULT_LIMIT);
    let mut list = Object::new().and("object", "list").and("data", data).and("has_more", count > DEFAULT_LIMIT);
    if counted {
        list.add("total_count", i64::try_from(count).unwrap_or(i64::MAX));
    }
    list.and("url", format!("/v1/customers/{}/{name}", customer.id))
}
