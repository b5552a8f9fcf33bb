//! What stands before a server's own code: a tower layer that opens requests and seals answers, a receiver of webhooks, and
//! the pieces that both are made of.

mod layer;
mod reading;
mod records;
#[cfg(feature = "redis")]
mod redis;
mod store;
mod webhooks;

pub use layer::{Access, Opened, SealLayer, SealService};
pub use reading::{BODY_TIME_OUT, PlainAnswer, endpoint, only_header, read_body};
pub use records::{IdempotencyStore, SharedIdempotencyStore};
#[cfg(feature = "redis")]
pub use redis::{RedisError, RedisReplayStore};
pub use store::{ClaimStore, SharedReplayStore};
pub use webhooks::{MemoryWebhookStore, WEBHOOK_LEASE, WEBHOOK_TTL, WebhookReceiver, WebhookState, WebhookStore};
