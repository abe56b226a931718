//! Files that users upload.

use crate::ids::FileId;
use crate::text;
use std::fmt;
use thiserror::Error;

/// An uploaded file, as messages and avatars show it. Nothing of it ever changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// The identifier.
    pub id: FileId,
    /// What its owner called it, made harmless.
    pub name: FileName,
    /// What it is, told from its bytes.
    pub media_type: MediaType,
    /// How many bytes it has, at least one.
    pub size: u64,
    /// Width and height of a raster image.
    pub dimensions: Option<Dimensions>,
    /// The key of the file's public address, if it has one: whoever knows it may read the file.
    pub public_key: Option<PublicKey>,
}

impl File {
    /// Files that one message may have.
    pub const MAX_PER_MESSAGE: usize = 10;

    /// True for what has a thumbnail.
    pub fn is_image(&self) -> bool {
        self.dimensions.is_some()
    }
}

/// Pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dimensions {
    /// From left to right.
    pub width: u32,
    /// From top to bottom.
    pub height: u32,
}

/// A file's name: 1 to 255 bytes of UTF-8 without path separators, control characters or deceptive ones; never `.` or `..`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileName(String);

/// A text that is no file name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be a plain file name of 1 to {} bytes", FileName::MAX_BYTES)]
pub struct FileNameError;

impl FileName {
    /// Bytes at the most: what common file systems take.
    pub const MAX_BYTES: usize = 255;

    /// What a file is called whose name has nothing left in it.
    const UNNAMED: &str = "file";

    /// Makes any name harmless: what comes before the last path separator goes, forbidden characters become `_`, and a
    /// name that is too long is cut before its extension.
    pub fn sanitise(text: &str) -> Self {
        let last = text.rsplit(['/', '\\']).next().unwrap_or_default();
        let clean: String = last
            .trim()
            .chars()
            .map(|c| if Self::is_forbidden(c) { '_' } else { c })
            .collect();
        let clean = clean.trim_start_matches('.');
        if clean.is_empty() {
            return Self(Self::UNNAMED.to_owned());
        }
        if clean.len() <= Self::MAX_BYTES {
            return Self(clean.to_owned());
        }
        // Extensions beyond that are none.
        let extension = clean
            .rfind('.')
            .map(|dot| &clean[dot..])
            .filter(|ext| ext.len() <= 16)
            .unwrap_or_default();
        let stem = clean.floor_char_boundary(Self::MAX_BYTES - extension.len());
        Self(format!("{}{extension}", &clean[..stem]))
    }

    /// A name that was sanitised before.
    pub fn restore(text: String) -> Result<Self, FileNameError> {
        let harmless = !text.is_empty() && text.len() <= Self::MAX_BYTES && !text.chars().any(Self::is_forbidden);
        if harmless { Ok(Self(text)) } else { Err(FileNameError) }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn is_forbidden(c: char) -> bool {
        matches!(c, '/' | '\\') || text::is_deceptive(c)
    }
}

/// What kind of content a file has: `type/subtype` (RFC 6838), lower case, without parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaType(String);

/// A text that is no media type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be of the form type/subtype")]
pub struct MediaTypeError;

impl MediaType {
    /// Checks a media type.
    pub fn new(text: &str) -> Result<Self, MediaTypeError> {
        let token = |part: &str| {
            !part.is_empty()
                && part
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"!#$&-^_.+".contains(&b))
        };
        match text.split_once('/') {
            Some((kind, sub)) if text.len() <= 127 && token(kind) && token(sub) => Ok(Self(text.to_owned())),
            _ => Err(MediaTypeError),
        }
    }

    /// Bytes that nothing is known about.
    pub fn unknown() -> Self {
        Self("application/octet-stream".to_owned())
    }

    /// The media type.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// True for the image formats that can't carry a script: the only ones that browsers may show in place.
    pub fn is_raster_image(&self) -> bool {
        matches!(self.as_str(), "image/png" | "image/jpeg" | "image/gif" | "image/webp")
    }
}

/// SHA-256 of a file's bytes: equal bytes are kept once.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest(pub [u8; 32]);

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

/// Where a file store keeps some bytes: path segments of letters, digits, `-` and `_`, parted by `/`. Never used twice.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectKey(String);

impl ObjectKey {
    /// Wraps a key that was made by the core or read from storage.
    pub fn from_string(text: String) -> Self {
        Self(text)
    }

    /// The key.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An unguessable word in a public address: 22 to 64 characters of base64url, at least 128 random bits.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct PublicKey(String);

/// A text that is no public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be 22 to 64 characters of base64url")]
pub struct PublicKeyError;

impl PublicKey {
    /// Checks the form of a key.
    pub fn new(text: &str) -> Result<Self, PublicKeyError> {
        let word = text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        if word && (22..=64).contains(&text.len()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(PublicKeyError)
        }
    }

    /// The key.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PublicKey(…)")
    }
}

/// How somebody stands to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileStanding {
    /// They uploaded it.
    pub owner: bool,
    /// It hangs on a message, or is the avatar, of a chat that they are in; or it is the avatar of a user, whom all may see.
    pub shared: bool,
    /// They are a service admin.
    pub service_admin: bool,
}

impl FileStanding {
    /// Whether they may read it, and attach it to a message.
    pub const fn may_read(self) -> bool {
        self.owner || self.shared || self.service_admin
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_become_harmless() {
        for (given, name) in [
            ("report.pdf", "report.pdf"),
            ("../../x", "x"),
            ("C:\\secret\\a.txt", "a.txt"),
            ("a\0b.txt", "a_b.txt"),
            ("", "file"),
            ("..", "file"),
            (".htaccess", "htaccess"),
            ("año\u{202E}gpj.exe", "año_gpj.exe"),
            ("dir/", "file"),
        ] {
            assert_eq!(FileName::sanitise(given).as_str(), name, "{given:?}");
        }
        let long = FileName::sanitise(&format!("{}.tar.gz", "é".repeat(300)));
        assert!(long.as_str().len() <= 255);
        assert_eq!(long.as_str().rsplit('.').next(), Some("gz"));
    }

    #[test]
    fn media_types() {
        assert!(MediaType::new("image/png").unwrap().is_raster_image());
        assert!(!MediaType::new("image/svg+xml").unwrap().is_raster_image());
        for bad in [
            "",
            "image",
            "/",
            "image/",
            "Image/png",
            "text/html; charset=utf-8",
            "a/b/c",
            "a b/c",
        ] {
            assert_eq!(MediaType::new(bad), Err(MediaTypeError), "{bad}");
        }
    }

    #[test]
    fn who_may_read() {
        let nobody = FileStanding {
            owner: false,
            shared: false,
            service_admin: false,
        };
        assert!(!nobody.may_read());
        assert!(FileStanding { owner: true, ..nobody }.may_read());
        assert!(FileStanding { shared: true, ..nobody }.may_read());
        assert!(
            FileStanding {
                service_admin: true,
                ..nobody
            }
            .may_read()
        );
    }

    proptest! {
        #[test]
        fn a_sanitised_name_survives_storage(text in any::<String>()) {
            let name = FileName::sanitise(&text);
            prop_assert_eq!(FileName::restore(name.as_str().to_owned()), Ok(name));
        }
    }
}
