//! Small builders. What a case does not say, it does not depend on.

use crate::Backend;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use tertulia_domain::repository::{
    AddMember, AppendError, AppendMessage, ListMessages, ListOverviews, MailDraft, NewDirectChat, NewFile, NewGroup,
    NewMember, NewSession, NewUser, OverviewOrder, StoredFile,
};
use tertulia_domain::{
    ApiKey, AuditEntry, ChatCursor, ChatId, ChatOverview, ChatTitle, ChatView, Claim, ClaimedSession, Counted,
    DeviceName, Digest, Dimensions, DisplayName, Email, File, FileId, FileName, FileStanding, Fingerprint,
    IdempotencyKey, Limit, MailId, MediaType, Member, MemberRole, Message, MessageBody, MessageDraft, MessageId,
    MessageRange, ObjectKey, Page, PasswordHash, Profile, Reason, Recorded, RefreshHashes, ReportId, Role, Scopes, Seq,
    Session, SessionId, Timestamp, User, UserId, Username, Window,
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

pub(crate) const HOUR: i64 = 3_600_000;
pub(crate) const DAY: i64 = 24 * HOUR;
/// When the sessions of [`Person`]s expire, counted as [`at`] does: after the end of every case.
pub(crate) const LIFE: i64 = 365 * DAY;

/// So many milliseconds after a moment that is no whole second.
pub(crate) const fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(1_750_000_000_123 + millis)
}

/// Identifiers in the form of version 7, all different and in no order: nothing may depend on their being made in turn.
fn fresh() -> Uuid {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    // An odd factor spreads the numbers over 62 bits without making two of them one.
    let spread = NEXT.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9E37_79B9_7F4A_7C15) & (u64::MAX >> 2);
    Uuid::from_u64_pair(0x0190_0000_0000_7000, 1 << 63 | spread)
}

pub(crate) fn user_id() -> UserId {
    UserId::from_uuid(fresh())
}

pub(crate) fn session_id() -> SessionId {
    SessionId::from_uuid(fresh())
}

pub(crate) fn chat_id() -> ChatId {
    ChatId::from_uuid(fresh())
}

pub(crate) fn message_id() -> MessageId {
    MessageId::from_uuid(fresh())
}

pub(crate) fn file_id() -> FileId {
    FileId::from_uuid(fresh())
}

pub(crate) fn mail_id() -> MailId {
    MailId::from_uuid(fresh())
}

pub(crate) fn report_id() -> ReportId {
    ReportId::from_uuid(fresh())
}

/// A key that no object had before.
pub(crate) fn object() -> ObjectKey {
    ObjectKey::from_string(format!("objects/ab/{}", fresh().simple()))
}

pub(crate) fn username(text: &str) -> Username {
    Username::new(text).unwrap()
}

pub(crate) fn email(text: &str) -> Email {
    Email::new(text).unwrap()
}

pub(crate) fn display_name(text: &str) -> DisplayName {
    DisplayName::new(text).unwrap()
}

pub(crate) fn password(text: &str) -> PasswordHash {
    PasswordHash::from_phc(format!("$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ${text}"))
}

pub(crate) fn title(text: &str) -> ChatTitle {
    ChatTitle::new(text).unwrap()
}

pub(crate) fn body(text: impl Into<String>) -> MessageBody {
    MessageBody::new(text.into()).unwrap()
}

pub(crate) fn seq(number: i64) -> Seq {
    Seq::new(number).unwrap()
}

pub(crate) fn limit(items: u16) -> Limit {
    Limit::new(items).unwrap()
}

/// A user with this username and nothing else, registered at zero.
pub(crate) fn new_user(name: &str) -> NewUser {
    NewUser {
        id: user_id(),
        username: Some(username(name)),
        email: None,
        display_name: None,
        profile: Profile::default(),
        role: Role::User,
        password: password(name),
        mail: None,
        verification: None,
        at: at(0),
    }
}

/// A session that was last used when it began.
pub(crate) fn new_session(user_id: UserId, created: Timestamp, expires: Timestamp) -> NewSession {
    NewSession {
        session: Session {
            id: session_id(),
            user_id,
            device: None,
            ip: None,
            created_at: created,
            last_used_at: created,
            expires_at: expires,
        },
        refresh: RefreshHashes {
            family: [1; 32],
            secret: [1; 32],
        },
    }
}

