//! The headers of images: how large they are, without a decoder.
//!
//! A decoder wants to see more than the first bytes of a file, allocates, and inflates colour profiles. This reads the few
//! fields that are needed where they stand.

use image::ImageFormat;
use image::metadata::Orientation;
use tertulia_domain::Dimensions;

/// What an image says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    /// PNG, JPEG, GIF or WebP.
    pub(super) format: ImageFormat,
    /// Pixels in a row, as stored.
    width: u32,
    /// Rows, as stored.
    height: u32,
    /// Whether the rows are shown as columns (Exif, of JPEG only).
    turned: bool,
    /// Bytes for each pixel that decoding takes besides the picture itself, at the most.
    pub(super) scratch: u8,
}

impl Header {
    /// Reads the header of an image from its first bytes.
    pub(super) fn read(head: &[u8]) -> Option<Self> {
        let header = png(head)
            .or_else(|| jpeg(head))
            .or_else(|| gif(head))
            .or_else(|| webp(head))?;
        (header.width > 0 && header.height > 0).then_some(header)
    }

    /// The size as shown.
    pub(super) const fn shown(self) -> Dimensions {
        let (width, height) = if self.turned {
            (self.height, self.width)
        } else {
            (self.width, self.height)
        };
        Dimensions { width, height }
    }

    /// Whether a WebP holds a frame that is larger than itself. The decoder finds that out when it has decoded it.
    pub(super) fn is_exceeded(self, image: &[u8]) -> bool {
        let mut chunks = image
            .windows(LOSSY.len())
            .enumerate()
            .filter(|(_, name)| *name == LOSSY);
        self.format == ImageFormat::WebP
            && chunks.any(|(at, _)| {
                let frame = image.get(at + 8..).and_then(lossy_frame);
                frame.is_some_and(|(width, height)| width > self.width || height > self.height)
            })
    }

    const fn new(format: ImageFormat, width: u32, height: u32) -> Self {
        Self {
            format,
            width,
            height,
            turned: false,
            scratch: 0,
        }
    }
}

/// W3C PNG, sections 5.2 and 11.2.1: the signature, then the chunk IHDR. Sides have 31 bits.
fn png(head: &[u8]) -> Option<Header> {
    let chunk = head.strip_prefix(b"\x89PNG\r\n\x1A\n\0\0\0\rIHDR")?;
    let (width, height) = (be_u32(chunk, 0)?, be_u32(chunk, 4)?);
    (width.max(height) < 1 << 31).then_some(Header::new(ImageFormat::Png, width, height))
}

/// The specification of 1990, sections 17 and 18: the signature, then the logical screen's size.
fn gif(head: &[u8]) -> Option<Header> {
    let screen = head.strip_prefix(b"GIF89a").or_else(|| head.strip_prefix(b"GIF87a"))?;
    let (width, height) = (le_u16(screen, 0)?, le_u16(screen, 2)?);
    Some(Header::new(ImageFormat::Gif, width.into(), height.into()))
}

