//! A chat's events out of the two tables that hold them. Messages are not stored twice: beside them stand only the
//! changes that are no new message, each with its number among all events and with the number of the newest message at
//! that moment. The rest is arithmetic: between two changes, events and messages count alike.

use crate::inconsistent;
use std::collections::HashMap;
use std::fmt::Display;
use tertulia_domain::repository::RepositoryError;
use tertulia_domain::{Change, Chat, ChatEvent, ChatId, EventSeq, MemberRole, Message, Seq, Timestamp, User, UserId};

/// How far a chat had come at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Its newest message.
    pub last_seq: i64,
    /// How many changes there were that are no new message.
    pub change_count: i64,
}

impl Head {
    /// Its newest event.
    pub const fn last_event(self) -> i64 {
        self.last_seq.saturating_add(self.change_count)
    }
}

/// The place of a stored change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// Its number among the chat's events.
    pub event_seq: i64,
    /// The newest message at that moment.
    pub seq: i64,
    /// When.
    pub at: Timestamp,
}

impl Mark {
    /// Before everything.
    const START: Self = Self {
        event_seq: 0,
        seq: 0,
        at: Timestamp::from_millis(0),
    };

    /// Its number among the changes.
    const fn ordinal(self) -> i64 {
        self.event_seq - self.seq
    }
}

/// What a change was, as it is stored: a word, and whom or which message it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeRecord {
    /// The body of the message of that number changed.
    MessageUpdated(Seq),
    /// The message of that number was deleted.
    MessageDeleted(Seq),
    /// The chat was made.
    ChatCreated,
    /// Its title, its avatar or its kind changed.
    ChatUpdated,
    /// Somebody came in, as that, with everything up to there read.
    MemberAdded(UserId, MemberRole, Seq),
    /// Somebody has another role.
    MemberUpdated(UserId, MemberRole),
    /// Somebody is out.
    MemberRemoved(UserId),
    /// Somebody read up to there.
    ReadUpdated(UserId, Seq),
}

impl ChangeRecord {
    /// The word: that of the [`Change`].
    pub const fn kind(self) -> &'static str {
        match self {
            Self::MessageUpdated(_) => "message.updated",
            Self::MessageDeleted(_) => "message.deleted",
            Self::ChatCreated => "chat.created",
            Self::ChatUpdated => "chat.updated",
            Self::MemberAdded(..) => "member.added",
            Self::MemberUpdated(..) => "member.updated",
            Self::MemberRemoved(_) => "member.removed",
            Self::ReadUpdated(..) => "read.updated",
        }
    }

    /// Whom it is about.
    pub const fn user_id(self) -> Option<UserId> {
        match self {
            Self::MemberAdded(user, ..)
            | Self::MemberUpdated(user, _)
            | Self::MemberRemoved(user)
            | Self::ReadUpdated(user, _) => Some(user),
            Self::MessageUpdated(_) | Self::MessageDeleted(_) | Self::ChatCreated | Self::ChatUpdated => None,
        }
    }

    /// The message that it is about, or up to which somebody has read.
    pub const fn number(self) -> Option<i64> {
        match self {
            Self::MessageUpdated(seq)
            | Self::MessageDeleted(seq)
            | Self::MemberAdded(_, _, seq)
            | Self::ReadUpdated(_, seq) => Some(seq.get()),
            Self::ChatCreated | Self::ChatUpdated | Self::MemberUpdated(..) | Self::MemberRemoved(_) => None,
        }
    }

    /// The role that they have by it.
    pub const fn role(self) -> Option<MemberRole> {
        match self {
            Self::MemberAdded(_, role, _) | Self::MemberUpdated(_, role) => Some(role),
            _ => None,
        }
    }

    /// The message that it is about.
    const fn message(self) -> Option<Seq> {
        match self {
            Self::MessageUpdated(seq) | Self::MessageDeleted(seq) => Some(seq),
            _ => None,
        }
    }

    /// Who is shown with it.
    const fn shown_user(self) -> Option<UserId> {
        match self {
            Self::MemberAdded(user, ..) | Self::MemberUpdated(user, _) => Some(user),
            _ => None,
        }
    }
}

