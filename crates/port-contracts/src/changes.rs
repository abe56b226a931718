//! Which events a write leaves behind, and that one that changes nothing leaves none.

use crate::Backend;
use crate::fixture::*;
use std::sync::Arc;
use tertulia_domain::repository::{NewMember, NewSetChat, Removal, ReplaceMembers, SetRoleError};
use tertulia_domain::{
    Change, ChatEvent, ChatId, MemberRole, MessageContent, Note, NoteText, Recorded, Recording, StoredAnswer, UserId,
};

/// An event without what it shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    Sent(i64),
    Edited(i64),
    Deleted(i64),
    Created,
    Updated,
    Added(UserId, MemberRole, i64),
    Is(UserId, MemberRole),
    Removed(UserId),
    Read(UserId, i64),
}

fn told(event: ChatEvent) -> Told {
    match event.change {
        Change::MessageCreated(message) => Told::Sent(message.seq.get()),
        Change::MessageUpdated(message) => Told::Edited(message.seq.get()),
        Change::MessageDeleted(message) => {
            assert_matches!(message.content, MessageContent::Deleted { .. });
            Told::Deleted(message.seq.get())
        }
        Change::ChatCreated(_) => Told::Created,
        Change::ChatUpdated(_) => Told::Updated,
        Change::MemberAdded { user, role, read_seq } => Told::Added(user.id, role, read_seq.get()),
        Change::MemberUpdated { user, role } => Told::Is(user.id, role),
        Change::MemberRemoved { user_id } => Told::Removed(user_id),
        Change::ReadUpdated { user_id, read_seq } => Told::Read(user_id, read_seq.get()),
        other @ Change::ChatDeleted => panic!("a chat that is there tells of {other:?}"),
    }
}

/// What happened in a chat after an event.
async fn after(b: &Backend, chat: ChatId, event: i64) -> Vec<Told> {
    b.whole_story(chat).await;
    b.events_after(chat, event).await.into_iter().map(told).collect()
}

pub async fn a_group_with_another_title_is_an_updated_chat(b: Backend) {
    let [ana, luis] = b.people(["ana", "luis"]).await;
    let [group, direct] = [b.group(ana, &[luis]).await, b.direct(ana, luis).await];
    assert!(b.chats.rename(group, &title("Renamed"), at(5)).await.unwrap());
    assert!(!b.chats.rename(direct, &title("Renamed"), at(5)).await.unwrap());
    assert_eq!(after(&b, group, 1).await, [Told::Updated]);
    assert_eq!(b.events_after(group, 1).await[0].at, at(5));
    assert_eq!(after(&b, direct, 1).await, []);
}

pub async fn a_group_with_another_avatar_is_an_updated_chat(b: Backend) {
    let [ana, luis] = b.people(["ana", "luis"]).await;
    let [group, direct] = [b.group(ana, &[luis]).await, b.direct(ana, luis).await];
    let avatar = b.image(ana, 1).await;
    assert!(!b.chats.set_avatar(group, file_id(), ana.id, at(4)).await.unwrap());
    assert!(!b.chats.set_avatar(direct, avatar, ana.id, at(4)).await.unwrap());
    assert!(b.chats.set_avatar(group, avatar, ana.id, at(5)).await.unwrap());
    assert_eq!(after(&b, group, 1).await, [Told::Updated]);
    assert_eq!(after(&b, direct, 1).await, []);
    assert_matches!(
        &b.events_after(group, 1).await[0].change,
        Change::ChatUpdated(chat) if chat.avatar.as_ref().is_some_and(|shown| shown.id == avatar)
    );
}

pub async fn who_comes_in_is_told(b: Backend) {
    let [ana, luis, eva] = b.people(["ana", "luis", "eva"]).await;
    let chat = b.group(ana, &[]).await;
    b.send_many(chat, ana, 2).await;
    assert!(b.join(chat, luis, at(5)).await.added);
    let admin = NewMember { role: MemberRole::Admin, ..new_member(chat, eva, at(6)) };
    fresh_of(b.chats.add_member(admin, None).await.unwrap());
    assert_eq!(
        after(&b, chat, 3).await,
        [Told::Added(luis.id, MemberRole::Member, 2), Told::Added(eva.id, MemberRole::Admin, 2)]
    );
    // Who is there, or can't come in, is no news.
    assert!(!b.join(chat, luis, at(7)).await.added);
    let full = NewMember { most: 3, ..new_member(chat, b.person("late").await, at(7)) };
    b.chats.add_member(full, None).await.unwrap_err();
    let nobody = NewMember { user_id: user_id(), ..new_member(chat, luis, at(7)) };
    b.chats.add_member(nobody, None).await.unwrap_err();
    assert_eq!(b.last_event(chat).await, 5);
}

