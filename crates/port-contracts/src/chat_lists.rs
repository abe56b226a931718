//! The list of a user's chats.

use crate::Backend;
use crate::fixture::*;
use std::cmp::Reverse;
use std::collections::BTreeSet;
use tertulia_domain::repository::{ListChatsError, NewGroup, UserChanges};
use tertulia_domain::{ChatCursor, ChatId, ChatView, ClaimedSession, MessageContent, Page, Timestamp};

/// A group of one, made at that time.
async fn group_at(b: &Backend, owner: Person, at: Timestamp) -> ChatId {
    let new = NewGroup { at, ..new_group(owner, &[]) };
    fresh_of(b.chats.insert_group(new, None).await.unwrap()).view.chat.id
}

fn ids(views: &[ChatView]) -> Vec<ChatId> {
    views.iter().map(|view| view.chat.id).collect()
}

fn cursor(view: &ChatView) -> ChatCursor {
    ChatCursor { active_at: view.chat.active_at, id: view.chat.id }
}

pub async fn the_most_recently_active_come_first(b: Backend) {
    let [ana, luis] = b.people(["ana", "luis"]).await;
    assert_eq!(b.chat_page(ana, None, 10).await, Page { items: vec![], next: None });
    let middle = group_at(&b, ana, at(20)).await;
    let oldest = group_at(&b, ana, at(10)).await;
    let newest = group_at(&b, ana, at(30)).await;
    group_at(&b, luis, at(40)).await;
    assert_eq!(ids(&b.chat_page(ana, None, 10).await.items), [newest, middle, oldest]);
    b.send(oldest, ana, "hello", at(50)).await;
    assert_eq!(ids(&b.chat_page(ana, None, 10).await.items), [oldest, newest, middle]);
    // To rename, to read, to let somebody in: none of it is activity.
    b.chats.rename(middle, &title("Other"), at(60)).await.unwrap();
    b.chats.mark_read(middle, ana.id, seq(1), at(9)).await.unwrap();
    b.join(newest, luis, at(70)).await;
    assert_eq!(ids(&b.chat_page(ana, None, 10).await.items), [oldest, newest, middle]);
    assert_eq!(ids(&b.chat_page(luis, None, 1).await.items).len(), 1);
}

pub async fn chats_active_at_one_time_stand_by_id(b: Backend) {
    let ana = b.person("ana").await;
    let mut chats = Vec::new();
    for n in 0..12 {
        chats.push(((n / 6) * 10, group_at(&b, ana, at((n / 6) * 10)).await));
    }
    chats.sort_by_key(|chat| Reverse(*chat));
    let expected: Vec<_> = chats.into_iter().map(|(_, id)| id).collect();
    assert_eq!(ids(&b.chat_page(ana, None, 50).await.items), expected);
    for size in [1, 2, 3, 5] {
        let pages = walk(async |after| b.chat_page(ana, after, size).await).await;
        assert_eq!(ids(&pages.concat()), expected, "pages of {size}");
    }
}

pub async fn the_last_page_of_chats_says_so(b: Backend) {
    let ana = b.person("ana").await;
    for n in 0..6 {
        group_at(&b, ana, at(n)).await;
    }
    let all = b.chat_page(ana, None, 50).await.items;
    assert_eq!(all.len(), 6);
    for (size, pages) in [(1, 6), (2, 3), (3, 2), (4, 2), (5, 2), (6, 1), (7, 1)] {
        let walked = walk(async |after| b.chat_page(ana, after, size).await).await;
        assert_eq!(walked.len(), pages, "pages of {size}");
        assert_eq!(walked.concat(), all, "pages of {size}");
    }
    assert_eq!(b.chat_page(ana, None, 2).await.next, Some(cursor(&all[1])));
    let past = b.chat_page(ana, Some(cursor(&all[5])), 10).await;
    assert_eq!(past, Page { items: vec![], next: None });
}

pub async fn a_walk_over_chats_never_repeats(b: Backend) {
    let ana = b.person("ana").await;
    let mut all = Vec::new();
    for n in 0..30 {
        // Some at one time.
        all.push(group_at(&b, ana, at(n / 3)).await);
    }
    let quiet: BTreeSet<_> = all.iter().copied().enumerate().filter(|(n, _)| n % 3 != 0).map(|(_, id)| id).collect();
    let mut seen = Vec::new();
    let mut after = None;
    for round in 0_i64.. {
        let Page { items, next } = b.chat_page(ana, after, 4).await;
        seen.extend(ids(&items));
        let Some(next) = next else { break };
        after = Some(next);
        assert!(round < 30);
        // A new chat comes; one that was seen and one that is yet to be seen become active.
        group_at(&b, ana, at(1_000 + round)).await;
        let noisy = |id: &&ChatId| !quiet.contains(id);
        if let Some(chat) = seen.iter().rev().find(noisy) {
            b.send(*chat, ana, "seen", at(2_000 + round)).await;
        }
        if let Some(chat) = all.iter().filter(noisy).find(|id| !seen.contains(id)) {
            b.send(*chat, ana, "ahead", at(3_000 + round)).await;
        }
    }
    let distinct: BTreeSet<_> = seen.iter().copied().collect();
    assert_eq!(distinct.len(), seen.len(), "a chat twice");
    assert!(quiet.is_subset(&distinct), "a chat missed that nothing happened to");
}

