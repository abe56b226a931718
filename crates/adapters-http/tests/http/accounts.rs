//! Accounts, sessions and users.

use crate::world::{ANA, Answer, BEN, Fields, NOW, NOW_TEXT, SESSION, World, errors, send, user};
use reqwest::Method;
use serde_json::{Value, json};
use std::net::IpAddr;
use std::time::Duration;
use tertulia_application::ports::AccessToken;
use tertulia_domain::repository::{Credentials, Erased, InsertUserError, Rotation, UpdateUserError, UserChanges};
use tertulia_domain::{DeviceName, Page, PasswordHash, Profile, Session, SessionId, UserCursor, Username};
use uuid::Uuid;

/// What Ana sees of herself, once she has made a request.
fn own() -> Value {
    json!({
        "id": ANA.to_string(),
        "number": 10,
        "username": "ana",
        "display_name": "ANA",
        "avatar_url": null,
        "online": true,
        "last_seen_at": NOW_TEXT,
        "created_at": NOW_TEXT,
        "email": "ana@example.org",
        "email_verified": false,
        "role": "user",
        "profile": {"age": 33, "cat": true, "job": "poet"},
    })
}

fn session(id: SessionId) -> Session {
    Session {
        id,
        user_id: ANA,
        device: Some(DeviceName::new("phone").unwrap()),
        ip: Some(IpAddr::from([192, 0, 2, 1])),
        created_at: NOW,
        last_used_at: NOW,
        expires_at: NOW,
    }
}

/// A world in which tokens are issued and passwords hashed.
fn world() -> World {
    let mut world = World::new();
    world.tokens.expect_issue().returning(|_, at| {
        Ok(AccessToken {
            token: "signed".into(),
            expires_at: at,
            expires_in: Duration::from_mins(15),
        })
    });
    world
        .hasher
        .expect_hash()
        .returning(|_| Ok(PasswordHash::from_phc("hash".into())));
    world
        .hasher
        .expect_verify()
        .returning(|password, hash| Ok(hash.is_some() && password.expose() == "secret-word"));
    world
}

#[track_caller]
fn is_session(answer: &Answer, status: u16) {
    let mut session = answer.json(status);
    let refresh_token = session["refresh_token"].take();
    assert_eq!(refresh_token.as_str().unwrap().len(), 107);
    let expected = json!({
        "access_token": "signed",
        "token_type": "Bearer",
        "expires_in": 900,
        "refresh_token": null,
        "user": own(),
    });
    assert_eq!(session, expected);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
}

#[actix_web::test]
async fn registering() {
    let mut world = world();
    world
        .users
        .expect_insert()
        .withf(|new| {
            let name = new.username.as_ref().map(Username::as_str);
            name == Some("ana") && new.email.is_none() && new.profile.is_empty()
        })
        .returning(|_| Ok(user(ANA, "ana")));
    world
        .sessions
        .expect_insert()
        .withf(|new, _| {
            let device = new.session.device.as_ref().map(DeviceName::as_str);
            device == Some("phone") && new.session.ip == Some(IpAddr::from([127, 0, 0, 1]))
        })
        .returning(|_, _| Ok(true));
    let api = world.start();
    let body = json!({
        "username": "ana", "email": null, "password": "secret-word", "display_name": "Ana", "device": "phone", "role": "admin"
    });
    let answer = send(api.anybody(Method::POST, "/api/v1/auth/register").json(&body)).await;
    is_session(&answer, 201);
}

#[actix_web::test]
async fn names_that_are_taken() {
    type Why = fn() -> InsertUserError;
    let cases: [(Why, &str, &str); 2] = [
        (|| InsertUserError::UsernameTaken, "username_taken", "username"),
        (|| InsertUserError::EmailTaken, "email_taken", "email"),
    ];
    for (why, code, field) in cases {
        let mut world = world();
        world.users.expect_insert().returning(move |_| Err(why()));
        let api = world.start();
        let body = json!({"username": "ana", "email": "ana@example.org", "password": "secret-word"});
        let answer = send(api.anybody(Method::POST, "/api/v1/auth/register").json(&body)).await;
        assert_eq!(answer.problem(409, code), errors(&[(field, "taken")]));
    }
}

