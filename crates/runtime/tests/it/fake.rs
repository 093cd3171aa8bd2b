//! The scripted runtime keeps the promises of the trait.

use std::sync::Arc;

use hatchery_ambient::SystemClock;
use hatchery_runtime::fake::FakeRuntime;
use hatchery_runtime::{Runtime, RuntimeError, Signal};

use crate::support::{Hand, World, code};

#[tokio::test]
async fn a_scripted_instance_plays_a_whole_life() {
    let spec = World::new().spec("java");
    let runtime = FakeRuntime::new(Arc::new(SystemClock));
    let mut hand = Hand::new(runtime.start(&spec).await.unwrap());
    let game = runtime.next_start().await;
    assert_eq!(game.spec().invocation, "java");
    game.print("ready").await;
    hand.until("ready\r\n").await;
    hand.send("stop").await;
    assert_eq!(game.next_input().await.unwrap(), "stop\n");
    runtime
        .signal(spec.server, Signal::Interrupt)
        .await
        .unwrap();
    assert_eq!(game.next_signal().await, Some(Signal::Interrupt));

    runtime.detach_all();
    assert!(matches!(
        runtime.start(&spec).await,
        Err(RuntimeError::AlreadyRunning)
    ));
    let found = runtime.reattach().await.unwrap().remove(0);
    let mut hand = Hand::new(found.console);
    hand.until("ready\r\n").await;
    game.exit_with(3);
    assert_eq!(hand.end().await.0, code(3));
    runtime.fail_next_start(RuntimeError::Unsupported("no".into()));
    assert!(matches!(
        runtime.start(&spec).await,
        Err(RuntimeError::Unsupported(_))
    ));
    assert!(runtime.start(&spec).await.is_ok());
}
