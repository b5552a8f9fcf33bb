//! Vectors of WebAssembly: bytes in, bytes out.
//!
//! Small code is not unrolled: what works on these spells out each step.

use core::arch::wasm32::{u64x2, u64x2_extract_lane, v128};

/// Sixteen bytes as a vector, the first one in its lowest lane.
pub(crate) fn load(bytes: &[u8; 16]) -> v128 {
    let bits = u128::from_le_bytes(*bytes);
    u64x2(bits as u64, (bits >> 64) as u64)
}

/// A vector as sixteen bytes.
pub(crate) fn store(vector: v128) -> [u8; 16] {
    let [low, high] = [u64x2_extract_lane::<0>(vector), u64x2_extract_lane::<1>(vector)];
    (u128::from(low) | u128::from(high) << 64).to_le_bytes()
}
