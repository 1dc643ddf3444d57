-- A file server that has said it is alive: one row a run of the program, so that a server started
-- again under the same name is told apart from the one before. Times are milliseconds since 1970.
CREATE TABLE nodes (
    run          TEXT    NOT NULL PRIMARY KEY,
    name         TEXT    NOT NULL,
    version      TEXT    NOT NULL,
    started_at   TEXT    NOT NULL,
    sessions     INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL
) STRICT;

-- A live session as its node describes it (accounts/src/presence.rs, LiveSession).
CREATE TABLE sessions (
    id            TEXT    NOT NULL PRIMARY KEY,
    run           TEXT    NOT NULL,
    end_requested INTEGER NOT NULL DEFAULT 0,
    document      TEXT    NOT NULL CHECK (json_valid(document)),
    CHECK (document ->> '$.id' IS id)
) STRICT;

CREATE INDEX sessions_by_run ON sessions (run, end_requested);

-- The places that sessions of users with limits.max_sessions hold.
CREATE TABLE places (
    holder  TEXT NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL,
    run     TEXT NOT NULL
) STRICT;

CREATE INDEX places_by_user ON places (user_id);
CREATE INDEX places_by_run ON places (run);
