//! Parameters are set by votes while a deal is served: they take effect with the next epoch, on what is
//! made from then on. What is out of its bounds is refused wherever it is tried.

use super::vote::{aye, enacted, named, propose, tool, won};
use codec::DecodeAll;
use millrace_client::{calls, AccountId, SubmitError, View};
use millrace_e2e::{
	deal::specification,
	guests,
	network::{account, little_work},
	provider::{settle, ASK, COMMITTED_EPOCHS, EPOCHS},
	until, Deal, Events, Gateway, Network, Process, Provider,
};
use millrace_primitives::{
	epoch::EpochInfo,
	governance::ParameterInfo,
	market::{DealSpec, Worker},
	referenda::ReferendumIndex,
	views::CommitmentView,
	Balance, BlockNumber, EpochIndex, FLT, U256,
};
use pallet_capacity::CapacityParams;
use pallet_market::MarketParams;
use serde_json::json;
use sp_arithmetic::Perbill;
use sp_crypto_hashing::twox_128;
use tokio::join;

/// Blocks of an epoch, of half a second each.
const EPOCH_BLOCKS: u32 = 26;
/// Units of the provider's peer: their stake is far more than what its owner keeps for fees.
const UNITS: u32 = 4;
/// Epochs at the ceiling that the escrow pays: more than the test takes.
const PREPAID: u32 = 40;
/// What a unit's stake is set to, a half more than it was.
const STAKE: &str = "capacity.stake_per_unit";
const NEW_STAKE: Balance = 150 * FLT;
/// What the lowest price is set to: above what the deal may pay and what its worker asks for.
const PRICE: &str = "market.min_price";
const NEW_PRICE: Balance = 15 * FLT / 1_000;
const CEILING: Balance = 12 * FLT / 1_000;
const _: () = assert!(ASK < CEILING && CEILING < NEW_PRICE);
/// What nobody can set too high.
const BOUNDED: &str = "market.deal_deposit";
/// Whole FLT that Alice votes with, of a hundred million.
const ALICE: Balance = 80_000_000;
/// Whole FLT that Ferdie lets Alice vote with, on what is of the market.
const FERDIE: Balance = 10_000_000;
/// Whole FLT that the provider keeps for fees.
const FEES: Balance = 10;

/// What the steps work with.
struct Scene {
	/// Reads all that the chain says.
	events: Events,
	provider: Provider,
	spec: DealSpec<AccountId>,
	deal: Deal,
	_gateway: Gateway,
	_workers: Vec<Process>,
	// The last field: what writes into its folder goes before it.
	network: Network,
}

/// What stands, and must stay as it is.
#[derive(Debug, PartialEq)]
struct Standing {
	commitment: CommitmentView<AccountId>,
	spec: DealSpec<AccountId>,
	workers: Vec<Worker>,
	/// Stake that is held of the provider.
	held: Balance,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_vote_sets_parameters_from_the_next_epoch_on_and_leaves_what_stands_alone() {
	let scene = Scene::start().await;
	let (network, deal) = (&scene.network, &scene.deal);
	deal.until_live(network, 1, EPOCH_BLOCKS).await;
	let before = scene.standing(&scene.latest().await).await;
	let ([stake, price, beyond], ()) = join!(scene.proposals(), scene.delegates());
	scene.votes([stake, price, beyond]).await;

	let effective = join!(
		scene.takes_effect(stake, STAKE, NEW_STAKE),
		scene.takes_effect(price, PRICE, NEW_PRICE)
	);
	let effective = effective.0.max(effective.1);
	scene.is_refused(beyond).await;
	join!(
		scene.what_is_made_is_under_the_new_ones(),
		scene.takes_its_votes_back()
	);

	// A whole epoch under the new ones is paid as those before.
	let view = settle(network, &scene.provider.ids(), effective).await;
	assert_eq!(scene.standing(&view).await, before);
	deal.assert_paid_by_the_rules(&view).await;
}

impl Scene {
	/// Starts everybody, and orders one worker below the price that will be the lowest.
	async fn start() -> Self {
		let (network, _) = Network::quick_with(EPOCH_BLOCKS, &little_work()).await;
		let events = Events::open(&network.chain, 1);
		let provider = Provider::register(&network, "//Bob", 1, UNITS).await;
		let workers = provider.start_workers(&network).await;
		let gateway = Gateway::start(&network).await;
		let package = gateway.upload(&network.http, guests::echo()).await;
		let spec = DealSpec {
			price_ceiling: CEILING,
			..specification(&package, 1)
		};
		let deal = Deal::create(&network, &account("//Charlie"), &spec, PREPAID).await;
		Self {
			events,
			provider,
			spec,
			deal,
			_gateway: gateway,
			_workers: workers,
			network,
		}
	}

