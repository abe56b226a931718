use crate::idempotency::cutoff;
use crate::rows::{
    AuthorColumns, AuthorRow, ReplyColumns, ReplyRow, chat_blocked, file_shared, file_view, reply_columns,
    session_lives,
};
use crate::schema::idempotency_keys;
use crate::statement::{Statement, prepared};
use crate::time::PgTime;
use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error as DieselError};
use diesel::sql_types::{Array, BigInt, Binary, Bool, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use serde_json::Value;
use tertulia_domain::repository::{AppendError, AppendMessage, Appended, RepositoryError};
use tertulia_domain::{Claim, FileId, Message, MessageBody, MessageContent, MessageId, Seq, UserId};
use tertulia_sql_support::{MessageSnapshot, TxError, files_from_json, inconsistent, violated_unique};
use uuid::Uuid;

/// Sends a message, with everything that this depends on and entails: one statement, one round trip, one commit.
///
/// Whatever must hold is looked up first, in the statement's snapshot. Only if all of it holds is the chat's row updated,
/// which gives out the number and whose lock makes the senders of one chat take turns; everything that is written after
/// that hangs on the row that this update returns. So a message that can't be sent takes no number.
///
/// Two sends of one claim don't see each other's record in their snapshots. The second one waits at the latest when it
/// inserts its own, fails, and nothing of it happened.
macro_rules! append {
    (wanted: $wanted:expr, ready: $ready:expr, view: $view:expr, hung: $hung:expr, missing: $missing:expr) => {
        concat!(
            "WITH sender AS (
                SELECT u.id, u.username, u.display_name, u.avatar_view, u.role
                FROM sessions e JOIN users u ON u.id = e.user_id
                WHERE ",
            session_lives!(),
            "
            ),
            earlier AS (
                SELECT k.fingerprint = $10 AS same, k.message
                FROM idempotency_keys k
                WHERE k.user_id = $8 AND k.key = $9 AND k.created_at >= $12
            ),
            target AS (
                SELECT c.id, ",
            chat_blocked!(),
            " AS blocked
                FROM chats c JOIN sender ON sender.role = 'admin'
                    OR EXISTS (SELECT FROM memberships p WHERE p.chat_id = $4 AND p.user_id = $2)
                WHERE c.id = $4
            ),
            answered (id, seq, sender_id, username, display_name, avatar_view, body) AS (
                SELECT ",
            reply_columns!(),
            "
                FROM messages r JOIN users ru ON ru.id = r.sender_id
                WHERE r.id = $7 AND r.chat_id = $4
            ),",
            $wanted,
            "
            numbered AS (
                UPDATE chats c
                SET last_seq = c.last_seq + 1,
                    active_at = GREATEST(c.active_at, $3),
                    updated_at = GREATEST(c.updated_at, $3)
                FROM target
                WHERE c.id = target.id
                  AND NOT target.blocked
                  AND NOT EXISTS (SELECT FROM earlier)
                  AND ($7 IS NULL OR EXISTS (SELECT FROM answered))",
            $ready,
            "
                RETURNING c.last_seq AS seq, c.active_at AS created_at,
                    CASE c.kind WHEN 'group' THEN $13 END AS addressee
            ),
            sent AS (
                INSERT INTO messages (
                    chat_id, seq, id, sender_id, body, attachments_view, reply_to_seq, addressee, created_at
                )
                SELECT $4, numbered.seq, $5, $2, $6, ",
            $view,
            ", answered.seq, numbered.addressee, numbered.created_at
                FROM numbered LEFT JOIN answered ON true
            ),",
            $hung,
            "
            read AS (
                UPDATE memberships p SET read_seq = numbered.seq
                FROM numbered
                WHERE p.chat_id = $4 AND p.user_id = $2
            ),
            recorded AS (
                INSERT INTO idempotency_keys (user_id, key, fingerprint, created_at, message)
                SELECT $8, $9, $10, $11, jsonb_build_object(
                    'id', $5,
                    'chat_id', $4,
                    'seq', numbered.seq,
                    'sender', jsonb_build_object(
                        'id', sender.id,
                        'username', sender.username,
                        'display_name', sender.display_name,
                        'avatar', sender.avatar_view
                    ),
                    'body', $6,
                    'attachments', ",
            $view,
            ",
                    'reply_to', CASE WHEN answered.id IS NOT NULL THEN jsonb_build_object(
                        'id', answered.id,
                        'seq', answered.seq,
                        'sender', jsonb_build_object(
                            'id', answered.sender_id,
                            'username', answered.username,
                            'display_name', answered.display_name,
                            'avatar', answered.avatar_view
                        ),
                        'body', answered.body
                    ) END,
                    'addressee', numbered.addressee,
                    'created_at', (extract(epoch FROM numbered.created_at) * 1000)::bigint
                )
                FROM numbered CROSS JOIN sender LEFT JOIN answered ON true
                WHERE $9 IS NOT NULL
            )
            SELECT sender.id, sender.username, sender.display_name, sender.avatar_view,
                earlier.same, earlier.message,
                target.blocked,
                answered.*,
                ",
            $missing,
            ", ",
            $view,
            ",
                numbered.*
            FROM (VALUES (1)) AS always
                LEFT JOIN sender ON true
                LEFT JOIN earlier ON true
                LEFT JOIN target ON true
                LEFT JOIN answered ON true
                LEFT JOIN numbered ON true"
        )
    };
}

