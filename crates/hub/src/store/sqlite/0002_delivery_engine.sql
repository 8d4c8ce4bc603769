-- Means of recovery, right to send, folding, backups.

ALTER TABLE delivery ADD COLUMN means TEXT;
ALTER TABLE delivery ADD COLUMN fence INTEGER NOT NULL DEFAULT 0;
ALTER TABLE delivery ADD COLUMN carrier INTEGER;
ALTER TABLE delivery ADD COLUMN fallback TEXT;
ALTER TABLE delivery ADD COLUMN handed_over_ms INTEGER;
ALTER TABLE attempt ADD COLUMN records INTEGER NOT NULL DEFAULT 1;