/// RFC 9649, section 2: a RIFF file whose first chunk is one of three.
fn webp(head: &[u8]) -> Option<Header> {
    let chunk = head.get(12..)?;
    if !head.starts_with(b"RIFF") || &head[8..12] != b"WEBP" {
        return None;
    }
    let (kind, data) = (chunk.get(..4)?, chunk.get(8..)?);
    let (width, height, scratch) = match kind {
        b"VP8X" => {
            let flags = *data.first()?;
            let (animated, transparent) = (flags & 0x02 != 0, flags & 0x10 != 0);
            let scratch = match (animated, transparent) {
                // The canvas, and a frame with its own.
                (true, _) => 15,
                // The planes, and those of the transparency with a copy.
                (false, true) => 7,
                (false, false) => 4,
            };
            (le_u24(data, 4)? + 1, le_u24(data, 7)? + 1, scratch)
        }
        b"VP8L" if data.first() == Some(&0x2F) => {
            let bits = u32::from_le_bytes(*data.get(1..)?.first_chunk()?);
            ((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1, 4)
        }
        LOSSY => {
            let (width, height) = lossy_frame(data)?;
            (width, height, 2)
        }
        _ => return None,
    };
    Some(Header {
        scratch,
        ..Header::new(ImageFormat::WebP, width, height)
    })
}

/// The name of a chunk with a lossy frame.
const LOSSY: &[u8] = b"VP8 ";

/// RFC 6386, section 9.1: after a tag of three bytes a start code, then the sides.
fn lossy_frame(data: &[u8]) -> Option<(u32, u32)> {
    let sides = data.get(3..)?.strip_prefix(b"\x9D\x01\x2A")?;
    let side = |at| Some(u32::from(le_u16(sides, at)? & 0x3FFF));
    Some((side(0)?, side(2)?))
}

/// ITU T.81, annex B: segments, each with its length, up to the first scan. There is one frame among them; an Exif segment
/// may turn the image.
fn jpeg(head: &[u8]) -> Option<Header> {
    let mut rest = head.strip_prefix(b"\xFF\xD8")?;
    let mut turned = false;
    let mut frame: Option<Frame> = None;
    while let Some((code, segment, more)) = next_segment(rest) {
        rest = more;
        match code {
            // Tables and the arithmetic coder's conditions have codes amid the frames'.
            0xC4 | 0xC8 | 0xCC => {}
            0xC0..=0xCF if frame.is_some() => return None,
            0xC0..=0xCF => frame = Some(Frame::read(code, segment)?),
            0xE1 => turned |= segment.strip_prefix(b"Exif\0\0").is_some_and(is_turned),
            0xDA => {
                let frame = frame?;
                let in_one_pass = !frame.progressive && segment.first() == Some(&frame.components);
                return Some(frame.header(turned, in_one_pass));
            }
            0xD9 => break,
            _ => {}
        }
    }
    // The beginning of a file may end before the scan.
    frame.map(|frame| frame.header(turned, false))
}

/// Of a JPEG's start of frame.
struct Frame {
    width: u16,
    height: u16,
    components: u8,
    progressive: bool,
}

impl Frame {
    fn read(code: u8, segment: &[u8]) -> Option<Self> {
        Some(Self {
            height: be_u16(segment, 1)?,
            width: be_u16(segment, 3)?,
            components: *segment.get(5)?,
            progressive: matches!(code, 0xC2 | 0xC6 | 0xCA | 0xCE),
        })
    }

    fn header(&self, turned: bool, in_one_pass: bool) -> Header {
        Header {
            turned,
            // Otherwise all coefficients are kept until the last scan, two bytes each.
            scratch: if in_one_pass {
                0
            } else {
                self.components.saturating_mul(2)
            },
            ..Header::new(ImageFormat::Jpeg, self.width.into(), self.height.into())
        }
    }
}

/// The code and the content of a JPEG's next segment, and what comes after it. What has no content is skipped.
fn next_segment(mut rest: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    loop {
        // Anything between segments is skipped, and so is a repeated FF, as decoders do.
        let mark = rest.iter().position(|byte| *byte == 0xFF)?;
        let fill = rest[mark..].iter().position(|byte| *byte != 0xFF)?;
        let code = rest[mark + fill];
        rest = &rest[mark + fill + 1..];
        match code {
            // No segments: stuffing, TEM and restarts.
            0x00 | 0x01 | 0xD0..=0xD7 => {}
            0xD9 => return Some((code, &[], rest)),
            _ => {
                let length = usize::from(be_u16(rest, 0)?);
                return Some((code, rest.get(2..length)?, &rest[length..]));
            }
        }
    }
}

fn is_turned(exif: &[u8]) -> bool {
    use Orientation::{Rotate90, Rotate90FlipH, Rotate270, Rotate270FlipH};
    let orientation = Orientation::from_exif_chunk(exif);
    matches!(orientation, Some(Rotate90 | Rotate270 | Rotate90FlipH | Rotate270FlipH))
}

fn be_u16(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|bytes| u16::from_be_bytes(*bytes))
}

fn be_u32(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|bytes| u32::from_be_bytes(*bytes))
}

fn le_u16(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|bytes| u16::from_le_bytes(*bytes))
}

fn le_u24(bytes: &[u8], at: usize) -> Option<u32> {
    let [a, b, c] = *bytes.get(at..)?.first_chunk()?;
    Some(u32::from_le_bytes([a, b, c, 0]))
}
