use super::MessagingService;
use crate::{Failure, RequestKey};
use tertulia_domain::repository::{AppendError, AppendMessage, Appended};
use tertulia_domain::{ChatId, ClaimedSession, FileId, MessageDraft, MessageId, UserId};
use thiserror::Error;

/// Somebody says something.
#[derive(Debug, Clone)]
pub struct SendMessage {
    /// Where.
    pub chat_id: ChatId,
    /// What.
    pub draft: MessageDraft,
    /// In answer to which message of the same chat.
    pub reply_to: Option<MessageId>,
    /// Whom of the chat's members it addresses.
    pub addressee: Option<UserId>,
    /// What makes a retry harmless.
    pub request: Option<RequestKey>,
}

/// Why it was not said.
#[derive(Debug, Error)]
pub enum SendMessageError {
    /// The caller's session has ended.
    #[error("the session has ended")]
    SessionEnded,
    /// No such chat, or none that the caller may know of.
    #[error("no such chat")]
    ChatNotFound,
    /// The chat has no message of the id that is answered.
    #[error("no such message to answer")]
    ReplyNotFound,
    /// Somebody is addressed who is not in the chat.
    #[error("the addressee is not in the chat")]
    AddresseeNotFound,
    /// A file that is not there, or that the sender may not read.
    #[error("no such file: {0}")]
    AttachmentNotFound(FileId),
    /// It is a direct chat, and one of the two blocks the other.
    #[error("one of the two blocks the other")]
    Blocked,
    /// The idempotency key stands for another request.
    #[error("the idempotency key was used for another request")]
    KeyReused,
    /// See there.
    #[error(transparent)]
    Failed(#[from] Failure),
}

impl MessagingService {
    /// Sends a message. When this returns, the message is stored for good.
    ///
    /// One call of the repository, unless somebody is addressed: whether the session lives and its user may send there is
    /// checked in the statement that stores the message.
    pub async fn send(&self, session: ClaimedSession, command: SendMessage) -> Result<Appended, SendMessageError> {
        if let Some(addressee) = command.addressee {
            self.require_addressee(session, command.chat_id, addressee).await?;
        }
        let at = self.clock.now();
        let message = AppendMessage {
            id: MessageId::from_uuid(self.ids.next()),
            chat_id: command.chat_id,
            session,
            draft: command.draft,
            reply_to: command.reply_to,
            addressee: command.addressee,
            at,
            claim: command.request.map(|request| request.claim(session.user_id, at)),
        };
        let sent = self.messages.append(message).await.map_err(|error| match error {
            AppendError::SessionEnded => SendMessageError::SessionEnded,
            AppendError::ChatNotFound => SendMessageError::ChatNotFound,
            AppendError::ReplyNotFound => SendMessageError::ReplyNotFound,
            AppendError::AttachmentNotFound(id) => SendMessageError::AttachmentNotFound(id),
            AppendError::Blocked => SendMessageError::Blocked,
            AppendError::KeyReused => SendMessageError::KeyReused,
            AppendError::Repository(error) => SendMessageError::Failed(error.into()),
        })?;
        self.presence.note(session);
        if !sent.replayed {
            self.hub.sent(&sent.message, sent.event);
        }
        Ok(sent)
    }

