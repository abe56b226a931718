use super::listener::Floors;
use super::queue::Queue;
use super::seat::{Closing, Delivery, Seat};
use super::token::{self, ResumeToken};
use super::{LiveEvent, Presence};
use crate::Failure;
use crate::ports::{Clock, EventBus, Signal};
use crate::services::{Ports, Repositories};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tertulia_domain::repository::{EventRepository, Events};
use tertulia_domain::{
    Change, ChatEvent, ChatId, ClaimedSession, Departure, EventSeq, Message, NodeId, SessionId, Subscription,
    Timestamp, UserId,
};

/// Events that are read at a time.
pub(super) const PAGE: u16 = 500;

/// Copies that are kept of events whose predecessors have not come yet.
const MAX_EARLY: usize = 64;

/// Ids that are asked about at a time.
const CHUNK: usize = 1_000;

/// Users whose chats are looked at again each time the hub looks around.
const LOOKED_AT: usize = 20;

/// Tasks that may wait before looking around adds none.
const MAX_TASKS: usize = 10_000;

/// For how long a node says that its users are connected; it says so again before that.
const LEASE: Duration = Duration::from_secs(45);

/// Members of a chat in which one is told who comes and goes.
const ACQUAINTED: i64 = 100;

/// Brings what happens in chats to the connections of those who are in them, on this node.
///
/// The truth is the database. For each chat that somebody here listens to the hub knows the last event that it delivered;
/// what comes next is either handed to it as a copy by who made it, or read after somebody said that there is something new,
/// or after the hub looked by itself. Only the very next event of a chat is ever delivered: none twice, none left out, none
/// out of order.
pub struct Hub {
    node: NodeId,
    pub(super) events: Arc<dyn EventRepository>,
    bus: Arc<dyn EventBus>,
    pub(super) clock: Arc<dyn Clock>,
    presence: Arc<Presence>,
    state: Mutex<State>,
    tasks: Queue<Task>,
    gaps: Queue<ChatId>,
}

#[derive(Default)]
struct State {
    tracks: HashMap<ChatId, Track>,
    users: HashMap<UserId, Vec<Arc<Seat>>>,
    seats: u64,
    /// Whether this node is about to stop.
    stopping: bool,
    /// Whose chats were last looked at.
    looked_at: Option<UserId>,
    /// Of whom could not be said whether they are connected here.
    unsettled: HashSet<UserId>,
    /// Until when the others believe what this node said about who is connected here.
    believed: Option<Timestamp>,
}

/// A chat that somebody listens to.
struct Track {
    number: i64,
    active_at: Timestamp,
    /// The event after which delivering began.
    born: EventSeq,
    /// The last event that was delivered.
    head: EventSeq,
    early: BTreeMap<EventSeq, Arc<LiveEvent>>,
    seats: Vec<Place>,
    /// Whether its events are to be read, or being read.
    reading: bool,
    /// Whether there is news since that began.
    news: bool,
}

/// A connection that listens to a chat.
struct Place {
    seat: Arc<Seat>,
    /// What comes before is not for it, or in its hands already.
    after: EventSeq,
}

#[derive(Debug)]
enum Task {
    /// Read what is new in a chat.
    Read(ChatId),
    /// See whether there is something new in chats.
    Compare(Vec<ChatId>),
    /// See which chats a user is in.
    Admit(UserId),
    /// See which sessions of a user live.
    CheckSessions(Vec<SessionId>),
    /// Say whether a user is connected to this node.
    Settle(UserId),
    /// Tell who knows the user whether they are here.
    Show(UserId, bool, Timestamp),
}

/// Where a connection's listening to a chat begins: the events after that place come by themselves.
#[derive(Debug, Clone, Copy)]
pub(super) struct Start {
    pub(super) subscription: Subscription,
    pub(super) after: EventSeq,
}

