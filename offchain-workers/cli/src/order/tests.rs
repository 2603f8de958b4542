//! What files add to command lines.

use super::*;
use clap::Parser;
use std::fs;
use tempfile::TempDir;

const DOCUMENTATION: &str = include_str!("../../../../docs/buy-compute.md");

/// A folder with this order in it, and the order's path.
fn order(text: &str) -> (TempDir, String) {
	let folder = tempfile::tempdir().expect("a temporary folder");
	let path = folder.path().join("deal.toml");
	fs::write(&path, text).expect("the folder is writable");
	let path = path.display().to_string();
	(folder, path)
}

/// The command line with all that the file adds.
fn expanded(command: &str, path: &str, more: &[&str]) -> Result<Vec<String>> {
	let line = [&["millrace", "deal", command, "--from", path][..], more].concat();
	let words = expand(line.into_iter().map(OsString::from).collect())?;
	Ok(words
		.into_iter()
		.map(|word| word.into_string().expect("it is text"))
		.collect())
}

/// What the file adds.
fn added(command: &str, text: &str, more: &[&str]) -> Vec<String> {
	let (_folder, path) = order(text);
	let words = expanded(command, &path, more).expect("the order is well-formed");
	words[5 + more.len()..].to_vec()
}

fn refusal(text: &str) -> CliError {
	let (_folder, path) = order(text);
	let error = expanded("create", &path, &[]).expect_err("that is no order");
	assert_eq!(error.code, "bad_order", "{error}");
	assert!(error.message.contains(&path), "{error}");
	error
}

#[test]
fn keys_become_options() {
	let text = r#"
		price = "0.02 FLT"
		min_workers = 1
		workers = 2
		upload = true
		allow_host = ["a.example", "b.example:8080"]
		link = "https://a.example/f.wasm"
	"#;
	let expected = [
		"--allow-host=a.example",
		"--allow-host=b.example:8080",
		"--link=https://a.example/f.wasm",
		"--min-workers=1",
		"--price=0.02 FLT",
		"--upload",
		"--workers=2",
	];
	assert_eq!(added("create", text, &[]), expected);
	assert!(added("create", "upload = false", &[]).is_empty());
}

#[test]
fn the_command_line_goes_before_the_file() {
	let text = "workers = 2\nprice = \"1 FLT\"\nescrow = \"9 FLT\"\nregion = [1, 2]";
	let own = ["--workers", "3", "--epochs-of-escrow", "5", "--region", "7"];
	assert_eq!(added("create", text, &own), ["--price=1 FLT"]);
	// A default is nothing that was said.
	let kept = added("create", text, &[]);
	assert!(kept.contains(&"--escrow=9 FLT".to_string()), "{kept:?}");
	let hash = "11".repeat(32);
	let text = format!("package_hash = \"{hash}\"\npackage_size = 8");
	let own = ["--package", "f.wasm"];
	assert!(added("create", &text, &own).is_empty());
}

#[test]
fn one_file_is_good_for_all_that_is_asked_about_it() {
	let text = "price = \"1 FLT\"\nescrow = \"9 FLT\"\nupload = true";
	assert_eq!(
		added("quote", text, &[]),
		["--escrow=9 FLT", "--price=1 FLT"]
	);
	assert_eq!(added("why-not", text, &[]), ["--price=1 FLT"]);
}

#[test]
fn a_package_lies_where_the_file_says_it_does() {
	let (folder, path) = order("package = \"built/f.wasm\"");
	let words = expanded("create", &path, &[]).expect("the order is well-formed");
	let built = folder.path().join("built/f.wasm");
	let expected = format!("--package={}", built.display());
	assert_eq!(words.last(), Some(&expected));
	let text = "package = \"/f.wasm\"";
	assert_eq!(added("create", text, &[]), ["--package=/f.wasm"]);
}

#[test]
fn what_is_no_order_is_refused_and_named() {
	for (text, named) in [
		("wrokers = 2", "wrokers"),
		("key = \"//Bob\"", "key"),
		("json = true", "json"),
		("from = \"other.toml\"", "from"),
		("help = true", "help"),
		("upload = \"yes\"", "upload"),
		("workers = true", "workers"),
		("[limits]\ngas = 7", "limits"),
		("region = [[1]]", "region"),
		("workers 2", "workers"),
	] {
		let error = refusal(text);
		assert!(error.message.contains(named), "{text}: {error}");
		assert!(error.hint.is_some_and(|hint| hint.contains("deal create")));
	}
	let error = expanded("create", "there-is-none.toml", &[]).expect_err("there is no file");
	assert_eq!(error.code, "file_unreadable");
}

#[test]
fn a_value_is_read_as_on_the_command_line() {
	let (_folder, path) = order("price = \"1\"");
	let words = expanded("create", &path, &[]).expect("the file is well-formed");
	let error = Cli::try_parse_from(words).expect_err("an amount has a unit");
	assert!(error.to_string().contains("--price"), "{error}");
}

#[test]
fn other_command_lines_stay_as_they_are() {
	for line in [
		&["millrace", "deal", "list", "--from", "5"][..],
		&["millrace", "deal", "create", "--from"],
		&[
			"millrace",
			"deal",
			"create",
			"--help",
			"--from",
			"none.toml",
		],
		&["millrace", "nonsense", "--from=none.toml"],
	] {
		let words: Vec<OsString> = line.iter().map(OsString::from).collect();
		assert_eq!(expand(words.clone()).expect("nothing is read"), words);
	}
}

#[test]
fn the_example_in_the_documentation_is_an_order() {
	let block = DOCUMENTATION
		.split("```toml\n")
		.skip(1)
		.filter_map(|rest| rest.split("```").next())
		.find(|block| block.contains("package ="))
		.expect("the documentation has an example");
	let (_folder, path) = order(block);
	for command in COMMANDS {
		let words = expanded(command, &path, &[]).expect("the example is well-formed");
		assert!(words.len() > 10, "{words:?}");
		if let Err(error) = Cli::try_parse_from(words) {
			panic!("{command}: {error}");
		}
	}
}
