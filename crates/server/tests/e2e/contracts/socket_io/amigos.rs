//! `amigos` by Socket.IO.

use super::{Clients, Door, WAYS, at_each_door, direct, people};
use crate::contracts::{id, time};
use crate::support::Answer;
use serde_json::{Value, json};

at_each_door! { "amigos":
    strangers_are_refused
    who_is_heard_where
    typing
    what_was_seen
    ends
    limits
    requests_that_make_no_sense
    conversation
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
    clients.does(&ana.id, "send_message", &json!({"chatId": chat, "content": "Hola "}));
    let heard = clients.hears(&ben.id, "new_message");
    let (message, at) = (id(&heard["id"]), time(&heard["createdAt"]));
    let expected = json!({
        "id": message, "chatId": chat, "senderId": ana.id, "content": "Hola", "fileUrl": null, "fileName": null,
        "createdAt": at, "sender": {"id": ana.id, "username": "ana"},
    });
    assert_eq!(heard, expected);
    assert_eq!(clients.hears(&ana.id, "new_message"), expected);
    let delivered = json!({"messageId": message, "status": "delivered"});
    assert_eq!(clients.hears(&ana.id, "message_delivered"), delivered);
    // By each of the other ways.
    let sent = door
        .post(&ben.access, "/api/messages", json!({"chatId": chat, "content": "REST"}))
        .await
        .is(201);
    assert_eq!(clients.hears(&ana.id, "new_message"), sent);
    ben.send(&chat, "native").await;
    assert_eq!(clients.hears(&ana.id, "new_message")["content"], "native");
    let other = json!({"chatId": chat, "receiverId": ana.id, "content": "participants"});
    let request = door
        .native()
        .request_root(reqwest::Method::POST, "/compat/participants/api/messages");
    Answer::to(request.bearer_auth(&ben.access).json(&other)).await.is(201);
    assert_eq!(clients.hears(&ana.id, "new_message")["content"], "participants");
    let told: Vec<Value> = (0..3)
        .map(|_| clients.hears(&ben.id, "new_message")["content"].clone())
        .collect();
    assert_eq!(told, ["REST", "native", "participants"]);
    // In the order in which they are sent.
    for number in 0..20 {
        let command = json!({"chatId": chat, "content": number.to_string()});
        clients
            .script
            .tell(&json!({"who": ana.id, "emit": ["send_message", command]}));
    }
    for number in 0..20 {
        assert_eq!(clients.hears(&ben.id, "new_message")["content"], number.to_string());
    }
    let bodies = ana.bodies(&chat).await;
    assert_eq!(bodies.len(), 24);
}

async fn what_is_not_done(door: &Door) {
    let [ana, ben, eva] = people(door, ["ana", "ben", "eva"]).await;
    let chat = direct(&ana, &ben).await;
    let mut clients = Clients::at(door);
    clients.enter("eva", WAYS[0], &eva.access);
    clients.enter("ana", WAYS[1], &ana.access);
    for event in ["join_chat", "typing", "message_seen", "send_message"] {
        let with = |chat: &str| json!({"chatId": chat, "content": "x", "isTyping": true, "messageIds": []});
        assert_eq!(
            clients.fails("eva", event, &with(&chat)),
            "No eres miembro de este chat",
            "{event}"
        );
        assert_eq!(
            clients.fails("eva", event, &with(&eva.id)),
            "Chat no encontrado",
            "{event}"
        );
        let missing = clients.fails(
            "eva",
            event,
            &json!({"content": "x", "isTyping": true, "messageIds": []}),
        );
        assert_eq!(missing, "El campo 'chatId' es obligatorio", "{event}");
        for nonsense in [json!(null), json!("x"), json!([]), json!({"chatId": 7})] {
            clients.fails("eva", event, &nonsense);
        }
    }
    assert_eq!(
        clients.fails("eva", "join_chat", &json!({"chatId": "x"})),
        "Chat no encontrado"
    );
    let empty = clients.fails("ana", "send_message", &json!({"chatId": chat, "content": " "}));
    assert_eq!(empty, "El campo 'content' no es válido");
    clients.does("ana", "no_such_event", &json!({}));
    ben.put(&format!("/me/blocks/{}", ana.id), json!({})).await;
    let blocked = clients.fails("ana", "send_message", &json!({"chatId": chat, "content": "x"}));
    assert_eq!(blocked, "No puedes enviar mensajes a este usuario");
}
