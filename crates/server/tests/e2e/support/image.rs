use image::{GrayImage, ImageFormat, Luma};
use std::io::Cursor;

/// A PNG of that size that can be decoded; another `shade`, other bytes.
pub(crate) fn picture(width: u32, height: u32, shade: u8) -> Vec<u8> {
    let image = GrayImage::from_pixel(width, height, Luma([shade]));
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner()
}

/// A PNG of a few bytes whose header claims 30,000 by 30,000 pixels.
pub(crate) fn bomb() -> Vec<u8> {
    let mut bytes = picture(1, 1, 0);
    // The length and the name of the first chunk stand before its content, behind the signature of 8 bytes.
    let header = 16..24;
    bytes[header].copy_from_slice(&[30_000_u32.to_be_bytes(), 30_000_u32.to_be_bytes()].concat());
    let sum = crc(&bytes[12..29]);
    bytes[29..33].copy_from_slice(&sum.to_be_bytes());
    bytes
}

/// Width and height of an image, which must be one.
pub(crate) fn size_of(image: &[u8]) -> (u32, u32) {
    let image = image::load_from_memory(image).unwrap();
    (image.width(), image.height())
}

/// ISO 3309, as PNG wants it.
fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |sum: u32, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| {
            (sum >> 1) ^ (0xEDB8_8320 & (sum & 1).wrapping_neg())
        })
    })
}
