-- Records of the kinds that need nothing but lists.
CREATE TABLE objects (
    account INTEGER NOT NULL,
    kind    TEXT NOT NULL,
    id      TEXT NOT NULL,
    created INTEGER NOT NULL,
    body    TEXT NOT NULL,
    UNIQUE (account, kind, id)
) STRICT;

-- The lists that objects are on, by the digest of what a list is of.
CREATE TABLE object_lists (
    account INTEGER NOT NULL,
    list    INTEGER NOT NULL,
    created INTEGER NOT NULL,
    id      TEXT NOT NULL,
    kind    TEXT NOT NULL,
    PRIMARY KEY (account, list, created, id)
) STRICT, WITHOUT ROWID;
