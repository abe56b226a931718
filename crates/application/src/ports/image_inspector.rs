use async_trait::async_trait;
use bytes::Bytes;
use tertulia_domain::{Dimensions, MediaType};
use thiserror::Error;

/// What the beginning of some bytes tells about them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspection {
    /// What they are, told from the bytes alone.
    pub media_type: MediaType,
    /// Width and height of a raster image whose header could be read.
    pub dimensions: Option<Dimensions>,
}

/// Why there is no thumbnail.
#[derive(Debug, Error)]
#[error("the image can't be decoded within the limits: {0}")]
pub struct ThumbnailError(pub String);

/// Knows file formats.
#[cfg_attr(any(test, feature = "mocks"), mockall::automock)]
#[async_trait]
pub trait ImageInspector: Send + Sync {
    /// Tells what some bytes are from their beginning ([`INSPECTED_BYTES`] or all of them). Reads headers, decodes nothing.
    fn inspect(&self, head: &[u8]) -> Inspection;

    /// Makes a picture of at most `longest` pixels on its longest side, as JPEG or PNG. On a thread of its own, one image at a
    /// time, with bounded memory.
    async fn thumbnail(&self, image: Bytes, longest: u32) -> Result<Bytes, ThumbnailError>;
}

/// How many bytes an inspection is given at the most: 256 KiB, so that the dimensions stand in it even behind a large preview.
pub const INSPECTED_BYTES: usize = 256 * 1024;
