//! The state in SQLite, behind one thread that owns the connection.
//!
//! Work is a closure over a transaction. What waits at the same time shares one transaction and so one write to the disk,
//! each piece in a savepoint of its own: an error undoes that piece alone. Nobody gets an answer before the commit.

use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags};
use tokio::sync::oneshot;

use crate::options::Options;
use crate::refusal::{Refusal, Result};

/// Hands work to the thread that owns the connection.
#[derive(Debug, Clone)]
pub(crate) struct Database {
    jobs: mpsc::Sender<Box<dyn Job>>,
}

impl Database {
    /// Opens the file, or memory without one, and starts the thread; it ends with the last handle.
    pub(crate) fn open(options: &Options) -> Result<Self, String> {
        let connection = connect(options).map_err(|error| match &options.data {
            Some(path) => format!("cannot open {} as a SQLite database: {error}", path.display()),
            None => format!("cannot make a database in memory: {error}"),
        })?;
        let (jobs, waiting) = mpsc::channel();
        let thread = thread::Builder::new().name("database".into());
        thread
            .spawn(move || serve(&connection, &waiting))
            .map_err(|error| format!("cannot start a thread: {error}"))?;
        Ok(Self { jobs })
    }

    /// Runs work that may write. If it fails, nothing of it stays.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (answer, answered) = oneshot::channel();
        self.send(Box::new(Work { work: Some(work), result: None, answer: Some(answer), writes: true }))?;
        answered.await.unwrap_or_else(|_| Err(stopped()))
    }

    /// Runs work that only reads.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (answer, answered) = oneshot::channel();
        self.send(Box::new(Work { work: Some(work), result: None, answer: Some(answer), writes: false }))?;
        answered.await.unwrap_or_else(|_| Err(stopped()))
    }

    fn send(&self, job: Box<dyn Job>) -> Result<()> {
        self.jobs.send(job).map_err(|_| stopped())
    }
}

fn stopped() -> Refusal {
    Refusal::internal("the database's thread has stopped")
}

/// Runs a part of a transaction that an error undoes without the rest.
pub(crate) fn savepoint<T, E>(
    connection: &Connection,
    part: impl FnOnce() -> std::result::Result<T, E>,
) -> Result<std::result::Result<T, E>> {
    connection.prepare_cached("SAVEPOINT part")?.execute([])?;
    let result = part();
    if result.is_err() {
        connection.prepare_cached("ROLLBACK TO part")?.execute([])?;
    }
    connection.prepare_cached("RELEASE part")?.execute([])?;
    Ok(result)
}

fn connect(options: &Options) -> rusqlite::Result<Connection> {
    let connection = match &options.data {
        Some(path) => connect_file(path)?,
        None => Connection::open_in_memory()?,
    };
    connection.set_prepared_statement_cache_capacity(128);
    connection.execute_batch(SCHEMA)?;
    connection.execute_batch(&idempotency_table(options))?;
    Ok(connection)
}

/// Other processes may have the same file open.
fn connect_file(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    // An order that was acknowledged must outlive a power cut.
    connection.pragma_update(None, "synchronous", "full")?;
    Ok(connection)
}

/// What makes a repeated request find the first one: the key is unique within its project.
fn idempotency_table(options: &Options) -> String {
    #[cfg(feature = "sabotage")]
    let is_unique = !options.without_unique;
    #[cfg(not(feature = "sabotage"))]
    let is_unique = {
        let _ = options;
        true
    };
    let unique = if is_unique { ", UNIQUE (project, key)" } else { "" };
    format!(
        "CREATE TABLE IF NOT EXISTS idempotency \
         (project INTEGER NOT NULL, key TEXT NOT NULL, fingerprint TEXT NOT NULL, order_number INTEGER{unique}) STRICT"
    )
}

const SCHEMA: &str = include_str!("schema.sql");

/// How long a write waits for another process's.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

fn serve(connection: &Connection, waiting: &mpsc::Receiver<Box<dyn Job>>) {
    while let Ok(first) = waiting.recv() {
        let mut batch = vec![first];
        batch.extend(waiting.try_iter().take(MOST_TOGETHER - 1));
        let committed = if batch.iter().any(|job| job.writes()) {
            together(connection, &mut batch)
        } else {
            batch.iter_mut().for_each(|job| job.run(connection));
            Ok(())
        };
        batch.iter_mut().for_each(|job| job.answer(&committed));
    }
}

/// How many pieces of work share a transaction.
const MOST_TOGETHER: usize = 256;

/// Runs a batch in one transaction; an error means that nothing of it stays.
fn together(connection: &Connection, batch: &mut [Box<dyn Job>]) -> Result<(), String> {
    let mut run = || -> rusqlite::Result<()> {
        connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        batch.iter_mut().for_each(|job| job.run(connection));
        connection.prepare_cached("COMMIT")?.execute([]).map(drop)
    };
    run().map_err(|error| {
        if !connection.is_autocommit()
            && let Err(error) = connection.execute_batch("ROLLBACK")
        {
            tracing::error!(%error, "cannot roll back");
        }
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy) => "the database is held by another process".to_owned(),
            _ => format!("database: {error}"),
        }
    })
}

trait Job: Send {
    fn writes(&self) -> bool;
    fn run(&mut self, connection: &Connection);
    fn answer(&mut self, committed: &Result<(), String>);
}

struct Work<T, F> {
    work: Option<F>,
    result: Option<Result<T>>,
    answer: Option<oneshot::Sender<Result<T>>>,
    writes: bool,
}

impl<T: Send, F: FnOnce(&Connection) -> Result<T> + Send> Job for Work<T, F> {
    fn writes(&self) -> bool {
        self.writes
    }

    fn run(&mut self, connection: &Connection) {
        let Some(work) = self.work.take() else { return };
        let result =
            if self.writes { savepoint(connection, || work(connection)).unwrap_or_else(Err) } else { work(connection) };
        self.result = Some(result);
    }

    fn answer(&mut self, committed: &Result<(), String>) {
        let result = match committed {
            Ok(()) => self.result.take(),
            Err(error) => Some(Err(Refusal::internal(error))),
        };
        if let (Some(answer), Some(result)) = (self.answer.take(), result) {
            let _ = answer.send(result); // nobody waits any more: the client has gone
        }
    }
}
