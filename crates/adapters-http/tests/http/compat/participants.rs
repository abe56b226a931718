//! `participants`, in both places where it is served.

use super::fails;
use crate::world::{
    ANA, Api, BEN, CALLER, CHAT, KEY, MESSAGE, NOW, NOW_TEXT, TOKEN, World, direct, group, member, message, picture,
    send, user,
};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use std::time::Duration;
use tertulia_application::ports::AccessToken;
use tertulia_domain::repository::{
    AppendError, Appended, CreatedChat, Credentials, InsertChatError, InsertUserError, ListOverviews, OverviewOrder,
    ReplaceMembersError, RepositoryError, VisibleMessages,
};
use tertulia_domain::{
    Author, Caller, ChatOverview, ChatView, Counted, EventSeq, LoginName, MemberRole, Membership, Message,
    MessageContent, Note, NoteText, OverviewMember, PasswordHash, Profile, ProfileValue, Recorded, Role, Seq,
    Timestamp, User, UserId,
};
use uuid::Uuid;

const EVA: UserId = UserId::from_uuid(Uuid::from_u128(0xD));

/// The server both ways, with what stands before the paths.
fn both(world: impl Fn() -> World) -> [(Api, &'static str); 2] {
    [
        (world().start(), "/compat/participants"),
        (world().start_mounted("participants"), ""),
    ]
}

/// A request by Ana.
fn ana(api: &Api, base: &str, method: Method, path: &str) -> RequestBuilder {
    api.anybody(method, &format!("{base}{path}")).bearer_auth(TOKEN)
}

/// The answer to a request by Ana.
async fn asked(world: World, method: Method, path: &str, body: Option<Value>) -> crate::world::Answer {
    let api = world.start();
    let request = ana(&api, "/compat/participants", method, path);
    send(match body {
        Some(body) => request.json(&body),
        None => request,
    })
    .await
}

/// A failure that says that and nothing else.
#[track_caller]
fn says(answer: &crate::world::Answer, status: u16, message: &str) {
    assert_eq!(fails(answer, status), json!({"success": false, "message": message}));
}

/// A failure that says something.
#[track_caller]
fn refuses(answer: &crate::world::Answer, status: u16) -> String {
    let body = fails(answer, status);
    assert_eq!(body.as_object().map(serde_json::Map::len), Some(2), "{body}");
    assert_eq!(body["success"], false);
    let message = body["message"].as_str().unwrap();
    assert!(!message.is_empty());
    message.to_owned()
}

/// How a user is shown to everybody.
fn shown(id: UserId, name: &str) -> Value {
    json!({
        "_id": id.to_string(), "username": name, "email": format!("{name}@example.org"),
        "fullName": name.to_uppercase(), "profileImage": null, "createdAt": NOW_TEXT, "updatedAt": NOW_TEXT,
    })
}

fn shown_chat(participants: &[Value], last_message: &Value) -> Value {
    json!({
        "_id": CHAT.to_string(), "participants": participants, "lastMessage": last_message,
        "createdAt": NOW_TEXT, "updatedAt": NOW_TEXT, "__v": 0,
    })
}

/// The chat of [`overview`].
fn ours(last_message: &Value) -> Value {
    shown_chat(&[shown(ANA, "ana"), shown(BEN, "ben")], last_message)
}

fn hi() -> Value {
    json!({"text": "hi", "sender": ANA.to_string(), "timestamp": NOW_TEXT})
}

fn overview_of(view: ChatView, members: Vec<tertulia_domain::Member>) -> ChatOverview {
    let members = members.into_iter().map(|member| OverviewMember { member, unread: 0 });
    ChatOverview {
        chat: view.chat,
        blocked: false,
        last_message: view.last_message,
        note: None,
        membership: view.membership,
        members: members.collect(),
    }
}

/// Ana's and Ben's direct chat.
fn overview() -> ChatOverview {
    let view = direct();
    let members = view.members.clone();
    overview_of(view, members)
}

/// A group of the three of which Ana is that.
fn group_overview(role: MemberRole) -> ChatOverview {
    let bens = match role {
        MemberRole::Owner => MemberRole::Member,
        _ => MemberRole::Owner,
    };
    let members = vec![
        member(user(ANA, "ana"), role),
        member(user(BEN, "ben"), bens),
        member(user(EVA, "eva"), MemberRole::Member),
    ];
    let overview = overview_of(group(), members);
    let membership = overview.membership.map(|membership| Membership { role, ..membership });
    ChatOverview { membership, ..overview }
}

fn outside(overview: ChatOverview) -> ChatOverview {
    ChatOverview {
        membership: None,
        ..overview
    }
}

/// A world in which that chat is all there is.
fn with_chat(overview: Option<ChatOverview>) -> World {
    let mut world = World::new();
    let view = overview.clone().map(|overview| ChatView {
        chat: overview.chat,
        last_message: overview.last_message,
        membership: overview.membership,
        members: overview.members.into_iter().map(|shown| shown.member).collect(),
        blocked: false,
    });
    let found = move |id| if id == CHAT { view.clone() } else { None };
    world.chats.expect_find().returning(move |id, _| Ok(found(id)));
    world
        .overviews
        .expect_find()
        .returning(move |id, _| Ok(if id == CHAT { overview.clone() } else { None }));
    world
}

fn knowing(world: &mut World, users: &'static [(UserId, &'static str)]) {
    world.users.expect_find_many().returning(move |ids| {
        let known = users.iter().filter(|(id, _)| ids.contains(id));
        Ok(known.map(|(id, name)| user(*id, name)).collect())
    });
}

