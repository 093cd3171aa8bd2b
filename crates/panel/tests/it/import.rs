//! A Pterodactyl panel is brought in by the command, and its keys work on the panel that is served.

use hatchery_import::testing::{APP_KEY, SourcePanel};

use crate::harness::Place;

#[tokio::test]
async fn the_keys_of_an_imported_panel_work() {
    let Some(source) = SourcePanel::small().await.unwrap() else {
        return;
    };
    let place = Place::new();
    let import = |key: &'static str| {
        [
            "import",
            "pterodactyl",
            "--app-key",
            key,
            "--hashids-salt",
            "salt",
        ]
    };
    let with_database = |arguments: &[&str]| {
        let mut all: Vec<String> = arguments.iter().map(ToString::to_string).collect();
        all.extend(["--database".to_owned(), source.url.clone()]);
        all
    };
    let arguments = with_database(&import(
        "base64:YmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmI=",
    ));
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    assert!(
        place
            .complaint(&arguments)
            .contains("this is not the panel's APP_KEY")
    );
    let arguments = with_database(&import(APP_KEY));
    let mut arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let report = place.json(&[&arguments[..], &["--dry-run"]].concat());
    assert_eq!(
        (report["dry_run"].as_bool(), &report["tables"][0]["added"]),
        (Some(true), &3.into())
    );
    let report = place.json(&arguments);
    assert_eq!(report["tables"][0]["added"], 3);
    arguments.push("--json");
    let again = place.answer(&arguments);
    assert!(again.contains("\"same\""), "{again}");

    let panel = place.serve();
    for (key, status, name) in [
        (
            "ptlc_adaaaaaaaaaAdaAdaAdaAdaAdaAdaAdaAdaAdaAda01",
            200,
            "ada",
        ),
        (
            "oliveWithoutPrefOliveOliveOliveOliveOliveOlive02",
            200,
            "olive",
        ),
        (
            "pacc_liamliamliaLiamLiamLiamLiamLiamLiamLiamLi03",
            200,
            "liam",
        ),
        ("ptlc_oliveAtHomeOliveOliveOliveOliveOliveOlive04", 403, ""),
        ("ptlc_oliveIsPastOliveOliveOliveOliveOliveOlive05", 401, ""),
        ("ptla_billingbillBillBillBillBillBillBillBillBi06", 403, ""),
        ("ptlc_tamperedtamx", 401, ""),
    ] {
        let answer = panel.call(key, "GET", "/api/client/account", "");
        assert_eq!(answer.status, status, "{key}");
        if status == 200 {
            assert_eq!(answer.json()["attributes"]["username"], name);
        }
    }
    // A subuser of a server of an imported node that cannot be reached.
    let liam = "pacc_liamliamliaLiamLiamLiamLiamLiamLiamLiamLi03";
    let list = panel.call(liam, "GET", "/api/client", "").json();
    let names: Vec<_> = list["data"].as_array().unwrap().iter().collect();
    assert_eq!(names.len(), 2);
    let snakes = panel.call(liam, "GET", "/api/client/servers/a1b2c3d4", "");
    assert_eq!(snakes.json()["attributes"]["name"], "Snakes");
    assert_eq!(snakes.json()["meta"]["is_server_owner"], false);
}
