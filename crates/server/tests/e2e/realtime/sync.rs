use super::two;
use crate::support::{Database, Person, Server, on_each_database};
use futures_util::future::join_all;
use serde_json::{Value, json};

on_each_database! {
    the_first_answer_is_a_token
    what_happened_comes_at_once
    nothing_is_waited_for
    many_events_come_in_several_answers
    a_chain_of_tokens_tells_everything_once
}

async fn sync(person: &Person, query: &str) -> Value {
    person.get(&format!("/sync?{query}")).await.is(200)
}

fn token(synced: &Value) -> &str {
    synced["token"].as_str().unwrap()
}

fn numbers(synced: &Value) -> Vec<i64> {
    let events = synced["events"].as_array().unwrap();
    events
        .iter()
        .map(|event| event["event_seq"].as_i64().unwrap())
        .collect()
}

async fn the_first_answer_is_a_token(database: Database) {
    let server = Server::on(&database).await;
    let (ana, bob, chat) = two(&server).await;
    ana.send(&chat, "before").await;
    let first = sync(&bob, "").await;
    assert_eq!(
        first,
        json!({"events": [], "reset": [], "token": first["token"], "more": false})
    );
    // Whichever way one listened before.
    let (_, _, resumed) = bob.resume(json!({})).await;
    for token in [token(&first), &resumed] {
        let synced = sync(&bob, &format!("timeout=0&token={token}")).await;
        assert_eq!(synced["events"], json!([]));
        assert_eq!(synced["token"], token);
    }
    for bad in ["-1", "61", "x"] {
        bob.get(&format!("/sync?timeout={bad}"))
            .await
            .problem(422, "invalid_input");
    }
}

async fn what_happened_comes_at_once(database: Database) {
    let server = Server::on(&database).await;
    let (ana, bob, chat) = two(&server).await;
    let mut socket = bob.listen().await;
    let first = sync(&bob, "").await;
    ana.send(&chat, "hello").await;
    ana.patch(&format!("/chats/{chat}"), json!({"title": "Renamed"}))
        .await
        .is(200);
    let synced = sync(&bob, &format!("timeout=60&token={}", token(&first))).await;
    // The same frames everywhere.
    assert_eq!(synced["events"], json!([socket.event().await, socket.event().await]));
    assert_eq!((&synced["reset"], &synced["more"]), (&json!([]), &json!(false)));
    ana.delete(&format!("/chats/{chat}/members/{}", bob.id)).await.is(204);
    let synced = sync(&bob, &format!("timeout=60&token={}", token(&synced))).await;
    assert_eq!(synced["events"], json!([socket.event().await]));
    assert_eq!(
        numbers(&sync(&bob, &format!("timeout=0&token={}", token(&synced))).await),
        [0; 0]
    );
}

async fn nothing_is_waited_for(database: Database) {
    let server = Server::on(&database).await;
    let (ana, bob, chat) = two(&server).await;
    let first = sync(&bob, "").await;
    let query = format!("timeout=1&token={}", token(&first));
    assert_eq!(numbers(&sync(&bob, &query).await), [0; 0]);
    // Who waits is told of what happens, whether it happens before or after the waiting begins.
    let query = format!("timeout=60&token={}", token(&first));
    let (synced, _) = tokio::join!(sync(&bob, &query), ana.send(&chat, "hello"));
    assert_eq!(numbers(&synced), [2]);
}

async fn many_events_come_in_several_answers(database: Database) {
    let server = Server::with(&database, |settings| settings.rate_limits = Some(false)).await;
    let (ana, bob, chat) = two(&server).await;
    let mut synced = sync(&bob, "").await;
    for _ in 0..24 {
        join_all((0..50).map(|_| ana.send(&chat, "x"))).await;
    }
    let mut heard = Vec::new();
    let mut more = Vec::new();
    while heard.len() < 1_200 {
        synced = sync(&bob, &format!("timeout=0&token={}", token(&synced))).await;
        heard.extend(numbers(&synced));
        more.push(synced["more"].as_bool().unwrap());
    }
    assert!(heard.into_iter().eq(2..=1_201));
    assert_eq!(more, [true, true, false]);
}

async fn a_chain_of_tokens_tells_everything_once(database: Database) {
    let server = Server::on(&database).await;
    let (ana, bob, chat) = two(&server).await;
    let first = sync(&bob, "").await;
    let send = async {
        for n in 0..100 {
            ana.send(&chat, &n.to_string()).await;
        }
    };
    let hear = async {
        let (mut synced, mut heard) = (first.clone(), Vec::new());
        while heard.len() < 100 {
            synced = sync(&bob, &format!("token={}", token(&synced))).await;
            heard.extend(numbers(&synced));
        }
        assert!(heard.into_iter().eq(2..=101));
    };
    tokio::join!(send, hear);
}
