//! How much memory there is, and which mode fits into it.

use crate::config::Mode;
use millrace_randomx::Pages;
use std::{fs, path::Path};

/// What fast mode takes while it is filled: dataset and cache, and a scratchpad for each thread.
pub(crate) const FAST_BYTES: u64 = 2_355 * MIB;
/// The dataset alone, which may lie on pages that are reserved already.
const DATASET_BYTES: u64 = 2_080 * MIB;
const MIB: u64 = 1024 * 1024;

/// Memory that the process can still take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Room {
	/// Ordinary memory.
	free: u64,
	/// Huge pages that were reserved and are not in use.
	reserved: u64,
}

impl Room {
	/// What the system says; a system that says nothing counts as roomy.
	pub(crate) fn read() -> Self {
		let meminfo = fs::read_to_string("/proc/meminfo").unwrap_or_default();
		let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
		Self::of(&meminfo, in_groups(&groups, Path::new("/sys/fs/cgroup")))
	}

	fn of(meminfo: &str, in_groups: Option<u64>) -> Self {
		let free = kilobytes(meminfo, "MemAvailable:").unwrap_or(u64::MAX);
		let pages = number(meminfo, "HugePages_Free:").unwrap_or(0);
		let page = kilobytes(meminfo, "Hugepagesize:").unwrap_or(0);
		Self {
			free: free.min(in_groups.unwrap_or(u64::MAX)),
			reserved: pages.saturating_mul(page),
		}
	}

	/// Ordinary memory that fast mode needs, if it may use these pages.
	fn needed(&self, pages: Pages) -> u64 {
		if pages == Pages::Reserved && self.reserved >= DATASET_BYTES {
			FAST_BYTES - DATASET_BYTES
		} else {
			FAST_BYTES
		}
	}

	/// The mode to compute in, never [`Mode::Auto`], and what is to be said of it.
	pub(crate) fn choose(&self, mode: Mode, pages: Pages) -> (Mode, Option<String>) {
		let needed = self.needed(pages);
		let fits = self.free >= needed;
		let short = || {
			format!(
				"{} of memory are free and fast mode needs {}",
				gibibytes(self.free),
				gibibytes(needed)
			)
		};
		match mode {
			Mode::Light => (Mode::Light, None),
			Mode::Auto | Mode::Fast if fits => (Mode::Fast, None),
			Mode::Fast => (
				Mode::Fast,
				Some(format!(
					"{}: the prover may be ended by the system; free some, or set mode = \"light\" \
					 in [prover]",
					short()
				)),
			),
			Mode::Auto => (Mode::Light, Some(no_fast(&short()))),
		}
	}
}

/// What is said when light mode has to do.
pub(crate) fn no_fast(why: &str) -> String {
	format!(
		"light mode, several times slower, since {why}; free some, or set mode = \"light\" in \
		 [prover] if it is meant"
	)
}

fn gibibytes(bytes: u64) -> String {
	format!("{:.1} GiB", bytes as f64 / (1024.0 * MIB as f64))
}

/// The number behind a name.
fn number(text: &str, name: &str) -> Option<u64> {
	let line = text.lines().find_map(|line| line.strip_prefix(name))?;
	line.split_whitespace().next()?.parse().ok()
}

fn kilobytes(text: &str, name: &str) -> Option<u64> {
	number(text, name).map(|kilobytes| kilobytes.saturating_mul(1024))
}

/// Names of the files that bound a group's memory: limit, use, and in `memory.stat` what of the use
/// can be given up.
const VERSIONS: [(&str, &str, &str, &str); 2] = [
	("", "memory.max", "memory.current", "inactive_file "),
	(
		"memory",
		"memory.limit_in_bytes",
		"memory.usage_in_bytes",
		"total_inactive_file ",
	),
];

/// Memory that the control groups of the process leave it; `None` where they set no bound.
fn in_groups(groups: &str, root: &Path) -> Option<u64> {
	let mut least = None;
	for line in groups.lines() {
		// number:controllers:/path
		let mut parts = line.splitn(3, ':').skip(1);
		let (Some(controllers), Some(path)) = (parts.next(), parts.next()) else {
			continue;
		};
		for (folder, limit, usage, inactive) in VERSIONS {
			let is_it = match folder {
				"" => controllers.is_empty(),
				_ => controllers.split(',').any(|name| name == folder),
			};
			if !is_it {
				continue;
			}
			let base = root.join(folder);
			// Every group above bounds it too. In a container the path may not exist.
			let inner = Path::new(path.trim_start_matches('/'));
			for group in inner.ancestors().map(|group| base.join(group)) {
				let read = |file: &str| fs::read_to_string(group.join(file)).ok();
				let value = |file: &str| read(file)?.trim().parse::<u64>().ok();
				if let (Some(limit), Some(used)) = (value(limit), value(usage)) {
					let kept = read("memory.stat").and_then(|stat| number(&stat, inactive));
					let free = limit.saturating_sub(used.saturating_sub(kept.unwrap_or(0)));
					least = Some(least.map_or(free, |least: u64| least.min(free)));
				}
			}
		}
	}
	least
}

