#![doc = "Cusp: a customer-record server that speaks the billing APIs programs already use."]

pub mod clock;
pub mod dialects;
pub mod domain;
pub mod engine;
pub mod http;
pub mod ids;
pub mod settings;
pub mod store;
