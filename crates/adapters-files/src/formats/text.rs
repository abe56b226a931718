use super::markup;

/// What kind of text it is, if it is one: UTF-8 without the control characters that the WHATWG's MIME Sniffing Standard
/// calls binary data bytes. The beginning of a file (not its `whole`) may end within a character.
pub(super) fn kind(head: &[u8], whole: bool) -> Option<&'static str> {
    let text = match str::from_utf8(head) {
        Ok(text) => text,
        Err(error) if !whole && error.error_len().is_none() => str::from_utf8(&head[..error.valid_up_to()]).ok()?,
        Err(_) => return None,
    };
    if text.bytes().any(is_binary) {
        return None;
    }
    let text = text.trim_start_matches('\u{FEFF}');
    let documents = [
        ("%PDF-", "application/pdf"),
        ("%!PS", "application/postscript"),
        ("{\\rtf", "application/rtf"),
    ];
    let document = documents.iter().find(|(start, _)| text.starts_with(start));
    Some(match document {
        Some((_, kind)) => kind,
        None => markup::kind(text).unwrap_or("text/plain"),
    })
}

const fn is_binary(byte: u8) -> bool {
    matches!(byte, 0x00..=0x08 | 0x0B | 0x0E..=0x1A | 0x1C..=0x1F)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_utf_8_without_controls() {
        for text in [
            "Tertulia\r\n\t¿Qué tal?",
            "\u{FEFF}x",
            "BM is no bitmap",
            "GIF89a is no GIF",
            "MZ",
            "\u{1B}[1m",
        ] {
            assert_eq!(kind(text.as_bytes(), true), Some("text/plain"), "{text:?}");
        }
        for binary in [b"a\0b".as_slice(), b"\xFF\xFEa", b"caf\xE9", b"\x07"] {
            assert_eq!(kind(binary, true), None, "{binary:?}");
        }
    }

    #[test]
    fn only_a_beginning_may_end_within_a_character() {
        let cut = &"año".as_bytes()[..2];
        assert_eq!(kind(cut, false), Some("text/plain"));
        assert_eq!(kind(cut, true), None);
    }

    #[test]
    fn documents_that_are_text() {
        assert_eq!(kind(b"%PDF-1.7\n1 0 obj", true), Some("application/pdf"));
        assert_eq!(kind(b"%!PS-Adobe-3.0", true), Some("application/postscript"));
        assert_eq!(kind(br"{\rtf1 hello}", true), Some("application/rtf"));
    }
}
