//! What every repository adapter promises, on a real database for each case.

use std::sync::Arc;
use tertulia_adapters_postgres::test_support::TestDatabase;
use tertulia_port_contracts::{Backend, repository_contract};

async fn make_backend() -> Backend {
    let guard = TestDatabase::create();
    // Fewer connections than the cases have calls at once, and few enough for as many cases at once as there are cores.
    let database = guard.connect(6);
    Backend {
        users: Arc::new(database.users()),
        sessions: Arc::new(database.sessions()),
        chats: Arc::new(database.chats()),
        overviews: Arc::new(database.overviews()),
        messages: Arc::new(database.messages()),
        keys: Arc::new(database.verification_keys()),
        files: Arc::new(database.files()),
        outbox: Arc::new(database.outbox()),
        account_tokens: Arc::new(database.account_tokens()),
        api_keys: Arc::new(database.api_keys()),
        moderation: Arc::new(database.moderation()),
        maintenance: Arc::new(database.maintenance()),
        guard: Box::new(guard),
    }
}

repository_contract!(postgres, make_backend);
