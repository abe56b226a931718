//! Chats that are known by who is in them.

use crate::Backend;
use crate::fixture::*;
use futures_util::future::{join, join_all};
use std::collections::BTreeSet;
use tertulia_domain::repository::{
    InsertChatError, NewDirectChat, NewMember, NewSetChat, Removal, ReplaceMembers, ReplaceMembersError,
};
use tertulia_domain::{Chat, ChatId, ChatKind, MemberRole, Note, NoteText, UserId};

fn ids(people: &[Person]) -> Vec<UserId> {
    people.iter().map(|person| person.id).collect()
}

/// Owned by the first.
fn new_set(people: &[Person], now: i64) -> NewSetChat {
    NewSetChat {
        id: chat_id(),
        title: title("Set"),
        members: ids(people),
        owner: people[0].id,
        note: None,
        at: at(now),
    }
}

fn replacement(chat_id: ChatId, actor: Person, people: &[Person], now: i64) -> ReplaceMembers {
    ReplaceMembers {
        chat_id,
        actor: actor.id,
        members: ids(people),
        title: title("Replaced"),
        note: None,
        at: at(now),
    }
}

fn note(sender: Person, text: &str) -> Note {
    Note { text: NoteText::new(text).unwrap(), sender: sender.id, at: at(-5) }
}

/// The chat of a set that there is none of yet.
async fn made(b: &Backend, people: &[Person], now: i64) -> ChatId {
    let new = new_set(people, now);
    let id = new.id;
    assert_eq!(b.chats.insert_set(new).await.unwrap(), (id, true));
    id
}

/// The chat of a set that there is one of.
async fn known(b: &Backend, people: &[Person]) -> ChatId {
    let (id, made) = b.chats.insert_set(new_set(people, 1_000)).await.unwrap();
    assert!(!made, "there is one");
    id
}

async fn replace(b: &Backend, chat: ChatId, actor: Person, people: &[Person], now: i64) {
    b.chats.replace_members(replacement(chat, actor, people, now)).await.unwrap();
    assert_eq!(set(b, chat).await, ids(people).into_iter().collect());
}

async fn refused(b: &Backend, chat: ChatId, actor: Person, people: &[Person]) -> ReplaceMembersError {
    let before = (b.members(chat).await, b.view(chat, actor).await, shown(b, chat, actor).await);
    let change = ReplaceMembers { note: Some(note(actor, "refused")), ..replacement(chat, actor, people, 500) };
    let error = b.chats.replace_members(change).await.unwrap_err();
    let after = (b.members(chat).await, b.view(chat, actor).await, shown(b, chat, actor).await);
    assert_eq!(before, after, "all or nothing");
    error
}

/// Who is in a chat; a group has one owner, a direct chat none.
async fn set(b: &Backend, chat: ChatId) -> BTreeSet<UserId> {
    let members = b.members(chat).await;
    let owners = members.iter().filter(|member| member.membership.role == MemberRole::Owner).count();
    let members: BTreeSet<_> = members.into_iter().map(|member| member.user.id).collect();
    let any = *members.first().unwrap();
    let kind = b.chats.find(chat, any).await.unwrap().unwrap().chat.kind;
    assert_eq!(owners, usize::from(kind.is_group()));
    members
}

async fn shown(b: &Backend, chat: ChatId, viewer: Person) -> Option<Note> {
    b.overviews.find(chat, viewer.id).await.unwrap().unwrap().note
}

async fn chat(b: &Backend, id: ChatId, viewer: Person) -> Chat {
    b.view(id, viewer).await.chat
}

async fn role(b: &Backend, chat: ChatId, user: Person) -> MemberRole {
    b.member(chat, user).await.membership.role
}

fn group(text: &str) -> ChatKind {
    ChatKind::Group { title: title(text) }
}

