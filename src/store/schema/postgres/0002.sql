-- Records of the kinds that need nothing but lists.
CREATE TABLE cusp.objects (
    account BIGINT NOT NULL,
    kind    TEXT COLLATE "C" NOT NULL,
    id      TEXT COLLATE "C" NOT NULL,
    created BIGINT NOT NULL,
    body    TEXT NOT NULL,
    PRIMARY KEY (account, kind, id)
) WITH (fillfactor = 80);

-- The lists that objects are on, by the digest of what a list is of.
CREATE TABLE cusp.object_lists (
    account BIGINT NOT NULL,
    list    BIGINT NOT NULL,
    created BIGINT NOT NULL,
    id      TEXT COLLATE "C" NOT NULL,
    kind    TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (account, list, created, id)
);
