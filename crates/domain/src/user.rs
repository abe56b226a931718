//! Users: names, e-mail addresses, roles.

use crate::file::File;
use crate::ids::UserId;
use crate::profile::Profile;
use crate::text;
use crate::time::Timestamp;
use email_address::{EmailAddress, Options};
use thiserror::Error;

/// A registered user, as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The identifier.
    pub id: UserId,
    /// A second, integer identifier for clients that need one: positive, ascending in order of registration, never reused.
    pub number: i64,
    /// Unique without regard to case; one of username and e-mail is always there until the account is deleted.
    pub username: Option<Username>,
    /// Unique without regard to case.
    pub email: Option<Email>,
    /// Whether somebody is known to read that mailbox.
    pub email_verified: bool,
    /// Free text, not unique.
    pub display_name: Option<DisplayName>,
    /// A raster image.
    pub avatar: Option<File>,
    /// Small facts that clients keep with a user.
    pub profile: Profile,
    /// What the user may do beyond their own chats.
    pub role: Role,
    /// When the user registered.
    pub created_at: Timestamp,
    /// When the account last changed.
    pub updated_at: Timestamp,
    /// The last known activity; written in batches, so up to some seconds behind.
    pub last_seen_at: Option<Timestamp>,
    /// Since when nobody can log in to the account, by an admin's decision.
    pub suspended_at: Option<Timestamp>,
    /// When the account was deleted. Such a user has no names, e-mail or profile any more, but their messages stay.
    pub deleted_at: Option<Timestamp>,
}

impl User {
    /// What a client shows that knows display names: the display name, or else the username. `None` once the account is
    /// deleted, and for somebody who has neither.
    pub fn shown_name(&self) -> Option<&str> {
        let username = || self.username.as_ref().map(Username::as_str);
        self.display_name.as_ref().map(DisplayName::as_str).or_else(username)
    }

    /// What a client shows that knows usernames: the username, or else the display name.
    pub fn shown_username(&self) -> Option<&str> {
        let display_name = || self.display_name.as_ref().map(DisplayName::as_str);
        self.username.as_ref().map(Username::as_str).or_else(display_name)
    }
}

/// What a user may do in the whole service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Role {
    /// An ordinary user.
    #[default]
    User,
    /// May read and manage every chat.
    Admin,
}

impl Role {
    /// The stable word for this role: `user` or `admin`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Admin => "admin",
        }
    }

    /// The role of that name.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "user" => Some(Self::User),
            "admin" => Some(Self::Admin),
            _ => None,
        }
    }
}

/// 3 to 32 characters: letters and digits of any script, `_`, `-`, `.`; kept in NFKC.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Username(String);

/// Why a text is no username.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum UsernameError {
    /// Fewer than [`Username::MIN_CHARS`] or more than [`Username::MAX_CHARS`] characters.
    #[error("must have {} to {} characters", Username::MIN_CHARS, Username::MAX_CHARS)]
    Length,
    /// A character that is no letter, digit, `_`, `-` or `.`.
    #[error("may only hold letters, digits, '_', '-' and '.'")]
    Character(char),
}

impl Username {
    /// Characters (Unicode scalar values) at the least.
    pub const MIN_CHARS: usize = 3;
    /// Characters at the most.
    pub const MAX_CHARS: usize = 32;

    /// Normalises (NFKC) and checks a name.
    pub fn new(text: &str) -> Result<Self, UsernameError> {
        // Longer than any valid name in any encoding of it: refused before it costs anything.
        if text.len() > Self::MAX_CHARS * 16 {
            return Err(UsernameError::Length);
        }
        let name = text::nfkc(text);
        if let Some(c) = name
            .chars()
            .find(|c| !(c.is_alphanumeric() || matches!(c, '_' | '-' | '.')))
        {
            return Err(UsernameError::Character(c));
        }
        if !(Self::MIN_CHARS..=Self::MAX_CHARS).contains(&name.chars().count()) {
            return Err(UsernameError::Length);
        }
        Ok(Self(name))
    }

    /// The name as its owner wrote it, normalised.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What must be unique: the name folded to one case.
    pub fn key(&self) -> String {
        text::fold(&self.0)
    }
}