pub async fn a_set_has_one_chat_in_whatever_order(b: Backend) {
    let [ana, luis, eva] = b.people(["ana", "luis", "eva"]).await;
    let new = NewSetChat { owner: luis.id, note: Some(note(eva, "made")), ..new_set(&[ana, luis, eva], 7) };
    let id = new.id;
    assert_eq!(b.chats.insert_set(new).await.unwrap(), (id, true));
    let made = chat(&b, id, ana).await;
    assert_eq!((&made.kind, made.member_count, made.last_seq), (&group("Set"), 3, seq(0)));
    assert_eq!([made.created_at, made.updated_at, made.active_at], [at(7); 3]);
    for person in [ana, luis, eva] {
        let member = b.member(id, person).await.membership;
        let owner = if person == luis { MemberRole::Owner } else { MemberRole::Member };
        assert_eq!((member.role, member.joined_at, member.read_seq), (owner, at(7), seq(0)));
        assert_eq!(b.chat_page(person, None, 5).await.items.len(), 1);
    }
    assert_eq!(set(&b, id).await, ids(&[ana, luis, eva]).into_iter().collect());
    assert_eq!(shown(&b, id, ana).await, Some(note(eva, "made")));
    for order in [[ana, luis, eva], [eva, luis, ana], [luis, ana, eva], [eva, ana, luis]] {
        let again = NewSetChat { note: Some(note(ana, "again")), title: title("Again"), ..new_set(&order, 9) };
        assert_eq!(b.chats.insert_set(again).await.unwrap(), (id, false));
    }
    // To ask for it changed nothing.
    assert_eq!(chat(&b, id, ana).await, made);
    assert_eq!(role(&b, id, luis).await, MemberRole::Owner);
    assert_eq!(shown(&b, id, ana).await, Some(note(eva, "made")));
}

pub async fn another_set_is_another_chat(b: Backend) {
    let [ana, luis, eva, leo, mia] = b.people(["ana", "luis", "eva", "leo", "mia"]).await;
    let sets = [vec![ana, luis, eva], vec![ana, luis, leo], vec![ana, luis, eva, leo], vec![luis, eva, leo, mia]];
    let mut chats = Vec::new();
    for people in &sets {
        chats.push(made(&b, people, 1).await);
    }
    for (people, chat) in sets.iter().zip(chats) {
        assert_eq!(known(&b, people).await, chat);
        assert_eq!(set(&b, chat).await, ids(people).into_iter().collect());
    }
    // A chat that is gone is nobody's.
    let gone = known(&b, &sets[0]).await;
    b.chats.delete(gone).await.unwrap();
    assert_ne!(made(&b, &sets[0], 2).await, gone);
}

pub async fn only_chats_made_so_are_known_by_their_set(b: Backend) {
    let [ana, luis, eva] = b.people(["ana", "luis", "eva"]).await;
    let other = b.group(ana, &[luis, eva]).await;
    let chat = made(&b, &[ana, luis, eva], 1).await;
    assert_ne!(chat, other);
    assert_eq!(known(&b, &[ana, luis, eva]).await, chat);
    b.chats.delete(chat).await.unwrap();
    assert_ne!(made(&b, &[ana, luis, eva], 2).await, other);
}

pub async fn a_set_is_who_is_in_it_now(b: Backend) {
    let [ana, luis, eva, leo] = b.people(["ana", "luis", "eva", "leo"]).await;
    let chat = made(&b, &[ana, luis, eva, leo], 1).await;
    b.chats.remove_member(chat, leo.id, false, at(2)).await.unwrap();
    assert_eq!(known(&b, &[ana, luis, eva]).await, chat);
    let four = made(&b, &[ana, luis, eva, leo], 3).await;
    assert_ne!(four, chat);
    let mia = b.person("mia").await;
    b.join(chat, mia, at(4)).await;
    assert_eq!(known(&b, &[mia, ana, luis, eva]).await, chat);
    assert_ne!(made(&b, &[ana, luis, eva], 5).await, chat);
    // With the account goes the place.
    b.users.delete(mia.id, false, at(6)).await.unwrap();
    b.chats.remove_member(four, ana.id, false, at(7)).await.unwrap();
    assert_eq!(known(&b, &[leo, luis, eva]).await, four);
    b.chats.rename(four, &title("Other"), at(8)).await.unwrap();
    b.send(four, leo, "hello", at(9)).await;
    assert_eq!(known(&b, &[leo, luis, eva]).await, four, "whatever it is called");
}