/// The sender if the session lives; the claim's record; whether it is a chat that the sender may write in, and if so
/// whether one of its two parties blocks the other; the answered message; the first file that the sender can't attach;
/// what is shown of the files; and what was given out.
type Columns = (
    Nullable<AuthorColumns>,
    Nullable<(Bool, Nullable<Jsonb>)>,
    Nullable<Bool>,
    Nullable<ReplyColumns>,
    Nullable<SqlUuid>,
    Nullable<Jsonb>,
    Nullable<(BigInt, Timestamptz, Nullable<SqlUuid>)>,
);

/// A text without files.
struct Append;

impl Statement for Append {
    type Columns = Columns;
    const SQL: &'static str = append!(
        wanted: "",
        ready: "",
        view: "NULL::jsonb",
        hung: "",
        missing: "NULL::uuid"
    );
}

/// A message with files, whose ids are $14. To hang one on a message takes a lock on its key, so it stays; if it was being
/// removed, the insert fails. They are hung in the order of their ids, which is that of the locks.
struct AppendFiles;

impl Statement for AppendFiles {
    type Columns = Columns;
    const SQL: &'static str = append!(
        wanted: concat!(
            "
            wanted AS MATERIALIZED (
                SELECT w.id, w.position, readable.view
                FROM unnest($14) WITH ORDINALITY AS w (id, position)
                LEFT JOIN LATERAL (
                    SELECT ",
            file_view!(),
            " AS view
                    FROM files f JOIN blobs b ON b.digest = f.digest
                    WHERE f.id = w.id AND (
                        f.owner_id = $2 OR (SELECT role FROM sender) = 'admin' OR ",
            file_shared!("$2"),
            "
                    )
                ) readable ON true
            ),"
        ),
        ready: "
                  AND NOT EXISTS (SELECT FROM wanted WHERE view IS NULL)",
        view: "(SELECT jsonb_agg(view ORDER BY position) FROM wanted)",
        hung: "
            hung AS (
                INSERT INTO message_attachments (chat_id, seq, position, file_id)
                SELECT $4, numbered.seq, wanted.position, wanted.id
                FROM numbered CROSS JOIN wanted
                ORDER BY wanted.id
            ),",
        missing: "(SELECT id FROM wanted WHERE view IS NULL ORDER BY position LIMIT 1)"
    );
}

#[derive(Queryable)]
struct Outcome {
    sender: Option<AuthorRow>,
    earlier: Option<(bool, Option<Value>)>,
    blocked: Option<bool>,
    answered: Option<ReplyRow>,
    missing: Option<Uuid>,
    attachments: Option<Value>,
    numbered: Option<(i64, PgTime, Option<Uuid>)>,
}

/// How often a send that met another one of its claim, a record past its time, or the removal of a file, is begun again.
const RETRIES: usize = 3;

pub(super) fn append(connection: &mut PgConnection, message: &AppendMessage) -> Result<Appended, TxError<AppendError>> {
    let mut retries = RETRIES;
    loop {
        match (run(connection, message), &message.claim) {
            (Err(error), Some(claim)) if retries > 0 && violated_unique(&error) == Some("idempotency_keys_pkey") => {
                remove_if_forgotten(connection, claim)?;
                retries -= 1;
            }
            // A file was removed meanwhile: it is not found any more.
            (Err(error), _) if retries > 0 && lost_file(&error) => retries -= 1,
            (outcome, _) => return read(outcome?, message),
        }
    }
}

fn run(connection: &mut PgConnection, message: &AppendMessage) -> QueryResult<Outcome> {
    let claim = message.claim.as_ref();
    let files: Vec<Uuid> = message.draft.attachments().iter().map(|id| *id.as_uuid()).collect();
    let parameters = (
        message.session.session_id.as_uuid().into_sql::<SqlUuid>(),
        message.session.user_id.as_uuid().into_sql::<SqlUuid>(),
        PgTime(message.at).into_sql::<Timestamptz>(),
        message.chat_id.as_uuid().into_sql::<SqlUuid>(),
        message.id.as_uuid().into_sql::<SqlUuid>(),
        message
            .draft
            .body()
            .map(MessageBody::as_str)
            .into_sql::<Nullable<Text>>(),
        message
            .reply_to
            .as_ref()
            .map(MessageId::as_uuid)
            .into_sql::<Nullable<SqlUuid>>(),
        claim
            .map(|claim| claim.user_id.as_uuid())
            .into_sql::<Nullable<SqlUuid>>(),
        claim.map(|claim| claim.key.as_str()).into_sql::<Nullable<Text>>(),
        claim
            .map(|claim| &claim.fingerprint.0[..])
            .into_sql::<Nullable<Binary>>(),
        claim.map(|claim| PgTime(claim.at)).into_sql::<Nullable<Timestamptz>>(),
        claim
            .map(|claim| PgTime(cutoff(claim)))
            .into_sql::<Nullable<Timestamptz>>(),
        message
            .addressee
            .as_ref()
            .map(UserId::as_uuid)
            .into_sql::<Nullable<SqlUuid>>(),
    );
    if files.is_empty() {
        prepared::<Append, _>(parameters).get_result(connection)
    } else {
        let files = (&files).into_sql::<Array<SqlUuid>>();
        prepared::<AppendFiles, _>((parameters, files)).get_result(connection)
    }
}

