//! Facts and rules: what a customer is and how it may change. No serde, no async, no I/O, no other module of ours.

pub mod account;
pub mod address;
pub mod api_key;
pub mod balance;
pub mod bank_account;
pub mod card;
pub mod coupon;
pub mod customer;
pub mod discount;
pub mod event;
pub mod facts;
pub mod holding;
pub mod ids;
pub mod instrument;
pub mod metadata;
pub mod money;
pub mod object;
pub mod page;
pub mod patch;
pub mod payment_method;
pub mod problem;
pub mod promotion_code;
pub mod query;
pub mod tax;
pub mod term;
pub mod time;
mod words;
