//! Webhooks: what is sent to receivers, how it is signed, where it may go, and when it is tried again. Which deliveries
//! there are is for the store to know.

pub mod chaos;
pub mod courier;
pub mod guard;
mod lanes;
pub mod pool;
pub mod schedule;
pub mod send;
pub mod shift;
mod trust;

pub use crate::signature as sign;
