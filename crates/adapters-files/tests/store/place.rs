//! A store of its own for one test, and a look behind it.

use bytes::Bytes;
use futures_util::TryStreamExt;
use std::env;
use std::ops::Range;
use std::path::Path;
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};
use tempfile::TempDir;
use tertulia_adapters_files::{ObjectFileStore, S3Credentials, S3Options};
use tertulia_application::ports::{FileStore, StoreError};
use tertulia_domain::ObjectKey;

/// The bucket that `cargo xtask test` makes.
const BUCKET: &str = "tertulia";

pub(crate) struct Place {
    pub(crate) store: ObjectFileStore,
    ground: Ground,
}

enum Ground {
    Folder(TempDir),
    /// Everything of this test's under a prefix.
    Bucket {
        prefix: String,
    },
}

pub(crate) fn key(text: &str) -> ObjectKey {
    ObjectKey::from_string(text.to_owned())
}

/// Bytes that differ from place to place, so that a part in the wrong one is noticed.
pub(crate) fn pattern(length: usize) -> Bytes {
    let words = (0_u64..).flat_map(|n| n.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_le_bytes());
    words.take(length).collect()
}

/// Where the server is.
fn endpoint() -> String {
    env::var("TEST_S3_ENDPOINT").unwrap_or_else(|_| {
        panic!("TEST_S3_ENDPOINT is not set: run the tests by `cargo xtask test`, which starts a server")
    })
}

/// How to reach the server, with keys of its own.
pub(crate) fn options() -> S3Options {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    S3Options {
        bucket: BUCKET.to_owned(),
        region: "us-east-1".to_owned(),
        endpoint: Some(endpoint()),
        credentials: Some(S3Credentials {
            access_key: "test".to_owned(),
            secret_key: "test".to_owned(),
        }),
        allow_http: true,
        path_style: true,
        prefix: format!("{}-{number}", process::id()),
    }
}

impl Place {
    pub(crate) fn folder() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self {
            store: ObjectFileStore::local(folder.path()).unwrap(),
            ground: Ground::Folder(folder),
        }
    }

    pub(crate) fn bucket() -> Self {
        let options = options();
        Self {
            store: ObjectFileStore::s3(&options).unwrap(),
            ground: Ground::Bucket { prefix: options.prefix },
        }
    }

    pub(crate) async fn write(&self, name: &str, bytes: &Bytes) {
        let mut writer = self.store.create(&key(name)).await.unwrap();
        writer.write(bytes.clone()).await.unwrap();
        writer.finish().await.unwrap();
    }

    pub(crate) async fn read(&self, name: &str, range: Range<u64>) -> Result<Vec<u8>, StoreError> {
        let stream = self.store.read(&key(name), range).await?;
        stream
            .try_fold(Vec::new(), async |mut all, bytes| {
                all.extend_from_slice(&bytes);
                Ok(all)
            })
            .await
    }

    /// All that the store keeps: objects, and what belongs to unfinished ones.
    pub(crate) async fn remains(&self) -> Vec<String> {
        let mut found = Vec::new();
        match &self.ground {
            Ground::Folder(folder) => files(folder.path(), &mut found),
            Ground::Bucket { prefix } => {
                for question in ["list-type=2", "uploads"] {
                    let url = format!("{}/{BUCKET}?{question}&prefix={prefix}/", endpoint());
                    let answer = reqwest::get(url).await.unwrap().text().await.unwrap();
                    let keys = answer.split("<Key>").skip(1).filter_map(|rest| rest.split('<').next());
                    found.extend(keys.map(str::to_owned));
                }
            }
        }
        found.sort();
        found
    }
}

fn files(folder: &Path, found: &mut Vec<String>) {
    for entry in folder.read_dir().unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push(path.display().to_string());
        }
    }
}
