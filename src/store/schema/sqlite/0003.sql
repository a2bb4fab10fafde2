-- That an endpoint is to be told of an event, and what came of it.
--   event  the event's place in the account's history
--   due    when it is to be sent, in milliseconds; 9223372036854775807 when it is not
CREATE TABLE webhook_deliveries (
    account  INTEGER NOT NULL,
    id       TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    event    INTEGER NOT NULL,
    state    TEXT NOT NULL,
    due      INTEGER NOT NULL,
    created  INTEGER NOT NULL,
    body     TEXT NOT NULL,
    UNIQUE (account, id)
) STRICT;

CREATE INDEX webhook_deliveries_of_event ON webhook_deliveries (account, event, id);

CREATE INDEX webhook_deliveries_of_endpoint ON webhook_deliveries (account, endpoint, event, id);

CREATE INDEX webhook_deliveries_due ON webhook_deliveries (account, endpoint, due, event, id)
    WHERE due < 9223372036854775807;

CREATE INDEX webhook_deliveries_by_age ON webhook_deliveries (created);

-- What is to be sent to an endpoint, as a whole: one server at a time works on it.
--   due      when something in it is due; 9223372036854775807 while nothing is
--   owner    the server that works on it, until the moment in leased
--   failing  since when every attempt has failed; 9223372036854775807 while not
CREATE TABLE webhook_queues (
    account  INTEGER NOT NULL,
    endpoint TEXT NOT NULL,
    due      INTEGER NOT NULL,
    owner    TEXT NOT NULL,
    leased   INTEGER NOT NULL,
    failing  INTEGER NOT NULL,
    UNIQUE (account, endpoint)
) STRICT;

CREATE INDEX webhook_queues_due ON webhook_queues (due) WHERE due < 9223372036854775807;
