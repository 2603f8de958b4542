//! A provider and two delegators, by the command line: they sign exact terms, share rewards by what
//! they signed, one of them leaves with the renewal and is paid, and every amount is right to the
//! unit.

mod model;

use codec::DecodeAll;
use millrace_client::{calls, AccountId, SubmitError, View};
use millrace_e2e::{
	command::millrace,
	network::{account, little_work},
	provider::EPOCHS,
	until, Network, Peer, Ran,
};
use millrace_primitives::{
	capacity::WorkRates,
	commitment::{CommitmentTerms, RoundKind, StakeView, StakerTerms},
	epoch::Phase,
	views::{CommitmentStatus, CommitmentView},
	Balance, EpochIndex, FLT, H256, U256,
};
use model::Term;
use serde_json::{json, Value};
use sp_arithmetic::Perbill;
use sp_crypto_hashing::{twox_128, twox_64};
use std::time::Duration;
use tokio::join;

/// Blocks of an epoch, of half a second each.
const EPOCH_BLOCKS: u32 = 28;
/// Longest run of the tool.
const MINUTE: Duration = Duration::from_secs(60);
/// Units of the peer, at 100 FLT each.
const UNITS: u32 = 2;
/// Epochs of the first term.
const FIRST_TERM: u32 = 2;
/// Epochs of the second one: more than the test takes.
const SECOND_TERM: u32 = 10;
/// Epochs in which a report can be challenged: the fewest that there can be.
const CHALLENGE: u32 = 1;
/// Epochs for which a stake that leaves still answers: the fewest that go with it.
const UNBONDING: u32 = CHALLENGE + 3;
/// Epochs over which rewards vest: few, so that whole ones are claimed.
const VESTING: u32 = 3;
/// The provider's part.
const OWN: Balance = 40 * FLT;
/// The delegator's part.
const DELEGATED: Balance = 160 * FLT;

