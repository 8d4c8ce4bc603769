-- What accounts were found to have: fields of their objects, values of settings. It can be asked for again at any time.
CREATE TABLE discovered (
    connection INTEGER NOT NULL,
    part       TEXT NOT NULL,
    account    BLOB NOT NULL,
    found_ms   INTEGER NOT NULL,
    content    TEXT NOT NULL,
    PRIMARY KEY (connection, part)
) STRICT, WITHOUT ROWID;
