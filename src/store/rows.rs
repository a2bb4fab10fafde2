//! Records as plain rows: which tables there are, with their columns and their order, for those who treat all of them
//! alike. It knows nothing of what a row means.

use serde::{Deserialize, Serialize};

use super::{Failure, Kept};
use crate::domain::account::Space;

/// How many rows are read, looked up or written at a time.
pub const PAGE: usize = 1_000;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A whole number of 64 bits.
    Number,
    /// A text; compared by its bytes.
    Text,
    /// Bytes.
    Bytes,
    /// Yes or no.
    Flag,
}

/// A column of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// What both stores call it.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
}

/// A table. Its first column is the account, which is not among the columns here.
#[derive(Debug, PartialEq, Eq)]
pub struct Table {
    /// What both stores call it.
    pub name: &'static str,
    /// The columns that tell the rows of one account apart, in an order that both stores have an index for. Without any,
    /// an account has one row.
    pub key: &'static [&'static str],
    /// The other columns, the key's among them.
    pub columns: &'static [Column],
}

/// Every table that holds records. The order is that of a copy.
pub static TABLES: [Table; 11] = [
    Table { name: "accounts", key: &[], columns: &[text("body")] },
    Table { name: "api_keys", key: &["digest"], columns: &[bytes("digest"), text("body")] },
    Table { name: "customers", key: &["id"], columns: &[text("id"), number("created"), flag("deleted"), text("body")] },
    Table {
        name: "customer_terms",
        key: &["term", "created", "id"],
        columns: &[number("term"), number("created"), text("id")],
    },
    Table {
        name: "balance_transactions",
        // The order of ledgers, so that an examination can go along customers and their ledgers side by side.
        key: &["customer", "created", "id"],
        columns: &[text("id"), text("customer"), number("created"), text("body")],
    },
    Table {
        name: "events",
        // The order of the history: a copy lays events down as they came.
        key: &["seq", "id"],
        columns: &[number("seq"), text("id"), text("kind"), number("created"), text("object"), text("body")],
    },
    Table {
        name: "replies",
        key: &["key"],
        columns: &[
            text("key"),
            text("endpoint"),
            bytes("parameters"),
            text("request"),
            number("created"),
            number("status"),
            text("headers"),
            bytes("body"),
        ],
    },
    Table {
        name: "objects",
        key: &["kind", "id"],
        columns: &[text("kind"), text("id"), number("created"), text("body")],
    },
    Table {
        name: "object_lists",
        key: &["list", "created", "id"],
        columns: &[number("list"), number("created"), text("id"), text("kind")],
    },
    Table {
        name: "webhook_deliveries",
        key: &["event", "id"],
        columns: &[
            text("id"),
            text("endpoint"),
            number("event"),
            text("state"),
            number("due"),
            number("created"),
            text("body"),
        ],
    },
    Table {
        name: "webhook_queues",
        key: &["endpoint"],
        columns: &[text("endpoint"), number("due"), text("owner"), number("leased"), number("failing")],
    },
];

const fn number(name: &'static str) -> Column {
    Column { name, kind: Kind::Number }
}

const fn text(name: &'static str) -> Column {
    Column { name, kind: Kind::Text }
}

const fn bytes(name: &'static str) -> Column {
    Column { name, kind: Kind::Bytes }
}

const fn flag(name: &'static str) -> Column {
    Column { name, kind: Kind::Flag }
}

impl Table {
    /// The table of that name.
    pub fn named(name: &str) -> &'static Table {
        TABLES.iter().find(|table| table.name == name).expect("only tables of this program are named")
    }

    /// Where each column of the key is among the columns.
    pub fn key_places(&self) -> impl Iterator<Item = usize> {
        self.key.iter().map(|name| {
            let place = self.columns.iter().position(|column| column.name == *name);
            place.expect("the columns of a key are columns")
        })
    }

    /// The columns of the key.
    pub fn key_columns(&self) -> impl Iterator<Item = &'static Column> {
        self.key_places().map(|place| &self.columns[place])
    }

    /// The key of a row.
    pub fn key_of(&self, row: &Row) -> Key {
        self.key_places().map(|place| row[place].clone()).collect()
    }

    /// The names of the columns, with a comma between each two.
    pub fn column_names(&self) -> String {
        self.columns.iter().map(|column| column.name).collect::<Vec<_>>().join(", ")
    }
}

/// The value of a column.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Cell {
    /// Of [`Kind::Number`].
    Number(i64),
    /// Of [`Kind::Text`].
    Text(String),
    /// Of [`Kind::Bytes`]; or what should be a text and is not one.
    Bytes(Vec<u8>),
    /// Of [`Kind::Flag`].
    Flag(bool),
}

