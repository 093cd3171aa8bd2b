//! The node's side of the protocol: calls to the panel, retried as node-protocol.md §2.1 says.

use std::time::Duration;

use axum_core::body::Body;
use hatchery_vocab::{BackupUuid, ServerUuid};
use http::header::{HeaderValue, USER_AGENT};
use http::{Method, StatusCode};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::activity::Batch;
use crate::{
    ActivityEntry, BackupReport, InstallReport, InstallScript, NodeIoError, NodeService, NodeToken,
    ProcessConfiguration, RestoreReport, ServerConfiguration, ServerSettings, UploadAddresses,
    exchange,
};

/// How long the panel may take for one answer.
const TIMEOUT: Duration = Duration::from_secs(30);
/// The first wait before a call is tried again.
const FIRST_WAIT: Duration = Duration::from_millis(500);
/// No wait is longer than this.
const LONGEST_WAIT: Duration = Duration::from_secs(12);
/// No call is tried again once its waits add up to this.
const ALL_WAITS: Duration = Duration::from_secs(30);

const ACCEPT: &str = "application/vnd.pterodactyl.v1+json";

/// By what the panel knows a node: the bearer is `<id>.<secret>`.
#[derive(Clone, Debug)]
pub struct PanelCredentials {
    /// The public half.
    pub token_id: String,
    /// The secret half.
    pub token: NodeToken,
}

/// Why the panel did not do what a node asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PanelError {
    /// It could not be reached, or kept failing until the tries were used up.
    #[error("the panel could not be reached: {0}")]
    Unreachable(String),
    /// It refused, and asking again would not help.
    #[error("the panel refused with {status}: {detail}")]
    Refused {
        /// Its status, from 400 to 499.
        status: StatusCode,
        /// What it said.
        detail: String,
    },
    /// Its answer is not what the protocol says.
    #[error("the panel's answer is not understood: {0}")]
    Malformed(String),
}

/// A server of the list that a node fetches when it starts. The two documents stay unread, so that
/// one that is broken does not hide the others.
#[derive(Clone, Debug, Deserialize)]
pub struct RemoteServer {
    /// The server.
    pub uuid: ServerUuid,
    settings: Value,
    process_configuration: Value,
}

impl RemoteServer {
    /// Reads the two documents.
    ///
    /// # Errors
    /// One of them is not what the protocol says; the text names the place.
    pub fn configuration(self) -> Result<ServerConfiguration, PanelError> {
        let read = || -> Result<_, serde_json::Error> {
            Ok(ServerConfiguration {
                settings: serde_json::from_value::<ServerSettings>(self.settings)?,
                process_configuration: serde_json::from_value::<ProcessConfiguration>(
                    self.process_configuration,
                )?,
            })
        };
        read().map_err(|error| PanelError::Malformed(error.to_string()))
    }
}

/// A page of a node's servers.
#[derive(Clone, Debug, Deserialize)]
pub struct ServerPage {
    /// The servers.
    pub data: Vec<RemoteServer>,
    /// Where the page stands.
    meta: PageMeta,
}

#[derive(Clone, Debug, Deserialize)]
struct PageMeta {
    last_page: u32,
}

impl ServerPage {
    /// The number of the last page.
    pub const fn last_page(&self) -> u32 {
        self.meta.last_page
    }
}

/// Speaks to the panel. Clones share the connection.
#[derive(Clone)]
pub struct PanelClient {
    service: NodeService,
    bearer: HeaderValue,
    user_agent: HeaderValue,
}

impl std::fmt::Debug for PanelClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PanelClient(…)")
    }
}

