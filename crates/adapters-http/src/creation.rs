//! Answers to creations that may be retries.

use crate::problem::Problem;
use crate::respond;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, HeaderValue};
use serde::Serialize;
use std::sync::{Arc, Mutex, PoisonError};
use tertulia_application::{Keyed, RequestKey};
use tertulia_domain::{Recorded, StoredAnswer};

/// Says that an answer is the first one to its key, given before.
pub(crate) const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

type Encode<T> = Arc<dyn Fn(&T) -> StoredAnswer + Send + Sync>;

/// How one creation is answered. What is recorded for retries is kept for the first answer too: rendered twice, the two
/// could differ in who is online.
pub(crate) struct Creation<T> {
    encode: Encode<T>,
    recorded: Arc<Mutex<Option<StoredAnswer>>>,
}

impl<T: 'static> Creation<T> {
    /// Answers what was created like this.
    pub(crate) fn answered_by(encode: impl Fn(&T) -> StoredAnswer + Send + Sync + 'static) -> Self {
        Self {
            encode: Arc::new(encode),
            recorded: Arc::default(),
        }
    }

    /// What the use case needs to answer retries of a request with that key.
    pub(crate) fn keyed(&self, request: Option<RequestKey>) -> Option<Keyed<T>> {
        let request = request?;
        let encode = Arc::clone(&self.encode);
        let recorded = Arc::clone(&self.recorded);
        let encode: Encode<T> = Arc::new(move |created| {
            let answer = encode(created);
            // A transaction that had to be repeated records again: its last answer is the one that is stored.
            *recorded.lock().unwrap_or_else(PoisonError::into_inner) = Some(answer.clone());
            answer
        });
        Some(Keyed { request, encode })
    }

    /// The answer to what the use case gave.
    pub(crate) fn answer(self, outcome: Recorded<T>) -> Result<HttpResponse, Problem> {
        match outcome {
            Recorded::Fresh(created) => {
                let recorded = self.recorded.lock().unwrap_or_else(PoisonError::into_inner).take();
                respond(recorded.unwrap_or_else(|| (self.encode)(&created)))
            }
            Recorded::Replayed(stored) => respond(stored).map(replayed),
        }
    }
}

/// An answer to be stored.
pub(crate) fn stored(status: StatusCode, value: &impl Serialize) -> StoredAnswer {
    StoredAnswer {
        status: status.as_u16(),
        body: respond::to_json(value),
    }
}

/// Marks an answer as given before.
pub(crate) fn replayed(mut answer: HttpResponse) -> HttpResponse {
    answer.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    answer
}

fn respond(answer: StoredAnswer) -> Result<HttpResponse, Problem> {
    let status = StatusCode::from_u16(answer.status).map_err(Problem::internal)?;
    Ok(respond::json_bytes(status, answer.body))
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::body::to_bytes;
    use std::sync::atomic::{AtomicU32, Ordering};
    use tertulia_domain::{Fingerprint, IdempotencyKey};

    /// A creation whose rendering is different every time.
    fn creation() -> Creation<&'static str> {
        let times = AtomicU32::new(0);
        Creation::answered_by(move |created: &&str| {
            let body = (created, times.fetch_add(1, Ordering::Relaxed));
            stored(StatusCode::CREATED, &body)
        })
    }

    fn request() -> RequestKey {
        RequestKey {
            key: IdempotencyKey::new("key").unwrap(),
            fingerprint: Fingerprint([0; 32]),
        }
    }

    async fn shown(answer: HttpResponse) -> (u16, bool, String) {
        let (status, replayed) = (answer.status().as_u16(), answer.headers().contains_key(REPLAYED));
        let body = to_bytes(answer.into_body()).await.unwrap();
        (status, replayed, String::from_utf8(body.to_vec()).unwrap())
    }

    #[actix_web::test]
    async fn the_first_answer_is_the_recorded_one() {
        let creation = creation();
        let keyed = creation.keyed(Some(request())).unwrap();
        (keyed.encode)(&"chat");
        let recorded = (keyed.encode)(&"chat");
        let answer = creation.answer(Recorded::Fresh("chat")).unwrap();
        let expected = String::from_utf8(recorded.body).unwrap();
        assert_eq!(shown(answer).await, (201, false, expected));
    }

    #[actix_web::test]
    async fn without_a_key_nothing_is_recorded() {
        let creation = creation();
        assert!(creation.keyed(None).is_none());
        let answer = creation.answer(Recorded::Fresh("chat")).unwrap();
        assert_eq!(shown(answer).await, (201, false, r#"["chat",0]"#.into()));
    }

    #[actix_web::test]
    async fn a_replay_is_the_stored_answer_and_says_so() {
        let stored = StoredAnswer {
            status: 200,
            body: b"{\"as\": \"stored\"}".to_vec(),
        };
        let answer = creation().answer(Recorded::Replayed(stored)).unwrap();
        assert_eq!(shown(answer).await, (200, true, "{\"as\": \"stored\"}".into()));
    }
}
