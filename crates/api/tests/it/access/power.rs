//! Signals, each of which has a permission of its own.

use serde_json::json;

use crate::panel;

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
