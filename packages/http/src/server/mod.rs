//! What stands before a server's own code: a tower layer that opens requests and seals answers, and the pieces that it is
//! made of.

mod layer;
mod reading;
#[cfg(feature = "redis")]
mod redis;
mod store;

pub use layer::{Access, Opened, SealLayer, SealService};
pub use reading::{BODY_TIME_OUT, PlainAnswer, endpoint, only_header, read_body};
#[cfg(feature = "redis")]
pub use redis::{RedisError, RedisReplayStore};
pub use store::{ClaimStore, SharedReplayStore};