/// An e-mail address: one `@`, a domain, at most 254 octets (RFC 5321), no quoting, no comments.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Email(String);

/// Why a text is no e-mail address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum EmailError {
    /// More than 254 octets.
    #[error("must have at most {} bytes", Email::MAX_BYTES)]
    TooLong,
    /// Not of the form `name@domain`.
    #[error("must be an e-mail address like name@example.org")]
    Malformed,
}

impl Email {
    /// The longest address that fits a mail transaction's path (RFC 5321, erratum 1690).
    pub const MAX_BYTES: usize = 254;

    /// Checks an address; white space around it is dropped.
    pub fn new(text: &str) -> Result<Self, EmailError> {
        let text = text.trim();
        if text.len() > Self::MAX_BYTES {
            return Err(EmailError::TooLong);
        }
        let options = Options::default().without_display_text().without_domain_literal();
        if text.contains(['"', '\\']) || text.chars().any(|c| c.is_whitespace() || text::is_deceptive(c)) {
            return Err(EmailError::Malformed);
        }
        EmailAddress::parse_with_options(text, options).map_err(|_| EmailError::Malformed)?;
        Ok(Self(text.to_owned()))
    }

    /// The address as its owner wrote it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What must be unique: the whole address folded to one case.
    pub fn key(&self) -> String {
        text::fold(&self.0)
    }
}

/// 1 to 256 characters on one line, free of control characters and of invisible characters that reorder or hide text.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DisplayName(String);

/// Why a text is no display name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum DisplayNameError {
    /// Nothing to see, or more than [`DisplayName::MAX_CHARS`] characters.
    #[error("must have 1 to {} characters", DisplayName::MAX_CHARS)]
    Length,
    /// A control character, or an invisible one that reorders or hides text.
    #[error("must not hold control characters or invisible formatting")]
    Character(char),
}

impl DisplayName {
    /// Characters (Unicode scalar values) at the most.
    pub const MAX_CHARS: usize = 256;

    /// Trims white space from both ends and checks the rest.
    pub fn new(text: &str) -> Result<Self, DisplayNameError> {
        let name = text::one_line(text).map_err(DisplayNameError::Character)?;
        if text::is_blank(name) || name.chars().count() > Self::MAX_CHARS {
            return Err(DisplayNameError::Length);
        }
        Ok(Self(name.to_owned()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What a prefix search compares: the name folded to one case.
    pub fn key(&self) -> String {
        text::fold(&self.0)
    }
}

/// What somebody types to log in, folded: anything with an `@` is an e-mail address, since no username has one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum LoginName {
    /// The key of a [`Username`].
    Username(String),
    /// The key of an [`Email`].
    Email(String),
}

impl LoginName {
    /// Reads a log-in name. `None` for a text that can be nobody's.
    pub fn parse(text: &str) -> Option<Self> {
        if text.contains('@') {
            Email::new(text).ok().map(|email| Self::Email(email.key()))
        } else {
            Username::new(text.trim()).ok().map(|name| Self::Username(name.key()))
        }
    }
}

/// The beginning of a name that is searched for, folded: 1 to 64 characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchPrefix(String);

/// Why a text can't be searched for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error(
    "must have at most {} characters, none of them control characters",
    SearchPrefix::MAX_CHARS
)]
pub struct SearchPrefixError;

impl SearchPrefix {
    /// Characters at the most.
    pub const MAX_CHARS: usize = 64;

    /// Folds a search text; `Ok(None)` when there is nothing to search for.
    pub fn new(text: &str) -> Result<Option<Self>, SearchPrefixError> {
        let text = text.trim_start();
        if text.chars().count() > Self::MAX_CHARS || text.chars().any(char::is_control) {
            return Err(SearchPrefixError);
        }
        Ok(if text.is_empty() {
            None
        } else {
            Some(Self(text::fold(text)))
        })
    }