impl Hub {
    pub(crate) fn new(repositories: &Repositories, ports: &Ports, presence: Arc<Presence>) -> Self {
        Self {
            node: ports.node,
            events: Arc::clone(&repositories.events),
            bus: Arc::clone(&ports.bus),
            clock: Arc::clone(&ports.clock),
            presence,
            state: Mutex::default(),
            tasks: Queue::default(),
            gaps: Queue::default(),
        }
    }

    /// A hub over that database only.
    #[cfg(test)]
    pub(super) fn over(events: Arc<dyn EventRepository>, bus: crate::ports::MockEventBus) -> Self {
        use crate::testing::ManualClock;
        use tertulia_domain::repository::MockSessionRepository;
        let clock: Arc<dyn Clock> = Arc::new(ManualClock::default());
        let presence = Presence::new(Arc::new(MockSessionRepository::new()), Arc::clone(&clock));
        Self {
            node: NodeId::from_uuid(uuid::Uuid::from_u128(51)),
            events,
            bus: Arc::new(bus),
            clock,
            presence: Arc::new(presence),
            state: Mutex::default(),
            tasks: Queue::default(),
            gaps: Queue::default(),
        }
    }

    // What use cases tell.

    /// A message was sent, which is that event of its chat.
    pub(crate) fn sent(&self, message: &Message, seq: EventSeq) {
        let chat_id = message.chat_id;
        self.offer(message, seq);
        self.bus.publish(Signal::Changed {
            chat_id,
            users: Vec::new(),
        });
    }

    /// Something else was committed in a chat; it may have brought these users in or thrown them out.
    pub(crate) fn changed(&self, chat_id: ChatId, users: Vec<UserId>) {
        self.look_at(chat_id, &users);
        self.bus.publish(Signal::Changed { chat_id, users });
    }

    /// Sessions of a user ended: that one, or any.
    pub(crate) fn sessions_ended(&self, user_id: UserId, session_id: Option<SessionId>) {
        self.end_sessions(user_id, session_id);
        self.bus.publish(Signal::SessionsEnded { user_id, session_id });
    }

    /// A user began or stopped typing in a chat that one of their connections listens to.
    pub(super) fn typing(&self, chat_id: ChatId, user_id: UserId, active: bool) {
        self.show_typing(chat_id, user_id, active);
        self.bus.publish(Signal::Typing {
            chat_id,
            user_id,
            active,
        });
    }

    /// The chats that a user is in, to be told of when the user is gone.
    pub(crate) async fn chats_of(&self, user_id: UserId) -> Result<Vec<ChatId>, Failure> {
        let subscriptions = self.events.subscriptions(user_id).await?;
        Ok(subscriptions
            .into_iter()
            .map(|subscription| subscription.chat_id)
            .collect())
    }

    /// Those of the others who share a chat with the user, and with whom there is no block.
    pub async fn acquaintances(&self, user_id: UserId, others: Vec<UserId>) -> Result<HashSet<UserId>, Failure> {
        let acquainted = self.events.acquaintances(user_id, others, i64::MAX).await?;
        Ok(acquainted.into_iter().collect())
    }

    // What runs beside the requests. Each of these never ends.

    /// Does what has to be done; any number of these may run at once.
    pub async fn work(&self) {
        loop {
            let task = self.tasks.next().await;
            if let Err(error) = self.perform(task).await {
                // The next look around finds what is missing.
                tracing::warn!(%error, "could not bring events for now");
            }
        }
    }

    /// Hears what other nodes tell.
    pub async fn listen(&self) {
        let mut signals = self.bus.subscribe();
        while let Some(signal) = poll_fn(|context| signals.as_mut().poll_next(context)).await {
            self.hear(signal);
        }
        // A bus that ended says nothing any more; looking around goes on.
        std::future::pending::<()>().await;
    }

    /// Waits until an event came before one that should stand before it. Most such gaps close at once by themselves: wait a
    /// moment, then [`Hub::mend_gaps`].
    pub async fn gap(&self) {
        let chat = self.gaps.next().await;
        self.gaps.push(chat);
    }

