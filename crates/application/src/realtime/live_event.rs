use bytes::Bytes;
use std::ops::Deref;
use std::sync::OnceLock;
use tertulia_domain::ChatEvent;

/// An event on its way to many connections, with room for what it looks like to all of them.
#[derive(Debug)]
pub struct LiveEvent {
    event: ChatEvent,
    rendered: OnceLock<Bytes>,
}

impl LiveEvent {
    /// Not rendered yet.
    pub const fn new(event: ChatEvent) -> Self {
        Self {
            event,
            rendered: OnceLock::new(),
        }
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
