//! The small panel of `testing`: what is carried over, what is named, and what a second import does.

use hatchery_auth::{PasswordCost, Passwords, PresentedKey, SecretDigest, TotpSecret, TotpStep};
use hatchery_import::testing::{APP_KEY, PASSWORD, SourcePanel};
use hatchery_import::{AppKey, ImportError, Mode, Options, pterodactyl};
use hatchery_store::testing::TestStore;
use hatchery_store::{
    ActivityOrder, ActivityQuery, ApiKeyKind, NewUser, Page, Secret, Subject, both_dbs,
};
use hatchery_vocab::{EggId, NodeId, ServerId, Timestamp, UserId, UserUuid};

use crate::{figures, import, named};

fn passwords() -> Passwords {
    let entropy = std::sync::Arc::new(hatchery_ambient::SeededEntropy::new(3));
    Passwords::new(PasswordCost::CHEAPEST, std::num::NonZeroUsize::MIN, entropy)
}

both_dbs! {
    async fn everything_is_carried_over_or_named(store: TestStore) {
        let Some(panel) = SourcePanel::small().await.unwrap() else { return };
        let report = import(&store, &panel, APP_KEY, Mode::Keep).await.unwrap();
        assert_eq!(figures(&report), [
            ("users", [3, 0, 0, 2]),
            ("api_keys", [6, 0, 0, 3]),
            ("user_ssh_keys", [1, 0, 0, 1]),
            ("recovery_tokens", [1, 0, 0, 0]),
            ("locations", [1, 0, 0, 1]),
            ("nodes", [1, 0, 0, 0]),
            ("nests", [1, 0, 0, 0]),
            ("eggs", [2, 0, 0, 3]),
            ("egg_variables", [2, 0, 0, 0]),
            ("servers", [2, 0, 0, 1]),
            ("allocations", [4, 0, 0, 2]),
            ("server_variables", [2, 0, 0, 2]),
            ("subusers", [1, 0, 0, 1]),
            ("server_transfers", [1, 0, 0, 0]),
            ("schedules", [1, 0, 0, 0]),
            ("tasks", [2, 0, 0, 1]),
            ("database_hosts", [1, 0, 0, 0]),
            ("databases", [1, 0, 0, 0]),
            ("backups", [2, 0, 0, 0]),
            ("mounts", [1, 0, 0, 0]),
            ("egg_mount", [1, 0, 0, 1]),
            ("mount_node", [1, 0, 0, 0]),
            ("mount_server", [1, 0, 0, 0]),
            ("activity_logs", [3, 0, 0, 1]),
            ("settings", [0, 0, 0, 0]),
        ]);
        assert_eq!(named(&report), [
            "users 90: uuid is not a UUID",
            "users 91: it has the same username as 3",
            "api_keys 90: keys of the kind 0 open nothing any more",
            "api_keys 91: token is not a sealed value",
            "api_keys 92: it belongs to users 77, which was not imported",
            "user_ssh_keys 90: it was deleted",
            "locations 90: it has the same short as 1",
            "eggs 92: docker_images is not the JSON that it should be",
            "eggs 90: it belongs to eggs 91, which was not imported",
            "eggs 91: it belongs to eggs 90, which was not imported",
            "servers 90: the status \"levitating\" is unknown",
            "allocations 90: it belongs to servers 90, which was not imported",
            "allocations 91: port is not a port",
            "server_variables 90: server 1 has another value for the variable 1",
            "server_variables 91: it belongs to no server",
            "subusers 90: it has the same server_id, user_id as 4",
            "tasks 90: it belongs to schedules 90, which was not imported",
            "egg_mount 77/1: it belongs to eggs 77, which was not imported",
            "activity_logs 90: properties is not the JSON that it should be",
        ]);
        assert_eq!(report.settings, [
            "name = \"Snake House\"",
            "mail.host = \"smtp.example.com\"",
            "two_factor = \"admins\"",
        ]);
        assert_eq!(report.notes, [
            "the setting mail:mailers:smtp:password was not carried over",
            "the setting recaptcha:enabled was not carried over",
        ]);
        people(&store).await;
        servers(&store).await;
        log(&store).await;
        assert_eq!(
            store.setting(hatchery_import::HASHIDS_SALT).await.unwrap().as_deref(),
            Some("salt of the panel")
        );
    }

    async fn a_trial_writes_nothing_and_tells_the_same(store: TestStore) {
        let Some(panel) = SourcePanel::small().await.unwrap() else { return };
        let trial = import(&store, &panel, APP_KEY, Mode::Trial).await.unwrap();
        assert!(store.user_by_login("ada").await.unwrap().is_none());
        assert!(store.eggs().await.unwrap().is_empty());
        assert_eq!(store.setting(hatchery_import::HASHIDS_SALT).await.unwrap(), None);
        let kept = import(&store, &panel, APP_KEY, Mode::Keep).await.unwrap();
        assert!(trial.dry_run && !kept.dry_run);
        assert_eq!((figures(&trial), named(&trial)), (figures(&kept), named(&kept)));
    }

    async fn a_second_import_adds_what_is_new_and_changes_nothing(store: TestStore) {
        let Some(panel) = SourcePanel::small().await.unwrap() else { return };
        let first = import(&store, &panel, APP_KEY, Mode::Keep).await.unwrap();
        let again = import(&store, &panel, APP_KEY, Mode::Keep).await.unwrap();
        for ((table, first), (_, again)) in figures(&first).into_iter().zip(figures(&again)) {
            assert_eq!(again, [0, first[0], 0, first[3]], "{table}");
        }
        panel
            .run(
                "UPDATE users SET email = 'ada@moor.example', password = 'x' WHERE id = 1;
                 INSERT INTO users (id, uuid, username, email, password)
                     VALUES (4, '0a000004-0000-4000-8000-000000000004', 'emma', 'emma@example.com', 'x')",
            )
            .await
            .unwrap();
        let third = import(&store, &panel, APP_KEY, Mode::Keep).await.unwrap();
        assert_eq!(figures(&third)[0], ("users", [1, 2, 1, 2]));
        assert_eq!(named(&third)[0], "users 1: kept as it is here; other there: email");
        let ada = store.user(UserId::new(1)).await.unwrap().unwrap();
        assert_eq!(ada.email, "ada@example.com");
        assert!(store.user_by_login("emma").await.unwrap().is_some());
    }

    async fn the_node_whose_files_are_here_becomes_the_embedded_one(store: TestStore) {
        let Some(panel) = SourcePanel::small().await.unwrap() else { return };
        let folder = tempfile::tempdir().unwrap();
        let options = |volumes| Options {
            database: panel.url.clone(),
            app_key: AppKey::parse(APP_KEY).unwrap(),
            hashids_salt: None,
            hashids_length: None,
            volumes: Some(volumes),
            mode: Mode::Keep,
        };
        let path = folder.path().to_owned();
        let refused = pterodactyl(&store, options(path.clone())).await.unwrap_err();
        assert!(matches!(refused, ImportError::NoVolumes(_)), "{refused}");
        make_folder(&path.join("a1b2c3d4-0000-4000-8000-000000000001"));
        let report = pterodactyl(&store, options(path.clone())).await.unwrap();
        assert_eq!(report.settings[3], format!("node.volumes = {:?}", path.display().to_string()));
        let node = store.embedded_node().await.unwrap().unwrap();
        assert_eq!((node.id.get(), node.daemon_base.clone()), (1, path.display().to_string()));
        // Without the salt the ids of databases change, and it is said.
        assert!(report.notes[0].starts_with("databases get other public ids"), "{:?}", report.notes);
    }

    async fn numbers_go_on_where_the_panel_stopped(store: TestStore) {
        let Some(panel) = SourcePanel::small().await.unwrap() else { return };
        import(&store, &panel, APP_KEY, Mode::Keep).await.unwrap();
        let mut tx = store.begin().await.unwrap();
        // The highest number that the panel gave to a user was of one that could not be read.
        let user = NewUser {
            uuid: UserUuid::new(uuid()),
            external_id: None,
            username: "new".to_owned(),
            email: "new@example.com".to_owned(),
            name_first: None,
            name_last: None,
            password: Secret::new("x"),
            language: "en".to_owned(),
            root_admin: false,
        };
        let user = tx.create_user(&user).await.unwrap();
        let location = tx.create_location("local", None).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!((user.get(), location.get()), (92, 91));
    }
}

