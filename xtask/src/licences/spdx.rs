//! Licence expressions: `A OR (B AND C)`, with `AND` the tighter and the old `A/B` read as `A OR B`.

use std::collections::BTreeSet;

use anyhow::{Result, bail};

/// A parsed expression.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Expression {
    /// An identifier, perhaps `WITH` an exception.
    Licence(String),
    Any(Vec<Self>),
    All(Vec<Self>),
}

impl Expression {
    /// Whether the allowed licences satisfy it.
    pub(super) fn holds(&self, allowed: &BTreeSet<&str>) -> bool {
        match self {
            Self::Licence(name) => allowed.contains(name.as_str()),
            Self::Any(parts) => parts.iter().any(|part| part.holds(allowed)),
            Self::All(parts) => parts.iter().all(|part| part.holds(allowed)),
        }
    }

    /// Every licence it names.
    pub(super) fn names(&self) -> Box<dyn Iterator<Item = &str> + '_> {
        match self {
            Self::Licence(name) => Box::new(std::iter::once(name.as_str())),
            Self::Any(parts) | Self::All(parts) => Box::new(parts.iter().flat_map(Self::names)),
        }
    }
}

pub(super) fn parse(text: &str) -> Result<Expression> {
    let spaced = text.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut parser = Parser { words: &words };
    let expression = parser.any()?;
    match parser.words {
        [] => Ok(expression),
        [word, ..] => bail!("`{word}` is out of place"),
    }
}

struct Parser<'w> {
    words: &'w [&'w str],
}

impl<'w> Parser<'w> {
    fn next(&mut self) -> Option<&'w str> {
        let (first, rest) = self.words.split_first()?;
        self.words = rest;
        Some(first)
    }

    fn eat(&mut self, word: &str) -> bool {
        let there = self.words.first().is_some_and(|first| *first == word);
        if there {
            self.next();
        }
        there
    }

    fn any(&mut self) -> Result<Expression> {
        let mut parts = vec![self.all()?];
        while self.eat("OR") {
            parts.push(self.all()?);
        }
        Ok(one_or(parts, Expression::Any))
    }

    fn all(&mut self) -> Result<Expression> {
        let mut parts = vec![self.one()?];
        while self.eat("AND") {
            parts.push(self.one()?);
        }
        Ok(one_or(parts, Expression::All))
    }

    fn one(&mut self) -> Result<Expression> {
        if self.eat("(") {
            let inner = self.any()?;
            if !self.eat(")") {
                bail!("a parenthesis is not closed");
            }
            return Ok(inner);
        }
        let name = self.name()?;
        if self.eat("WITH") {
            return Ok(Expression::Licence(format!("{name} WITH {}", self.name()?)));
        }
        Ok(Expression::Licence(name.to_owned()))
    }

    fn name(&mut self) -> Result<&'w str> {
        match self.next() {
            None => bail!("it ends where a licence should stand"),
            Some(word @ ("(" | ")" | "AND" | "OR" | "WITH")) => bail!("`{word}` is out of place"),
            Some(word) => Ok(word),
        }
    }
}

fn one_or(mut parts: Vec<Expression>, many: fn(Vec<Expression>) -> Expression) -> Expression {
    if parts.len() == 1 { parts.remove(0) } else { many(parts) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(text: &str, allowed: &[&str]) -> bool {
        parse(text).unwrap().holds(&allowed.iter().copied().collect())
    }

    #[test]
    fn or_needs_one_and_needs_all() {
        assert!(holds("MIT OR GPL-3.0-only", &["MIT"]));
        assert!(!holds("MIT AND GPL-3.0-only", &["MIT"]));
        assert!(holds("MIT/Apache-2.0", &["Apache-2.0"]));
        assert!(!holds("LGPL-2.1-or-later", &["MIT"]));
    }

    #[test]
    fn and_binds_tighter_and_parentheses_bind_tightest() {
        assert!(holds("MIT OR ISC AND Zlib", &["MIT"]));
        assert!(!holds("(MIT OR ISC) AND Zlib", &["MIT"]));
        assert!(holds("(MIT OR ISC) AND Zlib", &["ISC", "Zlib"]));
        assert!(holds(
            "ISC AND (Apache-2.0 OR ISC) AND (MIT OR (Zlib AND BSD-3-Clause))",
            &["ISC", "MIT"]
        ));
    }

    #[test]
    fn a_licence_with_an_exception_is_another_licence() {
        let text = "Apache-2.0 WITH LLVM-exception";
        assert!(!holds(text, &["Apache-2.0"]));
        assert!(holds(text, &[text]));
        assert!(holds("Apache-2.0 WITH LLVM-exception OR MIT", &["MIT"]));
    }

    #[test]
    fn nonsense_is_refused() {
        for text in [
            "",
            "MIT OR",
            "OR MIT",
            "(MIT",
            "MIT)",
            "MIT Apache-2.0",
            "MIT WITH",
            "()",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