impl Cell {
    /// What it is.
    pub fn kind(&self) -> Kind {
        match self {
            Cell::Number(_) => Kind::Number,
            Cell::Text(_) => Kind::Text,
            Cell::Bytes(_) => Kind::Bytes,
            Cell::Flag(_) => Kind::Flag,
        }
    }
}

/// The values of a table's columns.
pub type Row = Vec<Cell>;

/// The values of the columns of a table's key.
pub type Key = Vec<Cell>;

/// Records as rows. Every list is in the order of bytes and numbers.
pub trait Rows {
    /// Where they are, for people: as long as they are there, these are the words.
    fn place(&self) -> &str;
    /// The schema that they have.
    fn schema(&self) -> i64;
    /// How far a copy into this store has come that is not finished.
    fn mark(&mut self) -> Kept<Option<Mark>>;
    /// Every account that has rows, in order.
    fn accounts(&mut self) -> Kept<Vec<Space>>;
    /// How many rows an account has in a table.
    fn count(&mut self, table: &Table, space: Space) -> Kept<u64>;
    /// The first rows of an account in a table, or those that follow `behind`; at most [`PAGE`].
    fn page(&mut self, table: &Table, space: Space, behind: Option<&Key>) -> Kept<Vec<Row>>;
    /// The rows of these keys, as far as they are there, in no order. At most [`PAGE`] keys.
    fn find(&mut self, table: &Table, space: Space, keys: &[Key]) -> Kept<Vec<Row>>;
    /// Whether somebody has knocked with this number: see [`Target::knock`].
    fn hears(&mut self, number: i64) -> Kept<bool>;
    /// Examines what only this kind of store has, tells what is wrong with it, and gives what it is.
    fn examine_own(&mut self, fault: &mut dyn FnMut(String)) -> Kept<&'static str>;
}

/// A store that a copy is made into. Nobody else writes there meanwhile.
pub trait Target: Rows {
    /// Keeps a number that other connections to the same store hear.
    fn knock(&mut self, number: i64) -> Kept<()>;
    /// Takes the number away.
    fn hush(&mut self, number: i64) -> Kept<()>;
    /// Sets the mark: from now on no server works on the store.
    fn begin(&mut self, mark: &Mark) -> Kept<()>;
    /// Removes every record.
    fn empty(&mut self) -> Kept<()>;
    /// Adds rows and moves the mark, both or neither.
    fn add(&mut self, table: &Table, space: Space, rows: &[Row], mark: &Mark) -> Kept<()>;
    /// Makes what the store keeps beside records, for all of these accounts, and then takes the mark away.
    fn finish(&mut self, spaces: &[Space]) -> Kept<()>;
}

/// How far a copy has come. It is kept in the target until the copy is finished.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// The place of the source.
    pub source: String,
    /// The schema of the source. Another version of the program may know other tables.
    pub schema: i64,
    /// How many rows were copied.
    pub copied: u64,
    /// The last row that was copied; `None` when nothing was, and what the target holds is still to be removed.
    pub reached: Option<Reached>,
}

/// A row that a copy has reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reached {
    /// Its account.
    pub account: i64,
    /// Its table.
    pub table: String,
    /// Its key.
    pub key: Key,
}

impl Mark {
    /// As it is kept.
    pub fn write(&self) -> String {
        serde_json::to_string(self).expect("marks hold nothing that JSON cannot say")
    }

    /// A mark that was kept.
    pub fn read(text: &str) -> Kept<Mark> {
        let unknown = |_| Failure::broken("reading how far a copy has come", "another version of cusp has written it");
        serde_json::from_str(text).map_err(unknown)
    }
}

/// Refuses to work on what an unfinished copy has left at `place`.
pub fn require_whole(place: &str, mark: Option<&Mark>) -> Kept<()> {
    match mark {
        None => Ok(()),
        Some(Mark { source, .. }) => {
            let cause =
                format!("{place} holds an unfinished copy of {source}: run the same `cusp copy` again to finish it");
            Err(Failure::broken("opening the store", cause))
        }
    }
}

/// Goes along the rows of an account in a table.
pub struct Walk {
    table: &'static Table,
    space: Space,
    behind: Option<Key>,
    ended: bool,
}

impl Walk {
    /// Begins at the first row, or behind one.
    pub fn new(table: &'static Table, space: Space, behind: Option<Key>) -> Walk {
        Walk { table, space, behind, ended: false }
    }

