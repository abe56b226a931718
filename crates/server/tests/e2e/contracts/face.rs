//! The contracts side by side: how somebody registers, talks and reads through each of them.

use super::{id, time};
use crate::support::{Answer, Api, Person, TextSocket};
use reqwest::header::{CONTENT_TYPE, COOKIE, SET_COOKIE};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

/// Everybody's password: every contract takes seven characters.
pub(super) const PASSWORD: &str = "secreta";

/// A contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Face {
    Amigos,
    Company,
    Cookies,
    Emotechat,
    Participants,
}

impl Face {
    pub(super) const ALL: [Self; 5] = [
        Self::Amigos,
        Self::Company,
        Self::Cookies,
        Self::Emotechat,
        Self::Participants,
    ];

    /// What it is called in paths.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Amigos => "amigos",
            Self::Company => "company",
            Self::Cookies => "cookies",
            Self::Emotechat => "emotechat",
            Self::Participants => "participants",
        }
    }

    /// A request to a path of it.
    pub(super) fn request(self, api: &Api, method: Method, path: &str) -> RequestBuilder {
        api.request_root(method, &format!("/compat/{}{path}", self.name()))
    }

    /// The request with those fields as its body.
    pub(super) fn with(self, request: RequestBuilder, fields: &Value) -> RequestBuilder {
        if self != Self::Cookies {
            return request.json(fields);
        }
        let fields = fields.as_object().unwrap().iter();
        let pairs: Vec<String> = fields
            .map(|(name, value)| format!("{name}={}", encoded(value.as_str().unwrap())))
            .collect();
        let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        request.body(pairs.join("&"))
    }

    /// Whether one logs in by a username, and not by an e-mail address.
    pub(super) fn knows_usernames(self) -> bool {
        matches!(self, Self::Amigos | Self::Cookies)
    }

    /// Somebody with that name, and that password, wants an account.
    pub(super) async fn try_register(self, api: &Api, name: &str, password: &str) -> Answer {
        let email = format!("{name}@example.org");
        let (path, account) = match self {
            Self::Amigos => ("/api/auth/register", json!({"username": name, "password": password})),
            Self::Company => (
                "/api/users",
                json!({"user": {
                    "name": name, "subname": "Doe", "email": email, "job": "CEO", "password": password,
                }}),
            ),
            Self::Cookies => ("/api/user", json!({"name": name, "password": password, "email": email})),
            Self::Emotechat => (
                "/api/auth/register",
                json!({"name": format!("{name} Roe"), "email": email, "password": password}),
            ),
            Self::Participants => (
                "/api/users/register",
                json!({
                    "fullName": format!("{name} López"), "email": email, "password": password, "username": name,
                }),
            ),
        };
        Answer::to(self.with(self.request(api, Method::POST, path), &account)).await
    }

    /// Somebody logs in, by a username or an e-mail address.
    pub(super) async fn log_in(self, api: &Api, login: &str, password: &str) -> Answer {
        let (path, credentials) = match self {
            Self::Amigos => ("/api/auth/login", json!({"username": login, "password": password})),
            Self::Company => ("/api/login", json!({"creds": {"email": login, "password": password}})),
            Self::Cookies => ("/api/login", json!({"name": login, "password": password})),
            Self::Emotechat => ("/api/auth/login", json!({"email": login, "password": password})),
            Self::Participants => ("/api/users/login", json!({"email": login, "password": password})),
        };
        Answer::to(self.with(self.request(api, Method::POST, path), &credentials)).await
    }

    /// The token of an answer to a log-in.
    #[track_caller]
    pub(super) fn token(self, answer: &Answer) -> String {
        if self == Self::Cookies {
            let cookies = answer.headers.get_all(SET_COOKIE).iter();
            let mut cookies = cookies.map(|cookie| cookie.to_str().unwrap());
            let token = cookies.find_map(|cookie| cookie.strip_prefix("token=")).unwrap();
            return token.split(';').next().unwrap().to_owned();
        }
        let body = answer.json();
        let token = match self {
            Self::Company | Self::Participants => &body["data"]["token"],
            _ => &body["token"],
        };
        token
            .as_str()
            .unwrap_or_else(|| panic!("no token in {answer:?}"))
            .to_owned()
    }

    /// A failure in the shape of this contract and of no other.
    #[track_caller]
    pub(super) fn refuses(self, answer: &Answer, status: u16) -> Value {
        assert_eq!(answer.status, status, "{self:?}: {answer:?}");
        assert_eq!(answer.header("content-type"), Some("application/json"), "{self:?}");
        let body = answer.json();
        let mut keys: Vec<&str> = body.as_object().unwrap().keys().map(String::as_str).collect();
        keys.retain(|key| *key != "missingFields");
        let expected: &[&str] = match (self, status) {
            (Self::Company, 401) if body["data"].is_string() => &["data"],
            (Self::Amigos | Self::Emotechat, _) | (Self::Company, 401) => &["message"],
            (Self::Company, _) => &["errors"],
            (Self::Cookies, _) => &["error"],
            (Self::Participants, _) => &["message", "success"],
        };
        assert_eq!(keys, expected, "{self:?}: {body}");
        body
    }

    /// What stands for 401 there.
    pub(super) fn unauthenticated(self) -> u16 {
        if self == Self::Cookies { 403 } else { 401 }
    }

    /// A list that everybody has who is logged in.
    pub(super) fn list(self) -> &'static str {
        match self {
            Self::Company | Self::Emotechat => "/api/conversations",
            _ => "/api/chats",
        }
    }

    /// Registers somebody who has that name, and logs them in.
    pub(super) async fn register(self, api: &Api, name: &str) -> Someone {
        let registered = self.try_register(api, name, PASSWORD).await;
        let status = if self == Self::Emotechat { 200 } else { 201 };
        assert_eq!(registered.status, status, "{registered:?}");
        let email = format!("{name}@example.org");
        let token = match self {
            Self::Company | Self::Emotechat => self.token(&self.log_in(api, &email, PASSWORD).await),
            _ => self.token(&registered),
        };
        let me = api.request(Method::GET, "/me").bearer_auth(&token);
        let me = Answer::to(me).await.is(200);
        let display = match self {
            Self::Amigos | Self::Cookies => None,
            Self::Company => Some(format!("{name} Doe")),
            Self::Emotechat => Some(format!("{name} Roe")),
            Self::Participants => Some(format!("{name} López")),
        };
        let named = matches!(self, Self::Amigos | Self::Cookies | Self::Participants);
        let mut someone = Someone {
            api: api.clone(),
            face: self,
            id: id(&me["id"]),
            number: 0,
            token,
            username: named.then(|| name.to_owned()),
            email: (self != Self::Amigos).then_some(email),
            display,
        };
        someone.number = someone.own_number().await;
        someone
    }
}

