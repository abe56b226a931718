use crate::Backend;
use crate::fixture::*;
use std::collections::BTreeSet;
use tertulia_domain::repository::{AddMember, AddMemberError, NewMember, ReadState, Removal, SetRoleError};
use tertulia_domain::{ChatId, Member, MemberCursor, MemberRole, Membership, Page, Seq, UserId};

fn ids(members: &[Member]) -> Vec<UserId> {
    members.iter().map(|member| member.user.id).collect()
}

async fn role(b: &Backend, chat: ChatId, user: Person) -> MemberRole {
    b.member(chat, user).await.membership.role
}

async fn set_role(b: &Backend, chat: ChatId, user: Person, role: MemberRole) -> Result<Member, SetRoleError> {
    b.chats.set_role(chat, user.id, role, at(50)).await
}

async fn remove(b: &Backend, chat: ChatId, user: Person) -> Removal {
    b.chats.remove_member(chat, user.id, false, at(50)).await.unwrap().unwrap()
}

/// Owned by the first; the second is an admin, the third a member.
async fn group_of_three(b: &Backend) -> (ChatId, [Person; 3]) {
    let people = b.people(["owner", "admin", "member"]).await;
    let chat = b.group(people[0], &people[1..]).await;
    set_role(b, chat, people[1], MemberRole::Admin).await.unwrap();
    (chat, people)
}

async fn page(b: &Backend, chat: ChatId, after: Option<MemberCursor>, items: u16) -> Page<Member, MemberCursor> {
    b.chats.list_members(chat, after, limit(items)).await.unwrap()
}

pub async fn members_are_listed_longest_standing_first(b: Backend) {
    let crowd = b.crowd(10).await;
    let chat = b.group(crowd[0], &crowd[1..4]).await;
    b.group(crowd[9], &crowd[1..9]).await;
    for (person, joined) in [(4, 30), (5, 10), (6, 20), (7, 20), (8, 20)] {
        b.join(chat, crowd[person], at(joined)).await;
    }
    let members = page(&b, chat, None, 50).await.items;
    assert_eq!(members.len(), 9);
    assert!(members.is_sorted_by_key(|member| (member.membership.joined_at, member.user.id)));
    for member in &members {
        let expected = b.chats.find_member(chat, member.user.id).await.unwrap();
        assert_eq!(Some(member), expected.as_ref());
        assert_eq!(member.user, b.find_user(member.user.id).await);
    }
    for (size, pages) in [(1, 9), (2, 5), (3, 3), (8, 2), (9, 1), (10, 1)] {
        let walked = walk(async |after| page(&b, chat, after, size).await).await;
        assert_eq!(walked.len(), pages, "pages of {size}");
        assert_eq!(walked.concat(), members, "pages of {size}");
    }
    let cursor = |n: usize| MemberCursor { joined_at: members[n].membership.joined_at, user_id: members[n].user.id };
    assert_eq!(page(&b, chat, None, 3).await.next, Some(cursor(2)));
    assert_eq!(page(&b, chat, Some(cursor(8)), 3).await, Page { items: vec![], next: None });
    assert_eq!(page(&b, chat_id(), None, 3).await, Page { items: vec![], next: None });
}

pub async fn a_walk_over_members_survives_comings_and_goings(b: Backend) {
    let crowd = b.crowd(24).await;
    let chat = b.group(crowd[0], &crowd[1..16]).await;
    let mut go: Vec<_> = crowd[1..16].iter().step_by(3).map(|person| person.id).collect();
    let stay: BTreeSet<_> = crowd[..16].iter().map(|person| person.id).filter(|id| !go.contains(id)).collect();
    let mut late = crowd[16..].iter();
    let mut seen = Vec::new();
    let mut after = None;
    loop {
        let Page { items, next } = page(&b, chat, after, 3).await;
        seen.extend(ids(&items));
        let Some(next) = next else { break };
        after = Some(next);
        if let Some(person) = late.next() {
            b.join(chat, *person, at(5)).await;
        }
        // The one that the cursor names goes, or another.
        let leaver = go.iter().position(|id| *id == next.user_id).or(go.len().checked_sub(1));
        if let Some(index) = leaver {
            b.chats.remove_member(chat, go.remove(index), false, at(5)).await.unwrap();
        }
    }
    let distinct: BTreeSet<_> = seen.iter().copied().collect();
    assert_eq!(distinct.len(), seen.len(), "somebody twice");
    assert!(stay.is_subset(&distinct), "somebody missed");
}

