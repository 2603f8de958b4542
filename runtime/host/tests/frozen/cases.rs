//! What is judged: each way in which a call can end, and each part of a guest's world.

use codec::Encode;
use millrace_primitives::{
	effects::{effect_hash, EffectRecord, Transcript},
	execution::{response_hash, CallStatus, Request},
	market::{CallLimits, Host, Hosts},
	replay::{ReplayInput, ReplayOutcome},
	Gas, H256,
};

/// A call, and what must come of it.
pub(crate) struct Case {
	pub(crate) name: &'static str,
	pub(crate) package: Vec<u8>,
	pub(crate) input: ReplayInput,
	/// Not the answer, but what the case is there for.
	pub(crate) expects: fn(&ReplayOutcome) -> bool,
}

impl Case {
	fn new(
		name: &'static str,
		package: Vec<u8>,
		input: ReplayInput,
		expects: fn(&ReplayOutcome) -> bool,
	) -> Self {
		Self {
			name,
			package,
			input,
			expects,
		}
	}

	/// With another input.
	fn with(mut self, change: impl FnOnce(&mut ReplayInput)) -> Self {
		change(&mut self.input);
		self
	}
}

/// Gas that is plenty for every case.
const PLENTY: Gas = 5_000_000;
/// What [`EFFECT_REQUEST`] names.
const HOST: &[u8] = b"a.example";
/// What the guests with effects ask for.
const EFFECT_REQUEST: &[u8] = b"GET http://a.example/x\r\n\r\n";
/// What they are told.
const EFFECT_REPLY: &[u8] = b"200\r\ncontent-type: text/plain\r\n\r\nhi";

fn input() -> ReplayInput {
	ReplayInput {
		request: Request {
			method: "POST".into(),
			path: "/a/b".into(),
			query: "x=1&y=2".into(),
			content_type: "text/plain".into(),
			body: b"the body of a request".to_vec(),
		},
		transcript: Transcript::default(),
		limits: CallLimits {
			gas: PLENTY,
			memory_bytes: 4 * 65_536,
			request_bytes: 65_536,
			response_bytes: 4_096,
		},
		hosts: Hosts::default(),
		clock_ms: 1_700_000_000_123,
		seed: H256::repeat_byte(9),
		claimed_gas: PLENTY,
	}
}

