//! Names for what is created: random, or made from a seed so that a run can be repeated.

use sha2::{Digest, Sha256};

use crate::refusal::Refusal;

/// Makes ids.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ids {
    pub(crate) seed: Option<u64>,
}

impl Ids {
    /// The id of the thing with a number, which is unique within the database.
    pub(crate) fn id(self, prefix: &str, number: i64) -> Result<String, Refusal> {
        Ok(format!("{prefix}_{}", self.hex(prefix, number, 12)?))
    }

    /// So many bytes in hexadecimal that belong to a name and a number.
    pub(crate) fn hex(self, name: &str, number: i64, bytes: usize) -> Result<String, Refusal> {
        let digest: [u8; 32] = match self.seed {
            Some(seed) => Sha256::digest(format!("{seed}/{name}/{number}")).into(),
            None => random()?,
        };
        Ok(hex(digest.get(..bytes).unwrap_or(&digest)))
    }

    /// A number below a limit that belongs to a name and a number: for chances.
    pub(crate) fn below(self, name: &str, number: i64, limit: u64) -> Result<u64, Refusal> {
        let text = self.hex(name, number, 7)?; // 56 bits
        Ok(u64::from_str_radix(&text, 16).unwrap_or_default() % limit.max(1))
    }
}

/// Random bytes from the operating system.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], Refusal> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| Refusal::internal(format!("no random bytes: {error}")))?;
    Ok(bytes)
}

/// Bytes in hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        text.extend([byte >> 4, byte & 15].map(|digit| char::from_digit(digit.into(), 16).unwrap_or_default()));
        text
    })
}
