//! Who sits, who is silent and what equivocation takes: functions of numbers alone.

use crate::{LeaveReason, ValidatorsParams, SEATS_THAT_RELAX};
use alloc::vec::Vec;
use millrace_primitives::Balance;
use sp_runtime::Perbill;

/// Blocks that a seat must be expected to write before none at all says something.
pub const LEAST_EXPECTED: u32 = 7;

/// Candidates that have a claim to a seat, from the one with most stake on.
///
/// `candidates` are sorted by stake, most first, and hold only those with keys, without ban and not
/// sitting out; `total` is the active stake of all providers.
///
/// A claim takes at least `min_seat_stake`, a place among the first `max_validators`, and at least
/// `total / (2 × max_validators)`. Where fewer than [`SEATS_THAT_RELAX`] have that much, because
/// stake is spread over more providers than there can be seats, this last condition is dropped.
/// Of those who remain, as many have a claim as leave nobody with less than half of the mean of all
/// who have one. Hence a share `x` of the seated stake holds at most `2·x·n` of `n` seats.
pub fn claimants<A>(
	candidates: &[(A, Balance)],
	total: Balance,
	params: &ValidatorsParams,
) -> usize {
	let (first, _) = eligible(candidates, total, params);
	let mut sum: Balance = 0;
	let mut claims: u32 = 0;
	for (seats, (_, stake)) in (1u32..).zip(candidates.iter().take(first)) {
		sum = sum.saturating_add(*stake);
		let doubled = Balance::from(seats).saturating_mul(2);
		if stake.saturating_mul(doubled) >= sum {
			claims = seats;
		}
	}
	usize::try_from(claims).unwrap_or(usize::MAX)
}

/// Stake of all of them.
pub fn sum<A>(candidates: &[(A, Balance)]) -> Balance {
	candidates
		.iter()
		.fold(0, |sum: Balance, (_, stake)| sum.saturating_add(*stake))
}

/// Candidates whose stake is large enough taken alone, and whether a share of all stake was asked
/// of them.
fn eligible<A>(
	candidates: &[(A, Balance)],
	total: Balance,
	params: &ValidatorsParams,
) -> (usize, bool) {
	let seats = Balance::from(params.max_validators);
	let most = usize::try_from(params.max_validators).unwrap_or(usize::MAX);
	let relaxing = usize::try_from(SEATS_THAT_RELAX).unwrap_or(usize::MAX);
	let staked = candidates
		.iter()
		.take(most)
		.take_while(|(_, stake)| *stake >= params.min_seat_stake)
		.count();
	let with_share = candidates
		.iter()
		.take(staked)
		.take_while(|(_, stake)| stake.saturating_mul(seats).saturating_mul(2) >= total)
		.count();
	if with_share < relaxing {
		(staked, false)
	} else {
		(with_share, true)
	}
}

/// Stake that one more candidate would need for a claim, if the others stay as they are.
pub fn needed<A>(
	candidates: &[(A, Balance)],
	total: Balance,
	params: &ValidatorsParams,
) -> Balance {
	let claims = claimants(candidates, total, params);
	let (_, shared) = eligible(candidates, total, params);
	let seats = Balance::from(params.max_validators).max(1);
	let mut sum: Balance = 0;
	let mut count: Balance = 0;
	let mut last: Balance = 0;
	for (_, stake) in candidates.iter().take(claims) {
		sum = sum.saturating_add(*stake);
		count = count.saturating_add(1);
		last = *stake;
	}
	// s · 2(n + 1) ≥ S + s.
	let half_of_mean = sum.div_ceil(count.saturating_mul(2).saturating_add(1));
	let share = if shared {
		total.div_ceil(seats.saturating_mul(2))
	} else {
		0
	};
	let to_outbid = if count >= seats {
		last.saturating_add(1)
	} else {
		0
	};
	params
		.min_seat_stake
		.max(half_of_mean)
		.max(share)
		.max(to_outbid)
}

/// One session's change of seats.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change<A> {
	/// Who sits afterwards. Those who stay keep their order.
	pub seats: Vec<A>,
	/// Who did not sit before.
	pub entered: Vec<A>,
	/// Who sits no longer, and why.
	pub left: Vec<(A, LeaveReason)>,
}

/// Seats that may change in one session.
pub fn changes(seats: usize, params: &ValidatorsParams) -> usize {
	let part = usize::try_from(params.seats_per_change).unwrap_or(usize::MAX);
	seats.checked_div(part).unwrap_or_default().max(1)
}

