//! Accounts as a whole: a job that empties or replaces one goes alone, and what is done is done in the database.

use std::sync::LazyLock;

use super::changes::Changes;
use super::draft::Draft;
use super::listeners;
use crate::domain::account::Space;
use crate::store::Kept;
use crate::store::whole::{copy_sql, held, wipe_sql};

/// What becomes of all that an account holds.
#[derive(Clone, Copy, Debug)]
pub(super) enum Whole {
    /// Nothing of it stays.
    Wiped,
    /// It is what another account holds.
    CopyOf(Space),
}

/// Removes what account $1 holds, table by table.
pub(super) static WIPE: LazyLock<Vec<String>> =
    LazyLock::new(|| held().map(|table| wipe_sql(table, "cusp.", "$1")).collect());

/// Gives account $1 what account $2 holds, table by table.
pub(super) static COPY: LazyLock<Vec<String>> =
    LazyLock::new(|| held().map(|table| copy_sql(table, "cusp.", "$1::bigint", "$2")).collect());

impl Draft<'_> {
    /// Locks accounts that the job is to change as a whole. Its rehearsal has seen to it that it has no neighbours.
    pub(super) fn claim_whole(&mut self, spaces: &[Space]) -> Kept<()> {
        if self.has_company() {
            return self.fail("claiming accounts", "the job has asked for something else before".into());
        }
        let heads: Vec<Kept<_>> = spaces.iter().map(|space| self.head(*space)).collect();
        heads.into_iter().collect::<Kept<Vec<_>>>()?;
        self.claimed.extend(spaces);
        Ok(())
    }

    /// Notes what becomes of an account.
    pub(super) fn change_whole(&mut self, space: Space, whole: Whole) -> Kept<()> {
        let (sequence, moment) = match whole {
            Whole::Wiped => (0, None),
            Whole::CopyOf(from) if self.claimed.contains(&from) && from != space => {
                let head = self.head(from)?;
                (head.sequence, Some(head.moment))
            }
            Whole::CopyOf(_) => return self.fail("copying an account", "it was not claimed".into()),
        };
        if !self.claimed.contains(&space) {
            return self.fail("replacing an account", "it was not claimed".into());
        }
        self.write(space, |own: &mut Changes| {
            let head = own.heads.get_mut(&space).expect("whoever writes holds the head");
            head.sequence = sequence;
            head.moment = head.moment.max(moment.unwrap_or(head.moment));
            head.listeners = listeners::throw();
            own.wholes.push((space, whole));
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{COPY, WIPE};

    #[test]
    fn every_statement_names_its_account() {
        for sql in WIPE.iter() {
            assert!(sql.starts_with("DELETE FROM cusp.") && sql.ends_with(" WHERE account = $1"), "{sql}");
        }
        for sql in COPY.iter() {
            assert!(sql.contains(" (account, ") && sql.contains("SELECT $1::bigint, "), "{sql}");
            assert!(sql.contains("WHERE account = $2"), "{sql}");
        }
    }
}
