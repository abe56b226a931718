//! What all contracts promise in common, tried on each of them: with people, chats and messages, where that matters.

use super::face::{Face, PASSWORD, Someone};
use super::is_time;
use crate::support::{Answer, Api, Database, Server, on_each_database};
use reqwest::Method;
use serde_json::{Value, json};

on_each_database! {
    passwords_have_6_to_128_characters
    what_is_too_long_is_refused_and_leaves_nothing
    outsiders_are_kept_out
    pages_out_of_range_are_the_default
    deleted_messages_were_never_there
    secrets_stay_secret_and_times_are_alike
}

/// What stands for bad input there.
fn invalid(face: Face) -> u16 {
    if face == Face::Company { 422 } else { 400 }
}

/// An id that is nobody's and nothing's.
const UNKNOWN: &str = "0190a0a0-0000-7000-8000-000000000001";

/// Two users of that contract with a chat: with what each of them calls it, and its id.
struct Two {
    ana: Someone,
    ben: Someone,
    ana_s: String,
    id: String,
}

async fn two(server: &Api, face: Face) -> Two {
    let ana = face.register(server, &format!("ana-{}", face.name())).await;
    let ben = face.register(server, &format!("ben-{}", face.name())).await;
    let chat = json!({"kind": "direct", "user_id": ben.id});
    let chat = ana.native().post("/chats", chat).await.is(201);
    Two {
        ana_s: ana.chat_with(&ben).await,
        ana,
        ben,
        id: chat["id"].as_str().unwrap().to_owned(),
    }
}

async fn passwords_have_6_to_128_characters(database: Database) {
    let server = Server::on(&database).await;
    for face in Face::ALL {
        for (name, good) in [("short", "ñ".repeat(6)), ("long", "x".repeat(128))] {
            let name = format!("{name}-{}", face.name());
            for bad in ["", &"x".repeat(5), &"x".repeat(129), &"ñ".repeat(5)] {
                let refused = face.try_register(&server, &name, bad).await;
                face.refuses(&refused, invalid(face));
            }
            // The name is still free.
            let made = face.try_register(&server, &name, &good).await;
            assert!([200, 201].contains(&made.status), "{face:?}: {made:?}");
            let email = format!("{name}@example.org");
            let login = if face.knows_usernames() { &name } else { &email };
            let token = face.token(&face.log_in(&server, login, &good).await);
            if face == Face::Company {
                let users = face.request(&server, Method::GET, "/api/users").bearer_auth(&token);
                let users = Answer::to(users).await.is(200);
                let id = users.as_array().unwrap().last().unwrap()["id"].clone();
                for (password, status) in [(5, 422), (129, 422), (6, 200), (128, 200)] {
                    let request = face.request(&server, Method::PUT, &format!("/api/users/{id}"));
                    let request = request
                        .bearer_auth(&token)
                        .json(&json!({"password": "y".repeat(password)}));
                    assert_eq!(Answer::to(request).await.status, status, "{password}");
                }
            }
        }
    }
    server.stop().await;
}

/// Accounts with one text each that is too long.
fn too_long(face: Face) -> Vec<Value> {
    let long = |count: usize| "x".repeat(count);
    // Too long as a whole, though no part of it is.
    let address_of = |labels: usize| format!("{}@{}org", long(60), format!("{}.", long(50)).repeat(labels));
    let address = address_of(4);
    let (whole, fields) = match face {
        Face::Amigos => (
            json!({"username": "eve", "password": PASSWORD}),
            vec![("username", long(33))],
        ),
        Face::Company => (
            json!({"name": "Eve", "subname": "Doe", "email": "eve@example.org", "job": "CEO", "password": PASSWORD}),
            vec![
                ("name", long(101)),
                ("subname", long(101)),
                ("job", long(101)),
                ("email", address_of(1)),
                ("email", address),
            ],
        ),
        Face::Cookies => (
            json!({"name": "eve", "email": "eve@example.org", "password": PASSWORD}),
            vec![("name", long(33)), ("email", address)],
        ),
        Face::Emotechat => (
            json!({"name": "Eve", "email": "eve@example.org", "password": PASSWORD}),
            vec![("name", long(257)), ("email", address)],
        ),
        Face::Participants => (
            json!({"fullName": "Eve", "email": "eve@example.org", "password": PASSWORD}),
            vec![
                ("fullName", long(257)),
                ("email", address),
                ("username", long(33)),
                ("phone", long(1001)),
                ("documentNumber", long(1001)),
            ],
        ),
    };
    let with = |(field, text): (&str, String)| {
        let mut account = whole.clone();
        account[field] = json!(text);
        if face == Face::Company {
            json!({"user": account})
        } else {
            account
        }
    };
    fields.into_iter().map(with).collect()
}

