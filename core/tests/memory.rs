//! What the core allocates, and what it leaves behind: measured by an allocator that counts, and looks into every block
//! that is given back.

#![expect(clippy::unwrap_used, reason = "tests")]
#![expect(unsafe_code, reason = "an allocator is unsafe by nature")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use cardseal::{Envelope, Timestamp, Window, hazmat};
#[cfg(feature = "writer")]
use cardseal::{RequestOptions, binding};

#[global_allocator]
static ALLOCATOR: Watching = Watching;

struct Watching;

thread_local! {
    static CURRENT: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
    static LARGE: Cell<usize> = const { Cell::new(0) };
    static LARGE_FROM: Cell<usize> = const { Cell::new(usize::MAX) };
    static LEFT_BEHIND: Cell<usize> = const { Cell::new(0) };
    static LOOKING: Cell<bool> = const { Cell::new(false) };
}

/// What no block may hold when it is given back.
const MARK: &[u8] = b"4111-1111-PLAINTEXT";

fn grew(size: usize) {
    CURRENT.set(CURRENT.get() + size as isize);
    PEAK.set(PEAK.get().max(CURRENT.get()));
    if size >= LARGE_FROM.get() {
        LARGE.set(LARGE.get() + 1);
    }
}

fn look(block: *const u8, size: usize) {
    if LOOKING.get() {
        // SAFETY: the block is still allocated, and was zeroed when it was.
        let bytes = unsafe { std::slice::from_raw_parts(block, size) };
        LEFT_BEHIND.set(LEFT_BEHIND.get() + usize::from(bytes.windows(MARK.len()).any(|window| window == MARK)));
    }
}

// SAFETY: every call goes to the system's allocator as it came, but that memory comes zeroed.
unsafe impl GlobalAlloc for Watching {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        grew(layout.size());
        // SAFETY: the caller's layout.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        look(block, layout.size());
        CURRENT.set(CURRENT.get() - layout.size() as isize);
        // SAFETY: the caller's block and layout.
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        look(block, layout.size());
        CURRENT.set(CURRENT.get() - layout.size() as isize);
        grew(size);
        // SAFETY: the caller's block, layout and size.
        let grown = unsafe { System.realloc(block, layout, size) };
        if size > layout.size() && !grown.is_null() {
            // SAFETY: the bytes beyond the old size belong to the grown block.
            unsafe { grown.add(layout.size()).write_bytes(0, size - layout.size()) };
        }
        grown
    }
}

/// The most that was allocated at once during a call, beyond what was before.
fn peak<T>(call: impl FnOnce() -> T) -> (usize, T) {
    let before = CURRENT.get();
    PEAK.set(before);
    let result = call();
    ((PEAK.get() - before) as usize, result)
}

/// How many blocks of at least `size` bytes a call asks for.
fn large_blocks<T>(size: usize, call: impl FnOnce() -> T) -> usize {
    LARGE.set(0);
    LARGE_FROM.set(size);
    drop(call());
    LARGE_FROM.set(usize::MAX);
    LARGE.get()
}

/// How many blocks a call gives back with the mark in them.
fn left_behind<T>(call: impl FnOnce() -> T) -> usize {
    LEFT_BEHIND.set(0);
    LOOKING.set(true);
    drop(call());
    LOOKING.set(false);
    LEFT_BEHIND.get()
}

fn envelope() -> Envelope {
    Envelope::builder().secret("a secret of mine").open_secret("an older one").max_bytes(64 << 20).build().unwrap()
}

fn stamp() -> Timestamp {
    Timestamp::from_micros(1_700_000_000_000_000).unwrap()
}

fn seal(json: &str) -> cardseal::Result<String> {
    hazmat::seal_json(&envelope(), json, stamp(), &[7; 24])
}

#[test]
fn sealing_takes_one_working_buffer_and_the_output() {
    let payload = format!("{{\"blob\":\"{}\"}}", "x".repeat(1 << 20));
    assert_eq!(large_blocks(1 << 16, || seal(&payload).unwrap()), 2);
    let (bytes, body) = peak(|| seal(&payload).unwrap());
    assert!(bytes <= payload.len() + body.len() + 4_096, "{bytes} for a body of {}", body.len());
}

