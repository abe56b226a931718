use super::error;
use super::local::Folder;
use async_trait::async_trait;
use bytes::Bytes;
use object_store::path::Path as ObjectPath;
use object_store::{MultipartUpload, ObjectStore, ObjectStoreExt, PutPayload, PutPayloadMut};
use std::mem;
use std::sync::Arc;
use tertulia_application::ports::{ObjectWriter, StoreError};
use tokio::runtime::Handle;

/// How an object is cut up on its way. One that is no longer than a part goes out in one piece when it is finished.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parts {
    /// Bytes of every part but the last.
    bytes: usize,
    /// Bytes by which the part in memory grows.
    block: usize,
}

impl Parts {
    /// Parts are written to a file one after the other; larger ones would be no quicker.
    pub(super) const LOCAL: Self = Self {
        bytes: 256 * 1024,
        block: 32 * 1024,
    };
    /// 5 MiB is the least that S3 takes for any part but the last.
    pub(super) const S3: Self = Self {
        bytes: 5 * 1024 * 1024,
        block: 64 * 1024,
    };

    fn buffer(self) -> PutPayloadMut {
        PutPayloadMut::new().with_block_size(self.block)
    }
}

/// An object on its way. Nothing goes on beside the calls: while a part is being written, no more bytes are taken.
pub(super) struct Writer {
    objects: Arc<dyn ObjectStore>,
    folder: Option<Folder>,
    path: ObjectPath,
    parts: Parts,
    /// The part that is being filled.
    buffer: PutPayloadMut,
    /// Once there was more than one part.
    upload: Option<Box<dyn MultipartUpload>>,
    /// A part is missing: its writing failed, or was not waited for.
    broken: bool,
}

impl Writer {
    pub(super) fn new(objects: Arc<dyn ObjectStore>, folder: Option<Folder>, path: ObjectPath, parts: Parts) -> Self {
        Self {
            objects,
            folder,
            path,
            parts,
            buffer: parts.buffer(),
            upload: None,
            broken: false,
        }
    }

    fn take_buffer(&mut self) -> PutPayload {
        mem::replace(&mut self.buffer, self.parts.buffer()).freeze()
    }

    async fn write_part(&mut self) -> Result<(), object_store::Error> {
        let part = self.take_buffer();
        let upload = match &mut self.upload {
            Some(upload) => upload,
            none => none.insert(self.objects.put_multipart(&self.path).await?),
        };
        upload.put_part(part).await
    }

    async fn write_last(&mut self) -> Result<(), object_store::Error> {
        let part = self.take_buffer();
        let Some(upload) = &mut self.upload else {
            return self.objects.put(&self.path, part).await.map(drop);
        };
        if part.content_length() > 0 {
            upload.put_part(part).await?;
        }
        upload.complete().await.map(drop)
    }

    async fn discard(&mut self) -> Result<(), StoreError> {
        let Some(mut upload) = self.upload.take() else {
            return Ok(());
        };
        let aborted = upload.abort().await;
        match &self.folder {
            // Knows what is left also after a last step that failed half-way.
            Some(folder) => folder.remove_unfinished(&self.path).await,
            None => match aborted.map_err(error::of_reading) {
                Ok(()) | Err(StoreError::NotFound) => Ok(()),
                Err(error) => Err(error),
            },
        }
    }
}

#[async_trait]
impl ObjectWriter for Writer {
    async fn write(&mut self, bytes: Bytes) -> Result<(), StoreError> {
        if self.broken {
            return Err(missing_part());
        }
        let mut rest = bytes.as_ref();
        while !rest.is_empty() {
            let room = self.parts.bytes - self.buffer.content_length();
            let (fitting, more) = rest.split_at(room.min(rest.len()));
            self.buffer.extend_from_slice(fitting);
            rest = more;
            if self.buffer.content_length() == self.parts.bytes {
                self.broken = true;
                self.write_part().await.map_err(error::of_writing)?;
                self.broken = false;
            }
        }
        Ok(())
    }

    async fn finish(mut self: Box<Self>) -> Result<(), StoreError> {
        let written = if self.broken {
            Err(missing_part())
        } else {
            self.write_last().await.map_err(error::of_writing)
        };
        if written.is_ok() {
            self.upload = None;
        } else if let Err(error) = self.discard().await {
            tracing::warn!(object = %self.path, %error, "an object that failed could not be removed");
        }
        written
    }

    async fn abort(mut self: Box<Self>) -> Result<(), StoreError> {
        self.discard().await
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // Without a runtime a file is still removed: by the upload's own drop.
        if let (Some(mut upload), Ok(runtime)) = (self.upload.take(), Handle::try_current()) {
            let path = mem::take(&mut self.path);
            runtime.spawn(async move {
                if let Err(error) = upload.abort().await {
                    tracing::warn!(object = %path, %error, "an abandoned object could not be removed");
                }
            });
        }
    }
}

fn missing_part() -> StoreError {
    StoreError::Failed("a part of the object is missing since an earlier failure".into())
}
