//! `amigos`, by its own examples.

use super::{Door, at_each_door};
use crate::support::{Answer, Form, PASSWORD, Person, picture};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;

at_each_door! { "amigos":
    the_conversation_of_the_document
    names_are_taken_once
    a_direct_chat_is_there_once
    what_is_unread_is_exact
    chats_are_for_their_members
    history_goes_back
    another_name_is_the_same_session
    files_go_both_ways
    deleted_messages_were_never_there
    who_blocks_is_not_seen
    what_is_wrong_is_told
}

/// Registers somebody with that name: their id and token.
async fn enter(door: &Door, username: &str) -> (String, String) {
    let account = json!({"username": username, "password": "secret123"});
    let session = door.post("", "/api/auth/register", account).await.is(201);
    (text(&session["user"]["id"]), text(&session["token"]))
}

async fn put(door: &Door, token: &str, path: &str, body: Value) -> Answer {
    Answer::to(door.request(Method::PUT, path).bearer_auth(token).json(&body)).await
}

async fn send_form(door: &Door, token: &str, method: Method, path: &str, form: Form) -> Answer {
    Answer::to(form.on(door.request(method, path).bearer_auth(token))).await
}

/// Makes a group with those users: its id.
async fn group(door: &Door, token: &str, users: &[&str]) -> String {
    let body = json!({"isGroup": true, "name": "Amigos", "userIds": users});
    text(&door.post(token, "/api/chats", body).await.is(201)["id"])
}

async fn say(door: &Door, token: &str, chat: &str, content: &str) -> Value {
    let message = json!({"chatId": chat, "content": content});
    door.post(token, "/api/messages", message).await.is(201)
}

async fn chats(door: &Door, token: &str) -> Vec<Value> {
    door.get(token, "/api/chats").await.is(200).as_array().unwrap().clone()
}

async fn contents(door: &Door, token: &str, path: &str) -> Vec<String> {
    let messages = door.get(token, &format!("/api/messages/{path}")).await.is(200);
    let messages = messages.as_array().unwrap().clone();
    messages.iter().map(|message| text(&message["content"])).collect()
}

/// How much of its newest listed chat somebody has not read, as anybody is told.
async fn unread(door: &Door, token: &str, user: &str) -> Value {
    let chat = chats(door, token).await[0].clone();
    let users = chat["users"].as_array().unwrap().clone();
    users.iter().find(|member| member["userId"] == user).unwrap()["unreadCount"].clone()
}

/// The same user in the native API.
fn native(door: &Door, (id, token): &(String, String)) -> Person {
    let session = json!({"user": {"id": id}, "access_token": token, "refresh_token": ""});
    Person::from_session(door.native(), &session)
}

/// The whole of a failure.
#[track_caller]
fn is_failure(answer: Answer, status: u16, message: &str) {
    assert_eq!(answer.header("content-type"), Some("application/json"), "{answer:?}");
    assert_eq!(answer.is(status), json!({"message": message}));
}

#[track_caller]
fn is_time(value: &Value) {
    let form = "0000-00-00T00:00:00.000Z";
    let shape: String = text(value)
        .chars()
        .map(|c| if c.is_ascii_digit() { '0' } else { c })
        .collect();
    assert_eq!(shape, form);
}

#[track_caller]
fn is_upload(value: &Value, name: &str) {
    let url = text(value);
    assert!(
        url.starts_with("/uploads/") && url.ends_with(&format!("/{name}")),
        "{url}"
    );
}

fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("{value} is no text"))
        .to_owned()
}

