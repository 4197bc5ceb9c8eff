-- 0001_store.sql: everything a store keeps. Times are microseconds since 1970;
-- the zero time is that of the year 1, and what never ends has the highest number
-- in "ends". Lists are length-prefixed bytes.

CREATE TABLE groups (
	name        TEXT NOT NULL PRIMARY KEY,
	permissions BLOB NOT NULL
) WITHOUT ROWID;

CREATE TABLE users (
	n                INTEGER PRIMARY KEY,
	key              TEXT    NOT NULL UNIQUE,
	name             TEXT    NOT NULL UNIQUE,
	email            TEXT    NOT NULL,
	full_name        TEXT    NOT NULL,
	origin           TEXT    NOT NULL,
	origin_id        TEXT    NOT NULL,
	password_hash    TEXT    NOT NULL,
	password_version INTEGER NOT NULL,
	version          INTEGER NOT NULL,
	flags            INTEGER NOT NULL, -- 1 active, 2 staff, 4 superuser
	groups           BLOB    NOT NULL,
	permissions      BLOB    NOT NULL,
	inherited        BLOB    NOT NULL -- what the groups alone give, so that one read suffices
);
CREATE UNIQUE INDEX users_origin ON users (origin, origin_id) WHERE origin <> '' OR origin_id <> '';

CREATE TABLE memberships (
	group_name TEXT NOT NULL REFERENCES groups (name) ON DELETE CASCADE,
	user_key   TEXT NOT NULL REFERENCES users (key) ON DELETE CASCADE,
	PRIMARY KEY (group_name, user_key)
) WITHOUT ROWID;
CREATE INDEX memberships_user ON memberships (user_key);

CREATE TABLE credentials (
	n                INTEGER PRIMARY KEY,
	digest           BLOB    NOT NULL UNIQUE,
	id               TEXT    NOT NULL UNIQUE,
	kind             TEXT    NOT NULL,
	label            TEXT    NOT NULL,
	user_key         TEXT    NOT NULL,
	client_id        TEXT    NOT NULL,
	family           TEXT    NOT NULL,
	slot             TEXT    NOT NULL,
	scopes           BLOB    NOT NULL,
	created          INTEGER NOT NULL,
	expires          INTEGER NOT NULL,
	last_used        INTEGER NOT NULL,
	data             BLOB    NOT NULL,
	origin           TEXT    NOT NULL,
	password_version INTEGER NOT NULL,
	ends             INTEGER NOT NULL, -- when a sweep may take it
	state            INTEGER NOT NULL, -- 0 lives, 1 spent, 2 spent by a rotation that may be retried
	sealed           BLOB    NOT NULL, -- the reply for such a retry
	grace            INTEGER NOT NULL  -- until when
);
CREATE UNIQUE INDEX credentials_slot ON credentials (slot) WHERE slot <> '';
CREATE INDEX credentials_user ON credentials (user_key, created, id) WHERE user_key <> '';
CREATE INDEX credentials_client ON credentials (client_id, created, id) WHERE client_id <> '';
CREATE INDEX credentials_family ON credentials (family, created, id) WHERE family <> '';
CREATE INDEX credentials_created ON credentials (created, id);
CREATE INDEX credentials_ends ON credentials (ends);

CREATE TABLE tombstones (
	digest BLOB    NOT NULL PRIMARY KEY,
	ends   INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX tombstones_ends ON tombstones (ends);

CREATE TABLE clients (
	id        TEXT    NOT NULL PRIMARY KEY,
	owner_key TEXT    NOT NULL,
	name      TEXT    NOT NULL,
	secrets   BLOB    NOT NULL,
	version   INTEGER NOT NULL,
	data      BLOB    NOT NULL
);

CREATE TABLE remembered (
	key  TEXT    NOT NULL PRIMARY KEY,
	ends INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX remembered_ends ON remembered (ends);

CREATE TABLE counters (
	key   TEXT    NOT NULL PRIMARY KEY,
	marks BLOB    NOT NULL,
	ends  INTEGER NOT NULL
);
CREATE INDEX counters_ends ON counters (ends);

CREATE TABLE changes (
	seq           INTEGER PRIMARY KEY AUTOINCREMENT,
	everything    INTEGER NOT NULL,
	user_key      TEXT    NOT NULL,
	credential_id TEXT    NOT NULL,
	family        TEXT    NOT NULL,
	client_id     TEXT    NOT NULL
);
