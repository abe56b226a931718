use crate::BoxError;
use async_trait::async_trait;
use bytes::Bytes;
use futures_core::Stream;
use std::ops::Range;
use std::pin::Pin;
use tertulia_domain::ObjectKey;
use thiserror::Error;

/// Bytes as they come in from a store.
pub type ByteStream = Pin<Box<dyn Stream<Item = Result<Bytes, StoreError>> + Send>>;

/// What can go wrong with a file store.
#[derive(Debug, Error)]
pub enum StoreError {
    /// There is no object of that key.
    #[error("no such object")]
    NotFound,
    /// The store can't be reached, or is full. Worth trying again later.
    #[error("the file store is unavailable")]
    Unavailable(#[source] BoxError),
    /// Anything else.
    #[error("the file store failed")]
    Failed(#[source] BoxError),
}

/// Keeps objects: bytes under a key that is used once. An object is there whole or not at all.
#[cfg_attr(any(test, feature = "mocks"), mockall::automock)]
#[async_trait]
pub trait FileStore: Send + Sync {
    /// Begins an object. Nobody sees it before it is finished.
    async fn create(&self, key: &ObjectKey) -> Result<Box<dyn ObjectWriter>, StoreError>;

    /// Some of an object's bytes, as they come.
    async fn read(&self, key: &ObjectKey, range: Range<u64>) -> Result<ByteStream, StoreError>;

    /// Deletes an object; one that isn't there is as good.
    async fn delete(&self, key: &ObjectKey) -> Result<(), StoreError>;
}

/// An object that is being written. Dropped unfinished, it leaves nothing behind.
#[cfg_attr(any(test, feature = "mocks"), mockall::automock)]
#[async_trait]
pub trait ObjectWriter: Send {
    /// Takes some more bytes. Holds back the caller when the store is slower than they are: memory stays flat.
    async fn write(&mut self, bytes: Bytes) -> Result<(), StoreError>;

    /// Makes the object durable and visible.
    async fn finish(self: Box<Self>) -> Result<(), StoreError>;

    /// Drops everything that was written.
    async fn abort(self: Box<Self>) -> Result<(), StoreError>;
}
