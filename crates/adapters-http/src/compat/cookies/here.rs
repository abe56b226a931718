//! Where the contract is mounted, for what names a place in an answer: `Location` and cookies.

use crate::extract::{Base, Extract, Https};
use crate::problem::Problem;
use actix_web::HttpRequest;
use actix_web::HttpResponse;
use actix_web::dev::Payload;
use actix_web::http::header::{HeaderValue, LOCATION, SET_COOKIE};
use tertulia_application::account::Grant;

/// The place of this contract, as clients see it.
pub(crate) struct Here {
    base: String,
    https: bool,
}

impl Extract for Here {
    async fn extract(request: &HttpRequest, payload: &mut Payload) -> Result<Self, Problem> {
        let Base(base) = Base::extract(request, payload).await?;
        let Https(https) = Https::extract(request, payload).await?;
        Ok(Self { base, https })
    }
}

impl Here {
    /// Says where to go from there.
    pub(super) fn locate(&self, answer: &mut HttpResponse, path: &str) -> Result<(), Problem> {
        let place = HeaderValue::try_from(format!("{}{path}", self.base)).map_err(Problem::internal)?;
        answer.headers_mut().insert(LOCATION, place);
        Ok(())
    }

    /// Gives the cookies of a session.
    pub(super) fn remember(&self, answer: &mut HttpResponse, grant: &Grant) -> Result<(), Problem> {
        self.set(answer, &format!("user_id={}", grant.user.id), "")?;
        self.set(answer, &format!("token={}", grant.access.token), "; HttpOnly")
    }

    /// Takes them away.
    pub(super) fn forget(&self, answer: &mut HttpResponse) -> Result<(), Problem> {
        const PAST: &str = "; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0";
        self.set(answer, "user_id=", PAST)?;
        self.set(answer, "token=", &format!("{PAST}; HttpOnly"))
    }

    fn set(&self, answer: &mut HttpResponse, pair: &str, attributes: &str) -> Result<(), Problem> {
        let path = if self.base.is_empty() { "/" } else { &self.base };
        let secure = if self.https { "; Secure" } else { "" };
        let cookie = format!("{pair}; Path={path}{attributes}; SameSite=Lax{secure}");
        let cookie = HeaderValue::try_from(cookie).map_err(Problem::internal)?;
        answer.headers_mut().append(SET_COOKIE, cookie);
        Ok(())
    }
}
