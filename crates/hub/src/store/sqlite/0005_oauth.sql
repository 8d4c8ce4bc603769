-- The access token of a connection, sealed, and when the sign-in that it comes from ends.
CREATE TABLE access (
    connection    INTEGER PRIMARY KEY,
    sealed        BLOB NOT NULL,
    grant_ends_ms INTEGER
) STRICT;

-- People who were sent to a vendor's page and are expected back. `state` is the SHA-256 of what they come back with.
CREATE TABLE sign_in (
    state      BLOB PRIMARY KEY,
    workspace  INTEGER NOT NULL,
    connection INTEGER NOT NULL,
    sealed     BLOB NOT NULL,
    expires_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
