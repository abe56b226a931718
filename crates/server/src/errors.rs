//! Errors for people.

use std::error::Error;

/// An error and its causes on one line, each cause once: some say themselves what they were caused by.
pub(crate) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut line = on_one_line(error);
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = on_one_line(error);
        if !line.ends_with(&text) {
            line.push_str(": ");
            line.push_str(&text);
        }
        cause = error.source();
    }
    line
}

fn on_one_line(error: &dyn Error) -> String {
    let text = error.to_string();
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::anyhow;

    #[test]
    fn causes_follow_on_the_same_line() {
        let error = anyhow!("FATAL:  no\n\tsuch database\n").context("cannot connect");
        assert_eq!(chain(error.as_ref()), "cannot connect: FATAL: no such database");
    }

    #[test]
    fn what_was_said_is_not_said_again() {
        let error = anyhow!("no such database")
            .context("cannot connect: no such database")
            .context("cannot start");
        assert_eq!(chain(error.as_ref()), "cannot start: cannot connect: no such database");
    }
}
