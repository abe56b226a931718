use super::{bodies, outline, positions, two};
use crate::support::{Database, Person, Server, on_each_database};
use futures_util::future::join_all;
use serde_json::json;
use std::sync::atomic::{AtomicBool, Ordering};

on_each_database! {
    who_names_no_place_starts_live
    what_was_missed_comes_in_order_then_ready_then_the_rest
    the_seam_has_no_gap_and_no_repeat
    events_wait_for_the_first_frame_but_not_for_ever
    who_resumes_late_may_still_do_so
    chats_that_are_not_named_are_live_only
    foreign_chats_do_not_matter
    nothing_from_before_joining_is_told
    a_token_covers_chats_joined_since
    who_was_removed_meanwhile_is_told_once
    the_end_of_a_chat_is_told_once
    a_token_is_good_for_its_user_only
    a_place_that_is_not_there_is_reset
    too_much_is_reset_and_the_rest_is_told
}

async fn who_names_no_place_starts_live(database: Database) {
    let server = Server::on(&database).await;
    let (ana, bob, chat) = two(&server).await;
    ana.send(&chat, "before").await;
    let mut silent = bob.connect().await;
    let mut commanding = bob.connect().await;
    commanding.say(json!({"type": "ping"})).await;
    let (missed, _) = commanding.until_ready().await;
    assert!(missed.is_empty(), "{missed:?}");
    assert_eq!(commanding.next().await["type"], "pong");
    assert!(silent.until_ready().await.0.is_empty());
    ana.send(&chat, "after").await;
    for socket in [&mut silent, &mut commanding] {
        assert_eq!(outline(&[socket.event().await]), [("message.created", 3)]);
    }
}

async fn what_was_missed_comes_in_order_then_ready_then_the_rest(database: Database) {
    let server = Server::on(&database).await;
    let (ana, bob, chat) = two(&server).await;
    let other = bob.group("Another", &[&ana]).await;
    let (socket, missed, token) = bob.resume(json!({})).await;
    assert!(missed.is_empty());
    drop(socket);
    for n in 0..5 {
        ana.send(&chat, &n.to_string()).await;
    }
    ana.patch(&format!("/chats/{chat}"), json!({"title": "Renamed"}))
        .await
        .is(200);
    ana.send(&other, "elsewhere").await;
    for from in [json!({"token": token}), positions(&[(&chat, 1), (&other, 1)])] {
        let (mut socket, missed, next) = bob.resume(from).await;
        let (here, there): (Vec<_>, Vec<_>) = missed.into_iter().partition(|frame| frame["chat_id"] == *chat);
        assert_eq!(bodies(&here), ["0", "1", "2", "3", "4"]);
        let numbers: Vec<i64> = outline(&here).into_iter().map(|(_, seq)| seq).collect();
        assert_eq!(numbers, (2..=7).collect::<Vec<_>>());
        assert_eq!(bodies(&there), ["elsewhere"]);
        assert!(socket.until_pong().await.is_empty());
        // Nothing was missed since.
        let (_, missed, _) = bob.resume(json!({"token": next})).await;
        assert!(missed.is_empty(), "{missed:?}");
    }
    let (_, missed, _) = bob.resume(positions(&[(&chat, 5)])).await;
    assert_eq!(outline(&missed), [("message.created", 6), ("chat.updated", 7)]);
}

async fn the_seam_has_no_gap_and_no_repeat(database: Database) {
    let server = Server::on(&database).await;
    let (ana, bob, chat) = two(&server).await;
    let done = AtomicBool::new(false);
    let send = async {
        while !done.load(Ordering::Relaxed) {
            join_all((0..4).map(|n| {
                let (ana, bob, chat) = (&ana, &bob, &chat);
                async move {
                    let who = if n == 0 { bob } else { ana };
                    who.send(chat, "x").await;
                }
            }))
            .await;
        }
    };
    let hear = async {
        let (mut last, mut token) = (1, None::<String>);
        for round in 0..20 {
            let from = match &token {
                Some(token) if round % 2 == 0 => json!({"token": token}),
                _ => positions(&[(&chat, last)]),
            };
            let (mut socket, mut frames, _) = bob.resume(from).await;
            while frames.len() < 30 {
                frames.push(socket.event().await);
            }
            for frame in &frames {
                assert_eq!(frame["event_seq"], last + 1, "round {round}: {frame}");
                last += 1;
            }
            // A token stands exactly behind what came before it.
            let fresh = bob.resume(positions(&[(&chat, last)])).await;
            for frame in &fresh.1 {
                assert_eq!(frame["event_seq"], last + 1, "round {round}: {frame}");
                last += 1;
            }
            token = Some(fresh.2);
        }
        done.store(true, Ordering::Relaxed);
    };
    tokio::join!(send, hear);
}

