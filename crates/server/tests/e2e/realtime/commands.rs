use super::two;
use crate::support::{Database, Server, Socket, on_each_database};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

on_each_database! {
    a_message_is_sent_and_acknowledged
    the_same_id_sends_once
    what_is_wrong_with_a_message_is_told
    reading_is_told
    what_is_no_command_is_told
    a_frame_that_is_too_large_ends_the_connection
    frames_are_texts
    too_many_commands_are_refused
    too_many_by_far_end_the_connection
}

fn send(reference: &str, chat: &str, client_id: &str, body: &str) -> Value {
    json!({"type": "send", "ref": reference, "chat_id": chat, "client_id": client_id, "body": body})
}

/// The next two frames: the acknowledgement and the event, whichever comes first.
async fn acknowledged(socket: &mut Socket) -> (Value, Value) {
    let (one, other) = (socket.next().await, socket.next().await);
    if one["type"] == "ack" {
        (one, other)
    } else {
        (other, one)
    }
}

async fn error(socket: &mut Socket) -> Value {
    let frame = socket.next().await;
    assert_eq!(frame["type"], "error", "{frame}");
    assert!(!frame["detail"].as_str().unwrap().is_empty());
    frame
}

async fn a_message_is_sent_and_acknowledged(database: Database) {
    let server = Server::on(&database).await;
    let (ana, bob, chat) = two(&server).await;
    let (mut anas, mut bobs) = (ana.listen().await, bob.listen().await);
    anas.say(send("a", &chat, "1", "hello")).await;
    let (ack, event) = acknowledged(&mut anas).await;
    assert_eq!(ack["ref"], "a");
    assert_eq!(event["data"], ack["message"]);
    let path = format!("/chats/{chat}/messages/{}", ack["message"]["id"].as_str().unwrap());
    assert_eq!(bob.get(&path).await.is(200), ack["message"]);
    assert_eq!(bobs.event().await, event);

    let file = bob.upload("a.txt", "some text").await;
    let mut reply = send("b", &chat, "1", "see there");
    reply["reply_to"] = ack["message"]["id"].clone();
    reply["attachments"] = json!([file["id"]]);
    bobs.say(reply).await;
    let (answer, _) = acknowledged(&mut bobs).await;
    assert_eq!(answer["message"]["reply_to"]["id"], ack["message"]["id"]);
    assert_eq!(answer["message"]["attachments"], json!([file]));
    assert_eq!(anas.event().await["data"], answer["message"]);
}

async fn the_same_id_sends_once(database: Database) {
    let server = Server::on(&database).await;
    let (ana, bob, chat) = two(&server).await;
    let (mut socket, mut another) = (ana.listen().await, ana.listen().await);
    let mut bobs = bob.listen().await;
    socket.say(send("a", &chat, "same", "hello")).await;
    let (first, event) = acknowledged(&mut socket).await;
    assert_eq!(another.event().await, event);
    for (socket, reference) in [(&mut socket, "b"), (&mut another, "c")] {
        socket.say(send(reference, &chat, "same", "hello")).await;
        let again = socket.next().await;
        assert_eq!(
            (&again["ref"], &again["message"]),
            (&json!(reference), &first["message"])
        );
        socket.say(send(reference, &chat, "same", "something else")).await;
        let refused = error(socket).await;
        assert_eq!(
            (&refused["ref"], &refused["code"]),
            (&json!(reference), &json!("invalid_input"))
        );
    }
    // Another's ids are their own, and so are keys of requests.
    bobs.event().await;
    bobs.say(send("d", &chat, "same", "hello")).await;
    let (other, _) = acknowledged(&mut bobs).await;
    assert_eq!(other["message"]["seq"], 2);
    let keyed = json!({"body": "by request"});
    ana.post_keyed(&format!("/chats/{chat}/messages"), "same", keyed)
        .await
        .is(201);
    assert_eq!(ana.bodies(&chat).await, ["hello", "hello", "by request"]);
}

async fn what_is_wrong_with_a_message_is_told(database: Database) {
    let server = Server::on(&database).await;
    let (ana, bob, chat) = two(&server).await;
    let secret = ana.group("Secret", &[]).await;
    let mut socket = bob.listen().await;
    let nobody = "018f0000-0000-7000-8000-000000000000";
    for (change, code) in [
        (json!({"chat_id": secret}), "not_found"),
        (json!({"chat_id": nobody}), "not_found"),
        (json!({"chat_id": "nonsense"}), "invalid_input"),
        (json!({"chat_id": null}), "invalid_input"),
        (json!({"client_id": null}), "invalid_input"),
        (json!({"client_id": ""}), "invalid_input"),
        (json!({"client_id": "x".repeat(200)}), "invalid_input"),
        (json!({"body": null}), "invalid_input"),
        (json!({"body": " "}), "invalid_input"),
        (json!({"body": "x".repeat(8_001)}), "invalid_input"),
        (json!({"body": 7}), "invalid_input"),
        (json!({"reply_to": nobody}), "not_found"),
        (json!({"attachments": [nobody]}), "not_found"),
    ] {
        let mut frame = send("r", &chat, "1", "hello");
        frame
            .as_object_mut()
            .unwrap()
            .extend(change.as_object().unwrap().clone());
        socket.say(frame).await;
        let refused = error(&mut socket).await;
        assert_eq!(
            (&refused["ref"], &refused["code"]),
            (&json!("r"), &json!(code)),
            "{change}"
        );
    }
    let mut frame = send("r", &chat, "1", "hello");
    frame.as_object_mut().unwrap().remove("ref");
    socket.say(frame).await;
    let refused = error(&mut socket).await;
    assert_eq!(
        (&refused["errors"][0]["field"], &refused["ref"]),
        (&json!("ref"), &Value::Null)
    );
    // None of these took anything, and the connection stays.
    socket.say(send("r", &chat, "1", "hello")).await;
    assert_eq!(acknowledged(&mut socket).await.0["message"]["seq"], 1);
}

