//! Files of a package, as the guest sees them.

mod common;

use common::{both, input, limits, package, request, PLENTY};
use millrace_executor::{archive, CallOutput, NoEffects};
use millrace_primitives::execution::CallStatus;

/// What the archive of these tests holds.
const FILES: [(&str, &str); 4] = [
	("a.txt", "first"),
	("data/deep/c", "third"),
	("data/words", "one two three"),
	("z", ""),
];

/// What a read-only open asks for.
const READ: u64 = 1 << 1;

/// A guest with the functions on files. Paths are put to 2000, what is read to 3000.
fn guest(path: &str, body: &str) -> Vec<u8> {
	let text = format!(
		r#"(module
			(import "wasi_snapshot_preview1" "fd_write"
				(func $fd_write (param i32 i32 i32 i32) (result i32)))
			(import "wasi_snapshot_preview1" "fd_read"
				(func $fd_read (param i32 i32 i32 i32) (result i32)))
			(import "wasi_snapshot_preview1" "fd_pread"
				(func $fd_pread (param i32 i32 i32 i64 i32) (result i32)))
			(import "wasi_snapshot_preview1" "fd_pwrite"
				(func $fd_pwrite (param i32 i32 i32 i64 i32) (result i32)))
			(import "wasi_snapshot_preview1" "fd_seek"
				(func $fd_seek (param i32 i64 i32 i32) (result i32)))
			(import "wasi_snapshot_preview1" "fd_tell"
				(func $fd_tell (param i32 i32) (result i32)))
			(import "wasi_snapshot_preview1" "fd_close" (func $fd_close (param i32) (result i32)))
			(import "wasi_snapshot_preview1" "fd_readdir"
				(func $fd_readdir (param i32 i32 i32 i64 i32) (result i32)))
			(import "wasi_snapshot_preview1" "fd_prestat_get"
				(func $fd_prestat_get (param i32 i32) (result i32)))
			(import "wasi_snapshot_preview1" "fd_prestat_dir_name"
				(func $fd_prestat_dir_name (param i32 i32 i32) (result i32)))
			(import "wasi_snapshot_preview1" "fd_fdstat_get"
				(func $fd_fdstat_get (param i32 i32) (result i32)))
			(import "wasi_snapshot_preview1" "fd_filestat_get"
				(func $fd_filestat_get (param i32 i32) (result i32)))
			(import "wasi_snapshot_preview1" "fd_advise"
				(func $fd_advise (param i32 i64 i64 i32) (result i32)))
			(import "wasi_snapshot_preview1" "path_filestat_get"
				(func $path_filestat_get (param i32 i32 i32 i32 i32) (result i32)))
			(import "wasi_snapshot_preview1" "path_open" (func $path_open
				(param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
			(import "wasi_snapshot_preview1" "path_readlink"
				(func $path_readlink (param i32 i32 i32 i32 i32 i32) (result i32)))
			(import "wasi_snapshot_preview1" "path_unlink_file"
				(func $path_unlink_file (param i32 i32 i32) (result i32)))
			(import "wasi_snapshot_preview1" "path_symlink"
				(func $path_symlink (param i32 i32 i32 i32 i32) (result i32)))
			(import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
			(memory (export "memory") 1)
			(data (i32.const 2000) "{path}")
			(func $fail (param i32)
				(if (local.get 0) (then (call $proc_exit (local.get 0)))))
			;; Opens the path below a folder, with these flags and rights.
			(func $open_as (param $fd i32) (param $how i32) (param $rights i64) (result i32)
				(call $path_open (local.get $fd) (i32.const 1) (i32.const 2000) (i32.const {length})
					(local.get $how) (local.get $rights) (i64.const 0) (i32.const 0) (i32.const 16)))
			(func $open (result i32)
				(call $fail (call $open_as (i32.const 3) (i32.const 0) (i64.const {READ})))
				(i32.load (i32.const 16)))
			;; Reads so many bytes of a file to 3000, and says how many there were.
			(func $read (param $fd i32) (param $length i32) (result i32)
				(i32.store (i32.const 0) (i32.const 3000))
				(i32.store (i32.const 4) (local.get $length))
				(call $fail (call $fd_read (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 8)))
				(i32.load (i32.const 8)))
			(func $tell (param $at i32) (param $length i32)
				(i32.store (i32.const 0) (local.get $at))
				(i32.store (i32.const 4) (local.get $length))
				(drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))))
			(func (export "_start") (local $fd i32) (local $n i32) {body}))"#,
		length = path.len(),
	);
	let files = FILES.map(|(path, content)| (path.to_owned(), content.as_bytes().to_vec()));
	archive::attach(&package(&text), &files).expect("the files go in")
}

fn run(package: &[u8]) -> CallOutput {
	let input = input(&request(b""), limits(PLENTY));
	both(package, input, Box::new(NoEffects)).expect("the host does its part")
}

/// What a guest answers that is asked for a path.
fn told(path: &str, body: &str) -> Vec<u8> {
	let output = run(&guest(path, body));
	assert_eq!(output.status, CallStatus::Exited(0), "{path:?} {body}");
	output.response
}

/// The error number that a call ends with.
fn errno(path: &str, call: &str) -> u32 {
	match run(&guest(path, &format!("(call $proc_exit {call})"))).status {
		CallStatus::Exited(code) => code,
		other => panic!("{other:?}"),
	}
}

const OPEN: &str = "(call $open_as (i32.const 3) (i32.const 0) (i64.const 2))";

#[test]
fn a_file_is_read_from_beginning_to_end() {
	let all = r#"(local.set $fd (call $open))
		(loop $more
			(local.set $n (call $read (local.get $fd) (i32.const 4)))
			(call $tell (i32.const 3000) (local.get $n))
			(br_if $more (local.get $n)))"#;
	assert_eq!(told("data/words", all), b"one two three");
	assert_eq!(told("./data//deep/../words", all), b"one two three");
	assert_eq!(told("data/deep/c", all), b"third");
	assert_eq!(told("z", all), b"");
}

#[test]
fn a_file_has_a_position() {
	let seek = |offset: i64, whence: u32| {
		told(
			"data/words",
			&format!(
				r#"(local.set $fd (call $open))
				(drop (call $read (local.get $fd) (i32.const 4)))
				(call $fail (call $fd_seek
					(local.get $fd) (i64.const {offset}) (i32.const {whence}) (i32.const 24)))
				(call $tell (i32.const 3000) (call $read (local.get $fd) (i32.const 3)))
				(call $fail (call $fd_tell (local.get $fd) (i32.const 32)))
				(call $tell (i32.const 24) (i32.const 16))"#
			),
		)
	};
	let told = |text: &[u8], position: u64, after: u64| {
		[text, &position.to_le_bytes(), &after.to_le_bytes()].concat()
	};
	assert_eq!(seek(1, 0), told(b"ne ", 1, 4));
	assert_eq!(seek(0, 1), told(b"two", 4, 7));
	assert_eq!(seek(-2, 1), told(b"e t", 2, 5));
	assert_eq!(seek(-5, 2), told(b"thr", 8, 11));
	// Behind the end there is nothing, and before the beginning no place.
	assert_eq!(seek(9, 2), told(b"", 22, 22));
	let refused = |offset: i64, whence: u32| {
		errno(
			"a.txt",
			&format!(
				"(call $fd_seek (call $open) (i64.const {offset}) (i32.const {whence}) (i32.const 24))"
			),
		)
	};
	assert_eq!(refused(-1, 0), 28);
	assert_eq!(refused(0, 3), 28);
}

#[test]
fn reading_at_a_place_leaves_the_position_alone() {
	let told = told(
		"data/words",
		r#"(local.set $fd (call $open))
		(i32.store (i32.const 0) (i32.const 3000))
		(i32.store (i32.const 4) (i32.const 100))
		(call $fail (call $fd_pread
			(local.get $fd) (i32.const 0) (i32.const 1) (i64.const 8) (i32.const 40)))
		(call $tell (i32.const 3000) (i32.load (i32.const 40)))
		(call $tell (i32.const 3000) (call $read (local.get $fd) (i32.const 3)))"#,
	);
	assert_eq!(told, b"threeone");
}

#[test]
fn paths_do_not_leave_the_archive() {
	for (path, expected) in [
		("a.txt", 0),
		("data", 0),
		(".", 0),
		("data/..", 0),
		("nothing", 44),
		("a.txt/b", 44),
		("A.TXT", 44),
		("..", 76),
		("../a.txt", 76),
		("data/../../a.txt", 76),
		("/a.txt", 76),
		("/", 76),
		("/etc/passwd", 76),
		("../../../../../../../../etc/passwd", 76),
		("\\00", 28),
		("\\ff", 28),
	] {
		// The text's escapes are one byte each.
		let length = if path.starts_with('\\') {
			1
		} else {
			path.len()
		};
		let open = format!(
			"(call $path_open (i32.const 3) (i32.const 1) (i32.const 2000) (i32.const {length}) \
			(i32.const 0) (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 16))"
		);
		assert_eq!(errno(path, &open), expected, "{path:?}");
	}
	assert_eq!(errno("", OPEN), 44);
	// Below a folder that is open, the whole archive is to be seen and no more.
	for (path, expected) in [("words", 0), ("deep/c", 0), ("../a.txt", 0), ("../..", 76)] {
		let below = format!(
			"(call $path_open (i32.load (i32.const 16)) (i32.const 1) (i32.const 2010) \
			(i32.const {}) (i32.const 0) (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 16))",
			path.len()
		);
		let text = format!("data......{path}");
		let body = format!(
			"(drop (call $path_open (i32.const 3) (i32.const 1) (i32.const 2000) (i32.const 4) \
			(i32.const 2) (i64.const 0) (i64.const 0) (i32.const 0) (i32.const 16))) \
			(call $proc_exit {below})"
		);
		let status = run(&guest(&text, &body)).status;
		assert_eq!(status, CallStatus::Exited(expected), "{path}");
	}
}

#[test]
fn nothing_can_be_written() {
	for (how, rights) in [(1, 2), (8, 2), (9, 66), (0, 64), (4, 2)] {
		let open = format!("(call $open_as (i32.const 3) (i32.const {how}) (i64.const {rights}))");
		assert_eq!(errno("a.txt", &open), 69, "{how} {rights}");
		assert_eq!(errno("new", &open), 69, "{how} {rights}");
	}
	let open = "(call $open)";
	for call in [
		format!("(call $fd_write {open} (i32.const 0) (i32.const 0) (i32.const 8))"),
		format!("(call $fd_pwrite {open} (i32.const 0) (i32.const 0) (i64.const 0) (i32.const 8))"),
		"(call $path_unlink_file (i32.const 3) (i32.const 2000) (i32.const 5))".into(),
		"(call $path_symlink (i32.const 2000) (i32.const 1) (i32.const 3) (i32.const 2000) \
			(i32.const 5))"
			.into(),
	] {
		assert_eq!(errno("a.txt", &call), 69, "{call}");
	}
	// On streams the same calls do not exist.
	let unlink = "(call $path_unlink_file (i32.const 1) (i32.const 2000) (i32.const 5))";
	assert_eq!(errno("a.txt", unlink), 52);
}

#[test]
fn folders_and_files_are_told_apart() {
	// Opened as a folder, read as a file.
	let as_folder = "(call $open_as (i32.const 3) (i32.const 2) (i64.const 0))";
	assert_eq!(errno("data", as_folder), 0);
	assert_eq!(errno("a.txt", as_folder), 54);
	let read = "(call $fd_read (call $open) (i32.const 0) (i32.const 0) (i32.const 8))";
	assert_eq!(errno("data", read), 31);
	let list = "(call $fd_readdir (call $open) (i32.const 3000) (i32.const 100) (i64.const 0) \
		(i32.const 8))";
	assert_eq!(errno("a.txt", list), 54);
	let link =
		"(call $path_readlink (i32.const 3) (i32.const 2000) (i32.const 5) (i32.const 3000) \
		(i32.const 100) (i32.const 8))";
	assert_eq!(errno("a.txt", link), 28);
	assert_eq!(errno("b.txt", link), 44);

	let stat = |path: &str| {
		told(
			path,
			&format!(
				r#"(call $fail (call $path_filestat_get (i32.const 3) (i32.const 1)
					(i32.const 2000) (i32.const {}) (i32.const 3000)))
				(call $fail (call $fd_filestat_get (call $open) (i32.const 3064)))
				(call $tell (i32.const 3000) (i32.const 128))"#,
				path.len()
			),
		)
	};
	for (path, kind, size) in [("data/words", 4, 13u64), ("z", 4, 0), ("data", 3, 0)] {
		let told = stat(path);
		let (by_path, by_fd) = told.split_at(64);
		assert_eq!(by_path, by_fd);
		assert_eq!(by_path[16], kind, "{path}");
		assert_eq!(by_path[32..40], size.to_le_bytes(), "{path}");
		assert_eq!(by_path[40..], [0; 24], "{path}: times");
		assert_ne!(by_path[8..16], [0; 8], "{path}: number");
	}
	let kind = |path: &str| {
		let body = "(call $fail (call $fd_fdstat_get (call $open) (i32.const 3000))) \
			(call $tell (i32.const 3000) (i32.const 24))";
		told(path, body)[0]
	};
	assert_eq!((kind("a.txt"), kind("data")), (4, 3));
	let advise = "(call $fd_advise (call $open) (i64.const 0) (i64.const 0) (i32.const 0))";
	assert_eq!(errno("a.txt", advise), 0);
}

