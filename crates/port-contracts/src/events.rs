//! The numbers of a chat's events, and what becomes of them.

use crate::Backend;
use crate::fixture::*;
use futures_util::future::{join, join_all};
use futures_util::stream::{self, StreamExt};
use std::collections::BTreeSet;
use tertulia_domain::repository::{AppendMessage, Events, UserChanges};
use tertulia_domain::{Change, ChatEvent, ChatId, EventSeq, MemberRole, MessageContent, MessageRange, Seq};

async fn rename(b: &Backend, chat: ChatId, text: &str, now: i64) {
    assert!(b.chats.rename(chat, &title(text), at(now)).await.unwrap());
}

/// What happened, in words.
fn names(events: &[ChatEvent]) -> Vec<&'static str> {
    events.iter().map(|event| event.change.name()).collect()
}

/// A group in which everything happens that can, some of it twice; the messages are the 2nd, 3rd, 6th, 7th, 9th and 14th
/// event.
async fn eventful_group(b: &Backend) -> (ChatId, [Person; 3]) {
    let [ana, luis, eva] = b.people(["ana", "luis", "eva"]).await;
    let chat = b.group(ana, &[luis]).await;
    let first = b.send(chat, ana, "one", at(1)).await;
    let second = b.send(chat, luis, "two", at(2)).await;
    b.join(chat, eva, at(3)).await;
    b.chats.mark_read(chat, ana.id, seq(2), at(4)).await.unwrap();
    b.send(chat, ana, "three", at(5)).await;
    b.send(chat, ana, "four", at(6)).await;
    b.messages.edit(chat, first.id, &body("one!"), at(7)).await.unwrap();
    b.send(chat, eva, "five", at(8)).await;
    b.messages.delete(chat, second.id, at(9)).await.unwrap();
    rename(b, chat, "Renamed", 10).await;
    b.chats.set_role(chat, luis.id, MemberRole::Admin, at(11)).await.unwrap();
    b.chats.remove_member(chat, eva.id, false, at(12)).await.unwrap();
    b.send(chat, luis, "six", at(13)).await;
    (chat, [ana, luis, eva])
}

pub async fn a_new_chat_has_one_event(b: Backend) {
    let [ana, luis] = b.people(["ana", "luis"]).await;
    for chat in [b.direct(ana, luis).await, b.group(ana, &[luis]).await] {
        let expected = ChatEvent {
            chat_id: chat,
            seq: event_seq(1),
            at: at(0),
            change: Change::ChatCreated(Box::new(b.view(chat, ana).await.chat)),
        };
        assert_eq!(b.whole_story(chat).await, [expected]);
    }
    let chat = b.direct(luis, ana).await;
    assert_eq!(b.last_event(chat).await, 1, "to ask for a chat that is there is no event");
}

pub async fn a_sent_message_is_the_next_event(b: Backend) {
    let [ana, luis] = b.people(["ana", "luis"]).await;
    let chat = b.group(ana, &[luis]).await;
    for n in 1..=3 {
        let sent = b.messages.append(luis.message(chat, "hello", at(n))).await.unwrap();
        assert_eq!(sent.event.get(), 1 + n);
        let expected = ChatEvent {
            chat_id: chat,
            seq: sent.event,
            at: sent.message.created_at,
            change: Change::MessageCreated(Box::new(sent.message)),
        };
        assert_eq!(b.events_after(chat, n).await, [expected]);
    }
    rename(&b, chat, "Renamed", 4).await;
    assert_eq!(b.messages.append(ana.message(chat, "hello", at(5))).await.unwrap().event.get(), 6);
    assert_eq!(b.whole_story(chat).await.len(), 6);
}

pub async fn what_sends_nothing_is_no_event(b: Backend) {
    let [ana, stranger] = b.people(["ana", "stranger"]).await;
    let chat = b.group(ana, &[]).await;
    let keyed = |n| AppendMessage { claim: Some(claim(ana, "key", 1, at(n))), ..ana.message(chat, "hello", at(n)) };
    assert_eq!(b.messages.append(keyed(1)).await.unwrap().event.get(), 2);
    let again = b.messages.append(keyed(2)).await.unwrap();
    assert_eq!((again.replayed, again.event), (true, EventSeq::ZERO));
    b.messages.append(stranger.message(chat, "hello", at(3))).await.unwrap_err();
    let answer = AppendMessage { reply_to: Some(message_id()), ..ana.message(chat, "hello", at(3)) };
    b.messages.append(answer).await.unwrap_err();
    assert_eq!(b.whole_story(chat).await.len(), 2);
}

