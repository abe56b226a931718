-- A chat's events are its messages and its changes, numbered together: `last_seq + change_count` is the newest.
ALTER TABLE chats ADD COLUMN change_count INTEGER NOT NULL DEFAULT 0 CHECK (change_count >= 0);

-- What happened in a chat besides new messages. `seq` is the chat's newest message at that moment, so that
-- `event_seq - seq` counts a chat's changes; `number` is the message that it is about, or up to which somebody has read.
CREATE TABLE chat_changes (
    chat_id BLOB NOT NULL REFERENCES chats (id) ON DELETE CASCADE,
    event_seq INTEGER NOT NULL CHECK (event_seq > seq),
    seq INTEGER NOT NULL CHECK (seq >= 0),
    kind TEXT NOT NULL,
    user_id BLOB,
    number INTEGER,
    role TEXT,
    at INTEGER NOT NULL,
    PRIMARY KEY (chat_id, event_seq)
) STRICT, WITHOUT ROWID;

-- The event by which they came in.
ALTER TABLE memberships ADD COLUMN first_event INTEGER NOT NULL DEFAULT 0;

UPDATE memberships SET first_event = (SELECT last_seq FROM chats WHERE chats.id = memberships.chat_id);

-- A chat's last event for somebody who is not in it any more. The chat may be gone: no reference.
CREATE TABLE departures (
    user_id BLOB NOT NULL,
    chat_id BLOB NOT NULL,
    -- The chat's, which may be gone.
    number INTEGER NOT NULL,
    event_seq INTEGER NOT NULL,
    deleted INTEGER NOT NULL CHECK (deleted IN (0, 1)),
    at INTEGER NOT NULL,
    PRIMARY KEY (user_id, chat_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX departures_age ON departures (at);

-- Who is connected to which process, for as long as it says so.
CREATE TABLE node_leases (
    user_id BLOB NOT NULL,
    node_id BLOB NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (user_id, node_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX node_leases_node ON node_leases (node_id);
CREATE INDEX node_leases_expiry ON node_leases (expires_at);

-- Each opens one connection in place of the session's token.
CREATE TABLE tickets (
    hash BLOB PRIMARY KEY NOT NULL,
    session_id BLOB NOT NULL,
    user_id BLOB NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX tickets_expiry ON tickets (expires_at);