#[test]
fn the_root_is_open_from_the_start() {
	let told = told(
		"",
		r#"(call $fail (call $fd_prestat_get (i32.const 3) (i32.const 3000)))
		(call $fail (call $fd_prestat_dir_name (i32.const 3) (i32.const 3008) (i32.const 1)))
		(call $tell (i32.const 3000) (i32.const 9))"#,
	);
	assert_eq!(told, [0, 0, 0, 0, 1, 0, 0, 0, b'/']);
	let prestat = "(call $fd_prestat_get (i32.const 4) (i32.const 3000))";
	assert_eq!(errno("", prestat), 8);
	// A folder that was opened later is none that was open from the start.
	let moved = run(&guest(
		"data",
		r#"(local.set $fd (call $open))
		(drop (call $fd_close (i32.const 3)))
		(call $proc_exit (call $fd_prestat_get (i32.const 4) (i32.const 3000)))"#,
	));
	assert_eq!(moved.status, CallStatus::Exited(8));
	// Without files there is no root.
	let bare = package(&common::command(
		"(call $proc_exit (call $fd_prestat_get (i32.const 3) (i32.const 0)))",
	));
	assert_eq!(run(&bare).status, CallStatus::Exited(8));
}

/// An entry of a folder: where the next one begins, its kind and its name.
type Entry = (u64, u8, String);

