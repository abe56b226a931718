use crate::Backend;
use crate::fixture::*;
use tertulia_domain::repository::{InsertChatError, ListMessages, ListMessagesError, NewDirectChat, NewGroup};
use tertulia_domain::{Chat, ChatKind, MemberRole, Membership, MessageRange, Seq, Timestamp, UserId};

fn direct(creator: Person, other: Person, at: Timestamp) -> NewDirectChat {
    NewDirectChat { id: chat_id(), creator: creator.id, other: other.id, at }
}

fn sorted(ids: impl IntoIterator<Item = UserId>) -> Vec<UserId> {
    let mut ids: Vec<_> = ids.into_iter().collect();
    ids.sort();
    ids
}

pub async fn a_direct_chat_is_made_once_for_both(b: Backend) {
    let [ana, luis] = b.people(["ana", "luis"]).await;
    let new = direct(ana, luis, at(5));
    let first = fresh_of(b.chats.insert_direct(new, None).await.unwrap());
    assert!(first.created);
    let chat = Chat {
        avatar: None,
        id: new.id,
        number: first.view.chat.number,
        kind: ChatKind::Direct,
        created_at: at(5),
        updated_at: at(5),
        active_at: at(5),
        member_count: 2,
        last_seq: Seq::ZERO,
        last_event: event_seq(1),
    };
    assert_eq!(first.view.chat, chat);
    assert!(chat.number > 0);
    let membership = Membership { role: MemberRole::Member, joined_at: at(5), read_seq: Seq::ZERO };
    assert_eq!(first.view.membership, Some(membership));
    assert_eq!(first.view.last_message, None);
    assert_eq!(sorted(first.view.members.iter().map(|member| member.user.id)), sorted([ana.id, luis.id]));
    for member in &first.view.members {
        assert_eq!(member.membership, membership);
        assert_eq!(member.user, b.find_user(member.user.id).await);
    }

    b.send(chat.id, ana, "hello", at(6)).await;
    for (creator, other, read) in [(ana, luis, 1), (luis, ana, 0)] {
        let again = fresh_of(b.chats.insert_direct(direct(creator, other, at(9)), None).await.unwrap());
        assert!(!again.created);
        assert_eq!(again.view, b.view(chat.id, creator).await);
        let chat = Chat {
        avatar: None, last_seq: seq(1), last_event: event_seq(2), active_at: at(6), updated_at: at(6), ..chat.clone() };
        assert_eq!(again.view.chat, chat, "it is as it was");
        assert_eq!(again.view.read_seq(), seq(read));
        assert_eq!(b.chat_page(creator, None, 10).await.items.len(), 1);
    }
}

pub async fn everybody_has_their_own_direct_chats(b: Backend) {
    let [ana, luis, eva] = b.people(["ana", "luis", "eva"]).await;
    let chats = [b.direct(ana, luis).await, b.direct(eva, ana).await, b.direct(luis, eva).await];
    assert!(chats[0] != chats[1] && chats[1] != chats[2] && chats[0] != chats[2]);
    for (person, count) in [(ana, 2), (luis, 2), (eva, 2)] {
        assert_eq!(b.chat_page(person, None, 10).await.items.len(), count);
    }
}

pub async fn a_direct_chat_needs_two_users(b: Backend) {
    let [ana, gone] = b.people(["ana", "gone"]).await;
    b.users.delete(gone.id, false, at(1)).await.unwrap();
    for other in [gone.id, user_id()] {
        let new = NewDirectChat { other, ..direct(ana, gone, at(2)) };
        let outcome = b.chats.insert_direct(new, None).await;
        assert_matches!(outcome, Err(InsertChatError::UserNotFound(id)) if id == other);
        assert_eq!(b.chats.find(new.id, ana.id).await.unwrap(), None);
    }
    assert!(b.chat_page(ana, None, 10).await.items.is_empty());
}

pub async fn a_group_is_made_with_its_members(b: Backend) {
    let [ana, luis, eva, stranger] = b.people(["ana", "luis", "eva", "stranger"]).await;
    let text = "Los 'lunes' \"\\ %_ 😀";
    let new = NewGroup { title: title(text), at: at(5), ..new_group(luis, &[ana, eva]) };
    let made = fresh_of(b.chats.insert_group(new.clone(), None).await.unwrap());
    assert!(made.created);
    let chat = Chat {
        avatar: None,
        id: new.id,
        number: made.view.chat.number,
        kind: ChatKind::Group { title: title(text) },
        created_at: at(5),
        updated_at: at(5),
        active_at: at(5),
        member_count: 3,
        last_seq: Seq::ZERO,
        last_event: event_seq(1),
    };
    assert_eq!(made.view.chat, chat);
    let membership = |role| Membership { role, joined_at: at(5), read_seq: Seq::ZERO };
    assert_eq!(made.view.membership, Some(membership(MemberRole::Owner)));
    assert_eq!(made.view.last_message, None);
    let preview: Vec<_> = made.view.members.iter().map(|member| member.user.id).collect();
    assert_eq!(preview, sorted([ana.id, luis.id, eva.id]), "who joined together stands by id");
    assert_eq!(made.view.members, b.members(new.id).await);
    for person in [ana, luis, eva] {
        let role = if person == luis { MemberRole::Owner } else { MemberRole::Member };
        let member = b.member(new.id, person).await;
        assert_eq!((member.membership, member.user), (membership(role), b.find_user(person.id).await));
        let view = b.view(new.id, person).await;
        assert_eq!((view.chat, view.membership), (chat.clone(), Some(membership(role))));
        assert_eq!(b.chat_page(person, None, 10).await.items.len(), 1);
    }
    assert!(b.chat_page(stranger, None, 10).await.items.is_empty());
}