/// A change as a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeRow {
    /// Its place.
    pub mark: Mark,
    /// [`ChangeRecord::kind`].
    pub kind: String,
    /// [`ChangeRecord::user_id`].
    pub user_id: Option<UserId>,
    /// [`ChangeRecord::number`].
    pub number: Option<i64>,
    /// [`ChangeRecord::role`].
    pub role: Option<String>,
}

impl ChangeRow {
    fn read(&self) -> Option<ChangeRecord> {
        let number = || self.number.and_then(Seq::new);
        let role = || self.role.as_deref().and_then(MemberRole::parse);
        Some(match self.kind.as_str() {
            "message.updated" => ChangeRecord::MessageUpdated(number()?),
            "message.deleted" => ChangeRecord::MessageDeleted(number()?),
            "chat.created" => ChangeRecord::ChatCreated,
            "chat.updated" => ChangeRecord::ChatUpdated,
            "member.added" => ChangeRecord::MemberAdded(self.user_id?, role()?, number()?),
            "member.updated" => ChangeRecord::MemberUpdated(self.user_id?, role()?),
            "member.removed" => ChangeRecord::MemberRemoved(self.user_id?),
            "read.updated" => ChangeRecord::ReadUpdated(self.user_id?, number()?),
            _ => return None,
        })
    }
}

/// Neighbouring events of a chat, of which the changes are there and the messages are still to be read.
#[derive(Debug)]
pub struct Stretch {
    chat: ChatId,
    after: i64,
    until: i64,
    /// The newest change up to `after`.
    base: Mark,
    changes: Vec<(Mark, ChangeRecord)>,
}

/// What the changes of a [`Stretch`] show.
#[derive(Debug)]
pub struct Shown {
    /// The chat.
    pub chat: Chat,
    /// [`Stretch::users`].
    pub users: Vec<User>,
    /// [`Stretch::changed_messages`].
    pub messages: Vec<Message>,
}

/// One of neighbouring events.
#[derive(Debug, PartialEq, Eq)]
enum Entry<M> {
    Message(M),
    Change(ChangeRecord),
}

/// Its number, when, and what.
type Placed<M> = (i64, Timestamp, Entry<M>);

impl Stretch {
    /// The events after a place, so many at the most, none of them newer than `head`: `base` is the newest change up to
    /// `after`, `changes` those that follow, in order, also so many at the most. `None` when the change that came next is
    /// not kept any more.
    pub fn new(
        chat: ChatId,
        head: Head,
        after: EventSeq,
        limit: u16,
        base: Option<Mark>,
        changes: &[ChangeRow],
    ) -> Result<Option<Self>, RepositoryError> {
        let (after, last) = (after.get(), head.last_event());
        let until = after.saturating_add(limit.into()).min(last).max(after);
        let mut stretch = Self {
            chat,
            after,
            until,
            base: base.unwrap_or(Mark::START),
            changes: Vec::new(),
        };
        if after >= last {
            return Ok(Some(stretch));
        }
        match (base, changes.first()) {
            // Those before it are gone, and not missed.
            (None, Some(first)) if first.mark.event_seq == after + 1 => {
                stretch.base = Mark {
                    event_seq: after,
                    ..first.mark
                };
            }
            (_, Some(first)) if first.mark.ordinal() != stretch.base.ordinal() + 1 => return Ok(None),
            (_, None) if head.change_count != stretch.base.ordinal() => return Ok(None),
            _ => {}
        }
        for row in changes.iter().take_while(|row| row.mark.event_seq <= until) {
            let Some(change) = row.read() else {
                return Err(stretch.refuse(row.mark.event_seq, format_args!("{row:?} is no change")));
            };
            stretch.changes.push((row.mark, change));
        }
        Ok(Some(stretch))
    }

