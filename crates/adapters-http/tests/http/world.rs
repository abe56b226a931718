//! A server on a free port of this machine, over mocked repositories, and a client that talks to it through a socket.

use actix_web::dev::Server;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::Value;
use std::io;
use std::net::TcpListener;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use tertulia_adapters_http::{HttpOptions, HttpServers, HttpState, REQUEST_SECONDS, REQUEST_SECONDS_BUCKETS};
use tertulia_application::ports::{
    IdGenerator, MockClock, MockEventBus, MockFileStore, MockImageInspector, MockMailer, MockPasswordHasher,
    MockSecretGenerator, MockTokenIssuer, VerifyTokenError,
};
use tertulia_application::{Policy, Ports, Repositories, Services};
use tertulia_domain::repository::{
    MockAccountTokenRepository, MockApiKeyRepository, MockChatRepository, MockFileRepository, MockMaintenance,
    MockMessageRepository, MockModerationRepository, MockOutboxRepository, MockOverviewRepository,
    MockSessionRepository, MockUserRepository,
};
use tertulia_domain::{
    Author, Caller, Chat, ChatId, ChatKind, ChatTitle, ChatView, ClaimedSession, Dimensions, DisplayName, Email, File,
    FileId, FileName, MediaType, Member, MemberRole, Membership, Message, MessageBody, MessageContent, MessageId,
    Profile, ProfileValue, Role, Scopes, Seq, SessionId, Timestamp, User, UserId, Username,
};
use uuid::Uuid;

/// 2024-03-08T19:30:00.000Z: the time of every test.
pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_709_926_200_000);
pub(crate) const NOW_TEXT: &str = "2024-03-08T19:30:00.000Z";
pub(crate) const ANA: UserId = UserId::from_uuid(Uuid::from_u128(0xA));
pub(crate) const BEN: UserId = UserId::from_uuid(Uuid::from_u128(0xB));
pub(crate) const SESSION: SessionId = SessionId::from_uuid(Uuid::from_u128(0x5));
pub(crate) const CHAT: ChatId = ChatId::from_uuid(Uuid::from_u128(0xC));
pub(crate) const MESSAGE: MessageId = MessageId::from_uuid(Uuid::from_u128(0xE));
pub(crate) const FILE: FileId = FileId::from_uuid(Uuid::from_u128(0xF));
pub(crate) const CLAIMED: ClaimedSession = ClaimedSession {
    session_id: SESSION,
    user_id: ANA,
};

/// The access token of Ana's session. `expired` is one that was, and everything else is none.
pub(crate) const TOKEN: &str = "good";

/// An API key of Ana's, if there is one.
pub(crate) const KEY: &str = "tt_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc";

/// Ana, in her session.
pub(crate) const CALLER: Caller = Caller {
    user_id: ANA,
    session_id: SESSION,
    role: Role::User,
    blocks: false,
};

/// What the services stand on. Everything that a test does not expect fails it.
pub(crate) struct World {
    pub(crate) users: MockUserRepository,
    pub(crate) sessions: MockSessionRepository,
    pub(crate) chats: MockChatRepository,
    pub(crate) overviews: MockOverviewRepository,
    pub(crate) messages: MockMessageRepository,
    pub(crate) files: MockFileRepository,
    pub(crate) account_tokens: MockAccountTokenRepository,
    pub(crate) api_keys: MockApiKeyRepository,
    pub(crate) moderation: MockModerationRepository,
    pub(crate) maintenance: MockMaintenance,
    pub(crate) bus: MockEventBus,
    pub(crate) store: MockFileStore,
    pub(crate) images: MockImageInspector,
    pub(crate) hasher: MockPasswordHasher,
    pub(crate) tokens: MockTokenIssuer,
    pub(crate) policy: Policy,
    pub(crate) options: HttpOptions,
}

struct Counting(AtomicU64);

