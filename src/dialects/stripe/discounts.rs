//! Discounts of customers: docs.stripe.com/api/discounts. And a customer with all that is shown in it, of which a discount
//! takes more than the customer's own record.

use std::sync::Arc;

use super::customers::{RETRIEVE, Retrieve};
use super::expand::{self, Expandable, Expansions};
use super::failure::{Named, Names, Refusal};
use super::params::{self, Param};
use super::versions::{self, Version};
use super::{Answer, Call, Plan, coupons, promotion_codes};
use crate::domain::account::Account;
use crate::domain::api_key::{Access, Resource};
use crate::domain::customer::Customer;
use crate::domain::discount::{Discount, Redeemed, Redemption};
use crate::domain::ids::{CouponId, CustomerId, PromotionCodeId};
use crate::domain::page::Page;
use crate::domain::patch::Patch;
use crate::domain::promotion_code::{Promotion, PromotionCode};
use crate::domain::time::Time;
use crate::engine::{self, promotion_codes as codes};
use crate::http::conditions;
use crate::http::json::{Json, Object};
use crate::store::{Kept, Read};

/// A customer with what is shown in it beside its own facts.
pub struct Shown {
    /// The customer.
    pub customer: Customer,
    /// Its discount, unless that is over.
    redeemed: Option<Redeemed>,
    /// The promotion code of the discount, when it is to be filled in.
    code: Option<PromotionCode>,
    /// The moment at which it is shown.
    now: Time,
}

impl Shown {
    /// The customer as it is at that moment, with what `expansions` fill in.
    pub fn of(
        read: &mut dyn Read,
        account: &Account,
        customer: Customer,
        expansions: &Expansions,
        now: Time,
    ) -> Kept<Shown> {
        if customer.discount_at(now).is_none() {
            return Ok(Shown::bare(customer, now));
        }
        let all = Shown::all(read, account, vec![customer], expansions, now)?;
        Ok(all.into_iter().next().expect("one was asked for"))
    }

    /// The same for the customers of a page.
    pub fn page(
        read: &mut dyn Read,
        account: &Account,
        page: Page<Customer>,
        expansions: &Expansions,
        now: Time,
    ) -> Kept<Page<Shown>> {
        let Page { items, has_more } = page;
        Ok(Page { items: Shown::all(read, account, items, expansions, now)?, has_more })
    }

    /// The holder of something as it is at that moment, with what is filled in below `customer` of that.
    pub fn holder(
        read: &mut dyn Read,
        account: &Account,
        customer: Customer,
        expansions: &Expansions,
        now: Time,
    ) -> Kept<Shown> {
        match expansions.has("customer") {
            true => Shown::of(read, account, customer, &expansions.below("customer"), now),
            // All that is shown of it is its id.
            false => Ok(Shown::bare(customer, now)),
        }
    }

    /// The customer as it was at that moment, with the discount that it had on record.
    pub fn then(customer: &Customer, redeemed: Option<Redeemed>, then: Time) -> Shown {
        Shown { customer: customer.clone(), redeemed, code: None, now: then }
    }

    fn bare(customer: Customer, now: Time) -> Shown {
        Shown { customer, redeemed: None, code: None, now }
    }

    fn all(
        read: &mut dyn Read,
        account: &Account,
        customers: Vec<Customer>,
        expansions: &Expansions,
        now: Time,
    ) -> Kept<Vec<Shown>> {
        // All are asked for before a failure is passed on: a store that fetches for a whole run then does so once.
        let redeemed = engine::discounts::held(read, account, &customers, now);
        let named =
            |customer: &Customer| customer.discount_at(now).and_then(|discount| discount.promotion_code.clone());
        let code = |customer: &Customer| match named(customer).filter(|_| expansions.lead_through(&["promotion_code"]))
        {
            Some(id) => codes::find(read, account, &id),
            None => Ok(None),
        };
        let codes: Vec<Kept<Option<PromotionCode>>> = customers.iter().map(code).collect();
        let codes = codes.into_iter().collect::<Kept<Vec<_>>>();
        let parts = redeemed?.into_iter().zip(codes?);
        let shown = |(customer, (redeemed, code))| Shown { customer, redeemed, code, now };
        Ok(customers.into_iter().zip(parts).map(shown).collect())
    }

