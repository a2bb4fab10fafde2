//! `cusp backup` and `cusp restore`: the data into one file, and one file into a data folder.

use std::path::Path;

use super::terminal::Terminal;
use super::{Trouble, books};
use crate::secrets_file;

/// Copies the data of `folder` into the new file `to`.
pub fn backup(folder: &Path, to: &Path, terminal: &Terminal) -> Result<(), Trouble> {
    if to.exists() {
        return Err(Trouble::Refused(format!("{} exists already; a backup never writes over anything", to.display())));
    }
    let mut shown = None;
    let outcome = books::backup(folder.into(), to, &mut |done, all| {
        let percent = done * 100 / all.max(1);
        if shown.replace(percent) != Some(percent) {
            terminal.progress(&format!("{percent:>3} % of {} copied", folder.display()));
        }
    });
    terminal.progress_ends();
    outcome?;
    let key = secrets_file::beside(folder);
    if key.exists() {
        // Whoever has both can sign webhooks: they are not to be stolen together.
        terminal.note(&format!("the key of webhook secrets is not in it: keep a copy of {} as well", key.display()));
    }
    terminal.say(&format!("backed up {} to {}", folder.display(), to.display()))
}

/// Makes the data folder `folder` from the backup `from`.
pub fn restore(from: &Path, folder: &Path, terminal: &Terminal) -> Result<(), Trouble> {
    books::restore(from, folder)?;
    let key = secrets_file::beside(folder);
    if !key.exists() {
        terminal.note(&format!(
            "before you start a server on it, put the key of webhook secrets there as {}: without it a server makes a new \
             one, and receivers believe nothing that it sends",
            key.display()
        ));
    }
    terminal.say(&format!("restored {} from {}", folder.display(), from.display()))
}
