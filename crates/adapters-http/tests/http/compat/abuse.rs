//! What no honest client sends. Each contract answers it with a status and a shape that its own document has, and the
//! core is asked for nothing but a user's number and a file's key, which are nobody's: its mocks expect no other call,
//! and one would be a 500.

use super::each_contract;
use crate::world::{Answer, Api, CHAT, TOKEN, World, send};
use actix_web::rt::task::spawn_blocking;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};
use reqwest::{Method, RequestBuilder};
use serde_json::{Map, Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// A contract, somewhere.
struct Place {
    api: Api,
    base: String,
    name: &'static str,
    document: Value,
}

/// Something that can be done there.
struct Operation {
    method: Method,
    /// With its variables filled in.
    path: String,
    says: Value,
}

fn world() -> World {
    let mut world = World::new();
    world.users.expect_find_by_number().returning(|_| Ok(None));
    world.files.expect_find_public().returning(|_| Ok(None));
    world
}

async fn places() -> Vec<Place> {
    let mut places = Vec::new();
    for (api, base, name) in each_contract(world) {
        let document = send(api.anybody(Method::GET, &format!("{base}/openapi.json"))).await;
        let document = document.json(200);
        places.push(Place {
            api,
            base,
            name,
            document,
        });
    }
    places
}

impl Place {
    fn operations(&self) -> Vec<Operation> {
        let paths = self.document["paths"].as_object().unwrap().iter();
        let operations = paths.flat_map(|(path, item)| {
            let methods = item.as_object().unwrap().iter();
            methods.map(|(method, says)| Operation {
                method: method.to_uppercase().parse().unwrap(),
                path: self.filled(path),
                says: says.clone(),
            })
        });
        operations.collect()
    }

    /// The path with ids in the place of its variables.
    fn filled(&self, path: &str) -> String {
        let number = matches!(self.name, "company" | "emotechat");
        let id = if number { "1".to_owned() } else { CHAT.to_string() };
        let segments = path
            .split('/')
            .map(|segment| if segment.starts_with('{') { id.as_str() } else { segment });
        segments.collect::<Vec<_>>().join("/")
    }

    /// A request by Ana.
    fn request(&self, operation: &Operation) -> RequestBuilder {
        let path = format!("{}{}", self.base, operation.path);
        let request = self.api.anybody(operation.method.clone(), &path);
        request.bearer_auth(TOKEN)
    }

    /// Checks that the document has that answer, which is a refusal.
    #[track_caller]
    fn refuses(&self, operation: &Operation, answer: &Answer, what: &str) {
        let text = String::from_utf8_lossy(&answer.bytes);
        let at = format!(
            "{}: {} {} with {what}: {} {text}",
            self.name, operation.method, operation.path, answer.status
        );
        assert!((400..500).contains(&answer.status), "{at}");
        let response = &operation.says["responses"][answer.status.to_string()];
        assert!(response.is_object(), "no such status in the document: {at}");
        assert_eq!(answer.header("content-type"), Some("application/json"), "{at}");
        let schema = &response["content"]["application/json"]["schema"];
        let body: Value = serde_json::from_slice(&answer.bytes).expect(&at);
        assert!(self.fits(&body, schema), "not such a shape as {schema}: {at}");
        assert!(body.get("request_id").is_none(), "the native shape: {at}");
    }

    /// Whether a value is what a schema says, as far as the schemas of failures go.
    fn fits(&self, value: &Value, schema: &Value) -> bool {
        if let Some(reference) = schema["$ref"].as_str() {
            let there = self.document.pointer(reference.strip_prefix('#').unwrap());
            return self.fits(value, there.unwrap());
        }
        if let Some(choices) = schema["oneOf"].as_array() {
            return choices.iter().filter(|choice| self.fits(value, choice)).count() == 1;
        }
        match schema["type"].as_str().unwrap() {
            "string" => value.is_string(),
            "boolean" => value.is_boolean(),
            "array" => {
                let items = value.as_array().into_iter().flatten();
                value.is_array() && items.into_iter().all(|item| self.fits(item, &schema["items"]))
            }
            "object" => self.fits_object(value, schema),
            other => panic!("a failure with {other}"),
        }
    }

    fn fits_object(&self, value: &Value, schema: &Value) -> bool {
        let Some(fields) = value.as_object() else {
            return false;
        };
        let required = schema["required"].as_array().into_iter().flatten();
        let mut required = required.map(|name| name.as_str().unwrap());
        required.all(|name| fields.contains_key(name))
            && fields.iter().all(|(name, field)| {
                let own = &schema["properties"][name];
                let own = if own.is_null() {
                    &schema["additionalProperties"]
                } else {
                    own
                };
                own.is_object() && self.fits(field, own)
            })
    }

    /// The schema of what an operation takes as that media type.
    fn taken<'a>(&'a self, operation: &'a Operation, media_type: &str) -> Option<&'a Value> {
        let schema = operation.says["requestBody"]["content"]
            .get(media_type)?
            .get("schema")?;
        Some(self.followed(schema))
    }

    fn followed<'a>(&'a self, schema: &'a Value) -> &'a Value {
        match schema["$ref"].as_str() {
            Some(reference) => {
                let there = self.document.pointer(reference.strip_prefix('#').unwrap());
                self.followed(there.unwrap())
            }
            None => schema,
        }
    }
}

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";
const PARTS: &str = "multipart/form-data";

fn takes(operation: &Operation, media_type: &str) -> bool {
    operation.says["requestBody"]["content"].get(media_type).is_some()
}

/// Bodies that are no JSON object in UTF-8.
fn no_objects() -> Vec<Vec<u8>> {
    let deep = |open: &str, close: &str| format!("{}{}", open.repeat(20_000), close.repeat(20_000)).into_bytes();
    let mut bodies: Vec<Vec<u8>> = [
        &b""[..],
        b" ",
        b"\0",
        b"{",
        b"}",
        b"{\"\0\":1}",
        b"{\"a\":\"\xff\"}",
        b"{\"a\":\"\xed\xa0\x80\"}",
        b"{\"a\":\"\\ud800\"}",
        b"{\"a\":\"\\udc00\\ud800\"}",
        b"{\"a\":1e999999999}",
        b"{\"a\":NaN}",
        b"{\"a\":01}",
        b"{\"a\":\"\n\"}",
        b"{\"a\":1,}",
        b"{'a':1}",
        b"{\"a\":1} {}",
        b"\xef\xbb\xbf{}",
        b"\xff\xfe{\0}\0",
        b"null",
        b"true",
        b"1",
        b"-1e400",
        b"\"text\"",
        b"[]",
        b"[{}]",
        b"<a/>",
        b"a=b",
        b"\x1f\x8b\x08\0",
    ]
    .map(<[u8]>::to_vec)
    .into();
    bodies.push(deep("[", "]"));
    bodies.push(deep("{\"a\":", "}"));
    bodies.push([b"{\"a\":".to_vec(), deep("[", "]"), b"}".to_vec()].concat());
    bodies
}

#[actix_web::test]
async fn bodies_that_are_no_object() {
    for place in places().await {
        for operation in place.operations().iter().filter(|operation| takes(operation, JSON)) {
            // One that the operation reads: whatever else there is, it passes over.
            let schema = place.taken(operation, JSON).unwrap();
            let known = schema["properties"].as_object().unwrap().keys().next().unwrap();
            for body in no_objects() {
                let what = format!("{:?}", String::from_utf8_lossy(&body[..body.len().min(40)]));
                let body = match body.strip_prefix(b"{\"a\":") {
                    Some(rest) => [format!("{{\"{known}\":").as_bytes(), rest].concat(),
                    None => body,
                };
                let request = place.request(operation).header("Content-Type", JSON).body(body);
                // Where no body is needed, an empty one is no body.
                if operation.says["requestBody"]["required"] == false && what == "\"\"" {
                    continue;
                }
                place.refuses(operation, &send(request).await, &what);
            }
        }
    }
}

#[actix_web::test]
async fn bodies_of_another_kind() {
    let parts_without = "multipart/form-data";
    for place in places().await {
        for operation in place
            .operations()
            .iter()
            .filter(|operation| !operation.says["requestBody"].is_null())
        {
            for media_type in [
                "text/plain",
                "text/html",
                "application/xml",
                "application/json-seq",
                "application/json; charset=utf-16",
                "application/x-www-form-urlencoded; charset=latin1",
                "multipart/mixed; boundary=x",
                parts_without,
                "multipart/form-data; boundary=",
                "/",
                ";",
                "application/json, application/json",
                "*/*",
            ] {
                let request = place.request(operation).header("Content-Type", media_type);
                let answer = send(request.body("{\"a\":1}")).await;
                place.refuses(operation, &answer, media_type);
            }
            let odd = reqwest::header::HeaderValue::from_bytes(b"application/\xff").unwrap();
            let request = place.request(operation).header("Content-Type", odd);
            place.refuses(operation, &send(request.body("{}")).await, "a type that is no text");
            let own = [JSON, FORM].into_iter().find(|own| takes(operation, own));
            let Some(own) = own else { continue };
            for encoding in ["gzip", "br", "x"] {
                let request = place.request(operation).header("Content-Type", own);
                let request = request.header("Content-Encoding", encoding).body("{}");
                place.refuses(operation, &send(request).await, encoding);
            }
            let request = place.request(operation).header("Content-Type", own);
            let request = request.body(vec![b' '; 256 * 1024 + 1]);
            place.refuses(operation, &send(request).await, "more than is taken");
        }
    }
}

#[actix_web::test]
async fn parts_that_are_none() {
    let head = "--x\r\nContent-Disposition: form-data; name=";
    let bodies: Vec<Vec<u8>> = [
        b"".to_vec(),
        b"--x".to_vec(),
        b"--x--".to_vec(),
        b"--y\r\n\r\n".to_vec(),
        b"\xff\xfe\0".to_vec(),
        format!("{head}\"a\"\r\n\r\n").into_bytes(),
        format!("{head}\"a\"\r\n\r\nb\r\n--x").into_bytes(),
        format!("{head}\"a\"; filename=\"\r\n\r\nb\r\n--x--\r\n").into_bytes(),
        b"--x\r\n\r\nb\r\n--x--\r\n".to_vec(),
        b"--x\r\nContent-Disposition: attachment\r\n\r\nb\r\n--x--\r\n".to_vec(),
        format!("--x\r\n{}\r\n\r\nb\r\n--x--\r\n", "a: b\r\n".repeat(2000)).into_bytes(),
        format!("--x\r\nA: {}\r\n\r\nb\r\n--x--\r\n", "a".repeat(200_000)).into_bytes(),
        format!("{}--x--\r\n", format!("{head}\"a\"\r\n\r\nb\r\n").repeat(40)).into_bytes(),
        [
            format!("{head}\"chatId\"\r\n\r\n").into_bytes(),
            b"\xff\r\n--x--\r\n".to_vec(),
        ]
        .concat(),
        [
            format!("{head}\"username\"\r\n\r\n").into_bytes(),
            b"\xff\0\r\n--x--\r\n".to_vec(),
        ]
        .concat(),
    ]
    .into();
    for place in places().await {
        for operation in place.operations().iter().filter(|operation| takes(operation, PARTS)) {
            for body in &bodies {
                let what = format!("{:?}", String::from_utf8_lossy(&body[..body.len().min(80)]));
                let request = place
                    .request(operation)
                    .header("Content-Type", "multipart/form-data; boundary=x");
                // Nothing at all may be asked of one who may change nothing at all.
                if operation.says["requestBody"]["required"] == false {
                    continue;
                }
                place.refuses(operation, &send(request.body(body.clone())).await, &what);
            }
        }
    }
}

/// An object that has nothing at its place: for every field that a body must have, one in which that is wrong.
fn wrong(place: &Place, schema: &Value) -> Vec<Value> {
    let Some(properties) = schema["properties"].as_object() else {
        return Vec::new();
    };
    let values = [
        json!(null),
        json!(true),
        json!(-1),
        json!(1.5),
        json!(1e300),
        json!(u64::MAX),
        json!("\0"),
        json!("\u{202e}"),
        json!(""),
        json!(" \n "),
        json!("a".repeat(100_000)),
        json!([]),
        json!([[[]]]),
        json!([null, 1, "x", {}]),
        json!({}),
        json!({"a": {"b": 1}}),
    ];
    let each = |value: &Value| {
        let fields = properties.iter().map(|(name, own)| {
            let own = place.followed(own);
            let inner = own["properties"].as_object();
            let filled = inner.filter(|_| value.is_string() || value.is_number());
            let filled = filled.map(|fields| fields.keys().map(|name| (name.clone(), value.clone())).collect());
            (name.clone(), filled.map_or_else(|| value.clone(), Value::Object))
        });
        Value::Object(fields.collect::<Map<_, _>>())
    };
    values.iter().map(each).collect()
}

#[actix_web::test]
async fn fields_of_another_kind() {
    for place in places().await {
        for operation in place.operations() {
            let Some(schema) = place.taken(&operation, JSON) else {
                continue;
            };
            for body in wrong(&place, schema) {
                let what = body.to_string();
                let nothing = operation.says["requestBody"]["required"] == false && what.contains("null");
                // What may be anything is for the fuzz run; here each of them is wrong everywhere.
                if nothing {
                    continue;
                }
                let answer = send(place.request(&operation).json(&body)).await;
                place.refuses(&operation, &answer, &what[..what.len().min(60)]);
            }
            let twice = schema["properties"].as_object().unwrap().keys().next().unwrap();
            let body = format!("{{\"{twice}\":\"a\",\"{twice}\":\"b\"}}");
            let request = place.request(&operation).header("Content-Type", JSON).body(body);
            place.refuses(&operation, &send(request).await, "a field twice");
        }
    }
}

#[actix_web::test]
async fn forms_that_are_none() {
    for place in places().await {
        for operation in place.operations().iter().filter(|operation| takes(operation, FORM)) {
            let optional = operation.says["requestBody"]["required"] == false;
            let bodies: [&[u8]; 9] = [
                b"\xff=\xff",
                b"%ff=%fe",
                b"name=%ff",
                b"title=%ed%a0%80",
                b"content=\xc3",
                b"password=%c3",
                b"&&&=&=",
                b"%00=%00",
                b"{\"name\":1}",
            ];
            for body in bodies {
                let text = std::str::from_utf8(body).is_ok() && !body.starts_with(b"%ff") && !body.contains(&b'%');
                if optional && (text || body == b"%00=%00") {
                    continue;
                }
                let request = place.request(operation).header("Content-Type", FORM).body(body);
                let what = String::from_utf8_lossy(body);
                place.refuses(operation, &send(request).await, &what);
            }
        }
    }
}

/// Segments that are no id and no number.
const NO_IDS: &[&str] = &[
    "%00",
    "%ff",
    "%c3%28",
    "%ed%a0%80",
    "%",
    "%zz",
    "%2",
    "%2F",
    "..%2F..",
    "%2e%2e",
    "%0d%0aX:%20y",
    "-1",
    "0",
    "+1",
    "1.0",
    "1e3",
    "99999999999999999999999999",
    "00000000-0000-0000-0000-00000000000g",
    "{00000000-0000-0000-0000-00000000000c}",
    "0000000000000000000000000000000c",
    "null",
    "undefined",
    "'%20OR%201=1--",
    "%F0%9F%98%80",
    "*",
    "~",
    ";",
    "a:b",
];

#[actix_web::test]
async fn paths_that_name_nothing() {
    let long = "a".repeat(8_000);
    for place in places().await {
        for (path, item) in place.document["paths"].as_object().unwrap() {
            if !path.contains('{') {
                continue;
            }
            for (method, says) in item.as_object().unwrap() {
                for segment in NO_IDS.iter().copied().chain([long.as_str()]) {
                    let variables = path
                        .split('/')
                        .map(|own| if own.starts_with('{') { segment } else { own });
                    let operation = Operation {
                        method: method.to_uppercase().parse().unwrap(),
                        path: variables.collect::<Vec<_>>().join("/"),
                        says: says.clone(),
                    };
                    let answer = raw(&place, &operation).await;
                    place.refuses(&operation, &answer, "such a path");
                }
            }
        }
    }
}

/// Sends an operation as it stands: a client library would tidy the path up.
async fn raw(place: &Place, operation: &Operation) -> Answer {
    let head = format!(
        "{} {}{} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\nConnection: close\r\n\r\n",
        operation.method, place.base, operation.path
    );
    said(place, head.into_bytes()).await.unwrap()
}

/// Sends those bytes and reads what comes back until the connection is closed; `None` if that is nothing.
async fn said(place: &Place, bytes: Vec<u8>) -> Option<Answer> {
    let address = place.api.base.strip_prefix("http://").unwrap().to_owned();
    let answer = spawn_blocking(move || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        stream.write_all(&bytes).unwrap();
        let mut answer = Vec::new();
        // The server may reset the connection behind its answer.
        let mut chunk = [0; 4096];
        while let Ok(length @ 1..) = stream.read(&mut chunk) {
            answer.extend_from_slice(&chunk[..length]);
        }
        answer
    });
    parsed(&answer.await.unwrap())
}