pub async fn a_group_may_begin_with_its_owner_alone(b: Backend) {
    let ana = b.person("ana").await;
    let group = b.group(ana, &[]).await;
    let view = b.view(group, ana).await;
    assert_eq!((view.chat.member_count, view.members.len()), (1, 1));
    // As many as one likes, of one name.
    assert_ne!(b.group(ana, &[]).await, group);
}

pub async fn a_group_may_begin_large(b: Backend) {
    let crowd = b.crowd(120).await;
    let group = b.group(crowd[0], &crowd[1..]).await;
    let members = b.members(group).await;
    assert_eq!(members.len(), 120);
    assert_eq!(members.iter().filter(|member| member.membership.role == MemberRole::Owner).count(), 1);
    assert_eq!(b.view(group, crowd[7]).await.members, members[..10]);
}

pub async fn a_group_is_made_with_all_of_its_members_or_not_at_all(b: Backend) {
    let [ana, luis, gone] = b.people(["ana", "luis", "gone"]).await;
    b.users.delete(gone.id, false, at(1)).await.unwrap();
    for missing in [gone.id, user_id()] {
        let mut new = new_group(ana, &[]);
        new.members = vec![luis.id, missing];
        let outcome = b.chats.insert_group(new.clone(), None).await;
        assert_matches!(outcome, Err(InsertChatError::UserNotFound(id)) if id == missing);
        assert_eq!(b.chats.find(new.id, ana.id).await.unwrap(), None);
        assert_eq!(b.chats.find_member(new.id, luis.id).await.unwrap(), None);
        assert!(b.chat_page(ana, None, 10).await.items.is_empty());
        assert!(b.chat_page(luis, None, 10).await.items.is_empty());
    }
}

pub async fn times_keep_their_milliseconds(b: Backend) {
    let [ana, luis] = b.people(["ana", "luis"]).await;
    for millis in [0, 1, 999, 1_750_000_000_001, i64::MAX] {
        let time = Timestamp::from_millis(millis);
        let made = NewGroup { at: time, ..new_group(ana, &[luis]) };
        let view = fresh_of(b.chats.insert_group(made.clone(), None).await.unwrap()).view;
        assert_eq!((view.chat.created_at, view.chat.updated_at, view.chat.active_at), (time, time, time));
        assert_eq!(b.view(made.id, ana).await, view);
        assert_eq!(b.member(made.id, luis).await.membership.joined_at, time);
    }
}

pub async fn chat_numbers_are_never_reused(b: Backend) {
    let [ana, luis] = b.people(["ana", "luis"]).await;
    let mut last = 0;
    for n in 0..6 {
        let chat = if n % 2 == 0 { b.group(ana, &[]).await } else { b.direct(ana, luis).await };
        let number = b.view(chat, ana).await.chat.number;
        assert!(number > last);
        last = number;
        assert!(b.chats.delete(chat, at(9)).await.unwrap());
    }
}

pub async fn an_outsider_finds_a_chat_without_a_place_in_it(b: Backend) {
    let [ana, luis, stranger] = b.people(["ana", "luis", "stranger"]).await;
    for chat in [b.group(ana, &[luis]).await, b.direct(ana, luis).await] {
        b.send(chat, ana, "hello", at(1)).await;
        let inside = b.view(chat, ana).await;
        let outside = b.view(chat, stranger).await;
        assert_eq!(outside.membership, None);
        assert_eq!((outside.chat, outside.last_message, outside.members), (inside.chat, inside.last_message, inside.members));
        let nobody = b.chats.find(chat, user_id()).await.unwrap().unwrap();
        assert_eq!(nobody.membership, None);
    }
    assert_eq!(b.chats.find(chat_id(), ana.id).await.unwrap(), None);
}

pub async fn a_chat_shows_who_has_read_how_much(b: Backend) {
    let [ana, luis, eva] = b.people(["ana", "luis", "eva"]).await;
    let chat = b.group(ana, &[luis, eva]).await;
    b.send_many(chat, ana, 3).await;
    b.send(chat, luis, "and I", at(4)).await;
    for (person, read, unread) in [(ana, 3, 1), (luis, 4, 0), (eva, 0, 4)] {
        let view = b.view(chat, person).await;
        assert_eq!((view.read_seq(), view.unread_count()), (seq(read), unread));
        assert_eq!(b.chat_page(person, None, 1).await.items[0].unread_count(), unread);
        let preview = view.members.iter().find(|member| member.user.id == person.id).unwrap();
        assert_eq!(preview.membership, view.membership.unwrap());
        assert_eq!(preview, &b.member(chat, person).await);
    }
}

