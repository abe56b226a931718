//! How much memory large objects and large images take. In a process of its own, one thing after the other.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use bytes::Bytes;
use futures_util::TryStreamExt;
use futures_util::future::join_all;
use std::env;
use std::fs;
use tertulia_adapters_files::{FileFormats, ObjectFileStore, S3Credentials, S3Options};
use tertulia_application::ports::{FileStore, ImageInspector};
use tertulia_domain::ObjectKey;

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// A PNG of 30,000 by 30,000 pixels, or so it says.
const BOMB: &[u8] = b"\x89PNG\r\n\x1A\n\0\0\0\rIHDR\0\0u0\0\0u0\x08\x06\0\0\0f'\xF8\xBA\
    \0\0\0\x08IDATx\x9C\x03\0\0\0\0\x01H\x06\x89\xD2\0\0\0\0IEND\xAEB`\x82";

fn endpoint() -> String {
    env::var("TEST_S3_ENDPOINT").unwrap_or_else(|_| {
        panic!("TEST_S3_ENDPOINT is not set: run the tests by `cargo xtask test`, which starts a server");
    })
}

/// A figure of `/proc/self/status`, in KiB.
fn status(name: &str) -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// By how many KiB the process grows, at the most, while something is done.
async fn growth<T>(what: &str, work: impl Future<Output = T>) -> usize {
    // Makes the peak what is in use now.
    fs::write("/proc/self/clear_refs", "5").unwrap();
    let before = status("VmRSS");
    work.await;
    let growth = status("VmHWM").saturating_sub(before);
    println!("{what}: {growth} KiB");
    growth
}

async fn write(store: &ObjectFileStore, name: &str, chunks: usize) {
    let mut writer = store.create(&ObjectKey::from_string(name.to_owned())).await.unwrap();
    for _ in 0..chunks {
        // Each fresh, as they come from a socket.
        writer.write(Bytes::from(vec![7; 64 * KIB])).await.unwrap();
    }
    writer.finish().await.unwrap();
}

async fn read(store: &ObjectFileStore, name: &str) -> usize {
    let stream = store
        .read(&ObjectKey::from_string(name.to_owned()), 0..u64::MAX)
        .await
        .unwrap();
    stream
        .map_ok(|bytes| bytes.len())
        .try_fold(0, async |sum, length| Ok(sum + length))
        .await
        .unwrap()
}

async fn ten_refused(store: &ObjectFileStore) {
    let refused = async |number: usize| {
        let key = ObjectKey::from_string(format!("refused/{number}"));
        let mut writer = store.create(&key).await.unwrap();
        for _ in 0..25 * MIB / (64 * KIB) {
            writer.write(Bytes::from(vec![7; 64 * KIB])).await.unwrap();
        }
        writer.abort().await.unwrap();
    };
    join_all((0..10).map(refused)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_stays_flat() {
    let folder = tempfile::tempdir().unwrap();
    let local = ObjectFileStore::local(folder.path()).unwrap();
    let s3 = ObjectFileStore::s3(&S3Options {
        bucket: "tertulia".to_owned(),
        region: "us-east-1".to_owned(),
        endpoint: Some(endpoint()),
        credentials: Some(S3Credentials {
            access_key: "test".to_owned(),
            secret_key: "test".to_owned(),
        }),
        allow_http: true,
        path_style: true,
        prefix: format!("memory-{}", std::process::id()),
    })
    .unwrap();

    for (name, store, one, ten) in [("local", &local, 2, 10), ("S3", &s3, 16, 80)] {
        // Threads, connections and code that the first use brings in.
        write(store, "first", 200).await;
        read(store, "first").await;

        let written = growth(&format!("{name}: 64 MiB written"), write(store, "object", 1_024)).await;
        assert!(written < one * KIB, "{name}: {written} KiB");
        let reading = async { assert_eq!(read(store, "object").await, 64 * MIB) };
        let read = growth(&format!("{name}: 64 MiB read"), reading).await;
        assert!(read < 4 * KIB, "{name}: {read} KiB");
        let refused = growth(
            &format!("{name}: ten times 25 MiB at once, aborted"),
            ten_refused(store),
        )
        .await;
        assert!(refused < ten * KIB, "{name}: {refused} KiB");
    }

    let formats = FileFormats::start().unwrap();
    let refused = growth("a bomb refused", async {
        assert!(formats.thumbnail(Bytes::from_static(BOMB), 320).await.is_err());
    });
    assert!(refused.await < 4 * KIB);
}
