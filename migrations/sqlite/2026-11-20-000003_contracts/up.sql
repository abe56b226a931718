-- Whether a group is known by who is in it.
ALTER TABLE chats ADD COLUMN by_members INTEGER NOT NULL DEFAULT 0
    CHECK (by_members = 0 OR (by_members = 1 AND kind = 'group'));

-- What stands in the place of a chat's last message, for as long as `seq` is the chat's `last_seq`.
CREATE TABLE chat_notes (
    chat_id BLOB PRIMARY KEY NOT NULL REFERENCES chats (id) ON DELETE CASCADE,
    text TEXT NOT NULL,
    sender_id BLOB NOT NULL REFERENCES users (id),
    at INTEGER NOT NULL,
    seq INTEGER NOT NULL CHECK (seq >= 0)
) STRICT, WITHOUT ROWID;

ALTER TABLE messages ADD COLUMN addressee_id BLOB REFERENCES users (id);

-- Tells how many of a range are deleted. With the time in it no message has to be looked up for that.
CREATE INDEX messages_deleted_places ON messages (chat_id, seq, deleted_at) WHERE deleted_at IS NOT NULL;
