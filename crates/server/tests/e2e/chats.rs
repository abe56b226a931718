//! Chats: their kinds, their order, and what is unread in them.

use crate::support::{Database, Person, Server, on_each_database};
use serde_json::json;

on_each_database! {
    unread_counts_are_exact
    a_direct_chat_is_there_once
    the_most_recently_active_comes_first
    a_group_is_renamed_by_members_and_deleted_by_its_owner
    to_strangers_a_chat_does_not_exist
    messages_are_edited_and_deleted
}

async fn unread_counts_are_exact(database: Database) {
    let server = Server::on(&database).await;
    let (ana, bob) = (server.register("ana").await, server.register("bob").await);
    let chat = ana.group("Counting", &[&bob]).await;
    for n in 0..5 {
        ana.send(&chat, &n.to_string()).await;
    }
    let unread = async |person: &Person| person.chat(&chat).await["unread_count"].clone();
    assert_eq!((unread(&ana).await, unread(&bob).await), (json!(0), json!(5)));

    let read = format!("/chats/{chat}/read");
    let mark = async |seq: i64| bob.put(&read, json!({"seq": seq})).await.is(200);
    assert_eq!(mark(3).await, json!({"read_seq": 3, "unread_count": 2}));
    assert_eq!(mark(1).await, json!({"read_seq": 3, "unread_count": 2}), "never back");
    // A deleted message that was unread stays counted until read.
    let last = ana.get(&format!("/chats/{chat}/messages?limit=1")).await.is(200);
    let last = last["items"][0]["id"].as_str().unwrap();
    ana.delete(&format!("/chats/{chat}/messages/{last}")).await.is(204);
    assert_eq!(unread(&bob).await, 2);
    assert_eq!(mark(1_000).await, json!({"read_seq": 5, "unread_count": 0}));
    // To send is to have read.
    ana.send(&chat, "one more").await;
    bob.send(&chat, "and mine").await;
    assert_eq!((unread(&ana).await, unread(&bob).await), (json!(1), json!(0)));
    bob.put(&read, json!({"seq": -1})).await.problem(422, "invalid_input");
}

