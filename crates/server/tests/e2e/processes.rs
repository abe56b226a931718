//! Two processes with data folders of their own on one database.

use crate::support::{Database, PASSWORD, Process, Server, on_each_database};
use futures_util::future::join_all;
use serde_json::json;
use std::collections::HashSet;

on_each_database! {
    what_is_sent_through_one_is_read_through_the_other
    a_token_of_either_is_good_in_both
    sixteen_who_want_one_direct_chat_get_one
    messages_sent_through_both_at_once_are_numbered_without_gap
    of_two_who_want_one_name_one_gets_it
    processes_that_start_at_once_on_an_empty_database_both_serve
}

async fn what_is_sent_through_one_is_read_through_the_other(database: Database) {
    let (here, there) = tokio::join!(Server::on(&database), Server::on(&database));
    let ana = here.register("ana").await;
    let bob = there.register("bob").await;
    let chat = ana.group("Both", &[&bob]).await;
    let message = ana.send(&chat, "hello").await;
    assert_eq!(
        bob.get(&format!("/chats/{chat}/messages")).await.is(200)["items"],
        json!([message])
    );
    assert_eq!(bob.chat(&chat).await["unread_count"], 1);
    bob.put(&format!("/chats/{chat}/read"), json!({"seq": 1})).await.is(200);
    bob.send(&chat, "hello yourself").await;
    assert_eq!(ana.bodies(&chat).await, ["hello", "hello yourself"]);
    assert_eq!(ana.chat(&chat).await["unread_count"], 1);
}

async fn a_token_of_either_is_good_in_both(database: Database) {
    let here = Server::on(&database).await;
    let ana = here.register("ana").await;
    // Its key was not there when this one started, or when that one did.
    let there = Server::on(&database).await;
    let bob = there.register("bob").await;
    ana.at(&there).get("/me").await.is(200);
    bob.at(&here).get("/me").await.is(200);
    let renewed = there.refresh(&ana.refresh).await.is(200);
    assert_eq!(renewed["user"]["username"], "ana");
}

async fn sixteen_who_want_one_direct_chat_get_one(database: Database) {
    let (here, there) = tokio::join!(Server::on(&database), Server::on(&database));
    let (ana, bob) = (here.register("ana").await, here.register("bob").await);
    let wanted = (0..16).map(|n| {
        let (who, whom) = if n % 2 == 0 { (&ana, &bob) } else { (&bob, &ana) };
        let who = who.at(if n % 4 < 2 { &here } else { &there });
        let body = json!({"kind": "direct", "user_id": whom.id});
        async move { who.post("/chats", body).await }
    });
    let answers = join_all(wanted).await;
    let made = answers.iter().filter(|answer| answer.status == 201).count();
    let found = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!((made, found), (1, 15));
    let ids: HashSet<String> = answers.iter().map(|answer| answer.json()["id"].to_string()).collect();
    assert_eq!(ids.len(), 1);
    for person in [&ana, &bob] {
        assert_eq!(person.walk("/chats", 100).await.len(), 1);
    }
}

async fn messages_sent_through_both_at_once_are_numbered_without_gap(database: Database) {
    let (here, there) = tokio::join!(Server::on(&database), Server::on(&database));
    let ana = here.register("ana").await;
    let chat = ana.group("Both", &[]).await;
    let sent = join_all((0..60).map(|n| {
        let ana = ana.at(if n % 2 == 0 { &here } else { &there });
        let chat = &chat;
        async move {
            ana.send(chat, &n.to_string()).await["body"]
                .as_str()
                .unwrap()
                .to_owned()
        }
    }));
    let sent: HashSet<String> = sent.await.into_iter().collect();
    let read = ana.bodies(&chat).await;
    assert_eq!(read.len(), 60);
    assert_eq!(read.into_iter().collect::<HashSet<_>>(), sent);
}

async fn of_two_who_want_one_name_one_gets_it(database: Database) {
    let (here, there) = tokio::join!(Server::on(&database), Server::on(&database));
    let account = |username: &str| json!({"username": username, "password": PASSWORD});
    let (one, other) = tokio::join!(
        here.post("/auth/register", account("Ana")),
        there.post("/auth/register", account("aNA"))
    );
    let refused = if one.status == 201 { other } else { one };
    let problem = refused.problem(409, "username_taken");
    assert_eq!(problem["errors"][0]["field"], "username");
}

async fn processes_that_start_at_once_on_an_empty_database_both_serve(database: Database) {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let empty = database.without_schema();
    let processes = std::thread::scope(|scope| {
        let started = folders
            .each_ref()
            .map(|folder| scope.spawn(|| Process::start(&empty, folder.path())));
        started.map(|thread| thread.join().unwrap())
    });
    let ana = processes[0].register("ana").await;
    ana.at(&processes[1]).get("/me").await.is(200);
}
