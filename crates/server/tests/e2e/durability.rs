//! What was acknowledged survives `kill -9`.

use crate::support::{Answer, Database, Person, Process, eventually, on_each_database};
use reqwest::Method;
use serde_json::json;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::task::JoinSet;

on_each_database! {
    what_was_acknowledged_survives_a_kill
}

const SENDERS: usize = 8;
/// The server is killed once so many messages have been acknowledged, with others under way.
const ENOUGH: usize = 100;

async fn what_was_acknowledged_survives_a_kill(database: Database) {
    let data = tempfile::tempdir().unwrap();
    let first = Process::start(&database, data.path());
    let ana = first.register("ana").await;
    let chat = ana.group("Durable", &[]).await;

    let acknowledged = Arc::new(AtomicUsize::new(0));
    let mut senders = JoinSet::new();
    for sender in 0..SENDERS {
        senders.spawn(send_until_it_fails(
            ana.clone(),
            chat.clone(),
            sender,
            Arc::clone(&acknowledged),
        ));
    }
    eventually("enough messages", async || {
        (acknowledged.load(Ordering::SeqCst) >= ENOUGH).then_some(())
    })
    .await;
    first.kill();
    let sent: Vec<Sent> = senders.join_all().await;

    let second = Process::start(&database, data.path());
    let ana = ana.at(&second);
    let stored = counted(&ana, &chat).await;
    for body in sent.iter().flat_map(|sent| &sent.acknowledged) {
        assert_eq!(stored.get(body), Some(&1), "{body} was acknowledged");
    }
    assert!(stored.len() >= ENOUGH && stored.len() <= acknowledged.load(Ordering::SeqCst) + SENDERS);

    // Whoever did not learn what became of their message sends it again, and it is there once.
    for Sent { unanswered, .. } in &sent {
        Answer::to(message(&ana, &chat, unanswered)).await.is(201);
    }
    let stored = counted(&ana, &chat).await;
    assert!(stored.values().all(|count| *count == 1), "{stored:?}");
    let expected: usize = sent.iter().map(|sent| sent.acknowledged.len() + 1).sum();
    assert_eq!(stored.len(), expected);
    assert_eq!(ana.chat(&chat).await["last_seq"], expected);
}

/// What one sender knows when the server is gone.
struct Sent {
    acknowledged: Vec<String>,
    unanswered: String,
}

async fn send_until_it_fails(ana: Person, chat: String, sender: usize, count: Arc<AtomicUsize>) -> Sent {
    let mut acknowledged = Vec::new();
    loop {
        let body = format!("{sender}-{}", acknowledged.len());
        match Answer::try_to(message(&ana, &chat, &body)).await {
            Ok(answer) => {
                answer.is(201);
                acknowledged.push(body);
                count.fetch_add(1, Ordering::SeqCst);
            }
            Err(_) => {
                return Sent {
                    acknowledged,
                    unanswered: body,
                };
            }
        }
    }
}

/// A message with a key of its own: its text.
fn message(ana: &Person, chat: &str, body: &str) -> reqwest::RequestBuilder {
    ana.request(Method::POST, &format!("/chats/{chat}/messages"))
        .header("Idempotency-Key", body)
        .json(&json!({"body": body}))
}

/// How often each body is in the chat, whose messages must be numbered without gap.
async fn counted(ana: &Person, chat: &str) -> HashMap<String, usize> {
    let mut counts = HashMap::new();
    for body in ana.bodies(chat).await {
        *counts.entry(body).or_default() += 1;
    }
    counts
}
