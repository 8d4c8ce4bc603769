-- How often a callback was begun without coming to an end, so that one that ends the process is not begun for ever.
ALTER TABLE callback ADD COLUMN starts integer NOT NULL DEFAULT 0;
-- Callbacks are taken source by source.
CREATE INDEX callback_waiting ON callback (workspace, source, due_ms, id) WHERE state = 0;
DROP INDEX callback_due;