pub async fn a_replay_is_no_event(b: Backend) {
    let [ana, luis] = b.people(["ana", "luis"]).await;
    let chat = b.group(ana, &[]).await;
    for replayed in [false, true] {
        let encode = |_: &_| StoredAnswer { status: 201, body: Vec::new() };
        let recording = Recording { claim: claim(ana, "key", 1, at(5)), encode: Arc::new(encode) };
        let outcome = b.chats.add_member(new_member(chat, luis, at(5)), Some(recording)).await.unwrap();
        assert_eq!(matches!(outcome, Recorded::Replayed(_)), replayed);
        assert_eq!(after(&b, chat, 1).await, [Told::Added(luis.id, MemberRole::Member, 0)]);
    }
}

pub async fn who_goes_is_told(b: Backend) {
    let [ana, luis, stranger] = b.people(["ana", "luis", "stranger"]).await;
    let chat = b.group(ana, &[luis]).await;
    for (user, keep_owner) in [(stranger, false), (ana, true)] {
        b.chats.remove_member(chat, user.id, keep_owner, at(4)).await.unwrap();
    }
    assert_eq!(after(&b, chat, 1).await, []);
    b.chats.remove_member(chat, luis.id, false, at(5)).await.unwrap();
    assert_eq!(b.chats.remove_member(chat, luis.id, false, at(6)).await.unwrap(), Some(Removal::NotAMember));
    assert_eq!(after(&b, chat, 1).await, [Told::Removed(luis.id)]);
    assert_eq!(b.events_after(chat, 1).await[0].at, at(5));
}

pub async fn who_follows_an_owner_is_told(b: Backend) {
    let [ana, luis, eva] = b.people(["ana", "luis", "eva"]).await;
    let chat = b.group(ana, &[luis, eva]).await;
    b.chats.set_role(chat, eva.id, MemberRole::Admin, at(1)).await.unwrap();
    b.chats.remove_member(chat, ana.id, false, at(2)).await.unwrap();
    assert_eq!(
        after(&b, chat, 1).await,
        [Told::Is(eva.id, MemberRole::Admin), Told::Removed(ana.id), Told::Is(eva.id, MemberRole::Owner)]
    );
}

pub async fn another_role_is_told(b: Backend) {
    let [ana, luis, eva] = b.people(["ana", "luis", "eva"]).await;
    let chat = b.group(ana, &[luis, eva]).await;
    let set = async |user: Person, role| b.chats.set_role(chat, user.id, role, at(5)).await;
    set(luis, MemberRole::Admin).await.unwrap();
    set(luis, MemberRole::Admin).await.unwrap();
    assert_matches!(set(ana, MemberRole::Member).await, Err(SetRoleError::OwnerStepsDown));
    set(ana, MemberRole::Owner).await.unwrap();
    set(luis, MemberRole::Member).await.unwrap();
    let told = [Told::Is(luis.id, MemberRole::Admin), Told::Is(luis.id, MemberRole::Member)];
    assert_eq!(after(&b, chat, 1).await, told);
    // The new owner, then the former.
    set(eva, MemberRole::Owner).await.unwrap();
    assert_eq!(
        after(&b, chat, 3).await,
        [Told::Is(eva.id, MemberRole::Owner), Told::Is(ana.id, MemberRole::Admin)]
    );
}

pub async fn to_read_on_is_told(b: Backend) {
    let [ana, luis, stranger] = b.people(["ana", "luis", "stranger"]).await;
    for chat in [b.group(ana, &[luis]).await, b.direct(ana, luis).await] {
        b.send_many(chat, ana, 5).await;
        let updated_at = b.view(chat, ana).await.chat.updated_at;
        for (user, to) in [(luis, 2), (luis, 1), (luis, 2), (luis, 99), (luis, 5), (ana, 5), (stranger, 5)] {
            b.chats.mark_read(chat, user.id, seq(to), at(50)).await.unwrap();
        }
        assert_eq!(after(&b, chat, 6).await, [Told::Read(luis.id, 2), Told::Read(luis.id, 5)]);
        // To send is to have read, without saying so.
        b.send(chat, ana, "hello", at(51)).await;
        b.send(chat, luis, "hello", at(51)).await;
        assert_eq!(after(&b, chat, 8).await, [Told::Sent(6), Told::Sent(7)]);
        assert!(updated_at < b.view(chat, ana).await.chat.updated_at);
    }
}

