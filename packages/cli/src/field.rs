//! `cardseal encrypt` and `cardseal decrypt`: the field alone, whatever it holds.

use crate::arguments::{Common, Input};
use crate::failure::{Failure, Stop};
use crate::{input, output};

pub(crate) fn encrypt(common: &Common, Input { file }: &Input) -> Result<(), Stop> {
    let envelope = common.envelope()?;
    let message = input::read(file.as_deref(), envelope.max_bytes())?;
    output::write_line(&envelope.encrypt(&message)?)
}

pub(crate) fn decrypt(common: &Common, Input { file }: &Input) -> Result<(), Stop> {
    let envelope = common.envelope()?;
    let text = input::read(file.as_deref(), envelope.max_bytes())?;
    // What is no UTF-8 is no base64 either: it is the decoder that says so.
    let text = String::from_utf8_lossy(&text);
    let field = text.strip_suffix('\n').map_or(&*text, |field| field.strip_suffix('\r').unwrap_or(field));
    let message = envelope.decrypt(field).map_err(|error| {
        let failure = Failure::from(error);
        if field.trim_start().starts_with('{') {
            failure.hinting("; this is a whole body, which `cardseal open` takes")
        } else {
            failure
        }
    })?;
    output::write(&[&message])
}
