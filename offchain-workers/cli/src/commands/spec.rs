//! What a client orders, as options.

use crate::{
	arguments,
	commands::{
		access::{public_key, AccessArgs},
		package,
	},
	context::{parse_account, Context},
	errors::{CliError, Result},
	files,
};
use clap::Args;
use millrace_client::{web, AccountId};
use millrace_primitives::{
	billing::Billing,
	execution::package_hash,
	market::{
		is_host, Abi, CallLimits, DealSpec, Host, Link, Package, ProviderFilter, GAS_BILLED,
		HTTP_OUT, MAX_LINK,
	},
	Balance, Gas, CPU_V1, H256,
};
use sp_arithmetic::Perbill;
use std::path::PathBuf;

const KIB: u32 = 1024;
const MIB: u32 = 1024 * KIB;

/// What a call may use where nobody says otherwise: in a deal, and in a local run, which tells what
/// a deal will do.
pub(crate) const DEFAULT_LIMITS: CallLimits = CallLimits {
	gas: 2_000_000_000,
	memory_bytes: 64 * MIB,
	request_bytes: 64 * KIB,
	response_bytes: MIB,
};

/// Options that make up a specification.
#[derive(Debug, Args)]
pub(crate) struct SpecArgs {
	/// Order file in TOML: its keys are these options without dashes in front, such as min_workers, and
	/// its paths begin at its folder. Options given here go before those in the file.
	#[arg(long, value_name = "FILE")]
	from: Option<PathBuf>,
	/// The module that the deal runs.
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
	/// Where workers fetch the module, such as https://host/module.wasm; can be given several times
	/// [default: the gateway].
	#[arg(long = "link", value_name = "URL")]
	links: Vec<String>,
	/// Highest price of one unit for one epoch, such as "0.02 FLT".
	#[arg(long, value_parser = arguments::amount, value_name = "AMOUNT")]
	price: Option<Balance>,
	/// Workers wanted.
	#[arg(long, default_value_t = 1)]
	workers: u32,
	/// Workers below which the deal counts as underfilled [default: as many as wanted].
	#[arg(long)]
	min_workers: Option<u32>,
	/// Most workers of one provider [default: no limit].
	#[arg(long)]
	per_provider: Option<u32>,
	/// Units of each worker.
	#[arg(long, default_value_t = 1)]
	units: u32,
	/// What a call may use.
	#[command(flatten)]
	limits: LimitArgs,
	/// Capability bits that a peer must have.
	#[arg(long, default_value_t = 0)]
	capabilities: u64,
	/// Host that calls may ask through their worker, such as api.example or api.example:8080; can be
	/// given several times. Workers must have the capability for it.
	#[arg(long = "allow-host", value_name = "HOST", value_parser = host)]
	hosts: Vec<Host>,
	/// Regions that a peer may be in; can be given several times [default: any].
	#[arg(long = "region", value_name = "CODE")]
	regions: Vec<u16>,
	/// Take only this provider's offers; can be given several times.
	#[arg(long, value_name = "ACCOUNT", value_parser = parse_account, conflicts_with = "deny")]
	allow: Vec<AccountId>,
	/// Take no offer of this provider; can be given several times.
	#[arg(long, value_name = "ACCOUNT", value_parser = parse_account)]
	deny: Vec<AccountId>,
	/// Bond that each worker holds while it is live.
	#[arg(long, value_parser = arguments::amount, value_name = "AMOUNT", default_value = "0 FLT")]
	worker_bond: Balance,
	/// Epochs after which the deal is over [default: when the escrow is used up].
	#[arg(long, value_name = "EPOCHS")]
	term: Option<u32>,
	/// Move to offers that are cheaper than the dearest worker by at least this part, such as 10%
	/// [default: workers stay as long as they serve].
	#[arg(long, value_parser = arguments::percent, value_name = "PERCENT")]
	rematch: Option<Perbill>,
	/// Bill by gas: a worker that uses so much of it in an epoch has its whole price, one that uses less
	/// a part of it [default: every served epoch costs the whole price].
	#[arg(long, value_name = "GAS", requires = "voucher_key")]
	full_gas: Option<Gas>,
	/// Key that signs vouchers for gas, of the gateway which makes the calls: a public key in hexadecimal,
	/// or a file of `millrace key generate peer`.
	#[arg(long, value_name = "KEY", value_parser = public_key, requires = "full_gas")]
	voucher_key: Option<H256>,
	/// Who may call the deal.
	#[command(flatten)]
	access: AccessArgs,
	/// Resource class of the units.
	#[arg(long, default_value_t = CPU_V1)]
	class: u16,
}

