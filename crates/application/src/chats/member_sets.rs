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
            // An owner who is not among the members that are shown is not kept; direct chats have none.
            keeps_owner: owner(overview).is_some_and(|owner| members.contains(&owner)),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{
        ANA, BEN, CALLER, CHAT, EVA, NOW, SERVICE_ADMIN, World, answer, assert_matches, direct, fresh, group, member,
        note, overview, passes_on, repository_errors, user,
    };
    use mockall::predicate::eq;
    use tertulia_domain::repository::{CreatedChat, RepositoryError};
    use uuid::Uuid;

    fn of(members: impl IntoIterator<Item = UserId>) -> CreateByMembers {
        CreateByMembers {
            members: members.into_iter().collect(),
            note: None,
        }
    }

    fn with(members: impl IntoIterator<Item = UserId>) -> ReplaceMembers {
        ReplaceMembers {
            chat_id: CHAT,
            members: members.into_iter().collect(),
            note: None,
        }
    }

    /// So many users, none of them Ana.
    fn strangers(n: usize) -> impl Iterator<Item = UserId> {
        (0x1000..).map(|id| UserId::from_uuid(Uuid::from_u128(id))).take(n)
    }

    /// A chat of Ana's, Ben's and Eva's, as somebody of that role in it sees it. Eva owns it.
    fn trio(viewer: impl Into<Option<MemberRole>>) -> ChatOverview {
        let members = [
            member(ANA, MemberRole::Admin),
            member(BEN, MemberRole::Member),
            member(EVA, MemberRole::Owner),
        ];
        overview(group(viewer), members.into())
    }

    fn pair() -> ChatOverview {
        let members = [ANA, BEN].map(|id| member(id, MemberRole::Member));
        overview(direct(MemberRole::Member), members.into())
    }

    /// A world in which everybody is there but those.
    fn without(missing: &'static [UserId]) -> World {
        let mut world = World::default();
        world.users.expect_find_many().returning(|ids| {
            // In no particular order.
            let found = ids.into_iter().rev().filter(|id| !missing.contains(id));
            Ok(found.map(user).collect())
        });
        world
    }

    fn made(created: bool) -> Recorded<CreatedChat> {
        Recorded::Fresh(CreatedChat {
            view: direct(MemberRole::Member),
            created,
        })
    }

    #[tokio::test]
    async fn three_get_the_group_that_is_known_by_them() {
        for created in [true, false] {
            let mut world = without(&[]);
            world.shows_overview(1, trio(MemberRole::Owner));
            world.chats.expect_insert_set().once().returning(move |chat| {
                let NewSetChat {
                    id,
                    title,
                    members,
                    owner,
                    note: noted,
                    at,
                } = chat;
                assert_eq!(*id.as_uuid(), fresh(1));
                assert_eq!(title.as_str(), "user2, user1, user3");
                assert_eq!(members, [BEN, ANA, EVA]);
                assert_eq!((owner, noted, at), (ANA, Some(note(BEN)), NOW));
                Ok((CHAT, created))
            });
            let command = CreateByMembers {
                note: Some(note(BEN)),
                ..of([BEN, ANA, BEN, EVA, ANA])
            };
            let given = world.services().chats.create_by_members(CALLER, command).await;
            let expected = CreatedByMembers {
                overview: trio(MemberRole::Owner),
                created,
            };
            assert_eq!(given.unwrap(), expected);
        }
    }

    #[tokio::test]
    async fn two_get_their_direct_chat_and_a_new_one_its_note() {
        for created in [true, false] {
            let mut world = without(&[]);
            world.shows_overview(1, pair());
            world
                .chats
                .expect_insert_direct()
                .once()
                .returning(move |chat, recording| {
                    let NewDirectChat { id, creator, other, at } = chat;
                    assert_eq!(*id.as_uuid(), fresh(1));
                    assert_eq!((creator, other, at), (ANA, BEN, NOW));
                    assert!(recording.is_none());
                    Ok(made(created))
                });
            let set = world.chats.expect_set_note().times(usize::from(created));
            set.with(eq(CHAT), eq(note(BEN)), eq(NOW)).returning(|_, _, _| Ok(true));
            let command = CreateByMembers {
                note: Some(note(BEN)),
                ..of([BEN, ANA])
            };
            let given = world.services().chats.create_by_members(CALLER, command).await.unwrap();
            assert_eq!((given.overview, given.created), (pair(), created));
        }
    }

    #[tokio::test]
    async fn a_service_admin_makes_chats_for_others() {
        let mut world = without(&[]);
        world.shows_overview(1, pair());
        let asked = world.chats.expect_insert_direct().once();
        asked.returning(|chat, _| {
            assert_eq!((chat.creator, chat.other), (EVA, BEN));
            Ok(made(true))
        });
        let chats = world.services().chats;
        assert!(chats.create_by_members(SERVICE_ADMIN, of([EVA, BEN])).await.is_ok());
    }

    #[tokio::test]
    async fn a_chat_that_can_not_be_is_not_made() {
        let refused = async |world: World, command| {
            // Nothing is expected of the chats.
            world.services().chats.create_by_members(CALLER, command).await
        };
        let error = refused(without(&[]), of([ANA, ANA])).await;
        assert_matches!(error, Err(CreateByMembersError::TooFew));
        let error = refused(without(&[]), of(strangers(Chat::MAX_FIRST_MEMBERS).chain([ANA]))).await;
        assert_matches!(error, Err(CreateByMembersError::TooMany));
        let error = refused(without(&[EVA]), of([ANA, BEN, EVA])).await;
        assert_matches!(error, Err(CreateByMembersError::UserNotFound));
        let error = refused(without(&[]), of([BEN, EVA])).await;
        assert_matches!(error, Err(CreateByMembersError::NotAmong));
        let from_outside = CreateByMembers {
            note: Some(note(EVA)),
            ..of([ANA, BEN])
        };
        let error = refused(without(&[]), from_outside).await;
        assert_matches!(error, Err(CreateByMembersError::SenderNotAmong));
    }

    #[tokio::test]
    async fn tells_why_there_is_none() {
        let direct = async |error: InsertChatError| {
            let mut world = without(&[]);
            world.chats.expect_insert_direct().return_once(|_, _| Err(error));
            world.services().chats.create_by_members(CALLER, of([ANA, BEN])).await
        };
        let set = async |error: InsertChatError| {
            let mut world = without(&[]);
            world.chats.expect_insert_set().return_once(|_| Err(error));
            let trio = of([ANA, BEN, EVA]);
            world.services().chats.create_by_members(CALLER, trio).await
        };
        let error = direct(InsertChatError::Blocked).await;
        assert_matches!(error, Err(CreateByMembersError::Blocked));
        let error = direct(InsertChatError::UserNotFound(BEN)).await;
        assert_matches!(error, Err(CreateByMembersError::UserNotFound));
        let error = set(InsertChatError::UserNotFound(EVA)).await;
        assert_matches!(error, Err(CreateByMembersError::UserNotFound));
        let error = set(InsertChatError::KeyReused).await;
        assert_matches!(error, Err(CreateByMembersError::Failed(Failure::Internal(_))));
        passes_on(repository_errors, async |cause| direct(cause.into()).await).await;
        passes_on(repository_errors, async |cause| set(cause.into()).await).await;
        passes_on(repository_errors, async |cause| {
            let mut world = World::default();
            world.users.expect_find_many().return_once(|_| Err(cause));
            world.services().chats.create_by_members(CALLER, of([ANA, BEN])).await
        })
        .await;
        passes_on(repository_errors, async |cause| {
            let mut world = without(&[]);
            let asked = world.chats.expect_insert_direct();
            asked.returning(|_, _| Ok(made(true)));
            world.chats.expect_set_note().return_once(|_, _, _| Err(cause));
            let noted = CreateByMembers {
                note: Some(note(ANA)),
                ..of([ANA, BEN])
            };
            world.services().chats.create_by_members(CALLER, noted).await
        })
        .await;
    }

    #[tokio::test]
    async fn what_can_not_be_is_a_fault() {
        let mut world = without(&[]);
        let asked = world.chats.expect_insert_direct();
        asked.returning(|_, _| Ok(Recorded::Replayed(answer())));
        let replayed = world.services().chats.create_by_members(CALLER, of([ANA, BEN])).await;
        assert_matches!(replayed, Err(CreateByMembersError::Failed(Failure::Internal(_))));

        let mut world = without(&[]);
        world.chats.expect_insert_set().returning(|_| Ok((CHAT, true)));
        world.overviews.expect_find().returning(|_, _| Ok(None));
        let vanished = world
            .services()
            .chats
            .create_by_members(CALLER, of([ANA, BEN, EVA]))
            .await;
        assert_matches!(vanished, Err(CreateByMembersError::Failed(Failure::Internal(_))));
    }

    #[tokio::test]
    async fn members_are_replaced_without_repeats() {
        let mut world = without(&[]);
        world.shows_overview(2, trio(MemberRole::Admin));
        world.chats.expect_replace_members().once().returning(|change| {
            let repository::ReplaceMembers {
                chat_id,
                actor,
                members,
                title,
                note: noted,
                at,
            } = change;
            assert_eq!((chat_id, actor, at), (CHAT, ANA, NOW));
            assert_eq!(members, [EVA, ANA]);
            assert_eq!(title.as_str(), "user3, user1");
            assert_eq!(noted, Some(note(EVA)));
            Ok(())
        });
        let command = ReplaceMembers {
            note: Some(note(EVA)),
            ..with([EVA, ANA, EVA])
        };
        let seen = world.services().chats.replace_members(CALLER, command).await;
        assert_eq!(seen.unwrap(), trio(MemberRole::Admin));
    }

    #[tokio::test]
    async fn nobody_but_themselves_takes_the_owner_out() {
        let mut world = World::default();
        world.shows_overview(1, trio(MemberRole::Admin));
        let refused = world.services().chats.replace_members(CALLER, with([ANA, BEN])).await;
        assert_matches!(refused, Err(ReplaceMembersError::Access(AccessError::Forbidden)));
    }

    #[tokio::test]
    async fn nor_does_who_can_not_be_shown_the_owner() {
        let mut crowd = trio(MemberRole::Admin);
        crowd.members.retain(|member| member.member.user.id != EVA);
        let mut world = World::default();
        world.shows_overview(1, crowd);
        let refused = world.services().chats.replace_members(CALLER, with([ANA, BEN])).await;
        assert_matches!(refused, Err(ReplaceMembersError::Access(AccessError::Forbidden)));
    }

    #[tokio::test]
    async fn either_party_of_a_direct_chat_replaces_the_other() {
        let mut world = without(&[]);
        world.shows_overview(2, pair());
        world.chats.expect_replace_members().once().returning(|_| Ok(()));
        assert!(
            world
                .services()
                .chats
                .replace_members(CALLER, with([ANA, EVA]))
                .await
                .is_ok()
        );
    }

    #[tokio::test]
    async fn a_chat_that_can_not_be_keeps_its_members() {
        let refused = async |mut world: World, command| {
            world.shows_overview(1, pair());
            world.chats.expect_replace_members().never();
            world.services().chats.replace_members(CALLER, command).await
        };
        let error = refused(without(&[]), with([ANA, ANA])).await;
        assert_matches!(error, Err(ReplaceMembersError::TooFew));
        let error = refused(without(&[]), with(strangers(Chat::MAX_FIRST_MEMBERS + 1))).await;
        assert_matches!(error, Err(ReplaceMembersError::TooMany));
        let error = refused(without(&[EVA]), with([ANA, EVA])).await;
        assert_matches!(error, Err(ReplaceMembersError::UserNotFound));
        let from_outside = ReplaceMembers {
            note: Some(note(BEN)),
            ..with([ANA, EVA])
        };
        let error = refused(without(&[]), from_outside).await;
        assert_matches!(error, Err(ReplaceMembersError::SenderNotAmong));
    }

    #[tokio::test]
    async fn tells_why_members_stay() {
        let refused = async |error| {
            let mut world = without(&[]);
            world.shows_overview(1, pair());
            world.chats.expect_replace_members().return_once(|_| Err(error));
            world.services().chats.replace_members(CALLER, with([ANA, EVA])).await
        };
        let error = refused(repository::ReplaceMembersError::ChatNotFound).await;
        assert_matches!(error, Err(ReplaceMembersError::Access(AccessError::ChatNotFound)));
        let error = refused(repository::ReplaceMembersError::UserNotFound(EVA)).await;
        assert_matches!(error, Err(ReplaceMembersError::UserNotFound));
        let error = refused(repository::ReplaceMembersError::SetTaken).await;
        assert_matches!(error, Err(ReplaceMembersError::SetTaken));
        let error = refused(repository::ReplaceMembersError::Blocked).await;
        assert_matches!(error, Err(ReplaceMembersError::Blocked));
        passes_on(repository_errors, async |cause: RepositoryError| {
            refused(cause.into()).await
        })
        .await;
        passes_on(repository_errors, async |cause| {
            let mut world = World::default();
            world.shows_overview(1, pair());
            world.users.expect_find_many().return_once(|_| Err(cause));
            world.services().chats.replace_members(CALLER, with([ANA, EVA])).await
        })
        .await;
    }

    /// A world in which Ben is in the chat or is not.
    fn with_ben(is_in: bool) -> World {
        let mut world = World::default();
        world.shows(group(MemberRole::Member));
        let found = is_in.then(|| member(BEN, MemberRole::Member));
        let asked = world.chats.expect_find_member().with(eq(CHAT), eq(BEN)).once();
        asked.return_once(|_, _| Ok(found));
        world
    }

    #[tokio::test]
    async fn a_note_is_set() {
        let mut world = with_ben(true);
        let set = world.chats.expect_set_note().once();
        set.with(eq(CHAT), eq(note(BEN)), eq(NOW)).returning(|_, _, _| Ok(true));
        world.shows_overview(1, trio(MemberRole::Member));
        let seen = world.services().chats.set_note(CALLER, CHAT, note(BEN)).await;
        assert_eq!(seen.unwrap(), trio(MemberRole::Member));
    }

    #[tokio::test]
    async fn tells_why_no_note_is_set() {
        let mut world = with_ben(false);
        world.chats.expect_set_note().never();
        let refused = world.services().chats.set_note(CALLER, CHAT, note(BEN)).await;
        assert_matches!(refused, Err(SetNoteError::SenderNotAmong));

        let mut world = World::default();
        world.shows(group(None));
        let hidden = world.services().chats.set_note(CALLER, CHAT, note(BEN)).await;
        assert_matches!(hidden, Err(SetNoteError::Access(AccessError::ChatNotFound)));

        let mut world = with_ben(true);
        world.chats.expect_set_note().returning(|_, _, _| Ok(false));
        let gone = world.services().chats.set_note(CALLER, CHAT, note(BEN)).await;
        assert_matches!(gone, Err(SetNoteError::Access(AccessError::ChatNotFound)));

        passes_on(repository_errors, async |cause| {
            let mut world = World::default();
            world.shows(group(MemberRole::Member));
            world.chats.expect_find_member().return_once(|_, _| Err(cause));
            world.services().chats.set_note(CALLER, CHAT, note(BEN)).await
        })
        .await;
        passes_on(repository_errors, async |cause| {
            let mut world = with_ben(true);
            world.chats.expect_set_note().return_once(|_, _, _| Err(cause));
            world.services().chats.set_note(CALLER, CHAT, note(BEN)).await
        })
        .await;
    }
}