fn make_folder(path: &std::path::Path) {
    std::fs::create_dir(path).unwrap();
}

fn uuid() -> uuid::Uuid {
    uuid::Uuid::from_u128(7)
}

async fn people(store: &TestStore) {
    for (key, user, kind) in [
        (
            "ptlc_adaaaaaaaaaAdaAdaAdaAdaAdaAdaAdaAdaAdaAda01",
            1,
            ApiKeyKind::Client,
        ),
        (
            "oliveWithoutPrefOliveOliveOliveOliveOliveOlive02",
            2,
            ApiKeyKind::Client,
        ),
        (
            "pacc_liamliamliaLiamLiamLiamLiamLiamLiamLiamLi03",
            3,
            ApiKeyKind::Client,
        ),
        (
            "ptla_billingbillBillBillBillBillBillBillBillBi06",
            1,
            ApiKeyKind::Application,
        ),
    ] {
        let presented = PresentedKey::from_bearer(key).unwrap();
        let actor = store
            .key_actor(presented.identifier.as_str())
            .await
            .unwrap()
            .unwrap();
        assert!(
            presented.proves(&SecretDigest::from_stored(&actor.key.secret_sha256).unwrap()),
            "{key}"
        );
        assert_eq!((actor.user.id.get(), actor.key.kind), (user, kind), "{key}");
    }
    let home = store.key_actor("ptlc_oliveAtHome").await.unwrap().unwrap();
    assert_eq!(home.key.allowed_ips, ["10.9.8.0/24"]);
    let past = store.key_actor("ptlc_oliveIsPast").await.unwrap().unwrap();
    assert_eq!(past.key.expires_at, Some(time("2024-06-01T00:00:00+00:00")));
    let billing = store.key_actor("ptla_billingbill").await.unwrap().unwrap();
    assert_eq!(
        (billing.key.rights["servers"], billing.key.rights["nodes"]),
        (3, 1)
    );

    let passwords = passwords();
    for name in ["ada", "olive", "liam"] {
        let user = store.user_by_login(name).await.unwrap().unwrap();
        let hash = Some(user.password.expose());
        assert!(
            passwords.verify(PASSWORD, hash).await.unwrap().is_right(),
            "{name}"
        );
        assert!(
            !passwords.verify("wrong", hash).await.unwrap().is_right(),
            "{name}"
        );
    }
    let olive = store.user_by_login("olive").await.unwrap().unwrap();
    assert_eq!(olive.external_id.as_deref(), Some("crm-2"));
    assert_eq!(olive.created_at, time("2024-05-01T10:00:00+00:00"));
    assert!(olive.use_totp);
    let secret: TotpSecret = olive
        .totp_secret
        .as_ref()
        .unwrap()
        .expose()
        .parse()
        .unwrap();
    let now = time("2026-01-01T00:00:00+00:00");
    let same: TotpSecret = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP".parse().unwrap();
    assert!(
        secret
            .accept(&same.code(TotpStep::at(now)), now, 1, None)
            .is_some()
    );
    let tokens = store.recovery_tokens_of(olive.id).await.unwrap();
    assert_eq!(tokens.iter().map(|token| token.id).collect::<Vec<_>>(), [7]);
    let hash = Some(tokens[0].hash.expose());
    assert!(
        passwords
            .verify("wayback-1", hash)
            .await
            .unwrap()
            .is_right()
    );
    let ssh = store.ssh_keys_of(olive.id).await.unwrap();
    assert_eq!(
        ssh[0].fingerprint,
        "vPZHg0V4ApxMVkcrcKnc4njhxbD72dvx/E5MSkdJlaU"
    );
}

