use super::{AdminError, ModerationService, admins_only};
use crate::{Failure, Keyed};
use tertulia_domain::permission::{Action, Standing, decide};
use tertulia_domain::repository::{InsertReportError, NewReport, ReportCursor, ReportFilter};
use tertulia_domain::{Caller, ChatId, Limit, MessageId, Page, Reason, Recorded, Report, ReportId};
use thiserror::Error;

/// Somebody finds a message unacceptable.
#[derive(Debug, Clone)]
pub struct ReportMessage {
    /// The chat.
    pub chat_id: ChatId,
    /// The message.
    pub message_id: MessageId,
    /// Why.
    pub reason: Reason,
    /// What makes a retry harmless.
    pub keyed: Option<Keyed<Report>>,
}

/// Why a message was not reported.
#[derive(Debug, Error)]
pub enum ReportMessageError {
    /// No such message, or in no chat that the caller may know of.
    #[error("no such message")]
    NotFound,
    /// The idempotency key stands for another request.
    #[error("the idempotency key was used for another request")]
    KeyReused,
    /// It is their own.
    #[error("nobody can report their own message")]
    Own,
    /// See there.
    #[error(transparent)]
    Failed(#[from] Failure),
}

/// Which reports to list.
#[derive(Debug, Clone, Copy)]
pub struct ListReports {
    /// Open ones, settled ones, or all.
    pub filter: ReportFilter,
    /// Where the page begins.
    pub after: Option<ReportCursor>,
    /// How many.
    pub limit: Limit,
}

/// Why a report was not settled.
#[derive(Debug, Error)]
pub enum ResolveReportError {
    /// The caller is no service admin.
    #[error(transparent)]
    Admin(#[from] AdminError),
    /// There is none of that id.
    #[error("no such report")]
    NotFound,
}

impl ModerationService {
    /// Reports a message to the admins, as it is now.
    pub async fn report(&self, caller: Caller, command: ReportMessage) -> Result<Recorded<Report>, ReportMessageError> {
        let ReportMessage {
            chat_id,
            message_id,
            reason,
            keyed,
        } = command;
        let found = self
            .messages
            .find(chat_id, message_id, caller.user_id)
            .await
            .map_err(Failure::from)?;
        let context = found.ok_or(ReportMessageError::NotFound)?;
        let standing = Standing {
            role: caller.role,
            member: context.viewer,
            group: context.group,
        };
        decide(standing, Action::View).map_err(|_| ReportMessageError::NotFound)?;
        if context.message.sender.id == caller.user_id {
            return Err(ReportMessageError::Own);
        }
        let report = NewReport {
            id: ReportId::from_uuid(self.ids.next()),
            reporter_id: caller.user_id,
            chat_id,
            message_id,
            reason,
            at: self.clock.now(),
        };
        let Some(keyed) = keyed else {
            let report = self.moderation.report(report).await.map_err(Failure::from)?;
            return report.map(Recorded::Fresh).ok_or(ReportMessageError::NotFound);
        };
        let recording = keyed.recording(caller.user_id, report.at);
        self.moderation
            .report_once(report, recording)
            .await
            .map_err(|error| match error {
                InsertReportError::NotFound => ReportMessageError::NotFound,
                InsertReportError::KeyReused => ReportMessageError::KeyReused,
                InsertReportError::Repository(error) => ReportMessageError::Failed(error.into()),
            })
    }

    /// A page of reports, newest first.
    pub async fn reports(&self, caller: Caller, query: ListReports) -> Result<Page<Report, ReportCursor>, AdminError> {
        admins_only(caller)?;
        Ok(self
            .moderation
            .list_reports(query.filter, query.after, query.limit)
            .await
            .map_err(Failure::from)?)
    }

