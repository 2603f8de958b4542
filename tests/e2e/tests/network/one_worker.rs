//! One worker with two deals at a time: one is billed by gas, see [`crate::billed`]; the other one is private
//! at first, see [`crate::private_deal`], and asked over the chain when it is open, see [`crate::probed`].

use crate::{billed, private_deal, probed};
use millrace_client::PeerKeypair;
use millrace_e2e::{
	guests,
	network::{account, little_work},
	provider::TERMS,
	Deal, Events, Gateway, Network, Process, Provider,
};
use millrace_primitives::market::{OfferTerms, GAS_BILLED};
use tokio::join;

/// Blocks of an epoch, of half a second each.
const EPOCH_BLOCKS: u32 = 26;
/// Epochs at the ceiling that each escrow pays.
const PREPAID: u32 = 40;

/// What the steps work with. Charlie has ordered both deals, Dave settles, and Eve asks over the chain.
pub(crate) struct Scene {
	/// Reads all that the chain says.
	pub(crate) events: Events,
	/// Has one peer with two units: one for each deal.
	pub(crate) provider: Provider,
	_workers: Vec<Process>,
	pub(crate) gateway: Gateway,
	/// The last field: what writes into its folder goes before it.
	pub(crate) network: Network,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_private_deal_and_one_billed_by_gas_are_served_and_probes_are_answered() {
	let mut genesis = little_work();
	genesis["market"] = probed::parameters();
	let (network, _) = Network::quick_with(EPOCH_BLOCKS, &genesis).await;
	let events = Events::open(&network.chain, 1);
	let terms = OfferTerms {
		capabilities: GAS_BILLED,
		..TERMS
	};
	let provider = Provider::offering(&network, "//Bob", 1, 2, terms).await;
	let workers = provider.start_workers(&network).await;
	let key = PeerKeypair::generate().expect("there is randomness");
	let file = network.folder().join("vouchers.json");
	key.save(&file).expect("the folder is writable");
	let gateway = Gateway::signing(&network, &file).await;
	let package = gateway.upload(&network.http, guests::echo()).await;
	let client = account("//Charlie");
	let by_gas = billed::order(&package, key.public());
	let by_gas = Deal::create(&network, &client, &by_gas, PREPAID).await;
	let private = private_deal::order(&package);
	let private = Deal::create(&network, &client, &private, PREPAID).await;
	let scene = Scene {
		events,
		provider,
		_workers: workers,
		gateway,
		network,
	};
	join!(
		billed::calls_are_paid_by_their_gas(&scene, &by_gas),
		private_deal::is_for_its_tokens_and_keys_and_then_open(&scene, &private),
	);
}
