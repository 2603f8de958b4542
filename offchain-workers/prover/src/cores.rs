//! Which cores are searched on, and which thread runs where.

use crate::config::{Pin, Settings};
use rustix::thread::{sched_getaffinity, sched_setaffinity, CpuSet};
use serde::{Deserialize, Serialize};
use std::{
	collections::{BTreeMap, BTreeSet},
	fmt, fs,
	str::FromStr,
	thread,
};
use tracing::warn;

/// Cores to search on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "String")]
pub enum Cores {
	/// One thread on each physical core that the process may use.
	#[default]
	All,
	/// These, by the system's numbers: "0-3,8".
	Set(BTreeSet<usize>),
}

/// As a configuration has it: a single core may look like a number.
#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
	Number(usize),
	Text(String),
}

/// Why a text names no cores.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
	"\"{0}\" names no cores: write \"all\", or numbers and ranges up to {most} such as \"0-3,8\"",
	most = Cores::MOST
)]
pub struct NoCores(String);

impl Cores {
	/// Highest number of a core.
	pub const MOST: usize = CpuSet::MAX_CPU - 1;

	/// Those that the machine lacks, or that the process may not use.
	pub(crate) fn foreign_to(&self, machine: &Topology) -> BTreeSet<usize> {
		match self {
			Self::All => BTreeSet::new(),
			Self::Set(cores) => cores.difference(&machine.allowed).copied().collect(),
		}
	}
}

impl FromStr for Cores {
	type Err = NoCores;

	fn from_str(text: &str) -> Result<Self, NoCores> {
		if text.trim() == "all" {
			return Ok(Self::All);
		}
		let cores = parse_list(text).ok_or_else(|| NoCores(text.into()))?;
		Ok(Self::Set(cores))
	}
}

impl TryFrom<Written> for Cores {
	type Error = NoCores;

	fn try_from(written: Written) -> Result<Self, NoCores> {
		match written {
			Written::Number(core) => core.to_string().parse(),
			Written::Text(text) => text.parse(),
		}
	}
}

impl From<Cores> for String {
	fn from(cores: Cores) -> Self {
		cores.to_string()
	}
}

impl fmt::Display for Cores {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		match self {
			Self::All => f.write_str("all"),
			Self::Set(cores) => f.write_str(&list(cores)),
		}
	}
}

/// Numbers and ranges, as the kernel writes them too; `None` for anything else, or none at all.
fn parse_list(text: &str) -> Option<BTreeSet<usize>> {
	let mut cores = BTreeSet::new();
	for part in text.trim().split(',') {
		let (first, last) = part.split_once('-').unwrap_or((part, part));
		let number = |text: &str| {
			let number = text.trim().parse::<usize>().ok();
			number.filter(|number| *number <= Cores::MOST)
		};
		let (first, last) = (number(first)?, number(last)?);
		if first > last {
			return None;
		}
		cores.extend(first..=last);
	}
	Some(cores)
}

/// Numbers as ranges.
pub(crate) fn list(cores: &BTreeSet<usize>) -> String {
	let mut ranges: Vec<(usize, usize)> = Vec::new();
	for core in cores {
		match ranges.last_mut() {
			Some((_, last)) if *last + 1 == *core => *last = *core,
			_ => ranges.push((*core, *core)),
		}
	}
	let texts = ranges.iter().map(|(first, last)| match first == last {
		true => first.to_string(),
		false => format!("{first}-{last}"),
	});
	texts.collect::<Vec<_>>().join(",")
}

/// The machine's cores as far as this process may use them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Topology {
	/// Cores that the process may run on.
	pub(crate) allowed: BTreeSet<usize>,
	/// Cores that are one physical core together, by each of them.
	pub(crate) siblings: BTreeMap<usize, BTreeSet<usize>>,
	/// Cores' worth of time that the process may use.
	pub(crate) quota: usize,
}

