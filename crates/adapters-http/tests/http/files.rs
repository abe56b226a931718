//! Files: how they come in, how they go out, and what they hang on.

use crate::world::{
    ANA, Answer, Api, CHAT, FILE, Fields, MESSAGE, NOW, TOKEN, World, direct, errors, group, membership, message,
    picture, send, shown_picture, user,
};
use actix_web::rt::task::spawn_blocking;
use actix_web::web::Bytes;
use reqwest::{Method, RequestBuilder};
use serde_json::json;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tertulia_application::ports::{ByteStream, Inspection, MockObjectWriter, StoreError};
use tertulia_domain::repository::{AppendMessage, Appended, NewFile, StoredFile};
use tertulia_domain::{
    ChatView, Digest, Dimensions, EventSeq, File, FileName, FileStanding, MediaType, MemberRole, Message, MessageBody,
    MessageContent, ObjectKey, Recorded, User,
};
use uuid::Uuid;

const BOUNDARY: &str = "=-=-=";

/// What became of the files that came in.
#[derive(Default)]
pub(crate) struct Log {
    written: Vec<u8>,
    finished: u32,
    aborted: u32,
    /// Writers that nobody holds any more.
    dropped: u32,
    pub(crate) stored: Vec<NewFile>,
}

struct OnDrop(Arc<Mutex<Log>>);

impl Drop for OnDrop {
    fn drop(&mut self) {
        self.0.lock().unwrap().dropped += 1;
    }
}

fn writer(log: &Arc<Mutex<Log>>) -> MockObjectWriter {
    let mut writer = MockObjectWriter::new();
    let [written, finished, aborted] = [(); 3].map(|()| Arc::clone(log));
    let guard = OnDrop(Arc::clone(log));
    writer.expect_write().returning(move |bytes| {
        let _ = &guard;
        written.lock().unwrap().written.extend_from_slice(&bytes);
        Ok(())
    });
    writer.expect_finish().returning(move || {
        finished.lock().unwrap().finished += 1;
        Ok(())
    });
    writer.expect_abort().returning(move || {
        aborted.lock().unwrap().aborted += 1;
        Ok(())
    });
    writer
}

/// A world that takes files of up to 1,000 bytes. What begins with `PNG` is a picture, as wide as what follows.
pub(crate) fn taking() -> (World, Arc<Mutex<Log>>) {
    let log: Arc<Mutex<Log>> = Arc::default();
    let mut world = World::new();
    world.policy.files.max_bytes = 1000;
    world.policy.files.max_pixels = 100;
    let [created, stored] = [(); 2].map(|()| Arc::clone(&log));
    world
        .store
        .expect_create()
        .returning(move |_| Ok(Box::new(writer(&created))));
    world.files.expect_announce().returning(|_, _| Ok(()));
    world.files.expect_forget_objects().returning(|_| Ok(()));
    world.images.expect_inspect().returning(|head| {
        let width = std::str::from_utf8(head)
            .ok()
            .and_then(|text| text.strip_prefix("PNG")?.parse().ok());
        let media_type = if width.is_some() { "image/png" } else { "text/html" };
        Inspection {
            media_type: MediaType::new(media_type).unwrap(),
            dimensions: width.map(|width| Dimensions { width, height: 3 }),
        }
    });
    world.files.expect_insert().returning(move |new| {
        let file = File {
            id: FILE,
            name: new.name.clone(),
            media_type: new.media_type.clone(),
            size: new.size,
            dimensions: new.dimensions,
            public_key: new.public_key.clone(),
        };
        stored.lock().unwrap().stored.push(new);
        Ok(Some(file))
    });
    (world, log)
}

/// Parameters of a part's disposition, and its content.
pub(crate) type Sent<'a> = (&'a str, &'a [u8]);

