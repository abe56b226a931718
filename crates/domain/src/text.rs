//! What the text value objects share: folding for comparison, and the characters that no name may hold.

use unicase::UniCase;
use unicode_normalization::UnicodeNormalization;

/// NFKC: compatibility characters (full-width letters, ligatures) become their ordinary forms. ASCII is left as it is.
pub(crate) fn nfkc(text: &str) -> String {
    if text.is_ascii() {
        text.to_owned()
    } else {
        text.nfkc().collect()
    }
}

/// The form in which two spellings of one name are equal: NFKC, then full Unicode case folding.
pub(crate) fn fold(text: &str) -> String {
    if text.is_ascii() {
        text.to_ascii_lowercase()
    } else {
        // Folding can leave a string that is no longer normalised, hence the second pass.
        nfkc(&UniCase::unicode(nfkc(text)).to_folded_case())
    }
}

/// True for characters that make a one-line name lie about itself: controls, line and paragraph separators, and the
/// invisible characters that reorder or hide text (UTS #55, UTR #36). The joiners U+200C and U+200D are not among them:
/// several scripts and many emoji need them.
pub(crate) fn is_deceptive(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{00AD}' | '\u{061C}' | '\u{180E}' | '\u{200B}' | '\u{200E}' | '\u{200F}'
            | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}'
            | '\u{E0000}'..='\u{E007F}')
}

/// A one-line name's visible text: white space trimmed from both ends. `Err` holds the first forbidden character.
pub(crate) fn one_line(text: &str) -> Result<&str, char> {
    let trimmed = text.trim();
    match trimmed.chars().find(|c| is_deceptive(*c)) {
        Some(c) => Err(c),
        None => Ok(trimmed),
    }
}

/// True when nothing of the text would be seen.
pub(crate) fn is_blank(text: &str) -> bool {
    text.chars()
        .all(|c| c.is_whitespace() || matches!(c, '\u{200C}' | '\u{200D}'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn folds_case_width_and_ligatures() {
        for (a, b) in [
            ("Ana", "aNA"),
            ("Straße", "STRASSE"),
            ("ﬁn", "FIN"),
            ("ＡＮＡ", "ana"),
            ("ΣΊΣΥΦΟΣ", "σίσυφος"),
        ] {
            assert_eq!(fold(a), fold(b), "{a} {b}");
        }
        assert_ne!(fold("ana"), fold("aná"));
    }

    proptest! {
        #[test]
        fn folding_twice_changes_nothing(text in any::<String>()) {
            prop_assert_eq!(fold(&fold(&text)), fold(&text));
        }
    }
}
