//! Bytes that mean harm, or mean nothing.

use super::fixtures::{FORMATS, animated_webp, encode, quarters, with_orientation};
use super::inspect::told;
use bytes::Bytes;
use image::ImageFormat;
use proptest::prelude::*;
use tertulia_adapters_files::FileFormats;
use tertulia_application::ports::ImageInspector;

fn samples() -> Vec<Vec<u8>> {
    let image = quarters(24, 18);
    let mut samples = FORMATS.map(|format| encode(&image, format)).to_vec();
    samples.push(with_orientation(&encode(&image, ImageFormat::Jpeg), 6));
    samples.push(animated_webp(24, 18));
    samples
}

/// An image with some of its bytes changed, and cut somewhere.
fn damaged() -> impl Strategy<Value = Vec<u8>> {
    let change = (any::<prop::sample::Index>(), any::<u8>());
    let sample = prop::sample::select(samples());
    (
        sample,
        prop::collection::vec(change, 0..8),
        any::<prop::sample::Index>(),
    )
        .prop_map(|(mut image, changes, cut)| {
            for (at, byte) in changes {
                let at = at.index(image.len());
                image[at] = byte;
            }
            image.truncate(cut.index(image.len() * 2).max(1));
            image
        })
}

/// Whatever the bytes, there is an answer, and only an image has a size.
fn check(bytes: &[u8]) {
    let (kind, size) = told(bytes);
    let image = FORMATS.iter().any(|format| format.to_mime_type() == kind);
    assert_eq!(size.is_some(), image, "{kind}");
    assert!(size.is_none_or(|(width, height)| width > 0 && height > 0));
}

#[test]
fn a_truncated_image_is_an_image_or_unknown() {
    for sample in samples() {
        let (whole, _) = told(&sample);
        for length in 0..sample.len() {
            let head = &sample[..length];
            check(head);
            let (kind, size) = told(head);
            assert!(kind == whole || size.is_none(), "{kind} at {length}");
        }
    }
}

proptest! {
    #[test]
    fn random_bytes_are_inspected(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        check(&bytes);
    }

    #[test]
    fn random_bytes_behind_a_signature_are_inspected(
        start in prop::sample::select(vec![
            b"\x89PNG\r\n\x1A\n\0\0\0\rIHDR".as_slice(), b"\xFF\xD8", b"\xFF\xD8\xFF\xE1\0\x40Exif\0\0", b"GIF89a",
            b"RIFF\0\0\0\0WEBPVP8X", b"RIFF\0\0\0\0WEBPVP8 ", b"PK\x03\x04", b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1",
            b"\0\0\0\x20ftyp", b"<?xml", b"<!--", b"<!doctype",
        ]),
        bytes in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        check(&[start, &bytes].concat());
    }

    #[test]
    fn damaged_images_are_inspected(image in damaged()) {
        check(&image);
    }

    #[test]
    fn random_text_is_inspected(text in "[<!?/a-z>\\- ]{0,40}") {
        check(text.as_bytes());
    }

    #[test]
    fn damaged_images_bring_no_decoder_down(images in prop::collection::vec(damaged(), 4)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let formats = FileFormats::start().unwrap();
        for image in images {
            let made = runtime.block_on(formats.thumbnail(Bytes::from(image), 16));
            if let Err(error) = made {
                prop_assert!(!error.0.contains("panicked"));
            }
        }
    }
}
