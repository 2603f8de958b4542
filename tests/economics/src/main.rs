//! Searches every way to cheat over its grid, and prints the worst case found.
//!
//! Standard output has the results alone; progress goes to standard error. The exit code is 1 if a way
//! does not lose in enough samples.

use clap::Parser;
use millrace_economics::{
	chain::parameters,
	grid::{self, Point, EPOCHS, SAMPLES, SIZES},
	market::{self, Case},
	rows::{key, Row},
	run::{quick, threads, work_off, Job, Options},
	table,
};
use std::{
	collections::{BTreeMap, BTreeSet},
	error::Error,
	fs::{self, OpenOptions},
	io::{self, Write},
	path::{Path, PathBuf},
	process::ExitCode,
	sync::Mutex,
	time::Instant,
};

/// What cheating on capacity and on the market gains and loses, found by simulation over the real
/// pallets.
#[derive(Debug, Parser)]
struct Arguments {
	/// Few epochs of one point of every way: less than a minute.
	#[arg(long, conflicts_with_all = ["update", "resume", "sizes", "strategies"])]
	quick: bool,
	/// The market's ways alone, whose table takes seconds.
	#[arg(long, conflicts_with_all = ["quick", "resume", "sizes", "strategies"])]
	market: bool,
	/// JSON lines instead of a table.
	#[arg(long)]
	json: bool,
	/// Writes the tables into this document, between their markers.
	#[arg(long, value_name = "FILE")]
	update: Option<PathBuf>,
	/// Sizes of networks, in peers.
	#[arg(long, value_delimiter = ',', default_values_t = SIZES)]
	sizes: Vec<u32>,
	/// Ways to cheat; all if none is named.
	#[arg(long, value_delimiter = ',')]
	strategies: Vec<String>,
	/// Samples of a point, unless fewer leave no doubt that it loses.
	#[arg(long, default_value_t = SAMPLES)]
	samples: u32,
	/// Epochs of a run.
	#[arg(long, default_value_t = EPOCHS)]
	epochs: u32,
	/// Points at the same time; as many as there are cores if not given.
	#[arg(long)]
	threads: Option<usize>,
	/// Keeps results in this file, a line each, and goes on where it ends.
	#[arg(long, value_name = "FILE")]
	resume: Option<PathBuf>,
}

fn main() -> ExitCode {
	match run(&Arguments::parse()) {
		Ok(true) => ExitCode::SUCCESS,
		Ok(false) => ExitCode::FAILURE,
		Err(error) => {
			eprintln!("economics: {error}");
			ExitCode::from(2)
		}
	}
}

/// Whether every bar holds.
fn run(arguments: &Arguments) -> Result<bool, Box<dyn Error>> {
	// Whoever asks for some ways of capacity's asks for no others.
	let of_market = !arguments.strategies.is_empty() || run_market(arguments)?;
	if arguments.market {
		return Ok(of_market);
	}
	let rows = if arguments.quick {
		let rows = quick();
		print_rows(arguments, &rows)?;
		rows
	} else {
		search(arguments)?
	};
	if !arguments.json {
		println!("{}\n{}", table::bar_table(&rows), table::luck_table(&rows));
	}
	for row in rows.iter().filter(|row| !row.holds()) {
		eprintln!(
			"economics: {} {} among {} peers: below honest work in {:.3} of the samples only",
			row.cheat,
			serde_json::to_string(&row.point)?,
			row.peers,
			row.below
		);
	}
	if let Some(path) = &arguments.update {
		let text = fs::read_to_string(path)?;
		fs::write(path, table::update(&text, &rows)?)?;
	}
	Ok(of_market && rows.iter().all(Row::holds))
}

/// Simulates the market's ways, and writes their table; whether every bar holds.
fn run_market(arguments: &Arguments) -> Result<bool, Box<dyn Error>> {
	let cases = market::all();
	if arguments.json {
		for case in &cases {
			println!("{}", serde_json::to_string(case)?);
		}
	} else {
		println!("{}", market::table(&cases));
	}
	for case in cases.iter().filter(|case| !case.holds()) {
		eprintln!(
			"economics: {} {}: {} {} instead of {}",
			case.cheat, case.point, case.measure, case.found, case.bound
		);
	}
	if let Some(path) = &arguments.update {
		let text = fs::read_to_string(path)?;
		fs::write(path, market::update(&text, &cases)?)?;
	}
	Ok(cases.iter().all(Case::holds))
}

