use super::read::{Place, place};
use super::row::{self, AuthorRow, ReplyRow};
use crate::chats::set_read;
use crate::id::DbId;
use crate::idempotency::{Known, recall, remember_message};
use crate::schema::{messages, sessions, users};
use crate::sql::Sql;
use crate::users::role;
use diesel::prelude::*;
use tertulia_domain::repository::{AppendError, AppendMessage, Appended};
use tertulia_domain::{Author, ClaimedSession, Message, MessageBody, MessageContent, ReplyPreview, Role, Timestamp};
use tertulia_sql_support::TxError;

const ADVANCE: &[&str] =
    &["UPDATE chats SET last_seq = ?, active_at = ?, updated_at = max(updated_at, ?) WHERE id = ?"];

type Outcome<T> = Result<T, TxError<AppendError>>;

pub(crate) fn append(conn: &mut SqliteConnection, new: AppendMessage) -> Outcome<Appended> {
    let (sender, role) = sender(conn, new.session, new.at)?;
    if let Some(claim) = &new.claim {
        match recall(conn, claim)? {
            Known::Nothing => {}
            Known::Same(record) => {
                return Ok(Appended {
                    message: record.into_message()?,
                    replayed: true,
                });
            }
            Known::Other => return Err(TxError::Named(AppendError::KeyReused)),
        }
    }
    let (chat, user) = (DbId::from(new.chat_id), DbId::from(new.session.user_id));
    let place = place(conn, chat, user)?.filter(|place| place.open_to(role));
    let Some(place) = place else {
        return Err(TxError::Named(AppendError::ChatNotFound));
    };
    let reply_to = match new.reply_to {
        Some(id) => Some(answered(conn, chat, id.into())?),
        None => None,
    };
    let message = Message {
        id: new.id,
        chat_id: new.chat_id,
        seq: row::place(new.id.into(), place.last_seq + 1)?,
        sender,
        content: MessageContent::Present { body: Some(new.body) },
        reply_to,
        created_at: new.at.max(Timestamp::from_millis(place.active_at)),
        edited_at: None,
    };
    store(conn, &message, &place)?;
    if let Some(claim) = &new.claim {
        remember_message(conn, claim, &message)?;
    }
    Ok(Appended {
        message,
        replayed: false,
    })
}

/// Whose session this is, if it lives.
fn sender(conn: &mut SqliteConnection, claim: ClaimedSession, at: Timestamp) -> Outcome<(Author, Role)> {
    let user = DbId::from(claim.user_id);
    let found: Option<(AuthorRow, String)> = sessions::table
        .inner_join(users::table)
        .filter(sessions::id.eq(DbId::from(claim.session_id)))
        .filter(sessions::user_id.eq(user))
        .filter(sessions::expires_at.gt(at.as_millis()))
        .select(((users::id, users::username, users::display_name), users::role))
        .get_result(conn)
        .optional()?;
    match found {
        Some((author, text)) => Ok((author.try_into()?, role(user, &text)?)),
        None => Err(TxError::Named(AppendError::SessionEnded)),
    }
}

fn answered(conn: &mut SqliteConnection, chat: DbId, id: DbId) -> Outcome<ReplyPreview> {
    let found: Option<ReplyRow> = messages::table
        .inner_join(users::table.on(users::id.eq(messages::sender_id)))
        .filter(messages::id.eq(id))
        .filter(messages::chat_id.eq(chat))
        .select((
            messages::id,
            messages::seq,
            messages::body,
            (users::id, users::username, users::display_name),
        ))
        .get_result(conn)
        .optional()?;
    match found {
        Some(row) => Ok(row.try_into()?),
        None => Err(TxError::Named(AppendError::ReplyNotFound)),
    }
}

fn store(conn: &mut SqliteConnection, message: &Message, place: &Place) -> QueryResult<()> {
    let (chat, sender) = (DbId::from(message.chat_id), DbId::from(message.sender.id));
    let (seq, at) = (message.seq.get(), message.created_at.as_millis());
    diesel::insert_into(messages::table)
        .values((
            messages::chat_id.eq(chat),
            messages::seq.eq(seq),
            messages::id.eq(DbId::from(message.id)),
            messages::sender_id.eq(sender),
            messages::body.eq(message.body().map(MessageBody::as_str)),
            messages::reply_to_seq.eq(message.reply_to.as_ref().map(|reply| reply.seq.get())),
            messages::created_at.eq(at),
        ))
        .execute(conn)?;
    Sql::<()>::new(ADVANCE)
        .integer(seq)
        .integer(at)
        .integer(at)
        .id(chat)
        .execute(conn)?;
    if place.role.is_some() {
        set_read(conn, chat, sender, seq)?;
    }
    Ok(())
}