async fn reading_is_told(database: Database) {
    let server = Server::on(&database).await;
    let (ana, bob, chat) = two(&server).await;
    for n in 0..3 {
        ana.send(&chat, &n.to_string()).await;
    }
    let (mut anas, mut bobs) = (ana.listen().await, bob.listen().await);
    bobs.say(json!({"type": "read", "ref": "a", "chat_id": chat, "seq": 2}))
        .await;
    let (ack, event) = acknowledged(&mut bobs).await;
    assert_eq!(
        ack,
        json!({"type": "ack", "ref": "a", "read_seq": 2, "unread_count": 1})
    );
    assert_eq!(event["event"], "read.updated");
    assert_eq!(event["data"], json!({"user_id": bob.id, "read_seq": 2}));
    assert_eq!(anas.event().await, event);
    assert_eq!(bob.chat(&chat).await["unread_count"], 1);
    // Never back, and without a ref no answer.
    bobs.say(json!({"type": "read", "chat_id": chat, "seq": 1})).await;
    assert!(bobs.until_pong().await.is_empty());
    for (frame, code) in [
        (
            json!({"type": "read", "ref": "b", "chat_id": chat, "seq": -1}),
            "invalid_input",
        ),
        (json!({"type": "read", "ref": "b", "chat_id": chat}), "invalid_input"),
        (
            json!({"type": "read", "ref": "b", "chat_id": ana.id, "seq": 1}),
            "not_found",
        ),
    ] {
        bobs.say(frame).await;
        let refused = error(&mut bobs).await;
        assert_eq!((&refused["ref"], &refused["code"]), (&json!("b"), &json!(code)));
    }
    assert!(anas.until_pong().await.is_empty());
}

async fn what_is_no_command_is_told(database: Database) {
    let server = Server::on(&database).await;
    let ana = server.register("ana").await;
    let mut socket = ana.listen().await;
    for text in [
        "",
        "nonsense",
        "[]",
        "7",
        "{}",
        r#"{"type":7}"#,
        r#"{"type":"dance","ref":"r"}"#,
        r#"{"type":"send""#,
    ] {
        socket.say_text(text).await;
        let refused = error(&mut socket).await;
        assert_eq!(refused["code"], "invalid_input", "{text}");
        assert_eq!(refused["ref"] == "r", text.contains("dance"), "{text}");
    }
    socket.say(json!({"type": "ping", "more": [{}]})).await;
    assert_eq!(socket.next().await, json!({"type": "pong"}));
}

async fn a_frame_that_is_too_large_ends_the_connection(database: Database) {
    let server = Server::on(&database).await;
    let ana = server.register("ana").await;
    let mut socket = ana.listen().await;
    let frame = |bytes: usize| format!(r#"{{"type":"ping","x":"{}"}}"#, "x".repeat(bytes - 22));
    socket.say_text(&frame(65_536)).await;
    assert_eq!(socket.next().await["type"], "pong");
    socket.try_say(Message::text(frame(65_537))).await;
    assert_eq!(socket.closed().await.0, 1009);
}

async fn frames_are_texts(database: Database) {
    let server = Server::on(&database).await;
    let ana = server.register("ana").await;
    let mut socket = ana.listen().await;
    socket.try_say(Message::binary(&b"{\"type\":\"ping\"}"[..])).await;
    assert_eq!(socket.closed().await.0, 1003);
}

async fn too_many_commands_are_refused(database: Database) {
    let server = Server::on(&database).await;
    let (ana, _, chat) = two(&server).await;
    let mut socket = ana.listen().await;
    for n in 0..390 {
        socket
            .say(json!({"type": "read", "ref": n.to_string(), "chat_id": chat, "seq": 0}))
            .await;
    }
    let mut refused = 0;
    for n in 0..390 {
        let frame = socket.next().await;
        assert_eq!(frame["ref"], n.to_string());
        if frame["type"] == "error" {
            assert_eq!(frame["code"], "rate_limited");
            refused += 1;
        } else {
            assert!(n >= 199 || refused == 0);
        }
    }
    // How many depends on how quick the machine is; to resume took one ping of the 200.
    assert!(refused <= 191, "{refused}");
}

async fn too_many_by_far_end_the_connection(database: Database) {
    let server = Server::on(&database).await;
    let ana = server.register("ana").await;
    let mut socket = ana.listen().await;
    // Whatever a machine answers in a second, it is more than it should have to.
    let code = 'flood: loop {
        for _ in 0..500 {
            socket.try_say(Message::text(r#"{"type":"ping"}"#)).await;
        }
        for _ in 0..500 {
            if let Err((code, _)) = socket.try_next().await {
                break 'flood code;
            }
        }
    };
    assert_eq!(code, 1008);
}
