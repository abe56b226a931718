//! The use cases and the permission function agree: a use case lets somebody act exactly where [`decide`] does, tells
//! the same reason where it does not, and changes nothing then.

use crate::Services;
use crate::chats::{
    AccessError, AddMember, AddMemberError, ChangeRole, ChangeRoleError, ListMembers, RemoveMember, RemoveMemberError,
    ReplaceMembers, ReplaceMembersError,
};
use crate::messaging::{DeleteMessageError, EditMessage, EditMessageError, ViewMessageError};
use crate::testing::{
    ANA, BEN, CALLER, CHAT, EVA, MESSAGE, World, answer, body, direct, group, in_group, member, message, overview,
    title, user,
};
use tertulia_domain::permission::{Action, Denial, Standing, decide};
use tertulia_domain::repository::{MessageContext, Removal, VisibleMessages};
use tertulia_domain::{Caller, Counted, Limit, Member, MemberRole, Page, Recorded, Role, UserId, Window};
use uuid::Uuid;

/// Not in the chat.
const LEO: UserId = UserId::from_uuid(Uuid::from_u128(4));

/// All but [`Action::Send`]: whether somebody may send is decided by the database, in the statement that stores the
/// message.
const ACTIONS: [Action; 17] = [
    Action::View,
    Action::EditMessage { own: true },
    Action::EditMessage { own: false },
    Action::DeleteMessage { own: true },
    Action::DeleteMessage { own: false },
    Action::Rename,
    Action::DeleteChat,
    Action::AddMember {
        role: MemberRole::Member,
    },
    Action::AddMember {
        role: MemberRole::Admin,
    },
    Action::AddMember {
        role: MemberRole::Owner,
    },
    Action::ChangeRole,
    Action::RemoveMember {
        role: MemberRole::Member,
    },
    Action::RemoveMember {
        role: MemberRole::Admin,
    },
    Action::RemoveMember {
        role: MemberRole::Owner,
    },
    Action::ReplaceMembers { keeps_owner: true },
    Action::ReplaceMembers { keeps_owner: false },
    Action::Leave,
];

#[tokio::test]
async fn services_do_as_the_permission_function_says() {
    for service_role in [Role::User, Role::Admin] {
        for viewer in [
            None,
            Some(MemberRole::Member),
            Some(MemberRole::Admin),
            Some(MemberRole::Owner),
        ] {
            for is_group in [true, false] {
                for action in ACTIONS {
                    let standing = Standing {
                        role: service_role,
                        member: viewer,
                        group: is_group,
                    };
                    let expected = decide(standing, action);
                    let world = world(standing, action, usize::from(expected.is_ok()));
                    let caller = Caller {
                        role: service_role,
                        ..CALLER
                    };
                    let verdicts = attempt(world, caller, action).await;
                    assert!(
                        verdicts.iter().all(|verdict| *verdict == expected),
                        "{standing:?}, {action:?}: {verdicts:?} is not {expected:?}"
                    );
                }
            }
        }
    }
}

/// A world in which Ana stands so, and what the action does to the chat happens that many times.
fn world(standing: Standing, action: Action, times: usize) -> World {
    let mut world = World::default();
    let view = if standing.group { group } else { direct }(standing.member);
    let shown = overview(view.clone(), members(standing));
    world.chats.expect_find().returning(move |_, _| Ok(Some(view.clone())));
    world
        .overviews
        .expect_find()
        .returning(move |_, _| Ok(Some(shown.clone())));
    let sender = match action {
        Action::EditMessage { own } | Action::DeleteMessage { own } if !own => BEN,
        _ => ANA,
    };
    let context = MessageContext {
        group: standing.group,
        ..in_group(message(sender), standing.member)
    };
    world
        .messages
        .expect_find()
        .returning(move |_, _, _| Ok(Some(context.clone())));
    let (chats, messages) = (&mut world.chats, &mut world.messages);
    match action {
        Action::View => {
            let page = || Page {
                items: vec![],
                next: None,
            };
            chats
                .expect_list_members()
                .times(times)
                .returning(move |_, _, _| Ok(page()));
            let visible = world.overviews.expect_list_messages().times(times);
            visible.returning(|_, _| {
                Ok(Some(Counted {
                    items: vec![],
                    total: 0,
                }))
            });
        }
        Action::Send => unreachable!("not among ACTIONS"),
        Action::EditMessage { .. } => {
            let edit = messages.expect_edit().times(times);
            edit.returning(|_, _, _, _| Ok(Some(message(ANA))));
        }
        // By a service admin's power alone it is done in another way.
        Action::DeleteMessage { own } if own || standing.member >= Some(MemberRole::Admin) => {
            messages.expect_delete().times(times).returning(|_, _, _| Ok(true));
        }
        Action::DeleteMessage { .. } => {
            let remove = world.moderation.expect_remove_message().times(times);
            remove.returning(|_, _, _, _, _| Ok(true));
        }
        Action::Rename => {
            chats.expect_rename().times(times).returning(|_, _, _| Ok(true));
        }
        Action::DeleteChat => {
            chats.expect_delete().times(times).returning(|_| Ok(true));
        }
        Action::AddMember { .. } => {
            let add = chats.expect_add_member().times(times);
            add.returning(|_, _| Ok(Recorded::Replayed(answer())));
        }
        Action::ChangeRole => {
            let change = chats.expect_set_role().times(times);
            change.returning(|_, _, role, _| Ok(member(BEN, role)));
        }
        Action::ReplaceMembers { .. } => {
            let found = world.users.expect_find_many().times(times);
            found.returning(|ids| Ok(ids.into_iter().map(user).collect()));
            chats.expect_replace_members().times(times).returning(|_| Ok(()));
        }
        Action::RemoveMember { .. } | Action::Leave => {
            let remove = chats.expect_remove_member().times(times);
            remove.returning(|_, _, _, _| Ok(Some(Removal::Removed { new_owner: None })));
        }
    }
    if let Action::RemoveMember { role } = action {
        let found = Some(member(BEN, role));
        world
            .chats
            .expect_find_member()
            .returning(move |_, _| Ok(found.clone()));
    }
    world
}

