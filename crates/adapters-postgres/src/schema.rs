//! The tables that the query builder is used on.

use diesel::{allow_tables_to_appear_in_same_query, joinable, table};

table! {
    users (id) {
        id -> Uuid,
        number -> BigInt,
        username -> Nullable<Text>,
        username_key -> Nullable<Text>,
        email -> Nullable<Text>,
        email_key -> Nullable<Text>,
        email_verified_at -> Nullable<Timestamptz>,
        display_name -> Nullable<Text>,
        display_name_key -> Nullable<Text>,
        avatar_id -> Nullable<Uuid>,
        avatar_view -> Nullable<Jsonb>,
        profile -> Jsonb,
        role -> Text,
        password -> Nullable<Text>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        last_seen_at -> Nullable<Timestamptz>,
        suspended_at -> Nullable<Timestamptz>,
        deleted_at -> Nullable<Timestamptz>,
    }
}

table! {
    sessions (id) {
        id -> Uuid,
        user_id -> Uuid,
        device -> Nullable<Text>,
        ip -> Nullable<Text>,
        refresh_family -> Nullable<Binary>,
        refresh_secret -> Nullable<Binary>,
        created_at -> Timestamptz,
        last_used_at -> Timestamptz,
        expires_at -> Nullable<Timestamptz>,
        key_hash -> Nullable<Binary>,
        scopes -> Nullable<Text>,
    }
}

table! {
    chats (id) {
        id -> Uuid,
        number -> BigInt,
        kind -> Text,
        title -> Nullable<Text>,
        by_members -> Bool,
        avatar_id -> Nullable<Uuid>,
        avatar_view -> Nullable<Jsonb>,
        updated_at -> Timestamptz,
        member_count -> BigInt,
        last_seq -> BigInt,
    }
}

table! {
    memberships (chat_id, user_id) {
        chat_id -> Uuid,
        user_id -> Uuid,
        role -> Text,
        joined_at -> Timestamptz,
        read_seq -> BigInt,
    }
}

table! {
    idempotency_keys (user_id, key) {
        user_id -> Uuid,
        key -> Text,
        fingerprint -> Binary,
        created_at -> Timestamptz,
        status -> Nullable<SmallInt>,
        answer -> Nullable<Binary>,
    }
}

table! {
    verification_keys (kid) {
        kid -> Text,
        public_key -> Binary,
        created_at -> Timestamptz,
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
allow_tables_to_appear_in_same_query!(users, sessions, chats, memberships);
