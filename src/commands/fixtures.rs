//! `cusp fixtures`: known records into a running server, from a file of objects or from one of requests.

mod script;

use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde_json::Value;

use super::Trouble;
use super::client::{Sent, Server};
use super::terminal::Terminal;
use crate::settings::LOAD_KEY;

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Bring the records of a file into a running server
    ///
    /// The file holds objects as the API shows them, one JSON object after the other or a list of them: customers,
    /// coupons, promotion codes, payment methods, cards, bank accounts and tax ids come in with their own ids, all of
    /// them or none, without events. Or it is a file as for `stripe fixtures`: its requests are sent in their order.
    Load {
        /// The file
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// The key of the sandbox
        #[arg(long, value_name = "KEY", default_value = LOAD_KEY)]
        api_key: String,
        /// Where the server is
        #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:12111")]
        url: String,
    },
}

/// Does what the command says.
pub fn run(command: Command, terminal: &Terminal) -> Result<(), Trouble> {
    let Command::Load { file, api_key, url } = command;
    let server = Server::at(&url, &api_key).map_err(Trouble::Refused)?;
    terminal.say(&load(&server, &file).map_err(Trouble::Refused)?)
}

/// Loads a file and tells what came of it; or why it did not come to it.
pub fn load(server: &Server, file: &Path) -> Result<String, String> {
    let name = file.display();
    let text = std::fs::read(file).map_err(|error| format!("cannot read {name}: {error}"))?;
    let told = match script::of(&text) {
        Some(script) => script.and_then(|script| script.run(server)),
        None => objects(server, &text),
    };
    told.map(|told| format!("{name}: {told}")).map_err(|words| format!("{name}: {words}"))
}

fn objects(server: &Server, text: &[u8]) -> Result<String, String> {
    let body = ("application/x-ndjson", text);
    let reply = server.send(&Sent { method: "POST", path: "/cusp/v1/fixtures", headers: &[], body })?;
    let body: Value = serde_json::from_slice(&reply.body).map_err(|_| "the server's answer is no JSON".to_owned())?;
    if reply.status != 200 {
        let words = body["error"]["message"].as_str();
        return Err(words.unwrap_or("the server refused it").to_owned());
    }
    let count = |name: &str| body[name].as_u64().unwrap_or(0);
    let counted = [
        ("customer", count("customers")),
        ("coupon", count("coupons")),
        ("promotion code", count("promotion_codes")),
        ("payment method held by nobody", count("payment_methods")),
    ];
    let told = counted.into_iter().filter(|(_, count)| *count > 0).map(|(noun, count)| match (noun, count) {
        (_, 1) => format!("1 {noun}"),
        ("payment method held by nobody", count) => format!("{count} payment methods held by nobody"),
        (noun, count) => format!("{count} {noun}s"),
    });
    let told = told.collect::<Vec<_>>().join(", ");
    Ok(if told.is_empty() { "nothing to load".to_owned() } else { format!("loaded {told}") })
}