pub async fn a_preview_shows_the_ten_longest_standing(b: Backend) {
    let crowd = b.crowd(13).await;
    let group = b.group(crowd[0], &[]).await;
    // They join against the order in which they are made, the last four at one time.
    for (n, person) in (1..).zip(crowd[1..].iter().rev()) {
        b.join(group, *person, at(n.min(9))).await;
    }
    let members = b.members(group).await;
    assert_eq!(members.len(), 13);
    for viewer in [crowd[0], crowd[1], crowd[12]] {
        assert_eq!(b.view(group, viewer).await.members, members[..10]);
    }
}

pub async fn a_group_is_renamed(b: Backend) {
    let [ana, luis] = b.people(["ana", "luis"]).await;
    let group = b.group(ana, &[luis]).await;
    let other = b.group(ana, &[]).await;
    let before = b.view(group, ana).await;
    assert!(b.chats.rename(group, &title("Música 'n' \\ 😀"), at(5)).await.unwrap());
    let mut expected = before.clone();
    expected.chat.kind = ChatKind::Group { title: title("Música 'n' \\ 😀") };
    expected.chat.updated_at = at(5);
    expected.chat.last_event = event_seq(2);
    assert_eq!(b.view(group, ana).await, expected);
    assert_eq!(b.view(other, ana).await.chat.kind.title(), Some(&title("Tertulia")));
}

pub async fn only_groups_are_renamed(b: Backend) {
    let [ana, luis] = b.people(["ana", "luis"]).await;
    let direct = b.direct(ana, luis).await;
    let before = b.view(direct, ana).await;
    assert!(!b.chats.rename(direct, &title("x"), at(5)).await.unwrap());
    assert!(!b.chats.rename(chat_id(), &title("x"), at(5)).await.unwrap());
    assert_eq!(b.view(direct, ana).await, before);
}

pub async fn a_deleted_chat_is_gone_with_everything_in_it(b: Backend) {
    let [ana, luis] = b.people(["ana", "luis"]).await;
    let kept = b.group(ana, &[luis]).await;
    let kept_message = b.send(kept, ana, "kept", at(1)).await;
    for chat in [b.group(ana, &[luis]).await, b.direct(ana, luis).await] {
        let message = b.send(chat, ana, "hello", at(1)).await;
        let mut answer = luis.message(chat, "hello yourself", at(2));
        answer.reply_to = Some(message.id);
        b.messages.append(answer).await.unwrap();

        assert!(b.chats.delete(chat, at(9)).await.unwrap());
        assert_eq!(b.chats.find(chat, ana.id).await.unwrap(), None);
        assert_eq!(b.chats.find_member(chat, ana.id).await.unwrap(), None);
        assert!(b.chats.list_members(chat, None, limit(10)).await.unwrap().items.is_empty());
        assert_eq!(b.chats.mark_read(chat, ana.id, seq(1), at(9)).await.unwrap(), None);
        assert_eq!(b.messages.find(chat, message.id, ana.id).await.unwrap(), None);
        assert_eq!(b.messages.edit(chat, message.id, &body("x"), at(3)).await.unwrap(), None);
        assert!(!b.messages.delete(chat, message.id, at(3)).await.unwrap());
        let list = ListMessages {
            chat_id: chat,
            session: ana.session,
            range: MessageRange::Newest,
            limit: limit(10),
            at: at(3),
        };
        assert_matches!(b.messages.list(list).await, Err(ListMessagesError::ChatNotFound));
        assert!(!b.chats.delete(chat, at(9)).await.unwrap(), "it is gone already");
    }
    assert!(!b.chats.delete(chat_id(), at(9)).await.unwrap());
    for person in [ana, luis] {
        let left = b.chat_page(person, None, 10).await.items;
        assert_eq!(left.iter().map(|view| view.chat.id).collect::<Vec<_>>(), [kept]);
    }
    assert_eq!(b.whole_history(kept, luis).await, [kept_message]);
}

pub async fn after_its_deletion_a_direct_chat_begins_anew(b: Backend) {
    let [ana, luis] = b.people(["ana", "luis"]).await;
    let old = b.direct(ana, luis).await;
    b.send(old, ana, "hello", at(1)).await;
    assert!(b.chats.delete(old, at(9)).await.unwrap());
    let new = fresh_of(b.chats.insert_direct(direct(luis, ana, at(9)), None).await.unwrap());
    assert!(new.created);
    assert_ne!(new.view.chat.id, old);
    assert_eq!((new.view.chat.last_seq, new.view.chat.created_at), (Seq::ZERO, at(9)));
    assert_eq!(b.send(new.view.chat.id, ana, "hello again", at(10)).await.seq, seq(1));
}
