//! Every statement on records that the store has. Each names the account it is about, so that a database that is spread
//! by account asks one machine; those that cannot are apart, and no request waits for one. They are in the SQL that
//! PostgreSQL, Citus, CockroachDB and YugabyteDB have in common.
//!
//! What every update and every retrieve sends is there twice: for one row, and for many in arrays. PostgreSQL plans a
//! statement with arrays anew each time, which takes longer than running it for one row does.

macro_rules! statements {
    (
        of_one_account { $($(#[$doc:meta])* $name:ident = $sql:expr;)* }
        across { $($(#[$across_doc:meta])* $across_name:ident = $across_sql:expr;)* }
    ) => {
        $($(#[$doc])* pub(super) const $name: &str = $sql;)*
        $($(#[$across_doc])* pub(super) const $across_name: &str = $across_sql;)*

        /// The statements that are about one account.
        #[cfg(test)]
        const OF_ONE_ACCOUNT: &[&str] = &[$($name),*];
        /// The statements that are about all accounts.
        #[cfg(test)]
        const ACROSS: &[&str] = &[$($across_name),*];
    };
}

/// The places strictly between ($2, $3) and ($4, $5), from the newest.
macro_rules! newest_first {
    ($select:literal) => {
        concat!(
            $select,
            " AND (created, id) > ($2, $3) AND (created, id) < ($4, $5) ORDER BY created DESC, id DESC LIMIT $6"
        )
    };
}

/// The places strictly between ($2, $3) and ($4, $5), from the oldest.
macro_rules! oldest_first {
    ($select:literal) => {
        concat!($select, " AND (created, id) > ($2, $3) AND (created, id) < ($4, $5) ORDER BY created, id LIMIT $6")
    };
}

/// The events of which every delivery has succeeded ($8), or not.
macro_rules! delivered {
    ($select:literal, $order:literal) => {
        concat!(
            $select,
            " AND e.created >= $4 AND e.created < $5 AND ($6::text[] IS NULL OR e.kind = ANY($6)) \
             AND $8::boolean = NOT EXISTS (SELECT 1 FROM cusp.webhook_deliveries AS d WHERE d.account = $1 \
             AND d.event = e.seq AND d.state <> 'succeeded')",
            $order
        )
    };
}

statements! {
    of_one_account {
        /// Keeps everybody else from writing for the account until the end of the transaction.
        LOCK_HEAD = "SELECT seq, moment, turns, listeners FROM cusp.heads WHERE account = $1 FOR UPDATE";
        MAKE_HEAD = "INSERT INTO cusp.heads (account, seq, moment, turns) VALUES ($1, 0, $2, '') \
                     ON CONFLICT (account) DO NOTHING";
        SAVE_HEAD = "UPDATE cusp.heads SET seq = $2, moment = $3, turns = $4, listeners = $5 WHERE account = $1";
        NEWEST = "SELECT seq FROM cusp.heads WHERE account = $1";

        ACCOUNT = "SELECT body FROM cusp.accounts WHERE account = $1";
        PUT_ACCOUNT = "INSERT INTO cusp.accounts (account, body) VALUES ($1, $2) \
                       ON CONFLICT (account) DO UPDATE SET body = excluded.body";

        API_KEYS_NAMED = "SELECT digest, body FROM cusp.api_keys WHERE account = $1 AND digest = ANY($2)";
        PUT_API_KEYS = "INSERT INTO cusp.api_keys (account, digest, body) \
                        SELECT $1::bigint, u.digest, u.body FROM unnest($2::bytea[], $3::text[]) AS u (digest, body) \
                        ON CONFLICT (account, digest) DO UPDATE SET body = excluded.body";

        CUSTOMER_NAMED = "SELECT id, body FROM cusp.customers WHERE account = $1 AND id = $2";
        CUSTOMERS_NAMED = "SELECT id, body FROM cusp.customers WHERE account = $1 AND id = ANY($2)";
        MAKE_CUSTOMER = "INSERT INTO cusp.customers (account, id, created, deleted, body) VALUES ($1, $2, $3, $4, $5)";
        MAKE_CUSTOMERS = "INSERT INTO cusp.customers (account, id, created, deleted, body) \
                          SELECT $1::bigint, u.id, u.created, u.deleted, u.body \
                          FROM unnest($2::text[], $3::bigint[], $4::boolean[], $5::text[]) \
                          AS u (id, created, deleted, body)";
        REPLACE_CUSTOMER = "UPDATE cusp.customers SET created = $3, deleted = $4, body = $5 \
                            WHERE account = $1 AND id = $2";
        REPLACE_CUSTOMERS = "UPDATE cusp.customers AS c SET created = u.created, deleted = u.deleted, body = u.body \
                             FROM unnest($2::text[], $3::bigint[], $4::boolean[], $5::text[]) \
                             AS u (id, created, deleted, body) WHERE c.account = $1 AND c.id = u.id";
        CUSTOMERS_NEWEST_FIRST =
            newest_first!("SELECT body FROM cusp.customers WHERE account = $1 AND NOT deleted");
        CUSTOMERS_OLDEST_FIRST =
            oldest_first!("SELECT body FROM cusp.customers WHERE account = $1 AND NOT deleted");

        CUSTOMERS_WITH_TERMS = "SELECT c.body FROM cusp.customer_terms AS t \
                                JOIN cusp.customers AS c ON c.id = t.id AND c.account = $1 \
                                WHERE t.account = $1 AND t.term = ANY($2)";
        TERMS_NEWEST_FIRST =
            newest_first!("SELECT created, id FROM cusp.customer_terms WHERE account = $1 AND term = $7");
        TERMS_OLDEST_FIRST =
            oldest_first!("SELECT created, id FROM cusp.customer_terms WHERE account = $1 AND term = $7");
        ADD_TERMS = "INSERT INTO cusp.customer_terms (account, term, created, id) \
                     SELECT $1::bigint, u.term, u.created, u.id \
                     FROM unnest($2::bigint[], $3::bigint[], $4::text[]) AS u (term, created, id)";
        REMOVE_TERMS = "DELETE FROM cusp.customer_terms AS t \
                        USING unnest($2::bigint[], $3::bigint[], $4::text[]) AS u (term, created, id) \
                        WHERE t.account = $1 AND t.term = u.term AND t.created = u.created AND t.id = u.id";

        BALANCE_TRANSACTIONS_NAMED =
            "SELECT id, body FROM cusp.balance_transactions WHERE account = $1 AND id = ANY($2)";
        PUT_BALANCE_TRANSACTIONS = "INSERT INTO cusp.balance_transactions (account, id, customer, created, body) \
                                    SELECT $1::bigint, u.id, u.customer, u.created, u.body \
                                    FROM unnest($2::text[], $3::text[], $4::bigint[], $5::text[]) \
                                    AS u (id, customer, created, body) \
                                    ON CONFLICT (account, id) DO UPDATE SET body = excluded.body";
        BALANCE_TRANSACTIONS_NEWEST_FIRST =
            newest_first!("SELECT body FROM cusp.balance_transactions WHERE account = $1 AND customer = $7");
        BALANCE_TRANSACTIONS_OLDEST_FIRST =
            oldest_first!("SELECT body FROM cusp.balance_transactions WHERE account = $1 AND customer = $7");

        EVENTS_NAMED = "SELECT id, seq, body FROM cusp.events WHERE account = $1 AND id = ANY($2)";
        APPEND_EVENT = "INSERT INTO cusp.events (account, seq, id, kind, created, object, body) \
                        VALUES ($1, $2, $3, $4, $5, $6, $7)";
        APPEND_EVENTS = "INSERT INTO cusp.events (account, seq, id, kind, created, object, body) \
                         SELECT $1::bigint, u.seq, u.id, u.kind, u.created, u.object, u.body \
                         FROM unnest($2::bigint[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::text[]) \
                         AS u (seq, id, kind, created, object, body)";
        /// Finds the places by the index alone and then reads the events at them.
        EVENTS_NEWEST_FIRST = "SELECT e.seq, e.body FROM cusp.events AS e WHERE e.account = $1 AND e.seq IN (\
                               SELECT seq FROM cusp.events WHERE account = $1 AND seq > $2 AND seq < $3 \
                               AND created >= $4 AND created < $5 AND ($6::text[] IS NULL OR kind = ANY($6)) \
                               ORDER BY seq DESC LIMIT $7) ORDER BY e.seq DESC";
        DELIVERED_NEWEST_FIRST = delivered!(
            "SELECT e.seq, e.body FROM cusp.events AS e WHERE e.account = $1 AND e.seq > $2 AND e.seq < $3",
            " ORDER BY e.seq DESC LIMIT $7"
        );
        DELIVERED_OLDEST_FIRST = delivered!(
            "SELECT e.seq, e.body FROM cusp.events AS e WHERE e.account = $1 AND e.seq > $2 AND e.seq < $3",
            " ORDER BY e.seq LIMIT $7"
        );
        EVENTS_OLDEST_FIRST = "SELECT e.seq, e.body FROM cusp.events AS e WHERE e.account = $1 AND e.seq IN (\
                               SELECT seq FROM cusp.events WHERE account = $1 AND seq > $2 AND seq < $3 \
                               AND created >= $4 AND created < $5 AND ($6::text[] IS NULL OR kind = ANY($6)) \
                               ORDER BY seq LIMIT $7) ORDER BY e.seq";

        EVENT_PLACES = "SELECT seq FROM cusp.events WHERE account = $1 AND seq > $2 AND kind = ANY($3) \
                        ORDER BY seq LIMIT $4";

        REPLY_NAMED = "SELECT key, endpoint, parameters, request, created, status, headers, body FROM cusp.replies \
                       WHERE account = $1 AND key = $2";
        REPLIES_NAMED = "SELECT key, endpoint, parameters, request, created, status, headers, body FROM cusp.replies \
                         WHERE account = $1 AND key = ANY($2)";
        PUT_REPLY = "INSERT INTO cusp.replies \
                     (account, key, endpoint, parameters, request, created, status, headers, body) \
                     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) \
                     ON CONFLICT (account, key) DO UPDATE SET endpoint = excluded.endpoint, \
                     parameters = excluded.parameters, request = excluded.request, created = excluded.created, \
                     status = excluded.status, headers = excluded.headers, body = excluded.body";
        PUT_REPLIES = "INSERT INTO cusp.replies \
                       (account, key, endpoint, parameters, request, created, status, headers, body) \
                       SELECT $1::bigint, u.key, u.endpoint, u.parameters, u.request, u.created, u.status, u.headers, \
                       u.body FROM unnest($2::text[], $3::text[], $4::bytea[], $5::text[], $6::bigint[], $7::bigint[], \
                       $8::text[], $9::bytea[]) \
                       AS u (key, endpoint, parameters, request, created, status, headers, body) \
                       ON CONFLICT (account, key) DO UPDATE SET endpoint = excluded.endpoint, \
                       parameters = excluded.parameters, request = excluded.request, created = excluded.created, \
                       status = excluded.status, headers = excluded.headers, body = excluded.body";
        OBJECTS_NAMED = "SELECT o.kind, o.id, o.created, o.body FROM unnest($2::text[], $3::text[]) AS u (kind, id) \
                         JOIN cusp.objects AS o ON o.kind = u.kind AND o.id = u.id WHERE o.account = $1";
        PUT_OBJECTS = "INSERT INTO cusp.objects (account, kind, id, created, body) \
                       SELECT $1::bigint, u.kind, u.id, u.created, u.body \
                       FROM unnest($2::text[], $3::text[], $4::bigint[], $5::text[]) AS u (kind, id, created, body) \
                       ON CONFLICT (account, kind, id) DO UPDATE SET created = excluded.created, \
                       body = excluded.body";
        REMOVE_OBJECTS = "DELETE FROM cusp.objects AS o USING unnest($2::text[], $3::text[]) AS u (kind, id) \
                          WHERE o.account = $1 AND o.kind = u.kind AND o.id = u.id";
        JOIN_LISTS = "INSERT INTO cusp.object_lists (account, list, created, id, kind) \
                      SELECT $1::bigint, u.list, u.created, u.id, u.kind \
                      FROM unnest($2::bigint[], $3::bigint[], $4::text[], $5::text[]) AS u (list, created, id, kind)";
        LEAVE_LISTS = "DELETE FROM cusp.object_lists AS l \
                       USING unnest($2::bigint[], $3::bigint[], $4::text[]) AS u (list, created, id) \
                       WHERE l.account = $1 AND l.list = u.list AND l.created = u.created AND l.id = u.id";
        SHORT_LIST = "SELECT o.kind, o.id, o.created, o.body FROM cusp.object_lists AS l \
                      JOIN cusp.objects AS o ON o.kind = l.kind AND o.id = l.id AND o.account = $1 \
                      WHERE l.account = $1 AND l.list = $2 ORDER BY l.created DESC, l.id DESC LIMIT $3";
        OBJECTS_NEWEST_FIRST = "SELECT o.kind, o.id, o.created, o.body FROM cusp.object_lists AS l \
                                JOIN cusp.objects AS o ON o.kind = l.kind AND o.id = l.id AND o.account = $1 \
                                WHERE l.account = $1 AND l.list = $7 AND (l.created, l.id) > ($2, $3) \
                                AND (l.created, l.id) < ($4, $5) ORDER BY l.created DESC, l.id DESC LIMIT $6";
        OBJECTS_OLDEST_FIRST = "SELECT o.kind, o.id, o.created, o.body FROM cusp.object_lists AS l \
                                JOIN cusp.objects AS o ON o.kind = l.kind AND o.id = l.id AND o.account = $1 \
                                WHERE l.account = $1 AND l.list = $7 AND (l.created, l.id) > ($2, $3) \
                                AND (l.created, l.id) < ($4, $5) ORDER BY l.created, l.id LIMIT $6";
        DELIVERIES_NAMED = "SELECT id, body FROM cusp.webhook_deliveries WHERE account = $1 AND id = ANY($2)";
        PUT_DELIVERIES = "INSERT INTO cusp.webhook_deliveries (account, id, endpoint, event, state, due, created, body) \
                          SELECT $1::bigint, u.id, u.endpoint, u.event, u.state, u.due, u.created, u.body \
                          FROM unnest($2::text[], $3::text[], $4::bigint[], $5::text[], $6::bigint[], $7::bigint[], \
                          $8::text[]) AS u (id, endpoint, event, state, due, created, body) \
                          ON CONFLICT (account, id) DO UPDATE SET state = excluded.state, due = excluded.due, \
                          body = excluded.body";
        FORGET_DELIVERIES = "DELETE FROM cusp.webhook_deliveries WHERE account = $1 AND id = ANY($2) \
                             AND due = 9223372036854775807";
        DELIVERIES = "SELECT body FROM cusp.webhook_deliveries WHERE account = $1 \
                      AND ($2::text IS NULL OR state = $2) AND (event, id) < ($3, $4) \
                      ORDER BY event DESC, id DESC LIMIT $5";
        DELIVERIES_OF_ENDPOINT = "SELECT body FROM cusp.webhook_deliveries WHERE account = $1 AND endpoint = $6 \
                                  AND ($2::text IS NULL OR state = $2) AND (event, id) < ($3, $4) \
                                  ORDER BY event DESC, id DESC LIMIT $5";
        DELIVERIES_OF_EVENT = "SELECT body FROM cusp.webhook_deliveries WHERE account = $1 AND event = $6 \
                               AND ($7::text IS NULL OR endpoint = $7) \
                               AND ($2::text IS NULL OR state = $2) AND (event, id) < ($3, $4) \
                               ORDER BY event DESC, id DESC LIMIT $5";
        OPEN_DELIVERIES = "SELECT event, count(id) FROM cusp.webhook_deliveries WHERE account = $1 AND event = ANY($2) \
                           AND state = 'pending' GROUP BY event";
        DUE_DELIVERIES = "SELECT body FROM cusp.webhook_deliveries WHERE account = $1 AND endpoint = $2 AND due <= $3 \
                          AND due < 9223372036854775807 ORDER BY due, event, id LIMIT $4";
        QUEUES_NAMED = "SELECT endpoint, due, owner, leased, failing FROM cusp.webhook_queues \
                        WHERE account = $1 AND endpoint = ANY($2)";
        PUT_QUEUES = "INSERT INTO cusp.webhook_queues (account, endpoint, due, owner, leased, failing) \
                      SELECT $1::bigint, u.endpoint, u.due, u.owner, u.leased, u.failing \
                      FROM unnest($2::text[], $3::bigint[], $4::text[], $5::bigint[], $6::bigint[]) \
                      AS u (endpoint, due, owner, leased, failing) ON CONFLICT (account, endpoint) \
                      DO UPDATE SET due = excluded.due, owner = excluded.owner, leased = excluded.leased, \
                      failing = excluded.failing";
        CALL_QUEUES = "UPDATE cusp.webhook_queues AS q SET due = u.due FROM unnest($2::text[], $3::bigint[]) \
                       AS u (endpoint, due) WHERE q.account = $1 AND q.endpoint = u.endpoint AND q.due > u.due";
        FORGET_REPLIES = "DELETE FROM cusp.replies WHERE account = $1 AND key = ANY($2) AND created < $3";
    }
    across {
        EVERY_ACCOUNT = "SELECT account, body FROM cusp.accounts";
        EVERY_API_KEY = "SELECT digest, body FROM cusp.api_keys";
        OLD_REPLIES = "SELECT account, key FROM cusp.replies WHERE created < $1 ORDER BY created LIMIT $2";
        OLD_DELIVERIES = "SELECT account, id FROM cusp.webhook_deliveries WHERE created < $1 \
                          AND due = 9223372036854775807 ORDER BY created LIMIT $2";
        QUEUES_DUE = "SELECT endpoint, due, owner, leased, failing, account FROM cusp.webhook_queues WHERE due <= $1 \
                      AND due < 9223372036854775807 AND (owner = $2 OR leased <= $1) ORDER BY due LIMIT $3";
    }
}

#[cfg(test)]
mod tests {
    use super::{ACROSS, OF_ONE_ACCOUNT};

    /// What not every database of the family has, or has in another way.
    const NOT_PORTABLE: [&str; 9] =
        ["pg_advisory", "listen ", "notify ", "savepoint", "create trigger", "serial", "skip locked", "ctid", "merge "];

    #[test]
    fn every_statement_of_a_request_names_its_account() {
        for sql in OF_ONE_ACCOUNT {
            let named = if sql.starts_with("INSERT") {
                sql.contains(" (account, ") && (sql.contains("SELECT $1::bigint, ") || sql.contains("VALUES ($1, "))
            } else {
                let tables = sql.matches("cusp.").count();
                let names = sql.matches("account = $1").count();
                tables == names
            };
            assert!(named, "{sql}");
        }
    }

    #[test]
    fn what_is_about_all_accounts_only_reads() {
        assert!(ACROSS.iter().all(|sql| sql.starts_with("SELECT ")));
    }

    #[test]
    fn statements_are_in_the_common_language() {
        for sql in OF_ONE_ACCOUNT.iter().chain(ACROSS) {
            let lower = sql.to_lowercase();
            assert!(NOT_PORTABLE.iter().all(|word| !lower.contains(word)), "{sql}");
            assert!(!lower.contains('*'), "columns are named: {sql}");
        }
    }
}
