//! What the unit tests share: a fresh file, and somebody in a chat on it.

use crate::connection::{Purpose, establish};
use crate::{SqliteDatabase, SqliteOptions, migrate};
use diesel::prelude::*;
use diesel::sql_types::Text;
use std::path::PathBuf;
use tempfile::TempDir;
use tertulia_domain::repository::{
    AppendMessage, ChatRepository, FileRepository, NewDirectChat, NewFile, NewGroup, NewSession, NewUser,
    SessionRepository, UserRepository,
};
use tertulia_domain::{
    ChatId, ChatTitle, ClaimedSession, Digest, Dimensions, FileId, FileName, MediaType, MessageBody, MessageDraft,
    MessageId, ObjectKey, PasswordHash, Profile, RefreshHashes, Role, Session, SessionId, Timestamp, UserId, Username,
};
use uuid::Uuid;

/// An identifier for each number.
pub(crate) const fn id(number: u64) -> Uuid {
    Uuid::from_u64_pair(0x0190_0000_0000_7000, 1 << 63 | number)
}

pub(crate) const fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(1_750_000_000_000 + millis)
}

/// A migrated file in a folder of its own.
pub(crate) struct Fresh {
    folder: TempDir,
}

impl Fresh {
    pub(crate) fn new() -> Self {
        let fresh = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        migrate(&fresh.path()).unwrap();
        fresh
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("tertulia.db")
    }

    pub(crate) fn open(&self) -> SqliteDatabase {
        SqliteDatabase::open(&self.path(), SqliteOptions::default()).unwrap()
    }

    pub(crate) fn connect(&self, purpose: Purpose) -> SqliteConnection {
        establish(self.path().to_str().unwrap(), purpose).unwrap()
    }
}

/// How SQLite goes about a statement, a line for each step.
pub(crate) fn plan(statement: &[&str]) -> Vec<String> {
    #[derive(QueryableByName)]
    struct Step {
        #[diesel(sql_type = Text)]
        detail: String,
    }
    let steps: Vec<Step> = diesel::sql_query(format!("EXPLAIN QUERY PLAN {}", statement.concat()))
        .load(&mut Fresh::new().connect(Purpose::Read))
        .unwrap();
    steps.into_iter().map(|step| step.detail).collect()
}

/// Somebody who is logged in.
pub(crate) async fn person(database: &SqliteDatabase, number: u64) -> ClaimedSession {
    let user_id = UserId::from_uuid(id(number));
    let user = NewUser {
        id: user_id,
        username: Some(Username::new(&format!("user{number}")).unwrap()),
        email: None,
        display_name: None,
        profile: Profile::default(),
        role: Role::User,
        password: PasswordHash::from_phc("$argon2id$".to_owned()),
        mail: None,
        verification: None,
        at: at(0),
    };
    database.users().insert(user).await.unwrap();
    let session = Session {
        id: SessionId::from_uuid(id(number)),
        user_id,
        device: None,
        ip: None,
        created_at: at(0),
        last_used_at: at(0),
        expires_at: at(1_000_000),
    };
    let claim = ClaimedSession {
        session_id: session.id,
        user_id,
    };
    let refresh = RefreshHashes {
        family: [1; 32],
        secret: [1; 32],
    };
    assert!(
        database
            .sessions()
            .insert(NewSession { session, refresh }, 10)
            .await
            .unwrap()
    );
    claim
}

/// A group of one.
pub(crate) async fn group(database: &SqliteDatabase, owner: ClaimedSession, number: u64) -> ChatId {
    let group = NewGroup {
        id: ChatId::from_uuid(id(number)),
        title: ChatTitle::new("Tertulia").unwrap(),
        owner: owner.user_id,
        members: vec![],
        at: at(0),
    };
    let chat = group.id;
    database.chats().insert_group(group, None).await.unwrap();
    chat
}

/// The direct chat of two.
pub(crate) async fn direct(
    database: &SqliteDatabase,
    creator: ClaimedSession,
    other: ClaimedSession,
    number: u64,
) -> ChatId {
    let chat = NewDirectChat {
        id: ChatId::from_uuid(id(number)),
        creator: creator.user_id,
        other: other.user_id,
        at: at(0),
    };
    database.chats().insert_direct(chat, None).await.unwrap();
    chat.id
}

/// An image that somebody uploaded, of bytes of its own.
pub(crate) async fn file(database: &SqliteDatabase, owner: ClaimedSession, number: u64) -> FileId {
    let new = NewFile {
        id: FileId::from_uuid(id(number)),
        owner: owner.user_id,
        name: FileName::sanitise("a.png"),
        digest: Digest([u8::try_from(number).unwrap(); 32]),
        object: ObjectKey::from_string(format!("objects/{number}")),
        size: 7,
        media_type: MediaType::new("image/png").unwrap(),
        dimensions: Some(Dimensions { width: 2, height: 3 }),
        public_key: None,
        at: at(0),
    };
    let file = new.id;
    database.files().announce(&new.object, at(1_000)).await.unwrap();
    assert!(database.files().insert(new).await.unwrap().is_some());
    file
}

pub(crate) fn message(chat_id: ChatId, session: ClaimedSession, number: u64) -> AppendMessage {
    AppendMessage {
        id: MessageId::from_uuid(id(number)),
        chat_id,
        session,
        draft: MessageDraft::text(MessageBody::new(format!("message {number}")).unwrap()),
        reply_to: None,
        addressee: None,
        at: at(1),
        claim: None,
    }
}
