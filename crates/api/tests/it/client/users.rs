//! `/api/client/servers/{server}/users`.

use futures_util::future::join_all;
use hatchery_testkit::{Person, TestPanel};
use serde_json::{Value, json};

use super::{answers, ask, asked, recorded, send};
use crate::panel;

const PATH: &str = "/users";

/// Where a person is found among the subusers.
fn of(person: &Person) -> String {
    format!("{PATH}/{}", person.uuid)
}

/// Gives the helper exactly these permissions, beneath the API.
async fn let_helper(panel: &TestPanel, permissions: &[&str]) {
    let permissions: Vec<String> = permissions.iter().map(|&name| name.to_owned()).collect();
    let mut tx = panel.store.begin().await.unwrap();
    tx.set_subuser_permissions(panel.world.server.id, panel.world.helper.id, &permissions)
        .await
        .unwrap();
    tx.commit().await.unwrap();
}

/// The letters that were written, as kind and address.
fn mail(panel: &TestPanel) -> Vec<(String, String)> {
    let letters = panel.take_mail();
    letters
        .into_iter()
        .map(|letter| (letter.kind.to_owned(), letter.to))
        .collect()
}

#[tokio::test]
async fn subusers_are_listed_and_viewed() {
    let panel = panel().await;
    let helper = &panel.world.helper;
    let view = send(&panel, "GET", &of(helper), Value::Null).await.json();
    insta::assert_json_snapshot!(view, {".attributes.uuid" => "[uuid]"}, @r#"
    {
      "object": "server_subuser",
      "attributes": {
        "uuid": "[uuid]",
        "username": "helper",
        "email": "helper@example.com",
        "image": "https://gravatar.com/avatar/be987748d8d0a0e88f8700a44f026ab9",
        "2fa_enabled": false,
        "created_at": "2026-01-01T00:00:00+00:00",
        "permissions": [
          "control.console",
          "file.read",
          "activity.read",
          "user.read",
          "websocket.connect"
        ]
      }
    }
    "#);
    assert_eq!(view["attributes"]["uuid"], helper.uuid.to_string());
    let listed = send(&panel, "GET", PATH, Value::Null).await.json();
    assert_eq!(listed["data"][0], view);
    assert_eq!(listed["data"].as_array().unwrap().len(), 2);
    assert!(listed.get("meta").is_none(), "the list is not paginated");
    let shouted = format!("{PATH}/{}", helper.uuid.to_string().to_uppercase());
    assert_eq!(
        send(&panel, "GET", &shouted, Value::Null).await.json(),
        view
    );
    for unknown in [
        panel.world.owner.uuid.to_string(),
        panel.world.stranger.uuid.to_string(),
        "12345678-1111-4111-8111-000000000000".to_owned(),
        "3".to_owned(),
    ] {
        for method in ["GET", "POST", "DELETE"] {
            let path = format!("{PATH}/{unknown}");
            let answer = send(&panel, method, &path, json!({"permissions": ["file.read"]})).await;
            assert_eq!(
                answer.errors(),
                "404 NotFoundHttpException: The requested resource could not be found on the server."
            );
        }
    }
}

#[tokio::test]
async fn somebody_with_an_account_is_added() {
    let panel = panel().await;
    let asked_for = [
        "control.console",
        "nope.nope",
        "file.read",
        "*",
        "control.console",
    ];
    let body = json!({"email": "STRANGER@example.com", "permissions": asked_for});
    let added = send(&panel, "POST", PATH, body.clone()).await.json();
    assert_eq!(added["object"], "server_subuser");
    assert_eq!(
        added["attributes"]["uuid"],
        panel.world.stranger.uuid.to_string()
    );
    let given = json!(["control.console", "file.read", "websocket.connect"]);
    assert_eq!(added["attributes"]["permissions"], given);
    let server = ask(&panel, &panel.world.stranger, "GET", "", &Value::Null)
        .await
        .json();
    assert_eq!(server["meta"]["user_permissions"], given);
    assert_eq!(
        mail(&panel),
        [(
            "added-to-server".to_owned(),
            "stranger@example.com".to_owned()
        )]
    );

    insta::assert_snapshot!(send(&panel, "POST", PATH, body).await.errors(), @"400 ServerSubuserExistsException: A user with that email address is already assigned as a subuser for this server.");
    let owner = json!({"email": "owner@example.com", "permissions": ["file.read"]});
    insta::assert_snapshot!(send(&panel, "POST", PATH, owner).await.errors(), @"400 UserIsServerOwnerException: You cannot add the server owner as a subuser for this server.");
    let properties = json!({"email": "stranger@example.com", "permissions": given, "count": 3});
    assert_eq!(
        recorded(&panel).await,
        [json!(["server:subuser.create", properties])]
    );
    assert!(mail(&panel).is_empty());
    assert!(asked(&panel).is_empty());
}

#[tokio::test]
async fn somebody_without_an_account_gets_one() {
    let panel = panel().await;
    let body = json!({"email": "brand.new+tag@example.com", "permissions": ["websocket.connect"]});
    let added = send(&panel, "POST", PATH, body).await.json();
    let name = added["attributes"]["username"].as_str().unwrap();
    assert!(
        name.starts_with("brand.newtag") && name.len() == 15,
        "{name}"
    );
    assert_eq!(
        added["attributes"]["permissions"],
        json!(["websocket.connect"])
    );
    assert_eq!(added["attributes"]["2fa_enabled"], false);
    let user = panel
        .store
        .user_by_email("brand.new+tag@example.com")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (user.name_first.as_deref(), user.name_last.as_deref()),
        (Some("Server"), Some("Subuser"))
    );
    assert!(!user.root_admin);
    let letters = panel.take_mail();
    assert_eq!(letters.len(), 1);
    assert_eq!(
        (letters[0].kind, letters[0].to.as_str()),
        ("account-created", "brand.new+tag@example.com")
    );
    assert!(letters[0].text.contains(name) && letters[0].text.contains("/auth/password/reset/"));
}

