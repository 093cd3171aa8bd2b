//! Throw-away stores for tests, and one test on both engines.

use std::ops::Deref;
use std::sync::Arc;

use hatchery_ambient::{ManualClock, SeededEntropy};
use hatchery_db::testing::TestDatabase;
use hatchery_vocab::Timestamp;

use crate::{Store, StoreConfig, StoreError};

/// When every test begins: 2026-01-01T00:00:00Z.
pub const TEST_START: Timestamp = Timestamp::from_seconds(1_767_225_600);

/// An empty store of one test. It stands for the store itself.
#[derive(Debug)]
pub struct TestStore {
    store: Store,
    /// Decides what time it is.
    pub clock: ManualClock,
    database: TestDatabase,
}

impl TestStore {
    /// A store in a file of its own.
    pub async fn sqlite() -> Result<Self, StoreError> {
        Self::open(TestDatabase::sqlite()?).await
    }

    /// A store in a database of its own on the server that `HATCHERY_TEST_POSTGRES` names. Without
    /// the variable it prints a line that says so, and the test is to end.
    pub async fn postgres() -> Result<Option<Self>, StoreError> {
        match TestDatabase::postgres().await? {
            Some(database) => Self::open(database).await.map(Some),
            None => Ok(None),
        }
    }

    async fn open(database: TestDatabase) -> Result<Self, StoreError> {
        let clock = ManualClock::new(TEST_START);
        let store = open(&database, &clock).await?;
        Ok(Self {
            store,
            clock,
            database,
        })
    }

    /// A second store over the same database, as another process would have it.
    pub async fn second(&self) -> Result<Store, StoreError> {
        open(&self.database, &self.clock).await
    }

    /// Drops what was cached if others wrote, without waiting for the second to pass.
    pub fn look_for_others(&self) -> Result<(), StoreError> {
        self.store.look_for_others()
    }
}

impl Deref for TestStore {
    type Target = Store;

    fn deref(&self) -> &Store {
        &self.store
    }
}

async fn open(database: &TestDatabase, clock: &ManualClock) -> Result<Store, StoreError> {
    let config = StoreConfig {
        database: database.location.clone(),
    };
    Store::open(
        &config,
        Arc::new(clock.clone()),
        Arc::new(SeededEntropy::new(1)),
    )
    .await
}

/// Makes each function two tests, `sqlite` and `postgres`, in a module of its name.
///
/// ```text
/// both_dbs! {
///     async fn names_are_unique(store: TestStore) { … }
/// }
/// ```
#[macro_export]
macro_rules! both_dbs {
    ($($(#[$attribute:meta])* async fn $name:ident($store:ident: $type:ty) $body:block)*) => {$(
        $(#[$attribute])*
        mod $name {
            use super::*;

            async fn both($store: $type) $body

            #[tokio::test]
            async fn sqlite() {
                both($crate::testing::TestStore::sqlite().await.unwrap()).await;
            }

            #[tokio::test]
            async fn postgres() {
                if let Some(store) = $crate::testing::TestStore::postgres().await.unwrap() {
                    both(store).await;
                }
            }
        }
    )*};
}
