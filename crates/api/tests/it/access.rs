//! Nobody gets in where they should not: every operation is attacked by a person without a key, by
//! a stranger, and by a subuser who lacks the permission. An operation without a row fails.

use hatchery_testkit::{Call, Person, TestPanel};
use serde_json::{Value, json};

use crate::panel;

/// What guards an operation.
enum Guard {
    /// Any account.
    Account,
    /// Access to the server.
    Member,
    /// A permission on the server, whose lack is told with this class of error.
    Permission(&'static str),
}
use Guard::{Account, Member, Permission};

const MISSING: &str = "AccessDeniedHttpException: This action is unauthorized.";
const SOCKET: &str =
    "HttpForbiddenException: You do not have permission to connect to this server's websocket.";

/// Operation, method, address, body, guard. `{s}` is the server.
const TABLE: &[(&str, &str, &str, Guard)] = &[
    ("listServers", "GET", "/api/client", Account),
    ("listPermissions", "GET", "/api/client/permissions", Account),
    ("viewAccount", "GET", "/api/client/account", Account),
    (
        "listAccountActivity",
        "GET",
        "/api/client/account/activity",
        Account,
    ),
    (
        "listApiKeys",
        "GET",
        "/api/client/account/api-keys",
        Account,
    ),
    (
        "createApiKey",
        "POST",
        "/api/client/account/api-keys",
        Account,
    ),
    (
        "deleteApiKey",
        "DELETE",
        "/api/client/account/api-keys/x",
        Account,
    ),
    ("viewServer", "GET", "{s}", Member),
    ("openWebsocket", "GET", "{s}/websocket", Permission(SOCKET)),
    ("viewResources", "GET", "{s}/resources", Member),
    (
        "listServerActivity",
        "GET",
        "{s}/activity",
        Permission(MISSING),
    ),
    ("sendCommand", "POST", "{s}/command", Permission(MISSING)),
    ("sendPowerSignal", "POST", "{s}/power", Permission(MISSING)),
    ("listFiles", "GET", "{s}/files/list", Permission(MISSING)),
    ("readFile", "GET", "{s}/files/contents", Permission(MISSING)),
    (
        "downloadFile",
        "GET",
        "{s}/files/download",
        Permission(MISSING),
    ),
    (
        "renameFiles",
        "PUT",
        "{s}/files/rename",
        Permission(MISSING),
    ),
    ("writeFile", "POST", "{s}/files/write", Permission(MISSING)),
    (
        "deleteFiles",
        "POST",
        "{s}/files/delete",
        Permission(MISSING),
    ),
    (
        "createFolder",
        "POST",
        "{s}/files/create-folder",
        Permission(MISSING),
    ),
    (
        "uploadFiles",
        "GET",
        "{s}/files/upload",
        Permission(MISSING),
    ),
];

#[test]
fn every_operation_has_a_row() {
    let document: Value = serde_json::to_value(hatchery_api::openapi::client()).unwrap();
    let mut declared: Vec<String> = document["paths"]
        .as_object()
        .unwrap()
        .values()
        .flat_map(|path| path.as_object().unwrap().values())
        .map(|operation| operation["operationId"].as_str().unwrap().to_owned())
        .collect();
    let mut attacked: Vec<String> = TABLE.iter().map(|(id, ..)| (*id).to_owned()).collect();
    declared.sort();
    attacked.sort();
    assert_eq!(
        attacked, declared,
        "give every operation exactly one row in TABLE"
    );
}

#[tokio::test]
async fn nobody_gets_in_without_the_right_to() {
    let panel = panel().await;
    // Someone whose record as a subuser holds no permission at all.
    let powerless = panel.add_person("powerless").await.unwrap();
    let mut tx = panel.store.begin().await.unwrap();
    tx.create_subuser(panel.world.server.id, powerless.id, &[])
        .await
        .unwrap();
    tx.commit().await.unwrap();

    for (operation, method, address, guard) in TABLE {
        let path = address.replace("{s}", &panel.world.server.path(""));
        assert_eq!(
            send(panel.call(method, &path)).await,
            "401 AuthenticationException: Unauthenticated.",
            "{operation} without a key"
        );
        if matches!(guard, Account) {
            continue;
        }
        assert_eq!(
            send(call_as(&panel, &panel.world.stranger, method, &path)).await,
            "404 NotFoundHttpException: The requested resource does not exist on this server.",
            "{operation} by a stranger"
        );
        let answer = send(call_as(&panel, &powerless, method, &path)).await;
        match guard {
            Permission(sentence) => {
                assert_eq!(
                    answer,
                    format!("403 {sentence}"),
                    "{operation} without the permission"
                );
            }
            Account | Member => assert_eq!(answer, "200", "{operation} by a member"),
        }
    }
    assert_eq!(
        panel.node.take_calls().len(),
        1,
        "only the member's resources reach the node"
    );
}

#[tokio::test]
async fn each_signal_needs_its_own_permission() {
    let panel = panel().await;
    let subuser = panel.add_person("subuser").await.unwrap();
    let path = panel.world.server.path("/power");
    let mut tx = panel.store.begin().await.unwrap();
    tx.create_subuser(panel.world.server.id, subuser.id, &[])
        .await
        .unwrap();
    tx.commit().await.unwrap();
    for (permission, allowed) in [
        ("control.start", &["start"][..]),
        ("control.stop", &["stop", "kill"]),
        ("control.restart", &["restart"]),
        ("control.console", &[]),
    ] {
        let mut tx = panel.store.begin().await.unwrap();
        tx.set_subuser_permissions(panel.world.server.id, subuser.id, &[permission.to_owned()])
            .await
            .unwrap();
        tx.commit().await.unwrap();
        for signal in ["start", "stop", "restart", "kill", "explode"] {
            let call = panel
                .call_as(&subuser, "POST", &path)
                .json(&json!({"signal": signal}));
            let expected = if allowed.contains(&signal) { 204 } else { 403 };
            assert_eq!(call.send().await.status, expected, "{permission}: {signal}");
        }
    }
}

fn call_as(panel: &TestPanel, person: &Person, method: &str, path: &str) -> Call {
    panel.call_as(person, method, path)
}

/// The errors of an answer, or its status.
async fn send(call: Call) -> String {
    call.send().await.errors()
}
