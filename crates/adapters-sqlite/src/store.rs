//! Where the repositories read and write.

use crate::error::settle;
use crate::writer::Writer;
use diesel::Connection;
use diesel::sqlite::SqliteConnection;
use std::sync::Arc;
use tertulia_domain::repository::RepositoryError;
use tertulia_sql_support::{BlockingPool, TxError};

/// The readers and the writer.
#[derive(Clone)]
pub(crate) struct Store {
    readers: BlockingPool<SqliteConnection>,
    writer: Arc<Writer>,
}

impl Store {
    pub(crate) fn new(readers: BlockingPool<SqliteConnection>, writer: Writer) -> Self {
        Self {
            readers,
            writer: Arc::new(writer),
        }
    }

    /// Reads in one statement.
    pub(crate) async fn read<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: FnOnce(&mut SqliteConnection) -> Result<T, TxError<E>> + Send + 'static,
        T: Send + 'static,
        E: From<RepositoryError> + Send + 'static,
    {
        self.readers.run(|conn| work(conn).map_err(settle)).await
    }

    /// Reads in several statements that see the database as it was at one moment.
    pub(crate) async fn read_consistently<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: FnOnce(&mut SqliteConnection) -> Result<T, TxError<E>> + Send + 'static,
        T: Send + 'static,
        E: From<RepositoryError> + Send + 'static,
    {
        self.read(|conn| conn.transaction(work)).await
    }

    /// Writes, in a transaction that is rolled back if `work` fails; see [`Writer::run`].
    pub(crate) async fn write<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: FnOnce(&mut SqliteConnection) -> Result<T, TxError<E>> + Send + 'static,
        T: Send + 'static,
        E: From<RepositoryError> + Send + 'static,
    {
        self.writer.run(work).await
    }
}
