//! One connection: what is said to it, and what it says.

use super::commands::{Command, OfChat, Seen, Typing};
use super::doorway::Guest;
use super::tether::Tether;
use super::{BURST, COMMANDS, Dialect, HEARTBEAT, PATIENCE};
use crate::HttpState;
use crate::dto::Id;
use crate::extract::parse_json;
use crate::problem::{Kind, Problem};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use serde::Serialize;
use serde_json::{Value, json};
use socketioxide::extract::SocketRef;
use socketioxide::{SendError, SocketError};
use std::collections::{HashMap, VecDeque};
use std::marker::PhantomData;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tertulia_application::account::FindUserError;
use tertulia_application::messaging::{ListMessages, ViewMessageError};
use tertulia_application::realtime::{Closing, Delivery, Listener, LiveEvent};
use tertulia_domain::api_key::Scope;
use tertulia_domain::{Caller, Change, ChatId, EventSeq, Limit, Message, MessageRange, Scopes, Seq, UserId};
use tokio::sync::{OnceCell, mpsc};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

/// How long a packet may wait to be taken.
const SEND_PATIENCE: Duration = Duration::from_secs(20);

/// How long somebody who was told to leave may take to do so.
const FAREWELL: Duration = Duration::from_secs(5);

/// Newly seen messages that are told of at the most; those that were read last.
const MAX_SEEN: usize = 500;

/// Things that are remembered for others who are told of them.
const REMEMBERED: usize = 256;

/// What all connections to a contract have.
pub(super) struct Shared {
    pub(super) state: Arc<HttpState>,
    told: Mutex<VecDeque<(Told, Arc<OnceCell<Value>>)>>,
}

/// Something that many are told of: an event, and after which message it begins to be news.
type Told = (ChatId, EventSeq, Seq);

impl Shared {
    pub(super) fn new(state: Arc<HttpState>) -> Self {
        Self {
            state,
            told: Mutex::default(),
        }
    }

    /// Makes something once, however many are told of it.
    async fn once(&self, what: Told, make: impl Future<Output = Result<Value, Problem>>) -> Result<Value, Problem> {
        let cell = {
            let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some((_, cell)) = told.iter().find(|(other, _)| *other == what) {
                Arc::clone(cell)
            } else {
                let cell = Arc::default();
                told.truncate(REMEMBERED - 1);
                told.push_front((what, Arc::clone(&cell)));
                cell
            }
        };
        cell.get_or_try_init(|| make).await.cloned()
    }
}

/// One connection.
pub(super) struct Conversation<D> {
    shared: Arc<Shared>,
    socket: SocketRef,
    tether: Arc<Tether>,
    listener: Listener,
    caller: Caller,
    scopes: Scopes,
    allowance: DefaultDirectRateLimiter,
    /// The chats that the client joined, and up to where each member has read, as far as the client was told.
    chats: HashMap<ChatId, HashMap<UserId, Seq>>,
    commands: Option<mpsc::Receiver<Command>>,
    dialect: PhantomData<D>,
}

/// Why a connection ends.
enum End {
    /// The peer is gone, or may come again.
    Gone,
    /// The session has ended: the peer is told not to come again.
    Dismissed,
}

impl<D: Dialect> Conversation<D> {
    pub(super) fn new(shared: Arc<Shared>, socket: SocketRef, guest: Guest) -> Self {
        let one = NonZeroU32::MIN;
        let quota = Quota::per_second(NonZeroU32::new(COMMANDS).unwrap_or(one));
        let quota = quota.allow_burst(NonZeroU32::new(BURST).unwrap_or(one));
        Self {
            shared,
            socket,
            tether: guest.tether,
            listener: guest.listener,
            caller: guest.caller,
            scopes: guest.scopes,
            allowance: RateLimiter::direct(quota),
            chats: HashMap::new(),
            commands: Some(guest.commands),
            dialect: PhantomData,
        }
    }

    pub(super) async fn run(mut self) {
        let Err(end) = self.talk().await;
        let Self {
            socket,
            tether,
            listener,
            ..
        } = self;
        drop(listener);
        if matches!(end, End::Dismissed) && socket.disconnect().is_ok() {
            tokio::select! {
                () = sleep(FAREWELL) => {}
                () = tether.is_cut() => {}
            }
        }
        tether.cut();
    }

