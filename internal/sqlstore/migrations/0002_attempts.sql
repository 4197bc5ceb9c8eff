-- 0002_attempts.sql: attempts to guess something, so that who guesses has to wait,
-- also after a restart.

CREATE TABLE attempts (
	key    TEXT    NOT NULL PRIMARY KEY,
	n      INTEGER NOT NULL,
	latest INTEGER NOT NULL,
	ends   INTEGER NOT NULL -- when a sweep may take it
);
CREATE INDEX attempts_ends ON attempts (ends);
