//! How the repositories reach the database.

use diesel::PgConnection;
use diesel::r2d2::R2D2Connection;
use diesel::result::{DatabaseErrorKind, Error as DieselError};
use tertulia_domain::repository::RepositoryError;
use tertulia_sql_support::{BlockingPool, TxError};

/// The pool, with what this database asks of those who use it: to begin again after a conflict, and to throw lost
/// connections away.
#[derive(Clone)]
pub(crate) struct Client {
    pool: BlockingPool<PgConnection>,
}

/// How often something that lost a conflict is begun again.
const RETRIES: usize = 4;

impl Client {
    pub(crate) fn new(pool: BlockingPool<PgConnection>) -> Self {
        Self { pool }
    }

    /// Runs `work`, which is one statement or one transaction: again if the database broke it off in favour of another
    /// transaction.
    pub(crate) async fn run<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: Fn(&mut PgConnection) -> Result<T, TxError<E>> + Send + 'static,
        T: Send + 'static,
        E: From<RepositoryError> + Send + 'static,
    {
        self.pool.run(move |connection| attempt(connection, &work)).await
    }
}

fn attempt<T, E, F>(connection: &mut PgConnection, work: &F) -> Result<T, E>
where
    F: Fn(&mut PgConnection) -> Result<T, TxError<E>>,
    E: From<RepositoryError>,
{
    let mut retries = RETRIES;
    loop {
        match work(connection) {
            Err(TxError::Database(error)) if retries > 0 && lost_conflict(&error) => {
                tracing::debug!(%error, "beginning again after a conflict");
                retries -= 1;
            }
            Err(TxError::Database(error)) => {
                if is_connection_lost(&error) {
                    // diesel doesn't note a loss that shows when a statement is being prepared, and the pool would keep
                    // the connection. It does note the failure of a ping, for which a lost connection needs no network.
                    let _ = connection.ping();
                }
                return Err(TxError::Database(error).settle());
            }
            other => return other.map_err(TxError::settle),
        }
    }
}

/// Runs statements that all see the database at one moment, and change nothing.
pub(crate) fn at_one_moment<T, E>(
    connection: &mut PgConnection,
    read: impl FnOnce(&mut PgConnection) -> Result<T, TxError<E>>,
) -> Result<T, TxError<E>> {
    connection.build_transaction().read_only().repeatable_read().run(read)
}

/// What another transaction made impossible may well be possible once that one is over.
pub(crate) fn conflict(what: &str) -> DieselError {
    DieselError::DatabaseError(DatabaseErrorKind::SerializationFailure, Box::new(what.to_owned()))
}

/// Serialization failures (40001) and deadlocks (40P01). diesel has no kind for the latter and doesn't pass on the code,
/// so these are found by PostgreSQL's untranslated words: where the server speaks another language they are errors.
fn lost_conflict(error: &DieselError) -> bool {
    match error {
        DieselError::DatabaseError(DatabaseErrorKind::SerializationFailure, _) => true,
        DieselError::DatabaseError(DatabaseErrorKind::Unknown, information) => {
            information.message().contains("deadlock detected")
        }
        _ => false,
    }
}

fn is_connection_lost(error: &DieselError) -> bool {
    matches!(
        error,
        DieselError::DatabaseError(
            DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::UnableToSendCommand,
            _
        )
    )
}
