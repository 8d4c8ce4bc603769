-- Hot tables are keyed by ids that sort by time, so that new rows land at the end of every tree.

CREATE TABLE workspace (
    id   INTEGER PRIMARY KEY,
    key  TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE api_key (
    id         INTEGER PRIMARY KEY,
    workspace  INTEGER NOT NULL REFERENCES workspace (id),
    name       TEXT NOT NULL,
    hash       BLOB NOT NULL UNIQUE,
    created_ms INTEGER NOT NULL,
    revoked_ms INTEGER
) STRICT;

-- One row; grows with each change of connections and routes, so that every process sees that there is one.
CREATE TABLE revision (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    number   INTEGER NOT NULL
) STRICT;
INSERT INTO revision VALUES (1, 0);

CREATE TABLE connection (
    id         INTEGER PRIMARY KEY,
    workspace  INTEGER NOT NULL REFERENCES workspace (id),
    key        TEXT NOT NULL,
    spec       TEXT NOT NULL,
    sealed     BLOB NOT NULL,
    state      INTEGER NOT NULL,
    reason     TEXT,
    facts      TEXT NOT NULL DEFAULT '{}',
    changed_ms INTEGER NOT NULL,
    UNIQUE (workspace, key)
) STRICT;

CREATE TABLE route (
    id         INTEGER PRIMARY KEY,
    workspace  INTEGER NOT NULL REFERENCES workspace (id),
    key        TEXT NOT NULL,
    spec       TEXT NOT NULL,
    changed_ms INTEGER NOT NULL,
    UNIQUE (workspace, key)
) STRICT;

CREATE TABLE event (
    id          INTEGER PRIMARY KEY,
    workspace   INTEGER NOT NULL,
    kind        TEXT NOT NULL,
    received_ms INTEGER NOT NULL,
    data        TEXT NOT NULL,
    note        TEXT
) STRICT;

-- What must not come twice: a sender's message id, an Idempotency-Key.
CREATE TABLE seen (
    workspace INTEGER NOT NULL,
    key       BLOB NOT NULL,
    content   BLOB NOT NULL,
    event     INTEGER NOT NULL,
    PRIMARY KEY (workspace, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE delivery (
    id             INTEGER PRIMARY KEY,
    workspace      INTEGER NOT NULL,
    event          INTEGER NOT NULL,
    connection     INTEGER NOT NULL,
    object         TEXT NOT NULL,
    record_key     TEXT NOT NULL,
    options        TEXT,
    state          INTEGER NOT NULL,
    attempts       INTEGER NOT NULL DEFAULT 0,
    due_ms         INTEGER NOT NULL,
    doubt_ms       INTEGER,
    operation      TEXT,
    request_digest BLOB,
    settled_ms     INTEGER,
    external_id    TEXT,
    problem        TEXT
) STRICT;

-- The outbox proper: only what is not settled is in it.
CREATE INDEX outbox ON delivery (connection, id) WHERE state < 10;
CREATE INDEX delivery_by_event ON delivery (event);
CREATE INDEX delivery_ended_badly ON delivery (workspace, id) WHERE state = 11;

CREATE TABLE attempt (
    id          INTEGER PRIMARY KEY,
    workspace   INTEGER NOT NULL,
    delivery    INTEGER NOT NULL,
    started_ms  INTEGER NOT NULL,
    duration_ms INTEGER NOT NULL,
    operation   TEXT NOT NULL,
    request     TEXT NOT NULL,
    status      INTEGER,
    answer      TEXT NOT NULL,
    outcome     TEXT NOT NULL
) STRICT;
CREATE INDEX attempt_by_delivery ON attempt (delivery);

CREATE TABLE link (
    connection  INTEGER NOT NULL,
    object      TEXT NOT NULL,
    record_key  TEXT NOT NULL,
    external_id TEXT NOT NULL,
    PRIMARY KEY (connection, object, record_key)
) STRICT, WITHOUT ROWID;

-- Counts by connection, kept with each settlement so that no list has to count.
CREATE TABLE tally (
    connection        INTEGER PRIMARY KEY,
    delivered         INTEGER NOT NULL DEFAULT 0,
    last_delivered_ms INTEGER
) STRICT;
