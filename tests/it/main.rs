//! Everything that is tested from outside, in one program.

mod cases;
mod client;
mod concurrency;
mod coverage;
mod faults;
mod harness;
mod http;
mod json;
mod model;
mod program;
mod serve;
mod smoke;
mod tidy;
mod transcript;
