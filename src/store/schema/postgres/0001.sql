-- Every key begins with the account (one account in one mode), so that no index and no counter crosses accounts and the
-- tables can be spread over machines by account. A body is the JSON of src/store/record; the columns beside it are what
-- lookups and lists need. Texts that are compared by place are compared by their bytes.

-- One row for each account that was written to. Whoever writes for an account holds its row from the first look to the
-- commit: so one server at a time does, and events are numbered in the order of commits.
--   seq     the place of its newest event
--   moment  when it was written to last, in milliseconds
--   turns   the latest transactions of the servers that wrote last, so that a server whose connection broke in a commit
--           can find out what became of it
CREATE TABLE cusp.heads (
    account BIGINT PRIMARY KEY,
    seq     BIGINT NOT NULL,
    moment  BIGINT NOT NULL,
    turns   TEXT NOT NULL
) WITH (fillfactor = 50);

CREATE TABLE cusp.accounts (
    account BIGINT PRIMARY KEY,
    body    TEXT NOT NULL
);

CREATE TABLE cusp.api_keys (
    account BIGINT NOT NULL,
    digest  BYTEA NOT NULL,
    body    TEXT NOT NULL,
    PRIMARY KEY (account, digest)
);

-- Room is left in each page, so that a changed customer stays where it was and no index hears of it.
CREATE TABLE cusp.customers (
    account BIGINT NOT NULL,
    id      TEXT COLLATE "C" NOT NULL,
    created BIGINT NOT NULL,
    deleted BOOLEAN NOT NULL,
    body    TEXT NOT NULL,
    PRIMARY KEY (account, id)
) WITH (fillfactor = 80);

CREATE INDEX customers_live ON cusp.customers (account, created, id) WHERE NOT deleted;

-- The digests of the words that a customer can be found by, in the order of lists.
CREATE TABLE cusp.customer_terms (
    account BIGINT NOT NULL,
    term    BIGINT NOT NULL,
    created BIGINT NOT NULL,
    id      TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (account, term, created, id)
);

CREATE TABLE cusp.balance_transactions (
    account  BIGINT NOT NULL,
    id       TEXT COLLATE "C" NOT NULL,
    customer TEXT COLLATE "C" NOT NULL,
    created  BIGINT NOT NULL,
    body     TEXT NOT NULL,
    PRIMARY KEY (account, id)
);

CREATE INDEX balance_transactions_of_customer ON cusp.balance_transactions (account, customer, created, id);

CREATE TABLE cusp.events (
    account BIGINT NOT NULL,
    seq     BIGINT NOT NULL,
    id      TEXT COLLATE "C" NOT NULL,
    kind    TEXT COLLATE "C" NOT NULL,
    created BIGINT NOT NULL,
    object  TEXT COLLATE "C" NOT NULL,
    body    TEXT NOT NULL,
    PRIMARY KEY (account, id)
);

-- A list of some kinds, or of some time, walks this one and reads no body that it does not show.
CREATE UNIQUE INDEX events_in_order ON cusp.events (account, seq) INCLUDE (kind, created);

CREATE TABLE cusp.replies (
    account    BIGINT NOT NULL,
    key        TEXT COLLATE "C" NOT NULL,
    endpoint   TEXT NOT NULL,
    parameters BYTEA NOT NULL,
    request    TEXT NOT NULL,
    created    BIGINT NOT NULL,
    status     BIGINT NOT NULL,
    headers    TEXT NOT NULL,
    body       BYTEA NOT NULL,
    PRIMARY KEY (account, key)
);

-- Housekeeping is the one thing that asks across accounts.
CREATE INDEX replies_by_age ON cusp.replies (created);