async fn events_wait_for_the_first_frame_but_not_for_ever(database: Database) {
    let server = Server::on(&database).await;
    let (ana, bob, chat) = two(&server).await;
    for _ in 0..5 {
        let last = bob.chat(&chat).await["last_event_seq"].as_i64().unwrap();
        ana.send(&chat, "missed").await;
        let mut socket = bob.connect().await;
        // Committed after hello; what was missed goes before it all the same.
        let (_, (missed, _)) = tokio::join!(ana.send(&chat, "new"), socket.resume(positions(&[(&chat, last)])));
        let mut frames = missed;
        while frames.len() < 2 {
            frames.push(socket.event().await);
        }
        assert_eq!(bodies(&frames), ["missed", "new"]);
        assert!(socket.until_pong().await.is_empty());
    }
    let mut socket = bob.connect().await;
    ana.send(&chat, "to whom says nothing").await;
    // It may come before or after the token, but comes.
    let frame = loop {
        let frame = socket.next().await;
        if frame["type"] != "ready" {
            break frame;
        }
    };
    assert_eq!(bodies(&[frame]), ["to whom says nothing"]);
}

async fn who_resumes_late_may_still_do_so(database: Database) {
    let server = Server::on(&database).await;
    let (ana, bob, chat) = two(&server).await;
    let other = ana.group("Another", &[&bob]).await;
    ana.send(&chat, "missed").await;
    ana.send(&other, "missed").await;
    let mut socket = bob.connect().await;
    // The time is over.
    socket.until_ready().await;
    ana.send(&other, "live").await;
    assert_eq!(bodies(&[socket.event().await]), ["live"]);
    let (frames, _) = socket.resume(positions(&[(&chat, 1), (&other, 1)])).await;
    let (frame, reset) = (&frames[0], &frames[1]);
    assert_eq!(
        (frame["chat_id"].as_str(), frame["event_seq"].as_i64()),
        (Some(&*chat), Some(2))
    );
    // There it could not be put in front any more.
    assert_eq!(*reset, json!({"type": "reset", "chats": [other]}));
    assert_eq!(frames.len(), 2);
    // Only once.
    socket.say(json!({"type": "resume"})).await;
    assert_eq!(socket.next().await["code"], "invalid_input");
}

async fn chats_that_are_not_named_are_live_only(database: Database) {
    let server = Server::on(&database).await;
    let (ana, bob, chat) = two(&server).await;
    let other = ana.group("Another", &[&bob]).await;
    ana.send(&chat, "here").await;
    ana.send(&other, "there").await;
    let (mut socket, missed, _) = bob.resume(positions(&[(&chat, 1)])).await;
    assert_eq!(bodies(&missed), ["here"]);
    ana.send(&other, "now").await;
    assert_eq!(bodies(&[socket.event().await]), ["now"]);
}

