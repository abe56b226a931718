//! Pages by their number, as contracts ask for them: what makes no sense is taken for nothing said.

/// Items of a page at the most.
const MOST: u16 = 100;

/// The number of a page, from 1.
pub(crate) fn page_number(text: Option<&str>) -> u32 {
    positive(text).unwrap_or(1)
}

/// The size of a page: 1 to 100.
pub(crate) fn page_size(text: Option<&str>, default: u16) -> u16 {
    page_size_up_to(MOST, text, default)
}

/// The size of a page where it may be another number at the most.
pub(crate) fn page_size_up_to(most: u16, text: Option<&str>, default: u16) -> u16 {
    positive(text).map_or(default, |size| u16::try_from(size).unwrap_or(most).min(most))
}

/// How many pages of that size so many items are.
pub(crate) fn page_count(total: i64, size: u16) -> i64 {
    let size = i64::from(size.max(1));
    total / size + i64::from(total % size > 0)
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
        for (text, size) in [("1000", 1000), ("1001", 1000), ("0", 7)] {
            assert_eq!(page_size_up_to(1000, Some(text), 7), size);
        }
    }

    #[test]
    fn a_page_that_is_not_full_is_one() {
        for (total, size, pages) in [(0, 30, 0), (1, 30, 1), (30, 30, 1), (31, 30, 2), (5, 1, 5)] {
            assert_eq!(page_count(total, size), pages);
        }
    }
}
