//! Chats in memory, for tests of what is brought to whom.

use crate::testing::{ANA, NOW, group, message, user};
use async_trait::async_trait;
use std::collections::{BTreeMap, BTreeSet};
use std::future::poll_fn;
use std::sync::{Mutex, MutexGuard};
use std::task::Poll;
use tertulia_domain::repository::{EventRepository, Events, RepositoryError};
use tertulia_domain::{
    Change, Chat, ChatEvent, ChatId, ClaimedSession, Departure, EventSeq, MemberRole, Message, NodeId, Seq, SessionId,
    Subscription, Timestamp, UserId,
};
use uuid::Uuid;

pub(super) fn event_seq(seq: i64) -> EventSeq {
    EventSeq::new(seq).unwrap()
}

pub(super) fn chat_id(n: u8) -> ChatId {
    ChatId::from_uuid(Uuid::from_u128(0x200 + u128::from(n)))
}

/// What happens between that something was read and that it is given out.
type Hook = Box<dyn FnOnce() + Send>;

#[derive(Default)]
pub(super) struct FakeEvents {
    /// Whether every call is interrupted before and after it does something.
    interruptible: bool,
    hook: Mutex<Option<Hook>>,
    db: Mutex<Db>,
}

#[derive(Default)]
pub(super) struct Db {
    pub(super) chats: BTreeMap<ChatId, Kept>,
    pub(super) stays: Vec<Stay>,
    pub(super) departures: Vec<(UserId, Departure)>,
    pub(super) ended: BTreeSet<SessionId>,
    pub(super) strangers: BTreeSet<UserId>,
    pub(super) leases: BTreeSet<(NodeId, UserId)>,
    /// Leases of nodes that died.
    pub(super) stale: BTreeSet<UserId>,
    /// Calls that fail before others succeed.
    pub(super) failures: usize,
    pub(super) calls: Vec<&'static str>,
}

pub(super) struct Kept {
    pub(super) number: i64,
    pub(super) events: Vec<ChatEvent>,
    /// Everything up to there was removed.
    pub(super) forgotten: EventSeq,
    pub(super) members: BTreeMap<UserId, EventSeq>,
    pub(super) active_at: Timestamp,
}

/// Somebody was in a chat from that event to that one.
pub(super) struct Stay {
    pub(super) chat_id: ChatId,
    pub(super) user_id: UserId,
    pub(super) first: EventSeq,
    pub(super) last: Option<EventSeq>,
}

impl Kept {
    pub(super) fn last(&self) -> EventSeq {
        event_seq(i64::try_from(self.events.len()).unwrap())
    }
}

impl Db {
    pub(super) fn create(&mut self, chat_id: ChatId, users: &[UserId]) {
        let number = i64::try_from(chat_id.as_uuid().as_u128()).unwrap();
        let kept = Kept {
            number,
            events: Vec::new(),
            forgotten: EventSeq::ZERO,
            members: users.iter().map(|user| (*user, event_seq(1))).collect(),
            active_at: NOW,
        };
        self.chats.insert(chat_id, kept);
        let chat = Chat {
            id: chat_id,
            number,
            ..group(None).chat
        };
        self.commit(chat_id, Change::ChatCreated(Box::new(chat)));
        for user in users {
            self.begin_stay(chat_id, *user, event_seq(1));
        }
    }

    pub(super) fn commit(&mut self, chat_id: ChatId, change: Change) -> EventSeq {
        let kept = self.chats.get_mut(&chat_id).unwrap();
        let seq = kept.last().next();
        kept.events.push(ChatEvent {
            chat_id,
            seq,
            at: NOW,
            change,
        });
        seq
    }

    pub(super) fn send(&mut self, chat_id: ChatId, sender: UserId) -> (Message, EventSeq) {
        let message = Message {
            chat_id,
            ..message(sender)
        };
        let seq = self.commit(chat_id, Change::MessageCreated(Box::new(message.clone())));
        (message, seq)
    }

    pub(super) fn read(&mut self, chat_id: ChatId, user_id: UserId) {
        let read_seq = Seq::ZERO;
        self.commit(chat_id, Change::ReadUpdated { user_id, read_seq });
    }

