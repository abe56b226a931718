//! Images, made when they are needed.

use image::codecs::gif::GifEncoder;
use image::{Delay, DynamicImage, Frame, ImageFormat, Rgba, RgbaImage};
use std::io::Cursor;

pub(crate) const RED: Rgba<u8> = Rgba([255, 0, 0, 255]);
pub(crate) const GREEN: Rgba<u8> = Rgba([0, 255, 0, 255]);
pub(crate) const BLUE: Rgba<u8> = Rgba([0, 0, 255, 255]);
pub(crate) const WHITE: Rgba<u8> = Rgba([255, 255, 255, 255]);

/// The four formats that have thumbnails.
pub(crate) const FORMATS: [ImageFormat; 4] = [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::Gif, ImageFormat::WebP];

/// A lossy WebP of one black pixel; there is no encoder for it here.
pub(crate) const LOSSY_WEBP: &[u8] =
    b"RIFF\x22\0\0\0WEBPVP8 \x16\0\0\0\x30\x01\0\x9D\x01\x2A\x01\0\x01\0\x0E\xC0\xFE\x25\xA4\0\x03\x70\0\0\0\0";

/// An image whose quarters have four colours: red and green above, blue and white below.
pub(crate) fn quarters(width: u32, height: u32) -> DynamicImage {
    RgbaImage::from_fn(width, height, |x, y| match (x < width / 2, y < height / 2) {
        (true, true) => RED,
        (false, true) => GREEN,
        (true, false) => BLUE,
        (false, false) => WHITE,
    })
    .into()
}

pub(crate) fn encode(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    match format {
        ImageFormat::Jpeg => image.to_rgb8().write_to(&mut bytes, format).unwrap(),
        _ => image.write_to(&mut bytes, format).unwrap(),
    }
    bytes.into_inner()
}

pub(crate) fn solid(width: u32, height: u32, colour: Rgba<u8>) -> RgbaImage {
    RgbaImage::from_pixel(width, height, colour)
}

/// A GIF whose first frame is red and whose second is blue.
pub(crate) fn animated_gif(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = GifEncoder::new(&mut bytes);
    for colour in [RED, BLUE] {
        let picture = solid(width, height, colour);
        let frame = Frame::from_parts(picture, 0, 0, Delay::from_numer_denom_ms(100, 1));
        encoder.encode_frame(frame).unwrap();
    }
    drop(encoder);
    bytes
}

/// The same as WebP.
pub(crate) fn animated_webp(width: u32, height: u32) -> Vec<u8> {
    let side = |pixels: u32| (pixels - 1).to_le_bytes()[..3].to_vec();
    let frames = [RED, BLUE].map(|colour| {
        let still = encode(&solid(width, height, colour).into(), ImageFormat::WebP);
        // At the origin, for a tenth of a second; then the still image's chunk.
        let frame = [
            vec![0; 6],
            side(width),
            side(height),
            vec![100, 0, 0, 0],
            still[12..].to_vec(),
        ]
        .concat();
        riff_chunk(*b"ANMF", &frame)
    });
    extended_webp(
        0x02,
        width,
        height,
        &[riff_chunk(*b"ANIM", &[0; 6]), frames.concat()].concat(),
    )
}

/// A WebP that says how large it is, and of what kind, before the given chunks.
pub(crate) fn extended_webp(flags: u8, width: u32, height: u32, chunks: &[u8]) -> Vec<u8> {
    let [width, height] = [width, height].map(|pixels| (pixels - 1).to_le_bytes());
    let canvas = [&[flags, 0, 0, 0], &width[..3], &height[..3]].concat();
    riff_chunk(
        *b"RIFF",
        &[b"WEBP", riff_chunk(*b"VP8X", &canvas).as_slice(), chunks].concat(),
    )
}

fn riff_chunk(name: [u8; 4], data: &[u8]) -> Vec<u8> {
    let length = u32::try_from(data.len()).unwrap().to_le_bytes();
    let padding = vec![0; data.len() % 2];
    [&name[..], &length, data, &padding].concat()
}

/// A JPEG with an Exif segment that asks for an orientation of 1 to 8.
pub(crate) fn with_orientation(jpeg: &[u8], orientation: u8) -> Vec<u8> {
    let entry = [0x12, 0x01, 3, 0, 1, 0, 0, 0, orientation, 0, 0, 0];
    let exif = [b"Exif\0\0II*\0\x08\0\0\0\x01\0".as_slice(), &entry, &[0; 4]].concat();
    let length = u16::try_from(exif.len() + 2).unwrap().to_be_bytes();
    [&jpeg[..2], b"\xFF\xE1", &length, &exif, &jpeg[2..]].concat()
}

/// A JPEG that says it has another size and, with `progressive`, that it is progressive.
pub(crate) fn with_size(jpeg: &[u8], width: u16, height: u16, progressive: bool) -> Vec<u8> {
    let mut bytes = jpeg.to_vec();
    let frame = bytes.windows(2).position(|code| code == b"\xFF\xC0").unwrap();
    bytes[frame + 5..frame + 7].copy_from_slice(&height.to_be_bytes());
    bytes[frame + 7..frame + 9].copy_from_slice(&width.to_be_bytes());
    if progressive {
        bytes[frame + 1] = 0xC2;
    }
    bytes
}

/// A JPEG of three components whose first scan is of one only, or so it says.
pub(crate) fn with_scans(jpeg: &[u8]) -> Vec<u8> {
    let scan = jpeg
        .windows(5)
        .position(|start| start == b"\xFF\xDA\0\x0C\x03")
        .unwrap();
    let [before, all] = [&jpeg[..scan], &jpeg[scan..]];
    [before, b"\xFF\xDA\0\x08\x01", &all[5..7], &all[11..]].concat()
}

/// A PNG with transparency that says how large it is and has hardly any data.
pub(crate) fn hollow_png(width: u32, height: u32) -> Vec<u8> {
    let header = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[8, 6, 0, 0, 0]].concat();
    [
        b"\x89PNG\r\n\x1A\n".to_vec(),
        png_chunk(*b"IHDR", &header),
        // Empty, as zlib has it.
        png_chunk(*b"IDAT", b"\x78\x9C\x03\0\0\0\0\x01"),
        png_chunk(*b"IEND", b""),
    ]
    .concat()
}

fn png_chunk(name: [u8; 4], data: &[u8]) -> Vec<u8> {
    let length = u32::try_from(data.len()).unwrap().to_be_bytes();
    let named = [&name[..], data].concat();
    let checksum = crc32(&named).to_be_bytes();
    [&length[..], &named, &checksum].concat()
}

fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 };
    !bytes
        .iter()
        .fold(u32::MAX, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), step))
}
