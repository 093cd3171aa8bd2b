//! What both engines promise alike.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hatchery_db::testing::TestDatabase;
use hatchery_db::{Db, DbError, Value};
use uuid::Uuid;

use crate::{SCHEMA, add, count, int, on_both, text};

#[tokio::test]
async fn values_come_back_as_they_went_in() {
    on_both(|db| async move {
        let uuid = Uuid::from_u128(0xf3f9_5466_7e8b_42a4_8504_6e70_5587_4e39);
        let mut tx = db.begin().await.unwrap();
        for (name, at) in [
            ("now", 1_767_225_600_123_456),
            ("before 1970", -1),
            ("before 2000", 1),
        ] {
            let params = [
                text(name),
                Value::Int(i64::MIN),
                Value::Bool(true),
                Value::Uuid(uuid),
                Value::Time(at),
                Value::Json(r#"{"z": 1, "a": [null]}"#.to_owned()),
                Value::Blob(vec![0, 255, 10]),
            ];
            let sql = "INSERT INTO things (name, hits, yes, uuid, at, doc, bytes)
                VALUES ($1, $2, $3, $4, $5, $6, $7)
                RETURNING name, hits, yes, uuid, at, doc, bytes, CAST(uuid AS TEXT)";
            let mut cells = tx
                .one(sql, &params)
                .await
                .unwrap()
                .into_values()
                .into_iter();
            let mut next = || cells.next().unwrap();
            assert_eq!(next().into_text().unwrap(), name);
            assert_eq!(next().into_int().unwrap(), i64::MIN);
            assert!(next().into_bool().unwrap());
            assert_eq!(next().into_uuid().unwrap(), uuid);
            assert_eq!(next().into_time().unwrap(), at);
            assert_eq!(next().into_json().unwrap(), r#"{"z": 1, "a": [null]}"#);
            assert_eq!(next().into_blob().unwrap(), [0, 255, 10]);
            assert_eq!(
                next().into_text().unwrap(),
                "f3f95466-7e8b-42a4-8504-6e7055874e39"
            );
        }
        let nulls = [text("nothing"), Value::Null];
        let sql = "INSERT INTO things (name, yes, at, doc, uuid, bytes, hits)
            VALUES ($1, $2, $2, $2, $2, $2, $2) RETURNING yes, at, doc, uuid, bytes, hits";
        // On PostgreSQL one parameter has one type, so each needs its own.
        let sql = sql.replacen("$2, $2, $2, $2, $2, $2", "$2, $3, $4, $5, $6, $7", 1);
        let params: Vec<Value> = nulls
            .into_iter()
            .chain(std::iter::repeat_n(Value::Null, 5))
            .collect();
        let row = tx.one(&sql, &params).await.unwrap();
        assert!(row.into_values().iter().all(Value::is_null));
    })
    .await;
}

#[tokio::test]
async fn parameters_are_told_by_number_and_not_by_appearance() {
    on_both(|db| async move {
        let (one, two) = (add(&db, "one").await, add(&db, "two").await);
        let mut tx = db.begin().await.unwrap();
        let sql = "UPDATE things SET hits = hits + $2 WHERE id = $1 AND name = $3";
        assert_eq!(
            tx.exec(sql, &[Value::Int(two), Value::Int(40), text("two")])
                .await,
            Ok(1)
        );
        let sql = "UPDATE things SET hits = hits + $3 - $2 WHERE id IN ($1, $1)";
        assert_eq!(
            tx.exec(sql, &[Value::Int(two), Value::Int(1), Value::Int(3)])
                .await,
            Ok(1)
        );
        tx.commit(|| ()).await.unwrap();
        for (id, hits) in [(two, 42), (one, 0)] {
            let sql = "SELECT hits FROM things WHERE id = $1";
            assert_eq!(int(db.one(sql, &[Value::Int(id)]).await.unwrap()), hits);
        }
    })
    .await;
}

#[tokio::test]
async fn too_few_parameters_are_an_error() {
    on_both(|db| async move {
        let refused = db
            .few(
                "SELECT id FROM things WHERE id = $1 AND hits = $2",
                &[Value::Int(1)],
            )
            .await;
        assert!(matches!(refused, Err(DbError::Query(_))), "{refused:?}");
    })
    .await;
}

#[tokio::test]
async fn violations_have_the_same_names() {
    on_both(|db| async move {
        let id = add(&db, "one").await;
        let insert = "INSERT INTO things (name, uuid, at) VALUES ($1, $2, $3)";
        let key = [Value::Uuid(Uuid::from_u128(7)), Value::Time(7)];
        for (name, constraint) in [("ONE", "things_lower_name"), ("two", "things_uuid_at")] {
            let mut tx = db.begin().await.unwrap();
            let first = [text("first"), key[0].clone(), key[1].clone()];
            tx.exec(insert, &first).await.unwrap();
            let params = [text(name), key[0].clone(), key[1].clone()];
            let params = if constraint == "things_uuid_at" {
                params
            } else {
                [text(name), Value::Null, Value::Null]
            };
            let refused = tx.exec(insert, &params).await;
            assert_eq!(
                refused,
                Err(DbError::Unique {
                    constraint: constraint.to_owned()
                }),
                "{name}"
            );
            assert_eq!(
                tx.exec(insert, &[text("x"), Value::Null, Value::Null])
                    .await,
                Err(DbError::Aborted)
            );
            assert_eq!(tx.commit(|| ()).await, Err(DbError::Aborted));
        }
        assert_eq!(count(&db).await, 1);
        let mut tx = db.begin().await.unwrap();
        let missing = tx
            .exec(
                "INSERT INTO parts (thing_id) VALUES ($1)",
                &[Value::Int(id + 99)],
            )
            .await;
        assert_eq!(missing, Err(DbError::ForeignKey));
        drop(tx);
        let mut tx = db.begin().await.unwrap();
        tx.exec(
            "INSERT INTO parts (thing_id) VALUES ($1)",
            &[Value::Int(id)],
        )
        .await
        .unwrap();
        let used = tx
            .exec("DELETE FROM things WHERE id = $1", &[Value::Int(id)])
            .await;
        assert_eq!(used, Err(DbError::ForeignKey));
    })
    .await;
}

#[tokio::test]
async fn a_dropped_transaction_leaves_nothing_behind() {
    on_both(|db| async move {
        for _ in 0..10 {
            let mut tx = db.begin().await.unwrap();
            tx.exec("INSERT INTO things (name) VALUES ($1)", &[text("gone")])
                .await
                .unwrap();
            assert_eq!(
                int(tx.one("SELECT COUNT(*) FROM things", &[]).await.unwrap()),
                1
            );
            drop(tx);
        }
        assert_eq!(count(&db).await, 0);
        add(&db, "stays").await;
        assert_eq!(count(&db).await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_cancelled_caller_leaves_no_transaction_open() {
    on_both(|db| async move {
        let (begun, started) = tokio::sync::oneshot::channel();
        let task = tokio::spawn({
            let db = db.clone();
            async move {
                let mut tx = db.begin().await.unwrap();
                tx.exec("INSERT INTO things (name) VALUES ($1)", &[text("gone")])
                    .await
                    .unwrap();
                begun.send(()).unwrap();
                std::future::pending::<()>().await;
                drop(tx);
            }
        });
        started.await.unwrap();
        task.abort();
        assert!(task.await.unwrap_err().is_cancelled());
        add(&db, "stays").await;
        assert_eq!(count(&db).await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_commit_that_has_begun_ends_without_its_caller() {
    on_both(|db| async move {
        let told = Arc::new(AtomicBool::new(false));
        let mut tx = db.begin().await.unwrap();
        tx.exec("INSERT INTO things (name) VALUES ($1)", &[text("stays")])
            .await
            .unwrap();
        let commit = tx.commit({
            let told = Arc::clone(&told);
            move || told.store(true, Ordering::Release)
        });
        // Polled once, so that it has begun, and dropped.
        let mut commit = Box::pin(commit);
        let _ = futures_poll(&mut commit).await;
        drop(commit);
        // On SQLite the next writer waits for it; on PostgreSQL we ask until it is there.
        add(&db, "next").await;
        while !told.load(Ordering::Acquire) {
            tokio::task::yield_now().await;
        }
        assert_eq!(count(&db).await, 2);
    })
    .await;
}

/// Polls a future once.
async fn futures_poll<F: Future + Unpin>(future: &mut F) -> std::task::Poll<F::Output> {
    std::future::poll_fn(|context| {
        std::task::Poll::Ready(std::pin::Pin::new(&mut *future).poll(context))
    })
    .await
}

#[tokio::test]
async fn writers_take_turns_and_none_is_lost() {
    on_both(|db| async move {
        let id = add(&db, "counter").await;
        let tasks: Vec<_> = (0..40)
            .map(|_| {
                let db = db.clone();
                tokio::spawn(async move {
                    let mut tx = db.begin().await.unwrap();
                    let sql = "UPDATE things SET hits = hits + 1 WHERE id = $1";
                    tx.exec(sql, &[Value::Int(id)]).await.unwrap();
                    tx.commit(|| ()).await.unwrap();
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(
            int(db.one("SELECT hits FROM things", &[]).await.unwrap()),
            40
        );
        let rows = db
            .scan(
                "SELECT name FROM things WHERE hits = $1",
                vec![Value::Int(40)],
            )
            .await
            .unwrap();
        assert_eq!(rows.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn lost_connections_are_made_anew() {
    let Some(postgres) = TestDatabase::postgres().await.unwrap() else {
        return;
    };
    let db = Db::open(&postgres.location, &[SCHEMA]).await.unwrap();
    add(&db, "before").await;
    for _ in 0..8 {
        count(&db).await;
    }
    postgres
        .administer(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE datname = current_database() AND pid <> pg_backend_pid()",
        )
        .await
        .unwrap();
    // The first calls may meet a connection whose end was not noticed yet: that is one clean error
    // for each, never a wrong answer, and then all is well.
    let mut refused = 0;
    let mut answered = 0;
    while answered < 8 {
        match db.one("SELECT COUNT(*) FROM things", &[]).await {
            Ok(row) => {
                assert_eq!(int(row), 1);
                answered += 1;
            }
            Err(error) => {
                assert!(matches!(error, DbError::Unavailable(_)), "{error:?}");
                refused += 1;
                assert!(refused < 20, "the connections do not come back");
            }
        }
    }
    let mut tries = 0;
    while let Err(error) = db.begin().await {
        assert!(matches!(error, DbError::Unavailable(_)), "{error:?}");
        tries += 1;
        assert!(tries < 20, "the connections do not come back");
    }
    add(&db, "after").await;
    assert_eq!(count(&db).await, 2);
}
