use super::{File, Id, Time, file};
use serde::Serialize;
use tertulia_domain::{self as domain, MessageBody};
use utoipa::ToSchema;

/// A message. A deleted one keeps its place, with nothing in it.
#[derive(Serialize, ToSchema)]
pub(crate) struct Message<'a> {
    id: Id,
    chat_id: Id,
    /// Its place in the chat: 1, 2, 3, ... without gaps or repeats.
    #[schema(minimum = 1)]
    seq: i64,
    sender: Author<'a>,
    /// Null once the message is deleted, and for one that consists of attachments.
    #[schema(required = true)]
    body: Option<&'a str>,
    /// Files; none once the message is deleted.
    attachments: Vec<File<'a>>,
    #[schema(required = true)]
    reply_to: Option<Reply<'a>>,
    created_at: Time,
    #[schema(required = true)]
    edited_at: Option<Time>,
    #[schema(required = true)]
    deleted_at: Option<Time>,
}

/// Who sent a message. The names are null once the account is deleted.
#[derive(Serialize, ToSchema)]
struct Author<'a> {
    id: Id,
    #[schema(required = true)]
    username: Option<&'a str>,
    #[schema(required = true)]
    display_name: Option<&'a str>,
    #[schema(required = true)]
    avatar_url: Option<String>,
}

/// The message that another one answers, as it is now.
#[derive(Serialize, ToSchema)]
struct Reply<'a> {
    id: Id,
    seq: i64,
    sender: Author<'a>,
    /// Null once the message is deleted.
    #[schema(required = true)]
    body: Option<&'a str>,
}

impl<'a> From<&'a domain::Message> for Message<'a> {
    fn from(message: &'a domain::Message) -> Self {
        Self {
            id: message.id.into(),
            chat_id: message.chat_id.into(),
            seq: message.seq.get(),
            sender: Author::from(&message.sender),
            body: message.body().map(MessageBody::as_str),
            attachments: message.attachments().iter().map(File::from).collect(),
            reply_to: message.reply_to.as_ref().map(Reply::from),
            created_at: message.created_at.into(),
            edited_at: message.edited_at.map(Time::from),
            deleted_at: message.deleted_at().map(Time::from),
        }
    }
}

impl<'a> From<&'a domain::Author> for Author<'a> {
    fn from(author: &'a domain::Author) -> Self {
        Self {
            id: author.id.into(),
            username: author.username.as_ref().map(domain::Username::as_str),
            display_name: author.display_name.as_ref().map(domain::DisplayName::as_str),
            avatar_url: author.avatar.as_ref().map(file::url),
        }
    }
}

impl<'a> From<&'a domain::ReplyPreview> for Reply<'a> {
    fn from(reply: &'a domain::ReplyPreview) -> Self {
        Self {
            id: reply.id.into(),
            seq: reply.seq.get(),
            sender: Author::from(&reply.sender),
            body: reply.body.as_ref().map(MessageBody::as_str),
        }
    }
}