#[test]
fn opening_takes_one_buffer_that_becomes_the_plaintext() {
    let payload = format!("{{\"blob\":\"{}\"}}", "x".repeat(1 << 20));
    let body = seal(&payload).unwrap();
    let envelope = envelope();
    assert_eq!(large_blocks(1 << 16, || envelope.open_request(&body, stamp(), Window::MAX).unwrap()), 1);
    let (bytes, _) = peak(|| envelope.open_json(&body).unwrap());
    assert!(bytes <= payload.len() + 4_096, "{bytes} for a payload of {}", payload.len());
}

#[test]
fn no_input_takes_more_than_three_times_its_size() {
    const SIZE: usize = 2 << 20;
    let distinct = |count: usize| (0..count).map(|index| format!("\"{index:x}\":0")).collect::<Vec<_>>().join(",");
    let hostile = [
        ("brackets", "[".repeat(SIZE)),
        ("unicode escapes", "\"\\u".repeat(SIZE / 3)),
        ("one repeated name", format!("{{{}\"\":0}}", "\"\":0,".repeat(SIZE / 5))),
        ("distinct names", format!("{{{}}}", distinct(SIZE / 10))),
        ("reversed names", format!("{{{}}}", distinct(SIZE / 10).split(',').rev().collect::<Vec<_>>().join(","))),
        ("small objects", format!("[{}{{}}]", "{\"b\":0,\"a\":0},".repeat(SIZE / 14))),
        ("escaped names", format!("{{\"\\u0061\":0{}}}", ",\"\\u0062\":0".repeat(SIZE / 11))),
        ("numbers", format!("[{}0]", "0,".repeat(SIZE / 2))),
        ("invalid utf-8 as text", "\u{fffd}".repeat(SIZE / 3)),
        ("escaped slashes", format!("{{\"encrypted\":\"{}\"}}", "\\/".repeat(SIZE / 2))),
    ];
    let envelope = envelope();
    for (name, text) in &hostile {
        let sealed = hazmat::encrypt(&envelope, text.as_bytes(), &[7; 24]).unwrap();
        let body = format!("{{\"encrypted\":\"{sealed}\"}}");
        let open_request = || envelope.open_request(&body, stamp(), Window::MAX).map(drop);
        let calls: [(&str, usize, &dyn Fn() -> bool); 7] = [
            ("check", text.len(), &|| cardseal::json::check(text).is_ok()),
            ("seal", text.len(), &|| seal(text).is_ok()),
            ("canonical", text.len(), &|| cardseal::canonical_json(text).is_ok()),
            ("fingerprint", text.len(), &|| cardseal::fingerprint("/cards/get", text).is_ok()),
            ("open as body", text.len(), &|| envelope.open_json(text).is_ok()),
            ("open_request", body.len(), &|| open_request().is_ok()),
            ("open_response", text.len(), &|| envelope.open_response_json(500, text, None).is_ok()),
        ];
        for (call, size, run) in calls {
            let (bytes, _) = peak(run);
            assert!(bytes <= 3 * size + 4_096, "{call} of {name}: {bytes} for {size}");
        }
    }
    let garbage = vec![0xff; SIZE];
    let (bytes, _) = peak(|| envelope.open_response_json(500, &garbage, None).is_ok());
    assert!(bytes <= 3 * SIZE + 4_096, "{bytes} for {SIZE} bytes that are no text");
}

#[test]
fn the_table_of_names_stays_small_at_every_size() {
    // Tables grow in steps: what counts is the text that has just made them grow.
    for members in (64..4_000).chain((4_000..200_000).step_by(611)) {
        let text = format!("{{{}\"\":0}}", "\"\":0,".repeat(members));
        let (bytes, _) = peak(|| cardseal::canonical_json(&text).is_ok());
        assert!(bytes <= 3 * text.len() + 4_096, "{bytes} for {members} members");
    }
}

