-- Records of all kinds, and what they are known by.
CREATE TABLE record (
    id          bigint PRIMARY KEY,
    workspace   bigint NOT NULL REFERENCES workspace (id),
    object      text NOT NULL,
    title       text NOT NULL,
    data        text NOT NULL,
    revision    bigint NOT NULL,
    source      text NOT NULL,
    review      smallint NOT NULL,
    merged_into bigint,
    created_ms  bigint NOT NULL,
    updated_ms  bigint NOT NULL
);
CREATE INDEX record_list ON record (workspace, object, id) WHERE merged_into IS NULL;
CREATE INDEX record_by_change ON record (workspace, object, updated_ms, id) WHERE merged_into IS NULL;
CREATE INDEX record_merged ON record (merged_into) WHERE merged_into IS NOT NULL;

-- `shared`: another record had the key first. Among the others a key is there once: that is what makes two records one.
CREATE TABLE record_key (
    record    bigint NOT NULL,
    kind      text COLLATE "C" NOT NULL,
    value     text COLLATE "C" NOT NULL,
    workspace bigint NOT NULL,
    object    text COLLATE "C" NOT NULL,
    shared    smallint NOT NULL,
    PRIMARY KEY (record, kind, value)
);
CREATE INDEX record_by_key ON record_key (workspace, object, kind, value);
CREATE UNIQUE INDEX record_identity ON record_key (workspace, object, kind, value) WHERE shared = 0;

-- By which key a record was found; the last hundred of each.
CREATE TABLE record_match (
    id        bigint PRIMARY KEY,
    workspace bigint NOT NULL,
    record    bigint NOT NULL,
    at_ms     bigint NOT NULL,
    source    text NOT NULL,
    kind      text NOT NULL,
    value     text NOT NULL,
    outcome   text NOT NULL
);
CREATE INDEX record_match_of ON record_match (record, id);

CREATE TABLE record_merge (
    id        bigint PRIMARY KEY,
    workspace bigint NOT NULL,
    object    text NOT NULL,
    winner    bigint NOT NULL,
    loser     bigint NOT NULL,
    at_ms     bigint NOT NULL,
    undone_ms bigint,
    story     text NOT NULL
);
CREATE INDEX record_merge_winner ON record_merge (winner, id);
CREATE INDEX record_merge_loser ON record_merge (loser, id);

-- Two records that may be one; `one` is the older.
CREATE TABLE duplicate (
    id         bigint PRIMARY KEY,
    workspace  bigint NOT NULL,
    object     text NOT NULL,
    one        bigint NOT NULL,
    other      bigint NOT NULL,
    kind       text NOT NULL,
    value      text NOT NULL,
    state      smallint NOT NULL,
    found_ms   bigint NOT NULL,
    decided_ms bigint,
    UNIQUE (one, other)
);
CREATE INDEX duplicate_list ON duplicate (workspace, state, id);
CREATE INDEX duplicate_other ON duplicate (other);
