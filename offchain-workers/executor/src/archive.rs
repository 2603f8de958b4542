//! Files of a package: a custom section behind the module, inside the package's hash.
//!
//! The section is the last one and holds a SCALE list of paths and contents, in ascending order of
//! the paths' bytes. A path is relative to the root, in UTF-8, with `/` between its names. Names
//! such as `..` that would mean something to whoever resolves paths are refused, so that a path
//! names the file that it spells and no other.

use crate::limits::{MAX_FILES, MAX_FOLDERS, MAX_MODULE_BYTES, MAX_PATH_BYTES};
use crate::validate::Reason;
use codec::{Compact, Decode, Encode};
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use wasm_encoder::{CustomSection, Section};
use wasmparser::{Parser, Payload};

/// Name of the custom section.
pub const FILES_SECTION: &str = "millrace:files";

/// Files to read, all in one piece of memory. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Files {
	bytes: Arc<[u8]>,
	index: Arc<Index>,
}

/// Where everything is.
#[derive(Debug, Default)]
struct Index {
	/// In the order of their paths.
	files: Vec<Entry>,
	/// What is in each folder, by its path; that of the root is empty.
	folders: BTreeMap<String, Vec<Child>>,
}

/// Where a file stands in the section.
#[derive(Debug)]
struct Entry {
	path: Range<usize>,
	content: Range<usize>,
}

/// Something in a folder.
#[derive(Debug)]
struct Child {
	name: String,
	/// Index of the file; `None` for a folder.
	file: Option<usize>,
}

/// What a path names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Node<'a> {
	/// A file, with its content.
	File(&'a [u8]),
	/// A folder.
	Folder,
}

impl Files {
	/// Reads the section's content and checks it against every rule. Nothing at all is no files.
	pub fn read(section: &[u8]) -> Result<Self, Reason> {
		if section.is_empty() {
			return Ok(Self::default());
		}
		let files = entries(section).map_err(broken)?;
		let mut folders = BTreeMap::from([(String::new(), Vec::new())]);
		let mut last = "";
		for (index, file) in files.iter().enumerate() {
			let path = std::str::from_utf8(bytes(section, &file.path))
				.map_err(|_| broken(format!("path {} is not UTF-8", index + 1)))?;
			check_path(path).map_err(|wrong| broken(format!("{path:?} {wrong}")))?;
			if index > 0 && path <= last {
				return Err(broken(format!(
					"{path:?} does not come behind {last:?} in the order of bytes"
				)));
			}
			last = path;
			add(&mut folders, path, index).map_err(broken)?;
		}
		let files = Self {
			bytes: section.into(),
			index: Arc::new(Index { files, folders }),
		};
		let mut folders = files.index.folders.keys();
		if let Some(both) = folders.find(|folder| files.file(folder).is_some()) {
			return Err(broken(format!("{both:?} is a file and a folder")));
		}
		Ok(files)
	}

	/// The files of a package, as far as it can be read.
	pub fn of(package: &[u8]) -> Result<Self, Reason> {
		Self::read(section(package))
	}

	/// Number of files.
	pub fn len(&self) -> usize {
		self.index.files.len()
	}

	/// Whether there is none.
	pub fn is_empty(&self) -> bool {
		self.index.files.is_empty()
	}

	/// What a path names; the empty one names the root.
	pub fn get(&self, path: &str) -> Option<Node<'_>> {
		if let Some(index) = self.file(path) {
			return Some(self.node(Some(index)));
		}
		let folder = path.is_empty() || self.index.folders.contains_key(path);
		folder.then_some(Node::Folder)
	}

	/// What is in a folder, by name, always in the same order. Nothing if there is no such folder.
	pub fn list(&self, folder: &str) -> impl Iterator<Item = (&str, Node<'_>)> {
		let children = self.index.folders.get(folder).map(Vec::as_slice);
		children
			.unwrap_or_default()
			.iter()
			.map(move |child| (child.name.as_str(), self.node(child.file)))
	}

	/// Index of the file that a path names.
	fn file(&self, path: &str) -> Option<usize> {
		self.index
			.files
			.binary_search_by(|file| bytes(&self.bytes, &file.path).cmp(path.as_bytes()))
			.ok()
	}

	fn node(&self, file: Option<usize>) -> Node<'_> {
		match file.and_then(|index| self.index.files.get(index)) {
			Some(file) => Node::File(bytes(&self.bytes, &file.content)),
			None => Node::Folder,
		}
	}
}

/// The section's content in a package, empty if it has none or cannot be read so far.
pub fn section(package: &[u8]) -> &[u8] {
	Parser::new(0)
		.parse_all(package)
		.map_while(Result::ok)
		.find_map(|payload| match payload {
			Payload::CustomSection(section) if section.name() == FILES_SECTION => {
				Some(section.data())
			}
			_ => None,
		})
		.unwrap_or_default()
}