    /// Reads what did not come by itself.
    pub fn mend_gaps(&self) {
        let chats: HashSet<ChatId> = self.gaps.take().into_iter().collect();
        let mut state = self.state();
        for chat in chats {
            if let Some(track) = state.tracks.get_mut(&chat)
                && !track.early.is_empty()
            {
                self.read(chat, track);
            }
        }
    }

    /// Looks for what nobody said: to be called every few seconds.
    pub fn look_around(&self) {
        if self.tasks.len() > MAX_TASKS {
            // What was found before is not done yet.
            return;
        }
        let mut state = self.state();
        let chats: Vec<ChatId> = state.tracks.keys().copied().collect();
        for chunk in chats.chunks(CHUNK) {
            self.tasks.push(Task::Compare(chunk.to_vec()));
        }
        for user in state.next_users(LOOKED_AT) {
            self.tasks.push(Task::Admit(user));
        }
    }

    /// Looks whether the sessions of all connections live: to be called every ten seconds or so.
    pub fn look_at_sessions(&self) {
        let state = self.state();
        let sessions: Vec<SessionId> = state.all_seats().map(|seat| seat.session.session_id).collect();
        for chunk in sessions.chunks(CHUNK) {
            self.tasks.push(Task::CheckSessions(chunk.to_vec()));
        }
    }

    /// Says again who is connected here, and finds out who was connected to nodes that are no more: to be called every
    /// fifteen seconds or so.
    pub async fn keep_leases(&self) -> Result<(), Failure> {
        let now = self.clock.now();
        self.events.renew_leases(self.node, now.plus(LEASE)).await?;
        {
            let mut state = self.state();
            let mut unsettled = std::mem::take(&mut state.unsettled);
            if state
                .believed
                .replace(now.plus(LEASE))
                .is_some_and(|until| until <= now)
            {
                // It was too late: what has run out can't be prolonged.
                unsettled.extend(state.users.keys());
            }
            for user in unsettled {
                self.tasks.push(Task::Settle(user));
            }
        }
        for user in self.events.expire_leases(now).await? {
            self.came_or_went(user, false, now);
        }
        Ok(())
    }

    /// Gives up this node's leases: it is about to stop.
    pub async fn leave(&self) -> Result<(), Failure> {
        let users: Vec<UserId> = self.state().users.keys().copied().collect();
        let now = self.clock.now();
        for user in self.events.depart(self.node, users, now).await? {
            self.came_or_went(user, false, now);
        }
        Ok(())
    }

    /// Has all connections closed: this node is about to stop.
    pub fn close_all(&self) {
        let mut state = self.state();
        state.stopping = true;
        state.all_seats().for_each(|seat| seat.close(Closing::Stopping));
    }

    /// How many connections there are.
    pub fn connections(&self) -> usize {
        self.state().users.values().map(Vec::len).sum()
    }

    // Connections.

    /// A place for a connection; `None` when the user has too many.
    pub(super) fn sit_down(&self, session: ClaimedSession, most: usize) -> Option<Arc<Seat>> {
        let mut state = self.state();
        state.seats += 1;
        let seat = Arc::new(Seat::new(state.seats, session));
        let seats = state.users.entry(session.user_id).or_default();
        if seats.len() >= most {
            return None;
        }
        seats.push(Arc::clone(&seat));
        let first = seats.len() == 1;
        if state.stopping {
            seat.close(Closing::Stopping);
        }
        drop(state);
        self.presence.note(session);
        if first {
            self.tasks.push(Task::Settle(session.user_id));
        }
        Some(seat)
    }

    pub(super) fn stand_up(&self, seat: &Seat) {
        let user = seat.session.user_id;
        let mut state = self.state();
        for chat in seat.chats() {
            state.remove_seat(chat, seat.id);
        }
        if let Some(seats) = state.users.get_mut(&user) {
            seats.retain(|other| other.id != seat.id);
            if seats.is_empty() {
                state.users.remove(&user);
                self.tasks.push(Task::Settle(user));
            }
        }
    }

