//! Where webhooks may go.

/// Whether webhooks can be sent to a URL; what is wrong with it otherwise, as the end of a sentence.
pub(crate) fn check_url(url: &str, _private: bool) -> Result<(), String> {
    if url.starts_with("http://") || url.starts_with("https://") {
        Ok(())
    } else {
        Err("has to begin with http:// or https://".to_owned())
    }
}