async fn a_direct_chat_is_there_once(database: Database) {
    let server = Server::on(&database).await;
    let (ana, bob) = (server.register("ana").await, server.register("bob").await);
    let with = |id: &str| json!({"kind": "direct", "user_id": id});
    let made = ana.post("/chats", with(&bob.id)).await.is(201);
    assert_eq!((&made["kind"], &made["title"]), (&json!("direct"), &json!(null)));
    assert_eq!(made["members"].as_array().unwrap().len(), 2);
    let found = bob.post("/chats", with(&ana.id)).await.is(200);
    assert_eq!(found["id"], made["id"]);
    assert_eq!(ana.post("/chats", with(&ana.id)).await.invalid_fields(), ["user_id"]);
    let nobody = ana.post("/chats", with(made["id"].as_str().unwrap())).await;
    nobody.problem(404, "not_found");
    let title = json!({"title": "Not a group"});
    let path = format!("/chats/{}", made["id"].as_str().unwrap());
    ana.patch(&path, title).await.problem(422, "invalid_input");
    assert_eq!(
        ana.get("/chats").await.is(200)["items"][0]["members"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
}

async fn the_most_recently_active_comes_first(database: Database) {
    let server = Server::on(&database).await;
    let ana = server.register("ana").await;
    let mut chats = Vec::new();
    for title in ["first", "second", "third"] {
        chats.push(ana.group(title, &[]).await);
    }
    let titles = async || -> Vec<String> {
        let listed = ana.walk("/chats", 2).await;
        listed
            .iter()
            .map(|chat| chat["title"].as_str().unwrap().to_owned())
            .collect()
    };
    ana.send(&chats[0], "hello").await;
    ana.send(&chats[1], "hello").await;
    ana.send(&chats[0], "hello").await;
    assert_eq!(titles().await, ["first", "second", "third"]);
    ana.send(&chats[2], "hello").await;
    assert_eq!(titles().await, ["third", "first", "second"]);
}

async fn a_group_is_renamed_by_members_and_deleted_by_its_owner(database: Database) {
    let server = Server::on(&database).await;
    let (ana, bob) = (server.register("ana").await, server.register("bob").await);
    let chat = ana.group("Before", &[&bob]).await;
    let path = format!("/chats/{chat}");
    assert_eq!(
        bob.patch(&path, json!({"title": "After"})).await.is(200)["title"],
        "After"
    );
    assert_eq!(ana.chat(&chat).await["title"], "After");
    bob.delete(&path).await.problem(403, "forbidden");
    ana.delete(&path).await.is(204);
    for person in [&ana, &bob] {
        person.get(&path).await.problem(404, "not_found");
        assert!(person.walk("/chats", 10).await.is_empty());
    }
}

async fn to_strangers_a_chat_does_not_exist(database: Database) {
    let server = Server::on(&database).await;
    let (ana, bob) = (server.register("ana").await, server.register("bob").await);
    let chat = ana.group("Private", &[]).await;
    let message = ana.send(&chat, "hello").await["id"].as_str().unwrap().to_owned();
    let unknown = bob.id.clone();
    for chat in [&chat, &unknown] {
        let path = format!("/chats/{chat}");
        let body = json!({"body": "hello", "title": "Mine", "seq": 1, "user_id": bob.id});
        let answers = [
            bob.get(&path).await,
            bob.patch(&path, body.clone()).await,
            bob.delete(&path).await,
            bob.get(&format!("{path}/members")).await,
            bob.post(&format!("{path}/members"), body.clone()).await,
            bob.delete(&format!("{path}/members/{}", ana.id)).await,
            bob.delete(&format!("{path}/members/{}", bob.id)).await,
            bob.put(&format!("{path}/read"), body.clone()).await,
            bob.get(&format!("{path}/messages")).await,
            bob.post(&format!("{path}/messages"), body.clone()).await,
            bob.get(&format!("{path}/messages/{message}")).await,
            bob.patch(&format!("{path}/messages/{message}"), body.clone()).await,
            bob.delete(&format!("{path}/messages/{message}")).await,
        ];
        for answer in answers {
            answer.problem(404, "not_found");
        }
    }
    assert_eq!(ana.bodies(&chat).await, ["hello"]);
}

async fn messages_are_edited_and_deleted(database: Database) {
    let server = Server::on(&database).await;
    let (ana, bob, eve) = (
        server.register("ana").await,
        server.register("bob").await,
        server.register("eve").await,
    );
    let chat = ana.group("Changing", &[&bob, &eve]).await;
    let message = bob.send(&chat, "helo").await;
    let path = format!("/chats/{chat}/messages/{}", message["id"].as_str().unwrap());
    ana.patch(&path, json!({"body": "mine now"}))
        .await
        .problem(403, "forbidden");
    let edited = bob.patch(&path, json!({"body": "hello"})).await.is(200);
    assert_eq!((&edited["body"], &edited["seq"]), (&json!("hello"), &json!(1)));
    assert!(edited["edited_at"].is_string());
    let reply = json!({"body": "hi", "reply_to": message["id"]});
    eve.post(&format!("/chats/{chat}/messages"), reply).await.is(201);

    eve.delete(&path).await.problem(403, "forbidden");
    ana.delete(&path).await.is(204);
    bob.delete(&path).await.is(204);
    bob.patch(&path, json!({"body": "again"}))
        .await
        .problem(409, "conflict");
    let kept = eve.walk(&format!("/chats/{chat}/messages"), 10).await;
    assert_eq!((&kept[1]["seq"], &kept[1]["body"]), (&json!(1), &json!(null)));
    assert!(kept[1]["deleted_at"].is_string());
    assert_eq!(kept[0]["reply_to"]["body"], json!(null));
}