pub async fn a_walk_over_chats_goes_on_where_its_chat_was(b: Backend) {
    let ana = b.person("ana").await;
    let mut chats = Vec::new();
    for n in 0..9 {
        chats.push(group_at(&b, ana, at(-n)).await);
    }
    let first = b.chat_page(ana, None, 3).await;
    assert_eq!(ids(&first.items), chats[..3]);
    // The chat that the cursor names goes.
    assert!(b.chats.delete(chats[2], at(9)).await.unwrap());
    let second = b.chat_page(ana, first.next, 3).await;
    assert_eq!(ids(&second.items), chats[3..6]);
    // It moves to the front.
    b.send(chats[5], ana, "hello", at(5)).await;
    let third = b.chat_page(ana, second.next, 3).await;
    assert_eq!(ids(&third.items), chats[6..]);
    assert_eq!(third.next, None);
}

pub async fn a_list_takes_a_living_session(b: Backend) {
    let [ana, luis] = b.people(["ana", "luis"]).await;
    b.group(ana, &[]).await;
    let new = new_session(ana.id, at(0), at(100));
    let short = ClaimedSession { session_id: new.session.id, user_id: ana.id };
    b.sessions.insert(new, 10).await.unwrap();
    let list = async |session, now| b.chats.list(session, None, limit(10), at(now)).await;
    assert_eq!(list(short, 99).await.unwrap().items.len(), 1);
    for now in [100, 101] {
        assert_matches!(list(short, now).await, Err(ListChatsError::SessionEnded));
    }
    let others = ClaimedSession { user_id: luis.id, ..ana.session };
    let unknown = ClaimedSession { session_id: session_id(), ..ana.session };
    for session in [others, unknown] {
        assert_matches!(list(session, 1).await, Err(ListChatsError::SessionEnded));
    }
    b.sessions.end(ana.id, ana.session.session_id).await.unwrap();
    assert_matches!(list(ana.session, 1).await, Err(ListChatsError::SessionEnded));
    // Nothing to list is another thing than nobody to list it for.
    assert!(list(luis.session, 1).await.unwrap().items.is_empty());
    b.users.delete(luis.id, false, at(1)).await.unwrap();
    assert_matches!(list(luis.session, 1).await, Err(ListChatsError::SessionEnded));
}

pub async fn lists_show_what_a_single_chat_shows(b: Backend) {
    let [ana, luis, eva] = b.people(["ana", "luis", "eva"]).await;
    let group = b.group(luis, &[ana, eva]).await;
    let direct = b.direct(ana, luis).await;
    let empty = b.direct(eva, ana).await;
    for chat in [group, direct] {
        let first = b.send(chat, luis, "hello", at(1)).await;
        let mut answer = luis.message(chat, "is anybody there?", at(2));
        answer.reply_to = Some(first.id);
        b.messages.append(answer).await.unwrap();
    }
    b.users.update(luis.id, UserChanges { username: Some(Some(username("lucho"))), ..UserChanges::default() }, at(3)).await.unwrap();
    let listed = b.chat_page(ana, None, 10).await.items;
    assert_eq!(listed.len(), 3);
    for view in listed {
        let mut single = b.view(view.chat.id, ana).await;
        if view.chat.id == group {
            assert_eq!((single.members.len(), view.members.len()), (3, 0), "members of groups are not listed");
            single.members.clear();
        } else {
            assert_eq!(view.members.len(), 2);
        }
        if view.chat.id == empty {
            assert_eq!(view.last_message, None);
        } else {
            let message = view.last_message.as_ref().unwrap();
            assert_eq!((message.seq, &message.sender.username), (seq(2), &Some(username("lucho"))));
            assert_eq!(message.reply_to.as_ref().unwrap().body, Some(body("hello")));
            assert_eq!(view.unread_count(), 2);
        }
        assert_eq!(view, single);
    }
}

pub async fn the_last_message_is_shown_deleted_or_edited(b: Backend) {
    let [ana, luis] = b.people(["ana", "luis"]).await;
    let chat = b.group(ana, &[luis]).await;
    b.send(chat, ana, "first", at(1)).await;
    let last = b.send(chat, ana, "last", at(2)).await;
    let shown = async || {
        let listed = b.chat_page(luis, None, 10).await.items.remove(0);
        assert_eq!(listed.last_message, b.view(chat, luis).await.last_message);
        assert_eq!(listed.unread_count(), 2);
        listed.last_message.unwrap()
    };
    assert_eq!(shown().await, last);
    b.messages.edit(chat, last.id, &body("changed"), at(3)).await.unwrap();
    assert_eq!(shown().await.body(), Some(&body("changed")));
    b.messages.delete(chat, last.id, at(4)).await.unwrap();
    let deleted = shown().await;
    assert_eq!((deleted.seq, deleted.content), (seq(2), MessageContent::Deleted { at: at(4) }));
}
