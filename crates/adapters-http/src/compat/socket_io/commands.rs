//! What clients say.

use crate::extract::{Check, Field, Input, ids};
use crate::problem::{FieldCode, Kind, Problem};
use serde::Deserialize;
use serde_json::Value;
use socketioxide::extract::AckSender;
use tertulia_domain::{ChatId, MessageId};

/// Something that a client said.
pub(super) struct Command {
    pub(super) event: String,
    pub(super) data: Value,
    /// Where the answer goes, for clients that want one.
    pub(super) ack: AckSender,
}

/// Messages of one command.
const MAX_IDS: usize = 100;

/// `join_chat`, `leave_chat`.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct OfChat {
    chat_id: Field<String>,
}

/// `typing`.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Typing {
    chat_id: Field<String>,
    is_typing: Field<bool>,
}

/// `message_seen`.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Seen {
    chat_id: Field<String>,
    message_ids: Field<Vec<Value>>,
}

impl Input for OfChat {
    type Output = ChatId;

    fn parse(self, mut check: Check) -> Result<ChatId, Problem> {
        let chat = chat(&mut check, self.chat_id)?;
        check.finish(chat)
    }
}

impl Input for Typing {
    type Output = (ChatId, bool);

    fn parse(self, mut check: Check) -> Result<Self::Output, Problem> {
        let chat = chat(&mut check, self.chat_id)?;
        let active = check.required("isTyping", self.is_typing, Ok::<_, &str>);
        check.finish(chat.zip(active))
    }
}

impl Input for Seen {
    type Output = (ChatId, Vec<MessageId>);

    fn parse(self, mut check: Check) -> Result<Self::Output, Problem> {
        let chat = chat(&mut check, self.chat_id)?;
        if self.message_ids.is_absent() {
            check.refuse("messageIds", FieldCode::Required, "is required");
        }
        let messages = ids(&mut check, "messageIds", self.message_ids);
        if messages.len() > MAX_IDS {
            check.refuse("messageIds", FieldCode::Invalid, "too many");
        }
        check.finish(chat.map(|chat| (chat, messages)))
    }
}

/// The chat that is meant; one of the wrong form is none.
fn chat(check: &mut Check, field: Field<String>) -> Result<Option<ChatId>, Problem> {
    let chat = check.required("chatId", field, |text| Ok::<_, &str>(ChatId::parse(&text)));
    match chat {
        Some(None) => Err(Problem::new(Kind::NotFound, "no such chat").worded("Chat no encontrado")),
        other => Ok(other.flatten()),
    }
}
