//! Events in FlexPortal's words: `{"event", "timestamp", "data"}`, FlexPortal's page on webhooks. Where it names no type, the
//! words are our own.

use super::catalogue_shapes::{product_object, variant_object};
use super::{Shown, assets, orders, time};
use crate::domain::account::Account;
use crate::domain::event::{Event, EventKind, Happening, Subject};
use crate::domain::facts::Facts;
use crate::feed::RenderEvent;
use crate::http::json::{Json, Object};

/// Events for others to pass on, in FlexPortal's words.
pub struct Teller;

impl RenderEvent for Teller {
    fn tells(&self, kind: EventKind) -> bool {
        matches!(kind, EventKind::Change(Subject::Order | Subject::Product | Subject::Variant | Subject::Asset, _))
    }

    fn knows(&self, _: &str) -> bool {
        false
    }

    fn render(&self, event: &Event, account: &Account, _: Option<&str>, _: usize) -> Vec<u8> {
        let shown = Shown::at(account, event.created);
        let data: Json = match &event.what {
            Happening::Object { change, .. } => match change.state() {
                Facts::Order(order) => orders::object(order, &shown).into(),
                // Without its variants, which are told of by themselves.
                Facts::Product(product) => product_object(product, None, &shown).into(),
                Facts::Variant(variant) => variant_object(variant, &shown).into(),
                Facts::Asset(asset) => assets::object(asset, &shown).into(),
                _ => Json::Null,
            },
            _ => Json::Null,
        };
        let told = Object::new()
            .and("id", event.id.0.clone())
            .and("event", event.what.kind().as_str())
            .and("timestamp", time(event.created))
            .and("tenantId", shown.tenant)
            .and("data", data);
        Json::from(told).to_bytes()
    }
}