/// A form: parameters of each part's disposition, and its content.
fn form(parts: &[Sent<'_>]) -> Vec<u8> {
    let mut body = Vec::new();
    for (parameters, content) in parts {
        let head = format!("--{BOUNDARY}\r\nContent-Disposition: form-data; {parameters}\r\n\r\n");
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
    body
}

const FORM: &str = "multipart/form-data; boundary=\"=-=-=\"";

pub(crate) fn with_form(request: RequestBuilder, parts: &[Sent<'_>]) -> RequestBuilder {
    request.header("Content-Type", FORM).body(form(parts))
}

async fn upload(api: &Api, parts: &[Sent<'_>]) -> Answer {
    send(with_form(api.ana(Method::POST, "/files"), parts)).await
}

#[actix_web::test]
async fn uploading() {
    let (world, log) = taking();
    let api = world.start();
    let answer = upload(
        &api,
        &[
            ("name=\"note\"", b"whatever"),
            ("name=\"file\"; filename=\"../a b.png\"", b"PNG4"),
        ],
    )
    .await;
    let mut expected = shown_picture();
    expected["size"] = json!(4);
    assert_eq!(answer.json(201), expected);
    let log = log.lock().unwrap();
    assert_eq!(
        (log.written.as_slice(), log.finished, log.aborted),
        (&b"PNG4"[..], 1, 0)
    );
    assert_eq!((log.stored[0].owner, log.stored[0].at), (ANA, NOW));
    assert!(log.stored[0].public_key.is_none());
}

/// A retry is known by its key and by everything that came; the first answer is given again to the byte.
#[actix_web::test]
async fn uploading_under_a_key() {
    let (mut world, log) = taking();
    let claims = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&claims);
    world.files.expect_insert_once().returning(move |_, recording| {
        let mut seen = seen.lock().unwrap();
        let first = seen.is_empty();
        seen.push(recording.claim.clone());
        let answer = (recording.encode)(&picture());
        Ok(if first {
            Recorded::Fresh(picture())
        } else {
            Recorded::Replayed(answer)
        })
    });
    world.store.expect_delete().times(3).returning(|_| Ok(()));
    let api = world.start();
    let send = async |filename: &str, content: &[u8]| {
        let parameters = format!("name=\"file\"; filename=\"{filename}\"");
        let request = api.ana(Method::POST, "/files").header("Idempotency-Key", "once");
        send(with_form(request, &[(&parameters, content)])).await
    };
    let answers = [
        send("a", b"hi").await,
        send("a", b"hi").await,
        send("b", b"hi").await,
        send("a", b"ho").await,
    ];
    for (answer, replayed) in answers.iter().zip([false, true, true, true]) {
        assert_eq!(answer.json(201), shown_picture());
        assert_eq!(answer.header("Idempotency-Replayed"), replayed.then_some("true"));
    }
    let claims = claims.lock().unwrap();
    assert!(
        claims
            .iter()
            .all(|claim| claim.user_id == ANA && claim.key.as_str() == "once")
    );
    let same: Vec<bool> = claims
        .iter()
        .map(|claim| claim.fingerprint == claims[0].fingerprint)
        .collect();
    assert_eq!(same, [true, true, false, false]);
    assert!(log.lock().unwrap().stored.is_empty());
}

#[actix_web::test]
async fn names_are_made_harmless() {
    let (world, log) = taking();
    let api = world.start();
    let long = "x".repeat(300);
    for (parameters, expected) in [
        ("filename=\"../../etc/passwd\"".to_owned(), "passwd"),
        ("filename=\"C:\\\\temp\\\\a.txt\"".to_owned(), "a.txt"),
        (
            "filename=\"a.png\"; filename*=UTF-8''%e2%82%ac%00.png".to_owned(),
            "€_.png",
        ),
        ("filename=\"naïve €.txt\"".to_owned(), "naïve €.txt"),
        (format!("filename=\"{long}.png\""), &format!("{}.png", "x".repeat(251))),
        ("filename=\"\"".to_owned(), "file"),
        (String::new(), "file"),
    ] {
        let answer = upload(&api, &[(&format!("name=\"file\"; {parameters}"), b"hi")]).await;
        assert_eq!(answer.json(201)["name"], expected, "{parameters}");
        let stored = log.lock().unwrap().stored.pop().unwrap();
        assert_eq!(stored.name, FileName::sanitise(expected));
    }
    // A NUL as it is has no place in a head.
    let answer = upload(&api, &[("name=\"file\"; filename=\"a\0b\"", b"hi")]).await;
    answer.problem(400, "invalid_input");
}

#[actix_web::test]
async fn what_is_no_upload() {
    let (world, log) = taking();
    let api = world.start();
    let too_many: Vec<Sent> = vec![("name=\"x\"", b"x"); 20];
    let large = vec![b'x'; 100_000];
    let cases: [(Vec<Sent>, u16, Fields); 8] = [
        (vec![], 422, &[("file", "required")]),
        (
            vec![("name=\"upload\"; filename=\"a\"", b"hi")],
            422,
            &[("file", "required")],
        ),
        (
            vec![("name=\"upload\"; filename=\"a\"", &large)],
            422,
            &[("file", "required")],
        ),
        (
            vec![("name=\"file\"; filename=\"a\"", b"")],
            422,
            &[("file", "invalid")],
        ),
        (
            vec![("name=\"file\"; filename=\"a\"", b"PNG34")],
            422,
            &[("file", "invalid")],
        ),
        (
            vec![("name=\"file\"", b"a"), ("name=\"file\"", b"b")],
            422,
            &[("file", "invalid")],
        ),
        (too_many, 400, &[]),
        (vec![("filename=\"a\"", b"hi")], 400, &[]),
    ];
    for (parts, status, fields) in cases {
        let answer = upload(&api, &parts).await;
        assert_eq!(answer.problem(status, "invalid_input"), errors(fields));
    }
    let raw = async |media_type: &'static str, body: &'static [u8]| {
        let request = api.ana(Method::POST, "/files").header("Content-Type", media_type);
        send(request.body(body)).await
    };
    raw("application/json", b"{}")
        .await
        .problem(415, "unsupported_media_type");
    raw("image/png", b"PNG1").await.problem(415, "unsupported_media_type");
    send(api.ana(Method::POST, "/files"))
        .await
        .problem(415, "unsupported_media_type");
    raw("multipart/form-data", b"--x").await.problem(400, "invalid_input");
    raw(FORM, b"").await.problem(400, "invalid_input");
    raw(FORM, b"hello").await.problem(400, "invalid_input");
    let head = b"--=-=-=\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\nhalf";
    raw(FORM, head).await.problem(400, "invalid_input");
    let log = log.lock().unwrap();
    assert!(log.stored.is_empty());
    assert_eq!(log.finished, 0);
    // The empty one, the one with too many pixels, the one of two, the half one.
    assert_eq!((log.aborted, log.dropped), (4, 4));
}

#[actix_web::test]
async fn a_head_of_a_part_is_bounded() {
    let (world, _) = taking();
    let api = world.start();
    let parameters = format!("name=\"file\"; filename=\"{}\"", "x".repeat(200_000));
    upload(&api, &[(&parameters, b"hi")])
        .await
        .problem(400, "invalid_input");
}

#[actix_web::test]
async fn what_is_too_large_is_refused_while_it_comes_in() {
    let (world, log) = taking();
    let api = world.start();
    upload(&api, &[("name=\"file\"", &[b'x'; 1001])])
        .await
        .problem(413, "payload_too_large");
    assert_eq!(log.lock().unwrap().aborted, 1);
    // Of this one only the beginning ever comes, and the answer does not wait for the rest.
    for framing in ["Content-Length: 1000000", "Transfer-Encoding: chunked"] {
        let chunk = format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\n{}",
            "x".repeat(3000)
        );
        let chunk = match framing {
            "Transfer-Encoding: chunked" => format!("{:x}\r\n{chunk}\r\n", chunk.len()),
            _ => chunk,
        };
        let answer = begin(&api, framing, chunk).await;
        assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
        assert!(answer.contains("payload_too_large"), "{answer}");
    }
    assert_eq!(log.lock().unwrap().aborted, 3);
    // This one is refused for what it says it is, with no byte of it taken.
    let answer = begin(&api, "Content-Length: 1073741824", String::new()).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    let log = log.lock().unwrap();
    assert_eq!((log.aborted, log.dropped, log.finished), (3, 3, 0));
}

/// Sends the beginning of an upload, and gives what is answered to that.
async fn begin(api: &Api, framing: &str, beginning: String) -> String {
    let address = api.base.strip_prefix("http://").unwrap().to_owned();
    let head = format!(
        "POST /api/v1/files HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\nContent-Type: {FORM}\r\n{framing}\r\n\r\n"
    );
    spawn_blocking(move || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(beginning.as_bytes()).unwrap();
        let mut answer = vec![0; 4096];
        let mut length = 0;
        while !String::from_utf8_lossy(&answer[..length]).contains("\"request_id\"") {
            let read = stream.read(&mut answer[length..]).unwrap();
            assert_ne!(read, 0, "{}", String::from_utf8_lossy(&answer[..length]));
            length += read;
        }
        String::from_utf8_lossy(&answer[..length]).into_owned()
    })
    .await
    .unwrap()
}

#[actix_web::test]
async fn of_a_client_that_goes_away_nothing_is_left() {
    let (world, log) = taking();
    let api = world.start();
    let address = api.base.strip_prefix("http://").unwrap().to_owned();
    let seen = Arc::clone(&log);
    spawn_blocking(move || {
        let mut stream = TcpStream::connect(address).unwrap();
        let head = format!(
            "POST /api/v1/files HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\nContent-Type: {FORM}\r\n\
             Content-Length: 900\r\n\r\n--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\n{}",
            "x".repeat(500)
        );
        stream.write_all(head.as_bytes()).unwrap();
        until(|| !seen.lock().unwrap().written.is_empty());
        drop(stream);
        until(|| seen.lock().unwrap().dropped == 1);
    })
    .await
    .unwrap();
    let log = log.lock().unwrap();
    assert_eq!((log.finished, log.stored.len()), (0, 0));
}

fn until(done: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(5);
    while !done() {
        assert!(Instant::now() < deadline, "it never came to that");
        std::thread::sleep(Duration::from_millis(5));
    }
}

const CONTENT: &[u8] = b"0123456789";
const DIGEST: Digest = Digest([0xAB; 32]);

fn stored(file: File, thumbnail: bool) -> StoredFile {
    StoredFile {
        file,
        digest: DIGEST,
        object: ObjectKey::from_string("objects/1".into()),
        thumbnail: thumbnail.then(|| ObjectKey::from_string("objects/2".into())),
    }
}

fn stream(bytes: &[u8]) -> ByteStream {
    let chunks: Vec<Result<Bytes, StoreError>> =
        bytes.chunks(3).map(|chunk| Ok(Bytes::copy_from_slice(chunk))).collect();
    Box::pin(futures_util::stream::iter(chunks))
}

/// A world with one file that Ana may read.
fn serving(file: File, thumbnail: bool) -> World {
    let mut world = World::new();
    let standing = FileStanding {
        owner: false,
        shared: true,
        service_admin: false,
    };
    let found = stored(file, thumbnail);
    let public = found.clone();
    world.files.expect_find().returning(move |id, viewer| {
        assert_eq!(viewer, ANA);
        Ok((id == FILE).then(|| (found.clone(), standing)))
    });
    world
        .files
        .expect_find_public()
        .returning(move |key| Ok((key.as_str() == "k".repeat(22)).then(|| public.clone())));
    world.store.expect_read().returning(|object, range| {
        if object.as_str() == "objects/2" {
            return Ok(stream(b"\x89PNG small"));
        }
        let [start, end] = [range.start, range.end].map(|place| usize::try_from(place).unwrap());
        Ok(stream(&CONTENT[start..end]))
    });
    world
}

fn page() -> File {
    File {
        name: FileName::sanitise("\"€\".html"),
        media_type: MediaType::new("text/html").unwrap(),
        dimensions: None,
        ..picture()
    }
}

fn etag() -> String {
    format!("\"{DIGEST}\"")
}

#[actix_web::test]
async fn a_picture_is_shown_in_place() {
    let api = serving(picture(), false).start();
    // Whatever stands where its name was.
    for name in ["a%20b.png", "x"] {
        let answer = api.get(&format!("/files/{FILE}/{name}")).await;
        assert_eq!((answer.status, answer.bytes.as_slice()), (200, CONTENT));
        for (header, value) in [
            ("content-type", "image/png"),
            ("content-length", "10"),
            ("content-disposition", "inline; filename*=UTF-8''a%20b.png"),
            ("etag", &etag()),
            ("accept-ranges", "bytes"),
            ("cache-control", "private, max-age=86400"),
            ("x-content-type-options", "nosniff"),
            ("content-security-policy", "default-src 'none'; sandbox"),
        ] {
            assert_eq!(answer.header(header), Some(value), "{header}");
        }
    }
}

#[actix_web::test]
async fn anything_else_is_to_be_saved() {
    let api = serving(page(), false).start();
    let answer = api.get(&format!("/files/{FILE}/x")).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some("text/html"));
    let disposition = "attachment; filename*=UTF-8''%22%E2%82%AC%22.html";
    assert_eq!(answer.header("content-disposition"), Some(disposition));
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(
        answer.header("content-security-policy"),
        Some("default-src 'none'; sandbox")
    );
}