#[cfg(test)]
mod tests {
	use super::*;

	const MEMINFO: &str = "MemTotal:       24683604 kB\nMemFree:        20000000 kB\n\
		MemAvailable:   2411520 kB\nHugePages_Total:    1280\nHugePages_Free:     1040\n\
		Hugepagesize:       2048 kB\n";

	#[test]
	fn fast_mode_is_chosen_where_its_memory_is_free() {
		let room = |free: u64, reserved: u64| Room {
			free: free * MIB,
			reserved: reserved * MIB,
		};
		let choose = |room: Room, mode: Mode, pages: Pages| {
			let (mode, said) = room.choose(mode, pages);
			(mode, said.is_some())
		};
		let table = [
			(
				room(2_355, 0),
				Mode::Auto,
				Pages::Reserved,
				(Mode::Fast, false),
			),
			(
				room(2_354, 0),
				Mode::Auto,
				Pages::Reserved,
				(Mode::Light, true),
			),
			(
				room(2_354, 0),
				Mode::Fast,
				Pages::Reserved,
				(Mode::Fast, true),
			),
			(
				room(9_000, 0),
				Mode::Light,
				Pages::Reserved,
				(Mode::Light, false),
			),
			(
				room(100, 0),
				Mode::Light,
				Pages::Reserved,
				(Mode::Light, false),
			),
			// The dataset lies on pages that no longer count as free.
			(
				room(275, 2_080),
				Mode::Auto,
				Pages::Reserved,
				(Mode::Fast, false),
			),
			(
				room(275, 2_079),
				Mode::Auto,
				Pages::Reserved,
				(Mode::Light, true),
			),
			(
				room(275, 2_080),
				Mode::Auto,
				Pages::Transparent,
				(Mode::Light, true),
			),
			(
				room(274, 2_080),
				Mode::Auto,
				Pages::Reserved,
				(Mode::Light, true),
			),
		];
		for (room, mode, pages, expected) in table {
			assert_eq!(
				choose(room, mode, pages),
				expected,
				"{room:?} {mode:?} {pages:?}"
			);
		}
		let (_, said) = room(1_229, 0).choose(Mode::Auto, Pages::Reserved);
		let said = said.expect("light mode is explained");
		for part in ["1.2 GiB", "2.3 GiB", "light mode", "[prover]"] {
			assert!(said.contains(part), "{said}");
		}
	}

	#[test]
	fn the_kernels_numbers_are_read() {
		let expected = Room {
			free: 2_355 * MIB,
			reserved: 2_080 * MIB,
		};
		assert_eq!(Room::of(MEMINFO, None), expected);
		let bounded = Room {
			free: 7,
			..expected
		};
		assert_eq!(Room::of(MEMINFO, Some(7)), bounded);
		// Nothing is known: nothing is in the way.
		assert_eq!(
			Room::of("", None).choose(Mode::Auto, Pages::Ordinary).0,
			Mode::Fast
		);
	}

	#[test]
	fn a_containers_bound_counts() {
		let root = tempfile::tempdir().expect("a directory");
		let write = |group: &str, file: &str, text: &str| {
			let folder = root.path().join(group);
			fs::create_dir_all(&folder).expect("a directory");
			fs::write(folder.join(file), text).expect("a file");
		};
		let free = |groups: &str| in_groups(groups, root.path());
		assert_eq!(free("0::/a/b\n"), None);
		write("a/b", "memory.max", "max\n");
		write("a/b", "memory.current", "10\n");
		assert_eq!(free("0::/a/b\n"), None);
		write("a", "memory.max", "1000\n");
		write("a", "memory.current", "600\n");
		write("a", "memory.stat", "anon 1\ninactive_file 50\n");
		assert_eq!(free("0::/a/b\n"), Some(450));
		// The first version of control groups has a folder for each controller.
		write("memory/c", "memory.limit_in_bytes", "300\n");
		write("memory/c", "memory.usage_in_bytes", "290\n");
		assert_eq!(free("4:cpu,memory:/c\n2:cpuset:/\n0::/\n"), Some(10));
		assert_eq!(free("nonsense\n"), None);
	}
}
