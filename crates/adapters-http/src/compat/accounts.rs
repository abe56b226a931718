//! Logging in, as the clients of contracts do: by one kind of name, to a session whose token lasts as long as it.

use crate::extract::{Check, Field};
use crate::problem::Problem;
use actix_web::HttpResponse;
use actix_web::http::header::{AUTHORIZATION, HeaderValue};
use tertulia_application::account::{AccessLifetime, Client, Grant, LogIn};
use tertulia_domain::{
    self as domain, Email, LoginName, Password, PasswordError, PasswordPolicy, ProfileValue, Username,
};

/// The client of a session: it knows no refresh tokens.
pub(crate) fn client() -> Client {
    Client {
        lifetime: AccessLifetime::Session,
        ..Client::default()
    }
}

/// A password to be, as long as contracts have them.
pub(crate) fn new_password(text: String) -> Result<Password, PasswordError> {
    Password::new(text, PasswordPolicy::Lenient)
}

/// Somebody logs in by a username that is in that field.
pub(crate) fn log_in_by_username(
    check: Check,
    name: &'static str,
    username: Field<String>,
    password: Field<String>,
) -> Result<LogIn, Problem> {
    log_in(check, name, username, password, |text| {
        Some(LoginName::Username(Username::new(text.trim()).ok()?.key()))
    })
}

/// Somebody logs in by the e-mail address in `email`.
pub(crate) fn log_in_by_email(check: Check, email: Field<String>, password: Field<String>) -> Result<LogIn, Problem> {
    log_in(check, "email", email, password, |text| {
        Some(LoginName::Email(Email::new(text).ok()?.key()))
    })
}

fn log_in(
    mut check: Check,
    name: &'static str,
    login: Field<String>,
    password: Field<String>,
    parse: impl FnOnce(&str) -> Option<LoginName>,
) -> Result<LogIn, Problem> {
    // A text that can be nobody's name or password is not invalid, just wrong.
    let login = check.required(name, login, |text| Ok::<_, &str>(parse(&text)));
    let password = check.required("password", password, |text| Ok::<_, &str>(Password::offered(text)));
    check.finish(login.zip(password).map(|(login, password)| LogIn {
        login,
        password,
        client: client(),
    }))
}

/// Gives the token in the head of an answer, too.
pub(crate) fn bear(answer: &mut HttpResponse, grant: &Grant) -> Result<(), Problem> {
    let bearer = HeaderValue::try_from(format!("Bearer {}", grant.access.token)).map_err(Problem::internal)?;
    answer.headers_mut().insert(AUTHORIZATION, bearer);
    Ok(())
}

/// What a user's profile says under that name, if it is a text.
pub(crate) fn fact<'a>(user: &'a domain::User, name: &str) -> Option<&'a str> {
    match user.profile.get(name) {
        Some(ProfileValue::Text(text)) => Some(text),
        _ => None,
    }
}
