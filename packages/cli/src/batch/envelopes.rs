//! The envelopes that lines ask for, each made once.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use cardseal::{Envelope, Layout};

use crate::arguments::Common;
use crate::failure::Failure;
use crate::key::Secret;

/// What a line says about its envelope; the command line says the rest.
#[derive(PartialEq, Eq, Hash)]
pub(super) struct Choice {
    pub(super) key: Option<KeyChoice>,
    pub(super) open_secrets: Option<Vec<String>>,
    pub(super) open_keys: Option<Vec<Vec<u8>>>,
    pub(super) layout: Option<Layout>,
    pub(super) max_bytes: Option<usize>,
}

#[derive(PartialEq, Eq, Hash)]
pub(super) enum KeyChoice {
    Secret(String),
    Key(Vec<u8>),
}

pub(super) struct Envelopes<'c> {
    common: &'c Common,
    secret: Option<Secret>,
    open_secrets: Vec<Secret>,
    made: HashMap<Choice, Envelope>,
}

impl<'c> Envelopes<'c> {
    /// Takes over the secrets of the command line and the environment, if there are any.
    pub(super) fn new(common: &'c Common) -> Result<Self, Failure> {
        let (secret, open_secrets) = (common.secret()?, common.open_secrets()?);
        // Wrong options are told at once, not with the first line that needs them.
        common.envelope_of(secret.as_deref().map_or("placeholder", String::as_str), &open_secrets)?;
        Ok(Self { common, secret, open_secrets, made: HashMap::new() })
    }

    /// Layout and largest body of a line that may have no key.
    pub(super) fn without_key(&self, choice: &Choice) -> (Layout, usize) {
        (choice.layout.unwrap_or(self.common.layout.into()), choice.max_bytes.unwrap_or(self.common.max_bytes))
    }

    pub(super) fn get(&mut self, choice: Choice) -> Result<&Envelope, Failure> {
        self.get_if_keyed(choice)?.ok_or_else(|| {
            Failure::usage("there is no secret: give `secret` or `key_hex`, or set CARDSEAL_SECRET for the process")
        })
    }

    /// The envelope, or none where neither the line nor the process has a secret.
    pub(super) fn get_if_keyed(&mut self, choice: Choice) -> Result<Option<&Envelope>, Failure> {
        if choice.key.is_none() && self.secret.is_none() {
            return Ok(None);
        }
        if self.made.len() >= MAX_MADE {
            self.made.clear();
        }
        let Self { common, secret, open_secrets, made } = self;
        match made.entry(choice) {
            Entry::Occupied(envelope) => Ok(Some(envelope.into_mut())),
            Entry::Vacant(vacant) => {
                let envelope = make(common, secret.as_deref().map(String::as_str), open_secrets, vacant.key())?;
                Ok(Some(vacant.insert(envelope)))
            }
        }
    }
}

/// Lines with ever new secrets must not fill the memory.
const MAX_MADE: usize = 1024;

fn make(common: &Common, secret: Option<&str>, open_secrets: &[Secret], choice: &Choice) -> Result<Envelope, Failure> {
    let Choice { key, open_secrets: own, open_keys, layout, max_bytes } = choice;
    let mut builder = Envelope::builder()
        .layout(layout.unwrap_or(common.layout.into()))
        .max_bytes(max_bytes.unwrap_or(common.max_bytes));
    builder = match (key, secret) {
        (Some(KeyChoice::Secret(secret)), _) => builder.secret(secret),
        (Some(KeyChoice::Key(key)), _) => builder.key(key),
        (None, Some(secret)) => builder.secret(secret),
        (None, None) => builder,
    };
    // The older secrets of the process belong to the secret of the process.
    match own {
        Some(own) => builder = own.iter().fold(builder, |builder, older| builder.open_secret(older)),
        None if key.is_none() => {
            builder = open_secrets.iter().fold(builder, |builder, older| builder.open_secret(older));
        }
        None => {}
    }
    builder = open_keys.iter().flatten().fold(builder, |builder, older| builder.open_key(older));
    Ok(builder.build()?)
}
