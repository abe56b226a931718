//! Objects that nothing stands on, and when they may be deleted.

use crate::schema::pending_objects::{self as pending, dsl};
use crate::sql::Sql;
use diesel::dsl::exists;
use diesel::prelude::*;
use tertulia_domain::{ObjectKey, Timestamp};

const ANNOUNCE: &[&str] = &["INSERT INTO pending_objects (object_key, delete_at) VALUES (?, ?)
    ON CONFLICT (object_key) DO UPDATE SET delete_at = excluded.delete_at"];

/// From `delete_at` on the object may be deleted.
pub(super) fn announce(conn: &mut SqliteConnection, object: &str, delete_at: Timestamp) -> QueryResult<()> {
    Sql::<()>::new(ANNOUNCE)
        .text(object)
        .integer(delete_at.as_millis())
        .execute(conn)
        .map(drop)
}

/// Whether the object is announced and not due yet: what is due, somebody may be deleting already.
pub(super) fn is_announced(conn: &mut SqliteConnection, object: &str, at: Timestamp) -> QueryResult<bool> {
    let announced = pending::table.find(object).filter(dsl::delete_at.gt(at.as_millis()));
    diesel::select(exists(announced)).get_result(conn)
}

/// Something stands on the object from now on.
pub(super) fn adopt(conn: &mut SqliteConnection, object: &str) -> QueryResult<()> {
    diesel::delete(pending::table.find(object)).execute(conn).map(drop)
}

pub(super) fn due(conn: &mut SqliteConnection, at: Timestamp, limit: u32) -> QueryResult<Vec<ObjectKey>> {
    let keys: Vec<String> = pending::table
        .filter(dsl::delete_at.le(at.as_millis()))
        .order((dsl::delete_at, dsl::object_key))
        .limit(limit.into())
        .select(dsl::object_key)
        .load(conn)?;
    Ok(keys.into_iter().map(ObjectKey::from_string).collect())
}

pub(super) fn forget(conn: &mut SqliteConnection, objects: &[ObjectKey]) -> QueryResult<()> {
    for object in objects {
        adopt(conn, object.as_str())?;
    }
    Ok(())
}
