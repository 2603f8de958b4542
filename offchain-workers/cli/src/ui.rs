//! Progress on standard error, tables for standard output.

use comfy_table::{presets::UTF8_HORIZONTAL_ONLY, Table};
use indicatif::{ProgressBar, ProgressStyle};
use std::{
	io::IsTerminal,
	time::{Duration, Instant},
};

/// A spinner on standard error while something takes long; nothing where that is no terminal.
#[derive(Debug)]
pub(crate) struct Spinner {
	bar: ProgressBar,
}

impl Spinner {
	/// Begins to spin.
	pub(crate) fn start(message: impl Into<String>) -> Self {
		let bar = if std::io::stderr().is_terminal() {
			ProgressBar::new_spinner()
		} else {
			ProgressBar::hidden()
		};
		if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
			bar.set_style(style);
		}
		bar.set_message(message.into());
		bar.enable_steady_tick(Duration::from_millis(120));
		Self { bar }
	}

	/// Says something else from now on.
	pub(crate) fn say(&self, message: impl Into<String>) {
		self.bar.set_message(message.into());
	}

	/// Writes a line above the spinner; also where no spinner shows.
	pub(crate) fn line(&self, text: &str) {
		self.bar.suspend(|| eprintln!("{text}"));
	}
}

impl Drop for Spinner {
	fn drop(&mut self) {
		self.bar.finish_and_clear();
	}
}

/// Steps of a long run: one line each as it is done, with the time since the beginning.
#[derive(Debug)]
pub(crate) struct Steps {
	began: Instant,
	spinner: Spinner,
}

impl Steps {
	/// Begins to count time.
	pub(crate) fn start() -> Self {
		Self {
			began: Instant::now(),
			spinner: Spinner::start("starting"),
		}
	}

	/// What is being waited for.
	pub(crate) fn doing(&self, message: impl Into<String>) {
		self.spinner.say(message);
	}

	/// A step is done.
	pub(crate) fn done(&self, message: &str) {
		self.spinner.line(&format!(
			"[{:7.1}s] {message}",
			self.elapsed().as_secs_f64()
		));
	}

	/// Time since the beginning.
	pub(crate) fn elapsed(&self) -> Duration {
		self.began.elapsed()
	}
}

/// A table with a header.
pub(crate) fn table<H: ToString, R: ToString>(
	header: impl IntoIterator<Item = H>,
	rows: impl IntoIterator<Item = Vec<R>>,
) -> String {
	let mut table = Table::new();
	table.load_style(UTF8_HORIZONTAL_ONLY);
	table.set_header(
		header
			.into_iter()
			.map(|cell| cell.to_string())
			.collect::<Vec<_>>(),
	);
	for row in rows {
		table.add_row(row.iter().map(ToString::to_string).collect::<Vec<_>>());
	}
	table.trim_fmt()
}

/// Names and values, one pair a line.
pub(crate) fn pairs<'a>(rows: impl IntoIterator<Item = (&'a str, String)>) -> String {
	let rows: Vec<_> = rows.into_iter().collect();
	let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
	rows.iter()
		.map(|(name, value)| format!("{name:<width$}  {value}"))
		.collect::<Vec<_>>()
		.join("\n")
}
