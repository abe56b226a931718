//! `amigos`, in both places where it is served.

use super::fails;
use crate::world::{
    ANA, Answer, Api, BEN, CALLER, CHAT, CLAIMED, FILE, KEY, MESSAGE, NOW, NOW_TEXT, SESSION, TOKEN, World, direct,
    group, member, message, picture, send, user,
};
use actix_web::web::Bytes;
use futures_util::stream;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tertulia_application::ports::{AccessToken, ByteStream, Inspection, MockObjectWriter};
use tertulia_domain::repository::{
    AppendError, Appended, CreatedChat, Credentials, InsertChatError, InsertUserError, OverviewOrder, ReadState,
    RepositoryError, StoredFile, UpdateUserError, VisibleMessages,
};
use tertulia_domain::{
    Author, Caller, Chat, ChatOverview, ChatView, Counted, Digest, Dimensions, EventSeq, File, FileName, FileStanding,
    LoginName, MediaType, MemberRole, Message, MessageBody, MessageContent, ObjectKey, OverviewMember, PasswordHash,
    PublicKey, Recorded, Role, Seq, Session, User, UserId, Username, Window,
};
use uuid::Uuid;

const PUBLIC: &str = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc";

const EVA: UserId = UserId::from_uuid(Uuid::from_u128(0xE7A));

