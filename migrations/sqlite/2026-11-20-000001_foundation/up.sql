-- Identifiers are 16-byte blobs, times are milliseconds since the Unix epoch. Keys (`*_key`) are folded forms of names,
-- made by the program; they compare by code point, so that a prefix is a range.

CREATE TABLE users (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id BLOB NOT NULL UNIQUE,
    username TEXT,
    username_key TEXT UNIQUE,
    email TEXT,
    email_key TEXT UNIQUE,
    display_name TEXT,
    display_name_key TEXT,
    profile TEXT NOT NULL DEFAULT '{}',
    role TEXT NOT NULL CHECK (role IN ('user', 'admin')),
    password TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    last_seen_at INTEGER,
    deleted_at INTEGER,
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
) STRICT;

CREATE INDEX users_display_name ON users (display_name_key) WHERE display_name_key IS NOT NULL;

-- A session ends by being deleted.
CREATE TABLE sessions (
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

CREATE INDEX sessions_user ON sessions (user_id);
CREATE INDEX sessions_expiry ON sessions (expires_at);

CREATE TABLE chats (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id BLOB NOT NULL UNIQUE,
    kind TEXT NOT NULL CHECK (kind IN ('direct', 'group')),
    title TEXT,
    -- The two parties of a direct chat, the smaller id first.
    direct_low BLOB REFERENCES users (id),
    direct_high BLOB REFERENCES users (id),
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    active_at INTEGER NOT NULL,
    member_count INTEGER NOT NULL CHECK (member_count >= 0),
    last_seq INTEGER NOT NULL DEFAULT 0 CHECK (last_seq >= 0),
    CONSTRAINT chats_direct_unique UNIQUE (direct_low, direct_high),
    CONSTRAINT chats_direct CHECK (
        (kind = 'direct') = (direct_low IS NOT NULL AND direct_high IS NOT NULL)
        AND (direct_low IS NULL OR direct_low < direct_high)
    ),
    CONSTRAINT chats_title CHECK ((kind = 'group') = (title IS NOT NULL))
) STRICT;

CREATE TABLE memberships (
    chat_id BLOB NOT NULL REFERENCES chats (id) ON DELETE CASCADE,
    user_id BLOB NOT NULL REFERENCES users (id),
    role TEXT NOT NULL CHECK (role IN ('member', 'admin', 'owner')),
    joined_at INTEGER NOT NULL,
    read_seq INTEGER NOT NULL CHECK (read_seq >= 0),
    PRIMARY KEY (chat_id, user_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX memberships_user ON memberships (user_id, chat_id);
CREATE INDEX memberships_standing ON memberships (chat_id, joined_at, user_id);
CREATE UNIQUE INDEX memberships_owner ON memberships (chat_id) WHERE role = 'owner';

-- Kept in the order of the primary key: a page of history is one range of neighbours.
CREATE TABLE messages (
    chat_id BLOB NOT NULL REFERENCES chats (id) ON DELETE CASCADE,
    seq INTEGER NOT NULL CHECK (seq >= 1),
    id BLOB NOT NULL UNIQUE,
    sender_id BLOB NOT NULL REFERENCES users (id),
    body TEXT,
    -- A place in the same chat.
    reply_to_seq INTEGER,
    created_at INTEGER NOT NULL,
    edited_at INTEGER,
    deleted_at INTEGER,
    PRIMARY KEY (chat_id, seq),
    CONSTRAINT messages_deleted CHECK (deleted_at IS NULL OR body IS NULL),
    CONSTRAINT messages_reply CHECK (reply_to_seq BETWEEN 1 AND seq - 1)
) STRICT, WITHOUT ROWID;

-- What a keyed creation answered: `status` and `answer` as the client got them, or for a sent message `message`, the
-- values that it had then. Kept in the order of arrival, unlike the others: rows of this length make a poor index.
CREATE TABLE idempotency_keys (
    user_id BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    key TEXT NOT NULL,
    fingerprint BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    status INTEGER,
    answer BLOB,
    message TEXT,
    PRIMARY KEY (user_id, key)
) STRICT;

CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);

-- Public halves of the keys that processes sign access tokens with.
CREATE TABLE verification_keys (
    kid TEXT PRIMARY KEY NOT NULL,
    public_key BLOB NOT NULL,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