pub async fn of_two_chats_of_one_set_the_older_is_given(b: Backend) {
    let [ana, luis, eva, leo] = b.people(["ana", "luis", "eva", "leo"]).await;
    let older = made(&b, &[ana, luis, eva, leo], 1).await;
    let newer = made(&b, &[ana, luis, eva], 2).await;
    b.chats.remove_member(older, leo.id, false, at(3)).await.unwrap();
    assert_eq!(known(&b, &[ana, luis, eva]).await, older);
    b.send(newer, ana, "hello", at(4)).await;
    assert_eq!(known(&b, &[ana, luis, eva]).await, older, "however active the other");
    b.chats.delete(older).await.unwrap();
    assert_eq!(known(&b, &[ana, luis, eva]).await, newer);
}

pub async fn a_set_is_made_with_all_of_its_members_or_not_at_all(b: Backend) {
    let [ana, luis, gone] = b.people(["ana", "luis", "gone"]).await;
    b.users.delete(gone.id, false, at(1)).await.unwrap();
    for missing in [gone.id, user_id()] {
        let mut new = new_set(&[ana, luis], 2);
        new.members.insert(1, missing);
        new.note = Some(note(ana, "made"));
        let id = new.id;
        let outcome = b.chats.insert_set(new).await;
        assert_matches!(outcome, Err(InsertChatError::UserNotFound(id)) if id == missing);
        assert_eq!(b.chats.find(id, ana.id).await.unwrap(), None);
        assert!(b.chat_page(ana, None, 10).await.items.is_empty());
    }
}

pub async fn a_set_may_be_large(b: Backend) {
    let crowd = b.crowd(120).await;
    let chat = made(&b, &crowd, 1).await;
    assert_eq!(set(&b, chat).await.len(), 120);
    let mut backwards = crowd.clone();
    backwards.reverse();
    assert_eq!(known(&b, &backwards).await, chat);
    assert_ne!(made(&b, &crowd[1..], 2).await, chat);
    replace(&b, chat, crowd[0], &crowd[..60], 3).await;
    assert_eq!(known(&b, &crowd[..60]).await, chat);
}

pub async fn of_many_who_want_a_set_one_makes_it(b: Backend) {
    for round in 0..4 {
        let mut people = Vec::new();
        for n in 0..4 {
            people.push(b.person(&format!("user{round}.{n}")).await);
        }
        let outcomes = join_all((0..16_usize).map(|n| {
            let mut order = people.clone();
            order.rotate_left(n % 4);
            if n % 3 == 0 {
                order.reverse();
            }
            b.chats.insert_set(new_set(&order, 1))
        }))
        .await;
        let outcomes: Vec<_> = outcomes.into_iter().map(Result::unwrap).collect();
        assert_eq!(outcomes.iter().filter(|(_, made)| *made).count(), 1);
        assert!(outcomes.iter().all(|(id, _)| *id == outcomes[0].0));
        assert_eq!(set(&b, outcomes[0].0).await.len(), 4);
        for person in people {
            assert_eq!(b.chat_page(person, None, 5).await.items.len(), 1);
        }
    }
}

pub async fn a_direct_chat_is_found_by_its_two(b: Backend) {
    let [ana, luis, eva] = b.people(["ana", "luis", "eva"]).await;
    b.group(ana, &[eva]).await;
    let direct = b.direct(luis, ana).await;
    for (one, other) in [(ana, luis), (luis, ana)] {
        assert_eq!(b.chats.find_direct(one.id, other.id).await.unwrap(), Some(direct));
    }
    for (one, other) in [(ana.id, eva.id), (eva.id, luis.id), (ana.id, ana.id), (ana.id, user_id())] {
        assert_eq!(b.chats.find_direct(one, other).await.unwrap(), None);
    }
    b.users.delete(luis.id, false, at(1)).await.unwrap();
    assert_eq!(b.chats.find_direct(ana.id, luis.id).await.unwrap(), Some(direct));
    b.chats.delete(direct).await.unwrap();
    assert_eq!(b.chats.find_direct(ana.id, luis.id).await.unwrap(), None);
}

pub async fn a_chat_is_found_by_number(b: Backend) {
    let [ana, luis] = b.people(["ana", "luis"]).await;
    for id in [b.group(ana, &[]).await, b.direct(luis, ana).await] {
        let number = chat(&b, id, ana).await.number;
        assert_eq!(b.chats.find_by_number(number).await.unwrap(), Some(id));
        for other in [0, -1, number + 1_000, i64::MAX, i64::MIN] {
            assert_eq!(b.chats.find_by_number(other).await.unwrap(), None);
        }
        b.chats.delete(id).await.unwrap();
        assert_eq!(b.chats.find_by_number(number).await.unwrap(), None);
    }
}

