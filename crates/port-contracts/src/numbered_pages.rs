//! Numbered pages of users and of a chat's messages, with totals; users found by other things than their id.

use crate::Backend;
use crate::fixture::*;
use VisibleMessages::{Before, Newest, Oldest};
use futures_util::future::{join, join_all};
use std::collections::BTreeSet;
use tertulia_domain::repository::{UserChanges, VisibleMessages};
use tertulia_domain::{ChatId, Counted, Message, User, UserId, Window};

async fn users(b: &Backend, number: u32, size: u16) -> Counted<User> {
    b.users.list_counted(Window::page(number, size)).await.unwrap()
}

async fn visible(b: &Backend, chat: ChatId, which: VisibleMessages) -> Counted<Message> {
    b.overviews.list_messages(chat, which).await.unwrap().expect("the chat is there")
}

/// The numbers of the messages that are listed, and how many there are in all.
async fn numbers(b: &Backend, chat: ChatId, which: VisibleMessages) -> (Vec<i64>, i64) {
    let Counted { items, total } = visible(b, chat, which).await;
    (items.iter().map(|message| message.seq.get()).collect(), total)
}

fn newest(number: u32, size: u16) -> VisibleMessages {
    Newest(Window::page(number, size))
}

fn oldest(number: u32, size: u16) -> VisibleMessages {
    Oldest(Window::page(number, size))
}

/// Holds every page of that size against what is to be listed, the smallest number first.
async fn is_paged(b: &Backend, chat: ChatId, expected: &[i64], size: u16) {
    let total = i64::try_from(expected.len()).unwrap();
    let mut forwards: Vec<Vec<i64>> = expected.chunks(size.into()).map(<[i64]>::to_vec).collect();
    let backwards: Vec<i64> = expected.iter().rev().copied().collect();
    let mut backwards: Vec<Vec<i64>> = backwards.chunks(size.into()).map(<[i64]>::to_vec).collect();
    // Past the end there is nothing.
    forwards.extend([vec![], vec![]]);
    backwards.extend([vec![], vec![]]);
    for (number, (forwards, backwards)) in (1..).zip(forwards.into_iter().zip(backwards)) {
        let what = format!("page {number} of {size}");
        assert_eq!(numbers(b, chat, oldest(number, size)).await, (forwards, total), "oldest, {what}");
        assert_eq!(numbers(b, chat, newest(number, size)).await, (backwards, total), "newest, {what}");
    }
}

async fn delete(b: &Backend, chat: ChatId, messages: &[Message], numbers: &[usize]) {
    for number in numbers {
        assert!(b.messages.delete(chat, messages[number - 1].id, at(50)).await.unwrap());
    }
}

pub async fn a_user_is_found_by_number(b: Backend) {
    let [ana, luis] = [b.user("ana").await, b.user("luis").await];
    for user in [&ana, &luis] {
        assert_eq!(b.users.find_by_number(user.number).await.unwrap().as_ref(), Some(user));
    }
    for number in [0, -1, luis.number + 1, i64::MAX, i64::MIN] {
        assert_eq!(b.users.find_by_number(number).await.unwrap(), None, "{number}");
    }
    b.users.delete(ana.id, false, at(1)).await.unwrap();
    assert_eq!(b.users.find_by_number(ana.number).await.unwrap(), None);
    assert_eq!(b.users.find_by_number(luis.number).await.unwrap(), Some(luis));
}

pub async fn a_user_is_found_by_username_in_any_case(b: Backend) {
    let [ana, _] = [b.user("Ana.Lopez").await, b.user("ana").await];
    for name in ["ana.lopez", "ANA.LOPEZ", "Ana.Lopez"] {
        assert_eq!(b.users.find_by_username(&username(name)).await.unwrap().as_ref(), Some(&ana), "{name}");
    }
    for name in ["ana.lope", "ana.lopez2", "luis"] {
        assert_eq!(b.users.find_by_username(&username(name)).await.unwrap(), None, "{name}");
    }
    let renamed = UserChanges { username: Some(Some(username("lopez"))), ..UserChanges::default() };
    let ana = b.users.update(ana.id, renamed, at(1)).await.unwrap();
    assert_eq!(b.users.find_by_username(&username("Ana.Lopez")).await.unwrap(), None);
    assert_eq!(b.users.find_by_username(&username("LOPEZ")).await.unwrap(), Some(ana.clone()));
    b.users.delete(ana.id, false, at(2)).await.unwrap();
    assert_eq!(b.users.find_by_username(&username("lopez")).await.unwrap(), None);
}

