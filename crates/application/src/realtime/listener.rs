use super::hub::{Hub, PAGE, Start};
use super::seat::Seat;
use super::token::{Place, ResumeToken};
use super::{Closing, Delivery, LiveEvent};
use crate::Failure;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use tertulia_domain::event::{MAX_AGE, MAX_MISSED};
use tertulia_domain::repository::Events;
use tertulia_domain::{Change, ChatEvent, ChatId, ClaimedSession, Departure, EventSeq, Timestamp};
use thiserror::Error;

/// Connections that one user may have to one node.
pub const MAX_CONNECTIONS: usize = 50;

/// Why somebody can't listen.
#[derive(Debug, Error)]
pub enum ConnectError {
    /// More connections than [`MAX_CONNECTIONS`].
    #[error("too many connections; a user may have {MAX_CONNECTIONS}")]
    TooMany,
    /// See there.
    #[error(transparent)]
    Failed(#[from] Failure),
}

/// Why somebody can't go on where they were.
#[derive(Debug, Error)]
pub enum ResumeError {
    /// Not a token, or somebody else's.
    #[error("the token is not one of this user's")]
    BadToken,
    /// See there.
    #[error(transparent)]
    Failed(#[from] Failure),
}

/// Where somebody wants to go on.
#[derive(Debug, Clone, Default)]
pub enum Resume {
    /// With what happens from now on.
    #[default]
    Live,
    /// After these events; in other chats with what happens from now on. Chats that are not theirs do not matter.
    Positions(HashMap<ChatId, EventSeq>),
    /// Where the token says, in all of their chats.
    Token(String),
}

/// Somebody's connection to what happens in their chats. It ends when it is dropped.
pub struct Listener {
    hub: Arc<Hub>,
    seat: Arc<Seat>,
    starts: Vec<Start>,
    floors: Floors,
}

/// What a client has already of chats that it did not listen to from the start: this node may be behind, and bring it once
/// more.
#[derive(Default)]
pub(super) struct Floors {
    by_chat: HashMap<ChatId, EventSeq>,
    by_number: HashMap<i64, EventSeq>,
}

impl Floors {
    /// The last event of a chat that the client has.
    pub(super) fn of(&self, chat_id: ChatId, number: i64) -> EventSeq {
        let [by_chat, by_number] = [self.by_chat.get(&chat_id), self.by_number.get(&number)];
        by_chat.or(by_number).copied().unwrap_or_default()
    }
}

/// Up to where somebody was told of what happens, kept by who tells them.
#[derive(Debug, Clone)]
pub struct Bookmark(ResumeToken);

impl Bookmark {
    /// Where a token says. `None` for what is no token.
    pub fn at(token: &str) -> Option<Self> {
        ResumeToken::parse(token).map(Self)
    }

    /// Moves behind an event that was told.
    pub fn pass(&mut self, event: &LiveEvent) {
        self.0.places.insert(event.number(), event.seq);
    }

    /// Moves behind what is not told one by one of chats that are to be loaded again.
    pub fn skip(&mut self, backlog: &Backlog) {
        self.0
            .places
            .extend(backlog.reset.iter().map(|reset| (reset.number, reset.after)));
    }

    /// As a token.
    pub fn token(&self) -> String {
        self.0.show()
    }
}

/// What somebody missed, to be taken piece by piece.
pub struct Backlog {
    hub: Arc<Hub>,
    missed: Vec<Missed>,
    departures: Vec<Departure>,
    reset: Vec<Reset>,
    now: Timestamp,
}

/// The events of one chat after a place, up to another.
struct Missed {
    chat_id: ChatId,
    number: i64,
    after: EventSeq,
    last: EventSeq,
    begun: bool,
}

/// A chat that is to be loaded again, and where it goes on.
struct Reset {
    chat_id: ChatId,
    number: i64,
    after: EventSeq,
}

impl Hub {
    /// Begins to bring a session's user what happens in their chats: all that is committed after this returned, in each chat in
    /// order, until the listener is dropped. It waits there until it is taken.
    pub async fn connect(self: &Arc<Self>, session: ClaimedSession) -> Result<Listener, ConnectError> {
        let seat = self.sit_down(session, MAX_CONNECTIONS).ok_or(ConnectError::TooMany)?;
        let mut listener = Listener {
            hub: Arc::clone(self),
            seat,
            starts: Vec::new(),
            floors: Floors::default(),
        };
        listener.starts = self.subscribe(&listener.seat).await?;
        Ok(listener)
    }
}

impl Listener {
    /// Whose.
    pub fn session(&self) -> ClaimedSession {
        self.seat.session
    }