pub async fn members_are_replaced(b: Backend) {
    let [ana, luis, eva, leo] = b.people(["ana", "luis", "eva", "leo"]).await;
    let id = made(&b, &[ana, luis, eva], 1).await;
    b.chats.set_role(id, luis.id, MemberRole::Admin, at(2)).await.unwrap();
    b.send_many(id, ana, 5).await;
    b.chats.mark_read(id, luis.id, seq(2)).await.unwrap();
    let before = (chat(&b, id, ana).await, b.member(id, ana).await, b.member(id, luis).await);
    replace(&b, id, ana, &[leo, luis, ana], 40).await;
    let mut expected = before.0;
    expected.updated_at = at(40);
    assert_eq!(chat(&b, id, ana).await, expected, "it is a change, and no activity; the title stays");
    let stayed = (b.member(id, ana).await, b.member(id, luis).await);
    assert_eq!(stayed, (before.1, before.2), "who stays stays as they are");
    let came = b.member(id, leo).await.membership;
    assert_eq!((came.role, came.joined_at, came.read_seq), (MemberRole::Member, at(40), seq(5)));
    assert_eq!(b.chats.find_member(id, eva.id).await.unwrap(), None);
    assert!(b.chat_page(eva, None, 5).await.items.is_empty());
    assert_eq!(known(&b, &[ana, luis, leo]).await, id);
    // Who comes back comes as new.
    replace(&b, id, ana, &[ana, luis, leo, eva], 50).await;
    let came = b.member(id, eva).await.membership;
    assert_eq!((came.role, came.joined_at, came.read_seq), (MemberRole::Member, at(50), seq(5)));
    // The clock may go back, the chat's time does not.
    replace(&b, id, ana, &[ana, luis, leo], 45).await;
    assert_eq!(chat(&b, id, ana).await.updated_at, at(50));
    assert_eq!(b.send(id, leo, "hello", at(60)).await.seq, seq(6));
}

pub async fn an_owner_who_is_replaced_is_followed(b: Backend) {
    let [ana, luis, eva, leo] = b.people(["ana", "luis", "eva", "leo"]).await;
    let id = b.group(ana, &[]).await;
    b.join(id, luis, at(1)).await;
    b.join(id, eva, at(2)).await;
    b.join(id, leo, at(3)).await;
    b.chats.set_role(id, leo.id, MemberRole::Admin, at(4)).await.unwrap();
    replace(&b, id, ana, &[luis, eva, leo], 5).await;
    assert_eq!(role(&b, id, leo).await, MemberRole::Owner, "an admin first");
    replace(&b, id, leo, &[eva, luis, ana], 6).await;
    assert_eq!(role(&b, id, luis).await, MemberRole::Owner, "then whoever is there longest");
    let [mia, teo] = b.people(["mia", "teo"]).await;
    replace(&b, id, luis, &[mia, teo], 7).await;
    let first = if mia.id < teo.id { mia } else { teo };
    assert_eq!(role(&b, id, first).await, MemberRole::Owner, "of those who came together the smaller id");
}

pub async fn a_note_comes_with_the_members(b: Backend) {
    let [ana, luis, eva, leo] = b.people(["ana", "luis", "eva", "leo"]).await;
    let id = made(&b, &[ana, luis, eva], 1).await;
    let with_note = |people: &[Person], text: &str, now| ReplaceMembers {
        note: Some(note(ana, text)),
        ..replacement(id, ana, people, now)
    };
    b.chats.replace_members(with_note(&[ana, luis, leo], "first", 2)).await.unwrap();
    assert_eq!(shown(&b, id, leo).await, Some(note(ana, "first")));
    replace(&b, id, ana, &[ana, luis, leo, eva], 3).await;
    assert_eq!(shown(&b, id, leo).await, Some(note(ana, "first")), "without another it stays");
    // The same members: it is the note alone that changes.
    let before = b.members(id).await;
    let chat_before = chat(&b, id, ana).await;
    b.chats.replace_members(with_note(&[eva, leo, luis, ana], "second", 4)).await.unwrap();
    assert_eq!(shown(&b, id, leo).await, Some(note(ana, "second")));
    assert_eq!(b.members(id).await, before);
    assert_eq!(chat(&b, id, ana).await, Chat { updated_at: at(4), ..chat_before });
    b.send(id, ana, "hello", at(5)).await;
    replace(&b, id, ana, &[ana, luis, eva], 6).await;
    assert_eq!(shown(&b, id, ana).await, None);
}