#[actix_web::test]
async fn parts_of_a_file() {
    let api = serving(picture(), false).start();
    let get = async |headers: &[(&str, &str)]| {
        let request = api.ana(Method::GET, &format!("/files/{FILE}/x"));
        let request = headers
            .iter()
            .fold(request, |request, (name, value)| request.header(*name, *value));
        send(request).await
    };
    let answer = get(&[("Range", "bytes=2-4")]).await;
    assert_eq!((answer.status, answer.bytes.as_slice()), (206, &b"234"[..]));
    assert_eq!(answer.header("content-range"), Some("bytes 2-4/10"));
    assert_eq!(answer.header("content-length"), Some("3"));
    assert_eq!(answer.header("content-type"), Some("image/png"));
    assert_eq!(answer.header("etag"), Some(etag().as_str()));
    let end = get(&[("Range", "bytes=-2")]).await;
    assert_eq!((end.status, end.bytes.as_slice()), (206, &b"89"[..]));
    let same = get(&[("Range", "bytes=2-4"), ("If-Range", &etag())]).await;
    assert_eq!(same.status, 206);
    let other = get(&[("Range", "bytes=2-4"), ("If-Range", "\"other\"")]).await;
    assert_eq!((other.status, other.bytes.as_slice()), (200, CONTENT));
    let several = get(&[("Range", "bytes=0-1,3-4")]).await;
    assert_eq!((several.status, several.bytes.as_slice()), (200, CONTENT));
    let beyond = get(&[("Range", "bytes=10-")]).await;
    assert_eq!(beyond.header("content-range"), Some("bytes */10"));
    beyond.problem(416, "invalid_input");
}

