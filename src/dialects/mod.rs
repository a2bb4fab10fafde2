//! The languages that the server speaks. None of them knows another.

pub mod cusp;
pub mod flexportal;
pub mod jani;
pub mod stripe;