    /// Begins to bring a connection what happens in its user's chats.
    pub(super) async fn subscribe(&self, seat: &Arc<Seat>) -> Result<Vec<Start>, Failure> {
        loop {
            seat.look_up();
            let subscriptions = self.events.subscriptions(seat.session.user_id).await?;
            let mut state = self.state();
            let is_stale = |subscription: &Subscription| {
                // Another connection of somebody in the chat saw a newer one: who left in between was told to nobody.
                let track = state.tracks.get(&subscription.chat_id);
                track.is_some_and(|track| track.born > subscription.last_event)
            };
            let chats = subscriptions.iter().map(|subscription| subscription.chat_id);
            if subscriptions.iter().any(is_stale) || !seat.begin_listening(chats.collect()) {
                // The user came into a chat or out of one meanwhile.
                continue;
            }
            let mut new = Vec::new();
            let mut starts = Vec::with_capacity(subscriptions.len());
            for subscription in subscriptions {
                let chat = subscription.chat_id;
                let track = state.tracks.entry(chat).or_insert_with(|| {
                    new.push(chat);
                    Track::of(&subscription, subscription.last_event)
                });
                if track.head < subscription.last_event {
                    self.read(chat, track);
                }
                // What was committed by now is told from the database, if it is to be told.
                let after = track.head.max(subscription.last_event).max(subscription.before_first());
                track.seats.push(Place {
                    seat: Arc::clone(seat),
                    after,
                });
                starts.push(Start { subscription, after });
            }
            drop(state);
            // What happened since they were read was said to nobody here.
            for chunk in new.chunks(CHUNK) {
                self.tasks.push(Task::Compare(chunk.to_vec()));
            }
            return Ok(starts);
        }
    }

    pub(super) fn note_presence(&self, session: ClaimedSession) {
        self.presence.note(session);
    }

    /// Puts a token behind what was brought to a connection until now. `floors` are places that it has from elsewhere.
    pub(super) fn bring_token(&self, seat: &Seat, floors: &Floors) {
        let state = self.state();
        let places = seat.chats().into_iter().filter_map(|chat| {
            let track = state.tracks.get(&chat)?;
            let place = track.seats.iter().find(|place| place.seat.id == seat.id)?;
            let floor = floors.of(chat, track.number);
            Some(token::Place {
                number: track.number,
                seq: track.head.max(place.after).max(floor),
                active_at: track.active_at,
            })
        });
        let token = ResumeToken::new(seat.session.user_id, places.collect());
        seat.bring(Delivery::Token(token.show()));
    }

    // What happens inside.

    fn hear(&self, signal: Signal) {
        match signal {
            Signal::Changed { chat_id, users } => self.look_at(chat_id, &users),
            Signal::SessionsEnded { user_id, session_id } => self.end_sessions(user_id, session_id),
            Signal::Typing {
                chat_id,
                user_id,
                active,
            } => self.show_typing(chat_id, user_id, active),
            Signal::Presence { user_id, online, at } => self.tasks.push(Task::Show(user_id, online, at)),
            Signal::Lost => {
                self.look_around();
                let users: Vec<UserId> = self.state().users.keys().copied().collect();
                for user in users {
                    self.tasks.push(Task::Admit(user));
                }
                self.look_at_sessions();
            }
        }
    }

    fn look_at(&self, chat_id: ChatId, users: &[UserId]) {
        let mut state = self.state();
        if let Some(track) = state.tracks.get_mut(&chat_id) {
            self.read(chat_id, track);
        }
        for user in users {
            if state.users.contains_key(user) {
                self.tasks.push(Task::Admit(*user));
            }
        }
    }

