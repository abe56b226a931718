-- Whether a group is known by who is in it.
ALTER TABLE chats
    ADD COLUMN by_members BOOLEAN NOT NULL DEFAULT false,
    ADD CONSTRAINT chats_by_members CHECK (kind = 'group' OR NOT by_members);

-- What stands in the place of a chat's last message, for as long as `seq` is the chat's `last_seq`.
CREATE TABLE chat_notes (
    chat_id UUID PRIMARY KEY REFERENCES chats (id) ON DELETE CASCADE,
    text TEXT NOT NULL,
    sender_id UUID NOT NULL REFERENCES users (id),
    at TIMESTAMPTZ NOT NULL,
    seq BIGINT NOT NULL CHECK (seq >= 0)
);

-- Whom of a group a message addresses. Users keep their rows: a reference would only be looked up on every send.
ALTER TABLE messages ADD COLUMN addressee UUID;

-- Counts what is to be left out of a number of messages.
CREATE INDEX messages_blank ON messages (chat_id, seq) WHERE deleted_at IS NOT NULL;
