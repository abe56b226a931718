//! What the unit tests share: a world of mocks to put the services in, and what they are asked about.
//!
//! A mock panics when it is called and nobody said that it would be: what a test does not expect must not happen.

use crate::account::{AccountPolicy, ThrottlePolicy};
use crate::files::FilePolicy;
use crate::ports::{
    AccessToken, ByteStream, Clock, HashError, IdGenerator, MockEventBus, MockFileStore, MockImageInspector,
    MockMailer, MockPasswordHasher, MockTokenIssuer, SecretGenerator, StoreError, TokenError,
};
use crate::{Failure, Keyed, Policy, Ports, Repositories, RequestKey, Services};
use bytes::Bytes;
use futures_core::Stream;
use mockall::predicate::eq;
use std::collections::VecDeque;
use std::error::Error as StdError;
use std::fmt::Debug;
use std::pin::Pin;
use std::sync::atomic::{AtomicI64, AtomicU8, Ordering};
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll};
use std::time::Duration;
use tertulia_domain::repository::{
    MessageContext, MockAccountTokenRepository, MockApiKeyRepository, MockChatRepository, MockFileRepository,
    MockMaintenance, MockMessageRepository, MockModerationRepository, MockOutboxRepository, MockOverviewRepository,
    MockSessionRepository, MockUserRepository, RepositoryError,
};
use tertulia_domain::{
    Author, Caller, Chat, ChatId, ChatKind, ChatOverview, ChatTitle, ChatView, Claim, ClaimedSession, Dimensions,
    Email, File, FileId, FileName, Fingerprint, IdempotencyKey, MediaType, Member, MemberRole, Membership, Message,
    MessageBody, MessageContent, MessageId, Note, NoteText, ObjectKey, OverviewMember, Password, PasswordHash,
    PasswordPolicy, Profile, Reason, Recording, Role, Seq, Session, SessionId, StoredAnswer, Timestamp, User, UserId,
    Username,
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
pub(crate) const FILE: FileId = FileId::from_uuid(Uuid::from_u128(41));
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
    blocks: false,
};
/// Ana, had she the power over the whole service.
pub(crate) const SERVICE_ADMIN: Caller = Caller {
    role: Role::Admin,
    ..CALLER
};
/// Not the default: a service that ignores its policy is found out.
pub(crate) static POLICY: LazyLock<AccountPolicy> = LazyLock::new(|| AccountPolicy {
    idle: Duration::from_mins(7),
    most: 3,
    verify_email: false,
    public_url: "https://chat.example".into(),
    throttle: ThrottlePolicy {
        free: 4,
        ..ThrottlePolicy::default()
    },
});
/// Nor is this.
pub(crate) const FILE_POLICY: FilePolicy = FilePolicy {
    max_bytes: 1_000_000,
    max_pixels: 10_000,
    keep_unused: Duration::from_hours(7),
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

/// The key of an object that the n-th identifier was drawn for.
pub(crate) fn object(n: u8) -> ObjectKey {
    ObjectKey::from_string(format!("objects/{n:02x}/{}", fresh(n).simple()))
}

/// Bytes as a store gives them.
pub(crate) fn stream(chunks: impl IntoIterator<Item = Result<Bytes, StoreError>>) -> ByteStream {
    struct Chunks(VecDeque<Result<Bytes, StoreError>>);

    impl Stream for Chunks {
        type Item = Result<Bytes, StoreError>;

        fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
            Poll::Ready(self.0.pop_front())
        }
    }

    Box::pin(Chunks(chunks.into_iter().collect()))
}

/// The n-th secret that a service draws, counted from 1.
pub(crate) fn secret(n: u8) -> [u8; 32] {
    [n; 32]
}

/// Everything that the services reach out to.
pub(crate) struct World {
    pub(crate) users: MockUserRepository,
    pub(crate) sessions: MockSessionRepository,
    pub(crate) chats: MockChatRepository,
    pub(crate) overviews: MockOverviewRepository,
    pub(crate) messages: MockMessageRepository,
    pub(crate) files: MockFileRepository,
    pub(crate) outbox: MockOutboxRepository,
    pub(crate) account_tokens: MockAccountTokenRepository,
    pub(crate) api_keys: MockApiKeyRepository,
    pub(crate) moderation: MockModerationRepository,
    pub(crate) hasher: MockPasswordHasher,
    pub(crate) tokens: MockTokenIssuer,
    pub(crate) store: MockFileStore,
    pub(crate) images: MockImageInspector,
    pub(crate) mailer: MockMailer,
    pub(crate) bus: MockEventBus,
    pub(crate) clock: ManualClock,
    pub(crate) policy: Policy,
}

