//! Allocations that people add, choose and remove.

use hatchery_store::testing::TestStore;
use hatchery_store::{FeatureLimits, NewTransfer, Store, StoreError, both_dbs};
use hatchery_vocab::{NodeId, Port, ServerId};

use crate::world::World;

both_dbs! {
    async fn one_of_a_server_s_allocations_is_primary(store: TestStore) {
        let world = World::create(&store).await;
        let id = world.add_server(&store, world.owner, "Main").await;
        assert!(add(&store, id, world.node, 9).await.unwrap());
        let before = store.server(id).await.unwrap().unwrap();
        let (first, second) = (before.allocations[0].id, before.allocations[1].id);
        assert!(before.allocations[0].is_primary);

        let mut tx = store.begin().await.unwrap();
        assert!(tx.set_primary_allocation(id, second).await.unwrap());
        assert!(tx.set_allocation_notes(id, second, Some("query")).await.unwrap());
        assert!(!tx.release_allocation(id, second).await.unwrap(), "the primary one stays");
        tx.commit().await.unwrap();
        let after = store.server(id).await.unwrap().unwrap();
        assert_eq!(after.primary_allocation().unwrap().id, second);
        assert_eq!(after.primary_allocation().unwrap().notes.as_deref(), Some("query"));

        let other = world.add_server(&store, world.owner, "Other").await;
        let mut tx = store.begin().await.unwrap();
        assert!(!tx.set_primary_allocation(other, second).await.unwrap());
        assert!(!tx.set_allocation_notes(other, second, None).await.unwrap());
        assert!(!tx.release_allocation(other, first).await.unwrap());
        drop(tx);
        let mut tx = store.begin().await.unwrap();
        assert!(tx.release_allocation(id, first).await.unwrap());
        tx.commit().await.unwrap();
        assert_eq!(store.server(id).await.unwrap().unwrap().allocations.len(), 1);
        assert!(store.free_allocations(world.node, 99).await.unwrap().iter().any(|free| free.id == first));
    }

    async fn many_at_once_stay_within_the_limit(store: TestStore) {
        const AT_ONCE: usize = 32;
        let world = World::create(&store).await;
        let servers = [
            world.add_server(&store, world.owner, "One").await,
            world.add_server(&store, world.owner, "Two").await,
        ];
        let tasks: Vec<_> = (0..AT_ONCE)
            .map(|index| {
                let (store, server, node) = ((*store).clone(), servers[index % 2], world.node);
                tokio::spawn(async move { add(&store, server, node, 3).await })
            })
            .collect();
        let mut added = 0;
        for task in tasks {
            match task.await.unwrap() {
                Ok(true) => added += 1,
                Ok(false) => {}
                Err(error) => assert!(matches!(error, StoreError::LimitReached { limit: 3 }), "{error}"),
            }
        }
        assert_eq!(added, 4);
        for server in servers {
            assert_eq!(store.server(server).await.unwrap().unwrap().allocations.len(), 3);
        }
    }

    async fn a_server_moves_once_at_a_time_and_its_limits_change(store: TestStore) {
        let world = World::create(&store).await;
        let id = world.add_server(&store, world.owner, "Main").await;
        let allocation = store.server(id).await.unwrap().unwrap().allocations[0].id;
        let transfer = NewTransfer {
            server_id: id,
            old_node: world.node,
            new_node: world.node,
            old_allocation: allocation,
            new_allocation: allocation,
            old_additional: vec![],
            new_additional: vec![allocation],
        };
        let limits = FeatureLimits { databases: None, allocations: Some(7), backups: 1 };
        let mut tx = store.begin().await.unwrap();
        let created = tx.create_transfer(&transfer).await.unwrap();
        assert!(tx.set_feature_limits(id, limits).await.unwrap());
        tx.commit().await.unwrap();
        let server = store.server(id).await.unwrap().unwrap();
        assert_eq!(server.transfer.map(|transfer| transfer.id), Some(created));
        assert_eq!(server.feature_limits, limits);
        let mut tx = store.begin().await.unwrap();
        assert_eq!(tx.create_transfer(&transfer).await.unwrap_err().unique(), Some("transfers_open"));
    }
}

/// Gives a server one more allocation of the address of its first one, if there is any.
async fn add(
    store: &Store,
    server: ServerId,
    node: NodeId,
    limit: u64,
) -> Result<bool, StoreError> {
    let ip = store.server(server).await?.unwrap().allocations[0]
        .ip
        .clone();
    let mut tx = store.begin().await?;
    tx.reserve_allocation(server, node, limit).await?;
    let (first, last) = (Port::new(30_000).unwrap(), Port::new(30_009).unwrap());
    tx.create_allocations(node, &ip, None, first, last).await?;
    let ports = tx.ports_of_address(node, &ip).await?;
    let Some(free) = ports.iter().find_map(|(_, free)| *free) else {
        return Ok(false);
    };
    tx.assign_allocations(server, &[free], false).await?;
    tx.commit().await?;
    Ok(true)
}
