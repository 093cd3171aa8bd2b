//! Bringing schemas up to date.

use hatchery_db::testing::TestDatabase;
use hatchery_db::{Db, DbError, Location, Migration};

use crate::{SCHEMA, add, count};

const SECOND: Migration = Migration {
    name: "0002_more",
    sqlite: "CREATE TABLE more (id INTEGER PRIMARY KEY) STRICT",
    postgres: "CREATE TABLE more (id BIGINT PRIMARY KEY)",
};

async fn databases() -> Vec<TestDatabase> {
    let mut databases = vec![TestDatabase::sqlite().unwrap()];
    databases.extend(TestDatabase::postgres().await.unwrap());
    databases
}

#[tokio::test]
async fn each_step_is_applied_once() {
    for database in databases().await {
        let db = Db::open(&database.location, &[SCHEMA]).await.unwrap();
        add(&db, "kept").await;
        drop(db);
        for _ in 0..2 {
            let db = Db::open(&database.location, &[SCHEMA, SECOND])
                .await
                .unwrap();
            assert_eq!(count(&db).await, 1);
            assert!(db.few("SELECT id FROM more", &[]).await.unwrap().is_empty());
        }
    }
}

#[tokio::test]
async fn a_changed_or_unknown_step_is_refused() {
    let changed = Migration {
        sqlite: "SELECT 1",
        postgres: "SELECT 1",
        ..SCHEMA
    };
    for database in databases().await {
        drop(
            Db::open(&database.location, &[SCHEMA, SECOND])
                .await
                .unwrap(),
        );
        for known in [&[changed, SECOND][..], &[SCHEMA][..], &[][..]] {
            let refused = Db::open(&database.location, known).await.unwrap_err();
            assert!(matches!(refused, DbError::Migration(_)), "{refused}");
        }
    }
}

#[tokio::test]
async fn a_broken_step_changes_nothing() {
    let broken = Migration {
        name: "0002_broken",
        sqlite: "CREATE TABLE half (id INTEGER) STRICT; CREATE TABEL half",
        postgres: "CREATE TABLE half (id BIGINT); CREATE TABEL half",
    };
    for database in databases().await {
        drop(Db::open(&database.location, &[SCHEMA]).await.unwrap());
        let refused = Db::open(&database.location, &[SCHEMA, broken])
            .await
            .unwrap_err();
        assert!(refused.to_string().contains("0002_broken"), "{refused}");
        let db = Db::open(&database.location, &[SCHEMA]).await.unwrap();
        assert!(db.few("SELECT id FROM half", &[]).await.is_err());
    }
}

#[tokio::test]
async fn two_that_start_at_once_take_turns() {
    for database in databases().await {
        let migrations = [SCHEMA, SECOND];
        let (one, two, three) = tokio::join!(
            Db::open(&database.location, &migrations),
            Db::open(&database.location, &migrations),
            Db::open(&database.location, &migrations),
        );
        for db in [one.unwrap(), two.unwrap(), three.unwrap()] {
            assert_eq!(count(&db).await, 0);
        }
    }
}

#[tokio::test]
async fn sqlite_is_copied_before_its_data_is_changed() {
    let database = TestDatabase::sqlite().unwrap();
    let Location::SqliteAt(path) = &database.location else {
        unreachable!()
    };
    let copy = path.with_file_name("panel.db.before-0002_more");
    let db = Db::open(&database.location, &[SCHEMA]).await.unwrap();
    add(&db, "kept").await;
    drop(db);
    assert!(!copy.exists());
    drop(
        Db::open(&database.location, &[SCHEMA, SECOND])
            .await
            .unwrap(),
    );
    let old = Db::open(&Location::SqliteAt(copy), &[SCHEMA])
        .await
        .unwrap();
    assert_eq!(count(&old).await, 1);
}

#[tokio::test]
async fn an_unusable_address_is_refused_without_its_password() {
    let location =
        Location::Postgres("postgres://me:hunter2@host:port/x?sslmode=nonsense".to_owned());
    let refused = Db::open(&location, &[]).await.unwrap_err();
    assert!(!format!("{refused} {refused:?} {location:?}").contains("hunter2"));
    let location = Location::SqliteAt("/nowhere/at/all/panel.db".into());
    assert!(matches!(
        Db::open(&location, &[]).await,
        Err(DbError::Open(_))
    ));
}
