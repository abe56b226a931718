-- A chat's events are its messages and its other changes, numbered together: the newest is `last_seq + change_count`.
-- `changed_at` is the time of the newest change, NULL where there is none: later ones are no earlier.
ALTER TABLE chats
    ADD COLUMN change_count BIGINT NOT NULL DEFAULT 0 CHECK (change_count >= 0),
    ADD COLUMN changed_at TIMESTAMPTZ;

-- One row for each event that is no new message. Users keep their rows: a reference would only be looked up.
CREATE TABLE chat_changes (
    chat_id UUID NOT NULL REFERENCES chats (id) ON DELETE CASCADE,
    event_seq BIGINT NOT NULL,
    -- The chat's `last_seq` at that moment: the difference is the change's place among the chat's changes.
    seq BIGINT NOT NULL CHECK (seq >= 0),
    kind TEXT NOT NULL CHECK (kind IN (
        'message.updated', 'message.deleted', 'chat.created', 'chat.updated',
        'member.added', 'member.updated', 'member.removed', 'read.updated'
    )),
    user_id UUID,
    -- A message's place, or up to where somebody has read.
    number BIGINT,
    role TEXT CHECK (role IN ('member', 'admin', 'owner')),
    at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (chat_id, event_seq),
    CONSTRAINT chat_changes_place CHECK (event_seq > seq)
);

CREATE INDEX chat_changes_age ON chat_changes (at, chat_id, event_seq);

-- The event by which they came in. Those who are in already have missed nothing.
ALTER TABLE memberships ADD COLUMN first_event BIGINT NOT NULL DEFAULT 0 CHECK (first_event >= 0);

UPDATE memberships p SET first_event = c.last_seq FROM chats c WHERE c.id = p.chat_id AND c.last_seq > 0;

-- The last event of a chat for those who are not in it any more. The chat may be gone: no reference.
CREATE TABLE departures (
    user_id UUID NOT NULL,
    chat_id UUID NOT NULL,
    -- The chat's, which may be gone.
    number BIGINT NOT NULL,
    event_seq BIGINT NOT NULL CHECK (event_seq >= 1),
    deleted BOOLEAN NOT NULL,
    at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (user_id, chat_id)
);

CREATE INDEX departures_age ON departures (at);

-- Which processes users are connected to.
CREATE TABLE node_leases (
    user_id UUID NOT NULL,
    node_id UUID NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (user_id, node_id)
);

CREATE INDEX node_leases_node ON node_leases (node_id, user_id);
CREATE INDEX node_leases_expiry ON node_leases (expires_at);

-- Each opens one connection.
CREATE TABLE tickets (
    hash BYTEA PRIMARY KEY,
    session_id UUID NOT NULL,
    user_id UUID NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL
);

CREATE INDEX tickets_expiry ON tickets (expires_at);
