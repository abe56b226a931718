use super::frames::{ClientFrame, ServerFrames};
use crate::endpoint::Endpoint;
use crate::respond;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Bytes;
use serde_json::{Value, json};
use std::sync::LazyLock;
use utoipa::OpenApi;

pub(crate) fn endpoints() -> Vec<Endpoint> {
    vec![Endpoint::new("/asyncapi.json").get(asyncapi)]
}

/// The frames, so that all schemas that they refer to come along.
#[derive(OpenApi)]
#[openapi(components(schemas(ServerFrames, ClientFrame)))]
struct Frames;

/// The description of the frames
///
/// `AsyncAPI` 3.0, from the types that the frames are written with.
#[utoipa::path(
    get,
    path = "/asyncapi.json",
    tag = "operation",
    operation_id = "asyncapi",
    security(()),
    responses((status = 200, description = "AsyncAPI 3.0", body = Object))
)]
pub(crate) async fn asyncapi() -> HttpResponse {
    static DOCUMENT: LazyLock<Bytes> = LazyLock::new(|| respond::to_json(&document()).into());
    respond::json_bytes(StatusCode::OK, DOCUMENT.clone())
}

fn document() -> Value {
    let schemas = serde_json::to_value(Frames::openapi().components.map(|components| components.schemas));
    let message = |name: &str, schema: &str| {
        json!({
            "name": name,
            "contentType": "application/json",
            "payload": {"$ref": format!("#/components/schemas/{schema}")},
        })
    };
    let refer = |name: &str| json!([{"$ref": format!("#/channels/socket/messages/{name}")}]);
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Tertulia, realtime",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "What happens in chats, as it happens. Each frame is one JSON text; its `type` tells which it is.",
        },
        "channels": {
            "socket": {
                "address": "/api/v1/ws",
                "description": "The WebSocket. The access token comes in the head, as the subprotocol `bearer.TOKEN` \
                                beside `tertulia`, or as `?ticket=`.",
                "messages": {
                    "fromServer": message("fromServer", "ServerFrame"),
                    "fromClient": message("fromClient", "ClientFrame"),
                },
            },
        },
        "operations": {
            "say": {
                "action": "send",
                "channel": {"$ref": "#/channels/socket"},
                "messages": refer("fromServer"),
            },
            "hear": {
                "action": "receive",
                "channel": {"$ref": "#/channels/socket"},
                "messages": refer("fromClient"),
            },
        },
        "components": {"schemas": schemas.unwrap_or_default()},
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reference_leads_somewhere() {
        fn walk(value: &Value, document: &Value) {
            match value {
                Value::Object(fields) => {
                    if let Some(Value::String(reference)) = fields.get("$ref") {
                        let pointer = reference.strip_prefix('#').unwrap();
                        assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
                    }
                    fields.values().for_each(|value| walk(value, document));
                }
                Value::Array(items) => items.iter().for_each(|value| walk(value, document)),
                _ => {}
            }
        }
        let document = document();
        walk(&document, &document);
        assert!(document.pointer("/components/schemas/ServerFrame").is_some());
    }
}