	async fn latest(&self) -> View {
		self.network.chain.latest().await.expect("the node is up")
	}

	async fn at(&self, block: BlockNumber) -> View {
		let hash = self.network.rpc.block_hash(block).await;
		let hash = hash.unwrap_or_else(|| panic!("there is no block {block}"));
		self.network.chain.at(hash).await.expect("it is final")
	}

	/// A parameter as the chain tells of it at a block.
	async fn parameter(&self, view: &View, name: &str) -> ParameterInfo {
		let all = view.parameters().await.expect("parameters are listed");
		let found = all.into_iter().find(|parameter| parameter.name == name);
		found.unwrap_or_else(|| panic!("there is no parameter {name}"))
	}

	/// Parameters of commitments and of deals that are in force at a block, as they are stored.
	async fn in_force(&self, block: BlockNumber) -> (CapacityParams, MarketParams) {
		let hash = self.at(block).await.block().hash;
		let read = async |pallet: &str| {
			let key = [twox_128(pallet.as_bytes()), twox_128(b"Params")].concat();
			let bytes = self.network.rpc.storage(&key, hash).await;
			bytes.expect("parameters are set")
		};
		let (capacity, market) = (read("Capacity").await, read("Market").await);
		(
			CapacityParams::decode_all(&mut &capacity[..]).expect("they can be read"),
			MarketParams::decode_all(&mut &market[..]).expect("they can be read"),
		)
	}

	/// What time and settlement do not change.
	async fn standing(&self, view: &View) -> Standing {
		let commitment = view.commitment(self.provider.peers[0].id()).await;
		let commitment = commitment.expect("it can be read").expect("it stands");
		let deal = self.deal.view(view).await;
		let holds = view.holds(&self.provider.account.account()).await;
		let holds = holds.expect("holds can be read");
		let stakes = holds
			.iter()
			.filter(|hold| hold.pallet == "Capacity" && hold.reason == "Stake");
		let held: Balance = stakes.map(|hold| hold.amount).sum();
		assert_eq!(held, commitment.stake);
		Standing {
			commitment: CommitmentView {
				next_to_settle: 0,
				rewarded: 0,
				score_permille: 0,
				..commitment
			},
			spec: deal.spec,
			workers: deal.workers.iter().map(|row| row.worker).collect(),
			held,
		}
	}

	/// Two values within their bounds by the tool's own words. The third one is beyond: the tool refuses
	/// it as such, so that it is proposed as bare bytes.
	async fn proposals(&self) -> [ReferendumIndex; 3] {
		let network = &self.network;
		let bounded = self.parameter(&self.latest().await, BOUNDED).await;
		let beyond = bounded.most + 1;
		let worded = format!("{beyond} unit");
		let words = ["propose", "set", BOUNDED, &worded];
		let ran = tool(network, "//Dave", &words).await;
		assert_eq!(ran.error(), (2, "out_of_bounds".into()), "{ran:?}");

		let parameter = bounded.parameter(beyond).expect("its kind can hold it");
		let call = calls::governance::set_parameter(&parameter);
		let call = call.encode(&network.rpc.metadata().await);
		let call = format!(
			"0x{}",
			hex::encode(call.expect("the runtime has this call"))
		);
		let raw = ["raw", &call, "--track", "market"];
		let (stake, price, beyond) = join!(
			propose(network, "//Alice", &["set", STAKE, "150 FLT"]),
			propose(network, "//Charlie", &["set", PRICE, "0.015 FLT"]),
			propose(network, "//Dave", &raw),
		);
		[stake, price, beyond]
	}

	/// Ferdie does not vote itself.
	async fn delegates(&self) {
		let (to, amount) = (account("//Alice").address(), format!("{FERDIE} FLT"));
		let words = ["delegate", &to, "--amount", &amount, "--track", "market"];
		let ran = tool(&self.network, "//Ferdie", &words).await;
		let told = ran.succeeded().json();
		assert_eq!(told["tracks"], json!(["market"]), "{told}");
	}

	/// What Ferdie has lent is its own again, and locked still, as if it had voted itself.
	async fn takes_its_votes_back(&self) {
		let ran = tool(&self.network, "//Ferdie", &["undelegate"]).await;
		let told = ran.succeeded().json();
		assert_eq!(told["tracks"], json!(["market"]), "{told}");
		let told = tool(&self.network, "//Ferdie", &["votes"]).await;
		let told = told.succeeded().json();
		assert_eq!(told["voting"]["delegations"], json!([]), "{told}");
		let locked = (FERDIE * FLT).to_string();
		assert_eq!(told["locked"], json!(locked), "{told}");
	}