impl Default for World {
    fn default() -> Self {
        Self {
            users: MockUserRepository::default(),
            sessions: MockSessionRepository::default(),
            chats: MockChatRepository::default(),
            overviews: MockOverviewRepository::default(),
            messages: MockMessageRepository::default(),
            files: MockFileRepository::default(),
            outbox: MockOutboxRepository::default(),
            account_tokens: MockAccountTokenRepository::default(),
            api_keys: MockApiKeyRepository::default(),
            moderation: MockModerationRepository::default(),
            hasher: MockPasswordHasher::default(),
            tokens: MockTokenIssuer::default(),
            store: MockFileStore::default(),
            images: MockImageInspector::default(),
            mailer: MockMailer::default(),
            bus: MockEventBus::default(),
            clock: ManualClock::default(),
            policy: Policy {
                accounts: POLICY.clone(),
                files: FILE_POLICY,
            },
        }
    }
}

impl World {
    /// The services in this world. What was expected of a mock must have happened when they are dropped.
    pub(crate) fn services(self) -> Services {
        let repositories = Repositories {
            users: Arc::new(self.users),
            sessions: Arc::new(self.sessions),
            chats: Arc::new(self.chats),
            overviews: Arc::new(self.overviews),
            messages: Arc::new(self.messages),
            files: Arc::new(self.files),
            outbox: Arc::new(self.outbox),
            account_tokens: Arc::new(self.account_tokens),
            api_keys: Arc::new(self.api_keys),
            moderation: Arc::new(self.moderation),
            maintenance: Arc::new(MockMaintenance::new()),
        };
        let ports = Ports {
            clock: Arc::new(self.clock),
            ids: Arc::new(CountingIds::default()),
            secrets: Arc::new(CountingSecrets::default()),
            hasher: Arc::new(self.hasher),
            tokens: Arc::new(self.tokens),
            store: Arc::new(self.store),
            images: Arc::new(self.images),
            mailer: Arc::new(self.mailer),
            bus: Arc::new(self.bus),
        };
        Services::new(repositories, ports, self.policy)
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

    /// Ana will be shown the chat with its members so, that many times.
    pub(crate) fn shows_overview(&mut self, times: usize, overview: ChatOverview) -> &mut Self {
        self.overviews
            .expect_find()
            .with(eq(CHAT), eq(ANA))
            .times(times)
            .returning(move |_, _| Ok(Some(overview.clone())));
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

/// Each way in which a file store can fail.
pub(crate) fn store_errors() -> Vec<StoreError> {
    vec![
        StoreError::NotFound,
        StoreError::Unavailable("disk full".into()),
        StoreError::Failed("no such bucket".into()),
    ]
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
        email_verified: false,
        display_name: None,
        avatar: None,
        profile: Profile::default(),
        role: Role::User,
        created_at: NOW,
        updated_at: NOW,
        last_seen_at: None,
        suspended_at: None,
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
            avatar: None,
            created_at: NOW,
            updated_at: NOW,
            active_at: NOW,
            member_count: 3,
            last_seq: seq(9),
        },
        last_message: None,
        membership: viewer.into().map(membership),
        members: vec![],
        blocked: false,
    }
}

/// A direct chat as one of the two sees it; `None` for somebody who is not in it.
pub(crate) fn direct(viewer: impl Into<Option<MemberRole>>) -> ChatView {
    let mut view = group(viewer);
    view.chat.kind = ChatKind::Direct;
    view
}

/// The same chat with its members and all that a contract shows of it; Ana has read up to the fourth of nine messages.
pub(crate) fn overview(view: ChatView, members: Vec<Member>) -> ChatOverview {
    let unread = |member| OverviewMember { member, unread: 5 };
    ChatOverview {
        chat: view.chat,
        blocked: view.blocked,
        last_message: view.last_message,
        note: None,
        membership: view.membership,
        members: members.into_iter().map(unread).collect(),
    }
}

/// What a client says that somebody said last.
pub(crate) fn note(sender: UserId) -> Note {
    Note {
        text: NoteText::new("bye").unwrap(),
        sender,
        at: NOW,
    }
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
            avatar: None,
        },
        content: MessageContent::Present {
            body: Some(body("hello")),
            attachments: vec![],
        },
        reply_to: None,
        addressee: None,
        created_at: NOW,
        edited_at: None,
    }
}

/// A picture.
pub(crate) fn image() -> File {
    File {
        id: FILE,
        name: FileName::sanitise("cat.png"),
        media_type: MediaType::new("image/png").unwrap(),
        size: 3,
        dimensions: Some(Dimensions { width: 4, height: 5 }),
        public_key: None,
    }
}

pub(crate) fn reason(text: &str) -> Reason {
    Reason::new(text).unwrap()
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
