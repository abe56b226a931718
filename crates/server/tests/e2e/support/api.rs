use super::Person;
use super::person::PASSWORD;
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// A server, as a client sees it.
#[derive(Debug, Clone)]
pub(crate) struct Api {
    client: Client,
    base: String,
}

impl Api {
    /// The one at that address, like `http://127.0.0.1:1234`.
    pub(crate) fn at(base: String) -> Self {
        Self {
            client: Client::new(),
            base,
        }
    }

    /// The same as it is seen from another address of this machine.
    pub(crate) fn seen_from(&self, address: IpAddr) -> Self {
        Self {
            client: Client::builder().local_address(address).build().unwrap(),
            base: self.base.clone(),
        }
    }

    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// A request to a path of the native API.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.request_root(method, &format!("/api/v1{path}"))
    }

    /// A request to any path.
    pub(crate) fn request_root(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.base))
    }

    /// GET of any path.
    pub(crate) async fn get_root(&self, path: &str) -> Answer {
        Answer::to(self.request_root(Method::GET, path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        Answer::to(self.request(Method::POST, path).json(&body)).await
    }

    /// Registers somebody under that name.
    pub(crate) async fn register(&self, username: &str) -> Person {
        let account = json!({"username": username, "password": PASSWORD});
        let session = self.post("/auth/register", account).await.is(201);
        Person::from_session(self, &session)
    }

    /// Registers somebody under that name who has that e-mail address.
    pub(crate) async fn register_with_email(&self, username: &str, email: &str) -> Person {
        let account = json!({"username": username, "email": email, "password": PASSWORD});
        let session = self.post("/auth/register", account).await.is(201);
        Person::from_session(self, &session)
    }

    /// Logs somebody in who was registered under that name.
    pub(crate) async fn log_in(&self, username: &str) -> Person {
        let session = self.log_in_with(username, PASSWORD).await.is(200);
        Person::from_session(self, &session)
    }

    pub(crate) async fn log_in_with(&self, login: &str, password: &str) -> Answer {
        self.post("/auth/login", json!({"login": login, "password": password}))
            .await
    }

    /// Exchanges a refresh token.
    pub(crate) async fn refresh(&self, token: &str) -> Answer {
        self.post("/auth/refresh", json!({"refresh_token": token})).await
    }
}

/// What a server answered.
#[derive(Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.status, String::from_utf8_lossy(&self.body))
    }
}

impl Answer {
    /// The answer to that request.
    pub(crate) async fn to(request: RequestBuilder) -> Self {
        Self::try_to(request).await.unwrap()
    }

    /// The answer, if the server lived to give it.
    pub(crate) async fn try_to(request: RequestBuilder) -> reqwest::Result<Self> {
        let response = request.send().await?;
        Ok(Self {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body: response.bytes().await?.to_vec(),
        })
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The body, null if there is none; the status must be this one.
    #[track_caller]
    pub(crate) fn is(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        if self.body.is_empty() { Value::Null } else { self.json() }
    }

    /// The body, which must be a problem (RFC 9457) of this status and code.
    #[track_caller]
    pub(crate) fn problem(self, status: u16, code: &str) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.header(CONTENT_TYPE.as_str()), Some("application/problem+json"));
        let problem = self.json();
        assert_eq!(problem["code"], code, "{problem}");
        assert_eq!(problem["status"], status, "{problem}");
        assert_eq!(problem["request_id"].as_str(), self.header("x-request-id"), "{problem}");
        for text in ["type", "title", "detail"] {
            assert!(problem[text].as_str().is_some_and(|text| !text.is_empty()), "{problem}");
        }
        problem
    }

    /// The number of a metric in `/metrics`, which must be there.
    #[track_caller]
    pub(crate) fn metric<T: FromStr<Err: fmt::Debug>>(&self, name: &str) -> T {
        let text = std::str::from_utf8(&self.body).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("no {name} in\n{text}")).parse().unwrap()
    }

    /// The fields that are named, of a body that is well-formed but invalid.
    #[track_caller]
    pub(crate) fn invalid_fields(self) -> Vec<String> {
        let problem = self.problem(422, "invalid_input");
        let errors = problem["errors"].as_array().cloned().unwrap_or_default();
        errors
            .iter()
            .map(|error| error["field"].as_str().unwrap().to_owned())
            .collect()
    }
}
