//! What long runs under cargo-fuzz call, one function for each target. A finding is a panic.

use crate::stage::{Compiled, Stage};
use crate::{deep, smith, world};
use millrace_executor::archive::{Files, Node};
use millrace_executor::{inject, translate, validate, HttpRequest};
use millrace_primitives::market::Hosts;
use std::collections::BTreeSet;

/// Both engines on one case: of wasm-smith, or a whole package.
pub fn target_engines(data: &[u8]) {
	let Some((kind, data)) = data.split_first() else {
		return;
	};
	let outcome = deep(|| match kind % 2 {
		0 => smith::check(data),
		_ => world::check(data),
	});
	if let Err(difference) = outcome {
		panic!("{difference}");
	}
}

/// Any bytes at the gate: whatever passes it gets its meter, and what the judge takes the compiler
/// takes, too. Half of the inputs are packages of which a few bytes were changed.
pub fn target_validate(data: &[u8]) {
	let package = match data.split_first() {
		Some((kind, rest)) if kind % 2 == 1 => {
			let (changes, choices) = rest.split_at(rest.len().min(9));
			let mut package = world::Case::new(choices).package;
			for change in changes.chunks_exact(3) {
				let at = usize::from(u16::from_le_bytes([change[0], change[1]]));
				let at = at % package.len();
				package[at] = change[2];
			}
			package
		}
		_ => data.to_vec(),
	};
	if validate(&package).is_err() {
		return;
	}
	let metered = inject(&package).expect("what is valid can be metered");
	if translate(&metered).is_ok() {
		let compiled = Compiled::new(false).compile(&metered);
		assert!(compiled.is_ok(), "{:?}", compiled.err());
	}
}

/// Any bytes as a package's files: what is read is found again by its path, and only once.
pub fn target_archive(data: &[u8]) {
	let Ok(files) = Files::read(data) else {
		return;
	};
	let mut folders = vec![String::new()];
	let mut found = 0;
	while let Some(folder) = folders.pop() {
		let mut names = BTreeSet::new();
		for (name, node) in files.list(&folder) {
			assert!(names.insert(name), "{name} twice");
			let path = match folder.as_str() {
				"" => name.to_owned(),
				folder => format!("{folder}/{name}"),
			};
			assert_eq!(files.get(&path), Some(node), "{path}");
			match node {
				Node::Folder => folders.push(path),
				Node::File(_) => found += 1,
			}
		}
	}
	assert_eq!(found, files.len());
}

/// Any bytes as an effect's request: what is read has nothing in it that could be read as more.
pub fn target_http_request(data: &[u8]) {
	let Ok(request) = HttpRequest::parse(data) else {
		return;
	};
	let hosts = Hosts::default();
	assert!(!request.is_allowed(&hosts));
	assert!(request.target.starts_with('/'));
	let clean = |text: &str| text.bytes().all(|byte| byte != b'\r' && byte != b'\n');
	assert!(clean(&request.target) && clean(&request.host));
	for (name, value) in &request.headers {
		assert!(clean(name) && clean(value), "{name}: {value}");
		assert_eq!(name.to_lowercase(), *name);
	}
	assert_eq!(HttpRequest::parse(data).as_ref(), Ok(&request));
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::corpus::Noise;
	use codec::Encode;

	#[test]
	fn the_targets_take_any_bytes() {
		let mut noise = Noise::new(9);
		for length in 0..40 {
			let bytes = noise.bytes(20 * length);
			target_engines(&bytes);
			target_validate(&bytes);
			target_archive(&bytes);
			target_http_request(&bytes);
		}
		target_http_request(b"GET http://a.example/\r\naccept: text/plain\r\n\r\n");
	}

	#[test]
	fn files_are_found_again() {
		let files: Vec<(Vec<u8>, Vec<u8>)> = ["a", "b/c", "b/d/e", "f"]
			.iter()
			.map(|path| (path.as_bytes().to_vec(), b"content".to_vec()))
			.collect();
		assert!(Files::read(&files.encode()).is_ok());
		target_archive(&files.encode());
	}
}