#[actix_web::test]
async fn what_the_client_has_is_not_sent_again() {
    let mut world = serving(picture(), false);
    world.store.checkpoint();
    world.store.expect_read().never();
    let api = world.start();
    let path = format!("/files/{FILE}/x");
    let request = api
        .ana(Method::GET, &path)
        .header("If-None-Match", format!("\"x\", W/{}", etag()));
    let answer = send(request).await;
    answer.empty(304);
    assert_eq!(answer.header("etag"), Some(etag().as_str()));
    assert_eq!(answer.header("cache-control"), Some("private, max-age=86400"));
    // Nor is the store asked for the head.
    let answer = send(api.ana(Method::HEAD, &path).header("Range", "bytes=2-4")).await;
    answer.empty(200);
    assert_eq!(answer.header("content-length"), Some("10"));
    assert_eq!(answer.header("accept-ranges"), Some("bytes"));
}

#[actix_web::test]
async fn thumbnails() {
    let api = serving(picture(), true).start();
    let answer = api.get(&format!("/files/{FILE}/x?thumbnail=true")).await;
    assert_eq!((answer.status, answer.bytes.as_slice()), (200, &b"\x89PNG small"[..]));
    assert_eq!(answer.header("content-type"), Some("image/png"));
    assert_eq!(answer.header("etag"), Some(format!("\"{DIGEST}-thumbnail\"").as_str()));
    assert_eq!(answer.header("content-disposition"), Some("inline"));
    let again = api.ana(Method::GET, &format!("/files/{FILE}/x?thumbnail=true"));
    let again = send(again.header("If-None-Match", answer.header("etag").unwrap())).await;
    again.empty(304);
    let whole = api.get(&format!("/files/{FILE}/x?thumbnail=false")).await;
    assert_eq!(whole.bytes, CONTENT);
    api.get(&format!("/files/{FILE}/x?thumbnail=1"))
        .await
        .problem(400, "invalid_input");
    let api = serving(picture(), false).start();
    let none = api.get(&format!("/files/{FILE}/x?thumbnail=true")).await;
    assert_eq!(none.header("cache-control"), Some("no-store"));
    none.problem(404, "not_found");
}

