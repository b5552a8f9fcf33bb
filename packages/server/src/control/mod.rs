//! What a test can do to a running sandbox: move its clock, break things on purpose, look inside.

pub(crate) mod faults;
pub(crate) mod holds;
pub(crate) mod journal;
pub(crate) mod plane;

use std::sync::Arc;

use crate::server::Server;

/// What the control plane offers, for tests in the same process.
#[derive(Debug, Clone)]
pub struct Control {
    server: Arc<Server>,
}

impl Control {
    pub(crate) fn new(server: Arc<Server>) -> Self {
        Self { server }
    }
}
