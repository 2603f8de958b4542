//! The vectors of RandomX's own tests, however programs run and wherever memory comes from.

use hex_literal::hex;
use millrace_randomx::{allowed, Cache, Code, Machine, Options, Pages};

const FIRST_KEY: &[u8] = b"test key 000";
const SECOND_KEY: &[u8] = b"test key 001";
/// Upstream passes 32 bytes, the last of which its helper leaves out.
const THIRD_KEY: [u8; 31] = hex!("7797373ea4633194640bf8d8c3b66724d6aa7bd2dc20e009df2f8f1710abe8");

const TEST: &[u8] = b"This is a test";
const LOREM: &[u8] = b"Lorem ipsum dolor sit amet";
const SED: &[u8] = b"sed do eiusmod tempor incididunt ut labore et dolore magna aliqua";

const TEST_HASH: [u8; 32] =
	hex!("639183aae1bf4c9a35884cb46b09cad9175f04efd7684e7262a0ac1c2f0b4e3f");
const LOREM_HASH: [u8; 32] =
	hex!("300a0adb47603dedb42228ccb2b211104f4da45af709cd7547cd049e9489c969");
const SED_HASH: [u8; 32] = hex!("c36d4ed4191e617309867ed66a443be4075014e2b061bcdaf9ce7b721d2b77a8");

fn machine(key: &[u8], code: Code, pages: Pages) -> Machine {
	let cache = Cache::new(key, Options { code, pages }).expect("a cache fits");
	assert_eq!(cache.code(), code.at_most(allowed()));
	assert!(cache.pages() <= pages);
	Machine::light(cache).expect("a machine fits")
}

/// "Hash test 1a" to "1f", and "2a" to "2f" with compiled programs.
fn every_vector(code: Code) {
	let mut machine = machine(FIRST_KEY, code, Pages::Reserved);
	assert_eq!(machine.hash(TEST), TEST_HASH, "a, {code:?}");
	assert_eq!(machine.hash(LOREM), LOREM_HASH, "b, {code:?}");
	assert_eq!(machine.hash(SED), SED_HASH, "c, {code:?}");

	let mut machine = self::machine(SECOND_KEY, code, Pages::Reserved);
	assert_eq!(
		machine.hash(SED),
		hex!("e9ff4503201c0c2cca26d285c93ae883f9b1d30c9eb240b820756f2d5a7905fc"),
		"d, {code:?}",
	);
	let header = hex!(
		"0b0b98bea7e805e0010a2126d287a2a0cc833d312cb786385a7c2f9de69d25537f584a9bc9977b00000000666f"
		"d8753bf61a8631f12984e3fd44f4014eca629276817b56f32e9b68bd82f416"
	);
	assert_eq!(
		machine.hash(&header),
		hex!("c56414121acda1713c2f2a819d8ae38aed7c80c35c2a769298d34f03833cd5f1"),
		"e, {code:?}",
	);

	// An edge case of the instruction ISUB_R.
	let mut machine = self::machine(&THIRD_KEY, code, Pages::Reserved);
	let input = hex!(
		"1010e1eaf8cf067b37b5f0ee031ab23ed1755e090a3af4415830145853e2be3e1f6821fed84dae58d00e00da52"
		"14d6c1f2d0622e0abd51f9373d04e0b0f8e6d6514d90689721c4aac5a9bb0d"
	);
	assert_eq!(
		machine.hash(&input),
		hex!("78af2a1864c42abce36d2e8983e13df99b2af0ce1362999af09fab004d4435a8"),
		"f, {code:?}",
	);
}

#[test]
fn compiled_hashes_are_those_of_the_reference_implementation() {
	every_vector(Code::Compiled);
}

#[test]
fn interpreted_hashes_are_those_of_the_reference_implementation() {
	every_vector(Code::Interpreted);
}

#[test]
fn compiled_hashes_without_writable_code_are_the_same() {
	let mut machine = machine(FIRST_KEY, Code::Secure, Pages::Reserved);
	assert_eq!(machine.hash(TEST), TEST_HASH);
	assert_eq!(machine.hash(LOREM), LOREM_HASH);
}

/// "Hash batch test".
#[test]
fn hashes_of_a_row_are_the_same() {
	let mut machine = machine(FIRST_KEY, Code::Compiled, Pages::Reserved);
	let mut row = machine.row(TEST);
	assert_eq!(row.next(LOREM), TEST_HASH);
	assert_eq!(row.next(SED), LOREM_HASH);
	assert_eq!(row.last(), SED_HASH);
	// A row that is left unfinished is forgotten.
	drop(machine.row(TEST));
	assert_eq!(machine.hash(LOREM), LOREM_HASH);
	assert_eq!(machine.row(SED).last(), SED_HASH);
}

#[test]
fn every_kind_of_pages_gives_the_same_hashes() {
	for pages in [Pages::Ordinary, Pages::Transparent, Pages::Reserved] {
		let mut machine = machine(FIRST_KEY, Code::Compiled, pages);
		assert_eq!(machine.hash(TEST), TEST_HASH, "{pages:?}");
	}
}

#[test]
fn machines_of_several_threads_share_a_cache() {
	let cache = Cache::new(FIRST_KEY, Options::default()).expect("a cache fits");
	let threads = [(TEST, TEST_HASH), (LOREM, LOREM_HASH)].map(|(input, expected)| {
		let mut machine = Machine::light(cache.clone()).expect("a machine fits");
		std::thread::spawn(move || {
			for _ in 0..4 {
				assert_eq!(machine.hash(input), expected);
			}
		})
	});
	drop(cache);
	for thread in threads {
		thread.join().expect("every hash is right");
	}
}

#[test]
fn empty_keys_and_inputs_do_no_harm() {
	let mut machine = machine(b"", Code::Compiled, Pages::Ordinary);
	let hash = machine.hash(b"");
	assert_eq!(machine.row(b"").last(), hash);
	assert_ne!(machine.hash(b"\0"), hash);
}

/// RandomX rounds in all four directions and flushes small numbers to zero.
#[cfg(target_arch = "x86_64")]
#[test]
fn the_floating_point_environment_is_as_before() {
	/// Rounding, flushing and masks; without the flags that say what has happened so far.
	fn control() -> u32 {
		let mut control = 0u32;
		// SAFETY: stores the register to a variable of its size.
		unsafe {
			std::arch::asm!("stmxcsr [{}]", in(reg) &raw mut control, options(nostack, preserves_flags));
		}
		control & !0x3f
	}
	let before = control();
	let mut machine = machine(FIRST_KEY, Code::Compiled, Pages::Ordinary);
	machine.hash(TEST);
	assert_eq!(control(), before);
	let mut row = machine.row(TEST);
	assert_eq!(control(), before);
	for _ in 0..4 {
		row.next(LOREM);
		assert_eq!(control(), before);
	}
	drop(row);
	assert_eq!(control(), before);
	machine.row(SED).last();
	assert_eq!(control(), before);
}
