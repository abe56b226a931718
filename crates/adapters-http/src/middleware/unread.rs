//! Bodies that nobody reads to their end.

use actix_web::HttpMessage;
use actix_web::dev::{Payload, ServiceRequest};
use actix_web::error::PayloadError;
use actix_web::http::header::TRANSFER_ENCODING;
use actix_web::web::Bytes;
use futures_util::{Stream, StreamExt};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

/// How long an unread body outlives its request: long enough for the answer to be under way.
const OUTLIVES: Duration = Duration::from_secs(1);

/// Sees to it that a connection whose body is not read to the end is closed after the answer.
///
/// Of a chunked body that was dropped actix reads on to its end, however far off that is, or no further at all, and keeps
/// the connection as long as the client likes. One that is still there when the answer goes out makes it close the
/// connection, lingering no longer than `client_disconnect_timeout`.
pub(super) fn close_unread(request: &mut ServiceRequest) {
    if request.headers().contains_key(TRANSFER_ENCODING) {
        let body = Chunked(Some(request.take_payload()));
        request.set_payload(Payload::Stream {
            payload: Box::pin(body),
        });
    }
}

/// A chunked body; `None` once it was read to its end.
struct Chunked(Option<Payload>);

impl Stream for Chunked {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(body) = &mut self.0 else {
            return Poll::Ready(None);
        };
        let next = body.poll_next_unpin(cx);
        if matches!(next, Poll::Ready(None)) {
            self.0 = None;
        }
        next
    }
}

impl Drop for Chunked {
    fn drop(&mut self) {
        if let Some(unread) = self.0.take() {
            actix_web::rt::spawn(async move {
                actix_web::rt::time::sleep(OUTLIVES).await;
                drop(unread);
            });
        }
    }
}