const ALL: &[(UserId, &str)] = &[(ANA, "ana"), (BEN, "ben"), (EVA, "eva")];

fn note() -> Note {
    Note {
        text: NoteText::new(" Hola\r\n").unwrap(),
        sender: BEN,
        at: Timestamp::from_millis(1_765_364_700_123),
    }
}

fn given_note() -> Value {
    json!({"text": " Hola\r\n", "sender": BEN.to_string(), "timestamp": "2025-12-10T12:05:00.123999+01:00"})
}

fn shown_note() -> Value {
    json!({"text": " Hola\r\n", "sender": BEN.to_string(), "timestamp": "2025-12-10T11:05:00.123Z"})
}

/// Bodies that have no form, whatever they are sent to.
async fn bodies_that_are_none(method: Method, path: &str) {
    for (api, base) in both(World::new) {
        let request = || ana(&api, base, method.clone(), path);
        let json = || request().header("Content-Type", "application/json");
        for bad in [
            request(),
            request().body("x=1"),
            request().header("Content-Type", "text/plain").body("{}"),
            json().body("{"),
            json().body("[]"),
            json().body("null"),
            json().body(vec![0xff]),
            json().body(vec![b' '; 300_000]),
            json().header("Content-Encoding", "gzip").body("{}"),
        ] {
            refuses(&send(bad).await, 400);
        }
    }
}

#[actix_web::test]
async fn nothing_but_objects_in_json_is_a_body() {
    bodies_that_are_none(Method::POST, "/api/users/register").await;
    bodies_that_are_none(Method::POST, "/api/users/login").await;
    bodies_that_are_none(Method::POST, "/api/chats").await;
    bodies_that_are_none(Method::PUT, &format!("/api/chats/{CHAT}")).await;
    bodies_that_are_none(Method::PATCH, &format!("/api/chats/{CHAT}/last-message")).await;
    bodies_that_are_none(Method::POST, "/api/messages").await;
}

#[actix_web::test]
async fn tokens() {
    for (api, base) in both(World::new) {
        let get = |path: &str| api.anybody(Method::GET, &format!("{base}{path}"));
        for path in ["/api/chats", "/api/users", "/api/messages/x", "/api/chats/x"] {
            let missing = "Token de autenticación no proporcionado";
            says(&send(get(path)).await, 401, missing);
            for none in ["", "Bearer", "Bearer ", "Basic good", TOKEN] {
                says(&send(get(path).header("Authorization", none)).await, 401, missing);
            }
            for bad in ["nonsense", "expired", "ended"] {
                says(
                    &send(get(path).bearer_auth(bad)).await,
                    401,
                    "Token inválido o expirado",
                );
            }
        }
    }
}

#[actix_web::test]
async fn keys_do_what_their_scopes_say() {
    let api = World::new().with_key("read").start();
    for (method, path) in [
        (Method::POST, "/api/chats"),
        (Method::POST, "/api/messages"),
        (Method::DELETE, "/api/chats/x"),
    ] {
        let request = api.anybody(method, &format!("/compat/participants{path}"));
        refuses(&send(request.bearer_auth(KEY)).await, 403);
    }
}

#[actix_web::test]
async fn paths_that_lead_nowhere() {
    for (api, base) in both(|| with_chat(None)) {
        for (method, path, message) in [
            (Method::GET, "/api/chats/x", "Chat no encontrado"),
            (Method::GET, "/api/chats/user", "Chat no encontrado"),
            (Method::PUT, "/api/chats/65b7d6e4f3a2b1c0d9e8f7g6", "Chat no encontrado"),
            (Method::PATCH, "/api/chats/%00/last-message", "Chat no encontrado"),
            (Method::DELETE, "/api/chats/x/", "Chat no encontrado"),
            (Method::GET, "/api/messages/x", "Chat no encontrado"),
            (Method::GET, "/api/chats/user/x", "Usuario no encontrado"),
            (Method::GET, "/api/users/x", "Usuario no encontrado"),
        ] {
            says(&send(ana(&api, base, method, path)).await, 404, message);
        }
        let none = Uuid::nil();
        for path in [format!("/api/chats/{none}"), format!("/api/messages/{none}")] {
            says(
                &send(ana(&api, base, Method::GET, &path)).await,
                404,
                "Chat no encontrado",
            );
        }
        for path in ["/", "/api", "/api/chat", "/api/chats/x/y", "/api/messages/x/y"] {
            refuses(&send(ana(&api, base, Method::GET, path)).await, 404);
        }
        for (method, path, allow) in [
            (Method::DELETE, "/api/chats", "GET, HEAD, POST"),
            (Method::POST, "/api/chats/x", "GET, HEAD, PUT, DELETE"),
            (Method::GET, "/api/chats/x/last-message", "PATCH"),
            (Method::GET, "/api/messages", "POST"),
            (Method::GET, "/api/users/login/", "POST"),
            (Method::PATCH, "/api/users", "GET, HEAD"),
        ] {
            let answer = send(ana(&api, base, method, path)).await;
            says(&answer, 405, "Método no permitido");
            assert_eq!(answer.header("allow"), Some(allow));
        }
    }
}

