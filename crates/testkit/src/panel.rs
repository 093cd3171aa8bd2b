//! A whole panel for one test.

use std::error::Error;
use std::num::NonZeroUsize;
use std::sync::Arc;

use axum::Router;
use hatchery_ambient::{ManualClock, SeededEntropy};
use hatchery_app::{Cx, Nodes, Parts, Settings};
use hatchery_auth::{PasswordCost, Passwords};
use hatchery_mail::{Mail, MailSettings, Mailer, Retries, Route, Sender};
use hatchery_node_proto::{NodeClient, NodeToken};
use hatchery_store::testing::TestStore;
use hatchery_store::{ApiKeyKind, NewEgg, StoreError};
use hatchery_vocab::UserId;

use crate::world::{self, NODE_TOKEN, ServerSketch};
use crate::{Call, FakeNode, Person, TestServer, World};

/// How a test panel differs from the usual one.
#[derive(Clone, Debug, Default)]
pub struct PanelOptions {
    /// What the operator chose.
    pub settings: Settings,
    /// What its randomness grows from, for tests that leave names behind where others see them.
    pub seed: Option<u64>,
}

/// A panel over a database of its own, which ends with it.
#[derive(Debug)]
pub struct TestPanel {
    /// Everything that verbs work with.
    pub cx: Cx,
    /// The data, with its clock.
    pub store: TestStore,
    /// Decides what time it is.
    pub clock: ManualClock,
    /// The node behind the panel.
    pub node: FakeNode,
    /// People and servers.
    pub world: World,
    entropy: Arc<SeededEntropy>,
    router: Router,
}

impl TestPanel {
    /// The password of everybody.
    pub const PASSWORD: &str = "correct horse";

    /// The usual panel. `route` makes the router, since this crate knows only its ingredients.
    pub async fn start(route: impl FnOnce(Cx) -> Router) -> Result<Self, Box<dyn Error>> {
        Self::with(PanelOptions::default(), route).await
    }

    /// A panel that differs from the usual one.
    pub async fn with(
        options: PanelOptions,
        route: impl FnOnce(Cx) -> Router,
    ) -> Result<Self, Box<dyn Error>> {
        Self::over(TestStore::sqlite().await?, options, route).await
    }

    /// A panel over an empty store.
    pub async fn over(
        store: TestStore,
        options: PanelOptions,
        route: impl FnOnce(Cx) -> Router,
    ) -> Result<Self, Box<dyn Error>> {
        let clock = store.clock.clone();
        let entropy = Arc::new(SeededEntropy::new(options.seed.unwrap_or(7)));
        let passwords = Passwords::new(PasswordCost::CHEAPEST, NonZeroUsize::MIN, entropy.clone());
        let hash = passwords.hash(Self::PASSWORD).await?;
        let world = World::create(&store, &hash, &*entropy).await?;
        let (nodes, node) = (Nodes::new(), FakeNode::default());
        nodes.register(
            world.node,
            NodeClient::new(node.service(), NodeToken::new(NODE_TOKEN))?,
        );
        let mail = Mailer::new(mail_settings(), Arc::new(clock.clone()), entropy.clone())?;
        let cx = Cx::new(Parts {
            store: store.clone(),
            clock: Arc::new(clock.clone()),
            entropy: entropy.clone(),
            passwords,
            mail,
            nodes,
            settings: options.settings,
        });
        let router = route(cx.clone());
        Ok(Self {
            cx,
            store,
            clock,
            node,
            world,
            entropy,
            router,
        })
    }

    /// Another panel over the same database, with a way of its own to the same node.
    pub async fn replica(&self) -> Result<(Cx, FakeNode), Box<dyn Error>> {
        let (nodes, node) = (Nodes::new(), FakeNode::default());
        nodes.register(
            self.world.node,
            NodeClient::new(node.service(), NodeToken::new(NODE_TOKEN))?,
        );
        let clock = Arc::new(self.clock.clone());
        let entropy = self.entropy.clone();
        let cx = Cx::new(Parts {
            store: self.store.second().await?,
            clock: clock.clone(),
            entropy: entropy.clone(),
            passwords: Passwords::new(PasswordCost::CHEAPEST, NonZeroUsize::MIN, entropy.clone()),
            mail: Mailer::new(mail_settings(), clock, entropy)?,
            nodes,
            settings: self.cx.settings().clone(),
        });
        Ok((cx, node))
    }

    /// A request without a credential.
    pub fn call(&self, method: &str, path: &str) -> Call {
        Call::new(self.router.clone(), method, path)
    }

    /// A request with someone's key.
    pub fn call_as(&self, person: &Person, method: &str, path: &str) -> Call {
        self.call(method, path).key(&person.key)
    }

    /// The letters that were written since the last call. Nobody sends them.
    pub fn take_mail(&self) -> Vec<Mail> {
        self.cx.mail().take_waiting()
    }

    /// One more server.
    pub async fn add_server(&self, sketch: &ServerSketch<'_>) -> Result<TestServer, StoreError> {
        world::create_server(
            &self.store,
            self.world.node,
            self.world.egg,
            sketch,
            &*self.entropy,
        )
        .await
    }

    /// Changes the egg of every server.
    pub async fn change_egg(&self, change: impl FnOnce(&mut NewEgg)) -> Result<(), StoreError> {
        let egg = self.store.egg(self.world.egg).await?;
        let nest = egg.ok_or(StoreError::Corrupt("the egg is gone".to_owned()))?;
        let mut egg = world::egg_of(nest.egg.nest_id);
        change(&mut egg);
        let mut tx = self.store.begin().await?;
        tx.upsert_egg(&egg).await?;
        tx.commit().await.map(drop)
    }

    /// One more person.
    pub async fn add_person(&self, name: &str) -> Result<Person, StoreError> {
        world::create_person(&self.store, name, false, "no password", &*self.entropy).await
    }

    /// One more key of someone.
    pub async fn add_key(
        &self,
        user: UserId,
        kind: ApiKeyKind,
        allowed_ips: &[&str],
    ) -> Result<String, StoreError> {
        let allowed = allowed_ips.iter().map(|&entry| entry.to_owned()).collect();
        let (_, key) = world::create_key(&self.store, user, kind, allowed, &*self.entropy).await?;
        Ok(key)
    }
}

fn mail_settings() -> MailSettings {
    MailSettings {
        panel: "Hatchery".to_owned(),
        url: "https://panel.test".to_owned(),
        sender: Sender {
            name: "Hatchery".to_owned(),
            address: "panel@panel.test".to_owned(),
        },
        // Nobody delivers, so nothing is ever written here.
        route: Route::Folder("/nonexistent".into()),
        retries: Retries::default(),
    }
}
