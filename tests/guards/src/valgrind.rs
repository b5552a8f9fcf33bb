//! The few requests to valgrind that the guards make. Outside of valgrind all of them do nothing.

#![expect(unsafe_code, reason = "a request is a sequence of instructions that valgrind knows")]

/// Whether valgrind runs this program.
pub fn is_here() -> bool {
    request(RUNNING_ON_VALGRIND, 0, 0, 0) > 0
}

/// How many errors valgrind has found so far; one that is found again counts again.
pub fn errors() -> usize {
    request(COUNT_ERRORS, 0, 0, 0)
}

/// From now on these bytes, and whatever is computed from them, must decide nothing: no jump, and no address.
pub fn mark_secret(bytes: &mut [u8]) {
    request(MAKE_MEM_UNDEFINED, bytes.as_mut_ptr() as usize, bytes.len(), 0);
}

/// These bytes may be looked at again.
pub fn mark_public(bytes: &mut [u8]) {
    request(MAKE_MEM_DEFINED, bytes.as_mut_ptr() as usize, bytes.len(), 0);
}

/// Whether each of these bytes depends on a secret.
pub fn is_all_secret(bytes: &[u8]) -> bool {
    let mut secret_bits = vec![0; bytes.len()];
    request(GET_VBITS, bytes.as_ptr() as usize, secret_bits.as_mut_ptr() as usize, bytes.len());
    secret_bits.iter().all(|&bits: &u8| bits != 0)
}

// As in valgrind.h and memcheck.h, where they are part of a stable interface.
const RUNNING_ON_VALGRIND: usize = 0x1001;
const COUNT_ERRORS: usize = 0x1201;
const MEMCHECK: usize = (b'M' as usize) << 24 | (b'C' as usize) << 16;
const MAKE_MEM_UNDEFINED: usize = MEMCHECK + 1;
const MAKE_MEM_DEFINED: usize = MEMCHECK + 2;
const GET_VBITS: usize = MEMCHECK + 8;

/// Asks valgrind; zero where it is not there.
#[cfg(target_arch = "x86_64")]
fn request(request: usize, first: usize, second: usize, third: usize) -> usize {
    let arguments = [request, first, second, third, 0, 0];
    let answer;
    // SAFETY: the rotations add up to two whole turns and the exchange is with itself, so that nothing changes but the
    // flags. Valgrind reads `arguments` and writes the answer; what a request writes to, its caller borrows mutably.
    unsafe {
        std::arch::asm!(
            "rol rdi, 3",
            "rol rdi, 13",
            "rol rdi, 61",
            "rol rdi, 51",
            "xchg rbx, rbx",
            in("rax") &raw const arguments,
            inout("rdx") 0_usize => answer,
        );
    }
    answer
}

/// Asks nobody: the sequence is another one for each architecture.
#[cfg(not(target_arch = "x86_64"))]
fn request(_request: usize, _first: usize, _second: usize, _third: usize) -> usize {
    0
}
