//! Users, keys, sessions and what else belongs to a person.

use std::sync::Arc;
use std::time::Duration;

use hatchery_store::testing::{TEST_START, TestStore};
use hatchery_store::{
    ApiKeyKind, MAX_CLIENT_KEYS, NewApiKey, NewSession, Page, PendingSignIn, Secret, StoreError,
    both_dbs,
};
use hatchery_vocab::UserId;

use crate::world::{World, new_user, no_rights};

fn key(user_id: UserId, identifier: &str) -> NewApiKey {
    NewApiKey {
        user_id,
        kind: ApiKeyKind::Client,
        identifier: identifier.to_owned(),
        secret_sha256: [7; 32],
        memo: "deploy".to_owned(),
        allowed_ips: vec!["10.0.0.0/8".to_owned()],
        rights: no_rights(),
        expires_at: None,
    }
}

both_dbs! {
    async fn people_are_found_and_changed(store: TestStore) {
        let world = World::create(&store).await;
        assert_eq!(store.count_users().await.unwrap(), 3);
        for login in ["OWNER", "Owner@Example.com"] {
            assert_eq!(store.user_by_login(login).await.unwrap().unwrap().id, world.owner, "{login}");
        }
        for nobody in ["nobody", "own\0er", "\0@example.com", "' OR 1=1 --"] {
            assert!(store.user_by_login(nobody).await.unwrap().is_none());
        }
        let before = store.user(world.owner).await.unwrap().unwrap();
        assert!(Arc::ptr_eq(&before, &store.user(world.owner).await.unwrap().unwrap()));
        assert!(before.as_admin().is_none());
        assert_eq!(store.user_by_uuid(before.uuid).await.unwrap().unwrap().id, world.owner);

        store.clock.advance(Duration::from_secs(5));
        let mut tx = store.begin().await.unwrap();
        assert!(tx.set_user_admin(world.owner, true).await.unwrap());
        assert!(tx.set_user_email(world.owner, "new@example.com").await.unwrap());
        assert!(tx.set_user_password(world.owner, &Secret::new("other")).await.unwrap());
        assert!(!tx.set_user_admin(UserId::new(999), true).await.unwrap());
        // Not committed: nobody sees it.
        assert!(!store.user(world.owner).await.unwrap().unwrap().root_admin);
        let changes = tx.commit().await.unwrap();
        assert!(changes.users.contains(&world.owner));
        let after = store.user(world.owner).await.unwrap().unwrap();
        assert!(after.as_admin().is_some() && after.email == "new@example.com");
        assert_eq!(after.password.expose(), "other");
        assert_eq!(after.updated_at, TEST_START.plus(Duration::from_secs(5)));
        assert!(!format!("{after:?}").contains("other"));

        let page = store.users(Page { number: 2, size: 2 }).await.unwrap();
        assert_eq!((page.total, page.items[0].id), (3, world.friend));
    }

    async fn names_and_addresses_are_unique_in_any_case(store: TestStore) {
        World::create(&store).await;
        let mut twin = new_user("twin", false);
        twin.username = String::from("OWNER");
        let mut tx = store.begin().await.unwrap();
        assert_eq!(tx.create_user(&twin).await.unwrap_err().unique(), Some("users_username"));
        drop(tx);
        twin.username = String::from("twin");
        twin.email = String::from("Owner@example.com");
        let mut tx = store.begin().await.unwrap();
        assert_eq!(tx.create_user(&twin).await.unwrap_err().unique(), Some("users_email"));
    }

    async fn a_key_speaks_for_its_user_until_it_is_deleted(store: TestStore) {
        let world = World::create(&store).await;
        let mut tx = store.begin().await.unwrap();
        let created = tx.create_api_key(&key(world.owner, "ptlc_0123456789a")).await.unwrap();
        tx.commit().await.unwrap();
        let actor = store.key_actor("ptlc_0123456789a").await.unwrap().unwrap();
        assert_eq!((actor.user.id, actor.key.id, actor.key.secret_sha256), (world.owner, created.id, [7; 32]));
        assert_eq!(actor.key.allowed_ips, ["10.0.0.0/8"]);
        assert!(store.key_actor("ptlc_unknown").await.unwrap().is_none());

        // What changes about the user is seen through the key.
        let mut tx = store.begin().await.unwrap();
        tx.set_user_admin(world.owner, true).await.unwrap();
        tx.commit().await.unwrap();
        assert!(store.key_actor("ptlc_0123456789a").await.unwrap().unwrap().user.root_admin);

        // Its use is seen at once, and written a little later.
        store.touch_api_key(created.id);
        let listed = store.api_keys_of(world.owner, ApiKeyKind::Client).await.unwrap();
        assert_eq!(listed[0].last_used_at, Some(TEST_START));
        store.flush().await.unwrap();
        let other = store.second().await.unwrap();
        let listed = other.api_keys_of(world.owner, ApiKeyKind::Client).await.unwrap();
        assert_eq!(listed[0].last_used_at, Some(TEST_START));

        let mut tx = store.begin().await.unwrap();
        for (user, kind) in [(world.friend, ApiKeyKind::Client), (world.owner, ApiKeyKind::Application)] {
            assert_eq!(tx.delete_api_key(user, kind, "ptlc_0123456789a").await.unwrap(), None);
        }
        let gone = tx.delete_api_key(world.owner, ApiKeyKind::Client, "ptlc_0123456789a").await.unwrap();
        assert_eq!(gone, Some(created.id));
        tx.commit().await.unwrap();
        assert!(store.key_actor("ptlc_0123456789a").await.unwrap().is_none());
    }

    async fn a_key_that_another_process_deletes_is_forgotten(store: TestStore) {
        let world = World::create(&store).await;
        let mut tx = store.begin().await.unwrap();
        tx.create_api_key(&key(world.owner, "ptlc_0123456789a")).await.unwrap();
        tx.commit().await.unwrap();
        let other = store.second().await.unwrap();
        store.look_for_others().unwrap();
        assert!(store.key_actor("ptlc_0123456789a").await.unwrap().is_some());
        let mut tx = other.begin().await.unwrap();
        tx.delete_api_key(world.owner, ApiKeyKind::Client, "ptlc_0123456789a").await.unwrap();
        tx.commit().await.unwrap();
        store.look_for_others().unwrap();
        assert!(store.key_actor("ptlc_0123456789a").await.unwrap().is_none());
    }

    async fn parallel_requests_do_not_exceed_the_limit_of_keys(store: TestStore) {
        let world = World::create(&store).await;
        let tasks: Vec<_> = (0..MAX_CLIENT_KEYS + 10)
            .map(|number| {
                let (store, owner) = ((*store).clone(), world.owner);
                tokio::spawn(async move {
                    let mut tx = store.begin().await?;
                    tx.create_api_key(&key(owner, &format!("ptlc_{number:011}"))).await?;
                    tx.commit().await
                })
            })
            .collect();
        let (mut made, mut refused) = (0, 0);
        for task in tasks {
            match task.await.unwrap() {
                Ok(_) => made += 1,
                Err(error) => {
                    assert!(matches!(error, StoreError::LimitReached { limit: MAX_CLIENT_KEYS }), "{error}");
                    refused += 1;
                }
            }
        }
        assert_eq!((made, refused), (MAX_CLIENT_KEYS, 10));
        // Application keys, and other people's, do not count.
        let mut tx = store.begin().await.unwrap();
        tx.create_api_key(&NewApiKey { kind: ApiKeyKind::Application, ..key(world.owner, "ptla_1") }).await.unwrap();
        tx.create_api_key(&key(world.friend, "ptlc_friend")).await.unwrap();
    }

    async fn sessions_end(store: TestStore) {
        let world = World::create(&store).await;
        let new = |token: u8, lifetime| NewSession {
            user_id: world.owner,
            token_sha256: [token; 32],
            csrf_token: Secret::new("csrf"),
            ip: "10.0.0.9".to_owned(),
            user_agent: "browser".to_owned(),
            lifetime: Duration::from_secs(lifetime),
        };
        let mut tx = store.begin().await.unwrap();
        tx.create_session(&new(1, 10)).await.unwrap();
        let kept = tx.create_session(&new(2, 100)).await.unwrap();
        tx.create_session(&new(3, 100)).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(store.session(&[1; 32]).await.unwrap().unwrap().csrf_token.expose(), "csrf");
        store.clock.advance(Duration::from_secs(10));
        assert!(store.session(&[1; 32]).await.unwrap().is_none());
        let mut tx = store.begin().await.unwrap();
        assert_eq!(tx.delete_ended_sessions().await.unwrap(), 1);
        assert_eq!(tx.delete_sessions_of(world.owner, Some(kept)).await.unwrap(), 1);
        assert!(!tx.delete_session(&[3; 32]).await.unwrap());
        tx.commit().await.unwrap();
        assert_eq!(store.session(&[2; 32]).await.unwrap().unwrap().id, kept);
        // No user piles up sessions.
        for token in 10..100 {
            let mut tx = store.begin().await.unwrap();
            tx.create_session(&new(token, 100)).await.unwrap();
            tx.commit().await.unwrap();
        }
        assert!(store.session(&[2; 32]).await.unwrap().is_none());
        assert!(store.session(&[50; 32]).await.unwrap().is_some());
    }

    async fn single_use_tokens_are_used_once(store: TestStore) {
        let world = World::create(&store).await;
        let mut tx = store.begin().await.unwrap();
        tx.set_setting("setup", "one").await.unwrap();
        tx.set_setting("setup", "two").await.unwrap();
        tx.replace_recovery_tokens(world.owner, &[Secret::new("a"), Secret::new("b")]).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(store.setting("setup").await.unwrap().as_deref(), Some("two"));
        let mut tx = store.begin().await.unwrap();
        assert!(!tx.take_setting_if("setup", "one").await.unwrap());
        assert!(tx.take_setting_if("setup", "two").await.unwrap());
        assert_eq!(tx.take_setting("setup").await.unwrap(), None);
        for step in [(5, true), (5, false), (4, false), (6, true)] {
            assert_eq!(tx.accept_totp_step(world.owner, step.0).await.unwrap(), step.1, "{step:?}");
        }
        tx.commit().await.unwrap();
        let tokens = store.recovery_tokens_of(world.owner).await.unwrap();
        let mut tx = store.begin().await.unwrap();
        assert!(!tx.use_recovery_token(world.friend, tokens[0].id).await.unwrap());
        assert!(tx.use_recovery_token(world.owner, tokens[0].id).await.unwrap());
        assert!(!tx.use_recovery_token(world.owner, tokens[0].id).await.unwrap());
        tx.commit().await.unwrap();
        assert_eq!(store.recovery_tokens_of(world.owner).await.unwrap().len(), 1);
    }

    async fn a_link_for_a_password_is_one_and_works_once(store: TestStore) {
        let (hour, minute) = (Duration::from_hours(1), Duration::from_mins(1));
        let world = World::create(&store).await;
        let mut tx = store.begin().await.unwrap();
        assert!(tx.start_password_reset(world.owner, &[1; 32], minute).await.unwrap());
        assert!(!tx.start_password_reset(world.owner, &[2; 32], minute).await.unwrap());
        tx.commit().await.unwrap();
        assert!(store.has_password_reset(world.owner, &[1; 32], hour).await.unwrap());
        assert!(!store.has_password_reset(world.owner, &[2; 32], hour).await.unwrap());
        store.clock.advance(minute);
        let mut tx = store.begin().await.unwrap();
        assert!(tx.start_password_reset(world.owner, &[2; 32], minute).await.unwrap());
        assert!(!tx.use_password_reset(world.owner, &[1; 32], hour).await.unwrap());
        assert!(!tx.use_password_reset(world.friend, &[2; 32], hour).await.unwrap());
        assert!(tx.use_password_reset(world.owner, &[2; 32], hour).await.unwrap());
        assert!(!tx.use_password_reset(world.owner, &[2; 32], hour).await.unwrap());
        assert!(tx.start_password_reset(world.owner, &[3; 32], minute).await.unwrap());
        tx.commit().await.unwrap();
        store.clock.advance(hour);
        assert!(!store.has_password_reset(world.owner, &[3; 32], hour).await.unwrap());
        let mut tx = store.begin().await.unwrap();
        assert_eq!(tx.delete_ended_password_resets(hour).await.unwrap(), 1);
        tx.commit().await.unwrap();
    }

    async fn a_pending_sign_in_belongs_to_one_browser(store: TestStore) {
        let lifetime = Duration::from_mins(5);
        let world = World::create(&store).await;
        let pending = |session: &'static [u8; 32], token: &'static [u8; 32]| PendingSignIn {
            session_sha256: session,
            token_sha256: token,
        };
        let (first, second) = (pending(&[1; 32], &[2; 32]), pending(&[1; 32], &[3; 32]));
        let mut tx = store.begin().await.unwrap();
        tx.create_pending_sign_in(first, world.owner).await.unwrap();
        tx.create_pending_sign_in(second, world.friend).await.unwrap();
        tx.commit().await.unwrap();
        let whose = async |pending| store.pending_sign_in(pending, lifetime).await.unwrap();
        assert_eq!(whose(first).await, None, "the second took its place");
        assert_eq!(whose(second).await, Some(world.friend));
        assert_eq!(whose(pending(&[9; 32], &[3; 32])).await, None);
        assert!(store.has_pending_sign_in(&[1; 32], lifetime).await.unwrap());
        let mut tx = store.begin().await.unwrap();
        assert!(!tx.use_pending_sign_in(first).await.unwrap());
        assert!(tx.use_pending_sign_in(second).await.unwrap());
        assert!(!tx.use_pending_sign_in(second).await.unwrap());
        tx.create_pending_sign_in(first, world.owner).await.unwrap();
        tx.commit().await.unwrap();
        store.clock.advance(lifetime);
        assert_eq!(whose(first).await, None);
        let mut tx = store.begin().await.unwrap();
        assert_eq!(tx.delete_ended_pending_sign_ins(lifetime).await.unwrap(), 1);
        assert_eq!(tx.delete_pending_sign_ins_of(world.owner).await.unwrap(), 0);
        tx.commit().await.unwrap();
    }

    async fn what_was_proven_must_still_be_so(store: TestStore) {
        let world = World::create(&store).await;
        let old = store.user(world.owner).await.unwrap().unwrap().password.clone();
        let mut tx = store.begin().await.unwrap();
        assert!(tx.replace_user_password(world.owner, &old, &Secret::new("new")).await.unwrap());
        assert!(!tx.replace_user_password(world.owner, &old, &Secret::new("newer")).await.unwrap());
        assert!(tx.set_totp_secret(world.owner, &Secret::new("one")).await.unwrap());
        assert!(tx.accept_totp_step(world.owner, 5).await.unwrap());
        assert!(tx.set_totp_secret(world.owner, &Secret::new("two")).await.unwrap());
        assert!(!tx.enable_totp(world.owner, &Secret::new("one")).await.unwrap());
        assert!(tx.enable_totp(world.owner, &Secret::new("two")).await.unwrap());
        assert!(!tx.set_totp_secret(world.owner, &Secret::new("three")).await.unwrap());
        tx.commit().await.unwrap();
        let user = store.user(world.owner).await.unwrap().unwrap();
        assert_eq!((user.use_totp, user.totp_last_step), (true, None));
        assert_eq!(user.totp_secret.as_ref().map(Secret::expose), Some("two"));
        let mut tx = store.begin().await.unwrap();
        assert!(tx.disable_totp(world.owner).await.unwrap());
        tx.commit().await.unwrap();
    }

    async fn ssh_keys_belong_to_one_user(store: TestStore) {
        let world = World::create(&store).await;
        let mut tx = store.begin().await.unwrap();
        let made = tx.create_ssh_key(world.owner, "laptop", "print", "PEM").await.unwrap();
        tx.create_ssh_key(world.friend, "laptop", "print", "PEM").await.unwrap();
        assert_eq!(tx.delete_ssh_key(world.admin, "print").await.unwrap(), None);
        tx.commit().await.unwrap();
        let mut tx = store.begin().await.unwrap();
        let twice = tx.create_ssh_key(world.owner, "other", "print", "PEM").await.unwrap_err();
        assert_eq!(twice.unique(), Some("ssh_keys_user_fingerprint"));
        drop(tx);
        let mut tx = store.begin().await.unwrap();
        assert_eq!(tx.delete_ssh_key(world.owner, "print").await.unwrap(), Some(made.id));
        tx.commit().await.unwrap();
        assert!(store.ssh_keys_of(world.owner).await.unwrap().is_empty());
        assert_eq!(store.ssh_keys_of(world.friend).await.unwrap()[0].public_key, "PEM");
    }
}
