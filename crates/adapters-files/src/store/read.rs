//! An object's bytes as a stream.

use super::error;
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use object_store::{GetRange, GetResult, GetResultPayload};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use tertulia_application::ports::{ByteStream, StoreError};

/// Bytes of a file that are read at a time.
const CHUNK: u64 = 64 * 1024;

/// The range to ask a server for, if not all.
pub(super) fn wanted(range: &Range<u64>) -> Option<GetRange> {
    match (range.start, range.end) {
        (0, u64::MAX) => None,
        (start, u64::MAX) => Some(GetRange::Offset(start)),
        _ => Some(GetRange::Bounded(range.clone())),
    }
}

pub(super) fn nothing() -> ByteStream {
    stream::empty().boxed()
}

/// What was found, as far as it lies in the range.
pub(super) fn stream(found: GetResult, range: Range<u64>) -> ByteStream {
    match found.payload {
        GetResultPayload::Stream(bytes) => bytes.map_err(error::of_reading).boxed(),
        GetResultPayload::File(file, _) => from_file(file, range.start..range.end.min(found.meta.size)),
    }
}

fn from_file(file: File, range: Range<u64>) -> ByteStream {
    stream::try_unfold((file, range), |(file, range)| async move {
        if range.is_empty() {
            return Ok(None);
        }
        let reading = tokio::task::spawn_blocking(move || read(file, range)).await;
        let read = reading.map_err(|error| StoreError::Failed(error.into()))?;
        read.map(Some).map_err(error::of_io)
    })
    .boxed()
}

/// The first bytes of a range; with the rest, for the next step.
fn read(mut file: File, range: Range<u64>) -> io::Result<(Bytes, (File, Range<u64>))> {
    let length = CHUNK.min(range.end - range.start);
    let mut bytes = vec![0; usize::try_from(length).map_err(io::Error::other)?];
    file.seek(SeekFrom::Start(range.start))?;
    file.read_exact(&mut bytes)?;
    Ok((bytes.into(), (file, range.start + length..range.end)))
}
