//! Failures, and what only one kind of store has.

use super::place::{Place, key, options, pattern};
use futures_util::TryStreamExt;
use std::mem;
use tertulia_adapters_files::{ObjectFileStore, S3Options};
use tertulia_application::ports::{FileStore, StoreError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

const PART: usize = 5 * 1024 * 1024;

#[derive(Debug, PartialEq, Eq)]
enum Answer {
    Fine,
    NotFound,
    Unavailable,
    Failed,
}

fn told<T>(result: &Result<T, StoreError>) -> Answer {
    match result {
        Ok(_) => Answer::Fine,
        Err(StoreError::NotFound) => Answer::NotFound,
        Err(StoreError::Unavailable(_)) => Answer::Unavailable,
        Err(StoreError::Failed(_)) => Answer::Failed,
    }
}

/// What each operation on a store comes to.
async fn answers(store: &ObjectFileStore) -> [Answer; 6] {
    let object = key("object");
    let mut small = store.create(&object).await.unwrap();
    small.write(pattern(10)).await.unwrap();
    let mut large = store.create(&object).await.unwrap();
    [
        told(&store.check().await),
        told(&store.read(&object, 0..u64::MAX).await),
        told(&store.read(&object, 5..9).await),
        told(&store.delete(&object).await),
        told(&small.finish().await),
        told(&large.write(pattern(PART)).await),
    ]
}

/// A server that gives every request the same answer.
async fn server(status: &'static str, body: &'static str) -> S3Options {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut request = vec![0; 64 * 1024];
                while socket.read(&mut request).await.is_ok_and(|read| read == request.len()) {}
                let length = body.len();
                let answer =
                    format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}");
                socket.write_all(answer.as_bytes()).await
            });
        }
    });
    S3Options {
        endpoint: Some(endpoint),
        ..options()
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unavailable() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = Some(format!("http://{}", listener.local_addr().unwrap()));
    drop(listener);
    let store = ObjectFileStore::s3(&S3Options { endpoint, ..options() }).unwrap();
    assert_eq!(answers(&store).await, [const { Answer::Unavailable }; 6]);
}

#[tokio::test]
async fn a_bucket_that_is_not_there_is_unavailable() {
    let bucket = "nowhere".to_owned();
    let store = ObjectFileStore::s3(&S3Options { bucket, ..options() }).unwrap();
    assert_eq!(answers(&store).await, [const { Answer::Unavailable }; 6]);
}

#[tokio::test]
async fn a_server_that_can_not_now_is_unavailable() {
    let store = ObjectFileStore::s3(&server("503 Service Unavailable", "").await).unwrap();
    assert_eq!(answers(&store).await, [const { Answer::Unavailable }; 6]);
}

#[tokio::test]
async fn a_server_that_refuses_us_is_a_failure() {
    for status in ["400 Bad Request", "403 Forbidden"] {
        let store = ObjectFileStore::s3(&server(status, "").await).unwrap();
        assert_eq!(answers(&store).await, [const { Answer::Failed }; 6], "{status}");
    }
}

#[tokio::test]
async fn an_object_with_a_missing_part_can_not_be_finished() {
    let store = ObjectFileStore::s3(&server("400 Bad Request", "").await).unwrap();
    let mut writer = store.create(&key("object")).await.unwrap();
    for _ in 0..2 {
        assert_eq!(told(&writer.write(pattern(PART)).await), Answer::Failed);
    }
    assert_eq!(told(&writer.finish().await), Answer::Failed);
}

#[test]
fn secrets_are_not_shown() {
    let mut options = options();
    let keys = options.credentials.as_mut().unwrap();
    keys.secret_key = "hush".to_owned();
    assert!(!format!("{options:?}").contains("hush"));
    let store = ObjectFileStore::s3(&options).unwrap();
    assert!(!format!("{store:?}").contains("hush"));
}

#[tokio::test]
async fn what_a_killed_process_left_goes_with_the_object() {
    let place = Place::folder();
    let mut writer = place.store.create(&key("ab/object")).await.unwrap();
    writer.write(pattern(1024 * 1024)).await.unwrap();
    mem::forget(writer);
    assert_eq!(place.remains().await.len(), 1);
    place.store.delete(&key("ab/object")).await.unwrap();
    assert_eq!(place.remains().await, [""; 0]);
}

#[tokio::test]
async fn keys_do_not_lead_out_of_the_folder() {
    let place = Place::folder();
    for name in ["../x", "a/../../x", "a//b"] {
        assert_eq!(told(&place.store.create(&key(name)).await), Answer::Failed, "{name}");
        assert_eq!(
            told(&place.store.read(&key(name), 0..1).await),
            Answer::Failed,
            "{name}"
        );
        assert_eq!(told(&place.store.delete(&key(name)).await), Answer::Failed, "{name}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_new_folder_is_private_and_a_file_in_its_place_is_told() {
    use std::os::unix::fs::PermissionsExt;

    let base = tempfile::tempdir().unwrap();
    let folder = base.path().join("data/files");
    let store = ObjectFileStore::local(&folder).unwrap();
    assert_eq!(folder.metadata().unwrap().permissions().mode() & 0o777, 0o700);
    store.check().await.unwrap();
    // Again, now that it is there.
    ObjectFileStore::local(&folder).unwrap().check().await.unwrap();

    std::fs::write(base.path().join("file"), "").unwrap();
    assert_eq!(
        told(&ObjectFileStore::local(&base.path().join("file/folder"))),
        Answer::Failed
    );
    std::fs::remove_dir_all(&folder).unwrap();
    std::fs::write(&folder, "").unwrap();
    assert_eq!(told(&store.check().await), Answer::Failed);
}

#[tokio::test]
async fn a_file_that_shrinks_while_it_is_read_is_told() {
    let place = Place::folder();
    place.write("object", &pattern(200 * 1024)).await;
    let mut stream = place.store.read(&key("object"), 0..u64::MAX).await.unwrap();
    stream.try_next().await.unwrap();
    let path = place.remains().await.remove(0);
    std::fs::File::options()
        .write(true)
        .open(path)
        .unwrap()
        .set_len(70_000)
        .unwrap();
    assert_eq!(told(&stream.try_collect::<Vec<_>>().await), Answer::Failed);
}