/// The server both ways, with what stands before the paths.
fn both(world: impl Fn() -> World) -> [(Api, &'static str); 2] {
    [
        (world().start(), "/compat/amigos"),
        (world().start_mounted("amigos"), ""),
    ]
}

fn request(api: &Api, method: Method, base: &str, path: &str) -> RequestBuilder {
    api.anybody(method, &format!("{base}{path}")).bearer_auth(TOKEN)
}

async fn get(api: &Api, base: &str, path: &str) -> Answer {
    send(request(api, Method::GET, base, path)).await
}

async fn post(api: &Api, base: &str, path: &str, body: Value) -> Answer {
    send(request(api, Method::POST, base, path).json(&body)).await
}

async fn put(api: &Api, base: &str, path: &str, body: Value) -> Answer {
    send(request(api, Method::PUT, base, path).json(&body)).await
}

/// The whole of a failure.
#[track_caller]
fn is_failure(answer: &Answer, status: u16, message: &str) {
    assert_eq!(fails(answer, status), json!({"message": message}));
}

/// With parts: parameters of each one's disposition, and its content.
fn with_form(request: RequestBuilder, parts: &[Sent<'_>]) -> RequestBuilder {
    let mut body = Vec::new();
    for (parameters, content) in parts {
        body.extend_from_slice(format!("--=-=\r\nContent-Disposition: form-data; {parameters}\r\n\r\n").as_bytes());
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--=-=--\r\n");
    request
        .header("Content-Type", "multipart/form-data; boundary=\"=-=\"")
        .body(body)
}

fn public(name: &str) -> File {
    File {
        name: FileName::sanitise(name),
        public_key: Some(PublicKey::new(PUBLIC).unwrap()),
        ..picture()
    }
}

fn pictured(id: UserId, name: &str, avatar: File) -> User {
    User {
        avatar: Some(avatar),
        ..user(id, name)
    }
}

fn issued(world: &mut World) {
    let token = || AccessToken {
        token: "signed".into(),
        expires_at: NOW,
        expires_in: Duration::from_mins(15),
    };
    world.tokens.expect_issue_until().returning(move |_, _, _| Ok(token()));
}

fn registering(outcome: Result<(), InsertUserError>) -> World {
    let mut world = World::new();
    world
        .hasher
        .expect_hash()
        .returning(|_| Ok(PasswordHash::from_phc("hash".into())));
    let outcome = Mutex::new(Some(outcome));
    world.users.expect_insert().return_once(move |new| {
        assert_eq!((new.email, new.display_name), (None, None));
        outcome.lock().unwrap().take().unwrap()?;
        Ok(User {
            username: new.username,
            ..user(ANA, "ana")
        })
    });
    world.sessions.expect_insert().returning(|_, _| Ok(true));
    issued(&mut world);
    world
}

#[actix_web::test]
async fn registering_opens_a_session() {
    let account = json!({"username": "johndoe", "password": "secret123"});
    for (api, base) in both(|| registering(Ok(()))) {
        let answer = post(&api, base, "/api/auth/register/", account.clone()).await;
        let expected = json!({"token": "signed", "user": {"id": ANA.to_string(), "username": "johndoe"}});
        assert_eq!(answer.json(201), expected);
    }
    for (api, base) in both(|| registering(Err(InsertUserError::UsernameTaken))) {
        let answer = post(&api, base, "/api/auth/register", account.clone()).await;
        is_failure(&answer, 409, "El nombre de usuario ya está en uso");
    }
    for (api, base) in both(World::new) {
        for (body, message) in [
            (
                json!({}),
                "El campo 'username' es obligatorio; El campo 'password' es obligatorio",
            ),
            (
                json!({"username": 1, "password": "short"}),
                "El campo 'username' tiene un tipo incorrecto; El campo 'password' no es válido",
            ),
            (
                json!({"username": "x".repeat(33), "password": "x".repeat(129)}),
                "El campo 'username' no es válido; El campo 'password' no es válido",
            ),
        ] {
            is_failure(&post(&api, base, "/api/auth/register", body).await, 400, message);
        }
    }
}

#[actix_web::test]
async fn logging_in_by_username_alone() {
    let world = || {
        let mut world = World::new();
        world.users.expect_find_credentials().returning(|login| {
            let credentials = || Credentials {
                user: pictured(ANA, "ana", picture()),
                password: PasswordHash::from_phc("hash".into()),
            };
            Ok((*login == LoginName::Username("ana".into())).then(credentials))
        });
        world
            .hasher
            .expect_verify()
            .returning(|password, hash| Ok(hash.is_some() && password.expose() == "secret"));
        world.sessions.expect_insert().returning(|_, _| Ok(true));
        issued(&mut world);
        world
    };
    for (api, base) in both(world) {
        let log_in = async |username: &str, password: &str| {
            let body = json!({"username": username, "password": password});
            post(&api, base, "/api/auth/login", body).await
        };
        let profile_pic = format!("/uploads/{FILE}/a%20b.png");
        assert_eq!(
            log_in(" Ana", "secret").await.json(200),
            json!({"token": "signed", "user": {"id": ANA.to_string(), "username": "ana", "profilePic": profile_pic}})
        );
        for (username, password) in [
            ("ana", "another"),
            ("ana", ""),
            ("ben", "secret"),
            ("ana@example.org", "secret"),
        ] {
            is_failure(&log_in(username, password).await, 401, "Credenciales inválidas");
        }
    }
}

#[actix_web::test]
async fn whoever_is_suspended_is_told() {
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
    let api = world.start_mounted("amigos");
    let answer = post(
        &api,
        "",
        "/api/auth/login",
        json!({"username": "ana", "password": "secret"}),
    )
    .await;
    is_failure(&answer, 403, "La cuenta está suspendida");
}

#[actix_web::test]
async fn bodies_that_are_none() {
    let malformed = "La solicitud está mal formada";
    for (api, base) in both(World::new) {
        for path in ["/api/auth/login", "/api/chats", "/api/messages"] {
            let request = || request(&api, Method::POST, base, path);
            let json = || request().header("Content-Type", "application/json");
            for (bad, status, message) in [
                (request(), 400, malformed),
                (json().body("{"), 400, malformed),
                (json().body("[]"), 400, "Los datos no son válidos"),
                (json().body(vec![0xff]), 400, malformed),
                (
                    json().body(vec![b' '; 300_000]),
                    413,
                    "El contenido es demasiado grande",
                ),
                (request().body("x"), 415, "Tipo de contenido no admitido"),
                (
                    request().header("Content-Type", "text/plain").body("{}"),
                    415,
                    "Tipo de contenido no admitido",
                ),
            ] {
                is_failure(&send(bad).await, status, message);
            }
        }
        let wrong = send(request(&api, Method::PATCH, base, "/api/chats")).await;
        is_failure(&wrong, 405, "Método no permitido");
        assert_eq!(wrong.header("allow"), Some("GET, HEAD, POST"));
        is_failure(&get(&api, base, "/api/nothing").await, 404, "Recurso no encontrado");
        let stranger = send(api.anybody(Method::GET, &format!("{base}/api/chats"))).await;
        is_failure(&stranger, 401, "Token de autenticación inválido o ausente");
    }
}

fn overview(view: ChatView) -> ChatOverview {
    let member = |user: User, unread| OverviewMember {
        member: member(user, MemberRole::Member),
        unread,
    };
    ChatOverview {
        chat: view.chat,
        blocked: view.blocked,
        last_message: view.last_message,
        note: None,
        membership: view.membership,
        members: vec![
            member(pictured(ANA, "ana", public("ñ.png")), 2),
            member(
                User {
                    username: None,
                    last_seen_at: Some(NOW),
                    ..user(BEN, "ben")
                },
                0,
            ),
        ],
    }
}

/// A message that is only a file.
fn only_file(file: File) -> Message {
    Message {
        content: MessageContent::Present {
            body: None,
            attachments: vec![file],
        },
        ..message("x")
    }
}

#[actix_web::test]
async fn chats_are_listed_whole() {
    let world = || {
        let mut world = World::new();
        world
            .overviews
            .expect_list()
            .withf(|list| {
                let window = (list.window.skip(), list.window.take());
                (
                    list.viewer,
                    list.everybodys,
                    list.with,
                    list.direct,
                    list.members,
                    list.order,
                ) == (ANA, false, None, false, true, OverviewOrder::Activity)
                    && window == (0, 500)
            })
            .returning(|_| {
                let group = overview(ChatView {
                    chat: Chat {
                        avatar: Some(public("g.png")),
                        ..group().chat
                    },
                    ..group()
                });
                let private = ChatOverview {
                    last_message: Some(only_file(picture())),
                    ..overview(direct())
                };
                let silent = ChatOverview {
                    last_message: None,
                    members: Vec::new(),
                    ..overview(direct())
                };
                Ok(Counted {
                    items: vec![group, private, silent],
                    total: 3,
                })
            });
        world
    };
    for (api, base) in both(world) {
        let [ana, ben, chat] = [ANA.to_string(), BEN.to_string(), CHAT.to_string()];
        // Ana just made a request.
        let users = json!([
            {"userId": ana, "chatId": chat, "unreadCount": 2, "joinedAt": NOW_TEXT, "user": {
                "id": ana, "username": "ana", "profilePic": format!("/uploads/{PUBLIC}/%C3%B1.png"),
                "lastSeen": NOW_TEXT, "online": true,
            }},
            {"userId": ben, "chatId": chat, "unreadCount": 0, "joinedAt": NOW_TEXT, "user": {
                "id": ben, "username": "BEN", "profilePic": null, "lastSeen": NOW_TEXT, "online": true,
            }},
        ]);
        let expected = json!([
            {
                "id": chat, "isGroup": true, "name": "Poets", "profilePic": format!("/uploads/{PUBLIC}/g.png"),
                "createdAt": NOW_TEXT, "updatedAt": NOW_TEXT, "users": users,
                "messages": [{
                    "id": MESSAGE.to_string(), "content": "hi", "createdAt": NOW_TEXT, "senderId": ana, "fileUrl": null,
                }],
            },
            {
                "id": chat, "isGroup": false, "name": null, "profilePic": null,
                "createdAt": NOW_TEXT, "updatedAt": NOW_TEXT, "users": users,
                "messages": [{
                    "id": MESSAGE.to_string(), "content": "", "createdAt": NOW_TEXT, "senderId": ana,
                    "fileUrl": format!("/uploads/{FILE}/a%20b.png"),
                }],
            },
            {
                "id": chat, "isGroup": false, "name": null, "profilePic": null,
                "createdAt": NOW_TEXT, "updatedAt": NOW_TEXT, "users": [], "messages": [],
            },
        ]);
        assert_eq!(get(&api, base, "/api/chats").await.json(200), expected);
    }
}

#[actix_web::test]
async fn nothing_is_seen_of_whom_there_is_a_block_with() {
    let mut world = World::new().with_caller(Caller { blocks: true, ..CALLER });
    world
        .moderation
        .expect_blocked_either_way()
        .returning(|_| Ok(vec![BEN]));
    world.overviews.expect_list().returning(|_| {
        Ok(Counted {
            items: vec![overview(group())],
            total: 1,
        })
    });
    let api = world.start_mounted("amigos");
    let users = get(&api, "", "/api/chats").await.json(200)[0]["users"].clone();
    assert_eq!(
        (&users[0]["user"]["online"], &users[1]["user"]["online"]),
        (&json!(true), &json!(false))
    );
    assert_eq!(users[1]["user"]["lastSeen"], json!(null));
}

#[actix_web::test]
async fn starting_a_direct_chat() {
    for (created, status) in [(true, 201), (false, 200)] {
        let world = || {
            let mut world = World::new();
            world
                .chats
                .expect_insert_direct()
                .withf(|chat, _| (chat.creator, chat.other) == (ANA, BEN))
                .returning(move |_, _| {
                    Ok(Recorded::Fresh(CreatedChat {
                        view: direct(),
                        created,
                    }))
                });
            world
        };
        for (api, base) in both(world) {
            for ids in [vec![BEN], vec![ANA, BEN], vec![BEN, BEN]] {
                let ids: Vec<String> = ids.into_iter().map(|id| id.to_string()).collect();
                let body = json!({"isGroup": false, "name": 7, "userIds": ids});
                assert_eq!(
                    post(&api, base, "/api/chats", body).await.json(status),
                    json!({"id": CHAT.to_string(), "isGroup": false, "name": null})
                );
            }
        }
    }
    for (error, status, message) in [
        (InsertChatError::UserNotFound(BEN), 404, "Usuario no encontrado"),
        (InsertChatError::Blocked, 403, "No puedes chatear con este usuario"),
        (
            RepositoryError::Overloaded.into(),
            503,
            "El servidor está sobrecargado; inténtalo de nuevo más tarde",
        ),
    ] {
        let mut world = World::new();
        world.chats.expect_insert_direct().return_once(|_, _| Err(error));
        let api = world.start_mounted("amigos");
        let body = json!({"isGroup": false, "userIds": [BEN.to_string()]});
        is_failure(&post(&api, "", "/api/chats", body).await, status, message);
    }
}

#[actix_web::test]
async fn starting_a_group() {
    let world = || {
        let mut world = World::new();
        world
            .chats
            .expect_insert_group()
            .withf(|group, _| {
                (group.title.as_str(), group.owner, group.members.as_slice()) == ("Nuevo Grupo", ANA, &[BEN, EVA])
            })
            .returning(|_, _| {
                Ok(Recorded::Fresh(CreatedChat {
                    view: group(),
                    created: true,
                }))
            });
        world
    };
    for (api, base) in both(world) {
        let ids = [BEN, ANA, EVA, BEN].map(|id| id.to_string());
        let body = json!({"isGroup": true, "name": "Nuevo Grupo", "userIds": ids});
        assert_eq!(
            post(&api, base, "/api/chats", body).await.json(201),
            json!({"id": CHAT.to_string(), "isGroup": true, "name": "Poets"})
        );
    }
    let mut world = World::new();
    let refused = world.chats.expect_insert_group();
    refused.return_once(|_, _| Err(InsertChatError::UserNotFound(BEN)));
    let api = world.start_mounted("amigos");
    let body = json!({"isGroup": true, "name": "x", "userIds": [BEN.to_string()]});
    is_failure(&post(&api, "", "/api/chats", body).await, 404, "Usuario no encontrado");
}

#[actix_web::test]
async fn chats_that_can_not_be() {
    let (ana, ben, eva) = (ANA.to_string(), BEN.to_string(), EVA.to_string());
    let alone = "Un chat directo necesita exactamente otro usuario";
    let many: Vec<String> = (0..=Chat::MAX_FIRST_MEMBERS as u128)
        .map(|id| Uuid::from_u128(0x1000 + id).to_string())
        .collect();
    for (api, base) in both(World::new) {
        for (body, message) in [
            (
                json!({}),
                "El campo 'isGroup' es obligatorio; El campo 'userIds' es obligatorio",
            ),
            (
                json!({"isGroup": "true", "userIds": ben}),
                "El campo 'isGroup' tiene un tipo incorrecto; El campo 'userIds' tiene un tipo incorrecto",
            ),
            (json!({"isGroup": false, "userIds": []}), alone),
            (json!({"isGroup": false, "userIds": [ana]}), alone),
            (json!({"isGroup": false, "userIds": [ben, eva]}), alone),
            (
                json!({"isGroup": false, "userIds": ["user-uuid-1", 2]}),
                "El campo 'userIds[0]' no es válido; El campo 'userIds[1]' tiene un tipo incorrecto",
            ),
            (
                json!({"isGroup": true, "userIds": [ben]}),
                "El campo 'name' es obligatorio",
            ),
            (
                json!({"isGroup": true, "name": " ", "userIds": [ben]}),
                "El campo 'name' no es válido",
            ),
            (
                json!({"isGroup": true, "name": "x".repeat(201), "userIds": [ben]}),
                "El campo 'name' no es válido",
            ),
            (
                json!({"isGroup": true, "name": "x", "userIds": many}),
                "El grupo tiene demasiados miembros",
            ),
        ] {
            is_failure(&post(&api, base, "/api/chats", body).await, 400, message);
        }
    }
}

/// Whom a chat shows itself to: to its members, to others, or there is none.
fn seen(view: Option<ChatView>) -> World {
    let mut world = World::new();
    world.chats.expect_find().returning(move |_, _| Ok(view.clone()));
    world
}

fn foreign() -> ChatView {
    ChatView {
        membership: None,
        ..group()
    }
}

#[actix_web::test]
async fn renaming() {
    let world = || {
        let mut world = seen(Some(group()));
        world
            .chats
            .expect_rename()
            .withf(|_, title, _| title.as_str() == "Nombre Editado")
            .returning(|_, _, _| Ok(true));
        world
    };
    let name = json!({"name": "Nombre Editado"});
    let path = format!("/api/chats/{CHAT}");
    for (api, base) in both(world) {
        assert_eq!(
            put(&api, base, &path, name.clone()).await.json(200),
            json!({"name": "Poets"})
        );
        for (body, message) in [
            (json!({}), "El campo 'name' es obligatorio"),
            (json!({"name": ""}), "El campo 'name' no es válido"),
            (json!({"name": []}), "El campo 'name' tiene un tipo incorrecto"),
        ] {
            is_failure(&put(&api, base, &path, body).await, 400, message);
        }
        let answer = put(&api, base, "/api/chats/chat-uuid-1234", name.clone()).await;
        is_failure(&answer, 404, "Recurso no encontrado");
    }
    for (view, status, message) in [
        (Some(foreign()), 403, "No eres miembro de este chat"),
        (None, 404, "Chat no encontrado"),
        (Some(direct()), 400, "Un chat directo no tiene nombre"),
    ] {
        for (api, base) in both(|| seen(view.clone())) {
            is_failure(&put(&api, base, &path, name.clone()).await, status, message);
        }
    }
}

/// A chat with these messages, newest first.
fn holding(expected: VisibleMessages, messages: Vec<Message>, read: Option<i64>) -> World {
    let mut world = seen(Some(group()));
    world
        .overviews
        .expect_list_messages()
        .withf(move |chat, which| (*chat, *which) == (CHAT, expected))
        .returning(move |_, _| {
            Ok(Some(Counted {
                items: messages.clone(),
                total: 7,
            }))
        });
    if let Some(read) = read {
        let seq = Seq::new(read).unwrap();
        let marked = world.chats.expect_mark_read();
        marked.withf(move |chat, user, to, at| (*chat, *user, *to, *at) == (CHAT, ANA, seq, NOW));
        marked.returning(move |_, _, seq, _| {
            Ok(Some(ReadState {
                moved: true,
                read_seq: seq,
                last_seq: seq,
            }))
        });
    }
    world
}

#[actix_web::test]
async fn messages_are_listed_oldest_first_and_read_thereby() {
    let newest = Message {
        sender: Author {
            username: None,
            ..message("x").sender
        },
        seq: Seq::new(5).unwrap(),
        ..only_file(public("image.png"))
    };
    let messages = vec![newest, message("Hola, ¿qué tal?")];
    let page = |size| VisibleMessages::Newest(Window::page(1, size));
    let before = VisibleMessages::Before(MESSAGE, 2);
    for (query, expected) in [
        (String::new(), page(100)),
        ("?limit=7".into(), page(7)),
        ("?limit=501".into(), page(500)),
        ("?limit=99999999999999".into(), page(500)),
        ("?limit=0".into(), page(100)),
        ("?limit=-1".into(), page(100)),
        ("?limit=x".into(), page(100)),
        (format!("?limit=2&before={MESSAGE}"), before),
    ] {
        for (api, base) in both(|| holding(expected, messages.clone(), Some(5))) {
            let id = MESSAGE.to_string();
            assert_eq!(
                get(&api, base, &format!("/api/messages/{CHAT}{query}")).await.json(200),
                json!([
                    {
                        "id": id, "content": "Hola, ¿qué tal?", "fileUrl": null, "createdAt": NOW_TEXT,
                        "sender": {"id": ANA.to_string(), "username": "ana"},
                    },
                    {
                        "id": id, "content": "", "fileUrl": format!("/uploads/{PUBLIC}/image.png"),
                        "createdAt": NOW_TEXT, "sender": {"id": ANA.to_string(), "username": null},
                    },
                ])
            );
        }
    }
    let empty = VisibleMessages::Newest(Window::page(1, 100));
    let api = holding(empty, Vec::new(), None).start_mounted("amigos");
    assert_eq!(
        get(&api, "", &format!("/api/messages/{CHAT}/")).await.json(200),
        json!([])
    );
}

#[actix_web::test]
async fn messages_that_can_not_be_listed() {
    let path = format!("/api/messages/{CHAT}");
    for (view, status, message) in [
        (Some(foreign()), 403, "No eres miembro de este chat"),
        (None, 404, "Chat no encontrado"),
    ] {
        for (api, base) in both(|| seen(view.clone())) {
            for query in [String::new(), format!("?before={MESSAGE}")] {
                is_failure(&get(&api, base, &format!("{path}{query}")).await, status, message);
            }
        }
    }
    let unknown = || {
        let mut world = seen(Some(group()));
        world.overviews.expect_list_messages().returning(|_, _| Ok(None));
        world
    };
    for (api, base) in both(unknown) {
        let answer = get(&api, base, &format!("{path}?before={MESSAGE}")).await;
        is_failure(&answer, 404, "Mensaje no encontrado");
        let answer = get(&api, base, &format!("{path}?before=msg-uuid-5678")).await;
        is_failure(&answer, 400, "El campo 'before' no es válido");
        let answer = get(&api, base, &format!("{path}?limit=1&limit=2")).await;
        is_failure(&answer, 400, "La solicitud está mal formada");
        let answer = get(&api, base, "/api/messages/chat-uuid-1234").await;
        is_failure(&answer, 404, "Recurso no encontrado");
    }
}

#[actix_web::test]
async fn a_service_admin_reads_from_outside() {
    let admin = Caller {
        role: Role::Admin,
        ..CALLER
    };
    let mut world = World::new().with_caller(admin);
    world.chats.expect_find().returning(|_, _| Ok(Some(foreign())));
    world.overviews.expect_list_messages().returning(|_, _| {
        Ok(Some(Counted {
            items: vec![message("hi")],
            total: 1,
        }))
    });
    world.chats.expect_mark_read().returning(|_, _, _, _| Ok(None));
    let api = world.start_mounted("amigos");
    let messages = get(&api, "", &format!("/api/messages/{CHAT}")).await.json(200);
    assert_eq!(messages[0]["content"], "hi");
}

/// The names of files that were kept, and how many were dropped.
type Log = Arc<Mutex<(Vec<String>, u32)>>;

/// Parameters of a part's disposition, and its content.
type Sent<'a> = (&'a str, &'a [u8]);

/// A world that takes files of up to 1,000 bytes, with what was kept and how many were dropped. What begins with `PNG` is a
/// picture.
fn taking(mut world: World) -> (World, Log) {
    let log = Log::default();
    world.policy.files.max_bytes = 1000;
    let dropped = Arc::clone(&log);
    world.store.expect_create().returning(move |_| {
        let mut writer = MockObjectWriter::new();
        writer.expect_write().returning(|_| Ok(()));
        writer.expect_finish().returning(|| Ok(()));
        let dropped = Arc::clone(&dropped);
        writer.expect_abort().returning(move || {
            dropped.lock().unwrap().1 += 1;
            Ok(())
        });
        Ok(Box::new(writer))
    });
    world.files.expect_announce().returning(|_, _| Ok(()));
    world.files.expect_forget_objects().returning(|_| Ok(()));
    world.images.expect_inspect().returning(|head| {
        let picture = head.starts_with(b"PNG");
        Inspection {
            media_type: MediaType::new(if picture { "image/png" } else { "text/html" }).unwrap(),
            dimensions: picture.then_some(Dimensions { width: 4, height: 3 }),
        }
    });
    let kept = Arc::clone(&log);
    world.files.expect_insert().returning(move |new| {
        kept.lock().unwrap().0.push(new.name.as_str().to_owned());
        Ok(Some(File {
            id: FILE,
            name: new.name,
            media_type: new.media_type,
            size: new.size,
            dimensions: new.dimensions,
            public_key: new.public_key,
        }))
    });
    (world, log)
}

/// A chat in which one can say that, with that file.
fn sending(content: Option<&'static str>, file: Option<&'static str>) -> World {
    let mut world = seen(Some(group()));
    world.messages.expect_append().returning(move |new| {
        assert_eq!((new.chat_id, new.session, new.addressee), (CHAT, CLAIMED, None));
        assert_eq!(new.draft.body().map(MessageBody::as_str), content);
        assert_eq!(new.draft.attachments().len(), usize::from(file.is_some()));
        Ok(Appended {
            event: EventSeq::default(),
            message: Message {
                content: MessageContent::Present {
                    body: new.draft.body().cloned(),
                    attachments: file.map(public).into_iter().collect(),
                },
                ..message("x")
            },
            replayed: false,
        })
    });
    world
}

fn sent(content: &str, file: Option<(&str, &str)>) -> Value {
    json!({
        "id": MESSAGE.to_string(), "chatId": CHAT.to_string(), "senderId": ANA.to_string(), "content": content,
        "fileUrl": file.map(|(_, encoded)| format!("/uploads/{PUBLIC}/{encoded}")),
        "fileName": file.map(|(name, _)| name), "createdAt": NOW_TEXT,
        "sender": {"id": ANA.to_string(), "username": "ana"},
    })
}

const CHAT_ID: &str = "name=\"chatId\"";
const CONTENT: &str = "name=\"content\"";

#[actix_web::test]
async fn sending_a_text() {
    for (api, base) in both(|| sending(Some("Hola, ¿qué tal?\n:)"), None)) {
        let text = "Hola, ¿qué tal?\n:) ";
        let body = json!({"chatId": CHAT.to_string(), "content": text});
        let expected = sent("Hola, ¿qué tal?\n:)", None);
        assert_eq!(post(&api, base, "/api/messages", body).await.json(201), expected);
        let chat = CHAT.to_string();
        let form = with_form(
            request(&api, Method::POST, base, "/api/messages"),
            &[
                ("name=\"other\"", b"x"),
                (CONTENT, "Hola, ¿qué tal?\r\n:) ".as_bytes()),
                (CHAT_ID, chat.as_bytes()),
            ],
        );
        assert_eq!(send(form).await.json(201), expected);
    }
}

#[actix_web::test]
async fn sending_a_file() {
    let chat = CHAT.to_string();
    for (content, expected) in [("", None), ("Mira", Some("Mira"))] {
        for (place, base) in ["/compat/amigos", ""].into_iter().enumerate() {
            let (world, log) = taking(sending(expected, Some("año 1.png")));
            let api = if place == 0 {
                world.start()
            } else {
                world.start_mounted("amigos")
            };
            let form = with_form(
                request(&api, Method::POST, base, "/api/messages"),
                &[
                    ("name=\"file\"; filename=\"../año 1.png\"", b"PNG"),
                    (CHAT_ID, chat.as_bytes()),
                    (CONTENT, content.as_bytes()),
                ],
            );
            let file = Some(("año 1.png", "a%C3%B1o%201.png"));
            assert_eq!(send(form).await.json(201), sent(content, file));
            assert_eq!(*log.lock().unwrap(), (vec!["año 1.png".to_owned()], 0));
        }
    }
}

#[actix_web::test]
async fn no_file_was_chosen() {
    let (world, log) = taking(sending(Some("Hola"), None));
    let api = world.start_mounted("amigos");
    let chat = CHAT.to_string();
    let form = |parts: &[Sent<'_>]| with_form(request(&api, Method::POST, "", "/api/messages"), parts);
    let nothing: (&str, &[u8]) = ("name=\"file\"; filename=\"\"", b"");
    let answer = send(form(&[(CHAT_ID, chat.as_bytes()), (CONTENT, b"Hola"), nothing])).await;
    assert_eq!(answer.json(201), sent("Hola", None));
    let answer = send(form(&[(CHAT_ID, chat.as_bytes()), nothing])).await;
    is_failure(&answer, 400, "El mensaje necesita un texto o un archivo");
    assert!(log.lock().unwrap().0.is_empty());
}

#[actix_web::test]
async fn forms_that_are_refused_leave_nothing() {
    let chat = CHAT.to_string();
    let chat: (&str, &[u8]) = (CHAT_ID, chat.as_bytes());
    let file: (&str, &[u8]) = ("name=\"file\"; filename=\"a.png\"", b"PNG");
    let large = vec![b'x'; 1001];
    let long = "x".repeat(8001);
    let cases: Vec<(Option<ChatView>, Vec<Sent<'_>>, u16, &str)> = vec![
        (Some(group()), vec![file], 400, "El campo 'chatId' es obligatorio"),
        (
            Some(group()),
            vec![file, (CHAT_ID, b"chat-uuid-1234")],
            400,
            "El campo 'chatId' no es válido",
        ),
        (
            Some(group()),
            vec![file, chat, (CONTENT, long.as_bytes())],
            400,
            "El campo 'content' no es válido",
        ),
        (
            Some(group()),
            vec![file, chat, (CONTENT, b"\xff")],
            400,
            "La solicitud está mal formada",
        ),
        (
            Some(group()),
            vec![file, chat, file],
            400,
            "El campo 'file' no es válido",
        ),
        (
            Some(group()),
            vec![chat, ("name=\"file\"; filename=\"a.png\"", b"")],
            400,
            "El campo 'file' no es válido",
        ),
        (
            Some(group()),
            vec![chat, ("name=\"file\"; filename=\"a.png\"", &large)],
            413,
            "El contenido es demasiado grande",
        ),
        (Some(foreign()), vec![file, chat], 403, "No eres miembro de este chat"),
        (None, vec![file, chat], 404, "Chat no encontrado"),
        (
            Some(ChatView {
                blocked: true,
                ..direct()
            }),
            vec![file, chat],
            403,
            "No puedes enviar mensajes a este usuario",
        ),
    ];
    for (view, parts, status, message) in cases {
        let (world, log) = taking(seen(view));
        let api = world.start_mounted("amigos");
        let form = with_form(request(&api, Method::POST, "", "/api/messages"), &parts);
        is_failure(&send(form).await, status, message);
        assert_eq!(*log.lock().unwrap(), (vec![], 1), "{message}");
    }
}

#[actix_web::test]
async fn texts_that_are_refused() {
    let chat = CHAT.to_string();
    for (api, base) in both(World::new) {
        for (body, message) in [
            (
                json!({}),
                "El campo 'chatId' es obligatorio; El campo 'content' es obligatorio",
            ),
            (
                json!({"chatId": chat, "content": null}),
                "El campo 'content' es obligatorio",
            ),
            (
                json!({"chatId": chat, "content": " "}),
                "El campo 'content' no es válido",
            ),
            (
                json!({"chatId": "chat-uuid-1234", "content": "x"}),
                "El campo 'chatId' no es válido",
            ),
            (
                json!({"chatId": chat, "content": "x".repeat(8001)}),
                "El campo 'content' no es válido",
            ),
        ] {
            is_failure(&post(&api, base, "/api/messages", body).await, 400, message);
        }
    }
    for (view, error, status, message) in [
        (
            Some(foreign()),
            AppendError::ChatNotFound,
            403,
            "No eres miembro de este chat",
        ),
        (None, AppendError::ChatNotFound, 404, "Chat no encontrado"),
        (
            Some(direct()),
            AppendError::Blocked,
            403,
            "No puedes enviar mensajes a este usuario",
        ),
        (
            None,
            AppendError::SessionEnded,
            401,
            "Token de autenticación inválido o ausente",
        ),
    ] {
        let mut world = seen(view);
        world.messages.expect_append().return_once(|_| Err(error));
        let api = world.start_mounted("amigos");
        let body = json!({"chatId": chat, "content": "x"});
        is_failure(&post(&api, "", "/api/messages", body).await, status, message);
    }
}

/// Ana can be renamed and pictured.
fn changing() -> World {
    let mut world = World::new();
    world.users.expect_find().returning(|id| Ok(Some(user(id, "ana"))));
    world.users.expect_update().returning(|id, changes, _| {
        assert_eq!((changes.email, changes.display_name), (None, None));
        let username = changes.username.flatten().unwrap();
        if username == Username::new("taken").unwrap() {
            return Err(UpdateUserError::UsernameTaken);
        }
        Ok(user(id, username.as_str()))
    });
    world
        .users
        .expect_set_avatar()
        .returning(|id, file, _| Ok(file.map(|_| pictured(id, "pictured", public("a.png")))));
    world.sessions.expect_list().returning(|_, _| {
        Ok(vec![Session {
            id: SESSION,
            user_id: ANA,
            device: None,
            ip: None,
            created_at: NOW,
            last_used_at: NOW,
            expires_at: NOW,
        }])
    });
    issued(&mut world);
    world
}

#[actix_web::test]
async fn being_renamed() {
    for (api, base) in both(changing) {
        let path = "/api/users/profile";
        let by_query = format!("{path}?username=newjohndoe");
        let put = |path: &str| request(&api, Method::PUT, base, path);
        let form = "application/x-www-form-urlencoded";
        for (good, name) in [
            (put(&by_query), "newjohndoe"),
            (
                put(&format!("{by_query}x")).json(&json!({"username": "newjohndoe"})),
                "newjohndoe",
            ),
            (put(&by_query).json(&json!({"username": null})), "newjohndoe"),
            (put(path).json(&json!({"username": "newjohndoe"})), "newjohndoe"),
            (
                put(path).header("Content-Type", form).body("username=newjohndoe"),
                "newjohndoe",
            ),
            (
                with_form(put(path), &[("name=\"username\"", b"newjohndoe")]),
                "newjohndoe",
            ),
            (with_form(put(&by_query), &[("name=\"username\"", b"")]), "newjohndoe"),
            (put(path), "ana"),
            (put(path).header("Content-Type", "application/json"), "ana"),
            (put(path).json(&json!({})), "ana"),
        ] {
            let expected =
                json!({"token": "signed", "user": {"id": ANA.to_string(), "username": name, "profilePic": null}});
            assert_eq!(send(good).await.json(200), expected);
        }
        let invalid = "El campo 'username' no es válido";
        for (bad, status, message) in [
            (
                put(&format!("{path}?username=taken")),
                409,
                "El nombre de usuario ya está en uso",
            ),
            (put(&format!("{path}?username=")), 400, invalid),
            (put(&format!("{path}?username=a%20b%20c")), 400, invalid),
            (put(path).json(&json!({"username": "x"})), 400, invalid),
            (with_form(put(path), &[("name=\"username\"", b"x")]), 400, invalid),
            (
                put(path).json(&json!({"username": 5})),
                400,
                "El campo 'username' tiene un tipo incorrecto",
            ),
            (put(path).body("x"), 415, "Tipo de contenido no admitido"),
        ] {
            is_failure(&send(bad).await, status, message);
        }
    }
}

#[actix_web::test]
async fn being_pictured() {
    for field in ["profilePic", "file"] {
        let (world, log) = taking(changing());
        let api = world.start_mounted("amigos");
        let parameters = format!("name=\"{field}\"; filename=\"a.png\"");
        let put = |content: &[u8], name: &[u8]| {
            let request = request(&api, Method::PUT, "", "/api/users/profile");
            with_form(request, &[(&parameters, content), ("name=\"username\"", name)])
        };
        let answer = send(put(b"PNG", b"newjohndoe")).await;
        let expected = json!({
            "token": "signed",
            "user": {
                "id": ANA.to_string(), "username": "pictured", "profilePic": format!("/uploads/{PUBLIC}/a.png"),
            },
        });
        assert_eq!(answer.json(200), expected);
        assert_eq!(*log.lock().unwrap(), (vec!["a.png".to_owned()], 0));
        let answer = send(put(b"PNG", b"x")).await;
        is_failure(&answer, 400, "El campo 'username' no es válido");
        assert_eq!(log.lock().unwrap().1, 1);
        let answer = send(put(b"PNG", b"taken")).await;
        is_failure(&answer, 409, "El nombre de usuario ya está en uso");
    }
    // What is no picture changes nothing, the name neither.
    let (world, _) = taking(World::new());
    let api = world.start_mounted("amigos");
    let form = with_form(
        request(&api, Method::PUT, "", "/api/users/profile"),
        &[
            ("name=\"profilePic\"; filename=\"a.png\"", b"<svg>"),
            ("name=\"username\"", b"newjohndoe"),
        ],
    );
    is_failure(&send(form).await, 415, "Tipo de contenido no admitido");
}

#[actix_web::test]
async fn keys_change_nobody() {
    let api = World::new().with_key("read write manage").start();
    let request = api.anybody(Method::PUT, "/compat/amigos/api/users/profile?username=newjohndoe");
    let answer = send(request.bearer_auth(KEY)).await;
    is_failure(&answer, 403, "No tienes permiso para realizar esta acción");
}

#[actix_web::test]
async fn files_are_where_they_are_said_to_be() {
    let stored = || StoredFile {
        file: picture(),
        digest: Digest([0; 32]),
        object: ObjectKey::from_string("objects/x".into()),
        thumbnail: None,
    };
    let world = || {
        let mut world = World::new();
        world
            .files
            .expect_find_public()
            .returning(move |key| Ok((key.as_str() == PUBLIC).then(stored)));
        world.files.expect_find().returning(move |id, _| {
            let standing = FileStanding {
                owner: false,
                shared: true,
                service_admin: false,
            };
            Ok((id == FILE).then(|| (stored(), standing)))
        });
        world.store.expect_read().returning(|_, range| {
            let [start, end] = [range.start, range.end].map(|place| usize::try_from(place).unwrap());
            let bytes = Bytes::from_static(b"0123456789").slice(start..end);
            Ok(Box::pin(stream::iter([Ok(bytes)])) as ByteStream)
        });
        world
    };
    for (api, base) in both(world) {
        let anybody = |path: &str| api.anybody(Method::GET, &format!("{base}{path}"));
        let by_key = format!("/uploads/{PUBLIC}/a%20b.png");
        let by_id = format!("/uploads/{FILE}/a%20b.png");
        for request in [anybody(&by_key), anybody(&by_id).bearer_auth(TOKEN)] {
            let answer = send(request).await;
            assert_eq!(
                (answer.status, answer.bytes.as_slice()),
                (200, b"0123456789".as_slice())
            );
            assert_eq!(answer.header("content-type"), Some("image/png"));
        }
        let part = send(anybody(&by_key).header("Range", "bytes=2-3")).await;
        assert_eq!((part.status, part.bytes.as_slice()), (206, b"23".as_slice()));
        let beyond = send(anybody(&by_key).header("Range", "bytes=20-")).await;
        is_failure(&beyond, 400, "El rango solicitado no existe");
        let unknown = Uuid::from_u128(7);
        for (request, status, message) in [
            (anybody(&by_id), 401, "Token de autenticación inválido o ausente"),
            (
                anybody(&by_id).bearer_auth("nonsense"),
                401,
                "Token de autenticación inválido o ausente",
            ),
            (
                anybody(&format!("/uploads/{unknown}/x")).bearer_auth(TOKEN),
                404,
                "Recurso no encontrado",
            ),
            (
                anybody(&format!("/uploads/{}/x", "x".repeat(43))),
                404,
                "Recurso no encontrado",
            ),
            (anybody("/uploads/short/x"), 404, "Recurso no encontrado"),
            (anybody("/uploads/avatar.jpg"), 404, "Recurso no encontrado"),
        ] {
            is_failure(&send(request).await, status, message);
        }
    }
}
