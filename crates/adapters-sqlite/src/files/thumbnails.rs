use super::objects;
use crate::schema::blobs;
use crate::sql::Sql;
use diesel::prelude::*;
use diesel::sql_types::{Binary, Text};
use tertulia_domain::repository::{RepositoryError, ThumbnailJob};
use tertulia_domain::{Digest, ObjectKey, Timestamp};
use tertulia_sql_support::{TxError, inconsistent};

/// The third who takes an image is the last.
const TAKE: &[&str] = &["UPDATE blobs SET
        thumbnail_attempts = thumbnail_attempts + 1,
        thumbnail_due_at = CASE WHEN thumbnail_attempts < 2 THEN ? END
    WHERE digest = (
        SELECT digest FROM blobs WHERE thumbnail_due_at <= ? ORDER BY thumbnail_due_at LIMIT 1
    )
    RETURNING digest, object_key"];

pub(super) fn take(
    conn: &mut SqliteConnection,
    at: Timestamp,
    until: Timestamp,
) -> Result<Option<ThumbnailJob>, TxError<RepositoryError>> {
    // A statement that returns rows is only done with all of them.
    let taken: Vec<(Vec<u8>, String)> = Sql::<(Binary, Text)>::new(TAKE)
        .integer(until.as_millis())
        .integer(at.as_millis())
        .load(conn)?;
    let Some((digest, object)) = taken.into_iter().next() else {
        return Ok(None);
    };
    match digest.try_into() {
        Ok(digest) => Ok(Some(ThumbnailJob {
            digest: Digest(digest),
            object: ObjectKey::from_string(object),
        })),
        Err(_) => Err(inconsistent("blobs", object, "the digest has not 32 bytes").into()),
    }
}

pub(super) fn finish(
    conn: &mut SqliteConnection,
    digest: Digest,
    thumbnail: Option<&ObjectKey>,
    at: Timestamp,
) -> QueryResult<()> {
    let lacking = blobs::table
        .find(digest.0.as_slice())
        .filter(blobs::thumbnail_key.is_null());
    let done = blobs::thumbnail_due_at.eq(None::<i64>);
    let Some(object) = thumbnail.map(ObjectKey::as_str) else {
        return diesel::update(lacking).set(done).execute(conn).map(drop);
    };
    if !objects::is_announced(conn, object, at)? {
        return Ok(());
    }
    let adopted = diesel::update(lacking)
        .set((blobs::thumbnail_key.eq(object), done))
        .execute(conn)?;
    if adopted > 0 {
        objects::adopt(conn, object)
    } else {
        objects::announce(conn, object, at)
    }
}
