//! What processes tell each other: over NATS, within one process, or not at all.

mod local;
mod nats;
mod stream;
mod wire;

pub use local::{LocalEventBus, NoEventBus};
pub use nats::{NatsCredentials, NatsEventBus, NatsOptions, NatsSetupError};
