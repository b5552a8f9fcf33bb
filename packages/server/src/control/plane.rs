//! The control plane over HTTP.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;

use crate::server::Server;

/// The routes of the control plane.
pub(crate) fn router(_server: &Arc<Server>, _address: SocketAddr, _token: &str) -> Router {
    Router::new()
}
