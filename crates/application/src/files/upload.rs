use super::FileService;
use crate::ports::{INSPECTED_BYTES, Inspection, ObjectWriter, StoreError};
use crate::{Failure, Keyed};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use sha2::{Digest as _, Sha256};
use tertulia_domain::repository::{InsertFileError, NewFile};
use tertulia_domain::{Caller, Digest, Dimensions, File, FileId, FileName, ObjectKey, PublicKey, Recorded, UserId};
use thiserror::Error;

/// Why a file was not taken. Nothing of it is kept then.
#[derive(Debug, Error)]
pub enum UploadError {
    /// It has no bytes.
    #[error("the file is empty")]
    Empty,
    /// It has more bytes than allowed; told as soon as that is known.
    #[error("the file has more than {max} bytes")]
    TooLarge {
        /// Bytes at the most.
        max: u64,
    },
    /// It is an image of more pixels than allowed.
    #[error("the image has more than {max} pixels")]
    TooManyPixels {
        /// Pixels at the most.
        max: u64,
    },
    /// The idempotency key stands for another request.
    #[error("the idempotency key was used for another request")]
    KeyReused,
    /// The uploader's account went meanwhile.
    #[error("no such account")]
    OwnerGone,
    /// See there.
    #[error(transparent)]
    Failed(#[from] Failure),
}

impl From<StoreError> for UploadError {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

/// A file that comes in. Its bytes go to the store as they come; no more of it is in memory than its beginning.
pub struct Upload<'a> {
    service: &'a FileService,
    owner: UserId,
    name: FileName,
    public: bool,
    object: ObjectKey,
    writer: Box<dyn ObjectWriter>,
    hash: Sha256,
    size: u64,
    head: Vec<u8>,
}

impl FileService {
    /// Begins to take a file. With `public` it gets an address that whoever knows it may read.
    pub async fn begin_upload(&self, caller: Caller, name: FileName, public: bool) -> Result<Upload<'_>, UploadError> {
        let object = self.new_object();
        let delete_at = self.clock.now().plus(self.policy.keep_unused);
        self.files.announce(&object, delete_at).await.map_err(Failure::from)?;
        let writer = self.store.create(&object).await?;
        Ok(Upload {
            service: self,
            owner: caller.user_id,
            name,
            public,
            object,
            writer,
            hash: Sha256::new(),
            size: 0,
            head: Vec::new(),
        })
    }
}

impl<'a> Upload<'a> {
    /// Takes some more bytes. After an error the upload is over: [`abort`](Self::abort) it.
    pub async fn write(&mut self, bytes: Bytes) -> Result<(), UploadError> {
        let max = self.service.policy.max_bytes;
        self.size += bytes.len() as u64;
        if self.size > max {
            return Err(UploadError::TooLarge { max });
        }
        self.hash.update(&bytes);
        let wanted = INSPECTED_BYTES.saturating_sub(self.head.len()).min(bytes.len());
        self.head.extend_from_slice(&bytes[..wanted]);
        Ok(self.writer.write(bytes).await?)
    }

    /// Keeps the file.
    pub async fn finish(self) -> Result<File, UploadError> {
        let (service, file) = self.seal().await?;
        service
            .files
            .insert(file)
            .await
            .map_err(Failure::from)?
            .ok_or(UploadError::OwnerGone)
    }

    /// Keeps the file, or gives the first answer if this is a retry: then what came in now is dropped.
    pub async fn finish_once(self, keyed: Keyed<File>) -> Result<Recorded<File>, UploadError> {
        let (service, file) = self.seal().await?;
        let object = file.object.clone();
        let recording = keyed.recording(file.owner, file.at);
        let outcome = service.files.insert_once(file, recording).await;
        // Not after a failure of the repository: the file may be stored all the same.
        if let Ok(Recorded::Replayed(_)) | Err(InsertFileError::Gone | InsertFileError::KeyReused) = &outcome {
            service.drop_object(&object).await;
        }
        outcome.map_err(|error| match error {
            InsertFileError::Gone => UploadError::OwnerGone,
            InsertFileError::KeyReused => UploadError::KeyReused,
            InsertFileError::Repository(error) => UploadError::Failed(error.into()),
        })
    }