pub async fn a_direct_chat_becomes_a_group(b: Backend) {
    let [ana, luis, eva] = b.people(["ana", "luis", "eva"]).await;
    let id = b.direct(ana, luis).await;
    let number = chat(&b, id, ana).await.number;
    b.send_many(id, ana, 3).await;
    replace(&b, id, luis, &[eva, ana, luis], 10).await;
    let now = chat(&b, id, ana).await;
    assert_eq!((&now.kind, now.number, now.member_count), (&group("Replaced"), number, 3));
    assert_eq!((now.updated_at, now.active_at, now.last_seq), (at(10), at(3), seq(3)));
    assert_eq!(role(&b, id, luis).await, MemberRole::Owner, "who did it");
    assert_eq!(role(&b, id, ana).await, MemberRole::Member);
    let stayed = b.member(id, luis).await.membership;
    assert_eq!((stayed.joined_at, stayed.read_seq), (at(0), seq(0)));
    assert_eq!(b.member(id, eva).await.membership.read_seq, seq(3));
    // It is known by its set, and no longer the chat of the two.
    assert_eq!(known(&b, &[ana, luis, eva]).await, id);
    assert_eq!(b.chats.find_direct(ana.id, luis.id).await.unwrap(), None);
    let anew = b.direct(ana, luis).await;
    assert_ne!(anew, id);
    // It does what groups do.
    assert!(b.chats.rename(id, &title("Other"), at(11)).await.unwrap());
    b.chats.remove_member(id, luis.id, false, at(12)).await.unwrap();
    assert_eq!(set(&b, id).await.len(), 2);
}

pub async fn whoever_is_there_longest_owns_the_group_of_others(b: Backend) {
    let [ana, luis, eva, leo, mia] = b.people(["ana", "luis", "eva", "leo", "mia"]).await;
    let id = b.direct(ana, luis).await;
    replace(&b, id, ana, &[luis, eva, leo], 1).await;
    assert_eq!(role(&b, id, luis).await, MemberRole::Owner, "who did it is not among them");
    let id = b.direct(ana, luis).await;
    replace(&b, id, mia, &[eva, ana, luis], 2).await;
    let first = if ana.id < luis.id { ana } else { luis };
    assert_eq!(role(&b, id, first).await, MemberRole::Owner);
    let id = b.direct(ana, luis).await;
    replace(&b, id, mia, &[eva, mia, leo], 3).await;
    assert_eq!(role(&b, id, mia).await, MemberRole::Owner, "who did it comes with them");
}

pub async fn a_direct_chat_passes_to_another_pair(b: Backend) {
    let [ana, luis, eva, leo] = b.people(["ana", "luis", "eva", "leo"]).await;
    let id = b.direct(ana, luis).await;
    b.send_many(id, ana, 2).await;
    replace(&b, id, ana, &[eva, ana], 10).await;
    let now = chat(&b, id, ana).await;
    assert_eq!((now.kind, now.member_count, now.updated_at), (ChatKind::Direct, 2, at(10)));
    assert_eq!(b.member(id, eva).await.membership.read_seq, seq(2));
    assert_eq!(b.chats.find_direct(ana.id, eva.id).await.unwrap(), Some(id));
    assert_eq!(b.chats.find_direct(ana.id, luis.id).await.unwrap(), None);
    assert_ne!(b.direct(ana, luis).await, id);
    assert_eq!(b.direct(eva, ana).await, id);
    replace(&b, id, ana, &[luis, leo], 11).await;
    assert_eq!(b.direct(leo, luis).await, id);
    assert!(b.view(id, ana).await.membership.is_none());
    // A block of those who were there before means nothing to those who are there now.
    b.moderation.block(ana.id, luis.id, 10, at(12)).await.unwrap();
    assert!(!b.view(id, leo).await.blocked);
    b.send(id, leo, "hello", at(13)).await;
}

