use super::MailService;
use crate::Failure;
use crate::ports::MailError;
use std::time::Duration;
use tertulia_domain::Timestamp;
use tertulia_domain::mail::retry_at;

/// How many mails are taken at once: whoever dies in the middle holds back so many until the lease ends.
const BATCH: u32 = 1;
/// How long that may take before another process may try: longer than a mailer takes to give up.
const LEASE: Duration = Duration::from_mins(2);

impl MailService {
    /// Sends what is due; gives how many mails were tried. A mail that can't be sent now is tried again later, each time
    /// after a longer wait; one that is refused for good, or has grown too old, is given up.
    ///
    /// A mail goes out at least once: whoever dies after the mail server took it and before that is noted causes it to
    /// be sent again, with the same Message-ID.
    pub async fn deliver_due(&self) -> Result<usize, Failure> {
        let at = self.clock.now();
        let due = self.outbox.take(at, at.plus(LEASE), BATCH).await?;
        for taken in &due {
            let mail = &taken.mail;
            match self.mailer.send(mail).await {
                Ok(()) => self.outbox.sent(mail.id).await?,
                Err(MailError::Transient(error)) => {
                    let again = retry_at(taken.created_at, taken.attempts, self.clock.now());
                    tracing::warn!(mail = %mail.id, attempts = taken.attempts, %error, given_up = again.is_none(), "mail not sent");
                    self.outbox.failed(mail.id, &error.to_string(), again).await?;
                }
                Err(MailError::Permanent(error)) => {
                    tracing::error!(mail = %mail.id, %error, "mail refused");
                    self.outbox.failed(mail.id, &error.to_string(), None).await?;
                }
            }
        }
        Ok(due.len())
    }

    /// When the oldest mail that waits was caused.
    pub async fn oldest(&self) -> Result<Option<Timestamp>, Failure> {
        Ok(self.outbox.oldest().await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{NOW, World, assert_matches, email, fresh, passes_on, repository_errors};
    use mockall::predicate::eq;
    use tertulia_domain::mail::GIVE_UP_AFTER;
    use tertulia_domain::repository::DueMail;
    use tertulia_domain::{Mail, MailId};

    fn due(n: u8, attempts: u32, created_at: Timestamp) -> DueMail {
        let mail = Mail {
            id: MailId::from_uuid(fresh(n)),
            to: email("ana@example.org"),
            subject: format!("mail {n}"),
            text: "text".into(),
        };
        DueMail {
            mail,
            attempts,
            created_at,
        }
    }

    /// A world in which these mails are due, and the mailer answers each so.
    fn sending(mails: Vec<(DueMail, Result<(), MailError>)>) -> World {
        let mut world = World::default();
        let taken: Vec<_> = mails.iter().map(|(due, _)| due.clone()).collect();
        let asked = world
            .outbox
            .expect_take()
            .with(eq(NOW), eq(NOW.plus(LEASE)), eq(BATCH))
            .once();
        asked.return_once(|_, _, _| Ok(taken));
        for (due, outcome) in mails {
            let asked = world.mailer.expect_send().with(eq(due.mail)).once();
            asked.return_once(|_| outcome);
        }
        world
    }

    fn is_sent(world: &mut World, due: &DueMail) {
        let asked = world.outbox.expect_sent().with(eq(due.mail.id)).once();
        asked.returning(|_| Ok(()));
    }

    fn is_failed(world: &mut World, due: &DueMail, error: &'static str, retry_at: Option<Timestamp>) {
        let asked = world.outbox.expect_failed();
        asked.with(eq(due.mail.id), eq(error), eq(retry_at)).once();
        asked.returning(|_, _, _| Ok(()));
    }

    fn transient() -> Result<(), MailError> {
        Err(MailError::Transient("no route".into()))
    }

    #[tokio::test]
    async fn there_may_be_nothing_to_send() {
        assert_eq!(sending(vec![]).services().mail.deliver_due().await.unwrap(), 0);
    }

    /// One that fails stands in no other's way.
    #[tokio::test]
    async fn each_mail_has_its_own_fate() {
        let [later, never, sent] = [due(1, 3, NOW), due(2, 1, NOW), due(3, 1, NOW)];
        let permanent = Err(MailError::Permanent("no such mailbox".into()));
        let mut world = sending(vec![
            (later.clone(), transient()),
            (never.clone(), permanent),
            (sent.clone(), Ok(())),
        ]);
        is_failed(&mut world, &later, "no route", Some(NOW.plus(Duration::from_secs(40))));
        is_failed(&mut world, &never, "no such mailbox", None);
        is_sent(&mut world, &sent);
        assert_eq!(world.services().mail.deliver_due().await.unwrap(), 3);
    }

    #[tokio::test]
    async fn a_mail_is_given_up_after_three_days() {
        let old = due(1, 90, NOW.minus(GIVE_UP_AFTER));
        let mut world = sending(vec![(old.clone(), transient())]);
        is_failed(&mut world, &old, "no route", None);
        assert_eq!(world.services().mail.deliver_due().await.unwrap(), 1);
        let not_yet = due(1, 90, NOW.minus(GIVE_UP_AFTER).plus(Duration::from_millis(1)));
        let mut world = sending(vec![(not_yet.clone(), transient())]);
        is_failed(
            &mut world,
            &not_yet,
            "no route",
            Some(NOW.plus(Duration::from_hours(1))),
        );
        assert_eq!(world.services().mail.deliver_due().await.unwrap(), 1);
    }

    /// However old: what the mail server takes is sent.
    #[tokio::test]
    async fn an_old_mail_is_still_tried() {
        let old = due(1, 91, NOW.minus(2 * GIVE_UP_AFTER));
        let mut world = sending(vec![(old.clone(), Ok(()))]);
        is_sent(&mut world, &old);
        assert_eq!(world.services().mail.deliver_due().await.unwrap(), 1);
    }

    #[tokio::test]
    async fn tells_since_when_a_mail_waits() {
        for oldest in [None, Some(NOW)] {
            let mut world = World::default();
            world.outbox.expect_oldest().once().returning(move || Ok(oldest));
            assert_eq!(world.services().mail.oldest().await.unwrap(), oldest);
        }
    }

    #[tokio::test]
    async fn passes_failures_on() {
        passes_on(repository_errors, async |cause| {
            let mut world = World::default();
            world.outbox.expect_take().return_once(|_, _, _| Err(cause));
            world.services().mail.deliver_due().await
        })
        .await;
        passes_on(repository_errors, async |cause| {
            let mut world = sending(vec![(due(1, 1, NOW), Ok(()))]);
            world.outbox.expect_sent().return_once(|_| Err(cause));
            world.services().mail.deliver_due().await
        })
        .await;
        passes_on(repository_errors, async |cause| {
            let mut world = sending(vec![(due(1, 1, NOW), transient())]);
            world.outbox.expect_failed().return_once(|_, _, _| Err(cause));
            world.services().mail.deliver_due().await
        })
        .await;
        let mut world = World::default();
        let asked = world.outbox.expect_oldest();
        asked.return_once(|| Err(repository_errors().remove(0)));
        assert_matches!(world.services().mail.oldest().await, Err(Failure::Overloaded));
    }
}