#[actix_web::test]
async fn files_of_others_are_not_there() {
    let mut world = World::new();
    let standing = FileStanding {
        owner: false,
        shared: false,
        service_admin: false,
    };
    world
        .files
        .expect_find()
        .returning(move |_, _| Ok(Some((stored(picture(), false), standing))));
    let api = world.start();
    api.get(&format!("/files/{FILE}/x")).await.problem(404, "not_found");
    api.get("/files/x/x").await.problem(404, "not_found");
}

#[actix_web::test]
async fn public_addresses() {
    let api = serving(page(), false).start();
    let path = format!("/uploads/{}/x", "k".repeat(22));
    let answer = send(api.anybody(Method::GET, &path)).await;
    assert_eq!((answer.status, answer.bytes.as_slice()), (200, CONTENT));
    assert_eq!(
        answer.header("content-security-policy"),
        Some("default-src 'none'; sandbox")
    );
    assert!(
        answer
            .header("content-disposition")
            .unwrap()
            .starts_with("attachment; ")
    );
    let part = send(api.anybody(Method::GET, &path).header("Range", "bytes=0-0")).await;
    assert_eq!(part.status, 206);
    for key in ["x".repeat(22), "x".into()] {
        let answer = send(api.anybody(Method::GET, &format!("/uploads/{key}/x"))).await;
        answer.problem(404, "not_found");
    }
}