pub async fn a_group_known_by_its_set_becomes_a_direct_chat(b: Backend) {
    let [ana, luis, eva] = b.people(["ana", "luis", "eva"]).await;
    let id = made(&b, &[ana, luis, eva], 1).await;
    b.chats.set_role(id, luis.id, MemberRole::Admin, at(2)).await.unwrap();
    let avatar = b.image(ana, 1).await;
    let object = b.object_of(avatar).await;
    assert!(b.chats.set_avatar(id, avatar, ana.id, at(3)).await.unwrap());
    b.send_many(id, ana, 4).await;
    b.chats.mark_read(id, luis.id, seq(2)).await.unwrap();
    replace(&b, id, ana, &[luis, ana], 10).await;
    let now = chat(&b, id, ana).await;
    assert_eq!((now.kind, now.avatar, now.member_count), (ChatKind::Direct, None, 2));
    assert_eq!((now.updated_at, now.active_at), (at(10), at(4)));
    for (person, read) in [(ana, 4), (luis, 2)] {
        let member = b.member(id, person).await.membership;
        assert_eq!((member.role, member.joined_at, member.read_seq), (MemberRole::Member, at(1), seq(read)));
    }
    assert!(!b.is_stored(avatar).await, "nothing uses it any more");
    assert_eq!(b.due(at(10)).await, [object].into());
    assert_eq!(b.chats.find_direct(ana.id, luis.id).await.unwrap(), Some(id));
    assert_eq!(b.direct(luis, ana).await, id);
    // It does what direct chats do.
    assert!(!b.chats.rename(id, &title("Other"), at(11)).await.unwrap());
    let removal = b.chats.remove_member(id, luis.id, false, at(12)).await.unwrap();
    assert_eq!(removal, Some(Removal::NotAMember));
    let again = made(&b, &[ana, luis, eva], 13).await;
    assert_ne!(again, id);
    // And back, where the set has a chat by now.
    assert_matches!(refused(&b, id, ana, &[ana, luis, eva]).await, ReplaceMembersError::SetTaken);
    b.chats.delete(again).await.unwrap();
    replace(&b, id, luis, &[ana, luis, eva], 14).await;
    assert_eq!(chat(&b, id, ana).await.kind, group("Replaced"));
    assert_eq!(role(&b, id, luis).await, MemberRole::Owner);
    assert_eq!(known(&b, &[ana, luis, eva]).await, id);
}

pub async fn an_avatar_that_hangs_elsewhere_stays(b: Backend) {
    let [ana, luis, eva] = b.people(["ana", "luis", "eva"]).await;
    let id = made(&b, &[ana, luis, eva], 1).await;
    let avatar = b.image(ana, 1).await;
    b.chats.set_avatar(id, avatar, ana.id, at(2)).await.unwrap();
    b.attach(id, ana, &[avatar], at(3)).await.unwrap();
    replace(&b, id, ana, &[ana, luis], 4).await;
    assert_eq!(chat(&b, id, ana).await.avatar, None);
    assert!(b.is_stored(avatar).await);
}

pub async fn other_groups_stay_groups(b: Backend) {
    let [ana, luis, eva, leo] = b.people(["ana", "luis", "eva", "leo"]).await;
    let id = b.group(ana, &[luis, eva]).await;
    let by_set = made(&b, &[ana, luis, leo], 1).await;
    let direct = b.direct(ana, luis).await;
    // It takes nobody's place, and nobody takes its.
    replace(&b, id, ana, &[ana, luis, leo], 2).await;
    assert_eq!(known(&b, &[ana, luis, leo]).await, by_set);
    b.moderation.block(luis.id, ana.id, 10, at(3)).await.unwrap();
    replace(&b, id, ana, &[ana, luis], 4).await;
    let now = chat(&b, id, ana).await;
    assert_eq!((now.kind, now.member_count), (group("Tertulia"), 2));
    assert_eq!(role(&b, id, ana).await, MemberRole::Owner);
    assert_eq!(b.chats.find_direct(ana.id, luis.id).await.unwrap(), Some(direct));
    replace(&b, id, ana, &[ana, eva, leo], 5).await;
    assert_ne!(made(&b, &[ana, eva, leo], 6).await, id);
}

