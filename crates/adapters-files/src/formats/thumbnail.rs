use super::header::Header;
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageError, ImageReader, Limits};
use std::io::Cursor;
use tertulia_application::ports::ThumbnailError;

/// Pixels of a side at the most.
const LONGEST_SIDE: u32 = 32_768;
/// Bytes that decoding may take: those of 64 million pixels with transparency.
const MEMORY: u64 = 256 * 1024 * 1024;
/// Of 100: the usual balance for photographs.
const JPEG_QUALITY: u8 = 80;

/// Decodes an image, turns it upright, and makes it smaller if one of its sides has more than `longest` pixels: as a JPEG,
/// or as a PNG if one can see through it.
pub(super) fn make(image: &[u8], longest: u32) -> Result<Vec<u8>, ThumbnailError> {
    let header = Header::read(image).ok_or_else(|| ThumbnailError("no image of a known format".to_owned()))?;
    if header.is_exceeded(image) {
        return Err(ThumbnailError("a frame is larger than the image".to_owned()));
    }
    let picture = decode(image, header).map_err(|error| ThumbnailError(error.to_string()))?;
    encode(&picture.shrunk(longest.max(1))).map_err(|error| ThumbnailError(error.to_string()))
}

/// A picture as stored, and how to show it.
struct Picture {
    pixels: DynamicImage,
    orientation: Orientation,
}

impl Picture {
    /// Turned after it is made small: that takes less memory.
    fn shrunk(self, longest: u32) -> DynamicImage {
        let Self { pixels, orientation } = self;
        let mut small = if pixels.width().max(pixels.height()) > longest {
            pixels.thumbnail(longest, longest)
        } else {
            pixels
        };
        small.apply_orientation(orientation);
        small
    }
}

fn decode(image: &[u8], header: Header) -> Result<Picture, ImageError> {
    let mut limits = Limits::default();
    limits.max_image_width = Some(LONGEST_SIDE);
    limits.max_image_height = Some(LONGEST_SIDE);
    limits.max_alloc = Some(MEMORY);
    let mut reader = ImageReader::with_format(Cursor::new(image), header.format);
    reader.limits(limits.clone());
    let mut decoder = reader.into_decoder()?;
    // One that can't be read is none.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    // The picture, and what the decoders need beside it and don't count themselves.
    let (width, height) = decoder.dimensions();
    let scratch = u64::from(width) * u64::from(height) * u64::from(header.scratch);
    limits.reserve(decoder.total_bytes().saturating_add(scratch))?;
    decoder.set_limits(limits)?;
    Ok(Picture {
        pixels: DynamicImage::from_decoder(decoder)?,
        orientation,
    })
}

fn encode(picture: &DynamicImage) -> Result<Vec<u8>, ImageError> {
    let mut bytes = Vec::new();
    if picture.color().has_alpha() {
        let rgba = picture.to_rgba8();
        if rgba.pixels().any(|pixel| pixel.0[3] != u8::MAX) {
            rgba.write_with_encoder(PngEncoder::new(&mut bytes))?;
            return Ok(bytes);
        }
    }
    let jpeg = JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY);
    picture.to_rgb8().write_with_encoder(jpeg)?;
    Ok(bytes)
}
