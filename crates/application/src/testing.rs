//! What the unit tests share: a world of mocks to put the services in, and what they are asked about.
//!
//! A mock panics when it is called and nobody said that it would be: what a test does not expect must not happen.

use crate::account::SessionPolicy;
use crate::ports::{
    AccessToken, Clock, HashError, IdGenerator, MockPasswordHasher, MockTokenIssuer, SecretGenerator, TokenError,
};
use crate::{Failure, Keyed, Ports, Repositories, RequestKey, Services};
use mockall::predicate::eq;
use std::error::Error as StdError;
use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU8, Ordering};
use std::time::Duration;
use tertulia_domain::repository::{
    MessageContext, MockChatRepository, MockMaintenance, MockMessageRepository, MockSessionRepository,
    MockUserRepository, RepositoryError,
};
use tertulia_domain::{
    Author, Caller, Chat, ChatId, ChatKind, ChatTitle, ChatView, Claim, ClaimedSession, Email, Fingerprint,
    IdempotencyKey, Member, MemberRole, Membership, Message, MessageBody, MessageContent, MessageId, Password,
    PasswordHash, PasswordPolicy, Profile, Recording, Role, Seq, Session, SessionId, StoredAnswer, Timestamp, User,
    UserId, Username,
};
use uuid::Uuid;

/// Panics, and shows the value, unless it matches.
macro_rules! assert_matches {
    ($value:expr, $($pattern:tt)+) => {
        match $value {
            $($pattern)+ => {}
            other => panic!("{other:?} is not {}", stringify!($($pattern)+)),
        }
    };
}
pub(crate) use assert_matches;

/// What the clock shows until a test sets it.
pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_750_000_000_123);
/// The user whose requests these are.
pub(crate) const ANA: UserId = UserId::from_uuid(Uuid::from_u128(1));
pub(crate) const BEN: UserId = UserId::from_uuid(Uuid::from_u128(2));
pub(crate) const EVA: UserId = UserId::from_uuid(Uuid::from_u128(3));
/// The session in which Ana makes them.
pub(crate) const PHONE: SessionId = SessionId::from_uuid(Uuid::from_u128(11));
pub(crate) const LAPTOP: SessionId = SessionId::from_uuid(Uuid::from_u128(12));
pub(crate) const CHAT: ChatId = ChatId::from_uuid(Uuid::from_u128(21));
pub(crate) const MESSAGE: MessageId = MessageId::from_uuid(Uuid::from_u128(31));
/// What Ana's access token says.
pub(crate) const CLAIMED: ClaimedSession = ClaimedSession {
    session_id: PHONE,
    user_id: ANA,
};
/// Ana, an ordinary user.
pub(crate) const CALLER: Caller = Caller {
    user_id: ANA,
    session_id: PHONE,
    role: Role::User,
};
/// Ana, had she the power over the whole service.
pub(crate) const SERVICE_ADMIN: Caller = Caller {
    role: Role::Admin,
    ..CALLER
};
/// Not the default: a service that ignores its policy is found out.
pub(crate) const POLICY: SessionPolicy = SessionPolicy {
    idle: Duration::from_mins(7),
    most: 3,
};

/// A clock that stands still until it is moved. Clones show the same time.
#[derive(Clone)]
pub(crate) struct ManualClock(Arc<AtomicI64>);

impl ManualClock {
    pub(crate) fn set(&self, now: Timestamp) {
        self.0.store(now.as_millis(), Ordering::Relaxed);
    }
}

impl Default for ManualClock {
    fn default() -> Self {
        Self(Arc::new(AtomicI64::new(NOW.as_millis())))
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::Relaxed))
    }
}

/// Gives [`fresh`] identifiers, the first, the second and so on.
#[derive(Default)]
struct CountingIds(AtomicU8);

impl IdGenerator for CountingIds {
    fn next(&self) -> Uuid {
        fresh(self.0.fetch_add(1, Ordering::Relaxed) + 1)
    }
}

/// The n-th identifier that a service draws, counted from 1.
pub(crate) fn fresh(n: u8) -> Uuid {
    Uuid::from_u128(0xF0_00 + u128::from(n))
}

/// Gives [`secret`]s, the first, the second and so on.
#[derive(Default)]
struct CountingSecrets(AtomicU8);

impl SecretGenerator for CountingSecrets {
    fn bytes(&self) -> [u8; 32] {
        secret(self.0.fetch_add(1, Ordering::Relaxed) + 1)
    }
}

