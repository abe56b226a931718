DROP TABLE tickets, node_leases, departures, chat_changes;
ALTER TABLE memberships DROP COLUMN first_event;
ALTER TABLE chats DROP COLUMN change_count, DROP COLUMN changed_at;
