//! Both engines on one case.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| millrace_differential::targets::target_engines(data));