impl IdGenerator for Counting {
    fn next(&self) -> Uuid {
        Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 + u128::from(self.0.fetch_add(1, Ordering::Relaxed)))
    }
}

impl World {
    /// Ana's session lives; nothing else is there.
    pub(crate) fn new() -> Self {
        let mut sessions = MockSessionRepository::new();
        sessions
            .expect_find_caller()
            .returning(move |claim, _| Ok((claim == CLAIMED).then_some(CALLER)));
        let mut tokens = MockTokenIssuer::new();
        tokens.expect_verify().returning(|token, _| match token {
            TOKEN => Ok(CLAIMED),
            "expired" => Err(VerifyTokenError::Expired),
            "ended" => Ok(ClaimedSession {
                user_id: BEN,
                ..CLAIMED
            }),
            _ => Err(VerifyTokenError::Invalid),
        });
        Self {
            users: MockUserRepository::new(),
            sessions,
            chats: MockChatRepository::new(),
            overviews: MockOverviewRepository::new(),
            messages: MockMessageRepository::new(),
            files: MockFileRepository::new(),
            account_tokens: MockAccountTokenRepository::new(),
            api_keys: MockApiKeyRepository::new(),
            moderation: MockModerationRepository::new(),
            maintenance: MockMaintenance::new(),
            bus: MockEventBus::new(),
            store: MockFileStore::new(),
            images: MockImageInspector::new(),
            hasher: MockPasswordHasher::new(),
            tokens,
            policy: Policy::default(),
            options: HttpOptions {
                workers: 1,
                shutdown_timeout: Duration::ZERO,
                ..HttpOptions::default()
            },
        }
    }

    /// With another caller than plain Ana.
    pub(crate) fn with_caller(mut self, caller: Caller) -> Self {
        self.sessions.checkpoint();
        self.sessions
            .expect_find_caller()
            .returning(move |claim, _| Ok((claim == CLAIMED).then_some(caller)));
        self
    }

    /// With an API key of Ana's.
    pub(crate) fn with_key(mut self, scopes: &str) -> Self {
        let scopes = Scopes::parse(scopes.split(' ')).unwrap();
        self.api_keys
            .expect_find()
            .returning(move |_, _| Ok(Some((CLAIMED, scopes))));
        self
    }

    /// Starts the server.
    pub(crate) fn start(self) -> Api {
        self.start_listeners(&[]).remove(0)
    }

    /// Starts the server of a contract that has a listener of its own.
    pub(crate) fn start_mounted(self, contract: &str) -> Api {
        self.start_listeners(&[contract]).remove(1)
    }

    /// Starts the server, with a listener for each of these contracts after its own.
    pub(crate) fn start_listeners(self, contracts: &[&str]) -> Vec<Api> {
        let mut clock = MockClock::new();
        clock.expect_now().return_const(NOW);
        let mut secrets = MockSecretGenerator::new();
        secrets.expect_bytes().return_const([7; 32]);
        let ids: Arc<dyn IdGenerator> = Arc::new(Counting(AtomicU64::new(1)));
        let repositories = Repositories {
            users: Arc::new(self.users),
            sessions: Arc::new(self.sessions),
            chats: Arc::new(self.chats),
            overviews: Arc::new(self.overviews),
            messages: Arc::new(self.messages),
            files: Arc::new(self.files),
            outbox: Arc::new(MockOutboxRepository::new()),
            account_tokens: Arc::new(self.account_tokens),
            api_keys: Arc::new(self.api_keys),
            moderation: Arc::new(self.moderation),
            maintenance: Arc::new(self.maintenance),
        };
        let ports = Ports {
            clock: Arc::new(clock),
            ids: Arc::clone(&ids),
            secrets: Arc::new(secrets),
            hasher: Arc::new(self.hasher),
            tokens: Arc::new(self.tokens),
            store: Arc::new(self.store),
            images: Arc::new(self.images),
            mailer: Arc::new(MockMailer::new()),
            bus: Arc::new(self.bus),
        };
        let state = HttpState {
            services: Services::new(repositories, ports, self.policy),
            metrics: METRICS.clone(),
            ids,
            public_url_is_https: false,
        };
        let servers = HttpServers::new(state, self.options);
        let main = Api::on(|listener| servers.main(listener));
        let mounted = contracts
            .iter()
            .map(|contract| Api::on(|listener| servers.mounted(contract, listener)));
        [main].into_iter().chain(mounted).collect()
    }
}

