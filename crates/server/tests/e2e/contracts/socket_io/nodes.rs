//! Socket.IO on two nodes.

use super::{Clients, WAYS, direct};
use crate::bus::bus_url;
use crate::support::{Database, Process, on_each_database};
use serde_json::json;

on_each_database! {
    what_happens_on_another_node_is_heard
    a_node_that_stops_lets_its_clients_go
}

async fn what_happens_on_another_node_is_heard(database: Database) {
    let data = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let argument = format!("--nats-url={}", bus_url(&database));
    let [here, there] = data
        .each_ref()
        .map(|data| Process::start_with(&database, data.path(), &[&argument]));
    let (ana, ben) = (here.register("ana").await, there.register("ben").await);
    let chat = direct(&ana, &ben).await;
    let mut amigos = Clients::of(here.base(), "/compat/amigos");
    let mut participants = Clients::of(there.base(), "/compat/participants");
    amigos.enter("ana", WAYS[2], &ana.access);
    participants.enter("ben", WAYS[0], &ben.access);
    amigos.join("ana", &chat);
    participants.join("ben", &chat);
    amigos.does("ana", "send_message", &json!({"chatId": chat, "content": "hola"}));
    let heard = participants.hears("ben", "new_message");
    assert_eq!(
        (&heard["content"], &heard["receiverId"]),
        (&json!("hola"), &json!(ben.id))
    );
    participants.does("ben", "typing", &json!({"chatId": chat, "isTyping": true}));
    let typing = json!({"chatId": chat, "userId": ben.id, "userName": "ben", "isTyping": true});
    assert_eq!(amigos.hears("ana", "user_typing"), typing);
    participants.does(
        "ben",
        "message_seen",
        &json!({"chatId": chat, "messageIds": [heard["_id"]]}),
    );
    let seen = json!({"chatId": chat, "messageIds": [heard["_id"]], "seenBy": ben.id});
    assert_eq!(amigos.hears("ana", "messages_marked_seen"), seen);
    // A session that ends there ends here.
    ana.at(&there).log_out().await;
    assert_eq!(amigos.hears("ana", "disconnect"), "io server disconnect");
}

async fn a_node_that_stops_lets_its_clients_go(database: Database) {
    let data = tempfile::tempdir().unwrap();
    let mut server = Process::start_with(&database, data.path(), &[]);
    let ana = server.register("ana").await;
    let mut clients = Clients::of(server.base(), "/compat/amigos");
    for (name, way) in ["polling", "websocket", "upgraded"].into_iter().zip(WAYS) {
        clients.enter(name, way, &ana.access);
    }
    server.process().signal("TERM");
    for name in ["polling", "websocket", "upgraded"] {
        // Which is for a client to connect again.
        let reason = clients.hears(name, "disconnect");
        assert!(
            ["transport close", "transport error"]
                .map(|text| json!(text))
                .contains(&reason),
            "{reason}"
        );
    }
    assert!(server.process().ended().await.success());
}