async fn what_is_too_long_is_refused_and_leaves_nothing(database: Database) {
    let server = Server::on(&database).await;
    for face in Face::ALL {
        let Two { ana, ben, ana_s, id } = two(&server, face).await;
        let everybody = async || {
            let users = ana.through(Face::Company, Method::GET, "/api/users");
            Answer::to(users).await.is(200)
        };
        let before = everybody().await;
        let register = match face {
            Face::Amigos | Face::Emotechat => "/api/auth/register",
            Face::Company => "/api/users",
            Face::Cookies => "/api/user",
            Face::Participants => "/api/users/register",
        };
        for account in too_long(face) {
            let request = face.request(&server, Method::POST, register);
            let answer = Answer::to(face.with(request, &account)).await;
            if face == Face::Company && account["user"]["email"].as_str().unwrap().len() > 100 {
                assert!(answer.json()["errors"]["email"].is_array(), "{answer:?}");
            }
            face.refuses(&answer, invalid(face));
        }
        if face != Face::Emotechat {
            for text in [&*"x".repeat(8001), "", " \n", "a\0b", "a\u{7f}b"] {
                let answer = ana.try_say(&ana_s, &id, &ben, text).await;
                face.refuses(&answer, invalid(face));
            }
        }
        let title = "x".repeat(201);
        let chats = format!("/api/chats/{ana_s}");
        let refused = match face {
            Face::Amigos => vec![
                (
                    Method::POST,
                    "/api/chats",
                    json!({"isGroup": true, "name": title, "userIds": [ben.id]}),
                ),
                (
                    Method::POST,
                    "/api/chats",
                    json!({"isGroup": true, "name": " ", "userIds": [ben.id]}),
                ),
                (Method::PUT, &*chats, json!({"name": title})),
            ],
            Face::Cookies => vec![
                (Method::POST, "/api/chats", json!({"title": title})),
                (Method::POST, "/api/chats", json!({"title": ""})),
                (Method::PUT, &*chats, json!({"title": title})),
            ],
            Face::Participants => {
                let note = json!({"text": "x".repeat(8001), "sender": ana.id, "timestamp": "2024-03-08T19:30:00Z"});
                vec![
                    (Method::PUT, &*chats, json!({"lastMessage": note})),
                    (
                        Method::POST,
                        "/api/chats",
                        json!({"participants": [ana.id, ben.id], "lastMessage": note}),
                    ),
                ]
            }
            Face::Company | Face::Emotechat => Vec::new(),
        };
        for (method, path, fields) in refused {
            face.refuses(&ana.call(method, path, &fields).await, invalid(face));
        }
        assert_eq!(everybody().await, before, "{face:?}");
        assert_eq!(ana.chat_with(&ben).await, ana_s, "{face:?}");
        assert!(ana.history(&ana_s).await.is_empty(), "{face:?}");
        // What is just not too long is taken.
        ana.say(&ana_s, &id, &ben, &"ñ".repeat(8000)).await;
        assert_eq!(ana.history(&ana_s).await.len(), 1);
    }
    server.stop().await;
}