    fn end_sessions(&self, user_id: UserId, session_id: Option<SessionId>) {
        let state = self.state();
        let seats = state.users.get(&user_id).map(Vec::as_slice).unwrap_or_default();
        if let Some(ended) = session_id {
            let ended = seats.iter().filter(|seat| seat.session.session_id == ended);
            ended.for_each(|seat| seat.close(Closing::SessionEnded));
        } else if !seats.is_empty() {
            let sessions = seats.iter().map(|seat| seat.session.session_id).collect();
            self.tasks.push(Task::CheckSessions(sessions));
        }
    }

    fn show_typing(&self, chat_id: ChatId, user_id: UserId, active: bool) {
        let state = self.state();
        let seats = state.tracks.get(&chat_id).map(|track| track.seats.as_slice());
        for Place { seat, .. } in seats.unwrap_or_default() {
            if seat.session.user_id != user_id {
                seat.bring(Delivery::Typing {
                    chat_id,
                    user_id,
                    active,
                });
            }
        }
    }

    /// Has a chat's events read.
    fn read(&self, chat_id: ChatId, track: &mut Track) {
        if track.reading {
            track.news = true;
        } else {
            track.reading = true;
            self.tasks.push(Task::Read(chat_id));
        }
    }

    /// Takes a copy of what was sent, if anybody here listens.
    fn offer(&self, message: &Message, seq: EventSeq) {
        let chat_id = message.chat_id;
        let mut state = self.state();
        let Some(track) = state.tracks.get_mut(&chat_id) else {
            return;
        };
        if seq <= track.head {
            return;
        }
        let event = Arc::new(LiveEvent::new(
            ChatEvent {
                chat_id,
                seq,
                at: message.created_at,
                change: Change::MessageCreated(Box::new(message.clone())),
            },
            track.number,
        ));
        if seq == track.head.next() {
            state.deliver(&event);
            state.deliver_early(chat_id);
        } else {
            if track.early.len() < MAX_EARLY {
                track.early.insert(seq, event);
            }
            self.gaps.push(chat_id);
        }
    }

    async fn perform(&self, task: Task) -> Result<(), Failure> {
        match task {
            Task::Read(chat) => self.read_events(chat).await,
            Task::Compare(chats) => self.compare(chats).await,
            Task::Admit(user) => self.admit(user).await,
            Task::CheckSessions(sessions) => self.check_sessions(sessions).await,
            Task::Settle(user) => {
                let settled = self.settle(user).await;
                if settled.is_err() {
                    self.state().unsettled.insert(user);
                }
                settled
            }
            Task::Show(user, online, at) => self.show(user, online, at).await,
        }
    }

    /// Says whether a user is connected here. Whoever says so last has looked since.
    async fn settle(&self, user: UserId) -> Result<(), Failure> {
        loop {
            let here = self.state().users.contains_key(&user);
            let now = self.clock.now();
            let changed = if here {
                self.events.arrive(self.node, vec![user], now, now.plus(LEASE)).await?
            } else {
                self.events.depart(self.node, vec![user], now).await?
            };
            for user in changed {
                self.came_or_went(user, here, now);
            }
            if self.state().users.contains_key(&user) == here {
                return Ok(());
            }
        }
    }

    async fn read_events(&self, chat_id: ChatId) -> Result<(), Failure> {
        let done = self.read_until_done(chat_id).await;
        if done.is_err()
            && let Some(track) = self.state().tracks.get_mut(&chat_id)
        {
            // Whoever looks around next tries again.
            track.reading = false;
        }
        done
    }

