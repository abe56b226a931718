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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{
        ANA, BEN, CALLER, CHAT, MESSAGE, SERVICE_ADMIN, World, assert_matches, direct, group, member, message,
        overview, passes_on, repository_errors,
    };
    use mockall::predicate::eq;
    use tertulia_domain::MemberRole;

    fn query(all_to_admins: bool) -> ListOverviews {
        ListOverviews {
            all_to_admins,
            with: Some(BEN),
            direct: true,
            members: true,
            order: OverviewOrder::Change,
            window: Window::page(2, 30),
        }
    }

    fn pair() -> ChatOverview {
        let members = [ANA, BEN].map(|id| member(id, MemberRole::Member));
        overview(direct(MemberRole::Member), members.into())
    }

    #[tokio::test]
    async fn everybodys_chats_are_listed_to_service_admins_who_ask() {
        for (caller, all_to_admins, everybodys) in [
            (CALLER, true, false),
            (SERVICE_ADMIN, false, false),
            (SERVICE_ADMIN, true, true),
        ] {
            let page = Counted {
                items: vec![pair()],
                total: 31,
            };
            let (mut world, answer) = (World::default(), page.clone());
            let asked = repository::ListOverviews {
                viewer: ANA,
                everybodys,
                with: Some(BEN),
                direct: true,
                members: true,
                order: OverviewOrder::Change,
                window: Window::page(2, 30),
            };
            let listed = world.overviews.expect_list().with(eq(asked)).once();
            listed.return_once(|_| Ok(answer));
            let listed = world.services().chats.overviews(caller, query(all_to_admins)).await;
            assert_eq!(listed.unwrap(), page);
        }
    }

    #[tokio::test]
    async fn a_chat_is_shown_to_whom_it_permits() {
        let mut world = World::default();
        world.shows_overview(1, pair());
        assert_eq!(world.services().chats.overview(CALLER, CHAT).await.unwrap(), pair());

        let outside = ChatOverview {
            membership: None,
            ..pair()
        };
        for found in [None, Some(outside)] {
            let mut world = World::default();
            world.overviews.expect_find().return_once(|_, _| Ok(found));
            let hidden = world.services().chats.overview(CALLER, CHAT).await;
            assert_matches!(hidden, Err(AccessError::ChatNotFound));
        }
    }

    #[tokio::test]
    async fn messages_are_listed_to_whom_it_permits() {
        let which = VisibleMessages::Before(MESSAGE, 30);
        let page = Counted {
            items: vec![message(BEN)],
            total: 9,
        };
        for found in [Some(page), None] {
            let (mut world, answer) = (World::default(), found.clone());
            world.shows(group(MemberRole::Member));
            let listed = world.overviews.expect_list_messages().with(eq(CHAT), eq(which)).once();
            listed.return_once(|_, _| Ok(answer));
            let listed = world.services().chats.visible_messages(CALLER, CHAT, which).await;
            match found {
                Some(page) => assert_eq!(listed.unwrap(), page),
                None => assert_matches!(listed, Err(AccessError::ChatNotFound)),
            }
        }
        let mut world = World::default();
        world.shows(group(None));
        world.overviews.expect_list_messages().never();
        let hidden = world.services().chats.visible_messages(CALLER, CHAT, which).await;
        assert_matches!(hidden, Err(AccessError::ChatNotFound));
    }

    #[tokio::test]
    async fn chats_are_looked_up() {
        let mut world = World::default();
        let by_number = world.chats.expect_find_by_number().with(eq(5)).once();
        by_number.returning(|_| Ok(Some(CHAT)));
        let between = world.chats.expect_find_direct().with(eq(ANA), eq(BEN)).once();
        between.returning(|_, _| Ok(None));
        // Whoever is in it.
        world.shows(group(None));
        let chats = world.services().chats;
        assert_eq!(chats.chat_of_number(5).await.unwrap(), Some(CHAT));
        assert_eq!(chats.direct_with(CALLER, BEN).await.unwrap(), None);
        assert!(chats.exists(CALLER, CHAT).await.unwrap());

        let mut world = World::default();
        world.chats.expect_find().return_once(|_, _| Ok(None));
        assert!(!world.services().chats.exists(CALLER, CHAT).await.unwrap());
    }

    #[tokio::test]
    async fn passes_failures_on() {
        passes_on(repository_errors, async |cause| {
            let mut world = World::default();
            world.overviews.expect_list().return_once(|_| Err(cause));
            world.services().chats.overviews(CALLER, query(false)).await
        })
        .await;
        passes_on(repository_errors, async |cause| {
            let mut world = World::default();
            world.overviews.expect_find().return_once(|_, _| Err(cause));
            world.services().chats.overview(CALLER, CHAT).await
        })
        .await;
        passes_on(repository_errors, async |cause| {
            let mut world = World::default();
            world.shows(group(MemberRole::Member));
            world.overviews.expect_list_messages().return_once(|_, _| Err(cause));
            let newest = VisibleMessages::Newest(Window::page(1, 30));
            world.services().chats.visible_messages(CALLER, CHAT, newest).await
        })
        .await;
        passes_on(repository_errors, async |cause| {
            let mut world = World::default();
            world.chats.expect_find_by_number().return_once(|_| Err(cause));
            world.services().chats.chat_of_number(5).await
        })
        .await;
        passes_on(repository_errors, async |cause| {
            let mut world = World::default();
            world.chats.expect_find_direct().return_once(|_, _| Err(cause));
            world.services().chats.direct_with(CALLER, BEN).await
        })
        .await;
        passes_on(repository_errors, async |cause| {
            let mut world = World::default();
            world.chats.expect_find().return_once(|_, _| Err(cause));
            world.services().chats.exists(CALLER, CHAT).await
        })
        .await;
    }
}
