//! What kinds of files there are, and small pictures of large ones.

mod header;
mod markup;
mod text;
mod thumbnail;
mod workshop;

use async_trait::async_trait;
use bytes::Bytes;
use header::Header;
use image::ImageFormat;
use std::io;
use tertulia_application::ports::{INSPECTED_BYTES, ImageInspector, Inspection, ThumbnailError};
use tertulia_domain::MediaType;
use workshop::Workshop;

/// Tells formats from the bytes alone, and makes thumbnails of PNG, JPEG, GIF (its first frame) and WebP (the same).
///
/// Making one takes at most 256 MiB besides the image itself. An image that would take more is refused before any of its
/// pixels is decoded, as is one with a side of more than 32,768 pixels.
#[derive(Debug)]
pub struct FileFormats {
    workshop: Workshop,
}

impl FileFormats {
    /// Starts the thread on which thumbnails are made. It ends when this is dropped.
    pub fn start() -> io::Result<Self> {
        Ok(Self {
            workshop: Workshop::open()?,
        })
    }
}

#[async_trait]
impl ImageInspector for FileFormats {
    /// Text is UTF-8 without control characters; it may be HTML, SVG or other XML, whatever its name. What claims to be
    /// one of the four image formats and has no readable header is `application/octet-stream`.
    fn inspect(&self, head: &[u8]) -> Inspection {
        let mut dimensions = None;
        let media_type = if head.is_empty() {
            None
        } else if let Some(kind) = text::kind(head, head.len() < INSPECTED_BYTES) {
            Some(kind)
        } else if let Some(header) = Header::read(head) {
            dimensions = Some(header.shown());
            Some(header.format.to_mime_type())
        } else {
            binary_kind(head)
        };
        Inspection {
            media_type: media_type
                .and_then(|kind| MediaType::new(kind).ok())
                .unwrap_or_else(MediaType::unknown),
            dimensions,
        }
    }

    async fn thumbnail(&self, image: Bytes, longest: u32) -> Result<Bytes, ThumbnailError> {
        self.workshop.thumbnail(image, longest).await
    }
}

/// What the first bytes say, for formats whose headers are not read here.
fn binary_kind(head: &[u8]) -> Option<&'static str> {
    match infer::get(head)?.mime_type() {
        // Any document of Office's from before 2007: which one can't be told from the beginning alone.
        "application/msword" => Some("application/x-ole-storage"),
        kind if ImageFormat::from_mime_type(kind).is_some_and(|format| format.reading_enabled()) => None,
        kind => Some(kind),
    }
}