	/// Alice votes on all three, and the provider on its own matter: with all that it owns, which is
	/// more than what it could spend.
	async fn votes(&self, [stake, price, beyond]: [ReferendumIndex; 3]) {
		let (network, bob) = (&self.network, self.provider.account.account());
		let own = self.latest().await.balance(&bob).await;
		let own = own.expect("it can be read").total() / FLT - FEES;
		let alice = async {
			for index in [stake, price, beyond] {
				aye(network, "//Alice", index, ALICE).await;
			}
		};
		join!(alice, aye(network, "//Bob", stake, own));
		let locked = self.latest().await.balance(&bob).await;
		let locked = locked.expect("it can be read");
		assert_eq!(locked.frozen, own * FLT);
		assert!(locked.frozen > locked.free, "staked FLT votes: {locked:?}");

		let both = (ALICE + own) * FLT;
		assert_eq!(won(&self.events, stake).await, (both, 0, both));
		let lent = (ALICE + FERDIE) * FLT;
		assert_eq!(won(&self.events, price).await, (lent, 0, lent));
	}

	/// A referendum's value is in force from the first block of the next epoch on, and nothing else of
	/// its pallet has changed; that epoch.
	async fn takes_effect(
		&self,
		referendum: ReferendumIndex,
		name: &str,
		value: Balance,
	) -> EpochIndex {
		let (block, outcome) = enacted(&self.events, referendum).await;
		assert_eq!(outcome, Ok(()), "{name}");
		let view = self.at(block).await;
		let told = self.parameter(&view, name).await;
		assert_eq!(told.value, U256::from(value), "{told:?}");
		assert!(told.is_pending(), "{told:?}");
		let epoch = view.epoch().await.expect("it can be read").info.index;
		let next = self.epoch(epoch + 1).await;

		// The other referendum's value may begin with the same epoch: it is of another pallet.
		let (capacity, market) = self.in_force(next.start - 1).await;
		let begun = self.in_force(next.start).await;
		match name {
			STAKE => {
				let expected = CapacityParams {
					stake_per_unit: value,
					..capacity
				};
				assert_ne!(capacity, expected, "{name} was in force before");
				assert_eq!(begun.0, expected);
			}
			_ => {
				let expected = MarketParams {
					min_price: value,
					..market.clone()
				};
				assert_ne!(market, expected, "{name} was in force before");
				assert_eq!(begun.1, expected);
			}
		}
		let told = self.parameter(&self.at(next.start).await, name).await;
		assert_eq!((told.value, told.in_force), (value.into(), value.into()));
		next.index
	}

	/// An epoch, once it has begun.
	async fn epoch(&self, epoch: EpochIndex) -> EpochInfo {
		let what = format!("epoch {epoch} has begun");
		until(&self.network.chain, &what, EPOCHS, async |view: &View| {
			view.past_epoch(epoch).await
		})
		.await
	}

	/// A referendum has won, and its call has failed for its bounds alone.
	async fn is_refused(&self, referendum: ReferendumIndex) {
		let (block, outcome) = enacted(&self.events, referendum).await;
		let error = named(&self.network, outcome).await;
		assert_eq!(error, ("Governed".into(), "AboveMost".into()));
		let (before, after) = (self.at(block - 1).await, self.at(block).await);
		assert_eq!(
			self.parameter(&before, BOUNDED).await,
			self.parameter(&after, BOUNDED).await
		);
		let index = referendum.to_string();
		let told = tool(&self.network, "//Dave", &["status", &index]).await;
		let told = told.succeeded().json();
		assert_eq!(told["enactment"]["error"], "Governed.AboveMost", "{told}");
	}

	/// Whoever commits or orders now does it under the new values, as the tool tells everybody.
	async fn what_is_made_is_under_the_new_ones(&self) {
		let view = self.latest().await;
		let terms = view
			.start_terms(1, COMMITTED_EPOCHS, Perbill::one(), Perbill::zero())
			.await
			.expect("terms can be read");
		assert_eq!(terms.terms.stake_per_unit, NEW_STAKE);
		let order = calls::market::create_deal(&self.spec, self.deal.escrow);
		let outcome = self.network.chain.submit(&account("//Eve"), order).await;
		assert!(
			matches!(&outcome, Err(SubmitError::Dispatch { error, .. }) if error == "PriceBelowMinimum"),
			"{outcome:?}"
		);

		let show = ["params", "--filter", PRICE];
		let told = tool(&self.network, "//Eve", &show).await.succeeded().json();
		let rows = told["parameters"].as_array().expect("they are listed");
		let [row] = &rows[..] else {
			panic!("one parameter has this name: {told}");
		};
		let value = json!(NEW_PRICE.to_string());
		assert_eq!((&row["name"], &row["value"]), (&json!(PRICE), &value));
	}
}
