//! Which failures pass by themselves.

use object_store::Error;
use object_store::client::{HttpError, HttpErrorKind};
use std::error::Error as StdError;
use std::io;
use std::iter::successors;
use tertulia_application::ports::StoreError;

/// What reading or deleting an object ran into.
pub(super) fn of_reading(error: Error) -> StoreError {
    match error {
        // S3 answers 404 for a bucket that isn't there, too.
        Error::NotFound { ref source, .. } if source.to_string().contains("NoSuchBucket") => {
            StoreError::Unavailable(error.into())
        }
        Error::NotFound { .. } => StoreError::NotFound,
        error => of_writing(error),
    }
}

/// What writing an object ran into: there, something missing is the bucket or the folder.
pub(super) fn of_writing(error: Error) -> StoreError {
    if matches!(error, Error::NotFound { .. }) || passes(&error) {
        StoreError::Unavailable(error.into())
    } else {
        StoreError::Failed(error.into())
    }
}

/// What an operation on a file ran into.
pub(super) fn of_io(error: io::Error) -> StoreError {
    if passes(&error) {
        StoreError::Unavailable(error.into())
    } else {
        StoreError::Failed(error.into())
    }
}

/// Whether S3 says that a range begins behind the object's last byte.
pub(super) fn is_behind_the_end(error: &Error) -> bool {
    causes(error).any(|cause| http_status(cause) == Some(416))
}

/// Whether it may go by itself, or by making room: no connection, no space, a server that is overloaded.
fn passes(error: &(dyn StdError + 'static)) -> bool {
    causes(error).any(|cause| {
        if let Some(error) = cause.downcast_ref::<io::Error>() {
            passes_io(error.kind())
        } else if let Some(error) = cause.downcast_ref::<HttpError>() {
            !matches!(error.kind(), HttpErrorKind::Decode | HttpErrorKind::Unknown)
        } else {
            http_status(cause).is_some_and(|status| status >= 500 || status == 408 || status == 429)
        }
    })
}

fn passes_io(kind: io::ErrorKind) -> bool {
    use io::ErrorKind as Kind;
    matches!(
        kind,
        Kind::BrokenPipe
            | Kind::ConnectionAborted
            | Kind::ConnectionRefused
            | Kind::ConnectionReset
            | Kind::HostUnreachable
            | Kind::NetworkDown
            | Kind::NetworkUnreachable
            | Kind::NotConnected
            | Kind::QuotaExceeded
            | Kind::ReadOnlyFilesystem
            | Kind::StaleNetworkFileHandle
            | Kind::StorageFull
            | Kind::TimedOut
    )
}

/// The status that a server answered after all retries. `object_store` keeps the error's type to itself and tells it in
/// the message only.
fn http_status(error: &(dyn StdError + 'static)) -> Option<u16> {
    let text = error.to_string();
    if text.starts_with("Server returned error response: ") {
        // Under a status of success: that it broke, or is asked too much.
        return Some(503);
    }
    let status = text.strip_prefix("Server returned non-2xx status code: ")?;
    status.get(..3)?.parse().ok()
}

/// The error, what caused it, and so on.
fn causes<'e>(error: &'e (dyn StdError + 'static)) -> impl Iterator<Item = &'e (dyn StdError + 'static)> {
    successors(Some(error), |error: &&'e (dyn StdError + 'static)| (*error).source())
}
