//! The conversation that the README shows.

use crate::support::{Answer, Database, Server, on_each_database};
use reqwest::Method;
use serde_json::json;

on_each_database! {
    two_people_talk
}

async fn two_people_talk(database: Database) {
    let server = Server::on(&database).await;

    let account = json!({"username": "ana", "password": "correct horse battery", "display_name": "Ana López"});
    let session = server.post("/auth/register", account).await.is(201);
    assert_eq!(session["token_type"], "Bearer");
    assert_eq!(session["expires_in"], 900);
    assert_eq!(session["user"]["display_name"], "Ana López");
    assert_eq!(session["user"]["role"], "user");
    let ana = server.log_in("ana").await;
    let bob = server.register("bob").await;

    let chat = ana
        .post(
            "/chats",
            json!({"kind": "group", "title": "Café Central", "user_ids": [bob.id]}),
        )
        .await
        .is(201);
    assert_eq!(
        (&chat["title"], &chat["member_count"]),
        (&json!("Café Central"), &json!(2))
    );
    assert_eq!((&chat["role"], &chat["last_message"]), (&json!("owner"), &json!(null)));
    let chat = chat["id"].as_str().unwrap();

    let message = ana.send(chat, "¿Quedamos a las siete?").await;
    assert_eq!((&message["seq"], &message["sender"]["id"]), (&json!(1), &json!(ana.id)));
    let answer = json!({"body": "A las siete.", "reply_to": message["id"]});
    let answer = bob.post(&format!("/chats/{chat}/messages"), answer).await.is(201);
    assert_eq!(answer["reply_to"]["body"], "¿Quedamos a las siete?");

    let listed = ana.get("/chats").await.is(200);
    assert_eq!(listed["items"][0]["unread_count"], 1);
    assert_eq!(listed["items"][0]["last_message"]["body"], "A las siete.");

    let page = ana.get(&format!("/chats/{chat}/messages?limit=1")).await.is(200);
    assert_eq!(page["items"][0]["seq"], 2);
    let cursor = page["next_cursor"].as_str().unwrap();
    let page = ana
        .get(&format!("/chats/{chat}/messages?limit=1&cursor={cursor}"))
        .await
        .is(200);
    assert_eq!((&page["items"][0], &page["next_cursor"]), (&message, &json!(null)));

    let read = ana.put(&format!("/chats/{chat}/read"), json!({"seq": 2})).await.is(200);
    assert_eq!(read, json!({"read_seq": 2, "unread_count": 0}));

    let log_out = Answer::to(ana.request(Method::POST, "/auth/logout")).await;
    assert_eq!((log_out.status, log_out.body.len()), (204, 0));
    ana.get("/me").await.problem(401, "unauthenticated");
    bob.get("/me").await.is(200);
    server.stop().await;
}
