//! Debian's redis-server on a free port of loopback, stopped at the end.

#![allow(clippy::unwrap_used, clippy::panic, reason = "for tests: they stop at what they do not expect")]

use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

/// A redis-server that is running, until it is dropped.
#[derive(Debug)]
pub struct Redis {
    process: Child,
    /// Where it listens.
    pub port: u16,
}

impl Redis {
    /// Starts one; `None` where it is not installed.
    pub fn start(options: &[&str]) -> Option<Self> {
        // In a statement of its own: the listener has to be gone before the server comes.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        Self::start_on(port, options)
    }

    /// The same on a port, for one that comes again.
    pub fn start_on(port: u16, options: &[&str]) -> Option<Self> {
        let process = Command::new("redis-server")
            .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
            .args(options)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let redis = Self { process, port };
        for _ in 0..200 {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return Some(redis);
            }
            sleep(Duration::from_millis(20));
        }
        panic!("redis-server does not answer");
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }

    /// Sends its process a signal, such as `-STOP`.
    pub fn signal(&self, name: &str) {
        let told = Command::new("kill").args([name, &self.process.id().to_string()]).status().unwrap();
        assert!(told.success());
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
