use bytes::Bytes;
use std::ops::Deref;
use std::sync::OnceLock;
use tertulia_domain::ChatEvent;

/// An event on its way to many connections, with room for what it looks like to all of them.
#[derive(Debug)]
pub struct LiveEvent {
    event: ChatEvent,
    number: i64,
    rendered: OnceLock<Bytes>,
}

impl LiveEvent {
    /// Of the chat of that number; not rendered yet.
    pub const fn new(event: ChatEvent, number: i64) -> Self {
        Self {
            event,
            number,
            rendered: OnceLock::new(),
        }
    }

    /// The chat's integer identifier.
    pub const fn number(&self) -> i64 {
        self.number
    }

    /// What `render` makes of it; it is made once, so every caller has to render alike.
    pub fn rendered(&self, render: impl FnOnce(&ChatEvent) -> Bytes) -> Bytes {
        self.rendered.get_or_init(|| render(&self.event)).clone()
    }
}

impl Deref for LiveEvent {
    type Target = ChatEvent;

    fn deref(&self) -> &ChatEvent {
        &self.event
    }
}
