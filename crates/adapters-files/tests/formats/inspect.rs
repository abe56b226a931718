use super::fixtures::{
    FORMATS, LOSSY_WEBP, RED, animated_gif, animated_webp, encode, hollow_png, quarters, solid, with_orientation,
    with_size,
};
use image::ImageFormat;
use std::sync::LazyLock;
use tertulia_adapters_files::FileFormats;
use tertulia_application::ports::{INSPECTED_BYTES, ImageInspector};

const UNKNOWN: &str = "application/octet-stream";

/// What is told of some bytes.
pub(crate) fn told(bytes: &[u8]) -> (String, Option<(u32, u32)>) {
    static FORMATS: LazyLock<FileFormats> = LazyLock::new(|| FileFormats::start().unwrap());
    let inspection = FORMATS.inspect(bytes);
    let dimensions = inspection.dimensions.map(|size| (size.width, size.height));
    (inspection.media_type.as_str().to_owned(), dimensions)
}

fn kind(bytes: &[u8]) -> String {
    let (kind, dimensions) = told(bytes);
    assert_eq!(dimensions, None, "{kind}");
    kind
}

#[test]
fn images_tell_their_size() {
    for format in FORMATS {
        for (width, height) in [(1, 1), (640, 480), (3, 1_000)] {
            let image = encode(&quarters(width, height), format);
            let expected = (format.to_mime_type().to_owned(), Some((width, height)));
            assert_eq!(told(&image), expected);
            assert_eq!(told(&image[..image.len().min(INSPECTED_BYTES)]), expected);
        }
    }
    assert_eq!(told(LOSSY_WEBP), ("image/webp".to_owned(), Some((1, 1))));
    assert_eq!(told(&animated_gif(20, 10)), ("image/gif".to_owned(), Some((20, 10))));
    assert_eq!(told(&animated_webp(20, 10)), ("image/webp".to_owned(), Some((20, 10))));
    let progressive = with_size(&encode(&quarters(2, 2), ImageFormat::Jpeg), 4_000, 3_000, true);
    assert_eq!(told(&progressive), ("image/jpeg".to_owned(), Some((4_000, 3_000))));
}

#[test]
fn a_turned_photograph_has_the_size_that_is_shown() {
    let photograph = encode(&quarters(40, 30), ImageFormat::Jpeg);
    for (orientation, size) in [
        (1, (40, 30)),
        (3, (40, 30)),
        (5, (30, 40)),
        (6, (30, 40)),
        (8, (30, 40)),
        (9, (40, 30)),
    ] {
        assert_eq!(
            told(&with_orientation(&photograph, orientation)).1,
            Some(size),
            "{orientation}"
        );
    }
}

#[test]
fn a_large_preview_hides_no_size() {
    let photograph = encode(&quarters(40, 30), ImageFormat::Jpeg);
    let segment = [b"\xFF\xE2\xFF\xFF".to_vec(), vec![0; 0xFFFD]].concat();
    let padded = [&photograph[..2], &segment.repeat(3), &photograph[2..]].concat();
    assert_eq!(told(&padded), ("image/jpeg".to_owned(), Some((40, 30))));
}

#[test]
fn a_bomb_tells_its_size() {
    assert_eq!(
        told(&hollow_png(30_000, 30_000)),
        ("image/png".to_owned(), Some((30_000, 30_000)))
    );
    assert!(hollow_png(30_000, 30_000).len() < 100);
}

#[test]
fn an_image_with_a_broken_header_is_unknown() {
    let jpeg = encode(&quarters(8, 8), ImageFormat::Jpeg);
    let mut webp = LOSSY_WEBP.to_vec();
    webp[23] = 0;
    for broken in [
        hollow_png(0, 10),
        hollow_png(1 << 31, 10),
        hollow_png(10, 10)[..20].to_vec(),
        b"\x89PNG\r\n\x1A\nnothing of the kind".to_vec(),
        with_size(&jpeg, 8, 0, false),
        jpeg[..20].to_vec(),
        b"\xFF\xD8\xFF\xD9".to_vec(),
        b"GIF89a\0\0\0\0\0\0\0".to_vec(),
        b"GIF90a\x01\0\x01\0\0\0\0".to_vec(),
        webp,
        b"RIFF\0\0\0\0WEBPVP9 \0\0\0\0".to_vec(),
    ] {
        assert_eq!(kind(&broken), UNKNOWN, "{broken:?}");
    }
}

#[test]
fn a_page_is_a_page_whatever_its_name() {
    assert_eq!(kind(b"<!DOCTYPE html><script>alert(1)</script>"), "text/html");
    assert_eq!(kind(b"\xEF\xBB\xBF\n<html>"), "text/html");
    // With bytes that are no UTF-8.
    assert_eq!(kind(b"<html><p>caf\xE9</p>"), "text/html");
    assert_eq!(kind(b"<?xml version='1.0'?><svg onload='alert(1)'/>"), "image/svg+xml");
}

#[test]
fn of_two_formats_in_one_file_the_first_counts() {
    let page = b"<script>alert(1)</script>";
    let gif = encode(&solid(5, 4, RED).into(), ImageFormat::Gif);
    assert_eq!(
        told(&[&gif, page.as_slice()].concat()),
        ("image/gif".to_owned(), Some((5, 4)))
    );
    let png = encode(&quarters(5, 4), ImageFormat::Png);
    assert_eq!(told(&[&png, b"PK\x03\x04".as_slice()].concat()).0, "image/png");
    assert_eq!(kind(&[page.as_slice(), &png].concat()), "text/html");
    assert_eq!(kind(b"GIF89a=1;alert(1)"), "text/plain");
    assert_eq!(kind(b"BM, or not BM"), "text/plain");
}

#[test]
fn other_formats_are_known_by_their_beginning() {
    let tar = [vec![b'a'; 257], b"ustar\0".to_vec()].concat();
    for (bytes, expected) in [
        (b"".as_slice(), UNKNOWN),
        (b"\0\x01\x02\x03", UNKNOWN),
        (b"\xFE\xED", UNKNOWN),
        ("¡Hola!\n".as_bytes(), "text/plain"),
        (b"#!/bin/sh\nexit", "text/plain"),
        (b"%PDF-1.7\n%\xE2\xE3\xCF\xD3\n", "application/pdf"),
        (b"PK\x03\x04\x14\0\0\0\x08\0", "application/zip"),
        (b"\x1F\x8B\x08\0\0\0\0\0", "application/gzip"),
        (b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1\0\0", "application/x-ole-storage"),
        (b"BM\x9A\0\0\0\0\0\0\0", "image/bmp"),
        (b"\0\0\0\x20ftypisom\0\0\x02\0isomiso2avc1mp41", "video/mp4"),
        (b"ID3\x03\0\0\0\0\0\0", "audio/mpeg"),
        (
            b"\x7FELF\x02\x01\x01\0".repeat(8).as_slice(),
            "application/x-executable",
        ),
        (&tar, "application/x-tar"),
    ] {
        assert_eq!(kind(bytes), expected, "{bytes:?}");
    }
}
