use super::*;
use crate::testing::{
    ANA, BEN, CALLER, CHAT, EVA, NOW, SERVICE_ADMIN, World, answer, assert_matches, assert_recorded, direct, group,
    keyed, member, passes_on, repository_errors,
};
use MemberRole::{Admin, Member as Plain, Owner};
use mockall::predicate::eq;
use tertulia_domain::ChatView;

/// A world with one chat in it.
fn with(view: ChatView) -> World {
    let mut world = World::default();
    world.shows(view);
    world
}

mod listing {
    use super::*;

    const QUERY: ListMembers = ListMembers {
        chat_id: CHAT,
        after: Some(MemberCursor {
            joined_at: NOW,
            user_id: EVA,
        }),
        limit: Limit::DEFAULT,
    };

    #[tokio::test]
    async fn gives_a_page() {
        let page = Page {
            items: vec![member(BEN, Plain)],
            next: QUERY.after,
        };
        let (mut world, given) = (with(group(Plain)), page.clone());
        let asked = world.chats.expect_list_members();
        asked.with(eq(CHAT), eq(QUERY.after), eq(QUERY.limit)).once();
        asked.return_once(|_, _, _| Ok(given));
        assert_eq!(world.services().chats.members(CALLER, QUERY).await.unwrap(), page);
    }

    #[tokio::test]
    async fn passes_failures_on() {
        passes_on(repository_errors, async |cause| {
            let mut world = with(group(Plain));
            world.chats.expect_list_members().return_once(|_, _, _| Err(cause));
            world.services().chats.members(CALLER, QUERY).await
        })
        .await;
    }
}

mod adding {
    use super::*;

    fn ben_as(role: MemberRole) -> AddMember {
        AddMember {
            chat_id: CHAT,
            user_id: BEN,
            role,
            keyed: None,
        }
    }

    fn added() -> repository::AddMember {
        repository::AddMember {
            member: member(BEN, Admin),
            added: true,
        }
    }

    async fn add(world: World, command: AddMember) -> Result<Recorded<repository::AddMember>, AddMemberError> {
        world.services().chats.add_member(CALLER, command).await
    }

    #[tokio::test]
    async fn asks_for_one_more_within_the_limit() {
        for outcome in [Recorded::Fresh(added()), Recorded::Replayed(answer())] {
            let (mut world, given) = (with(group(Owner)), outcome.clone());
            world.chats.expect_add_member().once().return_once(|new, recording| {
                let NewMember {
                    chat_id,
                    user_id,
                    role,
                    most,
                    at,
                } = new;
                assert_eq!((chat_id, user_id, role), (CHAT, BEN, Admin));
                assert_eq!((most, at), (Chat::MAX_MEMBERS, NOW));
                assert!(recording.is_none());
                Ok(given)
            });
            assert_eq!(add(world, ben_as(Admin)).await.unwrap(), outcome);
        }
    }

    #[tokio::test]
    async fn is_recorded_when_keyed() {
        let mut world = with(group(Owner));
        world.chats.expect_add_member().once().returning(|_, recording| {
            assert_recorded(recording, &added());
            Ok(Recorded::Fresh(added()))
        });
        let keyed = AddMember {
            keyed: Some(keyed()),
            ..ben_as(Plain)
        };
        assert!(add(world, keyed).await.is_ok());
    }

    #[tokio::test]
    async fn a_second_owner_is_no_question_of_power() {
        for role in [Plain, Admin, Owner] {
            let mut world = with(group(role));
            world.chats.expect_add_member().never();
            assert_matches!(add(world, ben_as(Owner)).await, Err(AddMemberError::SecondOwner));
        }
    }

    #[tokio::test]
    async fn who_may_not_add_anyone_is_told_that_and_not_about_owners() {
        let outside = add(with(group(None)), ben_as(Owner)).await;
        assert_matches!(outside, Err(AddMemberError::Access(AccessError::ChatNotFound)));
        let in_direct_chat = add(with(direct(Plain)), ben_as(Owner)).await;
        assert_matches!(
            in_direct_chat,
            Err(AddMemberError::Access(AccessError::NotInDirectChats))
        );
    }

    #[tokio::test]
    async fn tells_why_not() {
        let refused = async |error: repository::AddMemberError| {
            let mut world = with(group(Owner));
            world.chats.expect_add_member().return_once(|_, _| Err(error));
            add(world, ben_as(Plain)).await
        };
        let error = refused(repository::AddMemberError::ChatNotFound).await;
        assert_matches!(error, Err(AddMemberError::Access(AccessError::ChatNotFound)));
        let error = refused(repository::AddMemberError::UserNotFound).await;
        assert_matches!(error, Err(AddMemberError::UserNotFound));
        let error = refused(repository::AddMemberError::Full).await;
        assert_matches!(error, Err(AddMemberError::Full));
        let error = refused(repository::AddMemberError::KeyReused).await;
        assert_matches!(error, Err(AddMemberError::KeyReused));
        passes_on(repository_errors, async |cause| refused(cause.into()).await).await;
    }
}

mod changing_roles {
    use super::*;

    const BEN_TO_ADMIN: ChangeRole = ChangeRole {
        chat_id: CHAT,
        user_id: BEN,
        role: Admin,
    };

    #[tokio::test]
    async fn gives_the_member_as_they_are_afterwards() {
        let mut world = with(group(Owner));
        let asked = world.chats.expect_set_role();
        asked.with(eq(CHAT), eq(BEN), eq(Admin), eq(NOW)).once();
        asked.return_once(|_, _, _, _| Ok(member(BEN, Admin)));
        let changed = world.services().chats.change_role(CALLER, BEN_TO_ADMIN).await;
        assert_eq!(changed.unwrap(), member(BEN, Admin));
    }