    /// After which number, and how many, the messages are to be read.
    pub fn messages(&self) -> (i64, i64) {
        let changes = i64::try_from(self.changes.len()).unwrap_or(i64::MAX);
        let first = self.base.seq + (self.after - self.base.event_seq);
        (first, (self.until - self.after - changes).max(0))
    }

    /// The numbers of the messages that its changes are about.
    pub fn changed_messages(&self) -> Vec<Seq> {
        let mut messages: Vec<Seq> = self.changes.iter().filter_map(|(_, change)| change.message()).collect();
        messages.sort_unstable();
        messages.dedup();
        messages
    }

    /// The users whom its changes show.
    pub fn users(&self) -> Vec<UserId> {
        let mut users: Vec<UserId> = self
            .changes
            .iter()
            .filter_map(|(_, change)| change.shown_user())
            .collect();
        users.sort_unstable();
        users.dedup();
        users
    }

    /// The events, of which `created` are the messages.
    pub fn tell(self, created: Vec<Message>, shown: Shown) -> Result<Vec<ChatEvent>, RepositoryError> {
        let users: HashMap<_, _> = shown.users.into_iter().map(|user| (user.id, user)).collect();
        let messages: HashMap<_, _> = shown
            .messages
            .into_iter()
            .map(|message| (message.seq.get(), message))
            .collect();
        let chat = || Box::new(shown.chat.clone());
        let user = |event: i64, id: UserId| {
            let user = users.get(&id).cloned().map(Box::new);
            user.ok_or_else(|| self.refuse(event, format_args!("user {id} is missing")))
        };
        let message = |event: i64, seq: Seq| {
            let message = messages.get(&seq.get()).cloned().map(Box::new);
            message.ok_or_else(|| self.refuse(event, format_args!("message {} is missing", seq.get())))
        };
        let mut events = Vec::with_capacity(created.len() + self.changes.len());
        for (event, at, entry) in self.place(created, |message| (message.seq.get(), message.created_at))? {
            let change = match entry {
                Entry::Message(message) => Change::MessageCreated(Box::new(message)),
                Entry::Change(ChangeRecord::MessageUpdated(seq)) => Change::MessageUpdated(message(event, seq)?),
                Entry::Change(ChangeRecord::MessageDeleted(seq)) => Change::MessageDeleted(message(event, seq)?),
                Entry::Change(ChangeRecord::ChatCreated) => Change::ChatCreated(chat()),
                Entry::Change(ChangeRecord::ChatUpdated) => Change::ChatUpdated(chat()),
                Entry::Change(ChangeRecord::MemberAdded(id, role, read_seq)) => Change::MemberAdded {
                    user: user(event, id)?,
                    role,
                    read_seq,
                },
                Entry::Change(ChangeRecord::MemberUpdated(id, role)) => Change::MemberUpdated {
                    user: user(event, id)?,
                    role,
                },
                Entry::Change(ChangeRecord::MemberRemoved(user_id)) => Change::MemberRemoved { user_id },
                Entry::Change(ChangeRecord::ReadUpdated(user_id, read_seq)) => {
                    Change::ReadUpdated { user_id, read_seq }
                }
            };
            let Some(seq) = EventSeq::new(event) else {
                return Err(self.refuse(event, "a negative number"));
            };
            events.push(ChatEvent {
                chat_id: self.chat,
                seq,
                at,
                change,
            });
        }
        Ok(events)
    }