#[actix_web::test]
async fn logging_in() {
    let mut world = world();
    world.users.expect_find_credentials().returning(|_| {
        Ok(Some(Credentials {
            user: user(ANA, "ana"),
            password: PasswordHash::from_phc("hash".into()),
        }))
    });
    world.sessions.expect_insert().returning(|_, _| Ok(true));
    let api = world.start();
    let log_in = |body: Value| send(api.anybody(Method::POST, "/api/v1/auth/login").json(&body));
    is_session(&log_in(json!({"login": "ANA", "password": "secret-word"})).await, 200);
    // Names and passwords that can be nobody's are as wrong as any other, not invalid.
    for (login, password) in [
        ("ana", "wrong-word"),
        ("ana", ""),
        ("a b", "secret-wor"),
        ("", "x"),
        ("ana", "\0"),
    ] {
        let answer = log_in(json!({"login": login, "password": password})).await;
        assert_eq!(answer.problem(401, "invalid_credentials"), []);
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
    }
    let answer = log_in(json!({"login": 1, "device": ""})).await;
    let expected = errors(&[("login", "wrong_type"), ("password", "required"), ("device", "invalid")]);
    assert_eq!(answer.problem(422, "invalid_input"), expected);
}

#[actix_web::test]
async fn refreshing() {
    let outcomes: [(fn() -> Rotation, u16); 3] = [
        (
            || Rotation::Rotated {
                session: session(SESSION),
                user: Box::new(user(ANA, "ana")),
            },
            200,
        ),
        (|| Rotation::Reused, 401),
        (|| Rotation::Unknown, 401),
    ];
    for (outcome, status) in outcomes {
        let mut world = world();
        world.sessions.expect_rotate().returning(move |_| Ok(outcome()));
        let api = world.start();
        let body = json!({"refresh_token": "A".repeat(107)});
        let answer = send(api.anybody(Method::POST, "/api/v1/auth/refresh").json(&body)).await;
        match status {
            200 => is_session(&answer, 200),
            _ => assert_eq!(answer.problem(401, "invalid_credentials"), []),
        }
    }
    let api = world().start();
    let answer = send(
        api.anybody(Method::POST, "/api/v1/auth/refresh")
            .json(&json!({"refresh_token": "x"})),
    )
    .await;
    answer.problem(401, "invalid_credentials");
}

#[actix_web::test]
async fn logging_out() {
    let mut world = World::new();
    world
        .sessions
        .expect_end()
        .once()
        .withf(|user, session| (*user, *session) == (ANA, SESSION))
        .returning(|_, _| Ok(true));
    world.sessions.expect_end_all().once().returning(|_| Ok(3));
    let api = world.start();
    send(api.ana(Method::POST, "/auth/logout")).await.empty(204);
    send(api.ana(Method::POST, "/auth/logout?all=true")).await.empty(204);
    send(api.ana(Method::POST, "/auth/logout?all=yes"))
        .await
        .problem(400, "invalid_input");
}

#[actix_web::test]
async fn sessions() {
    let other = SessionId::from_uuid(Uuid::from_u128(9));
    let mut world = World::new();
    world.sessions.expect_list().returning(move |_, _| {
        Ok(vec![
            session(SESSION),
            Session {
                device: None,
                ip: None,
                ..session(other)
            },
        ])
    });
    world
        .sessions
        .expect_end()
        .returning(move |_, session| Ok(session == other));
    let api = world.start();
    let shown = |id: SessionId, device: Option<&str>, ip: Option<&str>, current: bool| {
        json!({
            "id": id.to_string(), "device": device, "ip": ip,
            "created_at": NOW_TEXT, "last_used_at": NOW_TEXT, "current": current
        })
    };
    let items = [
        shown(SESSION, Some("phone"), Some("192.0.2.1"), true),
        shown(other, None, None, false),
    ];
    let expected = json!({"items": items, "next_cursor": null});
    assert_eq!(api.get("/auth/sessions").await.json(200), expected);
    api.delete(&format!("/auth/sessions/{other}")).await.empty(204);
    api.delete(&format!("/auth/sessions/{BEN}"))
        .await
        .problem(404, "not_found");
}

#[actix_web::test]
async fn oneself_and_others() {
    let mut world = World::new();
    world.users.expect_find().returning(|id| {
        Ok(match id {
            ANA => Some(user(ANA, "ana")),
            BEN => Some(user(BEN, "ben")),
            _ => None,
        })
    });
    let api = world.start();
    assert_eq!(api.get("/me").await.json(200), own());
    assert_eq!(api.get(&format!("/users/{ANA}")).await.json(200), own());
    let ben = json!({
        "id": BEN.to_string(), "number": 11, "username": "ben", "display_name": "BEN", "avatar_url": null,
        "online": false, "last_seen_at": null, "created_at": NOW_TEXT
    });
    assert_eq!(api.get(&format!("/users/{BEN}")).await.json(200), ben);
    api.get(&format!("/users/{}", Uuid::from_u128(9)))
        .await
        .problem(404, "not_found");
}