pub async fn only_members_are_found(b: Backend) {
    let (chat, [owner, ..]) = group_of_three(&b).await;
    let stranger = b.person("stranger").await;
    assert_eq!(role(&b, chat, owner).await, MemberRole::Owner);
    assert_eq!(b.chats.find_member(chat, stranger.id).await.unwrap(), None);
    assert_eq!(b.chats.find_member(chat, user_id()).await.unwrap(), None);
    assert_eq!(b.chats.find_member(chat_id(), owner.id).await.unwrap(), None);
}

pub async fn a_new_member_has_everything_read(b: Backend) {
    let [ana, luis, eva] = b.people(["ana", "luis", "eva"]).await;
    let chat = b.group(ana, &[]).await;
    b.send_many(chat, ana, 3).await;
    let added = b.join(chat, luis, at(10)).await;
    let membership = Membership { role: MemberRole::Member, joined_at: at(10), read_seq: seq(3) };
    assert_eq!(added, AddMember { member: Member { user: b.find_user(luis.id).await, membership }, added: true });
    assert_eq!(b.member(chat, luis).await, added.member);
    let view = b.view(chat, luis).await;
    assert_eq!((view.unread_count(), view.chat.member_count, view.chat.updated_at), (0, 2, at(10)));
    assert_eq!(view.chat.active_at, at(3));
    assert_eq!(b.whole_history(chat, luis).await.len(), 3);

    let new = NewMember { role: MemberRole::Admin, ..new_member(chat, eva, at(11)) };
    let added = fresh_of(b.chats.add_member(new, None).await.unwrap());
    assert_eq!(added.member.membership.role, MemberRole::Admin);
    assert_eq!(b.members(chat).await.len(), 3);
    assert_eq!(role(&b, chat, ana).await, MemberRole::Owner);
}

pub async fn who_is_there_already_stays_as_they_are(b: Backend) {
    let (chat, people) = group_of_three(&b).await;
    b.send(chat, people[0], "hello", at(5)).await;
    for person in people {
        let before = b.member(chat, person).await;
        for role in [MemberRole::Member, MemberRole::Admin] {
            // Even where nobody else would fit in.
            let new = NewMember { role, most: 3, ..new_member(chat, person, at(60)) };
            let outcome = fresh_of(b.chats.add_member(new, None).await.unwrap());
            assert_eq!(outcome, AddMember { member: before.clone(), added: false });
        }
        assert_eq!(b.member(chat, person).await, before);
    }
    assert_eq!(b.members(chat).await.len(), 3);
}

pub async fn a_full_group_takes_nobody(b: Backend) {
    let crowd = b.crowd(5).await;
    let chat = b.group(crowd[0], &crowd[1..3]).await;
    let add = async |n: usize, most| {
        b.chats.add_member(NewMember { most, ..new_member(chat, crowd[n], at(1)) }, None).await
    };
    assert_matches!(add(3, 3).await, Err(AddMemberError::Full));
    assert_matches!(add(3, 2).await, Err(AddMemberError::Full));
    assert_eq!(b.chats.find_member(chat, crowd[3].id).await.unwrap(), None);
    assert!(fresh_of(add(3, 4).await.unwrap()).added);
    assert_matches!(add(4, 4).await, Err(AddMemberError::Full));
    remove(&b, chat, crowd[1]).await;
    assert!(fresh_of(add(4, 4).await.unwrap()).added);
    assert_eq!(b.members(chat).await.len(), 4);
}

