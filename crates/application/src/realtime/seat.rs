use super::LiveEvent;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use tertulia_domain::{ChatId, ClaimedSession, EventSeq, Timestamp, UserId};

/// Deliveries that may wait for a connection to take them. One that lags further behind is better off to resume.
pub(super) const MAX_WAITING: usize = 2_048;

/// What is brought to a connection.
#[derive(Debug, Clone)]
pub enum Delivery {
    /// Something that happened in a chat.
    Event(Arc<LiveEvent>),
    /// Somebody began or stopped typing.
    Typing {
        /// Where.
        chat_id: ChatId,
        /// Who.
        user_id: UserId,
        /// Whether they type now.
        active: bool,
    },
    /// Somebody came or went.
    Presence {
        /// Who.
        user_id: UserId,
        /// Whether they are here now.
        online: bool,
        /// Since when.
        at: Timestamp,
    },
    /// Names the place up to where everything was delivered.
    Token(String),
}

/// Why a connection is to be closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closing {
    /// Its session has ended.
    SessionEnded,
    /// It did not take what was brought to it; it may resume.
    TooSlow,
    /// Something was lost on the way to it; it may resume.
    Interrupted,
    /// This node stops; it may resume at another.
    Stopping,
}

/// One connection's place in the hub.
pub(super) struct Seat {
    pub(super) id: u64,
    pub(super) session: ClaimedSession,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    waiting: VecDeque<Delivery>,
    waker: Option<Waker>,
    closing: Option<Closing>,
    /// The chats that it listens to.
    chats: Vec<ChatId>,
    /// The chats that it listened to until that event.
    left: Vec<(ChatId, EventSeq)>,
    listening: Listening,
}

/// Whether a connection was given the chats that it listens to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Listening {
    /// They are being looked up.
    #[default]
    NotYet,
    /// They are being looked up, and there may be others by now.
    NotYetAndStale,
    /// It was; others come one by one.
    Yes,
}

impl Seat {
    pub(super) fn new(id: u64, session: ClaimedSession) -> Self {
        Self {
            id,
            session,
            inner: Mutex::default(),
        }
    }

    /// Brings something, unless the connection is to be closed anyway.
    pub(super) fn bring(&self, delivery: Delivery) {
        let mut inner = self.inner();
        if inner.closing.is_some() {
            return;
        }
        if inner.waiting.len() >= MAX_WAITING {
            inner.close(Closing::TooSlow);
        } else {
            inner.waiting.push_back(delivery);
        }
        inner.wake();
    }

    /// Brings events one after the other.
    pub(super) fn bring_events(&self, events: Vec<Arc<LiveEvent>>) {
        for event in events {
            self.bring(Delivery::Event(event));
        }
    }

    /// Has the connection closed; what was brought and not taken yet is void.
    pub(super) fn close(&self, closing: Closing) {
        let mut inner = self.inner();
        inner.close(closing);
        inner.wake();
    }

    /// The next thing that was brought.
    pub(super) async fn next(&self) -> Result<Delivery, Closing> {
        poll_fn(|context| {
            let mut inner = self.inner();
            if let Some(delivery) = inner.waiting.pop_front() {
                if inner.waiting.is_empty() && inner.waiting.capacity() > 64 {
                    // Idle connections are many: what one burst needed is given back.
                    inner.waiting = VecDeque::new();
                }
                return Poll::Ready(Ok(delivery));
            }
            if let Some(closing) = inner.closing {
                return Poll::Ready(Err(closing));
            }
            inner.waker = Some(context.waker().clone());
            Poll::Pending
        })
        .await
    }

    /// What is there already, without waiting.
    pub(super) fn try_next(&self) -> Option<Delivery> {
        self.inner().waiting.pop_front()
    }

    pub(super) fn listens_to(&self, chat: ChatId) -> bool {
        self.inner().chats.contains(&chat)
    }

    pub(super) fn chats(&self) -> Vec<ChatId> {
        self.inner().chats.clone()
    }

    /// Listens to a chat that the user came into by that event. False when it does so already, or has done so until they
    /// left.
    pub(super) fn add_chat(&self, chat: ChatId, first: EventSeq) -> bool {
        let mut inner = self.inner();
        let new = !inner.knows(chat, first);
        if new {
            inner.chats.push(chat);
        }
        new
    }

    /// The user was in that chat until that event, and is told so otherwise than by what comes by itself. False when it comes
    /// by itself.
    pub(super) fn skip_chat(&self, chat: ChatId, last: EventSeq) -> bool {
        let mut inner = self.inner();
        let new = !inner.knows(chat, last);
        if new {
            inner.leave(chat, last);
        }
        new
    }

    /// Its chats are about to be looked up.
    pub(super) fn look_up(&self) {
        self.inner().listening = Listening::NotYet;
    }

    /// Notes all chats of somebody who has just come. False, and nothing is noted, when they may be others since they were
    /// looked up.
    pub(super) fn begin_listening(&self, chats: Vec<ChatId>) -> bool {
        let mut inner = self.inner();
        let begins = inner.listening == Listening::NotYet;
        if begins {
            inner.chats = chats;
            inner.listening = Listening::Yes;
        }
        begins
    }

    /// Whether chats may come and go one by one. If not, it is noted that some wanted to.
    pub(super) fn may_change_chats(&self) -> bool {
        let mut inner = self.inner();
        if inner.listening == Listening::NotYet {
            inner.listening = Listening::NotYetAndStale;
        }
        inner.listening == Listening::Yes
    }

    /// Whether it listens to a chat that the user came into by that event, or has done so until they left.
    pub(super) fn knows(&self, chat: ChatId, first: EventSeq) -> bool {
        self.inner().knows(chat, first)
    }

    /// The user was in that chat until that event.
    pub(super) fn leave_chat(&self, chat: ChatId, last: EventSeq) {
        self.inner().leave(chat, last);
    }

    pub(super) fn remove_chat(&self, chat: ChatId) {
        self.inner().chats.retain(|other| *other != chat);
    }

    /// Why it is to be closed, if it is.
    pub(super) fn closing(&self) -> Option<Closing> {
        self.inner().closing
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn knows(&self, chat: ChatId, first: EventSeq) -> bool {
        self.chats.contains(&chat) || self.left.iter().any(|(other, last)| *other == chat && first <= *last)
    }

    fn leave(&mut self, chat: ChatId, last: EventSeq) {
        self.chats.retain(|other| *other != chat);
        self.left.retain(|(other, _)| *other != chat);
        self.left.push((chat, last));
    }

    fn close(&mut self, closing: Closing) {
        self.closing.get_or_insert(closing);
        self.waiting = VecDeque::new();
    }

    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}