fn opens_session(world: &mut World) {
    world.sessions.expect_insert().returning(|_, _| Ok(true));
    // No shorter than the session.
    world.tokens.expect_issue_until().returning(|_, at, until| {
        assert_eq!((at, until), (NOW, NOW.plus(Duration::from_hours(30 * 24))));
        Ok(AccessToken {
            token: "signed".into(),
            expires_at: NOW,
            expires_in: Duration::from_mins(15),
        })
    });
}

fn own() -> Profile {
    Profile::new([
        ("phone".to_owned(), ProfileValue::Text("+34 600".into())),
        ("documentNumber".to_owned(), ProfileValue::Text("X-1".into())),
        ("age".to_owned(), ProfileValue::Integer(33)),
    ])
    .unwrap()
}

#[actix_web::test]
async fn registering() {
    let world = || {
        let mut world = World::new();
        opens_session(&mut world);
        world
            .hasher
            .expect_hash()
            .withf(|password| password.expose() == "secret")
            .returning(|_| Ok(PasswordHash::from_phc("hash".into())));
        world.users.expect_insert().returning(|new| {
            if new
                .email
                .as_ref()
                .is_some_and(|email| email.as_str() == "ben@example.org")
            {
                return Err(InsertUserError::EmailTaken);
            }
            if new.username.as_ref().is_some_and(|name| name.as_str() == "ben") {
                return Err(InsertUserError::UsernameTaken);
            }
            Ok(User {
                username: new.username,
                display_name: new.display_name,
                profile: new.profile,
                ..user(ANA, "ana")
            })
        });
        world
    };
    for (api, base) in both(world) {
        let register = async |body: Value| {
            let request = api.anybody(Method::POST, &format!("{base}/api/users/register"));
            send(request.json(&body)).await
        };
        let full = json!({
            "fullName": "Ana López", "email": "ana@example.org", "password": "secret", "username": "ana",
            "phone": "+34 600", "documentNumber": "X-1", "age": 33,
        });
        let mut user = shown(ANA, "ana");
        user["fullName"] = json!("Ana López");
        let small = user.clone();
        for (name, value) in [
            ("phone", json!("+34 600")),
            ("documentNumber", json!("X-1")),
            ("age", json!(33)),
        ] {
            user[name] = value;
        }
        assert_eq!(
            register(full).await.json(201),
            json!({
                "success": true, "message": "Usuario creado correctamente",
                "data": {"user": user, "token": "signed"},
            })
        );
        let bare = json!({
            "fullName": "Ana López", "email": "ana@example.org", "password": "secret", "username": "", "phone": null,
        });
        let mut nameless = small;
        nameless["username"] = json!("Ana López");
        assert_eq!(register(bare).await.json(201)["data"]["user"], nameless);

        let other = |name: &str, value: Value| {
            let mut body = json!({"fullName": "Ana", "email": "ana@example.org", "password": "secret"});
            body[name] = value;
            body
        };
        says(
            &register(other("email", json!("ben@example.org"))).await,
            409,
            "El correo ya está registrado",
        );
        refuses(&register(other("username", json!("ben"))).await, 409);
        for (name, value) in [
            ("fullName", json!(1)),
            ("fullName", json!("x".repeat(257))),
            ("fullName", json!(" ")),
            ("email", json!("ana")),
            ("email", json!(["ana@example.org"])),
            ("password", json!("short")),
            ("password", json!("x".repeat(129))),
            ("username", json!("a b")),
            ("username", json!(7)),
            ("phone", json!("9".repeat(1_001))),
            ("phone", json!(600)),
            ("documentNumber", json!("\u{0}")),
            ("age", json!("33")),
            ("age", json!(1.5)),
        ] {
            let message = refuses(&register(other(name, value.clone())).await, 400);
            assert!(message.contains(&format!("'{name}'")), "{name} {value}: {message}");
        }
        for (body, missing) in [
            (json!({}), json!(["fullName", "email", "password"])),
            (
                json!({"fullName": "", "email": null, "password": "secret"}),
                json!(["fullName", "email"]),
            ),
            (json!({"fullName": "Ana", "email": "nonsense"}), json!(["password"])),
        ] {
            assert_eq!(
                fails(&register(body).await, 400),
                json!({"success": false, "message": "Faltan campos requeridos", "missingFields": missing})
            );
        }
    }
}