    async fn read_until_done(&self, chat_id: ChatId) -> Result<(), Failure> {
        loop {
            let Some(after) = self.state().begin_reading(chat_id) else {
                return Ok(());
            };
            match self.events.list(chat_id, after, PAGE).await? {
                Events::Listed { events, last } => {
                    let mut state = self.state();
                    for event in events {
                        state.deliver_next(event);
                    }
                    state.deliver_early(chat_id);
                    let Some(track) = state.tracks.get_mut(&chat_id) else {
                        return Ok(());
                    };
                    if track.head >= last && !track.news {
                        track.reading = false;
                        return Ok(());
                    }
                    if track.head == after && last > after {
                        return Err(Failure::Internal(
                            format!("event {} of chat {chat_id} is not there", after.next().get()).into(),
                        ));
                    }
                }
                Events::Forgotten => {
                    let track = self.state().tracks.remove(&chat_id);
                    for Place { seat, .. } in track.into_iter().flat_map(|track| track.seats) {
                        seat.remove_chat(chat_id);
                        seat.close(Closing::Interrupted);
                    }
                    return Ok(());
                }
                Events::NoChat => return self.bury(chat_id).await,
            }
        }
    }

    /// A chat is gone: its last event is told by what those who were in it departed with.
    async fn bury(&self, chat_id: ChatId) -> Result<(), Failure> {
        let mut asked = BTreeSet::new();
        let mut deletion = None;
        while let Some(user) = self.mourner(chat_id, &asked, deletion) {
            // Long ago enough for any clock.
            let departures = self.events.departures(user, Timestamp::from_millis(0)).await?;
            let departure = departures.into_iter().find(|departure| departure.chat_id == chat_id);
            match departure {
                Some(departure) if departure.deleted => deletion = Some(departure),
                // They went before.
                Some(departure) => self.state().part(user, &departure),
                None => {}
            }
            asked.insert(user);
        }
        Ok(())
    }

    /// Somebody who listens to a chat that is gone and was not asked about; when there is nobody, its deletion is told.
    fn mourner(&self, chat_id: ChatId, asked: &BTreeSet<UserId>, deletion: Option<Departure>) -> Option<UserId> {
        let now = self.clock.now();
        let mut state = self.state();
        let track = state.tracks.get(&chat_id)?;
        let mut users = track.seats.iter().map(|place| place.seat.session.user_id);
        if let Some(user) = users.find(|user| !asked.contains(user)) {
            return Some(user);
        }
        let next = track.head.next();
        // Events of a chat that is gone can't be read any more: the last one stands for them.
        let event = ChatEvent {
            chat_id,
            seq: deletion.map_or(next, |departure| departure.seq.max(next)),
            at: deletion.map_or(now, |departure| departure.at),
            change: Change::ChatDeleted,
        };
        let number = track.number;
        state.deliver(&Arc::new(LiveEvent::new(event, number)));
        None
    }

    async fn compare(&self, chats: Vec<ChatId>) -> Result<(), Failure> {
        let found: HashMap<ChatId, EventSeq> = self.events.last_events(chats.clone()).await?.into_iter().collect();
        let mut state = self.state();
        for chat in chats {
            if let Some(track) = state.tracks.get_mut(&chat)
                && found.get(&chat).is_none_or(|last| *last > track.head)
            {
                self.read(chat, track);
            }
        }
        Ok(())
    }

    /// Lets a user's connections listen to chats that they don't listen to yet.
    async fn admit(&self, user: UserId) -> Result<(), Failure> {
        let Some(seats) = self.state().users.get(&user).cloned() else {
            return Ok(());
        };
        let subscriptions = self.events.subscriptions(user).await?;
        for seat in seats.into_iter().filter(|seat| seat.may_change_chats()) {
            let present: HashSet<ChatId> = seat.chats().into_iter().collect();
            for subscription in &subscriptions {
                if !present.contains(&subscription.chat_id) {
                    self.admit_to(&seat, subscription).await?;
                }
            }
        }
        Ok(())
    }