pub async fn several_users_are_found_at_once(b: Backend) {
    let mut all = Vec::new();
    for n in 0..5 {
        all.push(b.user(&format!("user{n}")).await);
    }
    b.users.delete(all[3].id, false, at(1)).await.unwrap();
    let find = async |ids: Vec<UserId>| {
        let mut found = b.users.find_many(ids).await.unwrap();
        found.sort_by_key(|user| user.number);
        found
    };
    assert_eq!(find(vec![]).await, []);
    assert_eq!(find(vec![user_id(), all[3].id]).await, []);
    let wanted = vec![all[4].id, user_id(), all[0].id, all[3].id, all[2].id];
    assert_eq!(find(wanted).await, [all[0].clone(), all[2].clone(), all[4].clone()]);
    assert_eq!(find(vec![all[1].id, all[1].id]).await, all[1..2], "each is given once");
    let mut many: Vec<UserId> = (0..1_000).map(|_| user_id()).collect();
    many.push(all[1].id);
    assert_eq!(find(many).await, all[1..2]);
}

pub async fn users_are_counted_and_paged_by_number(b: Backend) {
    assert_eq!(users(&b, 1, 10).await, Counted { items: vec![], total: 0 });
    let mut all = Vec::new();
    for n in 0..7 {
        all.push(b.user(&format!("user{n}")).await);
    }
    for gone in [0, 3] {
        b.users.delete(all[gone].id, false, at(1)).await.unwrap();
    }
    all.retain(|user| user.username != Some(username("user0")) && user.username != Some(username("user3")));
    for size in [1, 2, 3, 4, 5, 6, 1_000] {
        let mut pages: Vec<_> = all.chunks(size.into()).map(<[User]>::to_vec).collect();
        pages.extend([vec![], vec![]]);
        for (number, items) in (1..).zip(pages) {
            assert_eq!(users(&b, number, size).await, Counted { items, total: 5 }, "page {number} of {size}");
        }
    }
    assert_eq!(users(&b, u32::MAX, 1_000).await, Counted { items: vec![], total: 5 });
}

pub async fn an_unknown_chat_has_no_messages_to_page(b: Backend) {
    for which in [newest(1, 10), newest(2, 10), oldest(1, 10), Before(message_id(), 10)] {
        assert_eq!(b.overviews.list_messages(chat_id(), which).await.unwrap(), None, "{which:?}");
    }
    let ana = b.person("ana").await;
    let chat = b.group(ana, &[]).await;
    let sent = b.send_many(chat, ana, 2).await;
    b.chats.delete(chat).await.unwrap();
    for which in [newest(1, 10), oldest(1, 10), Before(sent[1].id, 10)] {
        assert_eq!(b.overviews.list_messages(chat, which).await.unwrap(), None, "{which:?}");
    }
}

pub async fn an_empty_chat_has_empty_pages(b: Backend) {
    let ana = b.person("ana").await;
    let full = b.group(ana, &[]).await;
    b.send_many(full, ana, 3).await;
    let chat = b.group(ana, &[]).await;
    is_paged(&b, chat, &[], 10).await;
}

pub async fn pages_of_messages_have_exact_edges(b: Backend) {
    let [ana, luis] = b.people(["ana", "luis"]).await;
    let other = b.group(ana, &[luis]).await;
    let chat = b.direct(ana, luis).await;
    // Two chats' messages, mixed.
    for n in 1..=7 {
        b.send(other, ana, "other", at(n)).await;
        b.send(chat, ana, "this", at(n)).await;
    }
    for size in [1, 2, 3, 6, 7, 8, 1_000] {
        is_paged(&b, chat, &[1, 2, 3, 4, 5, 6, 7], size).await;
    }
    for which in [newest(u32::MAX, 1_000), oldest(u32::MAX, 1_000)] {
        assert_eq!(numbers(&b, chat, which).await, (vec![], 7), "{which:?}");
    }
}

pub async fn deleted_messages_are_neither_shown_nor_counted(b: Backend) {
    let [ana, luis] = b.people(["ana", "luis"]).await;
    for (deleted, left) in [
        (vec![4, 5], vec![1, 2, 3, 6, 7, 8, 9]),
        (vec![9], vec![1, 2, 3, 4, 5, 6, 7, 8]),
        (vec![1], vec![2, 3, 4, 5, 6, 7, 8, 9]),
        (vec![1, 2, 5, 8, 9], vec![3, 4, 6, 7]),
        (vec![1, 2, 3, 4, 5, 6, 7, 8, 9], vec![]),
    ] {
        let chat = b.group(ana, &[luis]).await;
        let sent = b.send_many(chat, ana, 9).await;
        delete(&b, chat, &sent, &deleted).await;
        // Deleted once more, it is not counted off twice.
        delete(&b, chat, &sent, &deleted[..1]).await;
        for size in [1, 2, 3, 4, 9] {
            is_paged(&b, chat, &left, size).await;
        }
        b.send(chat, luis, "next", at(60)).await;
        let left: Vec<i64> = left.into_iter().chain([10]).collect();
        is_paged(&b, chat, &left, 3).await;
    }
}