pub async fn nobody_is_added_to_nothing(b: Backend) {
    let [ana, luis, eva, gone] = b.people(["ana", "luis", "eva", "gone"]).await;
    b.users.delete(gone.id, false, at(1)).await.unwrap();
    let group = b.group(ana, &[]).await;
    let direct = b.direct(ana, luis).await;
    for chat in [direct, chat_id()] {
        let outcome = b.chats.add_member(new_member(chat, eva, at(2)), None).await;
        assert_matches!(outcome, Err(AddMemberError::ChatNotFound));
    }
    for user_id in [gone.id, user_id()] {
        let new = NewMember { user_id, ..new_member(group, eva, at(2)) };
        assert_matches!(b.chats.add_member(new, None).await, Err(AddMemberError::UserNotFound));
        assert_eq!(b.chats.find_member(group, user_id).await.unwrap(), None);
    }
    assert_eq!(b.members(group).await.len(), 1);
    assert_eq!(b.members(direct).await.len(), 2);
}

pub async fn a_role_is_given_and_taken(b: Backend) {
    let (chat, [owner, admin, member]) = group_of_three(&b).await;
    b.send(chat, member, "hello", at(5)).await;
    let before = b.member(chat, member).await;
    let changed = b.chats.set_role(chat, member.id, MemberRole::Admin, at(60)).await.unwrap();
    let mut expected = before.clone();
    expected.membership.role = MemberRole::Admin;
    assert_eq!(changed, expected);
    assert_eq!(b.member(chat, member).await, expected);
    assert_eq!(b.view(chat, owner).await.chat.updated_at, at(60));
    assert_eq!(set_role(&b, chat, member, MemberRole::Member).await.unwrap(), before);
    // The same again.
    assert_eq!(set_role(&b, chat, member, MemberRole::Member).await.unwrap(), before);
    assert_eq!(role(&b, chat, admin).await, MemberRole::Admin);
    assert_eq!(role(&b, chat, owner).await, MemberRole::Owner);
}

pub async fn a_group_is_handed_over(b: Backend) {
    let (chat, [owner, admin, member]) = group_of_three(&b).await;
    let heir = set_role(&b, chat, member, MemberRole::Owner).await.unwrap();
    assert_eq!((heir.user.id, heir.membership.role), (member.id, MemberRole::Owner));
    assert_eq!(role(&b, chat, member).await, MemberRole::Owner);
    assert_eq!(role(&b, chat, owner).await, MemberRole::Admin);
    assert_eq!(role(&b, chat, admin).await, MemberRole::Admin);
    // To the owner again: as it is.
    assert_eq!(set_role(&b, chat, member, MemberRole::Owner).await.unwrap(), heir);
    assert_eq!(role(&b, chat, member).await, MemberRole::Owner);
    // And back, from an admin's role too.
    set_role(&b, chat, owner, MemberRole::Owner).await.unwrap();
    assert_eq!(role(&b, chat, owner).await, MemberRole::Owner);
    assert_eq!(role(&b, chat, member).await, MemberRole::Admin);
}

pub async fn an_owner_does_not_step_down(b: Backend) {
    let (chat, [owner, ..]) = group_of_three(&b).await;
    for role in [MemberRole::Admin, MemberRole::Member] {
        assert_matches!(set_role(&b, chat, owner, role).await, Err(SetRoleError::OwnerStepsDown));
    }
    assert_eq!(role(&b, chat, owner).await, MemberRole::Owner);
}

pub async fn only_members_have_roles(b: Backend) {
    let (chat, [owner, admin, member]) = group_of_three(&b).await;
    let stranger = b.person("stranger").await;
    remove(&b, chat, member).await;
    for new in [MemberRole::Member, MemberRole::Admin, MemberRole::Owner] {
        assert_matches!(set_role(&b, chat, stranger, new).await, Err(SetRoleError::MemberNotFound));
        assert_matches!(set_role(&b, chat, member, new).await, Err(SetRoleError::MemberNotFound));
        assert_matches!(set_role(&b, chat_id(), owner, new).await, Err(SetRoleError::MemberNotFound));
    }
    assert_eq!(role(&b, chat, owner).await, MemberRole::Owner, "nobody took over");
    assert_eq!(role(&b, chat, admin).await, MemberRole::Admin);
}