    /// Finds out what was missed. To be called once at the most; what comes by itself stands after it.
    pub async fn resume(&mut self, from: Resume) -> Result<Backlog, ResumeError> {
        let now = self.hub.clock.now();
        let starts = std::mem::take(&mut self.starts);
        let mut backlog = Backlog {
            hub: Arc::clone(&self.hub),
            missed: Vec::new(),
            departures: Vec::new(),
            reset: Vec::new(),
            now,
        };
        match from {
            Resume::Live => {}
            Resume::Positions(positions) => {
                for start in &starts {
                    if let Some(position) = positions.get(&start.subscription.chat_id) {
                        Self::begin(&mut backlog, start, *position);
                    }
                }
                if positions.len() > starts.len()
                    || positions
                        .keys()
                        .any(|chat| !starts.iter().any(|start| start.subscription.chat_id == *chat))
                {
                    let mut departures = self.departures(&starts, now).await?;
                    departures.retain(|departure| {
                        let position = positions.get(&departure.chat_id);
                        position.is_some_and(|position| departure.seq > *position)
                    });
                    backlog.departures = departures;
                }
                self.floors.by_chat = positions;
                for start in &starts {
                    self.floors.by_chat.remove(&start.subscription.chat_id);
                }
            }
            Resume::Token(token) => {
                let token = ResumeToken::parse(&token).ok_or(ResumeError::BadToken)?;
                if token.user_id != self.seat.session.user_id {
                    return Err(ResumeError::BadToken);
                }
                for start in &starts {
                    match token.places.get(&start.subscription.number) {
                        Some(position) => Self::begin(&mut backlog, start, *position),
                        // It was quiet when the token was made, and is so still.
                        None if token.left_out.is_some_and(|then| start.subscription.active_at <= then) => {}
                        None if token.left_out.is_some() => {
                            backlog.reset.push(Reset::of(start));
                        }
                        // Joined since.
                        None => Self::begin(&mut backlog, start, EventSeq::ZERO),
                    }
                }
                for departure in self.departures(&starts, now).await? {
                    match token.places.get(&departure.number) {
                        Some(position) if departure.seq > *position => backlog.departures.push(departure),
                        None if token.left_out.is_some_and(|then| departure.at > then) => {
                            // It may have been told before.
                            backlog.reset.push(Reset {
                                chat_id: departure.chat_id,
                                number: departure.number,
                                after: departure.seq,
                            });
                        }
                        _ => {}
                    }
                }
                self.floors.by_number = token.places;
                for start in &starts {
                    self.floors.by_number.remove(&start.subscription.number);
                }
            }
        }
        Ok(backlog)
    }

    fn begin(backlog: &mut Backlog, start: &Start, position: EventSeq) {
        let Start { subscription, after } = start;
        let chat_id = subscription.chat_id;
        let position = position.max(subscription.before_first());
        // A place that the chat has not reached is from another history, as before a backup was restored.
        if position > *after || after.distance_from(position) > MAX_MISSED {
            backlog.reset.push(Reset::of(start));
        } else if position < *after {
            backlog.missed.push(Missed {
                chat_id,
                number: subscription.number,
                after: position,
                last: *after,
                begun: false,
            });
        }
    }

    /// Those from chats that it did not listen to from the start: the others come by themselves.
    async fn departures(&self, starts: &[Start], now: Timestamp) -> Result<Vec<Departure>, Failure> {
        let since = now.minus(MAX_AGE);
        let user = self.seat.session.user_id;
        let mut departures = self.hub.events.departures(user, since).await?;
        let started: HashSet<ChatId> = starts.iter().map(|start| start.subscription.chat_id).collect();
        departures.retain(|departure| {
            // What it came to listen to since came with its end, too.
            !started.contains(&departure.chat_id) && self.seat.skip_chat(departure.chat_id, departure.seq)
        });
        Ok(departures)
    }

    /// Gives up to resume: the listener hears what happens since it connected.
    pub fn stay_live(&mut self) {
        self.starts = Vec::new();
    }

    /// Why the connection is to be closed, if it is: for whoever does not take what comes by itself for a while.
    pub fn closing(&self) -> Option<Closing> {
        self.seat.closing()
    }

    /// Where the listener is now, before it resumes: behind everything that happened until it connected.
    pub fn bookmark(&self) -> Bookmark {
        let places = self.starts.iter().map(|start| Place {
            number: start.subscription.number,
            seq: start.after,
            active_at: start.subscription.active_at,
        });
        Bookmark(ResumeToken::new(self.seat.session.user_id, places.collect()))
    }

