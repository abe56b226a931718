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
    }
}

table! {
    sessions (id) {
        id -> Binary,
        user_id -> Binary,
        device -> Nullable<Text>,
        ip -> Nullable<Text>,
        refresh_family -> Binary,
        refresh_secret -> Binary,
        created_at -> BigInt,
        last_used_at -> BigInt,
        expires_at -> BigInt,
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
allow_tables_to_appear_in_same_query!(users, sessions, chats, memberships, messages);
