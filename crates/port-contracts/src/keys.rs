use crate::Backend;
use crate::fixture::*;
use futures_util::future::join_all;
use tertulia_domain::repository::VerificationKey;

fn key(kid: &str, byte: u8) -> VerificationKey {
    VerificationKey { kid: kid.to_owned(), public: [byte; 32], created_at: at(1) }
}

/// All keys, by their names.
async fn listed(b: &Backend) -> Vec<VerificationKey> {
    let mut keys = b.keys.list().await.unwrap();
    keys.sort_by(|a, b| a.kid.cmp(&b.kid));
    keys
}

pub async fn published_keys_are_listed(b: Backend) {
    assert_eq!(b.keys.list().await.unwrap(), []);
    let mut bytes = key("a", 0);
    bytes.public = std::array::from_fn(|n| u8::try_from(n * 8).unwrap() ^ 0xff);
    let long = key(&"k".repeat(64), 255);
    for key in [&long, &bytes, &key("A", 0)] {
        b.keys.publish(key.clone()).await.unwrap();
    }
    assert_eq!(listed(&b).await, [key("A", 0), bytes, long]);
}

pub async fn to_publish_a_key_again_changes_nothing(b: Backend) {
    b.keys.publish(key("a", 1)).await.unwrap();
    b.keys.publish(key("a", 1)).await.unwrap();
    b.keys.publish(VerificationKey { created_at: at(2), ..key("a", 1) }).await.unwrap();
    assert_eq!(listed(&b).await, [key("a", 1)]);
}

pub async fn a_key_may_be_published_many_times_at_once(b: Backend) {
    let published = join_all((0..16).map(|n| b.keys.publish(key(if n % 2 == 0 { "a" } else { "b" }, n % 2)))).await;
    assert!(published.iter().all(Result::is_ok), "{published:?}");
    assert_eq!(listed(&b).await, [key("a", 0), key("b", 1)]);
}
