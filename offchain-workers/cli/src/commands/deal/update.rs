//! `millrace deal update`: another package for a deal that stands.

use super::{changes::submit_and_show, get};
use crate::{
	arguments,
	commands::{
		package,
		spec::{is_out_of_reach, set_links},
	},
	context::Context,
	errors::{CliError, Result},
	files,
};
use clap::Args;
use millrace_client::calls;
use millrace_primitives::{
	execution::{arbitration_gas, package_hash, CallTerms},
	market::Package,
	DealId, H256,
};
use std::path::PathBuf;

/// Options of `deal update`.
#[derive(Debug, Args)]
pub(crate) struct UpdateArgs {
	/// The deal.
	deal: DealId,
	/// The module that the deal runs from now on; without one, only where it is fetched changes.
	#[arg(long, value_name = "FILE")]
	package: Option<PathBuf>,
	/// Hash of a module that is not at hand; needs its size.
	#[arg(
		long,
		value_name = "HASH",
		value_parser = arguments::hash,
		conflicts_with = "package",
		requires = "package_size"
	)]
	package_hash: Option<H256>,
	/// Size of that module in bytes.
	#[arg(
		long,
		value_name = "BYTES",
		conflicts_with = "package",
		requires = "package_hash"
	)]
	package_size: Option<u32>,
	/// Where workers fetch the module; can be given several times [default: the gateway].
	#[arg(long = "link", value_name = "URL")]
	links: Vec<String>,
	/// Store the module at the gateway first.
	#[arg(long, requires = "package")]
	upload: bool,
}

impl UpdateArgs {
	/// The package that a deal is to run which has another one now, without links.
	fn package(&self, present: &Package, module: Option<&[u8]>) -> Result<Package> {
		let (hash, size) = match (module, self.package_hash, self.package_size) {
			(Some(module), ..) => {
				package::validate(module)?;
				(package_hash(module), module.len() as u32)
			}
			(None, Some(hash), Some(size)) => (hash, size),
			_ if self.links.is_empty() => {
				let message = "give --package, --package-hash with --package-size, or other links";
				return Err(CliError::usage("no_package", message));
			}
			_ => (present.hash, present.size),
		};
		Ok(Package {
			hash,
			size,
			links: Default::default(),
			abi: present.abi,
		})
	}

	/// Where workers fetch it.
	fn links(&self, gateway: &str, hash: H256, uploaded: Option<String>) -> Vec<String> {
		let mut links = self.links.clone();
		match uploaded {
			Some(url) if !links.contains(&url) => links.push(url),
			None if links.is_empty() => links.push(package::package_url(gateway, hash)),
			_ => {}
		}
		links
	}
}

/// Gives a deal another package, and shows it as it is then.
pub(super) async fn run(context: &Context, args: UpdateArgs) -> Result<()> {
	let chain = context.chain().await?;
	let found = get(&chain.latest().await?, args.deal).await?;
	let module = args.package.as_deref().map(files::read).transpose()?;
	let spec = &found.spec;
	let mut package = args.package(&spec.package, module.as_deref())?;
	let gateway = &context.settings.gateway;
	let uploaded = match module.filter(|_| args.upload) {
		Some(module) => Some(package::upload(gateway, module).await?.1),
		None => None,
	};
	let links = args.links(gateway, package.hash, uploaded);
	set_links(&mut package, links)?;
	let terms = CallTerms::new(args.deal, &package, spec.limits, spec.hosts.clone());
	if !terms.is_verifiable() {
		eprintln!(
			"warning: receipts of this package cannot be challenged by running its calls again"
		);
		let most = arbitration_gas(package.size);
		eprintln!(
			"  hint: calls of at most {most} gas of it can be; a deal's limits do not change"
		);
	}
	if is_out_of_reach(&package) && !chain.is_for_development().await.unwrap_or(false) {
		eprintln!("warning: every link to the package leads to this machine or its network");
		eprintln!("  hint: workers elsewhere fetch it from a public --link or --gateway only");
	}
	let call = calls::market::update_package(args.deal, &package);
	submit_and_show(context, args.deal, call).await
}

#[cfg(test)]
mod tests {
	use super::*;
	use clap::Parser;
	use millrace_primitives::market::Abi;

	#[derive(Parser)]
	struct Updated {
		#[command(flatten)]
		update: UpdateArgs,
	}

	fn updated(line: &[&str]) -> Option<UpdateArgs> {
		let line = [&["test", "7"][..], line].concat();
		Updated::try_parse_from(line).ok().map(|read| read.update)
	}

	fn present() -> Package {
		Package {
			hash: H256::repeat_byte(1),
			size: 9,
			links: Default::default(),
			abi: Abi::default(),
		}
	}

	#[test]
	fn an_update_names_a_module_or_other_links_to_the_present_one() {
		let hash = "22".repeat(32);
		let named = updated(&["--package-hash", &hash, "--package-size", "8"]);
		let package = named.expect("that is one").package(&present(), None);
		let package = package.expect("it is named");
		assert_eq!((package.hash, package.size), (H256::repeat_byte(0x22), 8));
		let moved = updated(&["--link", "https://a.example/m"]).expect("that is one");
		let package = moved.package(&present(), None).expect("it stays");
		assert_eq!(package, present());
		let nothing = updated(&[]).expect("it can be read");
		assert!(nothing.package(&present(), None).is_err());
		assert!(updated(&["--package-hash", &hash]).is_none());
		assert!(updated(&["--upload", "--link", "https://a.example/m"]).is_none());
	}

	#[test]
	fn a_module_is_fetched_from_its_links_and_from_where_it_was_uploaded() {
		let hash = H256::repeat_byte(0x22);
		let uploaded = || Some("https://g.example/p".to_owned());
		let plain = updated(&["--package", "f.wasm"]).expect("that is one");
		assert_eq!(
			plain.links("https://g.example", hash, None),
			vec![package::package_url("https://g.example", hash)]
		);
		assert_eq!(
			plain.links("https://g.example", hash, uploaded()),
			vec!["https://g.example/p"]
		);
		let linked = updated(&["--package", "f.wasm", "--link", "https://a.example/m"]);
		let linked = linked.expect("that is one");
		assert_eq!(
			linked.links("https://g.example", hash, uploaded()),
			vec!["https://a.example/m", "https://g.example/p"]
		);
		assert_eq!(
			linked.links("https://g.example", hash, None),
			vec!["https://a.example/m"]
		);
	}
}
