#![doc = "Cusp: a customer-record server that speaks the billing APIs programs already use."]

pub mod admin;
pub mod app;
pub mod certificates;
pub mod clock;
pub mod commands;
pub mod config;
pub mod dialects;
pub mod domain;
pub mod engine;
pub mod failures;
pub mod feed;
pub mod http;
pub mod identity;
pub mod ids;
pub mod listeners;
pub mod processor;
pub mod rest;
pub mod rfc3339;
pub mod secrets_file;
pub mod secrets_key;
pub mod settings;
pub mod signature;
pub mod start;
pub mod store;
pub mod targets;
pub mod telemetry;
pub mod webhooks;

pub use start::{Running, StartError, World, start};
