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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{
        ANA, CALLER, FILE, SERVICE_ADMIN, World, assert_matches, image, object, passes_on, repository_errors,
        store_errors, stream,
    };
    use mockall::predicate::eq;
    use tertulia_domain::Digest;

    fn stored(thumbnail: Option<ObjectKey>) -> StoredFile {
        StoredFile {
            file: image(),
            digest: Digest([0xAB; 32]),
            object: object(1),
            thumbnail,
        }
    }

    fn standing(owner: bool, shared: bool) -> FileStanding {
        FileStanding {
            owner,
            shared,
            service_admin: false,
        }
    }

    fn finding(found: Option<(StoredFile, FileStanding)>) -> World {
        let mut world = World::default();
        let asked = world.files.expect_find().with(eq(FILE), eq(ANA)).once();
        asked.return_once(|_, _| Ok(found));
        world
    }

    fn key() -> PublicKey {
        PublicKey::new(&"k".repeat(43)).unwrap()
    }

    #[tokio::test]
    async fn a_file_opens_for_whoever_may_read_it() {
        for (caller, owner, shared, opens) in [
            (CALLER, false, false, false),
            (CALLER, true, false, true),
            (CALLER, false, true, true),
            (CALLER, true, true, true),
            (SERVICE_ADMIN, false, false, true),
            (SERVICE_ADMIN, true, true, true),
        ] {
            let world = finding(Some((stored(None), standing(owner, shared))));
            let opened = world.services().files.open(caller, FILE).await;
            match opened {
                Ok(file) => assert!(opens && file == stored(None).into()),
                Err(ReadFileError::NotFound) => assert!(!opens, "{caller:?}, {owner}, {shared}"),
                Err(error) => panic!("{error}"),
            }
        }
        for caller in [CALLER, SERVICE_ADMIN] {
            let missing = finding(None).services().files.open(caller, FILE).await;
            assert_matches!(missing, Err(ReadFileError::NotFound));
        }
    }

    #[tokio::test]
    async fn an_open_file_tells_what_it_is() {
        let opened = OpenFile::from(stored(Some(object(2))));
        assert_eq!(opened.file, image());
        assert_eq!(opened.etag, "ab".repeat(32));
        assert!(opened.has_thumbnail() && !OpenFile::from(stored(None)).has_thumbnail());
    }

    #[tokio::test]
    async fn a_public_key_opens_its_file() {
        for found in [Some(stored(None)), None] {
            let (mut world, given) = (World::default(), found.clone());
            let asked = world.files.expect_find_public().with(eq(key())).once();
            asked.return_once(|_| Ok(given));
            match world.services().files.open_public(&key()).await {
                Ok(file) => assert_eq!(Some(file), found.map(OpenFile::from)),
                Err(ReadFileError::NotFound) => assert_eq!(found, None),
                Err(error) => panic!("{error}"),
            }
        }
    }

    #[tokio::test]
    async fn bytes_come_from_the_files_object() {
        let mut world = World::default();
        let asked = world.store.expect_read().with(eq(object(1)), eq(3..7)).once();
        asked.returning(|_, _| Ok(stream([])));
        let asked = world.store.expect_read().with(eq(object(2)), eq(0..u64::MAX)).once();
        asked.returning(|_, _| Ok(stream([])));
        let services = world.services();
        let file = OpenFile::from(stored(Some(object(2))));
        assert!(services.files.read(&file, 3..7).await.is_ok());
        assert!(services.files.read_thumbnail(&file).await.is_ok());
    }

    #[tokio::test]
    async fn a_thumbnail_may_not_be_there_yet() {
        let mut world = World::default();
        world.store.expect_read().never();
        let file = OpenFile::from(stored(None));
        let missing = world.services().files.read_thumbnail(&file).await;
        assert_matches!(missing.map(drop), Err(ReadFileError::NotFound));
    }

    #[tokio::test]
    async fn passes_failures_on() {
        passes_on(repository_errors, async |cause| {
            let mut world = World::default();
            world.files.expect_find().return_once(|_, _| Err(cause));
            world.services().files.open(CALLER, FILE).await
        })
        .await;
        passes_on(repository_errors, async |cause| {
            let mut world = World::default();
            world.files.expect_find_public().return_once(|_| Err(cause));
            world.services().files.open_public(&key()).await
        })
        .await;
        let file = OpenFile::from(stored(Some(object(2))));
        let unreadable = |cause| {
            let mut world = World::default();
            world.store.expect_read().return_once(|_, _| Err(cause));
            world.services().files
        };
        passes_on(store_errors, async |cause| {
            unreadable(cause).read(&file, 0..1).await.map(drop)
        })
        .await;
        passes_on(store_errors, async |cause| {
            unreadable(cause).read_thumbnail(&file).await.map(drop)
        })
        .await;
    }
}
