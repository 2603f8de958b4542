//! Progress on standard error, tables for standard output.

use comfy_table::{presets::UTF8_HORIZONTAL_ONLY, Table};
use indicatif::{ProgressBar, ProgressStyle};
use std::{
	io::IsTerminal,
	sync::{mpsc, Arc, Mutex, PoisonError},
	thread,
	time::{Duration, Instant},
};

/// Time after which somebody who reads a log is told again what is being waited for.
const TELL_EVERY: Duration = Duration::from_secs(15);

/// A spinner on standard error while something takes long; where that is no terminal, a line now
/// and then.
#[derive(Debug)]
pub(crate) struct Spinner {
	bar: ProgressBar,
	teller: Option<Teller>,
}

impl Spinner {
	/// Begins to spin.
	pub(crate) fn start(message: impl Into<String>) -> Self {
		let message = message.into();
		let (bar, teller) = if std::io::stderr().is_terminal() {
			(ProgressBar::new_spinner(), None)
		} else {
			let tell = |message: &str| eprintln!("... {message}");
			let teller = Teller::start(message.clone(), TELL_EVERY, tell);
			(ProgressBar::hidden(), Some(teller))
		};
		if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
			bar.set_style(style);
		}
		bar.set_message(message);
		bar.enable_steady_tick(Duration::from_millis(120));
		Self { bar, teller }
	}

	/// Says something else from now on.
	pub(crate) fn say(&self, message: impl Into<String>) {
		let message = message.into();
		if let Some(teller) = &self.teller {
			teller.say(message.clone());
		}
		self.bar.set_message(message);
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

/// Repeats what is being waited for until it is dropped.
#[derive(Debug)]
struct Teller {
	message: Arc<Mutex<String>>,
	/// Closed by the drop, which ends the thread.
	_open: mpsc::Sender<()>,
}

impl Teller {
	fn start(message: String, every: Duration, tell: impl Fn(&str) + Send + 'static) -> Self {
		let message = Arc::new(Mutex::new(message));
		let (open, closed) = mpsc::channel::<()>();
		let shared = message.clone();
		thread::spawn(move || {
			while closed.recv_timeout(every) == Err(mpsc::RecvTimeoutError::Timeout) {
				tell(&shared.lock().unwrap_or_else(PoisonError::into_inner));
			}
		});
		Self {
			message,
			_open: open,
		}
	}

	fn say(&self, message: String) {
		*self.message.lock().unwrap_or_else(PoisonError::into_inner) = message;
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

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn who_waits_is_told_what_for_until_it_is_over() {
		let (sender, told) = mpsc::channel();
		let tell = move |message: &str| {
			// Whoever listened has gone by then.
			let _ = sender.send(message.to_string());
		};
		let teller = Teller::start("one".into(), Duration::from_millis(10), tell);
		let next = || told.recv_timeout(Duration::from_secs(10));
		assert_eq!(next(), Ok("one".to_string()));
		teller.say("two".into());
		while next().expect("it goes on") != "two" {}
		drop(teller);
		while next().is_ok() {}
		assert_eq!(next(), Err(mpsc::RecvTimeoutError::Disconnected));
	}
}
