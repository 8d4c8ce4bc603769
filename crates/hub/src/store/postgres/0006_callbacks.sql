-- What pushers have sent, exactly as it came, and what became of it.
CREATE TABLE callback (
    id          bigint PRIMARY KEY,
    workspace   bigint NOT NULL REFERENCES workspace (id),
    source      text NOT NULL,
    received_ms bigint NOT NULL,
    request     text NOT NULL,
    body        bytea NOT NULL,
    delivery    text,
    state       smallint NOT NULL,
    round       integer NOT NULL DEFAULT 0,
    tries       integer NOT NULL DEFAULT 0,
    due_ms      bigint NOT NULL,
    settled_ms  bigint,
    repeats     integer NOT NULL DEFAULT 0,
    notes       text NOT NULL DEFAULT '[]',
    problem     text,
    made        text NOT NULL DEFAULT '{}'
);
CREATE UNIQUE INDEX callback_delivery ON callback (workspace, source, delivery) WHERE delivery IS NOT NULL;
CREATE INDEX callback_due ON callback (due_ms, id) WHERE state = 0;
CREATE INDEX callback_of_source ON callback (workspace, source, id);
CREATE INDEX callback_failed ON callback (workspace, source, id) WHERE state = 4;
