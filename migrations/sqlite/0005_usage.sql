-- What a home holds (accounts/src/usage/record.rs, UsageRecord); the columns beside the document are
-- what queries need.
CREATE TABLE usage (
    home     TEXT    NOT NULL PRIMARY KEY,
    version  INTEGER NOT NULL CHECK (version > 0),
    recount  INTEGER NOT NULL,
    document TEXT    NOT NULL CHECK (json_valid(document)),
    CHECK (document ->> '$.home'    IS home),
    CHECK (document ->> '$.version' IS version)
) STRICT;

CREATE INDEX usage_recount ON usage (recount) WHERE recount;

-- Nothing ever wrote these.
ALTER TABLE activity DROP COLUMN used_bytes;
ALTER TABLE activity DROP COLUMN used_files;
