//! Any bytes as an effect's request.

#![no_main]

libfuzzer_sys::fuzz_target!(
	|data: &[u8]| millrace_differential::targets::target_http_request(data)
);
