//! What goes over the wire.

use crate::compat::messages::text;
use crate::dto::{Id, Sight, Time};
use crate::uploads::address;
use serde::Serialize;
use tertulia_domain::{self as domain, ChatOverview, ChatTitle, OverviewMember};
use utoipa::ToSchema;

/// What went wrong, for people.
#[derive(Serialize, ToSchema)]
pub(crate) struct Failure<'a> {
    pub(super) message: &'a str,
}

/// A user by name.
#[derive(Serialize, ToSchema)]
pub(crate) struct Named<'a> {
    id: Id,
    /// The username, or else the display name; null for somebody with neither.
    #[schema(required = true)]
    username: Option<&'a str>,
}

/// A user by name and face.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct User<'a> {
    #[serde(flatten)]
    named: Named<'a>,
    /// Where the user's picture is, below the base of these paths.
    #[schema(required = true)]
    profile_pic: Option<String>,
}

/// Somebody who has registered.
#[derive(Serialize, ToSchema)]
pub(crate) struct Registered<'a> {
    /// What requests send as `Authorization: Bearer`.
    pub(super) token: &'a str,
    pub(super) user: Named<'a>,
}

/// Somebody who has logged in, or who has changed.
#[derive(Serialize, ToSchema)]
pub(crate) struct LoggedIn<'a> {
    /// What requests send as `Authorization: Bearer`.
    pub(super) token: &'a str,
    pub(super) user: User<'a>,
}

/// A chat.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Chat<'a> {
    id: Id,
    is_group: bool,
    /// Null for a direct chat.
    #[schema(required = true)]
    name: Option<&'a str>,
    /// Where the group's picture is, below the base of these paths.
    #[schema(required = true)]
    profile_pic: Option<String>,
    created_at: Time,
    updated_at: Time,
    /// The members, at most the 1,000 longest-standing.
    users: Vec<Member<'a>>,
    /// The newest message alone.
    #[schema(max_items = 1)]
    messages: Vec<LastMessage<'a>>,
}

/// Somebody's place in a chat.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Member<'a> {
    user_id: Id,
    chat_id: Id,
    /// Messages of others that this member has not read.
    #[schema(minimum = 0)]
    unread_count: i64,
    joined_at: Time,
    user: SeenUser<'a>,
}

/// A user, and whether they are there.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SeenUser<'a> {
    #[serde(flatten)]
    user: User<'a>,
    /// When the user last was active; null for one who never was, and where one of the two blocks the other.
    #[schema(required = true)]
    last_seen: Option<Time>,
    /// Whether that is less than 60 seconds ago.
    online: bool,
}

/// The newest message of a chat.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LastMessage<'a> {
    id: Id,
    content: &'a str,
    created_at: Time,
    sender_id: Id,
    /// Where its file is, below the base of these paths.
    #[schema(required = true)]
    file_url: Option<String>,
}

/// A chat that was made.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CreatedChat<'a> {
    id: Id,
    is_group: bool,
    /// Null for a direct chat.
    #[schema(required = true)]
    name: Option<&'a str>,
}

/// What a group is called.
#[derive(Serialize, ToSchema)]
pub(crate) struct Renamed<'a> {
    #[schema(required = true)]
    name: Option<&'a str>,
}

/// A message.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Message<'a> {
    id: Id,
    /// Empty for a message that is only a file.
    content: &'a str,
    /// Where its file is, below the base of these paths.
    #[schema(required = true)]
    file_url: Option<String>,
    created_at: Time,
    sender: Named<'a>,
}

/// A message that was sent.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SentMessage<'a> {
    #[serde(flatten)]
    message: Message<'a>,
    chat_id: Id,
    sender_id: Id,
    /// What its file is called.
    #[schema(required = true)]
    file_name: Option<&'a str>,
}

impl<'a> Named<'a> {
    pub(super) fn new(user: &'a domain::User) -> Self {
        Self {
            id: user.id.into(),
            username: user.shown_username(),
        }
    }

    fn author(author: &'a domain::Author) -> Self {
        Self {
            id: author.id.into(),
            username: author.shown_username(),
        }
    }
}

impl<'a> User<'a> {
    pub(super) fn new(user: &'a domain::User) -> Self {
        Self {
            named: Named::new(user),
            profile_pic: user.avatar.as_ref().map(address),
        }
    }
}

impl<'a> Chat<'a> {
    pub(super) fn new(overview: &'a ChatOverview, sight: &Sight) -> Self {
        let chat = &overview.chat;
        Self {
            id: chat.id.into(),
            is_group: chat.kind.is_group(),
            name: chat.kind.title().map(ChatTitle::as_str),
            profile_pic: chat.avatar.as_ref().map(address),
            created_at: chat.created_at.into(),
            updated_at: chat.updated_at.into(),
            users: overview
                .members
                .iter()
                .map(|member| Member::new(chat.id.into(), member, sight))
                .collect(),
            messages: overview.last_message.iter().map(LastMessage::new).collect(),
        }
    }
}

impl<'a> Member<'a> {
    fn new(chat_id: Id, member: &'a OverviewMember, sight: &Sight) -> Self {
        let user = &member.member.user;
        let (online, last_seen) = sight.look(user);
        Self {
            user_id: user.id.into(),
            chat_id,
            unread_count: member.unread,
            joined_at: member.member.membership.joined_at.into(),
            user: SeenUser {
                user: User::new(user),
                last_seen: last_seen.map(Time::from),
                online,
            },
        }
    }
}

impl<'a> LastMessage<'a> {
    fn new(message: &'a domain::Message) -> Self {
        Self {
            id: message.id.into(),
            content: text(message),
            created_at: message.created_at.into(),
            sender_id: message.sender.id.into(),
            file_url: message.attachments().first().map(address),
        }
    }
}

impl<'a> CreatedChat<'a> {
    pub(super) fn new(chat: &'a domain::Chat) -> Self {
        Self {
            id: chat.id.into(),
            is_group: chat.kind.is_group(),
            name: chat.kind.title().map(ChatTitle::as_str),
        }
    }
}

impl<'a> Renamed<'a> {
    pub(super) fn new(chat: &'a domain::Chat) -> Self {
        Self {
            name: chat.kind.title().map(ChatTitle::as_str),
        }
    }
}

impl<'a> Message<'a> {
    pub(super) fn new(message: &'a domain::Message) -> Self {
        Self {
            id: message.id.into(),
            content: text(message),
            file_url: message.attachments().first().map(address),
            created_at: message.created_at.into(),
            sender: Named::author(&message.sender),
        }
    }
}

impl<'a> SentMessage<'a> {
    pub(super) fn new(message: &'a domain::Message) -> Self {
        Self {
            message: Message::new(message),
            chat_id: message.chat_id.into(),
            sender_id: message.sender.id.into(),
            file_name: message.attachments().first().map(|file| file.name.as_str()),
        }
    }
}
