//! The files, and the objects that they stand on.

mod insert;
mod objects;
mod row;
mod thumbnails;
mod unused;
mod view;

pub(crate) use row::{find_with_standing, owned};
pub(crate) use unused::release;
pub(crate) use view::{all_from_view, all_to_view, from_view, to_view};

use crate::idempotency::once;
use crate::store::Store;
use async_trait::async_trait;
use diesel::sqlite::SqliteConnection;
use tertulia_domain::repository::{
    FileRepository, InsertFileError, NewFile, RepositoryError, StoredFile, ThumbnailJob,
};
use tertulia_domain::{
    Digest, File, FileId, FileStanding, ObjectKey, PublicKey, Recorded, Recording, Timestamp, UserId,
};
use tertulia_sql_support::TxError;

/// The files, on SQLite.
#[derive(Clone)]
pub struct SqliteFileRepository {
    store: Store,
}

impl SqliteFileRepository {
    pub(crate) fn new(store: Store) -> Self {
        Self { store }
    }
}

#[async_trait]
impl FileRepository for SqliteFileRepository {
    async fn announce(&self, object: &ObjectKey, delete_at: Timestamp) -> Result<(), RepositoryError> {
        let object = object.clone();
        self.store
            .write(move |conn| Ok(objects::announce(conn, object.as_str(), delete_at)?))
            .await
    }

    async fn insert(&self, file: NewFile) -> Result<Option<File>, RepositoryError> {
        self.store.write(move |conn| insert::insert(conn, &file)).await
    }

    async fn insert_once(&self, file: NewFile, recording: Recording<File>) -> Result<Recorded<File>, InsertFileError> {
        let insert = move |conn: &mut SqliteConnection| {
            once(conn, Some(&recording), InsertFileError::KeyReused, |conn| {
                insert::insert(conn, &file)?.ok_or(TxError::Named(InsertFileError::Gone))
            })
        };
        self.store.write(insert).await
    }

    async fn find(&self, id: FileId, viewer: UserId) -> Result<Option<(StoredFile, FileStanding)>, RepositoryError> {
        let find = move |conn: &mut SqliteConnection| {
            let found = find_with_standing(conn, id.into(), viewer.into())?;
            Ok(found
                .map(|(row, standing)| Ok::<_, RepositoryError>((row.try_into()?, standing.into())))
                .transpose()?)
        };
        self.store.read(find).await
    }

    async fn find_public(&self, key: &PublicKey) -> Result<Option<StoredFile>, RepositoryError> {
        let key = key.clone();
        let find = move |conn: &mut SqliteConnection| {
            let row = row::find_public(conn, key.as_str())?;
            Ok(row.map(StoredFile::try_from).transpose()?)
        };
        self.store.read(find).await
    }

    async fn collect_unused(&self, before: Timestamp, at: Timestamp, limit: u32) -> Result<u64, RepositoryError> {
        // The search for them needs no place among the writes; whether nothing uses them is asked again there.
        let unused = self
            .store
            .read::<_, RepositoryError, _>(move |conn| Ok(unused::find(conn, before, limit)?))
            .await?;
        if unused.is_empty() {
            return Ok(0);
        }
        self.store
            .write(move |conn| Ok(unused::release(conn, unused, at)?))
            .await
    }

    async fn due_objects(&self, at: Timestamp, limit: u32) -> Result<Vec<ObjectKey>, RepositoryError> {
        self.store.read(move |conn| Ok(objects::due(conn, at, limit)?)).await
    }

    async fn forget_objects(&self, objects: &[ObjectKey]) -> Result<(), RepositoryError> {
        if objects.is_empty() {
            return Ok(());
        }
        let objects = objects.to_vec();
        self.store.write(move |conn| Ok(objects::forget(conn, &objects)?)).await
    }

    async fn take_thumbnail_job(
        &self,
        at: Timestamp,
        until: Timestamp,
    ) -> Result<Option<ThumbnailJob>, RepositoryError> {
        self.store.write(move |conn| thumbnails::take(conn, at, until)).await
    }

    async fn finish_thumbnail(
        &self,
        digest: Digest,
        thumbnail: Option<ObjectKey>,
        at: Timestamp,
    ) -> Result<(), RepositoryError> {
        self.store
            .write(move |conn| Ok(thumbnails::finish(conn, digest, thumbnail.as_ref(), at)?))
            .await
    }
}
