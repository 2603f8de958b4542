//! Guests that are small enough to be written down here.

/// A guest that answers with its request, unless the first letter asks for something else: `t`raps,
/// uses up its `g`as, grows its `m`emory as far as it may and exits with the number of its pages,
/// recurses over its `s`tack, writes without `e`nd, or `q`uits with 3 and a word on standard error.
const ODD: &str = r#"
(module
	(import "wasi_snapshot_preview1" "fd_read"
		(func $read (param i32 i32 i32 i32) (result i32)))
	(import "wasi_snapshot_preview1" "fd_write"
		(func $write (param i32 i32 i32 i32) (result i32)))
	(import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
	(memory (export "memory") 2)
	(data (i32.const 64) "this guest gives up\n")

	(func $put (param $fd i32) (param $at i32) (param $length i32)
		(i32.store (i32.const 16) (local.get $at))
		(i32.store (i32.const 20) (local.get $length))
		(drop (call $write (local.get $fd) (i32.const 16) (i32.const 1) (i32.const 24))))

	(func $deep (param $x i32) (result i32)
		(i32.add (i32.const 1) (call $deep (i32.add (local.get $x) (i32.const 1)))))

	(func (export "_start") (local $length i32) (local $letter i32)
		(i32.store (i32.const 0) (i32.const 1024))
		(i32.store (i32.const 4) (i32.const 65536))
		(drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
		(local.set $length (i32.load (i32.const 8)))
		(local.set $letter (i32.load8_u (i32.const 1024)))

		(if (i32.eq (local.get $letter) (i32.const 0x74)) (then (unreachable)))
		(if (i32.eq (local.get $letter) (i32.const 0x67)) (then (loop $for_ever (br $for_ever))))
		(if (i32.eq (local.get $letter) (i32.const 0x6d)) (then
			(loop $more
				(br_if $more (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))
			(call $exit (memory.size))))
		(if (i32.eq (local.get $letter) (i32.const 0x73)) (then
			(drop (call $deep (i32.const 0)))))
		(if (i32.eq (local.get $letter) (i32.const 0x65)) (then
			(loop $more
				(call $put (i32.const 1) (i32.const 1024) (i32.const 65536))
				(br $more))))
		(if (i32.eq (local.get $letter) (i32.const 0x71)) (then
			(call $put (i32.const 2) (i32.const 64) (i32.const 20))
			(call $exit (i32.const 3))))

		(call $put (i32.const 1) (i32.const 1024) (local.get $length)))
)"#;

/// The guest that can misbehave.
pub fn odd() -> Vec<u8> {
	module(ODD)
}

/// The guest that can misbehave, for requests that do not ask for it: it answers with its request.
pub fn echo() -> Vec<u8> {
	odd()
}

/// The same guest in a module of another hash: it has one more function, which nobody calls.
pub fn echo_again() -> Vec<u8> {
	let memory = r#"(memory (export "memory") 2)"#;
	module(&ODD.replace(memory, &format!("{memory} (func $idle)")))
}

/// What [`other`] answers, whatever it is asked.
pub const OTHER: &str = "another function";

/// A guest that answers with [`OTHER`].
pub fn other() -> Vec<u8> {
	module(&format!(
		r#"
		(module
			(import "wasi_snapshot_preview1" "fd_write"
				(func $write (param i32 i32 i32 i32) (result i32)))
			(memory (export "memory") 1)
			(data (i32.const 64) "{OTHER}")
			(func (export "_start")
				(i32.store (i32.const 0) (i32.const 64))
				(i32.store (i32.const 4) (i32.const {length}))
				(drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))
		"#,
		length = OTHER.len(),
	))
}

/// A guest that wants to open sockets, by a function that no profile has.
pub fn with_a_forbidden_import() -> Vec<u8> {
	module(
		r#"
		(module
			(import "env" "socket_open" (func $open (result i32)))
			(memory (export "memory") 1)
			(func (export "_start") (drop (call $open))))
		"#,
	)
}

/// A guest that begins with so many pages of memory and does nothing.
pub fn with_pages(pages: u32) -> Vec<u8> {
	module(&format!(
		r#"(module (memory (export "memory") {pages}) (func (export "_start")))"#
	))
}

/// A library, where a command is wanted.
pub fn without_start() -> Vec<u8> {
	module(r#"(module (memory (export "memory") 1) (func (export "run")))"#)
}

fn module(text: &str) -> Vec<u8> {
	wat::parse_str(text).expect("the guest is well-formed")
}
