//! What goes over the wire.

use crate::compat::accounts::fact;
use crate::dto::{Id, Time};
use crate::extract::{page_count, page_number, page_size};
use crate::{respond, uploads};
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde::{Deserialize, Serialize};
use tertulia_domain::{self as domain, ChatOverview, Counted, Email, MessageBody, ProfileValue, Seq, UserId, Window};
use utoipa::{IntoParams, ToSchema};

/// What everything that succeeds comes in.
#[derive(Serialize, ToSchema)]
pub(crate) struct Enveloped<T> {
    /// `true`.
    success: bool,
    /// What was done, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false)]
    message: Option<&'static str>,
    data: T,
}

/// What went wrong.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Failure<'a> {
    /// `false`.
    pub(super) success: bool,
    /// For people.
    pub(super) message: &'a str,
    /// What a registration lacks.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(super) missing_fields: Option<Vec<&'a str>>,
}

/// An answer that says nothing but what was asked for.
pub(super) fn ok(data: impl Serialize) -> HttpResponse {
    answer(StatusCode::OK, None, data)
}

/// An answer that says what was done.
pub(super) fn done(status: StatusCode, message: &'static str, data: impl Serialize) -> HttpResponse {
    answer(status, Some(message), data)
}

/// An answer.
pub(super) fn answer(status: StatusCode, message: Option<&'static str>, data: impl Serialize) -> HttpResponse {
    let body = Enveloped {
        success: true,
        message,
        data,
    };
    respond::json(status, &body)
}

/// Somebody who is in a chat.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Participant<'a> {
    #[serde(rename = "_id")]
    id: Id,
    /// The username, or else the display name.
    #[schema(required = true)]
    username: Option<&'a str>,
    #[schema(required = true)]
    email: Option<&'a str>,
    /// The display name, or else the username.
    #[schema(required = true)]
    full_name: Option<&'a str>,
    /// A path below the base of this document.
    #[schema(required = true)]
    profile_image: Option<String>,
    created_at: Time,
    updated_at: Time,
}

impl<'a> Participant<'a> {
    pub(super) fn new(user: &'a domain::User) -> Self {
        Self {
            id: user.id.into(),
            username: user.shown_username(),
            email: user.email.as_ref().map(Email::as_str),
            full_name: user.shown_name(),
            profile_image: user.avatar.as_ref().map(uploads::address),
            created_at: user.created_at.into(),
            updated_at: user.updated_at.into(),
        }
    }
}

/// A user; what they said of themselves at registration is only shown to themselves.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct User<'a> {
    #[serde(flatten)]
    face: Participant<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    phone: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    document_number: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    age: Option<i64>,
}

impl<'a> User<'a> {
    /// As that one sees them.
    pub(super) fn seen(user: &'a domain::User, viewer: UserId) -> Self {
        if user.id == viewer {
            return Self::own(user);
        }
        Self {
            face: Participant::new(user),
            phone: None,
            document_number: None,
            age: None,
        }
    }

    /// As they see themselves.
    pub(super) fn own(user: &'a domain::User) -> Self {
        Self {
            face: Participant::new(user),
            phone: fact(user, "phone"),
            document_number: fact(user, "documentNumber"),
            age: match user.profile.get("age") {
                Some(ProfileValue::Integer(age)) => Some(*age),
                _ => None,
            },
        }
    }
}

/// Somebody who has logged in.
#[derive(Serialize, ToSchema)]
pub(crate) struct Session<'a> {
    pub(super) user: User<'a>,
    /// What requests send as `Authorization: Bearer`.
    pub(super) token: &'a str,
}

/// A chat.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Chat<'a> {
    #[serde(rename = "_id")]
    id: Id,
    participants: Vec<Participant<'a>>,
    /// What a client set, or from then on the newest message.
    #[schema(required = true)]
    last_message: Option<LastMessage<'a>>,
    created_at: Time,
    updated_at: Time,
    /// `0`.
    #[serde(rename = "__v")]
    version: u8,
}

impl<'a> From<&'a ChatOverview> for Chat<'a> {
    fn from(overview: &'a ChatOverview) -> Self {
        let note = overview.note.as_ref().map(LastMessage::from);
        let members = overview.members.iter();
        Self {
            id: overview.chat.id.into(),
            participants: members.map(|shown| Participant::new(&shown.member.user)).collect(),
            last_message: note.or_else(|| overview.last_message.as_ref().map(LastMessage::from)),
            created_at: overview.chat.created_at.into(),
            updated_at: overview.chat.updated_at.into(),
            version: 0,
        }
    }
}

/// What was last said in a chat.
#[derive(Serialize, ToSchema)]
pub(crate) struct LastMessage<'a> {
    text: &'a str,
    /// A user.
    sender: Id,
    timestamp: Time,
}

impl<'a> From<&'a domain::Note> for LastMessage<'a> {
    fn from(note: &'a domain::Note) -> Self {
        Self {
            text: note.text.as_str(),
            sender: note.sender.into(),
            timestamp: note.at.into(),
        }
    }
}

impl<'a> From<&'a domain::Message> for LastMessage<'a> {
    fn from(message: &'a domain::Message) -> Self {
        Self {
            text: text(message),
            sender: message.sender.id.into(),
            timestamp: message.created_at.into(),
        }
    }
}

/// A message's text, or else the name of the file that it consists of.
fn text(message: &domain::Message) -> &str {
    let body = message.body().map(MessageBody::as_str);
    let file = || message.attachments().first().map(|file| file.name.as_str());
    body.or_else(file).unwrap_or_default()
}

