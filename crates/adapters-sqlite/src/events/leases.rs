use super::listeners::list;
use crate::id::DbId;
use crate::sql::Sql;
use diesel::prelude::*;
use diesel::sql_types::Binary;
use tertulia_domain::{ClaimedSession, NodeId, Timestamp, UserId};

const NOWHERE: &[&str] = &[
    "SELECT user.id FROM (SELECT DISTINCT unhex(value) AS id FROM json_each(?)) AS user
    WHERE NOT EXISTS (SELECT 1 FROM node_leases WHERE user_id = user.id AND expires_at > ?)",
];

const ARRIVE: &[&str] = &["INSERT INTO node_leases (user_id, node_id, expires_at)
    SELECT unhex(value), ?, ? FROM json_each(?) WHERE TRUE
    ON CONFLICT (user_id, node_id) DO UPDATE SET expires_at = excluded.expires_at"];

const DEPART: &[&str] = &["DELETE FROM node_leases
    WHERE node_id = ? AND user_id IN (SELECT unhex(value) FROM json_each(?))"];

const RENEW: &[&str] = &["UPDATE node_leases SET expires_at = ? WHERE node_id = ? AND expires_at < ?"];

const EXPIRE: &[&str] = &["DELETE FROM node_leases WHERE expires_at <= ? RETURNING user_id"];

/// Those of the users who have no lease that lasts.
fn nowhere(conn: &mut SqliteConnection, users: &str, at: Timestamp) -> QueryResult<Vec<UserId>> {
    let found: Vec<DbId> = Sql::<Binary>::new(NOWHERE)
        .text(users)
        .integer(at.as_millis())
        .load(conn)?;
    Ok(found.into_iter().map(Into::into).collect())
}

pub(super) fn arrive(
    conn: &mut SqliteConnection,
    node: NodeId,
    users: Vec<UserId>,
    at: Timestamp,
    until: Timestamp,
) -> QueryResult<Vec<UserId>> {
    let users = list(users);
    let new = nowhere(conn, &users, at)?;
    Sql::<()>::new(ARRIVE)
        .id(node)
        .integer(until.as_millis())
        .text(users)
        .execute(conn)?;
    Ok(new)
}

pub(super) fn depart(
    conn: &mut SqliteConnection,
    node: NodeId,
    users: Vec<UserId>,
    at: Timestamp,
) -> QueryResult<Vec<UserId>> {
    let users = list(users);
    Sql::<()>::new(DEPART).id(node).text(&users).execute(conn)?;
    nowhere(conn, &users, at)
}

pub(super) fn renew(conn: &mut SqliteConnection, node: NodeId, until: Timestamp) -> QueryResult<()> {
    Sql::<()>::new(RENEW)
        .integer(until.as_millis())
        .id(node)
        .integer(until.as_millis())
        .execute(conn)
        .map(drop)
}

pub(super) fn expire(conn: &mut SqliteConnection, at: Timestamp) -> QueryResult<Vec<UserId>> {
    let users: Vec<DbId> = Sql::<Binary>::new(EXPIRE).integer(at.as_millis()).load(conn)?;
    nowhere(conn, &DbId::hex_list(&users), at)
}

const INSERT_TICKET: &[&str] = &["INSERT INTO tickets (hash, session_id, user_id, expires_at) VALUES (?, ?, ?, ?)"];

pub(super) fn insert_ticket(
    conn: &mut SqliteConnection,
    hash: [u8; 32],
    session: ClaimedSession,
    expires_at: Timestamp,
) -> QueryResult<()> {
    Sql::<()>::new(INSERT_TICKET)
        .bytes(hash)
        .id(session.session_id)
        .id(session.user_id)
        .integer(expires_at.as_millis())
        .execute(conn)
        .map(drop)
}

const REDEEM: &[&str] = &["DELETE FROM tickets WHERE hash = ? AND expires_at > ? RETURNING session_id, user_id"];

pub(super) fn redeem(
    conn: &mut SqliteConnection,
    hash: [u8; 32],
    at: Timestamp,
) -> QueryResult<Option<ClaimedSession>> {
    let found: Option<(DbId, DbId)> = Sql::<(Binary, Binary)>::new(REDEEM)
        .bytes(hash)
        .integer(at.as_millis())
        .get_result(conn)
        .optional()?;
    Ok(found.map(|(session, user)| ClaimedSession {
        session_id: session.into(),
        user_id: user.into(),
    }))
}

#[cfg(test)]
mod tests {
    use super::{DEPART, EXPIRE, NOWHERE, REDEEM, RENEW};
    use crate::testing::plan;

    #[test]
    fn no_table_is_read_whole() {
        for statement in [DEPART, EXPIRE, NOWHERE, REDEEM, RENEW] {
            let plan = plan(statement);
            let scans = plan.iter().filter(|step| step.starts_with("SCAN "));
            assert!(
                scans
                    .into_iter()
                    .all(|step| step.contains("json_each") || step == "SCAN user"),
                "{plan:?}"
            );
        }
    }
}
