//! Conversations that cross the contracts: one user, one chat, one history, whatever they are seen through.

use super::face::{Face, PASSWORD, Said, Someone};
use crate::support::{Answer, Api, Database, Process, on_each_database};
use reqwest::Method;
use serde_json::{Value, json};

on_each_database! {
    any_two_contracts_share_a_direct_chat
    a_group_is_one_in_all_contracts_that_have_groups
    whoever_registers_through_one_logs_in_through_all
    a_session_is_the_same_everywhere_and_ends_everywhere
}

/// Every contract with itself and every other, once.
fn pairs() -> impl Iterator<Item = (Face, Face)> {
    let from = |(place, one): (usize, &'static Face)| Face::ALL[place..].iter().map(|other| (*one, *other));
    Face::ALL.iter().enumerate().flat_map(from)
}

/// What is said, and who says it: the first or the second.
const TALK: [(usize, &str); 5] = [
    (0, "¿Hola? <b>\"&amp;\" 100% + 1 = 2; a=b&c=d"),
    (1, "two\nlines,\ta tab and \\ \u{1f600} e\u{301}"),
    (1, "  twice in a row, and with space before"),
    (0, "ok"),
    (1, "日本語"),
];

async fn any_two_contracts_share_a_direct_chat(database: Database) {
    let data = tempfile::tempdir().unwrap();
    let server = Process::start(&database, data.path());
    for (place, (one, other)) in pairs().enumerate() {
        let ana = one.register(&server, &format!("ana{place}")).await;
        let ben = other.register(&server, &format!("ben{place}")).await;
        talk(&ana, &ben).await;
    }
}

async fn talk(ana: &Someone, ben: &Someone) {
    let faces = (ana.face, ben.face);
    let begun = [ana.begin(ben).await, ben.begin(ana).await];
    let statuses: Vec<u16> = begun.into_iter().flatten().collect();
    match statuses.as_slice() {
        [] => {
            let chat = json!({"kind": "direct", "user_id": ben.id});
            ana.native().post("/chats", chat).await.is(201);
        }
        // Whoever comes second finds the chat.
        statuses => assert!([&[201][..], &[201, 200]].contains(&statuses), "{faces:?}: {statuses:?}"),
    }
    let native = ana.native().get("/chats").await.is(200)["items"][0]["id"].clone();
    let native = native.as_str().unwrap();
    let two = [(ana, ben), (ben, ana)];
    let chats = [ana.chat_with(ben).await, ben.chat_with(ana).await];
    for (place, (who, _)) in two.iter().enumerate() {
        assert!(who.history(&chats[place]).await.is_empty(), "{faces:?}");
        assert!([None, Some(Value::Null)].contains(&who.last_said().await), "{faces:?}");
    }
    for (count, (who, text)) in TALK.into_iter().enumerate() {
        let (speaker, listener) = two[who];
        speaker.say(&chats[who], native, listener, text).await;
        let expected: Vec<(usize, &str)> = TALK[..=count].to_vec();
        let read = [ana.history(&chats[0]).await, ben.history(&chats[1]).await];
        for (place, said) in read.iter().enumerate() {
            let (reader, other) = two[place];
            let names = [reader.named(ana), reader.named(ben)];
            let shown = said.iter().map(|message| {
                let sender = names.iter().position(|name| *name == message.sender);
                (sender.unwrap_or_else(|| panic!("{message:?}")), message.text.as_str())
            });
            assert_eq!(shown.collect::<Vec<_>>(), expected, "{faces:?}");
            assert_eq!(reader.chat_with(other).await, chats[place]);
            if let Some(last) = reader.last_said().await {
                assert_eq!(last, text, "{faces:?}");
            }
        }
        let same = |said: &[Said]| -> Vec<(String, String)> {
            said.iter().map(|said| (said.id.clone(), said.time.clone())).collect()
        };
        assert_eq!(same(&read[0]), same(&read[1]), "{faces:?}");
    }
    assert_eq!(ana.native().bodies(native).await, TALK.map(|(_, text)| text));
}

async fn a_group_is_one_in_all_contracts_that_have_groups(database: Database) {
    let data = tempfile::tempdir().unwrap();
    let server = Process::start(&database, data.path());
    let mut people = Vec::new();
    for face in Face::ALL {
        people.push(face.register(&server, &format!("of-{}", face.name())).await);
    }
    let owner = server.register("owner").await;
    let ids: Vec<&str> = people.iter().map(|member| member.id.as_str()).collect();
    let group = json!({"kind": "group", "title": "Everybody", "user_ids": ids});
    let group = owner.post("/chats", group).await.is(201)["id"].clone();
    let group = group.as_str().unwrap();

    let speaking = [Face::Amigos, Face::Participants, Face::Cookies, Face::Amigos];
    let speakers = speaking.map(|face| people.iter().find(|member| member.face == face).unwrap());
    let mut expected = Vec::new();
    for (place, speaker) in speakers.iter().enumerate() {
        let text = format!("{place}: from {}", speaker.face.name());
        speaker.say(group, group, &people[place], &text).await;
        expected.push((speaker.id.clone(), text));
        for reader in &people {
            let chats = reader.chats().await;
            if !speaking.contains(&reader.face) {
                assert_eq!(chats, [] as [Value; 0], "{:?}", reader.face);
                continue;
            }
            let said = reader.history(group).await.into_iter();
            let said: Vec<(String, String)> = said.map(|said| (said.sender, said.text)).collect();
            assert_eq!(said, expected, "{:?}", reader.face);
            let last = reader.last_said().await.unwrap();
            assert_eq!(last, expected.last().unwrap().1, "{:?}", reader.face);
            let title = match reader.face {
                Face::Amigos => &chats[0]["name"],
                Face::Cookies => &chats[0]["title"],
                _ => continue,
            };
            assert_eq!(title, "Everybody");
        }
    }
    let texts: Vec<String> = expected.into_iter().map(|(_, text)| text).collect();
    assert_eq!(owner.bodies(group).await, texts);
    // Whoever is shown a chat by its number is shown no group.
    let company = &people[1];
    for number in 1..=2 {
        let messages = company.get(&format!("/api/messages?conv={number}")).await;
        assert_eq!(messages.is(200), json!([]));
    }
}

/// Logs somebody in through a contract, by a name that they have there, and looks who that is.
async fn is_let_in(server: &Api, someone: &Someone, face: Face, login: &str) {
    let session = face.log_in(server, login, PASSWORD).await;
    assert_eq!(session.status, 200, "{:?} through {face:?}: {session:?}", someone.face);
    let me = server.request(Method::GET, "/me").bearer_auth(face.token(&session));
    assert_eq!(Answer::to(me).await.is(200)["id"], someone.id);
}

async fn whoever_registers_through_one_logs_in_through_all(database: Database) {
    let data = tempfile::tempdir().unwrap();
    let server = Process::start(&database, data.path());
    for registered in Face::ALL {
        let name = format!("ana-{}", registered.name());
        let ana = registered.register(&server, &name).await;
        let email = format!("{name}@example.org");
        for face in Face::ALL {
            if let Some(login) = ana.login(face) {
                is_let_in(&server, &ana, face, login).await;
                continue;
            }
            // By what they don't have, they are nobody.
            let login = if face.knows_usernames() { &name } else { &email };
            let wrong = face.log_in(&server, login, PASSWORD).await;
            face.refuses(&wrong, if face == Face::Cookies { 400 } else { 401 });
        }
        // Either can be added.
        let changed = json!({"username": name, "email": email});
        ana.native().patch("/me", changed).await.is(200);
        for face in Face::ALL {
            is_let_in(&server, &ana, face, if face.knows_usernames() { &name } else { &email }).await;
        }
    }
}

async fn a_session_is_the_same_everywhere_and_ends_everywhere(database: Database) {
    let data = tempfile::tempdir().unwrap();
    let server = Process::start(&database, data.path());
    for registered in Face::ALL {
        let ana = registered
            .register(&server, &format!("ana-{}", registered.name()))
            .await;
        for (way, (method, path)) in [
            ("cookies", (Method::GET, "/compat/cookies/api/logout")),
            ("emotechat", (Method::POST, "/compat/emotechat/api/auth/logout")),
            ("company", (Method::DELETE, "/compat/company/api/logout")),
            ("native", (Method::POST, "/api/v1/auth/logout")),
        ] {
            // The first session is the one of the registration, as far as that gives one.
            let login = ana.login(registered).unwrap();
            let session = registered.log_in(&server, login, PASSWORD).await;
            let ana = ana.with_token(registered.token(&session));
            for face in Face::ALL {
                let list = ana.through(face, Method::GET, face.list());
                assert_eq!(Answer::to(list).await.status, 200, "{registered:?} in {face:?}");
            }
            let out = server.request_root(method, path).bearer_auth(&ana.token);
            let out = Answer::to(out).await;
            assert!([200, 204].contains(&out.status), "{registered:?} by {way}: {out:?}");
            for face in Face::ALL {
                let list = ana.through(face, Method::GET, face.list());
                face.refuses(&Answer::to(list).await, face.unauthenticated());
            }
            let refused = ana.native().get("/me").await;
            refused.problem(401, "unauthenticated");
        }
        // The others live.
        assert_eq!(ana.get(registered.list()).await.status, 200, "{registered:?}");
    }
}
