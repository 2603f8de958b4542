//! Finds the lines of the package's own library that fit best to the words on standard input.
//!
//! The library is the folder `/library` of files that lie in the package. Every call reads all of it
//! and makes an index of its words; a line is worth more the rarer those of the wanted words are that
//! it has. The ten best go to standard output, one a line: worth, file, number of the line, text.

use std::collections::HashMap;
use std::fs;
use std::io::{self, Read, Write};
use std::process::ExitCode;

/// Where the package keeps its files.
const LIBRARY: &str = "/library";
/// Lines that are put out.
const BEST: usize = 10;

/// A line of the library.
struct Line {
	file: String,
	number: usize,
	text: String,
}

fn main() -> ExitCode {
	match run() {
		Ok(()) => ExitCode::SUCCESS,
		Err(error) => {
			eprintln!("search: {error}");
			ExitCode::FAILURE
		}
	}
}

fn run() -> io::Result<()> {
	let mut wanted = String::new();
	io::stdin().lock().read_to_string(&mut wanted)?;
	let lines = library()?;
	let index = index(&lines);
	let mut out = io::stdout().lock();
	for (worth, line) in best(&wanted, &lines, &index) {
		writeln!(
			out,
			"{worth:.4} {}:{} {}",
			line.file, line.number, line.text
		)?;
	}
	out.flush()
}

/// All lines, in the order of their files' names.
fn library() -> io::Result<Vec<Line>> {
	let mut paths = fs::read_dir(LIBRARY)?
		.map(|entry| entry.map(|entry| entry.path()))
		.collect::<io::Result<Vec<_>>>()?;
	paths.sort();
	let mut lines = Vec::new();
	for path in paths {
		let text = fs::read_to_string(&path)?;
		let file = path
			.file_name()
			.map(|name| name.to_string_lossy().into_owned())
			.unwrap_or_default();
		for (index, text) in text.lines().enumerate() {
			lines.push(Line {
				file: file.clone(),
				number: index + 1,
				text: text.to_owned(),
			});
		}
	}
	Ok(lines)
}

/// Words of a text, in lower case.
fn words(text: &str) -> impl Iterator<Item = String> + '_ {
	text.split(|letter: char| !letter.is_alphanumeric())
		.filter(|word| !word.is_empty())
		.map(str::to_lowercase)
}

/// In which lines each word stands, and how often.
fn index(lines: &[Line]) -> HashMap<String, Vec<(usize, u32)>> {
	let mut index: HashMap<String, Vec<(usize, u32)>> = HashMap::new();
	for (number, line) in lines.iter().enumerate() {
		for word in words(&line.text) {
			let places = index.entry(word).or_default();
			match places.last_mut() {
				Some((last, count)) if *last == number => *count += 1,
				_ => places.push((number, 1)),
			}
		}
	}
	index
}

/// The lines that are worth most; of two that are worth the same, the first.
fn best<'a>(
	wanted: &str,
	lines: &'a [Line],
	index: &HashMap<String, Vec<(usize, u32)>>,
) -> Vec<(f64, &'a Line)> {
	let mut worths = vec![0.0; lines.len()];
	for word in words(wanted) {
		let Some(places) = index.get(&word) else {
			continue;
		};
		let rarity = (1.0 + lines.len() as f64 / places.len() as f64).ln();
		for (number, count) in places {
			let count = f64::from(*count);
			worths[*number] += rarity * count / (count + 1.0);
		}
	}
	let mut order: Vec<usize> = (0..lines.len())
		.filter(|number| worths[*number] > 0.0)
		.collect();
	order.sort_by(|one, other| worths[*other].total_cmp(&worths[*one]).then(one.cmp(other)));
	order.truncate(BEST);
	order
		.into_iter()
		.map(|number| (worths[number], &lines[number]))
		.collect()
}
