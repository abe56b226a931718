//! One write, and the two ends that wait for each other over it.

use crate::error::settle;
use diesel::sqlite::SqliteConnection;
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tertulia_domain::repository::RepositoryError;
use tertulia_sql_support::{MAX_WAIT, TxError};
use thiserror::Error;
use tokio::sync::oneshot;
use tokio::time::timeout;
use tracing::Span;

/// A write, whatever it returns.
pub(super) trait Job: Send {
    /// Claims the job for the writer. False when its caller has given up on it: it must not run then.
    fn begin(&self) -> bool;

    /// Does the work and keeps the result. False when it failed and must be rolled back.
    fn run(&mut self, conn: &mut SqliteConnection) -> bool;

    /// Hands out the result, or what kept it from the disk. A fault in the job's own statements comes first; an outcome
    /// does not, for it may come from what another job of the batch did, which then has not happened.
    fn answer(self: Box<Self>, committed: Result<(), &Arc<RepositoryError>>);
}

/// The caller's end.
pub(super) struct Ticket<T, E> {
    begun: Arc<AtomicBool>,
    answer: oneshot::Receiver<Result<T, E>>,
}

struct Write<T, E, F> {
    begun: Arc<AtomicBool>,
    work: Option<F>,
    result: Option<Result<T, TxError<E>>>,
    answer: oneshot::Sender<Result<T, E>>,
    span: Span,
}

/// A panic inside a job.
#[derive(Debug, Error)]
#[error("a write panicked: {0}")]
struct Panicked(String);

pub(super) fn new<T, E, F>(work: F) -> (Box<dyn Job>, Ticket<T, E>)
where
    F: FnOnce(&mut SqliteConnection) -> Result<T, TxError<E>> + Send + 'static,
    T: Send + 'static,
    E: From<RepositoryError> + Send + 'static,
{
    let begun = Arc::new(AtomicBool::new(false));
    let (sender, receiver) = oneshot::channel();
    let job = Write {
        begun: Arc::clone(&begun),
        work: Some(work),
        result: None,
        answer: sender,
        span: Span::current(),
    };
    let ticket = Ticket {
        begun,
        answer: receiver,
    };
    (Box::new(job), ticket)
}

/// True for the one of the two ends that asks first.
fn first(begun: &AtomicBool) -> bool {
    !begun.swap(true, Ordering::AcqRel)
}

impl<T, E: From<RepositoryError>> Ticket<T, E> {
    /// The answer; `None` when the job did not begin in time, and never will.
    pub(super) async fn wait(mut self) -> Option<Result<T, E>> {
        let answer = match timeout(MAX_WAIT, &mut self.answer).await {
            Ok(answer) => answer,
            Err(_) if first(&self.begun) => return None,
            Err(_) => self.answer.await,
        };
        Some(answer.unwrap_or_else(|_| Err(super::gone().into())))
    }
}

impl<T, E, F> Job for Write<T, E, F>
where
    F: FnOnce(&mut SqliteConnection) -> Result<T, TxError<E>> + Send,
    T: Send,
    E: From<RepositoryError> + Send,
{
    fn begin(&self) -> bool {
        first(&self.begun)
    }

    fn run(&mut self, conn: &mut SqliteConnection) -> bool {
        let Some(work) = self.work.take() else {
            return false;
        };
        let _in_span = self.span.enter();
        // The connection outlives the panic, but what the job did with it is rolled back.
        let result = catch_unwind(AssertUnwindSafe(|| work(conn))).unwrap_or_else(|panic| {
            let panicked = Panicked(text_of(panic.as_ref()));
            Err(RepositoryError::Other(Box::new(panicked)).into())
        });
        let done = result.is_ok();
        self.result = Some(result);
        done
    }

    fn answer(self: Box<Self>, committed: Result<(), &Arc<RepositoryError>>) {
        let answer = match (self.result, committed) {
            (Some(Err(fault @ (TxError::Database(_) | TxError::Repository(_)))), _) => Err(settle(fault)),
            (_, Err(error)) => Err(share(error).into()),
            (Some(result), Ok(())) => result.map_err(settle),
            // Its caller has given up.
            (None, Ok(())) => return,
        };
        // The caller may have gone away; what was written stays.
        let _ = self.answer.send(answer);
    }
}

/// One error for each job of a batch.
fn share(error: &Arc<RepositoryError>) -> RepositoryError {
    match **error {
        RepositoryError::Overloaded => RepositoryError::Overloaded,
        RepositoryError::Unavailable(_) => RepositoryError::Unavailable(Box::new(Arc::clone(error))),
        RepositoryError::Inconsistent { .. } | RepositoryError::Other(_) => {
            RepositoryError::Other(Box::new(Arc::clone(error)))
        }
    }
}

fn text_of(panic: &(dyn Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_default()
}
