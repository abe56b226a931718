use super::FileService;
use crate::Failure;
use crate::ports::ByteStream;
use std::ops::Range;
use tertulia_domain::repository::StoredFile;
use tertulia_domain::{Caller, File, FileId, FileStanding, ObjectKey, PublicKey, Role};
use thiserror::Error;

/// Why there is no file to read.
#[derive(Debug, Error)]
pub enum ReadFileError {
    /// No such file, or none that the caller may know of.
    #[error("no such file")]
    NotFound,
    /// See there.
    #[error(transparent)]
    Failed(#[from] Failure),
}

/// A file that somebody may read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenFile {
    /// The file.
    pub file: File,
    /// A strong validator: the hash of its bytes.
    pub etag: String,
    object: ObjectKey,
    thumbnail: Option<ObjectKey>,
}

impl OpenFile {
    /// Whether there is a thumbnail yet.
    pub const fn has_thumbnail(&self) -> bool {
        self.thumbnail.is_some()
    }
}

impl From<StoredFile> for OpenFile {
    fn from(stored: StoredFile) -> Self {
        Self {
            etag: stored.digest.to_string(),
            file: stored.file,
            object: stored.object,
            thumbnail: stored.thumbnail,
        }
    }
}

impl FileService {
    /// Opens a file for somebody who may read it: its owner, members of a chat that holds it, and everybody if it is a
    /// user's avatar.
    pub async fn open(&self, caller: Caller, id: FileId) -> Result<OpenFile, ReadFileError> {
        let found = self.files.find(id, caller.user_id).await.map_err(Failure::from)?;
        let (stored, standing) = found.ok_or(ReadFileError::NotFound)?;
        let standing = FileStanding {
            service_admin: caller.role == Role::Admin,
            ..standing
        };
        if standing.may_read() {
            Ok(stored.into())
        } else {
            Err(ReadFileError::NotFound)
        }
    }

    /// Opens a file for whoever knows its public key.
    pub async fn open_public(&self, key: &PublicKey) -> Result<OpenFile, ReadFileError> {
        let found = self.files.find_public(key).await.map_err(Failure::from)?;
        found.map(OpenFile::from).ok_or(ReadFileError::NotFound)
    }

    /// Some of a file's bytes, as they come.
    pub async fn read(&self, file: &OpenFile, range: Range<u64>) -> Result<ByteStream, Failure> {
        Ok(self.store.read(&file.object, range).await?)
    }

    /// The bytes of an image's thumbnail. `NotFound` while there is none.
    pub async fn read_thumbnail(&self, file: &OpenFile) -> Result<ByteStream, ReadFileError> {
        let object = file.thumbnail.as_ref().ok_or(ReadFileError::NotFound)?;
        Ok(self.store.read(object, 0..u64::MAX).await.map_err(Failure::from)?)
    }
}
