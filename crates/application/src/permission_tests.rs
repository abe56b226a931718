//! The use cases and the permission function agree: a use case lets somebody act exactly where [`decide`] does, tells
//! the same reason where it does not, and changes nothing then.

use crate::chats::{
    AccessError, AddMember, AddMemberError, ChangeRole, ChangeRoleError, ListMembers, RemoveMember, RemoveMemberError,
};
use crate::messaging::{DeleteMessageError, EditMessage, EditMessageError, ViewMessageError};
use crate::testing::{
    ANA, BEN, CALLER, CHAT, MESSAGE, World, answer, body, direct, group, in_group, member, message, title,
};
use tertulia_domain::permission::{Action, Denial, Standing, decide};
use tertulia_domain::repository::{MessageContext, Removal};
use tertulia_domain::{Caller, Limit, MemberRole, Page, Recorded, Role};

/// All but [`Action::Send`]: whether somebody may send is decided by the database, in the statement that stores the
/// message.
const ACTIONS: [Action; 15] = [
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
    world.chats.expect_find().returning(move |_, _| Ok(Some(view.clone())));
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
        }
        Action::Send | Action::ReplaceMembers { .. } => unreachable!("not among ACTIONS"),
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
            chats.expect_delete().times(times).returning(|_, _| Ok(true));
        }
        Action::AddMember { .. } => {
            let add = chats.expect_add_member().times(times);
            add.returning(|_, _| Ok(Recorded::Replayed(answer())));
        }
        Action::ChangeRole => {
            let change = chats.expect_set_role().times(times);
            change.returning(|_, _, role, _| Ok(member(BEN, role)));
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
        Action::View => {
            let query = ListMembers {
                chat_id: CHAT,
                after: None,
                limit: Limit::DEFAULT,
            };
            let chat = chats.chat(caller, CHAT).await.map(drop);
            let members = chats.members(caller, query).await.map(drop);
            let message = messaging.message(caller, CHAT, MESSAGE).await.map(drop);
            return vec![
                chat.map_err(|error| denial(&error)),
                members.map_err(|error| denial(&error)),
                message.map_err(|error| match error {
                    ViewMessageError::NotFound => Denial::Hidden,
                    error @ ViewMessageError::Failed(_) => panic!("{error}"),
                }),
            ];
        }
        Action::Send | Action::ReplaceMembers { .. } => unreachable!("not among ACTIONS"),
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
        Action::RemoveMember { .. } => remove(BEN).await,
        Action::Leave => remove(ANA).await,
    };
    vec![verdict]
}

fn denial(error: &AccessError) -> Denial {
    match error {
        AccessError::ChatNotFound => Denial::Hidden,
        AccessError::Forbidden => Denial::Forbidden,
        AccessError::NotInDirectChats => Denial::NotInDirectChats,
        AccessError::Failed(failure) => panic!("{failure}"),
    }
}
