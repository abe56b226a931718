//! Going on where one was.

use super::fake_events::{FakeEvents, chat_id, event_seq};
use super::token::{Place, ResumeToken};
use super::{Backlog, Bookmark, Delivery, Hub, Listener, LiveEvent, Resume, ResumeError};
use crate::ports::MockEventBus;
use crate::testing::{ANA, BEN, CLAIMED, NOW};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tertulia_domain::event::{MAX_AGE, MAX_MISSED};
use tertulia_domain::{Timestamp, UserId};

fn hub(db: &Arc<FakeEvents>) -> Arc<Hub> {
    let mut bus = MockEventBus::new();
    bus.expect_publish().return_const(());
    Arc::new(Hub::over(Arc::clone(db) as _, bus))
}

async fn resumed(db: &Arc<FakeEvents>, from: Resume) -> (Listener, Backlog) {
    let mut listener = hub(db).connect(CLAIMED).await.unwrap();
    let backlog = listener.resume(from).await.unwrap();
    (listener, backlog)
}

fn word(event: &LiveEvent) -> String {
    let chat = event.chat_id.as_uuid().as_u128() - 0x200;
    format!("{chat}: {} {}", event.seq.get(), event.change.name())
}

/// What was missed, in words, and of which chats too much was.
async fn missed(db: &Arc<FakeEvents>, from: Resume) -> (Vec<String>, Vec<u128>) {
    let (listener, mut backlog) = resumed(db, from).await;
    let mut words = Vec::new();
    while let Some(events) = backlog.next().await.unwrap() {
        words.extend(events.iter().map(word));
    }
    words.extend(backlog.departures(&listener).iter().map(word));
    words.sort();
    let reset = backlog.reset();
    let mut reset: Vec<u128> = reset.iter().map(|chat| chat.as_uuid().as_u128() - 0x200).collect();
    reset.sort_unstable();
    (words, reset)
}

fn positions(positions: &[(u8, i64)]) -> Resume {
    let positions = positions.iter();
    Resume::Positions(positions.map(|(chat, seq)| (chat_id(*chat), event_seq(*seq))).collect())
}

fn token(user_id: UserId, left_out: Option<Timestamp>, places: &[(u8, i64)]) -> Resume {
    let number = |chat: u8| i64::try_from(chat_id(chat).as_uuid().as_u128()).unwrap();
    let places: HashMap<_, _> = places
        .iter()
        .map(|(chat, seq)| (number(*chat), event_seq(*seq)))
        .collect();
    let token = ResumeToken {
        user_id,
        left_out,
        places,
    };
    Resume::Token(token.show())
}

/// Three chats of Ana, in which so many messages were sent.
fn chats(messages: [usize; 3]) -> Arc<FakeEvents> {
    let db = FakeEvents::default();
    for (n, count) in (1..).zip(messages) {
        db.db().create(chat_id(n), &[ANA]);
        for _ in 0..count {
            db.db().send(chat_id(n), ANA);
        }
    }
    Arc::new(db)
}

#[tokio::test]
async fn positions_name_the_chats_to_catch_up() {
    let db = chats([2, 1, 1]);
    db.db().create(chat_id(4), &[BEN]);
    assert_eq!(missed(&db, Resume::Live).await, (vec![], vec![]));
    let from = positions(&[(1, 1), (2, 2), (4, 0), (9, 0)]);
    let expected = ["1: 2 message.created", "1: 3 message.created"]
        .map(str::to_owned)
        .to_vec();
    assert_eq!(missed(&db, from).await, (expected, vec![]));
}

#[tokio::test]
async fn a_token_covers_all_chats() {
    let db = chats([1, 1, 0]);
    let from = token(ANA, None, &[(1, 1), (2, 2), (4, 1), (5, 2)]);
    {
        let mut world = db.db();
        for n in [4, 5, 6] {
            world.create(chat_id(n), &[ANA, BEN]);
            world.send(chat_id(n), BEN);
        }
        world.remove(chat_id(4), ANA);
        world.delete(chat_id(5));
        // Of a chat that Ana never heard of nothing is told.
        world.remove(chat_id(6), ANA);
    }
    let expected = [
        "1: 2 message.created",
        "3: 1 chat.created",
        "4: 3 member.removed",
        "5: 3 chat.deleted",
    ];
    assert_eq!(missed(&db, from).await, (expected.map(str::to_owned).to_vec(), vec![]));
}

#[tokio::test]
async fn nothing_is_told_from_before_one_came_in() {
    let db = Arc::new(FakeEvents::default());
    db.db().create(chat_id(1), &[BEN]);
    db.db().send(chat_id(1), BEN);
    db.db().add(chat_id(1), ANA);
    db.db().send(chat_id(1), BEN);
    let expected = ["1: 3 member.added", "1: 4 message.created"]
        .map(str::to_owned)
        .to_vec();
    for from in [positions(&[(1, 0)]), token(ANA, None, &[]), token(ANA, None, &[(1, 1)])] {
        assert_eq!(missed(&db, from).await, (expected.clone(), vec![]));
    }
}

