//! Every limit that the API promises, at its edge.

use crate::support::{Database, PASSWORD, Server, on_each_database};
use serde_json::{Value, json};

on_each_database! {
    bodies_have_1_to_8000_characters
    usernames_have_3_to_32_characters
    passwords_have_8_to_128_characters
    names_and_titles_are_bounded
    pages_have_1_to_100_items
    a_body_is_bounded_in_bytes
}

async fn bodies_have_1_to_8000_characters(database: Database) {
    let server = Server::on(&database).await;
    let ana = server.register("ana").await;
    let chat = ana.group("Long", &[]).await;
    let messages = format!("/chats/{chat}/messages");
    let accepted = [
        ("x", "x"),
        (&"é".repeat(8_000), &"é".repeat(8_000)),
        (&format!("{}  \n", "😀".repeat(8_000)), &"😀".repeat(8_000)),
        ("  leading\tand\nbetween \n\n", "  leading\tand\nbetween"),
    ];
    for (sent, stored) in accepted {
        assert_eq!(ana.send(&chat, sent).await["body"], *stored);
    }
    for refused in ["", " \n ", &"é".repeat(8_001), "a\0b", "a\u{1b}b", "a\rb"] {
        let answer = ana.post(&messages, json!({"body": refused})).await;
        assert_eq!(answer.invalid_fields(), ["body"], "{refused:?}");
    }
    for refused in [
        json!({}),
        json!({"body": null}),
        json!({"body": 1}),
        json!({"body": ["x"]}),
    ] {
        assert_eq!(ana.post(&messages, refused).await.invalid_fields(), ["body"]);
    }
    assert_eq!(ana.bodies(&chat).await.len(), accepted.len());
}

async fn usernames_have_3_to_32_characters(database: Database) {
    let server = Server::on(&database).await;
    let register = async |username: &str| {
        let account = json!({"username": username, "password": PASSWORD});
        server.post("/auth/register", account).await
    };
    let long = "n".repeat(32);
    for (name, shown) in [
        ("abc", "abc"),
        (long.as_str(), long.as_str()),
        ("Иван.Петров-1_", "Иван.Петров-1_"),
        ("ＡＮＡ", "ANA"),
    ] {
        assert_eq!(register(name).await.is(201)["user"]["username"], shown);
    }
    register("ana").await.problem(409, "username_taken");
    for refused in ["", "ab", &"n".repeat(33), "a b c", "ana@home", "ana/", "ana\u{202e}"] {
        assert_eq!(register(refused).await.invalid_fields(), ["username"], "{refused:?}");
    }
}

async fn passwords_have_8_to_128_characters(database: Database) {
    let server = Server::on(&database).await;
    let register = async |username: &str, password: &str| {
        let account = json!({"username": username, "password": password});
        server.post("/auth/register", account).await
    };
    for (name, password) in [("short", "é".repeat(8)), ("long", "é".repeat(128))] {
        register(name, &password).await.is(201);
        server.log_in_with(name, &password).await.is(200);
    }
    for refused in [String::new(), "é".repeat(7), "é".repeat(129), "x".repeat(100_000)] {
        assert_eq!(register("nobody", &refused).await.invalid_fields(), ["password"]);
    }
}

async fn names_and_titles_are_bounded(database: Database) {
    let server = Server::on(&database).await;
    let ana = server.register("ana").await;
    let group = async |title: &str| ana.post("/chats", json!({"kind": "group", "title": title})).await;
    group(&"é".repeat(200)).await.is(201);
    for refused in ["", "  ", &"é".repeat(201), "a\nb"] {
        assert_eq!(group(refused).await.invalid_fields(), ["title"], "{refused:?}");
    }
    let rename = async |name: &str| ana.patch("/me", json!({"display_name": name})).await;
    rename(&"é".repeat(256)).await.is(200);
    for refused in ["", &"é".repeat(257), "a\u{2066}b"] {
        assert_eq!(rename(refused).await.invalid_fields(), ["display_name"], "{refused:?}");
    }
    let kind = ana.post("/chats", json!({"kind": "channel"})).await;
    assert_eq!(kind.invalid_fields(), ["kind"]);
}

async fn pages_have_1_to_100_items(database: Database) {
    let server = Server::on(&database).await;
    let ana = server.register("ana").await;
    let chat = ana.group("Many", &[]).await;
    for n in 0..101 {
        ana.send(&chat, &n.to_string()).await;
    }
    let messages = format!("/chats/{chat}/messages");
    let size = async |query: &str| {
        ana.get(&format!("{messages}{query}")).await.is(200)["items"]
            .as_array()
            .unwrap()
            .len()
    };
    assert_eq!(size("").await, 50);
    assert_eq!(size("?limit=1").await, 1);
    assert_eq!(size("?limit=100").await, 100);
    for list in [messages.as_str(), "/chats", "/users", &format!("/chats/{chat}/members")] {
        for refused in ["0", "101", "-1", "99999999999999999999"] {
            let answer = ana.get(&format!("{list}?limit={refused}")).await;
            assert_eq!(answer.invalid_fields(), ["limit"], "{list} {refused}");
        }
        for malformed in ["limit=ten", "limit=", "cursor=", "cursor=x", "cursor=%00"] {
            ana.get(&format!("{list}?{malformed}"))
                .await
                .problem(400, "invalid_input");
        }
    }
    for refused in ["before=-1", "after=-1", "before=3&after=1"] {
        ana.get(&format!("{messages}?{refused}"))
            .await
            .problem(422, "invalid_input");
    }
}

async fn a_body_is_bounded_in_bytes(database: Database) {
    let server = Server::on(&database).await;
    let ana = server.register("ana").await;
    let chat = ana.group("Large", &[]).await;
    let padded = |bytes: usize| json!({"body": "x", "ignored": Value::String("x".repeat(bytes))});
    let messages = format!("/chats/{chat}/messages");
    ana.post(&messages, padded(200_000)).await.is(201);
    ana.post(&messages, padded(2_000_000))
        .await
        .problem(413, "payload_too_large");
}
