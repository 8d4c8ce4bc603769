-- Working the stage out with each row that is written takes the server longer than being told it. It is still `state` with everything that waits
-- folded into 0; `record::stage` and the statements that change a state say so.
ALTER TABLE delivery ALTER COLUMN stage DROP EXPRESSION IF EXISTS;
ALTER TABLE delivery ALTER COLUMN stage SET DEFAULT 0;
