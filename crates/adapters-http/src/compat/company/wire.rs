//! What goes over the wire.

use crate::compat::accounts::fact;
use crate::compat::messages::text;
use crate::dto::{Id, Time};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::BTreeMap;
use tertulia_domain::{self as domain, Email};
use utoipa::ToSchema;

/// What a field is told that is missing, or has nothing in it.
pub(super) const BLANK: &str = "can't be blank";

/// A user.
#[derive(Serialize, ToSchema)]
pub(crate) struct User<'a> {
    id: i64,
    name: &'a str,
    subname: &'a str,
    #[schema(required = true)]
    email: Option<&'a str>,
    job: &'a str,
    /// Null, except where the service has just chosen it.
    #[schema(required = true)]
    password: Option<&'a str>,
}

impl<'a> User<'a> {
    pub(super) fn new(user: &'a domain::User) -> Self {
        Self {
            id: user.number,
            name: fact(user, "name").or_else(|| user.shown_name()).unwrap_or_default(),
            subname: fact(user, "subname").unwrap_or_default(),
            email: user.email.as_ref().map(Email::as_str),
            job: fact(user, "job").unwrap_or_default(),
            password: None,
        }
    }

    pub(super) fn with_password(self, password: Option<&'a str>) -> Self {
        Self { password, ..self }
    }
}

/// A conversation of two.
#[derive(Serialize, ToSchema)]
pub(crate) struct Conversation {
    #[schema(required = true)]
    status: Option<ConversationStatus>,
    id: i64,
}

/// What is special about a conversation.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ConversationStatus {
    /// One of the two blocks the other: nobody can send.
    Blocked,
}

impl Conversation {
    pub(super) fn new(chat: &domain::Chat, blocked: bool) -> Self {
        Self {
            status: blocked.then_some(ConversationStatus::Blocked),
            id: chat.number,
        }
    }
}

/// A message.
#[derive(Serialize, ToSchema)]
pub(crate) struct Message<'a> {
    id: Id,
    /// Empty for a message that is nothing but files.
    content: &'a str,
    date: Time,
    conversation_id: i64,
    sender_id: i64,
}

impl<'a> Message<'a> {
    pub(super) fn new(message: &'a domain::Message, conversation_id: i64, sender_id: i64) -> Self {
        Self {
            id: message.id.into(),
            content: text(message),
            date: message.created_at.into(),
            conversation_id,
            sender_id,
        }
    }
}

/// How a request failed.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum Failure<'a> {
    /// 422: what is wrong with each field.
    Fields {
        #[schema(value_type = BTreeMap<String, Vec<String>>)]
        errors: BTreeMap<&'a str, Vec<&'a str>>,
    },
    /// 401: nobody with such a token.
    Stranger { message: &'a str },
    /// 401: nobody with such credentials.
    LogIn { data: &'a str },
    /// Everything else.
    Other { errors: Detail<'a> },
}

/// What happened, for people.
#[derive(Serialize, ToSchema)]
pub(crate) struct Detail<'a> {
    detail: &'a str,
}

impl<'a> Failure<'a> {
    pub(super) const fn detail(detail: &'a str) -> Self {
        Self::Other {
            errors: Detail { detail },
        }
    }
}

/// The fields of an object; nothing else has any, though serde would take an array for them in their order.
pub(super) fn object<T: DeserializeOwned>(value: Value) -> Option<T> {
    if value.is_object() {
        serde_json::from_value(value).ok()
    } else {
        None
    }
}
