//! `emotechat`, in both places where it is served.

use super::fails;
use crate::world::{ANA, Api, KEY, NOW, TOKEN, World, send, user};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;
use tertulia_application::ports::AccessToken;
use tertulia_domain::repository::{Credentials, RepositoryError};
use tertulia_domain::{LoginName, PasswordHash};

/// The token of a mail.
const MAILED: &str = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc";

/// The server both ways, with what stands before the paths.
fn both(world: impl Fn() -> World) -> [(Api, &'static str); 2] {
    [
        (world().start(), "/compat/emotechat"),
        (world().start_mounted("emotechat"), ""),
    ]
}

/// The shape of every failure: the text is for people.
#[track_caller]
fn is_message(body: &Value) -> &str {
    assert_eq!(body.as_object().map(serde_json::Map::len), Some(1), "{body}");
    let message = body["message"].as_str().unwrap();
    assert!(!message.is_empty());
    message
}

fn shown() -> Value {
    json!({"id": 10, "name": "ANA", "email": "ana@example.org"})
}

/// Ana can log in.
fn world() -> World {
    let mut world = World::new();
    world.users.expect_find_credentials().returning(|login| {
        let ana = *login == LoginName::Email("ana@example.org".into());
        let credentials = || Credentials {
            user: user(ANA, "ana"),
            password: PasswordHash::from_phc("hash".into()),
        };
        Ok(ana.then(credentials))
    });
    world
        .hasher
        .expect_verify()
        .returning(|password, hash| Ok(hash.is_some() && password.expose() == "secret"));
    world.sessions.expect_insert().returning(|_, _| Ok(true));
    world.tokens.expect_issue().returning(|_, _| {
        Ok(AccessToken {
            token: "signed".into(),
            expires_at: NOW,
            expires_in: Duration::from_mins(15),
        })
    });
    world
}

#[actix_web::test]
async fn logging_in() {
    for (api, base) in both(world) {
        let log_in = async |body: Value| {
            let request = api.anybody(Method::POST, &format!("{base}/api/auth/login"));
            send(request.json(&body)).await
        };
        let answer = log_in(json!({"email": "ANA@example.org", "password": "secret"})).await;
        let body = answer.json(200);
        assert_eq!((&body["user"], &body["token"]), (&shown(), &json!("signed")));
        assert!(body["message"].is_string());
        assert_eq!(answer.header("authorization"), Some("Bearer signed"));
        for (email, password) in [
            ("ana@example.org", "another"),
            ("ana@example.org", ""),
            ("ben@example.org", "secret"),
            // Not a user name, whoever has it.
            ("ana", "secret"),
            ("", "secret"),
        ] {
            let answer = log_in(json!({"email": email, "password": password})).await;
            assert_eq!(is_message(&fails(&answer, 401)), "wrong e-mail or password", "{email}");
        }
        let missing = log_in(json!({"email": 1})).await;
        assert_eq!(
            is_message(&fails(&missing, 400)),
            "email must be a string; password must be given"
        );
    }
}

#[actix_web::test]
async fn bodies_that_are_none() {
    for (api, base) in both(World::new) {
        let request = || api.anybody(Method::POST, &format!("{base}/api/auth/login"));
        let json = || request().header("Content-Type", "application/json");
        for bad in [
            request(),
            request().body("email=ana@example.org&password=secret"),
            request().header("Content-Type", "text/plain").body("{}"),
            json().body("{"),
            json().body("[]"),
            json().body(vec![0xff]),
            json().body(vec![b' '; 300_000]),
        ] {
            is_message(&fails(&send(bad).await, 400));
        }
    }
}

#[actix_web::test]
async fn whoever_has_a_token_is_told_who_they_are() {
    let world = || {
        let mut world = World::new();
        world.users.expect_find().returning(|id| Ok(Some(user(id, "ana"))));
        world
    };
    for (api, base) in both(world) {
        for path in ["/api/auth/validate", "/api/auth/validate/"] {
            for scheme in ["Bearer", "bearer", "Bearer Bearer"] {
                let request = api.anybody(Method::GET, &format!("{base}{path}"));
                let answer = send(request.header("Authorization", format!("{scheme} {TOKEN}"))).await;
                let body = answer.json(200);
                assert_eq!(body["user"], shown());
                assert!(body["message"].is_string());
            }
        }
        for bad in [
            "",
            "Bearer",
            "Bearer expired",
            "Bearer ended",
            "Bearer nonsense",
            "Basic good",
        ] {
            let request = api.anybody(Method::GET, &format!("{base}/api/auth/validate"));
            let answer = send(request.header("Authorization", bad)).await;
            is_message(&fails(&answer, 401));
        }
    }
}

#[actix_web::test]
async fn logging_out_ends_the_session() {
    let world = || {
        let mut world = World::new();
        world.sessions.expect_end().once().returning(|_, _| Ok(true));
        world
    };
    for (api, base) in both(world) {
        let request = api.anybody(Method::POST, &format!("{base}/api/auth/logout"));
        is_message(&send(request.bearer_auth(TOKEN)).await.json(200));
    }
}

#[actix_web::test]
async fn no_api_key_ends_a_session() {
    let api = World::new().with_key("read write manage").start();
    let request = api.anybody(Method::POST, "/compat/emotechat/api/auth/logout");
    is_message(&fails(&send(request.bearer_auth(KEY)).await, 401));
}

#[actix_web::test]
async fn passwords_are_reset_by_json_or_a_form() {
    let world = || {
        let mut world = World::new();
        world
            .account_tokens
            .expect_issue_reset()
            .withf(|key, _| key == "ana@example.org")
            .returning(|_, _| Ok(()));
        world.account_tokens.expect_find_reset().returning(|_, _| Ok(Some(ANA)));
        world
            .account_tokens
            .expect_redeem_reset()
            .returning(|_, _, _| Ok(Some(ANA)));
        world
            .hasher
            .expect_hash()
            .withf(|password| password.expose() == "s & ñ\n")
            .returning(|_| Ok(PasswordHash::from_phc("hash".into())));
        world
    };
    for (api, base) in both(world) {
        let post = |path: &str| api.anybody(Method::POST, &format!("{base}/api/password/{path}"));
        let asked = send(post("reset-request").json(&json!({"email": "Ana@Example.org"}))).await;
        is_message(&asked.json(200));
        let form = |body: String| {
            let request = post("reset").header("Content-Type", "application/x-www-form-urlencoded");
            request.body(body)
        };
        let password = "s & ñ\n";
        for good in [
            post("reset").json(&json!({"token": MAILED, "password": password})),
            post("reset").json(&json!({"token": MAILED, "new_password": password})),
            form(format!("token={MAILED}&password=s+%26+%C3%B1%0D%0A")),
            form(format!("token=x&token={MAILED}&new_password=s%20%26%20ñ%0a")),
        ] {
            is_message(&send(good).await.json(200));
        }
        for (bad, status) in [
            (form("token=x&password=secret".to_owned()), 401),
            (form(format!("token={MAILED}&password=short")), 400),
            (form("token=%ff&password=secret".to_owned()), 400),
            (form(String::new()), 400),
            (form("x".repeat(300_000)), 400),
            (post("reset").json(&json!({"token": MAILED, "password": null})), 400),
            (post("reset").header("Content-Type", "text/plain").body("x"), 400),
        ] {
            is_message(&fails(&send(bad).await, status));
        }
    }
}

#[actix_web::test]
async fn trouble_keeps_the_shape() {
    let world = || {
        let mut world = World::new();
        let mut answers = vec![
            RepositoryError::Other("the disk is full".into()),
            RepositoryError::Unavailable("10.0.0.7 refused".into()),
            RepositoryError::Overloaded,
        ];
        world.users.expect_find().returning(move |id| match answers.pop() {
            Some(error) => Err(error),
            None if id == ANA => panic!("a bug"),
            None => Ok(None),
        });
        world
    };
    for (api, base) in both(world) {
        for (status, retry_after) in [(503, Some("1")), (503, Some("5")), (500, None), (500, None)] {
            let request = api.anybody(Method::GET, &format!("{base}/api/auth/validate"));
            let answer = send(request.bearer_auth(TOKEN)).await;
            let body = fails(&answer, status);
            let message = is_message(&body);
            assert!(!message.contains("disk") && !message.contains("10.0.0.7") && !message.contains("bug"));
            assert_eq!(answer.header("retry-after"), retry_after);
        }
    }
}