async fn the_conversation_of_the_document(door: &Door) {
    let account = json!({"username": "johndoe", "password": "secret123"});
    let session = door.post("", "/api/auth/register", account.clone()).await.is(201);
    let (john, token) = (text(&session["user"]["id"]), text(&session["token"]));
    assert_eq!(
        session,
        json!({"token": token, "user": {"id": john, "username": "johndoe"}})
    );
    let (eva, evas) = enter(door, "evalopez").await;

    let form = Form::new().file_in("profilePic", "avatar.jpg", &picture(4, 3, 1));
    let changed = send_form(door, &token, Method::PUT, "/api/users/profile", form)
        .await
        .is(200);
    let avatar = changed["user"]["profilePic"].clone();
    is_upload(&avatar, "avatar.jpg");
    let user = json!({"id": john, "username": "johndoe", "profilePic": avatar});
    assert_eq!(changed, json!({"user": user, "token": changed["token"]}));

    let session = door.post("", "/api/auth/login/", account).await.is(200);
    assert_eq!(session, json!({"token": session["token"], "user": user}));
    let token = text(&session["token"]);

    let wanted = json!({"isGroup": true, "name": "Nuevo Grupo", "userIds": [john, eva]});
    let chat = door.post(&token, "/api/chats", wanted).await.is(201);
    let id = text(&chat["id"]);
    assert_eq!(chat, json!({"id": id, "isGroup": true, "name": "Nuevo Grupo"}));
    let renamed = put(
        door,
        &evas,
        &format!("/api/chats/{id}"),
        json!({"name": "Nombre Editado"}),
    )
    .await;
    assert_eq!(renamed.is(200), json!({"name": "Nombre Editado"}));

    let picture = picture(5, 5, 2);
    let form = Form::new()
        .text("chatId", &id)
        .text("content", "Hola, ¿qué tal?")
        .file("image.png", &picture);
    let sent = send_form(door, &token, Method::POST, "/api/messages", form)
        .await
        .is(201);
    is_upload(&sent["fileUrl"], "image.png");
    is_time(&sent["createdAt"]);
    let sender = json!({"id": john, "username": "johndoe"});
    let expected = json!({
        "id": text(&sent["id"]), "chatId": id, "senderId": john, "content": "Hola, ¿qué tal?",
        "fileUrl": sent["fileUrl"], "fileName": "image.png", "createdAt": sent["createdAt"], "sender": sender,
    });
    assert_eq!(sent, expected);
    let second = say(door, &token, &id, "Hola a todos").await;
    let expected = json!({
        "id": second["id"], "chatId": id, "senderId": john, "content": "Hola a todos",
        "fileUrl": null, "fileName": null, "createdAt": second["createdAt"], "sender": sender,
    });
    assert_eq!(second, expected);

    let member = |id: &str, name: &str, unread: i64, picture: &Value| json!({"userId": id, "unreadCount": unread, "user": {"id": id, "username": name, "profilePic": picture}});
    let members = [
        member(&john, "johndoe", 0, &avatar),
        member(&eva, "evalopez", 2, &Value::Null),
    ];
    shows_the_group(&chats(door, &evas).await, &second, members);

    let messages = door.get(&evas, &format!("/api/messages/{id}/")).await.is(200);
    let shown = |message: &Value| {
        json!({
            "id": message["id"], "content": message["content"], "fileUrl": message["fileUrl"],
            "createdAt": message["createdAt"], "sender": sender,
        })
    };
    assert_eq!(messages, json!([shown(&sent), shown(&second)]));
    assert_eq!(unread(door, &token, &eva).await, 0);

    // Whoever knows the address, without a token.
    let bytes = Answer::to(door.request(Method::GET, &text(&sent["fileUrl"]))).await;
    assert_eq!((bytes.status, bytes.body), (200, picture));

    let path = "/api/users/profile?username=newjohndoe";
    let changed = Answer::to(door.request(Method::PUT, path).bearer_auth(&token))
        .await
        .is(200);
    let user = json!({"id": john, "username": "newjohndoe", "profilePic": avatar});
    assert_eq!(changed, json!({"user": user, "token": changed["token"]}));
    assert_eq!(chats(door, &text(&changed["token"])).await.len(), 1);
}

