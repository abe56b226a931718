use super::FileService;
use crate::Failure;
use crate::ports::{StoreError, ThumbnailError};
use bytes::{Bytes, BytesMut};
use std::future::poll_fn;
use std::time::Duration;
use tertulia_domain::ObjectKey;

/// Pixels of a thumbnail's longest side.
const LONGEST_SIDE: u32 = 320;
/// How long one attempt may take before another process may try.
const LEASE: Duration = Duration::from_mins(2);

impl FileService {
    /// Makes the thumbnail of one image that has none. False when there is nothing to do.
    pub async fn make_thumbnail(&self) -> Result<bool, Failure> {
        let at = self.clock.now();
        let Some(job) = self.files.take_thumbnail_job(at, at.plus(LEASE)).await? else {
            return Ok(false);
        };
        let image = match self.load(&job.object).await {
            Ok(image) => image,
            // The file was deleted meanwhile.
            Err(StoreError::NotFound) => return Ok(true),
            Err(error) => return Err(error.into()),
        };
        let thumbnail = match self.images.thumbnail(image, LONGEST_SIDE).await {
            Ok(picture) => Some(self.keep(picture).await?),
            Err(ThumbnailError(reason)) => {
                tracing::info!(digest = %job.digest, reason, "no thumbnail");
                None
            }
        };
        self.files
            .finish_thumbnail(job.digest, thumbnail, self.clock.now())
            .await?;
        Ok(true)
    }

    async fn load(&self, object: &ObjectKey) -> Result<Bytes, StoreError> {
        let mut stream = self.store.read(object, 0..u64::MAX).await?;
        let mut image = BytesMut::new();
        while let Some(bytes) = poll_fn(|cx| stream.as_mut().poll_next(cx)).await {
            image.extend_from_slice(&bytes?);
        }
        Ok(image.freeze())
    }

    async fn keep(&self, picture: Bytes) -> Result<ObjectKey, Failure> {
        let object = self.new_object();
        self.files
            .announce(&object, self.clock.now().plus(self.policy.keep_unused))
            .await?;
        let mut writer = self.store.create(&object).await?;
        writer.write(picture).await?;
        writer.finish().await?;
        Ok(object)
    }
}
