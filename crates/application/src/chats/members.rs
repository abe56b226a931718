use super::access::standing;
use super::{AccessError, ChatService};
use crate::{Failure, Keyed};
use tertulia_domain::permission::{Action, Denial, decide};
use tertulia_domain::repository::{self, NewMember, Removal, SetRoleError};
use tertulia_domain::{Caller, Chat, ChatId, Limit, Member, MemberCursor, MemberRole, Page, Recorded, UserId};
use thiserror::Error;

/// Which members to list.
#[derive(Debug, Clone, Copy)]
pub struct ListMembers {
    /// Of which chat.
    pub chat_id: ChatId,
    /// Where the page begins.
    pub after: Option<MemberCursor>,
    /// How many.
    pub limit: Limit,
}

/// Somebody wants a user in a group.
#[derive(Debug, Clone)]
pub struct AddMember {
    /// The group.
    pub chat_id: ChatId,
    /// Who.
    pub user_id: UserId,
    /// As what.
    pub role: MemberRole,
    /// What makes a retry harmless.
    pub keyed: Option<Keyed<repository::AddMember>>,
}

/// Why a user was not added.
#[derive(Debug, Error)]
pub enum AddMemberError {
    /// The caller may not.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// A group has one owner already.
    #[error("nobody can be added as a second owner")]
    SecondOwner,
    /// Nobody has this id, or the account is deleted.
    #[error("no such user")]
    UserNotFound,
    /// The group has [`Chat::MAX_MEMBERS`] members.
    #[error("the group has {} members, and may not have more", Chat::MAX_MEMBERS)]
    Full,
    /// The idempotency key stands for another request.
    #[error("the idempotency key was used for another request")]
    KeyReused,
}

/// Somebody wants a member to have another role.
#[derive(Debug, Clone, Copy)]
pub struct ChangeRole {
    /// The group.
    pub chat_id: ChatId,
    /// Who.
    pub user_id: UserId,
    /// As what. To make somebody the owner makes the present owner an admin.
    pub role: MemberRole,
}

/// Why a role stays.
#[derive(Debug, Error)]
pub enum ChangeRoleError {
    /// The caller may not.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// They are not in the group.
    #[error("no such member")]
    MemberNotFound,
    /// A group always has an owner.
    #[error("the owner's role changes only by making another member the owner")]
    OwnerStepsDown,
}

/// Somebody is to be out of a group: oneself or another.
#[derive(Debug, Clone, Copy)]
pub struct RemoveMember {
    /// The group.
    pub chat_id: ChatId,
    /// Who.
    pub user_id: UserId,
}

/// Why somebody stays.
#[derive(Debug, Error)]
pub enum RemoveMemberError {
    /// The caller may not.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// They are not in the group.
    #[error("no such member")]
    MemberNotFound,
}

impl ChatService {
    /// A page of a chat's members, longest-standing first.
    pub async fn members(&self, caller: Caller, query: ListMembers) -> Result<Page<Member, MemberCursor>, AccessError> {
        self.permit(caller, query.chat_id, Action::View).await?;
        Ok(self
            .chats
            .list_members(query.chat_id, query.after, query.limit)
            .await
            .map_err(Failure::from)?)
    }

    /// Adds a user to a group. They may read its whole history, and start with nothing unread.
    pub async fn add_member(
        &self,
        caller: Caller,
        command: AddMember,
    ) -> Result<Recorded<repository::AddMember>, AddMemberError> {
        let AddMember {
            chat_id,
            user_id,
            role,
            keyed,
        } = command;
        self.permit(caller, chat_id, Action::AddMember { role })
            .await
            .map_err(|error| match error {
                AccessError::Forbidden if role == MemberRole::Owner => AddMemberError::SecondOwner,
                error => AddMemberError::Access(error),
            })?;
        let at = self.clock.now();
        let member = NewMember {
            chat_id,
            user_id,
            role,
            most: Chat::MAX_MEMBERS,
            at,
        };
        let recording = keyed.map(|keyed| keyed.recording(caller.user_id, at));
        let recorded = self
            .chats
            .add_member(member, recording)
            .await
            .map_err(|error| match error {
                repository::AddMemberError::ChatNotFound => AccessError::ChatNotFound.into(),
                repository::AddMemberError::UserNotFound => AddMemberError::UserNotFound,
                repository::AddMemberError::Full => AddMemberError::Full,
                repository::AddMemberError::KeyReused => AddMemberError::KeyReused,
                repository::AddMemberError::Repository(error) => AccessError::from(Failure::from(error)).into(),
            })?;
        if let Recorded::Fresh(added) = &recorded
            && added.added
        {
            self.hub.changed(chat_id, vec![user_id]);
        }
        Ok(recorded)
    }

    /// Changes a member's role.
    pub async fn change_role(&self, caller: Caller, command: ChangeRole) -> Result<Member, ChangeRoleError> {
        let ChangeRole { chat_id, user_id, role } = command;
        self.permit(caller, chat_id, Action::ChangeRole).await?;
        let member = self
            .chats
            .set_role(chat_id, user_id, role, self.clock.now())
            .await
            .map_err(|error| match error {
                SetRoleError::MemberNotFound => ChangeRoleError::MemberNotFound,
                SetRoleError::OwnerStepsDown => ChangeRoleError::OwnerStepsDown,
                SetRoleError::Repository(error) => AccessError::from(Failure::from(error)).into(),
            })?;
        self.hub.changed(chat_id, Vec::new());
        Ok(member)
    }

    /// Takes a member out of a group. An owner who leaves is followed by the longest-standing admin, or else member; the
    /// last one to leave deletes the chat.
    pub async fn remove_member(&self, caller: Caller, command: RemoveMember) -> Result<Removal, RemoveMemberError> {
        let RemoveMember { chat_id, user_id } = command;
        let leaving = user_id == caller.user_id;
        if leaving {
            self.permit(caller, chat_id, Action::Leave).await?;
        } else {
            let view = self.permit(caller, chat_id, Action::View).await?;
            let member = self.chats.find_member(chat_id, user_id).await.map_err(failed)?;
            let role = member.map(|member| member.membership.role);
            // Whether there is such a member is told only to who could remove one.
            let action = Action::RemoveMember {
                role: role.unwrap_or(MemberRole::Member),
            };
            decide(standing(caller, &view), action).map_err(AccessError::from)?;
            if role.is_none() {
                return Err(RemoveMemberError::MemberNotFound);
            }
        }
        let removal = self
            .chats
            .remove_member(chat_id, user_id, !leaving, self.clock.now())
            .await
            .map_err(failed)?;
        match removal {
            Some(Removal::NotAMember) => Err(RemoveMemberError::MemberNotFound),
            Some(removal) => {
                self.hub.changed(chat_id, Vec::new());
                Ok(removal)
            }
            // They became the owner since the caller was allowed to remove them.
            None => Err(AccessError::from(Denial::Forbidden).into()),
        }
    }
}

fn failed(error: repository::RepositoryError) -> AccessError {
    AccessError::Failed(error.into())
}

#[cfg(test)]
mod tests;
