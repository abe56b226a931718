use crate::Backend;
use crate::fixture::at;
use tertulia_domain::repository::VerificationKey;

pub async fn published_keys_are_listed(b: Backend) {
    assert_eq!(b.keys.list().await.unwrap(), []);
    let key = VerificationKey { kid: "a".to_owned(), public: [7; 32], created_at: at(1) };
    b.keys.publish(key.clone()).await.unwrap();
    assert_eq!(b.keys.list().await.unwrap(), [key]);
}
