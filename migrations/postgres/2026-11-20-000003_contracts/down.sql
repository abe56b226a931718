DROP INDEX messages_blank;
ALTER TABLE messages DROP COLUMN addressee;
DROP TABLE chat_notes;
ALTER TABLE chats DROP COLUMN by_members;
