use crate::docs::responses::{Conflict, Invalid};
use crate::dto::{Id, List, Sight, User};
use crate::endpoint::Endpoint;
use crate::extract::{Account, Authenticated, Path, State};
use crate::problem::Problem;
use crate::respond;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use tertulia_domain::UserId;

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new("/me/blocks").get(list),
        Endpoint::new("/me/blocks/{user_id}").put(block).delete(unblock),
    ]
}

/// List whom one blocks
///
/// All of them at once, latest first.
#[utoipa::path(
    get,
    path = "/me/blocks",
    tag = "blocks",
    operation_id = "list_blocks",
    responses((status = 200, description = "The users", body = List<User>))
)]
pub(crate) async fn list(
    state: State,
    Authenticated(caller, _): Authenticated<Account>,
) -> Result<HttpResponse, Problem> {
    let users = state.services.moderation.blocked(caller).await?;
    let sight = Sight::of(&state, caller).await?;
    let list = List {
        items: users.iter().map(|user| User::new(user, &sight)).collect(),
        next_cursor: None,
    };
    Ok(respond::json(StatusCode::OK, &list))
}

/// Block a user
///
/// No direct messages between the two, either way, and neither sees whether the other is online.
#[utoipa::path(
    put,
    path = "/me/blocks/{user_id}",
    tag = "blocks",
    operation_id = "block_user",
    params(("user_id" = Id, Path, description = "The user")),
    responses((status = 204, description = "Blocked"), Invalid, Conflict)
)]
pub(crate) async fn block(
    state: State,
    Authenticated(caller, _): Authenticated<Account>,
    Path(user): Path<UserId>,
) -> Result<HttpResponse, Problem> {
    state.services.moderation.block(caller, user).await?;
    Ok(respond::no_content())
}

/// Unblock a user
#[utoipa::path(
    delete,
    path = "/me/blocks/{user_id}",
    tag = "blocks",
    operation_id = "unblock_user",
    params(("user_id" = Id, Path, description = "The user")),
    responses((status = 204, description = "Not blocked any more"))
)]
pub(crate) async fn unblock(
    state: State,
    Authenticated(caller, _): Authenticated<Account>,
    Path(user): Path<UserId>,
) -> Result<HttpResponse, Problem> {
    state.services.moderation.unblock(caller, user).await?;
    Ok(respond::no_content())
}