pub async fn events_show_things_as_they_are_now(b: Backend) {
    let [ana, luis, eva] = b.people(["ana", "luis", "eva"]).await;
    let chat = b.group(ana, &[luis]).await;
    let edited = b.send(chat, ana, "before", at(1)).await;
    let deleted = b.send(chat, ana, "gone", at(2)).await;
    b.join(chat, eva, at(3)).await;
    b.messages.edit(chat, edited.id, &body("after"), at(4)).await.unwrap();
    b.messages.delete(chat, deleted.id, at(5)).await.unwrap();
    rename(&b, chat, "Renamed", 6).await;
    let changes = UserChanges { username: Some(Some(username("eve"))), ..UserChanges::default() };
    b.users.update(eva.id, changes, at(7)).await.unwrap();

    let now = Box::new(b.view(chat, ana).await.chat);
    let history = b.whole_history(chat, ana).await;
    assert_eq!(history[1].content, MessageContent::Deleted { at: at(5) });
    let [edited, deleted] = [Box::new(history[0].clone()), Box::new(history[1].clone())];
    let added = Change::MemberAdded {
        user: Box::new(b.find_user(eva.id).await),
        role: MemberRole::Member,
        read_seq: seq(2),
    };
    let expected = [
        Change::ChatCreated(now.clone()),
        Change::MessageCreated(edited.clone()),
        Change::MessageCreated(deleted.clone()),
        added,
        Change::MessageUpdated(edited),
        Change::MessageDeleted(deleted),
        Change::ChatUpdated(now),
    ];
    let told = b.whole_story(chat).await;
    assert_eq!(told.iter().map(|event| event.at).collect::<Vec<_>>(), [0, 1, 2, 3, 4, 5, 6].map(at));
    assert_eq!(told.into_iter().map(|event| event.change).collect::<Vec<_>>(), expected);
}

pub async fn any_place_gives_exactly_the_rest(b: Backend) {
    let (chat, _) = eventful_group(&b).await;
    let whole = b.whole_story(chat).await;
    let expected = [
        "chat.created",
        "message.created",
        "message.created",
        "member.added",
        "read.updated",
        "message.created",
        "message.created",
        "message.updated",
        "message.created",
        "message.deleted",
        "chat.updated",
        "member.updated",
        "member.removed",
        "message.created",
    ];
    assert_eq!(names(&whole), expected);
    let last = whole.last().unwrap().seq;
    for after in 0..=whole.len() {
        for limit in [1, 2, 3, 5, 13, 14, 15, u16::MAX] {
            let rest = &whole[after..];
            let events = rest[..rest.len().min(limit.into())].to_vec();
            let listed = b.events.list(chat, event_seq(i64::try_from(after).unwrap()), limit).await.unwrap();
            assert_eq!(listed, Events::Listed { events, last }, "after {after}, at most {limit}");
        }
    }
    for beyond in [last.next(), event_seq(1_000), event_seq(i64::MAX)] {
        let listed = b.events.list(chat, beyond, 10).await.unwrap();
        assert_eq!(listed, Events::Listed { events: vec![], last });
    }
}

pub async fn each_chat_counts_its_own_events(b: Backend) {
    let [ana, luis] = b.people(["ana", "luis"]).await;
    let [one, other] = [b.group(ana, &[luis]).await, b.direct(ana, luis).await];
    rename(&b, one, "Renamed", 1).await;
    b.send(other, ana, "hello", at(2)).await;
    b.send(one, ana, "hello", at(3)).await;
    b.chats.mark_read(other, luis.id, seq(1), at(4)).await.unwrap();
    assert_eq!(names(&b.whole_story(one).await), ["chat.created", "chat.updated", "message.created"]);
    assert_eq!(names(&b.whole_story(other).await), ["chat.created", "message.created", "read.updated"]);
}

pub async fn what_is_no_chat_has_no_events(b: Backend) {
    let ana = b.person("ana").await;
    let chat = b.group(ana, &[]).await;
    b.send(chat, ana, "hello", at(1)).await;
    assert!(b.chats.delete(chat, at(2)).await.unwrap());
    for gone in [chat, chat_id()] {
        for after in [0, 1, 9] {
            assert_eq!(b.events.list(gone, event_seq(after), 10).await.unwrap(), Events::NoChat);
        }
    }
}