/// One recorder for the whole process: the metrics crate knows no other way.
static METRICS: LazyLock<PrometheusHandle> = LazyLock::new(|| {
    PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Full(REQUEST_SECONDS.into()), REQUEST_SECONDS_BUCKETS)
        .unwrap()
        .install_recorder()
        .unwrap()
});

/// A running server.
pub(crate) struct Api {
    pub(crate) base: String,
    client: Client,
    stop: Box<dyn Fn()>,
}

impl Drop for Api {
    fn drop(&mut self) {
        (self.stop)();
    }
}

/// An answer, taken apart.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) bytes: Vec<u8>,
}

impl Api {
    fn on(serve: impl FnOnce(TcpListener) -> io::Result<Server>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let server = serve(listener).unwrap();
        let handle = server.handle();
        actix_web::rt::spawn(server);
        Self {
            base,
            client: Client::new(),
            stop: Box::new(move || drop(handle.stop(false))),
        }
    }

    /// A request to a path of the native API, by Ana.
    pub(crate) fn ana(&self, method: Method, path: &str) -> RequestBuilder {
        self.anybody(method, &format!("/api/v1{path}")).bearer_auth(TOKEN)
    }

    /// A request to any path, by somebody unknown.
    pub(crate) fn anybody(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.base))
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        send(self.ana(Method::GET, path)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        send(self.ana(Method::DELETE, path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        send(self.ana(Method::POST, path).json(&body)).await
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> Answer {
        send(self.ana(Method::PUT, path).json(&body)).await
    }

    pub(crate) async fn patch(&self, path: &str, body: Value) -> Answer {
        send(self.ana(Method::PATCH, path).json(&body)).await
    }
}

pub(crate) async fn send(request: RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    Answer {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        bytes: response.bytes().await.unwrap().to_vec(),
    }
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The body of an answer with that status.
    #[track_caller]
    pub(crate) fn json(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.bytes));
        serde_json::from_slice(&self.bytes).unwrap()
    }

    /// An answer with that status and no body.
    #[track_caller]
    pub(crate) fn empty(&self, status: u16) {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.bytes));
        assert!(self.bytes.is_empty());
    }

    /// A failure in the shape that all failures have; gives the fields at fault with their codes.
    #[track_caller]
    pub(crate) fn problem(&self, status: u16, code: &str) -> Vec<(String, String)> {
        let body = self.json(status);
        assert_eq!(self.header("content-type"), Some("application/problem+json"));
        assert_eq!(body["code"], code, "{body}");
        assert_eq!(body["status"], status);
        assert_eq!(body["type"], format!("urn:tertulia:problem:{code}"));
        assert_eq!(body["request_id"].as_str(), self.header("x-request-id"));
        for text in ["title", "detail"] {
            assert!(!body[text].as_str().unwrap().is_empty(), "{body}");
        }
        let errors = body.get("errors").map(|errors| errors.as_array().unwrap().clone());
        assert_ne!(errors.as_ref().map(Vec::len), Some(0), "{body}");
        let error = |error: &Value| {
            assert!(!error["message"].as_str().unwrap().is_empty(), "{error}");
            let text = |name: &str| error[name].as_str().unwrap().to_owned();
            (text("field"), text("code"))
        };
        errors.unwrap_or_default().iter().map(error).collect()
    }
}