pub async fn a_member_is_taken_out(b: Backend) {
    let (chat, [owner, admin, member]) = group_of_three(&b).await;
    let other = b.group(owner, &[member]).await;
    b.send(chat, member, "hello", at(5)).await;
    assert_eq!(b.chats.remove_member(chat, member.id, false, at(60)).await.unwrap(), Some(Removal::Removed { new_owner: None }));
    assert_eq!(b.chats.find_member(chat, member.id).await.unwrap(), None);
    assert_eq!(b.members(chat).await.len(), 2);
    let view = b.view(chat, member).await;
    assert_eq!((view.membership, view.chat.updated_at, view.chat.active_at), (None, at(60), at(5)));
    assert_eq!(b.chat_page(member, None, 10).await.items[0].chat.id, other);
    assert_eq!(b.chat_page(member, None, 10).await.items.len(), 1);
    // What they said stays, and their name on it.
    assert_eq!(b.whole_history(chat, owner).await[0].sender.username, Some(username("member")));
    assert_eq!(remove(&b, chat, admin).await, Removal::Removed { new_owner: None });
    assert_eq!(role(&b, chat, owner).await, MemberRole::Owner);
}

pub async fn who_comes_back_comes_as_new(b: Backend) {
    let (chat, [owner, admin, _]) = group_of_three(&b).await;
    remove(&b, chat, admin).await;
    b.send_many(chat, owner, 2).await;
    let back = b.join(chat, admin, at(70)).await;
    assert!(back.added);
    let membership = Membership { role: MemberRole::Member, joined_at: at(70), read_seq: seq(2) };
    assert_eq!(b.member(chat, admin).await.membership, membership);
    assert_eq!(b.members(chat).await.len(), 3);
}

pub async fn who_is_not_in_is_not_taken_out(b: Backend) {
    let (chat, [owner, _, member]) = group_of_three(&b).await;
    let stranger = b.person("stranger").await;
    remove(&b, chat, member).await;
    for keep_owner in [false, true] {
        for (chat, user) in [(chat, stranger.id), (chat, member.id), (chat, user_id()), (chat_id(), owner.id)] {
            let outcome = b.chats.remove_member(chat, user, keep_owner, at(60)).await.unwrap();
            assert_eq!(outcome, Some(Removal::NotAMember));
        }
    }
    assert_eq!(b.members(chat).await.len(), 2);
}

pub async fn an_owner_is_followed_by_the_longest_standing_admin(b: Backend) {
    let crowd = b.crowd(6).await;
    let chat = b.group(crowd[0], &[]).await;
    for (n, joined) in [(1, 10), (2, 40), (3, 20), (4, 30), (5, 5)] {
        b.join(chat, crowd[n], at(joined)).await;
    }
    for n in [2, 4] {
        set_role(&b, chat, crowd[n], MemberRole::Admin).await.unwrap();
    }
    // The admins first, then the members, each by standing; the last is alone.
    for (leaver, heir) in [(0, 4), (4, 2), (2, 5), (5, 1), (1, 3)] {
        let outcome = remove(&b, chat, crowd[leaver]).await;
        assert_eq!(outcome, Removal::Removed { new_owner: Some(crowd[heir].id) });
        let owners: Vec<_> =
            b.members(chat).await.into_iter().filter(|m| m.membership.role == MemberRole::Owner).collect();
        assert_eq!(ids(&owners), [crowd[heir].id]);
    }
    assert_eq!(remove(&b, chat, crowd[3]).await, Removal::ChatDeleted);
}