pub async fn newest_events_of_chats_that_are_there(b: Backend) {
    let ana = b.person("ana").await;
    let [one, other, gone] = [b.group(ana, &[]).await, b.group(ana, &[]).await, b.group(ana, &[]).await];
    b.send_many(one, ana, 3).await;
    rename(&b, one, "Renamed", 5).await;
    b.chats.delete(gone, at(9)).await.unwrap();
    let asked = vec![one, gone, chat_id(), other];
    let found: BTreeSet<_> = b.events.last_events(asked).await.unwrap().into_iter().collect();
    assert_eq!(found, [(one, event_seq(5)), (other, event_seq(1))].into());
    assert_eq!(b.events.last_events(vec![]).await.unwrap(), []);
}

pub async fn times_of_events_never_go_back(b: Backend) {
    let [ana, luis] = b.people(["ana", "luis"]).await;
    let chat = b.group(ana, &[luis]).await;
    for (n, now) in [(1, 50), (2, 40), (3, 90), (4, 20), (5, 60)] {
        let sent = b.send(chat, ana, "hello", at(now)).await;
        rename(&b, chat, &format!("Renamed {n}"), now - 15).await;
        b.chats.mark_read(chat, luis.id, seq(n), at(now + 5)).await.unwrap();
        b.messages.edit(chat, sent.id, &body("again"), at(now - 30)).await.unwrap();
    }
    b.join(chat, b.person("eva").await, at(1)).await;
    let whole = b.whole_story(chat).await;
    let times: Vec<_> = whole.iter().map(|event| event.at).collect();
    assert!(times.contains(&at(95)) && times.iter().all(|time| *time <= at(95)));
    for after in 0..whole.len() {
        assert_eq!(b.events_after(chat, i64::try_from(after).unwrap()).await, whole[after..], "after {after}");
    }
}

pub async fn old_events_are_purged_but_the_newest_of_them(b: Backend) {
    let (chat, [ana, luis, _]) = eventful_group(&b).await;
    let whole = b.whole_story(chat).await;
    let other = b.group(luis, &[ana]).await;
    // The 10th is at this very moment, the 8th is the newest before it.
    assert_eq!(b.events.purge(at(9)).await.unwrap(), 3);
    assert_eq!(b.events.purge(at(9)).await.unwrap(), 0);
    for after in 0..whole.len() {
        let listed = b.events.list(chat, event_seq(i64::try_from(after).unwrap()), 5).await.unwrap();
        if after < 7 {
            assert_eq!(listed, Events::Forgotten, "after {after}");
        } else {
            let events = whole[after..].iter().take(5).cloned().collect();
            assert_eq!(listed, Events::Listed { events, last: event_seq(14) }, "after {after}");
        }
    }
    // Of the other, the newest is its only one.
    assert_eq!(b.whole_story(other).await.len(), 1);
    // It is counted on from there.
    assert_eq!(b.events.purge(at(1_000)).await.unwrap(), 4);
    let sent = b.messages.append(ana.message(chat, "seven", at(2_000))).await.unwrap();
    assert_eq!(sent.event, event_seq(15));
    rename(&b, chat, "Again", 2_001).await;
    assert_eq!(names(&b.events_after(chat, 12).await), ["member.removed", "message.created", "message.created", "chat.updated"]);
    assert_eq!(names(&b.events_after(chat, 13).await), ["message.created", "message.created", "chat.updated"]);
    assert_eq!(b.events.list(chat, event_seq(11), 1).await.unwrap(), Events::Forgotten);
    assert_eq!(b.whole_history(chat, ana).await.len(), 7, "messages are kept");
}

pub async fn a_purge_does_not_stop_after_a_bite(b: Backend) {
    let ana = b.person("ana").await;
    let chat = b.group(ana, &[]).await;
    let titles: Vec<String> = (0..1_100).map(|n| format!("Title {n}")).collect();
    let renamed = titles.iter().map(|title| rename(&b, chat, title, 1));
    stream::iter(renamed).buffer_unordered(16).collect::<Vec<()>>().await;
    let mut others = Vec::new();
    for _ in 0..30 {
        let other = b.group(ana, &[]).await;
        rename(&b, other, "Renamed", 1).await;
        others.push(other);
    }
    assert_eq!(b.last_event(chat).await, 1_101);
    assert_eq!(b.events.purge(at(2)).await.unwrap(), 1_130);
    assert_eq!(b.events_after(chat, 1_100).await.len(), 1);
    for other in others {
        assert_eq!(b.events_after(other, 1).await.len(), 1);
    }
}