/// Options that bound a call.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct LimitArgs {
	/// Gas of one call.
	#[arg(long, default_value_t = DEFAULT_LIMITS.gas)]
	gas: Gas,
	/// Memory of the guest in MiB.
	#[arg(long, value_name = "MIB", default_value_t = DEFAULT_LIMITS.memory_bytes / MIB)]
	memory: u32,
	/// Largest request body in KiB.
	#[arg(long, value_name = "KIB", default_value_t = DEFAULT_LIMITS.request_bytes / KIB)]
	request: u32,
	/// Largest response in KiB.
	#[arg(long, value_name = "KIB", default_value_t = DEFAULT_LIMITS.response_bytes / KIB)]
	response: u32,
}

impl LimitArgs {
	/// The limits in bytes.
	pub(crate) fn limits(&self) -> CallLimits {
		CallLimits {
			gas: self.gas,
			memory_bytes: self.memory.saturating_mul(MIB),
			request_bytes: self.request.saturating_mul(KIB),
			response_bytes: self.response.saturating_mul(KIB),
		}
	}
}

impl SpecArgs {
	/// The module that is to be uploaded, if it is at hand.
	pub(crate) fn module(&self) -> Result<Option<Vec<u8>>> {
		self.package.as_deref().map(files::read).transpose()
	}

	/// The specification; reads and checks the module if it is at hand.
	pub(crate) fn spec(&self, context: &Context) -> Result<DealSpec<AccountId>> {
		let (hash, size) = match (self.module()?, self.package_hash, self.package_size) {
			(Some(module), _, _) => {
				package::validate(&module)?;
				(package_hash(&module), module.len() as u32)
			}
			(None, Some(hash), Some(size)) => (hash, size),
			_ => {
				let message = "give --package, or --package-hash with --package-size";
				return Err(self.missing("no_package", message));
			}
		};
		let price_ceiling = self.price.ok_or_else(|| {
			let message = "give --price, the most that one unit may cost for one epoch";
			self.missing("no_price", message)
		})?;
		let links = if self.links.is_empty() {
			vec![package::package_url(&context.settings.gateway, hash)]
		} else {
			self.links.clone()
		};
		let mut package = Package {
			hash,
			size,
			links: Default::default(),
			abi: Abi::WasiPreview1Command,
		};
		set_links(&mut package, links)?;
		Ok(DealSpec {
			class: self.class,
			units_per_worker: self.units,
			min_workers: self.min_workers.unwrap_or(self.workers),
			target_workers: self.workers,
			max_workers_per_provider: self.per_provider.unwrap_or(self.workers),
			price_ceiling,
			package,
			limits: self.limits.limits(),
			capabilities: self.asked_capabilities(),
			regions: self
				.regions
				.clone()
				.try_into()
				.map_err(|_| too_many("regions"))?,
			providers: self.filter()?,
			worker_bond: self.worker_bond,
			term_epochs: self.term,
			hosts: self
				.hosts
				.clone()
				.try_into()
				.map_err(|_| too_many("hosts"))?,
			billing: self.billing(),
			access: self.access.access()?.unwrap_or_default(),
			rate: self.access.rate(),
			rematch: self.rematch,
		})
	}

	/// Neither the command line nor the order's file says it.
	fn missing(&self, code: &str, message: &str) -> CliError {
		CliError::usage(code, message).hint(match &self.from {
			Some(path) => format!("{} does not say it either", path.display()),
			None => "an order can stand in a file, too: --from deal.toml".into(),
		})
	}