/// A group at zero.
pub(crate) fn new_group(owner: Person, members: &[Person]) -> NewGroup {
    NewGroup {
        id: chat_id(),
        title: title("Tertulia"),
        owner: owner.id,
        members: members.iter().map(|member| member.id).collect(),
        at: at(0),
    }
}

/// Somebody to be added as an ordinary member.
pub(crate) fn new_member(chat_id: ChatId, user: Person, at: Timestamp) -> NewMember {
    NewMember {
        chat_id,
        user_id: user.id,
        role: MemberRole::Member,
        most: 1_000,
        at,
    }
}

/// A claim on a key, for a request that `fingerprint` stands for.
pub(crate) fn claim(user: Person, key: &str, fingerprint: u8, at: Timestamp) -> Claim {
    Claim {
        user_id: user.id,
        key: IdempotencyKey::new(key).unwrap(),
        fingerprint: Fingerprint([fingerprint; 32]),
        at,
    }
}

/// A text file whose bytes `bytes` stands for, uploaded at zero.
pub(crate) fn new_file(owner: Person, bytes: u8) -> NewFile {
    NewFile {
        id: file_id(),
        owner: owner.id,
        name: FileName::sanitise(&format!("{bytes}.txt")),
        digest: Digest([bytes; 32]),
        object: object(),
        size: u64::from(bytes) + 1,
        media_type: MediaType::new("text/plain").unwrap(),
        dimensions: None,
        public_key: None,
        at: at(0),
    }
}

/// A picture whose bytes `bytes` stands for, uploaded at zero.
pub(crate) fn new_image(owner: Person, bytes: u8) -> NewFile {
    NewFile {
        name: FileName::sanitise(&format!("{bytes}.png")),
        media_type: MediaType::new("image/png").unwrap(),
        dimensions: Some(Dimensions {
            width: 640,
            height: 480,
        }),
        ..new_file(owner, bytes)
    }
}

pub(crate) fn reason(text: &str) -> Reason {
    Reason::new(text).unwrap()
}

pub(crate) fn mail(subject: &str) -> MailDraft {
    MailDraft {
        id: mail_id(),
        subject: subject.to_owned(),
        text: format!("The text of\n{subject} 😀\n"),
    }
}

/// A key of the scope `read` that never expires.
pub(crate) fn new_key(owner: Person, created: Timestamp) -> ApiKey {
    ApiKey {
        id: session_id(),
        user_id: owner.id,
        name: DeviceName::new("bot").unwrap(),
        scopes: Scopes::parse(["read"]).unwrap(),
        created_at: created,
        last_used_at: created,
        expires_at: None,
    }
}

/// What happened, where nothing was recorded before.
pub(crate) fn fresh_of<T: std::fmt::Debug>(recorded: Recorded<T>) -> T {
    match recorded {
        Recorded::Fresh(value) => value,
        Recorded::Replayed(answer) => panic!("a replay of {answer:?}"),
    }
}

/// A user who is logged in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Person {
    pub(crate) id: UserId,
    pub(crate) session: ClaimedSession,
}

impl Person {
    /// A message to be sent, without claim and answering nothing.
    pub(crate) fn message(self, chat_id: ChatId, text: &str, at: Timestamp) -> AppendMessage {
        AppendMessage {
            id: message_id(),
            chat_id,
            session: self.session,
            draft: MessageDraft::text(body(text)),
            reply_to: None,
            addressee: None,
            at,
            claim: None,
        }
    }
}

impl Backend {
    /// A user with this username.
    pub(crate) async fn user(&self, name: &str) -> User {
        self.users.insert(new_user(name)).await.unwrap()
    }

    /// A session of that user, which lives as long as a case does.
    pub(crate) async fn session(&self, user_id: UserId) -> ClaimedSession {
        let new = new_session(user_id, at(0), at(LIFE));
        let session_id = new.session.id;
        assert!(self.sessions.insert(new, 1_000).await.unwrap());
        ClaimedSession { session_id, user_id }
    }

