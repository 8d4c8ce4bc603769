-- What is in doubt about a record when the delivery that it arose with was given up.
CREATE TABLE link_doubt (
    connection INTEGER NOT NULL,
    object     TEXT NOT NULL,
    record_key TEXT NOT NULL,
    doubt_ms   INTEGER NOT NULL,
    operation  TEXT,
    means      TEXT,
    PRIMARY KEY (connection, object, record_key)
) STRICT, WITHOUT ROWID;
