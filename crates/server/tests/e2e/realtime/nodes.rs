use super::{bodies, outline, positions, two};
use crate::bus::bus_url;
use crate::support::{Database, Server, on_each_database, value};
use futures_util::future::join_all;
use serde_json::json;

on_each_database! {
    over_the_bus_everything_is_told
    without_a_bus_the_database_tells
    a_session_that_ends_over_the_bus_closes_its_sockets
    a_session_that_ends_unheard_closes_its_sockets
    who_goes_on_at_another_process_misses_nothing
}

/// Two servers that tell each other.
async fn joined(database: &Database) -> (Server, Server) {
    let url = bus_url(database);
    let server = async || Server::with(database, |settings| settings.nats_url = value(&url)).await;
    let (here, there) = (server().await, server().await);
    for server in [&here, &there] {
        crate::support::eventually("readiness", async || {
            (server.get_root("/readyz").await.status == 200).then_some(())
        })
        .await;
    }
    (here, there)
}

async fn apart(database: &Database) -> (Server, Server) {
    (Server::on(database).await, Server::on(database).await)
}

/// Everything that happens at one is told at the other, once and in order.
async fn tells_everything(here: &Server, there: &Server) {
    let (ana, bob, chat) = two(here).await;
    let carol = there.register("carol").await;
    let (mut bobs, mut carols) = (bob.at(there).listen().await, carol.listen().await);
    join_all((0..20).map(|n| {
        let who = if n % 2 == 0 { ana.clone() } else { ana.at(there) };
        let chat = &chat;
        async move { who.send(chat, &n.to_string()).await }
    }))
    .await;
    ana.post(&format!("/chats/{chat}/members"), json!({"user_id": carol.id}))
        .await
        .is(201);
    let of_bob = format!("/chats/{chat}/members/{}", bob.id);
    ana.send(&chat, "all").await;
    ana.delete(&of_bob).await.is(204);
    ana.send(&chat, "without bob").await;
    ana.delete(&format!("/chats/{chat}")).await.is(204);
    for seq in 2..=21 {
        assert_eq!(outline(&[bobs.event().await]), [("message.created", seq)]);
    }
    // The end of the chat may overtake what can't be read any more.
    let mut frames = Vec::new();
    while frames
        .last()
        .is_none_or(|frame: &serde_json::Value| frame["event"] != "chat.deleted")
    {
        frames.push(carols.event().await);
    }
    let heard = outline(&frames);
    let whole = [
        ("member.added", 22),
        ("message.created", 23),
        ("member.removed", 24),
        ("message.created", 25),
    ];
    assert!(whole.starts_with(&heard[..heard.len() - 1]), "{heard:?}");
    assert_eq!(heard.last(), Some(&("chat.deleted", 26)));
}

async fn over_the_bus_everything_is_told(database: Database) {
    let (here, there) = joined(&database).await;
    tells_everything(&here, &there).await;
    let (ana, bob) = (here.log_in("ana").await, there.log_in("bob").await);
    let chat = ana.group("Again", &[&bob]).await;
    let (mut anas, mut bobs) = (ana.listen().await, bob.listen().await);
    anas.say(json!({"type": "typing", "chat_id": chat, "active": true}))
        .await;
    assert_eq!(bobs.next().await["type"], "typing");
    drop(bobs);
    loop {
        let frame = anas.presence().await;
        if frame["user_id"] == bob.id && frame["online"] == false {
            break;
        }
    }
}

async fn without_a_bus_the_database_tells(database: Database) {
    let (here, there) = apart(&database).await;
    tells_everything(&here, &there).await;
}

/// Ends sessions at one, with sockets at the other.
async fn ends_sessions(here: &Server, there: &Server) {
    let ana = here.register("ana").await;
    let phone = here.log_in("ana").await;
    let (mut own, mut other) = (ana.at(there).listen().await, phone.at(there).listen().await);
    ana.log_out().await;
    assert_eq!(own.closed().await.0, 4001);
    assert!(other.until_pong().await.is_empty());
}

async fn a_session_that_ends_over_the_bus_closes_its_sockets(database: Database) {
    let (here, there) = joined(&database).await;
    ends_sessions(&here, &there).await;
}

async fn a_session_that_ends_unheard_closes_its_sockets(database: Database) {
    let (here, there) = apart(&database).await;
    ends_sessions(&here, &there).await;
}

async fn who_goes_on_at_another_process_misses_nothing(database: Database) {
    let (here, there) = apart(&database).await;
    let (ana, bob, chat) = two(&here).await;
    // Somebody at each who keeps the chat in hand there.
    let mut sockets = [ana.listen().await, ana.at(&there).listen().await];
    let (mut last, mut token) = (1, bob.resume(json!({})).await.2);
    for round in 0..10_i64 {
        let (sender, other) = if round % 2 == 0 {
            (&here, &there)
        } else {
            (&there, &here)
        };
        for n in 0..3 {
            ana.at(sender).send(&chat, &n.to_string()).await;
        }
        // What the one has just stored the other one knows, heard of or not.
        let bob = bob.at(other);
        let by_place = bob.resume(positions(&[(&chat, last)])).await.1;
        let (mut socket, missed, next) = bob.resume(json!({"token": token})).await;
        assert_eq!(bodies(&missed), ["0", "1", "2"]);
        assert_eq!(by_place, missed);
        let synced = bob.get(&format!("/sync?timeout=0&token={token}")).await.is(200);
        assert_eq!(synced["events"], json!(missed));
        last += 3;
        token = next;
        ana.at(other).send(&chat, "and one more").await;
        assert_eq!(outline(&[socket.event().await]), [("message.created", last + 1)]);
        last += 1;
        token = {
            let (_, missed, next) = bob.resume(json!({"token": token})).await;
            assert_eq!(bodies(&missed), ["and one more"]);
            next
        };
    }
    for socket in &mut sockets {
        for seq in 2..=last {
            assert_eq!(outline(&[socket.event().await]), [("message.created", seq)]);
        }
    }
}
