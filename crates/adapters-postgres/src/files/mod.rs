//! Files, and the objects in the file store that they stand on.

mod adopt;
mod release;

use crate::client::Client;
use crate::idempotency::create_once;
use crate::rows::{StoredFileColumns, StoredFileRow, file_shared, file_view, stored_file_columns};
use crate::statement::{Statement, prepared};
use crate::time::PgTime;
use async_trait::async_trait;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Jsonb, Text, Timestamptz, Uuid as SqlUuid};
use serde_json::Value;
use tertulia_domain::repository::{
    FileRepository, InsertFileError, NewFile, RepositoryError, StoredFile, ThumbnailJob,
};
use tertulia_domain::{
    Digest, File, FileId, FileStanding, ObjectKey, PublicKey, Recorded, Recording, Timestamp, UserId,
};
use tertulia_sql_support::{TxError, inconsistent};

pub(crate) use release::release;

/// The files.
pub struct PgFileRepository {
    client: Client,
}

impl PgFileRepository {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }
}

struct Announce;

impl Statement for Announce {
    type Columns = ();
    const SQL: &'static str = "
        INSERT INTO pending_objects (object_key, delete_at) VALUES ($1, $2)
        ON CONFLICT (object_key) DO UPDATE SET delete_at = EXCLUDED.delete_at";
}

/// A file; whether the viewer owns it; whether it is shared with them.
struct Find;

impl Statement for Find {
    type Columns = (StoredFileColumns, Bool, Bool);
    const SQL: &'static str = concat!(
        "SELECT ",
        stored_file_columns!(),
        ", f.owner_id = $2, ",
        file_shared!("$2"),
        " FROM files f JOIN blobs b ON b.digest = f.digest WHERE f.id = $1"
    );
}

struct FindPublic;

impl Statement for FindPublic {
    type Columns = StoredFileColumns;
    const SQL: &'static str = concat!(
        "SELECT ",
        stored_file_columns!(),
        " FROM files f JOIN blobs b ON b.digest = f.digest WHERE f.public_key = $1"
    );
}

struct DueObjects;

impl Statement for DueObjects {
    type Columns = Text;
    const SQL: &'static str =
        "SELECT object_key FROM pending_objects WHERE delete_at <= $1 ORDER BY delete_at, object_key LIMIT $2";
}

struct ForgetObjects;

impl Statement for ForgetObjects {
    type Columns = ();
    const SQL: &'static str = "DELETE FROM pending_objects WHERE object_key = ANY ($1)";
}

/// What is shown of a user's own file. The file stays where it is until the end of the transaction.
struct Hold;

impl Statement for Hold {
    type Columns = Jsonb;
    const SQL: &'static str = concat!(
        "SELECT ",
        file_view!(),
        " FROM files f JOIN blobs b ON b.digest = f.digest WHERE f.id = $1 AND f.owner_id = $2 FOR KEY SHARE OF f"
    );
}

/// What is shown of one of the owner's files, which stays where it is until the end of the transaction; `None` when they
/// have no such file.
pub(crate) fn hold(connection: &mut PgConnection, id: FileId, owner: UserId) -> QueryResult<Option<Value>> {
    prepared::<Hold, _>((
        id.as_uuid().into_sql::<SqlUuid>(),
        owner.as_uuid().into_sql::<SqlUuid>(),
    ))
    .get_result(connection)
    .optional()
}

#[async_trait]
impl FileRepository for PgFileRepository {
    async fn announce(&self, object: &ObjectKey, delete_at: Timestamp) -> Result<(), RepositoryError> {
        let object = object.clone();
        self.client
            .run(move |connection| {
                prepared::<Announce, _>((
                    object.as_str().into_sql::<Text>(),
                    PgTime(delete_at).into_sql::<Timestamptz>(),
                ))
                .execute(connection)?;
                Ok(())
            })
            .await
    }

