//! The one writer: a thread with a queue, which commits together what waits together.
//!
//! A commit that survives a power cut waits for the disk, and SQLite lets one connection write at a time. So the
//! writes of this process go through one thread: while the disk takes one commit, the next ones queue up, and then
//! share theirs. Each job runs in a savepoint of its own, and is answered after the commit.

mod batch;
mod job;
#[cfg(test)]
mod tests;

use diesel::r2d2::{ConnectionManager, Pool};
use diesel::sqlite::SqliteConnection;
use job::Job;
use std::io;
use std::thread::{self, JoinHandle};
use tertulia_domain::repository::RepositoryError;
use tertulia_sql_support::{TxError, Waiting, overloaded};
use thiserror::Error;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

/// The label of the writer's metrics.
const NAME: &str = "sqlite-writer";

/// How many jobs share a commit at the most: enough to make the disk's part in each of them small, few enough that the
/// first doesn't wait long for the last.
const MOST_IN_BATCH: usize = 128;

/// The pool of size one that keeps the writing connection, and replaces a broken one.
pub(crate) type WriterPool = Pool<ConnectionManager<SqliteConnection>>;

/// The thread is gone: it panicked outside of any job.
#[derive(Debug, Error)]
#[error("the writer thread has ended")]
struct WriterGone;

/// The writer. When it is dropped, it finishes what is queued first, and the drop waits for that.
pub(crate) struct Writer {
    queue: Option<mpsc::Sender<Box<dyn Job>>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Starts the thread. At most `queued` jobs wait at a time.
    pub(crate) fn start(pool: WriterPool, queued: usize) -> io::Result<Self> {
        let (queue, jobs) = mpsc::channel(queued);
        let thread = thread::Builder::new()
            .name(NAME.to_owned())
            .spawn(move || work_off(&pool, jobs))?;
        Ok(Self {
            queue: Some(queue),
            thread: Some(thread),
        })
    }

    /// Runs `work` in a transaction, inside the caller's tracing span, and returns when it is on disk. What `work`
    /// fails with rolls it back, and nothing else.
    ///
    /// [`RepositoryError::Overloaded`] when the queue is full, or when `work` has not begun after
    /// [`MAX_WAIT`](tertulia_sql_support::MAX_WAIT); it never begins then.
    pub(crate) async fn run<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: FnOnce(&mut SqliteConnection) -> Result<T, TxError<E>> + Send + 'static,
        T: Send + 'static,
        E: From<RepositoryError> + Send + 'static,
    {
        let (job, ticket) = job::new(work);
        let sent = match &self.queue {
            Some(queue) => queue.try_send(job),
            None => return Err(gone().into()),
        };
        let answer = match sent {
            Ok(()) => {
                let _waiting = Waiting::begin(NAME);
                ticket.wait().await
            }
            Err(TrySendError::Full(_)) => None,
            Err(TrySendError::Closed(_)) => Some(Err(gone().into())),
        };
        answer.unwrap_or_else(|| Err(overloaded(NAME).into()))
    }
}

fn gone() -> RepositoryError {
    RepositoryError::Other(Box::new(WriterGone))
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.queue.take());
        if let Some(thread) = self.thread.take()
            // A job that holds the last handle ends on the thread itself, which then needs no waiting for.
            && thread.thread().id() != thread::current().id()
            && thread.join().is_err()
        {
            tracing::error!("the SQLite writer ended in a panic");
        }
    }
}

fn work_off(pool: &WriterPool, mut queue: mpsc::Receiver<Box<dyn Job>>) {
    let mut jobs = Vec::with_capacity(MOST_IN_BATCH);
    while queue.blocking_recv_many(&mut jobs, MOST_IN_BATCH) > 0 {
        batch::run(pool, &mut jobs);
    }
}
