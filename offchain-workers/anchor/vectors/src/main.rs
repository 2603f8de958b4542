//! Writes the vectors to the file that the contracts' tests read.

use millrace_anchor_vectors::{path, Vectors};
use std::fs;

fn main() -> std::io::Result<()> {
	let path = path();
	if let Some(folder) = path.parent() {
		fs::create_dir_all(folder)?;
	}
	fs::write(path, Vectors::make().to_json())
}
