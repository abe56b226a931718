use crate::creation::{Creation, stored};
use crate::docs::responses::Retryable;
use crate::dto::{Id, Report};
use crate::endpoint::Endpoint;
use crate::extract::{Authenticated, Check, Field, Input, KeyedBody, Path, State, Write, by_ref};
use crate::problem::Problem;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde::Deserialize;
use tertulia_application::moderation::ReportMessage;
use tertulia_domain::{ChatId, MessageId, Reason};
use utoipa::ToSchema;

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![Endpoint::new("/chats/{id}/messages/{message_id}/reports").post(report)]
}

/// Why something is done.
#[derive(Deserialize, ToSchema)]
pub(crate) struct Because {
    /// For the admins to read; of the control characters only newline and tab are taken.
    #[schema(value_type = String, required = true, min_length = 1, max_length = 1000)]
    #[serde(default)]
    reason: Field<String>,
}

impl Input for Because {
    type Output = Reason;

    fn parse(self, mut check: Check) -> Result<Reason, Problem> {
        let reason = check.required("reason", self.reason, by_ref(Reason::new));
        check.finish(reason)
    }
}

/// Report a message
///
/// To the admins, as it is now. While the caller's report of a message is open, another one of it is that one.
#[utoipa::path(
    post,
    path = "/chats/{id}/messages/{message_id}/reports",
    tag = "messages",
    operation_id = "report_message",
    params(
        ("id" = Id, Path, description = "The chat"),
        ("message_id" = Id, Path, description = "The message"),
        Retryable
    ),
    request_body = Because,
    responses((status = 201, description = "The report", body = Report))
)]
pub(crate) async fn report(
    state: State,
    Authenticated(caller, _): Authenticated<Write>,
    Path((chat_id, message_id)): Path<(ChatId, MessageId)>,
    KeyedBody { input: reason, key }: KeyedBody<Because>,
) -> Result<HttpResponse, Problem> {
    let creation = Creation::answered_by(|report| stored(StatusCode::CREATED, &Report::from(report)));
    let command = ReportMessage {
        chat_id,
        message_id,
        reason,
        keyed: creation.keyed(key),
    };
    creation.answer(state.services.moderation.report(caller, command).await?)
}
