DROP TABLE tickets;
DROP TABLE node_leases;
DROP TABLE departures;
ALTER TABLE memberships DROP COLUMN first_event;
DROP TABLE chat_changes;
ALTER TABLE chats DROP COLUMN change_count;