    /// The folded text that keys begin with.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A text above every key that begins with this prefix, compared by code point: the range `prefix <= key < end`
    /// holds all of them.
    pub fn end(&self) -> String {
        let mut end = self.0.clone();
        end.push(char::MAX);
        end
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn username_bounds() {
        assert_eq!(Username::new("ab"), Err(UsernameError::Length));
        assert!(Username::new("abc").is_ok());
        assert!(Username::new(&"a".repeat(32)).is_ok());
        assert_eq!(Username::new(&"a".repeat(33)), Err(UsernameError::Length));
        assert_eq!(Username::new(&"a".repeat(1 << 20)), Err(UsernameError::Length));
        assert!(Username::new("Иван.Петров-1_").is_ok());
        for bad in [
            "a b c",
            "abc@d",
            "abc\0",
            "abc\u{202E}",
            "abc\u{200B}",
            "abc/",
            "ab\ncd",
            "½½½",
        ] {
            assert!(
                matches!(Username::new(bad), Err(UsernameError::Character(_))),
                "{bad:?}"
            );
        }
    }

    #[test]
    fn usernames_that_look_alike_have_one_key() {
        let key = |name| Username::new(name).unwrap().key();
        assert_eq!(key("Ana"), key("aNA"));
        assert_eq!(key("ＡＮＡ"), key("ana"));
        assert_eq!(key("Straße"), key("STRASSE"));
        assert_ne!(key("ana"), key("anna"));
    }

    #[test]
    fn email_forms() {
        for good in [
            "a@b.c",
            "ana.lopez+x@mail.example.org",
            "A@EXAMPLE.ORG",
            " a@example.org ",
            "ñ@example.org",
            "a@localhost",
        ] {
            assert!(Email::new(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "a",
            "a@",
            "@b",
            "a b@c.d",
            "a@b@c",
            "\"a b\"@c.d",
            "a@[127.0.0.1]",
            "Ana <a@b.c>",
            "a@b\0.c",
            "a\r\n@b.c",
        ] {
            assert!(Email::new(bad).is_err(), "{bad:?}");
        }
        assert_eq!(
            Email::new(&format!("a@{}.org", "b.".repeat(200))),
            Err(EmailError::TooLong)
        );
        assert_eq!(
            Email::new("A@Example.ORG").unwrap().key(),
            Email::new("a@example.org").unwrap().key()
        );
    }

    #[test]
    fn display_name_bounds() {
        assert_eq!(DisplayName::new(" Ana López ").unwrap().as_str(), "Ana López");
        assert_eq!(DisplayName::new(""), Err(DisplayNameError::Length));
        assert_eq!(DisplayName::new(" \u{200D} "), Err(DisplayNameError::Length));
        assert!(DisplayName::new(&"é".repeat(256)).is_ok());
        assert_eq!(DisplayName::new(&"é".repeat(257)), Err(DisplayNameError::Length));
        assert_eq!(
            DisplayName::new("a\u{202E}b"),
            Err(DisplayNameError::Character('\u{202E}'))
        );
        assert_eq!(DisplayName::new("a\nb"), Err(DisplayNameError::Character('\n')));
        assert!(DisplayName::new("👩\u{200D}🚀").is_ok());
    }

    #[test]
    fn login_names() {
        assert_eq!(LoginName::parse("ANA"), Some(LoginName::Username("ana".into())));
        assert_eq!(LoginName::parse("A@B.c"), Some(LoginName::Email("a@b.c".into())));
        assert_eq!(LoginName::parse("a"), None);
        assert_eq!(LoginName::parse("a@"), None);
    }

    proptest! {
        #[test]
        fn a_username_survives_storage(text in any::<String>()) {
            if let Ok(name) = Username::new(&text) {
                prop_assert_eq!(Username::new(name.as_str()), Ok(name.clone()));
                prop_assert!((3..=32).contains(&name.as_str().chars().count()));
            }
        }

        #[test]
        fn nothing_panics(text in any::<String>()) {
            let _ = (Email::new(&text), DisplayName::new(&text), LoginName::parse(&text), SearchPrefix::new(&text));
        }

        #[test]
        fn a_prefix_range_holds_what_begins_with_it(head in "[a-zé]{1,8}", tail in "\\PC{0,8}") {
            let prefix = SearchPrefix::new(&head).unwrap().unwrap();
            let key = format!("{}{tail}", prefix.as_str());
            prop_assert!(prefix.as_str() <= key.as_str() && key.as_str() < prefix.end().as_str());
        }
    }
}
