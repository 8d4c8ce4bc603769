-- Records of all kinds, and what they are known by.
CREATE TABLE record (
    id          INTEGER PRIMARY KEY,
    workspace   INTEGER NOT NULL REFERENCES workspace (id),
    object      TEXT NOT NULL,
    title       TEXT NOT NULL,
    data        TEXT NOT NULL,
    revision    INTEGER NOT NULL,
    source      TEXT NOT NULL,
    review      INTEGER NOT NULL,
    merged_into INTEGER,
    created_ms  INTEGER NOT NULL,
    updated_ms  INTEGER NOT NULL
) STRICT;
CREATE INDEX record_list ON record (workspace, object, id) WHERE merged_into IS NULL;
CREATE INDEX record_by_change ON record (workspace, object, updated_ms, id) WHERE merged_into IS NULL;
CREATE INDEX record_merged ON record (merged_into) WHERE merged_into IS NOT NULL;

-- `shared`: another record had the key first. Among the others a key is there once: that is what makes two records one.
CREATE TABLE record_key (
    record    INTEGER NOT NULL,
    kind      TEXT NOT NULL,
    value     TEXT NOT NULL,
    workspace INTEGER NOT NULL,
    object    TEXT NOT NULL,
    shared    INTEGER NOT NULL,
    PRIMARY KEY (record, kind, value)
) STRICT, WITHOUT ROWID;
CREATE INDEX record_by_key ON record_key (workspace, object, kind, value);
CREATE UNIQUE INDEX record_identity ON record_key (workspace, object, kind, value) WHERE shared = 0;

-- By which key a record was found; the last hundred of each.
CREATE TABLE record_match (
    id        INTEGER PRIMARY KEY,
    workspace INTEGER NOT NULL,
    record    INTEGER NOT NULL,
    at_ms     INTEGER NOT NULL,
    source    TEXT NOT NULL,
    kind      TEXT NOT NULL,
    value     TEXT NOT NULL,
    outcome   TEXT NOT NULL
) STRICT;
CREATE INDEX record_match_of ON record_match (record, id);

CREATE TABLE record_merge (
    id        INTEGER PRIMARY KEY,
    workspace INTEGER NOT NULL,
    object    TEXT NOT NULL,
    winner    INTEGER NOT NULL,
    loser     INTEGER NOT NULL,
    at_ms     INTEGER NOT NULL,
    undone_ms INTEGER,
    story     TEXT NOT NULL
) STRICT;
CREATE INDEX record_merge_winner ON record_merge (winner, id);
CREATE INDEX record_merge_loser ON record_merge (loser, id);

-- Two records that may be one; `one` is the older.
CREATE TABLE duplicate (
    id         INTEGER PRIMARY KEY,
    workspace  INTEGER NOT NULL,
    object     TEXT NOT NULL,
    one        INTEGER NOT NULL,
    other      INTEGER NOT NULL,
    kind       TEXT NOT NULL,
    value      TEXT NOT NULL,
    state      INTEGER NOT NULL,
    found_ms   INTEGER NOT NULL,
    decided_ms INTEGER,
    UNIQUE (one, other)
) STRICT;
CREATE INDEX duplicate_list ON duplicate (workspace, state, id);
CREATE INDEX duplicate_other ON duplicate (other);