pub async fn a_set_that_another_chat_is_of_is_taken(b: Backend) {
    let [ana, luis, eva, leo] = b.people(["ana", "luis", "eva", "leo"]).await;
    let taken = made(&b, &[ana, luis, eva], 1).await;
    let pair = b.direct(ana, luis).await;
    let id = made(&b, &[ana, luis, leo], 2).await;
    assert_matches!(refused(&b, id, ana, &[eva, luis, ana]).await, ReplaceMembersError::SetTaken);
    assert_matches!(refused(&b, pair, ana, &[eva, luis, ana]).await, ReplaceMembersError::SetTaken);
    assert_matches!(refused(&b, id, ana, &[ana, luis]).await, ReplaceMembersError::SetTaken);
    let other = b.direct(ana, eva).await;
    assert_matches!(refused(&b, other, ana, &[luis, ana]).await, ReplaceMembersError::SetTaken);
    // One's own set is no other's.
    replace(&b, taken, ana, &[eva, luis, ana], 3).await;
    replace(&b, pair, ana, &[luis, ana], 4).await;
    assert_eq!(chat(&b, pair, ana).await.kind, ChatKind::Direct);
    b.chats.delete(taken).await.unwrap();
    replace(&b, id, ana, &[eva, luis, ana], 5).await;
    assert_eq!(known(&b, &[ana, luis, eva]).await, id);
}

pub async fn no_chat_passes_to_a_pair_across_a_block(b: Backend) {
    let [ana, luis, eva] = b.people(["ana", "luis", "eva"]).await;
    let [group, direct] = [made(&b, &[ana, luis, eva], 1).await, b.direct(luis, eva).await];
    for (blocker, blocked) in [(ana, luis), (luis, ana)] {
        b.moderation.block(blocker.id, blocked.id, 10, at(2)).await.unwrap();
        assert_matches!(refused(&b, group, ana, &[ana, luis]).await, ReplaceMembersError::Blocked);
        assert_matches!(refused(&b, direct, luis, &[ana, luis]).await, ReplaceMembersError::Blocked);
        b.moderation.unblock(blocker.id, blocked.id, at(3)).await.unwrap();
    }
    // Groups know no blocks, and a chat that there is stays the chat of its two.
    b.moderation.block(luis.id, eva.id, 10, at(4)).await.unwrap();
    let leo = b.person("leo").await;
    replace(&b, group, ana, &[luis, eva, leo], 5).await;
    let change = ReplaceMembers { note: Some(note(eva, "noted")), ..replacement(direct, eva, &[luis, eva], 6) };
    b.chats.replace_members(change).await.unwrap();
    assert_eq!(shown(&b, direct, eva).await, Some(note(eva, "noted")));
    replace(&b, direct, luis, &[ana, luis], 7).await;
}

pub async fn members_who_are_not_there_replace_nobody(b: Backend) {
    let [ana, luis, eva, gone] = b.people(["ana", "luis", "eva", "gone"]).await;
    b.users.delete(gone.id, false, at(1)).await.unwrap();
    let chats = [b.group(ana, &[luis]).await, b.direct(ana, luis).await, made(&b, &[ana, luis, eva], 1).await];
    for chat in chats {
        for missing in [gone.id, user_id()] {
            let before = b.members(chat).await;
            let mut change = replacement(chat, ana, &[ana, luis], 2);
            change.members.insert(1, missing);
            let outcome = b.chats.replace_members(change).await;
            assert_matches!(outcome, Err(ReplaceMembersError::UserNotFound(id)) if id == missing);
            assert_eq!(b.members(chat).await, before);
        }
    }
    let outcome = b.chats.replace_members(replacement(chat_id(), ana, &[ana, luis], 3)).await;
    assert_matches!(outcome, Err(ReplaceMembersError::ChatNotFound));
}