    /// The next rows; none at the end.
    pub fn next(&mut self, rows: &mut dyn Rows) -> Kept<Vec<Row>> {
        if self.ended {
            return Ok(Vec::new());
        }
        let page = rows.page(self.table, self.space, self.behind.as_ref())?;
        self.ended = page.len() < PAGE;
        if let Some(last) = page.last() {
            self.behind = Some(self.table.key_of(last));
        }
        Ok(page)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use rusqlite::Connection;

    use super::*;
    use crate::store::suite::Home;

    /// Table, column and type of each column, as the description has them.
    fn described(account: &str, type_of: fn(Kind) -> &'static str) -> BTreeSet<[String; 3]> {
        let columns = TABLES.iter().flat_map(|table| {
            let columns = table.columns.iter().map(|column| [table.name, column.name, type_of(column.kind)]);
            columns.chain([[table.name, "account", account]])
        });
        columns.map(|names| names.map(String::from)).collect()
    }

    #[test]
    fn a_data_folder_has_these_tables_and_columns_and_no_others() {
        let home = Home::folder();
        home.open().unwrap().close();
        let Home::Folder(folder) = &home else { unreachable!("it is a folder") };
        let database = Connection::open(folder.path().join("cusp.db")).unwrap();
        let sql = "SELECT t.name, c.name, c.type FROM sqlite_schema AS t, pragma_table_info(t.name) AS c \
                   WHERE t.type = 'table'";
        let mut statement = database.prepare(sql).unwrap();
        let columns = statement.query_map([], |row| Ok([row.get(0)?, row.get(1)?, row.get(2)?])).unwrap();
        let found: BTreeSet<[String; 3]> = columns.collect::<Result<_, _>>().unwrap();
        let type_of = |kind| match kind {
            Kind::Number | Kind::Flag => "INTEGER",
            Kind::Text => "TEXT",
            Kind::Bytes => "BLOB",
        };
        assert_eq!(found, described("INTEGER", type_of));
    }

    #[test]
    fn a_database_has_these_tables_and_columns_and_no_others() {
        let home = Home::database();
        home.open().unwrap().close();
        let Home::Database(database) = &home else { unreachable!("it is a database") };
        let rows = |sql: &str| -> BTreeSet<[String; 3]> {
            let rows = database.query(sql).into_iter().map(|row| <[Option<String>; 3]>::try_from(row).unwrap());
            rows.map(|row| row.map(Option::unwrap_or_default)).collect()
        };
        // Heads follow from events, and migrations are the schema's own.
        let ours = "table_schema = 'cusp' AND table_name NOT IN ('heads', 'migrations')";
        let found =
            rows(&format!("SELECT table_name, column_name, data_type FROM information_schema.columns WHERE {ours}"));
        let type_of = |kind| match kind {
            Kind::Number => "bigint",
            Kind::Text => "text",
            Kind::Bytes => "bytea",
            Kind::Flag => "boolean",
        };
        assert_eq!(found, described("bigint", type_of));

        let unique =
            rows(&format!("SELECT table_name, column_name, '' FROM information_schema.key_column_usage WHERE {ours}"));
        for [table, column, _] in &unique {
            let known = column == "account" || Table::named(table).key.contains(&column.as_str());
            assert!(known, "the key of {table} lacks {column}, without which it does not tell rows apart");
        }
        let collations = rows(&format!(
            "SELECT table_name, column_name, collation_name FROM information_schema.columns WHERE {ours}"
        ));
        for table in &TABLES {
            for column in table.key_columns().filter(|column| column.kind == Kind::Text) {
                let by_bytes = [table.name, column.name, "C"].map(String::from);
                assert!(collations.contains(&by_bytes), "{by_bytes:?} is to be compared by its bytes");
            }
        }
    }

    #[test]
    fn a_mark_is_read_as_it_was_written() {
        let key =
            vec![Cell::Number(i64::MIN), Cell::Text("né\u{0}\"".into()), Cell::Bytes(vec![0, 255]), Cell::Flag(true)];
        let reached = Reached { account: -1, table: "events".into(), key };
        let mark = Mark { source: "/da\\ta".into(), schema: 1, copied: u64::MAX, reached: Some(reached) };
        assert_eq!(Mark::read(&mark.write()).unwrap(), mark);
        assert!(Mark::read("{}").is_err());
    }

    #[test]
    fn every_key_is_made_of_columns() {
        for table in &TABLES {
            assert_eq!(table.key_columns().count(), table.key.len());
            assert_eq!(Table::named(table.name), table);
        }
    }
}
