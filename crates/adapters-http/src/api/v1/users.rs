use crate::dto::{Id, List, OwnUser, Sight, User};
use crate::endpoint::Endpoint;
use crate::extract::{Authenticated, Path, Query, Read, State, cursor, limit, refused};
use crate::problem::Problem;
use crate::respond;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde::Deserialize;
use tertulia_application::account::ListUsers;
use tertulia_domain::{SearchPrefix, UserId};
use utoipa::IntoParams;

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new("/users").get(list),
        Endpoint::new("/users/{id}").get(show),
    ]
}

/// Which users to list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct UserQuery {
    /// How their username or display name begins, without regard to case.
    #[param(max_length = 64)]
    q: Option<String>,
    /// Users at the most.
    #[param(value_type = Option<u8>, minimum = 1, maximum = 100, default = 50)]
    limit: Option<String>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Search for users
///
/// In the order in which they registered.
#[utoipa::path(
    get,
    path = "/users",
    tag = "users",
    operation_id = "list_users",
    params(UserQuery),
    responses((status = 200, description = "A page of users", body = List<User>))
)]
pub(crate) async fn list(
    state: State,
    Authenticated(caller, _): Authenticated<Read>,
    Query(query): Query<UserQuery>,
) -> Result<HttpResponse, Problem> {
    let prefix = SearchPrefix::new(query.q.as_deref().unwrap_or_default());
    let query = ListUsers {
        prefix: prefix.map_err(|error| refused(&["q"], error.to_string()))?,
        after: cursor(query.cursor.as_deref())?,
        limit: limit(query.limit.as_deref())?,
    };
    let page = state.services.accounts.users(query).await?;
    let sight = Sight::over(&state, caller, &page.items).await?;
    let list = List::of(&page, |user| User::new(user, &sight));
    Ok(respond::json(StatusCode::OK, &list))
}

/// Get a user
///
/// Oneself with everything that `GET /me` shows.
#[utoipa::path(
    get,
    path = "/users/{id}",
    tag = "users",
    operation_id = "get_user",
    params(("id" = Id, Path, description = "The user")),
    responses((status = 200, description = "The user", body = User))
)]
pub(crate) async fn show(
    state: State,
    Authenticated(caller, _): Authenticated<Read>,
    Path(id): Path<UserId>,
) -> Result<HttpResponse, Problem> {
    let user = state.services.accounts.user(id).await?;
    let sight = Sight::over(&state, caller, [&user]).await?;
    Ok(if id == caller.user_id {
        respond::json(StatusCode::OK, &OwnUser::new(&user, &sight))
    } else {
        respond::json(StatusCode::OK, &User::new(&user, &sight))
    })
}