#[actix_web::test]
async fn logging_in() {
    let world = || {
        let mut world = World::new();
        opens_session(&mut world);
        world.users.expect_find_credentials().returning(|login| {
            let ana = *login == LoginName::Email("ana@example.org".into());
            let credentials = || Credentials {
                user: User {
                    profile: own(),
                    ..user(ANA, "ana")
                },
                password: PasswordHash::from_phc("hash".into()),
            };
            Ok(ana.then(credentials))
        });
        world
            .hasher
            .expect_verify()
            .returning(|password, hash| Ok(hash.is_some() && password.expose() == "secret"));
        world
    };
    for (api, base) in both(world) {
        let log_in = async |body: Value| {
            let request = api.anybody(Method::POST, &format!("{base}/api/users/login/"));
            send(request.json(&body)).await
        };
        let body = log_in(json!({"email": "ANA@example.org", "password": "secret"})).await;
        let mut user = shown(ANA, "ana");
        user["phone"] = json!("+34 600");
        user["documentNumber"] = json!("X-1");
        user["age"] = json!(33);
        assert_eq!(
            body.json(200),
            json!({"success": true, "data": {"user": user, "token": "signed"}})
        );
        for (email, password) in [
            ("ana@example.org", "another"),
            ("ana@example.org", ""),
            ("ben@example.org", "secret"),
            // Not a user name, whoever has it.
            ("ana", "secret"),
            ("", "secret"),
        ] {
            let answer = log_in(json!({"email": email, "password": password})).await;
            says(&answer, 401, "Credenciales inválidas");
        }
        for missing in [
            json!({}),
            json!({"email": 1, "password": "secret"}),
            json!({"email": "a@b.c"}),
        ] {
            refuses(&log_in(missing).await, 400);
        }
    }
}

#[actix_web::test]
async fn users() {
    let world = || {
        let mut world = World::new();
        world.users.expect_list_counted().returning(|window| {
            assert_eq!((window.skip(), window.take()), (2, 2));
            Ok(Counted {
                items: vec![
                    User {
                        profile: own(),
                        ..user(ANA, "ana")
                    },
                    User {
                        username: None,
                        email: None,
                        avatar: Some(picture()),
                        profile: own(),
                        ..user(BEN, "ben")
                    },
                ],
                total: 5,
            })
        });
        world
            .users
            .expect_find()
            .returning(|id| Ok((id == BEN).then(|| user(BEN, "ben"))));
        world
    };
    for (api, base) in both(world) {
        let list = send(ana(&api, base, Method::GET, "/api/users?page=2&limit=2")).await;
        let mut own = shown(ANA, "ana");
        own["phone"] = json!("+34 600");
        own["documentNumber"] = json!("X-1");
        own["age"] = json!(33);
        let mut ben = shown(BEN, "BEN");
        ben["email"] = json!(null);
        ben["profileImage"] = json!(format!(
            "/uploads/{}/a%20b.png",
            tertulia_domain::FileId::from_uuid(Uuid::from_u128(0xF))
        ));
        let pagination = json!({"page": 2, "limit": 2, "total": 5, "pages": 3});
        assert_eq!(
            list.json(200),
            json!({"success": true, "data": {"users": [own, ben], "pagination": pagination}})
        );
        let one = send(ana(&api, base, Method::GET, &format!("/api/users/{BEN}"))).await;
        assert_eq!(one.json(200), json!({"success": true, "data": shown(BEN, "ben")}));
        let none = send(ana(&api, base, Method::GET, &format!("/api/users/{EVA}"))).await;
        says(&none, 404, "Usuario no encontrado");
    }
}

/// What a list of chats is asked for.
fn listing(with: Option<UserId>, everybodys: bool, page: (u32, u16)) -> ListOverviews {
    ListOverviews {
        viewer: ANA,
        everybodys,
        with,
        direct: false,
        members: true,
        order: OverviewOrder::Change,
        window: tertulia_domain::Window::page(page.0, page.1),
    }
}

#[actix_web::test]
async fn lists_of_chats() {
    for (query, with, page) in [
        (String::new(), None, (1, 10)),
        ("?userId=&page=&limit=x".to_owned(), None, (1, 10)),
        (format!("?userId={BEN}&limit=5"), Some(BEN), (1, 5)),
        ("?page=0&limit=0".to_owned(), None, (1, 10)),
        ("?page=-1&limit=-5".to_owned(), None, (1, 10)),
        ("?page=3&limit=1000&other=1".to_owned(), None, (3, 100)),
        ("?page=99999999999999999999".to_owned(), None, (u32::MAX, 10)),
    ] {
        for role in [Role::User, Role::Admin] {
            let mut world = World::new().with_caller(Caller { role, ..CALLER });
            let expected = listing(with, role == Role::Admin, page);
            world
                .overviews
                .expect_list()
                .withf(move |list| *list == expected)
                .once()
                .returning(|_| {
                    let items = vec![overview()];
                    Ok(Counted { items, total: 21 })
                });
            let answer = asked(world, Method::GET, &format!("/api/chats{query}"), None).await;
            let (page, limit) = page;
            let pagination =
                json!({"page": page, "limit": limit, "total": 21, "pages": 21_i64.div_euclid(limit.into()) + 1});
            assert_eq!(
                answer.json(200),
                json!({"success": true, "data": {"chats": [ours(&hi())], "pagination": pagination}}),
                "{query}"
            );
        }
    }
    for query in ["userId=65b7d6e4f3a2b1c0d9e8f7b8", "userId=%ff", "page=1&page=2"] {
        refuses(
            &asked(World::new(), Method::GET, &format!("/api/chats?{query}"), None).await,
            400,
        );
    }
}