    /// The discount in the words of the version, with what is wanted of it filled in.
    pub fn discount(&self, account: &Account, version: &Version, expansions: &Expansions) -> Option<Object> {
        let Shown { customer, redeemed, code, now } = self;
        let redeemed = redeemed.as_ref()?;
        let mut object = object(redeemed, &customer.id, account, version, *now);
        if let Some(slot) = object.get_mut("customer").filter(|_| expansions.has("customer")) {
            *slot = expand::customer(self, account, version, &expansions.below("customer"));
        }
        let source = object.get_mut("source").and_then(Json::as_object_mut);
        if let Some(slot) = source.and_then(|source| source.get_mut("coupon"))
            && expansions.below("source").has("coupon")
        {
            *slot = coupons::object(&redeemed.coupon, account, *now).into();
        }
        if let (Some(slot), Some(code)) = (object.get_mut("promotion_code"), code)
            && expansions.has("promotion_code")
        {
            let promotion = Promotion { code: code.clone(), coupon: redeemed.coupon.clone() };
            let below = expansions.below("promotion_code");
            // Whoever redeemed a code that is for one customer is that customer.
            let bearer = Some(self).filter(|_| code.customer.is_some() && below.has("customer"));
            *slot = promotion_codes::object(&promotion, account, version, *now, &below, bearer);
        }
        Some(object)
    }
}

/// The discount as it is at that moment, nothing filled in: docs.stripe.com/api/discounts/object.
pub fn object(redeemed: &Redeemed, customer: &CustomerId, account: &Account, version: &Version, now: Time) -> Object {
    let Redeemed { discount, coupon } = redeemed;
    let Discount { id, coupon: coupon_id, coupon_serial: _, promotion_code, start, end } = discount;
    let mut object = Object::new()
        .and("id", id.as_str().to_owned())
        .and("object", "discount")
        // Neither checkout sessions nor invoices nor subscriptions are kept here, so none of them has a discount.
        .and("checkout_session", Json::Null)
        .and("customer", customer.as_str().to_owned())
        // Accounts are no customers here.
        .and("customer_account", Json::Null)
        .and("end", end.map(Time::seconds))
        .and("invoice", Json::Null)
        .and("invoice_item", Json::Null)
        .and("promotion_code", promotion_code.as_ref().map(|id| id.as_str().to_owned()))
        .and("source", Object::new().and("coupon", coupon_id.as_str().to_owned()).and("type", "coupon"))
        .and("start", start.seconds())
        .and("subscription", Json::Null)
        .and("subscription_item", Json::Null);
    let whole_coupon = Json::from(coupons::object(coupon, account, now));
    versions::down(&mut object, versions::DISCOUNT, &whole_coupon, version);
    object
}

/// The discount once it is deleted. Its end is not told: `deleted_discount` in the published schema.
fn deleted(redeemed: &Redeemed, customer: &CustomerId, account: &Account, version: &Version, now: Time) -> Object {
    let mut object = object(redeemed, customer, account, version, now);
    object.remove("end");
    object.add("deleted", true);
    // In the versions without an id the alphabet begins earlier.
    let first = if object.get("id").is_some() { 2 } else { 1 };
    object.sort_from(first);
    object
}

