//! How PostgreSQL goes about the statements whose cost is a promise.

use crate::statement::Statement;
use crate::test_support::TestDatabase;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Text;

/// A database with what makes a planner choose: many users and chats, most of these small, and some long ones among them.
pub(crate) struct Sample {
    pub(crate) connection: PgConnection,
    _guard: TestDatabase,
}

/// A thousand users, each a member of ten of the two thousand groups, and some 24,000 messages: 4,000 each in every
/// five-hundredth group, and four in the others. Each group has a note, and every second is known by its members.
const FILL: &str = "
    INSERT INTO users (id, username, username_key, role, password, created_at, updated_at)
    SELECT uuid(lpad(n::text, 32, '0')), 'user' || n, 'user' || n, 'user', 'x', now(), now()
    FROM generate_series(1, 1000) n;

    INSERT INTO sessions (id, user_id, refresh_family, refresh_secret, created_at, last_used_at, expires_at)
    SELECT id, id, '', '', now(), now(), 'infinity' FROM users;

    INSERT INTO chats (id, kind, title, created_at, updated_at, active_at, member_count, last_seq, by_members)
    SELECT uuid(lpad(n::text, 32, '0')), 'group', 'x', now(), now(), now(), 5,
        CASE WHEN n % 500 = 0 THEN 4000 ELSE 4 END, n % 2 = 0
    FROM generate_series(1, 2000) n;

    INSERT INTO memberships (chat_id, user_id, role, joined_at, read_seq)
    SELECT uuid(lpad(c::text, 32, '0')), uuid(lpad(((c + 200 * m) % 1000 + 1)::text, 32, '0')), 'member', now(), 0
    FROM generate_series(1, 2000) c CROSS JOIN generate_series(1, 5) m;

    INSERT INTO messages (chat_id, seq, id, sender_id, body, reply_to_seq, created_at)
    SELECT c.id, n, uuid(md5(c.id::text || n)), p.user_id, 'hello', nullif(n - 1, 0), now()
    FROM chats c
    CROSS JOIN LATERAL (SELECT user_id FROM memberships WHERE chat_id = c.id LIMIT 1) p
    CROSS JOIN LATERAL generate_series(1, c.last_seq) n
    ORDER BY n, c.id;

    INSERT INTO chat_notes (chat_id, text, sender_id, at, seq)
    SELECT c.id, 'hello', p.user_id, now(), c.last_seq
    FROM chats c CROSS JOIN LATERAL (SELECT user_id FROM memberships WHERE chat_id = c.id LIMIT 1) p;

    INSERT INTO blocks (blocker_id, blocked_id, created_at)
    SELECT uuid(lpad(n::text, 32, '0')), uuid(lpad((n % 1000 + m)::text, 32, '0')), now()
    FROM generate_series(1, 900) n CROSS JOIN generate_series(1, 50) m;

    INSERT INTO blobs (digest, object_key, size, media_type)
    SELECT decode(md5(n::text), 'hex'), 'object' || n, 1, 'text/plain' FROM generate_series(1, 5000) n;

    INSERT INTO files (id, owner_id, name, digest, created_at)
    SELECT uuid(lpad(n::text, 32, '0')), uuid(lpad((n % 1000 + 1)::text, 32, '0')), 'x', decode(md5(n::text), 'hex'), now()
    FROM generate_series(1, 5000) n;

    INSERT INTO message_attachments (chat_id, seq, position, file_id)
    SELECT m.chat_id, m.seq, 1, uuid(lpad((row_number() OVER ())::text, 32, '0'))
    FROM messages m WHERE m.seq = 1;

    INSERT INTO idempotency_keys (user_id, key, fingerprint, created_at)
    SELECT u.id, 'key ' || n, '', now() FROM users u CROSS JOIN generate_series(1, 3) n;

    ANALYZE";

impl Sample {
    pub(crate) fn create() -> Self {
        let guard = TestDatabase::create();
        let mut connection = PgConnection::establish(&guard.url()).unwrap();
        connection.batch_execute(FILL).unwrap();
        Self {
            connection,
            _guard: guard,
        }
    }

    /// The plan for a statement, with these types of parameters and these values: as it is made for these, and as it is
    /// made once for all values.
    pub(crate) fn plans<S: Statement>(&mut self, types: &str, values: &str) -> [String; 2] {
        let prepare = format!("PREPARE it ({types}) AS {}", S::SQL);
        self.connection.batch_execute(&prepare).unwrap();
        let plans = ["force_custom_plan", "force_generic_plan"].map(|mode| {
            let mode = format!("SET plan_cache_mode = {mode}");
            self.connection.batch_execute(&mode).unwrap();
            let explain = format!("EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) EXECUTE it ({values})");
            // It is really executed, whatever it does.
            self.connection.test_transaction(|connection| -> QueryResult<String> {
                let lines: Vec<Line> = diesel::sql_query(explain).load(connection)?;
                Ok(lines.into_iter().map(|line| line.text + "\n").collect())
            })
        });
        self.connection.batch_execute("DEALLOCATE it").unwrap();
        plans
    }
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text, column_name = "QUERY PLAN")]
    text: String,
}

/// The identifier of the n-th user, session or chat, as it stands in a statement.
pub(crate) fn id(n: u32) -> String {
    format!("uuid '{n:032}'")
}

/// The same of a message.
pub(crate) fn message_id(chat: u32, seq: u32) -> String {
    format!("uuid(md5({}::text || {seq}))", id(chat))
}
