use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

/// A secret of 256 random bits that goes out by mail, or as an API key, shown as 43 characters of base64url and stored as
/// its hash.
pub(super) struct SecretToken([u8; 32]);

impl SecretToken {
    pub(super) const fn new(secret: [u8; 32]) -> Self {
        Self(secret)
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.len() != 43 {
            return None;
        }
        URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok().map(Self)
    }

    pub(super) fn show(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// Plain SHA-256 is enough: there is nothing to guess in random bits.
    pub(super) fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.0).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_shows() {
        let shown = SecretToken::new([7; 32]).show();
        assert_eq!(
            SecretToken::parse(&format!(" {shown}\n")).unwrap().hash(),
            SecretToken::new([7; 32]).hash()
        );
        for bad in ["", "x", &shown[1..], &"!".repeat(43)] {
            assert!(SecretToken::parse(bad).is_none(), "{bad}");
        }
    }
}
