//! Eggs, in and out.

use hatchery_store::both_dbs;
use hatchery_store::testing::TestStore;
use hatchery_vocab::EggUuid;

use crate::world::{World, new_egg, uuid_of};

both_dbs! {
    async fn an_egg_comes_back_as_it_went_in(store: TestStore) {
        let world = World::create(&store).await;
        let egg = store.egg_by_uuid(EggUuid::new(uuid_of("Paper"))).await.unwrap().unwrap();
        assert_eq!((egg.egg.id, egg.egg.source_format.as_str()), (world.egg, "PTDL_v2"));
        let labels: Vec<_> = egg.egg.docker_images.iter().map(|(label, _)| label.as_str()).collect();
        assert_eq!(labels, ["Z", "A"]);
        let files: Vec<_> = egg.config_files().unwrap().as_object().unwrap().keys().collect();
        assert_eq!(files, ["b.yml", "a.ini"]);
        assert_eq!(egg.file_denylist(), ["*.key"]);
        assert_eq!(egg.variables[0].default_value, "server.jar");
        assert_eq!(store.eggs_by_name("PAPER").await.unwrap().len(), 1);
        assert_eq!(store.eggs().await.unwrap().len(), 1);
        assert_eq!(store.nests().await.unwrap()[0].name, "Games");
    }

    async fn gaps_are_filled_from_other_eggs(store: TestStore) {
        let world = World::create(&store).await;
        let mut child = new_egg(store.egg(world.egg).await.unwrap().unwrap().egg.nest_id, "Child");
        child.features = None;
        child.config_files = None;
        child.config_stop = Some("stop".to_owned());
        child.script_install = None;
        child.script_container = String::from("other");
        child.config_from = Some(world.egg);
        child.copy_script_from = Some(world.egg);
        let mut tx = store.begin().await.unwrap();
        let id = tx.upsert_egg(&child).await.unwrap();
        tx.commit().await.unwrap();
        let child = store.egg(id).await.unwrap().unwrap();
        assert_eq!(child.features(), Some(&["eula".to_owned()][..]));
        assert!(child.config_files().is_some());
        assert_eq!((child.config_stop(), child.config_startup()), (Some("stop"), None));
        assert_eq!((child.install_script().container, child.install_script().script), ("alpine", "true"));
    }
}
