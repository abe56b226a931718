use super::Writer;
use crate::connection::{Purpose, establish};
use crate::database::pool;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error as DieselError};
use std::future::Future;
use std::pin::pin;
use std::sync::mpsc;
use std::task::Poll;
use tempfile::TempDir;
use tertulia_domain::repository::RepositoryError;
use tertulia_sql_support::TxError;
use thiserror::Error;
use tokio::sync::oneshot;

diesel::table! {
    notes (note) {
        note -> BigInt,
        about -> Nullable<BigInt>,
    }
}

#[derive(Debug, Error)]
enum NoteError {
    #[error("refused")]
    Refused,
    #[error(transparent)]
    Repository(#[from] RepositoryError),
}

type Outcome<T> = Result<T, TxError<NoteError>>;

/// A file with one empty table, and a writer on it.
struct Desk {
    folder: TempDir,
    writer: Option<Writer>,
}

impl Desk {
    fn new(queued: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut desk = Self { folder, writer: None };
        desk.connect()
            .batch_execute(
                "CREATE TABLE notes (note INTEGER PRIMARY KEY, about INTEGER REFERENCES notes (note)) STRICT",
            )
            .unwrap();
        desk.writer = Some(Writer::start(pool(&desk.name(), Purpose::Write, 1), queued).unwrap());
        desk
    }

    fn name(&self) -> String {
        self.folder.path().join("notes.db").to_str().unwrap().to_owned()
    }

    fn connect(&self) -> SqliteConnection {
        establish(&self.name(), Purpose::Write).unwrap()
    }

    fn writer(&self) -> &Writer {
        self.writer.as_ref().unwrap()
    }

    async fn write(&self, note: i64) -> Result<(), NoteError> {
        self.writer().run(move |conn| insert(conn, note)).await
    }

    /// What is on disk.
    fn notes(&self) -> Vec<i64> {
        notes::table
            .select(notes::note)
            .order(notes::note)
            .load(&mut self.connect())
            .unwrap()
    }

    /// Queues the jobs of a future while the writer is busy, so that they are one batch.
    async fn in_one_batch<T>(&self, jobs: impl Future<Output = T>) -> T {
        let (gate, open) = self.shut().await;
        let (gate, outcome, ()) = tokio::join!(gate, jobs, async { open.send(()).unwrap() });
        gate.unwrap();
        outcome
    }

