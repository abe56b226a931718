DROP INDEX messages_deleted_places;
ALTER TABLE messages DROP COLUMN addressee_id;
DROP TABLE chat_notes;
ALTER TABLE chats DROP COLUMN by_members;