#[tokio::test]
async fn a_departure_that_comes_by_itself_is_told_once() {
    let db = chats([1, 0, 0]);
    let hub = hub(&db);
    let mut listener = hub.connect(CLAIMED).await.unwrap();
    db.db().remove(chat_id(1), ANA);
    let mut backlog = listener
        .resume(token(ANA, None, &[(1, 2), (2, 1), (3, 1)]))
        .await
        .unwrap();
    assert_eq!(backlog.departures(&listener).len(), 0);
}

#[tokio::test]
async fn of_too_much_only_that_is_told() {
    let most = usize::try_from(MAX_MISSED).unwrap();
    let db = chats([most, most - 1, 1]);
    let from = || positions(&[(1, 0), (2, 0), (3, 1)]);
    let (told, reset) = missed(&db, from()).await;
    assert_eq!((told.len(), reset), (most + 1, vec![1]));
    // Where the others go on, so does the one that was left out.
    let (_listener, mut backlog) =
        resumed(&db, token(ANA, None, &[(1, 0), (2, most.try_into().unwrap()), (3, 2)])).await;
    assert!(backlog.next().await.unwrap().is_none());
    let Resume::Token(before) = token(ANA, None, &[(1, 0)]) else {
        unreachable!()
    };
    let mut bookmark = Bookmark::at(&before).unwrap();
    bookmark.skip(&backlog);
    let Resume::Token(after) = token(ANA, None, &[(1, MAX_MISSED + 1)]) else {
        unreachable!()
    };
    assert_eq!(bookmark.token(), after);
}

#[tokio::test]
async fn what_is_too_old_or_gone_is_not_told() {
    let db = chats([2, 2, 2]);
    {
        let mut world = db.db();
        let just = NOW.minus(MAX_AGE);
        world.chats.get_mut(&chat_id(1)).unwrap().events[1].at = just.minus(Duration::from_millis(1));
        world.chats.get_mut(&chat_id(2)).unwrap().events[1].at = just;
        world.chats.get_mut(&chat_id(3)).unwrap().forgotten = event_seq(2);
    }
    let (told, reset) = missed(&db, positions(&[(1, 1), (2, 1), (3, 1)])).await;
    assert_eq!((told.len(), reset), (2, vec![1, 3]));
    assert!(told.iter().all(|told| told.starts_with("2: ")));
}

#[tokio::test]
async fn what_a_token_leaves_out_was_quiet() {
    let db = chats([1, 1, 1]);
    let later = NOW.plus(Duration::from_secs(1));
    db.db().chats.get_mut(&chat_id(2)).unwrap().active_at = later;
    db.db().create(chat_id(4), &[ANA, BEN]);
    db.db().remove(chat_id(4), ANA);
    let from = |left_out| token(ANA, Some(left_out), &[(1, 2)]);
    assert_eq!(missed(&db, from(later)).await, (vec![], vec![]));
    assert_eq!(missed(&db, from(NOW)).await, (vec![], vec![2]));
    let earlier = NOW.minus(Duration::from_secs(1));
    assert_eq!(missed(&db, from(earlier)).await, (vec![], vec![2, 3, 4]));
}

#[tokio::test]
async fn a_token_is_the_users_own() {
    let db = chats([1, 0, 0]);
    for bad in [token(BEN, None, &[]), Resume::Token("x".into())] {
        let mut listener = hub(&db).connect(CLAIMED).await.unwrap();
        let refused = listener.resume(bad).await;
        assert!(matches!(refused, Err(ResumeError::BadToken)));
    }
}

#[tokio::test]
async fn a_token_that_is_asked_for_stands_behind_what_was_brought() {
    let db = chats([1, 0, 0]);
    let hub = hub(&db);
    let mut listener = hub.connect(CLAIMED).await.unwrap();
    listener.resume(Resume::Live).await.unwrap();
    for _ in 0..2 {
        let (message, seq) = db.db().send(chat_id(1), ANA);
        hub.sent(&message, seq);
        listener.ask_for_token();
    }
    let mut seq = 2;
    while let Some(delivery) = listener.try_next() {
        match delivery {
            Delivery::Event(event) => seq = event.seq.get(),
            Delivery::Token(given) => {
                let expected = token(ANA, None, &[(1, seq), (2, 1), (3, 1)]);
                assert!(matches!(expected, Resume::Token(expected) if expected == given));
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(seq, 4);
}

/// It is from another history, as before a backup was restored.
#[tokio::test]
async fn a_place_that_the_chat_has_not_reached_is_reset() {
    let db = chats([1, 0, 0]);
    let hub = hub(&db);
    let mut listener = hub.connect(CLAIMED).await.unwrap();
    let backlog = listener.resume(positions(&[(1, 3)])).await.unwrap();
    assert_eq!(backlog.reset(), [chat_id(1)]);
    let (message, seq) = db.db().send(chat_id(1), ANA);
    hub.sent(&message, seq);
    let told: Vec<_> = std::iter::from_fn(|| listener.try_next()).collect();
    assert!(
        matches!(&told[..], [Delivery::Event(event)] if event.seq == event_seq(3)),
        "{told:?}"
    );
}

#[test]
fn a_bookmark_goes_along() {
    let token = ResumeToken::new(
        ANA,
        vec![Place {
            number: 7,
            seq: event_seq(1),
            active_at: NOW,
        }],
    );
    let bookmark = Bookmark::at(&token.show()).unwrap();
    assert_eq!(bookmark.token(), token.show());
    assert!(Bookmark::at("x").is_none());
}
