use super::read::{Place, place};
use super::row::{self, AuthorRow, ReplyRow, author};
use crate::chats::set_read;
use crate::files::{all_to_view, find_with_standing};
use crate::id::DbId;
use crate::idempotency::{Known, recall, remember_message};
use crate::moderation::blocked;
use crate::schema::{message_attachments as attachments, messages, sessions, users};
use crate::sql::Sql;
use crate::users::role;
use diesel::prelude::*;
use tertulia_domain::repository::{AppendError, AppendMessage, Appended};
use tertulia_domain::{
    Author, ClaimedSession, File, FileId, FileStanding, Message, MessageBody, MessageContent, ReplyPreview, Role,
    Timestamp,
};
use tertulia_sql_support::TxError;

const ADVANCE: &[&str] =
    &["UPDATE chats SET last_seq = ?, active_at = ?, updated_at = max(updated_at, ?) WHERE id = ?"];

type Outcome<T> = Result<T, TxError<AppendError>>;

pub(crate) fn append(conn: &mut SqliteConnection, new: &AppendMessage) -> Outcome<Appended> {
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
    let attachments = attached(conn, new.draft.attachments(), user, role)?;
    if let Some((low, high)) = place.parties
        && blocked(conn, low, high)?
    {
        return Err(TxError::Named(AppendError::Blocked));
    }
    let message = Message {
        id: new.id,
        chat_id: new.chat_id,
        seq: row::place(new.id.into(), place.last_seq + 1)?,
        sender,
        content: MessageContent::Present {
            body: new.draft.body().cloned(),
            attachments,
        },
        reply_to,
        addressee: new.addressee.filter(|_| place.kind == "group"),
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
    let lives = sessions::expires_at
        .is_null()
        .or(sessions::expires_at.gt(at.as_millis()));
    let found: Option<(AuthorRow, String)> = sessions::table
        .inner_join(users::table)
        .filter(sessions::id.eq(DbId::from(claim.session_id)))
        .filter(sessions::user_id.eq(user))
        .filter(lives)
        .select((author(), users::role))
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
        .select((messages::id, messages::seq, messages::body, author()))
        .get_result(conn)
        .optional()?;
    match found {
        Some(row) => Ok(row.try_into()?),
        None => Err(TxError::Named(AppendError::ReplyNotFound)),
    }
}

/// The files that are to hang on the message. Those that the sender may not read might as well not be there.
fn attached(conn: &mut SqliteConnection, files: &[FileId], sender: DbId, role: Role) -> Outcome<Vec<File>> {
    let mut attached = Vec::with_capacity(files.len());
    for id in files {
        let found = find_with_standing(conn, DbId::from(*id), sender)?;
        let readable = found.filter(|(_, standing)| {
            FileStanding {
                service_admin: role == Role::Admin,
                ..FileStanding::from(*standing)
            }
            .may_read()
        });
        match readable {
            Some((row, _)) => attached.push(row.try_into()?),
            None => return Err(TxError::Named(AppendError::AttachmentNotFound(*id))),
        }
    }
    Ok(attached)
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
            messages::addressee_id.eq(message.addressee.map(DbId::from)),
            messages::created_at.eq(at),
            messages::attachments_view.eq(all_to_view(message.attachments())),
        ))
        .execute(conn)?;
    for (file, position) in message.attachments().iter().zip(0..) {
        diesel::insert_into(attachments::table)
            .values((
                attachments::chat_id.eq(chat),
                attachments::seq.eq(seq),
                attachments::position.eq(position),
                attachments::file_id.eq(DbId::from(file.id)),
            ))
            .execute(conn)?;
    }
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