async fn foreign_chats_do_not_matter(database: Database) {
    let server = Server::on(&database).await;
    let (ana, bob, chat) = two(&server).await;
    let secret = ana.group("Secret", &[]).await;
    ana.send(&secret, "secret").await;
    ana.send(&chat, "open").await;
    let nowhere = "018f0000-0000-7000-8000-000000000000";
    let from = positions(&[(&secret, 0), (&chat, 1), (nowhere, 3), ("nonsense", 1)]);
    let (mut socket, missed, _) = bob.resume(from).await;
    assert_eq!(bodies(&missed), ["open"]);
    ana.send(&secret, "more").await;
    assert!(socket.until_pong().await.is_empty());
    for bad in [
        json!({"positions": {&chat: "1"}}),
        json!({"positions": {&chat: -1}}),
        json!({"positions": [1]}),
        json!({"positions": {}, "token": "x"}),
    ] {
        let (_, frames, _) = bob.resume(bad).await;
        assert_eq!(
            (&frames[0]["type"], &frames[0]["code"]),
            (&json!("error"), &json!("invalid_input"))
        );
    }
}

async fn nothing_from_before_joining_is_told(database: Database) {
    let server = Server::on(&database).await;
    let (ana, bob, chat) = two(&server).await;
    let carol = server.register("carol").await;
    let (mut live, _, token) = carol.resume(json!({})).await;
    ana.send(&chat, "before").await;
    add(&ana, &chat, &carol).await;
    bob.send(&chat, "after").await;
    let joined = [live.event().await, live.event().await];
    assert_eq!(outline(&joined), [("member.added", 3), ("message.created", 4)]);
    for from in [positions(&[(&chat, 0)]), json!({"token": token})] {
        let (_, missed, _) = carol.resume(from).await;
        assert_eq!(outline(&missed), [("member.added", 3), ("message.created", 4)]);
    }
}

async fn add(ana: &Person, chat: &str, user: &Person) {
    let path = format!("/chats/{chat}/members");
    ana.post(&path, json!({"user_id": user.id})).await.is(201);
}

async fn remove(ana: &Person, chat: &str, user: &Person) {
    ana.delete(&format!("/chats/{chat}/members/{}", user.id)).await.is(204);
}

async fn a_token_covers_chats_joined_since(database: Database) {
    let server = Server::on(&database).await;
    let (ana, bob, _) = two(&server).await;
    let (socket, _, token) = bob.resume(json!({})).await;
    drop(socket);
    let made = ana.group("Made since", &[&bob]).await;
    ana.send(&made, "hello").await;
    let (_, missed, token) = bob.resume(json!({"token": token})).await;
    assert_eq!(outline(&missed), [("chat.created", 1), ("message.created", 2)]);
    let (_, missed, _) = bob.resume(json!({"token": token})).await;
    assert!(missed.is_empty(), "{missed:?}");
}

async fn who_was_removed_meanwhile_is_told_once(database: Database) {
    let server = Server::on(&database).await;
    let (ana, bob, chat) = two(&server).await;
    let (socket, _, token) = bob.resume(json!({})).await;
    drop(socket);
    ana.send(&chat, "before").await;
    remove(&ana, &chat, &bob).await;
    ana.send(&chat, "behind their back").await;
    let (_, by_place, _) = bob.resume(positions(&[(&chat, 1)])).await;
    let (_, by_token, token) = bob.resume(json!({"token": token})).await;
    for missed in [by_place, by_token] {
        assert_eq!(outline(&missed), [("member.removed", 3)]);
        assert_eq!(missed[0]["data"], json!({"user_id": bob.id}));
    }
    let (_, again, _) = bob.resume(json!({"token": token})).await;
    assert!(again.is_empty(), "{again:?}");
    let (_, again, _) = bob.resume(positions(&[(&chat, 3)])).await;
    assert!(again.is_empty(), "{again:?}");
    // Who comes back is told from there on.
    add(&ana, &chat, &bob).await;
    let (_, missed, _) = bob.resume(json!({"token": token})).await;
    assert_eq!(outline(&missed), [("member.added", 5)]);
}

async fn the_end_of_a_chat_is_told_once(database: Database) {
    let server = Server::on(&database).await;
    let (ana, bob, chat) = two(&server).await;
    let (socket, _, token) = bob.resume(json!({})).await;
    drop(socket);
    ana.send(&chat, "last words").await;
    ana.delete(&format!("/chats/{chat}")).await.is(204);
    let (_, by_place, _) = bob.resume(positions(&[(&chat, 1)])).await;
    let (_, by_token, token) = bob.resume(json!({"token": token})).await;
    for missed in [by_place, by_token] {
        assert_eq!(outline(&missed), [("chat.deleted", 3)]);
    }
    let (_, again, _) = bob.resume(json!({"token": token})).await;
    assert!(again.is_empty(), "{again:?}");
}

