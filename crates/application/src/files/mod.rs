//! Files: uploading, reading, avatars, and keeping the store tidy.

mod janitor;
mod read_file;
mod thumbnails;
mod upload;

pub use read_file::{OpenFile, ReadFileError};
pub use upload::{Upload, UploadError};

use crate::ports::{Clock, FileStore, IdGenerator, ImageInspector, SecretGenerator};
use crate::services::{Ports, Repositories};
use std::sync::Arc;
use std::time::Duration;
use tertulia_domain::ObjectKey;
use tertulia_domain::repository::FileRepository;

/// What files are accepted, and how long they are kept.
#[derive(Debug, Clone, Copy)]
pub struct FilePolicy {
    /// Bytes of a file at the most.
    pub max_bytes: u64,
    /// Pixels of an image at the most: beyond that it is refused, since nobody could show it within reason.
    pub max_pixels: u64,
    /// How long a file may go unused before it is removed.
    pub keep_unused: Duration,
}

impl Default for FilePolicy {
    fn default() -> Self {
        Self {
            max_bytes: 25 * 1024 * 1024,
            max_pixels: 64_000_000,
            keep_unused: Duration::from_hours(24),
        }
    }
}

/// Files.
pub struct FileService {
    files: Arc<dyn FileRepository>,
    store: Arc<dyn FileStore>,
    images: Arc<dyn ImageInspector>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdGenerator>,
    secrets: Arc<dyn SecretGenerator>,
    policy: FilePolicy,
}

impl FileService {
    pub(crate) fn new(repositories: &Repositories, ports: &Ports, policy: FilePolicy) -> Self {
        Self {
            files: Arc::clone(&repositories.files),
            store: Arc::clone(&ports.store),
            images: Arc::clone(&ports.images),
            clock: Arc::clone(&ports.clock),
            ids: Arc::clone(&ports.ids),
            secrets: Arc::clone(&ports.secrets),
            policy,
        }
    }

    /// What is accepted.
    pub const fn policy(&self) -> FilePolicy {
        self.policy
    }

    /// A key that no object ever had, spread over 256 folders.
    fn new_object(&self) -> ObjectKey {
        let id = self.ids.next().simple().to_string();
        let folder = id.get(id.len() - 2..).unwrap_or_default();
        ObjectKey::from_string(format!("objects/{folder}/{id}"))
    }
}
