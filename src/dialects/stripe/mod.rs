//! The Stripe dialect.

pub mod search;
