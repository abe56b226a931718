use super::{Extract, state, traffic};
use crate::problem::{Kind, Problem};
use crate::traffic::AccountClass;
use actix_web::HttpRequest;
use actix_web::dev::Payload;
use actix_web::http::header::AUTHORIZATION;
use std::marker::PhantomData;
use tertulia_domain::api_key::{Scope, Scopes};
use tertulia_domain::{Caller, ClaimedSession, UserId};

/// What those are told who send no token at all.
pub(crate) const NO_TOKEN: &str = "Send an access token as Authorization: Bearer.";

/// Somebody whose access token is good and whose session lives, and who may do what `A` says.
pub(crate) struct Authenticated<A: Access>(pub(crate) Caller, pub(crate) PhantomData<A>);

/// Somebody whose access token is good and who may do what `A` says; whether the session lives is for the use case to
/// see.
pub(crate) struct Claimed<A: Access>(pub(crate) ClaimedSession, pub(crate) PhantomData<A>);

/// What an operation does, so what credentials have to allow. There is no default: an operation that takes a caller says
/// which of these it is.
pub(crate) trait Access: 'static {
    /// The scope that an API key needs; `None` for what no key may do.
    const SCOPE: Option<Scope>;

    /// What else than looking at something it is counted as.
    const CLASS: AccountClass = AccountClass::Writes;
}

macro_rules! access {
    ($($(#[$doc:meta])* $name:ident = $scope:expr $(, $class:ident)?;)+) => {$(
        $(#[$doc])*
        pub(crate) struct $name;

        impl Access for $name {
            const SCOPE: Option<Scope> = $scope;
            $(const CLASS: AccountClass = AccountClass::$class;)?
        }
    )+};
}

access! {
    /// Looks at users, chats, members, messages or files.
    Read = Some(Scope::Read), Reads;
    /// Writes messages.
    Write = Some(Scope::Write);
    /// Takes a file.
    WriteFile = Some(Scope::Write), Uploads;
    /// Makes or changes chats and who is in them.
    Manage = Some(Scope::Manage);
    /// Takes a file that changes a chat.
    ManageFile = Some(Scope::Manage), Uploads;
    /// Concerns the account itself, or the whole service.
    Account = None;
    /// Takes a file that changes the account.
    AccountFile = None, Uploads;
}

/// Who may come to an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Entry {
    /// Everybody.
    Open,
    /// Those who logged in, and API keys with that scope.
    Scope(Scope),
    /// Only those who logged in.
    LoggedIn,
}

impl Entry {
    const fn of<A: Access>() -> Self {
        match A::SCOPE {
            Some(scope) => Self::Scope(scope),
            None => Self::LoggedIn,
        }
    }
}

impl<A: Access> Authenticated<A> {
    /// Whoever has that token, wherever in the request it was found.
    pub(crate) async fn by_token(request: &HttpRequest, token: &str) -> Result<Self, Problem> {
        let accounts = &state(request)?.services.accounts;
        let identified = accounts.authenticate(token).await?;
        admit::<A>(request, identified.who.user_id, identified.scopes)?;
        Ok(Self(identified.who, PhantomData))
    }
}

impl<A: Access> Claimed<A> {
    /// Whoever has that token, wherever in the request it was found.
    pub(crate) async fn by_token(request: &HttpRequest, token: &str) -> Result<Self, Problem> {
        let accounts = &state(request)?.services.accounts;
        let identified = accounts.claim(token).await?;
        admit::<A>(request, identified.who.user_id, identified.scopes)?;
        Ok(Self(identified.who, PhantomData))
    }
}

/// The same as [`Authenticated`], with what else the credentials allow: for what goes on for longer than one request.
pub(crate) struct Identity<A: Access> {
    pub(crate) caller: Caller,
    pub(crate) scopes: Scopes,
    access: PhantomData<A>,
}

impl<A: Access> Identity<A> {
    /// Whoever has that token, wherever in the request it was found.
    pub(crate) async fn by_token(request: &HttpRequest, token: &str) -> Result<Self, Problem> {
        let accounts = &state(request)?.services.accounts;
        let identified = accounts.authenticate(token).await?;
        admit::<A>(request, identified.who.user_id, identified.scopes)?;
        Ok(Self {
            caller: identified.who,
            scopes: identified.scopes,
            access: PhantomData,
        })
    }
}

impl<A: Access> Extract for Identity<A> {
    const ENTRY: Entry = Entry::of::<A>();

    async fn extract(request: &HttpRequest, _: &mut Payload) -> Result<Self, Problem> {
        Self::by_token(request, bearer_token(request)?).await
    }
}

impl<A: Access> Extract for Authenticated<A> {
    const ENTRY: Entry = Entry::of::<A>();

    async fn extract(request: &HttpRequest, _: &mut Payload) -> Result<Self, Problem> {
        Self::by_token(request, bearer_token(request)?).await
    }
}

impl<A: Access> Extract for Claimed<A> {
    const ENTRY: Entry = Entry::of::<A>();

    async fn extract(request: &HttpRequest, _: &mut Payload) -> Result<Self, Problem> {
        Self::by_token(request, bearer_token(request)?).await
    }
}

/// Lets a request in that its credentials allow and that is not one too many.
fn admit<A: Access>(request: &HttpRequest, user: UserId, scopes: Scopes) -> Result<(), Problem> {
    let class = if request.method().is_safe() {
        AccountClass::Reads
    } else {
        A::CLASS
    };
    traffic(request)?.admit_account(request, user, class)?;
    match A::SCOPE {
        Some(scope) if scopes.allow(scope) => Ok(()),
        Some(scope) => Err(Problem::new(
            Kind::Forbidden,
            format!("The API key has not the scope '{}'.", scope.as_str()),
        )),
        None if scopes.allow_account() => Ok(()),
        None => Err(Problem::new(Kind::Forbidden, "No API key may do that: log in.")),
    }
}

/// The token of `Authorization: Bearer TOKEN` (RFC 6750).
pub(crate) fn bearer_token(request: &HttpRequest) -> Result<&str, Problem> {
    let header = request.headers().get(AUTHORIZATION);
    header
        .and_then(|value| after_scheme(value.to_str().ok()?))
        .map(without_scheme)
        .filter(|token| !token.is_empty())
        .ok_or_else(|| Problem::new(Kind::Unauthenticated, NO_TOKEN))
}

/// A token that may have `Bearer` before it: even several times, since there are clients that put it before what has it
/// already.
pub(crate) fn without_scheme(text: &str) -> &str {
    let mut token = text.trim_matches(' ');
    while let Some(rest) = after_scheme(token) {
        token = rest;
    }
    token
}

/// What follows `Bearer `; the scheme is case-insensitive (RFC 9110).
fn after_scheme(text: &str) -> Option<&str> {
    let (scheme, rest) = text.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| rest.trim_matches(' '))
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn token(header: &str) -> Option<String> {
        let request = TestRequest::default().insert_header((AUTHORIZATION, header));
        bearer_token(&request.to_http_request()).ok().map(str::to_owned)
    }

    #[test]
    fn reads_the_token() {
        for header in [
            "Bearer abc",
            "bearer abc",
            "BEARER  abc ",
            "Bearer Bearer abc",
            "Bearer bearer  abc",
        ] {
            assert_eq!(token(header).as_deref(), Some("abc"), "{header}");
        }
        for header in ["", "Bearer", "Bearer ", "Basic abc", "abc", "Bearerabc"] {
            assert_eq!(token(header), None, "{header}");
        }
    }
}