/// A list with the group alone, its members in either order.
#[track_caller]
fn shows_the_group(listed: &[Value], newest: &Value, mut members: [Value; 2]) {
    let chat = &listed[0];
    if chat["users"][0]["userId"] != members[0]["userId"] {
        members.reverse();
    }
    for (place, member) in members.iter_mut().enumerate() {
        let shown = &chat["users"][place];
        member["chatId"] = chat["id"].clone();
        member["joinedAt"] = shown["joinedAt"].clone();
        member["user"]["lastSeen"] = shown["user"]["lastSeen"].clone();
        member["user"]["online"] = json!(true);
        is_time(&shown["joinedAt"]);
        is_time(&shown["user"]["lastSeen"]);
    }
    for time in ["createdAt", "updatedAt"] {
        is_time(&chat[time]);
    }
    let expected = json!([{
        "id": newest["chatId"], "isGroup": true, "name": "Nombre Editado", "profilePic": null,
        "createdAt": chat["createdAt"], "updatedAt": chat["updatedAt"], "users": members,
        "messages": [{
            "id": newest["id"], "content": newest["content"], "createdAt": newest["createdAt"],
            "senderId": newest["senderId"], "fileUrl": null,
        }],
    }]);
    assert_eq!(json!(listed), expected);
}

async fn names_are_taken_once(door: &Door) {
    let mut tries = JoinSet::new();
    for n in 0..8 {
        let username = if n % 2 == 0 { "Johndoe" } else { "johnDOE" };
        let account = json!({"username": username, "password": "secret123"});
        tries.spawn(Answer::to(
            door.request(Method::POST, "/api/auth/register").json(&account),
        ));
    }
    let answers = tries.join_all().await;
    let (made, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 201);
    assert_eq!((made.len(), refused.len()), (1, 7));
    for answer in refused {
        is_failure(answer, 409, "El nombre de usuario ya está en uso");
    }
    let (_, evas) = enter(door, "evalopez").await;
    let taken = put(door, &evas, "/api/users/profile", json!({"username": "JOHNDOE"})).await;
    is_failure(taken, 409, "El nombre de usuario ya está en uso");
    // The same name in another case is nobody else's.
    let changed = put(door, &evas, "/api/users/profile", json!({"username": "EvaLopez"}))
        .await
        .is(200);
    assert_eq!(changed["user"]["username"], "EvaLopez");
    for (username, password) in [
        ("johndoe", "secret124"),
        ("johndo", "secret123"),
        ("j@example.org", "secret123"),
    ] {
        let answer = door
            .post(
                "",
                "/api/auth/login",
                json!({"username": username, "password": password}),
            )
            .await;
        is_failure(answer, 401, "Credenciales inválidas");
    }
}

async fn a_direct_chat_is_there_once(door: &Door) {
    let (ana, anas) = enter(door, "ana").await;
    let (ben, bens) = enter(door, "ben").await;
    let mut tries = JoinSet::new();
    for n in 0..12 {
        let (token, users) = if n % 2 == 0 {
            (&anas, vec![&ben])
        } else {
            (&bens, vec![&ana, &ben])
        };
        let wanted = json!({"isGroup": false, "name": "x", "userIds": users});
        let request = door
            .request(Method::POST, "/api/chats")
            .bearer_auth(token)
            .json(&wanted);
        tries.spawn(Answer::to(request));
    }
    let answers = tries.join_all().await;
    let chat = answers[0].json();
    assert_eq!(chat, json!({"id": chat["id"], "isGroup": false, "name": null}));
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
    for answer in answers {
        assert!([200, 201].contains(&answer.status), "{answer:?}");
        assert_eq!(answer.json(), chat);
    }
    let listed = chats(door, &bens).await;
    assert_eq!(
        (listed.len(), &listed[0]["name"], &listed[0]["messages"]),
        (1, &json!(null), &json!([]))
    );
    let path = format!("/api/chats/{}", text(&chat["id"]));
    let refused = put(door, &anas, &path, json!({"name": "x"})).await;
    is_failure(refused, 400, "Un chat directo no tiene nombre");
}