#[actix_web::test]
async fn addresses_of_files_without_a_key() {
    let api = serving(page(), false).start();
    let path = format!("/uploads/{FILE}/x");
    let request = || api.anybody(Method::GET, &path);
    let answer = send(request().bearer_auth(TOKEN)).await;
    assert_eq!((answer.status, answer.bytes.as_slice()), (200, CONTENT));
    send(request()).await.problem(401, "unauthenticated");
    send(request().bearer_auth("nonsense"))
        .await
        .problem(401, "unauthenticated");
    let other = api.anybody(Method::GET, &format!("/uploads/{}/x", Uuid::nil()));
    send(other.bearer_auth(TOKEN)).await.problem(404, "not_found");
}

#[actix_web::test]
async fn ones_avatar() {
    let (mut world, _) = taking();
    world.users.expect_set_avatar().returning(|id, avatar, _| {
        Ok(Some(User {
            avatar: avatar.map(|_| picture()),
            ..user(id, "ana")
        }))
    });
    let api = world.start();
    let put = |content: &'static [u8]| {
        let request = with_form(
            api.ana(Method::PUT, "/me/avatar"),
            &[("name=\"file\"; filename=\"a\"", content)],
        );
        send(request)
    };
    let me = put(b"PNG3").await.json(200);
    assert_eq!(me["avatar_url"], shown_picture()["url"]);
    assert_eq!(me["email"], "ana@example.org");
    let fields = put(b"<svg/>").await.problem(415, "unsupported_media_type");
    assert_eq!(fields, errors(&[("file", "invalid")]));
    put(b"").await.problem(422, "invalid_input");
    api.delete("/me/avatar").await.empty(204);
}

#[actix_web::test]
async fn a_groups_avatar() {
    let (mut world, log) = taking();
    let view = || ChatView {
        chat: tertulia_domain::Chat {
            avatar: Some(picture()),
            ..group().chat
        },
        membership: Some(membership(MemberRole::Admin)),
        ..group()
    };
    world
        .chats
        .expect_find()
        .returning(move |id, _| Ok((id == CHAT).then(view)));
    world.chats.expect_set_avatar().returning(|_, _, _, _| Ok(true));
    let api = world.start();
    let put = |path: &str, content: &'static [u8]| {
        send(with_form(
            api.ana(Method::PUT, path),
            &[("name=\"file\"; filename=\"a\"", content)],
        ))
    };
    let path = format!("/chats/{CHAT}/avatar");
    let chat = put(&path, b"PNG3").await.json(200);
    assert_eq!(chat["avatar_url"], shown_picture()["url"]);
    put(&path, b"text").await.problem(415, "unsupported_media_type");
    // Who may not is told so before any byte is taken.
    let written = log.lock().unwrap().written.len();
    put(&format!("/chats/{FILE}/avatar"), b"PNG3")
        .await
        .problem(404, "not_found");
    assert_eq!(log.lock().unwrap().written.len(), written);
}

fn messages() -> String {
    format!("/chats/{CHAT}/messages")
}

