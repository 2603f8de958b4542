//! Progress on standard error, tables for standard output.

use crate::logs;
use comfy_table::{presets::UTF8_HORIZONTAL_ONLY, Table};
use indicatif::{ProgressBar, ProgressStyle};
use millrace_prover::Progress;
use std::{
	io::IsTerminal,
	sync::{mpsc, Arc, Mutex, PoisonError},
	thread,
	time::{Duration, Instant},
};
use tokio::{sync::watch, task::JoinHandle};

/// Characters of the prover's bar.
const BAR_WIDTH: u64 = 10;

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
		self.above(|| eprintln!("{text}"));
	}

	/// Takes the spinner away while something is written.
	pub(crate) fn above(&self, write: impl FnOnce()) {
		self.bar.suspend(write);
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

/// Where the search for solutions stands, on the last line of a terminal. Ends when it is dropped.
#[derive(Debug)]
pub(crate) struct ProverBar {
	bar: ProgressBar,
	task: JoinHandle<()>,
}

impl ProverBar {
	/// Whether standard error is a place for a bar.
	pub(crate) fn is_wanted(log_json: bool) -> bool {
		!log_json && std::io::stderr().is_terminal()
	}

	/// Shows what is told from now on; the log is written above it. Needs the runtime.
	pub(crate) fn start(mut progress: watch::Receiver<Progress>) -> Self {
		let bar = ProgressBar::new_spinner();
		if let Ok(style) = ProgressStyle::with_template("{msg}") {
			bar.set_style(style);
		}
		logs::above(&bar);
		let shown = bar.clone();
		let task = tokio::spawn(async move {
			while progress.changed().await.is_ok() {
				let text = bar_text(&progress.borrow_and_update());
				shown.set_message(text);
				shown.tick();
			}
		});
		Self { bar, task }
	}
}

impl Drop for ProverBar {
	fn drop(&mut self) {
		self.task.abort();
		self.bar.finish_and_clear();
	}
}

/// One line about the search.
pub(crate) fn bar_text(progress: &Progress) -> String {
	if let Some(trouble) = &progress.trouble {
		return format!("trouble: {trouble}");
	}
	if let Some(part) = progress.filling {
		// Rounded down: the whole is shown when it is there.
		return format!("filling dataset {} %", (part * 100.0) as u32);
	}
	let Some(epoch) = progress.epoch else {
		return "no capacity is owed".into();
	};
	let (found, owed) = (progress.found(), progress.owed());
	if progress.is_complete() {
		return format!(
			"done: {found} solutions for epoch {epoch}, waits for epoch {}",
			epoch.saturating_add(1)
		);
	}
	let mut text = format!(
		"epoch {epoch}  {} {found}/{owed} solutions",
		blocks(found, owed)
	);
	if progress.rate > 0.0 {
		text.push_str(&format!("  {:.0} H/s", progress.rate));
	}
	if let Some(seconds) = progress.eta_seconds {
		text.push_str(&format!("  {} left", clock(seconds)));
	}
	text
}

/// A bar of eighths of characters.
fn blocks(found: u64, owed: u64) -> String {
	const PARTS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
	let eighths = found
		.saturating_mul(BAR_WIDTH * 8)
		.checked_div(owed)
		.unwrap_or(0)
		.min(BAR_WIDTH * 8);
	let mut bar = "█".repeat((eighths / 8) as usize);
	bar.push_str(PARTS[(eighths % 8) as usize]);
	let shown = bar.chars().count();
	bar.push_str(&" ".repeat(BAR_WIDTH as usize - shown));
	bar
}

/// Minutes and seconds, with hours where there are any.
fn clock(seconds: f64) -> String {
	// A number of seconds that is beyond all clocks is cut.
	let seconds = seconds.round() as u64;
	let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
	match hours {
		0 => format!("{minutes}:{seconds:02}"),
		1..=99 => format!("{hours}:{minutes:02}:{seconds:02}"),
		_ => "over 99 h".into(),
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
	fn the_bar_says_where_the_search_stands() {
		let search = Progress {
			epoch: Some(812),
			owed_idle: 60,
			owed_busy: 4,
			found_idle: 53,
			found_busy: 4,
			rate: 221.4,
			eta_seconds: Some(41.2),
			..Progress::default()
		};
		let table = [
			(
				search.clone(),
				"epoch 812  ████████▉  57/64 solutions  221 H/s  0:41 left",
			),
			(
				Progress {
					found_idle: 0,
					found_busy: 0,
					rate: 0.0,
					eta_seconds: None,
					..search.clone()
				},
				"epoch 812             0/64 solutions",
			),
			(
				Progress {
					eta_seconds: Some(3_725.0),
					..search.clone()
				},
				"epoch 812  ████████▉  57/64 solutions  221 H/s  1:02:05 left",
			),
			(
				Progress {
					eta_seconds: Some(f64::INFINITY),
					..search.clone()
				},
				"epoch 812  ████████▉  57/64 solutions  221 H/s  over 99 h left",
			),
			(
				Progress {
					found_idle: 60,
					..search.clone()
				},
				"done: 64 solutions for epoch 812, waits for epoch 813",
			),
			(
				Progress {
					filling: Some(0.639),
					..search.clone()
				},
				"filling dataset 63 %",
			),
			(
				Progress {
					trouble: Some("no memory".into()),
					..search
				},
				"trouble: no memory",
			),
			(Progress::default(), "no capacity is owed"),
		];
		for (progress, expected) in table {
			assert_eq!(bar_text(&progress), expected);
		}
	}

	#[test]
	fn the_bar_is_as_long_as_what_was_found() {
		for (found, owed, bar) in [
			(0, 8, "          "),
			(1, 80, "▏         "),
			(4, 8, "█████     "),
			(8, 8, "██████████"),
			(9, 8, "██████████"),
			(0, 0, "          "),
		] {
			assert_eq!(blocks(found, owed), bar, "{found}/{owed}");
		}
	}

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
