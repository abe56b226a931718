use crate::extract::{Entry, Extract, Identity, Read, bearer_token, state, without_scheme};
use crate::problem::{Kind, Problem};
use actix_web::dev::Payload;
use actix_web::http::header::{HeaderValue, SEC_WEBSOCKET_PROTOCOL};
use actix_web::{FromRequest, HttpRequest, web};
use serde::Deserialize;
use tertulia_domain::{Caller, Scopes};

/// What the protocol is called, for clients that name one beside their token.
const PROTOCOL: &str = "tertulia";

/// A request to become a WebSocket.
pub(crate) struct Upgrade {
    pub(crate) request: HttpRequest,
    pub(crate) payload: web::Payload,
}

impl Extract for Upgrade {
    async fn extract(request: &HttpRequest, payload: &mut Payload) -> Result<Self, Problem> {
        let taken = web::Payload::from_request(request, payload).await;
        Ok(Self {
            request: request.clone(),
            payload: taken.map_err(|error| Problem::new(Kind::Malformed, error.to_string()))?,
        })
    }
}

/// Somebody who may listen: by a token in the head, as a subprotocol for browsers, or by a ticket.
pub(crate) struct Entrant {
    pub(crate) caller: Caller,
    pub(crate) scopes: Scopes,
    /// What of the offered subprotocols is spoken.
    pub(crate) protocol: Option<HeaderValue>,
}

#[derive(Deserialize)]
struct TicketQuery {
    ticket: Option<String>,
}

impl Extract for Entrant {
    const ENTRY: Entry = <Identity<Read> as Extract>::ENTRY;

    async fn extract(request: &HttpRequest, _: &mut Payload) -> Result<Self, Problem> {
        let offered = offered(request);
        let protocol = offered
            .iter()
            .find(|name| **name == PROTOCOL)
            .or(offered.first())
            .and_then(|name| HeaderValue::from_str(name).ok());
        let ticket = web::Query::<TicketQuery>::from_query(request.query_string());
        if let Ok(Some(ticket)) = ticket.map(|query| query.into_inner().ticket) {
            let accounts = &state(request)?.services.accounts;
            return Ok(Self {
                caller: accounts.redeem_ticket(&ticket).await?,
                scopes: Scopes::FULL,
                protocol,
            });
        }
        let token = match token(&offered) {
            Some(token) => token,
            None => bearer_token(request)?,
        };
        let Identity { caller, scopes, .. } = Identity::<Read>::by_token(request, token).await?;
        Ok(Self {
            caller,
            scopes,
            protocol,
        })
    }
}

/// Somebody who may listen as clients of contracts come: by a token in the query, or else in the head.
pub(crate) struct Guest {
    pub(crate) caller: Caller,
    pub(crate) scopes: Scopes,
}

#[derive(Deserialize)]
struct TokenQuery {
    token: Option<String>,
}

impl Extract for Guest {
    const ENTRY: Entry = <Identity<Read> as Extract>::ENTRY;

    async fn extract(request: &HttpRequest, _: &mut Payload) -> Result<Self, Problem> {
        let query = web::Query::<TokenQuery>::from_query(request.query_string());
        let given = query.ok().and_then(|query| query.into_inner().token);
        let token = match &given {
            Some(token) => without_scheme(token),
            None => bearer_token(request)?,
        };
        let Identity { caller, scopes, .. } = Identity::<Read>::by_token(request, token).await?;
        Ok(Self { caller, scopes })
    }
}

/// The subprotocols that a browser offers.
fn offered(request: &HttpRequest) -> Vec<&str> {
    let lines = request.headers().get_all(SEC_WEBSOCKET_PROTOCOL);
    let names = lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','));
    names.map(str::trim).filter(|name| !name.is_empty()).collect()
}

/// The token among them: `bearer.TOKEN`, the one after `bearer`, or one that looks like a token.
fn token<'a>(offered: &[&'a str]) -> Option<&'a str> {
    let marked = offered.iter().find_map(|name| name.strip_prefix("bearer."));
    let named = || {
        let mut names = offered.iter();
        names.find(|name| name.eq_ignore_ascii_case("bearer"))?;
        names.next().copied()
    };
    let looks_like_one = |name: &&&str| name.starts_with("tt_") || (name.starts_with("ey") && name.contains('.'));
    marked
        .or_else(named)
        .or_else(|| offered.iter().find(looks_like_one).copied())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_token_among_subprotocols() {
        assert_eq!(token(&["tertulia", "bearer.abc"]), Some("abc"));
        assert_eq!(token(&["bearer", "abc"]), Some("abc"));
        assert_eq!(token(&["tertulia", "eyJ.x.y"]), Some("eyJ.x.y"));
        assert_eq!(token(&["tt_abc"]), Some("tt_abc"));
        assert_eq!(token(&["tertulia"]), None);
        assert_eq!(token(&["bearer"]), None);
        assert_eq!(token(&[]), None);
    }
}