    async fn require_addressee(
        &self,
        session: ClaimedSession,
        chat_id: ChatId,
        addressee: UserId,
    ) -> Result<(), SendMessageError> {
        let is_in = async |user| self.chats.find_member(chat_id, user).await.map_err(Failure::from);
        if is_in(addressee).await?.is_some() {
            return Ok(());
        }
        // To those outside there is no chat, nor anybody who is not in it.
        match is_in(session.user_id).await? {
            Some(_) => Err(SendMessageError::AddresseeNotFound),
            None => Err(SendMessageError::ChatNotFound),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{
        ANA, BEN, CHAT, CLAIMED, FILE, MESSAGE, NOW, World, assert_matches, body, claim, fresh, member, message,
        passes_on, repository_errors, request_key,
    };
    use mockall::predicate::eq;
    use tertulia_domain::{EventSeq, MemberRole};

    fn hello() -> SendMessage {
        SendMessage {
            chat_id: CHAT,
            draft: MessageDraft::text(body("hello")),
            reply_to: None,
            addressee: None,
            request: None,
        }
    }

    #[tokio::test]
    async fn asks_for_everything_in_one_call() {
        for (reply, key) in [(None, None), (Some(MESSAGE), Some(request_key()))] {
            let claimed = key.is_some().then(claim);
            let sent = Appended {
                message: message(ANA),
                event: EventSeq::ZERO,
                replayed: key.is_some(),
            };
            let (mut world, given) = (World::default(), sent.clone());
            world.messages.expect_append().once().return_once(move |message| {
                let AppendMessage {
                    id,
                    chat_id,
                    session,
                    draft,
                    reply_to,
                    addressee,
                    at,
                    claim,
                } = message;
                assert_eq!(*id.as_uuid(), fresh(1));
                assert_eq!((chat_id, session, at), (CHAT, CLAIMED, NOW));
                assert_eq!((draft, reply_to, claim), (hello().draft, reply, claimed));
                assert_eq!(addressee, None);
                Ok(given)
            });
            let command = SendMessage {
                reply_to: reply,
                request: key,
                ..hello()
            };
            assert_eq!(world.services().messaging.send(CLAIMED, command).await.unwrap(), sent);
        }
    }

    fn to_ben() -> SendMessage {
        SendMessage {
            addressee: Some(BEN),
            ..hello()
        }
    }

    /// A world in which those of the two are in the chat.
    fn with_members(ana: bool, ben: bool) -> World {
        let mut world = World::default();
        for (id, is_in) in [(ANA, ana), (BEN, ben)] {
            let found = is_in.then(|| member(id, MemberRole::Member));
            let asked = world.chats.expect_find_member().with(eq(CHAT), eq(id));
            asked.returning(move |_, _| Ok(found.clone()));
        }
        world
    }

    #[tokio::test]
    async fn a_member_is_addressed() {
        let mut world = with_members(true, true);
        world.messages.expect_append().once().returning(|new| {
            assert_eq!(new.addressee, Some(BEN));
            Ok(Appended {
                event: EventSeq::ZERO,
                message: message(ANA),
                replayed: false,
            })
        });
        assert!(world.services().messaging.send(CLAIMED, to_ben()).await.is_ok());
    }

    #[tokio::test]
    async fn who_is_not_in_the_chat_is_not_addressed() {
        let send = async |mut world: World| {
            world.messages.expect_append().never();
            world.services().messaging.send(CLAIMED, to_ben()).await
        };
        let refused = send(with_members(true, false)).await;
        assert_matches!(refused, Err(SendMessageError::AddresseeNotFound));
        let hidden = send(with_members(false, false)).await;
        assert_matches!(hidden, Err(SendMessageError::ChatNotFound));
        passes_on(repository_errors, async |cause| {
            let mut world = World::default();
            world.chats.expect_find_member().return_once(|_, _| Err(cause));
            send(world).await
        })
        .await;
    }

    #[tokio::test]
    async fn tells_why_not() {
        let refused = async |error: AppendError| {
            let mut world = World::default();
            world.messages.expect_append().return_once(|_| Err(error));
            world.services().messaging.send(CLAIMED, hello()).await
        };
        let error = refused(AppendError::SessionEnded).await;
        assert_matches!(error, Err(SendMessageError::SessionEnded));
        let error = refused(AppendError::ChatNotFound).await;
        assert_matches!(error, Err(SendMessageError::ChatNotFound));
        let error = refused(AppendError::ReplyNotFound).await;
        assert_matches!(error, Err(SendMessageError::ReplyNotFound));
        let error = refused(AppendError::AttachmentNotFound(FILE)).await;
        assert_matches!(error, Err(SendMessageError::AttachmentNotFound(FILE)));
        let error = refused(AppendError::Blocked).await;
        assert_matches!(error, Err(SendMessageError::Blocked));
        let error = refused(AppendError::KeyReused).await;
        assert_matches!(error, Err(SendMessageError::KeyReused));
        passes_on(repository_errors, async |cause| refused(cause.into()).await).await;
    }
}