#[actix_web::test]
async fn chats_with_somebody() {
    let world = || {
        let mut world = World::new();
        world
            .users
            .expect_find()
            .returning(|id| Ok((id == BEN).then(|| user(BEN, "ben"))));
        let expected = listing(Some(BEN), false, (2, 10));
        let nothing = Counted {
            items: vec![],
            total: 0,
        };
        world
            .overviews
            .expect_list()
            .withf(move |list| *list == expected)
            .returning(move |_| Ok(nothing.clone()));
        world
    };
    for (api, base) in both(world) {
        let list = send(ana(&api, base, Method::GET, &format!("/api/chats/user/{BEN}/?page=2"))).await;
        let pagination = json!({"page": 2, "limit": 10, "total": 0, "pages": 0});
        assert_eq!(
            list.json(200),
            json!({"success": true, "data": {"chats": [], "pagination": pagination}})
        );
        let unknown = send(ana(&api, base, Method::GET, &format!("/api/chats/user/{EVA}"))).await;
        says(&unknown, 404, "Usuario no encontrado");
    }
}

#[actix_web::test]
async fn one_chat() {
    let path = format!("/api/chats/{CHAT}");
    let show = async |overview| asked(with_chat(Some(overview)), Method::GET, &path, None).await;
    let answer = show(overview()).await;
    assert_eq!(answer.json(200), json!({"success": true, "data": ours(&hi())}));
    // A note stands in the place of the last message, until there is a newer one: that is for the database to see.
    let noted = ChatOverview {
        note: Some(note()),
        ..overview()
    };
    assert_eq!(show(noted).await.json(200)["data"], ours(&shown_note()));
    let silent = ChatOverview {
        last_message: None,
        ..overview()
    };
    assert_eq!(show(silent).await.json(200)["data"], ours(&json!(null)));
    let file = Message {
        content: MessageContent::Present {
            body: None,
            attachments: vec![picture()],
        },
        ..message("x")
    };
    let sent_file = ChatOverview {
        last_message: Some(file),
        ..overview()
    };
    assert_eq!(
        show(sent_file).await.json(200)["data"]["lastMessage"]["text"],
        "a b.png"
    );
    says(&show(outside(overview())).await, 404, "Chat no encontrado");
}

#[actix_web::test]
async fn making_chats() {
    let created = |created| CreatedChat {
        view: direct(),
        created,
    };
    for (is_new, status, text) in [(true, 201, "Chat creado exitosamente"), (false, 200, "Chat ya existe")] {
        let mut world = with_chat(Some(overview()));
        knowing(&mut world, ALL);
        world.chats.expect_insert_direct().once().returning(move |chat, _| {
            assert_eq!((chat.creator, chat.other), (ANA, BEN));
            Ok(Recorded::Fresh(created(is_new)))
        });
        let upper = ANA.to_string().to_uppercase();
        let body = json!({"participants": [BEN.to_string(), ANA.to_string(), upper], "lastMessage": null});
        let answer = asked(world, Method::POST, "/api/chats", Some(body)).await;
        assert_eq!(
            answer.json(status),
            json!({"success": true, "message": text, "data": ours(&hi())})
        );

        let mut world = with_chat(Some(group_overview(MemberRole::Owner)));
        knowing(&mut world, ALL);
        world.chats.expect_insert_set().once().returning(move |chat| {
            assert_eq!(
                (chat.members, chat.owner, chat.note),
                (vec![EVA, ANA, BEN], ANA, Some(note()))
            );
            Ok((CHAT, is_new))
        });
        let body = json!({
            "participants": [EVA.to_string(), ANA.to_string(), BEN.to_string()], "lastMessage": given_note(),
        });
        let answer = asked(world, Method::POST, "/api/chats/", Some(body)).await.json(status);
        assert_eq!(answer["message"], text);
        assert_eq!(answer["data"]["participants"].as_array().map(Vec::len), Some(3));
    }
}

#[actix_web::test]
async fn chats_that_are_not_made() {
    let needed = "El campo 'participants' es requerido y debe ser un array";
    let too_few = "Un chat debe tener al menos 2 participantes";
    let unknown = "Uno o más participantes no existen";
    let nobody = Uuid::nil().to_string();
    let [a, b, e] = [ANA, BEN, EVA].map(|id| id.to_string());
    let crowd: Vec<String> = (1..=1_001).map(|n| Uuid::from_u128(n).to_string()).collect();
    for (participants, status, text) in [
        (json!(null), 400, needed),
        (json!("x"), 400, needed),
        (json!({"0": a}), 400, needed),
        (json!([]), 400, too_few),
        (json!([a]), 400, too_few),
        (json!([a, a]), 400, too_few),
        (json!([a.to_uppercase(), a]), 400, too_few),
        (json!(["x", "x"]), 400, too_few),
        (json!([a, "65b7d6e4f3a2b1c0d9e8f7a5"]), 404, unknown),
        (json!([a, null]), 404, unknown),
        (json!([a, {"_id": b}]), 404, unknown),
        (json!([a, nobody]), 404, unknown),
        (json!([b, e]), 403, "Debes ser uno de los participantes del chat"),
        (json!(crowd), 400, "Un chat puede tener como máximo 1000 participantes"),
    ] {
        let mut world = World::new();
        knowing(&mut world, ALL);
        let answer = asked(
            world,
            Method::POST,
            "/api/chats",
            Some(json!({"participants": participants})),
        )
        .await;
        says(&answer, status, text);
    }
    says(
        &asked(World::new(), Method::POST, "/api/chats", Some(json!({}))).await,
        400,
        needed,
    );
    let mut world = World::new();
    knowing(&mut world, ALL);
    world
        .chats
        .expect_insert_direct()
        .returning(|_, _| Err(InsertChatError::Blocked));
    let pair = json!({"participants": [a, b]});
    refuses(&asked(world, Method::POST, "/api/chats", Some(pair)).await, 403);
}