async fn what_is_unread_is_exact(door: &Door) {
    let (ana, anas) = enter(door, "ana").await;
    let (ben, bens) = enter(door, "ben").await;
    let (eva, evas) = enter(door, "eva").await;
    let chat = group(door, &anas, &[&ben, &eva]).await;
    let mut sends = JoinSet::new();
    for n in 0..20 {
        let message = json!({"chatId": chat, "content": n.to_string()});
        let request = door
            .request(Method::POST, "/api/messages")
            .bearer_auth(&anas)
            .json(&message);
        sends.spawn(Answer::to(request));
    }
    for answer in sends.join_all().await {
        answer.is(201);
    }
    for (user, count) in [(&ana, 0), (&ben, 20), (&eva, 20)] {
        assert_eq!(unread(door, &evas, user).await, count);
    }
    assert_eq!(contents(door, &bens, &format!("{chat}?limit=5")).await.len(), 5);
    assert_eq!(unread(door, &anas, &ben).await, 0);
    say(door, &anas, &chat, "one more").await;
    assert_eq!(
        (unread(door, &anas, &ben).await, unread(door, &anas, &eva).await),
        (json!(1), json!(21))
    );

    // Most recently active first.
    let other = group(door, &anas, &[&ben]).await;
    say(door, &anas, &other, "here").await;
    say(door, &anas, &chat, "and there").await;
    let order: Vec<String> = chats(door, &bens).await.iter().map(|chat| text(&chat["id"])).collect();
    assert_eq!(order, [chat, other]);
}

async fn chats_are_for_their_members(door: &Door) {
    let (_, anas) = enter(door, "ana").await;
    let (ben, bens) = enter(door, "ben").await;
    let (_, evas) = enter(door, "eva").await;
    let chat = group(door, &anas, &[&ben]).await;
    say(door, &anas, &chat, "secret").await;
    let unknown = "0190f0f0-0000-7000-8000-000000000000";
    for (chat, status, message) in [
        (chat.as_str(), 403, "No eres miembro de este chat"),
        (unknown, 404, "Chat no encontrado"),
    ] {
        is_failure(door.get(&evas, &format!("/api/messages/{chat}")).await, status, message);
        let answer = put(door, &evas, &format!("/api/chats/{chat}"), json!({"name": "x"})).await;
        is_failure(answer, status, message);
        let answer = door
            .post(&evas, "/api/messages", json!({"chatId": chat, "content": "x"}))
            .await;
        is_failure(answer, status, message);
        let form = Form::new().file("a.png", &picture(2, 2, 1)).text("chatId", chat);
        let answer = send_form(door, &evas, Method::POST, "/api/messages", form).await;
        is_failure(answer, status, message);
    }
    assert!(chats(door, &evas).await.is_empty());
    assert_eq!(contents(door, &bens, &chat).await, ["secret"]);
    let wanted = json!({"isGroup": true, "name": "x", "userIds": [unknown]});
    is_failure(
        door.post(&evas, "/api/chats", wanted).await,
        404,
        "Usuario no encontrado",
    );
    let wanted = json!({"isGroup": false, "userIds": [unknown]});
    is_failure(
        door.post(&evas, "/api/chats", wanted).await,
        404,
        "Usuario no encontrado",
    );

    door.database().make_admin("root");
    let account = json!({"username": "root", "password": PASSWORD});
    let root = text(&door.post("", "/api/auth/login", account).await.is(200)["token"]);
    assert_eq!(contents(door, &root, &chat).await, ["secret"]);
    let renamed = put(door, &root, &format!("/api/chats/{chat}"), json!({"name": "Nuevo"})).await;
    assert_eq!(renamed.is(200), json!({"name": "Nuevo"}));
}