#[actix_web::test]
async fn searching() {
    let mut world = World::new();
    world.users.expect_list().returning(|prefix, after, limit| {
        assert_eq!(
            prefix.as_ref().map(|prefix| prefix.as_str().to_owned()),
            Some("an ä".to_owned())
        );
        assert_eq!(limit.get(), 1);
        Ok(Page {
            items: vec![user(ANA, "ana")],
            next: after.is_none().then_some(UserCursor(10)),
        })
    });
    let api = world.start();
    let page = api.get("/users?q=AN+%C3%84&limit=1&unknown=1").await.json(200);
    assert_eq!(page["items"][0]["username"], "ana");
    assert_eq!(page["items"][0].get("email"), None);
    let cursor = page["next_cursor"].as_str().unwrap();
    let last = api
        .get(&format!("/users?q=an%20%c3%a4&limit=1&cursor={cursor}"))
        .await
        .json(200);
    assert_eq!(last["next_cursor"], Value::Null);
}

#[actix_web::test]
async fn changing_oneself() {
    for (body, expected) in [
        (json!({}), UserChanges::default()),
        (
            json!({"username": null, "profile": null, "role": "admin"}),
            UserChanges {
                username: Some(None),
                profile: Some(Profile::default()),
                ..UserChanges::default()
            },
        ),
        (
            json!({"username": "ana", "profile": {"job": "poet", "age": 33, "cat": true}}),
            UserChanges {
                username: Some(user(ANA, "ana").username),
                profile: Some(user(ANA, "ana").profile),
                ..UserChanges::default()
            },
        ),
    ] {
        let mut world = World::new();
        world
            .users
            .expect_update()
            .withf(move |id, changes, _| *id == ANA && *changes == expected)
            .returning(|_, _, _| Ok(user(ANA, "ana")));
        assert_eq!(world.start().patch("/me", body).await.json(200), own());
    }
}

#[actix_web::test]
async fn changes_that_are_refused() {
    type Why = fn() -> UpdateUserError;
    let cases: [(Why, u16, &str, Fields); 3] = [
        (
            || UpdateUserError::UsernameTaken,
            409,
            "username_taken",
            &[("username", "taken")],
        ),
        (
            || UpdateUserError::EmailTaken,
            409,
            "email_taken",
            &[("email", "taken")],
        ),
        (
            || UpdateUserError::NoLogin,
            422,
            "invalid_input",
            &[("username", "required"), ("email", "required")],
        ),
    ];
    for (why, status, code, expected) in cases {
        let mut world = World::new();
        world.users.expect_update().returning(move |_, _, _| Err(why()));
        let answer = world.start().patch("/me", json!({"email": null})).await;
        assert_eq!(answer.problem(status, code), errors(expected));
    }
    let body = json!({"username": "a b", "profile": {"a": null, "b": 1.5, "c": [], "d": "fine"}});
    let answer = World::new().start().patch("/me", body).await;
    let mut found = answer.problem(422, "invalid_input");
    found.sort();
    let expected = errors(&[
        ("profile.a", "wrong_type"),
        ("profile.b", "wrong_type"),
        ("profile.c", "wrong_type"),
        ("username", "invalid"),
    ]);
    assert_eq!(found, expected);
}

#[actix_web::test]
async fn changing_the_password() {
    let mut world = world();
    world
        .users
        .expect_find_password()
        .returning(|_| Ok(Some(PasswordHash::from_phc("hash".into()))));
    world
        .users
        .expect_set_password()
        .once()
        .withf(|id, _, keep, _| (*id, *keep) == (ANA, Some(SESSION)))
        .returning(|_, _, _, _| Ok(true));
    let api = world.start();
    let change = |current: &str, new: &str| {
        let body = json!({"current_password": current, "new_password": new});
        send(api.ana(Method::PUT, "/me/password").json(&body))
    };
    change("secret-word", "another-word").await.empty(204);
    let expected = errors(&[("current_password", "invalid")]);
    for wrong in ["wrong-word", ""] {
        let answer = change(wrong, "another-word").await;
        assert_eq!(answer.problem(403, "invalid_credentials"), expected);
    }
    let short = change("secret-word", "short").await;
    assert_eq!(
        short.problem(422, "invalid_input"),
        errors(&[("new_password", "invalid")])
    );
}

#[actix_web::test]
async fn deleting_oneself() {
    let erased = Erased {
        sessions: 1,
        groups_left: 2,
        groups_deleted: 3,
        messages: 4,
        files: 5,
    };
    let mut world = World::new();
    world.events.expect_subscriptions().returning(|_| Ok(vec![]));
    world.users.expect_delete().returning(move |_, erase, _| {
        let messages = if erase { erased.messages } else { 0 };
        Ok(Some(Erased { messages, ..erased }))
    });
    let api = world.start();
    api.delete("/me").await.empty(204);
    api.delete("/me?erase=false").await.empty(204);
    let counts = json!({"sessions": 1, "groups_left": 2, "groups_deleted": 3, "messages": 4, "files": 5});
    assert_eq!(api.delete("/me?erase=true").await.json(200), counts);
}
