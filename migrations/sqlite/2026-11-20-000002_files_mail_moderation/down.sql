DROP TABLE audit_log;
DROP TABLE reports;
DROP TABLE blocks;
DROP TABLE outbox;
DROP TABLE account_tokens;

CREATE TABLE old_sessions (
    id BLOB PRIMARY KEY NOT NULL,
    user_id BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    device TEXT,
    ip TEXT,
    refresh_family BLOB NOT NULL,
    refresh_secret BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    last_used_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO old_sessions
SELECT id, user_id, device, ip, refresh_family, refresh_secret, created_at, last_used_at, expires_at
FROM sessions
WHERE key_hash IS NULL;

DROP TABLE sessions;
ALTER TABLE old_sessions RENAME TO sessions;

CREATE INDEX sessions_user ON sessions (user_id);
CREATE INDEX sessions_expiry ON sessions (expires_at);

DROP INDEX chats_avatar_file;
ALTER TABLE chats DROP COLUMN avatar_view;
ALTER TABLE chats DROP COLUMN avatar_id;
DROP INDEX users_avatar_file;
ALTER TABLE users DROP COLUMN suspended_at;
ALTER TABLE users DROP COLUMN email_verified_at;
ALTER TABLE users DROP COLUMN avatar_view;
ALTER TABLE users DROP COLUMN avatar_id;
ALTER TABLE messages DROP COLUMN attachments_view;
DROP TABLE message_attachments;
DROP TABLE pending_objects;
DROP TABLE files;
DROP TABLE blobs;
