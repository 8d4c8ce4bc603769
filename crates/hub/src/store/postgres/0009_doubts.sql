-- What is in doubt about a record when the delivery that it arose with was given up.
CREATE TABLE link_doubt (
    connection bigint NOT NULL,
    object     text NOT NULL,
    record_key text NOT NULL,
    doubt_ms   bigint NOT NULL,
    operation  text,
    means      text,
    PRIMARY KEY (connection, object, record_key)
);
