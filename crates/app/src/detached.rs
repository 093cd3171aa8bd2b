//! Work that must not stop halfway because whoever asked for it went away.

/// Runs the work to its end, even if the caller is cancelled.
pub(crate) async fn to_the_end<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
) -> T {
    match tokio::spawn(work).await {
        Ok(done) => done,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime is going down, and the caller with it.
            Err(_) => std::future::pending().await,
        },
    }
}
