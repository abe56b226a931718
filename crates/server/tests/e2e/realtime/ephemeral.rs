use super::two;
use crate::support::{Database, Person, Server, Socket, on_each_database};
use serde_json::{Value, json};

on_each_database! {
    typing_is_shown_to_the_others
    who_comes_and_goes_is_shown_to_those_who_know_them
    whom_one_blocks_does_not_see_one_come_and_go
}

async fn typing_is_shown_to_the_others(database: Database) {
    let server = Server::on(&database).await;
    let (ana, bob, chat) = two(&server).await;
    let carol = server.register("carol").await;
    let (mut one, mut other) = (ana.listen().await, ana.listen().await);
    let (mut bobs, mut carols) = (bob.listen().await, carol.listen().await);
    for active in [true, false] {
        one.say(json!({"type": "typing", "chat_id": chat, "active": active}))
            .await;
        let shown = json!({"type": "typing", "chat_id": chat, "user_id": ana.id, "active": active});
        assert_eq!(bobs.next().await, shown);
    }
    for socket in [&mut one, &mut other, &mut carols] {
        assert!(socket.until_pong().await.is_empty());
    }
    for (frame, code) in [
        (json!({"type": "typing", "chat_id": chat, "active": true}), "not_found"),
        (
            json!({"type": "typing", "chat_id": "nonsense", "active": true}),
            "invalid_input",
        ),
        (
            json!({"type": "typing", "chat_id": chat, "active": "yes"}),
            "invalid_input",
        ),
        (json!({"type": "typing"}), "invalid_input"),
    ] {
        carols.say(frame).await;
        let refused = carols.next().await;
        assert_eq!(
            (&refused["type"], &refused["code"]),
            (&json!("error"), &json!(code)),
            "{refused}"
        );
    }
    assert!(bobs.until_pong().await.is_empty());
}

/// Waits until somebody is shown to be here, or not.
async fn shown(socket: &mut Socket, user: &Person, online: bool) -> Value {
    loop {
        let frame = socket.presence().await;
        if frame["user_id"] == user.id {
            assert_eq!(frame["online"], online, "{frame}");
            assert!(frame["last_seen_at"].as_str().unwrap().ends_with('Z'), "{frame}");
            return frame;
        }
    }
}

async fn who_comes_and_goes_is_shown_to_those_who_know_them(database: Database) {
    let server = Server::on(&database).await;
    let (ana, bob, _) = two(&server).await;
    let carol = server.register("carol").await;
    let (mut anas, mut carols) = (ana.listen().await, carol.listen().await);
    for _ in 0..2 {
        let one = bob.listen().await;
        shown(&mut anas, &bob, true).await;
        // A second connection changes nothing, nor does it when it goes.
        let other = bob.listen().await;
        drop(one);
        drop(other);
        shown(&mut anas, &bob, false).await;
    }
    // Whatever carol was shown came before this.
    ana.post("/chats", json!({"kind": "direct", "user_id": carol.id}))
        .await
        .is(201);
    assert_eq!(carols.event().await["event"], "chat.created");
    assert_eq!(carols.presences_so_far(&bob), 0);
    let _bobs = bob.listen().await;
    shown(&mut anas, &bob, true).await;
}

async fn whom_one_blocks_does_not_see_one_come_and_go(database: Database) {
    let server = Server::on(&database).await;
    let (ana, bob, chat) = two(&server).await;
    let carol = server.register("carol").await;
    let path = format!("/chats/{chat}/members");
    ana.post(&path, json!({"user_id": carol.id})).await.is(201);
    bob.put(&format!("/me/blocks/{}", ana.id), json!({})).await.is(204);
    let (mut anas, mut carols) = (ana.listen().await, carol.listen().await);
    let bobs = bob.listen().await;
    shown(&mut carols, &bob, true).await;
    drop(bobs);
    shown(&mut carols, &bob, false).await;
    assert!(anas.until_pong().await.is_empty());
    assert_eq!(anas.presences_so_far(&bob), 0);
}