    pub(super) fn add(&mut self, chat_id: ChatId, user_id: UserId) {
        let change = Change::MemberAdded {
            user: Box::new(user(user_id)),
            role: MemberRole::Member,
            read_seq: Seq::ZERO,
        };
        let first = self.commit(chat_id, change);
        self.chats.get_mut(&chat_id).unwrap().members.insert(user_id, first);
        self.departures
            .retain(|(user, gone)| (*user, gone.chat_id) != (user_id, chat_id));
        self.begin_stay(chat_id, user_id, first);
    }

    pub(super) fn remove(&mut self, chat_id: ChatId, user_id: UserId) {
        let last = self.commit(chat_id, Change::MemberRemoved { user_id });
        self.chats.get_mut(&chat_id).unwrap().members.remove(&user_id);
        self.end_stay(chat_id, user_id, last, false);
    }

    pub(super) fn delete(&mut self, chat_id: ChatId) {
        let last = self.commit(chat_id, Change::ChatDeleted);
        let users: Vec<UserId> = self.chats[&chat_id].members.keys().copied().collect();
        for user in users {
            self.end_stay(chat_id, user, last, true);
        }
        self.chats.remove(&chat_id);
    }

    fn begin_stay(&mut self, chat_id: ChatId, user_id: UserId, first: EventSeq) {
        let last = None;
        self.stays.push(Stay {
            chat_id,
            user_id,
            first,
            last,
        });
    }

    fn end_stay(&mut self, chat_id: ChatId, user_id: UserId, seq: EventSeq, deleted: bool) {
        let mut stays = self.stays.iter_mut();
        let stay = stays.find(|stay| (stay.chat_id, stay.user_id, stay.last) == (chat_id, user_id, None));
        stay.unwrap().last = Some(seq);
        let number = self.chats[&chat_id].number;
        let gone = Departure {
            chat_id,
            number,
            seq,
            at: NOW,
            deleted,
        };
        self.departures.push((user_id, gone));
    }
}

impl FakeEvents {
    pub(super) fn interruptible() -> Self {
        Self {
            interruptible: true,
            ..Self::default()
        }
    }

    /// One chat with Ana and those in it.
    pub(super) fn with_chat(others: &[UserId]) -> Self {
        let events = Self::default();
        events.db().create(chat_id(1), &[&[ANA], others].concat());
        events
    }

