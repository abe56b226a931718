//! Who is connected to which node. Whatever adds or removes leases of users locks the users first: of several nodes at once,
//! one tells that somebody came, and one that they went.

use super::user_ids;
use crate::schema::users;
use crate::statement::{Statement, prepared};
use crate::time::PgTime;
use diesel::prelude::*;
use diesel::sql_types::{Array, Timestamptz, Uuid as SqlUuid};
use tertulia_domain::{NodeId, Timestamp, UserId};
use uuid::Uuid;

/// Those of the users who are connected to any node.
struct Connected;

impl Statement for Connected {
    type Columns = SqlUuid;
    const SQL: &'static str =
        "SELECT DISTINCT l.user_id FROM node_leases l WHERE l.user_id = ANY ($1) AND l.expires_at > $2";
}

struct Arrive;

impl Statement for Arrive {
    type Columns = ();
    const SQL: &'static str = "
        INSERT INTO node_leases (user_id, node_id, expires_at)
        SELECT id, $1, $3 FROM unnest($2) AS id ORDER BY id
        ON CONFLICT (user_id, node_id) DO UPDATE SET expires_at = EXCLUDED.expires_at";
}

struct Depart;

impl Statement for Depart {
    type Columns = ();
    const SQL: &'static str = "
        WITH held AS (
            SELECT user_id, node_id FROM node_leases
            WHERE node_id = $1 AND user_id = ANY ($2)
            ORDER BY user_id
            FOR UPDATE
        )
        DELETE FROM node_leases l USING held WHERE l.user_id = held.user_id AND l.node_id = held.node_id";
}

struct Renew;

impl Statement for Renew {
    type Columns = ();
    const SQL: &'static str = "
        WITH held AS (
            SELECT user_id, node_id FROM node_leases WHERE node_id = $1 ORDER BY user_id FOR NO KEY UPDATE
        )
        UPDATE node_leases l SET expires_at = GREATEST(l.expires_at, $2)
        FROM held
        WHERE l.user_id = held.user_id AND l.node_id = held.node_id";
}

struct RunOut;

impl Statement for RunOut {
    type Columns = SqlUuid;
    const SQL: &'static str = "SELECT DISTINCT l.user_id FROM node_leases l WHERE l.expires_at <= $1";
}

/// Passes over what was renewed while it waited.
struct Expire;

impl Statement for Expire {
    type Columns = SqlUuid;
    const SQL: &'static str = "
        WITH held AS (
            SELECT user_id, node_id FROM node_leases
            WHERE user_id = ANY ($1) AND expires_at <= $2
            ORDER BY user_id, node_id
            FOR UPDATE
        )
        DELETE FROM node_leases l USING held
        WHERE l.user_id = held.user_id AND l.node_id = held.node_id
        RETURNING l.user_id";
}

/// For a transaction, as are all of these but [`renew`].
pub(super) fn arrive(
    connection: &mut PgConnection,
    node: NodeId,
    users: &[Uuid],
    at: Timestamp,
    until: Timestamp,
) -> QueryResult<Vec<UserId>> {
    lock(connection, users)?;
    let away = away(connection, users.to_vec(), at)?;
    prepared::<Arrive, _>((
        node.as_uuid().into_sql::<SqlUuid>(),
        users.into_sql::<Array<SqlUuid>>(),
        PgTime(until).into_sql::<Timestamptz>(),
    ))
    .execute(connection)?;
    Ok(user_ids(away))
}

pub(super) fn depart(
    connection: &mut PgConnection,
    node: NodeId,
    users: &[Uuid],
    at: Timestamp,
) -> QueryResult<Vec<UserId>> {
    lock(connection, users)?;
    prepared::<Depart, _>((node.as_uuid().into_sql::<SqlUuid>(), users.into_sql::<Array<SqlUuid>>()))
        .execute(connection)?;
    Ok(user_ids(away(connection, users.to_vec(), at)?))
}

pub(super) fn renew(connection: &mut PgConnection, node: NodeId, until: Timestamp) -> QueryResult<()> {
    prepared::<Renew, _>((
        node.as_uuid().into_sql::<SqlUuid>(),
        PgTime(until).into_sql::<Timestamptz>(),
    ))
    .execute(connection)?;
    Ok(())
}

pub(super) fn expire(connection: &mut PgConnection, at: Timestamp) -> QueryResult<Vec<UserId>> {
    let time = PgTime(at).into_sql::<Timestamptz>();
    let users = prepared::<RunOut, _>((time,)).load::<Uuid>(connection)?;
    if users.is_empty() {
        return Ok(Vec::new());
    }
    lock(connection, &users)?;
    let mut gone = prepared::<Expire, _>(((&users).into_sql::<Array<SqlUuid>>(), time)).load::<Uuid>(connection)?;
    gone.sort_unstable();
    gone.dedup();
    // A statement of its own: it sees what was renewed meanwhile.
    Ok(user_ids(away(connection, gone, at)?))
}

fn lock(connection: &mut PgConnection, users: &[Uuid]) -> QueryResult<()> {
    users::table
        .filter(users::id.eq_any(users))
        .order(users::id)
        .select(users::id)
        .for_no_key_update()
        .load::<Uuid>(connection)?;
    Ok(())
}

/// Those of the users who are connected to no node.
fn away(connection: &mut PgConnection, mut users: Vec<Uuid>, at: Timestamp) -> QueryResult<Vec<Uuid>> {
    let mut connected = prepared::<Connected, _>((
        (&users).into_sql::<Array<SqlUuid>>(),
        PgTime(at).into_sql::<Timestamptz>(),
    ))
    .load::<Uuid>(connection)?;
    connected.sort_unstable();
    users.retain(|user| connected.binary_search(user).is_err());
    Ok(users)
}