pub async fn events_at_once_are_numbered_without_gaps(b: Backend) {
    let crowd = b.crowd(8).await;
    let chats = [b.group(crowd[0], &crowd[1..5]).await, b.group(crowd[4], &crowd[..4]).await];
    let mut known = Vec::new();
    for chat in chats {
        known.push(b.send_many(chat, crowd[1], 16).await);
    }
    let rounds = 6_usize;
    let work = (0..crowd.len()).map(async |n| {
        for round in 0..rounds {
            for (index, chat) in chats.into_iter().enumerate() {
                let now = at(i64::try_from((n * 7 + round * 3) % 10).unwrap());
                let message = known[index][(n * rounds + round) % 16].id;
                match (n + round + index) % 8 {
                    0 | 1 => _ = b.messages.append(crowd[1].message(chat, "hello", now)).await.unwrap(),
                    2 => _ = b.messages.edit(chat, message, &body("again"), now).await.unwrap(),
                    3 => _ = b.messages.delete(chat, message, now).await.unwrap(),
                    4 => _ = b.chats.mark_read(chat, crowd[2].id, seq(i64::MAX), now).await.unwrap(),
                    5 => _ = b.chats.add_member(new_member(chat, crowd[5 + round % 3], now), None).await.unwrap(),
                    6 => _ = b.chats.remove_member(chat, crowd[3 + round % 5].id, true, now).await.unwrap(),
                    _ => _ = b.chats.rename(chat, &title(&format!("{n} {round}")), now).await.unwrap(),
                }
            }
        }
    });
    // Whoever reads beside them sees no gap either.
    let reading = async {
        for chat in chats.into_iter().cycle().take(40) {
            let last = b.last_event(chat).await;
            for after in [0, last / 2, last] {
                let Events::Listed { events, last } = b.events.list(chat, event_seq(after), 1_000).await.unwrap() else {
                    panic!("nothing is purged");
                };
                let numbers: Vec<i64> = events.iter().map(|event| event.seq.get()).collect();
                assert_eq!(numbers, (after + 1..=last.get()).collect::<Vec<_>>());
            }
        }
    };
    join(join_all(work), reading).await;
    for chat in chats {
        let whole = b.whole_story(chat).await;
        let messages: Vec<i64> = whole
            .iter()
            .filter_map(|event| match &event.change {
                Change::MessageCreated(message) => Some(message.seq.get()),
                _ => None,
            })
            .collect();
        assert_eq!(messages, (1..=i64::try_from(messages.len()).unwrap()).collect::<Vec<_>>());
        let deleted = whole.iter().filter(|event| event.change.name() == "message.deleted").count();
        let history = b.history(chat, crowd[1], MessageRange::After(Seq::ZERO), 500).await.items;
        assert_eq!(messages.len(), history.len());
        let blank = |content: &MessageContent| matches!(content, MessageContent::Deleted { .. });
        assert_eq!(deleted, history.iter().filter(|message| blank(&message.content)).count(), "each is told once");
        for after in 0..whole.len() {
            assert_eq!(b.events_after(chat, i64::try_from(after).unwrap()).await, whole[after..]);
        }
    }
}

pub async fn accounts_erased_while_others_send(b: Backend) {
    let crowd = b.crowd(6).await;
    let chats = [b.group(crowd[0], &crowd[1..]).await, b.group(crowd[5], &crowd[..5]).await];
    for chat in chats {
        for person in &crowd {
            b.send_many(chat, *person, 5).await;
        }
    }
    let erasing = join_all(crowd[2..].iter().map(|person| b.users.delete(person.id, true, at(20))));
    let sending = async {
        for n in 0..20 {
            for chat in chats {
                b.send(chat, crowd[n % 2], "hello", at(10)).await;
                b.chats.mark_read(chat, crowd[(n + 1) % 2].id, seq(i64::MAX), at(10)).await.unwrap();
            }
        }
    };
    let (erased, ()) = join(erasing, sending).await;
    for erased in erased {
        assert_eq!(erased.unwrap().unwrap().messages, 10);
    }
    for chat in chats {
        let whole = b.whole_story(chat).await;
        let count = |name| names(&whole).into_iter().filter(|told| *told == name).count();
        assert_eq!((count("message.deleted"), count("member.removed")), (20, 4));
        let owners: Vec<_> = b.members(chat).await.iter().map(|member| member.membership.role).collect();
        assert!(owners.contains(&MemberRole::Owner));
    }
}
