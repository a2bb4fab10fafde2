//! Facts and rules: what a customer is and how it may change. No serde, no async, no I/O, no other module of ours.

pub mod account;
pub mod address;
pub mod api_key;
pub mod balance;
pub mod cash;
pub mod coupon;
pub mod customer;
pub mod event;
pub mod facts;
pub mod ids;
pub mod metadata;
pub mod money;
pub mod object;
pub mod page;
pub mod patch;
pub mod problem;
pub mod promotion_code;
pub mod query;
pub mod tax;
pub mod term;
pub mod time;