async fn history_goes_back(door: &Door) {
    let (_, anas) = enter(door, "ana").await;
    let (ben, bens) = enter(door, "ben").await;
    let chat = group(door, &anas, &[&ben]).await;
    for n in 1..=103 {
        say(door, &anas, &chat, &n.to_string()).await;
    }
    let numbers = |range: std::ops::RangeInclusive<u32>| range.map(|n| n.to_string()).collect::<Vec<_>>();
    for (query, expected) in [
        ("", numbers(4..=103)),
        ("?limit=0", numbers(4..=103)),
        ("?limit=x", numbers(4..=103)),
        ("?limit=2", numbers(102..=103)),
        ("?limit=500", numbers(1..=103)),
        ("?limit=501", numbers(1..=103)),
    ] {
        assert_eq!(
            contents(door, &bens, &format!("{chat}{query}")).await,
            expected,
            "{query}"
        );
    }
    let page = door.get(&bens, &format!("/api/messages/{chat}?limit=3")).await.is(200);
    let oldest = text(&page[0]["id"]);
    let before = contents(door, &bens, &format!("{chat}?limit=2&before={oldest}")).await;
    assert_eq!(before, numbers(99..=100));
    let other = group(door, &anas, &[&ben]).await;
    let foreign = text(&say(door, &anas, &other, "x").await["id"]);
    let answer = door.get(&bens, &format!("/api/messages/{chat}?before={foreign}")).await;
    is_failure(answer, 404, "Mensaje no encontrado");
    let answer = door.get(&bens, &format!("/api/messages/{chat}?before=x")).await;
    is_failure(answer, 400, "El campo 'before' no es válido");
}

async fn another_name_is_the_same_session(door: &Door) {
    let ana = enter(door, "ana").await;
    let changed = put(door, &ana.1, "/api/users/profile", json!({"username": "anamaria"}))
        .await
        .is(200);
    let renewed = text(&changed["token"]);
    for token in [&ana.1, &renewed] {
        assert!(chats(door, token).await.is_empty());
    }
    let sessions = native(door, &ana).get("/auth/sessions").await.is(200);
    assert_eq!(sessions["items"].as_array().map(Vec::len), Some(1), "{sessions}");
    native(door, &ana).log_out().await;
    for token in [&ana.1, &renewed] {
        let answer = door.get(token, "/api/chats").await;
        is_failure(answer, 401, "Token de autenticación inválido o ausente");
    }
    let account = json!({"username": "anamaria", "password": "secret123"});
    door.post("", "/api/auth/login", account).await.is(200);
}

async fn files_go_both_ways(door: &Door) {
    let ana = enter(door, "ana").await;
    let ben = enter(door, "ben").await;
    let eva = enter(door, "eva").await;
    let chat = group(door, &ana.1, &[&ben.0]).await;
    // From the native API: readable with a member's token alone.
    let native_ana = native(door, &ana);
    let bytes = picture(3, 3, 3);
    let file = native_ana.upload("año.png", &bytes).await;
    native_ana.send_files(&chat, &[&file]).await;
    let listed = door.get(&ben.1, &format!("/api/messages/{chat}")).await.is(200);
    assert_eq!(listed[0]["content"], "");
    let url = text(&listed[0]["fileUrl"]);
    is_upload(&listed[0]["fileUrl"], "a%C3%B1o.png");
    let read = door.get(&ben.1, &url).await;
    assert_eq!((read.status, read.body), (200, bytes));
    is_failure(door.get(&eva.1, &url).await, 404, "Recurso no encontrado");
    let answer = Answer::to(door.request(Method::GET, &url)).await;
    is_failure(answer, 401, "Token de autenticación inválido o ausente");
    // From here: a file alone, whatever it is, under a harmless name.
    let form = Form::new()
        .file("../../etc/pass wd", b"<html>")
        .text("content", "")
        .text("chatId", &chat);
    let sent = send_form(door, &ben.1, Method::POST, "/api/messages", form)
        .await
        .is(201);
    assert_eq!((&sent["content"], &sent["fileName"]), (&json!(""), &json!("pass wd")));
    is_upload(&sent["fileUrl"], "pass%20wd");
    let read = Answer::to(door.request(Method::GET, &text(&sent["fileUrl"]))).await;
    assert_eq!(read.header("x-content-type-options"), Some("nosniff"));
    assert_eq!((read.status, read.body.as_slice()), (200, b"<html>".as_slice()));
    let message = native_ana.chat(&chat).await["last_message"].clone();
    assert_eq!(message["attachments"][0]["name"], "pass wd");
    // A picture has to be one; else nothing changes.
    let form = Form::new()
        .text("username", "another")
        .file_in("profilePic", "a.png", b"no picture");
    let refused = send_form(door, &ben.1, Method::PUT, "/api/users/profile", form).await;
    is_failure(refused, 415, "Tipo de contenido no admitido");
    assert_eq!(native(door, &ben).get("/me").await.is(200)["username"], "ben");
}

