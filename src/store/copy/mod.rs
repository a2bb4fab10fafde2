//! Copies everything from one store into another, of whatever kind each is, and compares the two afterwards. A copy that
//! was interrupted goes on where it was: the target holds a mark of how far it is, moved with each page of rows.

mod compare;
#[cfg(test)]
mod tests;

use super::rows::{Column, Mark, Reached, Row, Rows, TABLES, Table, Target, Walk, require_whole};
use super::{Failure, Kept};
use crate::domain::account::Space;
use compare::compare;

/// The most differences that are told in full; further ones are only counted.
pub const MAX_DIFFERENCES: usize = 100;

const DOING: &str = "copying";

/// How a copy is to be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wish {
    /// Remove what the target holds.
    pub replace: bool,
    /// A number that no other copy uses at this time, 2 or more: by it, a database that has two names is recognized.
    pub number: i64,
}

/// How far a copy is, in rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Rows are being copied.
    Copying {
        /// Those that are copied, by earlier runs too.
        done: u64,
        /// All that the source had when this run began.
        all: u64,
    },
    /// Source and target are being compared.
    Comparing {
        /// Those of the source that were read.
        done: u64,
        /// All that the source had when this run began.
        all: u64,
    },
}

/// What a copy came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Copied {
    /// Rows of the source.
    pub rows: u64,
    /// Accounts that have rows, each mode for itself.
    pub accounts: u64,
    /// The first [`MAX_DIFFERENCES`] differences between source and target. With one, the copy is not finished.
    pub differences: Vec<String>,
    /// How many differences there are in all.
    pub difference_count: u64,
}

/// Copies, or goes on copying; `tell` hears of each page of rows.
pub fn copy(from: &mut dyn Rows, to: &mut dyn Target, wish: Wish, tell: &mut dyn FnMut(Progress)) -> Kept<Copied> {
    let mut mark = begin(from, to, wish)?;
    let spaces = from.accounts()?;
    let mut all = 0;
    for (space, table) in every_part(&spaces) {
        all += from.count(table, space)?;
    }
    tell(Progress::Copying { done: mark.copied, all });
    carry(from, to, &spaces, &mut mark, &mut |done| tell(Progress::Copying { done, all }))?;
    let copied = compare(from, to, &mut |done| tell(Progress::Comparing { done, all }))?;
    if copied.difference_count == 0 {
        to.finish(&spaces)?;
    } else {
        // Whatever it is, going on would not mend it.
        to.begin(&Mark { copied: 0, reached: None, ..mark })?;
    }
    Ok(copied)
}

/// Each table of each account, in the order of a copy.
fn every_part(spaces: &[Space]) -> impl Iterator<Item = (Space, &'static Table)> {
    spaces.iter().flat_map(|space| TABLES.iter().map(|table| (*space, table)))
}

/// Refuses what must not be, and gives the mark to go on from.
fn begin(from: &mut dyn Rows, to: &mut dyn Target, wish: Wish) -> Kept<Mark> {
    if from.place() == to.place() {
        return Err(onto_itself(from));
    }
    let unfinished = from.mark()?;
    require_whole(from.place(), unfinished.as_ref())?;
    let target = to.place().to_owned();
    let mark = match to.mark()? {
        Some(mark) if mark.source == from.place() && mark.schema == from.schema() => mark,
        Some(mark) if !wish.replace => {
            let (what, how) = match mark.source == from.place() {
                true => ("that another version of cusp began".to_owned(), "that version"),
                false => (format!("of {}", mark.source), "the command that began it"),
            };
            let cause = format!(
                "{target} holds an unfinished copy {what}: finish it with {how}, or give --replace-everything to remove it \
                 and start over"
            );
            return Err(Failure::broken(DOING, cause));
        }
        None if !wish.replace && !to.accounts()?.is_empty() => {
            let cause = format!(
                "{target} holds records already: --replace-everything removes all of them and puts the copy in their place"
            );
            return Err(Failure::broken(DOING, cause));
        }
        Some(_) | None => {
            to.knock(wish.number)?;
            let heard = from.hears(wish.number);
            to.hush(wish.number)?;
            if heard? {
                return Err(onto_itself(from));
            }
            let mark = Mark { source: from.place().to_owned(), schema: from.schema(), copied: 0, reached: None };
            to.begin(&mark)?;
            mark
        }
    };
    if mark.reached.is_none() {
        to.empty()?;
    }
    Ok(mark)
}

fn onto_itself(from: &dyn Rows) -> Failure {
    Failure::broken(DOING, format!("source and target are both {}", from.place()))
}

/// Copies what is not copied yet, a page at a time.
fn carry(
    from: &mut dyn Rows,
    to: &mut dyn Target,
    spaces: &[Space],
    mark: &mut Mark,
    tell: &mut dyn FnMut(u64),
) -> Kept<()> {
    let mut reached = mark.reached.take();
    for (space, table) in every_part(spaces) {
        let behind = match &reached {
            Some(last) if (last.account, place(&last.table)) > (space.0, place(table.name)) => continue,
            Some(last) if (last.account, &*last.table) == (space.0, table.name) => Some(last.key.clone()),
            Some(_) | None => None,
        };
        reached = None;
        let mut walk = Walk::new(table, space, behind);
        loop {
            let rows = walk.next(from)?;
            let Some(last) = rows.last() else { break };
            require_kinds(table, space, &rows)?;
            mark.copied += rows.len() as u64;
            mark.reached = Some(Reached { account: space.0, table: table.name.to_owned(), key: table.key_of(last) });
            to.add(table, space, &rows, mark)?;
            tell(mark.copied);
        }
    }
    Ok(())
}

/// Where a table comes in a copy.
fn place(name: &str) -> Option<usize> {
    TABLES.iter().position(|table| table.name == name)
}

/// A copy of what is broken would not be one: what is of another kind than its column cannot be kept everywhere.
fn require_kinds(table: &Table, space: Space, rows: &[Row]) -> Kept<()> {
    let mut cells = rows.iter().flat_map(|row| row.iter().zip(table.columns));
    match cells.find(|(cell, column)| cell.kind() != column.kind) {
        None => Ok(()),
        Some((_, Column { name, .. })) => {
            let cause = format!(
                "a row of {} of account {} has no good {name}: `cusp check` on the source tells more",
                table.name, space.0
            );
            Err(Failure::broken(DOING, cause))
        }
    }
}