    /// Makes the bytes durable, if they may be kept.
    async fn seal(self) -> Result<(&'a FileService, NewFile), UploadError> {
        let inspection = match self.check() {
            Ok(inspection) => inspection,
            Err(error) => {
                self.abort().await;
                return Err(error);
            }
        };
        let Self {
            service,
            owner,
            name,
            public,
            object,
            writer,
            hash,
            size,
            ..
        } = self;
        writer.finish().await?;
        let file = NewFile {
            id: FileId::from_uuid(service.ids.next()),
            owner,
            name,
            digest: Digest(hash.finalize().into()),
            object,
            size,
            media_type: inspection.media_type,
            dimensions: inspection.dimensions,
            public_key: if public { Some(service.new_public_key()?) } else { None },
            at: service.clock.now(),
        };
        Ok((service, file))
    }

    /// Drops the file. What can't be removed now is removed later: its object is announced.
    pub async fn abort(self) {
        let Self {
            service,
            object,
            writer,
            ..
        } = self;
        if let Err(error) = writer.abort().await {
            tracing::warn!(%error, "an abandoned upload could not be removed at once");
        } else if let Err(error) = service.files.forget_objects(&[object]).await {
            tracing::warn!(%error, "an abandoned upload could not be forgotten at once");
        }
    }

    fn check(&self) -> Result<Inspection, UploadError> {
        if self.size == 0 {
            return Err(UploadError::Empty);
        }
        let inspection = self.service.images.inspect(&self.head);
        let max = self.service.policy.max_pixels;
        match inspection.dimensions {
            Some(Dimensions { width, height }) if u64::from(width) * u64::from(height) > max => {
                Err(UploadError::TooManyPixels { max })
            }
            _ => Ok(inspection),
        }
    }
}

impl FileService {
    /// Deletes an object that nothing will stand on. What can't be deleted now is deleted later: it is announced.
    async fn drop_object(&self, object: &ObjectKey) {
        if let Err(error) = self.store.delete(object).await {
            tracing::warn!(%error, "an object that is not needed could not be deleted at once");
        } else if let Err(error) = self.files.forget_objects(std::slice::from_ref(object)).await {
            tracing::warn!(%error, "an object that was deleted could not be forgotten at once");
        }
    }