pub async fn of_many_chats_that_want_a_set_one_gets_it(b: Backend) {
    let [ana, luis, eva] = b.people(["ana", "luis", "eva"]).await;
    for round in 0..4 {
        let mut chats = Vec::new();
        for n in 0..6 {
            let other = b.person(&format!("other{round}.{n}")).await;
            chats.push(if n % 2 == 0 {
                b.direct(ana, other).await
            } else {
                made(&b, &[ana, luis, other], 1).await
            });
        }
        let wanted: &[Person] = if round % 2 == 0 { &[ana, luis, eva] } else { &[ana, luis] };
        let replacing = join_all(chats.iter().map(|chat| b.chats.replace_members(replacement(*chat, ana, wanted, 2))));
        let making = join_all((0..4).map(async |_| {
            if let [one, other] = wanted {
                let new = NewDirectChat { id: chat_id(), creator: one.id, other: other.id, at: at(2) };
                let made = fresh_of(b.chats.insert_direct(new, None).await.unwrap());
                (made.view.chat.id, made.created)
            } else {
                b.chats.insert_set(new_set(wanted, 2)).await.unwrap()
            }
        }));
        let (replaced, made) = join(replacing, making).await;
        let mut winners: Vec<ChatId> = made.iter().filter(|(_, made)| *made).map(|(id, _)| *id).collect();
        for (chat, outcome) in chats.iter().zip(replaced) {
            match outcome {
                Ok(()) => winners.push(*chat),
                Err(ReplaceMembersError::SetTaken) => {}
                Err(error) => panic!("{error:?}"),
            }
        }
        assert_eq!(winners.len(), 1, "{winners:?}");
        assert!(made.iter().all(|(id, _)| *id == winners[0]), "{made:?} of {winners:?}");
        assert_eq!(set(&b, winners[0]).await, ids(wanted).into_iter().collect());
        b.chats.delete(winners[0]).await.unwrap();
    }
}

pub async fn members_replaced_at_once_leave_an_exact_count(b: Backend) {
    let crowd = b.crowd(8).await;
    for native in [true, false] {
        let id = if native { b.group(crowd[0], &crowd[1..3]).await } else { made(&b, &crowd[..3], 1).await };
        let replacing = join_all((0..12_usize).map(async |n| {
            let first = n % 5;
            let change = replacement(id, crowd[0], &crowd[first..first + 3], 2);
            b.chats.replace_members(change).await.unwrap();
        }));
        let moving = join_all((0..12_usize).map(async |n| {
            let person = crowd[n % 8];
            if n % 2 == 0 {
                let new = NewMember { role: MemberRole::Admin, ..new_member(id, person, at(3)) };
                b.chats.add_member(new, None).await.unwrap();
            } else {
                b.chats.remove_member(id, person.id, false, at(3)).await.unwrap();
            }
        }));
        let sending = join_all(crowd.iter().map(async |person| {
            // Those who are out at the moment are refused.
            let sent = b.messages.append(person.message(id, "hello", at(4))).await;
            sent.is_ok()
        }));
        join(join(replacing, moving), sending).await;
        // That the count is right, and that there is one owner, is looked at there.
        assert!(!set(&b, id).await.is_empty());
        let any = b.members(id).await[0].user.id;
        let last = b.chats.find(id, any).await.unwrap().unwrap().chat.last_seq;
        assert!(b.members(id).await.iter().all(|member| member.membership.read_seq <= last));
    }
}

pub async fn a_user_deleted_while_sets_are_made_is_in_none(b: Backend) {
    let [owner, luis] = b.people(["owner", "luis"]).await;
    for round in 0..5 {
        let ana = b.person(&format!("ana{round}")).await;
        let mut others = Vec::new();
        for n in 0..4 {
            others.push(b.person(&format!("other{round}.{n}")).await);
        }
        let mut groups = Vec::new();
        for other in &others {
            groups.push(b.group(owner, &[*other]).await);
        }
        let replacing = join_all(groups.iter().map(async |group| {
            match b.chats.replace_members(replacement(*group, owner, &[owner, ana], 1)).await {
                Ok(()) | Err(ReplaceMembersError::UserNotFound(_)) => {}
                Err(error) => panic!("{error:?}"),
            }
        }));
        let making = join_all(others.iter().map(async |other| {
            match b.chats.insert_set(new_set(&[owner, luis, *other, ana], 1)).await {
                Ok((id, true)) => Some(id),
                Err(InsertChatError::UserNotFound(id)) if id == ana.id => None,
                outcome => panic!("{outcome:?}"),
            }
        }));
        let (deleted, (_, made)) = join(b.users.delete(ana.id, false, at(2)), join(replacing, making)).await;
        assert!(deleted.unwrap().is_some());
        for group in groups.into_iter().chain(made.into_iter().flatten()) {
            assert!(!set(&b, group).await.contains(&ana.id));
        }
    }
}
