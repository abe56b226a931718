use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::collections::HashMap;
use tertulia_domain::{EventSeq, Timestamp, UserId};
use uuid::Uuid;

/// The form of the tokens that are made now.
const VERSION: u8 = 1;

/// Chats that a token tells the place of, the last active ones: so it fits into a header.
const MAX_CHATS: usize = 1_000;

/// Up to where somebody was told of what happens in their chats: a place for each chat, by its number.
///
/// It holds no secret and gives no right. Whoever makes one up is told what they may see anyway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ResumeToken {
    pub(super) user_id: UserId,
    /// When the chats that are left out were last active, at the latest; `None` when none is.
    pub(super) left_out: Option<Timestamp>,
    pub(super) places: HashMap<i64, EventSeq>,
}

/// A chat's place and when something last happened there.
pub(super) struct Place {
    pub(super) number: i64,
    pub(super) seq: EventSeq,
    pub(super) active_at: Timestamp,
}

impl ResumeToken {
    pub(super) fn new(user_id: UserId, mut places: Vec<Place>) -> Self {
        let mut left_out = None;
        if places.len() > MAX_CHATS {
            places.sort_unstable_by_key(|place| std::cmp::Reverse(place.active_at));
            left_out = Some(places[MAX_CHATS].active_at);
            places.truncate(MAX_CHATS);
        }
        let places = places.into_iter().map(|place| (place.number, place.seq)).collect();
        Self {
            user_id,
            left_out,
            places,
        }
    }

    pub(super) fn show(&self) -> String {
        let mut bytes = vec![VERSION];
        bytes.extend_from_slice(self.user_id.as_uuid().as_bytes());
        let left_out = self.left_out.map_or(i64::MIN, Timestamp::as_millis);
        bytes.extend_from_slice(&left_out.to_be_bytes());
        let mut places: Vec<_> = self.places.iter().collect();
        places.sort_unstable();
        let mut before = 0;
        for (number, seq) in places {
            write_number(&mut bytes, number - before);
            write_number(&mut bytes, seq.get());
            before = *number;
        }
        URL_SAFE_NO_PAD.encode(bytes)
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (version, rest) = bytes.split_first()?;
        let (user, rest) = rest.split_first_chunk::<16>()?;
        let (left_out, mut rest) = rest.split_first_chunk::<8>()?;
        if *version != VERSION {
            return None;
        }
        let left_out = i64::from_be_bytes(*left_out);
        let mut places = HashMap::new();
        let mut number: i64 = 0;
        while !rest.is_empty() {
            number = number.checked_add(read_number(&mut rest)?)?;
            places.insert(number, EventSeq::new(read_number(&mut rest)?)?);
        }
        Some(Self {
            user_id: UserId::from_uuid(Uuid::from_bytes(*user)),
            left_out: (left_out != i64::MIN).then(|| Timestamp::from_millis(left_out)),
            places,
        })
    }
}

/// Seven bits a byte, the lowest first, a set eighth bit for "more follows" (LEB128).
fn write_number(bytes: &mut Vec<u8>, number: i64) {
    let mut left = number.unsigned_abs();
    loop {
        let low = u8::try_from(left & 0x7f).unwrap_or(0);
        left >>= 7;
        if left == 0 {
            bytes.push(low);
            return;
        }
        bytes.push(low | 0x80);
    }
}

fn read_number(bytes: &mut &[u8]) -> Option<i64> {
    let mut number: u64 = 0;
    for shift in (0..63).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return i64::try_from(number).ok();
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::ANA;

    fn place(number: i64, seq: i64) -> Place {
        Place {
            number,
            seq: EventSeq::new(seq).unwrap(),
            active_at: Timestamp::from_millis(number),
        }
    }

    #[test]
    fn reads_what_it_shows() {
        for places in [
            vec![],
            vec![place(1, 0)],
            vec![place(300, 127), place(2, 128), place(i64::MAX, i64::MAX)],
        ] {
            let token = ResumeToken::new(ANA, places);
            assert_eq!(ResumeToken::parse(&token.show()), Some(token));
        }
    }

    #[test]
    fn names_the_chats_that_were_last_active_when_there_are_too_many() {
        let token = ResumeToken::new(ANA, (1..=1_002).map(|number| place(number, 7)).collect());
        assert_eq!(token.left_out, Some(Timestamp::from_millis(2)));
        assert_eq!(token.places.len(), 1_000);
        assert!(!token.places.contains_key(&2));
        assert!(token.show().len() < 6_000);
        assert_eq!(ResumeToken::parse(&token.show()), Some(token));
    }

    #[test]
    fn refuses_what_is_none() {
        let good = ResumeToken::new(ANA, vec![place(300, 7)]).show();
        for bad in ["", "x", "AAAA", &good[..good.len() - 2], &format!("B{}", &good[1..])] {
            assert_eq!(ResumeToken::parse(bad), None, "{bad}");
        }
        let endless = URL_SAFE_NO_PAD.encode([&[VERSION; 25][..], &[0xff; 12]].concat());
        assert_eq!(ResumeToken::parse(&endless), None);
    }
}
