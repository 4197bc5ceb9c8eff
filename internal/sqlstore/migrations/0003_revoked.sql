-- 0003_revoked.sql: families that were revoked of which no record may be here, as
-- those of tokens that carry all that is known of them.

CREATE TABLE revoked (
	family TEXT    NOT NULL PRIMARY KEY,
	ends   INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX revoked_ends ON revoked (ends);
