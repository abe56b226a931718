-- The bytes of files, each kept once. What is told from the bytes alone stands here too.
CREATE TABLE blobs (
    digest BYTEA PRIMARY KEY,
    object_key TEXT COLLATE "C" NOT NULL UNIQUE,
    size BIGINT NOT NULL CHECK (size > 0),
    media_type TEXT NOT NULL,
    width INTEGER,
    height INTEGER,
    thumbnail_key TEXT COLLATE "C" UNIQUE,
    -- Until when somebody is making the thumbnail; NULL when there is nothing to make any more.
    thumbnail_due_at TIMESTAMPTZ,
    thumbnail_attempts SMALLINT NOT NULL DEFAULT 0,
    CONSTRAINT blobs_dimensions CHECK ((width IS NULL) = (height IS NULL))
);

CREATE INDEX blobs_thumbnail ON blobs (thumbnail_due_at) WHERE thumbnail_due_at IS NOT NULL;

CREATE TABLE files (
    id UUID PRIMARY KEY,
    owner_id UUID NOT NULL REFERENCES users (id),
    name TEXT NOT NULL,
    digest BYTEA NOT NULL REFERENCES blobs (digest),
    public_key TEXT COLLATE "C" UNIQUE,
    created_at TIMESTAMPTZ NOT NULL
);

CREATE INDEX files_digest ON files (digest);
CREATE INDEX files_owner ON files (owner_id);
CREATE INDEX files_age ON files (created_at);

-- Objects in the file store that nothing stands on: announced before they are written, or left over.
CREATE TABLE pending_objects (
    object_key TEXT COLLATE "C" PRIMARY KEY,
    delete_at TIMESTAMPTZ NOT NULL
);

CREATE INDEX pending_objects_due ON pending_objects (delete_at);

-- `*_view` columns hold what is shown of a file (which never changes), so that no reader has to look it up; the ids
-- beside them keep the files in place.
CREATE TABLE message_attachments (
    chat_id UUID NOT NULL,
    seq BIGINT NOT NULL,
    position SMALLINT NOT NULL,
    file_id UUID NOT NULL REFERENCES files (id),
    PRIMARY KEY (chat_id, seq, position),
    FOREIGN KEY (chat_id, seq) REFERENCES messages (chat_id, seq) ON DELETE CASCADE
);

CREATE INDEX message_attachments_file ON message_attachments (file_id, chat_id);

ALTER TABLE messages
    ADD COLUMN attachments_view JSONB,
    ADD CONSTRAINT messages_attachments CHECK (deleted_at IS NULL OR attachments_view IS NULL),
    ADD CONSTRAINT messages_content CHECK (deleted_at IS NOT NULL OR body IS NOT NULL OR attachments_view IS NOT NULL);

ALTER TABLE users
    ADD COLUMN avatar_id UUID REFERENCES files (id),
    ADD COLUMN avatar_view JSONB,
    ADD COLUMN email_verified_at TIMESTAMPTZ,
    ADD COLUMN suspended_at TIMESTAMPTZ,
    ADD CONSTRAINT users_avatar CHECK ((avatar_id IS NULL) = (avatar_view IS NULL));

CREATE INDEX users_avatar_file ON users (avatar_id) WHERE avatar_id IS NOT NULL;

ALTER TABLE chats
    ADD COLUMN avatar_id UUID REFERENCES files (id),
    ADD COLUMN avatar_view JSONB,
    ADD CONSTRAINT chats_avatar CHECK ((avatar_id IS NULL) = (avatar_view IS NULL) AND (avatar_id IS NULL OR kind = 'group'));

CREATE INDEX chats_avatar_file ON chats (avatar_id) WHERE avatar_id IS NOT NULL;

-- An API key is a session that nobody logs in to: it has a secret and scopes, and nothing to refresh.
ALTER TABLE sessions
    ALTER COLUMN refresh_family DROP NOT NULL,
    ALTER COLUMN refresh_secret DROP NOT NULL,
    ALTER COLUMN expires_at DROP NOT NULL,
    ADD COLUMN key_hash BYTEA CONSTRAINT sessions_key_unique UNIQUE,
    ADD COLUMN scopes TEXT,
    ADD CONSTRAINT sessions_kind CHECK (
        (key_hash IS NULL AND scopes IS NULL
            AND refresh_family IS NOT NULL AND refresh_secret IS NOT NULL AND expires_at IS NOT NULL)
        OR (key_hash IS NOT NULL AND scopes IS NOT NULL AND device IS NOT NULL
            AND refresh_family IS NULL AND refresh_secret IS NULL)
    );

-- Single-use tokens that go out by mail. `email` is the address that a verification proves.
CREATE TABLE account_tokens (
    hash BYTEA PRIMARY KEY,
    user_id UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    purpose TEXT NOT NULL CHECK (purpose IN ('reset', 'verify')),
    email TEXT NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT account_tokens_newest UNIQUE (user_id, purpose)
);

CREATE INDEX account_tokens_expiry ON account_tokens (expires_at);

CREATE TABLE outbox (
    id UUID PRIMARY KEY,
    recipient TEXT NOT NULL,
    subject TEXT NOT NULL,
    body TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    due_at TIMESTAMPTZ NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    last_error TEXT
);

CREATE INDEX outbox_due ON outbox (due_at);

CREATE TABLE blocks (
    blocker_id UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    blocked_id UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (blocker_id, blocked_id),
    CHECK (blocker_id <> blocked_id)
);

CREATE INDEX blocks_blocked ON blocks (blocked_id, blocker_id);

-- Reports outlive the message and the chat that they are about: no references.
CREATE TABLE reports (
    id UUID PRIMARY KEY,
    reporter_id UUID NOT NULL,
    chat_id UUID NOT NULL,
    message_id UUID NOT NULL,
    seq BIGINT NOT NULL,
    sender_id UUID NOT NULL,
    body TEXT,
    reason TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    resolved_by UUID,
    resolved_at TIMESTAMPTZ,
    resolution TEXT,
    CONSTRAINT reports_resolution CHECK (
        (resolved_by IS NULL) = (resolved_at IS NULL) AND (resolved_by IS NULL) = (resolution IS NULL)
    )
);

CREATE UNIQUE INDEX reports_open ON reports (reporter_id, message_id) WHERE resolved_at IS NULL;

CREATE TABLE audit_log (
    number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at TIMESTAMPTZ NOT NULL,
    actor_id UUID NOT NULL,
    action TEXT NOT NULL,
    user_id UUID NOT NULL,
    message_id UUID,
    reason TEXT
);

CREATE FUNCTION refuse_change() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit log is only ever added to';
END
$$;

CREATE TRIGGER audit_log_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