impl Topology {
	/// The present machine's.
	pub(crate) fn read() -> Self {
		let quota = thread::available_parallelism().map_or(1, usize::from);
		let allowed: BTreeSet<usize> = match sched_getaffinity(None) {
			Ok(set) => (0..=Cores::MOST).filter(|core| set.is_set(*core)).collect(),
			// A machine with more cores than the set can name.
			Err(_) => (0..quota).collect(),
		};
		let siblings = allowed.iter().filter_map(|core| {
			let path = format!("/sys/devices/system/cpu/cpu{core}/topology/thread_siblings_list");
			let text = fs::read_to_string(path).ok()?;
			Some((*core, parse_list(&text)?))
		});
		Self {
			siblings: siblings.collect(),
			allowed,
			quota,
		}
	}

	/// Whether no lower number that the process may use is of the same physical core.
	fn is_first(&self, core: usize) -> bool {
		let of_it = self.siblings.get(&core);
		let first = of_it.and_then(|of_it| of_it.intersection(&self.allowed).next());
		first.is_none_or(|first| *first == core)
	}
}

/// One entry for each thread: the core that it stays on, if any.
pub(crate) fn plan(settings: &Settings, machine: &Topology) -> Vec<Option<usize>> {
	let cores: Vec<usize> = match &settings.cores {
		Cores::All => {
			let all = machine.allowed.iter().copied();
			all.filter(|core| machine.is_first(*core)).collect()
		}
		Cores::Set(cores) => cores.intersection(&machine.allowed).copied().collect(),
	};
	let sensible = cores.len().min(machine.quota);
	let threads = settings.threads.unwrap_or(sensible).max(1);
	let pinned = match settings.pin {
		Pin::Auto => threads == cores.len(),
		Pin::Always => true,
		Pin::Never => false,
	};
	match pinned && !cores.is_empty() {
		true => cores.into_iter().cycle().take(threads).map(Some).collect(),
		false => vec![None; threads],
	}
}

/// Binds the calling thread to the cores that are meant for it and lets others go first. What the
/// system refuses is said and done without; whether the cores were granted.
pub(crate) fn settle(core: Option<usize>, settings: &Settings) -> bool {
	let granted = match (core, &settings.cores) {
		(Some(core), _) => bind(&BTreeSet::from([core])),
		(None, Cores::Set(cores)) => bind(cores),
		(None, Cores::All) => true,
	};
	if settings.nice != 0 {
		// The kernel has a niceness for each thread.
		if let Err(error) = rustix::process::nice(settings.nice) {
			warn!(
				nice = settings.nice,
				"the prover's priority is not changed: {error}"
			);
		}
	}
	granted
}

fn bind(cores: &BTreeSet<usize>) -> bool {
	let mut set = CpuSet::new();
	for core in cores {
		set.set(*core);
	}
	let bound = sched_setaffinity(None, &set);
	if let Err(error) = &bound {
		warn!(cores = %list(cores), "a thread is not bound to its cores: {error}");
	}
	bound.is_ok()
}

#[cfg(test)]
mod tests {
	use super::*;
	use proptest::prelude::*;

	/// A machine of which the cores 2n and 2n + 1 are one physical core.
	fn smt(allowed: impl IntoIterator<Item = usize>, quota: usize) -> Topology {
		let allowed: BTreeSet<usize> = allowed.into_iter().collect();
		let siblings = allowed
			.iter()
			.map(|core| (*core, BTreeSet::from([core & !1, core | 1])));
		Topology {
			siblings: siblings.collect(),
			allowed,
			quota,
		}
	}

	fn settings(cores: &str, threads: Option<usize>, pin: Pin) -> Settings {
		Settings {
			cores: cores.parse().expect("they are cores"),
			threads,
			pin,
			..Settings::default()
		}
	}

	fn planned(cores: &str, threads: Option<usize>, pin: Pin, machine: &Topology) -> String {
		let plan = plan(&settings(cores, threads, pin), machine);
		let texts = plan.iter().map(|core| match core {
			Some(core) => core.to_string(),
			None => "-".into(),
		});
		texts.collect::<Vec<_>>().join(" ")
	}