    /// Numbers all of it. A message is no older than the change before it, even if the clock went back.
    fn place<M>(
        &self,
        messages: Vec<M>,
        of: impl Fn(&M) -> (i64, Timestamp),
    ) -> Result<Vec<Placed<M>>, RepositoryError> {
        let mut placed = Vec::with_capacity(messages.len() + self.changes.len());
        let (mut seq, _) = self.messages();
        let mut not_before = self.base.at;
        let mut changes = self.changes.iter().peekable();
        let mut messages = messages.into_iter();
        for event in (self.after..self.until).map(|before| before + 1) {
            if let Some((mark, change)) = changes.next_if(|(mark, _)| mark.event_seq == event) {
                if mark.seq != seq {
                    return Err(self.refuse(event, format_args!("it stands after message {seq}, not {}", mark.seq)));
                }
                not_before = mark.at;
                placed.push((event, mark.at, Entry::Change(*change)));
                continue;
            }
            seq += 1;
            match messages.next().map(|message| (of(&message), message)) {
                Some(((found, at), message)) if found == seq => {
                    placed.push((event, at.max(not_before), Entry::Message(message)));
                }
                _ => return Err(self.refuse(event, format_args!("message {seq} is missing"))),
            }
        }
        Ok(placed)
    }

    fn refuse(&self, event: i64, why: impl Display) -> RepositoryError {
        inconsistent("chat_changes", format_args!("chat {}, event {event}", self.chat), why)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const CHAT: &str = "01900000-0000-7000-8000-000000000001";
    const ANA: &str = "01900000-0000-7000-8000-000000000002";

    fn chat() -> ChatId {
        ChatId::parse(CHAT).unwrap()
    }

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(1_750_000_000_000 + millis)
    }

    /// A chat in which things happened: `true` a message, `false` another change.
    struct Story {
        head: Head,
        messages: Vec<(i64, Timestamp)>,
        changes: Vec<ChangeRow>,
        /// All of it, as it is to be told.
        whole: Vec<Placed<(i64, Timestamp)>>,
    }

    /// What happens at the end of a list of events, with times that go back now and then.
    fn story(happens: &[(bool, i64)]) -> Story {
        let mut head = Head {
            last_seq: 0,
            change_count: 0,
        };
        let (mut messages, mut changes, mut whole) = (Vec::new(), Vec::new(), Vec::new());
        let (mut active_at, mut changed_at) = (at(0), at(0));
        for (message, millis) in happens {
            if *message {
                head.last_seq += 1;
                active_at = active_at.max(at(*millis));
                let sent = (head.last_seq, active_at);
                messages.push(sent);
                whole.push((head.last_event(), active_at.max(changed_at), Entry::Message(sent)));
            } else {
                head.change_count += 1;
                changed_at = changed_at.max(active_at).max(at(*millis));
                let mark = Mark {
                    event_seq: head.last_event(),
                    seq: head.last_seq,
                    at: changed_at,
                };
                let read = Seq::new(head.change_count).unwrap();
                let change = ChangeRecord::ReadUpdated(UserId::parse(ANA).unwrap(), read);
                changes.push(row(mark, change));
                whole.push((mark.event_seq, changed_at, Entry::Change(change)));
            }
        }
        Story {
            head,
            messages,
            changes,
            whole,
        }
    }

    fn row(mark: Mark, change: ChangeRecord) -> ChangeRow {
        ChangeRow {
            mark,
            kind: change.kind().to_owned(),
            user_id: change.user_id(),
            number: change.number(),
            role: change.role().map(|role| role.as_str().to_owned()),
        }
    }

    impl Story {
        /// As an adapter asks for it. `None`: forgotten.
        fn list(&self, after: i64, limit: u16) -> Option<Vec<Placed<(i64, Timestamp)>>> {
            let base = self.changes.iter().rfind(|row| row.mark.event_seq <= after);
            let following = self.changes.iter().filter(|row| row.mark.event_seq > after);
            let following: Vec<_> = following.take(limit.into()).cloned().collect();
            let after = EventSeq::new(after).unwrap();
            let base = base.map(|row| row.mark);
            let stretch = Stretch::new(chat(), self.head, after, limit, base, &following).unwrap()?;
            let (from, count) = stretch.messages();
            let messages = self.messages.iter().filter(|(seq, _)| *seq > from);
            let messages = messages.take(usize::try_from(count).unwrap()).copied().collect();
            Some(stretch.place(messages, |message| *message).unwrap())
        }
    }

