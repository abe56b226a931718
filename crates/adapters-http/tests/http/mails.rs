//! What is done by mail.

use crate::world::{ANA, NOW, World, errors, send, user};
use reqwest::Method;
use serde_json::{Value, json};
use std::sync::Arc;
use tertulia_domain::repository::VerifyEmailError;
use tertulia_domain::{PasswordHash, User};

/// What the mocked secrets look like in a mail.
const MAILED: &str = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc";

async fn post(api: &crate::world::Api, path: &str, body: Value) -> crate::world::Answer {
    send(api.anybody(Method::POST, &format!("/api/v1/auth/{path}")).json(&body)).await
}

#[actix_web::test]
async fn a_forgotten_password() {
    let mut world = World::new();
    world
        .account_tokens
        .expect_issue_reset()
        .withf(|key, token| key == "ana@example.org" && token.at == NOW)
        .returning(|_, _| Ok(()));
    world.account_tokens.expect_find_reset().returning(|_, _| Ok(Some(ANA)));
    world
        .account_tokens
        .expect_redeem_reset()
        .returning(|_, _, _| Ok(Some(ANA)));
    world
        .hasher
        .expect_hash()
        .returning(|_| Ok(PasswordHash::from_phc("hash".into())));
    let api = world.start();
    let request = async |body: Value| post(&api, "password/reset-request", body).await;
    request(json!({"email": "Ana@Example.org"})).await.empty(202);
    let fields = request(json!({"email": "ana"})).await.problem(422, "invalid_input");
    assert_eq!(fields, errors(&[("email", "invalid")]));
    request(json!({})).await.problem(422, "invalid_input");
    let reset = async |token: &str, password: &str| {
        post(&api, "password/reset", json!({"token": token, "password": password})).await
    };
    reset(MAILED, "secret-word").await.empty(204);
    reset("x", "secret-word").await.problem(401, "invalid_credentials");
    let fields = reset(MAILED, "short").await.problem(422, "invalid_input");
    assert_eq!(fields, errors(&[("password", "invalid")]));
}

#[actix_web::test]
async fn a_token_that_opens_nothing() {
    let mut world = World::new();
    world.account_tokens.expect_find_reset().returning(|_, _| Ok(None));
    let mut answers = vec![VerifyEmailError::EmailTaken, VerifyEmailError::NotFound];
    world
        .account_tokens
        .expect_redeem_verification()
        .returning(move |_, _| Err(answers.pop().unwrap()));
    let api = world.start();
    let body = json!({"token": MAILED, "password": "secret-word"});
    post(&api, "password/reset", body)
        .await
        .problem(401, "invalid_credentials");
    let verify = async || post(&api, "email/verify", json!({"token": MAILED})).await;
    verify().await.problem(401, "invalid_credentials");
    verify().await.problem(409, "email_taken");
}

#[actix_web::test]
async fn verifying_an_address() {
    let mut world = World::new();
    let verified = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let now_verified = Arc::clone(&verified);
    world
        .account_tokens
        .expect_redeem_verification()
        .returning(move |_, _| {
            now_verified.store(true, std::sync::atomic::Ordering::Relaxed);
            Ok(user(ANA, "ana"))
        });
    world
        .account_tokens
        .expect_issue_verification()
        .returning(|id, _, _| Ok(id == ANA));
    world.users.expect_find().returning(move |id| {
        Ok(Some(User {
            email_verified: verified.load(std::sync::atomic::Ordering::Relaxed),
            ..user(id, "ana")
        }))
    });
    let api = world.start();
    let again = async || send(api.ana(Method::POST, "/auth/email/verification")).await;
    again().await.empty(202);
    post(&api, "email/verify", json!({"token": MAILED})).await.empty(204);
    assert_eq!(api.get("/me").await.json(200)["email_verified"], true);
    again().await.problem(409, "conflict");
    post(&api, "email/verify", json!({"token": 1}))
        .await
        .problem(422, "invalid_input");
}

#[actix_web::test]
async fn another_address() {
    let mut world = World::new();
    world.policy.accounts.verify_email = true;
    world.users.expect_find().returning(|id| Ok(Some(user(id, "ana"))));
    world
        .users
        .expect_update()
        .withf(|_, changes, _| changes.email.is_none())
        .returning(|id, _, _| Ok(user(id, "ana")));
    world
        .account_tokens
        .expect_issue_verification()
        .withf(|_, email, _| email.as_str() == "new@example.org")
        .returning(|_, _, _| Ok(true));
    let api = world.start();
    let me = api.patch("/me", json!({"email": "new@example.org"})).await.json(200);
    assert_eq!(me["email"], "ana@example.org");
    assert_eq!(me["pending_email"], "new@example.org");
}
