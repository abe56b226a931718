//! Guessing passwords, and asking for too much.

use crate::support::{Answer, Api, Database, PASSWORD, Process, Server, on_each_database, value};
use futures_util::StreamExt;
use futures_util::stream;
use reqwest::Method;
use serde_json::json;

on_each_database! {
    few_of_a_thousand_guesses_are_tried
    guessing_from_elsewhere_locks_nobody_out
    what_is_left_is_told
    without_limits_there_are_none
    only_trusted_proxies_are_believed
}

/// A log-in that a proxy passes on.
async fn log_in_from(server: &Api, ip: &str, password: &str) -> Answer {
    let request = server
        .request(Method::POST, "/auth/login")
        .header("X-Forwarded-For", ip);
    Answer::to(request.json(&json!({"login": "ana", "password": password}))).await
}

/// How many passwords have been hashed or compared.
async fn hashed(server: &Api) -> usize {
    let metrics = server.get_root("/metrics").await;
    metrics.metric("tertulia_password_hash_seconds_count")
}

async fn few_of_a_thousand_guesses_are_tried(database: Database) {
    let data = tempfile::tempdir().unwrap();
    let arguments = ["--trusted-proxies=127.0.0.0/8", "--rate-limit-auth=100000/s"];
    let server = Process::start_with(&database, data.path(), &arguments);
    server.register("ana").await;
    let before = hashed(&server).await;
    let guesses = stream::iter(0..1_000).map(|n| {
        let server = &server;
        async move { log_in_from(server, "203.0.113.7", &format!("wrong password {n}")).await }
    });
    let statuses: Vec<u16> = guesses.buffer_unordered(8).map(|answer| answer.status).collect().await;
    let count = |status: u16| statuses.iter().filter(|given| **given == status).count();
    assert_eq!(count(401) + count(429), 1_000, "{statuses:?}");
    let tried = hashed(&server).await - before;
    println!("of 1,000 wrong passwords for one account from one address, {tried} reached Argon2");
    assert_eq!(count(401), tried);
    // Five are free, and then the waits double.
    assert!((5..=20).contains(&tried), "{tried}");

    let waiting = log_in_from(&server, "203.0.113.7", PASSWORD).await;
    assert!(waiting.header("retry-after").is_some());
    waiting.problem(429, "rate_limited");
    log_in_from(&server, "203.0.113.8", PASSWORD).await.is(200);
}

/// Addresses of loopback have a hundred attempts.
#[cfg(target_os = "linux")]
async fn guessing_from_elsewhere_locks_nobody_out(database: Database) {
    let data = tempfile::tempdir().unwrap();
    let server = Process::start(&database, data.path());
    server.register("ana").await;
    let elsewhere = server.seen_from([127, 0, 0, 2].into());
    let before = hashed(&server).await;
    let guesses = stream::iter(0..200).map(|n| {
        let server = &server;
        async move { server.log_in_with("ana", &format!("wrong password {n}")).await.status }
    });
    let statuses: Vec<u16> = guesses.buffer_unordered(8).collect().await;
    assert!(statuses.contains(&429));
    let tried = hashed(&server).await - before;
    assert!((100..=110).contains(&tried), "{tried}");
    server.log_in_with("ana", PASSWORD).await.problem(429, "rate_limited");
    elsewhere.log_in_with("ana", PASSWORD).await.is(200);
}

/// Elsewhere there is but one address on loopback.
#[cfg(not(target_os = "linux"))]
async fn guessing_from_elsewhere_locks_nobody_out(_database: Database) {}

async fn what_is_left_is_told(database: Database) {
    let server = Server::with(&database, |settings| {
        settings.rate_limit_auth = value("3/h");
        settings.rate_limit_writes = value("2/h");
    })
    .await;
    let ana = server.register("ana").await;
    let chat = ana.group("Limits", &[]).await;
    let messages = format!("/chats/{chat}/messages");
    let last = ana.post(&messages, json!({"body": "the last"})).await;
    assert_eq!(last.header("ratelimit-limit"), Some("2"));
    assert_eq!(last.header("ratelimit-remaining"), Some("0"));
    last.is(201);
    let refused = ana.post(&messages, json!({"body": "too much"})).await;
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=1_800).contains(&wait), "{wait}");
    refused.problem(429, "rate_limited");
    ana.get(&messages).await.is(200);
    // Registering was the first.
    for remaining in ["1", "0"] {
        let answer = server.log_in_with("ana", PASSWORD).await;
        assert_eq!(answer.header("ratelimit-remaining"), Some(remaining));
        answer.is(200);
    }
    server.log_in_with("ana", PASSWORD).await.problem(429, "rate_limited");
    server.get_root("/healthz").await.is(200);
}

async fn without_limits_there_are_none(database: Database) {
    let server = Server::with(&database, |settings| {
        settings.no_rate_limits = true;
        settings.rate_limit_auth = value("1/h");
        settings.trusted_proxies = value("127.0.0.1");
    })
    .await;
    server.register("ana").await;
    for _ in 0..8 {
        let wrong = log_in_from(&server, "203.0.113.7", "not the password").await;
        assert_eq!(wrong.header("ratelimit-limit"), None);
        wrong.problem(401, "invalid_credentials");
    }
    log_in_from(&server, "203.0.113.7", PASSWORD).await.is(200);
}

async fn only_trusted_proxies_are_believed(database: Database) {
    for (trusted, seen) in [
        ("", "127.0.0.1"),
        ("10.0.0.0/8", "127.0.0.1"),
        ("127.0.0.1,10.0.0.0/8", "203.0.113.7"),
    ] {
        let database = database.without_schema();
        let server = Server::with(&database, |settings| {
            settings.trusted_proxies = value(trusted);
        })
        .await;
        server.register("ana").await;
        let session = log_in_from(&server, "198.51.100.1, 203.0.113.7, 10.0.0.9", PASSWORD)
            .await
            .is(200);
        let ana = crate::support::Person::from_session(&server, &session);
        let sessions = ana.get("/auth/sessions").await.is(200);
        assert_eq!(sessions["items"][0]["ip"], seen, "{trusted}");
    }
}