fn parsed(answer: &[u8]) -> Option<Answer> {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = String::from_utf8(answer[..end].to_vec()).unwrap();
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().unwrap();
    let headers = lines.map(|line| {
        let (name, value) = line.split_once(": ").unwrap();
        (
            name.parse::<reqwest::header::HeaderName>().unwrap(),
            value.parse().unwrap(),
        )
    });
    Some(Answer {
        status,
        headers: headers.collect(),
        bytes: answer[end + 4..].to_vec(),
    })
}

#[actix_web::test]
async fn paths_with_too_many_slashes_or_none() {
    for place in places().await {
        for path in [
            "//",
            "/api//login",
            "//api/login",
            "/./api",
            "/api/../api/nothing",
            "/api/",
            "/%61pi",
            "/api%2Flogin",
        ] {
            let path = format!("{}{path}", place.base);
            for method in ["GET", "POST", "TRACE", "BREW"] {
                let head = format!("{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
                let answer = said(&place, head.into_bytes()).await.unwrap();
                // Some of them are slashes too many of what there is.
                assert!(
                    [404, 405].contains(&answer.status),
                    "{}: {method} {path}: {}",
                    place.name,
                    answer.status
                );
                let body = super::fails(&answer, answer.status);
                assert!(place.fits(&body, &failure(&place)), "{body}");
            }
        }
    }
}

/// The schema of the contract's failures.
fn failure(place: &Place) -> Value {
    let operations = place.operations();
    let schema = operations
        .iter()
        .find_map(|operation| operation.says["responses"]["500"].pointer("/content/application~1json/schema"));
    schema.unwrap().clone()
}

#[actix_web::test]
async fn methods_that_there_are_not() {
    for place in places().await {
        let failure = failure(&place);
        for (path, item) in place.document["paths"].as_object().unwrap() {
            let has = item.as_object().unwrap();
            for method in [
                "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "BREW",
            ] {
                let known = if method == "HEAD" { "GET" } else { method };
                if has.contains_key(&known.to_lowercase()) {
                    continue;
                }
                let path = format!("{}{}", place.base, place.filled(path));
                let request = place.api.anybody(method.parse().unwrap(), &path);
                let answer = send(request).await;
                assert_eq!(answer.status, 405, "{}: {method} {path}", place.name);
                let allowed = answer.header("allow").unwrap().to_owned();
                let mut allowed = allowed.split(", ").filter(|name| *name != "HEAD");
                assert!(
                    allowed.all(|name| has.contains_key(&name.to_lowercase())),
                    "{allowed:?}"
                );
                if method != "HEAD" {
                    assert!(place.fits(&super::fails(&answer, 405), &failure));
                }
            }
        }
    }
}

#[actix_web::test]
async fn credentials_that_are_garbage() {
    for place in places().await {
        for operation in place.operations() {
            if operation.says["security"] == json!([{}]) {
                continue;
            }
            let long = format!("Bearer {}", "a".repeat(8_000));
            for (name, value) in [
                ("Authorization", &b""[..]),
                ("Authorization", b"Bearer"),
                ("Authorization", b"Bearer \xff\xfe"),
                ("Authorization", b"Bearer a.b.c"),
                ("Authorization", b"Bearer ..."),
                ("Authorization", long.as_bytes()),
                ("Authorization", b"Basic Og=="),
                ("Cookie", b""),
                ("Cookie", b";;;=;="),
                ("Cookie", b"\xff=\xff"),
                ("Cookie", b"user_id=\xff; token=\xff"),
                ("Cookie", b"token=good"),
                ("Cookie", b"user_id=; token=good"),
                ("Cookie", b"user_id=1; token=good"),
                ("Cookie", b"user_id=00000000-0000-0000-0000-00000000000b; token=good"),
                ("Cookie", b"user_id=\"; token=\""),
            ] {
                let value_text = String::from_utf8_lossy(&value[..value.len().min(40)]).into_owned();
                let path = format!("{}{}", place.base, operation.path);
                let request = place.api.anybody(operation.method.clone(), &path);
                let value = reqwest::header::HeaderValue::from_bytes(value).unwrap();
                let answer = send(request.header(name, value)).await;
                place.refuses(&operation, &answer, &value_text);
            }
        }
    }
}

/// What is no HTTP has no contract: actix answers it before any of us sees it, and closes the connection.
#[actix_web::test]
async fn requests_that_are_no_http() {
    for place in places().await {
        let base = &place.base;
        for (head, what) in [
            ("Content-Length: x\r\n", "a length that is no number"),
            ("Content-Length: -1\r\n", "a negative length"),
            ("Content-Length: 99999999999999999999\r\n", "a length beyond 64 bits"),
            ("Content-Length: 1\r\nContent-Length: 2\r\n", "two lengths"),
            (
                "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n",
                "a length of chunks",
            ),
            ("Transfer-Encoding: gzip\r\n", "an encoding that there is not"),
            ("Transfer-Encoding: chunked, chunked\r\n", "chunks of chunks"),
            ("No header\r\n", "a line that is no header"),
            ("A\0: b\r\n", "a NUL"),
        ] {
            let request = format!(
                "POST {base}/api/auth/login HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\
                 Content-Type: application/json\r\n{head}\r\n{{}}"
            );
            let answer = said(&place, request.into_bytes()).await;
            let Some(answer) = answer else { continue };
            assert!(
                (400..500).contains(&answer.status),
                "{}: {what}: {}",
                place.name,
                answer.status
            );
            if !answer.bytes.is_empty() {
                let body: Value = serde_json::from_slice(&answer.bytes).expect(what);
                assert!(place.fits(&body, &failure(&place)), "{what}: {body}");
            }
        }
        let chunks = format!(
            "POST {base}/api/login HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\
             Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{{}}\r\n0\r\n\r\n"
        );
        if let Some(answer) = said(&place, chunks.into_bytes()).await {
            assert!((400..500).contains(&answer.status), "{}: {}", place.name, answer.status);
        }
    }
}

/// Whatever bytes claim to be JSON, a form or parts.
#[actix_web::test]
async fn any_bytes_at_all() {
    let mut runner = TestRunner::new_with_rng(
        Config::default(),
        proptest::test_runner::TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha),
    );
    let bytes = prop::collection::vec(any::<u8>(), 1..200);
    // Not a byte of it can be meant: an object, or a field, would begin otherwise.
    let bytes = bytes.prop_map(|mut bytes| {
        bytes.insert(0, 0xff);
        bytes
    });
    for place in places().await {
        for operation in place.operations() {
            for media_type in [JSON, FORM] {
                if !takes(&operation, media_type) {
                    continue;
                }
                for _ in 0..20 {
                    let body = bytes.new_tree(&mut runner).unwrap().current();
                    let what = format!("{media_type} {body:?}");
                    let request = place.request(&operation).header("Content-Type", media_type);
                    place.refuses(&operation, &send(request.body(body)).await, &what);
                }
            }
        }
    }
}
