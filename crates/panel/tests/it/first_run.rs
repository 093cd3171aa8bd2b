//! The first start: a link that works once, a page, an administrator, a key.

use std::os::unix::fs::PermissionsExt;
use std::thread;

use crate::harness::Place;

const PERSON: [(&str, &str); 3] = [
    ("username", "anna"),
    ("email", "anna@example.com"),
    ("password", "correct horse"),
];

#[test]
fn the_link_leads_from_nothing_to_a_key_that_works() {
    let place = Place::new();
    let panel = place.serve();
    assert_eq!(panel.greeting.lines().count(), 1);
    let path = format!("/setup?token={}", panel.setup_token());
    let page = panel.get(&path);
    assert_eq!(page.status, 200);
    assert!(
        page.has("content-security-policy:", "default-src 'none'"),
        "{}",
        page.head
    );
    assert!(page.has("referrer-policy:", "no-referrer"));
    assert!(page.body.contains("autocomplete=\"new-password\"") && !page.body.contains("<script"));

    let fields = [
        &PERSON[..],
        &[("token", panel.setup_token()), ("api_key", "1")],
    ]
    .concat();
    let done = panel.post_form("/setup", &fields);
    assert_eq!(done.status, 200, "{}", done.body);
    let key = done
        .body
        .split_once("<code class=\"key\">")
        .unwrap()
        .1
        .split_once('<')
        .unwrap()
        .0
        .to_owned();
    assert!(key.starts_with("ptlc_") && key.len() == 48, "{key}");
    let account = panel.call(&key, "GET", "/api/client/account", "").json();
    assert_eq!(account["attributes"]["username"], "anna");
    assert_eq!(account["attributes"]["admin"], true);

    assert_eq!(panel.get(&path).status, 403);
    assert_eq!(panel.post_form("/setup", &fields).status, 403);
    assert_eq!(place.json(&["user", "list"]).as_array().unwrap().len(), 1);
}

#[test]
fn mistakes_are_explained_and_keep_the_link_alive() {
    let place = Place::new();
    let panel = place.serve();
    let token = ("token", panel.setup_token());
    let bad = [
        ("username", "<b>&\"'"),
        ("email", "nonsense"),
        ("password", "short"),
        token,
    ];
    let page = panel.post_form("/setup", &bad);
    assert_eq!(page.status, 422);
    assert!(
        page.body.contains("role=\"alert\"") && page.body.contains("at least 8 characters"),
        "{}",
        page.body
    );
    assert!(
        page.body.contains("&lt;b&gt;&amp;&quot;&#39;") && !page.body.contains("<b>"),
        "{}",
        page.body
    );
    assert!(
        !page.body.contains("value=\"short\""),
        "the password came back"
    );
    let good = [&PERSON[..], &[token]].concat();
    assert_eq!(panel.post_form("/setup", &good).status, 200);
}

#[test]
fn a_wrong_link_makes_nobody() {
    let place = Place::new();
    let panel = place.serve();
    for token in [
        "",
        "x",
        &panel.setup_token().to_lowercase(),
        &panel.setup_token()[1..],
    ] {
        assert_eq!(
            panel.get(&format!("/setup?token={token}")).status,
            403,
            "{token}"
        );
        assert_eq!(
            panel
                .post_form("/setup", &[&PERSON[..], &[("token", token)]].concat())
                .status,
            403,
            "{token}"
        );
    }
    assert_eq!(panel.get("/setup").status, 403);
    assert!(place.json(&["user", "list"]).as_array().unwrap().is_empty());
    assert!(panel.get("/").body.contains("no administrator yet"));
}

#[test]
fn of_two_who_use_the_link_at_once_only_one_becomes_administrator() {
    let place = Place::new();
    let panel = place.serve();
    let answers: Vec<u16> = thread::scope(|scope| {
        let ask = |name: &'static str| {
            let panel = &panel;
            scope.spawn(move || {
                let email = format!("{name}@example.com");
                let fields = [
                    ("username", name),
                    ("email", &email),
                    ("password", "correct horse"),
                    ("token", panel.setup_token()),
                ];
                panel.post_form("/setup", &fields).status
            })
        };
        let asked = ["anna", "ben", "carl", "dora"].map(ask);
        asked
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    assert_eq!(
        answers.iter().filter(|status| **status == 200).count(),
        1,
        "{answers:?}"
    );
    assert_eq!(place.json(&["user", "list"]).as_array().unwrap().len(), 1);
}

#[test]
fn an_old_link_ends_with_the_start_that_printed_it() {
    let place = Place::new();
    let old = {
        let panel = place.serve();
        panel.setup_token().to_owned()
    };
    let panel = place.serve();
    assert_eq!(panel.get(&format!("/setup?token={old}")).status, 403);
    assert_eq!(
        panel
            .get(&format!("/setup?token={}", panel.setup_token()))
            .status,
        200
    );
}

#[test]
fn the_data_folder_is_for_its_owner_only() {
    let place = Place::new();
    let _panel = place.serve();
    let data = place.path().join("data");
    assert_eq!(data.metadata().unwrap().permissions().mode() & 0o777, 0o700);
    for entry in ["panel.db", "volumes", "node", "README.txt"] {
        assert!(data.join(entry).exists(), "{entry}");
    }
}

#[test]
fn the_key_page_makes_keys_for_those_who_know_their_password() {
    let place = Place::new();
    place.key();
    let panel = place.serve();
    assert_eq!(panel.get("/account/api").status, 200);
    let form = |password: &str, ip: &str| {
        panel.post_form(
            "/account/api",
            &[
                ("user", "admin@example.com"),
                ("password", password),
                ("description", "my bot"),
                ("allowed_ips", ip),
            ],
        )
    };
    assert!(
        form("hunter22", "10.0.0.0/33")
            .body
            .contains("is not a valid IP address")
    );
    let page = form("hunter22", "127.0.0.0/8");
    assert_eq!(page.status, 200);
    let key = page
        .body
        .split_once("<code class=\"key\">")
        .unwrap()
        .1
        .split_once('<')
        .unwrap()
        .0
        .to_owned();
    let keys = panel
        .call(&key, "GET", "/api/client/account/api-keys", "")
        .json();
    assert_eq!(keys["data"][1]["attributes"]["description"], "my bot");
    assert_eq!(
        keys["data"][1]["attributes"]["allowed_ips"][0],
        "127.0.0.0/8"
    );
    let statuses: Vec<u16> = (0..7).map(|_| form("wrong", "").status).collect();
    assert_eq!(statuses, [422, 422, 422, 422, 422, 429, 429]);
}