#[test]
fn no_block_is_given_back_with_plaintext_in_it() {
    let envelope = envelope();
    let mark = std::str::from_utf8(MARK).unwrap();
    let payload = format!("{{\"card\":\"{mark}\",\"{mark}\\n\":0,\"note\":\"{mark}\\n\"}}");
    let control = left_behind(|| payload.clone());
    assert_eq!(control, 1, "the allocator sees what is left behind");

    let sealed = |text: &str| hazmat::seal_response_json(&envelope, text, &[7; 24]).unwrap();
    assert_eq!(left_behind(|| seal(&payload)), 0, "sealing");
    assert_eq!(left_behind(|| seal(&format!("{{\"encrypted\":\"{}", "x".repeat(100)))), 0, "not sealing");
    let body = sealed(&payload);
    assert_eq!(left_behind(|| envelope.open_json(&body).unwrap()), 0, "opening");
    assert_eq!(left_behind(|| envelope.open_request(&body, stamp(), Window::MAX).unwrap_err()), 0, "no timestamp");
    assert_eq!(left_behind(|| envelope.open_webhook(&body).unwrap()), 0, "a webhook");
    let array = sealed(&format!("[\"{mark}\"]"));
    assert_eq!(left_behind(|| envelope.open_webhook(&array).unwrap_err()), 0, "no object");
    for broken in [MARK.to_vec(), [MARK, b"\xff"].concat()] {
        let field = hazmat::encrypt(&envelope, &broken, &[7; 24]).unwrap();
        let body = format!("{{\"encrypted\":\"{field}\"}}");
        assert_eq!(left_behind(|| envelope.open_json(&body).unwrap_err()), 0, "no JSON");
    }
    assert_eq!(left_behind(|| envelope.open_response_json(422, &body, None).unwrap_err()), 0, "an API error");
    #[cfg(feature = "writer")]
    {
        let written = |json: &str| {
            let mut writer = cardseal::json::Writer::with_capacity(0);
            writer.begin_object().unwrap();
            for (name, value) in [("card", mark), ("request_timestamp", json), ("note", "\n4111-1111-PLAINTEXT\n")] {
                writer.name(name);
                writer.string(value);
            }
            writer.end_object();
            writer
        };
        assert_eq!(left_behind(|| written("5")), 0, "a writer that is given up");
        let literal = || Box::new(cardseal::json::NameLiteral::new(mark).unwrap());
        assert_eq!(left_behind(literal), 0, "a name that is ready to be written");
        assert_eq!(
            left_behind(|| binding::seal(&envelope, written("5").into()).unwrap()),
            0,
            "sealing where it was written"
        );
        let long = mark.repeat(9); // a stamp takes less room: text before it moves forward
        let head = || binding::RequestHead::new("/cards/get", &RequestOptions::new("key_1")).unwrap();
        let restamped = || binding::seal_request(&envelope, head(), written(&long).into()).unwrap();
        assert_eq!(left_behind(restamped), 0, "a stamp in the place of a longer text");
    }
    #[cfg(feature = "serde")]
    {
        let parts: Vec<String> = (0..100).map(|part| format!("{mark}{part}")).collect();
        assert_eq!(left_behind(|| envelope.seal_response(&parts).unwrap()), 0, "a typed payload");
        let body = sealed(&serde_json::to_string(&parts).unwrap());
        assert_eq!(left_behind(|| envelope.open::<u8>(&body).unwrap_err()), 0, "a payload of another type");
    }
}

/// A thread keeps the buffer of its last payload, but a large one only until it seals a small one.
#[cfg(all(feature = "serde", feature = "std"))]
#[test]
fn a_large_buffer_is_kept_only_while_it_is_needed() {
    let (envelope, size) = (envelope(), 1 << 20);
    let large = "x".repeat(size);
    let held_after = |text: &str| {
        let before = CURRENT.get();
        drop(envelope.seal_response(text).unwrap());
        CURRENT.get() - before
    };
    let size = size as isize;
    assert!(held_after(&large) >= size, "the buffer of the first");
    assert!(held_after(&large).abs() < size / 8, "the second needs no other");
    assert!(held_after("small") <= -size, "the third gives it back");
    assert!(held_after("small") < 8_192, "the fourth takes little");
    let huge = "x".repeat(8 << 20);
    assert!(held_after(&huge).abs() < size, "nobody keeps that much");
}