async fn servers(store: &TestStore) {
    let node = store.node(NodeId::new(1)).await.unwrap().unwrap();
    assert_eq!(
        node.daemon_token.expose(),
        "NorthTokenNorthTokenNorthTokenNorthTokenNorthTokenNorthTokenNo64"
    );
    assert!(!node.embedded);
    let server = store.server(ServerId::new(1)).await.unwrap().unwrap();
    assert_eq!(
        server.uuid.to_string(),
        "a1b2c3d4-0000-4000-8000-000000000001"
    );
    assert_eq!((server.owner_id.get(), server.name.as_str()), (2, "Snakes"));
    let allocations: Vec<_> = server
        .allocations
        .iter()
        .map(|allocation| (allocation.id.get(), allocation.is_primary))
        .collect();
    assert_eq!(allocations, [(11, true), (12, false)]);
    let parked = store.server(ServerId::new(2)).await.unwrap().unwrap();
    assert_eq!(
        parked.status.map(hatchery_vocab::ServerStatus::as_str),
        Some("suspended")
    );
    let liam = store
        .subuser(UserId::new(3), ServerId::new(1))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(liam.id.get(), 4);
    let egg = store.egg(EggId::new(1)).await.unwrap().unwrap();
    assert_eq!(egg.config_stop(), Some("stop"));
    assert_eq!(egg.features(), Some(&["eula".to_owned()][..]));
    let images: Vec<_> = egg
        .egg
        .docker_images
        .iter()
        .map(|(label, _)| label.as_str())
        .collect();
    assert_eq!(images, ["Java 21", "Java 17"]);
    let mounts = store.mounts_of(ServerId::new(1)).await.unwrap();
    assert_eq!(mounts[0].source, "/srv/maps");
}

async fn log(store: &TestStore) {
    let query = ActivityQuery {
        event: Vec::new(),
        hide_admins: false,
        order: ActivityOrder::Recorded,
        page: Page {
            number: 1,
            size: 10,
        },
    };
    let subject = Subject::Server(ServerId::new(1));
    let page = store.activity(subject, &query).await.unwrap();
    let events: Vec<_> = page
        .items
        .iter()
        .map(|entry| {
            (
                entry.id,
                entry.event.as_str(),
                entry.actor.as_ref().map(|user| user.id.get()),
            )
        })
        .collect();
    assert_eq!(
        events,
        [
            (1, "server:power.start", Some(2)),
            (2, "server:console.command", None),
            (3, "server:power.start", None),
        ]
    );
    assert_eq!(page.total, 3);
    assert_eq!(page.items[1].properties["command"], "say hi");
    assert_eq!(page.items[0].at, time("2024-05-01T12:00:00+00:00"));
}

fn time(text: &str) -> Timestamp {
    let known = [
        ("2024-05-01T10:00:00+00:00", 1_714_557_600),
        ("2024-05-01T12:00:00+00:00", 1_714_564_800),
        ("2024-06-01T00:00:00+00:00", 1_717_200_000),
        ("2026-01-01T00:00:00+00:00", 1_767_225_600),
    ];
    let (_, seconds) = known.iter().find(|(known, _)| *known == text).unwrap();
    Timestamp::from_seconds(*seconds)
}
