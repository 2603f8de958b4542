//! Names and signatures of WASI preview1, and of what the host offers besides.

use wasmparser::ValType;

/// Module that the functions are imported from.
pub const MODULE: &str = "wasi_snapshot_preview1";

/// Module that the functions of [`crate::effects`] are imported from.
pub const MILLRACE: &str = "millrace";

/// Parameters and results of a function, one letter each: `i` for `i32`, `I` for `i64`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signature {
	/// Parameters.
	pub parameters: &'static str,
	/// Results.
	pub results: &'static str,
}

impl Signature {
	/// Whether a function type is this one.
	pub fn matches(&self, parameters: &[ValType], results: &[ValType]) -> bool {
		same(self.parameters, parameters) && same(self.results, results)
	}
}

fn same(letters: &str, types: &[ValType]) -> bool {
	letters.len() == types.len()
		&& letters.chars().zip(types).all(|(letter, ty)| match letter {
			'i' => *ty == ValType::I32,
			_ => *ty == ValType::I64,
		})
}

/// All functions of preview1: name, parameters, results.
pub const FUNCTIONS: [(&str, &str, &str); 46] = [
	("args_get", "ii", "i"),
	("args_sizes_get", "ii", "i"),
	("clock_res_get", "ii", "i"),
	("clock_time_get", "iIi", "i"),
	("environ_get", "ii", "i"),
	("environ_sizes_get", "ii", "i"),
	("fd_advise", "iIIi", "i"),
	("fd_allocate", "iII", "i"),
	("fd_close", "i", "i"),
	("fd_datasync", "i", "i"),
	("fd_fdstat_get", "ii", "i"),
	("fd_fdstat_set_flags", "ii", "i"),
	("fd_fdstat_set_rights", "iII", "i"),
	("fd_filestat_get", "ii", "i"),
	("fd_filestat_set_size", "iI", "i"),
	("fd_filestat_set_times", "iIIi", "i"),
	("fd_pread", "iiiIi", "i"),
	("fd_prestat_dir_name", "iii", "i"),
	("fd_prestat_get", "ii", "i"),
	("fd_pwrite", "iiiIi", "i"),
	("fd_read", "iiii", "i"),
	("fd_readdir", "iiiIi", "i"),
	("fd_renumber", "ii", "i"),
	("fd_seek", "iIii", "i"),
	("fd_sync", "i", "i"),
	("fd_tell", "ii", "i"),
	("fd_write", "iiii", "i"),
	("path_create_directory", "iii", "i"),
	("path_filestat_get", "iiiii", "i"),
	("path_filestat_set_times", "iiiiIIi", "i"),
	("path_link", "iiiiiii", "i"),
	("path_open", "iiiiiIIii", "i"),
	("path_readlink", "iiiiii", "i"),
	("path_remove_directory", "iii", "i"),
	("path_rename", "iiiiii", "i"),
	("path_symlink", "iiiii", "i"),
	("path_unlink_file", "iii", "i"),
	("poll_oneoff", "iiii", "i"),
	("proc_exit", "i", ""),
	("proc_raise", "i", "i"),
	("random_get", "ii", "i"),
	("sched_yield", "", "i"),
	("sock_accept", "iii", "i"),
	("sock_recv", "iiiiii", "i"),
	("sock_send", "iiiii", "i"),
	("sock_shutdown", "ii", "i"),
];

/// The signature of a function, if preview1 has it.
pub fn signature(name: &str) -> Option<Signature> {
	let index = FUNCTIONS
		.binary_search_by_key(&name, |(known, _, _)| known)
		.ok()?;
	let (_, parameters, results) = FUNCTIONS[index];
	Some(Signature {
		parameters,
		results,
	})
}

/// The signature of a function that a guest may import, by the module and the name that it is imported
/// by.
pub fn import(module: &str, name: &str) -> Option<Signature> {
	let parameters = match (module, name) {
		(MODULE, _) => return signature(name),
		(MILLRACE, "effect_call") => "iii",
		(MILLRACE, "effect_read") => "ii",
		_ => return None,
	};
	Some(Signature {
		parameters,
		results: "i",
	})
}

/// Of a function that would change files: which of its arguments is the descriptor.
pub fn changes_files(name: &str) -> Option<usize> {
	match name {
		"fd_allocate"
		| "fd_filestat_set_size"
		| "fd_filestat_set_times"
		| "fd_pwrite"
		| "path_create_directory"
		| "path_filestat_set_times"
		| "path_link"
		| "path_remove_directory"
		| "path_rename"
		| "path_unlink_file" => Some(0),
		"path_symlink" => Some(2),
		_ => None,
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn what_would_change_files_takes_a_descriptor() {
		for (name, parameters, _) in FUNCTIONS {
			if let Some(index) = changes_files(name) {
				assert_eq!(parameters.as_bytes().get(index), Some(&b'i'), "{name}");
			}
		}
		assert_eq!(changes_files("fd_write"), None);
	}

	#[test]
	fn the_table_is_sorted_and_every_name_is_found() {
		assert!(FUNCTIONS.windows(2).all(|pair| pair[0].0 < pair[1].0));
		for (name, parameters, results) in FUNCTIONS {
			assert_eq!(
				signature(name),
				Some(Signature {
					parameters,
					results
				})
			);
		}
		assert_eq!(signature("fd_open"), None);
	}

	#[test]
	fn a_name_is_imported_from_its_own_module() {
		let parameters = |module, name| import(module, name).map(|found| found.parameters);
		assert_eq!(parameters(MODULE, "fd_close"), Some("i"));
		assert_eq!(parameters(MILLRACE, "effect_call"), Some("iii"));
		assert_eq!(parameters(MILLRACE, "effect_read"), Some("ii"));
		for (module, name) in [
			(MILLRACE, "fd_close"),
			(MODULE, "effect_call"),
			("env", "fd_close"),
		] {
			assert_eq!(import(module, name), None, "{module}.{name}");
		}
	}
}