/// One session's change of seats: at most one of [`ValidatorsParams::seats_per_change`], and at least
/// one.
///
/// `leaving` are those of the seated who have no claim, those to go first first. Who leaves makes
/// room for a claimant. Where none waits, a seat is given up that its holder lost by its own doing,
/// as long as more than `floor` seats stay; one that is lost to the stake of others, only if `floor`
/// claimants sit. So the set shrinks to those who have a claim, and is never empty.
pub fn next_seats<A: Clone + PartialEq>(
	seated: &[A],
	leaving: &[(A, LeaveReason)],
	claimants: &[A],
	params: &ValidatorsParams,
	floor: usize,
) -> Change<A> {
	let most = usize::try_from(params.max_validators).unwrap_or(usize::MAX);
	let floor = floor.max(1);
	let mut left_to_change = changes(seated.len(), params);
	let mut waiting = claimants.iter().filter(|who| !seated.contains(who));
	let mut change = Change {
		seats: seated.to_vec(),
		entered: Vec::new(),
		left: Vec::new(),
	};
	for (who, reason) in leaving {
		if left_to_change == 0 {
			break;
		}
		let Some(place) = change.seats.iter().position(|seat| seat == who) else {
			continue;
		};
		if let Some(next) = waiting.next() {
			if let Some(seat) = change.seats.get_mut(place) {
				*seat = next.clone();
			}
			change.entered.push(next.clone());
		} else {
			let enough = if reason.is_own() {
				change.seats.len() > floor
			} else {
				let claiming = change.seats.iter().filter(|seat| claimants.contains(seat));
				claiming.count() >= floor
			};
			if !enough {
				continue;
			}
			change.seats.remove(place);
		}
		change.left.push((who.clone(), *reason));
		left_to_change = left_to_change.saturating_sub(1);
	}
	while left_to_change > 0 && change.seats.len() < most {
		let Some(next) = waiting.next() else {
			break;
		};
		change.seats.push(next.clone());
		change.entered.push(next.clone());
		left_to_change = left_to_change.saturating_sub(1);
	}
	change
}

/// Whether a seat wrote so little that chance does not explain it: under the least part of what was
/// expected, and three standard deviations under that, or nothing at all.
///
/// The part alone would not do: of twelve expected blocks, an honest seat writes five or fewer in one
/// session out of fifty.
pub fn is_silent(authored: u32, expected: u32, least: Perbill) -> bool {
	let nothing = authored == 0 && expected >= LEAST_EXPECTED;
	let margin = square_root(expected).saturating_mul(3);
	let part = |blocks: u32, part: Perbill| {
		u64::from(blocks).saturating_mul(u64::from(part.deconstruct()))
	};
	let little = part(authored, Perbill::one()) < part(expected, least);
	little && (nothing || authored.saturating_add(margin) < expected)
}

/// Square root, rounded up.
fn square_root(square: u32) -> u32 {
	let root = square.isqrt();
	if root.saturating_mul(root) < square {
		root.saturating_add(1)
	} else {
		root
	}
}

/// What is still to be taken of the rest once `before` of the whole was taken, so that it comes to
/// `after`; rounded up.
pub fn part_between(before: Perbill, after: Perbill) -> Perbill {
	if after <= before {
		return Perbill::zero();
	}
	let kept = u64::from(left_of(after))
		.saturating_mul(u64::from(left_of(Perbill::zero())))
		.checked_div(u64::from(left_of(before)))
		.unwrap_or_default();
	part_from_kept(kept)
}

/// What two parts take that are taken one after the other, each of what is left; rounded up.
pub fn both(first: Perbill, second: Perbill) -> Perbill {
	let kept = u64::from(left_of(first))
		.saturating_mul(u64::from(left_of(second)))
		.checked_div(u64::from(left_of(Perbill::zero())))
		.unwrap_or_default();
	part_from_kept(kept)
}

fn left_of(part: Perbill) -> u32 {
	Perbill::one()
		.deconstruct()
		.saturating_sub(part.deconstruct())
}

fn part_from_kept(kept: u64) -> Perbill {
	let kept = u32::try_from(kept).unwrap_or(u32::MAX);
	Perbill::from_parts(Perbill::one().deconstruct().saturating_sub(kept))
}
