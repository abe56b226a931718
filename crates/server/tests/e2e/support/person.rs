use super::{Answer, Api, Form};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use std::collections::HashSet;

/// Everybody's password.
pub(crate) const PASSWORD: &str = "correct horse battery";

/// Somebody who is logged in.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    api: Api,
    pub(crate) id: String,
    pub(crate) access: String,
    pub(crate) refresh: String,
}

impl Person {
    /// The user of that session.
    pub(crate) fn from_session(api: &Api, session: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        Self {
            api: api.clone(),
            id: text(&session["user"]["id"]),
            access: text(&session["access_token"]),
            refresh: text(&session["refresh_token"]),
        }
    }

    /// The same with the same tokens, talking to another process.
    pub(crate) fn at(&self, api: &Api) -> Self {
        Self {
            api: api.clone(),
            ..self.clone()
        }
    }

    /// The process.
    pub(crate) fn api(&self) -> &Api {
        &self.api
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.api.request(method, path).bearer_auth(&self.access)
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        Answer::to(self.request(Method::GET, path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        Answer::to(self.request(Method::POST, path).json(&body)).await
    }

    /// POST with an idempotency key.
    pub(crate) async fn post_keyed(&self, path: &str, key: &str, body: Value) -> Answer {
        let request = self.request(Method::POST, path).header("Idempotency-Key", key);
        Answer::to(request.json(&body)).await
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> Answer {
        Answer::to(self.request(Method::PUT, path).json(&body)).await
    }

    pub(crate) async fn patch(&self, path: &str, body: Value) -> Answer {
        Answer::to(self.request(Method::PATCH, path).json(&body)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        Answer::to(self.request(Method::DELETE, path)).await
    }

    /// Sends a form.
    pub(crate) async fn send_form(&self, method: Method, path: &str, form: Form) -> Answer {
        Answer::to(form.on(self.request(method, path))).await
    }

    /// Uploads a file of that name; the answer is not looked at.
    pub(crate) async fn try_upload(&self, name: &str, bytes: impl AsRef<[u8]>) -> Answer {
        let form = Form::new().file(name, bytes.as_ref());
        self.send_form(Method::POST, "/files", form).await
    }

    /// Uploads a file of that name and gives it.
    pub(crate) async fn upload(&self, name: &str, bytes: impl AsRef<[u8]>) -> Value {
        self.try_upload(name, bytes).await.is(201)
    }

    /// Sends a message with nothing but these files and gives it.
    pub(crate) async fn send_files(&self, chat: &str, files: &[&Value]) -> Value {
        self.attach(chat, files).await.is(201)
    }

    /// The same; the answer is not looked at.
    pub(crate) async fn attach(&self, chat: &str, files: &[&Value]) -> Answer {
        let ids: Vec<&Value> = files.iter().map(|file| &file["id"]).collect();
        self.post(&format!("/chats/{chat}/messages"), json!({"attachments": ids}))
            .await
    }

    /// A request for what is at a file's `url`.
    pub(crate) fn fetch(&self, file: &Value) -> RequestBuilder {
        let url = file["url"].as_str().unwrap();
        self.api.request_root(Method::GET, url).bearer_auth(&self.access)
    }

    /// What is at a file's `url`.
    pub(crate) async fn download(&self, file: &Value) -> Answer {
        Answer::to(self.fetch(file)).await
    }

    pub(crate) async fn log_out(&self) {
        Answer::to(self.request(Method::POST, "/auth/logout")).await.is(204);
    }

    /// Makes a group and gives its id.
    pub(crate) async fn group(&self, title: &str, members: &[&Self]) -> String {
        let ids: Vec<&str> = members.iter().map(|member| member.id.as_str()).collect();
        let group = json!({"kind": "group", "title": title, "user_ids": ids});
        text(&self.post("/chats", group).await.is(201)["id"])
    }

    /// Sends a message and gives it.
    pub(crate) async fn send(&self, chat: &str, body: &str) -> Value {
        self.post(&format!("/chats/{chat}/messages"), json!({"body": body}))
            .await
            .is(201)
    }

    /// The chat as this person sees it.
    pub(crate) async fn chat(&self, chat: &str) -> Value {
        self.get(&format!("/chats/{chat}")).await.is(200)
    }

    /// A page of a list of that many items at the most: the first, or the one at the cursor.
    pub(crate) async fn page(&self, list: &str, limit: usize, cursor: Option<&str>) -> (Vec<Value>, Option<String>) {
        let cursor = cursor.map(|cursor| format!("&cursor={cursor}")).unwrap_or_default();
        let page = self.get(&format!("{list}?limit={limit}{cursor}")).await.is(200);
        let items = page["items"].as_array().unwrap().clone();
        assert!(items.len() <= limit, "{} items", items.len());
        (items, page["next_cursor"].as_str().map(str::to_owned))
    }

    /// All items of a list, in pages of that many.
    pub(crate) async fn walk(&self, list: &str, limit: usize) -> Vec<Value> {
        self.walk_with(list, limit, async || {}).await
    }

    /// The same, with something happening between the pages.
    pub(crate) async fn walk_with(&self, list: &str, limit: usize, mut between: impl AsyncFnMut()) -> Vec<Value> {
        let (mut items, mut next) = self.page(list, limit, None).await;
        let mut seen = HashSet::new();
        while let Some(cursor) = next {
            between().await;
            let (more, after) = self.page(list, limit, Some(&cursor)).await;
            items.extend(more);
            assert!(seen.insert(cursor), "the walk goes in circles");
            next = after;
        }
        items
    }

    /// The bodies of a chat's messages, oldest first, which must be numbered without gap or repeat.
    pub(crate) async fn bodies(&self, chat: &str) -> Vec<String> {
        let mut messages = self.walk(&format!("/chats/{chat}/messages"), 100).await;
        messages.reverse();
        let numbers: Vec<u64> = messages
            .iter()
            .map(|message| message["seq"].as_u64().unwrap())
            .collect();
        assert_eq!(numbers, (1..=messages.len() as u64).collect::<Vec<_>>());
        messages.iter().map(|message| text(&message["body"])).collect()
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
