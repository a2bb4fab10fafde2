//! What every dialect shares of HTTP.

pub mod form;
