//! Any bytes as a package's files.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| millrace_differential::targets::target_archive(data));
