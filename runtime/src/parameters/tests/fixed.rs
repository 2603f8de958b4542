//! The numbers of the protocol that no vote changes, as docs/parameters.md shows them.

use super::page::{count, decimal};
use millrace_primitives::{
	audit::{RECEIPTS_PER_AUDIT, SOLUTIONS_PER_AUDIT},
	commitment::MAX_STAKERS,
	execution::{ARBITRATION_GAS, MAX_MEMORY_BYTES, MAX_PACKAGE_BYTES, MAX_REQUEST_BYTES},
	market::{MAX_LISTED_PROVIDERS, MAX_WORKERS},
	merkle::MAX_PATH,
	peer::MAX_PEERS,
	probe::MAX_PROBE_BYTES,
	report::MAX_DEALS_PER_PEER,
	views::MAX_QUOTED_OFFERS,
};
use pallet_market::{MAX_PROBES_PER_EPOCH, NOTICE_EPOCHS, RETRY_BLOCKS};
use pallet_receipts::{MAX_OTHER_DEMANDS, MAX_PACKAGE_DEMANDS, POSTED_PRICE};
use pallet_validators::{BAN_SESSIONS, MAX_VALIDATORS, SILENT_SESSIONS};

/// A number, its value, where it stands, and why it stays.
type Row = (&'static str, String, &'static str, &'static str);

/// The heading and what stands above the rows.
const HEAD: &str = "
## Numbers that no vote changes

They change with an upgrade of the runtime. \
[Decision 84](decisions/0084-numbers-that-stay-fixed.md) tells by which rule a number is one of them.

| Number | Value | Where | Why it stays |
|---|---|---|---|
";

fn rows() -> Vec<Row> {
	vec![
		(
			"Peers of a provider, at most",
			count(MAX_PEERS.into()),
			"`peer::MAX_PEERS`",
			"bounds what hangs on one account",
		),
		(
			"A unit",
			"1 core, 4 GiB RAM, 16 GiB disk".into(),
			"`CPU_V1`",
			"is what the name of the class says; another size is another class",
		),
		(
			"Attempts of a duty that are included",
			"1".into(),
			"authorisation",
			"two would be a way to fill blocks without a fee",
		),
		(
			"Between the windows and the end of an epoch, at least",
			"2 blocks".into(),
			"`EpochLengths::fits`",
			"relation of windows that are governed",
		),
		(
			"Stakers of a commitment, at most",
			count(MAX_STAKERS.into()),
			"`commitment::MAX_STAKERS`",
			"bounds rows, and the weight of every slash",
		),
		(
			"RandomX cache",
			"256 MiB".into(),
			"`randomx`",
			"is RandomX",
		),
		(
			"Steps of the target",
			"under 1 % harder, 10 % easier, within ×/÷ 2 of the reference".into(),
			"`Difficulty::next`",
			"one law of control whose parts balance, by the inequality in ECONOMICS; the reference is governed",
		),
		(
			"Deals of a peer, at most",
			count(MAX_DEALS_PER_PEER.into()),
			"`report::MAX_DEALS_PER_PEER`",
			"size and weight of a report",
		),
		(
			"Length of a Merkle path, at most",
			count(MAX_PATH.into()),
			"`merkle::MAX_PATH`",
			"form of proofs, which provers and challengers build",
		),
		(
			"Solutions that an audit opens",
			count(SOLUTIONS_PER_AUDIT.into()),
			"`audit::SOLUTIONS_PER_AUDIT`",
			"form of the answer, and a RandomX hash each; the number of audits is governed",
		),
		(
			"Receipts that an audit opens",
			count(RECEIPTS_PER_AUDIT.into()),
			"`audit::RECEIPTS_PER_AUDIT`",
			"form of the answer; challengers draw the same ones",
		),
		(
			"Probes that an audit looks at",
			"1".into(),
			"`Market::fail_one_of`",
			"weight of a draw",
		),
		(
			"Audits, at most",
			"half of what the answer window holds".into(),
			"`Capacity::answerable_audits`",
			"everybody who is drawn must have room to answer",
		),
		(
			"What a faked report saves, times",
			"3".into(),
			"`rules::audit_slash`",
			"with it faking loses at every size of the network; number of audits, the reward's cap and the slash are solved from it together",
		),
		(
			"Half-life of a failure score",
			"24 epochs".into(),
			"`rules::Score`",
			"tables of a closed form",
		),
		(
			"Failure score that fails",
			"24 full misses".into(),
			"`rules::Score`",
			"silence of any length settles in one step because 40 epochs fail from every phase; what a miss costs is governed",
		),
		(
			"Epochs that a step of silence looks at, at most",
			"40 ordinary ones".into(),
			"`rules::SILENT_EPOCHS`",
			"weight of a settlement; follows from the two above",
		),
		(
			"Slashes that wait",
			"from 5 %".into(),
			"`Capacity::charge`",
			"each that waits is a row, of which a commitment can so have 43 at most; how long they wait is governed",
		),
		(
			"Withdrawable after the last report",
			"challenge period and 2 epochs".into(),
			"`Commitment::withdrawable`",
			"whatever can be charged must find its stake",
		),
		(
			"Workers of a deal, at most",
			count(MAX_WORKERS.into()),
			"`market::MAX_WORKERS`",
			"bounds rows, and the weight of closing a deal",
		),
		(
			"Providers of a list, at most",
			count(MAX_LISTED_PROVIDERS.into()),
			"`market::MAX_LISTED_PROVIDERS`",
			"size of an order",
		),
		(
			"Closing deposit, and what an early end costs",
			"1 epoch".into(),
			"`Market::do_create_deal`",
			"is the price of the notice that a worker has a right to",
		),
		(
			"Notice of a worker",
			format!("{} epoch", count(NOTICE_EPOCHS.into())),
			"`NOTICE_EPOCHS`",
			"sums are kept as of four epoch starts, which are enough for one",
		),
		(
			"Share of a block that matching has on poll",
			"10 %".into(),
			"`POLL_SHARE`",
			"integrity tests prove that each step fits it; what else a block has left is used on idle, and `match_deal` buys more",
		),
		(
			"Walks of a deal that sleeps",
			format!("once an epoch, or every {} blocks if the book is better", count(RETRY_BLOCKS.into())),
			"`RETRY_BLOCKS`",
			"keeps one deal from taking the matcher's share",
		),
		(
			"Offers that a quote looks at, at most",
			count(MAX_QUOTED_OFFERS.into()),
			"`views::MAX_QUOTED_OFFERS`",
			"work of a node for one question",
		),
		(
			"Visits of a live worker",
			"1 an epoch".into(),
			"`Patrol`",
			"one round of the cursor; more would take blocks from matching",
		),
		(
			"Of a forfeited bond to the client, at most",
			"1 epoch's price".into(),
			"`Market::forfeit`",
			"a client must not gain by a worker's fault",
		),
		(
			"Open probes of a worker; of a prober, worker and epoch",
			"1; 1".into(),
			"`Market::do_probe`",
			"keys of the rows",
		),
		(
			"Probes of a worker in an epoch, at most",
			count(MAX_PROBES_PER_EPOCH.into()),
			"`MAX_PROBES_PER_EPOCH`",
			"rows of a worker; what shielding one from all others costs is solved from it, and the bond is governed",
		),
		(
			"Body of a probe, at most",
			format!("{} bytes", count(MAX_PROBE_BYTES.into())),
			"`probe::MAX_PROBE_BYTES`",
			"bytes that stand in the state",
		),
		(
			"Failed probes that forfeit the bond",
			"2".into(),
			"`Market::note_failure`",
			"the first may be an accident; how long it is remembered follows `market.exclusion_epochs`",
		),
		(
			"Package that can be challenged, at most",
			format!("{} bytes", count(MAX_PACKAGE_BYTES.into())),
			"`execution::MAX_PACKAGE_BYTES`",
			"must fit into a transaction and be replayed in a block",
		),
		(
			"Memory of a call, at most",
			format!("{} bytes", count(MAX_MEMORY_BYTES.into())),
			"`execution::MAX_MEMORY_BYTES`",
			"memory of the judge",
		),
		(
			"Request, at most",
			format!("{} bytes", count(MAX_REQUEST_BYTES.into())),
			"`execution::MAX_REQUEST_BYTES`",
			"must fit into a challenge",
		),
		(
			"Gas of a replay, at most",
			count(ARBITRATION_GAS.into()),
			"`execution::ARBITRATION_GAS`",
			"what a block has room for, by the worst mix of instructions that was measured",
		),
		(
			"Replays in a block, at most",
			"1".into(),
			"`ReplayedAt`",
			"the same time of a block",
		),
		(
			"Penalties for one kind of offence",
			"1 for a peer and epoch".into(),
			"`Cases`",
			"keys of the rows; nobody pays twice",
		),
		(
			"Open demands for packages, for other data, and for one datum",
			format!(
				"{}; {}; 1",
				count(MAX_PACKAGE_DEMANDS.into()),
				count(MAX_OTHER_DEMANDS.into())
			),
			"`MAX_PACKAGE_DEMANDS`, `MAX_OTHER_DEMANDS`",
			"what is posted must find room in the window: a megabyte for each package",
		),
		(
			"What a package that is posted costs, at least",
			format!("{} FLT", decimal(POSTED_PRICE.into(), 18)),
			"`POSTED_PRICE`",
			"pays for the row that says in which block it stands, which stays for ever",
		),
		(
			"Seats, however a vote goes",
			count(MAX_VALIDATORS.into()),
			"`MAX_VALIDATORS`",
			"rows and proofs of finality grow with each; fewer can be voted",
		),
		(
			"Share of all stake that a seat needs",
			"1 of twice the seats".into(),
			"`rules::claimants`",
			"a share x of the stake holds at most 2·x·n seats: this is what makes it so",
		),
		(
			"Seats that can change, at least",
			"1".into(),
			"`rules::changes`",
			"a small set must not freeze",
		),
		(
			"Sets that a silent seat sits out; silent sessions in a row that end a candidacy",
			format!("1; {}", count(SILENT_SESSIONS.into())),
			"`SitOut`, `SILENT_SESSIONS`",
			"a machine that is dead must not come back every other session; what silence is is governed",
		),
		(
			"Sessions for which equivocation keeps from standing",
			count(BAN_SESSIONS.into()),
			"`BAN_SESSIONS`",
			"as long as one in a block or in a vote on finality can be proven",
		),
		(
			"What equivocation costs",
			"(3 × offenders / seats)², at least 1 %".into(),
			"`validators::LEAST_FRACTION`",
			"the more at once, the more it is an attack; it is FRAME's",
		),
		(
			"FLT at genesis",
			"1,000,000,000, of 18 decimals".into(),
			"`allocation::SUPPLY`",
			"the promise of [TOKENOMICS](TOKENOMICS.md)",
		),
		(
			"Emission, at most",
			"a fifth of the reserve in the first year, in each other one four fifths of the year before"
				.into(),
			"`pallet_emission::schedule`",
			"a promise too; a vote can lower it, by `emission.per_epoch`",
		),
		(
			"Lock of a developer's reward",
			"60 days".into(),
			"`RewardLockBlocks`",
			"a promise to everybody who holds FLT",
		),
		(
			"Existential deposit",
			"0.001 FLT".into(),
			"`money::ExistentialDeposit`",
			"accounts and holds that stand rely on it",
		),
	]
}

/// The part of the page about them.
pub(super) fn table() -> String {
	let mut text = String::from(HEAD);
	for (number, value, place, reason) in rows() {
		text.push_str(&format!("| {number} | {value} | {place} | {reason} |\n"));
	}
	text
}
