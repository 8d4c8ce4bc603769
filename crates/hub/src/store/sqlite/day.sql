-- One day of the history, by the day (UTC) that an id names. Rows come in the order of their ids and are never changed.

CREATE TABLE event (
    id          INTEGER PRIMARY KEY,
    workspace   INTEGER NOT NULL,
    kind        TEXT NOT NULL,
    received_ms INTEGER NOT NULL,
    data        TEXT NOT NULL,
    note        TEXT
) STRICT;
CREATE INDEX event_by_workspace ON event (workspace);

CREATE TABLE delivery (
    id             INTEGER PRIMARY KEY,
    workspace      INTEGER NOT NULL,
    event          INTEGER NOT NULL,
    connection     INTEGER NOT NULL,
    object         TEXT NOT NULL,
    record_key     TEXT NOT NULL,
    options        TEXT,
    state          INTEGER NOT NULL,
    attempts       INTEGER NOT NULL,
    due_ms         INTEGER NOT NULL,
    settled_ms     INTEGER,
    external_id    TEXT,
    problem        TEXT,
    fallback       TEXT,
    carrier        INTEGER,
    handed_over_ms INTEGER
) STRICT;
CREATE INDEX delivery_by_event ON delivery (event);
CREATE INDEX delivery_by_workspace ON delivery (workspace);
CREATE INDEX delivery_by_connection ON delivery (connection);

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
    outcome     TEXT NOT NULL,
    records     INTEGER NOT NULL
) STRICT;
CREATE INDEX attempt_by_delivery ON attempt (delivery);

-- Fingerprints in sorted runs; a run counts once its filter is there. See `seen.rs`.
CREATE TABLE seen (
    run       INTEGER NOT NULL,
    workspace INTEGER NOT NULL,
    key       BLOB NOT NULL,
    content   BLOB NOT NULL,
    event     INTEGER NOT NULL,
    PRIMARY KEY (run, workspace, key)
) STRICT, WITHOUT ROWID;
CREATE TABLE run (
    number INTEGER PRIMARY KEY,
    filter BLOB NOT NULL
) STRICT;

PRAGMA user_version = 1;
