//! Who may call a deal, and how often, as options; and who calls.

use crate::{
	arguments,
	errors::{CliError, Result},
	files,
};
use clap::Args;
use millrace_client::{
	access::{is_token, Credential},
	PeerKeypair,
};
use millrace_primitives::{
	access::{
		token_hash, Access, Invokers, RateLimit, MAX_INVOKERS, MAX_RATE_CALLS, MAX_RATE_SECONDS,
		MAX_TOKEN_BYTES, MIN_TOKEN_BYTES,
	},
	execution::Request,
	DealId, H256,
};
use std::path::{Path, PathBuf};

/// Options that say who may call, and how often.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct AccessArgs {
	/// Take only calls that this key has signed: a public key in hexadecimal, or a file of `millrace key
	/// generate peer`; can be given several times [default: anybody may call].
	#[arg(
		long = "access-key",
		value_name = "KEY",
		value_parser = public_key,
		conflicts_with = "access_token_files"
	)]
	access_keys: Vec<H256>,
	/// Take only calls that bring the token in this file, such as `openssl rand -hex 32` writes; can be
	/// given several times. The chain gets its hash.
	#[arg(long = "access-token-file", value_name = "FILE")]
	access_token_files: Vec<PathBuf>,
	/// How often each key or token may call, or each address where anybody may: such as 100/60s.
	#[arg(long, value_name = "CALLS/TIME", value_parser = rate)]
	rate: Option<RateLimit>,
}

impl AccessArgs {
	/// Who may call, if the options say so. Reads the tokens.
	pub(crate) fn access(&self) -> Result<Option<Access>> {
		if !self.access_keys.is_empty() {
			return Ok(Some(Access::Keys(distinct(self.access_keys.clone())?)));
		}
		if self.access_token_files.is_empty() {
			return Ok(None);
		}
		let hashes = self.access_token_files.iter().map(|path| {
			let token = read_token(path)?;
			Ok(token_hash(token.as_bytes()))
		});
		let hashes = hashes.collect::<Result<Vec<_>>>()?;
		Ok(Some(Access::Tokens(distinct(hashes)?)))
	}

	/// How often each may, if the options say so.
	pub(crate) fn rate(&self) -> Option<RateLimit> {
		self.rate
	}
}

/// Options of a change of that. What they do not name stays.
#[derive(Debug, Args)]
pub(crate) struct AccessChange {
	/// The deal.
	pub(crate) deal: DealId,
	/// Who may call from now on.
	#[command(flatten)]
	access: AccessArgs,
	/// Let anybody call.
	#[arg(long, conflicts_with_all = ["access_keys", "access_token_files"])]
	open: bool,
	/// Let them call as often as workers answer.
	#[arg(long, conflicts_with = "rate")]
	no_rate: bool,
}

impl AccessChange {
	/// Who may call and how often, where it was this before.
	pub(crate) fn applied(
		&self,
		access: Access,
		rate: Option<RateLimit>,
	) -> Result<(Access, Option<RateLimit>)> {
		let named = match self.open {
			true => Some(Access::Open),
			false => self.access.access()?,
		};
		if named.is_none() && self.access.rate.is_none() && !self.no_rate {
			let message = "give --open, --access-key or --access-token-file, --rate or --no-rate";
			return Err(CliError::usage("no_change", message));
		}
		let rate = match self.no_rate {
			true => None,
			false => self.access.rate.or(rate),
		};
		Ok((named.unwrap_or(access), rate))
	}
}

/// Options that show who calls a deal that is not open.
#[derive(Debug, Args)]
pub(crate) struct CallerArgs {
	/// Sign the call with this key: a file of `millrace key generate peer`. Asks the node for its chain.
	#[arg(long, value_name = "FILE", conflicts_with = "access_token_file")]
	access_key: Option<PathBuf>,
	/// Bring the token in this file.
	#[arg(long, value_name = "FILE")]
	access_token_file: Option<PathBuf>,
}

impl CallerArgs {
	/// Whether calls are signed, for which the chain must be known.
	pub(crate) fn signs(&self) -> bool {
		self.access_key.is_some()
	}

