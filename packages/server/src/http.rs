//! Connections: taken up to a number, timed out when they dawdle, closed in order at the end.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tower_service::Service as _;

use crate::api::Dropped;

/// Serves until `stop` says so, and then until the requests under way have been answered, or for as long as it may take.
pub(crate) async fn serve(listener: TcpListener, router: Router, mut stop: watch::Receiver<bool>) {
    let room = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    let graceful = GracefulShutdown::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stop.wait_for(|stop| *stop) => break,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "cannot take a connection");
                tokio::time::sleep(Duration::from_millis(50)).await; // out of file descriptors, as a rule
                continue;
            }
        };
        // One too many is closed at once: it would wait longer than its client does.
        let Ok(place) = Arc::clone(&room).try_acquire_owned() else { continue };
        let _ = stream.set_nodelay(true);
        let router = router.clone();
        let service = service_fn(move |request| answer(router.clone(), request));
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADER_TIME_OUT)
            .max_buf_size(MOST_HEADER_BYTES)
            .serve_connection(TokioIo::new(stream), service);
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            // Errors are the other side's: a closed connection, a time-out, nonsense.
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection ended");
            }
            drop(place);
        });
    }
    drop(listener);
    let _ = tokio::time::timeout(LONGEST_GOODBYE, graceful.shutdown()).await;
}

async fn answer(mut router: Router, request: Request<Incoming>) -> io::Result<Response<Body>> {
    let response = router.call(request.map(Body::new)).await.unwrap_or_else(|never: Infallible| match never {});
    match response.extensions().get::<Dropped>() {
        Some(Dropped) => Err(io::Error::other("dropped on purpose")), // closes the connection
        None => Ok(response),
    }
}

const MOST_CONNECTIONS: usize = 16_384;

/// How long the head of a request may take, and how long a connection may rest between two.
const HEADER_TIME_OUT: Duration = Duration::from_secs(10);

/// All headers of a request together.
const MOST_HEADER_BYTES: usize = 32 * 1024;

const LONGEST_GOODBYE: Duration = Duration::from_secs(5);