#[tokio::test]
async fn what_is_wrong_with_a_new_subuser() {
    let panel = panel().await;
    let table = [
        json!({}),
        json!({"permissions": ["file.read"]}),
        json!({"email": "", "permissions": ["file.read"]}),
        json!({"email": "x", "permissions": ["file.read"]}),
        json!({"email": 5, "permissions": ["file.read"]}),
        json!({"email": ["a@example.com"], "permissions": ["file.read"]}),
        json!({"email": {"a": "a@example.com"}, "permissions": ["file.read"]}),
        json!({"email": format!("{}@example.com", "a".repeat(190)), "permissions": ["file.read"]}),
        json!({"email": "a@example.com"}),
        json!({"email": "a@example.com", "permissions": null}),
        json!({"email": "a@example.com", "permissions": []}),
        json!({"email": "a@example.com", "permissions": "file.read"}),
        json!({"email": "a@example.com", "permissions": 5}),
        json!({"email": "a@example.com", "permissions": true}),
        json!({"email": "a@example.com", "permissions": [5, "file.read", ["x"]]}),
        json!({"email": "a@example.com", "permissions": {"a": {"b": "c"}}}),
    ];
    insta::assert_snapshot!(answers(&panel, "POST", PATH, &table).await, @r#"
    {}
      422 ValidationException: The email field is required. [email required]
      422 ValidationException: The permissions field is required. [permissions required]
    {"permissions":["file.read"]}
      422 ValidationException: The email field is required. [email required]
    {"email":"","permissions":["file.read"]}
      422 ValidationException: The email field is required. [email required]
    {"email":"x","permissions":["file.read"]}
      422 ValidationException: The email must be a valid email address. [email email]
    {"email":5,"permissions":["file.read"]}
      422 ValidationException: The email must be a valid email address. [email email]
    {"email":["a@example.com"],"permissions":["file.read"]}
      422 ValidationException: The email must be a valid email address. [email email]
    {"email":{"a":"a@example.com"},"permissions":["file.read"]}
      422 ValidationException: The email must be a valid email address. [email email]
    {"email":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa…
      422 ValidationException: The email must be between 1 and 191 characters. [email between]
    {"email":"a@example.com"}
      422 ValidationException: The permissions field is required. [permissions required]
    {"email":"a@example.com","permissions":null}
      422 ValidationException: The permissions field is required. [permissions required]
    {"email":"a@example.com","permissions":[]}
      422 ValidationException: The permissions field is required. [permissions required]
    {"email":"a@example.com","permissions":"file.read"}
      422 ValidationException: The permissions must be an array. [permissions array]
    {"email":"a@example.com","permissions":5}
      422 ValidationException: The permissions must be an array. [permissions array]
    {"email":"a@example.com","permissions":true}
      422 ValidationException: The permissions must be an array. [permissions array]
    {"email":"a@example.com","permissions":[5,"file.read",["x"]…
      422 ValidationException: The permissions.0 must be a string. [permissions.0 string]
      422 ValidationException: The permissions.2 must be a string. [permissions.2 string]
    {"email":"a@example.com","permissions":{"a":{"b":"c"}}}
      422 ValidationException: The permissions.a must be a string. [permissions.a string]
    "#);
    let table = [
        json!({}),
        json!({"permissions": []}),
        json!({"permissions": "x"}),
        json!({"permissions": [null, 5]}),
    ];
    insta::assert_snapshot!(answers(&panel, "POST", &of(&panel.world.helper), &table).await, @r#"
    {}
      422 ValidationException: The permissions field is required. [permissions required]
    {"permissions":[]}
      422 ValidationException: The permissions field is required. [permissions required]
    {"permissions":"x"}
      422 ValidationException: The permissions must be an array. [permissions array]
    {"permissions":[null,5]}
      422 ValidationException: The permissions.0 must be a string. [permissions.0 string]
      422 ValidationException: The permissions.1 must be a string. [permissions.1 string]
    "#);
    assert_eq!(recorded(&panel).await, [] as [Value; 0]);
    assert!(mail(&panel).is_empty());
}

#[tokio::test]
async fn nobody_gives_what_they_lack_nor_touches_themselves() {
    let panel = panel().await;
    let helper = &panel.world.helper;
    let own = [
        "user.create",
        "user.read",
        "user.update",
        "user.delete",
        "file.read",
    ];
    let_helper(&panel, &own).await;
    let lacks = "403 HttpForbiddenException: Cannot assign permissions to a subuser that your account does not actively possess.";
    for permissions in [
        json!(["file.read", "control.start"]),
        json!(["websocket.connect"]),
        json!(["nope"]),
        json!([5]),
        json!({"a": "control.start"}),
    ] {
        // Before anything is validated.
        for path in [PATH.to_owned(), of(&panel.world.bare)] {
            let body = json!({"email": 5, "permissions": permissions});
            assert_eq!(
                ask(&panel, helper, "POST", &path, &body).await.errors(),
                lacks
            );
        }
    }
    let body = json!({"email": "stranger@example.com", "permissions": ["file.read"]});
    let added = ask(&panel, helper, "POST", PATH, &body).await.json();
    assert_eq!(
        added["attributes"]["permissions"],
        json!(["file.read", "websocket.connect"])
    );
    for method in ["GET", "POST", "DELETE"] {
        let body = json!({"permissions": ["file.read"]});
        assert_eq!(
            ask(&panel, helper, method, &of(helper), &body)
                .await
                .errors(),
            "403 AccessDeniedHttpException: This action is unauthorized."
        );
    }
    // An administrator gives what they like.
    let body = json!({"permissions": ["control.start"]});
    let updated = ask(&panel, &panel.world.admin, "POST", &of(helper), &body).await;
    assert_eq!(updated.status, 200);
}

#[tokio::test]
async fn permissions_are_replaced_and_tokens_end() {
    let panel = panel().await;
    let bare = &panel.world.bare;
    let token = hatchery_node_proto::jwt::pair_id(bare.id, panel.world.server.uuid);
    let body = json!({"permissions": ["file.read", "control.start", "file.read"]});
    let updated = send(&panel, "POST", &of(bare), body.clone()).await.json();
    let given = json!(["file.read", "control.start", "websocket.connect"]);
    assert_eq!(updated["attributes"]["permissions"], given);
    assert_eq!(
        asked(&panel),
        [format!(r#"POST /ws/deny {{"jtis":["{token}"]}}"#)]
    );
    // The same set in another order is no change.
    let same = json!({"permissions": ["websocket.connect", "control.start", "file.read"]});
    let unchanged = send(&panel, "POST", &of(bare), same).await.json();
    assert_eq!(unchanged["attributes"]["permissions"], given);
    assert!(asked(&panel).is_empty());
    // A node that fails does not keep a right alive here.
    panel.node.answer_next(500, &json!({}));
    let unknown = json!({"permissions": ["nope"]});
    let updated = send(&panel, "POST", &of(bare), unknown).await.json();
    assert_eq!(
        updated["attributes"]["permissions"],
        json!(["websocket.connect"])
    );
    let change = |old: Value, new: Value, counts: (usize, usize), revoked: bool| {
        json!(["server:subuser.update", {"email": "bare@example.com", "old": old, "old_count": counts.0,
            "new": new, "new_count": counts.1, "revoked": revoked}])
    };
    let (few, many) = (
        json!(["websocket.connect"]),
        json!(["control.start", "file.read", "websocket.connect"]),
    );
    assert_eq!(
        recorded(&panel).await,
        [
            change(few.clone(), many.clone(), (1, 3), true),
            change(many, few, (3, 1), false)
        ]
    );
    assert!(mail(&panel).is_empty());
}

#[tokio::test]
async fn a_subuser_is_removed_and_the_node_told_when_it_can_be() {
    let panel = panel().await;
    let (helper, bare) = (&panel.world.helper, &panel.world.bare);
    let token = |person: &Person| {
        let id = hatchery_node_proto::jwt::pair_id(person.id, panel.world.server.uuid);
        format!(r#"POST /ws/deny {{"jtis":["{id}"]}}"#)
    };
    let answer = send(&panel, "DELETE", &of(helper), Value::Null).await;
    assert_eq!((answer.status.as_u16(), answer.text().as_str()), (204, ""));
    assert_eq!(asked(&panel), [token(helper)]);
    assert_eq!(
        ask(&panel, helper, "GET", "", &Value::Null).await.status,
        404
    );
    assert_eq!(
        send(&panel, "DELETE", &of(helper), Value::Null)
            .await
            .status,
        404
    );
    assert_eq!(
        mail(&panel),
        [(
            "removed-from-server".to_owned(),
            "helper@example.com".to_owned()
        )]
    );

    panel.node.set_unreachable(true);
    assert_eq!(
        send(&panel, "DELETE", &of(bare), Value::Null).await.status,
        204
    );
    panel.node.set_unreachable(false);
    panel.node.take_calls();
    hatchery_app::revocation::deliver(&panel.cx).await.unwrap();
    assert_eq!(asked(&panel), [token(bare)], "it is told later");
    hatchery_app::revocation::deliver(&panel.cx).await.unwrap();
    assert!(asked(&panel).is_empty(), "and once");
    let gone = |email: &str, revoked: bool| json!(["server:subuser.delete", {"email": email, "revoked": revoked}]);
    assert_eq!(
        recorded(&panel).await,
        [
            gone("helper@example.com", true),
            gone("bare@example.com", false)
        ]
    );
}

#[tokio::test]
async fn of_many_invitations_at_once_one_counts() {
    const AT_ONCE: usize = 32;
    for email in ["stranger@example.com", "new@example.com"] {
        let panel = panel().await;
        let body = json!({"email": email, "permissions": ["file.read"]});
        let requests = (0..AT_ONCE).map(|_| send(&panel, "POST", PATH, body.clone()));
        let answers = join_all(requests).await;
        let added = answers.iter().filter(|answer| answer.status == 200).count();
        let refused = answers
            .iter()
            .filter(|answer| answer.text().contains("ServerSubuserExistsException"))
            .count();
        assert_eq!((added, refused), (1, AT_ONCE - 1), "{email}");
        assert_eq!(mail(&panel).len(), 1);
    }
}
