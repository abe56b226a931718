//! `emotechat`, in both places where it is served.

use super::fails;
use crate::world::{
    ANA, Answer, Api, BEN, CALLER, CHAT, KEY, MESSAGE, NOW, NOW_TEXT, TOKEN, World, direct, message, send, user,
};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;
use tertulia_application::ports::AccessToken;
use tertulia_domain::repository::{
    Credentials, InsertUserError, ListOverviews, OverviewOrder, RepositoryError, VisibleMessages,
};
use tertulia_domain::{
    Caller, ChatOverview, Counted, LoginName, Message, MessageContent, OverviewMember, PasswordHash, Profile, Role,
    User, UserId, Window,
};
use uuid::Uuid;

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
    world.tokens.expect_issue_until().returning(|_, _, _| {
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

async fn get(api: &Api, path: &str) -> Answer {
    send(api.anybody(Method::GET, path).bearer_auth(TOKEN)).await
}

#[actix_web::test]
async fn registering() {
    let world = || {
        let mut world = World::new();
        world
            .hasher
            .expect_hash()
            .withf(|password| password.expose() == "secret")
            .returning(|_| Ok(PasswordHash::from_phc("hash".into())));
        world.users.expect_insert().returning(|new| {
            assert!(new.username.is_none() && new.profile == Profile::default());
            if new.email.as_ref().unwrap().as_str() == "taken@example.com" {
                return Err(InsertUserError::EmailTaken);
            }
            Ok(User {
                number: 1,
                username: None,
                email: new.email,
                display_name: new.display_name,
                ..user(ANA, "ana")
            })
        });
        world
    };
    for (api, base) in both(world) {
        let register = async |body: Value| {
            let request = api.anybody(Method::POST, &format!("{base}/api/auth/register/"));
            send(request.json(&body)).await
        };
        let good = || json!({"name": "John Doe", "email": "john@example.com", "password": "secret"});
        let body = register(good()).await.json(200);
        let shown = json!({"id": 1, "name": "John Doe", "email": "john@example.com"});
        assert_eq!(body, json!({"message": body["message"], "user": shown}));
        assert!(body["message"].is_string());
        for (field, value, status) in [
            ("email", json!("taken@example.com"), 409),
            ("email", json!("john"), 400),
            ("email", json!(null), 400),
            ("name", json!(" "), 400),
            ("name", json!("x".repeat(257)), 400),
            ("name", json!(["John"]), 400),
            ("password", json!("short"), 400),
            ("password", json!("x".repeat(129)), 400),
        ] {
            let mut bad = good();
            bad[field] = value;
            is_message(&fails(&register(bad).await, status));
        }
        is_message(&fails(&register(json!({})).await, 400));
    }
}

#[actix_web::test]
async fn users_come_in_pages() {
    let world = || {
        let mut world = World::new();
        world.users.expect_list_counted().returning(|window| {
            let nobody = user(UserId::from_uuid(Uuid::from_u128(12)), "nobody");
            let nobody = User {
                username: None,
                email: None,
                display_name: None,
                ..nobody
            };
            let total = match (window.skip(), window.take()) {
                (0, 30 | 100) => 61,
                (1, 1) => 2,
                other => panic!("{other:?}"),
            };
            let items = vec![user(ANA, "ana"), nobody];
            Ok(Counted { items, total })
        });
        world
    };
    for (api, base) in both(world) {
        for (query, pages, number, size, total) in [
            ("", 3, 1, 30, 61),
            ("/?page=0&page_size=-1", 3, 1, 30, 61),
            ("?page=x&page_size=", 3, 1, 30, 61),
            ("?page_size=1000", 1, 1, 100, 61),
            ("?page=2&page_size=1", 2, 2, 1, 2),
        ] {
            let answer = get(&api, &format!("{base}/api/profile/users{query}")).await;
            let expected = json!({
                "users": [shown(), {"id": 12, "name": null, "email": null}],
                "pagination": {"total_pages": pages, "current_page": number, "page_size": size, "total": total},
            });
            assert_eq!(answer.json(200), expected, "{query}");
        }
        let twice = get(&api, &format!("{base}/api/profile/users?page=1&page=1")).await;
        is_message(&fails(&twice, 400));
    }
}

fn overview(last_message: Option<Message>, unread: i64) -> ChatOverview {
    let view = direct();
    let members = view.members.into_iter().zip([unread, 0]);
    ChatOverview {
        chat: view.chat,
        blocked: false,
        last_message,
        note: None,
        membership: view.membership,
        members: members
            .map(|(member, unread)| OverviewMember { member, unread })
            .collect(),
    }
}

fn files_alone() -> Message {
    Message {
        content: MessageContent::Present {
            body: None,
            attachments: Vec::new(),
        },
        ..message("x")
    }
}

fn ben() -> Value {
    json!({"id": 11, "name": "BEN", "email": "ben@example.org"})
}

#[actix_web::test]
async fn conversations_are_the_direct_chats() {
    let world = || {
        let mut world = World::new();
        world.overviews.expect_list().returning(|list| {
            let expected = ListOverviews {
                viewer: ANA,
                everybodys: false,
                with: None,
                direct: true,
                members: false,
                order: OverviewOrder::Activity,
                window: list.window,
            };
            assert_eq!(list, expected);
            if list.window == Window::page(2, 5) {
                return Ok(Counted {
                    items: Vec::new(),
                    total: 0,
                });
            }
            let items = vec![
                overview(Some(message("hi")), 2),
                overview(Some(files_alone()), 0),
                overview(None, 0),
            ];
            Ok(Counted { items, total: 31 })
        });
        let role = Role::Admin;
        world.with_caller(Caller { role, ..CALLER })
    };
    let shown = |text: Value, time: Value, unread: i64| json!({"id": 12, "user": ben(), "last_message": text, "last_message_time": time, "unread_count": unread});
    for (api, base) in both(world) {
        for query in ["", "/", "?partner_id=", "?page=-1&page_size=0"] {
            let answer = get(&api, &format!("{base}/api/conversations{query}")).await;
            let expected = json!({
                "conversations": [
                    shown(json!("hi"), json!(NOW_TEXT), 2),
                    shown(json!(""), json!(NOW_TEXT), 0),
                    shown(json!(null), json!(null), 0),
                ],
                "pagination": {"total_pages": 2, "current_page": 1, "page_size": 30, "total": 31},
                "total_pages": 2, "current_page": 1, "page_size": 30,
            });
            assert_eq!(answer.json(200), expected, "{query}");
        }
        let none = get(&api, &format!("{base}/api/conversations?page=2&page_size=5")).await;
        let expected = json!({
            "conversations": [],
            "pagination": {"total_pages": 0, "current_page": 2, "page_size": 5, "total": 0},
            "total_pages": 0, "current_page": 2, "page_size": 5,
        });
        assert_eq!(none.json(200), expected);
        let stranger = send(api.anybody(Method::GET, &format!("{base}/api/conversations"))).await;
        is_message(&fails(&stranger, 401));
    }
}

#[actix_web::test]
async fn messages_with_a_partner_are_oldest_first() {
    let third = UserId::from_uuid(Uuid::from_u128(0x99));
    let world = move || {
        let mut world = World::new();
        world.users.expect_find_by_number().returning(|number| {
            Ok(match number {
                10 => Some(user(ANA, "ana")),
                11 => Some(user(BEN, "ben")),
                _ => None,
            })
        });
        world.users.expect_find().returning(move |id| {
            Ok(Some(if id == third {
                // Somebody who was there when it was a group, and whose account is gone.
                User {
                    username: None,
                    email: None,
                    display_name: None,
                    deleted_at: Some(NOW),
                    ..user(id, "third")
                }
            } else {
                user(id, "ana")
            }))
        });
        world
            .chats
            .expect_find_direct()
            .returning(|one, other| Ok((one == ANA && other == BEN).then_some(CHAT)));
        world.chats.expect_find().returning(|_, _| Ok(Some(direct())));
        world.overviews.expect_list_messages().returning(move |chat, which| {
            assert_eq!(chat, CHAT);
            let VisibleMessages::Oldest(window) = which else {
                panic!("{which:?}")
            };
            assert!([Window::page(1, 30), Window::page(2, 3)].contains(&window));
            let by = |sender: UserId, text: &str| {
                let mut message = message(text);
                message.sender.id = sender;
                message
            };
            let items = vec![by(ANA, "first"), by(BEN, "second"), by(third, "third"), files_alone()];
            Ok(Some(Counted { items, total: 7 }))
        });
        world
    };
    let gone = json!({"id": 0x99, "name": null, "email": null});
    let said = |text: &str, sender: &Value, receiver: &Value| {
        json!({
            "ID": MESSAGE.to_string(), "SenderID": sender["id"], "ReceiverID": receiver["id"], "Content": text,
            "Timestamp": NOW_TEXT, "Sender": sender, "Receiver": receiver,
        })
    };
    for (api, base) in both(world) {
        let with = async |query: &str| get(&api, &format!("{base}/api/conversations?partner_id={query}")).await;
        for (query, pages, number, size) in [("11", 1, 1, 30), ("11&page=2&page_size=3", 3, 2, 3)] {
            let expected = json!({
                "users": [shown(), ben()],
                "conversations": [
                    said("first", &shown(), &ben()),
                    said("second", &ben(), &shown()),
                    said("third", &gone, &shown()),
                    said("", &shown(), &ben()),
                ],
                "total_pages": pages, "current_page": number, "page_size": size,
            });
            assert_eq!(with(query).await.json(200), expected);
        }
        // With oneself there is no chat.
        let expected = json!({
            "users": [shown(), shown()], "conversations": [], "total_pages": 0, "current_page": 1, "page_size": 30,
        });
        assert_eq!(with("10").await.json(200), expected);
        for unknown in ["12", "0", "-1"] {
            is_message(&fails(&with(unknown).await, 404));
        }
        for wrong in ["x", "1.5", "99999999999999999999"] {
            is_message(&fails(&with(wrong).await, 400));
        }
    }
}
