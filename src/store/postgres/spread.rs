//! Spreading the tables over the machines of a Citus cluster, by account.

use tokio_postgres::Row;

use super::connect::Connection;
use super::setback::{Got, Setback};
use crate::store::Failure;

/// The tables, in the order in which they are spread. All are kept together: the rows of one account lie on one machine.
pub(super) const TABLES: [&str; 12] = [
    "cusp.heads",
    "cusp.accounts",
    "cusp.api_keys",
    "cusp.customers",
    "cusp.customer_terms",
    "cusp.balance_transactions",
    "cusp.events",
    "cusp.replies",
    "cusp.objects",
    "cusp.object_lists",
    "cusp.webhook_deliveries",
    "cusp.webhook_queues",
];

/// The one table that is not about accounts; every machine has a copy.
pub(super) const EVERYWHERE: &str = "cusp.migrations";

const DOING: &str = "spreading the tables";

/// Whether the tables are spread already, some of them at least: a new table has to follow the others.
pub(super) async fn is_spread(connection: &Connection) -> Got<bool> {
    if !is_citus(connection).await? {
        return Ok(false);
    }
    let [first, ..] = TABLES;
    Ok(!is_alone(connection, first).await?)
}

/// Spreads those of the tables that are not spread yet; gives their names.
pub(super) async fn spread(connection: &Connection) -> Got<Vec<&'static str>> {
    if !is_citus(connection).await? {
        let cause = "the database is no Citus cluster: it has no create_distributed_table \
                     (CREATE EXTENSION citus makes it one)";
        return Err(Failure::broken(DOING, cause).into());
    }
    let mut spread = Vec::new();
    let [first, ..] = TABLES;
    for table in TABLES {
        if is_alone(connection, table).await? {
            // The first begins a group of its own, which the others join.
            let company = if table == first { "none" } else { first };
            ask(
                connection,
                "SELECT create_distributed_table($1::text::regclass, 'account', colocate_with => $2)",
                &[&table, &company],
            )
            .await?;
            spread.push(table);
        }
    }
    if is_alone(connection, EVERYWHERE).await? {
        ask(connection, "SELECT create_reference_table($1::text::regclass)", &[&EVERYWHERE]).await?;
        spread.push(EVERYWHERE);
    }
    Ok(spread)
}

async fn is_citus(connection: &Connection) -> Got<bool> {
    let sql = "SELECT count(*) > 0 FROM pg_catalog.pg_proc WHERE proname = 'create_distributed_table'";
    yes(&ask(connection, sql, &[]).await?)
}

/// Whether the table is an ordinary one.
async fn is_alone(connection: &Connection, table: &'static str) -> Got<bool> {
    let sql = "SELECT count(*) = 0 FROM pg_dist_partition WHERE logicalrelid = $1::text::regclass";
    yes(&ask(connection, sql, &[&table]).await?)
}

fn yes(row: &Row) -> Got<bool> {
    row.try_get(0).map_err(Setback::of(DOING))
}

async fn ask(
    connection: &Connection,
    sql: &str,
    parameters: &[&(dyn tokio_postgres::types::ToSql + Sync)],
) -> Got<Row> {
    connection.query_one(sql, parameters).await.map_err(Setback::of(DOING))
}