/// Ben, and Ana as she stands; Eva owns the chat, unless Ana does or nobody.
fn members(standing: Standing) -> Vec<Member> {
    let ana = standing.member.map(|role| member(ANA, role));
    let eva = (standing.group && standing.member != Some(MemberRole::Owner)).then(|| member(EVA, MemberRole::Owner));
    let ben = member(BEN, MemberRole::Member);
    ana.into_iter().chain(eva).chain([ben]).collect()
}

/// What becomes of the caller's attempt, by each use case that is there for it.
async fn attempt(world: World, caller: Caller, action: Action) -> Vec<Result<(), Denial>> {
    let services = world.services();
    let (chats, messaging) = (&services.chats, &services.messaging);
    let remove = async |user_id| {
        let removed = chats
            .remove_member(caller, RemoveMember { chat_id: CHAT, user_id })
            .await;
        removed.map(drop).map_err(|error| match error {
            RemoveMemberError::Access(error) => denial(&error),
            error @ RemoveMemberError::MemberNotFound => panic!("{error}"),
        })
    };
    let verdict = match action {
        Action::View => return look(&services, caller).await,
        Action::Send => unreachable!("not among ACTIONS"),
        Action::EditMessage { .. } => {
            let command = EditMessage {
                chat_id: CHAT,
                message_id: MESSAGE,
                body: body("bye"),
            };
            let edited = messaging.edit(caller, command).await;
            edited.map(drop).map_err(|error| match error {
                EditMessageError::NotFound => Denial::Hidden,
                EditMessageError::Forbidden => Denial::Forbidden,
                error => panic!("{error}"),
            })
        }
        Action::DeleteMessage { .. } => {
            let deleted = messaging.delete(caller, CHAT, MESSAGE).await;
            deleted.map_err(|error| match error {
                DeleteMessageError::NotFound => Denial::Hidden,
                DeleteMessageError::Forbidden => Denial::Forbidden,
                error @ DeleteMessageError::Failed(_) => panic!("{error}"),
            })
        }
        Action::Rename => {
            let renamed = chats.rename(caller, CHAT, title("Crew")).await;
            renamed.map(drop).map_err(|error| denial(&error))
        }
        Action::DeleteChat => chats.delete(caller, CHAT).await.map_err(|error| denial(&error)),
        Action::AddMember { role } => {
            let command = AddMember {
                chat_id: CHAT,
                user_id: BEN,
                role,
                keyed: None,
            };
            let added = chats.add_member(caller, command).await;
            added.map(drop).map_err(|error| match error {
                AddMemberError::Access(error) => denial(&error),
                AddMemberError::SecondOwner => Denial::Forbidden,
                error => panic!("{error}"),
            })
        }
        Action::ChangeRole => {
            let command = ChangeRole {
                chat_id: CHAT,
                user_id: BEN,
                role: MemberRole::Admin,
            };
            let changed = chats.change_role(caller, command).await;
            changed.map(drop).map_err(|error| match error {
                ChangeRoleError::Access(error) => denial(&error),
                error => panic!("{error}"),
            })
        }
        Action::ReplaceMembers { keeps_owner } => {
            // Whoever of the two it is.
            let owners = if keeps_owner { vec![ANA, EVA] } else { vec![] };
            let command = ReplaceMembers {
                chat_id: CHAT,
                members: [owners, vec![BEN, LEO]].concat(),
                note: None,
            };
            let replaced = chats.replace_members(caller, command).await;
            replaced.map(drop).map_err(|error| match error {
                ReplaceMembersError::Access(error) => denial(&error),
                error => panic!("{error}"),
            })
        }
        Action::RemoveMember { .. } => remove(BEN).await,
        Action::Leave => remove(ANA).await,
    };
    vec![verdict]
}

/// The same of looking, which there are many use cases for.
async fn look(services: &Services, caller: Caller) -> Vec<Result<(), Denial>> {
    let (chats, messaging) = (&services.chats, &services.messaging);
    let query = ListMembers {
        chat_id: CHAT,
        after: None,
        limit: Limit::DEFAULT,
    };
    let newest = VisibleMessages::Newest(Window::page(1, 30));
    let seen = [
        chats.chat(caller, CHAT).await.map(drop),
        chats.members(caller, query).await.map(drop),
        chats.overview(caller, CHAT).await.map(drop),
        chats.visible_messages(caller, CHAT, newest).await.map(drop),
    ];
    let message = messaging.message(caller, CHAT, MESSAGE).await.map(drop);
    let message = message.map_err(|error| match error {
        ViewMessageError::NotFound => Denial::Hidden,
        error @ ViewMessageError::Failed(_) => panic!("{error}"),
    });
    let seen = seen.into_iter().map(|seen| seen.map_err(|error| denial(&error)));
    seen.chain([message]).collect()
}

fn denial(error: &AccessError) -> Denial {
    match error {
        AccessError::ChatNotFound => Denial::Hidden,
        AccessError::Forbidden => Denial::Forbidden,
        AccessError::NotInDirectChats => Denial::NotInDirectChats,
        AccessError::Failed(failure) => panic!("{failure}"),
    }
}
