-- Messages that wait for their classification, and until when somebody is at work on each.
CREATE TABLE unclassified (
    event     bigint PRIMARY KEY,
    workspace bigint NOT NULL REFERENCES workspace (id),
    until_ms  bigint NOT NULL
);
CREATE INDEX unclassified_by_workspace ON unclassified (workspace, event);

-- What models have cost, by day (UTC).
CREATE TABLE classifier_use (
    workspace bigint NOT NULL REFERENCES workspace (id),
    day       text NOT NULL,
    requests  bigint NOT NULL,
    tokens    bigint NOT NULL,
    PRIMARY KEY (workspace, day)
);
