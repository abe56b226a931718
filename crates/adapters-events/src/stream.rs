//! From a channel to a stream of signals.

use futures_util::stream;
use tertulia_application::ports::{Signal, SignalStream};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

/// What `take` makes of the items. Whoever is too slow gets [`Signal::Lost`] in the place of the oldest.
pub(crate) fn signals<T: Clone + Send + 'static>(
    items: Receiver<T>,
    take: impl Fn(T) -> Option<Signal> + Send + 'static,
) -> SignalStream {
    Box::pin(stream::unfold((items, take), async |(mut items, take)| {
        loop {
            let signal = match items.recv().await {
                Ok(item) => take(item),
                Err(RecvError::Lagged(_)) => Some(Signal::Lost),
                Err(RecvError::Closed) => return None,
            };
            if let Some(signal) = signal {
                return Some((signal, (items, take)));
            }
        }
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::StreamExt;
    use tertulia_domain::{ChatId, UserId};
    use tokio::sync::broadcast;
    use uuid::Uuid;

    fn typing(active: bool) -> Signal {
        Signal::Typing {
            chat_id: ChatId::from_uuid(Uuid::from_u128(1)),
            user_id: UserId::from_uuid(Uuid::from_u128(2)),
            active,
        }
    }

    #[tokio::test]
    async fn who_is_too_slow_is_told() {
        let (sender, items) = broadcast::channel(2);
        let slow = signals(items, Some);
        for active in [false, false, false, true, false] {
            sender.send(typing(active)).unwrap();
        }
        drop(sender);
        let heard: Vec<Signal> = slow.collect().await;
        assert_eq!(heard, [Signal::Lost, typing(true), typing(false)]);
    }

    #[tokio::test]
    async fn what_is_not_taken_is_not_heard() {
        let (sender, items) = broadcast::channel(4);
        for active in [false, true, false] {
            sender.send(typing(active)).unwrap();
        }
        drop(sender);
        let active = signals(items, |signal| (signal == typing(true)).then_some(signal));
        assert_eq!(active.collect::<Vec<_>>().await, [typing(true)]);
    }
}
