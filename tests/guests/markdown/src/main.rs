//! Markdown on standard input, HTML on standard output.
//!
//! Exits with 1 and a line on standard error if the input is not UTF-8.

use pulldown_cmark::{html, Options, Parser};
use std::io::{self, Read, Write};
use std::process::ExitCode;

fn main() -> ExitCode {
	match render() {
		Ok(()) => ExitCode::SUCCESS,
		Err(error) => {
			eprintln!("markdown: {error}");
			ExitCode::FAILURE
		}
	}
}

fn render() -> io::Result<()> {
	let mut source = String::new();
	io::stdin().lock().read_to_string(&mut source)?;
	let options = Options::ENABLE_TABLES
		| Options::ENABLE_FOOTNOTES
		| Options::ENABLE_STRIKETHROUGH
		| Options::ENABLE_TASKLISTS;
	let mut page = String::with_capacity(source.len() * 2);
	html::push_html(&mut page, Parser::new_ext(&source, options));
	let mut out = io::stdout().lock();
	out.write_all(page.as_bytes())?;
	out.flush()
}
