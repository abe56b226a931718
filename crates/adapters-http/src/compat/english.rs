//! What the contracts in English say where they have no words of their own.

use crate::problem::{FieldError, Kind, Problem};

/// What happened, for people: the contract's own words, what is wrong with the fields, or what is wrong in general.
pub(crate) fn text(problem: &Problem) -> String {
    match (problem.wording(), problem.errors()) {
        (Some(own), _) => own.to_owned(),
        (None, errors) if problem.kind() == Kind::Invalid && !errors.is_empty() => {
            let of_field = |error: &FieldError| format!("{} {}", error.field, error.message);
            errors.iter().map(of_field).collect::<Vec<_>>().join("; ")
        }
        (None, _) => problem.detail().to_owned(),
    }
}
