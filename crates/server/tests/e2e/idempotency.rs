//! Retries with an `Idempotency-Key`.

use crate::support::{Answer, Database, Person, Server, on_each_database};
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

on_each_database! {
    a_retry_gets_the_first_answer_to_the_byte
    the_same_key_with_another_request_is_refused
    keys_belong_to_their_user
    copies_at_once_through_two_processes_are_one_message
    a_retry_after_a_restart_is_still_a_retry
    chats_and_members_are_made_once
    a_failure_is_not_remembered
    a_bad_key_is_malformed
}

fn replayed(answer: &Answer) -> bool {
    answer.header("idempotency-replayed") == Some("true")
}

fn hello() -> Value {
    json!({"body": "hello"})
}

/// Somebody with a chat for their own, and the path of its messages.
async fn alone(server: &Server, name: &str) -> (Person, String, String) {
    let person = server.register(name).await;
    let chat = person.group("Notes", &[]).await;
    let messages = format!("/chats/{chat}/messages");
    (person, chat, messages)
}

async fn a_retry_gets_the_first_answer_to_the_byte(database: Database) {
    let server = Server::on(&database).await;
    let (ana, chat, messages) = alone(&server, "ana").await;
    let first = ana.post_keyed(&messages, "key 1", hello()).await;
    assert_eq!((first.status, replayed(&first)), (201, false));

    // What became of the message since does not matter.
    let message = format!("{messages}/{}", first.json()["id"].as_str().unwrap());
    ana.patch(&message, json!({"body": "good-bye"})).await.is(200);
    ana.send(&chat, "something else").await;
    ana.patch("/me", json!({"display_name": "Ana López"})).await.is(200);

    let again = ana.post_keyed(&messages, "key 1", hello()).await;
    assert_eq!((again.status, replayed(&again)), (201, true));
    assert_eq!(again.body, first.body);
    assert_eq!(again.header("content-type"), first.header("content-type"));
    ana.post_keyed(&messages, "key 2", hello()).await.is(201);
    assert_eq!(ana.bodies(&chat).await, ["good-bye", "something else", "hello"]);
}

async fn the_same_key_with_another_request_is_refused(database: Database) {
    let server = Server::on(&database).await;
    let (ana, chat, messages) = alone(&server, "ana").await;
    ana.post_keyed(&messages, "key", hello()).await.is(201);
    let other = ana.post_keyed(&messages, "key", json!({"body": "other"})).await;
    assert_eq!(other.invalid_fields(), ["Idempotency-Key"]);
    let elsewhere = format!("/chats/{}/messages", ana.group("Elsewhere", &[]).await);
    let other = ana.post_keyed(&elsewhere, "key", hello()).await;
    assert_eq!(other.invalid_fields(), ["Idempotency-Key"]);
    let chats = json!({"kind": "group", "title": "hello"});
    let other = ana.post_keyed("/chats", "key", chats).await;
    assert_eq!(other.invalid_fields(), ["Idempotency-Key"]);
    assert_eq!(ana.bodies(&chat).await, ["hello"]);
}

async fn keys_belong_to_their_user(database: Database) {
    let server = Server::on(&database).await;
    let (ana, chat, messages) = alone(&server, "ana").await;
    let bob = server.register("bob").await;
    let body = json!({"user_id": bob.id});
    ana.post(&format!("/chats/{chat}/members"), body).await.is(201);
    for person in [&ana, &bob] {
        let answer = person.post_keyed(&messages, "key", hello()).await;
        assert_eq!((answer.status, replayed(&answer)), (201, false));
    }
    assert_eq!(ana.bodies(&chat).await, ["hello", "hello"]);
}

async fn copies_at_once_through_two_processes_are_one_message(database: Database) {
    let (here, there) = tokio::join!(Server::on(&database), Server::on(&database));
    let (ana, chat, messages) = alone(&here, "ana").await;
    let copies = join_all((0..12).map(|n| {
        let ana = ana.at(if n % 2 == 0 { &here } else { &there });
        let messages = &messages;
        async move { ana.post_keyed(messages, "key", hello()).await }
    }));
    let copies = copies.await;
    assert!(copies.iter().all(|copy| copy.status == 201), "{copies:?}");
    assert!(copies.iter().all(|copy| copy.body == copies[0].body), "{copies:?}");
    assert_eq!(copies.iter().filter(|copy| !replayed(copy)).count(), 1);
    assert_eq!(ana.bodies(&chat).await, ["hello"]);
}

async fn a_retry_after_a_restart_is_still_a_retry(database: Database) {
    let before = Server::on(&database).await;
    let (ana, chat, messages) = alone(&before, "ana").await;
    let first = ana.post_keyed(&messages, "key", hello()).await;
    before.stop().await;

    let after = Server::on(&database).await;
    let ana = ana.at(&after);
    let again = ana.post_keyed(&messages, "key", hello()).await;
    assert!(replayed(&again));
    assert_eq!((again.status, again.body), (201, first.body));
    assert_eq!(ana.bodies(&chat).await, ["hello"]);
}

async fn chats_and_members_are_made_once(database: Database) {
    let (here, there) = tokio::join!(Server::on(&database), Server::on(&database));
    let (ana, bob) = (here.register("ana").await, here.register("bob").await);
    let group = json!({"kind": "group", "title": "Once", "user_ids": []});
    let there = ana.at(&there);
    let (one, other) = tokio::join!(
        ana.post_keyed("/chats", "group", group.clone()),
        there.post_keyed("/chats", "group", group)
    );
    assert_eq!((one.status, other.status), (201, 201));
    assert_eq!(one.body, other.body);
    assert_ne!(replayed(&one), replayed(&other));
    assert_eq!(ana.walk("/chats", 100).await.len(), 1);

    let members = format!("/chats/{}/members", one.json()["id"].as_str().unwrap());
    let body = json!({"user_id": bob.id});
    let added = ana.post_keyed(&members, "member", body.clone()).await;
    assert_eq!((added.status, replayed(&added)), (201, false));
    // Not 200, which is what somebody who is there already gets to a new request.
    let again = there.post_keyed(&members, "member", body.clone()).await;
    assert_eq!((again.status, replayed(&again)), (201, true));
    assert_eq!(again.body, added.body);
    there.post_keyed(&members, "another", body).await.is(200);
}

async fn a_failure_is_not_remembered(database: Database) {
    let server = Server::on(&database).await;
    let (ana, chat, messages) = alone(&server, "ana").await;
    let bob = server.register("bob").await;
    bob.post_keyed(&messages, "key", hello())
        .await
        .problem(404, "not_found");
    let body = json!({"user_id": bob.id});
    ana.post(&format!("/chats/{chat}/members"), body).await.is(201);
    bob.post_keyed(&messages, "key", hello()).await.is(201);
}

async fn a_bad_key_is_malformed(database: Database) {
    let server = Server::on(&database).await;
    let (ana, _, messages) = alone(&server, "ana").await;
    ana.post_keyed(&messages, &"k".repeat(128), hello()).await.is(201);
    ana.post_keyed(&messages, &"k".repeat(129), hello())
        .await
        .problem(400, "invalid_input");
    let bad = ana.request(Method::POST, &messages).header("Idempotency-Key", "");
    Answer::to(bad.json(&hello())).await.problem(400, "invalid_input");
}
