//! The service through which both clients speak.

use std::sync::{Arc, OnceLock};

use axum_core::body::Body;
use http::{Request, Response};
use tower::util::BoxCloneSyncService;
use tower::{ServiceExt, service_fn};

use crate::NodeIoError;

/// Carries requests of the protocol: to a router of this process, or over HTTP. Requests have a
/// path and no authority; a service that goes over the network adds its own.
pub type NodeService = BoxCloneSyncService<Request<Body>, Response<Body>, NodeIoError>;

/// Puts the real service behind one that was handed out before it existed.
#[derive(Clone, Debug)]
pub struct LateService(Arc<OnceLock<NodeService>>);

impl LateService {
    /// Names the real service. Only the first call has an effect.
    pub fn bind(&self, service: NodeService) {
        // A second service would be a mistake of the composition; the first one stays.
        let _ = self.0.set(service);
    }
}

/// A service that can be handed out before what it leads to exists, since panel and node in one
/// process need each other. Until [`LateService::bind`] it answers that nobody is there.
pub fn late_service() -> (LateService, NodeService) {
    let late = LateService(Arc::default());
    let target = late.clone();
    let service = service_fn(move |request: Request<Body>| {
        let target = target.0.get().cloned();
        async move {
            match target {
                Some(service) => service.oneshot(request).await,
                None => Err(NodeIoError::Unreachable("it is still starting".to_owned())),
            }
        }
    });
    (late, BoxCloneSyncService::new(service))
}
