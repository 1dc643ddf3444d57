-- What decides about admins stands in columns, so that one statement can see to it that an owner stays.
CREATE TABLE admins_with_columns (
    username TEXT    NOT NULL PRIMARY KEY,
    id       TEXT    NOT NULL UNIQUE,
    role     TEXT    NOT NULL,
    status   TEXT    NOT NULL,
    version  INTEGER NOT NULL CHECK (version > 0),
    document TEXT    NOT NULL CHECK (json_valid(document)),
    CHECK (document ->> '$.admin.username' IS username),
    CHECK (document ->> '$.admin.id'       IS id),
    CHECK (document ->> '$.admin.role'     IS role),
    CHECK (document ->> '$.admin.status'   IS status),
    CHECK (document ->> '$.admin.version'  IS version)
) STRICT;

INSERT INTO admins_with_columns (username, id, role, status, version, document)
SELECT username, document ->> '$.admin.id', document ->> '$.admin.role', document ->> '$.admin.status',
       document ->> '$.admin.version', document
FROM admins;

DROP TABLE admins;
ALTER TABLE admins_with_columns RENAME TO admins;

CREATE TABLE api_keys (
    id           TEXT NOT NULL PRIMARY KEY,
    document     TEXT NOT NULL CHECK (json_valid(document)),
    last_used_at TEXT,
    CHECK (document ->> '$.key.id' IS id)
) STRICT;

-- Brute-force locks that were lifted, by the user's name: the file servers look for new ones.
CREATE TABLE unlocks (
    username TEXT NOT NULL PRIMARY KEY,
    at       TEXT NOT NULL
) STRICT;
