-- What pushers have sent, exactly as it came, and what became of it.
CREATE TABLE callback (
    id          INTEGER PRIMARY KEY,
    workspace   INTEGER NOT NULL REFERENCES workspace (id),
    source      TEXT NOT NULL,
    received_ms INTEGER NOT NULL,
    request     TEXT NOT NULL,
    body        BLOB NOT NULL,
    delivery    TEXT,
    state       INTEGER NOT NULL,
    round       INTEGER NOT NULL DEFAULT 0,
    tries       INTEGER NOT NULL DEFAULT 0,
    due_ms      INTEGER NOT NULL,
    settled_ms  INTEGER,
    repeats     INTEGER NOT NULL DEFAULT 0,
    notes       TEXT NOT NULL DEFAULT '[]',
    problem     TEXT,
    made        TEXT NOT NULL DEFAULT '{}'
) STRICT;
CREATE UNIQUE INDEX callback_delivery ON callback (workspace, source, delivery) WHERE delivery IS NOT NULL;
CREATE INDEX callback_due ON callback (due_ms, id) WHERE state = 0;
CREATE INDEX callback_of_source ON callback (workspace, source, id);
CREATE INDEX callback_failed ON callback (workspace, source, id) WHERE state = 4;
