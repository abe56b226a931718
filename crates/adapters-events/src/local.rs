use crate::stream::signals;
use async_trait::async_trait;
use futures_util::stream;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tertulia_application::ports::{BusError, EventBus, Signal, SignalStream};
use tokio::sync::broadcast;

/// Signals that may wait for the slowest subscriber.
const CAPACITY: usize = 1_024;

/// For a process that has no others: nobody is told, and nobody tells.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoEventBus;

#[async_trait]
impl EventBus for NoEventBus {
    fn publish(&self, _: Signal) {}

    fn subscribe(&self) -> SignalStream {
        Box::pin(stream::pending())
    }

    async fn check(&self) -> Result<(), BusError> {
        Ok(())
    }
}

/// One end of a bus within one process, for tests: as if each end were a process of its own.
#[derive(Debug)]
pub struct LocalEventBus {
    own: u64,
    next: Arc<AtomicU64>,
    sender: broadcast::Sender<(u64, Signal)>,
}

impl LocalEventBus {
    /// The first end of a new bus.
    pub fn new() -> Self {
        Self {
            own: 0,
            next: Arc::new(AtomicU64::new(1)),
            sender: broadcast::Sender::new(CAPACITY),
        }
    }

    /// Another end of the same bus.
    #[must_use]
    pub fn another(&self) -> Self {
        Self {
            own: self.next.fetch_add(1, Ordering::Relaxed),
            next: Arc::clone(&self.next),
            sender: self.sender.clone(),
        }
    }
}

impl Default for LocalEventBus {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl EventBus for LocalEventBus {
    fn publish(&self, signal: Signal) {
        // It fails when nobody listens.
        drop(self.sender.send((self.own, signal)));
    }

    fn subscribe(&self) -> SignalStream {
        let own = self.own;
        signals(self.sender.subscribe(), move |(from, signal)| {
            (from != own).then_some(signal)
        })
    }

    async fn check(&self) -> Result<(), BusError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::{FutureExt, StreamExt};
    use tertulia_domain::UserId;
    use uuid::Uuid;

    fn ended(user: u128) -> Signal {
        Signal::SessionsEnded {
            user_id: UserId::from_uuid(Uuid::from_u128(user)),
            session_id: None,
        }
    }

    #[tokio::test]
    async fn ends_hear_each_other_and_not_themselves() {
        let one = LocalEventBus::new();
        let (two, three) = (one.another(), one.another());
        let mut streams = [&one, &two, &three].map(EventBus::subscribe);
        one.publish(ended(1));
        two.publish(ended(2));
        for (stream, users) in streams.iter_mut().zip([&[2][..], &[1], &[1, 2]]) {
            for user in users {
                assert_eq!(stream.next().await, Some(ended(*user)));
            }
            assert_eq!(stream.next().now_or_never(), None);
        }
    }

    #[tokio::test]
    async fn without_others_nothing_is_heard() {
        let mut heard = NoEventBus.subscribe();
        NoEventBus.publish(Signal::Lost);
        assert_eq!(heard.next().now_or_never(), None);
        NoEventBus.check().await.unwrap();
    }
}
