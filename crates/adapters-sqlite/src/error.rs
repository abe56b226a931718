//! What SQLite's errors mean to a caller.

use diesel::result::Error as DieselError;
use tertulia_domain::repository::RepositoryError;
use tertulia_sql_support::TxError;

/// Another connection, of this or another process, holds the lock for longer than `busy_timeout`.
///
/// diesel passes on SQLite's message but not its result code.
pub(crate) fn is_busy(error: &DieselError) -> bool {
    message(error).is_some_and(|text| matches!(text, "database is locked" | "locking protocol"))
}

/// The file can't be read or written at the moment: a disk that is full or failing, a folder that is gone.
fn is_unavailable(error: &DieselError) -> bool {
    message(error).is_some_and(|text| {
        matches!(
            text,
            "disk I/O error" | "database or disk is full" | "unable to open database file"
        )
    })
}

fn message(error: &DieselError) -> Option<&str> {
    match error {
        DieselError::DatabaseError(_, information) => Some(information.message()),
        DieselError::RollbackErrorOnCommit { commit_error, .. } => message(commit_error),
        _ => None,
    }
}

/// Sorts a database error into what a caller can do about it.
pub(crate) fn classify(error: DieselError) -> RepositoryError {
    if is_busy(&error) {
        RepositoryError::Overloaded
    } else if is_unavailable(&error) {
        RepositoryError::Unavailable(Box::new(error))
    } else {
        tertulia_sql_support::classify(error)
    }
}

/// The error that a repository's method returns.
pub(crate) fn settle<E: From<RepositoryError>>(error: TxError<E>) -> E {
    match error {
        TxError::Database(error) => classify(error).into(),
        other => other.settle(),
    }
}