/// Makes a package of a module and its files, in whatever order they come.
pub fn attach(module: &[u8], files: &[(String, Vec<u8>)]) -> Result<Vec<u8>, Reason> {
	if !section(module).is_empty() {
		return Err(Reason::DuplicateSection);
	}
	let mut sorted: Vec<(&[u8], &[u8])> = files
		.iter()
		.map(|(path, content)| (path.as_bytes(), content.as_slice()))
		.collect();
	sorted.sort_unstable();
	let data = sorted.encode();
	Files::read(&data)?;
	let mut package = module.to_vec();
	CustomSection {
		name: FILES_SECTION.into(),
		data: data.into(),
	}
	.append_to(&mut package);
	if package.len() > MAX_MODULE_BYTES {
		return Err(Reason::TooLarge {
			size: package.len(),
			max: MAX_MODULE_BYTES,
		});
	}
	Ok(package)
}

fn broken(message: impl Into<String>) -> Reason {
	Reason::Files {
		message: message.into(),
	}
}

/// Finds all files in the section, without a look at what they are.
fn entries(section: &[u8]) -> Result<Vec<Entry>, String> {
	let mut rest = section;
	let count = length(&mut rest)?;
	if count > MAX_FILES {
		return Err(format!("there are {count}; the most is {MAX_FILES}"));
	}
	let mut files = Vec::with_capacity(count);
	for _ in 0..count {
		let path = item(section, &mut rest)?;
		let content = item(section, &mut rest)?;
		files.push(Entry { path, content });
	}
	if !rest.is_empty() {
		return Err(format!("{} bytes follow the last one", rest.len()));
	}
	Ok(files)
}

/// Takes a length from the front.
fn length(rest: &mut &[u8]) -> Result<usize, String> {
	Compact::<u32>::decode(rest)
		.map(|length| length.0 as usize)
		.map_err(|error| format!("a length cannot be read: {error}"))
}

/// Takes a list of bytes from the front, and says where it stands.
fn item(section: &[u8], rest: &mut &[u8]) -> Result<Range<usize>, String> {
	let length = length(rest)?;
	let start = section.len() - rest.len();
	*rest = rest
		.get(length..)
		.ok_or("the section ends within one of them")?;
	Ok(start..start + length)
}

/// Says what is wrong with a path.
fn check_path(path: &str) -> Result<(), String> {
	if path.len() > MAX_PATH_BYTES {
		return Err(format!(
			"has {} bytes; the most is {MAX_PATH_BYTES}",
			path.len()
		));
	}
	for name in path.split('/') {
		match name {
			"" => return Err("has an empty name: no / begins, ends or doubles".into()),
			"." | ".." => return Err(format!("has the name {name:?}")),
			_ if name.contains(['\0', '\\']) => {
				return Err("has a zero byte or a backslash".into());
			}
			_ => {}
		}
	}
	Ok(())
}

/// Puts a file into its folder, and every folder that is not there yet into its own.
fn add(folders: &mut BTreeMap<String, Vec<Child>>, path: &str, file: usize) -> Result<(), String> {
	let mut child = (path, Some(file));
	loop {
		let (folder, name) = child.0.rsplit_once('/').unwrap_or(("", child.0));
		let entry = Child {
			name: name.to_owned(),
			file: child.1,
		};
		if let Some(children) = folders.get_mut(folder) {
			children.push(entry);
			return Ok(());
		}
		if folders.len() >= MAX_FOLDERS {
			return Err(format!("there are more than {MAX_FOLDERS} folders"));
		}
		folders.insert(folder.to_owned(), vec![entry]);
		child = (folder, None);
	}
}

