-- Fingerprints are digests: an index of millions of them is written at another page with each event. So new ones go into a small table, and
-- when their day is over they move, in the order of the index, to those that are only read.
CREATE TABLE recent (
    workspace bigint NOT NULL,
    key       bytea NOT NULL,
    content   bytea NOT NULL,
    event     bigint NOT NULL,
    PRIMARY KEY (workspace, key)
);

-- How far they have moved: what is of ids below `copied` is in `seen` as well, what is of ids below `removed` no longer in `recent`. What was
-- committed late may be left behind until the next day.
CREATE TABLE recent_moved (
    only_row boolean PRIMARY KEY CHECK (only_row),
    copied   bigint NOT NULL,
    removed  bigint NOT NULL
);
INSERT INTO recent_moved VALUES (true, 0, 0);
