//! Throw-away databases for tests.

use tokio_postgres::NoTls;

use crate::DbError;

/// Runs statements on a PostgreSQL server as its administrator, one after another.
pub async fn administer(url: &str, statements: &[&str]) -> Result<(), DbError> {
    let refuse = |error: tokio_postgres::Error| DbError::Query(format!("{error:?}"));
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.map_err(refuse)?;
    let driver = tokio::spawn(connection);
    for statement in statements {
        client.batch_execute(statement).await.map_err(refuse)?;
    }
    drop(client);
    // Its result repeats what the statements told.
    let _ = driver.await;
    Ok(())
}