	/// Those that are asked for, and those without which the rest of the order is refused.
	fn asked_capabilities(&self) -> u64 {
		let of_hosts = if self.hosts.is_empty() { 0 } else { HTTP_OUT };
		let of_billing = self.full_gas.map_or(0, |_| GAS_BILLED);
		self.capabilities | of_hosts | of_billing
	}

	fn billing(&self) -> Billing {
		match (self.full_gas, self.voucher_key) {
			(Some(full_gas), Some(key)) => Billing::Gas {
				full_gas,
				voucher_key: key.0,
			},
			_ => Billing::Reserved,
		}
	}

	/// Where workers fetch a module that was just uploaded to a URL: there, and wherever the user
	/// says.
	pub(crate) fn links_with(&self, uploaded: String) -> Vec<String> {
		let mut links = self.links.clone();
		if !links.contains(&uploaded) {
			links.push(uploaded);
		}
		links
	}

	fn filter(&self) -> Result<ProviderFilter<AccountId>> {
		let listed = |accounts: &Vec<AccountId>| {
			accounts
				.clone()
				.try_into()
				.map_err(|_| too_many("providers"))
		};
		Ok(match (self.allow.is_empty(), self.deny.is_empty()) {
			(false, _) => ProviderFilter::Allow(listed(&self.allow)?),
			(true, false) => ProviderFilter::Deny(listed(&self.deny)?),
			(true, true) => ProviderFilter::Any,
		})
	}
}

/// Makes these the places where workers fetch a package.
pub(crate) fn set_links(package: &mut Package, urls: Vec<String>) -> Result<()> {
	let links = urls.into_iter().map(link).collect::<Result<Vec<_>>>()?;
	package.links = links.try_into().map_err(|_| too_many("links"))?;
	Ok(())
}

/// Whether no link of a package can be followed from outside this machine and its network.
pub(crate) fn is_out_of_reach(package: &Package) -> bool {
	package
		.links
		.iter()
		.all(|link| web::is_private(&String::from_utf8_lossy(link)))
}

fn link(url: String) -> Result<Link> {
	web::url(&url).map_err(|error| CliError::usage("bad_link", error.to_string()))?;
	let bytes = url.len();
	Link::try_from(url.into_bytes()).map_err(|_| {
		let message = format!("a link has {bytes} bytes, and {MAX_LINK} are allowed");
		CliError::usage("link_too_long", message)
	})
}

/// A host in the one way in which it is written.
fn host(text: &str) -> std::result::Result<Host, String> {
	let lower = text.to_ascii_lowercase();
	if !is_host(lower.as_bytes()) {
		return Err("write a name or an address, and a port or none: api.example:8080".into());
	}
	Host::try_from(lower.into_bytes()).map_err(|_| "it is too long".into())
}

fn too_many(what: &str) -> CliError {
	CliError::usage("too_many", format!("more {what} than a deal can list"))
}

#[cfg(test)]
mod tests {
	use super::*;
	use clap::Parser;

	#[derive(Parser)]
	struct Bounded {
		#[command(flatten)]
		limits: LimitArgs,
	}

	#[test]
	fn who_says_nothing_gets_the_default_limits() {
		let bounded = Bounded::parse_from(["test"]);
		assert_eq!(bounded.limits.limits(), DEFAULT_LIMITS);
		let bounded = Bounded::parse_from(["test", "--memory", "128", "--gas", "7"]);
		let expected = CallLimits {
			gas: 7,
			memory_bytes: 128 * MIB,
			..DEFAULT_LIMITS
		};
		assert_eq!(bounded.limits.limits(), expected);
	}

	#[derive(Parser)]
	struct Ordered {
		#[command(flatten)]
		spec: SpecArgs,
	}

