//! Identifiers: version 7 UUIDs, one type for each kind of thing so that they cannot be mixed up.

use std::fmt;
use uuid::Uuid;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// Wraps an identifier that was made by an id generator or read from storage.
            pub const fn from_uuid(id: Uuid) -> Self {
                Self(id)
            }

            /// The bare UUID.
            pub const fn as_uuid(&self) -> &Uuid {
                &self.0
            }

            /// Reads the hyphenated form that `Display` writes, in either case; `None` for anything else.
            pub fn parse(text: &str) -> Option<Self> {
                if text.len() == 36 { Uuid::try_parse(text).ok().map(Self) } else { None }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.as_hyphenated().fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }
    };
}

id!(
    /// A user.
    UserId
);
id!(
    /// A chat, direct or group.
    ChatId
);
id!(
    /// A message; unique over all chats.
    MessageId
);
id!(
    /// A session: one log-in on one device.
    SessionId
);
id!(
    /// An uploaded file.
    FileId
);
id!(
    /// A mail that is to be sent.
    MailId
);
id!(
    /// A running process of the service.
    NodeId
);
id!(
    /// A report of a message.
    ReportId
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes_and_nothing_looser() {
        let id = ChatId::from_uuid(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0001));
        assert_eq!(ChatId::parse(&id.to_string()), Some(id));
        assert_eq!(ChatId::parse(&id.to_string().to_uppercase()), Some(id));
        for bad in [
            "",
            "1",
            "01900000000070008000000000000001",
            "{01900000-0000-7000-8000-000000000001}",
            "x",
        ] {
            assert_eq!(ChatId::parse(bad), None, "{bad}");
        }
    }
}
