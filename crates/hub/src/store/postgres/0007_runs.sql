-- Runs of automations. A run keeps to the version of the automation with which it began.
CREATE TABLE automation_version (
    workspace bigint NOT NULL,
    digest    bytea NOT NULL,
    body      text NOT NULL,
    PRIMARY KEY (workspace, digest)
);

-- States from 10 on are over. `due_ms` of a run that somebody has taken is when somebody else may take it.
CREATE TABLE run (
    id         bigint PRIMARY KEY,
    workspace  bigint NOT NULL,
    automation text NOT NULL,
    version    bytea NOT NULL,
    event      bigint NOT NULL,
    kept       text,
    chain      text NOT NULL,
    state      smallint NOT NULL,
    step       integer NOT NULL,
    attempts   integer NOT NULL,
    due_ms     bigint NOT NULL,
    fence      bigint NOT NULL,
    problem    text,
    ended_ms   bigint
);
CREATE INDEX run_due ON run (due_ms) WHERE state < 10;
CREATE INDEX run_of_automation ON run (workspace, automation, id);
CREATE INDEX run_of_event ON run (event);

CREATE TABLE run_step (
    run       bigint NOT NULL,
    step      integer NOT NULL,
    workspace bigint NOT NULL,
    name      text NOT NULL,
    action    text NOT NULL,
    outcome   smallint NOT NULL,
    result    text NOT NULL,
    detail    text NOT NULL,
    problem   text,
    at_ms     bigint NOT NULL,
    PRIMARY KEY (run, step)
);

-- Whose turn it is where people take turns.
CREATE TABLE rotation (
    workspace  bigint NOT NULL,
    automation text NOT NULL,
    step       text NOT NULL,
    turn       bigint NOT NULL,
    PRIMARY KEY (workspace, automation, step)
);
