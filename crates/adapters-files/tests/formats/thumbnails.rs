use super::fixtures::{
    BLUE, FORMATS, GREEN, LOSSY_WEBP, RED, WHITE, animated_gif, animated_webp, encode, extended_webp, hollow_png,
    quarters, solid, with_orientation, with_scans, with_size,
};
use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::join_all;
use image::{DynamicImage, ImageFormat, Rgba};
use std::time::{Duration, Instant};
use tertulia_adapters_files::FileFormats;
use tertulia_application::ports::{ImageInspector, ThumbnailError};

async fn make(image: Vec<u8>, longest: u32) -> Result<(ImageFormat, DynamicImage), ThumbnailError> {
    let formats = FileFormats::start().unwrap();
    let thumbnail = formats.thumbnail(image.into(), longest).await?;
    let format = image::guess_format(&thumbnail).unwrap();
    Ok((format, image::load_from_memory(&thumbnail).unwrap()))
}

/// Whether a pixel has a colour, give or take what JPEG makes of it.
fn is(pixel: Rgba<u8>, colour: Rgba<u8>) -> bool {
    let channels = pixel.0.iter().zip(colour.0);
    channels.into_iter().all(|(one, other)| one.abs_diff(other) < 24)
}

/// The colours in the middle of the quarters, from left to right and top to bottom.
fn corners(picture: &DynamicImage) -> [Rgba<u8>; 4] {
    let picture = picture.to_rgba8();
    let (width, height) = picture.dimensions();
    [(1, 1), (3, 1), (1, 3), (3, 3)].map(|(x, y)| *picture.get_pixel(width * x / 4, height * y / 4))
}

#[tokio::test]
async fn the_longest_side_is_cut_down() {
    for (from, to) in [
        ((1_000, 500), (320, 160)),
        ((500, 1_000), (160, 320)),
        ((700, 700), (320, 320)),
        ((321, 1), (320, 1)),
        ((1, 2_000), (1, 320)),
        // As they are.
        ((320, 200), (320, 200)),
        ((10, 5), (10, 5)),
        ((1, 1), (1, 1)),
    ] {
        for format in FORMATS {
            let (made, picture) = make(encode(&quarters(from.0, from.1), format), 320).await.unwrap();
            assert_eq!(
                (made, picture.width(), picture.height()),
                (ImageFormat::Jpeg, to.0, to.1),
                "{format:?}"
            );
        }
    }
}

#[tokio::test]
async fn the_picture_stays_the_same() {
    for format in FORMATS {
        let (_, picture) = make(encode(&quarters(600, 400), format), 100).await.unwrap();
        for (found, expected) in corners(&picture).into_iter().zip([RED, GREEN, BLUE, WHITE]) {
            assert!(is(found, expected), "{format:?}: {found:?}, not {expected:?}");
        }
    }
}

#[tokio::test]
async fn any_depth_of_colour_will_do() {
    let image = quarters(40, 20);
    for image in [
        DynamicImage::from(image.to_rgb16()),
        image.to_rgba16().into(),
        image.to_luma8().into(),
        image.to_luma16().into(),
        image.to_luma_alpha8().into(),
    ] {
        let (format, picture) = make(encode(&image, ImageFormat::Png), 10).await.unwrap();
        assert_eq!((format, picture.width(), picture.height()), (ImageFormat::Jpeg, 10, 5));
    }
}

#[tokio::test]
async fn what_one_can_see_through_stays_so() {
    let mut image = solid(600, 400, RED);
    for (x, _, pixel) in image.enumerate_pixels_mut() {
        pixel.0[3] = if x < 300 { 0 } else { 255 };
    }
    for format in [ImageFormat::Png, ImageFormat::WebP] {
        let (made, picture) = make(encode(&image.clone().into(), format), 100).await.unwrap();
        assert_eq!(
            (made, picture.width(), picture.height()),
            (ImageFormat::Png, 100, 67),
            "{format:?}"
        );
        assert_eq!(corners(&picture).map(|pixel| pixel.0[3]), [0, 255, 0, 255]);
    }
}