/// A text as it stands in a form.
fn encoded(text: &str) -> String {
    text.bytes()
        .fold(String::new(), |text, byte| format!("{text}%{byte:02X}"))
}

/// Somebody who is logged in through the contract through which they registered.
#[derive(Clone)]
pub(super) struct Someone {
    api: Api,
    pub(super) face: Face,
    pub(super) id: String,
    pub(super) number: i64,
    pub(super) token: String,
    pub(super) username: Option<String>,
    pub(super) email: Option<String>,
    display: Option<String>,
}

/// A message as a contract shows it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) id: String,
    pub(super) time: String,
    /// An id or a number.
    pub(super) sender: String,
    pub(super) text: String,
}

impl Someone {
    /// What they are called where usernames are shown.
    pub(super) fn shown_username(&self) -> &str {
        self.username.as_deref().or(self.display.as_deref()).unwrap()
    }

    /// What they are called where display names are shown.
    pub(super) fn shown_name(&self) -> &str {
        self.display.as_deref().or(self.username.as_deref()).unwrap()
    }

    /// The name by which they log in through that contract, if they have one.
    pub(super) fn login(&self, face: Face) -> Option<&str> {
        if face.knows_usernames() {
            self.username.as_deref()
        } else {
            self.email.as_deref()
        }
    }

    /// The same in another session.
    pub(super) fn with_token(&self, token: String) -> Self {
        Self { token, ..self.clone() }
    }

    /// The same in the native API.
    pub(super) fn native(&self) -> Person {
        let session = json!({"user": {"id": self.id}, "access_token": self.token, "refresh_token": ""});
        Person::from_session(&self.api, &session)
    }

