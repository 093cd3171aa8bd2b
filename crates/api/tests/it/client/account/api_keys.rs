//! `/api/client/account/api-keys`.

use hatchery_store::ApiKeyKind;
use serde_json::json;

use crate::panel;

const PATH: &str = "/api/client/account/api-keys";

#[tokio::test]
async fn a_key_is_made_used_listed_and_deleted() {
    let panel = panel().await;
    let owner = &panel.world.owner;
    let body = json!({"description": " deploy ", "allowed_ips": ["127.0.0.0/8", "10.0.*.*"]});
    let created = panel
        .call_as(owner, "POST", PATH)
        .json(&body)
        .send()
        .await
        .json();
    let identifier = created["attributes"]["identifier"]
        .as_str()
        .unwrap()
        .to_owned();
    let secret = created["meta"]["secret_token"].as_str().unwrap().to_owned();
    assert!(identifier.starts_with("ptlc_") && identifier.len() == 16 && secret.len() == 32);
    insta::assert_json_snapshot!(created, {
        ".attributes.identifier" => "[identifier]", ".meta.secret_token" => "[secret]",
    }, @r#"
        {
          "object": "api_key",
          "attributes": {
            "identifier": "[identifier]",
            "description": "deploy",
            "allowed_ips": [
              "127.0.0.0/8",
              "10.0.*.*"
            ],
            "last_used_at": null,
            "created_at": "2026-01-01T00:00:00+00:00"
          },
          "meta": {
            "secret_token": "[secret]"
          }
        }
        "#);

    let key = format!("{identifier}{secret}");
    assert_eq!(
        panel
            .call("GET", "/api/client/account")
            .key(&key)
            .send()
            .await
            .status,
        200
    );
    let listed = panel.call_as(owner, "GET", PATH).send().await.json();
    assert_eq!(listed["data"].as_array().unwrap().len(), 2);
    assert!(listed.get("meta").is_none(), "the list is not paginated");
    assert_eq!(
        listed["data"][1]["attributes"]["last_used_at"],
        "2026-01-01T00:00:00+00:00"
    );
    assert!(!listed.to_string().contains(&secret));

    let gone = panel
        .call_as(owner, "DELETE", &format!("{PATH}/{identifier}"))
        .send()
        .await;
    assert_eq!(
        (gone.status.as_u16(), gone.header("content-type")),
        (204, "")
    );
    assert_eq!(
        panel
            .call("GET", "/api/client/account")
            .key(&key)
            .send()
            .await
            .status,
        401
    );
    let again = panel
        .call_as(owner, "DELETE", &format!("{PATH}/{identifier}"))
        .send()
        .await;
    assert_eq!(
        again.errors(),
        "404 NotFoundHttpException: The requested resource could not be found on the server."
    );

    let log = panel
        .call_as(owner, "GET", "/api/client/account/activity")
        .send()
        .await
        .json();
    let events: Vec<_> = log["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| &entry["attributes"])
        .collect();
    assert_eq!(events.len(), 2);
    assert_eq!(events[0]["event"], "user:api-key.create");
    assert_eq!(events[1]["event"], "user:api-key.delete");
    assert_eq!(events[1]["properties"], json!({"identifier": identifier}));
}

#[tokio::test]
async fn keys_of_others_and_application_keys_are_out_of_reach() {
    let panel = panel().await;
    let application = panel
        .add_key(panel.world.owner.id, ApiKeyKind::Application, &[])
        .await
        .unwrap();
    for key in [&panel.world.stranger.key, &application] {
        let path = format!("{PATH}/{}", &key[..16]);
        assert_eq!(
            panel
                .call_as(&panel.world.owner, "DELETE", &path)
                .send()
                .await
                .status,
            404
        );
    }
    let listed = panel
        .call_as(&panel.world.owner, "GET", PATH)
        .send()
        .await
        .json();
    assert_eq!(listed["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn what_is_wrong_with_a_new_key() {
    let panel = panel().await;
    let many: Vec<String> = (0..51).map(|last| format!("10.0.0.{last}")).collect();
    let table = [
        json!({}),
        json!({"description": "  ", "allowed_ips": null}),
        json!({"description": "x".repeat(501)}),
        json!({"description": 5, "allowed_ips": "10.0.0.1"}),
        json!({"description": "x", "allowed_ips": [1, "10.0.0.1"]}),
        json!({"description": "x", "allowed_ips": many}),
        json!({"description": "x", "allowed_ips": ["10.0.0.1", "nonsense", "10.0.0.0/33", "10.0.0.9-10.0.0.1"]}),
    ];
    let mut errors = Vec::new();
    for body in table {
        errors.push(
            panel
                .call_as(&panel.world.owner, "POST", PATH)
                .json(&body)
                .send()
                .await
                .errors(),
        );
    }
    insta::assert_snapshot!(errors.join("\n\n"), @r#"
        422 ValidationException: The description field is required. [description required]

        422 ValidationException: The description field is required. [description required]

        422 ValidationException: The description may not be greater than 500 characters. [description max]

        422 ValidationException: The description must be a string. [description string]
        422 ValidationException: The allowed ips must be an array. [allowed_ips array]

        422 ValidationException: The allowed_ips.0 must be a string. [allowed_ips.0 string]

        422 ValidationException: The allowed ips may not have more than 50 items. [allowed_ips max]

        422 ValidationException: "nonsense" is not a valid IP address or CIDR range. [allowed_ips.1 ]
        422 ValidationException: "10.0.0.0/33" is not a valid IP address or CIDR range. [allowed_ips.2 ]
        422 ValidationException: "10.0.0.9-10.0.0.1" is not a valid IP address or CIDR range. [allowed_ips.3 ]
        "#);
}

/// Security.md, revocation: what a key opened ends with it, on the node too.
#[tokio::test]
async fn a_deleted_key_takes_consoles_and_links_along() {
    let panel = panel().await;
    let owner = &panel.world.owner;
    let path = |key: &str| format!("{PATH}/{}", &key[..16]);
    let delete = async |key: &str| {
        let answer = panel.call_as(owner, "DELETE", &path(key)).send().await;
        assert_eq!(answer.status, 204);
    };
    let told = || {
        let calls = panel.node.take_calls();
        let lines: Vec<String> = calls.iter().map(ToString::to_string).collect();
        lines
    };
    let deauthorized = format!(
        "POST /api/deauthorize-user {{\"user\":\"{}\",\"servers\":[]}}",
        owner.uuid
    );
    let mut keys = Vec::new();
    for _ in 0..2 {
        keys.push(
            panel
                .add_key(owner.id, ApiKeyKind::Client, &[])
                .await
                .unwrap(),
        );
    }
    panel.node.take_calls();
    delete(&keys[0]).await;
    assert_eq!(told(), [deauthorized.as_str()]);

    // A node that cannot be reached is told later, once.
    panel.node.set_unreachable(true);
    delete(&keys[1]).await;
    panel.node.set_unreachable(false);
    panel.node.take_calls();
    for expected in [&[deauthorized.as_str()][..], &[]] {
        hatchery_app::revocation::deliver(&panel.cx).await.unwrap();
        assert_eq!(told(), expected);
    }
}

#[tokio::test]
async fn many_requests_at_once_make_no_more_than_twenty_five() {
    let panel = panel().await;
    let mut asked = tokio::task::JoinSet::new();
    for _ in 0..32 {
        let call = panel
            .call_as(&panel.world.owner, "POST", PATH)
            .json(&json!({"description": "x"}));
        asked.spawn(async move { call.send().await.status.as_u16() });
    }
    let mut answers = asked.join_all().await;
    answers.sort_unstable();
    let (made, refused) = answers.split_at(24);
    assert!(made.iter().all(|status| *status == 200), "{answers:?}");
    assert!(refused.iter().all(|status| *status == 400), "{answers:?}");
}

#[tokio::test]
async fn an_account_has_at_most_twenty_five() {
    let panel = panel().await;
    for _ in 1..25 {
        panel
            .add_key(panel.world.owner.id, ApiKeyKind::Client, &[])
            .await
            .unwrap();
    }
    let call = panel
        .call_as(&panel.world.owner, "POST", PATH)
        .json(&json!({"description": "x"}));
    assert_eq!(
        call.send().await.errors(),
        "400 DisplayException: You have reached the account limit for number of API keys."
    );
}

#[tokio::test]
async fn the_list_can_be_sorted_filtered_and_cut_although_the_reference_does_not() {
    let panel = panel().await;
    for name in ["b", "a", "c"] {
        let call = panel.call_as(&panel.world.owner, "POST", PATH);
        call.json(&json!({"description": name})).send().await;
    }
    let list = async |query: &str| {
        let answer = panel
            .call_as(&panel.world.owner, "GET", &format!("{PATH}?{query}"))
            .send()
            .await;
        let body = answer.json();
        let names: Vec<_> = body["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|key| {
                key["attributes"]["description"]
                    .as_str()
                    .unwrap()
                    .to_owned()
            })
            .collect();
        (
            names.join(" "),
            body["meta"]["pagination"]["total"].as_u64(),
        )
    };
    assert_eq!(
        list("sort=-description").await,
        ("made for a test c b a".to_owned(), None)
    );
    assert_eq!(
        list("filter[description]=A,B&sort=description").await.0,
        "a b made for a test"
    );
    assert_eq!(
        list("sort=description&per_page=2&page=2").await,
        ("c made for a test".to_owned(), Some(4))
    );
    assert_eq!(
        list("sort=nonsense&filter[nonsense]=x").await.0,
        "made for a test b a c"
    );
}