/// What the steps work with.
struct Scene {
	network: Network,
	peer: Peer,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_stakes_together_shares_to_the_unit() {
	let (network, _) = Network::quick_with(EPOCH_BLOCKS, &short_periods()).await;
	let peer = Peer::new(&network, "worker-shared");
	let scene = Scene { network, peer };
	scene.register().await;
	let mut worker = scene.peer.start_worker();

	let start = first_round(&scene).await;
	scene.peer.until_healthy(&scene.network, &mut worker).await;
	let end = start + FIRST_TERM;
	renewal(&scene, start, end).await;
	let deposits = check_holds(&scene, [OWN, DELEGATED, DELEGATED]).await;
	assert!(deposits.iter().all(|deposit| *deposit > 0), "{deposits:?}");

	let view = until_quiet(&scene, end + UNBONDING).await;
	let commitment = scene.commitment(&view).await;
	let status = CommitmentStatus::Active {
		start,
		end: end + SECOND_TERM,
	};
	assert_eq!((commitment.status, commitment.slashed), (status, 0));
	assert_eq!((commitment.stake, commitment.own), (OWN + DELEGATED, OWN));
	assert_eq!(commitment.delegators, [stake_of("//Dave")]);
	assert_eq!(left(&commitment.leaving), [(of("//Charlie"), DELEGATED)]);
	assert_eq!(commitment.terms.commission, Perbill::from_percent(20));
	let before = scene.totals(&view).await;

	let bounty = the_leaver_is_paid(&scene).await;
	let claimed = everybody_claims(&scene, start, end).await;
	let view = scene.latest().await;
	let after = scene.totals(&view).await;
	// From the renewal on they have sent nothing, so that rules alone have moved what they own.
	for (who, (before, after)) in before.into_iter().zip(after).enumerate() {
		let lost = if who == 1 { bounty } else { 0 };
		assert_eq!(after, before + claimed[who] - lost, "account {who}");
	}
	let deposits_now = check_holds(&scene, [OWN, 0, DELEGATED]).await;
	assert_eq!(deposits_now, [deposits[0], 0, deposits[2]]);

	growth_is_taken_back(&scene).await;
	assert_eq!(
		check_holds(&scene, [OWN, 0, DELEGATED]).await,
		[deposits[0], 0, deposits[2]]
	);
}

/// Periods of a few epochs in place of some eight, and little work.
fn short_periods() -> Value {
	let mut genesis = little_work();
	for (name, epochs) in [
		("min_duration_epochs", FIRST_TERM),
		("challenge_epochs", CHALLENGE),
		("unbonding_epochs", UNBONDING),
		("notice_epochs", 1),
		("vesting_epochs", VESTING),
	] {
		genesis["capacity"]["params"][name] = json!(epochs);
	}
	genesis
}

async fn stored(network: &Network, key: &[u8], at: H256) -> Option<Vec<u8>> {
	let key = format!("0x{}", hex::encode(key));
	let found = network
		.rpc
		.result("state_getStorage", json!([key, at]))
		.await;
	let text = found.as_str()?.trim_start_matches("0x");
	Some(hex::decode(text).expect("storage is hexadecimal"))
}

/// Provider and delegator fill the first round: one part to four. Gives the first epoch.
async fn first_round(scene: &Scene) -> EpochIndex {
	let id = scene.id();
	let commit = [
		"peer",
		"commit",
		&id,
		"--units",
		"2",
		"--epochs",
		"2",
		"--own-part",
		"20%",
		"--commission",
		"10%",
		"--stake",
		"40 FLT",
		"--invite",
		"//Charlie",
	];
	let opened = scene.done("//Bob", &commit).await;
	assert_eq!(opened["missing"], DELEGATED.to_string(), "{opened}");
	let view = scene.latest().await;
	let round = view.round(scene.peer.id()).await.expect("it can be read");
	let round = round.expect("it is open");
	assert_eq!((round.terms.kind, round.agreed), (RoundKind::Start, false));
	assert_eq!((round.needed, round.pledged), (200 * FLT, OWN));
	assert_eq!((round.reserved, round.room), (OWN, DELEGATED));
	assert_eq!(round.least, Some(DELEGATED.div_ceil(7)));
	assert_eq!(round.invited, [of("//Charlie")]);

	let cheaper = StakerTerms {
		terms: CommitmentTerms {
			commission: Perbill::zero(),
			..round.terms.terms
		},
		..round.terms
	};
	let whole = "160 FLT";
	join!(
		scene.other_terms_are_refused(cheaper),
		scene.fails("//Dave", scene.stake(whole, true), 3, "NotInvited"),
		scene.fails("//Eve", scene.stake(whole, false), 2, "not_confirmed"),
		scene.fails(
			"//Ferdie",
			words(&["peer", "withdraw", &id]),
			3,
			"StillActive"
		),
	);
	let sign = scene.stake(whole, true);
	let full = scene.done("//Charlie", &sign).await;
	assert_eq!(
		(&full["missing"], &full["deadline"]),
		(&json!("0"), &Value::Null)
	);

	let commitment = scene.commitment(&scene.latest().await).await;
	let CommitmentStatus::Active { start, end } = commitment.status else {
		panic!("it does not bind: {commitment:?}");
	};
	assert_eq!(end, start + FIRST_TERM);
	assert_eq!(
		(commitment.units, commitment.stake),
		(UNITS, OWN + DELEGATED)
	);
	assert_eq!(commitment.own, OWN);
	assert_eq!(commitment.delegators, [stake_of("//Charlie")]);
	assert_eq!(commitment.terms, round.terms.terms);
	assert_eq!(commitment.terms.commission, Perbill::from_percent(10));
	start
}

/// The provider extends at a higher commission; another delegator signs, and the first one does not.
async fn renewal(scene: &Scene, start: EpochIndex, end: EpochIndex) {
	let id = scene.id();
	let extend = [
		"peer",
		"extend",
		&id,
		"--epochs",
		"10",
		"--commission",
		"20%",
		"--stake",
		"40 FLT",
		"--invite",
		"//Dave",
		"--invite",
		"//Eve",
		"--invite",
		"//Ferdie",
	];
	let opened = scene.done("//Bob", &extend).await;
	assert_eq!(opened["missing"], DELEGATED.to_string(), "{opened}");
	join!(
		scene.fails("//Eve", scene.stake("161 FLT", true), 3, "StakeTooMuch"),
		scene.fails("//Ferdie", scene.stake("1 FLT", true), 3, "StakeTooSmall"),
	);
	let sign = scene.stake("160 FLT", true);
	let full = scene.done("//Dave", &sign).await;
	assert_eq!(full["missing"], "0", "{full}");

	let view = scene.latest().await;
	let commitment = scene.commitment(&view).await;
	let change = commitment.change.expect("it is agreed");
	assert_eq!(
		(change.at, change.units, change.end),
		(end, UNITS, end + SECOND_TERM)
	);
	let status = CommitmentStatus::Active { start, end };
	assert_eq!(commitment.status, status, "it stands until then");
	let round = view.round(scene.peer.id()).await.expect("it can be read");
	assert!(round.expect("it stands until then").agreed);
}

/// Waits for an epoch, and in it for a part in which nobody reports and nothing is settled.
async fn until_quiet(scene: &Scene, epoch: EpochIndex) -> View {
	let what = format!("a quiet part of epoch {epoch}");
	until(&scene.network.chain, &what, EPOCHS, async |view: &View| {
		let status = view.epoch().await?;
		let quiet = status.phase != Phase::Report && status.position <= 11;
		Ok((status.info.index >= epoch && quiet).then(|| view.clone()))
	})
	.await
}

/// Anybody pays the leaver out, for a bounty of at most a hundredth; gives the bounty.
async fn the_leaver_is_paid(scene: &Scene) -> Balance {
	let id = scene.id();
	let paid = scene.done("//Eve", &["peer", "withdraw", &id]).await;
	let bounty = amount(&paid["bounty"]);
	assert!(0 < bounty && bounty <= DELEGATED / 100, "{paid}");
	let rest = (DELEGATED - bounty).to_string();
	let expected = json!([{ "staker": of("//Charlie"), "amount": rest }]);
	assert_eq!(paid["paid"], expected);
	let commitment = scene.commitment(&scene.latest().await).await;
	assert!(commitment.leaving.is_empty(), "{commitment:?}");
	bounty
}

/// Strangers claim for everybody, and what is paid is what the rules give; gives the amounts.
async fn everybody_claims(scene: &Scene, start: EpochIndex, end: EpochIndex) -> [Balance; 3] {
	let claim = |by: &'static str, who: &'static str| async move {
		scene.done(by, &["provider", "claim", who]).await
	};
	let (bob, charlie, dave) = join!(
		claim("//Alice", "//Bob"),
		claim("//Eve", "//Charlie"),
		claim("//Ferdie", "//Dave"),
	);
	let shares = |delegator| vec![("//Bob", OWN), (delegator, DELEGATED)];
	let terms = [
		Term {
			from: start,
			commission_percent: 10,
			shares: shares("//Charlie"),
		},
		Term {
			from: end,
			commission_percent: 20,
			shares: shares("//Dave"),
		},
	];
	let mut claimed = [0; 3];
	for (place, (who, told)) in [("//Bob", bob), ("//Charlie", charlie), ("//Dave", dave)]
		.into_iter()
		.enumerate()
	{
		assert_eq!(told["account"], json!(of(who)));
		let block: H256 = serde_json::from_value(told["block"].clone()).expect("it has a block");
		let view = scene.network.chain.at(block).await.expect("it is final");
		let now = view.epoch().await.expect("it can be read").info.index;
		let commitment = scene.commitment(&view).await;
		let next = commitment.next_to_settle;
		assert!(next > end, "the renewal has taken effect");
		let rewards = scene.rewards(start, next, block).await;
		let all: Balance = rewards.iter().map(|(_, reward)| reward).sum();
		assert_eq!(commitment.rewarded, all, "rewards of all epochs");
		let ledgers = model::ledgers(&terms, &rewards, next);
		let ledger = &ledgers[who];
		let due = model::vested(ledger, now, VESTING);
		assert_eq!(amount(&told["amount"]), due, "{who} in epoch {now}");
		if who == "//Charlie" {
			assert_eq!(
				due,
				ledger.values().sum::<Balance>(),
				"nothing is left over"
			);
		}
		assert!(due > 0, "{who} has earned something");
		claimed[place] = due;
	}
	let again = words(&["provider", "claim", "//Charlie"]);
	scene.fails("//Eve", again, 3, "NothingToClaim").await;
	claimed
}

/// More units need more stake of the provider's own; the round is taken back without it.
async fn growth_is_taken_back(scene: &Scene) {
	let id = scene.id();
	let grow = ["peer", "grow", &id, "--units", "1", "--stake", "20 FLT"];
	let opened = scene.done("//Bob", &grow).await;
	assert_eq!(opened["missing"], (80 * FLT).to_string(), "{opened}");
	let status = scene.done("//Bob", &["peer", "status", &id]).await;
	let (round, commitment) = (&status["round"], &status["commitment"]);
	assert_eq!(
		(&round["terms"]["kind"], &round["terms"]["units"]),
		(&json!("growth"), &json!(3))
	);
	assert_eq!(commitment["own"], OWN.to_string(), "{status}");
	scene.done("//Bob", &["peer", "cancel", &id]).await;
	let slashes = scene.done("//Bob", &["peer", "slashes", &id]).await;
	assert_eq!(slashes["slashes"], json!([]));
	let status = scene.done("//Bob", &["provider", "status"]).await;
	assert_eq!(status["earnings"]["places"], 1, "{status}");
	assert_eq!(status["peers"][0]["commitment"]["units"], UNITS, "{status}");
}

/// Checks the stakes that are held of provider, first and second delegator, and that what else is
/// held is for their ledgers; gives the latter.
async fn check_holds(scene: &Scene, stakes: [Balance; 3]) -> [Balance; 3] {
	let view = scene.latest().await;
	let mut deposits = [0; 3];
	for (place, who) in ["//Bob", "//Charlie", "//Dave"].into_iter().enumerate() {
		let (account, stake) = (of(who), stakes[place]);
		let holds = view.holds(&account).await.expect("holds can be read");
		let held = |reason: &str| -> Balance {
			let of_capacity = holds.iter().filter(|hold| hold.pallet == "Capacity");
			let rows = of_capacity.filter(|hold| hold.reason == reason);
			rows.map(|hold| hold.amount).sum()
		};
		assert_eq!(held("Stake"), stake, "stake of {who}");
		let earnings = view.earnings(&account).await.expect("they can be read");
		assert_eq!(held("Deposit"), earnings.deposit, "deposit of {who}");
		deposits[place] = earnings.deposit;
	}
	deposits
}

impl Scene {
	fn id(&self) -> String {
		self.peer.id().to_string()
	}

