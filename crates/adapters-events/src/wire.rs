//! What goes over the wire: JSON, of which fields that are not known are ignored.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tertulia_application::ports::Signal;
use tertulia_domain::{ChatId, SessionId, Timestamp, UserId};
use uuid::Uuid;

/// One message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Envelope {
    /// Whom it is from.
    node: Id,
    #[serde(flatten)]
    told: Told,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "told", rename_all = "snake_case")]
enum Told {
    /// To oneself: that what is sent comes back.
    Echo {
        connection: u64,
    },
    Changed {
        chat: Id,
        users: Vec<Id>,
    },
    SessionsEnded {
        user: Id,
        session: Option<Id>,
    },
    Typing {
        chat: Id,
        user: Id,
        active: bool,
    },
    Presence {
        user: Id,
        online: bool,
        at: i64,
    },
    Lost,
}

/// What a message says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// One's own test of one's connection of that number.
    OwnEcho(u64),
    /// Something that is not for this process.
    NotForUs,
    /// Another process tells that.
    Signal(Signal),
}

/// Writes a signal.
pub(crate) fn signal(node: Uuid, signal: Signal) -> serde_json::Result<Vec<u8>> {
    let told = match signal {
        Signal::Changed { chat_id, users } => Told::Changed {
            chat: Id(*chat_id.as_uuid()),
            users: users.iter().map(|user| Id(*user.as_uuid())).collect(),
        },
        Signal::SessionsEnded { user_id, session_id } => Told::SessionsEnded {
            user: Id(*user_id.as_uuid()),
            session: session_id.map(|id| Id(*id.as_uuid())),
        },
        Signal::Typing {
            chat_id,
            user_id,
            active,
        } => Told::Typing {
            chat: Id(*chat_id.as_uuid()),
            user: Id(*user_id.as_uuid()),
            active,
        },
        Signal::Presence { user_id, online, at } => Told::Presence {
            user: Id(*user_id.as_uuid()),
            online,
            at: at.as_millis(),
        },
        Signal::Lost => Told::Lost,
    };
    serde_json::to_vec(&Envelope { node: Id(node), told })
}

/// Writes the test of a connection.
pub(crate) fn echo(node: Uuid, connection: u64) -> serde_json::Result<Vec<u8>> {
    let told = Told::Echo { connection };
    serde_json::to_vec(&Envelope { node: Id(node), told })
}

/// Reads a message, as the process `node`.
pub(crate) fn read(node: Uuid, bytes: &[u8]) -> serde_json::Result<Heard> {
    let Envelope { node: Id(from), told } = serde_json::from_slice(bytes)?;
    let signal = match told {
        Told::Echo { connection } if from == node => return Ok(Heard::OwnEcho(connection)),
        Told::Echo { .. } => return Ok(Heard::NotForUs),
        _ if from == node => return Ok(Heard::NotForUs),
        Told::Changed { chat, users } => Signal::Changed {
            chat_id: ChatId::from_uuid(chat.0),
            users: users.into_iter().map(|user| UserId::from_uuid(user.0)).collect(),
        },
        Told::SessionsEnded { user, session } => Signal::SessionsEnded {
            user_id: UserId::from_uuid(user.0),
            session_id: session.map(|id| SessionId::from_uuid(id.0)),
        },
        Told::Typing { chat, user, active } => Signal::Typing {
            chat_id: ChatId::from_uuid(chat.0),
            user_id: UserId::from_uuid(user.0),
            active,
        },
        Told::Presence { user, online, at } => Signal::Presence {
            user_id: UserId::from_uuid(user.0),
            online,
            at: Timestamp::from_millis(at),
        },
        Told::Lost => Signal::Lost,
    };
    Ok(Heard::Signal(signal))
}

/// A UUID as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Id(Uuid);

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Uuid::try_parse(&text).map(Self).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: Uuid = Uuid::from_u128(1);
    const OTHER: Uuid = Uuid::from_u128(2);

    #[test]
    fn what_is_written_is_read_by_the_others() {
        let (chat_id, user_id) = (ChatId::from_uuid(Uuid::from_u128(3)), UserId::from_uuid(OWN));
        let at = Timestamp::from_millis(1_700_000_000_123);
        for said in [
            Signal::Changed {
                chat_id,
                users: vec![user_id, UserId::from_uuid(OTHER)],
            },
            Signal::SessionsEnded {
                user_id,
                session_id: None,
            },
            Signal::SessionsEnded {
                user_id,
                session_id: Some(SessionId::from_uuid(OTHER)),
            },
            Signal::Typing {
                chat_id,
                user_id,
                active: true,
            },
            Signal::Presence {
                user_id,
                online: false,
                at,
            },
            Signal::Lost,
        ] {
            let bytes = signal(OWN, said.clone()).unwrap();
            assert_eq!(read(OWN, &bytes).unwrap(), Heard::NotForUs);
            assert_eq!(read(OTHER, &bytes).unwrap(), Heard::Signal(said));
        }
        let bytes = echo(OWN, 7).unwrap();
        assert_eq!(read(OWN, &bytes).unwrap(), Heard::OwnEcho(7));
        assert_eq!(read(OTHER, &bytes).unwrap(), Heard::NotForUs);
    }

    #[test]
    fn later_versions_may_say_more() {
        let more = format!(r#"{{"node":"{OTHER}","told":"lost","since":5,"more":{{}}}}"#);
        assert_eq!(read(OWN, more.as_bytes()).unwrap(), Heard::Signal(Signal::Lost));
    }

    #[test]
    fn anything_else_is_an_error() {
        for bad in [
            "",
            "nonsense",
            "{}",
            "[1]",
            r#"{"node":"1","told":"lost"}"#,
            r#"{"told":"lost"}"#,
            r#"{"node":"00000000-0000-0000-0000-000000000002","told":"news"}"#,
            r#"{"node":"00000000-0000-0000-0000-000000000002","told":"changed","chat":"x","users":[]}"#,
        ] {
            assert!(read(OWN, bad.as_bytes()).is_err(), "{bad}");
        }
        assert!(read(OWN, &[0xff, 0, 0x7b]).is_err());
    }
}
