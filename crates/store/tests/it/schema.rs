//! The two texts of the schema say the same.

use std::collections::BTreeSet;

use hatchery_db::testing::TestDatabase;
use hatchery_db::{Db, Migration};

const SCHEMA: Migration = Migration {
    name: "0001_schema",
    sqlite: include_str!("../../migrations/sqlite/0001_schema.sql"),
    postgres: include_str!("../../migrations/postgres/0001_schema.sql"),
};

async fn texts(db: &Db, sql: &str) -> BTreeSet<String> {
    let rows = db.scan(sql, Vec::new()).await.unwrap();
    rows.into_iter()
        .map(|row| row.into_value().into_text().unwrap())
        .collect()
}

#[tokio::test]
async fn tables_columns_and_indexes_have_the_same_names() {
    let Some(postgres) = TestDatabase::postgres().await.unwrap() else {
        return;
    };
    let sqlite = TestDatabase::sqlite().unwrap();
    let sqlite = Db::open(&sqlite.location, &[SCHEMA]).await.unwrap();
    let postgres = Db::open(&postgres.location, &[SCHEMA]).await.unwrap();
    let columns = (
        "SELECT t.name || '.' || c.name || CASE WHEN c.\"notnull\" = 1 OR c.pk > 0 THEN ' not null' ELSE '' END
         FROM sqlite_schema t JOIN pragma_table_info(t.name) c
         WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite%'",
        "SELECT table_name || '.' || column_name || CASE is_nullable WHEN 'NO' THEN ' not null' ELSE '' END
         FROM information_schema.columns WHERE table_schema = 'public'",
    );
    // Indexes of primary keys have no name of ours.
    let indexes = (
        "SELECT t.name || '.' || i.name || CASE WHEN i.\"unique\" THEN ' unique' ELSE '' END
             || CASE WHEN i.partial THEN ' partial' ELSE '' END
         FROM sqlite_schema t JOIN pragma_index_list(t.name) i
         WHERE t.type = 'table' AND i.origin = 'c'",
        "SELECT t.relname::text || '.' || i.relname::text || CASE WHEN x.indisunique THEN ' unique' ELSE '' END
             || CASE WHEN x.indpred IS NOT NULL THEN ' partial' ELSE '' END
         FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid
         JOIN pg_namespace n ON n.oid = t.relnamespace
         WHERE n.nspname = 'public' AND NOT x.indisprimary",
    );
    for (in_sqlite, in_postgres) in [columns, indexes] {
        let (one, other) = (
            texts(&sqlite, in_sqlite).await,
            texts(&postgres, in_postgres).await,
        );
        assert!(one.len() > 50, "{one:?}");
        assert_eq!(one, other);
    }
    let strict = "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table'
        AND strict = 0 AND name NOT LIKE 'sqlite%'";
    assert_eq!(
        texts(&sqlite, strict).await,
        BTreeSet::from(["schema_migrations".to_owned()])
    );
}