    fn new_public_key(&self) -> Result<PublicKey, Failure> {
        PublicKey::new(&URL_SAFE_NO_PAD.encode(self.secrets.bytes())).map_err(|error| Failure::Internal(error.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::MockObjectWriter;
    use crate::testing::{
        ANA, CALLER, FILE_POLICY, NOW, World, answer, assert_matches, claim, fresh, image, keyed, object, passes_on,
        repository_errors, secret, store_errors,
    };
    use mockall::Sequence;
    use mockall::predicate::eq;
    use tertulia_domain::MediaType;
    use tertulia_domain::repository::RepositoryError;

    /// A world in which an object is announced and begun, and written to by that writer.
    fn writing(writer: MockObjectWriter) -> World {
        let mut world = World::default();
        let announced = world.files.expect_announce();
        announced
            .with(eq(object(1)), eq(NOW.plus(FILE_POLICY.keep_unused)))
            .once();
        announced.returning(|_, _| Ok(()));
        let begun = world.store.expect_create().with(eq(object(1))).once();
        begun.return_once(|_| Ok(Box::new(writer)));
        world
    }

    /// A writer that takes these bytes, in this order.
    fn taking(chunks: &[&'static [u8]]) -> MockObjectWriter {
        let (mut writer, mut order) = (MockObjectWriter::new(), Sequence::new());
        for chunk in chunks {
            let asked = writer.expect_write().with(eq(Bytes::from_static(chunk))).once();
            asked.in_sequence(&mut order).returning(|_| Ok(()));
        }
        writer
    }

    fn finishing(mut writer: MockObjectWriter) -> MockObjectWriter {
        writer.expect_finish().once().returning(|| Ok(()));
        writer
    }

    fn inspection(dimensions: Option<(u32, u32)>) -> Inspection {
        Inspection {
            media_type: MediaType::new("image/png").unwrap(),
            dimensions: dimensions.map(|(width, height)| Dimensions { width, height }),
        }
    }

    /// What is dropped leaves neither bytes nor an announcement nor a file.
    fn dropping(mut writer: MockObjectWriter) -> World {
        writer.expect_finish().never();
        writer.expect_abort().once().returning(|| Ok(()));
        let mut world = writing(writer);
        world.files.expect_insert().never();
        let forgotten = world.files.expect_forget_objects();
        forgotten.withf(|objects| objects == [object(1)]).once();
        forgotten.returning(|_| Ok(()));
        world
    }

    async fn upload(world: World, public: bool, chunks: &[&'static [u8]]) -> Result<File, UploadError> {
        let services = world.services();
        let name = FileName::sanitise("cat.png");
        let mut upload = services.files.begin_upload(CALLER, name, public).await?;
        for chunk in chunks {
            upload.write(Bytes::from_static(chunk)).await?;
        }
        upload.finish().await
    }

    #[tokio::test]
    async fn bytes_go_to_the_store_as_they_come() {
        for public in [false, true] {
            let mut world = writing(finishing(taking(&[b"abc", b"", b"defg"])));
            let inspected = world.images.expect_inspect().withf(|head| head == b"abcdefg").once();
            inspected.return_once(|_| inspection(Some((4, 5))));
            world.files.expect_insert().once().return_once(move |new| {
                let NewFile {
                    id,
                    owner,
                    name,
                    digest,
                    object: at_object,
                    size,
                    media_type,
                    dimensions,
                    public_key,
                    at,
                } = new;
                assert_eq!((*id.as_uuid(), owner, at_object), (fresh(2), ANA, object(1)));
                assert_eq!((name.as_str(), size, at), ("cat.png", 7, NOW));
                assert_eq!(digest.0[..], Sha256::digest(b"abcdefg")[..]);
                assert_eq!(media_type.as_str(), "image/png");
                assert_eq!(dimensions, Some(Dimensions { width: 4, height: 5 }));
                let key = public.then(|| URL_SAFE_NO_PAD.encode(secret(1)));
                assert_eq!(public_key.as_ref().map(PublicKey::as_str), key.as_deref());
                Ok(Some(image()))
            });
            assert_eq!(upload(world, public, &[b"abc", b"", b"defg"]).await.unwrap(), image());
        }
    }

    #[tokio::test]
    async fn too_much_is_told_as_soon_as_it_comes() {
        let mut writer = MockObjectWriter::new();
        writer.expect_write().times(2).returning(|_| Ok(()));
        let services = dropping(writer).services();
        let name = FileName::sanitise("big");
        let mut upload = services.files.begin_upload(CALLER, name, false).await.unwrap();
        for size in [999_999, 1] {
            upload.write(vec![0; size].into()).await.unwrap();
        }
        let refused = upload.write(Bytes::from_static(b"x")).await;
        assert_matches!(refused, Err(UploadError::TooLarge { max: 1_000_000 }));
        upload.abort().await;
    }

    #[tokio::test]
    async fn nothing_is_no_file() {
        for chunks in [&[][..], &[b"".as_slice()]] {
            let mut world = dropping(taking(chunks));
            world.images.expect_inspect().never();
            assert_matches!(upload(world, false, chunks).await, Err(UploadError::Empty));
        }
    }

    #[tokio::test]
    async fn a_bomb_is_known_by_its_dimensions() {
        for size in [(101, 100), (1, 10_001), (u32::MAX, u32::MAX)] {
            let mut world = dropping(taking(&[b"x"]));
            world
                .images
                .expect_inspect()
                .return_once(move |_| inspection(Some(size)));
            let refused = upload(world, false, &[b"x"]).await;
            assert_matches!(refused, Err(UploadError::TooManyPixels { max: 10_000 }));
        }
        for size in [None, Some((100, 100))] {
            let mut world = writing(finishing(taking(&[b"x"])));
            world.images.expect_inspect().return_once(move |_| inspection(size));
            world.files.expect_insert().once().returning(|_| Ok(Some(image())));
            assert!(upload(world, false, &[b"x"]).await.is_ok());
        }
    }

    #[tokio::test]
    async fn only_the_beginning_is_kept_in_memory() {
        let mut writer = MockObjectWriter::new();
        writer.expect_write().times(6).returning(|_| Ok(()));
        let mut world = writing(finishing(writer));
        let inspected = world.images.expect_inspect().once();
        inspected.return_once(|head| {
            let expected: Vec<u8> = (0..=u8::MAX)
                .flat_map(|n| vec![n; 100_000])
                .take(INSPECTED_BYTES)
                .collect();
            assert!(head == expected, "{} bytes", head.len());
            inspection(None)
        });
        let stored = world.files.expect_insert().withf(|new| new.size == 600_000).once();
        stored.returning(|_| Ok(Some(image())));
        let services = world.services();
        let name = FileName::sanitise("long");
        let mut upload = services.files.begin_upload(CALLER, name, false).await.unwrap();
        for n in 0..6 {
            upload.write(vec![n; 100_000].into()).await.unwrap();
            assert!(upload.head.len() <= INSPECTED_BYTES);
        }
        upload.finish().await.unwrap();
    }

    #[tokio::test]
    async fn an_owner_may_vanish_meanwhile() {
        let mut world = writing(finishing(taking(&[b"x"])));
        world.images.expect_inspect().return_once(|_| inspection(None));
        world.files.expect_insert().once().returning(|_| Ok(None));
        assert_matches!(upload(world, false, &[b"x"]).await, Err(UploadError::OwnerGone));
    }

    async fn upload_once(world: World) -> Result<Recorded<File>, UploadError> {
        let services = world.services();
        let name = FileName::sanitise("cat.png");
        let mut upload = services.files.begin_upload(CALLER, name, false).await?;
        upload.write(Bytes::from_static(b"x")).await?;
        upload.finish_once(keyed()).await
    }

    fn storing_once(outcome: Result<Recorded<File>, InsertFileError>) -> World {
        let mut world = writing(finishing(taking(&[b"x"])));
        world.images.expect_inspect().return_once(|_| inspection(None));
        world.files.expect_insert().never();
        let asked = world.files.expect_insert_once().once();
        asked.return_once(|new, recording| {
            assert_eq!((new.owner, new.object), (ANA, object(1)));
            assert_eq!(recording.claim, claim());
            outcome
        });
        world
    }

    #[tokio::test]
    async fn a_retry_is_answered_and_its_bytes_dropped() {
        for outcome in [
            Ok(Recorded::Replayed(answer())),
            Err(InsertFileError::KeyReused),
            Err(InsertFileError::Gone),
        ] {
            let mut world = storing_once(outcome);
            let mut order = Sequence::new();
            let deleted = world.store.expect_delete().with(eq(object(1))).once();
            deleted.in_sequence(&mut order).returning(|_| Ok(()));
            let forgotten = world
                .files
                .expect_forget_objects()
                .withf(|objects| objects == [object(1)]);
            forgotten.once().in_sequence(&mut order).returning(|_| Ok(()));
            match upload_once(world).await {
                Ok(replayed) => assert_eq!(replayed, Recorded::Replayed(answer())),
                Err(error) => assert_matches!(error, UploadError::KeyReused | UploadError::OwnerGone),
            }
        }
    }

    /// After a failure nobody knows whether the file is stored.
    #[tokio::test]
    async fn what_may_be_stored_is_not_deleted() {
        for outcome in [
            Ok(Recorded::Fresh(image())),
            Err(InsertFileError::Repository(RepositoryError::Overloaded)),
        ] {
            let kept = outcome.is_ok();
            let mut world = storing_once(outcome);
            world.store.expect_delete().never();
            assert_eq!(upload_once(world).await.is_ok(), kept);
        }
    }

    /// Its announcement stays until its bytes are gone.
    #[tokio::test]
    async fn what_can_not_be_removed_is_not_forgotten() {
        let mut writer = MockObjectWriter::new();
        let aborted = writer.expect_abort().once();
        aborted.returning(|| Err(StoreError::Failed("no route".into())));
        let mut world = writing(writer);
        world.files.expect_forget_objects().never();
        let services = world.services();
        let name = FileName::sanitise("x");
        let upload = services.files.begin_upload(CALLER, name, false).await.unwrap();
        upload.abort().await;
    }

    #[tokio::test]
    async fn passes_failures_on() {
        passes_on(repository_errors, async |cause| {
            let mut world = World::default();
            world.files.expect_announce().return_once(|_, _| Err(cause));
            world.store.expect_create().never();
            upload(world, false, &[]).await
        })
        .await;
        passes_on(store_errors, async |cause| {
            let mut world = World::default();
            world.files.expect_announce().returning(|_, _| Ok(()));
            world.store.expect_create().return_once(|_| Err(cause));
            upload(world, false, &[]).await
        })
        .await;
        passes_on(store_errors, async |cause| {
            let mut writer = MockObjectWriter::new();
            writer.expect_write().return_once(|_| Err(cause));
            upload(writing(writer), false, &[b"x"]).await
        })
        .await;
        passes_on(store_errors, async |cause| {
            let mut writer = taking(&[b"x"]);
            writer.expect_finish().return_once(|| Err(cause));
            let mut world = writing(writer);
            world.images.expect_inspect().return_once(|_| inspection(None));
            world.files.expect_insert().never();
            upload(world, false, &[b"x"]).await
        })
        .await;
        passes_on(repository_errors, async |cause| {
            let mut world = writing(finishing(taking(&[b"x"])));
            world.images.expect_inspect().return_once(|_| inspection(None));
            world.files.expect_insert().return_once(|_| Err(cause));
            upload(world, false, &[b"x"]).await
        })
        .await;
    }
}
