//! What goes over the wire.

use crate::compat::messages::text;
use crate::dto::{Id, Time};
use crate::respond;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde::Serialize;
use tertulia_domain::{self as domain, ChatOverview, ChatTitle, Email, UserId};
use utoipa::ToSchema;

/// It went well.
#[derive(Serialize, ToSchema)]
pub(crate) struct Done {
    #[schema(examples("ok"))]
    status: &'static str,
}

/// The answer of that status to what went well.
pub(super) fn done(status: StatusCode) -> HttpResponse {
    respond::json(status, &Done { status: "ok" })
}

/// What went wrong, for people.
#[derive(Serialize, ToSchema)]
pub(crate) struct Error<'a> {
    error: &'a str,
}

impl<'a> Error<'a> {
    pub(super) const fn new(error: &'a str) -> Self {
        Self { error }
    }
}

/// The caller's chats, most recently active first.
#[derive(Serialize, ToSchema)]
pub(crate) struct Chats<'a> {
    pub(super) chats: Vec<Chat<'a>>,
}

/// A chat; without messages it has no last one.
#[derive(Serialize, ToSchema)]
pub(crate) struct Chat<'a> {
    id: Id,
    /// What was said last.
    #[schema(required = true)]
    last_message: Option<&'a str>,
    #[schema(required = true)]
    last_message_time: Option<Time>,
    /// Who said it.
    #[schema(required = true)]
    sender_id: Option<Id>,
    /// What it is called; between two users, the other one's name, `null` once that one is deleted.
    #[schema(required = true)]
    title: Option<&'a str>,
}

impl<'a> Chat<'a> {
    pub(super) fn new(overview: &'a ChatOverview, viewer: UserId) -> Self {
        let last = overview.last_message.as_ref();
        let other = || overview.other(viewer)?.user.shown_username();
        Self {
            id: overview.chat.id.into(),
            last_message: last.map(text),
            last_message_time: last.map(|message| message.created_at.into()),
            sender_id: last.map(|message| message.sender.id.into()),
            title: overview.chat.kind.title().map(ChatTitle::as_str).or_else(other),
        }
    }
}

/// A page of a chat's messages, oldest first.
#[derive(Serialize, ToSchema)]
pub(crate) struct Messages<'a> {
    pub(super) messages: Vec<Message<'a>>,
}

/// A message.
#[derive(Serialize, ToSchema)]
pub(crate) struct Message<'a> {
    /// The text; empty if it consists of files.
    content: &'a str,
    id: Id,
    sender_id: Id,
    time: Time,
}

impl<'a> From<&'a domain::Message> for Message<'a> {
    fn from(message: &'a domain::Message) -> Self {
        Self {
            content: text(message),
            id: message.id.into(),
            sender_id: message.sender.id.into(),
            time: message.created_at.into(),
        }
    }
}

/// What is known of a user.
#[derive(Serialize, ToSchema)]
pub(crate) struct UserInformation<'a> {
    user: User<'a>,
}

/// A user.
#[derive(Serialize, ToSchema)]
pub(crate) struct User<'a> {
    /// The username, or else the display name.
    #[schema(required = true)]
    name: Option<&'a str>,
    #[schema(required = true)]
    email: Option<&'a str>,
}

impl<'a> UserInformation<'a> {
    pub(super) fn new(user: &'a domain::User) -> Self {
        Self {
            user: User {
                name: user.shown_username(),
                email: user.email.as_ref().map(Email::as_str),
            },
        }
    }
}