/// Goes through the grid, but for what the file of results has already.
fn search(arguments: &Arguments) -> Result<Vec<Row>, Box<dyn Error>> {
	let names: BTreeSet<_> = grid::names().into_iter().collect();
	if let Some(unknown) = arguments
		.strategies
		.iter()
		.find(|name| !names.contains(name.as_str()))
	{
		return Err(format!("no way is called {unknown}; there are {names:?}").into());
	}
	let wanted = |name: &str| {
		arguments.strategies.is_empty() || arguments.strategies.iter().any(|other| other == name)
	};
	let options = Options {
		epochs: arguments.epochs,
		samples: arguments.samples,
	};
	let mut known = match &arguments.resume {
		Some(path) => read(path, options)?,
		None => BTreeMap::new(),
	};

	let points = grid::whole();
	let name_of = |point: &Point, peers| {
		key(
			point.strategy.name(),
			&point.parameters(),
			peers,
			point.luck,
		)
	};
	// What an earlier grid had and this one has not is over.
	let sizes: BTreeSet<_> = SIZES.iter().chain(&arguments.sizes).copied().collect();
	let keys: BTreeSet<_> = sizes
		.iter()
		.flat_map(|peers| points.iter().map(move |point| name_of(point, *peers)))
		.collect();
	known.retain(|key, _| keys.contains(key));

	let mut jobs: Vec<Job<'_>> = arguments
		.sizes
		.iter()
		.flat_map(|peers| {
			points.iter().map(move |point| Job {
				point,
				peers: *peers,
				options,
			})
		})
		.filter(|job| wanted(job.point.strategy.name()) && job.effort() > 0.0)
		.filter(|job| !known.contains_key(&name_of(job.point, job.peers)))
		.collect();
	// The longest first, so that no thread is left alone with one.
	jobs.sort_by(|a, b| b.effort().total_cmp(&a.effort()));

	let threads = arguments.threads.unwrap_or_else(threads).max(1);
	let progress = Mutex::new(Progress::new(&jobs, threads));
	let found = Mutex::new(known);
	work_off(&jobs, threads, |job, rows| -> io::Result<()> {
		// One at a time, or lines would mix.
		let mut found = found.lock().expect("nobody panics here");
		if let Some(path) = &arguments.resume {
			append(path, &rows)?;
		}
		print_rows(arguments, &rows)?;
		found.insert(name_of(job.point, job.peers), rows);
		progress.lock().expect("nobody panics here").tell(job);
		Ok(())
	})?;
	let found = found.into_inner().expect("nobody panics here");
	Ok(found.into_values().flatten().collect())
}

/// How far a search is.
struct Progress {
	started: Instant,
	jobs: usize,
	done: usize,
	/// Effort of all jobs, and of those that are done.
	effort: f64,
	spent: f64,
}