    /// Settles a report. One that was settled before stays as it is.
    pub async fn resolve_report(
        &self,
        caller: Caller,
        id: ReportId,
        note: Reason,
    ) -> Result<Report, ResolveReportError> {
        admins_only(caller)?;
        let report = self
            .moderation
            .resolve_report(id, caller.user_id, &note, self.clock.now())
            .await;
        report
            .map_err(|error| AdminError::Failed(error.into()))?
            .ok_or(ResolveReportError::NotFound)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{
        ANA, BEN, CALLER, CHAT, MESSAGE, NOW, SERVICE_ADMIN, World, answer, assert_matches, claim, fresh, in_group,
        keyed, message, passes_on, reason, repository_errors, seq,
    };
    use mockall::predicate::eq;
    use tertulia_domain::repository::{MessageContext, RepositoryError};
    use tertulia_domain::{MemberRole, UserId};

    const REPORT: ReportId = ReportId::from_uuid(uuid::Uuid::from_u128(51));

    fn reported() -> Report {
        Report {
            id: REPORT,
            reporter_id: ANA,
            chat_id: CHAT,
            message_id: MESSAGE,
            seq: seq(9),
            sender_id: BEN,
            body: Some("hello".into()),
            reason: reason("spam"),
            created_at: NOW,
            resolution: None,
        }
    }

    fn from(sender: UserId, viewer: Option<MemberRole>) -> MessageContext {
        in_group(message(sender), viewer)
    }

    fn command(keyed: Option<Keyed<Report>>) -> ReportMessage {
        ReportMessage {
            chat_id: CHAT,
            message_id: MESSAGE,
            reason: reason("spam"),
            keyed,
        }
    }

    async fn report(world: World, caller: Caller) -> Result<Report, ReportMessageError> {
        match world.services().moderation.report(caller, command(None)).await? {
            Recorded::Fresh(report) => Ok(report),
            Recorded::Replayed(answer) => panic!("{answer:?}"),
        }
    }

    #[tokio::test]
    async fn a_keyed_report_is_made_once() {
        for outcome in [
            Ok(Recorded::Fresh(reported())),
            Ok(Recorded::Replayed(answer())),
            Err(InsertReportError::NotFound),
            Err(InsertReportError::KeyReused),
        ] {
            let expected = format!("{outcome:?}");
            let mut world = shown(from(BEN, Some(MemberRole::Member)));
            world.moderation.expect_report().never();
            world
                .moderation
                .expect_report_once()
                .once()
                .return_once(|new, recording| {
                    assert_eq!((new.reporter_id, new.at, recording.claim), (ANA, NOW, claim()));
                    outcome
                });
            let services = world.services();
            let outcome = services.moderation.report(CALLER, command(Some(keyed()))).await;
            assert_eq!(format!("{outcome:?}"), expected);
        }
    }

    fn shown(context: MessageContext) -> World {
        let mut world = World::default();
        world.shows_message(context);
        world
    }

    #[tokio::test]
    async fn whoever_sees_a_message_may_report_it() {
        for (caller, viewer) in [(CALLER, Some(MemberRole::Member)), (SERVICE_ADMIN, None)] {
            let mut world = shown(from(BEN, viewer));
            world.moderation.expect_report().once().return_once(|new| {
                let NewReport {
                    id,
                    reporter_id,
                    chat_id,
                    message_id,
                    reason: why,
                    at,
                } = new;
                assert_eq!((*id.as_uuid(), reporter_id), (fresh(1), ANA));
                assert_eq!((chat_id, message_id, why, at), (CHAT, MESSAGE, reason("spam"), NOW));
                Ok(Some(reported()))
            });
            assert_eq!(report(world, caller).await.unwrap(), reported());
        }
    }

    #[tokio::test]
    async fn nobody_else_may() {
        let mut outside = shown(from(BEN, None));
        outside.moderation.expect_report().never();
        assert_matches!(report(outside, CALLER).await, Err(ReportMessageError::NotFound));
        let mut missing = World::default();
        missing.messages.expect_find().once().returning(|_, _, _| Ok(None));
        missing.moderation.expect_report().never();
        assert_matches!(report(missing, CALLER).await, Err(ReportMessageError::NotFound));
        let mut own = shown(from(ANA, Some(MemberRole::Member)));
        own.moderation.expect_report().never();
        assert_matches!(report(own, CALLER).await, Err(ReportMessageError::Own));
    }

    #[tokio::test]
    async fn a_message_may_vanish_meanwhile() {
        let mut world = shown(from(BEN, Some(MemberRole::Member)));
        world.moderation.expect_report().once().returning(|_| Ok(None));
        assert_matches!(report(world, CALLER).await, Err(ReportMessageError::NotFound));
    }

    fn query() -> ListReports {
        ListReports {
            filter: ReportFilter::Open,
            after: Some(ReportCursor(REPORT)),
            limit: Limit::DEFAULT,
        }
    }

    #[tokio::test]
    async fn admins_list_reports() {
        let page = Page {
            items: vec![reported()],
            next: None,
        };
        let (mut world, given) = (World::default(), page.clone());
        let asked = world.moderation.expect_list_reports();
        asked
            .with(eq(ReportFilter::Open), eq(query().after), eq(Limit::DEFAULT))
            .once();
        asked.return_once(|_, _, _| Ok(given));
        let listed = world.services().moderation.reports(SERVICE_ADMIN, query()).await;
        assert_eq!(listed.unwrap(), page);
    }

    async fn resolve(outcome: Result<Option<Report>, RepositoryError>) -> Result<Report, ResolveReportError> {
        let mut world = World::default();
        let asked = world.moderation.expect_resolve_report();
        asked.with(eq(REPORT), eq(ANA), eq(reason("done")), eq(NOW)).once();
        asked.return_once(|_, _, _, _| outcome);
        let services = world.services();
        services
            .moderation
            .resolve_report(SERVICE_ADMIN, REPORT, reason("done"))
            .await
    }

    #[tokio::test]
    async fn admins_settle_reports() {
        assert_eq!(resolve(Ok(Some(reported()))).await.unwrap(), reported());
        assert_matches!(resolve(Ok(None)).await, Err(ResolveReportError::NotFound));
        passes_on(repository_errors, async |cause| resolve(Err(cause)).await).await;
    }

    #[tokio::test]
    async fn nobody_else_lists_or_settles() {
        let mut world = World::default();
        world.moderation.expect_list_reports().never();
        world.moderation.expect_resolve_report().never();
        let moderation = world.services().moderation;
        assert_matches!(moderation.reports(CALLER, query()).await, Err(AdminError::Forbidden));
        let refused = moderation.resolve_report(CALLER, REPORT, reason("done")).await;
        assert_matches!(refused, Err(ResolveReportError::Admin(AdminError::Forbidden)));
    }

    #[tokio::test]
    async fn passes_failures_on() {
        passes_on(repository_errors, async |cause| {
            let mut world = World::default();
            world.messages.expect_find().return_once(|_, _, _| Err(cause));
            report(world, CALLER).await
        })
        .await;
        passes_on(repository_errors, async |cause| {
            let mut world = shown(from(BEN, Some(MemberRole::Member)));
            world.moderation.expect_report().return_once(|_| Err(cause));
            report(world, CALLER).await
        })
        .await;
        passes_on(repository_errors, async |cause| {
            let mut world = World::default();
            world.moderation.expect_list_reports().return_once(|_, _, _| Err(cause));
            world.services().moderation.reports(SERVICE_ADMIN, query()).await
        })
        .await;
    }
}
