//! What becomes of the pool when the database goes away.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use futures_util::future::join_all;
use std::time::{Duration, Instant};
use support::at;
use tertulia_adapters_postgres::test_support::TestDatabase;
use tertulia_adapters_postgres::{PgDatabase, PgOptions};
use tertulia_domain::repository::{
    ChatRepository, Maintenance, RepositoryError, SessionRepository, VerificationKeyRepository,
};
use tertulia_domain::{ChatId, ClaimedSession};

const CONNECTIONS: u32 = 3;

/// Fails once for each connection at the most, whatever statement it is that finds it lost: one that is prepared there,
/// one that is yet to be, or the beginning of a transaction.
#[tokio::test]
async fn lost_connections_are_replaced() {
    let guard = TestDatabase::create();
    let database = guard.connect(CONNECTIONS);
    let session = support::person(&database, "ana").await;
    let chat = support::group(&database, session).await;
    for round in 0..4 {
        warm_up(&database, &guard.url(), session).await;
        terminate_all(&guard.url());
        let mut failures = 0;
        for turn in 0..10 {
            match call(&database, session, chat, round + turn).await {
                Ok(()) => {}
                Err(RepositoryError::Unavailable(_)) => failures += 1,
                Err(other) => panic!("{other:?}"),
            }
        }
        assert!(failures <= CONNECTIONS, "{failures} failures in round {round}");
        for kind in 0..4 {
            call(&database, session, chat, kind).await.unwrap();
        }
    }
}

async fn call(database: &PgDatabase, session: ClaimedSession, chat: ChatId, kind: u32) -> Result<(), RepositoryError> {
    match kind % 4 {
        0 => database.sessions().find_caller(session, at(1)).await.map(drop),
        1 => database.verification_keys().list().await.map(drop),
        2 => database.chats().find(chat, session.user_id).await.map(drop),
        _ => database
            .chats()
            .remove_member(chat, session.user_id, true, at(1))
            .await
            .map(drop),
    }
}

/// Opens all connections of the pool, and prepares one statement on each. One that was opened only after the others had
/// done the work would survive their end, and be used in their place ever after.
async fn warm_up(database: &PgDatabase, url: &str, session: ClaimedSession) {
    #[derive(QueryableByName)]
    struct Count {
        #[diesel(sql_type = BigInt)]
        count: i64,
    }
    let sessions = database.sessions();
    let mut connection = PgConnection::establish(url).unwrap();
    loop {
        let calls = (0..4 * CONNECTIONS).map(|_| sessions.find_caller(session, at(1)));
        let outcomes = join_all(calls).await;
        let found_lost = outcomes.iter().any(Result::is_err);
        for outcome in outcomes {
            // Connections that were lost in the last round, and not come upon there, are thrown away here.
            assert!(
                matches!(outcome, Ok(_) | Err(RepositoryError::Unavailable(_))),
                "{outcome:?}"
            );
        }
        let open: Count = diesel::sql_query(
            "SELECT count(*) FROM pg_stat_activity
             WHERE datname = current_database() AND pid <> pg_backend_pid()",
        )
        .get_result(&mut connection)
        .unwrap();
        if !found_lost && open.count >= i64::from(CONNECTIONS) {
            return;
        }
    }
}

fn terminate_all(url: &str) {
    let mut connection = PgConnection::establish(url).unwrap();
    diesel::sql_query(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
         WHERE datname = current_database() AND pid <> pg_backend_pid()",
    )
    .execute(&mut connection)
    .unwrap();
}

#[tokio::test]
async fn a_pool_can_be_made_while_the_database_is_down() {
    // Nothing listens on port 1.
    let database = PgDatabase::connect("postgres://postgres@127.0.0.1:1/postgres", &PgOptions::default()).unwrap();
    let begin = Instant::now();
    let outcome = database.maintenance().check().await;
    assert!(matches!(outcome, Err(RepositoryError::Unavailable(_))), "{outcome:?}");
    assert!(begin.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn sessions_have_their_settings() {
    #[derive(QueryableByName)]
    struct Setting {
        #[diesel(sql_type = Text)]
        application_name: String,
    }
    let guard = TestDatabase::create();
    let database = guard.connect(1);
    database.maintenance().check().await.unwrap();
    let mut connection = PgConnection::establish(&guard.url()).unwrap();
    let settings: Vec<Setting> = diesel::sql_query(
        "SELECT application_name FROM pg_stat_activity
         WHERE datname = current_database() AND pid <> pg_backend_pid()",
    )
    .load(&mut connection)
    .unwrap();
    let names: Vec<_> = settings
        .iter()
        .map(|setting| setting.application_name.as_str())
        .collect();
    assert_eq!(names, ["tertulia"]);
}
