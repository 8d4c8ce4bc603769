-- What is over leaves these tables for the file of its day (`day.sql`). They stay small, whatever was accepted before.

-- Events that nothing is left to do for: they are moved next.
CREATE TABLE over (
    event INTEGER PRIMARY KEY
) STRICT;
INSERT INTO over
SELECT e.id FROM event e WHERE NOT EXISTS (SELECT 1 FROM delivery d WHERE d.event = e.id AND d.state <> 10);

-- Fingerprints on their way into the file of their day, in the order in which they came: a table that only grows at its end.
CREATE TABLE recent (
    event     INTEGER PRIMARY KEY,
    workspace INTEGER NOT NULL,
    key       BLOB NOT NULL,
    content   BLOB NOT NULL
) STRICT;
INSERT OR IGNORE INTO recent SELECT event, workspace, key, content FROM seen ORDER BY event;
DROP TABLE seen;

-- What waits and what ended badly is counted with each change, not when somebody asks.
ALTER TABLE tally ADD COLUMN pending INTEGER NOT NULL DEFAULT 0;
ALTER TABLE tally ADD COLUMN dead INTEGER NOT NULL DEFAULT 0;
INSERT INTO tally (connection, pending, dead)
SELECT connection, sum(state < 10), sum(state = 11) FROM delivery WHERE state <> 10 GROUP BY connection
ON CONFLICT (connection) DO UPDATE SET pending = excluded.pending, dead = excluded.dead;

-- The rare states among what waits.
DROP INDEX delivery_ended_badly;
CREATE INDEX delivery_dead ON delivery (connection) WHERE state = 11;
CREATE INDEX delivery_unknown_of ON delivery (workspace) WHERE state = 2;
CREATE INDEX delivery_held_of ON delivery (workspace) WHERE state = 3;
CREATE INDEX delivery_dead_of ON delivery (workspace) WHERE state = 11;
CREATE INDEX delivery_cancelled_of ON delivery (workspace) WHERE state = 12;
