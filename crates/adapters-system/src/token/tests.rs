use super::key_ring::BETWEEN_READINGS;
use super::{Ed25519TokenIssuer, SigningKey};
use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tertulia_application::ports::{TokenIssuer, VerifyTokenError};
use tertulia_domain::repository::{RepositoryError, VerificationKey, VerificationKeyRepository};
use tertulia_domain::{ClaimedSession, SessionId, Timestamp, UserId};
use tokio::task::JoinSet;
use tokio::time::Instant;
use uuid::Uuid;

const LIFE: Duration = Duration::from_mins(15);

/// A list that counts how often it is read.
#[derive(Default)]
struct Keys {
    list: Mutex<Vec<VerificationKey>>,
    readings: AtomicUsize,
    broken: AtomicBool,
}

#[async_trait]
impl VerificationKeyRepository for Keys {
    async fn publish(&self, key: VerificationKey) -> Result<(), RepositoryError> {
        self.list.lock().unwrap().push(key);
        Ok(())
    }

    async fn list(&self) -> Result<Vec<VerificationKey>, RepositoryError> {
        self.readings.fetch_add(1, Ordering::SeqCst);
        tokio::task::yield_now().await;
        if self.broken.load(Ordering::SeqCst) {
            return Err(RepositoryError::Overloaded);
        }
        Ok(self.list.lock().unwrap().clone())
    }
}

/// One process, and what somebody needs who forges its tokens.
struct Process {
    issuer: Ed25519TokenIssuer,
    kid: String,
    public: [u8; 32],
    private: EncodingKey,
}

impl Process {
    fn on(keys: &Arc<Keys>) -> Self {
        let key = SigningKey::generate().unwrap();
        let repository: Arc<dyn VerificationKeyRepository> = Arc::<Keys>::clone(keys);
        Self {
            kid: key.kid().to_owned(),
            public: key.public(),
            private: key.encoding_key().clone(),
            issuer: Ed25519TokenIssuer::new(key, repository, LIFE),
        }
    }

    fn alone() -> Self {
        Self::on(&Arc::default())
    }

    fn header(&self) -> Header {
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some("at+jwt".to_owned());
        header.kid = Some(self.kid.clone());
        header
    }

    /// A token under the genuine key.
    fn signed(&self, header: &Header, claims: &Value) -> String {
        jsonwebtoken::encode(header, claims, &self.private).unwrap()
    }

    async fn verify(&self, token: &str) -> Result<ClaimedSession, VerifyTokenError> {
        self.issuer.verify(token, at(1)).await
    }
}

fn session() -> ClaimedSession {
    ClaimedSession {
        session_id: SessionId::from_uuid(Uuid::from_u128(1)),
        user_id: UserId::from_uuid(Uuid::from_u128(2)),
    }
}

/// So many milliseconds after a whole second.
fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(1_750_000_000_000 + millis)
}

fn claims() -> Value {
    json!({
        "iss": "tertulia", "aud": "tertulia", "jti": "x", "iat": 1_750_000_000, "exp": 1_750_000_900,
        "sub": session().user_id.to_string(), "sid": session().session_id.to_string(),
    })
}

fn with(mut claims: Value, name: &str, value: impl Into<Value>) -> Value {
    claims[name] = value.into();
    claims
}

#[track_caller]
fn assert_invalid(outcome: &Result<ClaimedSession, VerifyTokenError>, what: impl std::fmt::Display) {
    assert!(matches!(outcome, Err(VerifyTokenError::Invalid)), "{what}: {outcome:?}");
}

#[tokio::test]
async fn what_was_issued_is_accepted() {
    let process = Process::alone();
    let token = process.issuer.issue(session(), at(0)).unwrap();
    assert_eq!((token.expires_in, token.expires_at), (LIFE, at(900_000)));
    assert_eq!(process.verify(&token.token).await.unwrap(), session());
    // Not only because it is remembered from its issue.
    assert_eq!(
        process.issuer.check(&token.token).await.unwrap().at(at(0)).unwrap(),
        session()
    );
    assert_ne!(
        token,
        process.issuer.issue(session(), at(0)).unwrap(),
        "no two are alike"
    );
}

