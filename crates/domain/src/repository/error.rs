use std::error::Error as StdError;
use thiserror::Error;

/// What can go wrong with any repository call, whatever it asks for.
#[derive(Debug, Error)]
pub enum RepositoryError {
    /// All connections are busy and stayed so for as long as a request may wait. Worth trying again in a moment.
    #[error("the database is overloaded")]
    Overloaded,
    /// The database can't be reached, or broke the connection off. Worth trying again once it is back.
    #[error("the database is unavailable")]
    Unavailable(#[source] Box<dyn StdError + Send + Sync>),
    /// A stored row is something that the domain refuses.
    #[error("inconsistent row in {table}, key {key}: {reason}")]
    Inconsistent {
        /// The table.
        table: &'static str,
        /// What names the row there.
        key: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Anything else: a bug here or a fault there.
    #[error("the database refused")]
    Other(#[source] Box<dyn StdError + Send + Sync>),
}
