//! What only SQLite promises.

use std::os::unix::fs::PermissionsExt;

use hatchery_db::testing::TestDatabase;
use hatchery_db::{Db, Location};

use crate::{SCHEMA, add, count, text};

#[tokio::test]
async fn changes_of_others_are_noticed_and_our_own_are_not() {
    let database = TestDatabase::sqlite().unwrap();
    let ours = Db::open(&database.location, &[SCHEMA]).await.unwrap();
    let theirs = Db::open(&database.location, &[SCHEMA]).await.unwrap();
    ours.external_changes().unwrap();
    add(&ours, "ours").await;
    count(&ours).await;
    assert!(!ours.external_changes().unwrap());
    add(&theirs, "theirs").await;
    assert!(ours.external_changes().unwrap());
    assert!(!ours.external_changes().unwrap());
    ours.checkpoint().await.unwrap();
    assert_eq!(count(&ours).await, 2);
}

#[tokio::test]
async fn a_writer_waits_for_another_process_and_readers_do_not() {
    let database = TestDatabase::sqlite().unwrap();
    let ours = Db::open(&database.location, &[SCHEMA]).await.unwrap();
    let theirs = Db::open(&database.location, &[SCHEMA]).await.unwrap();
    let mut tx = theirs.begin().await.unwrap();
    tx.exec("INSERT INTO things (name) VALUES ($1)", &[text("theirs")])
        .await
        .unwrap();
    let (added, ()) = tokio::join!(add(&ours, "ours"), async {
        // By now the other side has been refused at least once.
        assert_eq!(count(&ours).await, 0);
        tx.commit(|| ()).await.unwrap();
    });
    assert_eq!((added, count(&ours).await), (2, 2));
}

#[tokio::test]
async fn the_file_is_for_its_owner_alone_and_the_log_becomes_short() {
    let database = TestDatabase::sqlite().unwrap();
    let Location::SqliteAt(path) = &database.location else {
        unreachable!()
    };
    let db = Db::open(&database.location, &[SCHEMA]).await.unwrap();
    add(&db, "one").await;
    for name in ["panel.db", "panel.db-wal", "panel.db-shm"] {
        let mode = path
            .with_file_name(name)
            .metadata()
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o077, 0, "{name}");
    }
    db.checkpoint().await.unwrap();
    // After a checkpoint the next transaction starts the log anew, so its size stays.
    let log = path.with_file_name("panel.db-wal");
    let before = log.metadata().unwrap().len();
    add(&db, "two").await;
    assert_eq!(log.metadata().unwrap().len(), before);
}

#[tokio::test]
async fn case_is_folded_beyond_ascii() {
    let database = TestDatabase::sqlite().unwrap();
    let db = Db::open(&database.location, &[SCHEMA]).await.unwrap();
    let row = db
        .one("SELECT fold($1)", &[text("ÜBER Große")])
        .await
        .unwrap();
    assert_eq!(row.into_value().into_text().unwrap(), "über große");
}
