use super::{MIGRATIONS, migrate};
use crate::connection::{Purpose, establish};
use crate::testing::{Fresh, at, id};
use crate::{SqliteDatabase, SqliteOptions};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Text;
use diesel_migrations::MigrationHarness;
use std::fs;
use std::path::Path;
use std::sync::Barrier;
use std::thread;
use tertulia_domain::repository::{
    ChatRepository, EventRepository, Events, Maintenance, RepositoryError, SessionRepository,
};
use tertulia_domain::{ChatId, ChatTitle, ClaimedSession, EventSeq, SessionId, UserId};

#[test]
fn many_may_migrate_at_once() {
    for _ in 0..5 {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tertulia.db");
        let start = Barrier::new(4);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    start.wait();
                    migrate(&path).unwrap();
                });
            }
        });
        migrate(&path).unwrap();
    }
}

#[tokio::test]
async fn a_schema_that_lacks_something_is_not_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let empty = SqliteDatabase::open(&folder.path().join("empty.db"), SqliteOptions::default()).unwrap();
    assert!(matches!(
        empty.maintenance().check().await,
        Err(RepositoryError::Other(_))
    ));

    // A newer program's migration is no harm, an older one's schema is.
    let fresh = Fresh::new();
    let maintenance = fresh.open().maintenance();
    for (change, in_order) in [
        (
            "INSERT INTO __diesel_schema_migrations (version) VALUES ('99990101000000')",
            true,
        ),
        ("DELETE FROM __diesel_schema_migrations WHERE version < '9'", false),
    ] {
        fresh.connect(Purpose::Write).batch_execute(change).unwrap();
        let check = maintenance.check().await;
        assert_eq!(check.is_ok(), in_order, "{change}: {check:?}");
    }
}

#[tokio::test]
async fn who_was_logged_in_before_there_were_keys_still_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tertulia.db");
    let mut conn = establish(path.to_str().unwrap(), Purpose::Write).unwrap();
    conn.run_next_migration(MIGRATIONS).unwrap();
    let uuid = id(1).as_simple().to_string();
    conn.batch_execute(&format!(
        "INSERT INTO users (id, username, username_key, role, password, created_at, updated_at)
        VALUES (x'{uuid}', 'ana', 'ana', 'user', 'hash', 0, 0);
        INSERT INTO sessions
        VALUES (x'{uuid}', x'{uuid}', 'phone', '::1', x'01', x'02', 0, 0, {});",
        at(10).as_millis(),
    ))
    .unwrap();
    migrate(&path).unwrap();
    let database = SqliteDatabase::open(&path, SqliteOptions::default()).unwrap();
    let claim = ClaimedSession {
        session_id: SessionId::from_uuid(id(1)),
        user_id: UserId::from_uuid(id(1)),
    };
    assert!(database.sessions().find_caller(claim, at(9)).await.unwrap().is_some());
    assert!(database.sessions().find_caller(claim, at(10)).await.unwrap().is_none());
    let sessions = database.sessions().list(claim.user_id, at(9)).await.unwrap();
    assert_eq!(sessions[0].device.as_ref().unwrap().as_str(), "phone");
    // And everything can be undone.
    conn.revert_all_migrations(MIGRATIONS).unwrap();
}

#[tokio::test]
async fn messages_of_before_there_were_events_are_the_first_events() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tertulia.db");
    let mut conn = establish(path.to_str().unwrap(), Purpose::Write).unwrap();
    for _ in 0..3 {
        conn.run_next_migration(MIGRATIONS).unwrap();
    }
    let [user, chat] = [id(1), id(2)].map(|id| id.as_simple().to_string());
    conn.batch_execute(&format!(
        "INSERT INTO users (id, username, username_key, role, password, created_at, updated_at)
        VALUES (x'{user}', 'ana', 'ana', 'user', 'hash', 0, 0);
        INSERT INTO chats (id, kind, title, created_at, updated_at, active_at, member_count, last_seq)
        VALUES (x'{chat}', 'group', 'Old', 0, 0, 2, 1, 2);
        INSERT INTO memberships VALUES (x'{chat}', x'{user}', 'owner', 0, 2);
        INSERT INTO messages (chat_id, seq, id, sender_id, body, created_at)
        VALUES (x'{chat}', 1, x'{user}', x'{user}', 'one', 1), (x'{chat}', 2, x'{chat}', x'{user}', 'two', 2);"
    ))
    .unwrap();
    migrate(&path).unwrap();
    let database = SqliteDatabase::open(&path, SqliteOptions::default()).unwrap();
    let (user, chat) = (UserId::from_uuid(id(1)), ChatId::from_uuid(id(2)));
    let own = database.events().subscriptions(user).await.unwrap();
    assert_eq!((own[0].first_event.get(), own[0].last_event.get()), (2, 2));
    let title = ChatTitle::new("New").unwrap();
    assert!(database.chats().rename(chat, &title, at(0)).await.unwrap());
    let told = database.events().list(chat, EventSeq::ZERO, 10).await.unwrap();
    let Events::Listed { events, .. } = told else {
        panic!("{told:?}");
    };
    let told: Vec<_> = events
        .iter()
        .map(|event| (event.seq.get(), event.change.name()))
        .collect();
    let expected = [(1, "message.created"), (2, "message.created"), (3, "chat.updated")];
    assert_eq!(told, expected);
    conn.revert_all_migrations(MIGRATIONS).unwrap();
}

#[test]
fn the_schema_is_the_committed_one() {
    #[derive(QueryableByName)]
    struct Entry {
        #[diesel(sql_type = Text)]
        sql: String,
    }
    let entries: Vec<Entry> = diesel::sql_query(
        "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT GLOB 'sqlite_*' AND name NOT GLOB '__diesel*'
        ORDER BY name",
    )
    .load(&mut Fresh::new().connect(Purpose::Read))
    .unwrap();
    let statements: Vec<_> = entries.iter().map(|entry| format!("{};\n", entry.sql)).collect();
    let schema = statements.join("\n");
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations/sqlite/schema.txt");
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        fs::write(&committed, &schema).unwrap();
    }
    assert_eq!(
        fs::read_to_string(committed).unwrap_or_default(),
        schema,
        "the migrations make another schema; if they should, run this test with UPDATE_SCHEMA=1"
    );
}