pub async fn an_edited_message_is_told(b: Backend) {
    let ana = b.person("ana").await;
    let chat = b.group(ana, &[]).await;
    let sent = b.send_many(chat, ana, 3).await;
    b.messages.delete(chat, sent[2].id, at(4)).await.unwrap();
    assert_eq!(b.messages.edit(chat, sent[2].id, &body("again"), at(5)).await.unwrap(), None);
    assert_eq!(b.messages.edit(chat, message_id(), &body("again"), at(5)).await.unwrap(), None);
    for n in [1, 0, 1] {
        assert!(b.messages.edit(chat, sent[n].id, &body("again"), at(5)).await.unwrap().is_some());
    }
    assert_eq!(after(&b, chat, 5).await, [Told::Edited(2), Told::Edited(1), Told::Edited(2)]);
}

pub async fn a_deleted_message_is_told_once(b: Backend) {
    let [ana, admin] = b.people(["ana", "admin"]).await;
    let chat = b.group(ana, &[]).await;
    let sent = b.send_many(chat, ana, 2).await;
    let remove = async |n: usize| b.moderation.remove_message(chat, sent[n].id, admin.id, None, at(6)).await.unwrap();
    for _ in 0..2 {
        assert!(b.messages.delete(chat, sent[1].id, at(5)).await.unwrap());
        assert!(remove(0).await && remove(1).await);
    }
    assert!(!b.messages.delete(chat, message_id(), at(5)).await.unwrap());
    assert!(!b.moderation.remove_message(chat, message_id(), admin.id, None, at(6)).await.unwrap());
    assert_eq!(after(&b, chat, 3).await, [Told::Deleted(2), Told::Deleted(1)]);
    assert_eq!(b.events_after(chat, 3).await.iter().map(|event| event.at).collect::<Vec<_>>(), [at(5), at(6)]);
}

pub async fn a_deleted_account_leaves_its_groups(b: Backend) {
    let [ana, luis, eva] = b.people(["ana", "luis", "eva"]).await;
    let [owned, joined, direct] = [b.group(ana, &[luis, eva]).await, b.group(luis, &[ana]).await, b.direct(ana, luis).await];
    b.chats.set_role(owned, eva.id, MemberRole::Admin, at(1)).await.unwrap();
    for chat in [owned, joined, direct] {
        b.send(chat, ana, "hello", at(2)).await;
    }
    b.users.delete(ana.id, false, at(5)).await.unwrap().unwrap();
    assert_eq!(after(&b, owned, 3).await, [Told::Removed(ana.id), Told::Is(eva.id, MemberRole::Owner)]);
    assert_eq!(after(&b, joined, 2).await, [Told::Removed(ana.id)]);
    assert_eq!(after(&b, direct, 2).await, []);
    assert_eq!(b.users.delete(ana.id, true, at(6)).await.unwrap(), None);
    assert_eq!(b.last_event(owned).await, 5);
}

pub async fn every_erased_message_is_told(b: Backend) {
    let [ana, luis] = b.people(["ana", "luis"]).await;
    let [group, left, direct] = [b.group(ana, &[luis]).await, b.group(luis, &[ana]).await, b.direct(ana, luis).await];
    let quiet = b.direct(luis, b.person("eva").await).await;
    for chat in [group, left, direct] {
        for n in 1..=2 {
            b.send(chat, ana, "hers", at(n)).await;
            b.send(chat, luis, "his", at(n)).await;
        }
        let deleted = b.send(chat, ana, "gone", at(3)).await;
        b.messages.delete(chat, deleted.id, at(4)).await.unwrap();
    }
    b.chats.remove_member(left, ana.id, false, at(5)).await.unwrap();
    let erased = b.users.delete(ana.id, true, at(9)).await.unwrap().unwrap();
    assert_eq!(erased.messages, 6);
    let gone = [Told::Deleted(1), Told::Deleted(3)];
    assert_eq!(
        after(&b, group, 7).await,
        [&[Told::Removed(ana.id), Told::Is(luis.id, MemberRole::Owner)][..], &gone].concat()
    );
    assert_eq!(after(&b, left, 8).await, gone);
    assert_eq!(after(&b, direct, 7).await, gone);
    assert_eq!(after(&b, quiet, 1).await, []);
    for chat in [group, left, direct] {
        assert_eq!(b.events_after(chat, 8).await.last().unwrap().at, at(9));
        assert_eq!(b.view(chat, luis).await.chat.updated_at, at(9));
        // And it goes on.
        b.send(chat, luis, "alone", at(10)).await;
        assert_eq!(b.whole_story(chat).await.last().unwrap().change.name(), "message.created");
    }
}

fn set(people: &[Person], now: i64) -> NewSetChat {
    NewSetChat {
        id: chat_id(),
        title: title("Set"),
        members: people.iter().map(|person| person.id).collect(),
        owner: people[0].id,
        note: None,
        at: at(now),
    }
}

fn note(sender: Person) -> Note {
    Note { text: NoteText::new("noted").unwrap(), sender: sender.id, at: at(0) }
}

