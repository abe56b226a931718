use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use tertulia_domain::{RefreshHashes, SessionId};
use uuid::Uuid;

/// What a client exchanges for the next access token: the session, a random part that stays the same over the session's
/// life, and one that changes with every use. 80 bytes, shown as base64url.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct RefreshToken {
    pub(super) session_id: SessionId,
    pub(super) family: [u8; 32],
    pub(super) secret: [u8; 32],
}

impl RefreshToken {
    const BYTES: usize = 16 + 32 + 32;

    pub(super) fn parse(text: &str) -> Option<Self> {
        // Base64 of 80 bytes: anything else is not even decoded.
        if text.len() != Self::BYTES.div_ceil(3) * 4 - 1 {
            return None;
        }
        let bytes: [u8; Self::BYTES] = URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?;
        let (session, rest) = bytes.split_first_chunk::<16>()?;
        let (family, secret) = rest.split_first_chunk::<32>()?;
        Some(Self {
            session_id: SessionId::from_uuid(Uuid::from_bytes(*session)),
            family: *family,
            secret: secret.try_into().ok()?,
        })
    }

    pub(super) fn show(&self) -> String {
        let mut bytes = [0; Self::BYTES];
        bytes[..16].copy_from_slice(self.session_id.as_uuid().as_bytes());
        bytes[16..48].copy_from_slice(&self.family);
        bytes[48..].copy_from_slice(&self.secret);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// What is stored. Plain SHA-256 is enough: the secrets are random, there is nothing to guess.
    pub(super) fn hashes(&self) -> RefreshHashes {
        RefreshHashes {
            family: Sha256::digest(self.family).into(),
            secret: Sha256::digest(self.secret).into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token() -> RefreshToken {
        RefreshToken {
            session_id: SessionId::from_uuid(Uuid::from_u128(7)),
            family: [0; 32],
            secret: [2; 32],
        }
    }

    /// Clients hold tokens for weeks: a server of tomorrow must read those of today.
    #[test]
    fn is_eighty_bytes_in_this_order() {
        let bytes = [&Uuid::from_u128(7).into_bytes()[..], &[0; 32], &[2; 32]].concat();
        assert_eq!(URL_SAFE_NO_PAD.decode(token().show()).unwrap(), bytes);
    }

    #[test]
    fn is_stored_as_sha_256_of_each_part() {
        let RefreshHashes { family, secret } = token().hashes();
        assert_eq!(
            URL_SAFE_NO_PAD.encode(family),
            "Zmh6rfhivXdsj8GLjp-OIAiXFIVu4jOzkCpZHQ1fKSU"
        );
        assert_eq!(
            URL_SAFE_NO_PAD.encode(secret),
            "dYd7tB05O1-4RVzmDs2N2gAdBjFklrFN-n-JVlbuyko"
        );
    }

    #[test]
    fn reads_what_it_shows() {
        let token = token();
        assert!(RefreshToken::parse(&token.show()) == Some(token));
        for bad in [
            "",
            "x",
            &token.show()[1..],
            &format!("{}=", token.show()),
            &"!".repeat(107),
        ] {
            assert!(RefreshToken::parse(bad).is_none(), "{bad}");
        }
    }
}