    async fn insert(&self, file: NewFile) -> Result<Option<File>, RepositoryError> {
        self.client
            .run(move |connection| connection.transaction(|connection| adopt::file(connection, &file)))
            .await
    }

    async fn insert_once(&self, file: NewFile, recording: Recording<File>) -> Result<Recorded<File>, InsertFileError> {
        self.client
            .run(move |connection| {
                create_once(connection, Some(&recording), |connection| {
                    adopt::file(connection, &file)?.ok_or(TxError::Named(InsertFileError::Gone))
                })
            })
            .await
    }

    async fn find(&self, id: FileId, viewer: UserId) -> Result<Option<(StoredFile, FileStanding)>, RepositoryError> {
        self.client
            .run(move |connection| {
                let found = prepared::<Find, _>((
                    id.as_uuid().into_sql::<SqlUuid>(),
                    viewer.as_uuid().into_sql::<SqlUuid>(),
                ))
                .get_result::<(StoredFileRow, bool, bool)>(connection)
                .optional()?;
                let Some((file, owner, shared)) = found else {
                    return Ok(None);
                };
                let standing = FileStanding {
                    owner,
                    shared,
                    service_admin: false,
                };
                Ok(Some((file.try_into()?, standing)))
            })
            .await
    }

    async fn find_public(&self, key: &PublicKey) -> Result<Option<StoredFile>, RepositoryError> {
        let key = key.clone();
        self.client
            .run(move |connection| {
                let found = prepared::<FindPublic, _>((key.as_str().into_sql::<Text>(),))
                    .get_result::<StoredFileRow>(connection)
                    .optional()?;
                Ok(found.map(TryInto::try_into).transpose()?)
            })
            .await
    }

    async fn collect_unused(&self, before: Timestamp, at: Timestamp, limit: u32) -> Result<u64, RepositoryError> {
        self.client
            .run(move |connection| {
                connection.transaction(|connection| Ok(release::collect(connection, before, at, limit)?))
            })
            .await
    }

    async fn due_objects(&self, at: Timestamp, limit: u32) -> Result<Vec<ObjectKey>, RepositoryError> {
        self.client
            .run(move |connection| {
                let due = prepared::<DueObjects, _>((
                    PgTime(at).into_sql::<Timestamptz>(),
                    i64::from(limit).into_sql::<BigInt>(),
                ))
                .load::<String>(connection)?;
                Ok(due.into_iter().map(ObjectKey::from_string).collect())
            })
            .await
    }

    async fn forget_objects(&self, objects: &[ObjectKey]) -> Result<(), RepositoryError> {
        let objects: Vec<String> = objects.iter().map(|object| object.as_str().to_owned()).collect();
        self.client
            .run(move |connection| {
                prepared::<ForgetObjects, _>(((&objects).into_sql::<Array<Text>>(),)).execute(connection)?;
                Ok(())
            })
            .await
    }

    async fn take_thumbnail_job(
        &self,
        at: Timestamp,
        until: Timestamp,
    ) -> Result<Option<ThumbnailJob>, RepositoryError> {
        self.client
            .run(move |connection| {
                let Some((digest, object)) = adopt::take_job(connection, at, until)? else {
                    return Ok(None);
                };
                let object = ObjectKey::from_string(object);
                match digest.try_into() {
                    Ok(digest) => Ok(Some(ThumbnailJob {
                        digest: Digest(digest),
                        object,
                    })),
                    Err(_) => Err(inconsistent("blobs", object.as_str(), "a digest has 32 bytes").into()),
                }
            })
            .await
    }

    async fn finish_thumbnail(
        &self,
        digest: Digest,
        thumbnail: Option<ObjectKey>,
        at: Timestamp,
    ) -> Result<(), RepositoryError> {
        self.client
            .run(move |connection| Ok(adopt::thumbnail(connection, digest, thumbnail.as_ref(), at)?))
            .await
    }
}
