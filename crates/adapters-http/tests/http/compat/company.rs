//! `company`, in both places where it is served.

use super::fails;
use crate::files::{taking, with_form};
use crate::world::{
    ANA, Answer, Api, BEN, CALLER, CHAT, KEY, MESSAGE, NOW, NOW_TEXT, TOKEN, World, direct, group, message, send, user,
};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use std::time::Duration;
use tertulia_application::ports::AccessToken;
use tertulia_domain::repository::{
    Appended, CreatedChat, Credentials, InsertChatError, InsertUserError, ListOverviews, OverviewOrder,
    RepositoryError, VisibleMessages,
};
use tertulia_domain::{
    ChatOverview, ChatView, Counted, DisplayName, EventSeq, LoginName, Message, MessageContent, PasswordHash, Profile,
    ProfileValue, Recorded, Role, User, UserId, Window,
};

/// The server both ways, with what stands before the paths.
fn both(world: impl Fn() -> World) -> [(Api, &'static str); 2] {
    [
        (world().start(), "/compat/company"),
        (world().start_mounted("company"), ""),
    ]
}

/// A request by Ana.
fn ana(api: &Api, base: &str, method: Method, path: &str) -> RequestBuilder {
    api.anybody(method, &format!("{base}{path}")).bearer_auth(TOKEN)
}

async fn get(api: &Api, base: &str, path: &str) -> Answer {
    send(ana(api, base, Method::GET, path)).await
}

async fn post(api: &Api, base: &str, path: &str, body: Value) -> Answer {
    send(ana(api, base, Method::POST, path).json(&body)).await
}

/// John, as somebody registered him.
fn john() -> User {
    let facts = [("name", "John"), ("subname", "Doe"), ("job", "CEO")];
    let facts = facts.map(|(name, text)| (name.to_owned(), ProfileValue::Text(text.to_owned())));
    User {
        display_name: Some(DisplayName::new("John Doe").unwrap()),
        profile: Profile::new(facts).unwrap(),
        ..user(ANA, "john")
    }
}

fn shown_john() -> Value {
    json!({
        "id": 10, "name": "John", "subname": "Doe", "email": "john@example.org", "job": "CEO", "password": null,
    })
}

/// A failure that names fields, with the first of what is said of each.
#[track_caller]
fn refuses(answer: &Answer, fields: &[(&str, &str)]) {
    let body = fails(answer, 422);
    assert_eq!(body.as_object().unwrap().len(), 1, "{body}");
    let errors = body["errors"].as_object().unwrap();
    assert_eq!(errors.len(), fields.len(), "{body}");
    for (field, reason) in fields {
        let reasons = errors[*field].as_array().unwrap();
        assert!(!reasons.is_empty() && reasons.iter().all(Value::is_string), "{body}");
        assert!(reasons[0].as_str().unwrap().contains(reason), "{body}");
    }
}

/// A failure that has nothing but words.
#[track_caller]
fn is_detail(answer: &Answer, status: u16) -> String {
    let body = fails(answer, status);
    let detail = body["errors"]["detail"].as_str().unwrap().to_owned();
    assert_eq!(body, json!({"errors": {"detail": detail}}));
    assert!(!detail.is_empty());
    detail
}

fn access_token() -> AccessToken {
    AccessToken {
        token: "signed".into(),
        expires_at: NOW,
        expires_in: Duration::from_mins(15),
    }
}

#[actix_web::test]
async fn logging_in_and_out() {
    let world = || {
        let mut world = World::new();
        world.users.expect_find_credentials().returning(|login| {
            let john = || Credentials {
                user: john(),
                password: PasswordHash::from_phc("hash".into()),
            };
            Ok((*login == LoginName::Email("john@example.org".into())).then(john))
        });
        world
            .hasher
            .expect_verify()
            .returning(|password, hash| Ok(hash.is_some() && password.expose() == "johndoe"));
        world.sessions.expect_insert().returning(|_, _| Ok(true));
        world.sessions.expect_end().once().returning(|_, _| Ok(true));
        world
            .tokens
            .expect_issue_until()
            .returning(|_, _, _| Ok(access_token()));
        world
    };
    for (api, base) in both(world) {
        let log_in = async |body: Value| {
            let request = api.anybody(Method::POST, &format!("{base}/api/login/"));
            send(request.json(&body)).await
        };
        let answer = log_in(json!({"creds": {"email": "JOHN@example.org", "password": "johndoe"}})).await;
        let session = json!({"data": {"user": shown_john(), "token": "signed", "expire": 1_709_926_200}});
        assert_eq!(answer.json(200), session);
        assert_eq!(answer.header("authorization"), Some("Bearer signed"));
        for (email, password) in [
            ("john@example.org", "another"),
            ("john@example.org", ""),
            ("ben@example.org", "johndoe"),
            ("john", "johndoe"),
            ("", "johndoe"),
        ] {
            let answer = log_in(json!({"creds": {"email": email, "password": password}})).await;
            let body = fails(&answer, 401);
            assert_eq!(body, json!({"data": "No user with these credentials"}));
        }
        refuses(&log_in(json!({})).await, &[("creds", "can't be blank")]);
        refuses(&log_in(json!({"creds": null})).await, &[("creds", "can't be blank")]);
        for none in [json!("x"), json!(["john@example.org", "johndoe"]), json!(1)] {
            let answer = log_in(json!({"creds": none})).await;
            refuses(&answer, &[("creds", "must be an object")]);
        }
        refuses(
            &log_in(json!({"creds": {"email": 1}})).await,
            &[("email", "must be a string"), ("password", "can't be blank")],
        );
        let answer = send(ana(&api, base, Method::DELETE, "/api/logout")).await;
        assert_eq!(answer.json(200), json!({"data": "Success logout"}));
    }
}

#[actix_web::test]
async fn a_suspended_user_is_refused_like_any_other() {
    let world = || {
        let mut world = World::new();
        world.users.expect_find_credentials().returning(|_| {
            let user = User {
                suspended_at: Some(NOW),
                ..john()
            };
            let password = PasswordHash::from_phc("hash".into());
            Ok(Some(Credentials { user, password }))
        });
        world.hasher.expect_verify().returning(|_, _| Ok(true));
        world
    };
    for (api, base) in both(world) {
        let request = api.anybody(Method::POST, &format!("{base}/api/login"));
        let body = json!({"creds": {"email": "john@example.org", "password": "johndoe"}});
        let body = fails(&send(request.json(&body)).await, 401);
        assert_eq!(body, json!({"data": "No user with these credentials"}));
    }
}

#[actix_web::test]
async fn strangers_are_told_so() {
    for (api, base) in both(World::new) {
        for token in ["", "Bearer", "Bearer expired", "Bearer ended", "Bearer x", "Basic good"] {
            for (method, path) in [
                (Method::GET, "/api/users"),
                (Method::PUT, "/api/users/10"),
                (Method::POST, "/api/users/upload"),
                (Method::DELETE, "/api/logout"),
                (Method::POST, "/api/conversations"),
                (Method::GET, "/api/conversations"),
                (Method::GET, "/api/messages?conv=1"),
                (Method::POST, "/api/messages"),
            ] {
                let request = api.anybody(method, &format!("{base}{path}"));
                let answer = send(request.header("Authorization", token)).await;
                assert_eq!(fails(&answer, 401), json!({"message": "unauthenticated"}), "{path}");
            }
        }
    }
}

fn registering(password: &'static str) -> World {
    let mut world = World::new();
    world
        .hasher
        .expect_hash()
        .withf(move |given| given.expose() == password)
        .returning(|_| Ok(PasswordHash::from_phc("hash".into())));
    world.users.expect_insert().returning(|new| {
        if new.email.as_ref().unwrap().as_str() == "taken@mail.com" {
            return Err(InsertUserError::EmailTaken);
        }
        Ok(User {
            number: 2,
            username: new.username,
            email: new.email,
            display_name: new.display_name,
            profile: new.profile,
            ..john()
        })
    });
    world
}

#[actix_web::test]
async fn registering_with_and_without_a_password() {
    let new = || json!({"name": " John ", "subname": "Doe", "email": "john@mail.com", "job": "CEO"});
    let shown = |password: Value| {
        json!({
            "id": 2, "name": "John", "subname": "Doe", "email": "john@mail.com", "job": "CEO", "password": password,
        })
    };
    let register = async |api: &Api, base: &str, user: Value| {
        let request = api.anybody(Method::POST, &format!("{base}/api/users/"));
        send(request.json(&json!({"user": user}))).await
    };
    // What the mocked secrets look like.
    let generated = "BwcHBwcHBwcHBwcHBwcHBwcH";
    for (api, base) in both(|| registering("BwcHBwcHBwcHBwcHBwcHBwcH")) {
        for absent in [new(), with(new(), "password", json!(null))] {
            assert_eq!(register(&api, base, absent).await.json(201), shown(json!(generated)));
        }
    }
    for (api, base) in both(|| registering("johndoe")) {
        let own = with(new(), "password", json!("johndoe"));
        assert_eq!(register(&api, base, own.clone()).await.json(201), shown(json!(null)));
        let taken = register(&api, base, with(own, "email", json!("taken@mail.com"))).await;
        refuses(&taken, &[("email", "has already been taken")]);
        for (field, value, reason) in [
            ("name", json!(null), "can't be blank"),
            ("subname", json!(" \t "), "can't be blank"),
            ("job", json!(""), "can't be blank"),
            ("email", json!(""), "can't be blank"),
            ("email", json!("john"), "must be an e-mail address"),
            ("name", json!("x".repeat(101)), "at most 100"),
            ("job", json!("é".repeat(101)), "at most 100"),
            ("email", json!(format!("{}@mail.com", "x".repeat(100))), "at most 100"),
            ("name", json!("a\u{202e}b"), "control characters"),
            ("job", json!(1), "must be a string"),
            ("password", json!("short"), "must have 6 to 128"),
            ("password", json!("x".repeat(129)), "must have 6 to 128"),
            ("password", json!(1), "must be a string"),
        ] {
            let refused = register(&api, base, with(new(), field, value)).await;
            refuses(&refused, &[(field, reason)]);
        }
        let blank = "can't be blank";
        refuses(
            &register(&api, base, json!({})).await,
            &[("name", blank), ("subname", blank), ("email", blank), ("job", blank)],
        );
        refuses(&register(&api, base, json!([])).await, &[("user", "must be an object")]);
        let longest = json!("é".repeat(100));
        let long = with(with(new(), "name", longest.clone()), "subname", longest.clone());
        let long = register(&api, base, with(long, "password", json!("johndoe"))).await;
        assert_eq!(long.json(201)["subname"], longest);
    }
}

fn with(mut body: Value, field: &str, value: Value) -> Value {
    body[field] = value;
    body
}

#[actix_web::test]
async fn bodies_that_are_none() {
    for (api, base) in both(World::new) {
        for path in ["/api/users", "/api/login", "/api/conversations", "/api/messages"] {
            let request = || ana(&api, base, Method::POST, path);
            let json = || request().header("Content-Type", "application/json");
            for bad in [
                request(),
                request().body("a=b"),
                request().header("Content-Type", "text/plain").body("{}"),
                json().body("{"),
                json().body("[]"),
                json().body(vec![0xff]),
                json().body(vec![b' '; 300_000]),
            ] {
                refuses(&send(bad).await, &[("body", "")]);
            }
        }
        refuses(&get(&api, base, "/api/users?page=1&page=2").await, &[("body", "query")]);
    }
}

#[actix_web::test]
async fn listing_everybody() {
    let world = || {
        let mut world = World::new();
        world.users.expect_list_counted().returning(|window| {
            let many = window == Window::page(1, 1000);
            assert!(many || window == Window::page(2, 1) || window == Window::page(3, 1));
            // Somebody with no facts that this contract made.
            let ben = User {
                email: None,
                profile: Profile::default(),
                ..user(BEN, "ben")
            };
            Ok(Counted {
                items: vec![john(), ben],
                total: if many { 1000 } else { 3 },
            })
        });
        world
    };
    let everybody = json!([
        shown_john(),
        {"id": 11, "name": "BEN", "subname": "", "email": null, "job": "", "password": null},
    ]);
    for (api, base) in both(world) {
        for path in [
            "/api/users",
            "/api/users/",
            "/api/users?page=0&limit=x",
            "/api/users?page=-1&limit=0",
            "/api/users?limit=5000",
        ] {
            let answer = get(&api, base, path).await;
            assert_eq!(answer.json(200), everybody);
            assert_eq!(answer.header("link"), None);
        }
        let answer = get(&api, base, "/api/users?page=2&limit=1").await;
        let link = format!("<{base}/api/users?page=3&limit=1>; rel=\"next\"");
        assert_eq!(answer.header("link"), Some(link.as_str()));
        let last = get(&api, base, "/api/users?page=3&limit=1").await;
        assert_eq!((last.status, last.header("link")), (200, None));
    }
}

#[actix_web::test]
async fn changing_ones_password() {
    let world = || {
        let mut world = World::new();
        world.users.expect_find_by_number().returning(|number| {
            Ok(match number {
                10 => Some(john()),
                11 => Some(user(BEN, "ben")),
                _ => None,
            })
        });
        world
            .hasher
            .expect_hash()
            .withf(|password| password.expose() == "john\"doe")
            .returning(|_| Ok(PasswordHash::from_phc("hash".into())));
        world
            .users
            .expect_set_password()
            .withf(|id, _, keep, _| *id == ANA && *keep == Some(CALLER.session_id))
            .once()
            .returning(|_, _, _, _| Ok(true));
        world
    };
    for (api, base) in both(world) {
        let change = async |id: &str, body: Value| {
            let request = ana(&api, base, Method::PUT, &format!("/api/users/{id}"));
            send(request.json(&body)).await
        };
        let password = || json!({"password": "john\"doe"});
        assert_eq!(change("10/", password()).await.json(200), "john\"doe");
        is_detail(&change("11", password()).await, 403);
        refuses(&change("12", password()).await, &[("id", "does not exist")]);
        for id in ["x", "0", "-1", "1.5", "99999999999999999999", "%00"] {
            refuses(&change(id, password()).await, &[("id", "does not exist")]);
        }
        refuses(
            &change("10", json!({"password": "short"})).await,
            &[("password", "must have 6 to 128")],
        );
        refuses(&change("10", json!({})).await, &[("password", "can't be blank")]);
    }
    let api = World::new().with_key("read write manage").start();
    let request = api.anybody(Method::PUT, "/compat/company/api/users/10");
    is_detail(&send(request.bearer_auth(KEY).json(&json!({}))).await, 403);
}

#[actix_web::test]
async fn uploading_a_picture() {
    for alone in [false, true] {
        let (mut world, log) = taking();
        world.users.expect_set_avatar().returning(|id, avatar, _| {
            assert!(avatar.is_some());
            Ok(Some(user(id, "ana")))
        });
        let (api, base) = if alone {
            (world.start_mounted("company"), "")
        } else {
            (world.start(), "/compat/company")
        };
        let upload =
            async |parts: &[_]| send(with_form(ana(&api, base, Method::POST, "/api/users/upload"), parts)).await;
        let answer = upload(&[("name=\"image\"; filename=\"../a b.png\"", b"PNG4" as &[u8])]).await;
        let body = answer.json(200);
        let key = log.lock().unwrap().stored[0].public_key.clone().unwrap();
        let url = format!("/uploads/{}/a%20b.png", key.as_str());
        assert_eq!(body, json!({"image": {"file_name": "a b.png", "url": url}}));
        for (parts, reason) in [
            (&[("name=\"image\"; filename=\"a.txt\"", b"text" as &[u8])][..], "PNG"),
            (&[("name=\"image\"; filename=\"a.png\"", b"")], "empty"),
            (&[("name=\"image\"; filename=\"a.png\"", b"PNG900")], "pixels"),
            (&[("name=\"file\"; filename=\"a.png\"", b"PNG4")], "can't be blank"),
            (&[("name=\"image\"", b"PNG4"), ("name=\"image\"", b"PNG4")], "only one"),
        ] {
            refuses(&upload(parts).await, &[("image", reason)]);
        }
        let large = [b'x'; 2000];
        refuses(&upload(&[("name=\"image\"", &large)]).await, &[("body", "1000 bytes")]);
        let wrong = ana(&api, base, Method::POST, "/api/users/upload").json(&json!({}));
        refuses(&send(wrong).await, &[("body", "multipart")]);
        let torn = ana(&api, base, Method::POST, "/api/users/upload");
        let torn = torn.header("Content-Type", "multipart/form-data; boundary=x");
        refuses(&send(torn.body("--y")).await, &[("body", "")]);
    }
}

#[actix_web::test]
async fn pictures_that_are_none() {
    let world = || {
        let mut world = World::new();
        world.files.expect_find_public().returning(|_| Ok(None));
        world
    };
    for (api, base) in both(world) {
        for key in ["x", "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc"] {
            let path = format!("{base}/uploads/{key}/a.png");
            is_detail(&send(api.anybody(Method::GET, &path)).await, 404);
        }
    }
}

fn created(created: bool, blocked: bool) -> CreatedChat {
    let view = ChatView { blocked, ..direct() };
    CreatedChat { view, created }
}

#[actix_web::test]
async fn beginning_conversations() {
    let world = || {
        let mut world = World::new();
        world.users.expect_find_by_number().returning(|number| {
            let found = (10..=14).contains(&number);
            let id = UserId::from_uuid(uuid::Uuid::from_u128(u128::try_from(number).unwrap_or(0)));
            Ok(found.then(|| user(id, "somebody")))
        });
        world.chats.expect_insert_direct().returning(|chat, recording| {
            assert!(recording.is_none() && chat.creator == ANA);
            match chat.other.as_uuid().as_u128() {
                11 => Ok(Recorded::Fresh(created(true, false))),
                12 => Ok(Recorded::Fresh(created(false, true))),
                13 => Err(InsertChatError::Blocked),
                _ => Err(InsertChatError::UserNotFound(chat.other)),
            }
        });
        world
    };
    for (api, base) in both(world) {
        let begin = async |body: Value| post(&api, base, "/api/conversations/", body).await;
        for field in ["recipient", "recipient_id"] {
            let shown = json!({"status": null, "id": 12});
            assert_eq!(begin(json!({field: 11})).await.json(201), shown);
            let shown = json!({"status": "blocked", "id": 12});
            assert_eq!(begin(json!({field: 12})).await.json(200), shown);
        }
        is_detail(&begin(json!({"recipient": 13})).await, 403);
        // The one of that number goes at the last moment; one that never was; oneself; and what is no number.
        for (recipient, reason) in [
            (json!(14), "does not exist"),
            (json!(15), "does not exist"),
            (json!(0), "does not exist"),
            (json!(-1), "does not exist"),
            (json!(i64::MAX), "does not exist"),
            (json!(10), "another user"),
            (json!(u64::MAX), "whole number"),
            (json!(1.5), "whole number"),
            (json!("11"), "whole number"),
            (json!([11]), "whole number"),
            (json!(null), "can't be blank"),
        ] {
            refuses(&begin(json!({"recipient": recipient})).await, &[("recipient", reason)]);
        }
        refuses(&begin(json!({})).await, &[("recipient", "can't be blank")]);
    }
}

fn overview(blocked: bool) -> ChatOverview {
    let view = direct();
    ChatOverview {
        chat: view.chat,
        blocked,
        last_message: None,
        note: None,
        membership: view.membership,
        members: Vec::new(),
    }
}

#[actix_web::test]
async fn listing_conversations() {
    let world = || {
        let mut world = World::new();
        world.overviews.expect_list().returning(|list| {
            let whole = ListOverviews {
                viewer: ANA,
                everybodys: false,
                with: None,
                direct: true,
                members: false,
                order: OverviewOrder::Activity,
                window: Window::page(1, 1000),
            };
            let page = ListOverviews {
                window: Window::page(1, 2),
                ..whole
            };
            assert!(list == whole || list == page);
            Ok(Counted {
                items: vec![overview(false), overview(true)],
                total: 3,
            })
        });
        // What an admin may see of others is not theirs.
        let role = Role::Admin;
        world.with_caller(tertulia_domain::Caller { role, ..CALLER })
    };
    let shown = json!([{"status": null, "id": 12}, {"status": "blocked", "id": 12}]);
    for (api, base) in both(world) {
        let whole = get(&api, base, "/api/conversations").await;
        assert_eq!((whole.json(200), whole.header("link")), (shown.clone(), None));
        let page = get(&api, base, "/api/conversations/?limit=2").await;
        let link = format!("<{base}/api/conversations?page=2&limit=2>; rel=\"next\"");
        assert_eq!((page.json(200), page.header("link")), (shown.clone(), Some(&*link)));
    }
}

/// A direct chat, number 12; a group, 13; a chat of others, 14.
fn chats() -> World {
    let mut world = World::new();
    let id = |number: u128| tertulia_domain::ChatId::from_uuid(uuid::Uuid::from_u128(number));
    world.chats.expect_find_by_number().returning(move |number| {
        Ok(match number {
            12 => Some(CHAT),
            13 => Some(id(13)),
            14 => Some(id(14)),
            _ => None,
        })
    });
    world.chats.expect_find().returning(move |chat, viewer| {
        assert_eq!(viewer, ANA);
        Ok(Some(if chat == CHAT {
            direct()
        } else if chat == id(13) {
            group()
        } else {
            ChatView {
                membership: None,
                ..direct()
            }
        }))
    });
    world
}

fn shown_message(content: &str, sender: i64) -> Value {
    json!({
        "id": MESSAGE.to_string(), "content": content, "date": NOW_TEXT, "conversation_id": 12, "sender_id": sender,
    })
}

#[actix_web::test]
async fn listing_messages() {
    let third = UserId::from_uuid(uuid::Uuid::from_u128(0x99));
    let world = move || {
        let mut world = chats();
        world.overviews.expect_list_messages().returning(move |chat, which| {
            assert_eq!(chat, CHAT);
            let by = |sender: UserId, text: &str| {
                let mut message = message(text);
                message.sender.id = sender;
                message
            };
            let files = Message {
                content: MessageContent::Present {
                    body: None,
                    attachments: Vec::new(),
                },
                ..message("x")
            };
            let items = vec![by(ANA, "newest"), by(BEN, "middle"), by(third, "older"), files];
            match which {
                VisibleMessages::Newest(window) if window == Window::page(1, 1000) => {
                    Ok(Some(Counted { items, total: 4 }))
                }
                VisibleMessages::Newest(window) if window == Window::page(2, 1) => Ok(Some(Counted {
                    items: items[1..2].to_vec(),
                    total: 4,
                })),
                other => panic!("{other:?}"),
            }
        });
        // Somebody who was there when it was a group, and whose account is gone.
        world.users.expect_find().returning(move |id| {
            assert_eq!(id, third);
            Ok(Some(User {
                deleted_at: Some(NOW),
                ..user(id, "third")
            }))
        });
        world
    };
    for (api, base) in both(world) {
        for path in [
            "/api/messages?conv=12",
            "/api/messages/?conv_id=12",
            "/api/messages?conv=12&page=x&limit=-5",
        ] {
            let answer = get(&api, base, path).await;
            let expected = json!([
                shown_message("", 10),
                shown_message("older", 0x99),
                shown_message("middle", 11),
                shown_message("newest", 10),
            ]);
            assert_eq!((answer.json(200), answer.header("link")), (expected, None));
        }
        let page = get(&api, base, "/api/messages?conv=12&page=2&limit=1").await;
        assert_eq!(page.json(200), json!([shown_message("middle", 11)]));
        let link = format!("<{base}/api/messages?conv=12&page=3&limit=1>; rel=\"next\"");
        assert_eq!(page.header("link"), Some(&*link));
        // Unknown, a group, somebody else's.
        for number in ["1", "0", "-3", "13", "14"] {
            let answer = get(&api, base, &format!("/api/messages?conv={number}")).await;
            assert_eq!((answer.json(200), answer.header("link")), (json!([]), None));
        }
        for number in ["x", "", "1.5", "id", "99999999999999999999"] {
            let answer = get(&api, base, &format!("/api/messages?conv={number}")).await;
            refuses(&answer, &[("conv", "whole number")]);
        }
        refuses(&get(&api, base, "/api/messages").await, &[("conv", "can't be blank")]);
    }
}

#[actix_web::test]
async fn sending_messages() {
    let world = || {
        let mut world = chats();
        world.messages.expect_append().returning(|new| {
            assert_eq!((new.chat_id, new.session), (CHAT, crate::world::CLAIMED));
            let text = new.draft.body().unwrap().as_str();
            match text {
                "blocked" => Err(tertulia_domain::repository::AppendError::Blocked),
                "gone" => Err(tertulia_domain::repository::AppendError::ChatNotFound),
                "ended" => Err(tertulia_domain::repository::AppendError::SessionEnded),
                _ => Ok(Appended {
                    event: EventSeq::default(),
                    message: message(text),
                    replayed: false,
                }),
            }
        });
        world
    };
    for (api, base) in both(world) {
        let say = async |body: Value| post(&api, base, "/api/messages/", body).await;
        for field in ["conv", "conv_id"] {
            let answer = say(json!({field: 12, "content": "hi\n"})).await;
            assert_eq!(answer.json(201), shown_message("hi", 10));
        }
        let ended = say(json!({"conv": 12, "content": "ended"})).await;
        assert_eq!(fails(&ended, 401), json!({"message": "unauthenticated"}));
        is_detail(&say(json!({"conv": 12, "content": "blocked"})).await, 403);
        let gone = say(json!({"conv": 12, "content": "gone"})).await;
        refuses(&gone, &[("conv", "does not exist")]);
        for number in [1, -1, 13, 14] {
            let answer = say(json!({"conv": number, "content": "hi"})).await;
            refuses(&answer, &[("conv", "does not exist")]);
        }
        for (content, reason) in [
            (json!(null), "can't be blank"),
            (json!(" \n"), "must not be empty"),
            (json!("x".repeat(8001)), "at most 8000"),
            (json!("a\u{0}b"), "control characters"),
            (json!(5), "must be a string"),
        ] {
            let answer = say(json!({"conv": 12, "content": content})).await;
            refuses(&answer, &[("content", reason)]);
        }
        let nothing = say(json!({"conv": "12"})).await;
        refuses(&nothing, &[("conv", "whole number"), ("content", "can't be blank")]);
    }
}

#[actix_web::test]
async fn wrong_methods_and_unknown_paths() {
    for (api, base) in both(World::new) {
        for (method, path, allow) in [
            (Method::DELETE, "/api/users", "POST, GET, HEAD"),
            (Method::GET, "/api/users/10", "PUT"),
            (Method::GET, "/api/users/upload", "POST"),
            (Method::GET, "/api/login/", "POST"),
            (Method::POST, "/api/logout", "DELETE"),
            (Method::PUT, "/api/messages", "POST, GET, HEAD"),
        ] {
            let answer = send(ana(&api, base, method, path)).await;
            is_detail(&answer, 405);
            assert_eq!(answer.header("allow"), Some(allow));
        }
        for path in ["/api", "/api/user", "/api/users/1/2", "/api/conversations/1"] {
            is_detail(&get(&api, base, path).await, 404);
        }
    }
}

#[actix_web::test]
async fn only_registering_counts_as_trying_credentials() {
    let mut world = World::new();
    world.options.rate_limits.auth =
        tertulia_adapters_http::Rate::new(std::num::NonZeroU32::MIN, Duration::from_hours(1));
    world.users.expect_list_counted().returning(|_| {
        Ok(Counted {
            items: Vec::new(),
            total: 0,
        })
    });
    let api = world.start();
    let base = "/compat/company";
    refuses(&post(&api, base, "/api/users", json!({})).await, &[("user", "")]);
    for _ in 0..3 {
        get(&api, base, "/api/users").await.json(200);
    }
    for path in ["/api/users", "/api/login"] {
        let refused = post(&api, base, path, json!({})).await;
        is_detail(&refused, 429);
        assert!(refused.header("retry-after").is_some());
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
        world
            .users
            .expect_list_counted()
            .returning(move |_| Err(answers.pop().unwrap_or_else(|| panic!("a bug"))));
        world
    };
    for (api, base) in both(world) {
        for (status, retry_after) in [(503, Some("1")), (503, Some("5")), (500, None), (500, None)] {
            let answer = get(&api, base, "/api/users").await;
            let detail = is_detail(&answer, status);
            assert!(!detail.contains("disk") && !detail.contains("10.0.0.7") && !detail.contains("bug"));
            assert_eq!(answer.header("retry-after"), retry_after);
        }
    }
}