/// The n-th secret that a service draws, counted from 1.
pub(crate) fn secret(n: u8) -> [u8; 32] {
    [n; 32]
}

/// Everything that the services reach out to.
#[derive(Default)]
pub(crate) struct World {
    pub(crate) users: MockUserRepository,
    pub(crate) sessions: MockSessionRepository,
    pub(crate) chats: MockChatRepository,
    pub(crate) messages: MockMessageRepository,
    pub(crate) hasher: MockPasswordHasher,
    pub(crate) tokens: MockTokenIssuer,
    pub(crate) clock: ManualClock,
}

impl World {
    /// The services in this world. What was expected of a mock must have happened when they are dropped.
    pub(crate) fn services(self) -> Services {
        let repositories = Repositories {
            users: Arc::new(self.users),
            sessions: Arc::new(self.sessions),
            chats: Arc::new(self.chats),
            messages: Arc::new(self.messages),
            maintenance: Arc::new(MockMaintenance::new()),
        };
        let ports = Ports {
            clock: Arc::new(self.clock),
            ids: Arc::new(CountingIds::default()),
            secrets: Arc::new(CountingSecrets::default()),
            hasher: Arc::new(self.hasher),
            tokens: Arc::new(self.tokens),
        };
        Services::new(repositories, ports, POLICY)
    }

    /// A new password will be hashed, once.
    pub(crate) fn hashes(&mut self, text: &str) -> &mut Self {
        let hashed = Ok(hash(text));
        self.hasher
            .expect_hash()
            .with(eq(password(text)))
            .once()
            .return_once(|_| hashed);
        self
    }

    /// A session will be opened, once: stored, and given an access token.
    pub(crate) fn opens_session(&mut self) -> &mut Self {
        self.sessions.expect_insert().once().returning(|_, _| Ok(true));
        self.tokens
            .expect_issue()
            .once()
            .returning(|_, _| Ok(access_token("access")));
        self
    }

    /// Ana will be shown the chat so, once.
    pub(crate) fn shows(&mut self, view: ChatView) -> &mut Self {
        self.chats
            .expect_find()
            .with(eq(CHAT), eq(ANA))
            .once()
            .return_once(|_, _| Ok(Some(view)));
        self
    }

    /// Ana will be shown the message so, once.
    pub(crate) fn shows_message(&mut self, context: MessageContext) -> &mut Self {
        self.messages
            .expect_find()
            .with(eq(CHAT), eq(MESSAGE), eq(ANA))
            .once()
            .return_once(|_, _, _| Ok(Some(context)));
        self
    }
}

/// Each way in which a repository can fail.
pub(crate) fn repository_errors() -> Vec<RepositoryError> {
    vec![
        RepositoryError::Overloaded,
        RepositoryError::Unavailable("connection refused".into()),
        RepositoryError::Inconsistent {
            table: "users",
            key: "7".into(),
            reason: "no name".into(),
        },
        RepositoryError::Other("syntax error".into()),
    ]
}

/// Each way in which a password can fail to be hashed.
pub(crate) fn hash_errors() -> Vec<HashError> {
    vec![HashError::Overloaded, HashError::Failed("not a PHC string".into())]
}

/// Each way in which a token can fail to be signed.
pub(crate) fn token_errors() -> Vec<TokenError> {
    vec![TokenError("no key".into())]
}

/// Checks that a use case that meets any of these causes ends in the [`Failure`] that the cause stands for.
pub(crate) async fn passes_on<Cause, T, E>(causes: fn() -> Vec<Cause>, use_case: impl AsyncFn(Cause) -> Result<T, E>)
where
    Failure: From<Cause>,
    T: Debug,
    E: StdError,
{
    for (cause, same) in causes().into_iter().zip(causes()) {
        let error = use_case(cause).await.expect_err("the use case should fail");
        assert_eq!(explain(&error), explain(&Failure::from(same)));
    }
}

/// What an error says, and what its causes say.
pub(crate) fn explain(error: &dyn StdError) -> Vec<String> {
    std::iter::successors(Some(error), |error: &&dyn StdError| (*error).source())
        .map(ToString::to_string)
        .collect()
}

pub(crate) fn username(text: &str) -> Username {
    Username::new(text).unwrap()
}

pub(crate) fn email(text: &str) -> Email {
    Email::new(text).unwrap()
}

pub(crate) fn password(text: &str) -> Password {
    Password::new(text.into(), PasswordPolicy::Standard).unwrap()
}

