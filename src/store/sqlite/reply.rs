//! The replies kept for retries: the one table whose rows come and go.

use rusqlite::Row;

use super::files::trouble;
use super::tx::SqliteTx;
use crate::domain::account::Space;
use crate::domain::ids::RequestId;
use crate::domain::time::Time;
use crate::store::{Failure, Kept, KeptReply};

pub(super) fn read(tx: &SqliteTx<'_>, space: Space, key: &str) -> Kept<Option<KeptReply>> {
    let sql = "SELECT key, endpoint, parameters, request, created, status, headers, body FROM replies \
               WHERE account = ?1 AND key = ?2";
    tx.find("reading a kept reply", sql, (space.0, key), from_row)
}

/// The reply of a row with the columns that [`read`] names.
pub(super) fn from_row(row: &Row<'_>) -> Kept<KeptReply> {
    let doing = "reading a kept reply";
    let columns = || {
        rusqlite::Result::Ok(KeptReply {
            key: row.get(0)?,
            endpoint: row.get(1)?,
            parameters: row.get(2)?,
            request: RequestId(row.get(3)?),
            created: Time(row.get(4)?),
            status: row.get(5)?,
            headers: Vec::new(),
            body: row.get(7)?,
        })
    };
    let mut reply = columns().map_err(trouble(doing))?;
    let headers: String = row.get(6).map_err(trouble(doing))?;
    reply.headers = serde_json::from_str(&headers).map_err(|_| Failure::broken(doing, "its headers are not a list"))?;
    Ok(reply)
}

pub(super) fn put(tx: &SqliteTx<'_>, space: Space, reply: &KeptReply) -> Kept<()> {
    let KeptReply { key, endpoint, parameters, request, created, status, headers, body } = reply;
    let headers = serde_json::to_string(headers).expect("texts can be written as JSON");
    let sql = "INSERT INTO replies (account, key, endpoint, parameters, request, created, status, headers, body) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) \
               ON CONFLICT (account, key) DO UPDATE SET endpoint = excluded.endpoint, \
               parameters = excluded.parameters, request = excluded.request, created = excluded.created, \
               status = excluded.status, headers = excluded.headers, body = excluded.body";
    let parameters = (space.0, key, endpoint, parameters, request.as_str(), created.0, status, headers, body);
    tx.execute("keeping a reply", sql, parameters)?;
    Ok(())
}

pub(super) fn old(tx: &SqliteTx<'_>, before: Time, most: usize) -> Kept<Vec<(Space, String)>> {
    let doing = "looking for old replies";
    let sql = "SELECT account, key FROM replies WHERE created < ?1 ORDER BY created LIMIT ?2";
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    tx.find_all(doing, sql, (before.0, most), |row| {
        row.get(0).and_then(|account| Ok((Space(account), row.get(1)?))).map_err(trouble(doing))
    })
}

pub(super) fn forget(tx: &SqliteTx<'_>, space: Space, keys: &[String], before: Time) -> Kept<()> {
    let sql = "DELETE FROM replies WHERE account = ?1 AND key = ?2 AND created < ?3";
    keys.iter().try_for_each(|key| tx.execute("forgetting old replies", sql, (space.0, key, before.0)).map(drop))
}
