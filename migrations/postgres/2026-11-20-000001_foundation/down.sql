DROP TABLE verification_keys, idempotency_keys, messages, memberships, chats, sessions, users;
