//! Prints what the processor has that runs this program, be it a real one or an emulated one: `x86_64 avx2`.

#![expect(clippy::print_stdout, reason = "a program for developers")]

fn main() {
    println!("{}", cardseal_guards::processor());
}
