use super::LiveEvent;
use std::collections::{HashMap, VecDeque};
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use tertulia_domain::{ChatId, ClaimedSession, EventSeq, Subscription, Timestamp, UserId};

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
    /// Those that it does not listen to any more, and the last event of each.
    left: HashMap<ChatId, EventSeq>,
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

    /// False when it did so already.
    pub(super) fn add_chat(&self, chat: ChatId) -> bool {
        let mut inner = self.inner();
        let new = !inner.chats.contains(&chat);
        if new {
            inner.chats.push(chat);
        }
        new
    }

    /// Notes all chats of somebody who has just come. True when others may have come to them since they were looked up.
    pub(super) fn begin_listening(&self, chats: Vec<ChatId>) -> bool {
        let mut inner = self.inner();
        inner.chats = chats;
        std::mem::replace(&mut inner.listening, Listening::Yes) == Listening::NotYetAndStale
    }

    /// Whether chats may come one by one. If not, it is noted that some wanted to.
    pub(super) fn may_add_chats(&self) -> bool {
        let mut inner = self.inner();
        if inner.listening == Listening::NotYet {
            inner.listening = Listening::NotYetAndStale;
        }
        inner.listening == Listening::Yes
    }

    /// After that event the chat is none of its user's any more.
    pub(super) fn remove_chat(&self, chat: ChatId, at: EventSeq) {
        let mut inner = self.inner();
        inner.chats.retain(|other| *other != chat);
        inner.left.insert(chat, at);
    }

    /// Whether the user was told, or did not have to be told, of the end of that membership: what was looked up is out of
    /// date.
    pub(super) fn has_left(&self, subscription: &Subscription) -> bool {
        let inner = self.inner();
        let left = inner.left.get(&subscription.chat_id);
        left.is_some_and(|left| subscription.first_event <= *left)
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
