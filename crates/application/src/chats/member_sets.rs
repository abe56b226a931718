//! Chats that are known by who is in them.

use super::ChatService;
use super::access::AccessError;
use crate::Failure;
use std::collections::HashSet;
use tertulia_domain::overview::title_of;
use tertulia_domain::permission::Action;
use tertulia_domain::repository::{self, InsertChatError, NewDirectChat, NewSetChat};
use tertulia_domain::{Caller, Chat, ChatId, ChatOverview, ChatTitle, MemberRole, Note, Recorded, Role, User, UserId};
use thiserror::Error;

/// Somebody wants the chat of certain people.
#[derive(Debug, Clone)]
pub struct CreateByMembers {
    /// All of them, the caller included; repeats do not matter.
    pub members: Vec<UserId>,
    /// What is to stand in the place of its last message, if it is made.
    pub note: Option<Note>,
}

/// The chat of certain people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreatedByMembers {
    /// The chat.
    pub overview: ChatOverview,
    /// False when it was already there.
    pub created: bool,
}

/// Other members for a chat, another note for it, or both.
#[derive(Debug, Clone)]
pub struct ReplaceMembers {
    /// The chat.
    pub chat_id: ChatId,
    /// Everybody who is to be in it; repeats do not matter.
    pub members: Vec<UserId>,
    /// What is to stand in the place of its last message from now on.
    pub note: Option<Note>,
}

/// Why there is no chat of these people.
#[derive(Debug, Error)]
pub enum CreateByMembersError {
    /// A chat has two members at the least.
    #[error("a chat needs two members")]
    TooFew,
    /// More members than [`Chat::MAX_FIRST_MEMBERS`].
    #[error("a chat can be made with at most {} members", Chat::MAX_FIRST_MEMBERS)]
    TooMany,
    /// Nobody has one of the ids, or the account is deleted.
    #[error("no such user")]
    UserNotFound,
    /// The caller wants it for others, and is no service admin.
    #[error("the caller must be one of the members")]
    NotAmong,
    /// The note is said to come from somebody who is not in the chat.
    #[error("the sender must be one of the members")]
    SenderNotAmong,
    /// One of the two blocks the other, and there is no direct chat between them yet.
    #[error("one of the two blocks the other")]
    Blocked,
    /// See there.
    #[error(transparent)]
    Failed(#[from] Failure),
}

/// Why a chat's members stay.
#[derive(Debug, Error)]
pub enum ReplaceMembersError {
    /// See there.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// A chat has two members at the least.
    #[error("a chat needs two members")]
    TooFew,
    /// More members than [`Chat::MAX_FIRST_MEMBERS`].
    #[error("a chat can be given at most {} members", Chat::MAX_FIRST_MEMBERS)]
    TooMany,
    /// Nobody has one of the ids, or the account is deleted.
    #[error("no such user")]
    UserNotFound,
    /// The note is said to come from somebody who is not in the chat.
    #[error("the sender must be one of the members")]
    SenderNotAmong,
    /// Another chat is the one of these members.
    #[error("another chat has these members")]
    SetTaken,
    /// It would become a direct chat between two of whom one blocks the other.
    #[error("one of the two blocks the other")]
    Blocked,
}

/// Why a note was not set.
#[derive(Debug, Error)]
pub enum SetNoteError {
    /// See there.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// The note is said to come from somebody who is not in the chat.
    #[error("the sender must be one of the members")]
    SenderNotAmong,
}

impl ChatService {
    /// Gives the chat of certain people, making it if there is none: of two their direct chat, of more the group that is
    /// known by them.
    pub async fn create_by_members(
        &self,
        caller: Caller,
        command: CreateByMembers,
    ) -> Result<CreatedByMembers, CreateByMembersError> {
        let members = distinct(command.members);
        if members.len() < 2 {
            return Err(CreateByMembersError::TooFew);
        }
        if members.len() > Chat::MAX_FIRST_MEMBERS {
            return Err(CreateByMembersError::TooMany);
        }
        let users = self.users.find_many(members.clone()).await.map_err(Failure::from)?;
        if users.len() < members.len() {
            return Err(CreateByMembersError::UserNotFound);
        }
        let among = members.contains(&caller.user_id);
        if !among && caller.role != Role::Admin {
            return Err(CreateByMembersError::NotAmong);
        }
        if !is_from(command.note.as_ref(), &members) {
            return Err(CreateByMembersError::SenderNotAmong);
        }
        let everybody = members.clone();
        let owner = if among { caller.user_id } else { members[0] };
        let (id, created) = if let [one, other] = members[..] {
            let other = if one == owner { other } else { one };
            self.insert_direct(owner, other, command.note).await?
        } else {
            let chat = NewSetChat {
                id: ChatId::from_uuid(self.ids.next()),
                title: title(&members, &users),
                members,
                owner,
                note: command.note,
                at: self.clock.now(),
            };
            self.chats.insert_set(chat).await.map_err(not_created)?
        };
        if created {
            self.hub.changed(id, everybody);
        }
        let found = self.overviews.find(id, caller.user_id).await.map_err(Failure::from)?;
        let overview = found.ok_or_else(|| Failure::Internal("a chat vanished while it was made".into()))?;
        Ok(CreatedByMembers { overview, created })
    }