	#[test]
	fn hosts_ask_for_the_capability_to_be_asked() {
		let hash = format!("0x{}", "11".repeat(32));
		let line = [
			"test",
			"--package-hash",
			&hash,
			"--package-size",
			"8",
			"--price",
			"1 FLT",
		];
		let spec = |more: &[&str]| {
			let ordered = Ordered::try_parse_from(line.iter().chain(more)).ok()?;
			let context = Context {
				global: Default::default(),
				settings: Default::default(),
			};
			ordered.spec.spec(&context).ok()
		};
		let plain = spec(&[]).expect("no host need be asked");
		assert_eq!((plain.capabilities, plain.hosts.len()), (0, 0));
		let hosts = [
			"--allow-host",
			"Api.Example",
			"--allow-host",
			"b.example:8080",
		];
		let asking = spec(&hosts).expect("those are hosts");
		assert_eq!(asking.capabilities, HTTP_OUT);
		let names: Vec<_> = asking.hosts.iter().map(|host| host.to_vec()).collect();
		assert_eq!(names, [b"api.example".to_vec(), b"b.example:8080".to_vec()]);
		for wrong in [
			"http://api.example",
			"api.example/",
			"a b",
			"api.example:0",
			"",
		] {
			assert!(spec(&["--allow-host", wrong]).is_none(), "{wrong}");
		}
	}

	#[test]
	fn billing_by_gas_names_the_key_and_asks_for_the_capability() {
		let hash = format!("0x{}", "11".repeat(32));
		let package = ["test", "--package-hash", &hash, "--package-size", "8"];
		let spec = |more: &[&str]| {
			let line = [&package[..], &["--price", "1 FLT"], more].concat();
			let ordered = Ordered::try_parse_from(line).ok()?;
			let context = Context {
				global: Default::default(),
				settings: Default::default(),
			};
			ordered.spec.spec(&context).ok()
		};
		let plain = spec(&[]).expect("it says nothing of gas");
		assert_eq!((plain.capabilities, plain.billing), (0, Billing::Reserved));
		let billed = spec(&["--full-gas", "7", "--voucher-key", &hash]).expect("both are given");
		let expected = Billing::Gas {
			full_gas: 7,
			voucher_key: [0x11; 32],
		};
		assert_eq!(
			(billed.capabilities, billed.billing),
			(GAS_BILLED, expected)
		);
		assert!(spec(&["--full-gas", "7"]).is_none());
		assert!(spec(&["--voucher-key", &hash]).is_none());
	}

	#[test]
	fn an_order_names_its_package_and_its_price() {
		let hash = format!("0x{}", "11".repeat(32));
		let code = |line: &[&str]| {
			let ordered = Ordered::try_parse_from(line).expect("every option is known");
			let context = Context {
				global: Default::default(),
				settings: Default::default(),
			};
			ordered.spec.spec(&context).map_err(|error| error.code)
		};
		let package = ["test", "--package-hash", &hash, "--package-size", "8"];
		assert_eq!(code(&package), Err("no_price".into()));
		assert_eq!(
			code(&["test", "--price", "1 FLT"]),
			Err("no_package".into())
		);
		let whole = [&package[..], &["--price", "1 FLT"]].concat();
		assert!(code(&whole).is_ok());
	}

	#[test]
	fn links_are_urls_that_workers_fetch() {
		let codes = |url: &str| link(url.to_string()).map_err(|error| error.code);
		assert!(codes("http://gate/packages/0x00").is_ok());
		assert!(codes("https://host/module.wasm?token=1").is_ok());
		for url in [
			"ftp://host/m",
			"/packages/0x00",
			"https://user:word@host/m",
			"https://host/m#x",
			"nonsense",
		] {
			assert_eq!(codes(url), Err("bad_link".to_string()), "{url}");
		}
		let long = format!("http://host/{}", "m".repeat(MAX_LINK as usize));
		assert_eq!(codes(&long), Err("link_too_long".to_string()));
	}

	#[test]
	fn one_link_that_others_can_follow_is_enough() {
		let out_of_reach = |urls: &[&str]| {
			let mut package = Package {
				hash: H256::zero(),
				size: 8,
				links: Default::default(),
				abi: Abi::WasiPreview1Command,
			};
			let urls = urls.iter().map(ToString::to_string).collect();
			set_links(&mut package, urls).expect("they are URLs");
			is_out_of_reach(&package)
		};
		assert!(out_of_reach(&["http://127.0.0.1:8090/packages/0x00"]));
		assert!(out_of_reach(&["http://localhost/m", "http://10.0.0.1/m"]));
		assert!(!out_of_reach(&["http://localhost/m", "https://host/m"]));
	}
}
