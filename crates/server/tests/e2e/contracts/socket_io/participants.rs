//! `participants` by Socket.IO.

use super::{Clients, Door, WAYS, at_each_door, direct, people};
use crate::contracts::{id, time};
use crate::support::Answer;
use serde_json::{Value, json};

at_each_door! { "participants":
    strangers_are_refused
    who_is_heard_where
    typing
    what_was_seen
    ends
    limits
    requests_that_make_no_sense
    conversation
    groups
    what_is_not_done
}

use super::{
    ends, limits, requests_that_make_no_sense, strangers_are_refused, typing, what_was_seen, who_is_heard_where,
};

async fn conversation(door: &Door) {
    let [ana, ben] = people(door, ["ana", "ben"]).await;
    let chat = direct(&ana, &ben).await;
    let mut clients = Clients::at(door);
    for (who, way) in [(&ana, WAYS[2]), (&ben, WAYS[0])] {
        clients.enter(&who.id, way, &who.access);
        clients.join(&who.id, &chat);
    }
    let command = json!({"chatId": chat, "receiverId": ben.id, "content": "Hola "});
    clients.does(&ana.id, "send_message", &command);
    let heard = clients.hears(&ben.id, "new_message");
    let (message, at) = (id(&heard["_id"]), time(&heard["createdAt"]));
    let expected = json!({
        "_id": message, "chatId": chat, "senderId": {"_id": ana.id, "fullName": "ana", "profileImage": null},
        "receiverId": ben.id, "content": "Hola", "status": "sent", "createdAt": at,
    });
    assert_eq!(heard, expected);
    assert_eq!(clients.hears(&ana.id, "new_message"), expected);
    let delivered = json!({"messageId": message, "status": "delivered"});
    assert_eq!(clients.hears(&ana.id, "message_delivered"), delivered);
    // By each of the other ways.
    let sent = json!({"chatId": chat, "receiverId": ana.id, "content": "REST"});
    door.post(&ben.access, "/api/messages", sent).await.is(201);
    ben.send(&chat, "native").await;
    let request = door
        .native()
        .request_root(reqwest::Method::POST, "/compat/amigos/api/messages");
    let sent = json!({"chatId": chat, "content": "amigos"});
    Answer::to(request.bearer_auth(&ben.access).json(&sent)).await.is(201);
    for who in [&ana, &ben] {
        let told: Vec<Value> = (0..3).map(|_| clients.hears(&who.id, "new_message")).collect();
        for (told, text) in told.iter().zip(["REST", "native", "amigos"]) {
            assert_eq!((&told["content"], &told["receiverId"]), (&json!(text), &json!(ana.id)));
        }
    }
}

async fn groups(door: &Door) {
    let [ana, ben, eva] = people(door, ["ana", "ben", "eva"]).await;
    let group = ana.group("All", &[&ben, &eva]).await;
    let mut clients = Clients::at(door);
    for who in [&ana, &eva] {
        clients.enter(&who.id, WAYS[1], &who.access);
        clients.join(&who.id, &group);
    }
    clients.does(
        &ana.id,
        "send_message",
        &json!({"chatId": group, "receiverId": ben.id, "content": "Ben"}),
    );
    assert_eq!(clients.hears(&eva.id, "new_message")["receiverId"], ben.id);
    ben.send(&group, "All").await;
    assert_eq!(clients.hears(&eva.id, "new_message")["receiverId"], json!(null));
}

async fn what_is_not_done(door: &Door) {
    let [ana, ben, eva] = people(door, ["ana", "ben", "eva"]).await;
    let chat = direct(&ana, &ben).await;
    let mut clients = Clients::at(door);
    clients.enter("eva", WAYS[0], &eva.access);
    clients.enter("ana", WAYS[1], &ana.access);
    for event in ["join_chat", "typing", "message_seen"] {
        let with = |chat: &str| json!({"chatId": chat, "isTyping": true, "messageIds": []});
        let hidden = "No tienes permiso para ver los mensajes de este chat";
        assert_eq!(clients.fails("eva", event, &with(&chat)), hidden, "{event}");
        assert_eq!(
            clients.fails("eva", event, &with(&eva.id)),
            "Chat no encontrado",
            "{event}"
        );
        assert_eq!(clients.fails("eva", event, &with("x")), "Chat no encontrado", "{event}");
        for nonsense in [json!(null), json!("x"), json!([]), json!({"chatId": 7})] {
            clients.fails("eva", event, &nonsense);
        }
    }
    let send = |chat: &str, receiver: &str| json!({"chatId": chat, "receiverId": receiver, "content": "x"});
    let outside = "El remitente o el destinatario no pertenecen a este chat";
    for (who, command, text) in [
        ("eva", send(&chat, &ana.id), outside),
        ("ana", send(&chat, &eva.id), outside),
        ("ana", send(&chat, "x"), outside),
        ("ana", send(&eva.id, &ben.id), "Chat no encontrado"),
        ("ana", send("x", &ben.id), "Chat no encontrado"),
        (
            "ana",
            json!({"chatId": chat, "content": "x"}),
            "Faltan campos requeridos (chatId, content, receiverId)",
        ),
        (
            "ana",
            json!({"chatId": chat, "receiverId": ben.id}),
            "Faltan campos requeridos (chatId, content, receiverId)",
        ),
    ] {
        assert_eq!(clients.fails(who, "send_message", &command), text, "{command}");
    }
    assert_eq!(ana.bodies(&chat).await, Vec::<String>::new());
}