    /// A user with this username who is logged in.
    pub(crate) async fn person(&self, name: &str) -> Person {
        let id = self.user(name).await.id;
        Person {
            id,
            session: self.session(id).await,
        }
    }

    /// Several.
    pub(crate) async fn people<const N: usize>(&self, names: [&str; N]) -> [Person; N] {
        let mut people = Vec::with_capacity(N);
        for name in names {
            people.push(self.person(name).await);
        }
        people.try_into().unwrap()
    }

    /// So many.
    pub(crate) async fn crowd(&self, size: usize) -> Vec<Person> {
        let mut people = Vec::with_capacity(size);
        for n in 0..size {
            people.push(self.person(&format!("crowd{n}")).await);
        }
        people
    }

    /// A service admin who is logged in.
    pub(crate) async fn service_admin(&self, name: &str) -> Person {
        let user = self
            .users
            .insert(NewUser {
                role: Role::Admin,
                ..new_user(name)
            })
            .await
            .unwrap();
        Person {
            id: user.id,
            session: self.session(user.id).await,
        }
    }

    pub(crate) async fn find_user(&self, id: UserId) -> User {
        self.users.find(id).await.unwrap().expect("the user is there")
    }

    /// The direct chat between two, made at zero.
    pub(crate) async fn direct(&self, creator: Person, other: Person) -> ChatId {
        let chat = NewDirectChat {
            id: chat_id(),
            creator: creator.id,
            other: other.id,
            at: at(0),
        };
        fresh_of(self.chats.insert_direct(chat, None).await.unwrap())
            .view
            .chat
            .id
    }

    /// A group that everybody joins at zero.
    pub(crate) async fn group(&self, owner: Person, members: &[Person]) -> ChatId {
        fresh_of(self.chats.insert_group(new_group(owner, members), None).await.unwrap())
            .view
            .chat
            .id
    }

    /// Adds an ordinary member.
    pub(crate) async fn join(&self, chat: ChatId, user: Person, at: Timestamp) -> AddMember {
        fresh_of(self.chats.add_member(new_member(chat, user, at), None).await.unwrap())
    }

    pub(crate) async fn send(&self, chat: ChatId, sender: Person, text: &str, at: Timestamp) -> Message {
        self.messages
            .append(sender.message(chat, text, at))
            .await
            .unwrap()
            .message
    }

    /// Sends so many, one a millisecond from zero on.
    pub(crate) async fn send_many(&self, chat: ChatId, sender: Person, count: i64) -> Vec<Message> {
        let mut messages = Vec::new();
        for n in 1..=count {
            messages.push(self.send(chat, sender, &format!("message {n}"), at(n)).await);
        }
        messages
    }

    /// Announces the file's object and stores the file.
    pub(crate) async fn upload(&self, file: NewFile) -> File {
        self.files.announce(&file.object, at(DAY)).await.unwrap();
        self.files.insert(file).await.unwrap().expect("the file is stored")
    }

    /// A [`new_file`] that is there.
    pub(crate) async fn file(&self, owner: Person, bytes: u8) -> FileId {
        self.upload(new_file(owner, bytes)).await.id
    }

    /// A [`new_image`] that is there.
    pub(crate) async fn image(&self, owner: Person, bytes: u8) -> FileId {
        self.upload(new_image(owner, bytes)).await.id
    }

    pub(crate) async fn standing(&self, file: FileId, viewer: Person) -> Option<(StoredFile, FileStanding)> {
        self.files.find(file, viewer.id).await.unwrap()
    }

    pub(crate) async fn is_stored(&self, file: FileId) -> bool {
        self.files.find(file, user_id()).await.unwrap().is_some()
    }

    /// Where the file's bytes are.
    pub(crate) async fn object_of(&self, file: FileId) -> ObjectKey {
        let found = self.files.find(file, user_id()).await.unwrap();
        found.expect("the file is there").0.object
    }

    /// The objects that may be deleted at that time.
    pub(crate) async fn due(&self, now: Timestamp) -> BTreeSet<ObjectKey> {
        self.files.due_objects(now, 1_000).await.unwrap().into_iter().collect()
    }

