//! What the SQL adapters share: a connection pool behind a bounded blocking hop, and the classification of errors.
//!
//! No SQL here: each adapter speaks its own database's.

use diesel::r2d2::{ConnectionManager, Pool, R2D2Connection};
use diesel::result::{DatabaseErrorKind, Error as DieselError};
use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;
use tertulia_domain::repository::RepositoryError;
use thiserror::Error;
use tokio::sync::Semaphore;
use tokio::time::timeout;

mod events;
mod file;
mod profile;
mod snapshot;

pub use events::{ChangeRecord, ChangeRow, Head, Mark, Shown, Stretch};
pub use file::{FileJsonError, file_from_json, file_to_json, files_from_json, files_to_json};
pub use profile::{ProfileJsonError, profile_from_json, profile_to_json};
pub use snapshot::MessageSnapshot;

/// How long a request may wait for a connection before it is told that the database is overloaded.
pub const MAX_WAIT: Duration = Duration::from_secs(2);

/// A pool of blocking connections for asynchronous callers.
///
/// A permit is taken before a connection is, and a connection before a thread is blocked: however many requests come,
/// no more threads are blocked than there are connections, and who waits longer than [`MAX_WAIT`] gets
/// [`RepositoryError::Overloaded`].
pub struct BlockingPool<C: R2D2Connection + Send + 'static> {
    pool: Pool<ConnectionManager<C>>,
    permits: Arc<Semaphore>,
    name: &'static str,
}

impl<C: R2D2Connection + Send + 'static> Clone for BlockingPool<C> {
    fn clone(&self) -> Self {
        Self {
            pool: self.pool.clone(),
            permits: Arc::clone(&self.permits),
            name: self.name,
        }
    }
}

impl<C: R2D2Connection + Send + 'static> BlockingPool<C> {
    /// Puts a pool behind permits, one for each of its connections. `name` labels its metrics.
    pub fn new(pool: Pool<ConnectionManager<C>>, name: &'static str) -> Self {
        let permits = usize::try_from(pool.max_size()).unwrap_or(1);
        metrics::gauge!("tertulia_db_connections_max", "pool" => name).set(f64::from(pool.max_size()));
        Self {
            pool,
            permits: Arc::new(Semaphore::new(permits)),
            name,
        }
    }

    /// Runs `work` with a connection on a thread that may block, inside the caller's tracing span.
    pub async fn run<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: FnOnce(&mut C) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<RepositoryError> + Send + 'static,
    {
        let waiting = Waiting::begin(self.name);
        let permit = timeout(MAX_WAIT, Arc::clone(&self.permits).acquire_owned()).await;
        drop(waiting);
        let Ok(Ok(permit)) = permit else {
            return Err(overloaded(self.name).into());
        };
        let pool = self.pool.clone();
        let span = tracing::Span::current();
        let outcome = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            let _in_span = span.entered();
            let mut connection = pool.get().map_err(|e| RepositoryError::Unavailable(Box::new(e)))?;
            work(&mut connection)
        })
        .await;
        match outcome {
            Ok(result) => result,
            Err(join) => Err(RepositoryError::Other(Box::new(join)).into()),
        }
    }
}

/// Counts a request among those that wait for `pool`, until it is dropped: a caller may go away while it waits.
pub struct Waiting(metrics::Gauge);

impl Waiting {
    /// From now on.
    pub fn begin(pool: &'static str) -> Self {
        let gauge = metrics::gauge!("tertulia_db_waiting", "pool" => pool);
        gauge.increment(1.0);
        Self(gauge)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.decrement(1.0);
    }
}

/// Counts a request that `pool` had to refuse, and gives the error that its caller gets.
pub fn overloaded(pool: &'static str) -> RepositoryError {
    metrics::counter!("tertulia_db_overloaded_total", "pool" => pool).increment(1);
    RepositoryError::Overloaded
}

/// Sorts a database error into what a caller can do about it. Constraint violations that mean something are matched
/// before this is called; here they are bugs.
pub fn classify(error: DieselError) -> RepositoryError {
    let unavailable = match &error {
        DieselError::DatabaseError(kind, info) => {
            matches!(
                kind,
                DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::UnableToSendCommand
            ) || is_disconnection(info.message())
        }
        DieselError::BrokenTransactionManager => true,
        _ => false,
    };
    if is_timeout(&error) {
        RepositoryError::Overloaded
    } else if unavailable {
        RepositoryError::Unavailable(Box::new(error))
    } else {
        RepositoryError::Other(Box::new(error))
    }
}

/// A statement that ran, or waited for a lock, for longer than it may.
fn is_timeout(error: &DieselError) -> bool {
    matches!(error, DieselError::DatabaseError(_, info)
        if ["due to statement timeout", "due to lock timeout"].iter().any(|part| info.message().contains(part)))
}

/// libpq reports a lost connection and a server that is shutting down only by their text.
fn is_disconnection(message: &str) -> bool {
    [
        "server closed the connection",
        "connection not open",
        "no connection to the server",
        "could not connect",
        "Connection refused",
        "terminating connection",
        "the database system is",
        "SSL connection has been closed",
    ]
    .iter()
    .any(|part| message.contains(part))
}

/// The name of the constraint that an insert or update violated, when it is a unique one.
pub fn violated_unique(error: &DieselError) -> Option<&str> {
    match error {
        DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, info) => {
            Some(info.constraint_name().unwrap_or_else(|| info.message()))
        }
        _ => None,
    }
}

/// A stored row that the domain refuses.
pub fn inconsistent(table: &'static str, key: impl Display, reason: impl Display) -> RepositoryError {
    RepositoryError::Inconsistent {
        table,
        key: key.to_string(),
        reason: reason.to_string(),
    }
}

/// What can go wrong inside a transaction: an outcome that the caller knows by name and that rolls it back, a database
/// error, or an error that is already sorted.
///
/// diesel wants an error type that takes its own errors; this one keeps them until [`TxError::settle`].
#[derive(Debug, Error)]
pub enum TxError<E> {
    /// A named outcome.
    #[error("a named outcome")]
    Named(E),
    /// A database error.
    #[error(transparent)]
    Database(#[from] DieselError),
    /// Sorted already.
    #[error(transparent)]
    Repository(#[from] RepositoryError),
}

impl<E: From<RepositoryError>> TxError<E> {
    /// The error that the repository's method returns.
    pub fn settle(self) -> E {
        match self {
            Self::Named(outcome) => outcome,
            Self::Database(error) => classify(error).into(),
            Self::Repository(error) => error.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lost_connections_are_worth_another_try() {
        let closed =
            |message: &str| DieselError::DatabaseError(DatabaseErrorKind::Unknown, Box::new(message.to_owned()));
        for message in [
            "server closed the connection unexpectedly",
            "FATAL: the database system is shutting down",
        ] {
            assert!(
                matches!(classify(closed(message)), RepositoryError::Unavailable(_)),
                "{message}"
            );
        }
        let slow = closed("canceling statement due to statement timeout");
        assert!(matches!(classify(slow), RepositoryError::Overloaded));
        assert!(matches!(classify(closed("syntax error")), RepositoryError::Other(_)));
        assert!(matches!(
            classify(DieselError::BrokenTransactionManager),
            RepositoryError::Unavailable(_)
        ));
    }
}
