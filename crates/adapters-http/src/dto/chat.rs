use super::{Id, Message, Sight, Time, User, file};
use serde::Serialize;
use tertulia_domain::{self as domain, repository};
use utoipa::ToSchema;

/// A chat as the caller sees it.
#[derive(Serialize, ToSchema)]
pub(crate) struct Chat<'a> {
    id: Id,
    /// A second identifier, for clients that need an integer.
    number: i64,
    kind: ChatKind,
    /// Null in direct chats.
    #[schema(required = true)]
    title: Option<&'a str>,
    #[schema(required = true)]
    avatar_url: Option<String>,
    created_at: Time,
    updated_at: Time,
    member_count: i64,
    /// The place of the newest message; 0 when there is none.
    last_seq: i64,
    /// The place of the newest event; 0 when there is none.
    last_event_seq: i64,
    #[schema(required = true)]
    last_message: Option<Message<'a>>,
    /// Everything up to there counts as read.
    read_seq: i64,
    unread_count: i64,
    /// The caller's role; null for a service admin who is not a member.
    #[schema(required = true)]
    role: Option<MemberRole>,
    /// The first 10 members; only on single chats and on direct chats.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    members: Option<Vec<Member<'a>>>,
}

/// The two kinds of chat.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ChatKind {
    Direct,
    Group,
}

/// A member of a chat.
#[derive(Serialize, ToSchema)]
pub(crate) struct Member<'a> {
    user: User<'a>,
    role: MemberRole,
    joined_at: Time,
    /// How far the member has read.
    read_seq: i64,
}

/// What a member may do in a chat.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum MemberRole {
    Owner,
    Admin,
    Member,
}

/// How far the caller has read.
#[derive(Serialize, ToSchema)]
pub(crate) struct ReadState {
    /// Everything up to there counts as read.
    read_seq: i64,
    unread_count: i64,
}

impl<'a> Chat<'a> {
    /// A chat that was asked for by itself.
    pub(crate) fn single(view: &'a domain::ChatView, sight: &Sight) -> Self {
        let members = view.members.iter().map(|member| {
            let shown = Member::new(member, sight);
            // The other party of a direct chat with a block.
            if view.blocked && sight.is_other(&member.user) {
                Member {
                    user: shown.user.without_presence(),
                    ..shown
                }
            } else {
                shown
            }
        });
        Self {
            members: Some(members.collect()),
            ..Self::bare(view)
        }
    }

    /// A chat in a list.
    pub(crate) fn listed(view: &'a domain::ChatView, sight: &Sight) -> Self {
        match view.chat.kind {
            domain::ChatKind::Direct => Self::single(view, sight),
            domain::ChatKind::Group { .. } => Self::bare(view),
        }
    }

    fn bare(view: &'a domain::ChatView) -> Self {
        let chat = &view.chat;
        Self {
            id: chat.id.into(),
            number: chat.number,
            kind: match chat.kind {
                domain::ChatKind::Direct => ChatKind::Direct,
                domain::ChatKind::Group { .. } => ChatKind::Group,
            },
            title: chat.kind.title().map(domain::ChatTitle::as_str),
            avatar_url: chat.avatar.as_ref().map(file::url),
            created_at: chat.created_at.into(),
            updated_at: chat.updated_at.into(),
            member_count: chat.member_count,
            last_seq: chat.last_seq.get(),
            last_event_seq: chat.last_event.get(),
            last_message: view.last_message.as_ref().map(Message::from),
            read_seq: view.read_seq().get(),
            unread_count: view.unread_count(),
            role: view.membership.map(|membership| membership.role.into()),
            members: None,
        }
    }
}

impl<'a> Member<'a> {
    pub(crate) fn new(member: &'a domain::Member, sight: &Sight) -> Self {
        Self {
            user: User::new(&member.user, sight),
            role: member.membership.role.into(),
            joined_at: member.membership.joined_at.into(),
            read_seq: member.membership.read_seq.get(),
        }
    }
}

impl From<domain::MemberRole> for MemberRole {
    fn from(role: domain::MemberRole) -> Self {
        match role {
            domain::MemberRole::Owner => Self::Owner,
            domain::MemberRole::Admin => Self::Admin,
            domain::MemberRole::Member => Self::Member,
        }
    }
}

impl From<repository::ReadState> for ReadState {
    fn from(state: repository::ReadState) -> Self {
        Self {
            read_seq: state.read_seq.get(),
            unread_count: state.last_seq.distance_from(state.read_seq),
        }
    }
}
