//! How files go that nothing uses any more, and with them what they stood on. This is the only place that removes any.
//!
//! Whoever takes a file out of use hands it over afterwards, in the same transaction. Locks on files are taken after all
//! others, those on blobs after those on files, and of several rows in the order of their ids.

use crate::statement::{Statement, prepared};
use crate::time::PgTime;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Binary, Timestamptz, Uuid as SqlUuid};
use tertulia_domain::Timestamp;
use uuid::Uuid;

/// Whether neither a message nor an avatar uses `files f`.
macro_rules! file_unused {
    () => {
        "NOT EXISTS (SELECT FROM message_attachments a WHERE a.file_id = f.id)
         AND NOT EXISTS (SELECT FROM users a WHERE a.avatar_id = f.id)
         AND NOT EXISTS (SELECT FROM chats a WHERE a.avatar_id = f.id)"
    };
}

/// Whoever is about to put one of these files to use holds its key; this waits for them. Whoever comes later waits for
/// this, and finds the file gone or free.
struct LockFiles;

impl Statement for LockFiles {
    type Columns = SqlUuid;
    const SQL: &'static str = "SELECT f.id FROM files f WHERE f.id = ANY ($1) ORDER BY f.id FOR UPDATE";
}

/// A statement of its own: it sees the uses that began while the locks were waited for.
struct DeleteFiles;

impl Statement for DeleteFiles {
    type Columns = Binary;
    const SQL: &'static str = concat!(
        "DELETE FROM files f WHERE f.id = ANY ($1) AND ",
        file_unused!(),
        " RETURNING f.digest"
    );
}

struct LockBlobs;

impl Statement for LockBlobs {
    type Columns = Binary;
    const SQL: &'static str = "SELECT b.digest FROM blobs b WHERE b.digest = ANY ($1) ORDER BY b.digest FOR UPDATE";
}

/// The objects of blobs that no file stands on become due. It sees the files that began to stand on one while the locks
/// were waited for.
struct DeleteBlobs;

impl Statement for DeleteBlobs {
    type Columns = ();
    const SQL: &'static str = "
        WITH gone AS (
            DELETE FROM blobs b
            WHERE b.digest = ANY ($1) AND NOT EXISTS (SELECT FROM files f WHERE f.digest = b.digest)
            RETURNING b.object_key, b.thumbnail_key
        )
        INSERT INTO pending_objects (object_key, delete_at)
        SELECT object.key, $2
        FROM gone CROSS JOIN LATERAL (VALUES (gone.object_key), (gone.thumbnail_key)) AS object (key)
        WHERE object.key IS NOT NULL
        ON CONFLICT (object_key) DO UPDATE SET delete_at = EXCLUDED.delete_at";
}

/// Removes those of the files that nothing uses, in a transaction of the caller's; objects that no file stands on any more
/// become due at `at`. Gives the number of files that went.
pub(crate) fn release(connection: &mut PgConnection, files: &[Uuid], at: Timestamp) -> QueryResult<u64> {
    if files.is_empty() {
        return Ok(0);
    }
    let locked = prepared::<LockFiles, _>((files.into_sql::<Array<SqlUuid>>(),)).load::<Uuid>(connection)?;
    let mut digests =
        prepared::<DeleteFiles, _>(((&locked).into_sql::<Array<SqlUuid>>(),)).load::<Vec<u8>>(connection)?;
    let removed = digests.len() as u64;
    if removed > 0 {
        digests.sort_unstable();
        digests.dedup();
        let digests = (&digests).into_sql::<Array<Binary>>();
        prepared::<LockBlobs, _>((digests,)).load::<Vec<u8>>(connection)?;
        prepared::<DeleteBlobs, _>((digests, PgTime(at).into_sql::<Timestamptz>())).execute(connection)?;
    }
    Ok(removed)
}

/// Passes over files that somebody is about to use or remove.
struct FindUnused;

impl Statement for FindUnused {
    type Columns = SqlUuid;
    const SQL: &'static str = concat!(
        "SELECT f.id FROM files f WHERE f.created_at < $1 AND ",
        file_unused!(),
        " ORDER BY f.created_at LIMIT $2 FOR UPDATE OF f SKIP LOCKED"
    );
}

/// Removes up to `limit` files from before a time that nothing uses, in a transaction of the caller's.
pub(super) fn collect(connection: &mut PgConnection, before: Timestamp, at: Timestamp, limit: u32) -> QueryResult<u64> {
    let unused = prepared::<FindUnused, _>((
        PgTime(before).into_sql::<Timestamptz>(),
        i64::from(limit).into_sql::<BigInt>(),
    ))
    .load::<Uuid>(connection)?;
    release(connection, &unused, at)
}