    async fn admit_to(&self, seat: &Arc<Seat>, subscription: &Subscription) -> Result<(), Failure> {
        let chat_id = subscription.chat_id;
        let mut missed: Vec<Arc<LiveEvent>> = Vec::new();
        let mut after = subscription.before_first();
        loop {
            {
                let mut state = self.state();
                if seat.knows(chat_id, subscription.first_event) || !state.has(seat) {
                    return Ok(());
                }
                let track = state
                    .tracks
                    .entry(chat_id)
                    .or_insert_with(|| Track::of(subscription, after));
                if track.head <= after {
                    // All that was delivered before is in hand; what comes next comes by itself.
                    seat.bring_events(missed);
                    seat.add_chat(chat_id, subscription.first_event);
                    track.seats.push(Place {
                        seat: Arc::clone(seat),
                        after,
                    });
                    self.read(chat_id, track);
                    return Ok(());
                }
            }
            match self.events.list(chat_id, after, PAGE).await? {
                Events::Listed { events, .. } if !events.is_empty() => {
                    for event in events {
                        after = event.seq;
                        let leaves = event.change.removes(seat.session.user_id);
                        missed.push(Arc::new(LiveEvent::new(event, subscription.number)));
                        if leaves {
                            let state = self.state();
                            if !seat.knows(chat_id, subscription.first_event) && state.has(seat) {
                                seat.bring_events(missed);
                                seat.leave_chat(chat_id, after);
                            }
                            return Ok(());
                        }
                    }
                }
                Events::Forgotten => {
                    // Who resumes is told to load it.
                    seat.close(Closing::Interrupted);
                    return Ok(());
                }
                Events::Listed { .. } | Events::NoChat => return Ok(()),
            }
        }
    }

    async fn check_sessions(&self, sessions: Vec<SessionId>) -> Result<(), Failure> {
        let live = self.events.live_sessions(sessions.clone(), self.clock.now()).await?;
        let live: HashSet<SessionId> = live.into_iter().collect();
        let dead: HashSet<SessionId> = sessions.into_iter().filter(|session| !live.contains(session)).collect();
        if !dead.is_empty() {
            let state = self.state();
            let ended = state.all_seats().filter(|seat| dead.contains(&seat.session.session_id));
            ended.for_each(|seat| seat.close(Closing::SessionEnded));
        }
        Ok(())
    }

    fn came_or_went(&self, user_id: UserId, online: bool, at: Timestamp) {
        self.tasks.push(Task::Show(user_id, online, at));
        self.bus.publish(Signal::Presence { user_id, online, at });
    }