/// What [`World::hashes`] makes of a password.
pub(crate) fn hash(text: &str) -> PasswordHash {
    PasswordHash::from_phc(format!("$argon2id$of:{text}"))
}

pub(crate) fn title(text: &str) -> ChatTitle {
    ChatTitle::new(text).unwrap()
}

pub(crate) fn body(text: &str) -> MessageBody {
    MessageBody::new(text.into()).unwrap()
}

pub(crate) fn seq(n: i64) -> Seq {
    Seq::new(n).unwrap()
}

/// A number of its own for each of the users above.
fn number(id: UserId) -> i64 {
    i64::try_from(id.as_uuid().as_u128()).unwrap()
}

pub(crate) fn user(id: UserId) -> User {
    User {
        id,
        number: number(id),
        username: Some(username(&format!("user{}", number(id)))),
        email: None,
        display_name: None,
        profile: Profile::default(),
        role: Role::User,
        created_at: NOW,
        updated_at: NOW,
        last_seen_at: None,
        deleted_at: None,
    }
}

/// Ana's session.
pub(crate) fn session() -> Session {
    Session {
        id: PHONE,
        user_id: ANA,
        device: None,
        ip: None,
        created_at: NOW,
        last_used_at: NOW,
        expires_at: NOW.plus(POLICY.idle),
    }
}

pub(crate) fn access_token(text: &str) -> AccessToken {
    AccessToken {
        token: text.into(),
        expires_at: NOW.plus(Duration::from_mins(15)),
        expires_in: Duration::from_mins(15),
    }
}

fn membership(role: MemberRole) -> Membership {
    Membership {
        role,
        joined_at: NOW,
        read_seq: seq(4),
    }
}

pub(crate) fn member(id: UserId, role: MemberRole) -> Member {
    Member {
        user: user(id),
        membership: membership(role),
    }
}

/// A group as somebody of that role in it sees it; `None` for somebody who is not in it.
pub(crate) fn group(viewer: impl Into<Option<MemberRole>>) -> ChatView {
    ChatView {
        chat: Chat {
            id: CHAT,
            number: 5,
            kind: ChatKind::Group { title: title("Team") },
            created_at: NOW,
            updated_at: NOW,
            active_at: NOW,
            member_count: 3,
            last_seq: seq(9),
        },
        last_message: None,
        membership: viewer.into().map(membership),
        members: vec![],
    }
}

/// A direct chat as one of the two sees it; `None` for somebody who is not in it.
pub(crate) fn direct(viewer: impl Into<Option<MemberRole>>) -> ChatView {
    let mut view = group(viewer);
    view.chat.kind = ChatKind::Direct;
    view
}

pub(crate) fn message(sender: UserId) -> Message {
    Message {
        id: MESSAGE,
        chat_id: CHAT,
        seq: seq(9),
        sender: Author {
            id: sender,
            username: None,
            display_name: None,
        },
        content: MessageContent::Present {
            body: Some(body("hello")),
        },
        reply_to: None,
        created_at: NOW,
        edited_at: None,
    }
}

/// A message in a group as somebody of that role in it finds it; `None` for somebody who is not in it.
pub(crate) fn in_group(message: Message, viewer: impl Into<Option<MemberRole>>) -> MessageContext {
    MessageContext {
        message,
        group: true,
        viewer: viewer.into(),
    }
}

pub(crate) fn request_key() -> RequestKey {
    RequestKey {
        key: IdempotencyKey::new("order 66").unwrap(),
        fingerprint: Fingerprint([6; 32]),
    }
}

/// The claim that Ana makes now with [`request_key`].
pub(crate) fn claim() -> Claim {
    Claim {
        user_id: ANA,
        key: request_key().key,
        fingerprint: request_key().fingerprint,
        at: NOW,
    }
}

/// [`request_key`], with [`answer`] as the answer to whatever is created.
pub(crate) fn keyed<T>() -> Keyed<T> {
    Keyed {
        request: request_key(),
        encode: Arc::new(|_| answer()),
    }
}

pub(crate) fn answer() -> StoredAnswer {
    StoredAnswer {
        status: 201,
        body: b"made".to_vec(),
    }
}

/// Checks that a creation is recorded as [`keyed`] asks, under Ana's name and now.
pub(crate) fn assert_recorded<T>(recording: Option<Recording<T>>, created: &T) {
    let recording = recording.expect("the creation should be recorded");
    assert_eq!(recording.claim, claim());
    assert_eq!((recording.encode)(created), answer());
}
