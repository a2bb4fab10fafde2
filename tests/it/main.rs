//! Everything that is tested from outside, in one program.

mod cases;
mod coverage;
mod harness;
mod http;
mod json;
mod model;
mod program;
mod smoke;
mod tidy;
mod transcript;
