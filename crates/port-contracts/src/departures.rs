//! The last event of a chat for those who are not in it any more.

use crate::Backend;
use crate::fixture::*;
use std::collections::BTreeMap;
use tertulia_domain::{ChatId, Departure, Timestamp};

async fn departures(b: &Backend, user: Person, since: Timestamp) -> BTreeMap<ChatId, Departure> {
    let found = b.events.departures(user.id, since).await.unwrap();
    let count = found.len();
    // The chat's number is looked at in a case of its own.
    let found = found.into_iter().map(|departure| (departure.chat_id, Departure { number: 0, ..departure }));
    let found: BTreeMap<_, _> = found.collect();
    assert_eq!(found.len(), count, "one for each chat");
    found
}

fn departure(chat_id: ChatId, event: i64, now: i64, deleted: bool) -> Departure {
    Departure { chat_id, number: 0, seq: event_seq(event), at: at(now), deleted }
}

fn map<const N: usize>(departures: [Departure; N]) -> BTreeMap<ChatId, Departure> {
    departures.into_iter().map(|departure| (departure.chat_id, departure)).collect()
}

pub async fn who_goes_has_a_departure(b: Backend) {
    let [ana, luis, eva] = b.people(["ana", "luis", "eva"]).await;
    let [one, other] = [b.group(ana, &[luis, eva]).await, b.group(luis, &[ana]).await];
    b.send_many(one, ana, 3).await;
    assert_eq!(b.events.departures(luis.id, at(0)).await.unwrap(), []);
    b.chats.remove_member(one, luis.id, false, at(5)).await.unwrap();
    b.chats.remove_member(other, luis.id, false, at(6)).await.unwrap();
    let [first, second] = [departure(one, 5, 5, false), departure(other, 2, 6, false)];
    for (since, expected) in [(0, map([first, second])), (5, map([first, second])), (6, map([second])), (7, map([]))] {
        assert_eq!(departures(&b, luis, at(since)).await, expected, "since {since}");
    }
    for stays in [ana, eva] {
        assert_eq!(departures(&b, stays, at(0)).await, map([]));
    }
    // What happens afterwards is nothing to them.
    b.send(one, ana, "hello", at(7)).await;
    b.chats.delete(one, at(8)).await.unwrap();
    assert_eq!(departures(&b, luis, at(0)).await, map([first, second]));
    assert_eq!(departures(&b, eva, at(0)).await, map([departure(one, 7, 8, true)]));
}

pub async fn who_comes_back_has_no_departure(b: Backend) {
    let [ana, luis] = b.people(["ana", "luis"]).await;
    let chat = b.group(ana, &[luis]).await;
    b.chats.remove_member(chat, luis.id, false, at(5)).await.unwrap();
    b.join(chat, luis, at(6)).await;
    assert_eq!(departures(&b, luis, at(0)).await, map([]));
    b.chats.remove_member(chat, luis.id, false, at(7)).await.unwrap();
    assert_eq!(departures(&b, luis, at(0)).await, map([departure(chat, 4, 7, false)]));
    assert_eq!(departures(&b, luis, at(6)).await, map([departure(chat, 4, 7, false)]));
}

pub async fn a_deleted_chat_is_everybodys_departure(b: Backend) {
    let [ana, luis, eva] = b.people(["ana", "luis", "eva"]).await;
    let [group, direct] = [b.group(ana, &[luis]).await, b.direct(ana, luis).await];
    b.send_many(group, luis, 2).await;
    b.chats.mark_read(group, ana.id, seq(2), at(3)).await.unwrap();
    assert!(b.chats.delete(group, at(5)).await.unwrap());
    assert!(b.chats.delete(direct, at(6)).await.unwrap());
    assert!(!b.chats.delete(group, at(7)).await.unwrap());
    for party in [ana, luis] {
        let gone = map([departure(group, 5, 5, true), departure(direct, 2, 6, true)]);
        assert_eq!(departures(&b, party, at(0)).await, gone);
    }
    assert_eq!(departures(&b, eva, at(0)).await, map([]));
}

pub async fn a_chat_is_not_deleted_before_its_last_event(b: Backend) {
    let [ana, luis] = b.people(["ana", "luis"]).await;
    let chat = b.group(ana, &[luis]).await;
    b.send(chat, ana, "hello", at(20)).await;
    b.chats.mark_read(chat, luis.id, seq(1), at(30)).await.unwrap();
    b.chats.delete(chat, at(5)).await.unwrap();
    assert_eq!(departures(&b, ana, at(0)).await, map([departure(chat, 4, 30, true)]));
}

pub async fn the_last_one_out_sees_the_group_deleted(b: Backend) {
    let [ana, luis] = b.people(["ana", "luis"]).await;
    let chat = b.group(ana, &[luis]).await;
    b.chats.remove_member(chat, ana.id, false, at(5)).await.unwrap();
    b.chats.remove_member(chat, luis.id, false, at(6)).await.unwrap();
    assert_eq!(departures(&b, ana, at(0)).await, map([departure(chat, 2, 5, false)]));
    // Taken out, made the owner, and the chat gone.
    assert_eq!(departures(&b, luis, at(0)).await, map([departure(chat, 4, 6, true)]));
}

pub async fn a_deleted_account_departs_from_its_groups(b: Backend) {
    let [ana, luis] = b.people(["ana", "luis"]).await;
    let [shared, alone, direct] = [b.group(luis, &[ana]).await, b.group(ana, &[]).await, b.direct(ana, luis).await];
    b.users.delete(ana.id, true, at(5)).await.unwrap().unwrap();
    let gone = map([departure(shared, 2, 5, false), departure(alone, 2, 5, true)]);
    assert_eq!(departures(&b, ana, at(0)).await, gone, "not from the direct chat {direct}");
    assert_eq!(departures(&b, luis, at(0)).await, map([]));
}

pub async fn old_departures_are_purged(b: Backend) {
    let [ana, luis] = b.people(["ana", "luis"]).await;
    let chats = [b.group(ana, &[luis]).await, b.group(ana, &[luis]).await, b.direct(ana, luis).await];
    b.chats.remove_member(chats[0], luis.id, false, at(5)).await.unwrap();
    b.chats.remove_member(chats[1], luis.id, false, at(6)).await.unwrap();
    b.chats.delete(chats[2], at(5)).await.unwrap();
    b.events.purge(at(6)).await.unwrap();
    assert_eq!(departures(&b, luis, at(0)).await, map([departure(chats[1], 2, 6, false)]));
    assert_eq!(departures(&b, ana, at(0)).await, map([]));
}

pub async fn a_departure_tells_the_chats_number(b: Backend) {
    let [ana, luis] = b.people(["ana", "luis"]).await;
    let [left, deleted] = [b.group(ana, &[luis]).await, b.direct(ana, luis).await];
    let mut numbers = BTreeMap::new();
    for chat in [left, deleted] {
        numbers.insert(chat, b.chats.find(chat, ana.id).await.unwrap().unwrap().chat.number);
    }
    b.chats.remove_member(left, luis.id, false, at(5)).await.unwrap();
    b.chats.delete(deleted, at(6)).await.unwrap();
    let found = b.events.departures(luis.id, at(0)).await.unwrap();
    assert_eq!(found.into_iter().map(|found| (found.chat_id, found.number)).collect::<BTreeMap<_, _>>(), numbers);
}