impl Progress {
	fn new(jobs: &[Job<'_>], threads: usize) -> Self {
		let effort: f64 = jobs.iter().map(Job::effort).sum();
		eprintln!(
			"economics: {} points to measure, on {threads} threads of a usual machine in about {:.0} min",
			jobs.len(),
			effort / threads as f64 / 60e6
		);
		Self {
			started: Instant::now(),
			jobs: jobs.len(),
			done: 0,
			effort,
			spent: 0.0,
		}
	}

	/// Says on standard error that a job is done, and how long the others will take.
	fn tell(&mut self, job: &Job<'_>) {
		self.done += 1;
		self.spent += job.effort();
		let gone = self.started.elapsed().as_secs_f64() / 60.0;
		let left = gone * (self.effort / self.spent - 1.0);
		eprintln!(
			"economics: {} of {} points after {gone:.0} min, about {left:.0} min left: {:?} among {}",
			self.done, self.jobs, job.point, job.peers
		);
	}
}

fn print_rows(arguments: &Arguments, rows: &[Row]) -> io::Result<()> {
	if arguments.json {
		for row in rows {
			println!("{}", serde_json::to_string(row)?);
		}
	}
	Ok(())
}

/// Results of a file that hold for the present parameters and as much simulation, by their points.
///
/// Whoever wrote it may have been killed in the middle of a line. That one is ended, so that the next
/// does not become a part of it.
fn read(path: &Path, options: Options) -> Result<BTreeMap<String, Vec<Row>>, Box<dyn Error>> {
	let mut known: BTreeMap<String, Vec<Row>> = BTreeMap::new();
	if !path.exists() {
		return Ok(known);
	}
	let parameters = parameters();
	let bytes = fs::read(path)?;
	if bytes.last().is_some_and(|last| *last != b'\n') {
		let mut file = OpenOptions::new().append(true).open(path)?;
		file.write_all(b"\n")?;
	}
	for line in String::from_utf8_lossy(&bytes).lines() {
		// A line that was cut short is measured anew, with those of its point.
		let Ok(row) = serde_json::from_str::<Row>(line) else {
			continue;
		};
		let asked = (row.epochs, row.wanted) == (options.epochs, options.samples);
		if asked && row.parameters == parameters {
			let rows = known.entry(row.key()).or_default();
			rows.retain(|other| other.hashing().total_cmp(&row.hashing()).is_ne());
			rows.push(row);
		}
	}
	known.retain(|_, rows| rows.len() == grid::HASHING.len());
	Ok(known)
}

fn append(path: &Path, rows: &[Row]) -> io::Result<()> {
	let mut lines = String::new();
	for row in rows {
		lines.push_str(&serde_json::to_string(row)?);
		lines.push('\n');
	}
	if let Some(folder) = path.parent() {
		fs::create_dir_all(folder)?;
	}
	let mut file = OpenOptions::new().create(true).append(true).open(path)?;
	file.write_all(lines.as_bytes())
}

#[cfg(test)]
mod tests {
	use super::*;
	use serde_json::Map;
	use std::{env, process};

	const OPTIONS: Options = Options {
		epochs: 1_000,
		samples: 300,
	};

	/// The rows of one point.
	fn rows_among(peers: u32) -> Vec<Row> {
		let row = |part: &f64| {
			let mut point = Map::new();
			point.insert("h".into(), (*part).into());
			Row {
				measure: "economics".into(),
				cheat: "fake_leaves".into(),
				point,
				peers,
				epochs: OPTIONS.epochs,
				wanted: OPTIONS.samples,
				samples: 30,
				below: 1.0,
				margin_p99: -1.0,
				margin_mean: -1.0,
				margin_spread: 0.0,
				honest_median: 0.5,
				cheat_median: -0.5,
				harm: 0.0,
				luck: false,
				seconds: 1.0,
				parameters: parameters(),
			}
		};
		grid::HASHING.iter().map(row).collect()
	}

	#[test]
	fn a_point_whose_lines_were_cut_short_is_measured_anew_and_found_again() {
		let path = env::temp_dir().join(format!("millrace-economics-{}.jsonl", process::id()));
		let _ = fs::remove_file(&path);
		assert!(read(&path, OPTIONS).unwrap().is_empty());
		append(&path, &rows_among(10)).unwrap();
		append(&path, &rows_among(100)).unwrap();
		let whole = fs::read(&path).unwrap();
		// Killed while it wrote the second point, after any number of bytes.
		let first = whole.len() / 2;
		for cut in (first..whole.len()).step_by(97) {
			fs::write(&path, &whole[..cut]).unwrap();
			let known = read(&path, OPTIONS).unwrap();
			assert!(known.contains_key(&rows_among(10)[0].key()), "{cut}");
			append(&path, &rows_among(100)).unwrap();
			let known = read(&path, OPTIONS).unwrap();
			let found: Vec<_> = known.into_values().collect();
			assert_eq!(found, [rows_among(10), rows_among(100)], "{cut}");
		}
		let fewer = Options {
			samples: 100,
			..OPTIONS
		};
		assert!(read(&path, fewer).unwrap().is_empty());
		fs::remove_file(&path).unwrap();
	}
}
