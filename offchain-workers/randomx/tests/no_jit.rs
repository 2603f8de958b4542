//! Where the system forbids executable memory, hashes are interpreted and nobody dies.

use hex_literal::hex;
use millrace_randomx::{allowed, Cache, Code, Machine, Options};
use std::{env, io, process::Command};

/// Set in the process that forbids itself executable memory.
const VICTIM: &str = "MILLRACE_NO_JIT_VICTIM";
/// What the victim writes when its kernel cannot forbid.
const CANNOT: &str = "this kernel cannot forbid executable memory";

/// RandomX ignores that its pages did not become executable, and jumps into them: without the probe
/// the victim ends by a signal.
#[test]
fn without_executable_memory_hashes_are_interpreted() {
	if env::var_os(VICTIM).is_some() {
		return interpret();
	}
	let program = env::current_exe().expect("the test has a program");
	let output = Command::new(program)
		.args([
			"--exact",
			"without_executable_memory_hashes_are_interpreted",
			"--nocapture",
		])
		.env(VICTIM, "1")
		.output()
		.expect("the test can be started again");
	let text = String::from_utf8_lossy(&output.stdout).into_owned()
		+ &String::from_utf8_lossy(&output.stderr);
	assert!(output.status.success(), "{}\n{text}", output.status);
	assert!(text.contains("1 passed"), "the victim is a test\n{text}");
	if text.contains(CANNOT) {
		println!("{CANNOT}");
	}
}

fn interpret() {
	let refuse = libc::c_ulong::from(libc::PR_MDWE_REFUSE_EXEC_GAIN);
	let none: libc::c_ulong = 0;
	// SAFETY: takes no pointers, and forbids this process what it has not begun to do.
	let answer = unsafe { libc::prctl(libc::PR_SET_MDWE, refuse, none, none, none) };
	if answer != 0 {
		let error = io::Error::last_os_error();
		assert_eq!(error.raw_os_error(), Some(libc::EINVAL), "{error}");
		println!("{CANNOT}: {error}");
		return;
	}
	assert_eq!(allowed(), Code::Interpreted);
	assert_eq!(Options::default().code, Code::Interpreted);
	// Whoever asks for compiled programs all the same gets interpreted ones.
	for code in [Code::Interpreted, Code::Secure, Code::Compiled] {
		let options = Options {
			code,
			..Options::default()
		};
		let cache = Cache::new(b"test key 000", options).expect("a cache fits");
		assert_eq!(cache.code(), Code::Interpreted);
		let mut machine = Machine::light(cache).expect("a machine fits");
		assert_eq!(
			machine.hash(b"This is a test"),
			hex!("639183aae1bf4c9a35884cb46b09cad9175f04efd7684e7262a0ac1c2f0b4e3f")
		);
	}
}