	#[test]
	fn threads_go_to_physical_cores_and_stay_where_each_has_its_own() {
		let whole = smt(0..8, 8);
		let table = [
			// One thread on each physical core.
			("all", None, Pin::Auto, &whole, "0 2 4 6"),
			("all", None, Pin::Never, &whole, "- - - -"),
			// Siblings only where they are named.
			("0-3", None, Pin::Auto, &whole, "0 1 2 3"),
			("5,1", None, Pin::Auto, &whole, "1 5"),
			// Fewer or more threads than cores share them.
			("all", Some(1), Pin::Auto, &whole, "-"),
			("all", Some(3), Pin::Always, &whole, "0 2 4"),
			("0-1", Some(3), Pin::Auto, &whole, "- - -"),
			("0-1", Some(3), Pin::Always, &whole, "0 1 0"),
			("0-1", Some(2), Pin::Auto, &whole, "0 1"),
			("all", Some(0), Pin::Auto, &whole, "-"),
			// The process may not use all: a sibling stands in for a core that is taken.
			("all", None, Pin::Auto, &smt([1, 4, 5, 7], 4), "1 4 7"),
			("0,4", None, Pin::Auto, &smt([1, 4, 5, 7], 4), "4"),
			("2-3", None, Pin::Auto, &smt([1, 4, 5, 7], 4), "-"),
			// One and a half cores of time, as the standard library counts them.
			("all", None, Pin::Auto, &smt(0..8, 1), "-"),
			("0-3", None, Pin::Auto, &smt(0..8, 1), "-"),
			("0-3", None, Pin::Always, &smt(0..8, 2), "0 1"),
			("all", None, Pin::Auto, &smt(0..2, 1), "0"),
		];
		for (cores, threads, pin, machine, expected) in table {
			let found = planned(cores, threads, pin, machine);
			assert_eq!(found, expected, "{cores} {threads:?} {pin:?} {machine:?}");
		}
		let unknown = Topology {
			siblings: BTreeMap::new(),
			..smt(0..2, 2)
		};
		assert_eq!(planned("all", None, Pin::Auto, &unknown), "0 1");
	}

	#[test]
	fn what_names_no_cores_is_refused() {
		for text in [
			"",
			" ",
			",",
			"0,",
			"3-1",
			"-1",
			"1-",
			"a",
			"0-1-2",
			"1024",
			"0-9999999999",
		] {
			let error = text.parse::<Cores>().expect_err("it names no cores");
			assert!(error.to_string().contains("\"0-3,8\""), "{error}");
		}
		let read = |json: &str| serde_json::from_str::<Cores>(json).ok();
		let third = Cores::Set(BTreeSet::from([3]));
		assert_eq!(read("3"), Some(third.clone()));
		assert_eq!(read("\"3\""), Some(third));
		assert_eq!(
			(read("\"every\""), read("-1"), read("true")),
			(None, None, None)
		);
	}

	#[test]
	fn cores_that_the_process_may_not_use_are_told() {
		let machine = smt([0, 1, 4], 3);
		let foreign = |cores: &str| {
			let cores: Cores = cores.parse().expect("they are cores");
			list(&cores.foreign_to(&machine))
		};
		assert_eq!(foreign("0-5"), "2-3,5");
		assert_eq!(
			(foreign("1,4"), foreign("all")),
			(String::new(), String::new())
		);
	}

	#[test]
	fn this_machine_has_cores() {
		let machine = Topology::read();
		assert!(!machine.allowed.is_empty());
		assert!(machine.quota >= 1);
		assert!(!plan(&Settings::default(), &machine).is_empty());
	}

	proptest! {
		#[test]
		fn cores_are_read_as_they_are_written(
			cores in prop::collection::btree_set(0usize..1_024, 1..40),
		) {
			let cores = Cores::Set(cores);
			prop_assert_eq!(cores.to_string().parse::<Cores>(), Ok(cores));
		}
	}
}
