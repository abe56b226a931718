//! Direct chats by the numbers of the two, for contracts that speak over a connection.

use crate::extract::State;
use crate::problem::{Kind, Problem};
use std::collections::HashMap;
use tertulia_application::account::FindUserError;
use tertulia_application::chats::{AccessError, CreateDirect};
use tertulia_application::messaging::SendMessage;
use tertulia_application::realtime::LiveEvent;
use tertulia_domain::api_key::Scope;
use tertulia_domain::{Caller, Change, ChatId, Message, MessageBody, MessageDraft, Recorded, Scopes, UserId};

/// Chats that are remembered of one connection.
const MAX_KNOWN: usize = 1_000;

/// Somebody's direct chats.
pub(super) struct Pairs {
    state: State,
    caller: Caller,
    scopes: Scopes,
    own: i64,
    /// `None` for what is none.
    known: HashMap<ChatId, Option<Pair>>,
}

/// A direct chat, by its number, and whom it is with.
#[derive(Clone, Copy)]
struct Pair {
    chat: i64,
    other: i64,
    other_id: UserId,
}

/// A message of a direct chat, with the numbers of everything.
#[derive(Clone, Copy)]
pub(super) struct Said<'a> {
    pub(super) message: &'a Message,
    pub(super) chat: i64,
    pub(super) sender: i64,
    pub(super) receiver: i64,
}

impl<'a> Said<'a> {
    /// The text; empty for a message that is nothing but files.
    pub(super) fn text(&self) -> &'a str {
        self.message.body().map(MessageBody::as_str).unwrap_or_default()
    }
}

impl Pairs {
    pub(super) async fn of(state: State, caller: Caller, scopes: Scopes) -> Result<Self, Problem> {
        let own = state.services.accounts.user(caller.user_id).await?.number;
        Ok(Self {
            state,
            caller,
            scopes,
            own,
            known: HashMap::new(),
        })
    }

    /// The number of whoever these are the chats of.
    pub(super) const fn own(&self) -> i64 {
        self.own
    }

    /// The message that was sent, if that is what happened, and in a direct chat.
    pub(super) async fn said<'a>(&mut self, event: &'a LiveEvent) -> Result<Option<Said<'a>>, Problem> {
        let message = match &event.change {
            Change::MessageCreated(message) if message.deleted_at().is_none() => message,
            // Who is there may be others now, or more.
            Change::ChatUpdated(_)
            | Change::ChatDeleted
            | Change::MemberAdded { .. }
            | Change::MemberRemoved { .. } => {
                self.known.remove(&event.chat_id);
                return Ok(None);
            }
            _ => return Ok(None),
        };
        self.numbered(message).await
    }

    /// The same of a message that is at hand.
    pub(super) async fn numbered<'a>(&mut self, message: &'a Message) -> Result<Option<Said<'a>>, Problem> {
        let Some(pair) = self.pair(message.chat_id).await? else {
            return Ok(None);
        };
        let sender = message.sender.id;
        let (sender, receiver) = if sender == self.caller.user_id {
            (self.own, pair.other)
        } else if sender == pair.other_id {
            (pair.other, self.own)
        } else {
            let sender = self.state.services.accounts.user_ever(sender).await?;
            (sender.number, self.own)
        };
        Ok(Some(Said {
            message,
            chat: pair.chat,
            sender,
            receiver,
        }))
    }

    /// The direct chat with that id, if it is one of these.
    async fn pair(&mut self, chat: ChatId) -> Result<Option<Pair>, Problem> {
        if let Some(known) = self.known.get(&chat) {
            return Ok(*known);
        }
        let pair = self.look_up(chat).await?;
        if self.known.len() >= MAX_KNOWN {
            self.known.clear();
        }
        self.known.insert(chat, pair);
        Ok(pair)
    }

    async fn look_up(&self, chat: ChatId) -> Result<Option<Pair>, Problem> {
        let view = match self.state.services.chats.chat(self.caller, chat).await {
            Ok(view) => view,
            Err(AccessError::ChatNotFound) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let mut members = view.members.iter();
        let other = members.find(|member| member.user.id != self.caller.user_id);
        let direct = !view.chat.kind.is_group() && view.membership.is_some();
        Ok(other.filter(|_| direct).map(|other| Pair {
            chat: view.chat.number,
            other: other.user.number,
            other_id: other.user.id,
        }))
    }

    /// The direct chat of that number, if it is with the user of that number.
    pub(super) async fn between(&self, chat: i64, user: i64) -> Result<Option<ChatId>, Problem> {
        let Some(id) = self.state.services.chats.chat_of_number(chat).await? else {
            return Ok(None);
        };
        let pair = self.look_up(id).await?;
        Ok(pair.filter(|pair| pair.other == user).map(|_| id))
    }

    /// The direct chat with the user of that number, made if there is none; `None` when nobody has it.
    pub(super) async fn with(&self, number: i64) -> Result<Option<ChatId>, Problem> {
        self.require(Scope::Write)?;
        let other = match self.state.services.accounts.user_by_number(number).await {
            Ok(other) => other.id,
            Err(FindUserError::NotFound) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let chats = &self.state.services.chats;
        if let Some(chat) = chats.direct_with(self.caller, other).await? {
            return Ok(Some(chat));
        }
        self.require(Scope::Manage)?;
        let command = CreateDirect { other, keyed: None };
        let Recorded::Fresh(made) = chats.create_direct(self.caller, command).await? else {
            return Err(Problem::internal("an answer was replayed that nobody asked for"));
        };
        Ok(Some(made.view.chat.id))
    }

    /// Says something in a chat.
    pub(super) async fn say(&self, chat_id: ChatId, text: MessageBody) -> Result<Message, Problem> {
        self.require(Scope::Write)?;
        let command = SendMessage {
            chat_id,
            draft: MessageDraft::text(text),
            reply_to: None,
            addressee: None,
            request: None,
        };
        let sent = self.state.services.messaging.send(self.caller.session(), command);
        Ok(sent.await?.message)
    }

    fn require(&self, scope: Scope) -> Result<(), Problem> {
        if self.scopes.allow(scope) {
            return Ok(());
        }
        let text = format!("The API key has not the scope '{}'.", scope.as_str());
        Err(Problem::new(Kind::Forbidden, text))
    }
}
