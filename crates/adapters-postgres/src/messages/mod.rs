//! Messages.

mod append;
mod change;
mod history;

use crate::client::Client;
use crate::rows::{MessageColumns, MessageRow, message_columns, message_joins};
use crate::statement::{Statement, prepared};
use async_trait::async_trait;
use diesel::prelude::*;
use diesel::sql_types::{Nullable, Text, Uuid as SqlUuid};
use tertulia_domain::repository::{
    AppendError, AppendMessage, Appended, ListMessages, ListMessagesError, MessageContext, MessageRepository,
    RepositoryError,
};
use tertulia_domain::{ChatId, MemberRole, Message, MessageBody, MessageId, MessageRange, Page, Timestamp, UserId};
use tertulia_sql_support::inconsistent;

pub(crate) use change::{blank, blank_all};

/// The messages.
pub struct PgMessageRepository {
    client: Client,
}

impl PgMessageRepository {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }
}

/// A message, the kind of its chat, and the viewer's role there.
struct Find;

impl Statement for Find {
    type Columns = (MessageColumns, Text, Nullable<Text>);
    const SQL: &'static str = concat!(
        "SELECT ",
        message_columns!(),
        ", c.kind, p.role
        FROM messages m
        JOIN chats c ON c.id = m.chat_id
        LEFT JOIN memberships p ON p.chat_id = m.chat_id AND p.user_id = $3
        ",
        message_joins!(),
        "
        WHERE m.chat_id = $1 AND m.id = $2"
    );
}

#[async_trait]
impl MessageRepository for PgMessageRepository {
    async fn append(&self, message: AppendMessage) -> Result<Appended, AppendError> {
        self.client
            .run(move |connection| append::append(connection, &message))
            .await
    }

    async fn list(&self, list: ListMessages) -> Result<Page<Message, MessageRange>, ListMessagesError> {
        self.client
            .run(move |connection| history::page(connection, &list))
            .await
    }

    async fn find(
        &self,
        chat_id: ChatId,
        id: MessageId,
        viewer: UserId,
    ) -> Result<Option<MessageContext>, RepositoryError> {
        self.client
            .run(move |connection| {
                let row = prepared::<Find, _>((
                    chat_id.as_uuid().into_sql::<SqlUuid>(),
                    id.as_uuid().into_sql::<SqlUuid>(),
                    viewer.as_uuid().into_sql::<SqlUuid>(),
                ))
                .get_result(connection)
                .optional()?;
                Ok(row.map(context).transpose()?)
            })
            .await
    }

    async fn edit(
        &self,
        chat_id: ChatId,
        id: MessageId,
        body: &MessageBody,
        at: Timestamp,
    ) -> Result<Option<Message>, RepositoryError> {
        let body = body.clone();
        self.client
            .run(move |connection| change::edit(connection, chat_id, id, &body, at))
            .await
    }

    async fn delete(&self, chat_id: ChatId, id: MessageId, at: Timestamp) -> Result<bool, RepositoryError> {
        self.client
            .run(move |connection| {
                connection.transaction(|connection| Ok(change::blank(connection, chat_id, id, at)?.is_some()))
            })
            .await
    }
}

fn context((message, kind, role): (MessageRow, String, Option<String>)) -> Result<MessageContext, RepositoryError> {
    let message = Message::try_from(message)?;
    let viewer = match role {
        None => None,
        Some(role) => match MemberRole::parse(&role) {
            Some(role) => Some(role),
            None => {
                return Err(inconsistent(
                    "memberships",
                    message.chat_id,
                    format_args!("role {role:?}"),
                ));
            }
        },
    };
    Ok(MessageContext {
        message,
        group: kind == "group",
        viewer,
    })
}