    proptest! {
        #[test]
        fn any_place_gives_exactly_the_rest(
            happens in prop::collection::vec((any::<bool>(), 0_i64..100), 0..40),
            limit in 1_u16..50,
        ) {
            let story = story(&happens);
            let numbers: Vec<i64> = story.whole.iter().map(|(event, ..)| *event).collect();
            prop_assert_eq!(numbers, (1..=story.head.last_event()).collect::<Vec<_>>());
            prop_assert!(story.whole.is_sorted_by_key(|(_, at, _)| *at));
            for after in 0..story.whole.len() + 2 {
                let rest = &story.whole[after.min(story.whole.len())..];
                let rest = &rest[..rest.len().min(limit.into())];
                let listed = story.list(i64::try_from(after).unwrap(), limit);
                prop_assert_eq!(listed.as_deref(), Some(rest));
            }
        }

        #[test]
        fn what_was_purged_is_not_skipped(
            happens in prop::collection::vec((any::<bool>(), 0_i64..100), 1..40),
            kept in 1_usize..10,
            limit in 1_u16..50,
        ) {
            let mut story = story(&happens);
            let purged = story.changes.len().saturating_sub(kept);
            story.changes.drain(..purged);
            let known_from = match (purged, story.changes.first()) {
                (1.., Some(first)) => first.mark.event_seq - 1,
                _ => 0,
            };
            for after in 0..=story.head.last_event() {
                let listed = story.list(after, limit);
                if after < known_from {
                    prop_assert_eq!(listed, None);
                } else {
                    let rest = &story.whole[usize::try_from(after).unwrap()..];
                    prop_assert_eq!(listed.as_deref(), Some(&rest[..rest.len().min(limit.into())]));
                }
            }
        }
    }

    #[test]
    fn records_survive() {
        let (ana, seven) = (UserId::parse(ANA).unwrap(), Seq::new(7).unwrap());
        for change in [
            ChangeRecord::MessageUpdated(seven),
            ChangeRecord::MessageDeleted(seven),
            ChangeRecord::ChatCreated,
            ChangeRecord::ChatUpdated,
            ChangeRecord::MemberAdded(ana, MemberRole::Admin, seven),
            ChangeRecord::MemberUpdated(ana, MemberRole::Owner),
            ChangeRecord::MemberRemoved(ana),
            ChangeRecord::ReadUpdated(ana, seven),
        ] {
            assert_eq!(row(Mark::START, change).read(), Some(change));
        }
    }

    #[test]
    fn what_is_no_change_is_named() {
        let mut story = story(&[(false, 0), (true, 1), (false, 2)]);
        for kind in ["chat.deleted", "message.updated", "member.added", ""] {
            story.changes[1].kind = kind.to_owned();
            story.changes[1].number = None;
            let listed = Stretch::new(chat(), story.head, EventSeq::ZERO, 9, None, &story.changes);
            let refusal = listed.unwrap_err().to_string();
            assert!(refusal.contains("event 3") && refusal.contains(CHAT), "{refusal}");
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let story = story(&[(false, 0), (true, 1), (true, 1), (false, 2)]);
        let refused = |changes: &[ChangeRow], messages: Vec<(i64, Timestamp)>| {
            let stretch = Stretch::new(chat(), story.head, EventSeq::ZERO, 9, None, changes).unwrap();
            stretch.unwrap().place(messages, |message| *message).is_err()
        };
        assert!(!refused(&story.changes, story.messages.clone()));
        assert!(refused(&story.changes, story.messages[..1].to_vec()));
        assert!(refused(&story.changes, vec![(1, at(1)), (3, at(1))]));
        let mut shifted = story.changes.clone();
        shifted[1].mark.seq -= 1;
        assert!(refused(&shifted, story.messages.clone()));
    }
}
