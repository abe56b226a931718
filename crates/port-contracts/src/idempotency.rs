//! Messages under an idempotency key.

use crate::Backend;
use crate::fixture::*;
use futures_util::future::join_all;
use std::collections::BTreeSet;
use tertulia_domain::repository::{AppendError, AppendMessage, Appended, UserChanges};
use tertulia_domain::{ChatId, ClaimedSession, EventSeq, Message, MessageDraft};

/// A message under a key; its identifier is fresh, as that of every copy of a request is.
fn keyed(sender: Person, chat: ChatId, key: &str, fingerprint: u8, now: i64) -> AppendMessage {
    AppendMessage {
        claim: Some(claim(sender, key, fingerprint, at(now))),
        ..sender.message(chat, &format!("{key} {fingerprint}"), at(now))
    }
}

async fn sent(b: &Backend, new: AppendMessage) -> Message {
    let Appended { message, event, replayed } = b.messages.append(new).await.unwrap();
    assert!(!replayed && event > EventSeq::ZERO, "it is the first");
    message
}

async fn replayed(b: &Backend, new: AppendMessage) -> Message {
    let Appended { message, event, replayed } = b.messages.append(new).await.unwrap();
    assert!(replayed && event == EventSeq::ZERO, "it was sent before");
    message
}

pub async fn a_retry_sends_nothing(b: Backend) {
    let [ana, luis] = b.people(["ana", "luis"]).await;
    let chat = b.group(ana, &[luis]).await;
    let new = keyed(ana, chat, "key", 1, 10);
    let first = sent(&b, new.clone()).await;
    assert_eq!((first.id, first.seq, first.created_at), (new.id, seq(1), at(10)));
    let before = b.view(chat, luis).await;
    assert_eq!(replayed(&b, new).await, first);
    assert_eq!(replayed(&b, keyed(ana, chat, "key", 1, 20)).await, first);
    assert_eq!(b.view(chat, luis).await, before);
    assert_eq!(b.whole_history(chat, luis).await, [first.clone()]);
    assert_eq!(b.send(chat, luis, "next", at(30)).await.seq, seq(2), "a retry takes no number");
    assert_eq!(replayed(&b, keyed(ana, chat, "key", 1, 40)).await, first);
    assert_eq!(b.view(chat, ana).await.unread_count(), 1, "nor does it read");
}

pub async fn a_retry_gets_the_first_answer_whatever_became_of_the_message(b: Backend) {
    let [ana, luis] = b.people(["ana", "luis"]).await;
    let names = UserChanges { display_name: Some(Some(display_name("Ana 'L' \\ 😀"))), ..UserChanges::default() };
    b.users.update(ana.id, names, at(0)).await.unwrap();
    let chat = b.group(luis, &[ana]).await;
    let asked = b.send(chat, luis, "question \"?\" 😀", at(1)).await;
    let text = "answer '\"\\ \n\t 😀 \u{10FFFF}";
    let copy = |now| AppendMessage {
        reply_to: Some(asked.id),
        draft: MessageDraft::text(body(text)),
        ..keyed(ana, chat, "key", 1, now)
    };
    let first = sent(&b, copy(10)).await;
    assert_eq!(first.body(), Some(&body(text)));
    assert_eq!(first.reply_to.as_ref().unwrap().body, Some(body("question \"?\" 😀")));
    let same = async |now| assert_eq!(replayed(&b, copy(now)).await, first);
    same(11).await;
    b.messages.edit(chat, first.id, &body("changed"), at(12)).await.unwrap().unwrap();
    b.messages.edit(chat, asked.id, &body("changed"), at(12)).await.unwrap().unwrap();
    same(13).await;
    assert!(b.messages.delete(chat, first.id, at(14)).await.unwrap());
    assert!(b.messages.delete(chat, asked.id, at(14)).await.unwrap());
    same(15).await;
    for person in [ana, luis] {
        let renamed = UserChanges {
            username: Some(Some(username(if person == ana { "anita" } else { "lucho" }))),
            display_name: Some(None),
            ..UserChanges::default()
        };
        b.users.update(person.id, renamed, at(16)).await.unwrap();
    }
    same(17).await;
    b.chats.remove_member(chat, ana.id, false, at(18)).await.unwrap();
    same(19).await;
    assert!(b.chats.delete(chat, at(9)).await.unwrap());
    same(20).await;
}

