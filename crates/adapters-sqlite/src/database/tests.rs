use super::{SqliteDatabase, SqliteOptions};
use crate::connection::Purpose;
use crate::migrate;
use crate::testing::{Fresh, at, group, message, person};
use diesel::connection::SimpleConnection;
use std::error::Error;
use std::fs;
use tertulia_domain::repository::{ChatRepository, ListMessages, MessageRepository, RepositoryError, UserRepository};
use tertulia_domain::{ChatId, ClaimedSession, Limit, MessageRange, Seq};

/// The numbers of a chat's first messages.
async fn numbers(database: &SqliteDatabase, session: ClaimedSession, chat_id: ChatId) -> Vec<i64> {
    let list = ListMessages {
        chat_id,
        session,
        range: MessageRange::After(Seq::ZERO),
        limit: Limit::new(500).unwrap(),
        at: at(1),
    };
    let page = database.messages().list(list).await.unwrap();
    page.items.iter().map(|message| message.seq.get()).collect()
}

async fn send(database: &SqliteDatabase, session: ClaimedSession, chat: ChatId, number: u64) {
    database
        .messages()
        .append(message(chat, session, number))
        .await
        .unwrap();
}

/// An error with all its causes.
fn story(error: &dyn Error) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {}", story(cause)),
        None => error.to_string(),
    }
}

#[cfg(unix)]
#[tokio::test]
async fn only_its_owner_reads_the_file() {
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new/folders/tertulia.db");
    migrate(&path).unwrap();
    let database = SqliteDatabase::open(&path, SqliteOptions::default()).unwrap();
    person(&database, 1).await;
    let files: Vec<_> = fs::read_dir(path.parent().unwrap())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert!(files.len() > 1, "the log is a file of its own");
    for file in files {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
    assert_eq!(mode(path.parent().unwrap()), 0o700);
    // Who made the file otherwise meant it.
    let shared = folder.path().join("shared.db");
    fs::write(&shared, "").unwrap();
    fs::set_permissions(&shared, fs::Permissions::from_mode(0o640)).unwrap();
    migrate(&shared).unwrap();
    assert_eq!(mode(&shared), 0o640);
}

#[test]
fn what_is_no_database_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("text");
    fs::write(
        &text,
        "no database, but as long as the header of one has to be".repeat(10),
    )
    .unwrap();
    for (path, reason) in [
        (text.clone(), "file is not a database"),
        (folder.path().to_owned(), "can't be opened"),
        (text.join("tertulia.db"), "can't be made"),
    ] {
        let refused = story(&SqliteDatabase::open(&path, SqliteOptions::default()).err().unwrap());
        assert!(
            refused.starts_with("can't open the database: ") && refused.contains(reason),
            "{refused}"
        );
        let refused = story(&migrate(&path).unwrap_err());
        assert!(
            refused.starts_with("can't migrate the database: ") && refused.contains(reason),
            "{refused}"
        );
    }
}

#[tokio::test]
async fn everything_survives_the_end_of_the_process() {
    let fresh = Fresh::new();
    let database = fresh.open();
    let ana = person(&database, 1).await;
    let chat = group(&database, ana, 2).await;
    for number in 10..20 {
        send(&database, ana, chat, number).await;
    }
    // Copied while it is open, as after a crash: what was acknowledged is in the file or in its log.
    let crashed = Fresh::new();
    for suffix in ["", "-wal"] {
        let name = |fresh: &Fresh| format!("{}{suffix}", fresh.path().display());
        fs::copy(name(&fresh), name(&crashed)).unwrap();
    }
    drop(database);
    for file in [fresh, crashed] {
        migrate(&file.path()).unwrap();
        let database = file.open();
        assert_eq!(numbers(&database, ana, chat).await, (1..=10).collect::<Vec<_>>());
        send(&database, ana, chat, 20).await;
        assert_eq!(numbers(&database, ana, chat).await.len(), 11);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_may_use_one_file() {
    let fresh = Fresh::new();
    let databases = [fresh.open(), fresh.open()];
    let ana = person(&databases[0], 1).await;
    let chat = group(&databases[0], ana, 2).await;
    let sends: Vec<_> = (0..200_u64)
        .map(|number| {
            let database = databases[usize::from(number % 2 == 0)].clone();
            tokio::spawn(async move { send(&database, ana, chat, 100 + number).await })
        })
        .collect();
    for send in sends {
        send.await.unwrap();
    }
    for database in &databases {
        assert_eq!(numbers(database, ana, chat).await, (1..=200).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn a_row_that_the_domain_refuses_is_named() {
    let fresh = Fresh::new();
    let database = fresh.open();
    let ana = person(&database, 1).await;
    let chat = group(&database, ana, 2).await;
    fresh
        .connect(Purpose::Write)
        .batch_execute("UPDATE users SET username = 'a b'; UPDATE chats SET title = ''")
        .unwrap();
    let user = database.users().find(ana.user_id).await.unwrap_err();
    let view = database.chats().find(chat, ana.user_id).await.unwrap_err();
    for (refused, table, key) in [
        (user, "users", ana.user_id.to_string()),
        (view, "chats", chat.to_string()),
    ] {
        match refused {
            RepositoryError::Inconsistent { table: t, key: k, .. } => assert_eq!((t, k), (table, key)),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn readers_do_not_write() {
    let fresh = Fresh::new();
    let refused = fresh
        .connect(Purpose::Read)
        .batch_execute("DELETE FROM users")
        .unwrap_err();
    assert!(refused.to_string().contains("readonly"), "{refused}");
}

#[test]
fn a_commit_waits_for_the_disk() {
    use diesel::dsl::sql;
    use diesel::prelude::*;
    use diesel::sql_types::{Integer, Text};
    let fresh = Fresh::new();
    for purpose in [Purpose::Read, Purpose::Write] {
        let mut conn = fresh.connect(purpose);
        let mut pragma = |name: &str| -> i32 {
            diesel::select(sql::<Integer>(&format!("(SELECT * FROM pragma_{name})")))
                .get_result(&mut conn)
                .unwrap()
        };
        assert_eq!(pragma("synchronous"), 2, "FULL");
        assert_eq!(pragma("foreign_keys"), 1);
        assert_eq!(pragma("busy_timeout"), 5_000);
        let mode: String = diesel::select(sql::<Text>("(SELECT * FROM pragma_journal_mode)"))
            .get_result(&mut conn)
            .unwrap();
        assert_eq!(mode, "wal");
    }
}
