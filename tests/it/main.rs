//! Everything that is tested from outside, in one program.

mod cases;
mod client;
mod cluster;
mod concurrency;
mod connection;
mod copy;
mod coverage;
mod crash;
mod database;
mod database_hosts;
mod database_tls;
mod faults;
mod harness;
mod hostile;
mod http;
mod interloper;
mod json;
mod model;
mod postgres;
mod program;
mod program_server;
mod sdk;
mod serve;
mod smoke;
mod tidy;
mod transcript;