/// Fields at fault, with their codes.
pub(crate) type Fields = &'static [(&'static str, &'static str)];

/// Fields at fault as [`Answer::problem`] gives them.
pub(crate) fn errors(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    let own = |(field, code): &(&str, &str)| ((*field).to_owned(), (*code).to_owned());
    expected.iter().map(own).collect()
}

/// A user with a name.
pub(crate) fn user(id: UserId, name: &str) -> User {
    User {
        id,
        number: i64::try_from(id.as_uuid().as_u128()).unwrap(),
        username: Some(Username::new(name).unwrap()),
        email: Some(Email::new(&format!("{name}@example.org")).unwrap()),
        email_verified: false,
        display_name: Some(DisplayName::new(&name.to_uppercase()).unwrap()),
        avatar: None,
        profile: Profile::new([
            ("job".to_owned(), ProfileValue::Text("poet".into())),
            ("age".to_owned(), ProfileValue::Integer(33)),
            ("cat".to_owned(), ProfileValue::Boolean(true)),
        ])
        .unwrap(),
        role: Role::User,
        created_at: NOW,
        updated_at: NOW,
        last_seen_at: None,
        suspended_at: None,
        deleted_at: None,
    }
}

pub(crate) fn member(user: User, role: MemberRole) -> Member {
    Member {
        user,
        membership: membership(role),
    }
}

pub(crate) fn membership(role: MemberRole) -> Membership {
    Membership {
        role,
        joined_at: NOW,
        read_seq: Seq::new(1).unwrap(),
    }
}

pub(crate) fn message(body: &str) -> Message {
    Message {
        id: MESSAGE,
        chat_id: CHAT,
        seq: Seq::new(3).unwrap(),
        sender: Author {
            id: ANA,
            username: Some(Username::new("ana").unwrap()),
            display_name: None,
            avatar: None,
        },
        content: MessageContent::Present {
            body: Some(MessageBody::new(body.to_owned()).unwrap()),
            attachments: Vec::new(),
        },
        reply_to: None,
        addressee: None,
        created_at: NOW,
        edited_at: None,
    }
}

/// A group of Ana's, with one message that she has not read.
pub(crate) fn group() -> ChatView {
    ChatView {
        chat: Chat {
            id: CHAT,
            number: 12,
            kind: ChatKind::Group {
                title: ChatTitle::new("Poets").unwrap(),
            },
            avatar: None,
            created_at: NOW,
            updated_at: NOW,
            active_at: NOW,
            member_count: 2,
            last_seq: Seq::new(3).unwrap(),
        },
        last_message: Some(message("hi")),
        membership: Some(membership(MemberRole::Owner)),
        members: vec![member(user(ANA, "ana"), MemberRole::Owner)],
        blocked: false,
    }
}

/// A direct chat of Ana's.
pub(crate) fn direct() -> ChatView {
    let view = group();
    ChatView {
        chat: Chat {
            kind: ChatKind::Direct,
            ..view.chat
        },
        membership: Some(membership(MemberRole::Member)),
        members: vec![
            member(user(ANA, "ana"), MemberRole::Member),
            member(user(BEN, "ben"), MemberRole::Member),
        ],
        ..view
    }
}

/// A small picture of Ana's.
pub(crate) fn picture() -> File {
    File {
        id: FILE,
        name: FileName::sanitise("a b.png"),
        media_type: MediaType::new("image/png").unwrap(),
        size: 10,
        dimensions: Some(Dimensions { width: 4, height: 3 }),
        public_key: None,
    }
}

/// The JSON of [`picture`].
pub(crate) fn shown_picture() -> Value {
    let url = format!("/api/v1/files/{FILE}/a%20b.png");
    serde_json::json!({
        "id": FILE.to_string(), "name": "a b.png", "mime": "image/png", "size": 10, "width": 4, "height": 3,
        "url": url, "thumbnail_url": format!("{url}?thumbnail=true"),
    })
}
