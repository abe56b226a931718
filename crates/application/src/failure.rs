use crate::ports::{HashError, StoreError, TokenError};
use std::error::Error as StdError;
use tertulia_domain::repository::RepositoryError;
use thiserror::Error;

/// Any error, with what caused it.
pub type BoxError = Box<dyn StdError + Send + Sync>;

/// What can go wrong with any use case and is not the caller's doing: the one opaque variant of their errors.
#[derive(Debug, Error)]
pub enum Failure {
    /// Too much is asked at once; worth trying again in a moment.
    #[error("the service is overloaded")]
    Overloaded,
    /// Something that the service leans on can't be reached; worth trying again later.
    #[error("the service is unavailable")]
    Unavailable(#[source] BoxError),
    /// A bug, or a fault that nobody foresaw.
    #[error("internal error")]
    Internal(#[source] BoxError),
}

impl From<RepositoryError> for Failure {
    fn from(error: RepositoryError) -> Self {
        match error {
            RepositoryError::Overloaded => Self::Overloaded,
            RepositoryError::Unavailable(source) => Self::Unavailable(source),
            error @ (RepositoryError::Inconsistent { .. } | RepositoryError::Other(_)) => Self::Internal(error.into()),
        }
    }
}

impl From<HashError> for Failure {
    fn from(error: HashError) -> Self {
        match error {
            HashError::Overloaded => Self::Overloaded,
            HashError::Failed(source) => Self::Internal(source),
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(source) => Self::Unavailable(source),
            StoreError::Failed(source) => Self::Internal(source),
            // An object that a row speaks of is missing.
            error @ StoreError::NotFound => Self::Internal(error.into()),
        }
    }
}

impl From<TokenError> for Failure {
    fn from(error: TokenError) -> Self {
        Self::Internal(error.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{explain, repository_errors, store_errors};

    #[test]
    fn of_a_repository() {
        let [overloaded, unavailable, inconsistent, other] =
            <[_; 4]>::try_from(repository_errors()).unwrap().map(Failure::from);
        assert!(matches!(overloaded, Failure::Overloaded));
        assert!(matches!(unavailable, Failure::Unavailable(_)));
        assert_eq!(explain(&unavailable)[1..], ["connection refused"]);
        assert!(matches!(inconsistent, Failure::Internal(_)));
        assert_eq!(
            explain(&inconsistent)[1..],
            ["inconsistent row in users, key 7: no name"]
        );
        assert!(matches!(other, Failure::Internal(_)));
        assert_eq!(explain(&other)[1..], ["the database refused", "syntax error"]);
    }

    #[test]
    fn of_the_hasher() {
        assert!(matches!(Failure::from(HashError::Overloaded), Failure::Overloaded));
        let failed = Failure::from(HashError::Failed("broken".into()));
        assert!(matches!(failed, Failure::Internal(_)));
        assert_eq!(explain(&failed)[1..], ["broken"]);
    }

    #[test]
    fn of_the_file_store() {
        let [missing, unavailable, failed] = <[_; 3]>::try_from(store_errors()).unwrap().map(Failure::from);
        assert!(matches!(missing, Failure::Internal(_)));
        assert_eq!(explain(&missing)[1..], ["no such object"]);
        assert!(matches!(unavailable, Failure::Unavailable(_)));
        assert_eq!(explain(&unavailable)[1..], ["disk full"]);
        assert!(matches!(failed, Failure::Internal(_)));
        assert_eq!(explain(&failed)[1..], ["no such bucket"]);
    }

    #[test]
    fn of_the_token_issuer() {
        let failed = Failure::from(TokenError("no key".into()));
        assert!(matches!(failed, Failure::Internal(_)));
        assert_eq!(explain(&failed)[1..], ["signing failed", "no key"]);
    }

    /// What the caller is told must not hold what only the operator may know.
    #[test]
    fn keeps_the_cause_to_itself() {
        for error in repository_errors() {
            let shown = Failure::from(error).to_string();
            assert!(
                !["connection", "users", "syntax"]
                    .iter()
                    .any(|secret| shown.contains(secret)),
                "{shown}"
            );
        }
    }
}