    /// Keeps the writer busy until the gate is opened.
    async fn shut(&self) -> (impl Future<Output = Result<(), NoteError>>, mpsc::Sender<()>) {
        let (shut, is_shut) = oneshot::channel();
        let (open, opened) = mpsc::channel();
        let mut gate = Box::pin(self.writer().run(move |_: &mut SqliteConnection| -> Outcome<()> {
            shut.send(()).unwrap();
            opened.recv().unwrap();
            Ok(())
        }));
        begin(gate.as_mut()).await;
        is_shut.await.unwrap();
        (gate, open)
    }
}

fn insert(conn: &mut SqliteConnection, note: i64) -> Outcome<()> {
    diesel::insert_into(notes::table)
        .values(notes::note.eq(note))
        .execute(conn)?;
    Ok(())
}

/// Polls a future once, which queues the job that it waits for.
async fn begin<F: Future + Unpin>(mut future: F) {
    std::future::poll_fn(|context| {
        assert!(pin!(&mut future).poll(context).is_pending());
        Poll::Ready(())
    })
    .await;
}

#[tokio::test]
async fn what_is_answered_is_on_disk() {
    let desk = Desk::new(8);
    desk.write(1).await.unwrap();
    assert_eq!(desk.notes(), [1]);
    let sum = desk.writer().run(|_| Outcome::Ok(1 + 1)).await;
    assert!(matches!(sum, Ok(2)));
}

#[tokio::test]
async fn a_job_that_fails_alone_leaves_nothing() {
    let desk = Desk::new(8);
    let refused = |conn: &mut SqliteConnection| -> Outcome<()> {
        insert(conn, 1)?;
        Err(TxError::Named(NoteError::Refused))
    };
    assert!(matches!(desk.writer().run(refused).await, Err(NoteError::Refused)));
    desk.write(2).await.unwrap();
    assert_eq!(desk.notes(), [2]);
}

#[tokio::test]
async fn a_job_that_fails_takes_nothing_with_it() {
    let desk = Desk::new(8);
    let refused = desk.writer().run(|conn| -> Outcome<()> {
        insert(conn, 2)?;
        Err(TxError::Named(NoteError::Refused))
    });
    let violating = desk.writer().run(|conn| {
        insert(conn, 3)?;
        insert(conn, 1)
    });
    let (first, refused, violating, last) = desk
        .in_one_batch(async { tokio::join!(desk.write(1), refused, violating, desk.write(4)) })
        .await;
    assert!(first.is_ok() && last.is_ok());
    assert!(matches!(refused, Err(NoteError::Refused)));
    assert!(matches!(
        violating,
        Err(NoteError::Repository(RepositoryError::Other(_)))
    ));
    assert_eq!(desk.notes(), [1, 4]);
}

#[tokio::test]
async fn a_panic_is_an_error_and_the_writer_goes_on() {
    let desk = Desk::new(8);
    let panicking = |conn: &mut SqliteConnection| -> Outcome<()> {
        insert(conn, 1)?;
        panic!("on purpose")
    };
    let (first, panicked, last) = desk
        .in_one_batch(async { tokio::join!(desk.write(2), desk.writer().run(panicking), desk.write(3)) })
        .await;
    assert!(first.is_ok() && last.is_ok());
    let Err(NoteError::Repository(RepositoryError::Other(error))) = panicked else {
        panic!("{panicked:?}");
    };
    assert!(error.to_string().contains("on purpose"), "{error}");
    // Alone, too.
    let panicked = desk.writer().run(panicking).await;
    assert!(matches!(
        panicked,
        Err(NoteError::Repository(RepositoryError::Other(_)))
    ));
    desk.write(4).await.unwrap();
    assert_eq!(desk.notes(), [2, 3, 4]);
}

#[tokio::test]
async fn a_panic_in_a_transaction_of_the_jobs_own_loses_the_batch_at_most() {
    let desk = Desk::new(8);
    let nested = |conn: &mut SqliteConnection| -> Outcome<()> {
        conn.transaction(|conn| {
            insert(conn, 1)?;
            panic!("on purpose")
        })
    };
    let (panicked, other) = desk
        .in_one_batch(async { tokio::join!(desk.writer().run(nested), desk.write(2)) })
        .await;
    assert!(panicked.is_err());
    assert_eq!(
        desk.notes(),
        if other.is_ok() { vec![2] } else { vec![] },
        "an answer is a promise"
    );
    desk.write(3).await.unwrap();
    assert!(desk.notes().contains(&3));
}

#[tokio::test]
async fn when_the_commit_fails_everybody_learns_it() {
    let desk = Desk::new(8);
    let dangling = |conn: &mut SqliteConnection| -> Outcome<()> {
        conn.batch_execute("PRAGMA defer_foreign_keys = ON; INSERT INTO notes VALUES (1, 99)")?;
        Ok(())
    };
    // Say because of what the others had written.
    let refused = |_: &mut SqliteConnection| Outcome::<()>::Err(TxError::Named(NoteError::Refused));
    let (first, dangled, refused) = desk
        .in_one_batch(async { tokio::join!(desk.write(2), desk.writer().run(dangling), desk.writer().run(refused)) })
        .await;
    for outcome in [first, dangled, refused] {
        assert!(
            matches!(outcome, Err(NoteError::Repository(RepositoryError::Other(_)))),
            "{outcome:?}"
        );
    }
    desk.write(3).await.unwrap();
    assert_eq!(desk.notes(), [3]);
}

#[tokio::test]
async fn a_transaction_that_gets_lost_fails_its_batch_and_no_more() {
    let desk = Desk::new(8);
    // As SQLite itself does when the disk is full.
    let losing = |conn: &mut SqliteConnection| -> Outcome<()> {
        conn.batch_execute("ROLLBACK")?;
        Err(DieselError::DatabaseError(
            DatabaseErrorKind::Unknown,
            Box::new("database or disk is full".to_owned()),
        )
        .into())
    };
    let (first, loser, last) = desk
        .in_one_batch(async { tokio::join!(desk.write(1), desk.writer().run(losing), desk.write(2)) })
        .await;
    assert!(
        matches!(loser, Err(NoteError::Repository(RepositoryError::Unavailable(_)))),
        "{loser:?}"
    );
    assert!(first.is_err() && last.is_err());
    desk.write(3).await.unwrap();
    assert_eq!(desk.notes(), [3]);
}

#[tokio::test]
async fn a_full_queue_is_overload() {
    let desk = Desk::new(1);
    let (gate, open) = desk.shut().await;
    let mut queued = Box::pin(desk.write(1));
    begin(queued.as_mut()).await;
    let refused = desk.write(2).await;
    assert!(
        matches!(refused, Err(NoteError::Repository(RepositoryError::Overloaded))),
        "{refused:?}"
    );
    open.send(()).unwrap();
    let (_, queued) = tokio::join!(gate, queued);
    queued.unwrap();
    assert_eq!(desk.notes(), [1]);
}

#[tokio::test(start_paused = true)]
async fn who_waits_too_long_is_told_and_nothing_happens() {
    let desk = Desk::new(8);
    let (gate, open) = desk.shut().await;
    let refused = desk.write(1).await;
    assert!(
        matches!(refused, Err(NoteError::Repository(RepositoryError::Overloaded))),
        "{refused:?}"
    );
    tokio::time::resume();
    open.send(()).unwrap();
    gate.await.unwrap();
    desk.write(2).await.unwrap();
    assert_eq!(desk.notes(), [2]);
}

#[tokio::test(start_paused = true)]
async fn another_process_that_writes_for_long_is_overload() {
    let desk = Desk::new(8);
    let mut other = desk.connect();
    other
        .batch_execute("BEGIN IMMEDIATE; INSERT INTO notes VALUES (1, NULL)")
        .unwrap();
    let refused = desk.write(2).await;
    assert!(
        matches!(refused, Err(NoteError::Repository(RepositoryError::Overloaded))),
        "{refused:?}"
    );
    tokio::time::resume();
    other.batch_execute("COMMIT").unwrap();
    desk.write(3).await.unwrap();
    assert_eq!(desk.notes(), [1, 3]);
}

#[tokio::test]
async fn a_dropped_writer_finishes_its_queue() {
    let mut desk = Desk::new(64);
    let (gate, open) = desk.shut().await;
    for note in 0..50 {
        // Whoever asked has gone away.
        begin(Box::pin(desk.write(note)).as_mut()).await;
    }
    drop(gate);
    open.send(()).unwrap();
    drop(desk.writer.take());
    assert_eq!(desk.notes(), (0..50).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_job_may_hold_the_last_handle() {
    let mut desk = Desk::new(8);
    let writer = std::sync::Arc::new(desk.writer.take().unwrap());
    let (done, is_done) = oneshot::channel();
    let held = std::sync::Arc::clone(&writer);
    let (open, opened) = mpsc::channel::<()>();
    let mut run = Box::pin(writer.run(move |conn: &mut SqliteConnection| -> Outcome<()> {
        opened.recv().unwrap();
        insert(conn, 1)?;
        drop(held);
        done.send(()).unwrap();
        Ok(())
    }));
    begin(run.as_mut()).await;
    drop(run);
    drop(writer);
    open.send(()).unwrap();
    is_done.await.unwrap();
}