impl PanelClient {
    /// A client that speaks through `service` and shows `credentials`.
    ///
    /// # Errors
    /// The credentials have characters that no header can carry.
    pub fn new(
        service: NodeService,
        credentials: &PanelCredentials,
    ) -> Result<Self, http::header::InvalidHeaderValue> {
        let PanelCredentials { token_id, token } = credentials;
        let mut bearer = HeaderValue::try_from(format!("Bearer {token_id}.{}", token.expose()))?;
        bearer.set_sensitive(true);
        let version = env!("CARGO_PKG_VERSION");
        let user_agent =
            HeaderValue::try_from(format!("Pterodactyl Wings/v{version} (id:{token_id})"))?;
        Ok(Self {
            service,
            bearer,
            user_agent,
        })
    }

    /// A page of this node's servers, counted from one.
    pub async fn servers(&self, page: u32, per_page: u32) -> Result<ServerPage, PanelError> {
        self.get(&format!("servers?page={page}&per_page={per_page}"))
            .await
    }

    /// What the node needs to run a server; `None` when the panel does not know it.
    pub async fn server(
        &self,
        server: ServerUuid,
    ) -> Result<Option<ServerConfiguration>, PanelError> {
        match self.get(&format!("servers/{server}")).await {
            Err(PanelError::Refused {
                status: StatusCode::NOT_FOUND,
                ..
            }) => Ok(None),
            answer => answer.map(Some),
        }
    }

    /// The installation script of a server's egg.
    pub async fn install_script(&self, server: ServerUuid) -> Result<InstallScript, PanelError> {
        self.get(&format!("servers/{server}/install")).await
    }

    /// Says how an installation ended.
    pub async fn report_install(
        &self,
        server: ServerUuid,
        report: InstallReport,
    ) -> Result<(), PanelError> {
        self.post(&format!("servers/{server}/install"), &report)
            .await
    }

    /// Says that the node has started, so that nothing is being installed or restored on it.
    pub async fn reset(&self) -> Result<(), PanelError> {
        self.post("servers/reset", &()).await
    }

    /// Hands over what people did on the node.
    pub async fn activity(&self, entries: &[ActivityEntry]) -> Result<(), PanelError> {
        self.post("activity", &Batch { data: entries }).await
    }

    /// Where the parts of an archive of so many bytes go.
    pub async fn upload_addresses(
        &self,
        backup: BackupUuid,
        size: u64,
    ) -> Result<UploadAddresses, PanelError> {
        self.get(&format!("backups/{backup}?size={size}")).await
    }

    /// Says how a backup ended.
    pub async fn report_backup(
        &self,
        backup: BackupUuid,
        report: &BackupReport,
    ) -> Result<(), PanelError> {
        self.post(&format!("backups/{backup}"), report).await
    }