fn entries(mut bytes: &[u8]) -> Vec<Entry> {
	let mut found = Vec::new();
	while bytes.len() > 24 {
		let (head, rest) = bytes.split_at(24);
		let length = u32::from_le_bytes(head[16..20].try_into().unwrap()) as usize;
		let Some(name) = rest.get(..length) else {
			break;
		};
		let next = u64::from_le_bytes(head[..8].try_into().unwrap());
		found.push((next, head[20], String::from_utf8(name.to_vec()).unwrap()));
		bytes = &rest[length..];
	}
	found
}

#[test]
fn folders_are_listed_in_one_order_from_any_entry() {
	let list = |path: &str, length: u32, cookie: u64| {
		told(
			path,
			&format!(
				r#"(call $fail (call $fd_readdir (call $open)
					(i32.const 3000) (i32.const {length}) (i64.const {cookie}) (i32.const 40)))
				(call $tell (i32.const 3000) (i32.load (i32.const 40)))"#
			),
		)
	};
	let entry = |next: u64, kind: u8, name: &str| (next, kind, name.to_owned());
	let root = [entry(1, 4, "a.txt"), entry(2, 3, "data"), entry(3, 4, "z")];
	assert_eq!(entries(&list(".", 1_000, 0)), root);
	assert_eq!(entries(&list(".", 1_000, 1)), root[1..]);
	assert!(list(".", 1_000, 3).is_empty());
	assert!(list(".", 1_000, u64::MAX).is_empty());
	assert_eq!(
		entries(&list("data", 1_000, 0)),
		[entry(1, 3, "deep"), entry(2, 4, "words")]
	);
	// A buffer that is full says that there is more; its last entry is cut.
	let cut = list(".", 30, 0);
	assert_eq!((cut.len(), entries(&cut)), (30, root[..1].to_vec()));
	assert_eq!(list(".", 10, 0).len(), 10);
}

