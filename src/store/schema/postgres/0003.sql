-- Another number after each change of the account's webhook endpoints, 0 before the first, so that a server knows whether
-- those that it remembers are the ones there are.
ALTER TABLE cusp.heads ADD COLUMN listeners BIGINT NOT NULL DEFAULT 0;

-- That an endpoint is to be told of an event, and what came of it.
--   event  the event's place in the account's history
--   due    when it is to be sent, in milliseconds; 9223372036854775807 when it is not
CREATE TABLE cusp.webhook_deliveries (
    account  BIGINT NOT NULL,
    id       TEXT COLLATE "C" NOT NULL,
    endpoint TEXT COLLATE "C" NOT NULL,
    event    BIGINT NOT NULL,
    state    TEXT NOT NULL,
    due      BIGINT NOT NULL,
    created  BIGINT NOT NULL,
    body     TEXT NOT NULL,
    PRIMARY KEY (account, id)
);

CREATE INDEX webhook_deliveries_of_event ON cusp.webhook_deliveries (account, event, id);

CREATE INDEX webhook_deliveries_of_endpoint ON cusp.webhook_deliveries (account, endpoint, event, id);

CREATE INDEX webhook_deliveries_due ON cusp.webhook_deliveries (account, endpoint, due, event, id)
    WHERE due < 9223372036854775807;

CREATE INDEX webhook_deliveries_by_age ON cusp.webhook_deliveries (created);

-- What is to be sent to an endpoint, as a whole: one server at a time works on it.
--   due      when something in it is due; 9223372036854775807 while nothing is
--   owner    the server that works on it, until the moment in leased
--   failing  since when every attempt has failed; 9223372036854775807 while not
CREATE TABLE cusp.webhook_queues (
    account  BIGINT NOT NULL,
    endpoint TEXT COLLATE "C" NOT NULL,
    due      BIGINT NOT NULL,
    owner    TEXT NOT NULL,
    leased   BIGINT NOT NULL,
    failing  BIGINT NOT NULL,
    PRIMARY KEY (account, endpoint)
);

CREATE INDEX webhook_queues_due ON cusp.webhook_queues (due) WHERE due < 9223372036854775807;
