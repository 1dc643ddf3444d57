-- The audit trail (accounts/src/audit.rs): each record carries the hash of the one before in its chain.
CREATE TABLE audit (
    chain    TEXT    NOT NULL,
    sequence INTEGER NOT NULL CHECK (sequence > 0),
    at       INTEGER NOT NULL,
    action   TEXT    NOT NULL,
    user     TEXT,
    actor    TEXT,
    detail   TEXT    NOT NULL,
    previous TEXT    NOT NULL,
    hash     TEXT    NOT NULL,
    PRIMARY KEY (chain, sequence)
) STRICT, WITHOUT ROWID;

CREATE INDEX audit_at     ON audit (at, chain, sequence);
CREATE INDEX audit_user   ON audit (user, at) WHERE user IS NOT NULL;
CREATE INDEX audit_actor  ON audit (actor, at) WHERE actor IS NOT NULL;
CREATE INDEX audit_action ON audit (action, at);

-- Where each chain ends, and up to where records of other chains name it.
CREATE TABLE audit_chains (
    chain    TEXT    NOT NULL PRIMARY KEY,
    sequence INTEGER NOT NULL,
    hash     TEXT    NOT NULL,
    at       INTEGER NOT NULL,
    seen     INTEGER NOT NULL DEFAULT 0
) STRICT;