async fn outsiders_are_kept_out(database: Database) {
    let server = Server::on(&database).await;
    for face in Face::ALL {
        let Two { ana, ben, ana_s, id } = two(&server, face).await;
        ana.say(&ana_s, &id, &ben, "between us").await;
        let eve = face.register(&server, &format!("eve-{}", face.name())).await;
        assert!(eve.chats().await.is_empty(), "{face:?}");
        let [outside, unknown] = match face {
            Face::Amigos | Face::Cookies | Face::Participants => [403, 404],
            Face::Company => [422, 422],
            Face::Emotechat => [404, 404],
        };
        let nowhere = match face {
            Face::Company | Face::Emotechat => "987654321",
            _ => UNKNOWN,
        };
        match face {
            // To others there is no such conversation.
            Face::Company => {
                for conversation in [&*ana_s, nowhere] {
                    let read = eve.get(&eve.messages_path(conversation)).await;
                    assert_eq!(read.is(200), json!([]));
                }
            }
            // A partner is named there, not a chat.
            Face::Emotechat => {
                assert!(eve.history(&ana.number.to_string()).await.is_empty());
                face.refuses(&eve.get(&eve.messages_path(nowhere)).await, 404);
                face.refuses(&eve.get(&eve.messages_path("x")).await, 400);
            }
            _ => {
                face.refuses(&eve.get(&eve.messages_path(&ana_s)).await, outside);
                for nothing in [nowhere, "x", "%00", "1"] {
                    face.refuses(&eve.get(&eve.messages_path(nothing)).await, unknown);
                }
            }
        }
        if face != Face::Emotechat {
            face.refuses(&eve.try_say(&ana_s, &id, &ben, "may I?").await, outside);
            face.refuses(&eve.try_say(nowhere, UNKNOWN, &ben, "anybody?").await, unknown);
        }
        let refused = not_for_outsiders(face, [ana_s.as_str(), nowhere], [&ana.id, &eve.id]);
        for (method, path, fields, status) in refused {
            let answer = eve.call(method.clone(), &path, &fields).await;
            assert_eq!(answer.status, status, "{face:?}: {method} {path}: {answer:?}");
            face.refuses(&answer, status);
        }
        assert_eq!(ana.chat_with(&ben).await, ana_s);
        let said = ana.history(&ana_s).await;
        assert_eq!(said.len(), 1);
        assert_eq!(said[0].text, "between us");
        assert!(eve.chats().await.is_empty(), "{face:?}");
    }
    server.stop().await;
}

/// What somebody outside of a chat may not do to it, nor to one that is not there: method, path, fields, and status.
fn not_for_outsiders(
    face: Face,
    [theirs, nowhere]: [&str; 2],
    [ana, eve]: [&str; 2],
) -> Vec<(Method, String, Value, u16)> {
    let note = json!({"lastMessage": {"text": "x", "sender": ana, "timestamp": "2024-03-08T19:30:00Z"}});
    let members = json!({"participants": [ana, eve]});
    let [here, there] = [theirs, nowhere].map(|chat| format!("/api/chats/{chat}"));
    match face {
        Face::Amigos => vec![
            (Method::PUT, here, json!({"name": "mine"}), 403),
            (Method::PUT, there, json!({"name": "mine"}), 404),
        ],
        Face::Cookies => vec![
            (Method::PUT, here.clone(), json!({"title": "mine"}), 403),
            (Method::PUT, there.clone(), json!({"title": "mine"}), 404),
            (Method::DELETE, format!("{here}?id={UNKNOWN}"), json!({}), 403),
            (Method::DELETE, format!("{there}?id={UNKNOWN}"), json!({}), 404),
            (Method::DELETE, format!("/api/chats?chat_id={theirs}"), json!({}), 403),
            (Method::DELETE, format!("/api/chats?chat_id={UNKNOWN}"), json!({}), 404),
            (
                Method::POST,
                format!("{here}/members"),
                json!({"name": "eve-cookies"}),
                403,
            ),
            (
                Method::POST,
                format!("{there}/members"),
                json!({"name": "eve-cookies"}),
                404,
            ),
        ],
        Face::Participants => {
            let both = [here, there].into_iter().flat_map(|chat| {
                [
                    (Method::GET, chat.clone(), json!({}), 404),
                    (Method::PUT, chat.clone(), members.clone(), 404),
                    (Method::PUT, chat.clone(), note.clone(), 404),
                    (Method::PATCH, format!("{chat}/last-message"), note.clone(), 404),
                    (Method::DELETE, chat, json!({}), 404),
                ]
            });
            both.collect()
        }
        Face::Company | Face::Emotechat => Vec::new(),
    }
}

