//! Every integration test, in one binary.

mod client;
mod crash;
mod hostile;
mod program_server;
mod sdk;