	/// What shows who makes this call of a deal.
	pub(crate) fn credential(
		&self,
		genesis: H256,
		deal: DealId,
		request: &Request,
	) -> Result<Option<Credential>> {
		if let Some(path) = &self.access_key {
			let key = PeerKeypair::load(path)?;
			return Ok(Credential::signed(&key, genesis, deal, request.hash()));
		}
		let Some(path) = &self.access_token_file else {
			return Ok(None);
		};
		Ok(Credential::token(&read_token(path)?))
	}
}

/// Who may call, in words.
pub(crate) fn of_access(access: &Access) -> String {
	let (count, what) = match access {
		Access::Open => return "anybody".into(),
		Access::Keys(keys) => (keys.len(), "key"),
		Access::Tokens(tokens) => (tokens.len(), "token"),
	};
	let plural = if count == 1 { "" } else { "s" };
	format!("holders of {count} {what}{plural}")
}

/// How often each may, in words.
pub(crate) fn of_rate(rate: RateLimit) -> String {
	let RateLimit { calls, per_seconds } = rate;
	format!("{calls} calls in {per_seconds} s each")
}

/// The token in a file, without the end of its line.
fn read_token(path: &Path) -> Result<String> {
	let bytes = files::read(path)?;
	let token = bytes.trim_ascii_end();
	if !is_token(token) {
		let message = format!(
			"{} holds no token: {MIN_TOKEN_BYTES} to {MAX_TOKEN_BYTES} visible characters",
			path.display()
		);
		return Err(CliError::usage("bad_token", message)
			.hint("`openssl rand -hex 32` makes one that nobody guesses"));
	}
	Ok(token.iter().copied().map(char::from).collect())
}

fn distinct(mut invokers: Vec<H256>) -> Result<Invokers> {
	invokers.sort();
	invokers.dedup();
	Invokers::try_from(invokers).map_err(|_| {
		let message = format!("a deal lists at most {MAX_INVOKERS} keys or tokens");
		CliError::usage("too_many", message)
	})
}

/// A public key, or a key file of a peer.
pub(crate) fn public_key(text: &str) -> std::result::Result<H256, String> {
	let path = Path::new(text);
	if path.is_file() {
		let key = PeerKeypair::load(path).map_err(|error| error.to_string())?;
		return Ok(H256(key.public()));
	}
	arguments::hash(text)
}

/// A rate: calls, and the time for them in seconds, minutes or hours.
fn rate(text: &str) -> std::result::Result<RateLimit, String> {
	let form = || format!("\"{text}\" is no rate; write 100/60s, 5/s or 1000/2h");
	let (calls, time) = text.split_once('/').ok_or_else(form)?;
	let (number, unit) = match time.strip_suffix(['s', 'm', 'h']) {
		Some(number) => (number, time.as_bytes().last()),
		None => (time, None),
	};
	let unit = match unit {
		Some(b'h') => 3_600u32,
		Some(b'm') => 60,
		_ => 1,
	};
	let parse = |digits: &str| digits.parse::<u32>().map_err(|_| form());
	let number = match number.is_empty() && time.len() == 1 {
		true => 1,
		false => parse(number)?,
	};
	let rate = RateLimit {
		calls: parse(calls)?,
		per_seconds: number.checked_mul(unit).ok_or_else(form)?,
	};
	if !rate.is_valid() {
		return Err(format!(
			"a rate has 1 to {MAX_RATE_CALLS} calls in 1 to {MAX_RATE_SECONDS} seconds"
		));
	}
	Ok(rate)
}

#[cfg(test)]
mod tests {
	use super::*;
	use clap::Parser;

	#[derive(Debug, Parser)]
	struct Ordered {
		#[command(flatten)]
		access: AccessArgs,
	}

	#[derive(Debug, Parser)]
	struct Changed {
		#[command(flatten)]
		change: AccessChange,
	}

	fn ordered(more: &[&str]) -> Option<AccessArgs> {
		let line = [&["test"][..], more].concat();
		Ordered::try_parse_from(line).ok().map(|found| found.access)
	}