#[actix_web::test]
async fn an_admin_makes_chats_of_others() {
    let mut world = with_chat(Some(outside(overview()))).with_caller(Caller {
        role: Role::Admin,
        ..CALLER
    });
    knowing(&mut world, ALL);
    world.chats.expect_insert_direct().once().returning(|chat, _| {
        assert_eq!((chat.creator, chat.other), (BEN, EVA));
        Ok(Recorded::Fresh(CreatedChat {
            view: direct(),
            created: true,
        }))
    });
    let pair = json!({"participants": [BEN.to_string(), EVA.to_string()]});
    asked(world, Method::POST, "/api/chats", Some(pair)).await.json(201);
}

/// Last messages that are refused whatever the chat.
fn bad_notes() -> Vec<Value> {
    let other = |name: &str, value: Value| {
        let mut note = given_note();
        note[name] = value;
        note
    };
    vec![
        json!("x"),
        json!([]),
        json!({}),
        other("text", json!(null)),
        other("text", json!(1)),
        other("text", json!("x".repeat(8_001))),
        other("text", json!("\u{0}")),
        other("sender", json!("x")),
        other("sender", json!(null)),
        other("timestamp", json!(null)),
        other("timestamp", json!(1)),
        other("timestamp", json!("yesterday")),
        other("timestamp", json!("1969-12-31T23:59:59Z")),
        other("timestamp", json!("2025-12-10")),
    ]
}

#[actix_web::test]
async fn last_messages() {
    let path = format!("/api/chats/{CHAT}");
    let calls = [
        (
            Method::PATCH,
            format!("{path}/last-message"),
            "Último mensaje actualizado exitosamente",
        ),
        (Method::PUT, path, "Chat actualizado exitosamente"),
    ];
    for (method, path, text) in calls {
        let set = async |world, last_message: Value| {
            asked(world, method.clone(), &path, Some(json!({"lastMessage": last_message}))).await
        };
        let among = |overview: ChatOverview| {
            let mut world = with_chat(Some(overview));
            world.chats.expect_find_member().returning(|_, id| {
                let ben = member(user(BEN, "ben"), MemberRole::Member);
                Ok((id == BEN).then_some(ben))
            });
            world
        };
        // Any member of a group may.
        let noted = ChatOverview {
            note: Some(note()),
            ..group_overview(MemberRole::Member)
        };
        let mut world = among(noted);
        world
            .chats
            .expect_set_note()
            .withf(|id, set, at| (*id, set, *at) == (CHAT, &note(), NOW))
            .once()
            .returning(|_, _, _| Ok(true));
        let answer = set(world, given_note()).await.json(200);
        assert_eq!((&answer["success"], &answer["message"]), (&json!(true), &json!(text)));
        assert_eq!(answer["data"]["lastMessage"], shown_note());

        let mut stranger = given_note();
        stranger["sender"] = json!(EVA.to_string());
        refuses(&set(among(overview()), stranger).await, 400);
        says(
            &set(among(outside(overview())), given_note()).await,
            404,
            "Chat no encontrado",
        );
        says(&set(with_chat(None), given_note()).await, 404, "Chat no encontrado");
        for bad in bad_notes() {
            refuses(&set(World::new(), bad).await, 400);
        }
    }
    for bad in bad_notes() {
        let body = json!({"participants": [ANA.to_string(), BEN.to_string()], "lastMessage": bad});
        refuses(&asked(World::new(), Method::POST, "/api/chats", Some(body)).await, 400);
    }
    let path = format!("/api/chats/{CHAT}/last-message");
    for nothing in [json!({}), json!({"lastMessage": null})] {
        let answer = asked(World::new(), Method::PATCH, &path, Some(nothing)).await;
        says(&answer, 400, "El campo 'lastMessage' es requerido");
    }
}

#[actix_web::test]
async fn replacing_participants() {
    let path = format!("/api/chats/{CHAT}");
    let [a, b, e] = [ANA, BEN, EVA].map(|id| id.to_string());
    let replace = async |overview: Option<ChatOverview>, error: Option<ReplaceMembersError>, body: Value| {
        let mut world = with_chat(overview);
        knowing(&mut world, ALL);
        world.chats.expect_replace_members().return_once(|change| {
            assert_eq!((change.chat_id, change.actor), (CHAT, ANA));
            error.map_or(Ok(()), Err)
        });
        asked(world, Method::PUT, &path, Some(body)).await
    };
    let all = json!({"participants": [a, b, e], "lastMessage": given_note()});
    for may in [
        overview(),
        group_overview(MemberRole::Owner),
        group_overview(MemberRole::Admin),
    ] {
        let answer = replace(Some(may), None, all.clone()).await.json(200);
        assert_eq!(answer["message"], "Chat actualizado exitosamente");
        assert_eq!(answer["data"]["_id"], CHAT.to_string());
    }
    let member = group_overview(MemberRole::Member);
    refuses(&replace(Some(member), None, all.clone()).await, 403);
    for hidden in [None, Some(outside(overview()))] {
        says(&replace(hidden, None, all.clone()).await, 404, "Chat no encontrado");
    }
    let taken = replace(Some(overview()), Some(ReplaceMembersError::SetTaken), all.clone()).await;
    says(&taken, 409, "Ya existe un chat con esos participantes");
    let blocked = replace(Some(overview()), Some(ReplaceMembersError::Blocked), all).await;
    refuses(&blocked, 403);
    for (body, status, text) in [
        (json!({}), 400, "Se requiere 'participants' o 'lastMessage'"),
        (
            json!({"participants": null, "lastMessage": null}),
            400,
            "Se requiere 'participants' o 'lastMessage'",
        ),
        (
            json!({"participants": "x"}),
            400,
            "El campo 'participants' es requerido y debe ser un array",
        ),
        (
            json!({"participants": [a]}),
            400,
            "Un chat debe tener al menos 2 participantes",
        ),
        (
            json!({"participants": [a, "x"]}),
            404,
            "Uno o más participantes no existen",
        ),
        (
            json!({"participants": [a, Uuid::nil().to_string()]}),
            404,
            "Uno o más participantes no existen",
        ),
        (
            json!({"participants": [a, e], "lastMessage": given_note()}),
            400,
            "El campo 'lastMessage.sender' debe ser un participante del chat",
        ),
    ] {
        says(&replace(Some(overview()), None, body).await, status, text);
    }
}

