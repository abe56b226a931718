use super::two;
use crate::support::{Database, SentEvents, Server, on_each_database};
use futures_util::future::join_all;
use serde_json::json;
use std::sync::atomic::{AtomicBool, Ordering};

on_each_database! {
    events_are_streamed
    who_was_cut_off_goes_on_after_the_last_event
    what_is_no_token_is_refused
}

async fn ready(stream: &mut SentEvents) {
    assert_eq!(stream.next().await.data["type"], "ready");
}

async fn events_are_streamed(database: Database) {
    let server = Server::on(&database).await;
    let (ana, bob, chat) = two(&server).await;
    ana.send(&chat, "before").await;
    let mut stream = bob.stream(None).await;
    ready(&mut stream).await;
    let mut socket = bob.listen().await;
    ana.send(&chat, "hello").await;
    let event = stream.next().await;
    assert_eq!(event.name.as_deref(), Some("message.created"));
    // The same frames everywhere.
    assert_eq!(event.data, socket.event().await);
    let mut anas = ana.listen().await;
    anas.say(json!({"type": "typing", "chat_id": chat, "active": true}))
        .await;
    let typing = stream.next().await;
    assert_eq!((typing.id, &typing.data), (None, &socket.next().await));
    ana.delete(&format!("/chats/{chat}/members/{}", bob.id)).await.is(204);
    ana.send(&chat, "alone").await;
    let removed = stream.next().await;
    assert_eq!(removed.data["event"], "member.removed");
    let mut stream = bob.stream(removed.id.as_deref()).await;
    ready(&mut stream).await;
}

async fn who_was_cut_off_goes_on_after_the_last_event(database: Database) {
    let server = Server::on(&database).await;
    let (ana, bob, chat) = two(&server).await;
    let other = ana.group("Another", &[&bob]).await;
    let done = AtomicBool::new(false);
    let send = async {
        while !done.load(Ordering::Relaxed) {
            tokio::join!(ana.send(&chat, "x"), bob.send(&other, "x"));
        }
    };
    let hear = async {
        let mut stream = bob.stream(None).await;
        let mut id = stream.next().await.id;
        let mut last = std::collections::HashMap::new();
        for _ in 0..20 {
            drop(stream);
            stream = bob.stream(id.as_deref()).await;
            for _ in 0..10 {
                let event = stream.next().await;
                if event.data["type"] == "event" {
                    let seq = event.data["event_seq"].as_i64().unwrap();
                    let before = last.insert(event.data["chat_id"].to_string(), seq);
                    assert!(before.is_none_or(|before| before + 1 == seq), "{before:?} {seq}");
                }
                id = event.id;
            }
        }
        assert_eq!(last.len(), 2);
        done.store(true, Ordering::Relaxed);
    };
    tokio::join!(send, hear);
    // By the parameter, too.
    join_all((0..3).map(|_| ana.send(&chat, "x"))).await;
}

async fn what_is_no_token_is_refused(database: Database) {
    let server = Server::on(&database).await;
    let (ana, bob, _) = two(&server).await;
    let token = ana.get("/sync").await.is(200)["token"].as_str().unwrap().to_owned();
    for bad in [&*token, "nonsense"] {
        bob.get(&format!("/events?token={bad}"))
            .await
            .problem(422, "invalid_input");
        bob.get(&format!("/sync?token={bad}"))
            .await
            .problem(422, "invalid_input");
    }
}
