//! Keeps everything in a PostgreSQL database.

#![allow(dead_code)]

mod connect;
mod tls;
mod trouble;
mod url;

pub use url::{examine, place};