async fn replace(b: &Backend, chat_id: ChatId, people: &[Person], now: i64) {
    let change = ReplaceMembers {
        chat_id,
        actor: people[0].id,
        members: people.iter().map(|person| person.id).collect(),
        title: title("Replaced"),
        note: Some(note(people[0])),
        at: at(now),
    };
    b.chats.replace_members(change).await.unwrap();
}

/// What happened in a chat after an event, in whatever order.
async fn all_after<const N: usize>(b: &Backend, chat: ChatId, event: i64, expected: [Told; N]) {
    let told = after(b, chat, event).await;
    assert!(told.len() == N && expected.iter().all(|one| told.contains(one)), "{told:?} is not {expected:?}");
}

pub async fn a_chat_of_a_set_begins_once(b: Backend) {
    let [ana, luis, eva] = b.people(["ana", "luis", "eva"]).await;
    let (chat, _) = b.chats.insert_set(NewSetChat { note: Some(note(ana)), ..set(&[ana, luis, eva], 5) }).await.unwrap();
    assert_eq!(b.chats.insert_set(set(&[eva, ana, luis], 6)).await.unwrap(), (chat, false));
    assert_eq!(after(&b, chat, 0).await, [Told::Created]);
    assert_eq!(b.events_after(chat, 0).await[0].at, at(5));
    for member in [ana, luis, eva] {
        let own = b.events.subscriptions(member.id).await.unwrap();
        assert_eq!((own[0].first_event, own[0].last_event), (event_seq(1), event_seq(1)));
    }
}

pub async fn a_note_is_no_event(b: Backend) {
    let [ana, luis] = b.people(["ana", "luis"]).await;
    let chat = b.direct(ana, luis).await;
    assert!(b.chats.set_note(chat, &note(ana), at(5)).await.unwrap());
    replace(&b, chat, &[luis, ana], 6).await;
    assert_eq!(after(&b, chat, 1).await, []);
}

pub async fn replaced_members_are_told(b: Backend) {
    let [ana, luis, eva, leo] = b.people(["ana", "luis", "eva", "leo"]).await;
    let (chat, _) = b.chats.insert_set(set(&[ana, luis, eva], 0)).await.unwrap();
    b.send(chat, ana, "hello", at(1)).await;
    replace(&b, chat, &[luis, ana, leo], 5).await;
    all_after(&b, chat, 2, [Told::Removed(eva.id), Told::Added(leo.id, MemberRole::Member, 1)]).await;
    // An owner who goes is followed, and whoever comes back is in again.
    b.chats.set_role(chat, leo.id, MemberRole::Admin, at(6)).await.unwrap();
    replace(&b, chat, &[luis, leo, eva], 7).await;
    let added = Told::Added(eva.id, MemberRole::Member, 1);
    all_after(&b, chat, 5, [Told::Removed(ana.id), added, Told::Is(leo.id, MemberRole::Owner)]).await;
    let departures = b.events.departures(ana.id, at(0)).await.unwrap();
    let removed = b.events_after(chat, 5).await.into_iter().find(|event| told(event.clone()) == Told::Removed(ana.id));
    assert_eq!(departures.len(), 1);
    assert_eq!((departures[0].chat_id, departures[0].deleted, departures[0].at), (chat, false, at(7)));
    assert_eq!(departures[0].seq, removed.unwrap().seq);
    assert_eq!(b.events.departures(eva.id, at(0)).await.unwrap(), []);
    let came = b.events_after(chat, 5).await.into_iter().find(|event| told(event.clone()) == added);
    assert_eq!(b.events.subscriptions(eva.id).await.unwrap()[0].first_event, came.unwrap().seq);
}

pub async fn a_chat_of_another_kind_is_an_updated_one(b: Backend) {
    let [ana, luis, eva] = b.people(["ana", "luis", "eva"]).await;
    let chat = b.direct(ana, luis).await;
    replace(&b, chat, &[luis, ana, eva], 5).await;
    let owner = Told::Is(luis.id, MemberRole::Owner);
    all_after(&b, chat, 1, [Told::Updated, Told::Added(eva.id, MemberRole::Member, 0), owner]).await;
    b.chats.set_role(chat, eva.id, MemberRole::Admin, at(6)).await.unwrap();
    replace(&b, chat, &[ana, eva], 7).await;
    all_after(&b, chat, 5, [Told::Updated, Told::Removed(luis.id), Told::Is(eva.id, MemberRole::Member)]).await;
    // Another pair is no other kind.
    replace(&b, chat, &[ana, luis], 8).await;
    all_after(&b, chat, 8, [Told::Removed(eva.id), Told::Added(luis.id, MemberRole::Member, 0)]).await;
}
