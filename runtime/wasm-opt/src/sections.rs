//! Sections of a module, and the features that the compiler says it used.

use crate::OptimizationError::{self, Feature, Malformed};

const HEADER: &[u8] = b"\0asm\x01\0\0\0";
/// Number of sections that are named.
const CUSTOM: u8 = 0;
/// Where the compiler states features.
/// <https://github.com/WebAssembly/tool-conventions/blob/main/Linking.md#target-features-section>
const FEATURES: &[u8] = b"target_features";
/// The mark of a feature that is not used. All others say that it is.
const UNUSED: u8 = b'-';
/// All that `wasm32v1-none` has.
const KNOWN: [&[u8]; 1] = [b"mutable-globals"];

/// The module with those of its named sections that are wanted.
pub(crate) fn keep(
	module: &[u8],
	wanted: impl Fn(&[u8]) -> bool,
) -> Result<Vec<u8>, OptimizationError> {
	let mut rest = module.strip_prefix(HEADER).ok_or(Malformed)?;
	let mut kept = HEADER.to_vec();
	let mut told = false;
	while let Some((&kind, after_kind)) = rest.split_first() {
		let (body, after) = prefixed(after_kind)?;
		let section = &rest[..rest.len() - after.len()];
		rest = after;
		if kind == CUSTOM {
			let (name, content) = prefixed(body)?;
			if name == FEATURES {
				only_known(content)?;
				told = true;
			}
			if !wanted(name) {
				continue;
			}
		}
		kept.extend_from_slice(section);
	}
	// Without the section nothing is known of what the module uses.
	told.then_some(kept)
		.ok_or_else(|| Feature("features that it does not state".into()))
}

fn only_known(content: &[u8]) -> Result<(), OptimizationError> {
	let (count, mut rest) = number(content)?;
	for _ in 0..count {
		let (&mark, after) = rest.split_first().ok_or(Malformed)?;
		let (name, after) = prefixed(after)?;
		if mark != UNUSED && !KNOWN.contains(&name) {
			return Err(Feature(String::from_utf8_lossy(name).into_owned()));
		}
		rest = after;
	}
	Ok(())
}

/// Bytes behind their length, and what follows them.
fn prefixed(bytes: &[u8]) -> Result<(&[u8], &[u8]), OptimizationError> {
	let (length, rest) = number(bytes)?;
	let length = usize::try_from(length).map_err(|_| Malformed)?;
	rest.split_at_checked(length).ok_or(Malformed)
}

/// A number in LEB128, and what follows it.
fn number(bytes: &[u8]) -> Result<(u32, &[u8]), OptimizationError> {
	let mut value = 0u32;
	for (index, &byte) in bytes.iter().enumerate().take(5) {
		value |= u32::from(byte & 0x7f) << (7 * index);
		if byte & 0x80 == 0 {
			return Ok((value, &bytes[index + 1..]));
		}
	}
	Err(Malformed)
}

#[cfg(test)]
mod tests {
	use super::*;

	fn section(kind: u8, body: &[u8]) -> Vec<u8> {
		let length = u8::try_from(body.len()).expect("sections of tests are short");
		[&[kind, length], body].concat()
	}

	fn named(name: &str, content: &[u8]) -> Vec<u8> {
		let length = u8::try_from(name.len()).expect("names of tests are short");
		section(CUSTOM, &[&[length], name.as_bytes(), content].concat())
	}

	fn features(name: &str) -> Vec<u8> {
		let length = u8::try_from(name.len()).expect("names of tests are short");
		named(
			"target_features",
			&[&[1, b'+', length], name.as_bytes()].concat(),
		)
	}

	fn module(sections: &[Vec<u8>]) -> Vec<u8> {
		[HEADER, &sections.concat()].concat()
	}

	#[test]
	fn only_debug_information_is_taken_out() {
		let code = section(10, &[0; 100]);
		let known = features("mutable-globals");
		let with = module(&[code.clone(), named(".debug_info", b"abc"), known.clone()]);
		let without = module(&[code, known]);
		let kept = keep(&with, |name| !name.starts_with(b".debug_"));
		assert_eq!(kept.ok(), Some(without));
		assert_eq!(keep(&with, |_| true).ok(), Some(with));
	}

	#[test]
	fn a_module_that_uses_newer_features_is_refused() {
		let newer = keep(&module(&[features("sign-ext")]), |_| true);
		assert!(matches!(newer, Err(Feature(name)) if name == "sign-ext"));
		assert!(matches!(keep(&module(&[]), |_| true), Err(Feature(_))));
	}

	#[test]
	fn what_is_no_module_is_refused() {
		let whole = module(&[section(10, &[0; 100]), features("mutable-globals")]);
		for end in 0..whole.len() {
			// A module may end behind any section, but not before it has stated its features.
			assert!(keep(&whole[..end], |_| true).is_err(), "{end}");
		}
	}
}
