//! Pages by their number, as contracts ask for them: what makes no sense is taken for nothing said.

/// Items of a page at the most.
const MOST: u16 = 100;

/// The number of a page, from 1.
pub(crate) fn page_number(text: Option<&str>) -> u32 {
    positive(text).unwrap_or(1)
}

/// The size of a page: 1 to 100.
pub(crate) fn page_size(text: Option<&str>, default: u16) -> u16 {
    size_within(text, default, MOST)
}

/// The size of a page of at least 1 and at most so many.
pub(crate) fn size_within(text: Option<&str>, default: u16, most: u16) -> u16 {
    positive(text).map_or(default, |size| u16::try_from(size).unwrap_or(most).min(most))
}

/// A number above 0; one that is too large is the largest that is not.
fn positive(text: Option<&str>) -> Option<u32> {
    let text = text?.trim();
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = digits.then(|| text.parse().unwrap_or(u32::MAX));
    number.filter(|number| *number > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nonsense_is_nothing_said() {
        for text in [
            None,
            Some(""),
            Some("0"),
            Some("-1"),
            Some("x"),
            Some("1.5"),
            Some("+2"),
        ] {
            assert_eq!((page_number(text), page_size(text, 30)), (1, 30), "{text:?}");
        }
        for (text, number, size) in [
            ("1", 1, 1),
            ("100", 100, 100),
            ("101", 101, 100),
            ("70000", 70_000, 100),
        ] {
            assert_eq!((page_number(Some(text)), page_size(Some(text), 30)), (number, size));
        }
        assert_eq!(page_number(Some("99999999999999999999")), u32::MAX);
    }
}
