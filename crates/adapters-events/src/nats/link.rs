//! The connection's state, and who speaks and listens over it.

use super::{CONNECTED, DROPPED, PUBLISHED, RECEIVED};
use crate::wire::{self, Heard};
use async_nats::connection::State;
use async_nats::{Client, Event, Subscriber};
use futures_util::StreamExt;
use metrics::{counter, gauge};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tertulia_application::ports::Signal;
use tokio::sync::{Notify, broadcast, mpsc};
use tokio::time::{MissedTickBehavior, interval};
use uuid::Uuid;

/// How often the connection is looked at without being asked to, and tried again when it was not heard over.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What is known of the connection. Connections have numbers, 1 and up.
pub(super) struct Link {
    node: Uuid,
    subject: String,
    heard: broadcast::Sender<Signal>,
    /// The last connection over which this process heard itself; 0 for none.
    proven: AtomicU64,
    /// Whether it was logged that there is none.
    away: AtomicBool,
    /// Whether signals were dropped of which the others have not been told.
    dropped: AtomicBool,
    changed: Notify,
}

impl Link {
    pub(super) fn new(node: Uuid, subject: String, capacity: usize) -> Self {
        Self {
            node,
            subject,
            heard: broadcast::Sender::new(capacity),
            proven: AtomicU64::new(0),
            away: AtomicBool::new(false),
            dropped: AtomicBool::new(false),
            changed: Notify::new(),
        }
    }

    pub(super) fn subject(&self) -> String {
        self.subject.clone()
    }

    pub(super) fn listen(&self) -> broadcast::Receiver<Signal> {
        self.heard.subscribe()
    }

    /// A signal goes out to nobody.
    pub(super) fn drop_one(&self) {
        counter!(DROPPED).increment(1);
        self.dropped.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_up(&self, client: &Client) -> bool {
        current(client).is_some_and(|connection| connection == self.proven.load(Ordering::Relaxed))
    }

    /// What the client tells of itself.
    pub(super) fn note(&self, event: &Event) {
        match event {
            Event::SlowConsumer(_) => self.tell(Signal::Lost),
            Event::ServerError(error) => tracing::warn!(%error, "the NATS server complains"),
            // The client says this at every attempt.
            Event::Disconnected | Event::ClientError(_) if !self.away.swap(true, Ordering::Relaxed) => {
                tracing::warn!(reason = %event, "there is no connection to the NATS server; trying again");
            }
            _ => {}
        }
        self.changed.notify_one();
    }

    /// To whoever listens in this process, if anybody does.
    fn tell(&self, signal: Signal) {
        drop(self.heard.send(signal));
    }
}

/// The number of the connection, if there is one.
fn current(client: &Client) -> Option<u64> {
    let connection = client.statistics().connects.load(Ordering::Relaxed);
    (client.connection_state() == State::Connected).then_some(connection)
}

/// Hears what comes in, itself included.
pub(super) struct Listener {
    link: Arc<Link>,
    client: Client,
}

impl Listener {
    pub(super) fn new(link: Arc<Link>, client: Client) -> Self {
        Self { link, client }
    }

    pub(super) async fn run(self, mut messages: Subscriber) {
        let mut ticks = interval(LOOK_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut tried = None;
        loop {
            tokio::select! {
                message = messages.next() => match message {
                    Some(message) => self.take(&message.payload),
                    // The client ended.
                    None => return,
                },
                () = self.link.changed.notified() => {}
                _ = ticks.tick() => tried = None,
            }
            self.look(&mut tried).await;
        }
    }

    /// Says something over a connection that is new, for this process to hear: when it comes back, everything that others
    /// say will come, too.
    async fn look(&self, tried: &mut Option<u64>) {
        let up = self.link.is_up(&self.client);
        gauge!(CONNECTED).set(if up { 1.0 } else { 0.0 });
        let connection = current(&self.client);
        if up || connection == *tried {
            return;
        }
        *tried = connection;
        if let Some(connection) = connection {
            let Ok(echo) = wire::echo(self.link.node, connection) else {
                return;
            };
            // When it fails, it is tried again.
            drop(self.client.publish(self.link.subject(), echo.into()).await);
        }
    }

    fn take(&self, message: &[u8]) {
        match wire::read(self.link.node, message) {
            Ok(Heard::Signal(signal)) => {
                counter!(RECEIVED).increment(1);
                self.link.tell(signal);
            }
            Ok(Heard::OwnEcho(connection)) => self.prove(connection),
            Ok(Heard::NotForUs) => {}
            Err(error) => tracing::debug!(%error, "somebody said something strange on the event bus"),
        }
    }

    fn prove(&self, connection: u64) {
        let link = &self.link;
        if current(&self.client) != Some(connection) || link.proven.swap(connection, Ordering::Relaxed) == connection {
            return;
        }
        link.away.store(false, Ordering::Relaxed);
        tracing::info!("other processes are heard over the NATS server");
        link.tell(Signal::Lost);
    }
}

/// Says what is to go out.
pub(super) struct Speaker {
    link: Arc<Link>,
    client: Client,
}

impl Speaker {
    pub(super) fn new(link: Arc<Link>, client: Client) -> Self {
        Self { link, client }
    }

    pub(super) async fn run(self, mut waiting: mpsc::Receiver<Signal>) {
        while let Some(signal) = waiting.recv().await {
            if self.link.dropped.swap(false, Ordering::Relaxed) {
                self.say(Signal::Lost).await;
            }
            self.say(signal).await;
        }
    }

    /// Waits while there is no connection and no room.
    async fn say(&self, signal: Signal) {
        let said = match wire::signal(self.link.node, signal) {
            Ok(message) => self.client.publish(self.link.subject(), message.into()).await.is_ok(),
            Err(_) => false,
        };
        if said {
            counter!(PUBLISHED).increment(1);
        } else {
            self.link.drop_one();
        }
    }
}