#[tokio::test]
async fn the_genuine_claims_of_these_tests_are_accepted() {
    let process = Process::alone();
    let token = process.signed(&process.header(), &claims());
    assert_eq!(process.verify(&token).await.unwrap(), session());
}

#[tokio::test]
async fn a_token_is_good_until_just_before_it_expires() {
    let process = Process::alone();
    let issued = process.issuer.issue(session(), at(1)).unwrap();
    assert_eq!(issued.expires_at, at(901_000), "no less than the client is told");
    // Once by a token that is remembered, once by one that is not.
    for token in [
        issued.token,
        process.signed(&process.header(), &with(claims(), "exp", 1_750_000_901)),
    ] {
        let verify = async |millis| process.issuer.verify(&token, at(millis)).await;
        assert!(matches!(verify(901_000).await, Err(VerifyTokenError::Expired)));
        assert!(matches!(verify(9_000_000).await, Err(VerifyTokenError::Expired)));
        assert_eq!(verify(900_999).await.unwrap(), session());
        assert!(matches!(verify(901_000).await, Err(VerifyTokenError::Expired)));
    }
}

#[tokio::test]
async fn another_processs_clock_may_be_a_little_ahead() {
    let process = Process::alone();
    let token = process.issuer.issue(session(), at(30_000)).unwrap().token;
    assert_eq!(process.issuer.verify(&token, at(0)).await.unwrap(), session());
    assert_invalid(&process.issuer.verify(&token, at(-1)).await, "31 seconds ahead");
}

#[tokio::test]
async fn the_algorithm_is_not_the_tokens_to_choose() {
    let process = Process::alone();
    let genuine = process.signed(&process.header(), &claims());
    let (_, rest) = genuine.split_once('.').unwrap();
    let (payload, _) = rest.split_once('.').unwrap();
    for alg in ["none", "None", "NONE", ""] {
        let header = json!({"alg": alg, "typ": "at+jwt", "kid": process.kid});
        let header = URL_SAFE_NO_PAD.encode(header.to_string());
        assert_invalid(&process.verify(&format!("{header}.{payload}.")).await, alg);
        assert_invalid(&process.verify(&format!("{header}.{rest}")).await, alg);
    }
    let hmac = Header {
        alg: Algorithm::HS256,
        ..process.header()
    };
    let public = EncodingKey::from_secret(&process.public);
    let forged = jsonwebtoken::encode(&hmac, &claims(), &public).unwrap();
    assert_invalid(&process.verify(&forged).await, "the public key as a secret");
}

#[tokio::test]
async fn another_key_under_our_name_is_found_out() {
    let (ours, theirs) = (Process::alone(), Process::alone());
    let forged = theirs.signed(&ours.header(), &claims());
    assert_invalid(&ours.verify(&forged).await, "their key, our name");
    assert_invalid(
        &ours.verify(&theirs.signed(&theirs.header(), &claims())).await,
        "nobody's name",
    );
}

#[tokio::test]
async fn a_changed_token_is_refused() {
    let process = Process::alone();
    let token = process.signed(&process.header(), &claims());
    let parts: Vec<&str> = token.split('.').collect();
    let other = URL_SAFE_NO_PAD.encode(with(claims(), "sub", session().session_id.to_string()).to_string());
    assert_invalid(
        &process.verify(&[parts[0], &other, parts[2]].join(".")).await,
        "another payload",
    );
    assert_invalid(&process.verify(&parts[..2].join(".")).await, "no signature");
    for (place, _) in token.char_indices() {
        let letter = if token[place..].starts_with('A') { "B" } else { "A" };
        let mut changed = token.clone();
        changed.replace_range(place..=place, letter);
        // The last letter of a part has bits that mean nothing, and a strict decoder refuses them.
        assert_invalid(&process.verify(&changed).await, place);
    }
}

#[tokio::test]
async fn what_is_no_token_is_refused() {
    let process = Process::alone();
    for text in [
        "",
        ".",
        "..",
        "a.b.c",
        "Bearer x",
        &"x".repeat(100_000),
        &".".repeat(2_000),
    ] {
        assert_invalid(&process.verify(text).await, text);
    }
}

