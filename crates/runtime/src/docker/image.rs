//! Getting an image.

use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE;
use http::{HeaderName, HeaderValue, Method};
use http_body_util::BodyExt;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::config::Registry;
use super::container;
use super::engine::{Engine, EngineError, NOTHING, encode};
use crate::RuntimeError;

/// How long a pull may take.
const PULL: Duration = Duration::from_mins(15);

/// The longest line of progress that the engine may send.
const MAX_LINE: usize = 64 * 1024;

/// One line of progress.
#[derive(Debug, Deserialize)]
struct Progress {
    #[serde(default)]
    id: String,
    #[serde(default)]
    status: String,
    #[serde(default)]
    progress: String,
    #[serde(default)]
    error: String,
}

/// Makes sure that the engine has the image: pulls it, unless its name starts with `~`. When the
/// pull fails, an image that is there already will do. Lines of progress that nobody takes in time
/// are left out.
pub(super) async fn ensure(
    engine: &Engine,
    registries: &[Registry],
    image: &str,
    progress: &mpsc::Sender<String>,
) -> Result<(), RuntimeError> {
    let name = container::image(image);
    let pulled = if name == image {
        let pull = pull(engine, registries, name, progress);
        tokio::time::timeout(PULL, pull)
            .await
            .unwrap_or(Err(EngineError::TimedOut))
    } else {
        Ok(())
    };
    let here = engine
        .ask::<Value>(
            Method::GET,
            &format!("/images/{}/json", encode(name)),
            NOTHING,
        )
        .await;
    match (pulled, here) {
        (Ok(()), Ok(_)) => Ok(()),
        (Err(error), Ok(_)) => {
            tracing::warn!(image = name, %error, "the image could not be pulled; the local one is used");
            Ok(())
        }
        (Err(error), Err(_)) | (Ok(()), Err(error)) => Err(RuntimeError::Image {
            image: name.to_owned(),
            reason: error.to_string(),
        }),
    }
}

async fn pull(
    engine: &Engine,
    registries: &[Registry],
    name: &str,
    progress: &mpsc::Sender<String>,
) -> Result<(), EngineError> {
    let mut path = format!("/images/create?fromImage={}", encode(name));
    if !has_tag(name) {
        // Without a tag the engine would fetch every tag there is.
        path.push_str("&tag=latest");
    }
    let mut headers = Vec::new();
    if let Some(registry) = registries
        .iter()
        .find(|registry| name.starts_with(&registry.prefix))
    {
        let credentials = json!({"username": registry.username, "password": registry.password});
        let mut value = HeaderValue::try_from(BASE64_URL_SAFE.encode(credentials.to_string()))
            .map_err(|error| EngineError::Malformed(error.to_string()))?;
        value.set_sensitive(true);
        headers.push((HeaderName::from_static("x-registry-auth"), value));
    }
    let mut answer = engine.stream(Method::POST, &path, &headers).await?;
    let mut line = Vec::new();
    while let Some(frame) = answer.frame().await {
        let frame = frame.map_err(|error| EngineError::Malformed(error.to_string()))?;
        for byte in frame.into_data().unwrap_or_default() {
            if byte == b'\n' {
                report(&line, progress)?;
                line.clear();
            } else {
                line.push(byte);
            }
        }
        if line.len() > MAX_LINE {
            return Err(EngineError::Malformed(
                "a line of progress without end".to_owned(),
            ));
        }
    }
    report(&line, progress)
}

/// Passes one line on. Trouble during a pull is told this way too, after a status of 200.
fn report(line: &[u8], progress: &mpsc::Sender<String>) -> Result<(), EngineError> {
    if line.trim_ascii().is_empty() {
        return Ok(());
    }
    let step: Progress =
        serde_json::from_slice(line).map_err(|error| EngineError::Malformed(error.to_string()))?;
    if !step.error.is_empty() {
        return Err(EngineError::Malformed(step.error));
    }
    let parts = [step.id, step.status, step.progress];
    let text = parts
        .iter()
        .filter(|part| !part.is_empty())
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join(" ");
    // A full channel means that the reader is still busy with earlier lines, and a closed one that
    // nobody reads: both may miss some.
    let _ = progress.try_send(text);
    Ok(())
}

/// Whether a name says which image of a repository is meant.
fn has_tag(name: &str) -> bool {
    let last = name.rsplit('/').next().unwrap_or(name);
    last.contains([':', '@'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_no_tag() {
        for (name, tagged) in [
            ("debian", false),
            ("debian:12", true),
            ("registry.example:5000/x/y", false),
            ("registry.example:5000/x/y:z", true),
            ("x@sha256:00", true),
        ] {
            assert_eq!(has_tag(name), tagged, "{name}");
        }
    }

    #[test]
    fn progress_is_one_line_and_trouble_an_error() {
        let (sender, mut receiver) = mpsc::channel(1);
        report(
            br#"{"status":"Downloading","id":"ab12","progress":"[=> ] 1MB"}"#,
            &sender,
        )
        .unwrap();
        assert_eq!(receiver.try_recv().unwrap(), "ab12 Downloading [=> ] 1MB");
        report(b" \r", &sender).unwrap();
        let error = report(br#"{"error":"manifest unknown"}"#, &sender).unwrap_err();
        assert!(error.to_string().contains("manifest unknown"));
        assert!(report(b"<html>", &sender).is_err());
    }
}