/// A message.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Message<'a> {
    #[serde(rename = "_id")]
    id: Id,
    chat_id: Id,
    sender_id: Id,
    /// The other party of a direct chat; in a group whom the sender addressed, if they did.
    #[schema(required = true)]
    receiver_id: Option<Id>,
    content: &'a str,
    /// Whether the receiver has read it; without one, whether all the others have.
    is_read: bool,
    status: Status,
    created_at: Time,
    updated_at: Time,
    /// `0`.
    #[serde(rename = "__v")]
    version: u8,
}

/// How far a message has come.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[expect(
    dead_code,
    reason = "that something arrived without being read is told in real time only"
)]
pub(crate) enum Status {
    Sent,
    Delivered,
    Seen,
}

impl<'a> Message<'a> {
    /// A message of that chat.
    pub(super) fn new(message: &'a domain::Message, chat: &ChatOverview) -> Self {
        let receiver = receiver(message, chat);
        let is_read = is_read(message, receiver, chat);
        Self {
            id: message.id.into(),
            chat_id: message.chat_id.into(),
            sender_id: message.sender.id.into(),
            receiver_id: receiver.map(Id::from),
            content: text(message),
            is_read,
            status: if is_read { Status::Seen } else { Status::Sent },
            created_at: message.created_at.into(),
            updated_at: message.edited_at.unwrap_or(message.created_at).into(),
            version: 0,
        }
    }
}

/// How far each member has read.
fn positions(chat: &ChatOverview) -> impl Iterator<Item = (UserId, Seq)> {
    let members = chat.members.iter().map(|shown| &shown.member);
    members.map(|member| (member.user.id, member.membership.read_seq))
}

fn receiver(message: &domain::Message, chat: &ChatOverview) -> Option<UserId> {
    let is_there = |user: UserId| positions(chat).any(|(member, _)| member == user);
    // A direct chat may have had others in it before.
    if chat.chat.kind.is_group() || !is_there(message.sender.id) {
        message.addressee
    } else {
        let mut members = positions(chat).map(|(member, _)| member);
        members.find(|member| *member != message.sender.id)
    }
}

fn is_read(message: &domain::Message, receiver: Option<UserId>, chat: &ChatOverview) -> bool {
    let concerned = |member: UserId| receiver.map_or(member != message.sender.id, |receiver| member == receiver);
    let mut positions = positions(chat).filter(|(member, _)| concerned(*member)).peekable();
    positions.peek().is_some() && positions.all(|(_, read)| read >= message.seq)
}

/// A message, as those hear of it who listen.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct LiveMessage<'a> {
    #[serde(rename = "_id")]
    id: Id,
    chat_id: Id,
    sender_id: Sender<'a>,
    receiver_id: Option<Id>,
    content: &'a str,
    status: Status,
    created_at: Time,
}

/// Who says something.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Sender<'a> {
    #[serde(rename = "_id")]
    id: Id,
    full_name: Option<&'a str>,
    profile_image: Option<String>,
}

impl<'a> LiveMessage<'a> {
    /// A message of that chat.
    pub(super) fn new(message: &'a domain::Message, chat: &ChatOverview) -> Self {
        let sender = &message.sender;
        Self {
            id: message.id.into(),
            chat_id: message.chat_id.into(),
            sender_id: Sender {
                id: sender.id.into(),
                full_name: sender.shown_name(),
                profile_image: sender.avatar.as_ref().map(uploads::address),
            },
            receiver_id: receiver(message, chat).map(Id::from),
            content: text(message),
            status: Status::Sent,
            created_at: message.created_at.into(),
        }
    }
}

/// Where in a list a page is.
#[derive(Serialize, ToSchema)]
pub(crate) struct Pagination {
    #[schema(value_type = i64, minimum = 1)]
    page: u32,
    #[schema(minimum = 1, maximum = 100)]
    limit: u16,
    /// How many items the whole list has.
    #[schema(minimum = 0)]
    total: i64,
    /// How many pages.
    #[schema(minimum = 0)]
    pages: i64,
}

/// Which page of a list is wanted.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct PageQuery {
    /// The page, from 1. What makes no sense is taken for nothing said.
    #[param(value_type = Option<u32>, minimum = 1, default = 1)]
    pub(super) page: Option<String>,
    /// Items of a page, 100 at the most.
    #[param(value_type = Option<u16>, minimum = 1, default = 10)]
    pub(super) limit: Option<String>,
}

/// A page that was asked for.
#[derive(Clone, Copy)]
pub(super) struct Asked {
    page: u32,
    limit: u16,
}

impl Asked {
    /// What was said, with pages of that many items if nothing was.
    pub(super) fn new(query: &PageQuery, default: u16) -> Self {
        Self {
            page: page_number(query.page.as_deref()),
            limit: page_size(query.limit.as_deref(), default),
        }
    }

    /// Which part of the list it is.
    pub(super) fn window(self) -> Window {
        Window::page(self.page, self.limit)
    }

    /// Where it lies in that list.
    pub(super) fn of<T>(self, list: &Counted<T>) -> Pagination {
        let Self { page, limit } = self;
        Pagination {
            page,
            limit,
            total: list.total,
            pages: page_count(list.total, limit),
        }
    }
}

/// Some chats of a list.
#[derive(Serialize, ToSchema)]
pub(crate) struct ChatPage<'a> {
    pub(super) chats: Vec<Chat<'a>>,
    pub(super) pagination: Pagination,
}

/// Some messages of a chat, newest first.
#[derive(Serialize, ToSchema)]
pub(crate) struct MessagePage<'a> {
    pub(super) messages: Vec<Message<'a>>,
    pub(super) pagination: Pagination,
}

/// Some users.
#[derive(Serialize, ToSchema)]
pub(crate) struct UserPage<'a> {
    pub(super) users: Vec<User<'a>>,
    pub(super) pagination: Pagination,
}
