-- Sources, kinds of records, automations, lists: parts of the configuration whose form their part of the hub knows.
CREATE TABLE definition (
    id         INTEGER PRIMARY KEY,
    workspace  INTEGER NOT NULL REFERENCES workspace (id),
    kind       TEXT NOT NULL,
    key        TEXT NOT NULL,
    spec       TEXT NOT NULL,
    sealed     BLOB NOT NULL,
    changed_ms INTEGER NOT NULL,
    UNIQUE (workspace, kind, key)
) STRICT;
