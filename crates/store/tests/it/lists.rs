//! Lists of servers.

use hatchery_store::testing::TestStore;
use hatchery_store::{
    Page, ServerFilter, ServerQuery, ServerScope, ServerSort, SortField, Store, both_dbs,
};

use crate::world::World;

async fn names(store: &Store, scope: ServerScope, filter: ServerFilter) -> Vec<String> {
    let page = Page {
        number: 1,
        size: 100,
    };
    let list = store
        .list_servers(&ServerQuery {
            scope,
            filter,
            sort: Vec::new(),
            page,
        })
        .await
        .unwrap();
    assert_eq!(list.total, list.items.len() as u64);
    list.items
        .iter()
        .map(|server| server.name.clone())
        .collect()
}

async fn create(store: &TestStore) -> World {
    let world = World::create(store).await;
    for name in ["Über 100%", "beta_test", "Gamma"] {
        world.add_server(store, world.owner, name).await;
    }
    let id = world.add_server(store, world.friend, "delta").await;
    world.add_server(store, world.admin, "admin's own").await;
    let mut tx = store.begin().await.unwrap();
    tx.create_subuser(id, world.owner, &[]).await.unwrap();
    tx.commit().await.unwrap();
    world
}

both_dbs! {
    async fn scopes(store: TestStore) {
        let world = create(&store).await;
        let admin = store.user(world.admin).await.unwrap().unwrap().as_admin().unwrap();
        let all = ["Über 100%", "beta_test", "Gamma", "delta", "admin's own"];
        for (scope, expected) in [
            (ServerScope::Accessible(world.owner), &all[..4]),
            (ServerScope::Owned(world.owner), &all[..3]),
            (ServerScope::Accessible(world.friend), &all[3..4]),
            (ServerScope::All(admin), &all[..]),
            (ServerScope::Others(admin), &all[..4]),
        ] {
            assert_eq!(names(&store, scope, ServerFilter::default()).await, expected, "{scope:?}");
            // The same from the database as from memory.
            let nothing = ServerFilter { description: vec!["desc".to_owned()], ..ServerFilter::default() };
            assert_eq!(names(&store, scope, nothing).await, expected, "{scope:?}");
        }
    }

    async fn filters(store: TestStore) {
        let world = create(&store).await;
        let admin = store.user(world.admin).await.unwrap().unwrap().as_admin().unwrap();
        let scope = ServerScope::All(admin);
        let name = |parts: &[&str]| ServerFilter {
            name: parts.iter().map(|part| (*part).to_owned()).collect(),
            ..ServerFilter::default()
        };
        let any = |text: &str| ServerFilter { any: Some(text.to_owned()), ..ServerFilter::default() };
        let page = Page { number: 1, size: 1 };
        let query = ServerQuery { scope, filter: name(&["GAMMA"]), sort: Vec::new(), page };
        let gamma = store.list_servers(&query).await.unwrap().items[0].clone();
        let uuid = gamma.uuid.to_string();
        let middle = ServerFilter { uuid: vec![uuid[6..12].to_uppercase()], ..ServerFilter::default() };
        for (filter, expected) in [
            (name(&["%"]), &["Über 100%"][..]),
            (name(&["_"]), &["beta_test"]),
            (name(&["\\"]), &[]),
            (name(&["über", "DEL"]), &["Über 100%", "delta"]),
            (middle, &["Gamma"]),
            (any("10.0.0.1:25567"), &["Gamma"]),
            (any("10.0.0.1:2556"), &["Über 100%", "beta_test", "Gamma", "delta", "admin's own"]),
            (any(":25568"), &["delta"]),
            (any("10.0.0.2"), &[]),
            (any(&uuid[..10]), &["Gamma"]),
            (any(&gamma.short.as_str().to_uppercase()), &["Gamma"]),
            (any("e_a%s"), &["beta_test"]),
            (any("%' OR 1=1 --"), &[]),
        ] {
            assert_eq!(names(&store, scope, filter.clone()).await, expected, "{filter:?}");
        }
    }

    async fn orders_and_pages(store: TestStore) {
        let world = create(&store).await;
        let scope = ServerScope::Accessible(world.owner);
        let list = async |field, descending, number, size| {
            let query = ServerQuery {
                scope,
                filter: ServerFilter::default(),
                sort: vec![ServerSort { field, descending }],
                page: Page { number, size },
            };
            let list = store.list_servers(&query).await.unwrap();
            assert_eq!(list.total, 4);
            list.items.iter().map(|server| server.name.clone()).collect::<Vec<_>>()
        };
        assert_eq!(list(SortField::Name, false, 1, 3).await, ["beta_test", "delta", "Gamma"]);
        assert_eq!(list(SortField::Name, true, 1, 2).await, ["Über 100%", "Gamma"]);
        assert_eq!(list(SortField::Id, true, 2, 3).await, ["Über 100%"]);
        assert_eq!(list(SortField::Status, false, 1, 1).await, ["Über 100%"]);
        assert_eq!(list(SortField::CreatedAt, false, 9, 50).await, [""; 0]);
        let page = Page { number: u64::MAX, size: u64::MAX };
        let query = ServerQuery { scope, filter: ServerFilter::default(), sort: Vec::new(), page };
        let list = store.list_servers(&query).await.unwrap();
        assert_eq!((list.total, list.items.len()), (4, 0));
    }
}
