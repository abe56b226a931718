//! The suite. A case takes a fresh store of either kind.

use super::place::{Place, key, pattern};
use bytes::Bytes;
use futures_util::future::join_all;
use std::time::{Duration, Instant};
use tertulia_application::ports::{FileStore, ObjectWriter, StoreError};

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;
const ALL: std::ops::Range<u64> = 0..u64::MAX;

pub(crate) async fn what_was_written_is_read(place: Place) {
    // Around the sizes of a local part and of S3's, and several of the latter.
    let lengths = [
        0,
        1,
        256 * KIB - 1,
        256 * KIB,
        256 * KIB + 1,
        5 * MIB,
        5 * MIB + 1,
        12 * MIB,
    ];
    for length in lengths {
        for chunk in [100 * KIB, 20 * MIB] {
            let name = format!("{length}-{chunk}");
            let bytes = pattern(length);
            let mut writer = place.store.create(&key(&name)).await.unwrap();
            for start in (0..length).step_by(chunk) {
                let chunk = bytes.slice(start..length.min(start + chunk));
                writer.write(chunk).await.unwrap();
            }
            writer.finish().await.unwrap();
            assert!(place.read(&name, ALL).await.unwrap() == bytes, "{name}");
        }
    }
}

pub(crate) async fn a_range_is_cut_to_the_object(place: Place) {
    let bytes = pattern(300 * KIB + 7);
    let length = bytes.len() as u64;
    place.write("object", &bytes).await;
    for range in [
        0..1,
        0..length,
        5..10,
        length - 1..length,
        length - 1..length + 1,
        70_000..250_000,
        100..u64::MAX,
        0..u64::MAX - 1,
        0..length + 1,
    ] {
        let [start, end] = [range.start, range.end.min(length)].map(|at| usize::try_from(at).unwrap());
        let expected = bytes.slice(start..end);
        assert!(
            place.read("object", range.clone()).await.unwrap() == expected,
            "{range:?}"
        );
    }
}

pub(crate) async fn a_range_that_holds_nothing_is_empty(place: Place) {
    place.write("object", &pattern(100)).await;
    place.write("empty", &Bytes::new()).await;
    for (name, range) in [
        ("object", 0..0),
        ("object", 50..50),
        ("object", 100..101),
        ("object", 100..u64::MAX),
        ("object", 1_000..2_000),
        ("empty", 0..0),
        ("empty", 0..1),
        ("empty", ALL),
        ("empty", 1..u64::MAX),
    ] {
        assert_eq!(place.read(name, range.clone()).await.unwrap(), b"", "{name} {range:?}");
    }
}

pub(crate) async fn what_is_not_there_is_not_found(place: Place) {
    place.write("folder/object", &pattern(1)).await;
    for name in ["object", "folder", "folder/other"] {
        for range in [ALL, 0..10, 5..u64::MAX, 3..3] {
            let read = place.read(name, range.clone()).await;
            assert!(matches!(read, Err(StoreError::NotFound)), "{name} {range:?}: {read:?}");
        }
    }
}

pub(crate) async fn deleting_twice_is_as_good(place: Place) {
    place.write("object", &pattern(10)).await;
    place.store.delete(&key("object")).await.unwrap();
    assert!(matches!(place.read("object", ALL).await, Err(StoreError::NotFound)));
    place.store.delete(&key("object")).await.unwrap();
    place.store.delete(&key("never/there")).await.unwrap();
    assert_eq!(place.remains().await, [""; 0]);
}

pub(crate) async fn an_object_is_there_whole_or_not_at_all(place: Place) {
    let mut writer = place.store.create(&key("object")).await.unwrap();
    for _ in 0..2 {
        writer.write(pattern(6 * MIB)).await.unwrap();
        assert!(matches!(place.read("object", ALL).await, Err(StoreError::NotFound)));
    }
    writer.finish().await.unwrap();
    assert_eq!(place.read("object", ALL).await.unwrap().len(), 12 * MIB);
    assert_eq!(place.remains().await.len(), 1);
}

async fn unfinished(place: &Place, length: usize) -> Box<dyn ObjectWriter> {
    let mut writer = place.store.create(&key("folder/object")).await.unwrap();
    writer.write(pattern(length)).await.unwrap();
    writer
}

pub(crate) async fn an_aborted_object_leaves_nothing(place: Place) {
    for length in [0, 10, 6 * MIB, 12 * MIB] {
        unfinished(&place, length).await.abort().await.unwrap();
        assert_eq!(place.remains().await, [""; 0], "{length}");
        assert!(matches!(
            place.read("folder/object", ALL).await,
            Err(StoreError::NotFound)
        ));
    }
}

pub(crate) async fn a_dropped_object_leaves_nothing(place: Place) {
    for length in [0, 10, 6 * MIB, 12 * MIB] {
        drop(unfinished(&place, length).await);
        // It is removed in the background.
        let limit = Instant::now() + Duration::from_secs(20);
        while !place.remains().await.is_empty() {
            assert!(Instant::now() < limit, "{length}: {:?}", place.remains().await);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

pub(crate) async fn writers_do_not_disturb_each_other(place: Place) {
    let bytes = pattern(7 * MIB);
    let one = async |number: usize| {
        let name = format!("objects/{number}");
        let mine = bytes.slice(number..);
        let mut writer = place.store.create(&key(&name)).await.unwrap();
        for chunk in mine.chunks(MIB) {
            writer.write(mine.slice_ref(chunk)).await.unwrap();
        }
        if number.is_multiple_of(2) {
            writer.finish().await.unwrap();
        } else {
            writer.abort().await.unwrap();
        }
    };
    join_all((0..8).map(one)).await;
    for number in 0..8_usize {
        let read = place.read(&format!("objects/{number}"), ALL).await;
        if number.is_multiple_of(2) {
            assert!(read.unwrap() == bytes.slice(number..), "{number}");
        } else {
            assert!(matches!(read, Err(StoreError::NotFound)), "{number}");
        }
    }
    assert_eq!(place.remains().await.len(), 4);
}

pub(crate) async fn keys_may_have_folders(place: Place) {
    let names = ["a", "objects/ab/a", "objects/cd/a", "objects/ab/A-b_9"];
    for name in names {
        place.write(name, &Bytes::copy_from_slice(name.as_bytes())).await;
    }
    for name in names {
        assert_eq!(place.read(name, ALL).await.unwrap(), name.as_bytes());
    }
    place.store.delete(&key("objects/ab/a")).await.unwrap();
    assert_eq!(place.remains().await.len(), 3);
}

pub(crate) async fn a_usable_store_says_so(place: Place) {
    place.store.check().await.unwrap();
    place.store.check().await.unwrap();
    assert_eq!(place.remains().await.len(), 1);
}
