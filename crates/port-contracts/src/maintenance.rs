use crate::Backend;
use crate::fixture::*;
use futures_util::stream::{self, StreamExt};
use tertulia_domain::repository::{AppendMessage, Purged};
use tertulia_domain::{ChatId, Recorded, Recording, StoredAnswer, Timestamp, UserId};

/// Stores sessions that expire at these times.
async fn sessions(b: &Backend, user: UserId, expire: impl IntoIterator<Item = Timestamp>) {
    let stored = expire.into_iter().map(|expires| b.sessions.insert(new_session(user, at(0), expires), 10_000));
    stream::iter(stored).buffer_unordered(16).for_each(async |stored| assert!(stored.unwrap())).await;
}

/// Sends a message under a key; true when it had been sent before.
async fn send(b: &Backend, sender: Person, chat: ChatId, key: &str, now: i64) -> bool {
    let claim = Some(claim(sender, key, 1, at(now)));
    b.messages.append(AppendMessage { claim, ..sender.message(chat, "hello", at(now)) }).await.unwrap().replayed
}

/// Makes a group under a key; true when it had been made before.
async fn make_group(b: &Backend, owner: Person, key: &str, now: i64) -> bool {
    let encode = |_: &_| StoredAnswer { status: 201, body: Vec::new() };
    let recording = Recording { claim: claim(owner, key, 1, at(now)), encode: std::sync::Arc::new(encode) };
    let outcome = b.chats.insert_group(new_group(owner, &[]), Some(recording)).await.unwrap();
    matches!(outcome, Recorded::Replayed(_))
}

pub async fn a_new_backend_is_in_order(b: Backend) {
    b.maintenance.check().await.unwrap();
    assert_eq!(b.maintenance.purge(at(0)).await.unwrap(), Purged::default());
    b.maintenance.check().await.unwrap();
}

pub async fn expired_sessions_are_purged_and_no_others(b: Backend) {
    let ana = b.person("ana").await;
    let luis = b.user("luis").await;
    sessions(&b, ana.id, [98, 99, 100, 101, 102].map(at)).await;
    sessions(&b, luis.id, [100, 200].map(at)).await;
    let purged = async |now| b.maintenance.purge(at(now)).await.unwrap();
    assert_eq!(purged(50).await, Purged::default());
    // Whatever expires at that very moment has expired.
    assert_eq!(purged(100).await, Purged { sessions: 4, idempotency_keys: 0 });
    assert_eq!(purged(100).await, Purged::default());
    assert_eq!(b.sessions.list(ana.id, at(0)).await.unwrap().len(), 3);
    assert_eq!(b.sessions.list(luis.id, at(0)).await.unwrap().len(), 1);
    assert!(b.sessions.find_caller(ana.session, at(100)).await.unwrap().is_some());
    assert_eq!(b.sessions.end_all(ana.id).await.unwrap(), 3);
}

pub async fn forgotten_keys_are_purged_and_no_others(b: Backend) {
    let ana = b.person("ana").await;
    let chat = b.group(ana, &[]).await;
    for (n, key) in (10..).zip(["a", "b", "c"]) {
        assert!(!send(&b, ana, chat, key, n).await);
        assert!(!make_group(&b, ana, &format!("group {key}"), n).await);
    }
    let purged = async |now| b.maintenance.purge(at(now)).await.unwrap();
    assert_eq!(purged(10 + DAY).await, Purged::default(), "a day old is not older than a day");
    assert_eq!(purged(12 + DAY).await, Purged { sessions: 0, idempotency_keys: 4 });
    assert_eq!(purged(12 + DAY).await, Purged::default());
    assert!(send(&b, ana, chat, "c", 20).await && make_group(&b, ana, "group c", 20).await);
    assert!(!send(&b, ana, chat, "b", 20).await && !make_group(&b, ana, "group b", 20).await);
    // The messages themselves stay.
    assert_eq!(b.whole_history(chat, ana).await.len(), 4);
}

pub async fn a_purge_does_not_stop_after_a_bite(b: Backend) {
    let ana = b.person("ana").await;
    let chat = b.group(ana, &[]).await;
    sessions(&b, ana.id, (0..1_100).map(|n| at(1 + n % 100))).await;
    let keys: Vec<String> = (0..1_100).map(|n| format!("key {n}")).collect();
    let sent = keys.iter().map(|key| send(&b, ana, chat, key, 0));
    stream::iter(sent).buffer_unordered(16).for_each(async |before| assert!(!before)).await;
    let purged = b.maintenance.purge(at(2 * DAY)).await.unwrap();
    assert_eq!(purged, Purged { sessions: 1_100, idempotency_keys: 1_100 });
    assert_eq!(b.sessions.list(ana.id, at(0)).await.unwrap().len(), 1);
}
