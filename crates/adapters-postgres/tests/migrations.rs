//! The schema, and how a database gets it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use diesel::prelude::*;
use diesel::sql_types::Text;
use std::env;
use std::fmt::Write as _;
use std::fs;
use std::thread;
use tertulia_adapters_postgres::test_support::TestDatabase;
use tertulia_adapters_postgres::{PgDatabase, PgOptions, migrate};
use tertulia_domain::repository::Maintenance;

#[tokio::test]
async fn processes_that_start_at_once_migrate_once() {
    let guard = TestDatabase::create_empty();
    let database = PgDatabase::connect(&guard.url(), &PgOptions::default()).unwrap();
    let unmigrated = database.maintenance().check().await.unwrap_err();
    assert!(
        format!("{unmigrated:?}").contains("__diesel_schema_migrations"),
        "{unmigrated:?}"
    );

    let url = guard.url();
    let applied: Vec<usize> = thread::scope(|scope| {
        let migrating: Vec<_> = (0..4).map(|_| scope.spawn(|| migrate(&url).unwrap())).collect();
        migrating.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(applied.iter().filter(|count| **count > 0).count(), 1, "{applied:?}");
    database.maintenance().check().await.unwrap();

    // A newer program's migration is no harm, an older one's schema is.
    let mut connection = PgConnection::establish(&url).unwrap();
    for (change, in_order) in [
        (
            "INSERT INTO __diesel_schema_migrations (version) VALUES ('99991231000000')",
            true,
        ),
        (
            "DELETE FROM __diesel_schema_migrations WHERE version <> (SELECT min(version) FROM __diesel_schema_migrations)",
            false,
        ),
    ] {
        diesel::sql_query(change).execute(&mut connection).unwrap();
        let check = database.maintenance().check().await;
        assert_eq!(check.is_ok(), in_order, "{change}: {check:?}");
    }
}

/// Where the schema is written down, for whoever reviews a change of it.
const SCHEMA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../migrations/postgres/schema.txt");

#[test]
fn the_schema_is_the_one_that_is_written_down() {
    let guard = TestDatabase::create();
    let mut connection = PgConnection::establish(&guard.url()).unwrap();
    let actual = print_schema(&mut connection);
    if env::var_os("UPDATE_SCHEMA").is_some() {
        fs::write(SCHEMA, &actual).unwrap();
    }
    let expected = fs::read_to_string(SCHEMA).unwrap_or_default();
    assert!(
        actual == expected,
        "the schema is not the one in migrations/postgres/schema.txt; if it is meant to be, run this test with \
         UPDATE_SCHEMA=1 and commit the file. It is:\n{actual}"
    );
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    owner: String,
    #[diesel(sql_type = Text)]
    line: String,
}

/// Columns in their order; then constraints, indexes (except those that are there for a constraint) and triggers by name.
const PRINT: &str = "
    SELECT owner, line FROM (
        SELECT t.relname AS owner, 1 AS part, a.attnum::int AS place, a.attname::text AS name,
            concat_ws(' ', a.attname, format_type(a.atttypid, a.atttypmod),
                CASE WHEN a.attcollation <> ty.typcollation THEN 'COLLATE ' || quote_ident(co.collname) END,
                CASE WHEN a.attnotnull THEN 'NOT NULL' END,
                CASE a.attidentity WHEN 'a' THEN 'GENERATED ALWAYS AS IDENTITY' END,
                'DEFAULT ' || pg_get_expr(d.adbin, d.adrelid)) AS line
        FROM pg_attribute a
        JOIN pg_class t ON t.oid = a.attrelid AND t.relkind = 'r'
        JOIN pg_type ty ON ty.oid = a.atttypid
        LEFT JOIN pg_collation co ON co.oid = a.attcollation
        LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
        WHERE t.relnamespace = 'public'::regnamespace AND a.attnum > 0 AND NOT a.attisdropped
        UNION ALL
        SELECT t.relname, 2, 0, c.conname::text, 'CONSTRAINT ' || c.conname || ' ' || pg_get_constraintdef(c.oid)
        FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid
        WHERE t.relnamespace = 'public'::regnamespace AND c.contype <> 'n'
        UNION ALL
        SELECT i.tablename, 3, 0, i.indexname::text, i.indexdef
        FROM pg_indexes i
        WHERE i.schemaname = 'public' AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conname = i.indexname)
        UNION ALL
        SELECT t.relname, 4, 0, g.tgname::text, pg_get_triggerdef(g.oid)
        FROM pg_trigger g JOIN pg_class t ON t.oid = g.tgrelid
        WHERE t.relnamespace = 'public'::regnamespace AND NOT g.tgisinternal
        UNION ALL
        SELECT t.relname, 5, 0, '', 'WITH (' || array_to_string(t.reloptions, ', ') || ')'
        FROM pg_class t
        WHERE t.relnamespace = 'public'::regnamespace AND t.relkind = 'r' AND t.reloptions IS NOT NULL
    ) AS parts
    WHERE owner NOT LIKE '\\_\\_diesel%'
    ORDER BY owner COLLATE \"C\", part, place, name COLLATE \"C\"";

fn print_schema(connection: &mut PgConnection) -> String {
    let lines: Vec<Line> = diesel::sql_query(PRINT).load(connection).unwrap();
    let mut text = String::new();
    for table in lines.chunk_by(|a, b| a.owner == b.owner) {
        writeln!(text, "{}", table[0].owner).unwrap();
        for Line { line, .. } in table {
            writeln!(text, "    {line}").unwrap();
        }
    }
    text
}
