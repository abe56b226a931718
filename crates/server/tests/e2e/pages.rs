//! Walks over lists that change meanwhile.

use crate::support::{Database, Server, on_each_database};
use serde_json::Value;
use std::collections::HashSet;

on_each_database! {
    a_walk_over_messages_misses_and_repeats_nothing
    before_and_after_find_their_place
    a_walk_over_chats_never_repeats_one
    a_walk_over_members_survives_comings_and_goings
    cursors_are_opaque_and_safe_in_urls
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

async fn a_walk_over_messages_misses_and_repeats_nothing(database: Database) {
    let server = Server::on(&database).await;
    let ana = server.register("ana").await;
    let chat = ana.group("Long", &[]).await;
    let messages = format!("/chats/{chat}/messages");
    let mut deleted = Vec::new();
    for n in 1..=40 {
        let message = ana.send(&chat, &n.to_string()).await;
        if n % 10 == 0 {
            deleted.push(text(&message["id"]).to_owned());
        }
    }
    let walked = ana.walk_with(&messages, 7, async || {
        ana.send(&chat, "meanwhile").await;
        if let Some(message) = deleted.pop() {
            ana.delete(&format!("{messages}/{message}")).await.is(204);
        }
    });
    let numbers: Vec<i64> = walked
        .await
        .iter()
        .map(|message| message["seq"].as_i64().unwrap())
        .collect();
    assert_eq!(numbers, (1..=40).rev().collect::<Vec<_>>());
}

async fn before_and_after_find_their_place(database: Database) {
    let server = Server::on(&database).await;
    let ana = server.register("ana").await;
    let chat = ana.group("Places", &[]).await;
    for n in 1..=10 {
        ana.send(&chat, &n.to_string()).await;
    }
    let numbers = async |query: &str| -> (Vec<i64>, bool) {
        let page = ana.get(&format!("/chats/{chat}/messages?{query}")).await.is(200);
        let items = page["items"].as_array().unwrap();
        let numbers = items.iter().map(|message| message["seq"].as_i64().unwrap());
        (numbers.collect(), page["next_cursor"].is_string())
    };
    assert_eq!(numbers("before=4").await, (vec![3, 2, 1], false));
    assert_eq!(numbers("before=9&limit=2").await, (vec![8, 7], true));
    assert_eq!(numbers("after=8").await, (vec![9, 10], false));
    assert_eq!(numbers("after=0&limit=3").await, (vec![1, 2, 3], true));
    assert_eq!(numbers("after=10").await, (vec![], false));
    assert_eq!(numbers("before=99999999999999999999&limit=1").await, (vec![10], true));
    // The cursor of a page goes on in the page's own direction.
    let page = ana
        .get(&format!("/chats/{chat}/messages?after=2&limit=2"))
        .await
        .is(200);
    let cursor = text(&page["next_cursor"]);
    assert_eq!(numbers(&format!("limit=2&cursor={cursor}")).await, (vec![5, 6], true));
}

async fn a_walk_over_chats_never_repeats_one(database: Database) {
    let server = Server::on(&database).await;
    let ana = server.register("ana").await;
    let mut chats = Vec::new();
    for n in 0..12 {
        let chat = ana.group(&format!("Chat {n}"), &[]).await;
        ana.send(&chat, "hello").await;
        chats.push(chat);
    }
    // One that the walk has passed already, one that it has still before it, and a new one.
    let mut round = 0;
    let walked = ana.walk_with("/chats", 3, async || {
        round += 1;
        ana.send(&chats[12 - round], "up again").await;
        ana.send(&chats[round - 1], "missed").await;
        ana.group("New", &[]).await;
    });
    let walked: Vec<String> = walked.await.iter().map(|chat| text(&chat["id"]).to_owned()).collect();
    let distinct: HashSet<&String> = walked.iter().collect();
    assert_eq!(distinct.len(), walked.len(), "one is repeated");
    let became_active = &chats[..3];
    for chat in chats.iter().filter(|chat| !became_active.contains(chat)) {
        assert!(distinct.contains(chat), "{chat} was quiet and is missed");
    }
}

async fn a_walk_over_members_survives_comings_and_goings(database: Database) {
    let server = Server::on(&database).await;
    let ana = server.register("ana").await;
    let mut others = Vec::new();
    for n in 0..9 {
        others.push(server.register(&format!("user{n}")).await);
    }
    let chat = ana
        .group("Coming and going", &others[..6].iter().collect::<Vec<_>>())
        .await;
    let members = format!("/chats/{chat}/members");
    let first = text(&ana.page(&members, 2, None).await.0[1]["user"]["id"]).to_owned();
    let mut coming = others[6..].iter();
    let mut going = Some(first.clone());
    let walked = ana.walk_with(&members, 2, async || {
        if let Some(newcomer) = coming.next() {
            let member = serde_json::json!({"user_id": newcomer.id});
            ana.post(&members, member).await.is(201);
        }
        if let Some(gone) = going.take() {
            ana.delete(&format!("{members}/{gone}")).await.is(204);
        }
    });
    let walked: Vec<String> = walked
        .await
        .iter()
        .map(|member| text(&member["user"]["id"]).to_owned())
        .collect();
    let distinct: HashSet<&String> = walked.iter().collect();
    assert_eq!(distinct.len(), walked.len(), "one is repeated");
    for member in [&ana].into_iter().chain(&others[..6]) {
        assert!(distinct.contains(&member.id), "{} is missed", member.id);
    }
}

async fn cursors_are_opaque_and_safe_in_urls(database: Database) {
    let server = Server::on(&database).await;
    let ana = server.register("ana").await;
    let bob = server.register("bob").await;
    let chat = ana.group("First", &[&bob]).await;
    ana.group("Second", &[]).await;
    for n in 0..2 {
        ana.send(&chat, &n.to_string()).await;
    }
    let lists = [
        "/users",
        "/chats",
        &format!("/chats/{chat}/members"),
        &format!("/chats/{chat}/messages"),
    ];
    let mut cursors = Vec::new();
    for list in lists {
        let (_, cursor) = ana.page(list, 1, None).await;
        let cursor = cursor.unwrap();
        let safe = |c: char| c.is_ascii_alphanumeric() || "-_.~".contains(c);
        assert!(cursor.chars().all(safe), "{cursor}");
        cursors.push(cursor);
    }
    // A cursor is good for its own list only.
    for (place, list) in lists.iter().enumerate() {
        for (other, cursor) in cursors.iter().enumerate() {
            let answer = ana.get(&format!("{list}?cursor={cursor}")).await;
            if place == other {
                answer.is(200);
            } else {
                answer.problem(400, "invalid_input");
            }
        }
    }
}
