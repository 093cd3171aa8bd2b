//! Servers, access to them, and how copies of them go stale.

use std::sync::Arc;

use hatchery_db::DbError;
use hatchery_store::testing::TestStore;
use hatchery_store::{NewServer, Page, StoreError, both_dbs};
use hatchery_vocab::{NodeId, Permission, PermissionSet, ServerStatus, Swap};

use crate::world::{World, new_egg, variable};

both_dbs! {
    async fn a_snapshot_holds_everything_and_changes_only_when_something_does(store: TestStore) {
        let world = World::create(&store).await;
        let id = world.add_server(&store, world.owner, "Main").await;
        let first = store.server(id).await.unwrap().unwrap();
        assert_eq!((first.name.as_str(), first.owner_id, first.status), ("Main", world.owner, None));
        assert_eq!((first.limits.swap, first.limits.threads.as_deref()), (Swap::Unlimited, Some("0,2-3")));
        assert_eq!((first.feature_limits.databases, first.feature_limits.allocations), (None, Some(3)));
        assert_eq!((first.node.name.as_str(), first.node.embedded), ("node1", true));
        assert_eq!(first.egg.features(), Some(&["eula".to_owned()][..]));
        assert_eq!(first.primary_allocation().unwrap().port.get(), 25565);
        let variables: Vec<_> = first.variables().map(|(v, value)| (v.env_variable.as_str(), value)).collect();
        assert_eq!(variables, [("JAR", None), ("WORLD", None)]);
        assert!(!format!("{first:?}").contains("secret of the node"));
        for same in [
            store.server(id).await.unwrap().unwrap(),
            store.server_by_uuid(first.uuid).await.unwrap().unwrap(),
            store.server_by_short(first.short).await.unwrap().unwrap(),
        ] {
            assert!(Arc::ptr_eq(&first, &same));
        }

        let jar = first.egg.variables[0].id;
        let mut tx = store.begin().await.unwrap();
        assert!(tx.rename_server(id, "Renamed", "").await.unwrap());
        assert!(tx.set_server_variable(id, jar, "").await.unwrap());
        assert!(tx.set_server_image(id, "a:1").await.unwrap());
        tx.commit().await.unwrap();
        let second = store.server_by_short(first.short).await.unwrap().unwrap();
        assert!(second.revision > first.revision);
        assert_eq!((second.name.as_str(), second.image.as_str()), ("Renamed", "a:1"));
        assert_eq!(second.values, [Some(String::new()), None]);

        // The node and the egg are part of it.
        let mut tx = store.begin().await.unwrap();
        tx.set_node_maintenance(world.node, true).await.unwrap();
        tx.commit().await.unwrap();
        let third = store.server(id).await.unwrap().unwrap();
        assert!(third.node.maintenance_mode && third.revision > second.revision);
        let mut egg = new_egg(first.egg.egg.nest_id, "Paper");
        egg.variables = vec![variable("NEW", "1"), variable("JAR", "x")];
        let mut tx = store.begin().await.unwrap();
        tx.upsert_egg(&egg).await.unwrap();
        tx.commit().await.unwrap();
        let fourth = store.server(id).await.unwrap().unwrap();
        let variables: Vec<_> = fourth.variables().map(|(v, value)| (v.env_variable.as_str(), value)).collect();
        assert_eq!(variables, [("NEW", None), ("JAR", Some(""))]);
    }

    async fn what_is_rolled_back_is_not_seen(store: TestStore) {
        let world = World::create(&store).await;
        let id = world.add_server(&store, world.owner, "Main").await;
        let before = store.server(id).await.unwrap().unwrap();
        let mut tx = store.begin().await.unwrap();
        tx.rename_server(id, "Never", "").await.unwrap();
        drop(tx);
        assert!(Arc::ptr_eq(&before, &store.server(id).await.unwrap().unwrap()));
    }

    async fn statuses_move_only_from_where_they_are(store: TestStore) {
        let world = World::create(&store).await;
        let id = world.add_server(&store, world.owner, "Main").await;
        let mut tx = store.begin().await.unwrap();
        let installing = Some(ServerStatus::Installing);
        assert!(tx.move_server_status(id, None, installing).await.unwrap());
        assert!(!tx.move_server_status(id, None, Some(ServerStatus::Suspended)).await.unwrap());
        assert!(tx.move_server_status(id, installing, Some(ServerStatus::InstallFailed)).await.unwrap());
        tx.commit().await.unwrap();
        assert_eq!(store.server(id).await.unwrap().unwrap().status, Some(ServerStatus::InstallFailed));
        let mut tx = store.begin().await.unwrap();
        tx.set_server_installed(id, None).await.unwrap();
        tx.commit().await.unwrap();
        let server = store.server(id).await.unwrap().unwrap();
        assert!(server.status.is_none() && server.installed_at.is_some());
        let mut tx = store.begin().await.unwrap();
        tx.set_server_status(id, Some(ServerStatus::Suspended)).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(store.server(id).await.unwrap().unwrap().status, Some(ServerStatus::Suspended));
    }

    async fn allocations_go_to_one_server_only(store: TestStore) {
        let world = World::create(&store).await;
        let free = store.free_allocations(world.node, 3).await.unwrap();
        let ids = vec![free[0].id, free[1].id];
        let mut tx = store.begin().await.unwrap();
        let one = tx.create_server(&world.server(world.owner, "One", ids.clone())).await.unwrap();
        tx.commit().await.unwrap();
        let mut tx = store.begin().await.unwrap();
        let taken = tx.create_server(&world.server(world.owner, "Two", ids)).await;
        assert!(matches!(taken, Err(StoreError::AllocationTaken)));
        drop(tx);
        let snapshot = store.server(one).await.unwrap().unwrap();
        let primary: Vec<_> = snapshot.allocations.iter().map(|a| (a.port.get(), a.is_primary)).collect();
        assert_eq!(primary, [(25565, true), (25566, false)]);
        let mut tx = store.begin().await.unwrap();
        assert!(tx.delete_server(one).await.unwrap());
        assert!(!tx.delete_server(one).await.unwrap());
        tx.commit().await.unwrap();
        assert!(store.server(one).await.unwrap().is_none());
        assert!(store.server_by_uuid(snapshot.uuid).await.unwrap().is_none());
        assert_eq!(store.free_allocations(world.node, 1).await.unwrap()[0].id, free[0].id);
        assert_eq!(store.servers_of_node(world.node, Page { number: 1, size: 5 }).await.unwrap().total, 0);
    }

    async fn parallel_requests_for_one_allocation_give_it_to_one_server(store: TestStore) {
        let world = World::create(&store).await;
        let free = store.free_allocations(world.node, 1).await.unwrap()[0].id;
        let tasks: Vec<_> = (0..8)
            .map(|number| {
                let server = world.server(world.owner, &format!("{number} of many"), vec![free]);
                let store = (*store).clone();
                tokio::spawn(async move {
                    let mut tx = store.begin().await?;
                    tx.create_server(&server).await?;
                    tx.commit().await
                })
            })
            .collect();
        let mut made = 0;
        for task in tasks {
            match task.await.unwrap() {
                Ok(_) => made += 1,
                Err(error) => assert!(matches!(error, StoreError::AllocationTaken), "{error}"),
            }
        }
        assert_eq!((made, store.count_servers().await.unwrap()), (1, 1));
    }

    async fn only_what_was_deleted_on_purpose_counts_as_deleted(store: TestStore) {
        let world = World::create(&store).await;
        let id = world.add_server(&store, world.owner, "Main").await;
        let uuid = store.server(id).await.unwrap().unwrap().uuid;
        assert_eq!(store.deleted_servers(world.node).await.unwrap(), []);
        let mut tx = store.begin().await.unwrap();
        tx.delete_server(id).await.unwrap();
        drop(tx);
        assert_eq!(store.deleted_servers(world.node).await.unwrap(), [], "rolled back");
        let mut tx = store.begin().await.unwrap();
        tx.delete_server(id).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(store.deleted_servers(world.node).await.unwrap(), [uuid]);
        assert_eq!(store.deleted_servers(NodeId::new(999)).await.unwrap(), [], "another node");
        // One that comes back is deleted no longer.
        let mut tx = store.begin().await.unwrap();
        let again = NewServer { uuid, ..world.server(world.owner, "Main", Vec::new()) };
        let id = tx.create_server(&again).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(store.deleted_servers(world.node).await.unwrap(), []);
        let mut tx = store.begin().await.unwrap();
        tx.delete_server(id).await.unwrap();
        tx.forget_deleted_server(uuid).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(store.deleted_servers(world.node).await.unwrap(), []);
    }

    async fn settings_are_found_by_their_beginning(store: TestStore) {
        let mut tx = store.begin().await.unwrap();
        for key in ["note:b", "note:a", "note", "NOTE:c", "not_:d", "note:%"] {
            tx.set_setting(key, key).await.unwrap();
        }
        tx.commit().await.unwrap();
        let mut found: Vec<_> = store.settings_beginning("note:").await.unwrap().into_iter().map(|(key, _)| key).collect();
        found.sort();
        assert_eq!(found, ["note:%", "note:a", "note:b"]);
        assert_eq!(store.settings_beginning("not_").await.unwrap().len(), 1);
    }

    async fn access_is_for_owners_subusers_and_administrators(store: TestStore) {
        let world = World::create(&store).await;
        let id = world.add_server(&store, world.owner, "Main").await;
        let owner = store.access(world.owner, id).await.unwrap().unwrap();
        assert!(owner.is_owner && !owner.is_admin && owner.permissions() == PermissionSet::ALL);
        let admin = store.access(world.admin, id).await.unwrap().unwrap();
        assert!(admin.is_admin && admin.allows(Permission::FileRead));
        assert!(store.access(world.friend, id).await.unwrap().is_none());
        assert!(store.servers_of(world.friend).await.unwrap().all.is_empty());

        let given = ["file.read", "websocket.connect", "control.start"].map(str::to_owned);
        let mut tx = store.begin().await.unwrap();
        tx.create_subuser(id, world.friend, &given).await.unwrap();
        tx.commit().await.unwrap();
        let friend = store.access(world.friend, id).await.unwrap().unwrap();
        assert!(friend.allows(Permission::FileRead) && !friend.allows(Permission::FileDelete));
        assert_eq!(friend.stored_permissions(), given);
        assert_eq!(store.servers_of(world.friend).await.unwrap().all, [id]);
        assert_eq!(store.subusers_of(id).await.unwrap()[0].1.username, "friend");
        let mut tx = store.begin().await.unwrap();
        let twice = tx.create_subuser(id, world.friend, &given).await.unwrap_err();
        assert_eq!(twice.unique(), Some("subusers_server_user"));
        drop(tx);

        let mut tx = store.begin().await.unwrap();
        assert!(tx.set_subuser_permissions(id, world.friend, &given[1..]).await.unwrap());
        tx.commit().await.unwrap();
        assert!(!store.access(world.friend, id).await.unwrap().unwrap().allows(Permission::FileRead));
        let mut tx = store.begin().await.unwrap();
        assert!(tx.delete_subuser(id, world.friend).await.unwrap());
        tx.commit().await.unwrap();
        assert!(store.access(world.friend, id).await.unwrap().is_none());
        assert!(store.servers_of(world.friend).await.unwrap().all.is_empty());
    }

    async fn who_owns_servers_cannot_be_deleted(store: TestStore) {
        let world = World::create(&store).await;
        let id = world.add_server(&store, world.owner, "Main").await;
        let mut tx = store.begin().await.unwrap();
        let refused = tx.delete_user(world.owner).await;
        assert!(matches!(refused, Err(StoreError::Db(DbError::ForeignKey))));
        drop(tx);
        let mut tx = store.begin().await.unwrap();
        tx.delete_server(id).await.unwrap();
        assert!(tx.delete_user(world.owner).await.unwrap());
        tx.commit().await.unwrap();
        assert!(store.user(world.owner).await.unwrap().is_none());
    }

    async fn readers_never_keep_what_a_commit_made_stale(store: TestStore) {
        let world = World::create(&store).await;
        let id = world.add_server(&store, world.owner, "0").await;
        for round in 1..30 {
            let readers: Vec<_> = (0..4)
                .map(|_| {
                    let store = (*store).clone();
                    tokio::spawn(async move { store.server(id).await.unwrap().unwrap() })
                })
                .collect();
            let mut tx = store.begin().await.unwrap();
            tx.rename_server(id, &round.to_string(), "").await.unwrap();
            tx.commit().await.unwrap();
            assert_eq!(store.server(id).await.unwrap().unwrap().name, round.to_string());
            for reader in readers {
                reader.await.unwrap();
            }
            assert_eq!(store.server(id).await.unwrap().unwrap().name, round.to_string());
        }
    }
}

#[tokio::test]
async fn what_another_process_wrote_is_noticed() {
    let store = TestStore::sqlite().await.unwrap();
    let world = World::create(&store).await;
    let id = world.add_server(&store, world.owner, "Main").await;
    let other = store.second().await.unwrap();
    store.look_for_others().unwrap();
    let before = store.server(id).await.unwrap().unwrap();
    let mut tx = other.begin().await.unwrap();
    tx.rename_server(id, "By the command line", "")
        .await
        .unwrap();
    tx.commit().await.unwrap();
    assert!(Arc::ptr_eq(
        &before,
        &store.server(id).await.unwrap().unwrap()
    ));
    store.look_for_others().unwrap();
    assert_eq!(
        store.server(id).await.unwrap().unwrap().name,
        "By the command line"
    );
}