/// A module with what the cases import, and these items.
fn module(items: &str) -> Vec<u8> {
	let text = format!(
		r#"(module
			(import "wasi_snapshot_preview1" "fd_write"
				(func $fd_write (param i32 i32 i32 i32) (result i32)))
			(import "wasi_snapshot_preview1" "fd_read"
				(func $fd_read (param i32 i32 i32 i32) (result i32)))
			(import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
			(import "wasi_snapshot_preview1" "random_get"
				(func $random_get (param i32 i32) (result i32)))
			(import "wasi_snapshot_preview1" "clock_time_get"
				(func $clock_time_get (param i32 i64 i32) (result i32)))
			(import "wasi_snapshot_preview1" "environ_get"
				(func $environ_get (param i32 i32) (result i32)))
			(import "wasi_snapshot_preview1" "environ_sizes_get"
				(func $environ_sizes_get (param i32 i32) (result i32)))
			(import "wasi_snapshot_preview1" "path_open"
				(func $path_open
					(param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
			(import "wasi_snapshot_preview1" "fd_readdir"
				(func $fd_readdir (param i32 i32 i32 i64 i32) (result i32)))
			(import "wasi_snapshot_preview1" "poll_oneoff"
				(func $poll_oneoff (param i32 i32 i32 i32) (result i32)))
			(import "wasi_snapshot_preview1" "sock_shutdown"
				(func $sock_shutdown (param i32 i32) (result i32)))
			(memory (export "memory") 1)
			;; Writes bytes to a descriptor.
			(func $write (param $fd i32) (param $at i32) (param $length i32)
				(i32.store (i32.const 0) (local.get $at))
				(i32.store (i32.const 4) (local.get $length))
				(drop (call $fd_write
					(local.get $fd) (i32.const 0) (i32.const 1) (i32.const 8))))
			;; Puts a number where the answer is put together, and writes it.
			(func $tell (param $value i64)
				(i64.store (i32.const 16) (local.get $value))
				(call $write (i32.const 1) (i32.const 16) (i32.const 8)))
			{items})"#
	);
	wat::parse_str(text).expect("the module is well-formed")
}

/// A module whose `_start` has this body.
fn command(body: &str) -> Vec<u8> {
	module(&format!("(func (export \"_start\") {body})"))
}

/// A package of a module and files: a custom section behind all others.
fn with_files(mut module: Vec<u8>, files: &[(&str, &str)]) -> Vec<u8> {
	let files: Vec<(Vec<u8>, Vec<u8>)> = files
		.iter()
		.map(|(path, content)| (path.as_bytes().to_vec(), content.as_bytes().to_vec()))
		.collect();
	let name = b"millrace:files";
	let mut section = vec![name.len() as u8];
	section.extend(name);
	section.extend(files.encode());
	let length = u8::try_from(section.len()).expect("it is short");
	assert!(length < 0x80, "its length is one byte of LEB128");
	module.extend([0, length]);
	module.extend(section);
	module
}

fn record(request: &[u8]) -> EffectRecord {
	EffectRecord {
		request: effect_hash(request),
		reply: EFFECT_REPLY.to_vec(),
	}
}

/// Asks so often for the same, and writes the last reply.
fn asking(times: u32) -> Vec<u8> {
	let request: String = EFFECT_REQUEST
		.iter()
		.map(|byte| format!("\\{byte:02x}"))
		.collect();
	let length = EFFECT_REQUEST.len();
	let ask =
		format!("(drop (call $effect_call (i32.const 200) (i32.const {length}) (i32.const 32)))")
			.repeat(times as usize);
	let text = format!(
		r#"(module
			(import "millrace" "effect_call"
				(func $effect_call (param i32 i32 i32) (result i32)))
			(import "millrace" "effect_read"
				(func $effect_read (param i32 i32) (result i32)))
			(import "wasi_snapshot_preview1" "fd_write"
				(func $fd_write (param i32 i32 i32 i32) (result i32)))
			(memory (export "memory") 1)
			(data (i32.const 200) "{request}")
			(func (export "_start")
				{ask}
				(drop (call $effect_read (i32.const 1000) (i32.load (i32.const 32))))
				(i32.store (i32.const 0) (i32.const 1000))
				(i32.store (i32.const 4) (i32.load (i32.const 32)))
				(drop (call $fd_write
					(i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))"#
	);
	wat::parse_str(text).expect("the module is well-formed")
}

fn with_hosts(input: &mut ReplayInput, records: Vec<EffectRecord>) {
	let host = Host::truncate_from(HOST.to_vec());
	input.hosts = Hosts::truncate_from(vec![host]);
	input.transcript = Transcript(records);
}

fn ended(outcome: &ReplayOutcome, wanted: CallStatus) -> bool {
	matches!(outcome, ReplayOutcome::Ended { status, .. } if *status == wanted)
}

fn succeeds(outcome: &ReplayOutcome) -> bool {
	ended(outcome, CallStatus::Exited(0))
}

/// It succeeds and says something.
fn answers(outcome: &ReplayOutcome) -> bool {
	let says = |response: &H256| *response != response_hash(b"");
	succeeds(outcome) && matches!(outcome, ReplayOutcome::Ended { response, .. } if says(response))
}

fn traps(outcome: &ReplayOutcome) -> bool {
	ended(outcome, CallStatus::Trapped)
}

fn runs_out(outcome: &ReplayOutcome) -> bool {
	ended(outcome, CallStatus::OutOfGas)
}

fn takes_more(outcome: &ReplayOutcome) -> bool {
	*outcome == ReplayOutcome::TakesMore
}

fn other_effects(outcome: &ReplayOutcome) -> bool {
	*outcome == ReplayOutcome::OtherEffects
}

fn invalid(outcome: &ReplayOutcome) -> bool {
	*outcome == ReplayOutcome::PackageInvalid
}

/// All of them.
pub(crate) fn cases() -> Vec<Case> {
	let mut cases = ends();
	cases.extend(arithmetic());
	cases.extend(world());
	cases.extend(effects());
	cases.extend(packages());
	cases
}

/// Each way to end, and each way to be billed.
fn ends() -> Vec<Case> {
	let case = |name, body: &str, expects| Case::new(name, command(body), input(), expects);
	let endless = "(loop (br 0))";
	let recursion = module("(func $again (call $again)) (func (export \"_start\") (call $again))");
	let null = module(
		"(table 1 funcref) (type $t (func)) \
		(func (export \"_start\") (call_indirect (type $t) (i32.const 0)))",
	);
	let other_type = module(
		"(type $t (func (param i32))) (func $f) (table funcref (elem $f)) \
		(func (export \"_start\") (call_indirect (type $t) (i32.const 1) (i32.const 0)))",
	);
	vec![
		case("returns", "nop", succeeds),
		case("exits_with_0", "(call $proc_exit (i32.const 0))", succeeds),
		case(
			"exits_with_7",
			"(call $proc_exit (i32.const 7))",
			|outcome| ended(outcome, CallStatus::Exited(7)),
		),
		case("traps", "unreachable", traps),
		case(
			"divides_by_zero",
			"(drop (i32.div_u (i32.const 1) (i32.const 0)))",
			traps,
		),
		case(
			"overflows",
			"(drop (i64.div_s (i64.const 0x8000000000000000) (i64.const -1)))",
			traps,
		),
		case(
			"reads_out_of_bounds",
			"(drop (i32.load (i32.const 65533)))",
			traps,
		),
		case(
			"converts_nan",
			"(drop (i32.trunc_f64_s (f64.const nan)))",
			traps,
		),
		case(
			"fills_out_of_bounds",
			"(memory.fill (i32.const 65535) (i32.const 0) (i32.const 2))",
			traps,
		),
		case(
			"traps_in_a_loop",
			"(local $i i32) (loop (drop (i32.div_u (i32.const 9) (i32.sub (i32.const 9) \
			(local.get $i)))) (local.set $i (i32.add (local.get $i) (i32.const 1))) (br 0))",
			traps,
		),
		Case::new("calls_null", null, input(), traps),
		Case::new("calls_another_type", other_type, input(), traps),
		Case::new("recurses", recursion, input(), |outcome| {
			ended(outcome, CallStatus::StackOverflow)
		}),
		case("runs_out_of_gas", endless, runs_out),
		case("takes_more_than_claimed", endless, takes_more)
			.with(|input| input.claimed_gas = PLENTY - 1),
		case(
			"takes_more_by_a_length",
			"(memory.fill (i32.const 0) (i32.const 1) \
			(i32.const 60000))",
			takes_more,
		)
		.with(|input| input.claimed_gas = 100),
		case(
			"claims_nothing",
			"(drop (i32.load (i32.const 0)))",
			takes_more,
		)
		.with(|input| input.claimed_gas = 0),
		case(
			"says_too_much",
			"(call $write (i32.const 1) (i32.const 0) (i32.const 4097))",
			|outcome| ended(outcome, CallStatus::ResponseTooLarge),
		),
		case(
			"says_as_much_as_it_may",
			"(call $write (i32.const 1) (i32.const 0) (i32.const 4096))",
			answers,
		),
	]
}

/// What is computed.
fn arithmetic() -> Vec<Case> {
	let case = |name, body: &str| Case::new(name, command(body), input(), answers);
	let tell = |value: &str| format!("(call $tell {value})");
	let sum = "(local $i i64) (local $sum i64) \
		(loop \
			(local.set $sum (i64.add (local.get $sum) (i64.mul (local.get $i) (local.get $i)))) \
			(local.set $i (i64.add (local.get $i) (i64.const 1))) \
			(br_if 0 (i64.lt_u (local.get $i) (i64.const 1000)))) \
		(call $tell (local.get $sum))";
	let table = module(
		"(type $t (func (param i64) (result i64))) \
		(func $double (type $t) (i64.shl (local.get 0) (i64.const 1))) \
		(func $square (type $t) (i64.mul (local.get 0) (local.get 0))) \
		(table funcref (elem $double $square)) \
		(func (export \"_start\") \
			(call $tell (call_indirect (type $t) (i64.const 21) (i32.const 0))) \
			(call $tell (call_indirect (type $t) (i64.const 21) (i32.const 1))))",
	);
	let several = module(
		"(func $both (param i64 i64) (result i64 i64) (local.get 1) (local.get 0)) \
		(func (export \"_start\") \
			(i64.sub (call $both (i64.const 5) (i64.const 7))) (call $tell))",
	);
	let globals = module(
		"(global $g (mut i64) (i64.const 3)) \
		(func (export \"_start\") \
			(global.set $g (i64.rotl (global.get $g) (i64.const 61))) \
			(call $tell (global.get $g)))",
	);
	let branches = "(local $i i32) \
		(loop $again \
			(block $three (block $two (block $one \
				(br_table $one $two $three (i32.rem_u (local.get $i) (i32.const 3)))) \
				(call $tell (i64.const 1))) \
				(call $tell (i64.const 2))) \
			(local.set $i (i32.add (local.get $i) (i32.const 1))) \
			(br_if $again (i32.lt_u (local.get $i) (i32.const 9))))";
	vec![
		case("sums", sum),
		case(
			"canonical_nan",
			&tell("(i64.reinterpret_f64 (f64.div (f64.const 0) (f64.const 0)))"),
		),
		case(
			"payload_of_a_nan",
			&tell("(i64.reinterpret_f64 (f64.add (f64.const nan:0x4000000000001) (f64.const 1)))"),
		),
		case(
			"single_precision",
			&tell(
				"(i64.extend_i32_u (i32.reinterpret_f32 (f32.sqrt (f32.demote_f64 \
				(f64.nearest (f64.const 2.5))))))",
			),
		),
		case(
			"saturates",
			&tell("(i64.trunc_sat_f64_s (f64.const 1e300))"),
		),
		case("extends_signs", &tell("(i64.extend8_s (i64.const 0x1ff))")),
		case(
			"counts_bits",
			&tell("(i64.add (i64.popcnt (i64.const -7)) (i64.clz (i64.const 9)))"),
		),
		case("branches", branches),
		Case::new("calls_by_table", table, input(), answers),
		Case::new("returns_several", several, input(), answers),
		Case::new("keeps_globals", globals, input(), answers),
		case(
			"grows",
			"(call $tell (i64.extend_i32_s (memory.grow (i32.const 3)))) \
			(call $tell (i64.extend_i32_s (memory.grow (i32.const 1)))) \
			(call $tell (i64.extend_i32_u (memory.size)))",
		),
		case(
			"moves_bytes",
			"(memory.fill (i32.const 100) (i32.const 7) (i32.const 50)) \
			(memory.copy (i32.const 120) (i32.const 90) (i32.const 40)) \
			(call $write (i32.const 1) (i32.const 90) (i32.const 80))",
		),
	]
}

/// What the guest is told of the world.
fn world() -> Vec<Case> {
	let case = |name, body: &str| Case::new(name, command(body), input(), answers);
	let say = "(call $write (i32.const 1) (i32.const 200) (i32.const 200))";
	let files = [("data/a.txt", "content of a"), ("b.txt", "content of b")];
	let mut sorted = files;
	sorted.sort();
	let open = |path: &str| {
		format!(
			"(i32.store (i32.const 100) (call $path_open (i32.const 3) (i32.const 0) \
			(i32.const 60) (i32.const {}) (i32.const 0) (i64.const 2) (i64.const 0) \
			(i32.const 0) (i32.const 104)))",
			path.len()
		)
	};
	let reading = |path: &str| {
		let bytes: String = path.bytes().map(|byte| format!("\\{byte:02x}")).collect();
		let opened = open(path);
		let package = module(&format!(
			"(data (i32.const 60) \"{bytes}\") \
			(func (export \"_start\") {opened} \
				(i32.store (i32.const 108) (i32.const 200)) \
				(i32.store (i32.const 112) (i32.const 100)) \
				(i32.store (i32.const 116) (call $fd_read (i32.load (i32.const 104)) \
					(i32.const 108) (i32.const 1) (i32.const 120))) \
				(call $write (i32.const 1) (i32.const 100) (i32.const 200)))"
		));
		with_files(package, &sorted)
	};
	let listing = with_files(
		command(&format!(
			"(drop (call $fd_readdir (i32.const 3) (i32.const 200) (i32.const 180) \
			(i64.const 0) (i32.const 196))) {say}"
		)),
		&sorted,
	);
	vec![
		case(
			"echoes",
			"(i32.store (i32.const 16) (i32.const 200)) \
			(i32.store (i32.const 20) (i32.const 100)) \
			(drop (call $fd_read (i32.const 0) (i32.const 16) (i32.const 1) (i32.const 24))) \
			(call $write (i32.const 1) (i32.const 200) (i32.load (i32.const 24)))",
		),
		case(
			"tells_time",
			"(drop (call $clock_time_get (i32.const 0) (i64.const 1) (i32.const 200))) \
			(drop (call $clock_time_get (i32.const 1) (i64.const 1) (i32.const 208))) \
			(call $write (i32.const 1) (i32.const 200) (i32.const 16))",
		),
		case(
			"draws",
			"(drop (call $random_get (i32.const 200) (i32.const 33))) \
			(drop (call $random_get (i32.const 233) (i32.const 32))) \
			(call $write (i32.const 1) (i32.const 200) (i32.const 65))",
		),
		case(
			"reads_its_environment",
			"(drop (call $environ_sizes_get (i32.const 200) (i32.const 204))) \
			(drop (call $environ_get (i32.const 208) (i32.const 300))) \
			(call $write (i32.const 1) (i32.const 200) (i32.const 400))",
		),
		case(
			"sleeps",
			"(i64.store (i32.const 400) (i64.const 77)) \
			(i64.store (i32.const 424) (i64.const 1500000000)) \
			(i32.store (i32.const 416) (i32.const 1)) \
			(i32.store (i32.const 200) (call $poll_oneoff (i32.const 400) (i32.const 208) \
				(i32.const 1) (i32.const 260))) \
			(drop (call $clock_time_get (i32.const 1) (i64.const 1) (i32.const 264))) \
			(call $write (i32.const 1) (i32.const 200) (i32.const 72))",
		),
		case(
			"knows_no_sockets",
			"(call $tell (i64.extend_i32_u (call $sock_shutdown (i32.const 0) (i32.const 0))))",
		),
		case(
			"addresses_out_of_bounds",
			"(call $tell (i64.extend_i32_u (call $random_get (i32.const 65535) (i32.const 2))))",
		),
		Case::new("reads_a_file", reading("data/a.txt"), input(), answers),
		Case::new("misses_a_file", reading("data/c.txt"), input(), answers),
		Case::new("leaves_its_files", reading("../b.txt"), input(), answers),
		Case::new("lists_its_files", listing, input(), answers),
	]
}

/// What the guest asks outside of itself.
fn effects() -> Vec<Case> {
	let case = |name, times, expects| Case::new(name, asking(times), input(), expects);
	let right = || record(EFFECT_REQUEST);
	let other = || record(b"GET http://a.example/y\r\n\r\n");
	vec![
		case("asks_without_hosts", 1, succeeds),
		case("asks_once", 1, answers).with(|input| with_hosts(input, vec![right()])),
		case("asks_twice", 2, answers).with(|input| with_hosts(input, vec![right(), right()])),
		case("asks_another", 1, other_effects).with(|input| with_hosts(input, vec![other()])),
		case("asks_more", 2, other_effects).with(|input| with_hosts(input, vec![right()])),
		case("asks_less", 1, other_effects).with(|input| with_hosts(input, vec![right(), right()])),
		case("asks_for_more_gas", 1, takes_more).with(|input| {
			with_hosts(input, vec![right()]);
			input.claimed_gas = 1_000;
		}),
	]
}

/// Packages that cannot run.
fn packages() -> Vec<Case> {
	let case = |name, package| Case::new(name, package, input(), invalid);
	let text = |text: &str| wat::parse_str(text).expect("the module is well-formed");
	let mut cut = command("nop");
	cut.truncate(cut.len() / 2);
	vec![
		case("empty_package", Vec::new()),
		case("text_for_a_package", b"(module)".to_vec()),
		case("cut_package", cut),
		case(
			"package_without_a_start",
			text(r#"(module (memory (export "memory") 1))"#),
		),
		case(
			"package_without_a_memory",
			text(r#"(module (func (export "_start")))"#),
		),
		case(
			"package_that_imports_another",
			text(
				r#"(module (import "env" "f" (func)) (memory (export "memory") 1)
				(func (export "_start")))"#,
			),
		),
		case(
			"package_of_vectors",
			text(
				r#"(module (memory (export "memory") 1)
				(func (export "_start") (drop (v128.const i64x2 1 2))))"#,
			),
		),
		case(
			"package_with_twisted_files",
			with_files(command("nop"), &[("b", ""), ("a", "")]),
		),
		case(
			"package_with_a_way_out",
			with_files(command("nop"), &[("../a", "")]),
		),
	]
}
