use super::two;
use crate::support::{Database, Form, Person, Server, Socket, on_each_database, picture};
use reqwest::Method;
use serde_json::{Value, json};

on_each_database! {
    whatever_happens_is_told_with_its_data
    what_is_said_in_a_direct_chat_is_told
    what_changes_nothing_is_no_event
    the_last_to_leave_ends_the_chat
    an_account_that_ends_leaves_its_chats
}

/// Takes the next event, which must be that one; gives its data.
async fn told(socket: &mut Socket, chat: &str, seq: i64, event: &str) -> Value {
    let frame = socket.event().await;
    let of = (&frame["event"], &frame["chat_id"], &frame["event_seq"]);
    assert_eq!(of, (&json!(event), &json!(chat), &json!(seq)), "{frame}");
    assert!(frame["at"].as_str().unwrap().ends_with('Z'), "{frame}");
    frame["data"].clone()
}

/// The user as they are shown in events: whether they are here is told apart.
async fn shown(who: &Person, user: &Person) -> Value {
    let mut user = who.get(&format!("/users/{}", user.id)).await.is(200);
    user["online"] = json!(false);
    user["last_seen_at"] = Value::Null;
    user
}

async fn facts(who: &Person, chat: &str) -> Value {
    let chat = who.chat(chat).await;
    let names = [
        "id",
        "number",
        "kind",
        "title",
        "avatar_url",
        "created_at",
        "updated_at",
        "member_count",
        "last_seq",
    ];
    names
        .iter()
        .map(|name| ((*name).to_owned(), chat[name].clone()))
        .collect()
}

async fn whatever_happens_is_told_with_its_data(database: Database) {
    let server = Server::on(&database).await;
    let (ana, bob) = (server.register("ana").await, server.register("bob").await);
    let carol = server.register("carol").await;
    let mut sockets = [ana.listen().await, bob.listen().await];

    let chat = ana.group("Everything", &[&bob]).await;
    let chat = chat.as_str();
    let path = format!("/chats/{chat}");
    let messages = format!("{path}/messages");
    let created = facts(&ana, chat).await;
    for socket in &mut sockets {
        // Told as it is by then.
        assert_eq!(told(socket, chat, 1, "chat.created").await, created);
    }
    let first = ana.send(chat, "first").await;
    let message = format!("{messages}/{}", first["id"].as_str().unwrap());
    let edited = ana.patch(&message, json!({"body": "better"})).await.is(200);
    let reply = bob
        .post(&messages, json!({"body": "so?", "reply_to": first["id"]}))
        .await
        .is(201);
    ana.put(&format!("{path}/read"), json!({"seq": 2})).await.is(200);
    ana.delete(&message).await.is(204);
    let deleted = ana.get(&message).await.is(200);
    ana.patch(&path, json!({"title": "All of it"})).await.is(200);
    let renamed = facts(&ana, chat).await;
    let avatar = Form::new().file("a.png", &picture(4, 4, 0));
    ana.send_form(Method::PUT, &format!("{path}/avatar"), avatar)
        .await
        .is(200);
    let pictured = facts(&ana, chat).await;
    let member = ana
        .post(&format!("{path}/members"), json!({"user_id": carol.id}))
        .await
        .is(201);
    let of_carol = format!("{path}/members/{}", carol.id);
    ana.patch(&of_carol, json!({"role": "admin"})).await.is(200);
    let carols = shown(&ana, &carol).await;
    ana.delete(&of_carol).await.is(204);
    assert_eq!(ana.chat(chat).await["last_event_seq"], 11);

    for socket in &mut sockets {
        assert_eq!(told(socket, chat, 2, "message.created").await["seq"], 1);
        assert_eq!(told(socket, chat, 3, "message.updated").await["id"], edited["id"]);
        let answer = told(socket, chat, 4, "message.created").await;
        assert_eq!((&answer["id"], &answer["reply_to"]["id"]), (&reply["id"], &first["id"]));
        let read = told(socket, chat, 5, "read.updated").await;
        assert_eq!(read, json!({"user_id": ana.id, "read_seq": 2}));
        assert_eq!(told(socket, chat, 6, "message.deleted").await, deleted);
        assert_eq!(told(socket, chat, 7, "chat.updated").await["title"], renamed["title"]);
        assert_eq!(
            told(socket, chat, 8, "chat.updated").await["avatar_url"],
            pictured["avatar_url"]
        );
        let added = told(socket, chat, 9, "member.added").await;
        let joined_at = &member["joined_at"];
        assert_eq!(
            added,
            json!({"user": carols, "role": "member", "joined_at": joined_at, "read_seq": 2})
        );
        let updated = told(socket, chat, 10, "member.updated").await;
        assert_eq!(updated, json!({"user": carols, "role": "admin"}));
        let removed = told(socket, chat, 11, "member.removed").await;
        assert_eq!(removed, json!({"user_id": carol.id}));
    }
    ana.delete(&path).await.is(204);
    for socket in &mut sockets {
        assert_eq!(told(socket, chat, 12, "chat.deleted").await, json!({}));
        assert!(socket.until_pong().await.is_empty());
    }
}

