//! Keeps everything in a PostgreSQL database.

#![allow(dead_code)]

#[doc(hidden)]
pub mod connect;
mod tls;
mod trouble;
mod url;

pub use url::{examine, place};
