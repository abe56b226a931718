use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

/// Something to do, for whoever comes first to do it.
pub(super) struct Queue<T> {
    inner: Mutex<Inner<T>>,
}

struct Inner<T> {
    items: VecDeque<T>,
    waiting: Vec<Waker>,
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self {
            inner: Mutex::new(Inner {
                items: VecDeque::new(),
                waiting: Vec::new(),
            }),
        }
    }
}

impl<T> Queue<T> {
    pub(super) fn push(&self, item: T) {
        let mut inner = self.inner();
        inner.items.push_back(item);
        let waiting = std::mem::take(&mut inner.waiting);
        drop(inner);
        waiting.into_iter().for_each(Waker::wake);
    }

    /// The next thing, when there is one.
    pub(super) async fn next(&self) -> T {
        poll_fn(|context| {
            let mut inner = self.inner();
            if let Some(item) = inner.items.pop_front() {
                return Poll::Ready(item);
            }
            if !inner.waiting.iter().any(|waker| waker.will_wake(context.waker())) {
                inner.waiting.push(context.waker().clone());
            }
            Poll::Pending
        })
        .await
    }

    pub(super) fn len(&self) -> usize {
        self.inner().items.len()
    }

    /// All that is there now.
    pub(super) fn take(&self) -> Vec<T> {
        self.inner().items.drain(..).collect()
    }

    fn inner(&self) -> MutexGuard<'_, Inner<T>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
