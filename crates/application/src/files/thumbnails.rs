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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::MockObjectWriter;
    use crate::testing::{
        FILE_POLICY, NOW, World, assert_matches, object, passes_on, repository_errors, store_errors, stream,
    };
    use mockall::predicate::eq;
    use tertulia_domain::Digest;
    use tertulia_domain::repository::ThumbnailJob;

    const DIGEST: Digest = Digest([7; 32]);

    fn image() -> ObjectKey {
        ObjectKey::from_string("objects/image".to_owned())
    }

    /// A world with one image to do.
    fn taking() -> World {
        let mut world = World::default();
        let asked = world.files.expect_take_thumbnail_job();
        asked.with(eq(NOW), eq(NOW.plus(LEASE))).once();
        asked.return_once(|_, _| {
            Ok(Some(ThumbnailJob {
                digest: DIGEST,
                object: image(),
            }))
        });
        world
    }

    /// And its bytes are these.
    fn reading(chunks: Vec<Result<Bytes, StoreError>>) -> World {
        let mut world = taking();
        let asked = world.store.expect_read().with(eq(image()), eq(0..u64::MAX)).once();
        asked.return_once(|_, _| Ok(stream(chunks)));
        world
    }

    fn whole() -> Vec<Result<Bytes, StoreError>> {
        vec![Ok(Bytes::from_static(b"abc")), Ok(Bytes::from_static(b"de"))]
    }

    /// And a picture comes of them.
    fn drawing() -> World {
        let mut world = reading(whole());
        let asked = world.images.expect_thumbnail();
        asked.with(eq(Bytes::from_static(b"abcde")), eq(320)).once();
        asked.returning(|_, _| Ok(Bytes::from_static(b"small")));
        world
    }

    /// And its object is begun, with that writer.
    fn keeping(writer: MockObjectWriter) -> World {
        let mut world = drawing();
        let announced = world.files.expect_announce();
        announced
            .with(eq(object(1)), eq(NOW.plus(FILE_POLICY.keep_unused)))
            .once();
        announced.returning(|_, _| Ok(()));
        let begun = world.store.expect_create().with(eq(object(1))).once();
        begun.return_once(|_| Ok(Box::new(writer)));
        world
    }

    fn writer() -> MockObjectWriter {
        let mut writer = MockObjectWriter::new();
        let asked = writer.expect_write().with(eq(Bytes::from_static(b"small"))).once();
        asked.returning(|_| Ok(()));
        writer.expect_finish().once().returning(|| Ok(()));
        writer
    }

    fn finishes(world: &mut World, thumbnail: Option<ObjectKey>) {
        let asked = world.files.expect_finish_thumbnail();
        asked.with(eq(DIGEST), eq(thumbnail), eq(NOW)).once();
        asked.returning(|_, _, _| Ok(()));
    }

    #[tokio::test]
    async fn there_may_be_nothing_to_do() {
        let mut world = World::default();
        world
            .files
            .expect_take_thumbnail_job()
            .once()
            .returning(|_, _| Ok(None));
        assert_matches!(world.services().files.make_thumbnail().await, Ok(false));
    }

    #[tokio::test]
    async fn a_thumbnail_is_made_and_kept() {
        let mut world = keeping(writer());
        finishes(&mut world, Some(object(1)));
        assert_matches!(world.services().files.make_thumbnail().await, Ok(true));
    }

    #[tokio::test]
    async fn what_can_not_be_drawn_is_done_with() {
        let mut world = reading(whole());
        let asked = world.images.expect_thumbnail().once();
        asked.returning(|_, _| Err(ThumbnailError("a bomb".into())));
        world.files.expect_announce().never();
        finishes(&mut world, None);
        assert_matches!(world.services().files.make_thumbnail().await, Ok(true));
    }

    #[tokio::test]
    async fn an_image_that_is_gone_is_passed_over() {
        let mut gone = taking();
        gone.store
            .expect_read()
            .once()
            .returning(|_, _| Err(StoreError::NotFound));
        let vanishing = reading(vec![Ok(Bytes::from_static(b"abc")), Err(StoreError::NotFound)]);
        for mut world in [gone, vanishing] {
            world.images.expect_thumbnail().never();
            world.files.expect_finish_thumbnail().never();
            assert_matches!(world.services().files.make_thumbnail().await, Ok(true));
        }
    }

    #[tokio::test]
    async fn passes_failures_on() {
        passes_on(repository_errors, async |cause| {
            let mut world = World::default();
            world.files.expect_take_thumbnail_job().return_once(|_, _| Err(cause));
            world.services().files.make_thumbnail().await
        })
        .await;
        let serious = || store_errors().into_iter().skip(1).collect::<Vec<_>>();
        passes_on(serious, async |cause| {
            let mut world = reading(vec![Ok(Bytes::from_static(b"abc")), Err(cause)]);
            world.images.expect_thumbnail().never();
            world.services().files.make_thumbnail().await
        })
        .await;
        passes_on(repository_errors, async |cause| {
            let mut world = drawing();
            world.files.expect_announce().return_once(|_, _| Err(cause));
            world.store.expect_create().never();
            world.services().files.make_thumbnail().await
        })
        .await;
        passes_on(store_errors, async |cause| {
            let mut writer = MockObjectWriter::new();
            writer.expect_write().return_once(|_| Err(cause));
            let mut world = keeping(writer);
            world.files.expect_finish_thumbnail().never();
            world.services().files.make_thumbnail().await
        })
        .await;
        passes_on(store_errors, async |cause| {
            let mut writer = MockObjectWriter::new();
            writer.expect_write().returning(|_| Ok(()));
            writer.expect_finish().return_once(|| Err(cause));
            let mut world = keeping(writer);
            world.files.expect_finish_thumbnail().never();
            world.services().files.make_thumbnail().await
        })
        .await;
        passes_on(repository_errors, async |cause| {
            let mut world = keeping(writer());
            world.files.expect_finish_thumbnail().return_once(|_, _, _| Err(cause));
            world.services().files.make_thumbnail().await
        })
        .await;
    }
}