fn bytes<'a>(section: &'a [u8], range: &Range<usize>) -> &'a [u8] {
	section.get(range.clone()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
	use super::*;

	fn list(files: &[(&str, &str)]) -> Vec<u8> {
		let files: Vec<(&[u8], &[u8])> = files
			.iter()
			.map(|(path, content)| (path.as_bytes(), content.as_bytes()))
			.collect();
		files.encode()
	}

	fn refusal(section: &[u8]) -> String {
		match Files::read(section) {
			Err(Reason::Files { message }) => message,
			other => panic!("{other:?}"),
		}
	}

	#[test]
	fn files_and_folders_are_found_and_listed() {
		let files = Files::read(&list(&[
			("a-b", "1"),
			("a/b/c", "2"),
			("a/d", ""),
			("z", "3"),
		]))
		.unwrap();
		assert_eq!(files.len(), 4);
		assert_eq!(files.get("a/b/c"), Some(Node::File(b"2")));
		assert_eq!(files.get("a/d"), Some(Node::File(b"")));
		for folder in ["", "a", "a/b"] {
			assert_eq!(files.get(folder), Some(Node::Folder), "{folder}");
		}
		for nothing in ["b", "a/", "/a", "a/b/c/d", "a/c", "A"] {
			assert_eq!(files.get(nothing), None, "{nothing}");
		}
		let listed = |folder: &str| files.list(folder).collect::<Vec<_>>();
		assert_eq!(
			listed(""),
			[
				("a-b", Node::File(b"1")),
				("a", Node::Folder),
				("z", Node::File(b"3"))
			]
		);
		assert_eq!(listed("a"), [("b", Node::Folder), ("d", Node::File(b""))]);
		assert_eq!(listed("a/b"), [("c", Node::File(b"2"))]);
		assert!(listed("z").is_empty() && listed("no").is_empty());
	}

	#[test]
	fn no_section_and_an_empty_list_are_no_files() {
		for section in [&b""[..], &[0]] {
			let files = Files::read(section).unwrap();
			assert!(files.is_empty());
			assert_eq!(files.get(""), Some(Node::Folder));
			assert_eq!(files.list("").count(), 0);
		}
	}

	#[test]
	fn paths_that_mean_something_else_are_refused() {
		for path in [
			"", "/", "/a", "a/", "a//b", ".", "..", "a/..", "../a", "a/./b", "a\0", "a\\b",
		] {
			assert!(refusal(&list(&[(path, "")])).contains(&format!("{path:?}")));
		}
		assert!(refusal(&vec![(&b"\xff"[..], &b""[..])].encode()).contains("UTF-8"));
		let long = "a".repeat(MAX_PATH_BYTES);
		assert!(Files::read(&list(&[(long.as_str(), "")])).is_ok());
		assert!(refusal(&list(&[(format!("{long}a").as_str(), "")])).contains("the most is 255"));
		// What looks odd and is not.
		assert!(Files::read(&list(&[("...", ""), (".a", ""), ("a b", ""), ("ä/…", "")])).is_ok());
	}

	#[test]
	fn paths_ascend_so_that_none_comes_twice() {
		assert!(refusal(&list(&[("b", ""), ("a", "")])).contains("behind"));
		assert!(refusal(&list(&[("a", ""), ("a", "")])).contains("behind"));
	}

	#[test]
	fn a_file_is_no_folder() {
		assert!(refusal(&list(&[("a", ""), ("a/b", "")])).contains("a file and a folder"));
		// Others may stand between the two.
		assert!(refusal(&list(&[("a", ""), ("a-b", ""), ("a/b", "")])).contains("a file and"));
	}

	#[test]
	fn lengths_and_numbers_are_bounded() {
		let whole = list(&[("a", "content")]);
		for cut in 1..whole.len() {
			refusal(&whole[..cut]);
		}
		assert!(refusal(&[&whole[..], &[0]].concat()).contains("follow"));
		// Lengths that say more than there is, and one that is not written the shortest way.
		refusal(&[4, 0xfe, 0xff, 0xff, 0xff]);
		refusal(&[3, 0xff, 0xff, 0xff, 0xff]);
		refusal(&[1, 0]);

		let name = |number: usize| format!("{number:05}");
		let many = |count: usize, folder: &str| {
			let files: Vec<(Vec<u8>, Vec<u8>)> = (0..count)
				.map(|number| (format!("{}{folder}", name(number)).into_bytes(), Vec::new()))
				.collect();
			files.encode()
		};
		assert_eq!(Files::read(&many(MAX_FILES, "")).unwrap().len(), MAX_FILES);
		assert!(refusal(&many(MAX_FILES + 1, "")).contains("the most is 1024"));
		// With the root, so many folders and no more.
		assert!(Files::read(&many(MAX_FOLDERS - 1, "/f")).is_ok());
		assert!(refusal(&many(MAX_FOLDERS, "/f")).contains("folders"));
	}

	#[test]
	fn what_is_attached_is_read_again() {
		let module = wat::parse_str("(module)").unwrap();
		let files = [
			("b/c".to_owned(), b"2".to_vec()),
			("a".to_owned(), b"1".to_vec()),
		];
		let package = attach(&module, &files).unwrap();
		assert!(package.starts_with(&module));
		let read = Files::of(&package).unwrap();
		assert_eq!(read.len(), 2);
		assert_eq!(read.get("a"), Some(Node::File(b"1")));
		assert_eq!(read.get("b/c"), Some(Node::File(b"2")));
		assert!(Files::of(&module).unwrap().is_empty());

		assert_eq!(attach(&package, &files), Err(Reason::DuplicateSection));
		let wrong = [("../a".to_owned(), Vec::new())];
		assert!(matches!(attach(&module, &wrong), Err(Reason::Files { .. })));
		let large = [("a".to_owned(), vec![0; MAX_MODULE_BYTES])];
		assert!(matches!(
			attach(&module, &large),
			Err(Reason::TooLarge { .. })
		));
	}
}
