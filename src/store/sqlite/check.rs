//! Examines a whole store, in one state and without changing it: does every row decode, and do rows agree that say the
//! same thing? It mends nothing.

use std::path::Path;

use rusqlite::{Connection, Row};

use super::files::{self, Purpose, connect, trouble};
use super::read::{body, number};
use super::reply;
use super::schema;
use super::tx::SqliteTx;
use crate::domain::account::Space;
use crate::domain::customer::Customer;
use crate::store::record::{read_account, read_api_key, read_balance_transaction, read_customer, read_event};
use crate::store::{Failure, Kept};

/// The most faults that are told in full; further ones are only counted.
pub const MAX_FAULTS: usize = 100;

/// What an examination found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CheckSummary {
    /// The schema of the database.
    pub schema: i64,
    /// Accounts, each mode for itself.
    pub accounts: u64,
    /// API keys, revoked ones included.
    pub api_keys: u64,
    /// Customers, deleted ones included.
    pub customers: u64,
    /// Terms that customers can be found by.
    pub terms: u64,
    /// Balance transactions.
    pub balance_transactions: u64,
    /// Events.
    pub events: u64,
    /// Kept replies.
    pub replies: u64,
    /// The first [`MAX_FAULTS`] faults.
    pub faults: Vec<String>,
    /// How many faults there are in all.
    pub fault_count: u64,
}

/// Examines the store in a data folder, a server running or not. `report` is told of each part when it is done, and of
/// each fault when it is found.
pub fn check(folder: &Path, report: &mut dyn FnMut(String)) -> Kept<CheckSummary> {
    let doing = "examining the store";
    let file = files::database(folder);
    if !file.is_file() {
        return Err(Failure::broken(doing, format!("{} does not exist", file.display())));
    }
    let connection = connect(&file, Purpose::Read)?;
    connection.execute_batch("BEGIN").map_err(trouble(doing))?;
    let mut check = Check { connection: &connection, good_terms: 0, summary: CheckSummary::default(), report };
    check.summary.schema = schema::version(&connection)?;
    if check.summary.schema != schema::NEWEST {
        let (found, needed) = (check.summary.schema, schema::NEWEST);
        let cause = format!("the database has schema {found}, not {needed}: start this version's server once");
        return Err(Failure::broken(doing, cause));
    }
    check.file()?;
    check.accounts()?;
    check.api_keys()?;
    check.customers()?;
    check.terms()?;
    check.balance_transactions()?;
    check.events()?;
    check.replies()?;
    Ok(check.summary)
}

struct Check<'a> {
    connection: &'a Connection,
    /// Terms that customers have and the index holds.
    good_terms: u64,
    summary: CheckSummary,
    report: &'a mut dyn FnMut(String),
}

