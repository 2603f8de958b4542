//! Any bytes at the gate.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| millrace_differential::targets::target_validate(data));
