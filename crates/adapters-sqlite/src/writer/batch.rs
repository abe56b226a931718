//! Jobs that are committed together.

use super::WriterPool;
use super::job::Job;
use crate::error::classify;
use diesel::connection::{AnsiTransactionManager, TransactionManager};
use diesel::r2d2::R2D2Connection;
use diesel::result::Error as DieselError;
use diesel::sqlite::SqliteConnection;
use diesel::{Connection, QueryResult};
use std::error::Error;
use std::sync::Arc;
use tertulia_domain::repository::RepositoryError;

/// What ends a job's savepoint by rolling it back.
enum Undo {
    /// The job failed, and keeps its error itself.
    Failed,
    /// The savepoint could not be set, released or rolled back: the transaction is lost.
    Lost(DieselError),
}

impl From<DieselError> for Undo {
    fn from(error: DieselError) -> Self {
        Self::Lost(error)
    }
}

/// Runs the jobs, commits, and answers them.
pub(super) fn run(pool: &WriterPool, jobs: &mut Vec<Box<dyn Job>>) {
    let committed = commit_together(pool, jobs).map_err(Arc::new);
    if let Err(error) = &committed {
        let error: &(dyn Error + 'static) = error.as_ref();
        tracing::warn!(error, jobs = jobs.len(), "a batch of writes failed");
    }
    metrics::histogram!("tertulia_db_batch_jobs").record(u32::try_from(jobs.len()).unwrap_or(u32::MAX));
    for job in jobs.drain(..) {
        job.answer(committed.as_ref().copied());
    }
}

/// After an error the connection may still be in the transaction. The pool closes such a one, and that rolls back.
fn commit_together(pool: &WriterPool, jobs: &mut [Box<dyn Job>]) -> Result<(), RepositoryError> {
    let mut conn = pool
        .get()
        .map_err(|error| RepositoryError::Unavailable(Box::new(error)))?;
    in_one_transaction(&mut conn, jobs).map_err(classify)
}

fn in_one_transaction(conn: &mut SqliteConnection, jobs: &mut [Box<dyn Job>]) -> QueryResult<()> {
    // Immediate: to begin as a reader and become a writer later can fail at any time; this can only wait.
    AnsiTransactionManager::begin_transaction_sql(conn, "BEGIN IMMEDIATE")?;
    if let [job] = jobs {
        // Alone, it needs no savepoint.
        if job.begin() && !job.run(conn) {
            return AnsiTransactionManager::rollback_transaction(conn);
        }
    } else {
        run_each(conn, jobs)?;
    }
    AnsiTransactionManager::commit_transaction(conn)?;
    // A job that left a transaction of its own open would have turned the commit into the release of a savepoint.
    if conn.is_broken() {
        return Err(DieselError::BrokenTransactionManager);
    }
    Ok(())
}

/// Runs each job in a savepoint, so that one that fails takes nothing else with it.
fn run_each(conn: &mut SqliteConnection, jobs: &mut [Box<dyn Job>]) -> QueryResult<()> {
    for job in jobs {
        if !job.begin() {
            continue;
        }
        let kept = conn.transaction(|conn| if job.run(conn) { Ok(()) } else { Err(Undo::Failed) });
        if let Err(Undo::Lost(error)) = kept {
            return Err(error);
        }
    }
    Ok(())
}