	#[test]
	fn a_rate_is_calls_in_a_time() {
		let of = |text: &str| {
			let rate = rate(text).ok()?;
			Some((rate.calls, rate.per_seconds))
		};
		for (text, expected) in [
			("100/60s", (100, 60)),
			("100/60", (100, 60)),
			("5/s", (5, 1)),
			("5/m", (5, 60)),
			("1000/2h", (1_000, 7_200)),
			("1/24h", (1, 86_400)),
		] {
			assert_eq!(of(text), Some(expected), "{text}");
		}
		for text in [
			"",
			"/",
			"5",
			"5/",
			"/s",
			"0/s",
			"5/0s",
			"5/25h",
			"-1/s",
			"5/1.5s",
			"5/60 s",
			"5/ms",
			"2000000/s",
			"5/99999999h",
		] {
			assert_eq!(of(text), None, "{text}");
		}
	}

	#[test]
	fn who_may_call_is_said_by_keys_or_by_tokens() {
		let folder = tempfile::tempdir().expect("a temporary folder");
		let file = |name: &str, text: &str| {
			let path = folder.path().join(name);
			std::fs::write(&path, text).expect("it is written");
			path.display().to_string()
		};
		let digits = "11".repeat(32);
		let key_file = folder.path().join("key.json").display().to_string();
		let key = PeerKeypair::load_or_generate(Path::new(&key_file)).expect("it is made");
		assert_eq!(
			ordered(&[]).expect("nothing need be said").access().ok(),
			Some(None)
		);

		let keys = ordered(&["--access-key", &digits, "--access-key", &key_file]);
		let keys = keys.expect("both are keys").access().expect("they are few");
		let mut both = vec![H256::repeat_byte(0x11), H256(key.public())];
		both.sort();
		assert_eq!(keys, Some(Access::Keys(both.try_into().expect("two fit"))));

		let good = file("good", "a-token-of-many-letters\n");
		// The same token twice is one.
		let again = file("again", "a-token-of-many-letters");
		let tokens = ordered(&["--access-token-file", &good, "--access-token-file", &again]);
		let tokens = tokens.expect("both are files").access();
		let hash = token_hash(b"a-token-of-many-letters");
		let one: Invokers = vec![hash].try_into().expect("one fits");
		assert_eq!(tokens.expect("both are tokens"), Some(Access::Tokens(one)));
		for text in ["short\n", "a token of several words\n", ""] {
			let path = file("bad", text);
			let bad = ordered(&["--access-token-file", &path]).expect("it is a file");
			assert_eq!(bad.access().expect_err("it is none").code, "bad_token");
		}
		assert!(ordered(&["--access-key", &digits, "--access-token-file", &good]).is_none());
		assert!(ordered(&["--access-key", "0x11"]).is_none());
	}

	#[test]
	fn a_change_leaves_what_it_does_not_name() {
		let digits = "11".repeat(32);
		let before = Access::Tokens(vec![H256::zero()].try_into().expect("one fits"));
		let slow = RateLimit {
			calls: 1,
			per_seconds: 9,
		};
		let changed = |more: &[&str]| {
			let line = [&["test", "7"][..], more].concat();
			let parsed = Changed::try_parse_from(line).ok()?;
			assert_eq!(parsed.change.deal, 7);
			parsed.change.applied(before.clone(), Some(slow)).ok()
		};
		let same = before.clone();
		assert_eq!(changed(&["--open"]), Some((Access::Open, Some(slow))));
		assert_eq!(changed(&["--no-rate"]), Some((same.clone(), None)));
		let fast = RateLimit {
			calls: 5,
			per_seconds: 1,
		};
		assert_eq!(changed(&["--rate", "5/s"]), Some((same, Some(fast))));
		let (access, _) = changed(&["--access-key", &digits]).expect("that is a key");
		assert!(matches!(access, Access::Keys(_)));
		assert_eq!(changed(&[]), None);
		assert_eq!(changed(&["--open", "--access-key", &digits]), None);
		assert_eq!(changed(&["--no-rate", "--rate", "5/s"]), None);
	}

	#[test]
	fn who_may_call_is_told_in_words() {
		let two = vec![H256::zero(), H256::repeat_byte(1)];
		let two: Invokers = two.try_into().expect("two fit");
		assert_eq!(of_access(&Access::Open), "anybody");
		assert_eq!(of_access(&Access::Tokens(two)), "holders of 2 tokens");
	}
}