#[tokio::test]
async fn photographs_are_turned_upright() {
    let photograph = encode(&quarters(400, 200), ImageFormat::Jpeg);
    for (orientation, expected) in [
        (1, [RED, GREEN, BLUE, WHITE]),
        (2, [GREEN, RED, WHITE, BLUE]),
        (3, [WHITE, BLUE, GREEN, RED]),
        (4, [BLUE, WHITE, RED, GREEN]),
        (5, [RED, BLUE, GREEN, WHITE]),
        (6, [BLUE, RED, WHITE, GREEN]),
        (7, [WHITE, GREEN, BLUE, RED]),
        (8, [GREEN, WHITE, RED, BLUE]),
    ] {
        let (_, picture) = make(with_orientation(&photograph, orientation), 100).await.unwrap();
        let size = if orientation < 5 { (100, 50) } else { (50, 100) };
        assert_eq!((picture.width(), picture.height()), size, "{orientation}");
        for (found, expected) in corners(&picture).into_iter().zip(expected) {
            assert!(is(found, expected), "{orientation}: {found:?}, not {expected:?}");
        }
    }
}

#[tokio::test]
async fn of_an_animation_the_first_frame_is_taken() {
    for animation in [animated_gif(80, 40), animated_webp(80, 40)] {
        let (_, picture) = make(animation, 20).await.unwrap();
        assert_eq!((picture.width(), picture.height()), (20, 10));
        assert!(corners(&picture).into_iter().all(|found| is(found, RED)));
    }
}

#[tokio::test]
async fn lossy_webp_is_read() {
    assert_eq!(make(LOSSY_WEBP.to_vec(), 320).await.unwrap().1.width(), 1);
}

#[tokio::test]
async fn bombs_are_refused_at_once() {
    let jpeg = encode(&quarters(8, 8), ImageFormat::Jpeg);
    let [mut gif, mut webp] = [ImageFormat::Gif, ImageFormat::WebP].map(|format| encode(&quarters(8, 8), format));
    gif[6..10].fill(0xFF);
    // Twice 16,382 in 14 bits: sides are stored less one.
    webp[21..25].copy_from_slice(b"\xFE\xBF\xFF\x1F");
    let start = Instant::now();
    for bomb in [
        hollow_png(30_000, 30_000),
        hollow_png(32_769, 1),
        hollow_png(1, 1_000_000),
        with_size(&jpeg, 65_535, 65_535, false),
        // Would be small enough were it not progressive.
        with_size(&jpeg, 6_000, 6_000, true),
        // Or in more than one scan.
        with_scans(&with_size(&jpeg, 6_000, 6_000, false)),
        gif,
        webp,
        extended_webp(0x00, 7_000, 7_000, &LOSSY_WEBP[12..]),
        extended_webp(0x10, 5_000, 5_000, &LOSSY_WEBP[12..]),
    ] {
        let length = bomb.len();
        let refused = make(bomb, 320).await;
        let reason = refused.map(drop).unwrap_err().0;
        assert!(reason.contains("limit"), "{length} bytes: {reason}");
    }
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}

#[tokio::test]
async fn a_frame_may_not_exceed_its_image() {
    let mut frame = LOSSY_WEBP[12..].to_vec();
    assert_eq!(make(extended_webp(0, 1, 1, &frame), 320).await.unwrap().1.width(), 1);
    // From one pixel to sides of 16,383.
    frame[14..18].fill(0xFF);
    let refused = make(extended_webp(0, 1, 1, &frame), 320).await;
    assert_eq!(refused.map(drop).unwrap_err().0, "a frame is larger than the image");
}

#[tokio::test]
async fn what_is_no_image_has_no_thumbnail() {
    let png = encode(&quarters(100, 100), ImageFormat::Png);
    for bytes in [
        b"".as_slice(),
        b"some text",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"BM\x9A\0\0\0\0\0\0\0",
        &png[..png.len() / 2],
        &hollow_png(10, 10),
    ] {
        assert!(make(bytes.to_vec(), 320).await.is_err(), "{bytes:?}");
    }
}

#[tokio::test]
async fn many_may_ask_and_go_away() {
    let formats = FileFormats::start().unwrap();
    let image = Bytes::from(encode(&quarters(300, 300), ImageFormat::Png));
    // Asked, and not waited for.
    for _ in 0..3 {
        assert!(formats.thumbnail(image.clone(), 10).now_or_never().is_none());
    }
    let made = join_all((1..=8).map(|longest| formats.thumbnail(image.clone(), longest))).await;
    for (longest, thumbnail) in (1..=8).zip(made) {
        assert_eq!(image::load_from_memory(&thumbnail.unwrap()).unwrap().width(), longest);
    }
}
