//! What holds for every operation of every contract, as their documents list them. Nothing here reaches what is stored:
//! the repositories expect nothing, and would fail the request.

use super::{each_contract, fails};
use crate::world::{Answer, Api, TOKEN, World, send};
use reqwest::{Method, RequestBuilder};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

const UUID: &str = "0190a0a0-0000-7000-8000-000000000001";
const LIMIT: usize = 256 * 1024;
const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

/// Something that a contract can do.
struct Operation {
    method: Method,
    /// As the document has it.
    template: String,
    /// Whether one needs no session.
    public: bool,
    /// What its body can be, if it takes one.
    media: Vec<String>,
    numbered: bool,
}

impl Operation {
    fn path(&self) -> String {
        self.filled(if self.numbered { "1" } else { UUID })
    }

    /// With that in the place of each variable.
    fn filled(&self, value: &str) -> String {
        let pieces = self.template.split(['{', '}']).enumerate();
        pieces
            .map(|(place, text)| if place % 2 == 1 { value } else { text })
            .collect()
    }

    fn takes(&self, media: &str) -> bool {
        self.media.iter().any(|taken| taken == media)
    }

    /// By Ana.
    fn request(&self, api: &Api, base: &str) -> RequestBuilder {
        self.request_to(api, &format!("{base}{}", self.path()))
    }

    fn request_to(&self, api: &Api, path: &str) -> RequestBuilder {
        let request = api.anybody(self.method.clone(), path);
        request.bearer_auth(TOKEN)
    }
}

async fn operations(api: &Api, base: &str) -> Vec<Operation> {
    let document = send(api.anybody(Method::GET, &format!("{base}/openapi.json"))).await;
    let document = document.json(200);
    let paths = document["paths"].as_object().unwrap();
    let operations = paths.iter().flat_map(|(path, item)| {
        let methods = item.as_object().unwrap().iter();
        methods.map(|(method, operation)| {
            let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
            let numbered = |parameter: &Value| parameter["in"] == "path" && parameter["schema"]["type"] == "integer";
            let media = operation["requestBody"]["content"].as_object();
            Operation {
                method: method.to_uppercase().parse().unwrap(),
                template: path.clone(),
                public: operation["security"] == serde_json::json!([{}]),
                media: media.map(|media| media.keys().cloned().collect()).unwrap_or_default(),
                numbered: parameters.iter().any(numbered),
            }
        })
    });
    operations.collect()
}

/// What an operation says of a body that it does not understand, of one of another type, and of one that is too large.
fn statuses(contract: &str) -> [u16; 3] {
    match contract {
        "amigos" => [400, 415, 413],
        "company" => [422; 3],
        _ => [400; 3],
    }
}

fn told(answer: &Answer) -> (u16, String, Option<&str>) {
    let body = String::from_utf8_lossy(&answer.bytes).into_owned();
    (answer.status, body, answer.header("allow"))
}

#[actix_web::test]
async fn a_slash_at_the_end_changes_no_answer() {
    for (api, base, name) in each_contract(World::new) {
        for operation in operations(&api, &base).await {
            // To a stranger, or with a body that is none: what is answered depends on the operation alone.
            let ask = async |end: &str| {
                let request = api.anybody(operation.method.clone(), &format!("{base}{}{end}", operation.path()));
                let media = operation.media.first().map_or(JSON, String::as_str);
                send(request.header("Content-Type", media).body("%ff{")).await
            };
            let plain = ask("").await;
            for end in ["/", "//", "?a=1", "/?a=1&b=%20"] {
                let answer = ask(end).await;
                assert_eq!(
                    told(&answer),
                    told(&plain),
                    "{name}: {} {}{end}",
                    operation.method,
                    operation.template
                );
            }
        }
    }
}

#[actix_web::test]
async fn a_wrong_method_is_told_the_right_ones() {
    for (api, base, name) in each_contract(World::new) {
        let mut paths = BTreeMap::<String, BTreeSet<String>>::new();
        for operation in operations(&api, &base).await {
            let methods = paths.entry(operation.path()).or_default();
            methods.insert(operation.method.to_string());
            if operation.method == Method::GET {
                methods.insert("HEAD".into());
            }
        }
        // Two templates that look the same once filled in are told apart by what stands there.
        for (path, methods) in paths {
            for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"] {
                if methods.contains(method) {
                    continue;
                }
                for end in ["", "/", "?a=1"] {
                    let request = api.anybody(method.parse().unwrap(), &format!("{base}{path}{end}"));
                    let answer = send(request.bearer_auth(TOKEN)).await;
                    fails(&answer, 405);
                    let allowed = answer.header("allow").unwrap().split(", ").map(str::to_owned);
                    assert_eq!(
                        allowed.collect::<BTreeSet<_>>(),
                        methods,
                        "{name}: {method} {path}{end}"
                    );
                }
            }
        }
    }
}

