//! Who asks too much.

use crate::world::{Api, CHAT, KEY, World, send, user};
use reqwest::Method;
use serde_json::json;
use std::num::NonZeroU32;
use std::time::Duration;
use tertulia_adapters_http::Rate;
use tertulia_domain::repository::UpdateUserError;

fn hourly(requests: u32) -> Rate {
    Rate::new(NonZeroU32::new(requests).unwrap(), Duration::from_hours(1))
}

/// Somebody tries nothing that is a password.
async fn log_in(api: &Api, forwarded: Option<&str>) -> crate::world::Answer {
    let request = api.anybody(Method::POST, "/api/v1/auth/login");
    let request = request.json(&json!({"login": "ana", "password": ""}));
    send(match forwarded {
        Some(address) => request.header("X-Forwarded-For", address),
        None => request,
    })
    .await
}

#[actix_web::test]
async fn an_address_may_try_so_often() {
    let mut world = World::new();
    world.options.rate_limits.auth = hourly(2);
    let api = world.start();
    let first = log_in(&api, None).await;
    first.problem(401, "invalid_credentials");
    assert_eq!(first.header("ratelimit-limit"), Some("2"));
    assert_eq!(first.header("ratelimit-remaining"), Some("1"));
    assert_eq!(first.header("ratelimit-reset"), Some("1800"));
    // Nobody is asked to believe this.
    log_in(&api, Some("192.0.2.1"))
        .await
        .problem(401, "invalid_credentials");
    let refused = log_in(&api, Some("192.0.2.2")).await;
    refused.problem(429, "rate_limited");
    assert_eq!(refused.header("ratelimit-remaining"), Some("0"));
    let wait: u32 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1790..=1800).contains(&wait), "{wait}");
    // All that has to do with credentials counts together, and nothing else does.
    for path in [
        "register",
        "refresh",
        "password/reset-request",
        "password/reset",
        "email/verify",
    ] {
        let answer = send(api.anybody(Method::POST, &format!("/api/v1/auth/{path}"))).await;
        answer.problem(429, "rate_limited");
    }
    api.get("/chats/x").await.problem(404, "not_found");
}

#[actix_web::test]
async fn trusted_proxies_are_believed() {
    let mut world = World::new();
    world.options.rate_limits.auth = hourly(1);
    world.options.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
    let api = world.start();
    for (address, status) in [
        ("192.0.2.1", 401),
        ("192.0.2.1", 429),
        // Made up by the client; the proxy has added the truth to the right.
        ("192.0.2.9, 192.0.2.1", 429),
        ("192.0.2.2", 401),
        ("192.0.2.2, 127.0.0.2", 429),
        ("2001:db8:0:1::1", 401),
        ("2001:db8:0:1:ffff::2", 429),
        ("2001:db8:0:2::1", 401),
    ] {
        assert_eq!(log_in(&api, Some(address)).await.status, status, "{address}");
    }
}

#[actix_web::test]
async fn an_account_may_ask_for_so_much() {
    let mut world = World::new().with_key("read write");
    world.options.rate_limits.reads = hourly(2);
    world.options.rate_limits.writes = hourly(1);
    world.users.expect_find().returning(|id| Ok(Some(user(id, "ana"))));
    world
        .users
        .expect_update()
        .returning(|_, _, _| Err(UpdateUserError::NoLogin));
    let api = world.start();
    let me = api.get("/me").await;
    assert_eq!(me.header("ratelimit-limit"), Some("2"));
    assert_eq!(me.header("ratelimit-remaining"), Some("1"));
    // With whichever credentials.
    let by_key = |path: &str| send(api.anybody(Method::GET, path).bearer_auth(KEY));
    by_key("/api/v1/me").await.json(200);
    by_key("/api/v1/me").await.problem(429, "rate_limited");
    api.get("/me").await.problem(429, "rate_limited");
    api.patch("/me", json!({})).await.problem(422, "invalid_input");
    let refused = api.patch("/me", json!({})).await;
    refused.problem(429, "rate_limited");
    assert_eq!(refused.header("ratelimit-limit"), Some("1"));
    assert!(refused.header("retry-after").is_some());
    let path = format!("/chats/{CHAT}/messages");
    api.post(&path, json!({"body": "hi"}))
        .await
        .problem(429, "rate_limited");
}

#[actix_web::test]
async fn uploads_count_by_themselves() {
    let mut world = World::new();
    world.options.rate_limits.uploads = hourly(1);
    let api = world.start();
    for status in [415, 429] {
        assert_eq!(send(api.ana(Method::POST, "/files")).await.status, status);
    }
    assert_eq!(send(api.ana(Method::PUT, "/me/avatar")).await.status, 429);
    api.post("/chats", json!({})).await.problem(422, "invalid_input");
}

#[actix_web::test]
async fn an_address_may_ask_for_so_much() {
    let mut world = World::new();
    world.options.rate_limits.address = hourly(1);
    let api = world.start();
    let nobody = async || send(api.anybody(Method::GET, "/api/v1/me")).await;
    nobody().await.problem(401, "unauthenticated");
    nobody().await.problem(429, "rate_limited");
    // Those who probe are never told that.
    for _ in 0..3 {
        let answer = send(api.anybody(Method::GET, "/healthz")).await;
        assert_eq!((answer.status, answer.header("ratelimit-limit")), (200, None));
    }
}

#[actix_web::test]
async fn limits_can_be_turned_off() {
    let mut world = World::new();
    world.options.rate_limits.auth = hourly(1);
    world.options.rate_limits.enabled = false;
    let api = world.start();
    for _ in 0..3 {
        let answer = log_in(&api, None).await;
        answer.problem(401, "invalid_credentials");
        assert_eq!(answer.header("ratelimit-limit"), None);
    }
}

#[actix_web::test]
async fn whoever_guesses_has_to_wait() {
    let mut world = World::new();
    world.policy.accounts.throttle.free_on_loopback = 1;
    world.users.expect_find_credentials().returning(|_| Ok(None));
    world.hasher.expect_verify().returning(|_, _| Ok(false));
    let api = world.start();
    let body = json!({"login": "ana", "password": "secret-word"});
    let try_it = async || send(api.anybody(Method::POST, "/api/v1/auth/login").json(&body)).await;
    try_it().await.problem(401, "invalid_credentials");
    let wait = try_it().await;
    wait.problem(429, "rate_limited");
    assert_eq!(wait.header("retry-after"), Some("1"));
}
