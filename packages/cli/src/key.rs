//! From the command line and the environment to an envelope.

use std::env;
use std::io::{self, IsTerminal as _};
use std::path::Path;

use cardseal::Envelope;
use zeroize::Zeroizing;

use crate::arguments::Common;
use crate::failure::{Failure, quoted};
use crate::input;

/// A secret on its way to becoming a key: wiped when dropped.
pub(crate) type Secret = Zeroizing<String>;

impl Common {
    /// The envelope that a command needs; whoever sits at a terminal is asked for the secret if nothing else has it.
    pub(crate) fn envelope(&self) -> Result<Envelope, Failure> {
        let secret = match self.secret()? {
            Some(secret) => secret,
            None => ask()?,
        };
        self.envelope_of(&secret, &self.open_secrets()?)
    }

    /// The envelope of a secret, with the options of the command line.
    pub(crate) fn envelope_of(&self, secret: &str, open_secrets: &[Secret]) -> Result<Envelope, Failure> {
        let builder = Envelope::builder().secret(secret).layout(self.layout.into()).max_bytes(self.max_bytes);
        Ok(open_secrets.iter().fold(builder, |builder, older| builder.open_secret(older)).build()?)
    }

    /// The secret that is there without asking anybody.
    pub(crate) fn secret(&self) -> Result<Option<Secret>, Failure> {
        match &self.secret_file {
            Some(file) => read_secret(file).map(Some),
            None => Ok(variable("CARDSEAL_SECRET")?.map(Zeroizing::new)),
        }
    }

    pub(crate) fn open_secrets(&self) -> Result<Vec<Secret>, Failure> {
        self.open_secret_file.iter().map(|file| read_secret(file)).collect()
    }
}

/// The API key of a command line or the environment.
pub(crate) fn api_key(argument: Option<&str>) -> Result<String, Failure> {
    let key = match argument {
        Some(key) => Some(key.to_owned()),
        None => variable("CARDSEAL_API_KEY")?,
    };
    key.ok_or_else(|| Failure::usage("there is no API key: use --api-key, or set CARDSEAL_API_KEY"))
}

/// An environment variable; an empty one is none.
pub(crate) fn variable(name: &str) -> Result<Option<String>, Failure> {
    let value = env::var_os(name).filter(|value| !value.is_empty());
    let not_utf8 = |_| Failure::usage(format!("{name} is not UTF-8 text"));
    value.map(|value| value.into_string().map_err(not_utf8)).transpose()
}

fn read_secret(file: &Path) -> Result<Secret, Failure> {
    let shown = quoted(&file.to_string_lossy());
    if input::named(Some(file)).is_none() {
        return Err(Failure::usage("a secret is not read from standard input: name a file, /dev/fd/3 for example"));
    }
    let bytes = input::read_one_more(Some(file), MAX_SECRET_BYTES)?;
    if bytes.len() > MAX_SECRET_BYTES {
        return Err(Failure::unusable(format!("{shown} is no secret: it has more than {MAX_SECRET_BYTES} bytes")));
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        drop(Zeroizing::new(error.into_bytes()));
        Failure::unusable(format!("{shown} is no secret: it is not UTF-8 text"))
    });
    let text = Zeroizing::new(text?);
    let without_newline = text.strip_suffix('\n').map(|text| text.strip_suffix('\r').unwrap_or(text));
    Ok(Zeroizing::new(without_newline.unwrap_or(&text).to_owned()))
}

const MAX_SECRET_BYTES: usize = 64 * 1024;

/// Asks for the secret at the terminal itself, so that standard input stays free for what is to be sealed or opened.
fn ask() -> Result<Secret, Failure> {
    let missing = || Failure::usage("there is no secret: use --secret-file, or set CARDSEAL_SECRET");
    if !io::stderr().is_terminal() {
        return Err(missing());
    }
    let answer = rpassword::prompt_password("API secret (not shown): ").map_err(|_| missing())?;
    Ok(Zeroizing::new(answer))
}
