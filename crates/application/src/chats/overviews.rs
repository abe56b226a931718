use super::ChatService;
use super::access::AccessError;
use crate::Failure;
use tertulia_domain::permission::{Action, Standing, decide};
use tertulia_domain::repository::{self, OverviewOrder, VisibleMessages};
use tertulia_domain::{Caller, ChatId, ChatOverview, Counted, Message, Role, UserId, Window};

/// Which chats to list, on a numbered page.
#[derive(Debug, Clone, Copy)]
pub struct ListOverviews {
    /// Whether a service admin sees everybody's; others see their own anyway.
    pub all_to_admins: bool,
    /// Only those that this user is a member of as well.
    pub with: Option<UserId>,
    /// Only direct chats.
    pub direct: bool,
    /// Whether groups come with their members, too.
    pub members: bool,
    /// In which order.
    pub order: OverviewOrder,
    /// Which part of the list.
    pub window: Window,
}

impl ChatService {
    /// A numbered page of the caller's chats, with how many there are.
    pub async fn overviews(&self, caller: Caller, query: ListOverviews) -> Result<Counted<ChatOverview>, Failure> {
        let list = repository::ListOverviews {
            viewer: caller.user_id,
            everybodys: query.all_to_admins && caller.role == Role::Admin,
            with: query.with,
            direct: query.direct,
            members: query.members,
            order: query.order,
            window: query.window,
        };
        Ok(self.overviews.list(list).await?)
    }

    /// A chat with its members.
    pub async fn overview(&self, caller: Caller, id: ChatId) -> Result<ChatOverview, AccessError> {
        self.permit_overview(caller, id, |_| Action::View).await
    }

    /// Messages of a chat that are not deleted, with how many there are. [`AccessError::ChatNotFound`] also when the
    /// message that they are to stand before is not there.
    pub async fn visible_messages(
        &self,
        caller: Caller,
        id: ChatId,
        which: VisibleMessages,
    ) -> Result<Counted<Message>, AccessError> {
        self.permit(caller, id, Action::View).await?;
        let messages = self.overviews.list_messages(id, which).await.map_err(Failure::from)?;
        messages.ok_or(AccessError::ChatNotFound)
    }

    /// The chat of that number, whoever is in it.
    pub async fn chat_of_number(&self, number: i64) -> Result<Option<ChatId>, Failure> {
        Ok(self.chats.find_by_number(number).await?)
    }

    /// The direct chat between the caller and somebody else, if they have one.
    pub async fn direct_with(&self, caller: Caller, other: UserId) -> Result<Option<ChatId>, Failure> {
        Ok(self.chats.find_direct(caller.user_id, other).await?)
    }

    /// Whether there is a chat of that id, be the caller in it or not: for contracts that tell the two apart.
    pub async fn exists(&self, caller: Caller, id: ChatId) -> Result<bool, Failure> {
        Ok(self.chats.find(id, caller.user_id).await?.is_some())
    }

    /// The chat with its members, if the caller may do that in it.
    pub(super) async fn permit_overview(
        &self,
        caller: Caller,
        id: ChatId,
        action: impl FnOnce(&ChatOverview) -> Action,
    ) -> Result<ChatOverview, AccessError> {
        let found = self.overviews.find(id, caller.user_id).await.map_err(Failure::from)?;
        let overview = found.ok_or(AccessError::ChatNotFound)?;
        let standing = Standing {
            role: caller.role,
            member: overview.membership.map(|membership| membership.role),
            group: overview.chat.kind.is_group(),
        };
        decide(standing, action(&overview))?;
        Ok(overview)
    }
}