fn lost_file(error: &DieselError) -> bool {
    matches!(error, DieselError::DatabaseError(DatabaseErrorKind::ForeignKeyViolation, information)
        if information.constraint_name() == Some("message_attachments_file_id_fkey"))
}

/// Makes room where a record that is past its time still holds the claim's key.
fn remove_if_forgotten(connection: &mut PgConnection, claim: &Claim) -> QueryResult<()> {
    diesel::delete(idempotency_keys::table.find((claim.user_id.as_uuid(), claim.key.as_str())))
        .filter(idempotency_keys::created_at.lt(PgTime(cutoff(claim))))
        .execute(connection)?;
    Ok(())
}

fn read(outcome: Outcome, message: &AppendMessage) -> Result<Appended, TxError<AppendError>> {
    let Some(sender) = outcome.sender else {
        return Err(TxError::Named(AppendError::SessionEnded));
    };
    match outcome.earlier {
        Some((true, Some(snapshot))) => return Ok(replay(snapshot)?),
        // Another request; it may even have been no message.
        Some(_) => return Err(TxError::Named(AppendError::KeyReused)),
        None => {}
    }
    let Some((seq, created_at, addressee)) = outcome.numbered else {
        let reply_missing = message.reply_to.is_some() && outcome.answered.is_none();
        return Err(TxError::Named(match (outcome.blocked, outcome.missing) {
            (Some(_), _) if reply_missing => AppendError::ReplyNotFound,
            (Some(_), Some(file)) => AppendError::AttachmentNotFound(FileId::from_uuid(file)),
            (Some(true), None) => AppendError::Blocked,
            // Also if the chat was deleted while the statement waited for it.
            (Some(false), None) | (None, _) => AppendError::ChatNotFound,
        }));
    };
    let seq = Seq::new(seq).ok_or_else(|| inconsistent("chats", message.chat_id, format_args!("last_seq {seq}")))?;
    let attachments = outcome.attachments.map(files_from_json).transpose();
    let attachments = attachments.map_err(|error| inconsistent("messages", message.id, error))?;
    Ok(Appended {
        message: Message {
            id: message.id,
            chat_id: message.chat_id,
            seq,
            sender: sender.try_into()?,
            content: MessageContent::Present {
                body: message.draft.body().cloned(),
                attachments: attachments.unwrap_or_default(),
            },
            reply_to: outcome.answered.map(TryInto::try_into).transpose()?,
            addressee: addressee.map(UserId::from_uuid),
            created_at: created_at.into(),
            edited_at: None,
        },
        replayed: false,
    })
}

fn replay(snapshot: Value) -> Result<Appended, RepositoryError> {
    let snapshot = serde_json::from_value::<MessageSnapshot>(snapshot)
        .map_err(|error| inconsistent("idempotency_keys", "of a message", error))?;
    Ok(Appended {
        message: snapshot.restore()?,
        replayed: true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plans::{Sample, id, message_id};

    #[test]
    fn everything_is_found_by_key() {
        let types =
            "uuid, uuid, timestamptz, uuid, uuid, text, uuid, uuid, text, bytea, timestamptz, timestamptz, uuid";
        let (member, chat, message, reply) = (id(701), id(500), id(1), message_id(500, 3));
        let values = format!(
            "{member}, {member}, now(), {chat}, {message}, 'hello', {reply}, {member}, 'key', '', now(), now(), {member}"
        );
        let mut sample = Sample::create();
        for plan in sample.plans::<Append>(types, &values) {
            assert!(
                plan.contains("Insert on idempotency_keys (actual rows=0 loops=1)"),
                "{plan}"
            );
            for word in ["Seq Scan", "Bitmap"] {
                assert!(!plan.contains(word), "{word} in {plan}");
            }
            for line in plan.lines().filter(|line| line.contains("never executed")) {
                assert!(line.contains("on blocks"), "nobody is blocked in a group: {plan}");
            }
        }
        let files = format!("{values}, ARRAY[{}, {}]", id(7), id(702));
        for plan in sample.plans::<AppendFiles>(&format!("{types}, uuid[]"), &files) {
            for word in ["Seq Scan", "Bitmap"] {
                assert!(!plan.contains(word), "{word} in {plan}");
            }
        }
    }
}
