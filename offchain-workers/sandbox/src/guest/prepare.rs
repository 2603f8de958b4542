//! Compiles one package.

use super::control::Control;
use super::{engine, lock};
use crate::protocol::{Answer, Hello, Tier};
use millrace_executor::{LoadError, QuickCompiler};
use rayon::ThreadPoolBuilder;
use rustix::process::nice;
use std::thread::available_parallelism;

/// Most threads that compile: the rest of a large machine is for calls.
const MAX_THREADS: usize = 4;
/// Compiling goes after calls.
const NICENESS: i32 = 10;

pub(super) fn run(
	control: &Control,
	theirs: &Hello,
	tier: Tier,
	cpu_seconds: u64,
	memory_bytes: u64,
) -> Result<(), String> {
	let Some((engine, ours)) = engine(control, theirs, 1)? else {
		return Ok(());
	};
	let quick = match tier {
		Tier::Quick => Some(QuickCompiler::new().map_err(lock::failed("the compiler"))?),
		Tier::Full => None,
	};
	nice(NICENESS).map_err(lock::failed("the niceness"))?;
	let memory = lock::memory_in_use()?.saturating_add(memory_bytes);
	let threads = available_parallelism().map_or(1, |threads| threads.get().min(MAX_THREADS));
	lock::landlock()?;
	// They exist, and have settled, before there can be no new ones.
	ThreadPoolBuilder::new()
		.num_threads(threads)
		.build_global()
		.map_err(lock::failed("threads"))?;
	lock::close(memory, Some(cpu_seconds))?;

	let package = control.next().map_err(lock::failed("the package"))?;
	let prepared = match &quick {
		Some(compiler) => engine.prepare_quickly(compiler, &package),
		None => engine.prepare(&package),
	};
	match prepared {
		Ok(artifact) => {
			let prepared = Answer::Prepared {
				info: artifact.info,
				files: artifact.files,
				code_bytes: artifact.code.len() as u64,
			};
			control.answer(&ours, &prepared)?;
			control.send(&artifact.code)
		}
		Err(LoadError::Refused(reasons)) => {
			let reasons = reasons.iter().map(ToString::to_string).collect();
			control.answer(&ours, &Answer::Refused(reasons))
		}
		Err(error) => control.answer(&ours, &Answer::Failed(error.to_string())),
	}
}
