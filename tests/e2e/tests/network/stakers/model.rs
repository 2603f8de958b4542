//! What the rules give to those who stake together, computed apart from the chain.

use millrace_primitives::{Balance, EpochIndex, U256};
use std::collections::BTreeMap;

/// What was agreed to from an epoch on. Rewards vest by periods of one epoch here.
#[derive(Clone, Debug)]
pub(super) struct Term {
	/// First epoch under it.
	pub(super) from: EpochIndex,
	/// Part of delegators' rewards that goes to the provider, in hundredths.
	pub(super) commission_percent: Balance,
	/// Shares in the rewards; the first is the provider's.
	pub(super) shares: Vec<(&'static str, Balance)>,
}

/// What an owner earned, by the first epoch in which it vests.
pub(super) type Ledger = BTreeMap<EpochIndex, Balance>;

/// The ledgers of all owners, when all epochs before `next` are settled.
///
/// `rewards` has each of them in its order. A reward per share is kept in parts of 2^-128; what does
/// not divide by the shares is carried on, and what is less than a unit stays with its owner. The
/// last epoch waits for the next one, or for other terms.
pub(super) fn ledgers(
	terms: &[Term],
	rewards: &[(EpochIndex, Balance)],
	next: EpochIndex,
) -> BTreeMap<&'static str, Ledger> {
	let mut found = BTreeMap::new();
	let mut dust: BTreeMap<&'static str, U256> = BTreeMap::new();
	let mut carry = U256::zero();
	for (number, (epoch, reward)) in rewards.iter().enumerate() {
		let place = terms.iter().rposition(|term| term.from <= *epoch);
		let term = &terms[place.expect("rewards are earned under terms")];
		let shares: Balance = term.shares.iter().map(|(_, share)| share).sum();
		let whole = (U256::from(*reward) << 128) + carry;
		let per_share = whole / U256::from(shares);
		carry = whole % U256::from(shares);

		let changes = terms.iter().any(|term| term.from == epoch + 1) && *epoch + 1 == next;
		let is_last = number + 1 == rewards.len();
		if is_last && !changes {
			break;
		}
		let mut commissions = 0;
		for (who, share) in term.shares.iter().rev() {
			let left = dust.entry(*who).or_default();
			let whole = U256::from(*share) * per_share + *left;
			*left = whole & U256::from(Balance::MAX);
			let amount = Balance::try_from(whole >> 128).expect("it is part of the reward");
			let earned = if *who == term.shares[0].0 {
				amount + commissions
			} else {
				let commission = amount * term.commission_percent / 100;
				commissions += commission;
				amount - commission
			};
			let ledger: &mut Ledger = found.entry(*who).or_default();
			*ledger.entry(epoch + 1).or_default() += earned;
		}
	}
	found
}

/// What of a ledger has vested by an epoch.
pub(super) fn vested(ledger: &Ledger, now: EpochIndex, vesting_epochs: u32) -> Balance {
	ledger
		.iter()
		.map(|(start, amount)| {
			let passed = now.saturating_sub(*start).min(vesting_epochs);
			amount * Balance::from(passed) / Balance::from(vesting_epochs)
		})
		.sum()
}

#[test]
fn shares_commission_and_dust() {
	let terms = [
		Term {
			from: 1,
			commission_percent: 50,
			shares: vec![("provider", 1), ("first", 2)],
		},
		Term {
			from: 3,
			commission_percent: 0,
			shares: vec![("provider", 1), ("second", 2)],
		},
	];
	// Thirds of ten are 3.3 and 6.7; half of six is commission. In the second epoch 6.7 and 13.3 are
	// due in all, of which 3 and 6 were given.
	let rewards = [(1, 10), (2, 10), (3, 10), (4, 0)];
	let found = ledgers(&terms, &rewards, 5);
	assert_eq!(found["first"], Ledger::from([(2, 3), (3, 4)]));
	// The provider has all of its three thirds after the third epoch.
	assert_eq!(
		found["provider"],
		Ledger::from([(2, 3 + 3), (3, 3 + 3), (4, 4)])
	);
	assert_eq!(found["second"], Ledger::from([(4, 6)]));
	assert_eq!(ledgers(&terms, &rewards[..2], 3)["first"], found["first"]);
	assert_eq!(
		ledgers(&terms, &rewards[..1], 2).get("first"),
		None,
		"the last epoch waits"
	);
	assert_eq!(vested(&found["first"], 2, 3), 0);
	assert_eq!(vested(&found["first"], 3, 3), 1);
	assert_eq!(vested(&found["first"], 6, 3), 7);
}
