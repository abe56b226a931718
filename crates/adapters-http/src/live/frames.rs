//! The frames of the realtime protocol.

use crate::dto::{Id, MemberRole, Message, Time, User};
use crate::extract::Field;
use crate::problem::FieldError;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::HashMap;
use tertulia_domain::{ChatId, EventSeq};
use utoipa::ToSchema;

/// What the server says.
#[derive(Serialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum ServerFrame<'a> {
    /// The first frame: who one is, and what one may do.
    Hello {
        session_id: Id,
        user_id: Id,
        /// How often the server pings; whoever says nothing for more than twice as long is taken for gone.
        heartbeat_seconds: u64,
        limits: Limits,
    },
    /// Something happened in a chat.
    Event {
        /// What.
        #[schema(examples("message.created"))]
        event: &'a str,
        chat_id: Id,
        /// The event's place in the chat: 1, 2, 3, ... without gaps or repeats.
        #[schema(minimum = 1)]
        event_seq: i64,
        at: Time,
        data: EventData<'a>,
    },
    /// Everything up to here was told; who resumes with the token goes on after it.
    Ready { token: &'a str },
    /// Too much was missed of these chats to tell it: they are to be loaded again.
    Reset { chats: Vec<Id> },
    /// A command was carried out.
    Ack {
        r#ref: &'a str,
        /// What was sent, as it is stored; only for `send`.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        message: Option<Message<'a>>,
        /// How far one has read; only for `read`.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        read_seq: Option<i64>,
        /// How many messages are unread; only for `read`.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        unread_count: Option<i64>,
    },
    /// Somebody began or stopped typing.
    Typing { chat_id: Id, user_id: Id, active: bool },
    /// Somebody came or went.
    Presence {
        user_id: Id,
        online: bool,
        last_seen_at: Time,
    },
    /// The answer to `ping`.
    Pong,
    /// A command was not carried out; the connection stays.
    Error {
        /// The command's, if it had one.
        #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        reference: Option<&'a str>,
        /// The kind of failure, for programs; as in answers of the API.
        code: &'a str,
        /// What happened, for people.
        detail: &'a str,
        /// Each field that is wrong.
        #[serde(skip_serializing_if = "<[_]>::is_empty")]
        #[schema(required = false)]
        errors: &'a [FieldError],
    },
}

/// What one may do.
#[derive(Serialize, ToSchema)]
pub(crate) struct Limits {
    /// Bytes of a frame.
    pub(crate) frame_bytes: usize,
    /// Commands a second, for longer than a moment.
    pub(crate) commands_per_second: u32,
    /// Connections of one user to one process.
    pub(crate) connections: usize,
}

/// What an event tells.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum EventData<'a> {
    /// `message.created`, `message.updated`, `message.deleted`: the message as it is now.
    Message(Box<Message<'a>>),
    /// `chat.created`, `chat.updated`: the chat as it is now.
    Chat(ChatFacts<'a>),
    /// `member.added`.
    Added {
        user: Box<User<'a>>,
        role: MemberRole,
        joined_at: Time,
        read_seq: i64,
    },
    /// `member.updated`.
    Updated { user: Box<User<'a>>, role: MemberRole },
    /// `read.updated`.
    Read { user_id: Id, read_seq: i64 },
    /// `member.removed`.
    Removed { user_id: Id },
    /// `chat.deleted`.
    Nothing {},
}

/// What is the same of a chat for everybody in it.
#[derive(Serialize, ToSchema)]
pub(crate) struct ChatFacts<'a> {
    pub(crate) id: Id,
    pub(crate) number: i64,
    pub(crate) kind: &'static str,
    #[schema(required = true)]
    pub(crate) title: Option<&'a str>,
    #[schema(required = true)]
    pub(crate) avatar_url: Option<String>,
    pub(crate) created_at: Time,
    pub(crate) updated_at: Time,
    pub(crate) member_count: i64,
    pub(crate) last_seq: i64,
}

/// All frames that the server sends, for the document.
pub(crate) type ServerFrames = ServerFrame<'static>;

/// What the client says, for the document; see [`Command`](super::socket) for how it is read.
#[derive(Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
#[expect(dead_code, reason = "it describes what is read field by field")]
pub(crate) enum ClientFrame {
    /// Go on where one was; only as the first frame. Either `positions` or `token`.
    Resume {
        /// The last `event_seq` that one has of each chat.
        #[schema(value_type = Option<HashMap<String, i64>>)]
        positions: Option<Map<String, Value>>,
        /// The `token` of a `ready` frame.
        token: Option<String>,
    },
    /// Send a message.
    Send {
        /// Comes back in the answer.
        r#ref: String,
        chat_id: String,
        /// Makes a retry harmless: the same id sends once.
        #[schema(min_length = 1, max_length = 125)]
        client_id: String,
        body: Option<String>,
        reply_to: Option<String>,
        attachments: Option<Vec<String>>,
    },
    /// Read up to a message.
    Read {
        r#ref: Option<String>,
        chat_id: String,
        #[schema(minimum = 0)]
        seq: i64,
    },
    /// Tell the others that one types, or does not any more.
    Typing { chat_id: String, active: bool },
    /// Is anybody there?
    Ping,
}

/// What every frame of a client has.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Head {
    pub(super) r#type: Field<String>,
    pub(super) r#ref: Field<String>,
}

/// Reads `{CHAT_ID: EVENT_SEQ}`. What is no id names no chat, and does not matter.
pub(super) fn positions(fields: Map<String, Value>) -> Result<HashMap<ChatId, EventSeq>, &'static str> {
    let mut positions = HashMap::with_capacity(fields.len());
    for (chat, seq) in fields {
        let seq = seq.as_i64().and_then(EventSeq::new);
        let seq = seq.ok_or("must hold an event_seq for each chat")?;
        if let Some(chat) = ChatId::parse(&chat) {
            positions.insert(chat, seq);
        }
    }
    Ok(positions)
}
