//! `participants`: what its document shows.

use super::{is_time, mounted};
use crate::support::{Answer, Api, Database, Form, PASSWORD, Person, Process, on_each_database, picture};
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::task::JoinSet;

on_each_database! {
    accounts
    the_documents_examples
    participants_are_replaced
    the_same_participants_are_the_same_chat
    two_chats_never_come_to_the_same_participants
    last_messages_until_one_is_sent
    messages
    messages_that_are_not_sent
    messages_in_groups
    chats_from_elsewhere
    strangers_and_admins
    pictures
}

/// Where the contract is served.
#[derive(Clone)]
struct Place {
    api: Api,
    base: &'static str,
}

/// One server, with both places.
struct World {
    server: Process,
    places: [Place; 2],
    _data: TempDir,
}

impl World {
    fn on(database: &Database) -> Self {
        let data = tempfile::tempdir().unwrap();
        let (server, mounted) = mounted(database, data.path(), "participants");
        let beside = Place {
            api: Api::at(server.base().to_owned()),
            base: "/compat/participants",
        };
        let alone = Place { api: mounted, base: "" };
        Self {
            server,
            places: [beside, alone],
            _data: data,
        }
    }

    /// The first place, and somebody there under each of these names.
    async fn people<const N: usize>(&self, names: [&str; N]) -> [Someone; N] {
        let mut people = Vec::new();
        for name in names {
            people.push(self.places[0].register(name).await);
        }
        people.try_into().ok().unwrap()
    }
}

/// Somebody who is logged in.
#[derive(Clone)]
struct Someone {
    place: Place,
    token: String,
    user: Value,
    id: String,
}

impl Place {
    async fn call(&self, method: Method, path: &str, body: Value) -> Answer {
        let request = self.api.request_root(method, &format!("{}{path}", self.base));
        Answer::to(request.json(&body)).await
    }

    async fn register(&self, name: &str) -> Someone {
        let account = json!({
            "fullName": format!("Full {name}"), "email": format!("{name}@example.com"), "password": PASSWORD,
            "username": name,
        });
        let session = self.call(Method::POST, "/api/users/register", account).await.is(201);
        Someone::from(self, &session["data"])
    }

    /// That person in this place.
    fn seen_by(&self, someone: &Someone) -> Someone {
        Someone {
            place: self.clone(),
            ..someone.clone()
        }
    }
}

impl Someone {
    fn from(place: &Place, session: &Value) -> Self {
        Self {
            place: place.clone(),
            token: session["token"].as_str().unwrap().to_owned(),
            user: session["user"].clone(),
            id: session["user"]["_id"].as_str().unwrap().to_owned(),
        }
    }

    async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let Place { api, base } = &self.place;
        let request = api
            .request_root(method, &format!("{base}{path}"))
            .bearer_auth(&self.token);
        Answer::to(match body {
            Some(body) => request.json(&body),
            None => request,
        })
        .await
    }

    async fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, path, None).await
    }

    async fn post(&self, path: &str, body: Value) -> Answer {
        self.call(Method::POST, path, Some(body)).await
    }

    async fn put(&self, path: &str, body: Value) -> Answer {
        self.call(Method::PUT, path, Some(body)).await
    }

    async fn delete(&self, path: &str) -> Answer {
        self.call(Method::DELETE, path, None).await
    }

    async fn set_last_message(&self, chat: &str, last_message: &Value) -> Answer {
        let body = json!({"lastMessage": last_message});
        self.call(Method::PATCH, &format!("/api/chats/{chat}/last-message"), Some(body))
            .await
    }

    /// The id of the chat of these people.
    async fn chat(&self, people: &[&Self]) -> String {
        let answer = self.post("/api/chats", json!({"participants": ids(people)})).await;
        text(&answer.json()["data"]["_id"])
    }

    async fn send(&self, chat: &str, receiver: &Self, content: &str) -> Value {
        let message = json!({"chatId": chat, "receiverId": receiver.id, "content": content});
        self.post("/api/messages", message).await.is(201)["data"].clone()
    }

    /// The same person with the same token in the native API.
    fn native(&self, server: &Api) -> Person {
        Person::from_session(
            server,
            &json!({"user": {"id": self.id}, "access_token": self.token, "refresh_token": ""}),
        )
    }
}

