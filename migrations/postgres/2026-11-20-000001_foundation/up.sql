-- Keys (`*_key`) are folded forms of names, made by the program; they compare by code point, so that a prefix is a range.

CREATE TABLE users (
    id UUID PRIMARY KEY,
    number BIGINT GENERATED ALWAYS AS IDENTITY UNIQUE,
    username TEXT,
    username_key TEXT COLLATE "C" CONSTRAINT users_username_unique UNIQUE,
    email TEXT,
    email_key TEXT COLLATE "C" CONSTRAINT users_email_unique UNIQUE,
    display_name TEXT,
    display_name_key TEXT COLLATE "C",
    profile JSONB NOT NULL DEFAULT '{}',
    role TEXT NOT NULL CHECK (role IN ('user', 'admin')),
    password TEXT,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    last_seen_at TIMESTAMPTZ,
    deleted_at TIMESTAMPTZ,
    CONSTRAINT users_login CHECK (deleted_at IS NOT NULL OR username IS NOT NULL OR email IS NOT NULL),
    CONSTRAINT users_keys CHECK (
        (username IS NULL) = (username_key IS NULL)
        AND (email IS NULL) = (email_key IS NULL)
        AND (display_name IS NULL) = (display_name_key IS NULL)
    ),
    CONSTRAINT users_deleted CHECK (
        (deleted_at IS NULL) = (password IS NOT NULL)
        AND (deleted_at IS NULL OR (username IS NULL AND email IS NULL AND display_name IS NULL))
    )
) WITH (fillfactor = 80);

CREATE INDEX users_display_name ON users (display_name_key) WHERE display_name_key IS NOT NULL;

-- A session ends by being deleted.
CREATE TABLE sessions (
    id UUID PRIMARY KEY,
    user_id UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    device TEXT,
    ip TEXT,
    refresh_family BYTEA NOT NULL,
    refresh_secret BYTEA NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    last_used_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL
) WITH (fillfactor = 80);

CREATE INDEX sessions_user ON sessions (user_id);
CREATE INDEX sessions_expiry ON sessions (expires_at);

CREATE TABLE chats (
    id UUID PRIMARY KEY,
    number BIGINT GENERATED ALWAYS AS IDENTITY UNIQUE,
    kind TEXT NOT NULL CHECK (kind IN ('direct', 'group')),
    title TEXT,
    -- The two parties of a direct chat, the smaller id first.
    direct_low UUID REFERENCES users (id),
    direct_high UUID REFERENCES users (id),
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    active_at TIMESTAMPTZ NOT NULL,
    member_count BIGINT NOT NULL CHECK (member_count >= 0),
    last_seq BIGINT NOT NULL DEFAULT 0 CHECK (last_seq >= 0),
    CONSTRAINT chats_direct_unique UNIQUE (direct_low, direct_high),
    CONSTRAINT chats_direct CHECK (
        (kind = 'direct') = (direct_low IS NOT NULL AND direct_high IS NOT NULL)
        AND (direct_low IS NULL OR direct_low < direct_high)
    ),
    CONSTRAINT chats_title CHECK ((kind = 'group') = (title IS NOT NULL))
-- Every send updates its chat's row: room for the next version on the same page keeps that out of the indexes.
) WITH (fillfactor = 50);

CREATE TABLE memberships (
    chat_id UUID NOT NULL REFERENCES chats (id) ON DELETE CASCADE,
    user_id UUID NOT NULL REFERENCES users (id),
    role TEXT NOT NULL CHECK (role IN ('member', 'admin', 'owner')),
    joined_at TIMESTAMPTZ NOT NULL,
    read_seq BIGINT NOT NULL CHECK (read_seq >= 0),
    PRIMARY KEY (chat_id, user_id)
) WITH (fillfactor = 70);

CREATE INDEX memberships_user ON memberships (user_id, chat_id);
CREATE INDEX memberships_standing ON memberships (chat_id, joined_at, user_id);
CREATE UNIQUE INDEX memberships_owner ON memberships (chat_id) WHERE role = 'owner';

CREATE TABLE messages (
    chat_id UUID NOT NULL REFERENCES chats (id) ON DELETE CASCADE,
    seq BIGINT NOT NULL CHECK (seq >= 1),
    id UUID NOT NULL CONSTRAINT messages_id_unique UNIQUE,
    sender_id UUID NOT NULL REFERENCES users (id),
    body TEXT,
    -- A place in the same chat.
    reply_to_seq BIGINT,
    created_at TIMESTAMPTZ NOT NULL,
    edited_at TIMESTAMPTZ,
    deleted_at TIMESTAMPTZ,
    PRIMARY KEY (chat_id, seq),
    CONSTRAINT messages_deleted CHECK (deleted_at IS NULL OR body IS NULL),
    CONSTRAINT messages_reply CHECK (reply_to_seq BETWEEN 1 AND seq - 1)
);

-- What a keyed creation answered: `status` and `answer` as the client got them, or for a sent message `message`, the
-- values that it had then.
CREATE TABLE idempotency_keys (
    user_id UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    key TEXT COLLATE "C" NOT NULL,
    fingerprint BYTEA NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    status SMALLINT,
    answer BYTEA,
    message JSONB,
    PRIMARY KEY (user_id, key)
);

CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);

-- Public halves of the keys that processes sign access tokens with.
CREATE TABLE verification_keys (
    kid TEXT PRIMARY KEY,
    public_key BYTEA NOT NULL,
    created_at TIMESTAMPTZ NOT NULL
);
