//! Other members for a chat, all at once.

use super::create::{blocked, find_direct, parties};
use super::departure::appoint_successor;
use super::members::write_role;
use super::{lock_users, note, sets};
use crate::files;
use crate::schema::{chats, memberships};
use crate::statement::{Statement, prepared};
use crate::time::PgTime;
use diesel::prelude::*;
use diesel::result::Error as DieselError;
use diesel::sql_types::{Array, BigInt, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use tertulia_domain::repository::{ReplaceMembers, ReplaceMembersError};
use tertulia_domain::{MemberRole, UserId};
use tertulia_sql_support::{TxError, violated_unique};
use uuid::Uuid;

type Failure = TxError<ReplaceMembersError>;

/// Writes down what the chat is now: direct between the two that are given, or else a group. A direct chat that becomes
/// one is known by its members, and has no title of its own.
struct Become;

impl Statement for Become {
    type Columns = ();
    const SQL: &'static str = "
        UPDATE chats SET
            kind = CASE WHEN $2 IS NULL THEN 'group' ELSE 'direct' END,
            direct_low = $2,
            direct_high = $3,
            title = CASE WHEN $2 IS NULL THEN COALESCE(title, $4) END,
            by_members = $2 IS NULL AND (by_members OR kind = 'direct'),
            avatar_id = CASE WHEN $2 IS NULL THEN avatar_id END,
            avatar_view = CASE WHEN $2 IS NULL THEN avatar_view END,
            member_count = $5,
            updated_at = GREATEST(updated_at, $6)
        WHERE id = $1";
}

/// Somebody who was there before stays as they are.
struct Leave;

impl Statement for Leave {
    type Columns = ();
    const SQL: &'static str = "DELETE FROM memberships WHERE chat_id = $1 AND user_id <> ALL ($2)";
}

struct Join;

impl Statement for Join {
    type Columns = ();
    const SQL: &'static str = "
        INSERT INTO memberships (chat_id, user_id, role, joined_at, read_seq)
        SELECT $1, id, 'member', $3, $4 FROM unnest($2) AS id";
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = chats, check_for_backend(diesel::pg::Pg))]
struct Before {
    kind: String,
    by_members: bool,
    avatar_id: Option<Uuid>,
    last_seq: i64,
}

/// For a transaction.
pub(super) fn members(connection: &mut PgConnection, change: &ReplaceMembers) -> Result<(), Failure> {
    let set = sets::set_of(&change.members);
    sets::lock(connection, &set)?;
    // The two of a direct chat are a key, which this may change.
    let before = chats::table
        .find(change.chat_id.as_uuid())
        .select(Before::as_select())
        .for_update()
        .first(connection)
        .optional()?;
    let before = before.ok_or(TxError::Named(ReplaceMembersError::ChatNotFound))?;
    let found = lock_users(connection, &set)?;
    if let Some(missing) = set.iter().find(|id| found.binary_search(id).is_err()) {
        let missing = UserId::from_uuid(*missing);
        return Err(TxError::Named(ReplaceMembersError::UserNotFound(missing)));
    }
    let mut present: Vec<Uuid> = memberships::table
        .filter(memberships::chat_id.eq(change.chat_id.as_uuid()))
        .select(memberships::user_id)
        .load(connection)?;
    present.sort_unstable();
    if present != set {
        replace(connection, change, &before, &present, &set)?;
    }
    if let Some(note) = &change.note {
        note::set(connection, change.chat_id, note, change.at)?;
    }
    Ok(())
}

/// Makes a locked chat the one of other members.
fn replace(
    connection: &mut PgConnection,
    change: &ReplaceMembers,
    before: &Before,
    present: &[Uuid],
    set: &[Uuid],
) -> Result<(), Failure> {
    let was_direct = before.kind == "direct";
    let by_members = was_direct || before.by_members;
    let pair = match set {
        [one, other] if by_members => Some(parties(*one, *other)),
        _ => None,
    };
    if by_members {
        require_free(connection, pair, set)?;
    }
    let id = change.chat_id.as_uuid();
    let member_count = i64::try_from(set.len()).unwrap_or(i64::MAX);
    prepared::<Become, _>((
        id.into_sql::<SqlUuid>(),
        pair.map(|(low, _)| low).into_sql::<Nullable<SqlUuid>>(),
        pair.map(|(_, high)| high).into_sql::<Nullable<SqlUuid>>(),
        change.title.as_str().into_sql::<Text>(),
        member_count.into_sql::<BigInt>(),
        PgTime(change.at).into_sql::<Timestamptz>(),
    ))
    .execute(connection)
    .map_err(taken)?;

    prepared::<Leave, _>((id.into_sql::<SqlUuid>(), set.into_sql::<Array<SqlUuid>>())).execute(connection)?;
    let joining: Vec<Uuid> = set
        .iter()
        .copied()
        .filter(|id| present.binary_search(id).is_err())
        .collect();
    prepared::<Join, _>((
        id.into_sql::<SqlUuid>(),
        (&joining).into_sql::<Array<SqlUuid>>(),
        PgTime(change.at).into_sql::<Timestamptz>(),
        before.last_seq.into_sql::<BigInt>(),
    ))
    .execute(connection)?;

    if pair.is_some() {
        diesel::update(memberships::table)
            .filter(memberships::chat_id.eq(id))
            .set(memberships::role.eq(MemberRole::Member.as_str()))
            .execute(connection)?;
        files::release(connection, before.avatar_id.as_slice(), change.at)?;
    } else {
        require_owner(connection, change, was_direct)?;
    }
    Ok(())
}

/// Refuses a set that another chat is the one of, and a direct chat that nobody could write in.
fn require_free(connection: &mut PgConnection, pair: Option<(Uuid, Uuid)>, set: &[Uuid]) -> Result<(), Failure> {
    let other = match pair {
        Some(pair) => find_direct(connection, pair)?,
        None => sets::find(connection, set)?,
    };
    if other.is_some() {
        return Err(TxError::Named(ReplaceMembersError::SetTaken));
    }
    if let Some(pair) = pair
        && blocked(connection, pair)?
    {
        return Err(TxError::Named(ReplaceMembersError::Blocked));
    }
    Ok(())
}

/// Sees to it that a group has an owner.
fn require_owner(connection: &mut PgConnection, change: &ReplaceMembers, was_direct: bool) -> Result<(), Failure> {
    if was_direct && change.members.contains(&change.actor) {
        write_role(connection, change.chat_id, change.actor, MemberRole::Owner)?;
        return Ok(());
    }
    let owners: i64 = memberships::table
        .filter(memberships::chat_id.eq(change.chat_id.as_uuid()))
        .filter(memberships::role.eq(MemberRole::Owner.as_str()))
        .count()
        .get_result(connection)?;
    if owners == 0 {
        appoint_successor::<ReplaceMembersError>(connection, change.chat_id)?;
    }
    Ok(())
}

/// Two who find no direct chat between two users at once can't both make one.
fn taken(error: DieselError) -> Failure {
    if violated_unique(&error) == Some("chats_direct_unique") {
        TxError::Named(ReplaceMembersError::SetTaken)
    } else {
        error.into()
    }
}