impl Check<'_> {
    fn fault(&mut self, fault: String) {
        self.summary.fault_count += 1;
        if self.summary.faults.len() < MAX_FAULTS {
            (self.report)(format!("fault: {fault}"));
            self.summary.faults.push(fault);
        }
    }

    fn done(&mut self, count: u64, what: &str) {
        (self.report)(format!("{what}: {count} examined"));
    }

    /// Visits every row of a statement; gives how many there were. What `visit` cannot read is a fault, not the end.
    fn each(&mut self, sql: &str, mut visit: impl FnMut(&mut Self, &Row<'_>) -> Kept<()>) -> Kept<u64> {
        let doing = "examining the store";
        let connection = self.connection;
        let mut statement = connection.prepare(sql).map_err(trouble(doing))?;
        let mut rows = statement.query([]).map_err(trouble(doing))?;
        let mut count = 0;
        loop {
            let failure = match rows.next().map_err(trouble(doing)) {
                Ok(None) => break,
                Ok(Some(row)) => {
                    count += 1;
                    visit(self, row).err()
                }
                Err(failure) if failure.passes() => return Err(failure),
                // A file that is broken here may be whole elsewhere.
                Err(failure) => {
                    self.fault(failure.to_string());
                    break;
                }
            };
            match failure {
                Some(failure) if failure.passes() => return Err(failure),
                Some(failure) => self.fault(failure.to_string()),
                None => {}
            }
        }
        Ok(count)
    }

    /// What SQLite knows to examine: pages, indexes, types of columns.
    fn file(&mut self) -> Kept<()> {
        let limit = MAX_FAULTS;
        self.each(&format!("PRAGMA integrity_check({limit})"), |check, row| {
            let verdict: String = row.get(0).map_err(trouble("examining the file"))?;
            if verdict != "ok" {
                check.fault(format!("the file: {verdict}"));
            }
            Ok(())
        })?;
        (self.report)("the file: examined".into());
        Ok(())
    }

    fn accounts(&mut self) -> Kept<()> {
        self.summary.accounts = self.each("SELECT account, body FROM accounts", |_, row| {
            let space = Space(number(row, 0, "reading an account")?);
            body(row, 1, &format!("reading account {}", space.0), |text| read_account(space, text)).map(drop)
        })?;
        self.done(self.summary.accounts, "accounts");
        Ok(())
    }

    fn api_keys(&mut self) -> Kept<()> {
        self.summary.api_keys = self.each("SELECT digest, account, body FROM api_keys", |_, row| {
            let doing = format!("reading an API key of account {}", number(row, 1, "reading an API key")?);
            let digest = row.get(0).map_err(trouble(&*doing))?;
            body(row, 2, &doing, |text| read_api_key(digest, text)).map(drop)
        })?;
        self.done(self.summary.api_keys, "API keys");
        Ok(())
    }

    fn customers(&mut self) -> Kept<()> {
        let sql = "SELECT account, id, created, deleted, body FROM customers";
        self.summary.customers = self.each(sql, |check, row| {
            let (space, name) = named(row, "customer")?;
            let customer = body(row, 4, &format!("reading {name}"), read_customer)?;
            let columns: (String, i64, bool) = columns(row, &name)?;
            if columns != (customer.id.0.clone(), customer.created.0, customer.deleted.is_some()) {
                check.fault(format!("{name}: its columns do not agree with its body"));
            }
            if customer.version == 0 {
                check.fault(format!("{name}: its version is not positive"));
            }
            check.terms_of(space, &name, &customer)?;
            check.balance_of(space, &name, &customer)
        })?;
        self.done(self.summary.customers, "customers");
        Ok(())
    }

    fn terms_of(&mut self, space: Space, name: &str, customer: &Customer) -> Kept<()> {
        let sql = "SELECT 1 FROM customer_terms WHERE account = ?1 AND term = ?2 AND created = ?3 AND id = ?4";
        for term in customer.term_digests() {
            let place = (space.0, term, customer.created.0, customer.id.as_str());
            match SqliteTx::new(self.connection).find("reading a term", sql, place, |_| Ok(()))? {
                Some(()) => self.good_terms += 1,
                None => self.fault(format!("{name}: it cannot be found by its term {term}")),
            }
        }
        Ok(())
    }

    fn balance_of(&mut self, space: Space, name: &str, customer: &Customer) -> Kept<()> {
        if customer.deleted.is_some() {
            return Ok(());
        }
        let sql = "SELECT body FROM balance_transactions WHERE account = ?1 AND customer = ?2 \
                   ORDER BY created DESC, id DESC LIMIT 1";
        let place = (space.0, customer.id.as_str());
        let newest = SqliteTx::new(self.connection).find("reading a balance transaction", sql, place, |row| {
            body(row, 0, &format!("reading the newest balance transaction of {name}"), read_balance_transaction)
        })?;
        if newest.is_some_and(|newest| newest.ending_balance != customer.balance) {
            self.fault(format!("{name}: its balance is not where its newest balance transaction left it"));
        }
        Ok(())
    }

    /// The other way round: every term is one that its customer has.
    fn terms(&mut self) -> Kept<()> {
        let doing = "counting terms";
        let count = self.connection.query_row("SELECT count(*) FROM customer_terms", [], number_of);
        self.summary.terms = count.map_err(trouble(doing))?;
        // When there are as many as customers have, there is no room for one more.
        if self.summary.terms != self.good_terms {
            self.stray_terms()?;
        }
        self.done(self.summary.terms, "terms");
        Ok(())
    }

    fn stray_terms(&mut self) -> Kept<()> {
        let sql = "SELECT account, id, created, term FROM customer_terms ORDER BY account, term, created, id";
        self.each(sql, |check, row| {
            let (space, name) = named(row, "customer")?;
            let doing = format!("reading a term of {name}");
            let (created, term) = (number(row, 2, &doing)?, number(row, 3, &doing)?);
            let id: String = row.get(1).map_err(trouble(&*doing))?;
            let sql = "SELECT body FROM customers WHERE account = ?1 AND id = ?2";
            let customer = SqliteTx::new(check.connection)
                .find(&doing, sql, (space.0, &id), |row| Ok(body(row, 0, &doing, read_customer).ok()))?;
            match customer {
                None => check.fault(format!("{name}: it is not there, but can be found by term {term}")),
                // A customer that cannot be read has been told of already.
                Some(None) => {}
                Some(Some(customer)) => {
                    if customer.created.0 != created || customer.term_digests().binary_search(&term).is_err() {
                        check.fault(format!("{name}: it can be found by term {term}, which it does not have"));
                    }
                }
            }
            Ok(())
        })?;
        Ok(())
    }

    fn balance_transactions(&mut self) -> Kept<()> {
        let sql = "SELECT account, id, created, customer, body FROM balance_transactions";
        self.summary.balance_transactions = self.each(sql, |check, row| {
            let (space, name) = named(row, "balance transaction")?;
            let transaction = body(row, 4, &format!("reading {name}"), read_balance_transaction)?;
            let columns: (String, i64, String) = columns(row, &name)?;
            if columns != (transaction.id.0, transaction.created.0, transaction.customer.0.clone()) {
                check.fault(format!("{name}: its columns do not agree with its body"));
            }
            let sql = "SELECT 1 FROM customers WHERE account = ?1 AND id = ?2";
            let place = (space.0, transaction.customer.as_str());
            if SqliteTx::new(check.connection).find("reading a customer", sql, place, |_| Ok(()))?.is_none() {
                check.fault(format!("{name}: its customer is not there"));
            }
            Ok(())
        })?;
        self.done(self.summary.balance_transactions, "balance transactions");
        Ok(())
    }

    fn events(&mut self) -> Kept<()> {
        let mut expected = (Space(0), 1);
        let sql = "SELECT account, id, created, kind, object, seq, body FROM events ORDER BY account, seq";
        self.summary.events = self.each(sql, |check, row| {
            let (space, name) = named(row, "event")?;
            let sequence = number(row, 5, &name)?;
            if expected.0 != space {
                expected = (space, 1);
            }
            if sequence != expected.1 {
                check.fault(format!("{name}: it has place {sequence}, {} was to come", expected.1));
            }
            expected.1 = sequence.saturating_add(1);

            let event = body(row, 6, &format!("reading {name}"), |text| read_event(sequence, text))?;
            let columns: (String, i64, String, String) =
                row.get(1).and_then(|id| Ok((id, row.get(2)?, row.get(3)?, row.get(4)?))).map_err(trouble(&*name))?;
            let (kind, object) = (event.what.kind().as_str().to_owned(), event.what.object().to_owned());
            if columns != (event.id.0, event.created.0, kind, object) {
                check.fault(format!("{name}: its columns do not agree with its body"));
            }
            Ok(())
        })?;
        self.done(self.summary.events, "events");
        Ok(())
    }

    fn replies(&mut self) -> Kept<()> {
        let sql = "SELECT key, endpoint, parameters, request, created, status, headers, body FROM replies";
        self.summary.replies = self.each(sql, |_, row| reply::from_row(row).map(drop))?;
        self.done(self.summary.replies, "replies");
        Ok(())
    }
}

fn number_of(row: &Row<'_>) -> rusqlite::Result<u64> {
    row.get::<_, i64>(0).map(|number| number.unsigned_abs())
}

/// The account in the first column, and what to call the row whose id is in the second.
fn named(row: &Row<'_>, what: &str) -> Kept<(Space, String)> {
    let doing = format!("reading a {what}");
    let account = number(row, 0, &doing)?;
    let id: String = row.get(1).map_err(trouble(doing))?;
    Ok((Space(account), format!("{what} {id} of account {account}")))
}

/// The id, the moment and the third column that is kept beside the body.
fn columns<T: rusqlite::types::FromSql>(row: &Row<'_>, name: &str) -> Kept<(String, i64, T)> {
    row.get(1).and_then(|id| Ok((id, row.get(2)?, row.get(3)?))).map_err(trouble(name))
}