    async fn insert_direct(
        &self,
        creator: UserId,
        other: UserId,
        note: Option<Note>,
    ) -> Result<(ChatId, bool), CreateByMembersError> {
        let at = self.clock.now();
        let chat = NewDirectChat {
            id: ChatId::from_uuid(self.ids.next()),
            creator,
            other,
            at,
        };
        let recorded = self.chats.insert_direct(chat, None).await.map_err(not_created)?;
        let Recorded::Fresh(made) = recorded else {
            return Err(Failure::Internal("an answer was replayed unasked".into()).into());
        };
        let id = made.view.chat.id;
        if let Some(note) = note.filter(|_| made.created) {
            self.chats.set_note(id, &note, at).await.map_err(Failure::from)?;
        }
        Ok((id, made.created))
    }

    /// Gives a chat other members; see [`ChatRepository::replace_members`](repository::ChatRepository::replace_members).
    pub async fn replace_members(
        &self,
        caller: Caller,
        command: ReplaceMembers,
    ) -> Result<ChatOverview, ReplaceMembersError> {
        let members = distinct(command.members);
        let replace = |overview: &ChatOverview| Action::ReplaceMembers {
            keeps_owner: owner(overview).is_none_or(|owner| members.contains(&owner)),
        };
        self.permit_overview(caller, command.chat_id, replace).await?;
        if members.len() < 2 {
            return Err(ReplaceMembersError::TooFew);
        }
        if members.len() > Chat::MAX_FIRST_MEMBERS {
            return Err(ReplaceMembersError::TooMany);
        }
        let users = self.users.find_many(members.clone()).await.map_err(failed)?;
        if users.len() < members.len() {
            return Err(ReplaceMembersError::UserNotFound);
        }
        if !is_from(command.note.as_ref(), &members) {
            return Err(ReplaceMembersError::SenderNotAmong);
        }
        let everybody = members.clone();
        let change = repository::ReplaceMembers {
            chat_id: command.chat_id,
            actor: caller.user_id,
            title: title(&members, &users),
            members,
            note: command.note,
            at: self.clock.now(),
        };
        self.chats.replace_members(change).await.map_err(|error| match error {
            repository::ReplaceMembersError::ChatNotFound => AccessError::ChatNotFound.into(),
            repository::ReplaceMembersError::UserNotFound(_) => ReplaceMembersError::UserNotFound,
            repository::ReplaceMembersError::SetTaken => ReplaceMembersError::SetTaken,
            repository::ReplaceMembersError::Blocked => ReplaceMembersError::Blocked,
            repository::ReplaceMembersError::Repository(error) => failed(error),
        })?;
        self.hub.changed(command.chat_id, everybody);
        Ok(self.seen(caller, command.chat_id).await?)
    }

    /// Puts a note in the place of a chat's last message, until a message is sent.
    pub async fn set_note(&self, caller: Caller, id: ChatId, note: Note) -> Result<ChatOverview, SetNoteError> {
        self.permit(caller, id, Action::Send).await?;
        let sender = self.chats.find_member(id, note.sender).await;
        if sender.map_err(|error| AccessError::Failed(error.into()))?.is_none() {
            return Err(SetNoteError::SenderNotAmong);
        }
        let set = self.chats.set_note(id, &note, self.clock.now()).await;
        if set.map_err(|error| AccessError::Failed(error.into()))? {
            Ok(self.seen(caller, id).await?)
        } else {
            Err(AccessError::ChatNotFound.into())
        }
    }

    async fn seen(&self, caller: Caller, id: ChatId) -> Result<ChatOverview, AccessError> {
        let found = self.overviews.find(id, caller.user_id).await.map_err(Failure::from)?;
        found.ok_or(AccessError::ChatNotFound)
    }
}

fn distinct(members: Vec<UserId>) -> Vec<UserId> {
    let mut known = HashSet::new();
    members.into_iter().filter(|id| known.insert(*id)).collect()
}

fn is_from(note: Option<&Note>, members: &[UserId]) -> bool {
    note.is_none_or(|note| members.contains(&note.sender))
}

fn owner(overview: &ChatOverview) -> Option<UserId> {
    let mut members = overview.members.iter().map(|member| &member.member);
    let owner = members.find(|member| member.membership.role == MemberRole::Owner);
    owner.map(|member| member.user.id)
}

/// The names in the order in which the members were given.
fn title(members: &[UserId], users: &[User]) -> ChatTitle {
    let named = |id: &UserId| users.iter().find(|user| user.id == *id).and_then(User::shown_name);
    title_of(members.iter().filter_map(named))
}

fn not_created(error: InsertChatError) -> CreateByMembersError {
    match error {
        InsertChatError::UserNotFound(_) => CreateByMembersError::UserNotFound,
        InsertChatError::Blocked => CreateByMembersError::Blocked,
        InsertChatError::KeyReused => {
            CreateByMembersError::Failed(Failure::Internal("a key was used that nobody gave".into()))
        }
        InsertChatError::Repository(error) => CreateByMembersError::Failed(error.into()),
    }
}

fn failed(error: repository::RepositoryError) -> ReplaceMembersError {
    AccessError::Failed(error.into()).into()
}
