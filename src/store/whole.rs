//! What an account holds as a whole, in the stores that keep rows: the SQL that removes it and the SQL that copies it, table
//! by table. Who the account is and who may enter is no part of it.

use super::rows::{TABLES, Table};

/// The tables of what an account holds.
pub fn held() -> impl Iterator<Item = &'static Table> {
    TABLES.iter().filter(|table| !["accounts", "api_keys"].contains(&table.name))
}

/// Removes the rows of the account at the place `account` of the statement.
pub fn wipe_sql(table: &Table, schema: &str, account: &str) -> String {
    format!("DELETE FROM {schema}{} WHERE account = {account}", table.name)
}

/// Makes rows of the account at the place `to` from those of the account at the place `from`. What is still to be sent is
/// not among them, and nobody works on the queues: two would send it otherwise, or one twice.
pub fn copy_sql(table: &Table, schema: &str, to: &str, from: &str) -> String {
    let name = table.name;
    let values: Vec<&str> = table.columns.iter().map(|column| copied(name, column.name)).collect();
    let waiting = if name == "webhook_deliveries" { " AND state <> 'pending'" } else { "" };
    format!(
        "INSERT INTO {schema}{name} (account, {}) SELECT {to}, {} FROM {schema}{name} WHERE account = {from}{waiting}",
        table.column_names(),
        values.join(", ")
    )
}

/// What a copied row has in a column.
fn copied(table: &str, column: &'static str) -> &'static str {
    match (table, column) {
        // The moment that stands for none.
        ("webhook_queues", "due" | "failing") => "9223372036854775807",
        ("webhook_queues", "owner") => "''",
        ("webhook_queues", "leased") => "0",
        (_, column) => column,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_an_account_is_is_no_part_of_what_it_holds() {
        assert_eq!(held().count(), TABLES.len() - 2);
    }

    #[test]
    fn a_copy_has_every_column_and_sends_nothing() {
        let sql = |name| copy_sql(Table::named(name), "cusp.", "$1::bigint", "$2");
        assert_eq!(
            sql("object_lists"),
            "INSERT INTO cusp.object_lists (account, list, created, id, kind) \
             SELECT $1::bigint, list, created, id, kind FROM cusp.object_lists WHERE account = $2"
        );
        assert!(sql("webhook_queues").contains("SELECT $1::bigint, endpoint, 9223372036854775807, '', 0, 92"));
        assert!(sql("webhook_deliveries").ends_with("WHERE account = $2 AND state <> 'pending'"));
    }
}
