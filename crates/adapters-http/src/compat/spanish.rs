//! What the contracts in Spanish say where they have no words of their own.

use crate::problem::{FieldCode, FieldError, Kind, Problem};

/// What happened, for people: the contract's own words, what is wrong with the fields, or what is wrong in general.
pub(crate) fn text(problem: &Problem) -> String {
    match (problem.wording(), problem.errors()) {
        (Some(own), _) => own.to_owned(),
        // Where the kind says all there is, the fields say nothing more.
        (None, errors) if problem.kind() == Kind::Invalid && !errors.is_empty() => {
            let texts: Vec<String> = errors.iter().map(of_field).collect();
            texts.join("; ")
        }
        (None, _) => of_kind(problem.kind()).to_owned(),
    }
}

/// What such a failure is, in general.
pub(crate) const fn of_kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Malformed => "La solicitud está mal formada",
        Kind::Unauthenticated => "Token de autenticación inválido o ausente",
        Kind::TokenExpired => "El token ha expirado",
        Kind::InvalidCredentials => "Credenciales inválidas",
        Kind::WrongPassword => "La contraseña actual es incorrecta",
        Kind::Forbidden => "No tienes permiso para realizar esta acción",
        Kind::NotFound => "Recurso no encontrado",
        Kind::MethodNotAllowed => "Método no permitido",
        Kind::UsernameTaken => "El nombre de usuario ya está en uso",
        Kind::EmailTaken => "El correo electrónico ya está en uso",
        Kind::Conflict => "La solicitud está en conflicto con el estado actual",
        Kind::PayloadTooLarge => "El contenido es demasiado grande",
        Kind::UnsupportedMediaType => "Tipo de contenido no admitido",
        Kind::RangeNotSatisfiable => "El rango solicitado no existe",
        Kind::Invalid => "Los datos no son válidos",
        Kind::RateLimited => "Demasiadas solicitudes; inténtalo de nuevo más tarde",
        Kind::Internal => "Error interno del servidor",
        Kind::Overloaded => "El servidor está sobrecargado; inténtalo de nuevo más tarde",
        Kind::Unavailable => "El servicio no está disponible; inténtalo de nuevo más tarde",
    }
}

/// What is wrong with one field.
pub(crate) fn of_field(error: &FieldError) -> String {
    let field = &error.field;
    match error.code {
        FieldCode::Required => format!("El campo '{field}' es obligatorio"),
        FieldCode::WrongType => format!("El campo '{field}' tiene un tipo incorrecto"),
        FieldCode::Invalid => format!("El campo '{field}' no es válido"),
        FieldCode::Taken => format!("El valor del campo '{field}' ya está en uso"),
        FieldCode::NotFound => format!("El campo '{field}' se refiere a algo que no existe"),
        FieldCode::Unavailable => format!("'{field}' no está disponible"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_words_come_first() {
        let invalid = || {
            let problem = Problem::new(Kind::Invalid, "");
            let problem = problem.on("a", FieldCode::Required, "");
            problem.on("b", FieldCode::WrongType, "")
        };
        let fields = "El campo 'a' es obligatorio; El campo 'b' tiene un tipo incorrecto";
        assert_eq!(text(&invalid()), fields);
        assert_eq!(text(&invalid().worded("Faltan datos")), "Faltan datos");
        assert_eq!(text(&Problem::new(Kind::NotFound, "")), "Recurso no encontrado");
        assert_eq!(text(&Problem::new(Kind::Invalid, "")), "Los datos no son válidos");
    }

    #[test]
    fn every_kind_has_words() {
        for kind in Kind::ALL {
            assert!(of_kind(kind).len() > 10, "{kind:?}");
        }
    }
}