#[actix_web::test]
async fn files_hang_on_messages() {
    let mut world = World::new();
    world
        .messages
        .expect_append()
        .withf(|sent| sent.draft.body().is_none() && sent.draft.attachments() == [FILE])
        .returning(|_| {
            Ok(Appended {
                event: EventSeq::default(),
                message: Message {
                    content: MessageContent::Present {
                        body: None,
                        attachments: vec![picture()],
                    },
                    ..message("x")
                },
                replayed: false,
            })
        });
    let api = world.start();
    let answer = api
        .post(&messages(), json!({"attachments": [FILE.to_string()]}))
        .await
        .json(201);
    assert_eq!(answer["attachments"], json!([shown_picture()]));
    assert_eq!(answer["body"], json!(null));
    let many = vec![FILE.to_string(); 11];
    for (attachments, fields) in [
        (json!([1]), [("attachments[0]", "wrong_type")]),
        (json!(["x"]), [("attachments[0]", "invalid")]),
        (json!(many), [("attachments", "invalid")]),
        (json!([]), [("body", "required")]),
    ] {
        let answer = api.post(&messages(), json!({"attachments": attachments})).await;
        assert_eq!(answer.problem(422, "invalid_input"), errors(&fields));
    }
}

#[actix_web::test]
async fn files_come_with_messages() {
    let (mut world, log) = taking();
    let sent: Arc<Mutex<Vec<AppendMessage>>> = Arc::default();
    let seen = Arc::clone(&sent);
    world.chats.expect_find().returning(|_, _| Ok(Some(group())));
    world.messages.expect_append().returning(move |append| {
        seen.lock().unwrap().push(append);
        Ok(Appended {
            event: EventSeq::default(),
            message: message("hi"),
            replayed: false,
        })
    });
    let api = world.start();
    let reply = MESSAGE.to_string();
    let parts = |content: &'static [u8]| {
        vec![
            ("name=\"file\"; filename=\"a.txt\"", content),
            ("name=\"body\"", &b"hi "[..]),
            ("name=\"other\"", b"ignored"),
        ]
    };
    let post = |parts: &[Sent<'_>]| {
        let request = api.ana(Method::POST, &messages()).header("Idempotency-Key", "k");
        send(with_form(request, parts))
    };
    let mut first = parts(b"one");
    first.push(("name=\"reply_to\"", reply.as_bytes()));
    post(&first).await.json(201);
    post(&first).await.json(201);
    post(&parts(b"two")).await.json(201);
    // A field of a form that was left empty.
    post(&[("name=\"file\"", b"x"), ("name=\"body\"", b"")]).await.json(201);
    {
        let sent = sent.lock().unwrap();
        assert_eq!(sent[0].draft.body().map(MessageBody::as_str), Some("hi"));
        assert_eq!(sent[0].draft.attachments(), [FILE]);
        assert_eq!(sent[0].reply_to, Some(MESSAGE));
        assert_eq!(sent[3].draft.body(), None);
        let fingerprint = |index: usize| sent[index].claim.clone().unwrap().fingerprint;
        assert_eq!(fingerprint(0), fingerprint(1));
        assert_ne!(fingerprint(0), fingerprint(2));
        let log = log.lock().unwrap();
        assert_eq!((log.finished, log.written.as_slice()), (4, &b"oneonetwox"[..]));
    }
    let eleven: Vec<Sent> = vec![("name=\"file\"", b"x"); 11];
    for (parts, field) in [
        (&[][..], "body"),
        (&[("name=\"body\"", &b"\0"[..])], "body"),
        (&[("name=\"body\"", b"hi"), ("name=\"reply_to\"", b"x")], "reply_to"),
        (&[("name=\"file\"", b"")], "file"),
        (&eleven, "file"),
    ] {
        let answer = post(parts).await;
        assert_eq!(answer.problem(422, "invalid_input"), errors(&[(field, "invalid")]));
    }
    post(&[("name=\"file\"", &[b'x'; 1001])])
        .await
        .problem(413, "payload_too_large");
    assert_eq!(sent.lock().unwrap().len(), 4);
}

#[actix_web::test]
async fn no_file_is_taken_for_a_chat_that_it_may_not_go_to() {
    let (mut world, log) = taking();
    world.chats.expect_find().returning(|id, _| {
        Ok((id == CHAT).then(|| ChatView {
            blocked: true,
            ..direct()
        }))
    });
    let api = world.start();
    let file: &[Sent] = &[("name=\"file\"", b"x")];
    send(with_form(api.ana(Method::POST, &messages()), file))
        .await
        .problem(403, "forbidden");
    let elsewhere = format!("/chats/{FILE}/messages");
    send(with_form(api.ana(Method::POST, &elsewhere), file))
        .await
        .problem(404, "not_found");
    assert!(log.lock().unwrap().written.is_empty());
}