#[actix_web::test]
async fn bodies_that_are_none_keep_the_shape() {
    for (api, base, name) in each_contract(World::new) {
        let [malformed, wrong_type, too_large] = statuses(name);
        for operation in operations(&api, &base).await {
            let is = |what: &str| format!("{name}: {} {}: {what}", operation.method, operation.template);
            // What stands in packets of Engine.IO is for that to read.
            if operation.media.is_empty() || operation.template == "/socket.io" {
                continue;
            }
            let ask = async |media: &str, body: Vec<u8>| {
                let request = operation.request(&api, &base).header("Content-Type", media);
                send(request.body(body)).await
            };
            for media in [
                "text/plain",
                "application/xml",
                "application/json; charset=latin1",
                "nonsense",
                "",
            ] {
                let answer = ask(media, b"{\"a\":1}".to_vec()).await;
                assert_eq!(answer.status, wrong_type, "{}", is(media));
                fails(&answer, wrong_type);
            }
            if operation.takes(JSON) {
                let bodies: [&[u8]; 9] = [
                    b"{",
                    b"}",
                    b"nonsense",
                    b"[]",
                    b"null",
                    b"7",
                    b"\"text\"",
                    b"\xff\xfe",
                    b"{\"a\":1}{\"a\":1}",
                ];
                for body in bodies {
                    let answer = ask(JSON, body.to_vec()).await;
                    assert_eq!(answer.status, malformed, "{}", is(&String::from_utf8_lossy(body)));
                    fails(&answer, malformed);
                }
            }
            for (media, body) in [(JSON, "{\"a\":\"#\"}"), (FORM, "a=#")] {
                if operation.takes(media) {
                    let body = body.replace('#', &"x".repeat(LIMIT));
                    let answer = ask(media, body.into_bytes()).await;
                    assert_eq!(answer.status, too_large, "{}", is("too large"));
                    fails(&answer, too_large);
                }
            }
            if operation.media == [FORM] {
                let answer = ask(FORM, b"name=%ff&title=%ff&content=%ff&password=%ff&email=%ff".to_vec()).await;
                assert_eq!(answer.status, malformed, "{}", is("no UTF-8"));
                let answer = ask(JSON, b"{}".to_vec()).await;
                assert!(fails(&answer, wrong_type)["error"].as_str().unwrap().contains(FORM));
            }
            if operation.media.iter().all(|media| media == "multipart/form-data") {
                let answer = ask(JSON, b"{}".to_vec()).await;
                fails(&answer, wrong_type);
            }
        }
    }
}

#[actix_web::test]
async fn ids_of_the_wrong_form_are_nobodys() {
    for (api, base, name) in each_contract(World::new) {
        for operation in operations(&api, &base).await {
            let any = operation.public || !operation.template.contains('{');
            if any {
                continue;
            }
            for wrong in [
                "x",
                "%00",
                "%ff",
                "-1",
                "0",
                "1.5",
                "null",
                "99999999999999999999",
                &"a".repeat(4000),
            ] {
                let request = operation.request_to(&api, &format!("{base}{}", operation.filled(wrong)));
                let request = match operation.media.first() {
                    Some(media) if media == FORM => request.header("Content-Type", FORM).body("title=a"),
                    Some(_) => request.json(&serde_json::json!({"password": "secreta"})),
                    None => request,
                };
                let answer = send(request).await;
                let what = format!("{name}: {} {} {wrong}", operation.method, operation.template);
                // What others call 404 is one of the mistakes of a client there.
                let status = if name == "company" { 422 } else { 404 };
                assert_eq!(answer.status, status, "{what}");
                fails(&answer, status);
            }
        }
    }
}

#[actix_web::test]
async fn pages_of_other_origins_ask_first() {
    const FRIEND: &str = "https://chat.example.org";
    for (origins, status) in [(&[][..], 405), (&[FRIEND.to_owned()][..], 200)] {
        let world = || {
            let mut world = World::new();
            world.options.allowed_origins = origins.to_vec();
            world
        };
        for (api, base, name) in each_contract(world) {
            for operation in operations(&api, &base).await {
                let request = api.anybody(Method::OPTIONS, &format!("{base}{}", operation.path()));
                let request = request
                    .header("Origin", FRIEND)
                    .header("Access-Control-Request-Method", operation.method.as_str())
                    .header("Access-Control-Request-Headers", "authorization,content-type");
                let answer = send(request).await;
                let what = format!("{name}: {} {}", operation.method, operation.template);
                assert_eq!(answer.status, status, "{what}");
                let allowed = answer.header("access-control-allow-origin");
                if status == 200 {
                    assert_eq!(allowed, Some(FRIEND), "{what}");
                    let methods = answer.header("access-control-allow-methods").unwrap();
                    assert!(methods.contains(operation.method.as_str()), "{what}: {methods}");
                } else {
                    assert_eq!(allowed, None, "{what}");
                    fails(&answer, status);
                }
            }
        }
    }
}
