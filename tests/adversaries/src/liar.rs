//! A worker that signs something else than came of the call.
//!
//! It is the real daemon: its guests alone are another's word. All that it reports and opens holds
//! together, so that nobody can see the lie who does not run the call again.

use anyhow::{Context, Result};
use bytes::Bytes;
use clap::{Parser, ValueEnum};
use futures::future::{BoxFuture, FutureExt};
use millrace_executor::{CallOutput, EngineConfig, ModuleInfo};
use millrace_primitives::{execution::package_hash, DealId, Gas};
use millrace_sandbox::{GuestCall, GuestError, Guests, InProcess, PrepareError, Protection};
use millrace_worker::{run_with, Hooks, WorkerConfig};
use std::{collections::BTreeSet, path::PathBuf, sync::Arc};
use tokio_util::sync::CancellationToken;

/// What is added to a response.
pub const ADDED: u8 = b'!';
/// Gas that is billed and was not used.
pub const OVERCHARGE: Gas = 1_000;

/// What a worker lies about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum How {
	/// The response.
	Output,
	/// The gas.
	Gas,
	/// The package: the function of another deal answers.
	Package,
}

/// Options of the program.
#[derive(Debug, Parser)]
pub struct Options {
	/// The worker's configuration, as JSON.
	#[arg(long)]
	config: PathBuf,
	/// What it lies about.
	#[arg(long, value_enum)]
	how: How,
	/// The package that answers in the place of the deal's.
	#[arg(long, required_if_eq("how", "package"))]
	other: Option<PathBuf>,
}

/// Runs the worker.
pub async fn run(options: Options) -> Result<()> {
	let read = |path: &PathBuf| std::fs::read(path).with_context(|| path.display().to_string());
	let config: WorkerConfig = serde_json::from_slice(&read(&options.config)?)?;
	let other = options.other.as_ref().map(read).transpose()?;
	let lying = Lying {
		inner: Arc::new(InProcess::new(EngineConfig::default())?),
		how: options.how,
		other: other.map(Bytes::from),
	};
	let hooks = Hooks {
		guests: Some(Arc::new(lying)),
		..Hooks::default()
	};
	run_with(config, CancellationToken::new(), hooks).await
}

/// Guests whose results are changed before the daemon sees them.
#[derive(Debug)]
pub struct Lying {
	inner: Arc<dyn Guests>,
	how: How,
	other: Option<Bytes>,
}

impl Lying {
	/// What has come of a call, as the daemon is told.
	fn told(&self, mut output: CallOutput) -> CallOutput {
		match self.how {
			How::Output if output.status.is_success() => output.response.push(ADDED),
			How::Gas => output.gas = output.gas.saturating_add(OVERCHARGE),
			How::Output | How::Package => {}
		}
		output
	}
}

impl Guests for Lying {
	fn prepare(&self, package: Bytes) -> BoxFuture<'_, Result<ModuleInfo, PrepareError>> {
		async move {
			if let Some(other) = &self.other {
				self.inner.prepare(other.clone()).await?;
			}
			self.inner.prepare(package).await
		}
		.boxed()
	}

	fn call(&self, mut call: GuestCall) -> BoxFuture<'_, Result<CallOutput, GuestError>> {
		async move {
			if let Some(other) = &self.other {
				call.package = package_hash(other);
			}
			let output = self.inner.call(call).await?;
			Ok(self.told(output))
		}
		.boxed()
	}

	fn keep(&self, deals: &BTreeSet<DealId>) {
		self.inner.keep(deals);
	}

	fn describe(&self) -> Protection {
		self.inner.describe()
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use millrace_primitives::{effects::Transcript, execution::CallStatus};

	fn told(how: How, status: CallStatus) -> (Vec<u8>, Gas) {
		let inner = InProcess::new(EngineConfig::default()).expect("an engine can be set up");
		let lying = Lying {
			inner: Arc::new(inner),
			how,
			other: None,
		};
		let output = lying.told(CallOutput {
			status,
			response: b"yes".to_vec(),
			stderr: Vec::new(),
			gas: 7,
			transcript: Transcript::default(),
		});
		(output.response, output.gas)
	}

	#[test]
	fn each_lies_about_one_thing() {
		let good = CallStatus::Exited(0);
		assert_eq!(told(How::Output, good), (b"yes!".to_vec(), 7));
		assert_eq!(told(How::Gas, good), (b"yes".to_vec(), 7 + OVERCHARGE));
		assert_eq!(told(How::Package, good), (b"yes".to_vec(), 7));
		// Who failed has no response: a lie about it would be seen without running anything.
		let failed = CallStatus::Trapped;
		assert_eq!(told(How::Output, failed), (b"yes".to_vec(), 7));
	}
}
