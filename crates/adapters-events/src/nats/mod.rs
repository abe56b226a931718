//! The bus over a NATS server: one subject, on which every process says everything and hears everybody.

mod link;
mod options;

pub use options::{NatsCredentials, NatsOptions, NatsSetupError};

use crate::stream::signals;
use async_nats::{Client, ConnectOptions, Event};
use async_trait::async_trait;
use link::{Link, Listener, Speaker};
use metrics::{counter, describe_counter, describe_gauge, gauge};
use std::sync::Arc;
use tertulia_application::ports::{BusError, EventBus, Signal, SignalStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// Signals that went out.
const PUBLISHED: &str = "tertulia_bus_published_total";
/// Signals that came in from others.
const RECEIVED: &str = "tertulia_bus_received_total";
/// Signals that were to go out and did not.
const DROPPED: &str = "tertulia_bus_dropped_total";
/// 1 while others can be told and heard, else 0.
const CONNECTED: &str = "tertulia_bus_connected";

/// Signals that may wait to go out. As many again wait in the client.
const QUEUE: usize = 1_024;

/// Signals that may wait for the slowest subscriber.
const CAPACITY: usize = 4_096;

/// Tells other processes over a NATS server. While that is away, signals wait, as far as there is room.
///
/// It counts as connected once it has heard itself. Then, and after every interruption, its subscribers are told that
/// signals may have been lost. When it had to drop some of its own, it tells the others the same.
pub struct NatsEventBus {
    link: Arc<Link>,
    client: Client,
    queue: mpsc::Sender<Signal>,
    /// They end when this is dropped.
    _tasks: JoinSet<()>,
}

impl NatsEventBus {
    /// Begins to connect, and goes on doing so for as long as it takes. Needs a tokio runtime.
    pub async fn start(options: NatsOptions) -> Result<Self, NatsSetupError> {
        describe();
        let (address, subject) = (options.address()?, options.subject()?);
        let link = Arc::new(Link::new(options.node, subject, CAPACITY));
        let watched = Arc::clone(&link);
        let mut connecting = ConnectOptions::new()
            .name("tertulia")
            .retry_on_initial_connect()
            .client_capacity(QUEUE)
            .event_callback(move |event: Event| {
                watched.note(&event);
                async {}
            });
        connecting = match options.credentials {
            Some(NatsCredentials::Password { user, password }) => connecting.user_and_password(user, password),
            Some(NatsCredentials::Token(token)) => connecting.token(token),
            None => connecting,
        };
        let client = connecting.connect(address).await.map_err(NatsSetupError::Client)?;
        let messages = client.subscribe(link.subject()).await;
        let listener = Listener::new(Arc::clone(&link), client.clone());
        let speaker = Speaker::new(Arc::clone(&link), client.clone());
        let (queue, waiting) = mpsc::channel(QUEUE);
        let mut tasks = JoinSet::new();
        tasks.spawn(listener.run(messages.map_err(NatsSetupError::Subscribe)?));
        tasks.spawn(speaker.run(waiting));
        Ok(Self {
            link,
            client,
            queue,
            _tasks: tasks,
        })
    }
}

#[async_trait]
impl EventBus for NatsEventBus {
    fn publish(&self, signal: Signal) {
        if self.queue.try_send(signal).is_err() {
            self.link.drop_one();
        }
    }

    fn subscribe(&self) -> SignalStream {
        signals(self.link.listen(), Some)
    }

    async fn check(&self) -> Result<(), BusError> {
        if self.link.is_up(&self.client) {
            Ok(())
        } else {
            Err(BusError("there is no connection to the NATS server".into()))
        }
    }
}

fn describe() {
    describe_counter!(PUBLISHED, "Signals to other processes that went out.");
    describe_counter!(RECEIVED, "Signals that came in from other processes.");
    describe_counter!(DROPPED, "Signals to other processes that found no room.");
    describe_gauge!(CONNECTED, "1 while other processes can be told and heard, else 0.");
    for total in [PUBLISHED, RECEIVED, DROPPED] {
        counter!(total).increment(0);
    }
    gauge!(CONNECTED).set(0);
}
