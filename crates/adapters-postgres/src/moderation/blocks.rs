use super::audit::{Act, log};
use crate::rows::{UserColumns, UserRow, read_all, user_columns};
use crate::schema::users;
use crate::statement::{Statement, prepared};
use crate::time::PgTime;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Timestamptz, Uuid as SqlUuid};
use tertulia_domain::repository::{BlockError, RepositoryError};
use tertulia_domain::{AuditAction, Timestamp, User, UserId};
use tertulia_sql_support::TxError;
use uuid::Uuid;

/// Whether a user blocks that other one already, and how many they block.
struct Standing;

impl Statement for Standing {
    type Columns = (Bool, BigInt);
    const SQL: &'static str = "
        SELECT COALESCE(bool_or(x.blocked_id = $2), false), count(*) FROM blocks x WHERE x.blocker_id = $1";
}

struct Insert;

impl Statement for Insert {
    type Columns = ();
    const SQL: &'static str = "INSERT INTO blocks (blocker_id, blocked_id, created_at) VALUES ($1, $2, $3)";
}

struct Delete;

impl Statement for Delete {
    type Columns = ();
    const SQL: &'static str = "DELETE FROM blocks WHERE blocker_id = $1 AND blocked_id = $2";
}

struct List;

impl Statement for List {
    type Columns = UserColumns;
    const SQL: &'static str = concat!(
        "SELECT ",
        user_columns!(),
        "
        FROM blocks x JOIN users u ON u.id = x.blocked_id
        WHERE x.blocker_id = $1
        ORDER BY x.created_at DESC, x.blocked_id DESC"
    );
}

struct EitherWay;

impl Statement for EitherWay {
    type Columns = SqlUuid;
    const SQL: &'static str = "
        SELECT x.blocked_id FROM blocks x WHERE x.blocker_id = $1
        UNION
        SELECT x.blocker_id FROM blocks x WHERE x.blocked_id = $1";
}

/// For a transaction.
pub(super) fn block(
    connection: &mut PgConnection,
    user: UserId,
    other: UserId,
    most: u32,
    at: Timestamp,
) -> Result<(), TxError<BlockError>> {
    let living = |id: UserId| {
        users::table
            .find(*id.as_uuid())
            .filter(users::deleted_at.is_null())
            .select(users::id)
    };
    // The lock makes one user's blocks take turns, so that they are counted.
    let one: Option<Uuid> = living(user).for_no_key_update().first(connection).optional()?;
    let another: Option<Uuid> = living(other).for_key_share().first(connection).optional()?;
    if one.is_none() || another.is_none() {
        return Err(TxError::Named(BlockError::UserNotFound));
    }
    let ids = (
        user.as_uuid().into_sql::<SqlUuid>(),
        other.as_uuid().into_sql::<SqlUuid>(),
    );
    let (known, count): (bool, i64) = prepared::<Standing, _>(ids).get_result(connection)?;
    if known {
        return Ok(());
    }
    if count >= i64::from(most) {
        return Err(TxError::Named(BlockError::TooMany));
    }
    prepared::<Insert, _>((ids, PgTime(at).into_sql::<Timestamptz>())).execute(connection)?;
    log(connection, &act(user, AuditAction::Block, other, at))?;
    Ok(())
}

/// For a transaction.
pub(super) fn unblock(connection: &mut PgConnection, user: UserId, other: UserId, at: Timestamp) -> QueryResult<bool> {
    let removed = prepared::<Delete, _>((
        user.as_uuid().into_sql::<SqlUuid>(),
        other.as_uuid().into_sql::<SqlUuid>(),
    ))
    .execute(connection)?;
    if removed > 0 {
        log(connection, &act(user, AuditAction::Unblock, other, at))?;
    }
    Ok(removed > 0)
}

fn act(actor: UserId, action: AuditAction, user: UserId, at: Timestamp) -> Act<'static> {
    Act {
        actor,
        action,
        user,
        message: None,
        reason: None,
        at,
    }
}

pub(super) fn list(connection: &mut PgConnection, user: UserId) -> Result<Vec<User>, TxError<RepositoryError>> {
    let rows = prepared::<List, _>((user.as_uuid().into_sql::<SqlUuid>(),)).load::<UserRow>(connection)?;
    Ok(read_all(rows)?)
}

pub(super) fn either_way(connection: &mut PgConnection, user: UserId) -> QueryResult<Vec<UserId>> {
    let ids = prepared::<EitherWay, _>((user.as_uuid().into_sql::<SqlUuid>(),)).load::<Uuid>(connection)?;
    Ok(ids.into_iter().map(UserId::from_uuid).collect())
}
