//! The APIs that Cusp speaks, one module each.

pub mod stripe;
