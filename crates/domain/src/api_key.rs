//! Keys for bots and backends: a session without a log-in, that may do only what its scopes say.

use crate::ids::{SessionId, UserId};
use crate::session::DeviceName;
use crate::time::Timestamp;
use thiserror::Error;

/// One thing that a key may be allowed to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// See users, chats, members, messages and files.
    Read,
    /// Send, edit and delete messages, upload files, move the read position.
    Write,
    /// Make, change and delete chats; add and remove members.
    Manage,
}

impl Scope {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Read, Self::Write, Self::Manage];

    /// The stable word: `read`, `write` or `manage`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Manage => "manage",
        }
    }

    const fn bit(self) -> u8 {
        match self {
            Self::Read => 1,
            Self::Write => 2,
            Self::Manage => 4,
        }
    }
}

/// What credentials may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Scopes(u8);

/// A word that names no scope, or no word at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be a non-empty list of 'read', 'write' and 'manage'")]
pub struct ScopesError;

impl Scopes {
    /// What a user who logged in may do: everything, their account included, which no key may touch.
    pub const FULL: Self = Self(u8::MAX);

    /// The scopes of a key, by their words.
    pub fn parse<'a>(words: impl IntoIterator<Item = &'a str>) -> Result<Self, ScopesError> {
        let mut bits = 0;
        for word in words {
            bits |= Scope::ALL
                .into_iter()
                .find(|scope| scope.as_str() == word)
                .ok_or(ScopesError)?
                .bit();
        }
        if bits == 0 { Err(ScopesError) } else { Ok(Self(bits)) }
    }

    /// Whether this is among them.
    pub const fn allow(self, scope: Scope) -> bool {
        self.0 & scope.bit() != 0
    }

    /// Whether the account itself may be changed: only by somebody who logged in.
    pub const fn allow_account(self) -> bool {
        self.0 == Self::FULL.0
    }

    /// The words of a key's scopes.
    pub fn words(self) -> impl Iterator<Item = &'static str> {
        Scope::ALL
            .into_iter()
            .filter(move |scope| self.allow(*scope))
            .map(Scope::as_str)
    }
}

/// A key, without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// The identifier; of the same kind as a session's.
    pub id: SessionId,
    /// Whose key it is, and as whom it acts.
    pub user_id: UserId,
    /// What its owner calls it.
    pub name: DeviceName,
    /// What it may be used for.
    pub scopes: Scopes,
    /// When it was made.
    pub created_at: Timestamp,
    /// The last known use; the time of its making if there was none.
    pub last_used_at: Timestamp,
    /// From then on it is refused; `None` for never.
    pub expires_at: Option<Timestamp>,
}

impl ApiKey {
    /// Keys of one user at the most.
    pub const MOST: u32 = 100;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes() {
        let some = Scopes::parse(["write", "read", "write"]).unwrap();
        assert!(some.allow(Scope::Read) && some.allow(Scope::Write) && !some.allow(Scope::Manage));
        assert_eq!(some.words().collect::<Vec<_>>(), ["read", "write"]);
        assert!(!some.allow_account() && Scopes::FULL.allow_account());
        assert!(!Scopes::parse(["read", "write", "manage"]).unwrap().allow_account());
        assert_eq!(Scopes::parse([]), Err(ScopesError));
        assert_eq!(Scopes::parse(["read", "admin"]), Err(ScopesError));
    }
}