pub async fn of_those_who_joined_together_the_smaller_id_follows(b: Backend) {
    let mut crowd = b.crowd(8).await;
    for admins in [false, true] {
        // Whoever owns it; the admins are the last three.
        for _ in 0..crowd.len() {
            crowd.rotate_left(1);
            let chat = b.group(crowd[0], &crowd[1..]).await;
            let heirs = &crowd[if admins { 5 } else { 1 }..];
            if admins {
                for person in heirs {
                    set_role(&b, chat, *person, MemberRole::Admin).await.unwrap();
                }
            }
            let heir = heirs.iter().map(|person| person.id).min();
            assert_eq!(remove(&b, chat, crowd[0]).await, Removal::Removed { new_owner: heir });
        }
    }
}

pub async fn the_last_one_out_deletes_the_group(b: Backend) {
    let ana = b.person("ana").await;
    let chat = b.group(ana, &[]).await;
    let message = b.send(chat, ana, "alone", at(1)).await;
    assert_eq!(remove(&b, chat, ana).await, Removal::ChatDeleted);
    assert_eq!(b.chats.find(chat, ana.id).await.unwrap(), None);
    assert_eq!(b.messages.find(chat, message.id, ana.id).await.unwrap(), None);
    assert!(b.chat_page(ana, None, 10).await.items.is_empty());
    assert_eq!(remove(&b, chat, ana).await, Removal::NotAMember);
}

pub async fn an_owner_can_be_kept_in(b: Backend) {
    let (chat, people) = group_of_three(&b).await;
    let alone = b.group(people[0], &[]).await;
    for chat in [chat, alone] {
        let before = b.view(chat, people[0]).await;
        assert_eq!(b.chats.remove_member(chat, people[0].id, true, at(60)).await.unwrap(), None);
        assert_eq!(b.view(chat, people[0]).await, before);
    }
    for person in &people[1..] {
        let outcome = b.chats.remove_member(chat, person.id, true, at(60)).await.unwrap();
        assert_eq!(outcome, Some(Removal::Removed { new_owner: None }));
    }
    assert_eq!(b.members(chat).await.len(), 1);
}

pub async fn reading_moves_forward_to_the_newest_message_at_most(b: Backend) {
    let [ana, luis] = b.people(["ana", "luis"]).await;
    for chat in [b.group(ana, &[luis]).await, b.direct(ana, luis).await] {
        let read = async |to| b.chats.mark_read(chat, luis.id, seq(to), at(9)).await.unwrap().unwrap();
        let state = |read: i64, last: i64, moved: bool| ReadState { read_seq: seq(read), last_seq: seq(last), moved };
        let mut before = 0;
        assert_eq!(read(1).await, state(0, 0, false));
        b.send_many(chat, ana, 5).await;
        for (to, expected) in [(0, 0), (3, 3), (2, 3), (3, 3), (4, 4), (0, 4), (6, 5), (i64::MAX, 5), (1, 5)] {
            assert_eq!(read(to).await, state(expected, 5, expected > before), "to {to}");
            before = expected;
            let view = b.view(chat, luis).await;
            assert_eq!((view.read_seq(), view.unread_count()), (seq(expected), 5 - expected));
        }
        b.send(chat, ana, "one more", at(9)).await;
        assert_eq!(b.view(chat, luis).await.unread_count(), 1);
        assert_eq!(b.view(chat, ana).await.unread_count(), 0);
    }
}

pub async fn outsiders_read_nothing(b: Backend) {
    let [ana, luis] = b.people(["ana", "luis"]).await;
    let chat = b.group(ana, &[]).await;
    b.send(chat, ana, "hello", at(1)).await;
    assert_eq!(b.chats.mark_read(chat, luis.id, seq(1), at(9)).await.unwrap(), None);
    assert_eq!(b.chats.mark_read(chat, user_id(), seq(1), at(9)).await.unwrap(), None);
    assert_eq!(b.chats.mark_read(chat_id(), ana.id, Seq::ZERO, at(9)).await.unwrap(), None);
    b.join(chat, luis, at(2)).await;
    remove(&b, chat, luis).await;
    assert_eq!(b.chats.mark_read(chat, luis.id, seq(1), at(9)).await.unwrap(), None);
}