pub async fn a_retry_takes_a_living_session(b: Backend) {
    let ana = b.person("ana").await;
    let chat = b.group(ana, &[]).await;
    let first = sent(&b, keyed(ana, chat, "key", 1, 10)).await;
    // Of the same user, be it another.
    let other = Person { session: b.session(ana.id).await, ..ana };
    assert_eq!(replayed(&b, keyed(other, chat, "key", 1, 11)).await, first);
    b.sessions.end(ana.id, ana.session.session_id).await.unwrap();
    assert_matches!(b.messages.append(keyed(ana, chat, "key", 1, 12)).await, Err(AppendError::SessionEnded));
    assert_eq!(replayed(&b, keyed(other, chat, "key", 1, 13)).await, first);
}

pub async fn a_key_stands_for_one_request(b: Backend) {
    let ana = b.person("ana").await;
    let chat = b.group(ana, &[]).await;
    let first = sent(&b, keyed(ana, chat, "key", 1, 10)).await;
    // Looked at before the chat and what is answered.
    for mut other in [keyed(ana, chat, "key", 2, 11), keyed(ana, chat_id(), "key", 2, 11)] {
        assert_matches!(b.messages.append(other.clone()).await, Err(AppendError::KeyReused));
        other.reply_to = Some(message_id());
        assert_matches!(b.messages.append(other).await, Err(AppendError::KeyReused));
    }
    // Every byte of the fingerprint counts.
    let mut close = keyed(ana, chat, "key", 1, 11);
    close.claim.as_mut().unwrap().fingerprint.0[31] = 0;
    assert_matches!(b.messages.append(close).await, Err(AppendError::KeyReused));
    assert_eq!(b.whole_history(chat, ana).await, [first.clone()]);
    assert_eq!(replayed(&b, keyed(ana, chat, "key", 1, 12)).await, first);
    assert_eq!(sent(&b, keyed(ana, chat, "other", 2, 13)).await.seq, seq(2));
}

pub async fn keys_differ_by_every_character(b: Backend) {
    let ana = b.person("ana").await;
    let chat = b.group(ana, &[]).await;
    let longest = "k".repeat(128);
    let keys = ["key", "KEY", "key ", " key", "k%y", "k_y", "'", "\\", "\"", "~", " ", &longest, &longest[..127]];
    for (n, key) in (1..).zip(keys) {
        assert_eq!(sent(&b, keyed(ana, chat, key, 1, n)).await.seq, seq(n), "{key:?}");
    }
    for (n, key) in (1..).zip(keys) {
        assert_eq!(replayed(&b, keyed(ana, chat, key, 1, 100)).await.seq, seq(n), "{key:?}");
    }
}

pub async fn keys_are_per_user(b: Backend) {
    let [ana, luis] = b.people(["ana", "luis"]).await;
    let chat = b.direct(ana, luis).await;
    let hers = sent(&b, keyed(ana, chat, "key", 1, 10)).await;
    let his = sent(&b, keyed(luis, chat, "key", 1, 11)).await;
    assert_eq!((hers.seq, his.seq), (seq(1), seq(2)));
    assert_eq!(replayed(&b, keyed(ana, chat, "key", 1, 12)).await, hers);
    assert_eq!(replayed(&b, keyed(luis, chat, "key", 1, 12)).await, his);
}

pub async fn a_key_is_remembered_for_a_day(b: Backend) {
    let ana = b.person("ana").await;
    let chat = b.group(ana, &[]).await;
    let first = sent(&b, keyed(ana, chat, "key", 1, 10)).await;
    assert_eq!(replayed(&b, keyed(ana, chat, "key", 1, 10 + DAY)).await, first);
    assert_matches!(b.messages.append(keyed(ana, chat, "key", 2, 10 + DAY)).await, Err(AppendError::KeyReused));
    // Then it is as good as new, for whatever request.
    let second = sent(&b, keyed(ana, chat, "key", 2, 11 + DAY)).await;
    assert_eq!(second.seq, seq(2));
    assert_eq!(replayed(&b, keyed(ana, chat, "key", 2, 11 + 2 * DAY)).await, second);
    assert_matches!(b.messages.append(keyed(ana, chat, "key", 1, 12 + DAY)).await, Err(AppendError::KeyReused));
    let third = sent(&b, keyed(ana, chat, "key", 2, 12 + 2 * DAY)).await;
    assert_eq!(b.whole_history(chat, ana).await, [first, second, third]);
}