async fn deleted_messages_were_never_there(door: &Door) {
    let ana = enter(door, "ana").await;
    let ben = enter(door, "ben").await;
    let chat = group(door, &ana.1, &[&ben.0]).await;
    say(door, &ana.1, &chat, "stays").await;
    let gone = text(&say(door, &ana.1, &chat, "goes").await["id"]);
    assert_eq!(unread(door, &ana.1, &ben.0).await, 2);
    native(door, &ana)
        .delete(&format!("/chats/{chat}/messages/{gone}"))
        .await
        .is(204);
    assert_eq!(unread(door, &ana.1, &ben.0).await, 1);
    assert_eq!(chats(door, &ben.1).await[0]["messages"][0]["content"], "stays");
    assert_eq!(contents(door, &ben.1, &chat).await, ["stays"]);
    assert_eq!(unread(door, &ana.1, &ben.0).await, 0);
}

async fn who_blocks_is_not_seen(door: &Door) {
    let ana = enter(door, "ana").await;
    let ben = enter(door, "ben").await;
    let wanted = json!({"isGroup": false, "userIds": [ben.0]});
    let chat = text(&door.post(&ana.1, "/api/chats", wanted.clone()).await.is(201)["id"]);
    native(door, &ben)
        .put(&format!("/me/blocks/{}", ana.0), json!({}))
        .await
        .is(204);
    let users = chats(door, &ana.1).await[0]["users"].clone();
    let ben_seen = users
        .as_array()
        .unwrap()
        .iter()
        .find(|user| user["userId"] == ben.0)
        .unwrap()["user"]
        .clone();
    assert_eq!(
        (&ben_seen["online"], &ben_seen["lastSeen"]),
        (&json!(false), &json!(null))
    );
    let blocked = "No puedes enviar mensajes a este usuario";
    let answer = door
        .post(&ana.1, "/api/messages", json!({"chatId": chat, "content": "x"}))
        .await;
    is_failure(answer, 403, blocked);
    let form = Form::new().text("chatId", &chat).file("a.png", &picture(2, 2, 1));
    is_failure(
        send_form(door, &ana.1, Method::POST, "/api/messages", form).await,
        403,
        blocked,
    );
}

async fn what_is_wrong_is_told(door: &Door) {
    let (ana, anas) = enter(door, "ana").await;
    let chat = group(door, &anas, &[]).await;
    let invalid = "El campo 'content' no es válido";
    let post = |path: &str| door.request(Method::POST, path).bearer_auth(&anas);
    let long = json!({"chatId": chat, "content": "x".repeat(8001)});
    for (request, status, message) in [
        (
            post("/api/chats").json(&json!({"isGroup": false, "userIds": [ana]})),
            400,
            "Un chat directo necesita exactamente otro usuario",
        ),
        (post("/api/messages").json(&long), 400, invalid),
        (
            post("/api/messages").json(&json!({"chatId": chat, "content": "a\u{0}"})),
            400,
            invalid,
        ),
        (
            Form::new().text("chatId", &chat).on(post("/api/messages")),
            400,
            "El mensaje necesita un texto o un archivo",
        ),
        (
            post("/api/messages")
                .header("Content-Type", "application/json")
                .body("{"),
            400,
            "La solicitud está mal formada",
        ),
        (
            post("/api/messages").header("Content-Type", "text/plain").body("x"),
            415,
            "Tipo de contenido no admitido",
        ),
        (door.request(Method::DELETE, "/api/chats"), 405, "Método no permitido"),
        (door.request(Method::GET, "/api"), 404, "Recurso no encontrado"),
        (
            door.request(Method::GET, "/api/chats")
                .header("Authorization", "Bearer x"),
            401,
            "Token de autenticación inválido o ausente",
        ),
    ] {
        is_failure(Answer::to(request).await, status, message);
    }
    assert!(contents(door, &anas, &chat).await.is_empty());
}