    async fn show(&self, user_id: UserId, online: bool, at: Timestamp) -> Result<(), Failure> {
        let others: Vec<UserId> = {
            let state = self.state();
            state.users.keys().copied().filter(|other| *other != user_id).collect()
        };
        for chunk in others.chunks(CHUNK) {
            let acquainted = self.events.acquaintances(user_id, chunk.to_vec(), ACQUAINTED).await?;
            let state = self.state();
            for seat in acquainted.iter().filter_map(|other| state.users.get(other)).flatten() {
                seat.bring(Delivery::Presence { user_id, online, at });
            }
        }
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Track {
    fn of(subscription: &Subscription, head: EventSeq) -> Self {
        Self {
            number: subscription.number,
            active_at: subscription.active_at,
            born: head,
            head,
            early: BTreeMap::new(),
            seats: Vec::new(),
            reading: false,
            news: false,
        }
    }
}

impl State {
    fn all_seats(&self) -> impl Iterator<Item = &Arc<Seat>> {
        self.users.values().flatten()
    }

    fn has(&self, seat: &Seat) -> bool {
        let seats = self.users.get(&seat.session.user_id);
        seats.is_some_and(|seats| seats.iter().any(|other| other.id == seat.id))
    }

    /// Some users, others each time.
    fn next_users(&mut self, most: usize) -> Vec<UserId> {
        let mut users: Vec<UserId> = self.users.keys().copied().collect();
        users.sort_unstable();
        let from = users.partition_point(|user| Some(*user) <= self.looked_at);
        users.rotate_left(from);
        users.truncate(most);
        self.looked_at = users.last().copied();
        users
    }

    /// Delivers an event if it is its chat's next.
    fn deliver_next(&mut self, event: ChatEvent) {
        if let Some(track) = self.tracks.get(&event.chat_id)
            && event.seq == track.head.next()
        {
            self.deliver(&Arc::new(LiveEvent::new(event, track.number)));
        }
    }

    /// Delivers the copies whose turn it is.
    fn deliver_early(&mut self, chat_id: ChatId) {
        while let Some(track) = self.tracks.get_mut(&chat_id) {
            let next = track.head.next();
            track.early = track.early.split_off(&next);
            match track.early.remove(&next) {
                Some(event) => self.deliver(&event),
                None => return,
            }
        }
    }

    /// Delivers a chat's next event.
    fn deliver(&mut self, event: &Arc<LiveEvent>) {
        let chat_id = event.chat_id;
        let Some(track) = self.tracks.get_mut(&chat_id) else {
            return;
        };
        let before = EventSeq::new(event.seq.get() - 1).unwrap_or_default();
        track.head = event.seq;
        track.active_at = track.active_at.max(event.at);
        if let Change::MemberAdded { user, .. } = &event.change {
            for seat in self.users.get(&user.id).map(Vec::as_slice).unwrap_or_default() {
                // A chat that is followed again from an earlier place comes by what was told before.
                if seat.may_change_chats() && seat.add_chat(chat_id, event.seq) {
                    track.seats.push(Place {
                        seat: Arc::clone(seat),
                        after: before,
                    });
                }
            }
        }
        for place in &track.seats {
            if event.seq > place.after {
                place.seat.bring(Delivery::Event(Arc::clone(event)));
            }
        }
        match &event.change {
            Change::MemberRemoved { user_id } => {
                for seat in self.users.get(user_id).map(Vec::as_slice).unwrap_or_default() {
                    // If it is just looking them up, what it finds may be from before.
                    seat.may_change_chats();
                }
                let gone = |place: &mut Place| place.seat.session.user_id == *user_id && event.seq > place.after;
                for place in track.seats.extract_if(.., gone) {
                    place.seat.leave_chat(chat_id, event.seq);
                }
                if track.seats.is_empty() {
                    self.tracks.remove(&chat_id);
                }
            }
            Change::ChatDeleted => {
                for place in std::mem::take(&mut track.seats) {
                    place.seat.leave_chat(chat_id, event.seq);
                }
                self.tracks.remove(&chat_id);
            }
            _ => {}
        }
    }

    /// Tells a user's connections that the user left a chat that is gone by now.
    fn part(&mut self, user_id: UserId, departure: &Departure) {
        let chat_id = departure.chat_id;
        let Some(track) = self.tracks.get_mut(&chat_id) else {
            return;
        };
        let event = ChatEvent {
            chat_id,
            seq: departure.seq,
            at: departure.at,
            change: Change::MemberRemoved { user_id },
        };
        let event = Arc::new(LiveEvent::new(event, track.number));
        let gone = |place: &mut Place| place.seat.session.user_id == user_id && departure.seq > place.after;
        for place in track.seats.extract_if(.., gone) {
            place.seat.bring(Delivery::Event(Arc::clone(&event)));
            place.seat.leave_chat(chat_id, departure.seq);
        }
        if track.seats.is_empty() {
            self.tracks.remove(&chat_id);
        }
    }

    /// From where a chat's events are to be read now; what was said until then is considered.
    fn begin_reading(&mut self, chat_id: ChatId) -> Option<EventSeq> {
        let track = self.tracks.get_mut(&chat_id)?;
        track.news = false;
        Some(track.head)
    }

    fn remove_seat(&mut self, chat_id: ChatId, id: u64) {
        if let Some(track) = self.tracks.get_mut(&chat_id) {
            if let Some(index) = track.seats.iter().position(|place| place.seat.id == id) {
                track.seats.swap_remove(index);
            }
            if track.seats.is_empty() {
                self.tracks.remove(&chat_id);
            }
        }
    }
}
