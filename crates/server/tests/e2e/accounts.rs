//! Accounts: what they show, how they change, and what is left of them.

use crate::support::{Database, PASSWORD, Server, on_each_database};
use serde_json::json;

on_each_database! {
    one_sees_more_of_oneself
    names_change_and_stay_unique
    users_are_found_by_the_beginning_of_their_names
    a_deleted_account_leaves_its_messages
    an_erased_account_leaves_nothing_it_said
    an_email_address_is_enough
}

async fn one_sees_more_of_oneself(database: Database) {
    let server = Server::on(&database).await;
    let (ana, bob) = (server.register("ana").await, server.register("bob").await);
    let profile = json!({"phone": "123", "age": 42, "vip": true});
    let change = json!({"email": "ana@example.org", "profile": profile, "role": "admin"});
    let me = ana.patch("/me", change).await.is(200);
    assert_eq!((&me["email"], &me["profile"]), (&json!("ana@example.org"), &profile));
    assert_eq!(me["role"], "user", "not one's own to change");
    assert_eq!((&me["online"], &me["number"]), (&json!(true), &json!(1)));
    let path = format!("/users/{}", ana.id);
    let own = ana.get(&path).await.is(200);
    assert_eq!(own["email"], "ana@example.org");
    let others = bob.get(&path).await.is(200);
    for secret in ["email", "role", "profile"] {
        assert_eq!(others.get(secret), None);
    }
    assert_eq!((&others["username"], &others["online"]), (&json!("ana"), &json!(false)));
    assert_eq!(others["last_seen_at"], json!(null), "they share no chat");
    bob.group("Both", &[&ana]).await;
    assert_eq!(bob.get(&path).await.is(200)["online"], true);
    bob.get("/users/00000000-0000-7000-8000-000000000000")
        .await
        .problem(404, "not_found");
}

async fn names_change_and_stay_unique(database: Database) {
    let server = Server::on(&database).await;
    let (ana, bob) = (server.register("ana").await, server.register("bob").await);
    assert_eq!(
        ana.patch("/me", json!({"username": "ANA"})).await.is(200)["username"],
        "ANA"
    );
    bob.patch("/me", json!({"username": "Ana"}))
        .await
        .problem(409, "username_taken");
    ana.patch("/me", json!({"email": "a@example.org"})).await.is(200);
    bob.patch("/me", json!({"email": "A@Example.org"}))
        .await
        .problem(409, "email_taken");
    let gone = ana
        .patch("/me", json!({"username": null, "display_name": null}))
        .await
        .is(200);
    assert_eq!(gone["username"], json!(null));
    assert_eq!(
        ana.patch("/me", json!({"email": null})).await.invalid_fields(),
        ["username", "email"]
    );
    bob.patch("/me", json!({"username": "ana"})).await.is(200);
}

async fn users_are_found_by_the_beginning_of_their_names(database: Database) {
    let server = Server::on(&database).await;
    let ana = server.register("ana").await;
    for name in ["Anabel", "bob", "banana"] {
        server.register(name).await;
    }
    server
        .log_in("bob")
        .await
        .patch("/me", json!({"display_name": "Anatol"}))
        .await
        .is(200);
    let found = ana.get("/users?q=AN").await.is(200);
    let names: Vec<&str> = found["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|user| user["username"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["ana", "Anabel", "bob"]);
    assert_eq!(ana.get("/users?q=%25").await.is(200)["items"], json!([]));
    assert_eq!(ana.walk("/users", 1).await.len(), 4);
}

async fn a_deleted_account_leaves_its_messages(database: Database) {
    let server = Server::on(&database).await;
    let (ana, bob) = (server.register("ana").await, server.register("bob").await);
    let chat = ana.group("Left", &[&bob]).await;
    bob.send(&chat, "remember me").await;
    assert_eq!(bob.delete("/me").await.status, 204);

    bob.get("/me").await.problem(401, "unauthenticated");
    server.refresh(&bob.refresh).await.problem(401, "invalid_credentials");
    server
        .log_in_with("bob", PASSWORD)
        .await
        .problem(401, "invalid_credentials");
    ana.get(&format!("/users/{}", bob.id)).await.problem(404, "not_found");
    let messages = ana.walk(&format!("/chats/{chat}/messages"), 10).await;
    assert_eq!(messages[0]["body"], "remember me");
    let sender = &messages[0]["sender"];
    assert_eq!((&sender["id"], &sender["username"]), (&json!(bob.id), &json!(null)));
    assert_eq!(ana.chat(&chat).await["member_count"], 1);
    // The name is free again, for somebody else.
    assert_ne!(server.register("bob").await.id, bob.id);
}

async fn an_erased_account_leaves_nothing_it_said(database: Database) {
    let server = Server::on(&database).await;
    let (ana, bob) = (server.register("ana").await, server.register("bob").await);
    let chat = ana.group("Erased", &[&bob]).await;
    bob.group("Alone", &[]).await;
    bob.send(&chat, "forget me").await;
    ana.send(&chat, "whom?").await;
    bob.send(&chat, "me").await;
    server.log_in("bob").await;

    let erased = bob.delete("/me?erase=true").await.is(200);
    let expected = json!({"sessions": 2, "groups_left": 1, "groups_deleted": 1, "messages": 2, "files": 0});
    assert_eq!(erased, expected);
    let messages = ana.walk(&format!("/chats/{chat}/messages"), 10).await;
    let left: Vec<_> = messages
        .iter()
        .map(|message| (&message["seq"], &message["body"]))
        .collect();
    assert_eq!(
        left,
        [
            (&json!(3), &json!(null)),
            (&json!(2), &json!("whom?")),
            (&json!(1), &json!(null))
        ]
    );
}

async fn an_email_address_is_enough(database: Database) {
    let server = Server::on(&database).await;
    let account = json!({"email": "ana@example.org", "password": PASSWORD});
    let session = server.post("/auth/register", account).await.is(201);
    assert_eq!(
        (&session["user"]["username"], &session["user"]["email"]),
        (&json!(null), &json!("ana@example.org"))
    );
    server.log_in_with("ANA@example.ORG", PASSWORD).await.is(200);
    let neither = server.post("/auth/register", json!({"password": PASSWORD})).await;
    assert_eq!(neither.invalid_fields(), ["username", "email"]);
}
