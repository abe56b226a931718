use super::RepositoryError;
use crate::file::{Digest, Dimensions, File, FileName, FileStanding, MediaType, ObjectKey, PublicKey};
use crate::idempotency::{Recorded, Recording};
use crate::ids::{FileId, UserId};
use crate::time::Timestamp;
use async_trait::async_trait;
use thiserror::Error;

/// A file whose bytes are in the store already, under a key that was announced.
#[derive(Debug, Clone)]
pub struct NewFile {
    /// The identifier, fresh.
    pub id: FileId,
    /// Who uploaded it.
    pub owner: UserId,
    /// What it is called.
    pub name: FileName,
    /// What its bytes hash to.
    pub digest: Digest,
    /// Where they are.
    pub object: ObjectKey,
    /// How many there are.
    pub size: u64,
    /// What they are.
    pub media_type: MediaType,
    /// Width and height of a raster image: such files get a thumbnail.
    pub dimensions: Option<Dimensions>,
    /// The key of its public address, if it is to have one.
    pub public_key: Option<PublicKey>,
    /// When.
    pub at: Timestamp,
}

/// A file, and where its bytes are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredFile {
    /// The file.
    pub file: File,
    /// What its bytes hash to.
    pub digest: Digest,
    /// Where they are.
    pub object: ObjectKey,
    /// Where its thumbnail is, once there is one.
    pub thumbnail: Option<ObjectKey>,
}

/// An image that has no thumbnail yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThumbnailJob {
    /// What its bytes hash to.
    pub digest: Digest,
    /// Where they are.
    pub object: ObjectKey,
}

/// Why a file was not stored, once and for all.
#[derive(Debug, Error)]
pub enum InsertFileError {
    /// Its object is no longer announced, or the owner is gone.
    #[error("the object or the owner of the file is gone")]
    Gone,
    /// The idempotency key stands for another request.
    #[error("the idempotency key was used for another request")]
    KeyReused,
    /// See there.
    #[error(transparent)]
    Repository(#[from] RepositoryError),
}

/// The files, and the objects in the file store that they stand on.
///
/// No object is ever lost or left over: its key is announced before its first byte is written, and stays announced, with
/// a time at which it may be deleted, unless a file adopts it. Equal bytes are kept once, by their digest.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait FileRepository: Send + Sync {
    /// Notes that an object of this key is about to be written, to be deleted at `delete_at` unless something adopts it.
    async fn announce(&self, object: &ObjectKey, delete_at: Timestamp) -> Result<(), RepositoryError>;

    /// Stores a file, and with it adopts its object, in one transaction. When the same bytes are there already, the file
    /// stands on those, and the new object becomes due at once. `None`, and nothing stored, when the object is no longer
    /// announced or the owner is gone.
    async fn insert(&self, file: NewFile) -> Result<Option<File>, RepositoryError>;

    /// Stores a file as [`insert`](Self::insert) does, once for each claim. A replay stores nothing, and leaves the object as
    /// it was announced.
    async fn insert_once(&self, file: NewFile, recording: Recording<File>) -> Result<Recorded<File>, InsertFileError>;

    /// A file, and how `viewer` stands to it (except whether they are a service admin, which is false here).
    async fn find(&self, id: FileId, viewer: UserId) -> Result<Option<(StoredFile, FileStanding)>, RepositoryError>;

    /// The file of that public key.
    async fn find_public(&self, key: &PublicKey) -> Result<Option<StoredFile>, RepositoryError>;

    /// Removes up to `limit` files that were uploaded before `before` and that neither a message nor an avatar uses;
    /// objects that no file stands on any more become due at `at`. Gives the number of files.
    async fn collect_unused(&self, before: Timestamp, at: Timestamp, limit: u32) -> Result<u64, RepositoryError>;

    /// Up to `limit` objects that are due for deletion at `at`.
    async fn due_objects(&self, at: Timestamp, limit: u32) -> Result<Vec<ObjectKey>, RepositoryError>;

    /// Forgets objects that were deleted from the store.
    async fn forget_objects(&self, objects: &[ObjectKey]) -> Result<(), RepositoryError>;

    /// Takes an image without a thumbnail for oneself until `until`: nobody else gets it before. Each image is given out
    /// three times at the most.
    async fn take_thumbnail_job(
        &self,
        at: Timestamp,
        until: Timestamp,
    ) -> Result<Option<ThumbnailJob>, RepositoryError>;

    /// Adopts an announced object as the thumbnail of the image with that digest; `None` when there can't be one. When
    /// the image is gone or has one, the object stays announced, due at `at`.
    async fn finish_thumbnail(
        &self,
        digest: Digest,
        thumbnail: Option<ObjectKey>,
        at: Timestamp,
    ) -> Result<(), RepositoryError>;
}