/// The lists of a contract, what they call the number of a page and its size, and the largest size.
fn lists(face: Face, chat: &str, someone: &Someone) -> Vec<(String, Option<&'static str>, &'static str, u32)> {
    let list = |path: &str, size, most| (path.to_owned(), Some("page"), size, most);
    match face {
        Face::Amigos => vec![(format!("/api/messages/{chat}?"), None, "limit", 500)],
        Face::Company => vec![
            list("/api/users?", "limit", 1000),
            list("/api/conversations?", "limit", 1000),
            list(&format!("/api/messages?conv={chat}&"), "limit", 1000),
        ],
        Face::Cookies => vec![list(&format!("/api/chats/{chat}?"), "limit", 500)],
        Face::Emotechat => vec![
            list("/api/profile/users?", "page_size", 100),
            list("/api/conversations?", "page_size", 100),
            list(&format!("/api/conversations?partner_id={chat}&"), "page_size", 100),
        ],
        Face::Participants => vec![
            list("/api/chats?", "limit", 100),
            list(&format!("/api/chats?userId={}&", someone.id), "limit", 100),
            list(&format!("/api/chats/user/{}?", someone.id), "limit", 100),
            list(&format!("/api/messages/{chat}?"), "limit", 100),
            list("/api/users?", "limit", 100),
        ],
    }
}

async fn pages_out_of_range_are_the_default(database: Database) {
    let server = Server::on(&database).await;
    for face in Face::ALL {
        let Two { ana, ben, ana_s, id } = two(&server, face).await;
        for text in ["one", "two", "three"] {
            ana.say(&ana_s, &id, &ben, text).await;
        }
        for (list, page, size, most) in lists(face, &ana_s, &ana) {
            let ask = async |query: String| {
                let answer = ana.get(&format!("{list}{query}")).await;
                let link = answer.header("link").map(str::to_owned);
                (answer.is(200), link)
            };
            let default = ask(String::new()).await;
            for nonsense in ["0", "-1", "x", "", "1.5", "%20", "%2B1", "NaN", "1e3", "%F0%9F%98%80"] {
                for name in page.into_iter().chain([size]) {
                    assert_eq!(
                        ask(format!("{name}={nonsense}")).await,
                        default,
                        "{face:?}: {list}{name}={nonsense}"
                    );
                }
            }
            let largest = ask(format!("{size}={most}")).await;
            for more in [format!("{}", most + 1), "99999999999999999999".to_owned()] {
                assert_eq!(
                    ask(format!("{size}={more}")).await,
                    largest,
                    "{face:?}: {list}{size}={more}"
                );
            }
            // Beyond the end there is nothing, and that is no mistake.
            if let Some(page) = page {
                for far in ["1000", "2147483648", "4294967295", "99999999999999999999"] {
                    let (body, link) = ask(format!("{page}={far}")).await;
                    assert_eq!(link, None, "{face:?}: {list}");
                    assert!(!body.to_string().contains("one"), "{face:?}: {list}: {body}");
                }
            }
        }
    }
    server.stop().await;
}

