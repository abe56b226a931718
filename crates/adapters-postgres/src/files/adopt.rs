//! How objects come to be stood on.
//!
//! An object that is due may be being deleted at this very moment: it is no longer adopted.

use crate::rows::{StoredFileColumns, StoredFileRow, stored_file_columns};
use crate::schema::users;
use crate::statement::{Statement, prepared};
use crate::time::PgTime;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use tertulia_domain::repository::{NewFile, RepositoryError, StoredFile};
use tertulia_domain::{Digest, File, ObjectKey, PublicKey, Timestamp};
use tertulia_sql_support::TxError;
use uuid::Uuid;

struct LockAnnounced;

impl Statement for LockAnnounced {
    type Columns = Text;
    const SQL: &'static str =
        "SELECT object_key FROM pending_objects WHERE object_key = $1 AND delete_at > $2 FOR UPDATE";
}

/// Leaves the row as it is where there is one, but locks it: whoever was about to remove it finds that it is needed. If
/// it was being removed, this waits and stores the row anew.
struct InsertBlob;

impl Statement for InsertBlob {
    type Columns = Text;
    const SQL: &'static str = "
        INSERT INTO blobs (digest, object_key, size, media_type, width, height, thumbnail_due_at)
        VALUES ($1, $2, $3, $4, $5, $6, CASE WHEN $5 IS NOT NULL THEN $7 END)
        ON CONFLICT (digest) DO UPDATE SET size = blobs.size
        RETURNING object_key";
}

/// The new file; its object is no longer pending, or due at once if it was not needed.
struct InsertFile;

impl Statement for InsertFile {
    type Columns = StoredFileColumns;
    const SQL: &'static str = concat!(
        "WITH f AS (
            INSERT INTO files (id, owner_id, name, digest, public_key, created_at)
            VALUES ($1, $2, $3, $4, $5, $6)
            RETURNING *
        ),
        adopted AS (
            DELETE FROM pending_objects WHERE object_key = $7 AND $8 = $7
        ),
        spared AS (
            UPDATE pending_objects SET delete_at = $6 WHERE object_key = $7 AND $8 <> $7
        )
        SELECT ",
        stored_file_columns!(),
        " FROM f JOIN blobs b ON b.digest = f.digest"
    );
}

/// Stores a file, in a transaction of the caller's.
pub(super) fn file<E>(connection: &mut PgConnection, new: &NewFile) -> Result<Option<File>, TxError<E>> {
    let owner = users::table
        .find(new.owner.as_uuid())
        .filter(users::deleted_at.is_null())
        .select(users::id)
        .for_key_share()
        .first::<Uuid>(connection)
        .optional()?;
    let announced = prepared::<LockAnnounced, _>((
        new.object.as_str().into_sql::<Text>(),
        PgTime(new.at).into_sql::<Timestamptz>(),
    ))
    .get_result::<String>(connection)
    .optional()?;
    if owner.is_none() || announced.is_none() {
        return Ok(None);
    }
    let too_large = |error| RepositoryError::Other(Box::new(error));
    let pixels = |n: u32| i32::try_from(n).map_err(too_large);
    let width = new.dimensions.map(|it| pixels(it.width)).transpose()?;
    let height = new.dimensions.map(|it| pixels(it.height)).transpose()?;
    let object = prepared::<InsertBlob, _>((
        new.digest.0[..].into_sql::<Binary>(),
        new.object.as_str().into_sql::<Text>(),
        i64::try_from(new.size).map_err(too_large)?.into_sql::<BigInt>(),
        new.media_type.as_str().into_sql::<Text>(),
        width.into_sql::<Nullable<Integer>>(),
        height.into_sql::<Nullable<Integer>>(),
        PgTime(new.at).into_sql::<Timestamptz>(),
    ))
    .get_result::<String>(connection)?;
    let row = prepared::<InsertFile, _>((
        new.id.as_uuid().into_sql::<SqlUuid>(),
        new.owner.as_uuid().into_sql::<SqlUuid>(),
        new.name.as_str().into_sql::<Text>(),
        new.digest.0[..].into_sql::<Binary>(),
        new.public_key
            .as_ref()
            .map(PublicKey::as_str)
            .into_sql::<Nullable<Text>>(),
        PgTime(new.at).into_sql::<Timestamptz>(),
        new.object.as_str().into_sql::<Text>(),
        object.as_str().into_sql::<Text>(),
    ))
    .get_result::<StoredFileRow>(connection)?;
    Ok(Some(StoredFile::try_from(row)?.file))
}

/// Whoever has the job for the third time has it for ever.
struct TakeJob;

impl Statement for TakeJob {
    type Columns = (Binary, Text);
    const SQL: &'static str = "
        UPDATE blobs b
        SET thumbnail_attempts = b.thumbnail_attempts + 1,
            thumbnail_due_at = CASE WHEN b.thumbnail_attempts < 2 THEN $2 END
        WHERE b.digest = (
            SELECT digest FROM blobs
            WHERE thumbnail_due_at <= $1
            ORDER BY thumbnail_due_at
            LIMIT 1
            FOR UPDATE SKIP LOCKED
        )
        RETURNING b.digest, b.object_key";
}

/// Takes an image to make a thumbnail of.
pub(super) fn take_job(
    connection: &mut PgConnection,
    at: Timestamp,
    until: Timestamp,
) -> QueryResult<Option<(Vec<u8>, String)>> {
    prepared::<TakeJob, _>((
        PgTime(at).into_sql::<Timestamptz>(),
        PgTime(until).into_sql::<Timestamptz>(),
    ))
    .get_result(connection)
    .optional()
}

/// Of an announced object that the image can't use, only the time changes.
struct AdoptThumbnail;

impl Statement for AdoptThumbnail {
    type Columns = ();
    const SQL: &'static str = "
        WITH announced AS (
            SELECT object_key FROM pending_objects WHERE object_key = $2 AND delete_at > $3 FOR UPDATE
        ),
        adopted AS (
            UPDATE blobs b SET thumbnail_key = announced.object_key, thumbnail_due_at = NULL
            FROM announced
            WHERE b.digest = $1 AND b.thumbnail_key IS NULL
            RETURNING announced.object_key
        ),
        settled AS (
            DELETE FROM pending_objects o USING adopted WHERE o.object_key = adopted.object_key
        )
        UPDATE pending_objects SET delete_at = $3
        WHERE object_key = $2 AND NOT EXISTS (SELECT FROM adopted)";
}

struct GiveUpThumbnail;

impl Statement for GiveUpThumbnail {
    type Columns = ();
    const SQL: &'static str = "UPDATE blobs SET thumbnail_due_at = NULL WHERE digest = $1";
}

/// Ends the job of making a thumbnail.
pub(super) fn thumbnail(
    connection: &mut PgConnection,
    digest: Digest,
    thumbnail: Option<&ObjectKey>,
    at: Timestamp,
) -> QueryResult<()> {
    let digest = digest.0[..].into_sql::<Binary>();
    match thumbnail {
        None => prepared::<GiveUpThumbnail, _>((digest,)).execute(connection)?,
        Some(object) => prepared::<AdoptThumbnail, _>((
            digest,
            object.as_str().into_sql::<Text>(),
            PgTime(at).into_sql::<Timestamptz>(),
        ))
        .execute(connection)?,
    };
    Ok(())
}