pub async fn messages_gone_with_their_sender_are_not_shown(b: Backend) {
    let [ana, luis] = b.people(["ana", "luis"]).await;
    let chat = b.direct(ana, luis).await;
    for n in 0..3 {
        b.send(chat, ana, "hello", at(n)).await;
        b.send(chat, luis, "hello", at(n)).await;
    }
    b.users.delete(luis.id, true, at(9)).await.unwrap();
    is_paged(&b, chat, &[1, 3, 5], 2).await;
    b.users.delete(ana.id, false, at(10)).await.unwrap();
    is_paged(&b, chat, &[1, 3, 5], 2).await;
    assert_eq!(visible(&b, chat, newest(1, 1)).await.items[0].sender.username, None);
}

pub async fn messages_are_listed_before_a_message(b: Backend) {
    let ana = b.person("ana").await;
    let [chat, other] = [b.group(ana, &[]).await, b.group(ana, &[]).await];
    let sent = b.send_many(chat, ana, 9).await;
    let foreign = b.send(other, ana, "other", at(20)).await.id;
    let before = async |number: usize, most| numbers(&b, chat, Before(sent[number - 1].id, most)).await;
    assert_eq!(before(9, 3).await, (vec![8, 7, 6], 9));
    assert_eq!(before(3, 3).await, (vec![2, 1], 9));
    assert_eq!(before(3, 2).await, (vec![2, 1], 9));
    assert_eq!(before(1, 3).await, (vec![], 9));
    assert_eq!(before(5, 0).await, (vec![], 9));
    assert_eq!(before(9, u16::MAX).await.0.len(), 8);
    delete(&b, chat, &sent, &[2, 5, 6]).await;
    assert_eq!(before(9, 3).await, (vec![8, 7, 4], 6));
    assert_eq!(before(6, 3).await, (vec![4, 3, 1], 6), "before one that is deleted");
    assert_eq!(before(2, 3).await, (vec![1], 6));
    for id in [foreign, message_id()] {
        assert_eq!(b.overviews.list_messages(chat, Before(id, 3)).await.unwrap(), None);
    }
}

pub async fn a_numbered_page_shows_what_history_shows(b: Backend) {
    let [ana, luis] = b.people(["ana", "luis"]).await;
    let chat = b.group(ana, &[luis]).await;
    let first = b.send(chat, luis, "first", at(1)).await;
    let mut answer = ana.message(chat, "answer", at(2));
    answer.reply_to = Some(first.id);
    answer.addressee = Some(luis.id);
    b.messages.append(answer).await.unwrap();
    let files = [b.file(ana, 1).await, b.image(ana, 2).await];
    let last = b.attach(chat, ana, &files, at(3)).await.unwrap();
    b.messages.edit(chat, first.id, &body("edited"), at(4)).await.unwrap();
    let avatar = b.image(luis, 3).await;
    b.users.set_avatar(luis.id, Some(avatar), at(5)).await.unwrap();
    let renamed = UserChanges { username: Some(Some(username("lucho"))), ..UserChanges::default() };
    b.users.update(luis.id, renamed, at(5)).await.unwrap();
    let history = b.whole_history(chat, ana).await;
    assert_eq!(visible(&b, chat, oldest(1, 10)).await, Counted { items: history.clone(), total: 3 });
    assert_eq!(visible(&b, chat, newest(3, 1)).await.items, history[..1]);
    assert_eq!(visible(&b, chat, Before(last.id, 1)).await.items, history[1..2]);
    // With the answered message deleted, too.
    delete(&b, chat, &history, &[1]).await;
    let history = b.whole_history(chat, ana).await;
    assert_eq!(visible(&b, chat, oldest(1, 10)).await, Counted { items: history[1..].to_vec(), total: 2 });
    assert_eq!(visible(&b, chat, newest(2, 1)).await.items, history[1..2]);
}

pub async fn numbered_pages_read_while_many_send(b: Backend) {
    let crowd = b.crowd(6).await;
    let chat = b.group(crowd[0], &crowd[1..]).await;
    let sending = join_all(crowd.iter().map(async |person| {
        for n in 0..8 {
            b.send(chat, *person, "hello", at(n)).await;
        }
    }));
    let reading = async {
        for _ in 0..60 {
            // Whatever moment it was: items and total are of the same one.
            let Counted { items, total } = visible(&b, chat, newest(1, 1_000)).await;
            assert_eq!(items.len(), usize::try_from(total).unwrap());
            let distinct: BTreeSet<_> = items.iter().map(|message| message.seq).collect();
            assert_eq!(distinct.len(), items.len());
            assert_eq!(items.first().map_or(0, |message| message.seq.get()), total);
        }
    };
    join(sending, reading).await;
    assert_eq!(visible(&b, chat, newest(1, 1)).await.total, 48);
}