    /// A request through another contract with the same token.
    pub(super) fn through(&self, face: Face, method: Method, path: &str) -> RequestBuilder {
        face.request(&self.api, method, path).bearer_auth(&self.token)
    }

    pub(super) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.face.request(&self.api, method, path);
        if self.face == Face::Cookies {
            request.header(COOKIE, format!("user_id={}; token={}", self.id, self.token))
        } else {
            request.bearer_auth(&self.token)
        }
    }

    pub(super) async fn get(&self, path: &str) -> Answer {
        Answer::to(self.request(Method::GET, path)).await
    }

    pub(super) async fn call(&self, method: Method, path: &str, fields: &Value) -> Answer {
        Answer::to(self.face.with(self.request(method, path), fields)).await
    }

    async fn own_number(&self) -> i64 {
        let users = self.through(Face::Company, Method::GET, "/api/users");
        let users = Answer::to(users).await.is(200);
        let last = users.as_array().unwrap().last().unwrap();
        let shown = match self.face {
            Face::Company => self.shown_name().strip_suffix(" Doe").unwrap(),
            _ => self.shown_name(),
        };
        assert_eq!(last["name"], shown, "{last}");
        assert_eq!(last["email"], json!(self.email));
        last["id"].as_i64().unwrap()
    }

    /// How this contract names somebody.
    pub(super) fn named(&self, user: &Self) -> String {
        match self.face {
            Face::Company | Face::Emotechat => user.number.to_string(),
            _ => user.id.clone(),
        }
    }

    /// Begins the direct chat with somebody, or finds it there, if the contract has a way to: the status.
    pub(super) async fn begin(&self, other: &Self) -> Option<u16> {
        let (path, fields) = match self.face {
            Face::Amigos => ("/api/chats", json!({"isGroup": false, "userIds": [other.id]})),
            Face::Company => ("/api/conversations", json!({"recipient": other.number})),
            Face::Participants => ("/api/chats", json!({"participants": [self.id, other.id]})),
            Face::Cookies | Face::Emotechat => return None,
        };
        let answer = self.call(Method::POST, path, &fields).await;
        assert!([200, 201].contains(&answer.status), "{answer:?}");
        Some(answer.status)
    }

    /// All chats as listed.
    pub(super) async fn chats(&self) -> Vec<Value> {
        let list = self.get(self.face.list()).await.is(200);
        let chats = match self.face {
            Face::Amigos | Face::Company => &list,
            Face::Cookies => &list["chats"],
            Face::Emotechat => &list["conversations"],
            Face::Participants => &list["data"]["chats"],
        };
        chats.as_array().unwrap().clone()
    }

    /// The name under which this contract has the only chat that there is, with somebody: it must be shown as that.
    pub(super) async fn chat_with(&self, other: &Self) -> String {
        let chats = self.chats().await;
        assert_eq!(chats.len(), 1, "{chats:?}");
        let chat = &chats[0];
        let other_of = |list: &Value, key: &str| {
            let members = list.as_array().unwrap();
            assert_eq!(members.len(), 2, "{list}");
            members.iter().find(|member| member[key] == other.id).unwrap().clone()
        };
        match self.face {
            Face::Amigos => {
                assert_eq!((&chat["isGroup"], &chat["name"]), (&json!(false), &Value::Null));
                let user = other_of(&chat["users"], "userId")["user"].clone();
                assert_eq!(user["username"], other.shown_username());
                id(&chat["id"])
            }
            Face::Company => {
                assert_eq!(*chat, json!({"status": null, "id": chat["id"]}));
                chat["id"].as_i64().unwrap().to_string()
            }
            Face::Cookies => {
                assert_eq!(chat["title"], other.shown_username());
                id(&chat["id"])
            }
            Face::Emotechat => {
                let shown = json!({"id": other.number, "name": other.shown_name(), "email": other.email});
                assert_eq!(chat["user"], shown);
                other.number.to_string()
            }
            Face::Participants => {
                let user = other_of(&chat["participants"], "_id");
                assert_eq!(user["username"], other.shown_username());
                assert_eq!(user["fullName"], other.shown_name());
                assert_eq!(user["email"], json!(other.email));
                id(&chat["_id"])
            }
        }
    }

    /// What the list says was said last in its first chat, where it says that.
    pub(super) async fn last_said(&self) -> Option<Value> {
        let chat = self.chats().await[0].clone();
        Some(match self.face {
            Face::Amigos => chat["messages"][0]["content"].clone(),
            Face::Company => return None,
            Face::Cookies | Face::Emotechat => chat["last_message"].clone(),
            Face::Participants => chat["lastMessage"]["text"].clone(),
        })
    }

    /// Says something in a chat, to somebody where the contract asks to whom. `emotechat` only has its socket for that, which
    /// refuses in frames of its own: where it is to be refused the native API stands in, and `native` is what it calls the chat.
    pub(super) async fn try_say(&self, chat: &str, native: &str, to: &Self, text: &str) -> Answer {
        let (path, fields) = match self.face {
            Face::Amigos => ("/api/messages".to_owned(), json!({"chatId": chat, "content": text})),
            Face::Company => {
                let number: i64 = chat.parse().unwrap_or(i64::MAX);
                ("/api/messages".to_owned(), json!({"conv": number, "content": text}))
            }
            Face::Cookies => (format!("/api/chats/{chat}"), json!({"content": text})),
            Face::Emotechat => {
                let path = format!("/chats/{native}/messages");
                return self.native().post(&path, json!({"body": text})).await;
            }
            Face::Participants => {
                let message = json!({"chatId": chat, "receiverId": to.id, "content": text});
                ("/api/messages".to_owned(), message)
            }
        };
        self.call(Method::POST, &path, &fields).await
    }

    pub(super) async fn say(&self, chat: &str, native: &str, to: &Self, text: &str) {
        if self.face == Face::Emotechat {
            return self.say_by_socket(to, text).await;
        }
        let answer = self.try_say(chat, native, to, text).await;
        assert_eq!(answer.status, 201, "{:?}: {answer:?}", self.face);
    }

    async fn say_by_socket(&self, to: &Self, text: &str) {
        let url = format!("{}/compat/emotechat/ws/{}", self.api.base(), self.number);
        let mut socket = TextSocket::open(&url, Some(&self.token)).await;
        socket
            .says(json!({"message": text, "sender": self.number, "receiver": to.number}))
            .await;
        let stored = socket.hears().await;
        assert_eq!(stored["message"], text, "{stored}");
        assert_eq!(
            [&stored["sender"], &stored["receiver"]],
            [&json!(self.number), &json!(to.number)]
        );
    }

    /// Where the messages of a chat are.
    pub(super) fn messages_path(&self, chat: &str) -> String {
        match self.face {
            Face::Amigos | Face::Participants => format!("/api/messages/{chat}"),
            Face::Company => format!("/api/messages?conv={chat}"),
            Face::Cookies => format!("/api/chats/{chat}"),
            Face::Emotechat => format!("/api/conversations?partner_id={chat}"),
        }
    }

    /// What was said in a chat, oldest first.
    pub(super) async fn history(&self, chat: &str) -> Vec<Said> {
        let list = self.get(&self.messages_path(chat)).await.is(200);
        let messages = match self.face {
            Face::Amigos | Face::Company => &list,
            Face::Cookies => &list["messages"],
            Face::Emotechat => &list["conversations"],
            Face::Participants => &list["data"]["messages"],
        };
        let [id_key, time_key, text_key] = match self.face {
            Face::Amigos => ["id", "createdAt", "content"],
            Face::Company => ["id", "date", "content"],
            Face::Cookies => ["id", "time", "content"],
            Face::Emotechat => ["ID", "Timestamp", "Content"],
            Face::Participants => ["_id", "createdAt", "content"],
        };
        let said = messages.as_array().unwrap().iter().map(|message| {
            let sender = match self.face {
                Face::Amigos => &message["sender"]["id"],
                Face::Company | Face::Cookies => &message["sender_id"],
                Face::Emotechat => &message["SenderID"],
                Face::Participants => &message["senderId"],
            };
            Said {
                id: id(&message[id_key]),
                time: time(&message[time_key]),
                sender: sender.as_str().map_or_else(|| sender.to_string(), str::to_owned),
                text: message[text_key].as_str().unwrap().to_owned(),
            }
        });
        let mut said: Vec<Said> = said.collect();
        if self.face == Face::Participants {
            said.reverse();
        }
        said
    }
}
