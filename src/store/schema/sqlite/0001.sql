-- Every key begins with the account (one account in one mode), so that no index and no counter crosses accounts. A body
-- is the JSON of src/store/record; the columns beside it are what lookups and lists need.

CREATE TABLE accounts (
    account INTEGER PRIMARY KEY,
    body    TEXT NOT NULL
) STRICT;

CREATE TABLE api_keys (
    account INTEGER NOT NULL,
    digest  BLOB NOT NULL,
    body    TEXT NOT NULL,
    UNIQUE (account, digest)
) STRICT;

-- Rows with a body are ordinary tables: a large row would make the pages of a key-ordered one hold too few.
CREATE TABLE customers (
    account INTEGER NOT NULL,
    id      TEXT NOT NULL,
    created INTEGER NOT NULL,
    deleted INTEGER NOT NULL,
    body    TEXT NOT NULL,
    UNIQUE (account, id)
) STRICT;

CREATE INDEX customers_live ON customers (account, created, id) WHERE deleted = 0;

-- The digests of the words that a customer can be found by, in the order of lists.
CREATE TABLE customer_terms (
    account INTEGER NOT NULL,
    term    INTEGER NOT NULL,
    created INTEGER NOT NULL,
    id      TEXT NOT NULL,
    PRIMARY KEY (account, term, created, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE balance_transactions (
    account  INTEGER NOT NULL,
    id       TEXT NOT NULL,
    customer TEXT NOT NULL,
    created  INTEGER NOT NULL,
    body     TEXT NOT NULL,
    UNIQUE (account, id)
) STRICT;

CREATE INDEX balance_transactions_of_customer ON balance_transactions (account, customer, created, id);

CREATE TABLE events (
    account INTEGER NOT NULL,
    seq     INTEGER NOT NULL,
    id      TEXT NOT NULL,
    kind    TEXT NOT NULL,
    created INTEGER NOT NULL,
    object  TEXT NOT NULL,
    body    TEXT NOT NULL,
    UNIQUE (account, id)
) STRICT;

-- A list of some kinds, or of some time, walks this one and reads no body that it does not show. That no two events have
-- one place is the writer's care; a unique index of its own would cost every event one more page.
CREATE INDEX events_in_order ON events (account, seq, kind, created);

CREATE TABLE replies (
    account    INTEGER NOT NULL,
    key        TEXT NOT NULL,
    endpoint   TEXT NOT NULL,
    parameters BLOB NOT NULL,
    request    TEXT NOT NULL,
    created    INTEGER NOT NULL,
    status     INTEGER NOT NULL,
    headers    TEXT NOT NULL,
    body       BLOB NOT NULL,
    UNIQUE (account, key)
) STRICT;

-- Pruning is the one thing that asks across accounts.
CREATE INDEX replies_by_age ON replies (created);