    async fn talk(&mut self) -> Result<std::convert::Infallible, End> {
        let mut commands = self.commands.take().ok_or(End::Gone)?;
        let tether = Arc::clone(&self.tether);
        let mut heartbeat = interval(HEARTBEAT);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                delivery = self.listener.next() => self.deliver(delivery).await?,
                command = commands.recv() => self.obey(command.ok_or(End::Gone)?).await?,
                _ = heartbeat.tick() => {
                    if tether.silence() > PATIENCE {
                        return Err(End::Gone);
                    }
                    self.listener.note_presence();
                }
                () = tether.is_cut() => return Err(End::Gone),
            }
        }
    }

    // What is said to the client.

    async fn deliver(&mut self, delivery: Result<Delivery, Closing>) -> Result<(), End> {
        match delivery {
            Ok(Delivery::Event(event)) => self.tell(&event).await,
            Ok(Delivery::Typing {
                chat_id,
                user_id,
                active,
            }) if self.chats.contains_key(&chat_id) => self.tell_typing(chat_id, user_id, active).await,
            Ok(Delivery::Typing { .. } | Delivery::Presence { .. } | Delivery::Token(_)) => Ok(()),
            Err(Closing::SessionEnded) => Err(End::Dismissed),
            Err(Closing::TooSlow | Closing::Interrupted | Closing::Stopping) => Err(End::Gone),
        }
    }

    async fn tell(&mut self, event: &LiveEvent) -> Result<(), End> {
        let Some(positions) = self.chats.get_mut(&event.chat_id) else {
            return Ok(());
        };
        match &event.change {
            Change::MessageCreated(message) if message.deleted_at().is_none() => {
                self.tell_message(event, message).await
            }
            Change::ReadUpdated { user_id, read_seq } => {
                let after = positions.insert(*user_id, *read_seq).unwrap_or_default();
                if *user_id == self.caller.user_id || after >= *read_seq {
                    return Ok(());
                }
                self.tell_seen(event, *user_id, after, *read_seq).await
            }
            Change::MemberAdded { user, read_seq, .. } => {
                positions.insert(user.id, *read_seq);
                Ok(())
            }
            Change::MemberRemoved { user_id } => {
                positions.remove(user_id);
                if *user_id == self.caller.user_id {
                    self.chats.remove(&event.chat_id);
                }
                Ok(())
            }
            Change::ChatDeleted => {
                self.chats.remove(&event.chat_id);
                Ok(())
            }
            Change::MessageCreated(_)
            | Change::MessageUpdated(_)
            | Change::MessageDeleted(_)
            | Change::ChatCreated(_)
            | Change::ChatUpdated(_)
            | Change::MemberUpdated { .. } => Ok(()),
        }
    }

    async fn tell_message(&self, event: &LiveEvent, message: &Message) -> Result<(), End> {
        let told = (event.chat_id, event.seq, Seq::ZERO);
        let shown = D::message(&self.shared.state, self.caller, message);
        match self.shared.once(told, shown).await {
            Ok(shown) => self.say("new_message", &shown).await,
            Err(problem) => lost(&problem),
        }
    }

    async fn tell_seen(&self, event: &LiveEvent, by: UserId, after: Seq, last: Seq) -> Result<(), End> {
        let chat = event.chat_id;
        let seen = async {
            let ids = self.seen_messages(chat, by, after, last).await?;
            Ok(json!({"chatId": Id::from(chat), "messageIds": ids, "seenBy": Id::from(by)}))
        };
        match self.shared.once((chat, event.seq, after), seen).await {
            Ok(seen) if seen["messageIds"].as_array().is_some_and(Vec::is_empty) => Ok(()),
            Ok(seen) => self.say("messages_marked_seen", &seen).await,
            Err(problem) => lost(&problem),
        }
    }

    /// The messages of others than the reader between two places.
    async fn seen_messages(&self, chat_id: ChatId, by: UserId, after: Seq, last: Seq) -> Result<Vec<Id>, Problem> {
        let most = i64::try_from(MAX_SEEN).unwrap_or(i64::MAX);
        let mut after = Seq::new(after.get().max(last.get() - most)).unwrap_or_default();
        let mut seen = Vec::new();
        loop {
            let query = ListMessages {
                chat_id,
                range: MessageRange::After(after),
                limit: Limit::DEFAULT,
            };
            let session = self.listener.session();
            let page = self.shared.state.services.messaging.list(session, query).await?;
            let read = page.items.iter().take_while(|message| message.seq <= last);
            let others = read.filter(|message| message.sender.id != by && message.deleted_at().is_none());
            seen.extend(others.map(|message| Id::from(message.id)));
            match page.items.last() {
                Some(newest) if newest.seq < last => after = newest.seq,
                _ => return Ok(seen),
            }
        }
    }

    async fn tell_typing(&self, chat: ChatId, user: UserId, active: bool) -> Result<(), End> {
        let user = match self.shared.state.services.accounts.user(user).await {
            Ok(user) => user,
            // What somebody does who is gone matters to nobody.
            Err(FindUserError::NotFound) => return Ok(()),
            Err(FindUserError::Failed(failure)) => {
                Problem::from(failure).log();
                return Ok(());
            }
        };
        let typing = json!({
            "chatId": Id::from(chat), "userId": Id::from(user.id), "userName": D::name(&user), "isTyping": active,
        });
        self.say("user_typing", &typing).await
    }

    async fn say(&self, event: &str, data: &impl Serialize) -> Result<(), End> {
        let deadline = Instant::now() + SEND_PATIENCE;
        loop {
            match self.socket.emit(event, data) {
                Ok(()) => return Ok(()),
                // The library can't tell when there is room again.
                Err(SendError::Socket(SocketError::InternalChannelFull)) if Instant::now() < deadline => {
                    tokio::select! {
                        () = sleep(Duration::from_millis(50)) => {}
                        () = self.tether.is_cut() => return Err(End::Gone),
                    }
                }
                Err(_) => return Err(End::Gone),
            }
        }
    }

    // What the client says.

    async fn obey(&mut self, command: Command) -> Result<(), End> {
        self.listener.note_presence();
        let Command { event, data, ack } = command;
        let done = match self.allowance.check() {
            Ok(()) => self.carry_out(&event, &data).await,
            Err(_) => Err(Problem::new(Kind::RateLimited, "Too many commands; wait a moment.")),
        };
        let answer = match done {
            Ok(Some((event, data))) => {
                self.say(event, &data).await?;
                json!({"success": true})
            }
            Ok(None) => json!({"success": true}),
            Err(problem) => {
                problem.log();
                let text = D::text(&problem);
                self.say("error", &json!({"message": text})).await?;
                json!({"success": false, "message": text})
            }
        };
        // Whoever does not take it is found out otherwise.
        let _ = ack.send(&answer);
        Ok(())
    }

    /// Carries out a command; gives what is to be said of it besides.
    async fn carry_out(&mut self, event: &str, data: &Value) -> Result<Option<(&'static str, Value)>, Problem> {
        let data = serde_json::to_vec(data).map_err(Problem::internal)?;
        match event {
            "join_chat" => {
                let chat = parse_json::<OfChat>(&data)?;
                let overview = D::enter(&self.shared.state, self.caller, chat).await?;
                let members = overview.members.iter().map(|shown| &shown.member);
                let positions = members.map(|member| (member.user.id, member.membership.read_seq));
                self.chats.insert(chat, positions.collect());
                Ok(None)
            }
            "leave_chat" => {
                self.chats.remove(&parse_json::<OfChat>(&data)?);
                Ok(None)
            }
            "send_message" => {
                if !self.scopes.allow(Scope::Write) {
                    return Err(Problem::new(Kind::Forbidden, "The API key has not the scope 'write'."));
                }
                let message = D::send(&self.shared.state, self.caller, &data).await?;
                let delivered = json!({"messageId": Id::from(message.id), "status": "delivered"});
                Ok(Some(("message_delivered", delivered)))
            }
            "typing" => {
                let (chat, active) = parse_json::<Typing>(&data)?;
                if !self.listener.typing(chat, active) {
                    D::enter(&self.shared.state, self.caller, chat).await?;
                }
                Ok(None)
            }
            "message_seen" => {
                self.mark_seen(&data).await?;
                Ok(None)
            }
            // As the protocol has it: what nobody listens to is lost.
            _ => Ok(None),
        }
    }

    async fn mark_seen(&self, data: &[u8]) -> Result<(), Problem> {
        let (chat, ids) = parse_json::<Seen>(data)?;
        let services = &self.shared.state.services;
        D::enter(&self.shared.state, self.caller, chat).await?;
        let mut last = None;
        for id in ids {
            match services.messaging.message(self.caller, chat, id).await {
                Ok(message) => last = last.max(Some(message.seq)),
                Err(ViewMessageError::NotFound) => {}
                Err(error) => return Err(error.into()),
            }
        }
        if let Some(last) = last {
            services.chats.mark_read(self.caller, chat, last).await?;
        }
        Ok(())
    }
}

/// What the client should have been told of can't be shown. One who is not in the chat any more need not be; anybody else
/// must know that something is missing, and come again.
fn lost(problem: &Problem) -> Result<(), End> {
    if matches!(problem.kind(), Kind::NotFound | Kind::Forbidden) {
        return Ok(());
    }
    problem.log();
    Err(End::Gone)
}
