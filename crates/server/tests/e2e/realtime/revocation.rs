use super::{outline, two};
use crate::support::{Database, PASSWORD, Person, Server, Socket, on_each_database};
use reqwest::Method;
use serde_json::json;

on_each_database! {
    a_session_that_ends_closes_its_sockets
    a_changed_password_closes_the_others
    who_is_suspended_is_shut_out
    a_revoked_key_closes_its_sockets
    who_is_removed_hears_nothing_more
}

async fn end(mut socket: Socket) {
    let (code, reason) = socket.closed().await;
    assert_eq!(code, 4001, "{reason}");
}

async fn a_session_that_ends_closes_its_sockets(database: Database) {
    let server = Server::on(&database).await;
    let ana = server.register("ana").await;
    let phone = server.log_in("ana").await;
    let tablet = server.log_in("ana").await;
    let (first, second) = (ana.listen().await, ana.connect().await);
    let (mut phones, tablets) = (phone.listen().await, tablet.listen().await);
    let mut stream = ana.stream(None).await;
    assert_eq!(stream.next().await.data["type"], "ready");
    ana.log_out().await;
    end(first).await;
    end(second).await;
    assert!(stream.try_next().await.is_none());
    assert!(phones.until_pong().await.is_empty());
    let session = tablets.hello["session_id"].as_str().unwrap().to_owned();
    phone.delete(&format!("/auth/sessions/{session}")).await.is(204);
    end(tablets).await;
    let all = phone
        .request(Method::POST, "/auth/logout?all=true")
        .send()
        .await
        .unwrap();
    assert_eq!(all.status(), 204);
    end(phones).await;
}

async fn a_changed_password_closes_the_others(database: Database) {
    let server = Server::on(&database).await;
    let ana = server.register("ana").await;
    let phone = server.log_in("ana").await;
    let (mut own, other) = (ana.listen().await, phone.listen().await);
    let change = json!({"current_password": PASSWORD, "new_password": "another horse battery"});
    ana.put("/me/password", change).await.is(204);
    end(other).await;
    assert!(own.until_pong().await.is_empty());
}

async fn who_is_suspended_is_shut_out(database: Database) {
    let server = Server::on(&database).await;
    database.make_admin("root");
    let (root, ana) = (server.log_in("root").await, server.register("ana").await);
    let socket = ana.listen().await;
    let path = format!("/admin/users/{}/suspension", ana.id);
    root.put(&path, json!({"reason": "spam"})).await.is(204);
    end(socket).await;
}

async fn a_revoked_key_closes_its_sockets(database: Database) {
    let server = Server::on(&database).await;
    let ana = server.register("ana").await;
    let key = ana
        .post("/me/keys", json!({"name": "A bot", "scopes": ["read"]}))
        .await
        .is(201);
    let session = json!({"user": {"id": ana.id}, "access_token": key["key"], "refresh_token": ""});
    let socket = Person::from_session(&server, &session).listen().await;
    ana.delete(&format!("/me/keys/{}", key["id"].as_str().unwrap()))
        .await
        .is(204);
    end(socket).await;
}

async fn who_is_removed_hears_nothing_more(database: Database) {
    let server = Server::on(&database).await;
    let (ana, bob, chat) = two(&server).await;
    let (mut anas, mut bobs, mut others) = (ana.listen().await, bob.listen().await, bob.listen().await);
    ana.delete(&format!("/chats/{chat}/members/{}", bob.id)).await.is(204);
    ana.send(&chat, "alone at last").await;
    anas.say(json!({"type": "typing", "chat_id": chat, "active": true}))
        .await;
    let [removed, sent] = [anas.event().await, anas.event().await];
    assert_eq!(
        outline(&[removed.clone(), sent]),
        [("member.removed", 2), ("message.created", 3)]
    );
    for socket in [&mut bobs, &mut others] {
        assert_eq!(socket.event().await, removed);
        assert!(socket.until_pong().await.is_empty());
    }
    // Who is let in again hears from there on.
    let path = format!("/chats/{chat}/members");
    ana.post(&path, json!({"user_id": bob.id})).await.is(201);
    ana.send(&chat, "welcome back").await;
    for socket in [&mut bobs, &mut others] {
        let back = [socket.event().await, socket.event().await];
        assert_eq!(outline(&back), [("member.added", 4), ("message.created", 5)]);
    }
}
