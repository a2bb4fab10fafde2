//! Events in FlexPortal's words: `{"event", "timestamp", "data"}`, FlexPortal's page on webhooks. Where it names no type, the
//! words are our own.

use super::catalogue_shapes::{product_object, variant_object};
use super::{Shown, assets, billing_groups, orders, payments, subscription_shapes, time};
use crate::domain::account::Account;
use crate::domain::asset::AssetStatus;
use crate::domain::event::{Event, EventKind, Happening, ObjectChange, Subject};
use crate::domain::facts::Facts;
use crate::domain::order::OrderStatus;
use crate::domain::rental::RentalStatus;
use crate::domain::rental_payment::PaymentStatus;
use crate::feed::RenderEvent;
use crate::http::json::{Json, Object};

/// Events for others to pass on, in FlexPortal's words.
pub struct Teller;

impl RenderEvent for Teller {
    fn tells(&self, kind: EventKind) -> bool {
        matches!(
            kind,
            EventKind::Change(
                Subject::Order
                    | Subject::Product
                    | Subject::Variant
                    | Subject::Asset
                    | Subject::Rental
                    | Subject::RentalPayment
                    | Subject::BillingGroup,
                _
            )
        )
    }

    fn knows(&self, _: &str) -> bool {
        false
    }

    fn render(&self, event: &Event, account: &Account, _: Option<&str>, _: usize) -> Vec<u8> {
        let shown = Shown::at(account, event.created);
        let (name, data) = match &event.what {
            Happening::Object { change, .. } => (name(change), data(change.state(), &shown)),
            _ => (None, Json::Null),
        };
        let told = Object::new()
            .and("id", event.id.0.clone())
            .and("event", name.unwrap_or(event.what.kind().as_str()))
            .and("timestamp", time(event.created))
            .and("tenantId", shown.tenant)
            .and("data", data);
        Json::from(told).to_bytes()
    }
}

/// What an event is called where FlexPortal's page on webhooks has a name for it.
fn name(change: &ObjectChange) -> Option<&'static str> {
    match change {
        ObjectChange::Created(Facts::Rental(_)) => Some("subscription.created"),
        ObjectChange::Created(Facts::RentalPayment(_)) => Some("payment.scheduled"),
        ObjectChange::Updated { before: Facts::Rental(before), after: Facts::Rental(after) } => {
            Some(match after.status() {
                RentalStatus::Active if after.extensions.len() > before.extensions.len() => "subscription.extended",
                RentalStatus::Upgrade if before.is_active() => "subscription.upgraded",
                _ if before.is_active() && !after.is_active() => "subscription.ended",
                _ => "subscription.updated",
            })
        }
        ObjectChange::Updated { before: Facts::RentalPayment(before), after: Facts::RentalPayment(after) } => {
            Some(match after.status {
                status if status == before.status => "payment.updated",
                PaymentStatus::Paid => "payment.succeeded",
                PaymentStatus::Failed => "payment.failed",
                PaymentStatus::Cancelled => "payment.cancelled",
                PaymentStatus::Pending | PaymentStatus::Processing => "payment.updated",
            })
        }
        ObjectChange::Updated { before: Facts::Order(before), after: Facts::Order(after) } => {
            let is_done = after.status == OrderStatus::Fulfilled && before.status != after.status;
            is_done.then_some("order.fulfilled")
        }
        ObjectChange::Updated { before: Facts::Asset(before), after: Facts::Asset(after) } => {
            match (before.status, after.status) {
                (AssetStatus::RentedOut, AssetStatus::Returned) => Some("asset.returned"),
                (was, AssetStatus::RentedOut) if was != AssetStatus::RentedOut => Some("asset.assigned"),
                _ => None,
            }
        }
        ObjectChange::Created(_) | ObjectChange::Updated { .. } | ObjectChange::Deleted(_) => None,
    }
}

fn data(facts: &Facts, shown: &Shown) -> Json {
    match facts {
        Facts::Order(order) => orders::object(order, shown).into(),
        // Without its variants, which are told of by themselves.
        Facts::Product(product) => product_object(product, None, shown).into(),
        Facts::Variant(variant) => variant_object(variant, shown).into(),
        Facts::Asset(asset) => assets::object(asset, shown).into(),
        Facts::Rental(rental) => subscription_shapes::object(rental, shown).into(),
        Facts::RentalPayment(payment) => payments::object(payment, shown).into(),
        Facts::BillingGroup(group) => billing_groups::object(group, shown).into(),
        _ => Json::Null,
    }
}