#[tokio::test]
async fn every_claim_counts() {
    let process = Process::alone();
    let bad = [
        ("iss", json!("somebody")),
        ("aud", json!("something")),
        ("sub", json!("ana")),
        ("sid", json!(7)),
        ("exp", json!("tomorrow")),
        ("exp", json!(-1)),
        ("iat", json!(1_750_000_600)),
        ("iat", json!(i64::MAX)),
    ];
    for (name, value) in bad {
        let token = process.signed(&process.header(), &with(claims(), name, value.clone()));
        let outcome = process.verify(&token).await;
        assert!(outcome.is_err(), "{name}: {value}");
        let mut without = claims();
        without.as_object_mut().unwrap().remove(name);
        let token = process.signed(&process.header(), &without);
        assert_invalid(&process.verify(&token).await, name);
    }
}

#[tokio::test]
async fn another_kind_of_token_is_refused() {
    let process = Process::alone();
    for typ in [None, Some("JWT"), Some("at+JWT")] {
        let header = Header {
            typ: typ.map(str::to_owned),
            ..process.header()
        };
        assert_invalid(
            &process.verify(&process.signed(&header, &claims())).await,
            typ.unwrap_or("none"),
        );
    }
    let nameless = Header {
        kid: None,
        ..process.header()
    };
    assert_invalid(&process.verify(&process.signed(&nameless, &claims())).await, "no kid");
}

#[tokio::test]
async fn processes_that_share_a_database_accept_each_others_tokens() {
    let keys = Arc::<Keys>::default();
    let (here, there) = (Process::on(&keys), Process::on(&keys));
    let token = there.issuer.issue(session(), at(0)).unwrap().token;
    assert_invalid(&here.verify(&token).await, "its key is not published yet");
    there.issuer.publish(at(0)).await.unwrap();
    assert_eq!(here.verify(&token).await.unwrap(), session());
    let readings = keys.readings.load(Ordering::SeqCst);
    let next = there.issuer.issue(session(), at(0)).unwrap().token;
    assert_eq!(here.verify(&next).await.unwrap(), session());
    assert_eq!(
        keys.readings.load(Ordering::SeqCst),
        readings,
        "a known key is not looked up again"
    );
}

#[tokio::test(start_paused = true)]
async fn unknown_keys_cost_a_few_readings_a_second() {
    let keys = Arc::<Keys>::default();
    let here = Arc::new(Process::on(&keys));
    let stranger = Process::alone();
    let begun = Instant::now();
    for round in 1..=5 {
        let mut asking = JoinSet::new();
        for _ in 0..100 {
            let here = Arc::clone(&here);
            let token = stranger.issuer.issue(session(), at(0)).unwrap().token;
            asking.spawn(async move { here.verify(&token).await });
        }
        for outcome in asking.join_all().await {
            assert_invalid(&outcome, "unknown key");
        }
        let (readings, passed) = (keys.readings.load(Ordering::SeqCst), begun.elapsed());
        assert!(readings <= round * 2, "{readings} readings for {round} rounds");
        assert!(
            passed >= BETWEEN_READINGS * u32::try_from(readings - 1).unwrap(),
            "{readings} in {passed:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_list_that_cannot_be_read_is_not_the_tokens_fault() {
    let keys = Arc::<Keys>::default();
    keys.broken.store(true, Ordering::SeqCst);
    let (here, there) = (Arc::new(Process::on(&keys)), Process::on(&keys));
    there.issuer.publish(at(0)).await.unwrap();
    let token = there.issuer.issue(session(), at(0)).unwrap().token;
    let mut asking = JoinSet::new();
    for _ in 0..20 {
        let (here, token) = (Arc::clone(&here), token.clone());
        asking.spawn(async move { here.verify(&token).await });
    }
    for outcome in asking.join_all().await {
        assert!(matches!(outcome, Err(VerifyTokenError::Repository(_))), "{outcome:?}");
    }
    assert!(keys.readings.load(Ordering::SeqCst) <= 2);
    keys.broken.store(false, Ordering::SeqCst);
    assert_eq!(here.verify(&token).await.unwrap(), session());
}