/// A key has to be allowed to read what is filled in, wherever a customer with its discount is. The coupon that older
/// versions show unasked is a part of the discount.
pub fn require_sight(call: &Call, expansions: &Expansions) -> Result<(), Refusal> {
    let parts: [(Resource, &[&str]); 5] = [
        (Resource::Customer, &["discount", "customer"]),
        (Resource::Customer, &["discount", "promotion_code", "customer"]),
        (Resource::PromotionCode, &["discount", "promotion_code"]),
        (Resource::Coupon, &["discount", "promotion_code", "promotion", "coupon"]),
        (Resource::Coupon, &["discount", "source", "coupon"]),
    ];
    let mut filled = parts.into_iter().filter(|(_, path)| expansions.lead_through(path));
    filled.try_for_each(|(resource, _)| call.require(resource, Access::Read))
}

/// The expansions of an object that is a customer or in which one can be filled in, as far as the key may see what they
/// fill in of its discount.
pub fn expansions(call: &Call, paths: &[String], expandable: Expandable) -> Result<Expansions, Refusal> {
    let expansions = Expansions::of_object(paths, expandable, &call.version)?;
    require_sight(call, &expansions)?;
    Ok(expansions)
}

/// The same for a list of them.
pub fn expansions_of_list(call: &Call, paths: &[String], expandable: Expandable) -> Result<Expansions, Refusal> {
    let (expansions, _) = Expansions::of_list(paths, expandable, false, &call.version)?;
    require_sight(call, &expansions)?;
    Ok(expansions)
}

/// What a customer is to redeem by these two parameters, and what to name in a refusal.
pub fn redemption(
    coupon: Patch<CouponId>,
    promotion_code: Patch<PromotionCodeId>,
) -> Result<(Patch<Redemption>, Names), Refusal> {
    let named = |param| Names { coupon: Named::by(param), promotion_code: Named::by(param), ..Names::BY_PATH };
    let (redemption, param) = match (coupon, promotion_code) {
        (Patch::Keep, Patch::Keep) => return Ok((Patch::Keep, Names::BY_PATH)),
        (Patch::Set(id), Patch::Keep) => (Patch::Set(Redemption::Coupon(id)), "coupon"),
        (Patch::Clear, Patch::Keep) => (Patch::Clear, "coupon"),
        (Patch::Keep, Patch::Set(id)) => (Patch::Set(Redemption::PromotionCode(id)), "promotion_code"),
        (Patch::Keep, Patch::Clear) => (Patch::Clear, "promotion_code"),
        (Patch::Set(_) | Patch::Clear, Patch::Set(_) | Patch::Clear) => {
            return Err(Refusal::exclusive(&["coupon", "promotion_code"]));
        }
    };
    Ok((redemption, Names { currency: param, ..named(param) }))
}

const NO_PARAMETERS: &[Param<()>] = &[];

/// `GET /v1/customers/{customer}/discount`
pub fn retrieve(call: &Arc<Call>) -> Result<Plan, Refusal> {
    let input: Retrieve = params::read(RETRIEVE, &call.given, &call.version)?;
    let expansions = Expansions::of_object(&input.expand, expand::DISCOUNT, &call.version)?;
    require_sight(call, &expansions.inside("discount"))?;
    let id = CustomerId(call.part(0)?);
    Ok(Plan::look(Names::CUSTOMER_BY_PATH, move |call, read| {
        let customer = engine::discounts::holder(read, &call.account, &id, call.now)?;
        let shown = Shown::of(read, &call.account, customer, &expansions, call.now)?;
        let object = shown.discount(&call.account, &call.version, &expansions);
        Ok(Answer::of(object.map_or(Json::Null, Json::from)))
    }))
}

/// `DELETE /v1/customers/{customer}/discount`
pub fn delete(call: &Arc<Call>) -> Result<Plan, Refusal> {
    params::read(NO_PARAMETERS, &call.given, &call.version)?;
    let id = CustomerId(call.part(0)?);
    let insists = conditions::insists(&call.headers);
    Ok(Plan::write(Names::CUSTOMER_BY_PATH, move |call, tx, ctx| {
        let gone = engine::discounts::delete(tx, ctx, &id, &insists)?;
        Ok(Answer::of(deleted(&gone, &id, &call.account, &call.version, ctx.now).into()))
    }))
}
