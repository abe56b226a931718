use super::row::{MessageColumns, MessageRow, SELECT};
use crate::chats::member_role;
use crate::id::DbId;
use crate::schema::{chats, memberships};
use crate::sessions;
use crate::sql::Sql;
use diesel::prelude::*;
use tertulia_domain::repository::{ListMessages, ListMessagesError, MessageContext, RepositoryError};
use tertulia_domain::{Message, MessageRange, Page, Role, Seq};
use tertulia_sql_support::TxError;

const ONE: &[&str] = &[SELECT, " WHERE m.chat_id = ? AND m.id = ?"];
const AT: &[&str] = &[SELECT, " WHERE m.chat_id = ? AND m.seq = ?"];
const BEFORE: &[&str] = &[
    SELECT,
    " WHERE m.chat_id = ? AND m.seq < ? ORDER BY m.seq DESC LIMIT +?",
];
const AFTER: &[&str] = &[SELECT, " WHERE m.chat_id = ? AND m.seq > ? ORDER BY m.seq LIMIT +?"];

/// A chat as far as it decides who may read and write in it.
pub(super) struct Place {
    pub(super) kind: String,
    pub(super) last_seq: i64,
    pub(super) active_at: i64,
    /// The two parties of a direct chat.
    pub(super) parties: Option<(DbId, DbId)>,
    /// The user's role, if they are in it.
    pub(super) role: Option<String>,
}

impl Place {
    /// Whether somebody with that role in the whole service reads and writes here.
    pub(super) fn open_to(&self, role: Role) -> bool {
        self.role.is_some() || role == Role::Admin
    }
}

/// The chat, and the user's place in it.
pub(super) fn place(conn: &mut SqliteConnection, chat: DbId, user: DbId) -> QueryResult<Option<Place>> {
    type Row = (String, i64, i64, Option<DbId>, Option<DbId>, Option<String>);
    let own = memberships::chat_id.eq(chats::id).and(memberships::user_id.eq(user));
    let found: Option<Row> = chats::table
        .left_join(memberships::table.on(own))
        .filter(chats::id.eq(chat))
        .select((
            chats::kind,
            chats::last_seq,
            chats::active_at,
            chats::direct_low,
            chats::direct_high,
            memberships::role.nullable(),
        ))
        .get_result(conn)
        .optional()?;
    Ok(found.map(|(kind, last_seq, active_at, low, high, role)| Place {
        kind,
        last_seq,
        active_at,
        parties: low.zip(high),
        role,
    }))
}

/// The message of that identifier in that chat.
pub(super) fn one<E>(conn: &mut SqliteConnection, chat: DbId, id: DbId) -> Result<Option<Message>, TxError<E>> {
    let row: Option<MessageRow> = select(ONE).id(chat).id(id).get_result(conn).optional()?;
    Ok(row.map(Message::try_from).transpose()?)
}

/// The message of that number in that chat.
pub(crate) fn at<E>(conn: &mut SqliteConnection, chat: DbId, seq: Seq) -> Result<Option<Message>, TxError<E>> {
    if seq == Seq::ZERO {
        return Ok(None);
    }
    let row: Option<MessageRow> = select(AT).id(chat).integer(seq.get()).get_result(conn).optional()?;
    Ok(row.map(Message::try_from).transpose()?)
}

pub(super) fn context(
    conn: &mut SqliteConnection,
    chat: DbId,
    id: DbId,
    viewer: DbId,
) -> Result<Option<MessageContext>, TxError<RepositoryError>> {
    let (Some(message), Some(place)) = (one(conn, chat, id)?, place(conn, chat, viewer)?) else {
        return Ok(None);
    };
    let role = place.role.as_deref().map(|role| member_role(chat, viewer, role));
    Ok(Some(MessageContext {
        message,
        group: place.kind == "group",
        viewer: role.transpose()?,
    }))
}

pub(crate) fn list(
    conn: &mut SqliteConnection,
    list: ListMessages,
) -> Result<Page<Message, MessageRange>, TxError<ListMessagesError>> {
    let chat = DbId::from(list.chat_id);
    let Some(caller) = sessions::find_caller(conn, list.session, list.at)? else {
        return Err(TxError::Named(ListMessagesError::SessionEnded));
    };
    if !place(conn, chat, caller.user_id.into())?.is_some_and(|place| place.open_to(caller.role)) {
        return Err(TxError::Named(ListMessagesError::ChatNotFound));
    }
    let (statement, edge, next): (_, _, fn(Seq) -> MessageRange) = match list.range {
        MessageRange::Newest => (BEFORE, i64::MAX, MessageRange::Before),
        MessageRange::Before(seq) => (BEFORE, seq.get(), MessageRange::Before),
        MessageRange::After(seq) => (AFTER, seq.get(), MessageRange::After),
    };
    let rows: Vec<MessageRow> = select(statement)
        .id(chat)
        .integer(edge)
        .integer(list.limit.fetch())
        .load(conn)?;
    let messages = rows.into_iter().map(Message::try_from).collect::<Result<_, _>>()?;
    Ok(Page::from_fetched(messages, list.limit, |message: &Message| {
        next(message.seq)
    }))
}

pub(super) fn select(statement: &'static [&'static str]) -> Sql<MessageColumns> {
    Sql::new(statement)
}

#[cfg(test)]
mod tests {
    use super::{AFTER, AT, BEFORE, ONE};
    use crate::testing::plan;

    #[test]
    fn history_is_a_range_of_the_primary_key() {
        for (statement, range) in [(BEFORE, "seq<?"), (AFTER, "seq>?"), (AT, "seq=?")] {
            let plan = plan(statement);
            assert_eq!(plan[0], format!("SEARCH m USING PRIMARY KEY (chat_id=? AND {range})"));
            assert_eq!(plan.len(), 4, "{plan:?}");
            assert!(plan.iter().all(|step| step.starts_with("SEARCH ")), "{plan:?}");
        }
    }

    #[test]
    fn a_message_is_found_by_its_identifier() {
        let plan = plan(ONE);
        assert!(
            plan[0].starts_with("SEARCH m USING INDEX sqlite_autoindex_messages_1 (id=?"),
            "{plan:?}"
        );
    }
}