pub async fn what_fails_is_not_remembered(b: Backend) {
    let [ana, luis] = b.people(["ana", "luis"]).await;
    let chat = b.group(luis, &[]).await;
    let asked = b.send(chat, luis, "question", at(1)).await;
    // The chat is not hers yet; what she answers is nowhere; her session has ended.
    assert_matches!(b.messages.append(keyed(ana, chat, "key", 1, 10)).await, Err(AppendError::ChatNotFound));
    b.join(chat, ana, at(11)).await;
    let mut reply = keyed(ana, chat, "key", 2, 12);
    reply.reply_to = Some(message_id());
    assert_matches!(b.messages.append(reply).await, Err(AppendError::ReplyNotFound));
    let mut ended = keyed(ana, chat, "key", 3, 13);
    ended.session = ClaimedSession { session_id: session_id(), ..ended.session };
    assert_matches!(b.messages.append(ended).await, Err(AppendError::SessionEnded));
    let mut retry = keyed(ana, chat, "key", 4, 14);
    retry.reply_to = Some(asked.id);
    let message = sent(&b, retry.clone()).await;
    assert_eq!(message.seq, seq(2));
    assert_eq!(replayed(&b, retry).await, message);
}

pub async fn of_many_copies_at_once_one_is_sent(b: Backend) {
    let [ana, luis] = b.people(["ana", "luis"]).await;
    let chat = b.direct(ana, luis).await;
    for round in 1..=5 {
        let copies = (0..16).map(|n| keyed(ana, chat, &format!("key {round}"), 1, 10 * round + n % 3));
        let outcomes = join_all(copies.map(|copy| b.messages.append(copy))).await;
        let outcomes: Vec<Appended> = outcomes.into_iter().map(Result::unwrap).collect();
        assert_eq!(outcomes.iter().filter(|outcome| !outcome.replayed).count(), 1);
        assert!(outcomes.iter().all(|outcome| outcome.message == outcomes[0].message));
        assert_eq!(b.whole_history(chat, luis).await.last(), Some(&outcomes[0].message));
        assert_eq!(b.view(chat, luis).await.chat.last_seq, seq(round));
    }
}

pub async fn of_two_requests_under_one_key_at_once_one_is_refused(b: Backend) {
    let ana = b.person("ana").await;
    let chat = b.group(ana, &[]).await;
    let copies = (0..16).map(|n| b.messages.append(keyed(ana, chat, "key", n % 2, 10)));
    let outcomes = join_all(copies).await;
    let mut winners = BTreeSet::new();
    for (n, outcome) in (0..).zip(outcomes) {
        match outcome {
            Ok(appended) => _ = winners.insert((n % 2, appended.message.id)),
            Err(error) => assert_matches!(error, AppendError::KeyReused),
        }
    }
    assert_eq!(winners.len(), 1, "{winners:?}");
    assert_eq!(b.whole_history(chat, ana).await.len(), 1);
}

pub async fn different_keys_at_once_do_not_meet(b: Backend) {
    let people = b.crowd(8).await;
    let chat = b.group(people[0], &people[1..]).await;
    let keys: Vec<String> = (0..64).map(|n| format!("key {n}")).collect();
    let copies = || keys.iter().enumerate().map(|(n, key)| b.messages.append(keyed(people[n % 8], chat, key, 1, 10)));
    let first = join_all(copies()).await;
    let first: Vec<_> = first.into_iter().map(|outcome| outcome.unwrap().message).collect();
    assert_eq!(b.whole_history(chat, people[0]).await.len(), 64);
    for (again, before) in join_all(copies()).await.into_iter().zip(first) {
        assert_eq!(again.unwrap(), Appended { message: before, event: EventSeq::ZERO, replayed: true });
    }
}
