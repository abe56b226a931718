//! Objects in a folder or in S3.

mod error;
mod local;
mod read;
mod s3;
mod writer;

pub use s3::{S3Credentials, S3Options};

use async_trait::async_trait;
use local::Folder;
use object_store::path::Path as ObjectPath;
use object_store::{GetOptions, ObjectStore, ObjectStoreExt, PutPayload};
use std::fmt;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tertulia_application::ports::{ByteStream, FileStore, ObjectWriter, StoreError};
use tertulia_domain::ObjectKey;
use writer::{Parts, Writer};

/// What [`ObjectFileStore::check`] writes; no object's key is like it.
const PROBE: &str = "check";
/// How long that may take.
const PROBE_LIMIT: Duration = Duration::from_secs(10);

/// Objects in a folder of this machine, or in a bucket that speaks S3.
///
/// An upload holds no more of its object in memory than one part: 256 KiB for a folder, 5 MiB for S3, the least that S3
/// takes. The next bytes are taken when that has been written.
///
/// A process that is killed leaves what it had written of unfinished objects: in a folder until the object is deleted, in
/// S3 until the bucket's lifecycle rule for incomplete multipart uploads removes it.
#[derive(Clone)]
pub struct ObjectFileStore {
    objects: Arc<dyn ObjectStore>,
    /// Of the local store.
    folder: Option<Folder>,
    /// Before every key: empty, or ending with a slash.
    prefix: String,
    parts: Parts,
}

impl fmt::Debug for ObjectFileStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ObjectFileStore({}, prefix {:?})", self.objects, self.prefix)
    }
}

impl ObjectFileStore {
    /// Objects as files in a folder. It is made if it isn't there, for this user alone (mode 0700).
    ///
    /// An object is written under a temporary name and renamed; when it is finished, its bytes and its name are on disk.
    pub fn local(folder: &Path) -> Result<Self, StoreError> {
        let folder = Folder::open(folder)?;
        Ok(Self {
            objects: folder.objects(),
            folder: Some(folder),
            prefix: String::new(),
            parts: Parts::LOCAL,
        })
    }

    /// Objects in a bucket. Asks nobody anything yet: [`check`](Self::check) does.
    pub fn s3(options: &S3Options) -> Result<Self, StoreError> {
        let prefix = options.prefix.trim_matches('/');
        Ok(Self {
            objects: Arc::new(s3::connect(options)?),
            folder: None,
            prefix: if prefix.is_empty() {
                String::new()
            } else {
                format!("{prefix}/")
            },
            parts: Parts::S3,
        })
    }

    /// Whether objects can be written, tried with an empty one that stays. Gives up after ten seconds.
    pub async fn check(&self) -> Result<(), StoreError> {
        let path = self.path(PROBE)?;
        let writing = self.objects.put(&path, PutPayload::new());
        match tokio::time::timeout(PROBE_LIMIT, writing).await {
            Ok(written) => written.map(drop).map_err(error::of_writing),
            Err(elapsed) => Err(StoreError::Unavailable(elapsed.into())),
        }
    }

    fn path(&self, key: &str) -> Result<ObjectPath, StoreError> {
        ObjectPath::parse(format!("{}{key}", self.prefix)).map_err(|error| StoreError::Failed(error.into()))
    }
}

#[async_trait]
impl FileStore for ObjectFileStore {
    async fn create(&self, key: &ObjectKey) -> Result<Box<dyn ObjectWriter>, StoreError> {
        let path = self.path(key.as_str())?;
        let objects = Arc::clone(&self.objects);
        Ok(Box::new(Writer::new(objects, self.folder.clone(), path, self.parts)))
    }

    async fn read(&self, key: &ObjectKey, range: Range<u64>) -> Result<ByteStream, StoreError> {
        let path = self.path(key.as_str())?;
        if range.is_empty() {
            self.objects.head(&path).await.map_err(error::of_reading)?;
            return Ok(read::nothing());
        }
        // A folder's object comes as an open file, to be read from anywhere.
        let remote = self.folder.is_none();
        let options = GetOptions::new().with_range(remote.then(|| read::wanted(&range)).flatten());
        match self.objects.get_opts(&path, options).await {
            Ok(found) => Ok(read::stream(found, range)),
            Err(error) if remote && error::is_behind_the_end(&error) => Ok(read::nothing()),
            Err(error) => Err(error::of_reading(error)),
        }
    }

    async fn delete(&self, key: &ObjectKey) -> Result<(), StoreError> {
        let path = self.path(key.as_str())?;
        if let Some(folder) = &self.folder {
            folder.remove_unfinished(&path).await?;
        }
        match self.objects.delete(&path).await.map_err(error::of_reading) {
            Ok(()) | Err(StoreError::NotFound) => Ok(()),
            Err(error) => Err(error),
        }
    }
}
