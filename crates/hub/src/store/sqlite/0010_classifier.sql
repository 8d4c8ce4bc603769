-- Messages that wait for their classification, and until when somebody is at work on each. Their events are not over.
CREATE TABLE unclassified (
    event     INTEGER PRIMARY KEY,
    workspace INTEGER NOT NULL REFERENCES workspace (id),
    until_ms  INTEGER NOT NULL
) STRICT;
CREATE INDEX unclassified_by_workspace ON unclassified (workspace, event);

-- What models have cost, by day (UTC).
CREATE TABLE classifier_use (
    workspace INTEGER NOT NULL REFERENCES workspace (id),
    day       TEXT NOT NULL,
    requests  INTEGER NOT NULL,
    tokens    INTEGER NOT NULL,
    PRIMARY KEY (workspace, day)
) STRICT, WITHOUT ROWID;