#[actix_web::test]
async fn deleting() {
    let path = format!("/api/chats/{CHAT}");
    let delete = async |overview: Option<ChatOverview>, deleted| {
        let mut world = with_chat(overview);
        world.chats.expect_delete().returning(move |_, _| Ok(deleted));
        asked(world, Method::DELETE, &path, None).await
    };
    assert_eq!(
        delete(Some(overview()), true).await.json(200),
        json!({"success": true, "message": "Chat eliminado exitosamente", "data": ours(&hi())})
    );
    delete(Some(group_overview(MemberRole::Owner)), true).await.json(200);
    refuses(&delete(Some(group_overview(MemberRole::Admin)), true).await, 403);
    for (hidden, deleted) in [
        (None, true),
        (Some(outside(overview())), true),
        (Some(overview()), false),
    ] {
        says(&delete(hidden, deleted).await, 404, "Chat no encontrado");
    }
}

fn shown_message(receiver: &Value, is_read: bool) -> Value {
    json!({
        "_id": MESSAGE.to_string(), "chatId": CHAT.to_string(), "senderId": ANA.to_string(), "receiverId": receiver,
        "content": "hi", "isRead": is_read, "status": if is_read { "seen" } else { "sent" },
        "createdAt": NOW_TEXT, "updatedAt": NOW_TEXT, "__v": 0,
    })
}

fn is_member(world: &mut World) {
    world.chats.expect_find_member().returning(|_, id| {
        let ben = member(user(BEN, "ben"), MemberRole::Member);
        Ok((id == BEN).then_some(ben))
    });
}

#[actix_web::test]
async fn sending() {
    for chat in [overview(), group_overview(MemberRole::Member)] {
        let mut world = with_chat(Some(chat));
        is_member(&mut world);
        world.messages.expect_append().once().returning(|message_to_be| {
            assert_eq!(
                (message_to_be.chat_id, message_to_be.session),
                (CHAT, crate::world::CLAIMED)
            );
            assert_eq!(message_to_be.addressee, Some(BEN));
            Ok(Appended {
                event: EventSeq::default(),
                message: Message {
                    addressee: Some(BEN),
                    ..message("hi")
                },
                replayed: false,
            })
        });
        let body = json!({"chatId": CHAT.to_string(), "receiverId": BEN.to_string(), "content": "hi  "});
        let answer = asked(world, Method::POST, "/api/messages", Some(body)).await;
        assert_eq!(
            answer.json(201),
            json!({"success": true, "data": shown_message(&json!(BEN.to_string()), false)})
        );
    }
}

#[actix_web::test]
async fn messages_that_are_not_sent() {
    let post = async |world: World, body: Value| asked(world, Method::POST, "/api/messages/", Some(body)).await;
    let other = |name: &str, value: Value| {
        let mut body = json!({"chatId": CHAT.to_string(), "receiverId": BEN.to_string(), "content": "hi"});
        body[name] = value;
        body
    };
    for name in ["chatId", "receiverId", "content"] {
        for nothing in [json!(null), json!(""), json!(" ")] {
            let answer = post(World::new(), other(name, nothing)).await;
            says(&answer, 400, "Faltan campos requeridos (chatId, content, receiverId)");
        }
        let message = refuses(&post(World::new(), other(name, json!(1))).await, 400);
        assert!(message.contains(name), "{message}");
    }
    for bad in ["x".repeat(8_001), "\u{0}".to_owned()] {
        refuses(&post(World::new(), other("content", json!(bad))).await, 400);
    }
    let there = || {
        let mut world = with_chat(Some(overview()));
        is_member(&mut world);
        world
    };
    for unknown in ["x".to_owned(), Uuid::nil().to_string()] {
        let answer = post(there(), other("chatId", json!(unknown))).await;
        says(&answer, 404, "Chat no encontrado");
        let answer = post(there(), other("receiverId", json!(unknown))).await;
        says(&answer, 403, "El remitente o el destinatario no pertenecen a este chat");
    }
    let outsider = post(with_chat(Some(outside(overview()))), other("content", json!("hi"))).await;
    says(
        &outsider,
        403,
        "El remitente o el destinatario no pertenecen a este chat",
    );
    for (error, status) in [
        (AppendError::Blocked, 403),
        (AppendError::ChatNotFound, 403),
        (AppendError::SessionEnded, 401),
        (RepositoryError::Overloaded.into(), 503),
    ] {
        let mut world = there();
        world.messages.expect_append().return_once(|_| Err(error));
        refuses(&post(world, other("content", json!("hi"))).await, status);
    }
}

