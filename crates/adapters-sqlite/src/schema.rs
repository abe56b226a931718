//! The tables, as the query builder knows them.

use diesel::{allow_tables_to_appear_in_same_query, joinable, table};

table! {
    users (id) {
        number -> BigInt,
        id -> Binary,
        username -> Nullable<Text>,
        username_key -> Nullable<Text>,
        email -> Nullable<Text>,
        email_key -> Nullable<Text>,
        display_name -> Nullable<Text>,
        display_name_key -> Nullable<Text>,
        profile -> Text,
        role -> Text,
        password -> Nullable<Text>,
        created_at -> BigInt,
        updated_at -> BigInt,
        last_seen_at -> Nullable<BigInt>,
        deleted_at -> Nullable<BigInt>,
        avatar_id -> Nullable<Binary>,
        avatar_view -> Nullable<Text>,
        email_verified_at -> Nullable<BigInt>,
        suspended_at -> Nullable<BigInt>,
    }
}

table! {
    sessions (id) {
        id -> Binary,
        user_id -> Binary,
        device -> Nullable<Text>,
        ip -> Nullable<Text>,
        refresh_family -> Nullable<Binary>,
        refresh_secret -> Nullable<Binary>,
        created_at -> BigInt,
        last_used_at -> BigInt,
        expires_at -> Nullable<BigInt>,
        key_hash -> Nullable<Binary>,
        scopes -> Nullable<Text>,
    }
}

table! {
    chats (id) {
        number -> BigInt,
        id -> Binary,
        kind -> Text,
        title -> Nullable<Text>,
        direct_low -> Nullable<Binary>,
        direct_high -> Nullable<Binary>,
        created_at -> BigInt,
        updated_at -> BigInt,
        active_at -> BigInt,
        member_count -> BigInt,
        last_seq -> BigInt,
        avatar_id -> Nullable<Binary>,
        avatar_view -> Nullable<Text>,
        by_members -> Bool,
    }
}

table! {
    chat_notes (chat_id) {
        chat_id -> Binary,
        text -> Text,
        sender_id -> Binary,
        at -> BigInt,
        seq -> BigInt,
    }
}

table! {
    memberships (chat_id, user_id) {
        chat_id -> Binary,
        user_id -> Binary,
        role -> Text,
        joined_at -> BigInt,
        read_seq -> BigInt,
    }
}

table! {
    messages (chat_id, seq) {
        chat_id -> Binary,
        seq -> BigInt,
        id -> Binary,
        sender_id -> Binary,
        body -> Nullable<Text>,
        reply_to_seq -> Nullable<BigInt>,
        created_at -> BigInt,
        edited_at -> Nullable<BigInt>,
        deleted_at -> Nullable<BigInt>,
        attachments_view -> Nullable<Text>,
        addressee_id -> Nullable<Binary>,
    }
}

table! {
    message_attachments (chat_id, seq, position) {
        chat_id -> Binary,
        seq -> BigInt,
        position -> Integer,
        file_id -> Binary,
    }
}

table! {
    blobs (digest) {
        digest -> Binary,
        object_key -> Text,
        size -> BigInt,
        media_type -> Text,
        width -> Nullable<BigInt>,
        height -> Nullable<BigInt>,
        thumbnail_key -> Nullable<Text>,
        thumbnail_due_at -> Nullable<BigInt>,
        thumbnail_attempts -> BigInt,
    }
}

table! {
    files (id) {
        id -> Binary,
        owner_id -> Binary,
        name -> Text,
        digest -> Binary,
        public_key -> Nullable<Text>,
        created_at -> BigInt,
    }
}

table! {
    pending_objects (object_key) {
        object_key -> Text,
        delete_at -> BigInt,
    }
}

table! {
    account_tokens (hash) {
        hash -> Binary,
        user_id -> Binary,
        purpose -> Text,
        email -> Text,
        expires_at -> BigInt,
    }
}

table! {
    outbox (id) {
        id -> Binary,
        recipient -> Text,
        subject -> Text,
        body -> Text,
        created_at -> BigInt,
        due_at -> BigInt,
        attempts -> BigInt,
        last_error -> Nullable<Text>,
    }
}

table! {
    blocks (blocker_id, blocked_id) {
        blocker_id -> Binary,
        blocked_id -> Binary,
        created_at -> BigInt,
    }
}

table! {
    reports (id) {
        id -> Binary,
        reporter_id -> Binary,
        chat_id -> Binary,
        message_id -> Binary,
        seq -> BigInt,
        sender_id -> Binary,
        body -> Nullable<Text>,
        reason -> Text,
        created_at -> BigInt,
        resolved_by -> Nullable<Binary>,
        resolved_at -> Nullable<BigInt>,
        resolution -> Nullable<Text>,
    }
}

table! {
    audit_log (number) {
        number -> BigInt,
        at -> BigInt,
        actor_id -> Binary,
        action -> Text,
        user_id -> Binary,
        message_id -> Nullable<Binary>,
        reason -> Nullable<Text>,
    }
}

table! {
    idempotency_keys (user_id, key) {
        user_id -> Binary,
        key -> Text,
        fingerprint -> Binary,
        created_at -> BigInt,
        status -> Nullable<Integer>,
        answer -> Nullable<Binary>,
        message -> Nullable<Text>,
    }
}

table! {
    verification_keys (kid) {
        kid -> Text,
        public_key -> Binary,
        created_at -> BigInt,
    }
}

table! {
    __diesel_schema_migrations (version) {
        version -> Text,
    }
}

joinable!(sessions -> users (user_id));
joinable!(memberships -> users (user_id));
joinable!(memberships -> chats (chat_id));
joinable!(messages -> chats (chat_id));
joinable!(files -> blobs (digest));
allow_tables_to_appear_in_same_query!(users, sessions, chats, memberships, messages, blocks);
allow_tables_to_appear_in_same_query!(files, blobs);
