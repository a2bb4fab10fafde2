//! Compares two stores: for each table of each account, how many rows each has and a digest over all of them in their
//! order. Nothing is held but a page of rows.

use std::collections::BTreeSet;

use sha2::{Digest, Sha256};

use super::{Copied, MAX_DIFFERENCES, every_part};
use crate::domain::account::Space;
use crate::store::Kept;
use crate::store::record::read_account;
use crate::store::rows::{Cell, Row, Rows, Table, Walk};

/// What rows come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Sum {
    count: u64,
    digest: [u8; 32],
}

/// Compares everything; `tell` hears how many rows of the source were read.
pub(super) fn compare(from: &mut dyn Rows, to: &mut dyn Rows, tell: &mut dyn FnMut(u64)) -> Kept<Copied> {
    let own = from.accounts()?;
    let mut copied = Copied { accounts: own.len() as u64, ..Copied::default() };
    let spaces: Vec<Space> = own.into_iter().chain(to.accounts()?).collect::<BTreeSet<_>>().into_iter().collect();
    for (space, table) in every_part(&spaces) {
        let before = copied.rows;
        let source = sum(from, table, space, &mut |count| tell(before + count))?;
        let target = sum(to, table, space, &mut |_| {})?;
        copied.rows += source.count;
        if source != target {
            copied.difference_count += 1;
            if copied.differences.len() < MAX_DIFFERENCES {
                let name = name(from, space)?;
                copied.differences.push(difference(&name, table, source, target));
            }
        }
    }
    Ok(copied)
}

fn difference(account: &str, table: &Table, source: Sum, target: Sum) -> String {
    let (table, here, there) = (table.name, source.count, target.count);
    if here == there {
        format!("{account}, {table}: {here} rows in the source and in the target, but not the same")
    } else {
        format!("{account}, {table}: {here} rows in the source, {there} in the target")
    }
}

/// What operators call the account.
fn name(rows: &mut dyn Rows, space: Space) -> Kept<String> {
    let accounts = rows.page(Table::named("accounts"), space, None)?;
    let account = accounts.first().and_then(|row| match &row[..] {
        [Cell::Text(body)] => read_account(space, body).ok(),
        _ => None,
    });
    Ok(match account {
        Some(account) => format!("account {} in {} mode ({})", account.id, account.mode.as_str(), space.0),
        None => format!("account {}", space.0),
    })
}

fn sum(rows: &mut dyn Rows, table: &'static Table, space: Space, tell: &mut dyn FnMut(u64)) -> Kept<Sum> {
    let mut walk = Walk::new(table, space, None);
    let (mut count, mut hash) = (0, Sha256::new());
    loop {
        let page = walk.next(rows)?;
        if page.is_empty() {
            return Ok(Sum { count, digest: hash.finalize().into() });
        }
        page.iter().for_each(|row| feed(&mut hash, row));
        count += page.len() as u64;
        tell(count);
    }
}

/// Feeds a row in a form that no other row has: each cell with its kind, and its length where that varies.
fn feed(hash: &mut Sha256, row: &Row) {
    for cell in row {
        match cell {
            Cell::Number(number) => {
                hash.update(b"n");
                hash.update(number.to_be_bytes());
            }
            Cell::Text(text) => sized(hash, b"t", text.as_bytes()),
            Cell::Bytes(bytes) => sized(hash, b"b", bytes),
            Cell::Flag(flag) => hash.update([b'f', u8::from(*flag)]),
        }
    }
}

fn sized(hash: &mut Sha256, kind: &[u8], bytes: &[u8]) {
    hash.update(kind);
    hash.update((bytes.len() as u64).to_be_bytes());
    hash.update(bytes);
}
