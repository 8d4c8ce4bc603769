-- Runs of automations. A run keeps to the version of the automation with which it began.
CREATE TABLE automation_version (
    workspace INTEGER NOT NULL,
    digest    BLOB NOT NULL,
    body      TEXT NOT NULL,
    PRIMARY KEY (workspace, digest)
) STRICT, WITHOUT ROWID;

-- States from 10 on are over. `due_ms` of a run that somebody has taken is when somebody else may take it.
CREATE TABLE run (
    id         INTEGER PRIMARY KEY,
    workspace  INTEGER NOT NULL,
    automation TEXT NOT NULL,
    version    BLOB NOT NULL,
    event      INTEGER NOT NULL,
    kept       TEXT,
    chain      TEXT NOT NULL,
    state      INTEGER NOT NULL,
    step       INTEGER NOT NULL,
    attempts   INTEGER NOT NULL,
    due_ms     INTEGER NOT NULL,
    fence      INTEGER NOT NULL,
    problem    TEXT,
    ended_ms   INTEGER
) STRICT;
CREATE INDEX run_due ON run (due_ms) WHERE state < 10;
CREATE INDEX run_of_automation ON run (workspace, automation, id);
CREATE INDEX run_of_event ON run (event);

CREATE TABLE run_step (
    run       INTEGER NOT NULL,
    step      INTEGER NOT NULL,
    workspace INTEGER NOT NULL,
    name      TEXT NOT NULL,
    action    TEXT NOT NULL,
    outcome   INTEGER NOT NULL,
    result    TEXT NOT NULL,
    detail    TEXT NOT NULL,
    problem   TEXT,
    at_ms     INTEGER NOT NULL,
    PRIMARY KEY (run, step)
) STRICT, WITHOUT ROWID;

-- Whose turn it is where people take turns.
CREATE TABLE rotation (
    workspace  INTEGER NOT NULL,
    automation TEXT NOT NULL,
    step       TEXT NOT NULL,
    turn       INTEGER NOT NULL,
    PRIMARY KEY (workspace, automation, step)
) STRICT, WITHOUT ROWID;