	/// By the tool, as a provider does it.
	async fn register(&self) {
		let register = ["provider", "register", "A shared mill"];
		self.done("//Bob", &register).await;
		let key = self.peer.key_file.display().to_string();
		let register = [
			"peer",
			"register",
			"--peer-key",
			&key,
			"--endpoint",
			&self.peer.url,
		];
		self.done("//Bob", &register).await;
	}

	/// Arguments of a stake.
	fn stake(&self, amount: &str, yes: bool) -> Vec<String> {
		let id = self.id();
		let all = ["peer", "stake", &id, "--amount", amount, "--yes"];
		words(&all[..if yes { all.len() } else { all.len() - 1 }])
	}

	async fn other_terms_are_refused(&self, terms: StakerTerms) {
		let call = calls::capacity::stake(self.peer.id(), &terms, 0, DELEGATED);
		let charlie = account("//Charlie");
		let outcome = self.network.chain.submit(&charlie, call).await;
		assert!(
			matches!(&outcome, Err(SubmitError::Dispatch { error, .. }) if error == "TermsDiffer"),
			"{outcome:?}"
		);
	}

	async fn tool<A: AsRef<str>>(&self, key: &str, arguments: &[A]) -> Ran {
		let node = self.network.node.ws();
		let common = ["--json", "--node", &node, "--key", key];
		let all = words(&common);
		let rest = arguments.iter().map(|text| text.as_ref().to_string());
		millrace(self.network.folder(), MINUTE, all.into_iter().chain(rest)).await
	}

