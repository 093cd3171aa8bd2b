//! What a subuser holds ends with their being one.

use hatchery_e2e::{Engine, Panel};
use serde_json::json;

use crate::console::Console;
use crate::world::World;

/// How a HEAD request looks at a link without using it up.
fn look(panel: &Panel, link: &str) -> u16 {
    let path = link.strip_prefix(&panel.url()).unwrap();
    let anybody = panel.client(None);
    anybody.call("HEAD", path, &[], b"").unwrap().status
}

#[test]
fn who_is_removed_loses_the_console_and_every_link() {
    let mut world = World::new(Engine::Process);
    let key = world.panel.user("ben", false).unwrap();
    let game = world.server("demo", &[]);
    game.write("/a.txt", b"hello");
    let invitation = json!({
        "email": "ben@example.com",
        "permissions": ["websocket.connect", "file.read-content"],
    });
    let owner = world.client();
    let invited = owner.post(&game.path("/users"), &invitation).unwrap();
    let invited = invited.expect_json(200).unwrap();
    let uuid = invited["attributes"]["uuid"].as_str().unwrap();

    let ben = world.panel.client(Some(&key));
    let mut console = Console::open(&ben, &game.path("/websocket"));
    let link = ben.get(&game.path("/files/download?file=/a.txt")).unwrap();
    let link = link.expect_json(200).unwrap();
    let link = link["attributes"]["url"].as_str().unwrap();
    assert_eq!(look(&world.panel, link), 200);

    let removed = owner.call("DELETE", &game.path(&format!("/users/{uuid}")), &[], b"");
    removed.unwrap().expect(204).unwrap();
    // The node knows before the answer: nothing is to be waited for.
    assert_eq!(look(&world.panel, link), 404);
    let mut theirs = game.console();
    game.start(&mut theirs);
    console.event("jwt error", "");
    console.send("send logs", &json!([]));
    console.event("jwt error", "");
    console.never("console output", "");
    console.never("status", "running");
    let again = ben.get(&game.path("/websocket")).unwrap();
    assert_eq!(again.status, 404, "{}", again.text());
}