    #[tokio::test]
    async fn tells_why_not() {
        let refused = async |error: SetRoleError| {
            let mut world = with(group(Owner));
            world.chats.expect_set_role().return_once(|_, _, _, _| Err(error));
            world.services().chats.change_role(CALLER, BEN_TO_ADMIN).await
        };
        let error = refused(SetRoleError::MemberNotFound).await;
        assert_matches!(error, Err(ChangeRoleError::MemberNotFound));
        let error = refused(SetRoleError::OwnerStepsDown).await;
        assert_matches!(error, Err(ChangeRoleError::OwnerStepsDown));
        passes_on(repository_errors, async |cause| refused(cause.into()).await).await;
    }
}

mod removing {
    use super::*;

    async fn remove(world: World, caller: Caller, user_id: UserId) -> Result<Removal, RemoveMemberError> {
        let command = RemoveMember { chat_id: CHAT, user_id };
        world.services().chats.remove_member(caller, command).await
    }

    /// A world in which Ben is in the chat, with that role if any, and nobody is removed.
    fn with_ben(view: ChatView, role: Option<MemberRole>) -> World {
        let mut world = with(view);
        let asked = world.chats.expect_find_member().with(eq(CHAT), eq(BEN)).once();
        asked.return_once(move |_, _| Ok(role.map(|role| member(BEN, role))));
        world
    }

    fn nobody_goes(mut world: World) -> World {
        world.chats.expect_remove_member().never();
        world
    }

    /// The database is asked to take them out, and answers.
    fn goes(mut world: World, user_id: UserId, keep_owner: bool, outcome: Option<Removal>) -> World {
        let asked = world.chats.expect_remove_member();
        asked.with(eq(CHAT), eq(user_id), eq(keep_owner), eq(NOW)).once();
        asked.return_once(move |_, _, _, _| Ok(outcome));
        world
    }

    const BEN_SUCCEEDS: Removal = Removal::Removed { new_owner: Some(BEN) };
    const REMOVED: Removal = Removal::Removed { new_owner: None };

    #[tokio::test]
    async fn whoever_leaves_may_be_the_owner() {
        for role in [Plain, Admin, Owner] {
            for outcome in [REMOVED, BEN_SUCCEEDS, Removal::ChatDeleted] {
                let world = goes(with(group(role)), ANA, false, Some(outcome));
                assert_eq!(remove(world, CALLER, ANA).await.unwrap(), outcome);
            }
        }
    }

    #[tokio::test]
    async fn whoever_is_removed_may_not() {
        for role in [Plain, Admin] {
            let world = goes(with_ben(group(Admin), Some(role)), BEN, true, Some(REMOVED));
            assert_eq!(remove(world, CALLER, BEN).await.unwrap(), REMOVED);
        }
        for caller in [CALLER, SERVICE_ADMIN] {
            let world = nobody_goes(with_ben(group(Admin), Some(Owner)));
            let refused = remove(world, caller, BEN).await;
            assert_matches!(refused, Err(RemoveMemberError::Access(AccessError::Forbidden)));
        }
    }

    #[tokio::test]
    async fn whoever_becomes_the_owner_meanwhile_stays() {
        let world = goes(with_ben(group(Admin), Some(Plain)), BEN, true, None);
        let refused = remove(world, CALLER, BEN).await;
        assert_matches!(refused, Err(RemoveMemberError::Access(AccessError::Forbidden)));
    }

    #[tokio::test]
    async fn whoever_goes_meanwhile_is_no_member() {
        let removed = goes(
            with_ben(group(Admin), Some(Plain)),
            BEN,
            true,
            Some(Removal::NotAMember),
        );
        assert_matches!(
            remove(removed, CALLER, BEN).await,
            Err(RemoveMemberError::MemberNotFound)
        );
        let left = goes(with(group(Plain)), ANA, false, Some(Removal::NotAMember));
        assert_matches!(remove(left, CALLER, ANA).await, Err(RemoveMemberError::MemberNotFound));
    }

    #[tokio::test]
    async fn only_who_could_remove_learns_that_there_is_no_such_member() {
        for (caller, viewer) in [(CALLER, Some(Admin)), (CALLER, Some(Owner)), (SERVICE_ADMIN, None)] {
            let world = nobody_goes(with_ben(group(viewer), None));
            let told = remove(world, caller, BEN).await;
            assert_matches!(told, Err(RemoveMemberError::MemberNotFound));
        }
        let world = nobody_goes(with_ben(group(Plain), None));
        let refused = remove(world, CALLER, BEN).await;
        assert_matches!(refused, Err(RemoveMemberError::Access(AccessError::Forbidden)));
    }

    #[tokio::test]
    async fn to_an_outsider_nobody_is_even_looked_up() {
        for user_id in [ANA, BEN] {
            let mut world = nobody_goes(with(group(None)));
            world.chats.expect_find_member().never();
            let hidden = remove(world, CALLER, user_id).await;
            assert_matches!(hidden, Err(RemoveMemberError::Access(AccessError::ChatNotFound)));
        }
    }

    #[tokio::test]
    async fn passes_failures_on() {
        passes_on(repository_errors, async |cause| {
            let mut world = with(group(Admin));
            world.chats.expect_find_member().return_once(|_, _| Err(cause));
            remove(nobody_goes(world), CALLER, BEN).await
        })
        .await;
        passes_on(repository_errors, async |cause| {
            let mut world = with(group(Admin));
            world.chats.expect_remove_member().return_once(|_, _, _, _| Err(cause));
            remove(world, CALLER, ANA).await
        })
        .await;
    }
}
