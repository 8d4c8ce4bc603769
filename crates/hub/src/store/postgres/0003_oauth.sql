-- The access token of a connection, sealed, so that every node uses the same one, and when the sign-in that it comes from ends.
CREATE TABLE access (
    connection    bigint PRIMARY KEY,
    sealed        bytea NOT NULL,
    grant_ends_ms bigint
);

-- People who were sent to a vendor's page and are expected back. `state` is the SHA-256 of what they come back with.
CREATE TABLE sign_in (
    state      bytea PRIMARY KEY,
    workspace  bigint NOT NULL,
    connection bigint NOT NULL,
    sealed     bytea NOT NULL,
    expires_ms bigint NOT NULL
);