	/// The tool does it.
	async fn done<A: AsRef<str>>(&self, key: &str, arguments: &[A]) -> Value {
		self.tool(key, arguments).await.succeeded().json()
	}

	/// The tool fails with a status and a code.
	async fn fails(&self, key: &str, arguments: Vec<String>, status: i32, code: &str) {
		let ran = self.tool(key, &arguments).await;
		assert_eq!(ran.error(), (status, code.into()), "{arguments:?}: {ran:?}");
	}

	async fn latest(&self) -> View {
		let view = self.network.chain.latest().await;
		view.expect("the node is up")
	}

	async fn commitment(&self, view: &View) -> CommitmentView<AccountId> {
		let found = view.commitment(self.peer.id()).await;
		found.expect("it can be read").expect("it is committed")
	}

	/// All that provider, first and second delegator own.
	async fn totals(&self, view: &View) -> [Balance; 3] {
		let mut totals = [0; 3];
		for (place, who) in ["//Bob", "//Charlie", "//Dave"].into_iter().enumerate() {
			let balance = view.balance(&of(who)).await;
			totals[place] = balance.expect("it can be read").total();
		}
		totals
	}

	/// The commitment's rewards from one epoch up to another, from the pools: nobody else shares
	/// them.
	async fn rewards(
		&self,
		first: EpochIndex,
		next: EpochIndex,
		at: H256,
	) -> Vec<(EpochIndex, Balance)> {
		let mut rewards = Vec::new();
		for epoch in first..next {
			let slot = epoch.to_le_bytes();
			let mut key = [twox_128(b"Capacity"), twox_128(b"EpochRows")].concat();
			key.extend(twox_64(&slot));
			key.extend(slot);
			let bytes = stored(&self.network, &key, at).await;
			let bytes = bytes.unwrap_or_else(|| panic!("epoch {epoch} has no row"));
			let row = Row::decode_all(&mut &bytes[..]).expect("that is a row");
			let (of, _, _, _, pool, carried, most, _, _, _, _, _, _, idle, ..) = row;
			assert_eq!(
				(of, idle),
				(epoch, UNITS.into()),
				"idle units of epoch {epoch}"
			);
			let each = most.min((pool + carried) / Balance::from(idle));
			rewards.push((epoch, each * Balance::from(idle)));
		}
		rewards
	}
}

/// The stored row of an epoch: pool, what was carried to it and the most of a unit stand in the
/// fifth to seventh place, and proven idle units in the fourteenth.
type Row = (
	EpochIndex,
	U256,
	U256,
	WorkRates,
	Balance,
	Balance,
	Balance,
	Balance,
	Balance,
	u32,
	u32,
	u32,
	u64,
	u64,
	u64,
	u64,
	bool,
);

fn words(all: &[&str]) -> Vec<String> {
	all.iter().map(|text| text.to_string()).collect()
}

fn of(who: &str) -> AccountId {
	account(who).account()
}

/// A delegator with its whole stake.
fn stake_of(who: &str) -> StakeView<AccountId> {
	StakeView {
		staker: of(who),
		left: DELEGATED,
		share: DELEGATED,
	}
}

fn left(rows: &[StakeView<AccountId>]) -> Vec<(AccountId, Balance)> {
	rows.iter().map(|row| (row.staker, row.left)).collect()
}

fn amount(told: &Value) -> Balance {
	let digits = told.as_str().and_then(|digits| digits.parse().ok());
	digits.unwrap_or_else(|| panic!("that is no amount: {told}"))
}
