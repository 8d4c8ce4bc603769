-- What accounts were found to have: fields of their objects, values of settings. It can be asked for again at any time.
CREATE TABLE discovered (
    connection bigint NOT NULL,
    part       text NOT NULL,
    account    bytea NOT NULL,
    found_ms   bigint NOT NULL,
    content    text NOT NULL,
    PRIMARY KEY (connection, part)
);
