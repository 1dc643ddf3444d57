-- A user is one JSON document (accounts/src/store.rs, UserRecord); the columns beside it are what
-- queries need, and the checks keep them true to the document.
CREATE TABLE users (
    username   TEXT    NOT NULL PRIMARY KEY,
    id         TEXT    NOT NULL UNIQUE,
    status     TEXT    NOT NULL,
    version    INTEGER NOT NULL CHECK (version > 0),
    searchable TEXT    NOT NULL,
    document   TEXT    NOT NULL CHECK (json_valid(document)),
    CHECK (document ->> '$.user.username' IS username),
    CHECK (document ->> '$.user.id'       IS id),
    CHECK (document ->> '$.user.status'   IS status),
    CHECK (document ->> '$.user.version'  IS version)
) STRICT;

-- What happened around a user, by the user's id: the file server writes here and not in users.
CREATE TABLE activity (
    user_id                        TEXT    NOT NULL PRIMARY KEY,
    last_login_at                  TEXT,
    previous_password_last_used_at TEXT,
    used_bytes                     INTEGER NOT NULL DEFAULT 0,
    used_files                     INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE admins (
    username TEXT NOT NULL PRIMARY KEY,
    document TEXT NOT NULL CHECK (json_valid(document)),
    CHECK (document ->> '$.admin.username' IS username)
) STRICT;
