//! Imports that are refused as a whole, and leave nothing behind.

use hatchery_import::testing::{APP_KEY, SourcePanel};
use hatchery_import::{AppKey, ImportError, Mode, Options, pterodactyl};
use hatchery_store::testing::TestStore;
use hatchery_store::{NewUser, Secret, both_dbs};
use hatchery_vocab::UserUuid;

use crate::import;

/// Thirty-two other bytes.
const WRONG_KEY: &str = "base64:YmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmI=";

async fn is_empty(store: &TestStore) -> bool {
    store.locations().await.unwrap().is_empty() && store.eggs().await.unwrap().is_empty()
}

async fn create_user(store: &TestStore, username: &str, email: &str) {
    let mut tx = store.begin().await.unwrap();
    let user = NewUser {
        uuid: UserUuid::new(uuid::Uuid::from_u128(7)),
        external_id: None,
        username: username.to_owned(),
        email: email.to_owned(),
        name_first: None,
        name_last: None,
        password: Secret::new("x"),
        language: "en".to_owned(),
        root_admin: false,
    };
    tx.create_user(&user).await.unwrap();
    tx.commit().await.unwrap();
}

both_dbs! {
    async fn another_app_key(store: TestStore) {
        let Some(panel) = SourcePanel::small().await.unwrap() else { return };
        let refused = import(&store, &panel, WRONG_KEY, Mode::Keep).await.unwrap_err();
        assert!(refused.to_string().starts_with("this is not the panel's APP_KEY"), "{refused}");
        assert!(is_empty(&store).await);
    }

    async fn numbers_that_belong_to_others(store: TestStore) {
        let Some(panel) = SourcePanel::small().await.unwrap() else { return };
        create_user(&store, "somebody", "somebody@example.com").await;
        let refused = import(&store, &panel, APP_KEY, Mode::Keep).await.unwrap_err();
        let ImportError::Collisions(lines) = refused else { unreachable!() };
        assert_eq!(lines[1..], ["users 1: this number belongs to something else here"]);
        assert!(is_empty(&store).await);
    }

    async fn names_that_belong_to_others(store: TestStore) {
        let Some(panel) = SourcePanel::small().await.unwrap() else { return };
        import(&store, &panel, APP_KEY, Mode::Keep).await.unwrap();
        create_user(&store, "emma", "emma@example.com").await;
        panel
            .run(
                "INSERT INTO users (id, uuid, username, email, password)
                    VALUES (4, '0a000004-0000-4000-8000-000000000004', 'other', 'EMMA@example.com', 'x'),
                        (5, '0a000005-0000-4000-8000-000000000005', 'fine', 'fine@example.com', 'x')",
            )
            .await
            .unwrap();
        let refused = import(&store, &panel, APP_KEY, Mode::Keep).await.unwrap_err();
        let ImportError::Collisions(lines) = refused else { unreachable!() };
        assert_eq!(lines[1..], ["users 4: 92 has the same email here"]);
        assert!(store.user_by_login("fine").await.unwrap().is_none());
    }

    async fn something_that_is_no_panel(store: TestStore) {
        let Some(panel) = SourcePanel::of("CREATE TABLE users (id INT)").await.unwrap() else { return };
        let refused = import(&store, &panel, APP_KEY, Mode::Keep).await.unwrap_err();
        assert!(refused.to_string().starts_with("this is not the database of a Pterodactyl panel"), "{refused}");
        assert!(is_empty(&store).await);
    }
}

#[tokio::test]
async fn urls_and_keys_that_make_no_sense() {
    let store = TestStore::sqlite().await.unwrap();
    for url in [
        "postgres://u:p@127.0.0.1/x",
        "nonsense",
        "mysql://u:p@127.0.0.1:1",
    ] {
        let options = Options {
            database: url.to_owned(),
            app_key: AppKey::parse(APP_KEY).unwrap(),
            hashids_salt: None,
            hashids_length: None,
            volumes: None,
            mode: Mode::Keep,
        };
        let refused = pterodactyl(&store, options).await.unwrap_err().to_string();
        assert!(
            refused.starts_with("the panel's database is mysql://"),
            "{refused}"
        );
    }
    for key in [
        "",
        "base64:",
        "base64:c2hvcnQ=",
        "base64:!",
        "thirty-one characters long, no!",
    ] {
        assert!(AppKey::parse(key).is_err(), "{key}");
    }
    for key in [
        APP_KEY,
        "APP_KEY=base64:YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE=",
        "thirty-two characters are 32 bytes",
    ] {
        let wanted = key.len() != 34;
        assert_eq!(AppKey::parse(key).is_ok(), wanted, "{key}");
    }
}
