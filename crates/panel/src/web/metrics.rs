//! `GET /metrics` in the text format of Prometheus.

use std::fmt::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use hatchery_config::MetricsAccess;

use super::Web;

/// Upper ends of the histogram of answer times.
const BUCKETS: [Duration; 8] = [
    Duration::from_micros(250),
    Duration::from_millis(1),
    Duration::from_micros(2500),
    Duration::from_millis(10),
    Duration::from_millis(50),
    Duration::from_millis(250),
    Duration::from_secs(1),
    Duration::from_secs(10),
];
const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// Counts requests. Clones share the counters, and counting is a few atomic additions.
#[derive(Clone, Debug, Default)]
pub(crate) struct HttpMetrics(Arc<Counters>);

#[derive(Debug, Default)]
struct Counters {
    in_flight: AtomicU64,
    by_class: [AtomicU64; CLASSES.len()],
    buckets: [AtomicU64; BUCKETS.len()],
    micros: AtomicU64,
}

impl HttpMetrics {
    /// Counts a request and its answer.
    pub(crate) async fn count(
        State(metrics): State<Self>,
        request: Request,
        next: Next,
    ) -> Response {
        let _flight = Flight::begin(&metrics.0);
        let begun = Instant::now();
        let response = next.run(request).await;
        let took = begun.elapsed();
        let class = usize::from(response.status().as_u16() / 100).clamp(1, CLASSES.len()) - 1;
        metrics.0.by_class[class].fetch_add(1, Ordering::Relaxed);
        metrics.0.micros.fetch_add(
            u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
            Ordering::Relaxed,
        );
        if let Some(bucket) = BUCKETS.iter().position(|end| took <= *end) {
            metrics.0.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        }
        response
    }

    fn write(&self, page: &mut String) -> std::fmt::Result {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        head(
            page,
            "hatchery_http_requests_total",
            "counter",
            "Answered requests by class of status.",
        )?;
        let mut total = 0;
        for (class, counter) in std::iter::zip(CLASSES, &self.0.by_class) {
            total += read(counter);
            writeln!(
                page,
                "hatchery_http_requests_total{{class=\"{class}\"}} {}",
                read(counter)
            )?;
        }
        head(
            page,
            "hatchery_http_requests_in_flight",
            "gauge",
            "Requests that are being answered.",
        )?;
        writeln!(
            page,
            "hatchery_http_requests_in_flight {}",
            read(&self.0.in_flight)
        )?;
        let name = "hatchery_http_request_duration_seconds";
        head(
            page,
            name,
            "histogram",
            "Time until the head of the answer.",
        )?;
        let mut below = 0;
        for (end, counter) in std::iter::zip(BUCKETS, &self.0.buckets) {
            below += read(counter);
            writeln!(
                page,
                "{name}_bucket{{le=\"{}\"}} {below}",
                end.as_secs_f64()
            )?;
        }
        writeln!(page, "{name}_bucket{{le=\"+Inf\"}} {total}")?;
        writeln!(
            page,
            "{name}_sum {}",
            Duration::from_micros(read(&self.0.micros)).as_secs_f64()
        )?;
        writeln!(page, "{name}_count {total}")
    }
}

/// A request in flight, which ends even when its client goes away in between.
struct Flight<'a>(&'a Counters);

impl<'a> Flight<'a> {
    fn begin(counters: &'a Counters) -> Self {
        counters.in_flight.fetch_add(1, Ordering::Relaxed);
        Self(counters)
    }
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

pub(super) fn routes() -> Router<Web> {
    Router::new().route("/metrics", get(show))
}

async fn show(
    State(web): State<Web>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    // Behind a proxy on this machine every client comes from loopback, so a forwarded request does
    // not count as local.
    let forwarded = request.headers().contains_key("x-forwarded-for")
        || request.headers().contains_key("forwarded");
    let allowed = match web.0.metrics_access {
        MetricsAccess::Off => false,
        MetricsAccess::Loopback => peer.ip().to_canonical().is_loopback() && !forwarded,
        MetricsAccess::Everybody => true,
    };
    if !allowed {
        let sentence = "Metrics are not open to this address; see the setting metrics.access.\n";
        return (StatusCode::FORBIDDEN, sentence).into_response();
    }
    let mut page = String::new();
    // Writing to a String cannot fail.
    let _ = write_all(&web, &mut page);
    (
        [(
            header::CONTENT_TYPE,
            "text/plain; version=0.0.4; charset=utf-8",
        )],
        page,
    )
        .into_response()
}

fn write_all(web: &Web, page: &mut String) -> std::fmt::Result {
    head(
        page,
        "hatchery_build_info",
        "gauge",
        "The version that runs.",
    )?;
    writeln!(
        page,
        "hatchery_build_info{{version=\"{}\"}} 1",
        env!("CARGO_PKG_VERSION")
    )?;
    web.0.metrics.write(page)?;
    if let Some(bytes) = crate::process::resident_bytes() {
        head(
            page,
            "process_resident_memory_bytes",
            "gauge",
            "Memory in use by this process.",
        )?;
        writeln!(page, "process_resident_memory_bytes {bytes}")?;
    }
    if let Some(seconds) = crate::process::cpu_seconds() {
        head(
            page,
            "process_cpu_seconds_total",
            "counter",
            "Processor time used by this process.",
        )?;
        writeln!(page, "process_cpu_seconds_total {seconds}")?;
    }
    Ok(())
}

fn head(page: &mut String, name: &str, kind: &str, help: &str) -> std::fmt::Result {
    writeln!(page, "# HELP {name} {help}\n# TYPE {name} {kind}")
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use tower::ServiceExt;

    use super::*;

    #[tokio::test]
    async fn requests_are_counted_by_class_and_time() {
        let metrics = HttpMetrics::default();
        let router: Router = Router::new().route("/", get(|| async { "ok" })).layer(
            axum::middleware::from_fn_with_state(metrics.clone(), HttpMetrics::count),
        );
        for path in ["/", "/", "/nowhere"] {
            let request = Request::builder().uri(path).body(Body::empty()).unwrap();
            router.clone().oneshot(request).await.unwrap();
        }
        let mut page = String::new();
        metrics.write(&mut page).unwrap();
        for line in [
            "hatchery_http_requests_total{class=\"2xx\"} 2",
            "hatchery_http_requests_total{class=\"4xx\"} 1",
            "hatchery_http_requests_in_flight 0",
            "hatchery_http_request_duration_seconds_bucket{le=\"+Inf\"} 3",
            "hatchery_http_request_duration_seconds_count 3",
        ] {
            assert!(page.contains(line), "{line} is not in\n{page}");
        }
    }
}
