//! HTML, SVG and other XML by their first tag.

const HTML: &str = "text/html";
const SVG: &str = "image/svg+xml";
const XML: &str = "text/xml";

/// The tags by which browsers know HTML (WHATWG, MIME Sniffing Standard, section 7.1).
const HTML_TAGS: &[&str] = &[
    "html", "head", "script", "iframe", "h1", "div", "font", "table", "a", "style", "title", "b", "body", "br", "p",
];

/// What kind of markup a text is, if its first tag says so. What may stand before that is skipped: declarations,
/// comments and document types.
pub(super) fn kind(text: &str) -> Option<&'static str> {
    let mut rest = text.trim_start();
    // What it is when no tag says better.
    let mut otherwise = None;
    loop {
        let after = if let Some(instruction) = rest.strip_prefix("<?") {
            if instruction.starts_with("xml") {
                otherwise = Some(XML);
            }
            behind(instruction, "?>")
        } else if let Some(comment) = rest.strip_prefix("<!--") {
            otherwise = otherwise.or(Some(HTML));
            behind(comment, "-->")
        } else if let Some(doctype) = after_ignoring_case(rest, "<!doctype") {
            let name = doctype.trim_start();
            if after_ignoring_case(name, "html").is_some() {
                return Some(HTML);
            }
            otherwise = Some(XML);
            behind(name, ">")
        } else {
            break;
        };
        let Some(after) = after else {
            return otherwise;
        };
        rest = after.trim_start();
    }
    if is_tag(rest, "svg") || is_tag(rest, "svg:svg") {
        Some(SVG)
    } else if HTML_TAGS.iter().any(|name| is_tag(rest, name)) {
        Some(HTML)
    } else {
        otherwise
    }
}

fn behind<'t>(text: &'t str, end: &str) -> Option<&'t str> {
    text.split_once(end).map(|(_, rest)| rest)
}

fn after_ignoring_case<'t>(text: &'t str, start: &str) -> Option<&'t str> {
    let (found, rest) = text.split_at_checked(start.len())?;
    found.eq_ignore_ascii_case(start).then_some(rest)
}

/// Whether a text begins with a tag of that name.
fn is_tag(text: &str, name: &str) -> bool {
    let rest = text.strip_prefix('<').and_then(|tag| after_ignoring_case(tag, name));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(|c: char| c.is_whitespace() || c == '>' || c == '/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn html() {
        for text in [
            "<!DOCTYPE html>",
            "<!doctype\nHTML PUBLIC \"-//W3C//DTD HTML 4.01//EN\">",
            "  \n<HTML lang=es>",
            "<script>alert(1)</script>",
            "<!-- hello --><body>",
            "<!-- never closed",
            "<?xml version=\"1.0\"?><html xmlns=\"http://www.w3.org/1999/xhtml\">",
            "<p",
        ] {
            assert_eq!(kind(text), Some(HTML), "{text}");
        }
    }

    #[test]
    fn svg() {
        for text in [
            "<svg xmlns=\"http://www.w3.org/2000/svg\"/>",
            "<?xml version=\"1.0\"?>\n<!-- by hand -->\n<svg>",
            "<!DOCTYPE svg PUBLIC \"-//W3C//DTD SVG 1.1//EN\" \"svg11.dtd\"><SVG>",
            "<svg:svg xmlns:svg=\"http://www.w3.org/2000/svg\">",
        ] {
            assert_eq!(kind(text), Some(SVG), "{text}");
        }
    }

    #[test]
    fn other_xml() {
        for text in ["<?xml version=\"1.0\"?><rss>", "<?xml", "<!DOCTYPE note><note>"] {
            assert_eq!(kind(text), Some(XML), "{text}");
        }
    }

    #[test]
    fn no_markup() {
        for text in ["", "<", "a < b", "<pre>", "<abc>", "<?php echo 1;", "1 <script>", "<ñ>"] {
            assert_eq!(kind(text), None, "{text}");
        }
    }
}