#[test]
fn there_is_an_end_to_open_files() {
	let many = r#"(loop $more
			(local.set $n (i32.add (local.get $n) (i32.const 1)))
			(br_if $more (i32.eqz (call $open_as (i32.const 3) (i32.const 0) (i64.const 2)))))
		(call $proc_exit (local.get $n))"#;
	// Four are open from the start, and the last one is refused.
	let output = run(&guest("a.txt", many));
	assert_eq!(output.status, CallStatus::Exited(64 - 4 + 1));
	let refused = r#"(loop $more (br_if $more
			(i32.eqz (local.tee $n (call $open_as (i32.const 3) (i32.const 0) (i64.const 2))))))
		(call $proc_exit (local.get $n))"#;
	let output = run(&guest("a.txt", refused));
	assert_eq!(output.status, CallStatus::Exited(33));
}

#[test]
fn the_first_thing_wrong_is_what_is_said() {
	// Each call has everything wrong that stands behind what it is told.
	let open = |fd: u32, how: u32, at: i32, opened: i32| {
		format!(
			"(call $path_open (i32.const {fd}) (i32.const 1) (i32.const {at}) (i32.const 3) \
			(i32.const {how}) (i64.const 2) (i64.const 0) (i32.const 0) (i32.const {opened}))"
		)
	};
	// The descriptor; what it is; what is to be done; the path's address; the path; the answer's
	// address; what the path leads to.
	assert_eq!(errno("...", &open(9, 1, -1, -1)), 8);
	assert_eq!(errno("...", &open(1, 1, -1, -1)), 54);
	assert_eq!(errno("...", &open(3, 1, -1, -1)), 69);
	assert_eq!(errno("...", &open(3, 0, -1, -1)), 21);
	assert_eq!(errno("../", &open(3, 0, 2000, -1)), 76);
	assert_eq!(errno("...", &open(3, 0, 2000, -1)), 21);
	assert_eq!(errno("...", &open(3, 0, 2000, 16)), 44);

	let read = |fd: &str, vectors: i32, count: u32| {
		format!("(call $fd_read {fd} (i32.const {vectors}) (i32.const {count}) (i32.const -1))")
	};
	// How many buffers there are is what the gas is reckoned from.
	assert_eq!(errno("data", &read("(i32.const 9)", -1, 1_025)), 28);
	assert_eq!(errno("data", &read("(i32.const 9)", -1, 1)), 8);
	assert_eq!(errno("data", &read("(call $open)", -1, 1)), 31);
	assert_eq!(errno("a.txt", &read("(call $open)", -1, 1)), 21);
	// A call that fails moves no position.
	let body = r#"(local.set $fd (call $open))
		(i32.store (i32.const 0) (i32.const 3000))
		(i32.store (i32.const 4) (i32.const 3))
		(drop (call $fd_read (local.get $fd) (i32.const 0) (i32.const 1) (i32.const -1)))
		(call $tell (i32.const 3000) (call $read (local.get $fd) (i32.const 100)))"#;
	assert_eq!(told("a.txt", body), b"first");

	// Gas comes before everything.
	let package = guest("...", &format!("(drop {})", open(9, 1, -1, -1)));
	let enough = run(&package);
	let input = input(&request(b""), limits(enough.gas - 1));
	let output = both(&package, input, Box::new(NoEffects)).unwrap();
	assert_eq!(output.status, CallStatus::OutOfGas);
}