    /// Sends files without a text.
    pub(crate) async fn attach(
        &self,
        chat: ChatId,
        sender: Person,
        files: &[FileId],
        at: Timestamp,
    ) -> Result<Message, AppendError> {
        let draft = MessageDraft::new(None, files.to_vec()).unwrap();
        let new = AppendMessage {
            draft,
            ..sender.message(chat, "unused", at)
        };
        self.messages.append(new).await.map(|appended| appended.message)
    }

    /// The whole log, newest first.
    pub(crate) async fn audit(&self) -> Vec<AuditEntry> {
        let page = self.moderation.list_audit(None, limit(500)).await.unwrap();
        assert_eq!(page.next, None);
        page.items
    }

    pub(crate) async fn view(&self, chat: ChatId, viewer: Person) -> ChatView {
        self.chats
            .find(chat, viewer.id)
            .await
            .unwrap()
            .expect("the chat is there")
    }

    pub(crate) async fn member(&self, chat: ChatId, user: Person) -> Member {
        self.chats
            .find_member(chat, user.id)
            .await
            .unwrap()
            .expect("they are in the chat")
    }

    /// All members, which must be as many as the chat says.
    pub(crate) async fn members(&self, chat: ChatId) -> Vec<Member> {
        let page = self.chats.list_members(chat, None, limit(500)).await.unwrap();
        assert_eq!(page.next, None);
        let viewer = page.items.first().expect("somebody is in the chat").user.id;
        let stated = self.chats.find(chat, viewer).await.unwrap().unwrap().chat.member_count;
        assert_eq!(i64::try_from(page.items.len()).unwrap(), stated, "member_count");
        page.items
    }

    /// A page of messages.
    pub(crate) async fn history(
        &self,
        chat_id: ChatId,
        reader: Person,
        range: MessageRange,
        items: u16,
    ) -> Page<Message, MessageRange> {
        let list = ListMessages {
            chat_id,
            session: reader.session,
            range,
            limit: limit(items),
            at: at(0),
        };
        self.messages.list(list).await.unwrap()
    }

    /// The chat's whole history, which must be numbered 1, 2, 3, ... in the order of its times.
    pub(crate) async fn whole_history(&self, chat: ChatId, reader: Person) -> Vec<Message> {
        let page = self.history(chat, reader, MessageRange::After(Seq::ZERO), 500).await;
        assert_eq!(page.next, None);
        let numbers: Vec<i64> = page.items.iter().map(|message| message.seq.get()).collect();
        assert_eq!(numbers, (1..=i64::try_from(numbers.len()).unwrap()).collect::<Vec<_>>());
        assert!(page.items.is_sorted_by_key(|message| message.created_at));
        assert_eq!(
            self.view(chat, reader).await.chat.last_seq.get(),
            numbers.last().copied().unwrap_or(0)
        );
        page.items
    }

    /// Somebody's chats with their members, latest activity first; they must be as many as is said.
    pub(crate) async fn own_overviews(&self, viewer: Person) -> Vec<ChatOverview> {
        let list = ListOverviews {
            viewer: viewer.id,
            everybodys: false,
            with: None,
            direct: false,
            members: true,
            order: OverviewOrder::Activity,
            window: Window::page(1, Window::MAX),
        };
        let Counted { items, total } = self.overviews.list(list).await.unwrap();
        assert_eq!(i64::try_from(items.len()).unwrap(), total);
        items
    }

    pub(crate) async fn chat_page(
        &self,
        reader: Person,
        after: Option<ChatCursor>,
        items: u16,
    ) -> Page<ChatView, ChatCursor> {
        self.chats
            .list(reader.session, after, limit(items), at(0))
            .await
            .unwrap()
    }
}

/// Follows a list from its first page to its last; gives the pages. The list must end.
pub(crate) async fn walk<T, C>(mut page: impl AsyncFnMut(Option<C>) -> Page<T, C>) -> Vec<Vec<T>> {
    let mut pages = Vec::new();
    let mut after = None;
    loop {
        let Page { items, next } = page(after).await;
        assert!(
            pages.is_empty() || !items.is_empty(),
            "a page was promised and is empty"
        );
        pages.push(items);
        assert!(pages.len() < 1_000, "the walk goes in circles");
        match next {
            Some(cursor) => after = Some(cursor),
            None => return pages,
        }
    }
}
