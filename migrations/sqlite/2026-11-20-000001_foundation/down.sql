DROP TABLE verification_keys;
DROP TABLE idempotency_keys;
DROP TABLE messages;
DROP TABLE memberships;
DROP TABLE chats;
DROP TABLE sessions;
DROP TABLE users;