    /// Says how putting a backup back ended.
    pub async fn report_restore(
        &self,
        backup: BackupUuid,
        report: RestoreReport,
    ) -> Result<(), PanelError> {
        self.post(&format!("backups/{backup}/restore"), &report)
            .await
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, PanelError> {
        let body = self.call(&Method::GET, path, None).await?;
        serde_json::from_slice(&body).map_err(|error| PanelError::Malformed(error.to_string()))
    }

    async fn post<T: Serialize>(&self, path: &str, body: &T) -> Result<(), PanelError> {
        let body =
            serde_json::to_vec(body).map_err(|error| PanelError::Malformed(error.to_string()))?;
        self.call(&Method::POST, path, Some(body.into()))
            .await
            .map(drop)
    }

    /// Tries until the panel answers below 500, or the waits are used up.
    async fn call(
        &self,
        method: &Method,
        path: &str,
        body: Option<bytes::Bytes>,
    ) -> Result<bytes::Bytes, PanelError> {
        let mut waits = waits();
        loop {
            let failure = match self.attempt(method, path, body.clone()).await {
                Ok((status, body)) if status.is_success() => return Ok(body),
                Ok((status, body)) if status.is_client_error() => {
                    return Err(PanelError::Refused {
                        status,
                        detail: detail(&body),
                    });
                }
                Ok((status, body)) => format!("it answered {status}: {}", detail(&body)),
                Err(error) => error.to_string(),
            };
            match waits.next() {
                Some(wait) => tokio::time::sleep(wait).await,
                None => return Err(PanelError::Unreachable(failure)),
            }
        }
    }

    async fn attempt(
        &self,
        method: &Method,
        path: &str,
        body: Option<bytes::Bytes>,
    ) -> Result<(StatusCode, bytes::Bytes), NodeIoError> {
        let body = body.map_or_else(Body::empty, Body::from);
        let path = format!("/api/remote/{path}");
        let mut request = exchange::request(method.clone(), &path, &self.bearer, ACCEPT, body)?;
        request
            .headers_mut()
            .insert(USER_AGENT, self.user_agent.clone());
        let answer = exchange::send(&self.service, request, TIMEOUT).await?;
        let status = answer.status();
        Ok((status, exchange::read(answer.into_body(), TIMEOUT).await?))
    }
}

/// The waits between tries: each half as long again as the one before. They are counted and not
/// measured, so that a call ends after the same number of tries whatever the clock does.
fn waits() -> impl Iterator<Item = Duration> {
    let mut spent = Duration::ZERO;
    std::iter::successors(Some(FIRST_WAIT), |wait| {
        Some((*wait * 3 / 2).min(LONGEST_WAIT))
    })
    .take_while(move |wait| {
        spent += *wait;
        spent <= ALL_WAITS
    })
}

/// The first `detail` of an error body.
fn detail(body: &[u8]) -> String {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    body["errors"][0]["detail"]
        .as_str()
        .unwrap_or("it gave no reason")
        .to_owned()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use http::{Request, Response};
    use tower::service_fn;

    use super::*;

    /// A panel that answers these statuses in turn, the last one for ever, and counts the calls.
    fn scripted(statuses: &'static [u16]) -> (PanelClient, Arc<AtomicUsize>) {
        let calls = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&calls);
        let service = NodeService::new(service_fn(move |request: Request<Body>| {
            let call = counter.fetch_add(1, Ordering::Relaxed);
            assert_eq!(request.headers()["authorization"], "Bearer id.secret");
            assert_eq!(
                request.headers()["user-agent"],
                "Pterodactyl Wings/v0.0.0 (id:id)"
            );
            let status = statuses[call.min(statuses.len() - 1)];
            async move {
                let body = r#"{"errors":[{"code":"X","status":"4","detail":"No."}]}"#;
                Ok(Response::builder()
                    .status(status)
                    .body(Body::from(body))
                    .unwrap())
            }
        }));
        let credentials = PanelCredentials {
            token_id: "id".to_owned(),
            token: NodeToken::new("secret"),
        };
        (PanelClient::new(service, &credentials).unwrap(), calls)
    }

    #[test]
    fn the_waits_grow_and_end() {
        let waits: Vec<_> = waits().map(|wait| wait.as_millis()).collect();
        assert_eq!(waits, [500, 750, 1125, 1687, 2531, 3796, 5695, 8542]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_panel_that_comes_late_is_waited_for() {
        let (panel, calls) = scripted(&[503, 302, 204]);
        panel.reset().await.unwrap();
        assert_eq!(calls.load(Ordering::Relaxed), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_is_final() {
        let (panel, calls) = scripted(&[403]);
        let refused = PanelError::Refused {
            status: StatusCode::FORBIDDEN,
            detail: "No.".to_owned(),
        };
        assert_eq!(panel.reset().await, Err(refused));
        assert_eq!(calls.load(Ordering::Relaxed), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_panel_that_keeps_failing_is_given_up() {
        let (panel, calls) = scripted(&[500]);
        assert!(matches!(
            panel.reset().await,
            Err(PanelError::Unreachable(_))
        ));
        assert_eq!(calls.load(Ordering::Relaxed), 9);
    }

    #[tokio::test(start_paused = true)]
    async fn an_unknown_server_is_none() {
        let (panel, _) = scripted(&[404]);
        let server = "f3f95466-7e8b-42a4-8504-6e7055874e39".parse().unwrap();
        assert_eq!(panel.server(server).await, Ok(None));
    }
}
