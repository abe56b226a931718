use super::{lock_users, view};
use crate::client::conflict;
use crate::rows::blocked_between;
use crate::statement::{Statement, prepared};
use crate::time::PgTime;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use tertulia_domain::repository::{CreatedChat, InsertChatError, NewDirectChat, NewGroup};
use tertulia_domain::{ChatId, Timestamp, UserId};
use tertulia_sql_support::TxError;
use uuid::Uuid;

type Failure = TxError<InsertChatError>;

/// Of two direct chats between the same two the second waits for the first, and is then not made.
struct InsertChat;

impl Statement for InsertChat {
    type Columns = ();
    const SQL: &'static str = "
        INSERT INTO chats (
            id, kind, title, direct_low, direct_high, created_at, updated_at, active_at, member_count, by_members
        )
        VALUES ($1, CASE WHEN $2 IS NULL THEN 'direct' ELSE 'group' END, $2, $3, $4, $5, $5, $5, $6, $7)
        ON CONFLICT ON CONSTRAINT chats_direct_unique DO NOTHING";
}

struct InsertMembers;

impl Statement for InsertMembers {
    type Columns = ();
    const SQL: &'static str = "
        INSERT INTO memberships (chat_id, user_id, role, joined_at, read_seq)
        SELECT $1, id, CASE WHEN id = $3 THEN 'owner' ELSE 'member' END, $4, 0
        FROM unnest($2) AS id";
}

struct FindDirect;

impl Statement for FindDirect {
    type Columns = SqlUuid;
    const SQL: &'static str = "SELECT id FROM chats WHERE direct_low = $1 AND direct_high = $2";
}

/// Whether one of two users blocks the other.
struct Blocked;

impl Statement for Blocked {
    type Columns = Bool;
    const SQL: &'static str = concat!("SELECT ", blocked_between!("$1", "$2"));
}

/// A chat to be made, with its first members.
pub(super) struct NewChat<'a> {
    pub(super) id: ChatId,
    pub(super) title: Option<&'a str>,
    pub(super) parties: Option<(Uuid, Uuid)>,
    pub(super) owner: Option<UserId>,
    pub(super) members: &'a [Uuid],
    /// Whether it is known by these.
    pub(super) by_members: bool,
    pub(super) at: Timestamp,
}

pub(super) fn direct(connection: &mut PgConnection, new: &NewDirectChat) -> Result<CreatedChat, Failure> {
    let members = [*new.creator.as_uuid(), *new.other.as_uuid()];
    let parties = parties(members[0], members[1]);
    require_users(connection, &members)?;
    if blocked(connection, parties)? {
        let id = find_direct(connection, parties)?.ok_or(TxError::Named(InsertChatError::Blocked))?;
        return seen_by(connection, id, new.creator, false);
    }
    let chat = NewChat {
        id: new.id,
        title: None,
        parties: Some(parties),
        owner: None,
        members: &members,
        by_members: false,
        at: new.at,
    };
    let created = insert(connection, &chat)?;
    let id = if created {
        new.id
    } else {
        let gone = || conflict("a direct chat that was there is gone");
        find_direct(connection, parties)?.ok_or_else(gone)?
    };
    seen_by(connection, id, new.creator, created)
}

pub(super) fn group(connection: &mut PgConnection, new: &NewGroup) -> Result<CreatedChat, Failure> {
    let members: Vec<Uuid> = [&new.owner]
        .into_iter()
        .chain(&new.members)
        .map(|id| *id.as_uuid())
        .collect();
    require_users(connection, &members)?;
    let chat = NewChat {
        id: new.id,
        title: Some(new.title.as_str()),
        parties: None,
        owner: Some(new.owner),
        members: &members,
        by_members: false,
        at: new.at,
    };
    let created = insert(connection, &chat)?;
    seen_by(connection, new.id, new.owner, created)
}

/// Two users as a direct chat names them.
pub(super) fn parties(one: Uuid, other: Uuid) -> (Uuid, Uuid) {
    (one.min(other), one.max(other))
}

/// Whether one of the two blocks the other.
pub(super) fn blocked(connection: &mut PgConnection, (low, high): (Uuid, Uuid)) -> QueryResult<bool> {
    prepared::<Blocked, _>((low.into_sql::<SqlUuid>(), high.into_sql::<SqlUuid>())).get_result(connection)
}

pub(super) fn require_users(connection: &mut PgConnection, wanted: &[Uuid]) -> Result<(), Failure> {
    let found = lock_users(connection, wanted)?;
    match wanted.iter().find(|id| found.binary_search(id).is_err()) {
        Some(missing) => Err(TxError::Named(InsertChatError::UserNotFound(UserId::from_uuid(
            *missing,
        )))),
        None => Ok(()),
    }
}

/// False, and nothing done, when there is a direct chat between the two.
pub(super) fn insert(connection: &mut PgConnection, chat: &NewChat<'_>) -> QueryResult<bool> {
    let member_count = i64::try_from(chat.members.len()).unwrap_or(i64::MAX);
    let inserted = prepared::<InsertChat, _>((
        chat.id.as_uuid().into_sql::<SqlUuid>(),
        chat.title.into_sql::<Nullable<Text>>(),
        chat.parties.map(|(low, _)| low).into_sql::<Nullable<SqlUuid>>(),
        chat.parties.map(|(_, high)| high).into_sql::<Nullable<SqlUuid>>(),
        PgTime(chat.at).into_sql::<Timestamptz>(),
        member_count.into_sql::<BigInt>(),
        chat.by_members.into_sql::<Bool>(),
    ))
    .execute(connection)?;
    if inserted == 0 {
        return Ok(false);
    }
    prepared::<InsertMembers, _>((
        chat.id.as_uuid().into_sql::<SqlUuid>(),
        chat.members.into_sql::<Array<SqlUuid>>(),
        chat.owner.as_ref().map(UserId::as_uuid).into_sql::<Nullable<SqlUuid>>(),
        PgTime(chat.at).into_sql::<Timestamptz>(),
    ))
    .execute(connection)?;
    Ok(true)
}

/// The direct chat between the two.
pub(super) fn find_direct(connection: &mut PgConnection, (low, high): (Uuid, Uuid)) -> QueryResult<Option<ChatId>> {
    let found = prepared::<FindDirect, _>((low.into_sql::<SqlUuid>(), high.into_sql::<SqlUuid>()))
        .get_result::<Uuid>(connection)
        .optional()?;
    Ok(found.map(ChatId::from_uuid))
}

fn seen_by(connection: &mut PgConnection, id: ChatId, viewer: UserId, created: bool) -> Result<CreatedChat, Failure> {
    match view::find(connection, id, viewer)? {
        Some(view) => Ok(CreatedChat { view, created }),
        None => Err(conflict("a chat that was there is gone").into()),
    }
}
