//! The frames of Phoenix channels: how messages are written, in both versions of the protocol.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tertulia_domain as domain;
use utoipa::ToSchema;

use crate::compat::pairs::Said;
use crate::dto::{Id, Time};

/// How messages are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Version {
    /// 1.0: an object with `topic`, `event`, `payload` and `ref`.
    Objects,
    /// 2.0: an array of `join_ref`, `ref`, topic, event and payload.
    Arrays,
}

impl Version {
    /// What `vsn` asks for; `None` for what is not spoken.
    pub(super) fn asked_for(vsn: Option<&str>) -> Option<Self> {
        let Some(vsn) = vsn else {
            return Some(Self::Objects);
        };
        let mut parts = vsn.split('.').map(str::parse::<u32>);
        let version = match (parts.next()?, parts.next()?, parts.next()?, parts.next()) {
            (Ok(1), Ok(0), Ok(_), None) => Self::Objects,
            (Ok(2), Ok(0), Ok(_), None) => Self::Arrays,
            _ => return None,
        };
        Some(version)
    }

    /// Reads what a client says.
    pub(super) fn read(self, text: &str) -> Option<Push> {
        match self {
            Self::Objects => text
                .trim_ascii_start()
                .starts_with('{')
                .then(|| serde_json::from_str(text).ok())?,
            Self::Arrays => {
                let (join_ref, reference, topic, event, payload) = serde_json::from_str(text).ok()?;
                Some(Push {
                    join_ref,
                    reference,
                    topic,
                    event,
                    payload,
                })
            }
        }
    }

    /// Writes what the server says.
    pub(super) fn write(self, join_ref: &Value, reference: &Value, topic: &str, event: &str, payload: &Value) -> Value {
        match self {
            Self::Objects => json!({"topic": topic, "event": event, "payload": payload, "ref": reference}),
            Self::Arrays => json!([join_ref, reference, topic, event, payload]),
        }
    }
}

/// What a client says.
#[derive(Debug, PartialEq, Deserialize)]
pub(super) struct Push {
    /// What it joined the topic by.
    #[serde(default)]
    pub(super) join_ref: Value,
    /// Comes back in the answer.
    #[serde(default, rename = "ref")]
    pub(super) reference: Value,
    pub(super) topic: String,
    pub(super) event: String,
    #[serde(default)]
    pub(super) payload: Value,
}

/// A message that was sent.
#[derive(Serialize, ToSchema)]
pub(crate) struct ReceivedMessage<'a> {
    /// The text; empty for a message that is nothing but files.
    message: &'a str,
    /// The conversation.
    conv: i64,
    id: Id,
    sender_id: i64,
    date: Time,
}

impl<'a> From<Said<'a>> for ReceivedMessage<'a> {
    fn from(said: Said<'a>) -> Self {
        let domain::Message { id, created_at, .. } = *said.message;
        Self {
            message: said.text(),
            conv: said.chat,
            id: id.into(),
            sender_id: said.sender,
            date: created_at.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions() {
        for (vsn, version) in [
            (None, Some(Version::Objects)),
            (Some("1.0.0"), Some(Version::Objects)),
            (Some("2.0.0"), Some(Version::Arrays)),
            (Some("2.0.7"), Some(Version::Arrays)),
            (Some("2.1.0"), None),
            (Some("3.0.0"), None),
            (Some("2.0"), None),
            (Some("2.0.0.0"), None),
            (Some(""), None),
            (Some("x.y.z"), None),
        ] {
            assert_eq!(Version::asked_for(vsn), version, "{vsn:?}");
        }
    }

    #[test]
    fn reads_each_version_alone() {
        let array = r#"["1","2","t","e",{"a":1}]"#;
        let object = r#" {"topic":"t","event":"e","payload":{"a":1},"ref":"2","join_ref":"1"}"#;
        let push = || Push {
            join_ref: json!("1"),
            reference: json!("2"),
            topic: "t".into(),
            event: "e".into(),
            payload: json!({"a": 1}),
        };
        assert_eq!(Version::Arrays.read(array), Some(push()));
        assert_eq!(Version::Objects.read(object), Some(push()));
        assert_eq!(Version::Arrays.read(object), None);
        assert_eq!(Version::Objects.read(array), None);
        for text in [
            "",
            "x",
            "[]",
            "{}",
            r#"["1","2","t","e"]"#,
            "[1,2,3,4,5]",
            r#"{"topic":1}"#,
        ] {
            assert_eq!(Version::Arrays.read(text), None, "{text}");
            assert_eq!(Version::Objects.read(text), None, "{text}");
        }
    }
}
