-- The bytes of files, each kept once. What is told from the bytes alone stands here too.
CREATE TABLE blobs (
    digest BLOB PRIMARY KEY NOT NULL,
    object_key TEXT NOT NULL UNIQUE,
    size INTEGER NOT NULL CHECK (size > 0),
    media_type TEXT NOT NULL,
    width INTEGER,
    height INTEGER,
    thumbnail_key TEXT UNIQUE,
    -- Until when somebody is making the thumbnail; NULL when there is nothing to make any more.
    thumbnail_due_at INTEGER,
    thumbnail_attempts INTEGER NOT NULL DEFAULT 0,
    CONSTRAINT blobs_dimensions CHECK ((width IS NULL) = (height IS NULL))
) STRICT, WITHOUT ROWID;

CREATE INDEX blobs_thumbnail ON blobs (thumbnail_due_at) WHERE thumbnail_due_at IS NOT NULL;

CREATE TABLE files (
    id BLOB PRIMARY KEY NOT NULL,
    owner_id BLOB NOT NULL REFERENCES users (id),
    name TEXT NOT NULL,
    digest BLOB NOT NULL REFERENCES blobs (digest),
    public_key TEXT UNIQUE,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX files_digest ON files (digest);
CREATE INDEX files_owner ON files (owner_id);
CREATE INDEX files_age ON files (created_at);

-- Objects in the file store that nothing stands on: announced before they are written, or left over.
CREATE TABLE pending_objects (
    object_key TEXT PRIMARY KEY NOT NULL,
    delete_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX pending_objects_due ON pending_objects (delete_at);

-- `*_view` columns hold what is shown of a file (which never changes), so that no reader has to look it up; the ids
-- beside them keep the files in place.
CREATE TABLE message_attachments (
    chat_id BLOB NOT NULL,
    seq INTEGER NOT NULL,
    position INTEGER NOT NULL,
    file_id BLOB NOT NULL REFERENCES files (id),
    PRIMARY KEY (chat_id, seq, position),
    FOREIGN KEY (chat_id, seq) REFERENCES messages (chat_id, seq) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE INDEX message_attachments_file ON message_attachments (file_id, chat_id);

ALTER TABLE messages ADD COLUMN attachments_view TEXT CHECK (deleted_at IS NULL OR attachments_view IS NULL);

ALTER TABLE users ADD COLUMN avatar_id BLOB REFERENCES files (id);
ALTER TABLE users ADD COLUMN avatar_view TEXT CHECK ((avatar_id IS NULL) = (avatar_view IS NULL));
ALTER TABLE users ADD COLUMN email_verified_at INTEGER;
ALTER TABLE users ADD COLUMN suspended_at INTEGER;

CREATE INDEX users_avatar_file ON users (avatar_id) WHERE avatar_id IS NOT NULL;

ALTER TABLE chats ADD COLUMN avatar_id BLOB REFERENCES files (id);
ALTER TABLE chats ADD COLUMN avatar_view TEXT
    CHECK ((avatar_id IS NULL) = (avatar_view IS NULL) AND (avatar_id IS NULL OR kind = 'group'));

CREATE INDEX chats_avatar_file ON chats (avatar_id) WHERE avatar_id IS NOT NULL;

-- An API key is a session that nobody logs in to: it has a secret and scopes, and nothing to refresh. SQLite can't drop
-- a NOT NULL, so the table is made anew; nothing refers to it.
CREATE TABLE new_sessions (
    id BLOB PRIMARY KEY NOT NULL,
    user_id BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    device TEXT,
    ip TEXT,
    refresh_family BLOB,
    refresh_secret BLOB,
    created_at INTEGER NOT NULL,
    last_used_at INTEGER NOT NULL,
    expires_at INTEGER,
    key_hash BLOB UNIQUE,
    scopes TEXT,
    CONSTRAINT sessions_kind CHECK (
        (key_hash IS NULL AND scopes IS NULL
            AND refresh_family IS NOT NULL AND refresh_secret IS NOT NULL AND expires_at IS NOT NULL)
        OR (key_hash IS NOT NULL AND scopes IS NOT NULL AND device IS NOT NULL
            AND refresh_family IS NULL AND refresh_secret IS NULL)
    )
) STRICT, WITHOUT ROWID;

INSERT INTO new_sessions
SELECT id, user_id, device, ip, refresh_family, refresh_secret, created_at, last_used_at, expires_at, NULL, NULL
FROM sessions;

DROP TABLE sessions;
ALTER TABLE new_sessions RENAME TO sessions;

CREATE INDEX sessions_user ON sessions (user_id);
CREATE INDEX sessions_expiry ON sessions (expires_at);

-- Single-use tokens that go out by mail. `email` is the address that a verification proves.
CREATE TABLE account_tokens (
    hash BLOB PRIMARY KEY NOT NULL,
    user_id BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    purpose TEXT NOT NULL CHECK (purpose IN ('reset', 'verify')),
    email TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    CONSTRAINT account_tokens_newest UNIQUE (user_id, purpose)
) STRICT, WITHOUT ROWID;

CREATE INDEX account_tokens_expiry ON account_tokens (expires_at);

CREATE TABLE outbox (
    id BLOB PRIMARY KEY NOT NULL,
    recipient TEXT NOT NULL,
    subject TEXT NOT NULL,
    body TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    last_error TEXT
) STRICT, WITHOUT ROWID;

CREATE INDEX outbox_due ON outbox (due_at);

CREATE TABLE blocks (
    blocker_id BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    blocked_id BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (blocker_id, blocked_id),
    CHECK (blocker_id <> blocked_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX blocks_blocked ON blocks (blocked_id, blocker_id);

-- Reports outlive the message and the chat that they are about: no references.
CREATE TABLE reports (
    id BLOB PRIMARY KEY NOT NULL,
    reporter_id BLOB NOT NULL,
    chat_id BLOB NOT NULL,
    message_id BLOB NOT NULL,
    seq INTEGER NOT NULL,
    sender_id BLOB NOT NULL,
    body TEXT,
    reason TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    resolved_by BLOB,
    resolved_at INTEGER,
    resolution TEXT,
    CONSTRAINT reports_resolution CHECK (
        (resolved_by IS NULL) = (resolved_at IS NULL) AND (resolved_by IS NULL) = (resolution IS NULL)
    )
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX reports_open ON reports (reporter_id, message_id) WHERE resolved_at IS NULL;

CREATE TABLE audit_log (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    actor_id BLOB NOT NULL,
    action TEXT NOT NULL,
    user_id BLOB NOT NULL,
    message_id BLOB,
    reason TEXT
) STRICT;

CREATE TRIGGER audit_log_is_never_changed BEFORE UPDATE ON audit_log
BEGIN
    SELECT RAISE(ABORT, 'the audit log is only ever added to');
END;

CREATE TRIGGER audit_log_is_never_cut BEFORE DELETE ON audit_log
BEGIN
    SELECT RAISE(ABORT, 'the audit log is only ever added to');
END;
