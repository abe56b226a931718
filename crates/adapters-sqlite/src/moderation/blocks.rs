use super::audit::{Act, log};
use crate::id::DbId;
use crate::schema::{blocks, users};
use crate::sql::Sql;
use crate::users::{UserRow, exists_undeleted};
use diesel::dsl::exists;
use diesel::prelude::*;
use diesel::sql_types::{Binary, Bool};
use tertulia_domain::repository::{BlockError, RepositoryError};
use tertulia_domain::{AuditAction, Timestamp, User, UserId};
use tertulia_sql_support::TxError;

const BLOCKED: &[&str] = &["SELECT EXISTS (
        SELECT 1 FROM blocks WHERE (blocker_id, blocked_id) IN (VALUES (?, ?), (?, ?))
    )"];

/// Whether one of the two blocks the other.
pub(crate) fn blocked(conn: &mut SqliteConnection, one: DbId, other: DbId) -> QueryResult<bool> {
    Sql::<Bool>::new(BLOCKED)
        .id(one)
        .id(other)
        .id(other)
        .id(one)
        .get_result(conn)
}

pub(super) fn block(
    conn: &mut SqliteConnection,
    user: DbId,
    other: DbId,
    most: u32,
    at: Timestamp,
) -> Result<(), TxError<BlockError>> {
    if !exists_undeleted(conn, other)? || !exists_undeleted(conn, user)? {
        return Err(TxError::Named(BlockError::UserNotFound));
    }
    if diesel::select(exists(blocks::table.find((user, other)))).get_result(conn)? {
        return Ok(());
    }
    let there: i64 = blocks::table
        .filter(blocks::blocker_id.eq(user))
        .count()
        .get_result(conn)?;
    if there >= i64::from(most) {
        return Err(TxError::Named(BlockError::TooMany));
    }
    diesel::insert_into(blocks::table)
        .values((
            blocks::blocker_id.eq(user),
            blocks::blocked_id.eq(other),
            blocks::created_at.eq(at.as_millis()),
        ))
        .execute(conn)?;
    Ok(log(conn, &act(AuditAction::Block, user, other, at))?)
}

pub(super) fn unblock(conn: &mut SqliteConnection, user: DbId, other: DbId, at: Timestamp) -> QueryResult<bool> {
    if diesel::delete(blocks::table.find((user, other))).execute(conn)? == 0 {
        return Ok(false);
    }
    log(conn, &act(AuditAction::Unblock, user, other, at))?;
    Ok(true)
}

const fn act(action: AuditAction, user: DbId, other: DbId, at: Timestamp) -> Act<'static> {
    Act {
        at,
        actor: user,
        action,
        user: other,
        message: None,
        reason: None,
    }
}

pub(super) fn list(conn: &mut SqliteConnection, user: DbId) -> Result<Vec<User>, TxError<RepositoryError>> {
    let rows: Vec<UserRow> = blocks::table
        .inner_join(users::table.on(users::id.eq(blocks::blocked_id)))
        .filter(blocks::blocker_id.eq(user))
        .order((blocks::created_at.desc(), blocks::blocked_id.desc()))
        .select(UserRow::as_select())
        .load(conn)?;
    Ok(rows.into_iter().map(User::try_from).collect::<Result<_, _>>()?)
}

const EITHER_WAY: &[&str] = &["SELECT blocked_id FROM blocks WHERE blocker_id = ?
    UNION
    SELECT blocker_id FROM blocks WHERE blocked_id = ?"];

pub(super) fn either_way(conn: &mut SqliteConnection, user: DbId) -> QueryResult<Vec<UserId>> {
    let others: Vec<DbId> = Sql::<Binary>::new(EITHER_WAY).id(user).id(user).load(conn)?;
    Ok(others.into_iter().map(UserId::from).collect())
}

#[cfg(test)]
mod tests {
    use super::{BLOCKED, EITHER_WAY};
    use crate::testing::plan;

    #[test]
    fn blocks_are_found_by_both_sides() {
        let pair = plan(BLOCKED);
        assert!(
            pair.iter()
                .any(|step| step.starts_with("SEARCH blocks USING PRIMARY KEY (blocker_id=? AND blocked_id=?)")),
            "{pair:?}"
        );
        let either = plan(EITHER_WAY);
        assert!(!either.iter().any(|step| step.contains("SCAN blocks")), "{either:?}");
    }
}
