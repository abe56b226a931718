use super::FileService;
use crate::Failure;
use crate::ports::{INSPECTED_BYTES, Inspection, ObjectWriter, StoreError};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use sha2::{Digest as _, Sha256};
use tertulia_domain::repository::NewFile;
use tertulia_domain::{Caller, Digest, Dimensions, File, FileId, FileName, ObjectKey, PublicKey, UserId};
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

impl Upload<'_> {
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
        service
            .files
            .insert(file)
            .await
            .map_err(Failure::from)?
            .ok_or(UploadError::OwnerGone)
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
    fn new_public_key(&self) -> Result<PublicKey, Failure> {
        PublicKey::new(&URL_SAFE_NO_PAD.encode(self.secrets.bytes())).map_err(|error| Failure::Internal(error.into()))
    }
}
