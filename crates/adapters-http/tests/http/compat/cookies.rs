//! `cookies`, in both places where it is served.

use super::fails;
use crate::world::{
    ANA, Answer, Api, BEN, CALLER, CHAT, CLAIMED, KEY, MESSAGE, NOW, NOW_TEXT, TOKEN, World, direct, group, member,
    message, send, user,
};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tertulia_adapters_http::Rate;
use tertulia_application::ports::AccessToken;
use tertulia_domain::repository::{
    AddMemberError, Appended, CreatedChat, Credentials, Erased, InsertUserError, MessageContext, OverviewOrder,
    Removal, RepositoryError, UpdateUserError, VisibleMessages,
};
use tertulia_domain::{
    Caller, ChatOverview, ChatView, Counted, EventSeq, LoginName, MemberRole, Message, MessageContent, OverviewMember,
    PasswordHash, Recorded, Role, User, Window,
};

const FORM: &str = "application/x-www-form-urlencoded";

/// The server both ways, with what stands before the paths.
fn both(world: impl Fn() -> World) -> [(Api, &'static str); 2] {
    [
        (world().start(), "/compat/cookies"),
        (world().start_mounted("cookies"), ""),
    ]
}

/// The shape of every failure: the text is for people.
#[track_caller]
fn is_error(answer: &Answer, status: u16) -> String {
    let body = fails(answer, status);
    assert_eq!(body.as_object().map(serde_json::Map::len), Some(1), "{body}");
    let error = body["error"].as_str().unwrap();
    assert!(!error.is_empty());
    error.to_owned()
}

#[track_caller]
fn is_ok(answer: &Answer, status: u16) {
    assert_eq!(answer.json(status), json!({"status": "ok"}));
    assert_eq!(answer.header("content-type"), Some("application/json"));
}

fn ana(request: RequestBuilder) -> RequestBuilder {
    request.header("Cookie", format!("user_id={ANA}; token={TOKEN}"))
}

fn form(request: RequestBuilder, body: impl Into<String>) -> RequestBuilder {
    request.header("Content-Type", FORM).body(body.into())
}

/// A request of Ana's with a form, empty for none.
async fn ask(api: &Api, method: Method, path: &str, body: &str) -> Answer {
    let request = ana(api.anybody(method, path));
    send(if body.is_empty() { request } else { form(request, body) }).await
}

fn cookies(answer: &Answer) -> Vec<&str> {
    let cookies = answer.headers.get_all("set-cookie").iter();
    cookies.map(|cookie| cookie.to_str().unwrap()).collect()
}

fn given(base: &str) -> [String; 2] {
    let path = if base.is_empty() { "/" } else { base };
    [
        format!("user_id={ANA}; Path={path}; SameSite=Lax"),
        format!("token=signed; Path={path}; HttpOnly; SameSite=Lax"),
    ]
}

fn taken_away(base: &str) -> [String; 2] {
    let path = if base.is_empty() { "/" } else { base };
    let past = format!("Path={path}; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0");
    [
        format!("user_id=; {past}; SameSite=Lax"),
        format!("token=; {past}; HttpOnly; SameSite=Lax"),
    ]
}

/// Sessions can be opened.
fn opening() -> World {
    let mut world = World::new();
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
    let world = || {
        let mut world = opening();
        world.users.expect_find_credentials().returning(|login| {
            let ana = *login == LoginName::Username("ana".into());
            let credentials = || Credentials {
                user: user(ANA, "ana"),
                password: PasswordHash::from_phc("hash".into()),
            };
            Ok(ana.then(credentials))
        });
        world
            .hasher
            .expect_verify()
            .returning(|password, hash| Ok(hash.is_some() && password.expose() == "s & ñ\n"));
        world
    };
    for (api, base) in both(world) {
        let log_in = async |body: &str| {
            let request = api.anybody(Method::POST, &format!("{base}/api/login"));
            send(form(request, body)).await
        };
        let right = "password=s+%26+%C3%B1%0D%0A";
        for name in ["ana", "ANA", "+ana+"] {
            let answer = log_in(&format!("name={name}&{right}")).await;
            is_ok(&answer, 200);
            assert_eq!(answer.header("location"), Some(&*format!("{base}/api/chats")));
            assert_eq!(cookies(&answer), given(base));
        }
        for wrong in [
            "name=ana&password=another",
            "name=ana&password=",
            "name=ben&password=secret",
            "name=&password=secret",
            "name=a+b&password=secret",
            // Somebody's, but no username.
            &format!("name=ana@example.org&{right}"),
        ] {
            let answer = log_in(wrong).await;
            assert_eq!(is_error(&answer, 400), "wrong name or password", "{wrong}");
            assert!(cookies(&answer).is_empty());
        }
        let missing = log_in("x=y").await;
        assert_eq!(is_error(&missing, 400), "name must be given; password must be given");
    }
}

#[actix_web::test]
async fn a_suspended_account_stays_outside() {
    let mut world = World::new();
    world.users.expect_find_credentials().returning(|_| {
        Ok(Some(Credentials {
            user: User {
                suspended_at: Some(NOW),
                ..user(ANA, "ana")
            },
            password: PasswordHash::from_phc("hash".into()),
        }))
    });
    world.hasher.expect_verify().returning(|_, _| Ok(true));
    let api = world.start();
    let request = api.anybody(Method::POST, "/compat/cookies/api/login");
    is_error(&send(form(request, "name=ana&password=secret")).await, 403);
}

#[actix_web::test]
async fn bodies_that_are_no_forms() {
    for (api, base) in both(World::new) {
        for (method, path) in [
            (Method::POST, "/api/login".to_owned()),
            (Method::POST, "/api/user".to_owned()),
            (Method::POST, "/api/user/1".to_owned()),
            (Method::PUT, format!("/api/user/{ANA}")),
            (Method::POST, "/api/chats".to_owned()),
            (Method::POST, format!("/api/chats/{CHAT}")),
            (Method::PUT, format!("/api/chats/{CHAT}")),
            (Method::POST, format!("/api/chats/{CHAT}/members")),
        ] {
            let request = || ana(api.anybody(method.clone(), &format!("{base}{path}")));
            let json = send(request().json(&json!({"name": "ana", "title": "x", "content": "x"}))).await;
            assert!(is_error(&json, 400).contains(FORM), "{path}");
            for bad in [
                request(),
                request().body("name=ana"),
                request().header("Content-Type", "multipart/form-data").body("name=ana"),
                form(request(), ""),
                form(request(), "name=%ff&title=%ff&content=%ff"),
                form(request(), "x".repeat(300_000)),
            ] {
                is_error(&send(bad).await, 400);
            }
        }
    }
}

#[actix_web::test]
async fn a_session_is_two_cookies_or_a_bearer() {
    let world = || {
        let mut world = World::new();
        world.users.expect_find().returning(|id| Ok(Some(user(id, "ana"))));
        world
    };
    for (api, base) in both(world) {
        let request = || api.anybody(Method::GET, &format!("{base}/api/user/{ANA}/"));
        let shown = json!({"user": {"name": "ana", "email": "ana@example.org"}});
        for cookies in [
            format!("user_id={ANA}; token={TOKEN}"),
            format!("access_token={TOKEN}; user_id={ANA}"),
            format!("x=y; token=; access_token=\"{TOKEN}\";user_id={ANA}"),
        ] {
            let answer = send(request().header("Cookie", cookies.clone())).await;
            assert_eq!(answer.json(200), shown, "{cookies}");
        }
        assert_eq!(send(request().bearer_auth(TOKEN)).await.json(200), shown);
        let proxied = ana(request()).header("Authorization", "Basic eDp5");
        assert_eq!(send(proxied).await.json(200), shown);
        for bad in [
            String::new(),
            format!("user_id={ANA}"),
            format!("token={TOKEN}"),
            format!("user_id={BEN}; token={TOKEN}"),
            format!("user_id=1; token={TOKEN}"),
            format!("user_id= ; token={TOKEN}"),
            format!("user_id={ANA}; token=nonsense"),
            format!("user_id={ANA}; token=expired"),
            format!("user_id={BEN}; token=ended"),
        ] {
            is_error(&send(request().header("Cookie", bad)).await, 403);
        }
        // The bearer counts.
        is_error(&send(ana(request()).bearer_auth("nonsense")).await, 403);
    }
}

#[actix_web::test]
async fn logging_out_ends_the_session() {
    let world = || {
        let mut world = World::new();
        world
            .sessions
            .expect_end()
            .once()
            .withf(|user, session| *user == ANA && *session == CLAIMED.session_id)
            .returning(|_, _| Ok(true));
        world
    };
    for (api, base) in both(world) {
        let answer = ask(&api, Method::GET, &format!("{base}/api/logout"), "").await;
        is_ok(&answer, 200);
        assert_eq!(answer.header("location"), Some(&*format!("{base}/api/login")));
        assert_eq!(cookies(&answer), taken_away(base));
    }
}

#[actix_web::test]
async fn no_api_key_ends_a_session() {
    let api = World::new().with_key("read write manage").start();
    let request = api.anybody(Method::GET, "/compat/cookies/api/logout");
    is_error(&send(request.bearer_auth(KEY)).await, 403);
}

#[actix_web::test]
async fn what_changes_something_comes_from_no_other_site() {
    let world = || {
        let mut world = World::new();
        world.options.allowed_origins = vec!["https://friend.example".to_owned()];
        world.options.public_url = Some("https://chat.example.org".to_owned());
        world
    };
    for (api, base) in both(world) {
        let changes = [
            (Method::POST, "/api/login".to_owned()),
            (Method::GET, "/api/logout".to_owned()),
            (Method::POST, "/api/chats".to_owned()),
            (Method::DELETE, format!("/api/chats?chat_id={CHAT}")),
            (Method::POST, format!("/api/chats/{CHAT}")),
            (Method::PUT, format!("/api/chats/{CHAT}")),
            (Method::DELETE, format!("/api/chats/{CHAT}?id={MESSAGE}")),
            (Method::POST, format!("/api/chats/{CHAT}/members")),
            (Method::POST, "/api/user".to_owned()),
            (Method::POST, "/api/user/x".to_owned()),
            (Method::PUT, format!("/api/user/{ANA}")),
            (Method::DELETE, format!("/api/user/{ANA}")),
        ];
        for (method, path) in changes {
            for (name, value) in [
                ("Origin", "https://evil.example"),
                ("Origin", "null"),
                ("Sec-Fetch-Site", "cross-site"),
                ("Sec-Fetch-Site", "same-site"),
            ] {
                let request = ana(api.anybody(method.clone(), &format!("{base}{path}")));
                let answer = send(request.header(name, value)).await;
                assert!(is_error(&answer, 403).contains("another site"), "{method} {path}");
                assert!(cookies(&answer).is_empty());
            }
        }
        // From these it is only the body that is missing.
        for origin in [api.base.as_str(), "https://friend.example", "https://chat.example.org"] {
            let request = ana(api.anybody(Method::POST, &format!("{base}/api/chats")));
            let request = request.header("Origin", origin).header("Sec-Fetch-Site", "same-origin");
            is_error(&send(request).await, 400);
        }
    }
}

#[actix_web::test]
async fn cookies_are_for_tls_alone_where_there_is_tls() {
    let mut world = World::new();
    world.sessions.expect_end().returning(|_, _| Ok(true));
    world.https = true;
    let answer = ask(&world.start(), Method::GET, "/compat/cookies/api/logout", "").await;
    let cookies = cookies(&answer);
    assert_eq!(cookies.len(), 2);
    assert!(cookies.iter().all(|cookie| cookie.ends_with("; Secure")), "{cookies:?}");
}

fn overview(view: ChatView, last: Option<Message>) -> ChatOverview {
    let members = view
        .members
        .into_iter()
        .map(|member| OverviewMember { member, unread: 0 });
    ChatOverview {
        chat: view.chat,
        blocked: false,
        last_message: last,
        note: None,
        membership: view.membership,
        members: members.collect(),
    }
}

fn files_only() -> Message {
    Message {
        content: MessageContent::Present {
            body: None,
            attachments: Vec::new(),
        },
        ..message("hi")
    }
}

#[actix_web::test]
async fn chats_are_listed() {
    let world = || {
        let mut world = World::new();
        world.overviews.expect_list().once().returning(|list| {
            assert_eq!(
                (list.viewer, list.everybodys, list.direct, list.with),
                (ANA, false, false, None)
            );
            assert_eq!((list.order, list.window.skip()), (OverviewOrder::Activity, 0));
            let mut deleted = direct();
            deleted.members[1] = member(
                User {
                    username: None,
                    display_name: None,
                    ..user(BEN, "ben")
                },
                MemberRole::Member,
            );
            let items = vec![
                overview(group(), Some(message("hi"))),
                overview(group(), None),
                overview(direct(), Some(files_only())),
                overview(deleted, None),
            ];
            let items = items.into_iter().enumerate().map(|(number, mut overview)| {
                overview.chat.id = tertulia_domain::ChatId::from_uuid(uuid(number));
                overview
            });
            Ok(Counted {
                items: items.collect(),
                total: 4,
            })
        });
        world
    };
    let said = |number: usize, text: Option<&str>, title: Option<&str>| {
        json!({
            "id": uuid(number).to_string(), "last_message": text, "last_message_time": text.map(|_| NOW_TEXT),
            "sender_id": text.map(|_| ANA.to_string()), "title": title,
        })
    };
    for (api, base) in both(world) {
        let answer = ask(&api, Method::GET, &format!("{base}/api/chats"), "").await;
        let expected = json!({"chats": [
            said(0, Some("hi"), Some("Poets")),
            said(1, None, Some("Poets")),
            said(2, Some(""), Some("ben")),
            said(3, None, None),
        ]});
        assert_eq!(answer.json(200), expected);
    }
}

fn uuid(number: usize) -> uuid::Uuid {
    uuid::Uuid::from_u128(number as u128)
}

#[actix_web::test]
async fn nobody_has_too_many_chats() {
    let mut world = World::new();
    world.overviews.expect_list().times(2).returning(|list| {
        // The second page begins with the last chat of the first one: another one became active in between.
        let first = usize::try_from(list.window.skip()).unwrap();
        let (from, to) = if first == 0 { (0, 1000) } else { (999, 1200) };
        let items = (from..to).map(|number| {
            let mut overview = overview(group(), None);
            overview.chat.id = tertulia_domain::ChatId::from_uuid(uuid(number));
            overview
        });
        Ok(Counted {
            items: items.collect(),
            total: 1200,
        })
    });
    let answer = ask(&world.start(), Method::GET, "/compat/cookies/api/chats", "").await;
    let chats = answer.json(200)["chats"].as_array().unwrap().clone();
    assert_eq!(chats.len(), 1200);
    assert_eq!(chats[1199]["id"], uuid(1199).to_string());
}

#[actix_web::test]
async fn chats_are_made_with_the_caller_alone() {
    let world = || {
        let mut world = World::new();
        world.chats.expect_insert_group().once().returning(|group, recording| {
            assert_eq!(
                (group.owner, group.members.len(), group.title.as_str()),
                (ANA, 0, "Café & co")
            );
            assert!(recording.is_none());
            Ok(Recorded::Fresh(CreatedChat {
                view: self::group(),
                created: true,
            }))
        });
        world
    };
    for (api, base) in both(world) {
        let path = format!("{base}/api/chats");
        let answer = ask(&api, Method::POST, &path, "title=Caf%C3%A9+%26+co").await;
        is_ok(&answer, 201);
        assert_eq!(answer.header("location"), Some(&*format!("{base}/api/chats/{CHAT}")));
        for bad in [
            "title=",
            "title=+",
            "x=y",
            "title=a%00b",
            &format!("title={}", "x".repeat(201)),
        ] {
            assert!(is_error(&ask(&api, Method::POST, &path, bad).await, 400).starts_with("title "));
        }
    }
}

/// Chats of which Ana is in the group, the direct one is what is asked for with its id 1, and others' has the id 2.
fn chats() -> World {
    let mut world = World::new();
    world.chats.expect_find().returning(|id, viewer| {
        assert_eq!(viewer, ANA);
        Ok(match id.as_uuid().as_u128() {
            0xC => Some(group()),
            1 => Some(direct()),
            2 => Some(ChatView {
                membership: None,
                ..group()
            }),
            _ => None,
        })
    });
    world
}

#[actix_web::test]
async fn leaving() {
    let world = || {
        let mut world = chats();
        world
            .chats
            .expect_remove_member()
            .once()
            .withf(|chat, user, _, _| *chat == CHAT && *user == ANA)
            .returning(|_, _, _, _| Ok(Some(Removal::ChatDeleted)));
        world
    };
    for (api, base) in both(world) {
        let leave = async |query: &str| ask(&api, Method::DELETE, &format!("{base}/api/chats{query}"), "").await;
        is_ok(&leave(&format!("?chat_id={CHAT}")).await, 200);
        let direct = is_error(&leave(&format!("?chat_id={}", uuid(1))).await, 400);
        assert_eq!(
            direct,
            "a direct chat can't be left: it always has the same two members"
        );
        is_error(&leave(&format!("?chat_id={}", uuid(2))).await, 403);
        is_error(&leave(&format!("?chat_id={}", uuid(3))).await, 404);
        assert_eq!(is_error(&leave("").await, 400), "chat_id must be given");
        assert_eq!(is_error(&leave("?chat_id=1").await, 400), "chat_id must be a UUID");
        is_error(&leave("?chat_id=1&chat_id=2").await, 400);
    }
}

#[actix_web::test]
async fn of_two_leaves_at_once_one_is_too_late() {
    let mut world = chats();
    let removal = |removal| move |_, _, _, _| Ok(Some(removal));
    world
        .chats
        .expect_remove_member()
        .returning(removal(Removal::NotAMember));
    let path = format!("/compat/cookies/api/chats?chat_id={CHAT}");
    is_error(&ask(&world.start(), Method::DELETE, &path, "").await, 403);
}

#[actix_web::test]
async fn renaming() {
    let world = || {
        let mut world = chats();
        world
            .chats
            .expect_rename()
            .once()
            .withf(|chat, title, _| *chat == CHAT && title.as_str() == "Bards")
            .returning(|_, _, _| Ok(true));
        world
    };
    for (api, base) in both(world) {
        let rename =
            async |chat: &str, body: &str| ask(&api, Method::PUT, &format!("{base}/api/chats/{chat}"), body).await;
        let chat = CHAT.to_string();
        is_ok(&rename(&chat, "title=Bards").await, 200);
        is_error(&rename(&chat, "title=").await, 400);
        is_error(&rename(&uuid(1).to_string(), "title=Bards").await, 400);
        is_error(&rename(&uuid(2).to_string(), "title=Bards").await, 403);
        is_error(&rename(&uuid(3).to_string(), "title=Bards").await, 404);
        is_error(&rename("1", "title=Bards").await, 404);
    }
}

#[actix_web::test]
async fn adding_members() {
    let world = || {
        let mut world = chats();
        world.users.expect_find_by_username().returning(|name| {
            let ben = || user(BEN, "ben");
            Ok((name.key() == "ben").then(ben))
        });
        let calls = Arc::new(AtomicU32::new(0));
        world.chats.expect_add_member().returning(move |new, recording| {
            assert_eq!((new.user_id, new.role), (BEN, MemberRole::Member));
            assert!(recording.is_none());
            match calls.fetch_add(1, Ordering::Relaxed) {
                0 => Ok(Recorded::Fresh(tertulia_domain::repository::AddMember {
                    member: member(user(BEN, "ben"), MemberRole::Member),
                    added: true,
                })),
                1 => Err(AddMemberError::Full),
                _ => Err(AddMemberError::UserNotFound),
            }
        });
        world
    };
    for (api, base) in both(world) {
        let add = async |chat: &str, body: &str| {
            let path = format!("{base}/api/chats/{chat}/members");
            ask(&api, Method::POST, &path, body).await
        };
        let chat = CHAT.to_string();
        is_ok(&add(&chat, "name=Ben").await, 201);
        is_error(&add(&chat, "name=ben").await, 400);
        for nobody in ["name=ben", "name=carl", "name=", "name=a+b"] {
            assert_eq!(is_error(&add(&chat, nobody).await, 404), "no such user");
        }
        assert_eq!(is_error(&add(&chat, "x=y").await, 400), "name must be given");
        is_error(&add(&uuid(1).to_string(), "name=ben").await, 400);
        for name in ["name=ben", "name=carl"] {
            is_error(&add(&uuid(2).to_string(), name).await, 403);
            assert_eq!(is_error(&add(&uuid(3).to_string(), name).await, 404), "no such chat");
        }
        is_error(&add("x", "name=ben").await, 404);
    }
}

#[actix_web::test]
async fn messages_are_listed() {
    let world = || {
        let mut world = chats();
        world.overviews.expect_list_messages().returning(|chat, which| {
            assert_eq!(chat, CHAT);
            let VisibleMessages::Newest(window) = which else {
                panic!("{which:?}")
            };
            let text = format!("{} {}", window.skip(), window.take());
            Ok(Some(Counted {
                items: vec![message(&text), message("older")],
                total: 2,
            }))
        });
        world
    };
    for (api, base) in both(world) {
        let list = async |rest: &str| ask(&api, Method::GET, &format!("{base}/api/chats/{rest}"), "").await;
        for (query, window) in [
            ("", Window::page(1, 100)),
            ("?page=3&limit=2", Window::page(3, 2)),
            ("?limit=500", Window::page(1, 500)),
            ("?limit=501", Window::page(1, 500)),
            ("?limit=99999999999", Window::page(1, 500)),
            ("?page=0&limit=0", Window::page(1, 100)),
            ("?page=-1&limit=-1", Window::page(1, 100)),
            ("?page=x&limit=", Window::page(1, 100)),
        ] {
            let shown = |content: &str| json!({"content": content, "id": MESSAGE.to_string(), "sender_id": ANA.to_string(), "time": NOW_TEXT});
            let newest = format!("{} {}", window.skip(), window.take());
            let answer = list(&format!("{CHAT}{query}")).await;
            assert_eq!(
                answer.json(200),
                json!({"messages": [shown("older"), shown(&newest)]}),
                "{query}"
            );
        }
        is_error(&list(&uuid(2).to_string()).await, 403);
        assert_eq!(is_error(&list(&uuid(3).to_string()).await, 404), "no such chat");
        is_error(&list("1").await, 404);
        is_error(&list(&format!("{CHAT}?page=1&page=2")).await, 400);
    }
}

#[actix_web::test]
async fn a_service_admin_reads_everywhere() {
    let mut world = chats().with_caller(Caller {
        role: Role::Admin,
        ..CALLER
    });
    let empty = || Counted {
        items: Vec::new(),
        total: 0,
    };
    world
        .overviews
        .expect_list_messages()
        .returning(move |_, _| Ok(Some(empty())));
    let api = world.start();
    let path = format!("/compat/cookies/api/chats/{}", uuid(2));
    assert_eq!(
        ask(&api, Method::GET, &path, "").await.json(200),
        json!({"messages": []})
    );
    // But is no member who could leave.
    let path = format!("/compat/cookies/api/chats?chat_id={}", uuid(2));
    is_error(&ask(&api, Method::DELETE, &path, "").await, 403);
}

#[actix_web::test]
async fn sending() {
    use tertulia_domain::repository::AppendError;
    let world = || {
        let mut world = chats();
        world.messages.expect_append().returning(|new| {
            assert_eq!((new.session, new.claim.is_none()), (CLAIMED, true));
            match new.chat_id.as_uuid().as_u128() {
                0xC => {
                    assert_eq!(new.draft.body().unwrap().as_str(), "¿a\nb?");
                    Ok(Appended {
                        event: EventSeq::default(),
                        message: message("¿a\nb?"),
                        replayed: false,
                    })
                }
                1 => Err(AppendError::Blocked),
                4 => Err(AppendError::SessionEnded),
                _ => Err(AppendError::ChatNotFound),
            }
        });
        world
    };
    for (api, base) in both(world) {
        let say =
            async |chat: &str, body: &str| ask(&api, Method::POST, &format!("{base}/api/chats/{chat}"), body).await;
        let chat = CHAT.to_string();
        let answer = say(&chat, "content=%C2%BFa%0D%0Ab?+").await;
        is_ok(&answer, 201);
        let location = format!("{base}/api/chats/{CHAT}?id={MESSAGE}");
        assert_eq!(answer.header("location"), Some(location.as_str()));
        for bad in [
            "content=",
            "content=+",
            "x=y",
            "content=%00",
            &format!("content={}", "x".repeat(8001)),
        ] {
            assert!(is_error(&say(&chat, bad).await, 400).starts_with("content "));
        }
        for (number, status) in [(1, 403), (2, 403), (3, 404), (4, 403)] {
            is_error(&say(&uuid(number).to_string(), "content=hi").await, status);
        }
        is_error(&say("1", "content=hi").await, 404);
    }
}

#[actix_web::test]
async fn only_own_messages_are_deleted() {
    let world = || {
        let mut world = chats();
        world.messages.expect_find().returning(|chat, id, _| {
            let mut message = message("hi");
            match id.as_uuid().as_u128() {
                0xE => {}
                1 => message.sender.id = BEN,
                2 => message.content = MessageContent::Deleted { at: NOW },
                _ => return Ok(None),
            }
            let member = chat == CHAT;
            Ok(Some(MessageContext {
                message,
                group: true,
                // Who could delete others' in the native API.
                viewer: member.then_some(MemberRole::Owner),
            }))
        });
        world
            .messages
            .expect_delete()
            .once()
            .withf(|chat, id, _| (*chat, *id) == (CHAT, MESSAGE))
            .returning(|_, _, _| Ok(true));
        world
    };
    for (api, base) in both(world) {
        let delete = async |chat: &str, query: &str| {
            ask(&api, Method::DELETE, &format!("{base}/api/chats/{chat}{query}"), "").await
        };
        let chat = CHAT.to_string();
        is_ok(&delete(&chat, &format!("?id={MESSAGE}")).await, 200);
        is_error(&delete(&chat, &format!("?id={}", uuid(1))).await, 403);
        for gone in [2, 3] {
            let answer = delete(&chat, &format!("?id={}", uuid(gone))).await;
            assert_eq!(is_error(&answer, 404), "no such message");
        }
        assert_eq!(is_error(&delete(&chat, "").await, 400), "id must be given");
        assert_eq!(is_error(&delete(&chat, "?id=x").await, 400), "id must be a UUID");
        is_error(&delete(&uuid(2).to_string(), &format!("?id={MESSAGE}")).await, 403);
        is_error(&delete(&uuid(3).to_string(), &format!("?id={MESSAGE}")).await, 404);
        is_error(&delete("x", &format!("?id={MESSAGE}")).await, 404);
    }
}

#[actix_web::test]
async fn users_are_shown() {
    let world = || {
        let mut world = World::new();
        world.users.expect_find_by_username().returning(|name| {
            let ben = || User {
                email: None,
                ..user(BEN, "Ben")
            };
            Ok((name.key() == "ben").then(ben))
        });
        world.users.expect_find().returning(|id| {
            Ok(match id.as_uuid().as_u128() {
                0xB => Some(User {
                    username: None,
                    ..user(BEN, "ben")
                }),
                1 => Some(User {
                    deleted_at: Some(NOW),
                    ..user(BEN, "ben")
                }),
                _ => None,
            })
        });
        world
    };
    for (api, base) in both(world) {
        let show = async |rest: &str| ask(&api, Method::GET, &format!("{base}/api/user{rest}"), "").await;
        for name in ["?name=ben", "?name=BEN", "/?name=+ben"] {
            assert_eq!(
                show(name).await.json(200),
                json!({"user": {"name": "Ben", "email": null}})
            );
        }
        let by_id = show(&format!("/{BEN}")).await;
        assert_eq!(
            by_id.json(200),
            json!({"user": {"name": "BEN", "email": "ben@example.org"}})
        );
        for nobody in [
            "?name=carl",
            "?name=",
            "?name=a%20b",
            "/1",
            &format!("/{}", uuid(1)),
            &format!("/{}", uuid(2)),
        ] {
            is_error(&show(nobody).await, 404);
        }
        assert_eq!(is_error(&show("").await, 400), "name must be given");
    }
}

#[actix_web::test]
async fn registering() {
    let world = || {
        let mut world = opening();
        world
            .hasher
            .expect_hash()
            .returning(|_| Ok(PasswordHash::from_phc("hash".into())));
        world.users.expect_insert().returning(|new| {
            assert!(new.display_name.is_none());
            match (new.username.unwrap().as_str(), new.email.unwrap().as_str()) {
                ("taken", _) => Err(InsertUserError::UsernameTaken),
                (_, "taken@example.org") => Err(InsertUserError::EmailTaken),
                _ => Ok(user(ANA, "ana")),
            }
        });
        world
    };
    for (api, base) in both(world) {
        for path in ["", "/", "/1", "/what%20ever"] {
            let register = async |body: &str| {
                let request = api.anybody(Method::POST, &format!("{base}/api/user{path}"));
                send(form(request, body)).await
            };
            let answer = register("name=ana&password=secret&email=ana%40example.org").await;
            is_ok(&answer, 201);
            assert_eq!(answer.header("location"), Some(&*format!("{base}/api/chats")));
            assert_eq!(cookies(&answer), given(base));
            for (bad, error) in [
                ("name=taken&password=secret&email=ana@example.org", "name is taken"),
                ("name=ana&password=secret&email=taken@example.org", "email is taken"),
                (
                    "name=ana&password=short&email=a@b.c",
                    "password must have 6 to 128 characters",
                ),
                (
                    "name=an&password=secret&email=a@b.c",
                    "name must have 3 to 32 characters",
                ),
                (
                    "name=ana&password=secret&email=",
                    "email must be an e-mail address like name@example.org",
                ),
                ("name=ana&password=secret", "email must be given"),
            ] {
                let answer = register(bad).await;
                assert_eq!(is_error(&answer, 400), error);
                assert!(cookies(&answer).is_empty());
            }
        }
    }
}

#[actix_web::test]
async fn registering_is_counted_as_trying_credentials() {
    let mut world = World::new();
    world.options.rate_limits.auth = Rate::new(NonZeroU32::MIN, Duration::from_hours(1));
    let api = world.start();
    let statuses = [("/api/user", 400), ("/api/user/1", 429), ("/api/login", 429)];
    for (path, status) in statuses {
        let request = api.anybody(Method::POST, &format!("/compat/cookies{path}"));
        let answer = send(form(request, "x=y")).await;
        is_error(&answer, status);
        assert_eq!(answer.header("retry-after").is_some(), status == 429);
    }
    // Looking at somebody is not.
    is_error(&ask(&api, Method::GET, "/compat/cookies/api/user/1", "").await, 404);
}

#[actix_web::test]
async fn changing_oneself() {
    let world = || {
        let mut world = World::new();
        world.users.expect_update().returning(|id, changes, _| {
            assert_eq!(id, ANA);
            assert!(changes.display_name.is_none() && changes.profile.is_none());
            let name = changes.username.map(|name| name.unwrap().as_str().to_owned());
            let email = changes.email.map(|email| email.unwrap().as_str().to_owned());
            match (name.as_deref(), email.as_deref()) {
                (Some("taken"), _) => Err(UpdateUserError::UsernameTaken),
                (_, Some("taken@example.org")) => Err(UpdateUserError::EmailTaken),
                (Some("anna"), None | Some("a@b.c")) | (None, Some("a@b.c")) => Ok(user(ANA, "anna")),
                other => panic!("{other:?}"),
            }
        });
        world
            .users
            .expect_find()
            .returning(|id| Ok((id == BEN).then(|| user(BEN, "ben"))));
        world
    };
    for (api, base) in both(world) {
        let change =
            async |user: &str, body: &str| ask(&api, Method::PUT, &format!("{base}/api/user/{user}"), body).await;
        let ana = ANA.to_string();
        for good in ["name=anna&email=a@b.c", "name=anna", "email=a@b.c"] {
            is_ok(&change(&ana, good).await, 200);
        }
        for (bad, error) in [
            ("name=taken", "name is taken"),
            ("email=taken@example.org", "email is taken"),
            ("name=", "name must have 3 to 32 characters"),
        ] {
            assert_eq!(is_error(&change(&ana, bad).await, 400), error);
        }
        is_error(&change(&ana, "x=y").await, 400);
        is_error(&change(&BEN.to_string(), "name=anna").await, 403);
        is_error(&change(&uuid(1).to_string(), "name=anna").await, 404);
        is_error(&change("1", "name=anna").await, 404);
    }
}

#[actix_web::test]
async fn deleting_oneself() {
    let world = || {
        let mut world = World::new();
        world.events.expect_subscriptions().returning(|_| Ok(vec![]));
        world
            .users
            .expect_delete()
            .once()
            .withf(|id, erase, _| *id == ANA && !erase)
            .returning(|_, _, _| Ok(Some(Erased::default())));
        world
            .users
            .expect_find()
            .returning(|id| Ok((id == BEN).then(|| user(BEN, "ben"))));
        world
    };
    for (api, base) in both(world) {
        let delete = async |user: &str| ask(&api, Method::DELETE, &format!("{base}/api/user/{user}"), "").await;
        is_error(&delete(&BEN.to_string()).await, 403);
        is_error(&delete(&uuid(1).to_string()).await, 404);
        is_error(&delete("1").await, 404);
        let answer = delete(&ANA.to_string()).await;
        is_ok(&answer, 200);
        assert_eq!(cookies(&answer), taken_away(base));
    }
}

#[actix_web::test]
async fn wrong_methods_name_the_right_ones() {
    for (api, base) in both(World::new) {
        for (method, path, allow) in [
            (Method::GET, "/api/login", "POST"),
            (Method::POST, "/api/logout/", "GET, HEAD"),
            (Method::PUT, "/api/chats", "GET, HEAD, POST, DELETE"),
            (Method::PATCH, "/api/chats/1", "GET, HEAD, POST, PUT, DELETE"),
            (Method::GET, "/api/chats/1/members", "POST"),
            (Method::PUT, "/api/user", "GET, HEAD, POST"),
            (Method::PATCH, "/api/user/1", "GET, HEAD, POST, PUT, DELETE"),
        ] {
            let answer = send(api.anybody(method, &format!("{base}{path}"))).await;
            is_error(&answer, 405);
            assert_eq!(answer.header("allow"), Some(allow));
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
        world.overviews.expect_list().returning(move |_| match answers.pop() {
            Some(error) => Err(error),
            None => panic!("a bug"),
        });
        world
    };
    for (api, base) in both(world) {
        for (status, retry_after) in [(503, Some("1")), (503, Some("5")), (500, None), (500, None)] {
            let answer = ask(&api, Method::GET, &format!("{base}/api/chats"), "").await;
            let error = is_error(&answer, status);
            assert!(!error.contains("disk") && !error.contains("10.0.0.7") && !error.contains("bug"));
            assert_eq!(answer.header("retry-after"), retry_after);
        }
    }
}

#[actix_web::test]
async fn the_document_tells_of_cookies_and_forms() {
    for (api, base) in both(World::new) {
        let answer = send(api.anybody(Method::GET, &format!("{base}/openapi.json"))).await;
        let document = answer.json(200);
        let cookie = |name: &str| {
            let scheme = &document["components"]["securitySchemes"][name];
            (scheme["type"].clone(), scheme["in"].clone(), scheme["name"].clone())
        };
        for name in ["user_id", "token"] {
            assert_eq!(cookie(name), (json!("apiKey"), json!("cookie"), json!(name)));
        }
        assert_eq!(
            document["security"],
            json!([{"user_id": [], "token": []}, {"bearer": []}])
        );
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let statuses: Vec<_> = operation["responses"].as_object().unwrap().keys().cloned().collect();
                for status in statuses {
                    let known = ["200", "201", "400", "403", "404", "429", "500", "503"];
                    assert!(known.contains(&status.as_str()), "{method} {path}: {status}");
                }
                if let Some(Value::Object(content)) = operation.pointer("/requestBody/content") {
                    assert_eq!(content.keys().collect::<Vec<_>>(), [FORM], "{method} {path}");
                }
            }
        }
        assert_eq!(document["components"]["schemas"]["UserChange"]["minProperties"], 1);
    }
}