fn ids(people: &[&Someone]) -> Vec<String> {
    people.iter().map(|someone| someone.id.clone()).collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// A failure that says that and nothing else.
#[track_caller]
fn says(answer: Answer, status: u16, message: &str) {
    assert_eq!(answer.is(status), json!({"success": false, "message": message}));
}

/// A success with that message, whose data is a chat with these in it, in whatever order.
#[track_caller]
fn is_chat(body: &Value, message: Option<&str>, participants: &[&Someone], last_message: &Value) -> String {
    let chat = body["data"].clone();
    assert!(is_time(&chat["createdAt"]) && is_time(&chat["updatedAt"]), "{chat}");
    let mut shown = chat["participants"].as_array().unwrap().clone();
    let mut expected: Vec<Value> = participants.iter().map(|someone| someone.user.clone()).collect();
    for list in [&mut shown, &mut expected] {
        list.sort_by_key(|user| user["_id"].to_string());
    }
    assert_eq!(shown, expected);
    let mut expected = json!({
        "success": true,
        "data": {
            "_id": chat["_id"], "participants": chat["participants"], "lastMessage": last_message,
            "createdAt": chat["createdAt"], "updatedAt": chat["updatedAt"], "__v": 0,
        },
    });
    if let Some(message) = message {
        expected["message"] = json!(message);
    }
    assert_eq!(body, &expected);
    text(&chat["_id"])
}

async fn accounts(database: Database) {
    let world = World::on(&database);
    for (number, place) in world.places.iter().enumerate() {
        let account = json!({
            "fullName": "Ana López", "email": format!("Ana{number}@Example.com"), "password": "secret7",
            "phone": "+34 600 000 000", "documentNumber": "12345678Z", "age": 33,
        });
        let call = async |path: &str, body: &Value| place.call(Method::POST, path, body.clone()).await;
        let made = call("/api/users/register", &account).await.is(201);
        let (id, token) = (&made["data"]["user"]["_id"], &made["data"]["token"]);
        let created_at = &made["data"]["user"]["createdAt"];
        assert!(is_time(created_at) && id.is_string() && token.is_string(), "{made}");
        let user = json!({
            "_id": id, "username": "Ana López", "email": account["email"], "fullName": "Ana López",
            "profileImage": null, "createdAt": created_at, "updatedAt": created_at,
            "phone": "+34 600 000 000", "documentNumber": "12345678Z", "age": 33,
        });
        assert_eq!(
            made,
            json!({
                "success": true, "message": "Usuario creado correctamente", "data": {"user": user, "token": token},
            })
        );
        says(
            call("/api/users/register/", &account).await,
            409,
            "El correo ya está registrado",
        );
        let lacking = json!({"email": "", "password": "secret7"});
        assert_eq!(
            call("/api/users/register", &lacking).await.is(400),
            json!({
                "success": false, "message": "Faltan campos requeridos", "missingFields": ["fullName", "email"],
            })
        );

        let credentials = json!({"email": format!("ana{number}@example.com"), "password": "secret7"});
        let session = call("/api/users/login", &credentials).await.is(200);
        let token = &session["data"]["token"];
        assert_eq!(
            session,
            json!({"success": true, "data": {"user": user, "token": token}})
        );
        let wrong = json!({"email": format!("ana{number}@example.com"), "password": "secret8"});
        says(call("/api/users/login", &wrong).await, 401, "Credenciales inválidas");

        let ana = Someone::from(place, &session["data"]);
        let own = ana.get(&format!("/api/users/{}/", ana.id)).await.is(200);
        assert_eq!(own, json!({"success": true, "data": user}));
        let ben = place.register(&format!("ben{number}")).await;
        let mut face = user.clone();
        for own in ["phone", "documentNumber", "age"] {
            face.as_object_mut().unwrap().remove(own);
        }
        let seen = ben.get(&format!("/api/users/{}", ana.id)).await.is(200);
        assert_eq!(seen, json!({"success": true, "data": face}));
        let total = 2 * number + 2;
        let last = ben.get(&format!("/api/users?limit=1&page={total}")).await.is(200);
        assert_eq!(
            last["data"],
            json!({
                "users": [ben.user],
                "pagination": {"page": total, "limit": 1, "total": total, "pages": total},
            })
        );

        // The session ends everywhere at once.
        ana.native(&world.server).log_out().await;
        for place in &world.places {
            let answer = place.seen_by(&ana).get("/api/users").await;
            says(answer, 401, "Token inválido o expirado");
        }
        let nobody = place.call(Method::GET, "/api/chats", json!({})).await;
        says(nobody, 401, "Token de autenticación no proporcionado");
    }
}

async fn the_documents_examples(database: Database) {
    let world = World::on(&database);
    let people = world.people(["usuario_a", "usuario_b", "usuario_c"]).await;
    for place in &world.places {
        let [a, b, c] = people.each_ref().map(|someone| place.seen_by(someone));
        // 4
        let pair = json!({"participants": [a.id, b.id]});
        let made = a.post("/api/chats", pair.clone()).await.is(201);
        let id = is_chat(&made, Some("Chat creado exitosamente"), &[&a, &b], &json!(null));
        let reversed = json!({"participants": [b.id, a.id, b.id]});
        let again = b.post("/api/chats/", reversed).await.is(200);
        assert_eq!(is_chat(&again, Some("Chat ya existe"), &[&a, &b], &json!(null)), id);
        for (body, status, message) in [
            (
                json!({}),
                400,
                "El campo 'participants' es requerido y debe ser un array",
            ),
            (
                json!({"participants": [a.id]}),
                400,
                "Un chat debe tener al menos 2 participantes",
            ),
            (
                json!({"participants": [a.id, "65b7d6e4f3a2b1c0d9e8f7a5"]}),
                404,
                "Uno o más participantes no existen",
            ),
            (
                json!({"participants": [a.id, "00000000-0000-7000-8000-000000000000"]}),
                404,
                "Uno o más participantes no existen",
            ),
        ] {
            says(a.post("/api/chats", body).await, status, message);
        }
        // 3
        let path = format!("/api/chats/{id}");
        let shown = a.get(&path).await.is(200);
        is_chat(&shown, None, &[&a, &b], &json!(null));
        // 6
        let said = json!({
            "text": "¡Mensaje enviado exitosamente!", "sender": a.id, "timestamp": "2025-12-10T11:45:00.000Z",
        });
        let set = a.set_last_message(&id, &said).await.is(200);
        is_chat(&set, Some("Último mensaje actualizado exitosamente"), &[&a, &b], &said);
        // 1
        let listed = a.get(&format!("/api/chats?userId={}&limit=5", b.id)).await.is(200);
        assert_eq!(
            listed,
            json!({
                "success": true,
                "data": {
                    "chats": [set["data"]], "pagination": {"page": 1, "limit": 5, "total": 1, "pages": 1},
                },
            })
        );
        // 2
        for user in [&a, &b] {
            let listed = a.get(&format!("/api/chats/user/{}?page=1", user.id)).await.is(200);
            assert_eq!(listed["data"]["chats"], json!([set["data"]]));
            assert_eq!(listed["data"]["pagination"]["limit"], 10);
        }
        let none = a.get(&format!("/api/chats/user/{}", c.id)).await.is(200);
        let pagination = json!({"page": 1, "limit": 10, "total": 0, "pages": 0});
        assert_eq!(none["data"], json!({"chats": [], "pagination": pagination}));
        for unknown in ["x", "00000000-0000-7000-8000-000000000000"] {
            let answer = a.get(&format!("/api/chats/user/{unknown}")).await;
            says(answer, 404, "Usuario no encontrado");
        }
        // 5
        let three = json!({"participants": [a.id, b.id, c.id]});
        let changed = a.put(&path, three).await.is(200);
        let changed_id = is_chat(&changed, Some("Chat actualizado exitosamente"), &[&a, &b, &c], &said);
        assert_eq!(changed_id, id);
        // 7
        let deleted = a.delete(&path).await.is(200);
        is_chat(&deleted, Some("Chat eliminado exitosamente"), &[&a, &b, &c], &said);
        for someone in [&a, &b] {
            says(someone.get(&path).await, 404, "Chat no encontrado");
        }
    }
}

async fn participants_are_replaced(database: Database) {
    let world = World::on(&database);
    let [a, b, c, d] = world.people(["ana", "ben", "eva", "dan"]).await;
    let pair = a.chat(&[&a, &b]).await;
    let three = a.chat(&[&a, &b, &c]).await;
    let path = |chat: &str| format!("/api/chats/{chat}");
    let set = |people: &[&Someone]| json!({"participants": ids(people)});
    // Onto what another chat is.
    for (chat, people) in [(&pair, [&c, &b, &a].as_slice()), (&three, &[&b, &a])] {
        let answer = a.put(&path(chat), set(people)).await;
        says(answer, 409, "Ya existe un chat con esos participantes");
    }
    // Its own set is no change.
    a.put(&path(&three), set(&[&c, &b, &a])).await.is(200);
    // Only the owner of a group may, but either party of a direct chat.
    assert_eq!(b.put(&path(&three), set(&[&a, &b, &d])).await.is(403)["success"], false);
    let moved = b.put(&path(&pair), set(&[&a, &b, &d])).await.is(200);
    is_chat(
        &moved,
        Some("Chat actualizado exitosamente"),
        &[&a, &b, &d],
        &json!(null),
    );
    // Who is out is out, and the pair may have a chat again.
    let other = a.put(&path(&three), set(&[&a, &c])).await.is(200);
    is_chat(&other, Some("Chat actualizado exitosamente"), &[&a, &c], &json!(null));
    says(b.get(&path(&three)).await, 404, "Chat no encontrado");
    let again = a.post("/api/chats", set(&[&a, &b])).await.is(201);
    assert_ne!(text(&again["data"]["_id"]), pair);
    // What became the pair's chat is what others show as such.
    let native = a.native(&world.server);
    let direct = native
        .post("/chats", json!({"kind": "direct", "user_id": c.id}))
        .await
        .is(200);
    assert_eq!(text(&direct["id"]), three);
    // Both at once; who speaks has to be in it afterwards.
    let by = |sender: &Someone| {
        let note = json!({"text": "a", "sender": sender.id, "timestamp": "2025-12-10T11:45:00.007Z"});
        json!({"participants": ids(&[&a, &d]), "lastMessage": note})
    };
    assert_eq!(a.put(&path(&three), by(&c)).await.is(400)["success"], false);
    let both = a.put(&path(&three), by(&d)).await.is(200);
    let said = json!({"text": "a", "sender": d.id, "timestamp": "2025-12-10T11:45:00.007Z"});
    is_chat(&both, Some("Chat actualizado exitosamente"), &[&a, &d], &said);
    for nothing in [json!({}), json!({"participants": null, "lastMessage": null})] {
        assert_eq!(a.put(&path(&three), nothing).await.is(400)["success"], false);
    }
}

async fn the_same_participants_are_the_same_chat(database: Database) {
    let world = World::on(&database);
    let people = world.people(["ana", "ben", "eva"]).await;
    let [a, b, c] = people.each_ref();
    for (orders, count) in [
        (vec![ids(&[a, b]), ids(&[b, a])], 2),
        (
            vec![ids(&[a, b, c]), ids(&[c, a, b]), ids(&[b, c, a]), ids(&[c, b, a, a])],
            3,
        ),
    ] {
        let mut asked = JoinSet::new();
        for round in 0..24 {
            let place = &world.places[round % 2];
            let someone = place.seen_by(&people[round % count]);
            let body = json!({"participants": orders[round % orders.len()]});
            asked.spawn(async move { someone.post("/api/chats", body).await });
        }
        let answers = asked.join_all().await;
        let made = answers.iter().filter(|answer| answer.status == 201).count();
        let found = answers.iter().filter(|answer| answer.status == 200).count();
        assert_eq!((made, found), (1, 23), "{answers:?}");
        let id = |answer: &Answer| text(&answer.json()["data"]["_id"]);
        assert!(answers.iter().all(|answer| id(answer) == id(&answers[0])));
    }
    assert_eq!(a.get("/api/chats").await.is(200)["data"]["pagination"]["total"], 2);
}

async fn two_chats_never_come_to_the_same_participants(database: Database) {
    let world = World::on(&database);
    let people = world.people(["ana", "ben", "eva", "dan"]).await;
    let [a, b, c, d] = people.each_ref();
    let (one, other) = (a.chat(&[a, b]).await, a.chat(&[a, c, d]).await);
    let target = ids(&[a, b, c]);
    let mut asked = JoinSet::new();
    for round in 0..8 {
        let (someone, body) = (a.clone(), json!({"participants": target}));
        let path = format!("/api/chats/{}", if round % 2 == 0 { &one } else { &other });
        asked.spawn(async move { someone.put(&path, body).await.status });
        let (someone, body) = (b.clone(), json!({"participants": target}));
        asked.spawn(async move { someone.post("/api/chats", body).await.status });
    }
    let statuses = asked.join_all().await;
    assert!(
        statuses.iter().all(|status| [200, 201, 403, 409].contains(status)),
        "{statuses:?}"
    );
    let listed = a.get("/api/chats?limit=100").await.is(200);
    let chats = listed["data"]["chats"].as_array().unwrap();
    let sets = chats.iter().map(|chat| {
        let participants = chat["participants"].as_array().unwrap().iter();
        let mut ids: Vec<String> = participants.map(|user| text(&user["_id"])).collect();
        ids.sort();
        ids
    });
    let mut wanted = target.clone();
    wanted.sort();
    assert_eq!(sets.filter(|set| *set == wanted).count(), 1, "{listed}");
}

async fn last_messages_until_one_is_sent(database: Database) {
    let world = World::on(&database);
    let [a, b, c] = world.people(["ana", "ben", "eva"]).await;
    let native = a.native(&world.server);
    let given = json!({"text": "  traído\r\n de\tfuera ", "sender": b.id, "timestamp": "1999-12-31T23:59:59.999Z"});
    let body = json!({"participants": ids(&[&a, &b]), "lastMessage": given});
    let made = a.post("/api/chats", body.clone()).await.is(201);
    let chat = is_chat(&made, Some("Chat creado exitosamente"), &[&a, &b], &given);
    let mut other = body;
    other["lastMessage"]["text"] = json!("otro");
    let found = a.post("/api/chats", other).await.is(200);
    is_chat(&found, Some("Chat ya existe"), &[&a, &b], &given);
    // It is no message.
    let none = a.get(&format!("/api/messages/{chat}")).await.is(200);
    assert_eq!(none["data"]["pagination"]["total"], 0);
    assert_eq!(native.chat(&chat).await["last_message"], json!(null));
    for (name, value) in [
        ("sender", json!(c.id)),
        ("sender", json!("x")),
        ("text", json!("x".repeat(8_001))),
        ("timestamp", json!("ayer")),
    ] {
        let mut bad = given.clone();
        bad[name] = value;
        assert_eq!(a.set_last_message(&chat, &bad).await.is(400)["success"], false);
    }
    let longest = json!({"text": "ñ".repeat(8_000), "sender": a.id, "timestamp": "2025-12-10T12:45:00.0004+01:00"});
    let mut shown = longest.clone();
    shown["timestamp"] = json!("2025-12-10T11:45:00.000Z");
    let set = b.set_last_message(&chat, &longest).await.is(200);
    is_chat(&set, Some("Último mensaje actualizado exitosamente"), &[&a, &b], &shown);
    let nothing = b.set_last_message(&chat, &json!(null)).await;
    says(nothing, 400, "El campo 'lastMessage' es requerido");
    // From the moment a message is sent, that is it, whatever way it was sent.
    let newest = native.send(&chat, "nuevo").await;
    let path = format!("/api/chats/{chat}");
    let last = async || a.get(&path).await.is(200)["data"]["lastMessage"].clone();
    assert_eq!(
        last().await,
        json!({"text": "nuevo", "sender": a.id, "timestamp": newest["created_at"]})
    );
    // A deleted message has never been.
    let deleted = format!("/chats/{chat}/messages/{}", text(&newest["id"]));
    native.delete(&deleted).await.is(204);
    assert_eq!(last().await, json!(null));
    let put = a.put(&path, json!({"lastMessage": given})).await.is(200);
    is_chat(&put, Some("Chat actualizado exitosamente"), &[&a, &b], &given);
}

async fn messages(database: Database) {
    let world = World::on(&database);
    let people = world.people(["ana", "ben"]).await;
    for place in &world.places {
        let [a, b] = people.each_ref().map(|someone| place.seen_by(someone));
        let chat = a.chat(&[&a, &b]).await;
        let sent = a.send(&chat, &b, "¿Podemos coordinar?").await;
        assert!(is_time(&sent["createdAt"]) && sent["_id"].is_string());
        let message = |is_read: bool| {
            json!({
                "_id": sent["_id"], "chatId": chat, "senderId": a.id, "receiverId": b.id,
                "content": "¿Podemos coordinar?", "isRead": is_read, "status": if is_read { "seen" } else { "sent" },
                "createdAt": sent["createdAt"], "updatedAt": sent["createdAt"], "__v": 0,
            })
        };
        assert_eq!(sent, message(false));
        let path = format!("/api/messages/{chat}");
        let listed = async |someone: &Someone, query: &str| someone.get(&format!("{path}{query}")).await.is(200);
        let pagination = json!({"page": 1, "limit": 20, "total": 1, "pages": 1});
        for someone in [&a, &b] {
            assert_eq!(
                listed(someone, "").await,
                json!({"success": true, "data": {"messages": [message(false)], "pagination": pagination}})
            );
        }
        let native = b.native(&world.server);
        native
            .put(&format!("/chats/{chat}/read"), json!({"seq": 1}))
            .await
            .is(200);
        assert_eq!(listed(&a, "").await["data"]["messages"], json!([message(true)]));

        for number in 2..=5 {
            native.send(&chat, &format!("{number}")).await;
        }
        let deleted = native.send(&chat, "6").await;
        let deleted = format!("/chats/{chat}/messages/{}", text(&deleted["id"]));
        native.delete(&deleted).await.is(204);
        for (query, page, limit, pages, contents) in [
            ("?limit=2", 1, 2, 3, &["5", "4"][..]),
            ("?limit=2&page=2", 2, 2, 3, &["3", "2"]),
            ("?limit=2&page=3", 3, 2, 3, &["¿Podemos coordinar?"]),
            ("?limit=2&page=4", 4, 2, 3, &[]),
            (
                "?limit=-1&page=0",
                1,
                20,
                1,
                &["5", "4", "3", "2", "¿Podemos coordinar?"],
            ),
            (
                "?limit=101&page=x",
                1,
                100,
                1,
                &["5", "4", "3", "2", "¿Podemos coordinar?"],
            ),
        ] {
            let body = listed(&a, query).await;
            let messages = body["data"]["messages"].as_array().unwrap();
            let found: Vec<&str> = messages
                .iter()
                .map(|message| message["content"].as_str().unwrap())
                .collect();
            assert_eq!(found, contents, "{query}");
            let pagination = json!({"page": page, "limit": limit, "total": 5, "pages": pages});
            assert_eq!(body["data"]["pagination"], pagination, "{query}");
        }
        // The other way round it is for Ana.
        let newest = &listed(&b, "?limit=1").await["data"]["messages"][0];
        assert_eq!(
            (&newest["receiverId"], &newest["status"]),
            (&json!(a.id), &json!("sent"))
        );
        a.delete(&format!("/api/chats/{chat}")).await.is(200);
    }
}

async fn messages_that_are_not_sent(database: Database) {
    let world = World::on(&database);
    let people = world.people(["ana", "ben", "eva"]).await;
    for place in &world.places {
        let [a, b, c] = people.each_ref().map(|someone| place.seen_by(someone));
        let chat = a.chat(&[&a, &b]).await;
        let full = json!({"chatId": chat, "receiverId": b.id, "content": "x"});
        let other = |name: &str, value: Value| {
            let mut body = full.clone();
            body[name] = value;
            body
        };
        for name in ["chatId", "receiverId", "content"] {
            let answer = a.post("/api/messages", other(name, json!(null))).await;
            says(answer, 400, "Faltan campos requeridos (chatId, content, receiverId)");
        }
        let too_long = a
            .post("/api/messages", other("content", json!("x".repeat(8_001))))
            .await;
        assert_eq!(too_long.is(400)["success"], false);
        for unknown in ["x", "00000000-0000-7000-8000-000000000000"] {
            let answer = a.post("/api/messages", other("chatId", json!(unknown))).await;
            says(answer, 404, "Chat no encontrado");
            let answer = a.get(&format!("/api/messages/{unknown}")).await;
            says(answer, 404, "Chat no encontrado");
        }
        let outside = "El remitente o el destinatario no pertenecen a este chat";
        says(
            a.post("/api/messages", other("receiverId", json!(c.id))).await,
            403,
            outside,
        );
        says(c.post("/api/messages", full.clone()).await, 403, outside);
        let hidden = "No tienes permiso para ver los mensajes de este chat";
        says(c.get(&format!("/api/messages/{chat}")).await, 403, hidden);
    }
}

async fn messages_in_groups(database: Database) {
    let world = World::on(&database);
    let people = world.people(["ana", "ben", "eva"]).await;
    for place in &world.places {
        let [a, b, c] = people.each_ref().map(|someone| place.seen_by(someone));
        // In a group, whom it is for decides.
        let group = a.chat(&[&a, &b, &c]).await;
        let sent = a.send(&group, &c, "para Eva").await;
        assert_eq!((&sent["receiverId"], &sent["isRead"]), (&json!(c.id), &json!(false)));
        let shown = async || {
            let body = a.get(&format!("/api/messages/{group}")).await.is(200);
            let messages = body["data"]["messages"].as_array().unwrap().clone();
            messages
                .iter()
                .map(|message| (message["receiverId"].clone(), text(&message["status"])))
                .collect::<Vec<_>>()
        };
        let read = async |someone: &Someone, seq: u32| {
            let native = someone.native(&world.server);
            native
                .put(&format!("/chats/{group}/read"), json!({"seq": seq}))
                .await
                .is(200);
        };
        read(&b, 1).await;
        assert_eq!(shown().await, [(json!(c.id), "sent".to_owned())]);
        a.native(&world.server).send(&group, "para todos").await;
        read(&c, 2).await;
        let expected = [(json!(null), "sent".to_owned()), (json!(c.id), "seen".to_owned())];
        assert_eq!(shown().await, expected);
        read(&b, 2).await;
        assert_eq!(shown().await[0], (json!(null), "seen".to_owned()));
        a.delete(&format!("/api/chats/{group}")).await.is(200);
    }
}

async fn chats_from_elsewhere(database: Database) {
    let world = World::on(&database);
    let [a, b, c] = world.people(["ana", "ben", "eva"]).await;
    let native = a.native(&world.server);
    // A pair has one chat, whoever makes it.
    let direct = native
        .post("/chats", json!({"kind": "direct", "user_id": b.id}))
        .await
        .is(201);
    assert_eq!(a.chat(&[&b, &a]).await, text(&direct["id"]));
    // A group with a name is not the chat of its set.
    let [people_b, people_c] = [&b, &c].map(|someone| someone.native(&world.server));
    let named = native.group("Poetas", &[&people_b, &people_c]).await;
    let by_set = a.chat(&[&a, &b, &c]).await;
    assert_ne!(by_set, named);
    // All are listed, the last changed first.
    native.send(&named, "versos").await;
    let listed = a.get("/api/chats").await.is(200);
    let order = listed["data"]["chats"]
        .as_array()
        .unwrap()
        .iter()
        .map(|chat| text(&chat["_id"]));
    assert_eq!(
        order.collect::<Vec<_>>(),
        [named.clone(), by_set.clone(), text(&direct["id"])]
    );
    let first = &listed["data"]["chats"][0];
    assert_eq!(first["lastMessage"]["text"], "versos");
    assert_eq!(first["participants"].as_array().map(Vec::len), Some(3));
    let note = json!({"text": "x", "sender": c.id, "timestamp": "2025-12-10T11:45:00.000Z"});
    c.set_last_message(&by_set, &note).await.is(200);
    let with_eva = a.get(&format!("/api/chats?userId={}&limit=1", c.id)).await.is(200);
    let pagination = json!({"page": 1, "limit": 1, "total": 2, "pages": 2});
    assert_eq!(with_eva["data"]["pagination"], pagination);
    assert_eq!(text(&with_eva["data"]["chats"][0]["_id"]), by_set);
}

async fn strangers_and_admins(database: Database) {
    let world = World::on(&database);
    let [a, b, c] = world.people(["ana", "ben", "eva"]).await;
    let pair = a.chat(&[&a, &b]).await;
    let path = format!("/api/chats/{pair}");
    let note = json!({"text": "x", "sender": a.id, "timestamp": "2025-12-10T11:45:00.000Z"});
    let foreign = json!({"participants": ids(&[&a, &b])});
    assert_eq!(c.post("/api/chats", foreign.clone()).await.is(403)["success"], false);
    for answer in [
        c.get(&path).await,
        c.put(&path, json!({"participants": ids(&[&a, &c])})).await,
        c.put(&path, json!({"lastMessage": note})).await,
        c.set_last_message(&pair, &note).await,
        c.delete(&path).await,
    ] {
        says(answer, 404, "Chat no encontrado");
    }
    for list in ["/api/chats".to_owned(), format!("/api/chats/user/{}", a.id)] {
        assert_eq!(c.get(&list).await.is(200)["data"]["pagination"]["total"], 0);
    }
    database.make_admin("root");
    let root = world.server.log_in("root").await;
    let root = Someone {
        place: world.places[1].clone(),
        token: root.access,
        user: json!(null),
        id: root.id,
    };
    assert_eq!(root.get("/api/chats").await.is(200)["data"]["pagination"]["total"], 1);
    is_chat(&root.get(&path).await.is(200), None, &[&a, &b], &json!(null));
    let found = root.post("/api/chats", foreign).await.is(200);
    is_chat(&found, Some("Chat ya existe"), &[&a, &b], &json!(null));
    root.get(&format!("/api/messages/{pair}")).await.is(200);
    root.set_last_message(&pair, &note).await.is(200);
    let trio = a.chat(&[&a, &b, &c]).await;
    let trio = format!("/api/chats/{trio}");
    for someone in [&b, &c] {
        assert_eq!(someone.delete(&trio).await.is(403)["success"], false);
    }
    root.delete(&trio).await.is(200);
    b.delete(&path).await.is(200);
}

async fn pictures(database: Database) {
    let world = World::on(&database);
    let [a, b] = world.people(["ana", "ben"]).await;
    let image = picture(4, 4, 1);
    let form = Form::new().file("yo mismo.png", &image);
    let native = a.native(&world.server);
    native.send_form(Method::PUT, "/me/avatar", form).await.is(200);
    for place in &world.places {
        let ben = place.seen_by(&b);
        let shown = ben.get(&format!("/api/users/{}", a.id)).await.is(200);
        let address = text(&shown["data"]["profileImage"]);
        assert!(
            address.starts_with("/uploads/") && address.ends_with("/yo%20mismo.png"),
            "{address}"
        );
        let answer = ben.get(&address).await;
        assert_eq!((answer.status, &answer.body), (200, &image));
        let stranger = place.call(Method::GET, &address, json!({})).await;
        says(stranger, 401, "Token de autenticación no proporcionado");
        says(ben.get("/uploads/x/y").await, 404, "Recurso no encontrado");
    }
}