async fn a_token_is_good_for_its_user_only(database: Database) {
    let server = Server::on(&database).await;
    let (ana, bob, chat) = two(&server).await;
    let (_, _, token) = ana.resume(json!({})).await;
    for bad in [&*token, "nonsense", ""] {
        let (mut socket, frames, _) = bob.resume(json!({"token": bad})).await;
        assert_eq!(frames.len(), 1, "{frames:?}");
        assert_eq!(
            (&frames[0]["type"], &frames[0]["code"]),
            (&json!("error"), &json!("invalid_input"))
        );
        // It goes on live.
        ana.send(&chat, "hello").await;
        assert_eq!(bodies(&[socket.event().await]), ["hello"]);
    }
}

async fn a_place_that_is_not_there_is_reset(database: Database) {
    let server = Server::on(&database).await;
    let (ana, bob, chat) = two(&server).await;
    let (mut socket, frames, _) = bob.resume(positions(&[(&chat, 7)])).await;
    assert_eq!(frames, [json!({"type": "reset", "chats": [chat]})]);
    ana.send(&chat, "hello").await;
    assert_eq!(outline(&[socket.event().await]), [("message.created", 2)]);
}

async fn too_much_is_reset_and_the_rest_is_told(database: Database) {
    let server = Server::with(&database, |settings| settings.rate_limits = Some(false)).await;
    let (ana, bob, chat) = two(&server).await;
    let other = ana.group("Quieter", &[&bob]).await;
    let (socket, _, token) = bob.resume(json!({})).await;
    drop(socket);
    for n in 0..3 {
        ana.send(&other, &n.to_string()).await;
    }
    // 10,001 in all.
    for _ in 0..137 {
        join_all((0..73).map(|_| ana.send(&chat, "x"))).await;
    }
    assert_eq!(bob.chat(&chat).await["last_event_seq"], 10_002);
    // As far behind as one may be.
    let (_, missed, _) = bob.resume(positions(&[(&chat, 2), (&other, 3)])).await;
    let (here, there): (Vec<_>, Vec<_>) = missed.into_iter().partition(|frame| frame["chat_id"] == *chat);
    let numbers: Vec<i64> = outline(&here).into_iter().map(|(_, seq)| seq).collect();
    assert!(numbers.into_iter().eq(3..=10_002));
    assert_eq!(bodies(&there), ["2"]);

    for from in [json!({"token": token}), positions(&[(&chat, 1), (&other, 1)])] {
        let (mut socket, mut frames, next) = bob.resume(from).await;
        assert_eq!(frames.pop(), Some(json!({"type": "reset", "chats": [chat]})));
        assert_eq!(bodies(&frames), ["0", "1", "2"]);
        assert!(socket.until_pong().await.is_empty());
        let (_, frames, _) = bob.resume(json!({"token": next})).await;
        assert!(frames.is_empty(), "{frames:?}");
    }
    let synced = bob.get(&format!("/sync?timeout=0&token={token}")).await.is(200);
    assert_eq!(synced["reset"], json!([chat]));
    assert_eq!(synced["events"].as_array().unwrap().len(), 3);
    let next = synced["token"].as_str().unwrap();
    let synced = bob.get(&format!("/sync?timeout=0&token={next}")).await.is(200);
    assert_eq!((&synced["reset"], &synced["events"]), (&json!([]), &json!([])));

    let mut stream = bob.stream(Some(&token)).await;
    for n in 2..=4 {
        assert_eq!(stream.next().await.data["event_seq"], n);
    }
    assert_eq!(stream.next().await.data, json!({"type": "reset", "chats": [chat]}));
    let ready = stream.next().await;
    assert_eq!(ready.data["type"], "ready");
    let mut stream = bob.stream(ready.id.as_deref()).await;
    assert_eq!(stream.next().await.data["type"], "ready");
}
