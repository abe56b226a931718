//! API keys: for bots and backends, with no more rights than they need.

use crate::support::{Answer, Api, Database, Form, Person, Server, on_each_database};
use reqwest::Method;
use serde_json::{Value, json};

on_each_database! {
    a_key_may_do_what_its_scopes_say
    a_key_is_shown_once_listed_and_revoked
    keys_end_with_the_account
}

/// Whoever holds a new key of that user's with those scopes.
async fn with_key(api: &Api, user: &Person, scopes: &[&str]) -> (Person, Value) {
    let key = json!({"name": "A bot", "scopes": scopes});
    let key = user.post("/me/keys", key).await.is(201);
    let session = json!({"user": {"id": user.id}, "access_token": key["key"], "refresh_token": ""});
    (Person::from_session(api, &session), key)
}

async fn a_key_may_do_what_its_scopes_say(database: Database) {
    let server = Server::on(&database).await;
    let ana = server.register("ana").await;
    let chat = ana.group("Bots", &[]).await;
    let (reader, _) = with_key(&server, &ana, &["read"]).await;
    let (writer, _) = with_key(&server, &ana, &["write"]).await;
    let (manager, _) = with_key(&server, &ana, &["manage"]).await;
    let (all, _) = with_key(&server, &ana, &["read", "write", "manage"]).await;
    let messages = format!("/chats/{chat}/messages");

    let may = |answer: &Answer| match answer.status {
        200 | 201 | 204 => true,
        403 => {
            answer.clone().problem(403, "forbidden");
            false
        }
        _ => panic!("{answer:?}"),
    };
    for (bot, [reads, writes, manages]) in [
        (&reader, [true, false, false]),
        (&writer, [false, true, false]),
        (&manager, [false, false, true]),
        (&all, [true, true, true]),
    ] {
        assert_eq!(may(&bot.get("/chats").await), reads);
        assert_eq!(may(&bot.get(&messages).await), reads);
        assert_eq!(may(&bot.post(&messages, json!({"body": "beep"})).await), writes);
        let form = Form::new().file("beep.txt", b"beep");
        assert_eq!(may(&bot.send_form(Method::POST, "/files", form).await), writes);
        let group = json!({"kind": "group", "title": "Made by a bot"});
        assert_eq!(may(&bot.post("/chats", group).await), manages);
        // The account is for those who logged in.
        for refused in [
            bot.patch("/me", json!({"display_name": "Bot"})).await,
            bot.post("/me/keys", json!({"name": "more", "scopes": ["read"]})).await,
            bot.get("/auth/sessions").await,
            bot.delete("/me").await,
        ] {
            refused.problem(403, "forbidden");
        }
    }
    assert_eq!(ana.bodies(&chat).await, ["beep", "beep"]);
}

async fn a_key_is_shown_once_listed_and_revoked(database: Database) {
    let server = Server::on(&database).await;
    let (ana, ben) = (server.register("ana").await, server.register("ben").await);
    let (bot, key) = with_key(&server, &ana, &["read"]).await;
    assert!(key["key"].as_str().unwrap().starts_with("tt_"), "{key}");
    bot.get("/chats").await.is(200);
    let listed = ana.get("/me/keys").await.is(200);
    let listed = listed["items"].as_array().unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(
        (
            &listed[0]["id"],
            &listed[0]["name"],
            &listed[0]["scopes"],
            listed[0].get("key")
        ),
        (&key["id"], &json!("A bot"), &json!(["read"]), None)
    );
    // It is no device that somebody is logged in on.
    let sessions = ana.get("/auth/sessions").await.is(200);
    assert_eq!(sessions["items"].as_array().unwrap().len(), 1);

    let path = format!("/me/keys/{}", key["id"].as_str().unwrap());
    ben.delete(&path).await.problem(404, "not_found");
    ana.delete(&path).await.is(204);
    bot.get("/chats").await.problem(401, "unauthenticated");
    ana.delete(&path).await.problem(404, "not_found");
    let refused = ana.post("/me/keys", json!({"name": "x", "scopes": []})).await;
    assert_eq!(refused.invalid_fields(), ["scopes"]);
    let past = json!({"name": "x", "scopes": ["read"], "expires_at": "2020-01-01T00:00:00.000Z"});
    assert_eq!(ana.post("/me/keys", past).await.invalid_fields(), ["expires_at"]);
}

async fn keys_end_with_the_account(database: Database) {
    let server = Server::on(&database).await;
    let ana = server.register("ana").await;
    let (bot, _) = with_key(&server, &ana, &["read"]).await;
    ana.delete("/me").await.is(204);
    bot.get("/chats").await.problem(401, "unauthenticated");
}
