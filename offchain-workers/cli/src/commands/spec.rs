//! What a client orders, as options.

use crate::{
	arguments,
	commands::package,
	context::{parse_account, Context},
	errors::{CliError, Result},
	files,
};
use clap::Args;
use millrace_client::AccountId;
use millrace_primitives::{
	execution::package_hash,
	market::{Abi, CallLimits, DealSpec, Link, Package, ProviderFilter},
	Balance, Gas, CPU_V1, H256,
};
use std::path::PathBuf;

/// Options that make up a specification.
#[derive(Debug, Args)]
pub(crate) struct SpecArgs {
	/// The module that the deal runs.
	#[arg(long, value_name = "FILE", required_unless_present = "package_hash")]
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
	#[arg(long, value_name = "BYTES", requires = "package_hash")]
	package_size: Option<u32>,
	/// Where workers fetch the module [default: the gateway]; can be given several times.
	#[arg(long = "link", value_name = "URL")]
	links: Vec<String>,
	/// Highest price of one unit for one epoch, such as "0.02 FLT".
	#[arg(long, value_parser = arguments::amount, value_name = "AMOUNT")]
	price: Balance,
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
	/// Gas of one call.
	#[arg(long, default_value_t = 2_000_000_000)]
	gas: Gas,
	/// Memory of the guest in MiB.
	#[arg(long, value_name = "MIB", default_value_t = 64)]
	memory: u32,
	/// Largest request body in KiB.
	#[arg(long, value_name = "KIB", default_value_t = 64)]
	request: u32,
	/// Largest response in KiB.
	#[arg(long, value_name = "KIB", default_value_t = 1024)]
	response: u32,
	/// Capability bits that a peer must have.
	#[arg(long, default_value_t = 0)]
	capabilities: u64,
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
	/// Resource class of the units.
	#[arg(long, default_value_t = CPU_V1)]
	class: u16,
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
				return Err(CliError::usage(
					"no_package",
					"give --package or --package-hash",
				))
			}
		};
		let links = if self.links.is_empty() {
			vec![package::package_url(&context.settings.gateway, hash)]
		} else {
			self.links.clone()
		};
		let links = links.into_iter().map(link).collect::<Result<Vec<_>>>()?;
		Ok(DealSpec {
			class: self.class,
			units_per_worker: self.units,
			min_workers: self.min_workers.unwrap_or(self.workers),
			target_workers: self.workers,
			max_workers_per_provider: self.per_provider.unwrap_or(self.workers),
			price_ceiling: self.price,
			package: Package {
				hash,
				size,
				links: links.try_into().map_err(|_| too_many("links"))?,
				abi: Abi::WasiPreview1Command,
			},
			limits: CallLimits {
				gas: self.gas,
				memory_bytes: self.memory.saturating_mul(1024 * 1024),
				request_bytes: self.request.saturating_mul(1024),
				response_bytes: self.response.saturating_mul(1024),
			},
			capabilities: self.capabilities,
			regions: self
				.regions
				.clone()
				.try_into()
				.map_err(|_| too_many("regions"))?,
			providers: self.filter()?,
			worker_bond: self.worker_bond,
			term_epochs: self.term,
		})
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

/// A link as the chain keeps it.
pub(crate) fn link(url: String) -> Result<Link> {
	Link::try_from(url.into_bytes())
		.map_err(|_| CliError::usage("link_too_long", "a link is longer than 256 bytes"))
}

fn too_many(what: &str) -> CliError {
	CliError::usage("too_many", format!("more {what} than a deal can list"))
}