    pub(super) fn db(&self) -> MutexGuard<'_, Db> {
        self.db.lock().unwrap()
    }

    /// The next answer is given only after that happened.
    pub(super) fn before_answering(&self, hook: impl FnOnce() + Send + 'static) {
        *self.hook.lock().unwrap() = Some(Box::new(hook));
    }

    async fn call<T>(&self, name: &'static str, read: impl FnOnce(&mut Db) -> T) -> Result<T, RepositoryError> {
        self.pause().await;
        let read = {
            let mut db = self.db();
            db.calls.push(name);
            if db.failures > 0 {
                db.failures -= 1;
                return Err(RepositoryError::Overloaded);
            }
            read(&mut db)
        };
        let hook = self.hook.lock().unwrap().take();
        if let Some(hook) = hook {
            hook();
        }
        self.pause().await;
        Ok(read)
    }

    async fn pause(&self) {
        let mut paused = !self.interruptible;
        poll_fn(|context| {
            if std::mem::replace(&mut paused, true) {
                return Poll::Ready(());
            }
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }
}

#[async_trait]
impl EventRepository for FakeEvents {
    async fn subscriptions(&self, user_id: UserId) -> Result<Vec<Subscription>, RepositoryError> {
        let read = |db: &mut Db| {
            let chats = db.chats.iter();
            let subscription = |(chat_id, kept): (&ChatId, &Kept)| {
                let first_event = *kept.members.get(&user_id)?;
                Some(Subscription {
                    chat_id: *chat_id,
                    number: kept.number,
                    member_count: i64::try_from(kept.members.len()).unwrap(),
                    active_at: kept.active_at,
                    first_event,
                    last_event: kept.last(),
                })
            };
            chats.filter_map(subscription).collect()
        };
        self.call("subscriptions", read).await
    }

    async fn last_events(&self, chats: Vec<ChatId>) -> Result<Vec<(ChatId, EventSeq)>, RepositoryError> {
        let read = |db: &mut Db| {
            let last = |chat| Some((chat, db.chats.get(&chat)?.last()));
            chats.into_iter().filter_map(last).collect()
        };
        self.call("last_events", read).await
    }

    async fn list(&self, chat_id: ChatId, after: EventSeq, limit: u16) -> Result<Events, RepositoryError> {
        let read = |db: &mut Db| {
            let Some(kept) = db.chats.get(&chat_id) else {
                return Events::NoChat;
            };
            if after < kept.forgotten {
                return Events::Forgotten;
            }
            let skipped = usize::try_from(after.get()).unwrap();
            let events = kept.events.iter().skip(skipped).take(limit.into()).cloned().collect();
            Events::Listed {
                events,
                last: kept.last(),
            }
        };
        self.call("list", read).await
    }

    async fn departures(&self, user_id: UserId, since: Timestamp) -> Result<Vec<Departure>, RepositoryError> {
        let read = |db: &mut Db| {
            let own = db
                .departures
                .iter()
                .filter(|(user, gone)| *user == user_id && gone.at >= since);
            own.map(|(_, departure)| *departure).collect()
        };
        self.call("departures", read).await
    }

    async fn live_sessions(&self, sessions: Vec<SessionId>, _: Timestamp) -> Result<Vec<SessionId>, RepositoryError> {
        let live = |db: &mut Db| {
            sessions
                .into_iter()
                .filter(|session| !db.ended.contains(session))
                .collect()
        };
        self.call("live_sessions", live).await
    }

    async fn acquaintances(
        &self,
        user_id: UserId,
        others: Vec<UserId>,
        _: i64,
    ) -> Result<Vec<UserId>, RepositoryError> {
        let known = |db: &mut Db| {
            let known = |other: &UserId| !db.strangers.contains(&user_id) && !db.strangers.contains(other);
            others.into_iter().filter(known).collect()
        };
        self.call("acquaintances", known).await
    }

    async fn arrive(
        &self,
        node: NodeId,
        users: Vec<UserId>,
        _: Timestamp,
        _: Timestamp,
    ) -> Result<Vec<UserId>, RepositoryError> {
        let arrive = |db: &mut Db| {
            let new = |user: &UserId| db.leases.insert((node, *user)) && !db.stale.contains(user);
            users.into_iter().filter(new).collect()
        };
        self.call("arrive", arrive).await
    }

    async fn depart(&self, node: NodeId, users: Vec<UserId>, _: Timestamp) -> Result<Vec<UserId>, RepositoryError> {
        let depart = |db: &mut Db| {
            let gone = |user: &UserId| db.leases.remove(&(node, *user)) && !db.stale.contains(user);
            users.into_iter().filter(gone).collect()
        };
        self.call("depart", depart).await
    }

    async fn renew_leases(&self, _: NodeId, _: Timestamp) -> Result<(), RepositoryError> {
        self.call("renew_leases", |_| ()).await
    }

    async fn expire_leases(&self, _: Timestamp) -> Result<Vec<UserId>, RepositoryError> {
        let expire = |db: &mut Db| std::mem::take(&mut db.stale).into_iter().collect();
        self.call("expire_leases", expire).await
    }

    async fn insert_ticket(&self, _: [u8; 32], _: ClaimedSession, _: Timestamp) -> Result<(), RepositoryError> {
        unreachable!("listeners have no tickets")
    }

    async fn redeem_ticket(&self, _: [u8; 32], _: Timestamp) -> Result<Option<ClaimedSession>, RepositoryError> {
        unreachable!("listeners have no tickets")
    }

    async fn purge(&self, _: Timestamp) -> Result<u64, RepositoryError> {
        unreachable!("listeners purge nothing")
    }
}