async fn deleted_messages_were_never_there(database: Database) {
    let server = Server::on(&database).await;
    for face in Face::ALL {
        let Two { ana, ben, ana_s, id } = two(&server, face).await;
        let ben = ben.native();
        let mut sent = Vec::new();
        for text in ["first", "second", "third"] {
            sent.push(ben.send(&id, text).await["id"].as_str().unwrap().to_owned());
        }
        // How many messages are not read, and how many there are, where that is told.
        let counted = async || {
            let list = ana.get(face.list()).await.is(200);
            let messages = ana.get(&ana.messages_path(&ana_s)).await.is(200);
            match face {
                Face::Amigos => {
                    let members = list[0]["users"].as_array().unwrap().iter();
                    let mut own = members.filter(|member| member["userId"] == ana.id);
                    (own.next().unwrap()["unreadCount"].clone(), Value::Null)
                }
                Face::Emotechat => {
                    let single = ana.get(&format!("{}&page_size=1", ana.messages_path(&ana_s))).await;
                    let pages = single.is(200)["total_pages"].clone();
                    (list["conversations"][0]["unread_count"].clone(), pages)
                }
                Face::Participants => (Value::Null, messages["data"]["pagination"]["total"].clone()),
                Face::Company | Face::Cookies => (Value::Null, Value::Null),
            }
        };
        for (deleted, left) in [(2, vec!["first", "second"]), (0, vec!["second"]), (1, vec![])] {
            let gone = ben.delete(&format!("/chats/{id}/messages/{}", sent[deleted])).await;
            assert_eq!(gone.status, 204, "{gone:?}");
            let last = left.last().map_or(Value::Null, |text| json!(text));
            assert!([None, Some(last)].contains(&ana.last_said().await), "{face:?}");
            // Before it is listed: that makes it read in one of them.
            if face == Face::Amigos && deleted == 2 {
                let chats = ana.get(face.list()).await.is(200);
                let users = chats[0]["users"].as_array().unwrap().clone();
                let own = users.iter().find(|member| member["userId"] == ana.id).unwrap();
                assert_eq!(own["unreadCount"], 2);
            }
            let (unread, total) = counted().await;
            if face != Face::Amigos {
                assert!([Value::Null, json!(left.len())].contains(&unread), "{face:?}: {unread}");
            }
            assert!([Value::Null, json!(left.len())].contains(&total), "{face:?}: {total}");
            let said = ana.history(&ana_s).await;
            let texts: Vec<&str> = said.iter().map(|said| said.text.as_str()).collect();
            assert_eq!(texts, left, "{face:?}");
        }
    }
    server.stop().await;
}

/// Looks at every value of an answer: there is no secret in it, and a time is written as in all contracts.
#[track_caller]
fn look(face: Face, value: &Value, secrets: &[&str]) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let name = name.to_lowercase();
                if ["password", "hash", "secret", "refresh"]
                    .iter()
                    .any(|word| name.contains(word))
                {
                    assert_eq!((face, value), (Face::Company, &Value::Null), "{name}");
                }
                look(face, value, secrets);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| look(face, item, secrets)),
        Value::String(text) => {
            assert!(!secrets.iter().any(|secret| text.contains(secret)), "{face:?}: {text}");
            if text.get(..2) == Some("20") && text.contains('T') && text.contains(':') {
                assert!(is_time(value), "{face:?}: {text}");
            }
        }
        _ => {}
    }
}

async fn secrets_stay_secret_and_times_are_alike(database: Database) {
    let server = Server::on(&database).await;
    let secrets = [PASSWORD, "$argon2", "argon2id"];
    for face in Face::ALL {
        let Two { ana, ben, ana_s, id } = two(&server, face).await;
        ana.say(&ana_s, &id, &ben, "hello").await;
        let registered = face
            .try_register(&server, &format!("eve-{}", face.name()), PASSWORD)
            .await;
        look(face, &registered.json(), &secrets);
        let login = ana.login(face).unwrap();
        look(face, &face.log_in(&server, login, PASSWORD).await.is(200), &secrets);
        let mut paths: Vec<String> = lists(face, &ana_s, &ben).into_iter().map(|(list, ..)| list).collect();
        paths.push(face.list().to_owned());
        match face {
            Face::Cookies => paths.push(format!("/api/user/{}", ben.id)),
            Face::Emotechat => paths.push("/api/auth/validate".to_owned()),
            Face::Participants => {
                paths.extend([format!("/api/users/{}", ben.id), format!("/api/users/{}", ana.id)]);
                paths.push(format!("/api/chats/{ana_s}"));
            }
            Face::Amigos | Face::Company => {}
        }
        for path in paths {
            look(face, &ana.get(&path).await.is(200), &secrets);
        }
    }
    server.stop().await;
}