async fn what_is_said_in_a_direct_chat_is_told(database: Database) {
    let server = Server::on(&database).await;
    let (ana, bob) = (server.register("ana").await, server.register("bob").await);
    let mut socket = bob.listen().await;
    let chat = ana
        .post("/chats", json!({"kind": "direct", "user_id": bob.id}))
        .await
        .is(201);
    let chat = chat["id"].as_str().unwrap();
    let created = told(&mut socket, chat, 1, "chat.created").await;
    assert_eq!(created, facts(&ana, chat).await);
    // A message is told as it was answered, to every byte.
    let message = ana.send(chat, "hello\n\u{1f980}").await;
    assert_eq!(told(&mut socket, chat, 2, "message.created").await, message);
    let path = format!("/chats/{chat}/messages/{}", message["id"].as_str().unwrap());
    let edited = ana.patch(&path, json!({"body": "hi"})).await.is(200);
    assert_eq!(told(&mut socket, chat, 3, "message.updated").await, edited);
    let file = ana.upload("a.txt", "some text").await;
    let message = ana.send_files(chat, &[&file]).await;
    assert_eq!(told(&mut socket, chat, 4, "message.created").await, message);
}

async fn what_changes_nothing_is_no_event(database: Database) {
    let server = Server::on(&database).await;
    let (ana, bob, chat) = two(&server).await;
    let mut socket = ana.listen().await;
    let read = format!("/chats/{chat}/read");
    for n in 0..3 {
        ana.send(&chat, &n.to_string()).await;
    }
    // To send is to have read, which is told by the message.
    assert_eq!(bob.send(&chat, "me too").await["seq"], 4);
    bob.put(&read, json!({"seq": 2})).await.is(200);
    bob.put(&read, json!({"seq": 4})).await.is(200);
    ana.post(&format!("/chats/{chat}/members"), json!({"user_id": bob.id}))
        .await
        .is(200);
    for _ in 0..2 {
        ana.post_keyed(&format!("/chats/{chat}/messages"), "key", json!({"body": "once"}))
            .await
            .is(201);
    }
    bob.put(&read, json!({"seq": 5})).await.is(200);
    for seq in 2..=6 {
        told(&mut socket, &chat, seq, "message.created").await;
    }
    told(&mut socket, &chat, 7, "read.updated").await;
    assert!(socket.until_pong().await.is_empty());
    assert_eq!(bob.chat(&chat).await["last_event_seq"], 7);
}

async fn the_last_to_leave_ends_the_chat(database: Database) {
    let server = Server::on(&database).await;
    let (ana, bob, chat) = two(&server).await;
    let (mut anas, mut bobs) = (ana.listen().await, bob.listen().await);
    ana.delete(&format!("/chats/{chat}/members/{}", ana.id)).await.is(204);
    for socket in [&mut anas, &mut bobs] {
        assert_eq!(told(socket, &chat, 2, "member.removed").await["user_id"], ana.id);
    }
    let followed = told(&mut bobs, &chat, 3, "member.updated").await;
    assert_eq!(
        (&followed["user"]["id"], &followed["role"]),
        (&json!(bob.id), &json!("owner"))
    );
    bob.delete(&format!("/chats/{chat}/members/{}", bob.id)).await.is(204);
    told(&mut bobs, &chat, 4, "chat.deleted").await;
    // Who had left hears nothing more.
    assert!(anas.until_pong().await.is_empty());
}

async fn an_account_that_ends_leaves_its_chats(database: Database) {
    let server = Server::on(&database).await;
    let (ana, bob, chat) = two(&server).await;
    let (mut anas, mut bobs) = (ana.listen().await, bob.listen().await);
    bob.delete("/me").await.is(204);
    assert_eq!(bobs.closed().await.0, 4001);
    assert_eq!(told(&mut anas, &chat, 2, "member.removed").await["user_id"], bob.id);
}