    /// The next thing that comes by itself.
    pub async fn next(&self) -> Result<Delivery, Closing> {
        loop {
            let delivery = self.seat.next().await?;
            if self.is_news(&delivery) {
                return Ok(delivery);
            }
        }
    }

    /// The same, if it is there already.
    pub fn try_next(&self) -> Option<Delivery> {
        loop {
            let delivery = self.seat.try_next()?;
            if self.is_news(&delivery) {
                return Some(delivery);
            }
        }
    }

    fn is_news(&self, delivery: &Delivery) -> bool {
        match delivery {
            Delivery::Event(event) => event.seq > self.floors.of(event.chat_id, event.number()),
            _ => true,
        }
    }

    /// Has a token brought behind everything that was brought until now: who resumes with it goes on after that.
    pub fn ask_for_token(&self) {
        self.hub.bring_token(&self.seat, &self.floors);
    }

    /// Tells the others in a chat that the user types, or does not any more. False when they are not in that chat.
    pub fn typing(&self, chat_id: ChatId, active: bool) -> bool {
        let listens = self.seat.listens_to(chat_id);
        if listens {
            self.hub.typing(chat_id, self.seat.session.user_id, active);
        }
        listens
    }

    /// Whether the user is in that chat, as far as is known here.
    pub fn listens_to(&self, chat_id: ChatId) -> bool {
        self.seat.listens_to(chat_id)
    }

    /// The chats that it listens to from the start, each after that event.
    #[cfg(test)]
    pub(super) fn starts(&self) -> impl Iterator<Item = (ChatId, EventSeq)> {
        self.starts
            .iter()
            .map(|start| (start.subscription.chat_id, start.after))
    }

    /// Notes that somebody is still there at the other end.
    pub fn note_presence(&self) {
        self.hub.note_presence(self.seat.session);
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.hub.stand_up(&self.seat);
    }
}

impl Backlog {
    /// Leaves these chats out: they are to be loaded again if anything was missed of them.
    pub fn give_up(&mut self, chats: &HashSet<ChatId>) {
        let given_up = self.missed.extract_if(.., |missed| chats.contains(&missed.chat_id));
        self.reset.extend(given_up.map(|missed| Reset {
            chat_id: missed.chat_id,
            number: missed.number,
            after: missed.last,
        }));
    }

    /// The next events that were missed; `None` when there are no more.
    pub async fn next(&mut self) -> Result<Option<Vec<LiveEvent>>, Failure> {
        while let Some(missed) = self.missed.last_mut() {
            let listed = self.hub.events.list(missed.chat_id, missed.after, PAGE).await?;
            let mut events = match listed {
                Events::Listed { events, .. } => events,
                Events::Forgotten => {
                    self.reset.push(missed.reset());
                    Vec::new()
                }
                // That it is gone is told by itself.
                Events::NoChat => Vec::new(),
            };
            events.retain(|event| event.seq <= missed.last);
            let too_old = |event: &ChatEvent| self.now.since(event.at) > MAX_AGE;
            if !missed.begun && events.first().is_some_and(too_old) {
                self.reset.push(missed.reset());
                events.clear();
            }
            missed.begun = true;
            let number = missed.number;
            match events.last() {
                Some(last) if last.seq < missed.last => missed.after = last.seq,
                _ => drop(self.missed.pop()),
            }
            if !events.is_empty() {
                return Ok(Some(
                    events.into_iter().map(|event| LiveEvent::new(event, number)).collect(),
                ));
            }
        }
        Ok(None)
    }

    /// The last event of each chat that the user is not in any more. To be asked for once, at the end.
    pub fn departures(&mut self, listener: &Listener) -> Vec<LiveEvent> {
        let user_id = listener.seat.session.user_id;
        let departures = std::mem::take(&mut self.departures).into_iter();
        let events = departures.map(|departure| {
            let event = ChatEvent {
                chat_id: departure.chat_id,
                seq: departure.seq,
                at: departure.at,
                change: if departure.deleted {
                    Change::ChatDeleted
                } else {
                    Change::MemberRemoved { user_id }
                },
            };
            LiveEvent::new(event, departure.number)
        });
        events.collect()
    }

    /// The chats of which too much was missed; complete once [`Backlog::next`] has given everything.
    pub fn reset(&self) -> Vec<ChatId> {
        self.reset.iter().map(|reset| reset.chat_id).collect()
    }
}

impl Missed {
    const fn reset(&self) -> Reset {
        Reset {
            chat_id: self.chat_id,
            number: self.number,
            after: self.last,
        }
    }
}

impl Reset {
    const fn of(start: &Start) -> Self {
        Self {
            chat_id: start.subscription.chat_id,
            number: start.subscription.number,
            after: start.after,
        }
    }
}