fn having_read(mut chat: ChatOverview, read: &[i64]) -> ChatOverview {
    for (shown, read) in chat.members.iter_mut().zip(read) {
        shown.member.membership.read_seq = Seq::new(*read).unwrap();
    }
    chat
}

#[actix_web::test]
async fn messages_are_read_by_their_receiver() {
    let to_ben = json!(BEN.to_string());
    let group = || group_overview(MemberRole::Member);
    for (chat, addressee, receiver, is_read) in [
        (having_read(overview(), &[3, 2]), None, to_ben.clone(), false),
        (having_read(overview(), &[3, 3]), None, to_ben.clone(), true),
        (having_read(group(), &[3, 3, 1]), Some(BEN), to_ben.clone(), true),
        (having_read(group(), &[3, 2, 3]), Some(BEN), to_ben, false),
        (having_read(group(), &[1, 3, 3]), None, json!(null), true),
        (having_read(group(), &[3, 3, 2]), None, json!(null), false),
        // Who is not there any more reads nothing.
        (
            having_read(group(), &[3, 3, 3]),
            Some(UserId::from_uuid(Uuid::nil())),
            json!(Uuid::nil().to_string()),
            false,
        ),
    ] {
        let mut world = with_chat(Some(chat));
        let window = tertulia_domain::Window::page(2, 1);
        let listed = world.overviews.expect_list_messages();
        listed.withf(move |id, which| (*id, *which) == (CHAT, VisibleMessages::Newest(window)));
        listed.returning(move |_, _| {
            let message = Message {
                addressee,
                ..message("hi")
            };
            Ok(Some(Counted {
                items: vec![message],
                total: 2,
            }))
        });
        let path = format!("/api/messages/{CHAT}?page=2&limit=1");
        let pagination = json!({"page": 2, "limit": 1, "total": 2, "pages": 2});
        let messages = [shown_message(&receiver, is_read)];
        assert_eq!(
            asked(world, Method::GET, &path, None).await.json(200),
            json!({"success": true, "data": {"messages": messages, "pagination": pagination}})
        );
    }
}

#[actix_web::test]
async fn other_messages() {
    let mut world = with_chat(Some(overview()));
    world.overviews.expect_list_messages().once().returning(|_, which| {
        assert_eq!(which, VisibleMessages::Newest(tertulia_domain::Window::page(1, 20)));
        let ben = Author {
            id: BEN,
            ..message("x").sender
        };
        let file = Message {
            sender: ben,
            content: MessageContent::Present {
                body: None,
                attachments: vec![picture()],
            },
            edited_at: Some(NOW.plus(Duration::from_secs(1))),
            ..message("x")
        };
        Ok(Some(Counted {
            items: vec![file],
            total: 1,
        }))
    });
    let path = format!("/api/messages/{CHAT}?page=x&limit=");
    let body = asked(world, Method::GET, &path, None).await.json(200);
    let shown = &body["data"]["messages"][0];
    assert_eq!(
        (&shown["content"], &shown["senderId"], &shown["receiverId"]),
        (&json!("a b.png"), &json!(BEN.to_string()), &json!(ANA.to_string()))
    );
    assert_eq!(shown["updatedAt"], "2024-03-08T19:30:01.000Z");
    assert_eq!(body["data"]["pagination"]["limit"], 20);
}

#[actix_web::test]
async fn outsiders_read_nothing() {
    let path = format!("/api/messages/{CHAT}");
    let answer = asked(with_chat(Some(outside(overview()))), Method::GET, &path, None).await;
    says(&answer, 403, "No tienes permiso para ver los mensajes de este chat");
    let admin = Caller {
        role: Role::Admin,
        ..CALLER
    };
    let mut world = with_chat(Some(outside(overview()))).with_caller(admin);
    world.overviews.expect_list_messages().returning(|_, _| {
        Ok(Some(Counted {
            items: vec![],
            total: 0,
        }))
    });
    asked(world, Method::GET, &path, None).await.json(200);
}

#[actix_web::test]
async fn trouble_keeps_the_shape() {
    for (error, status, retry_after) in [
        (RepositoryError::Overloaded, 503, Some("1")),
        (RepositoryError::Unavailable("10.0.0.7 refused".into()), 503, Some("5")),
        (RepositoryError::Other("the disk is full".into()), 500, None),
    ] {
        let mut world = World::new();
        world.overviews.expect_list().return_once(|_| Err(error));
        let answer = asked(world, Method::GET, "/api/chats", None).await;
        let message = refuses(&answer, status);
        assert!(!message.contains("disk") && !message.contains("10.0.0.7"));
        assert_eq!(answer.header("retry-after"), retry_after);
    }
    let mut world = World::new();
    world.overviews.expect_list().returning(|_| panic!("a bug"));
    refuses(&asked(world, Method::GET, "/api/chats", None).await, 500);
}
