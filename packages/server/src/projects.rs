//! Who may call: projects by API key, each with its envelope.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use cardseal::{Envelope, RequestOptions};
use rusqlite::Connection;

use crate::ids::{Ids, hex, random};
use crate::money::Money;
use crate::options::{Options, Project as ProjectOptions};
use crate::refusal::{Refusal, Result};

/// How large a request's body may be: 1 MiB.
pub(crate) const MAX_BODY_BYTES: usize = 1 << 20;

/// A project that is set up.
pub(crate) struct Project {
    pub(crate) number: i64,
    pub(crate) api_key: String,
    /// Kept for whoever started the sandbox to be told.
    pub(crate) secret: String,
    pub(crate) envelope: Envelope,
    pub(crate) has_access: bool,
}

/// All projects; they do not change while the server runs.
pub(crate) struct Projects {
    by_key: HashMap<String, Arc<Project>>,
    first: Arc<Project>,
}

impl fmt::Debug for Projects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Projects({})", self.by_key.len()) // keys are nobody's business
    }
}

impl Projects {
    /// The projects that were asked for.
    ///
    /// # Errors
    /// One line for a key or secret that cannot be used.
    pub(crate) fn new(rows: &[(i64, ProjectOptions)]) -> Result<Self, String> {
        let mut by_key = HashMap::new();
        let mut first = None;
        for (number, ProjectOptions { api_key, secret, has_access }) in rows {
            // The core's own check of a key, by its own words.
            let sealed = |envelope: &Envelope| {
                envelope.seal_request_json("/project/balance", "{}", &RequestOptions::new(api_key)).map(drop)
            };
            let envelope = Envelope::builder().secret(secret).max_bytes(MAX_BODY_BYTES).build();
            let envelope = envelope.and_then(|envelope| sealed(&envelope).map(|()| envelope));
            let envelope = envelope.map_err(|error| error.message().to_owned())?;
            let project = Arc::new(Project {
                number: *number,
                api_key: api_key.clone(),
                secret: secret.clone(),
                envelope,
                has_access: *has_access,
            });
            by_key.insert(api_key.clone(), Arc::clone(&project));
            first.get_or_insert(project);
        }
        let first = first.ok_or("there is no project")?;
        Ok(Self { by_key, first })
    }

    /// The one that whoever starts the server is told of.
    pub(crate) fn first(&self) -> &Arc<Project> {
        &self.first
    }

    pub(crate) fn by_key(&self, api_key: &str) -> Option<&Arc<Project>> {
        self.by_key.get(api_key)
    }

    /// Their numbers in the database.
    pub(crate) fn numbers(&self) -> impl Iterator<Item = i64> {
        self.by_key.values().map(|project| project.number)
    }

    pub(crate) fn by_number(&self, number: i64) -> Option<&Arc<Project>> {
        self.by_key.values().find(|project| project.number == number)
    }
}

/// Writes the projects that are new, and gives all with their numbers: those asked for, else those in the file, else one
/// that is made up.
pub(crate) fn set_up(tx: &Connection, options: &Options, ids: Ids) -> Result<Vec<(i64, ProjectOptions)>> {
    let mut wanted = options.projects.clone();
    if wanted.is_empty() {
        let mut kept = tx.prepare("SELECT api_key, secret, has_access FROM projects ORDER BY id")?;
        let rows = kept.query_map([], |row| {
            Ok(ProjectOptions { api_key: row.get(0)?, secret: row.get(1)?, has_access: row.get(2)? })
        })?;
        wanted = rows.collect::<rusqlite::Result<_>>()?;
    }
    if wanted.is_empty() {
        wanted.push(made_up(ids)?);
    }
    let balance = Money::parse(&options.balance)
        .ok_or_else(|| Refusal::internal("the balance has to be a decimal such as 1000.00"))?;
    wanted.into_iter().map(|project| Ok((register(tx, &project, balance, ids)?, project))).collect()
}

/// Puts every wallet back to where it began.
pub(crate) fn refill(tx: &Connection, options: &Options) -> Result<()> {
    let balance = Money::parse(&options.balance).unwrap_or(Money::ZERO);
    tx.prepare_cached("UPDATE projects SET balance = ?1")?.execute([balance])?;
    Ok(())
}

fn made_up(ids: Ids) -> Result<ProjectOptions> {
    let secret = match ids.seed {
        Some(_) => ids.hex("secret", 0, 24)?,
        None => hex(&random::<24>()?),
    };
    Ok(ProjectOptions::new(ids.id("key", 0)?, format!("sandbox_{secret}")))
}

/// The number of a project; it is new, or has the same secret as before.
fn register(tx: &Connection, project: &ProjectOptions, balance: Money, ids: Ids) -> Result<i64> {
    let ProjectOptions { api_key, secret, has_access } = project;
    tx.execute(
        "INSERT OR IGNORE INTO projects (api_key, secret, has_access, balance, wallet) VALUES (?1, ?2, ?3, ?4, '')",
        (api_key, secret, has_access, balance),
    )?;
    let number =
        tx.query_row("SELECT id FROM projects WHERE api_key = ?1 AND secret = ?2", (api_key, secret), |row| row.get(0));
    let number = number.map_err(|_| {
        Refusal::internal("a project's API key and secret belong together, and to no other: one of them is taken")
    })?;
    // An address that nobody takes for a real one.
    let wallet = format!("TSandbox{}", ids.hex("wallet", number, 13)?);
    tx.execute("UPDATE projects SET has_access = ?2 WHERE id = ?1", (number, has_access))?;
    tx.execute("UPDATE projects SET wallet = ?2 WHERE id = ?1 AND wallet = ''", (number, wallet))?;
    Ok(number)
}
