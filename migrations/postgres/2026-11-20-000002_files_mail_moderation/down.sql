DROP TABLE audit_log, reports, blocks, outbox, account_tokens;
DROP FUNCTION refuse_change;
DELETE FROM sessions WHERE key_hash IS NOT NULL;
ALTER TABLE sessions
    DROP CONSTRAINT sessions_kind,
    DROP COLUMN key_hash,
    DROP COLUMN scopes,
    ALTER COLUMN refresh_family SET NOT NULL,
    ALTER COLUMN refresh_secret SET NOT NULL,
    ALTER COLUMN expires_at SET NOT NULL;
ALTER TABLE chats DROP COLUMN avatar_id, DROP COLUMN avatar_view;
ALTER TABLE users DROP COLUMN avatar_id, DROP COLUMN avatar_view, DROP COLUMN email_verified_at, DROP COLUMN suspended_at;
ALTER TABLE messages DROP COLUMN attachments_view;
DROP TABLE message_attachments, pending_objects, files, blobs;
