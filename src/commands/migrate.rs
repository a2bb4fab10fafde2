//! `cusp migrate`: a database's tables as this version works with them, spread over a cluster if asked.

use super::terminal::Terminal;
use super::{Trouble, books};
use crate::config::StoreOptions;
use crate::store::postgres::Migrated;

/// Migrates, and tells what was done.
pub fn run(options: StoreOptions, distribute: bool, terminal: &Terminal) -> Result<(), Trouble> {
    let Migrated { from, to, spread } = books::migrate(options, distribute)?;
    match from {
        0 => terminal.say(&format!("made the tables, schema {to}"))?,
        from if from == to => terminal.say(&format!("the tables have schema {to} already"))?,
        from => terminal.say(&format!("brought the tables from schema {from} to {to}"))?,
    }
    match (distribute, spread.as_slice()) {
        (false, _) => Ok(()),
        (true, []) => terminal.say("the tables are spread already"),
        (true, spread) => terminal.say(&format!("spread {}", spread.join(", "))),
    }
}
