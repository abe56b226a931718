//! People and groups to try things with.

use std::sync::atomic::{AtomicU64, Ordering};
use tertulia_adapters_postgres::PgDatabase;
use tertulia_domain::repository::{ChatRepository, NewGroup, NewSession, NewUser, SessionRepository, UserRepository};
use tertulia_domain::{
    ChatId, ChatTitle, ClaimedSession, PasswordHash, Profile, RefreshHashes, Role, Session, SessionId, Timestamp,
    UserId, Username,
};
use uuid::Uuid;

pub(crate) fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(1_750_000_000_000 + millis)
}

pub(crate) fn fresh() -> Uuid {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    Uuid::from_u64_pair(0x0190_0000_0000_7000, 1 << 63 | NEXT.fetch_add(1, Ordering::Relaxed))
}

/// A user with a session that outlives the test.
pub(crate) async fn person(database: &PgDatabase, name: &str) -> ClaimedSession {
    let user = NewUser {
        id: UserId::from_uuid(fresh()),
        username: Some(Username::new(name).unwrap()),
        email: None,
        display_name: None,
        profile: Profile::default(),
        role: Role::User,
        password: PasswordHash::from_phc("$argon2id$".to_owned()),
        mail: None,
        verification: None,
        at: at(0),
    };
    let user_id = database.users().insert(user).await.unwrap().id;
    let session = Session {
        id: SessionId::from_uuid(fresh()),
        user_id,
        device: None,
        ip: None,
        created_at: at(0),
        last_used_at: at(0),
        expires_at: at(1_000_000_000),
    };
    let session_id = session.id;
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
    ClaimedSession { session_id, user_id }
}

/// A group of one.
pub(crate) async fn group(database: &PgDatabase, owner: ClaimedSession) -> ChatId {
    let id = ChatId::from_uuid(fresh());
    let group = NewGroup {
        id,
        title: ChatTitle::new("Tertulia").unwrap(),
        owner: owner.user_id,
        members: Vec::new(),
        at: at(0),
    };
    database.chats().insert_group(group, None).await.unwrap();
    id
}
