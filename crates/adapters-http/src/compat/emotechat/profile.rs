//! Everybody.

use super::pages::{Page, Pagination};
use super::wire::User;
use crate::endpoint::Endpoint;
use crate::extract::{Authenticated, Query, Read, State};
use crate::problem::Problem;
use crate::respond;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![Endpoint::new("/api/profile/users").get(list)]
}

/// Which users to list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct UserQuery {
    /// Which page.
    #[param(value_type = Option<u32>, minimum = 1, default = 1)]
    page: Option<String>,
    /// Users at the most.
    #[param(value_type = Option<u16>, minimum = 1, maximum = 100, default = 30)]
    page_size: Option<String>,
}

/// A page of users.
#[derive(Serialize, ToSchema)]
pub(crate) struct Users<'a> {
    users: Vec<User<'a>>,
    pagination: Pagination,
}

/// List everybody
///
/// By their number, smallest first.
#[utoipa::path(
    get,
    path = "/api/profile/users",
    tag = "profile",
    operation_id = "list_users",
    params(UserQuery),
    responses((status = 200, description = "A page of users", body = Users))
)]
pub(crate) async fn list(
    state: State,
    Authenticated(..): Authenticated<Read>,
    Query(query): Query<UserQuery>,
) -> Result<HttpResponse, Problem> {
    let page = Page::new(query.page.as_deref(), query.page_size.as_deref());
    let found = state.services.accounts.users_by_page(page.window()).await?;
    let answer = Users {
        users: found.items.iter().map(User::new).collect(),
        pagination: page.of(found.total),
    };
    Ok(respond::json(StatusCode::OK, &answer))
}
