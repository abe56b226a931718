//! The contract of the repositories.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;
use tertulia_adapters_sqlite::{SqliteDatabase, SqliteOptions, migrate};
use tertulia_port_contracts::{Backend, repository_contract};

async fn make_backend() -> Backend {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tertulia.db");
    migrate(&path).unwrap();
    let database = SqliteDatabase::open(&path, SqliteOptions::default()).unwrap();
    Backend {
        users: Arc::new(database.users()),
        sessions: Arc::new(database.sessions()),
        chats: Arc::new(database.chats()),
        overviews: Arc::new(database.overviews()),
        messages: Arc::new(database.messages()),
        files: Arc::new(database.files()),
        outbox: Arc::new(database.outbox()),
        account_tokens: Arc::new(database.account_tokens()),
        api_keys: Arc::new(database.api_keys()),
        moderation: Arc::new(database.moderation()),
        keys: Arc::new(database.verification_keys()),
        maintenance: Arc::new(database.maintenance()),
        guard: Box::new(folder),
    }
}

repository_contract!(sqlite, make_backend);
