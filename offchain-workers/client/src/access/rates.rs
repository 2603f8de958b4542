//! How often each invoker calls, with a bound on how many are remembered.

use super::Invoker;
use millrace_primitives::{access::RateLimit, DealId};
use std::{
	collections::{BTreeSet, HashMap},
	sync::{Mutex, MutexGuard, PoisonError},
	time::{Duration, Instant},
};

/// An invoker in a deal.
type Caller = (DealId, Invoker);

/// Counts calls. An invoker has as many as its limit at once, and each comes back after its part of
/// the time: what is remembered of it is one instant, at which it will have all of them again.
///
/// Whoever has all of its calls is forgotten, for it is as one that never called. Where there are more
/// than can be remembered, those who called least go first, so that somebody with many addresses sets
/// nobody free who has used up its calls.
#[derive(Debug)]
pub struct Rates {
	capacity: usize,
	callers: Mutex<Callers>,
}

#[derive(Debug, Default)]
struct Callers {
	/// When each will have all of its calls again.
	whole: HashMap<Caller, Instant>,
	/// The same, in order.
	order: BTreeSet<(Instant, Caller)>,
}

impl Rates {
	/// Remembers so many invokers.
	pub fn new(capacity: usize) -> Self {
		Self {
			capacity: capacity.max(1),
			callers: Mutex::default(),
		}
	}

	/// Takes one call of an invoker; where it has none left, the time until it has.
	pub fn take(
		&self,
		deal: DealId,
		invoker: Invoker,
		limit: Option<RateLimit>,
	) -> Result<(), Duration> {
		match limit {
			Some(limit) => self.take_at(deal, invoker, limit, Instant::now()),
			None => Ok(()),
		}
	}

	fn take_at(
		&self,
		deal: DealId,
		invoker: Invoker,
		limit: RateLimit,
		now: Instant,
	) -> Result<(), Duration> {
		let (step, room) = step_and_room(limit);
		let caller = (deal, invoker);
		let mut callers = self.lock();
		callers.forget_until(now);
		let whole = callers.whole.get(&caller).copied().unwrap_or(now);
		// A limit that was lowered leaves more to wait for than it has room for.
		let used = whole.saturating_duration_since(now).saturating_add(step);
		if used > room {
			return Err(used.saturating_sub(room));
		}
		callers.set(caller, whole.max(now) + step);
		while callers.whole.len() > self.capacity {
			callers.forget_first();
		}
		Ok(())
	}

	/// Invokers that are remembered.
	pub fn len(&self) -> usize {
		self.lock().whole.len()
	}

	/// Whether no invoker is remembered.
	pub fn is_empty(&self) -> bool {
		self.len() == 0
	}

	fn lock(&self) -> MutexGuard<'_, Callers> {
		// Whatever panicked, at worst somebody has a call more.
		self.callers.lock().unwrap_or_else(PoisonError::into_inner)
	}
}

/// The time after which a call comes back, rounded up, and that of all calls together.
fn step_and_room(limit: RateLimit) -> (Duration, Duration) {
	let nanos = u64::from(limit.per_seconds).saturating_mul(1_000_000_000);
	let step = Duration::from_nanos(nanos.div_ceil(limit.calls.max(1).into()));
	(step, step.saturating_mul(limit.calls))
}

impl Callers {
	fn set(&mut self, caller: Caller, whole: Instant) {
		if let Some(before) = self.whole.insert(caller, whole) {
			self.order.remove(&(before, caller));
		}
		self.order.insert((whole, caller));
	}

	fn forget_until(&mut self, now: Instant) {
		while self.order.first().is_some_and(|(whole, _)| *whole <= now) {
			self.forget_first();
		}
	}

	fn forget_first(&mut self) {
		if let Some((_, caller)) = self.order.pop_first() {
			self.whole.remove(&caller);
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use millrace_primitives::H256;
	use proptest::prelude::*;

	fn limit(calls: u32, per_seconds: u32) -> RateLimit {
		RateLimit { calls, per_seconds }
	}

	fn invoker(number: u64) -> Invoker {
		Invoker::Token(H256::from_low_u64_be(number))
	}

	const SECOND: Duration = Duration::from_secs(1);

	#[test]
	fn calls_come_back_one_by_one() {
		let (rates, now, limit) = (Rates::new(8), Instant::now(), limit(3, 60));
		let take = |seconds: u32| rates.take_at(7, invoker(1), limit, now + SECOND * seconds);
		for _ in 0..3 {
			assert_eq!(take(0), Ok(()));
		}
		assert_eq!(take(0), Err(SECOND * 20));
		// Who is refused has not called.
		assert_eq!(take(15), Err(SECOND * 5));
		assert_eq!(take(20), Ok(()));
		assert_eq!(take(20), Err(SECOND * 20));
		// After a minute there are all three, and no more than that.
		for _ in 0..3 {
			assert_eq!(take(300), Ok(()));
		}
		assert!(take(300).is_err());
	}

	#[test]
	fn invokers_and_deals_are_counted_apart() {
		let (rates, now, limit) = (Rates::new(8), Instant::now(), limit(1, 60));
		assert!(rates.take_at(7, invoker(1), limit, now).is_ok());
		assert!(rates.take_at(7, invoker(1), limit, now).is_err());
		assert!(rates.take_at(7, invoker(2), limit, now).is_ok());
		assert!(rates.take_at(8, invoker(1), limit, now).is_ok());
		assert!(rates.take(7, invoker(1), None).is_ok());
	}

	#[test]
	fn who_has_all_calls_again_is_forgotten() {
		let (rates, now, limit) = (Rates::new(8), Instant::now(), limit(2, 10));
		for number in 0..5 {
			assert!(rates.take_at(7, invoker(number), limit, now).is_ok());
		}
		assert_eq!(rates.len(), 5);
		let later = now + SECOND * 5;
		assert!(rates.take_at(7, invoker(9), limit, later).is_ok());
		assert_eq!(rates.len(), 1);
	}

	#[test]
	fn many_names_set_nobody_free() {
		let (rates, now, limit) = (Rates::new(16), Instant::now(), limit(4, 60));
		for _ in 0..4 {
			assert!(rates.take_at(7, invoker(0), limit, now).is_ok());
		}
		for number in 1..1_000 {
			let _ = rates.take_at(7, invoker(number), limit, now);
		}
		assert_eq!(rates.len(), 16);
		assert!(rates.take_at(7, invoker(0), limit, now).is_err());
	}

	#[test]
	fn a_lower_limit_holds_at_once() {
		let (rates, now) = (Rates::new(8), Instant::now());
		for _ in 0..10 {
			let outcome = rates.take_at(7, invoker(1), limit(10, 100), now);
			assert!(outcome.is_ok());
		}
		let wait = rates.take_at(7, invoker(1), limit(1, 10), now);
		assert_eq!(wait, Err(SECOND * 100));
	}

	proptest! {
		#[test]
		fn nobody_calls_more_often_than_the_limit(
			calls in 1u32..50,
			per_seconds in 1u32..100,
			pauses in proptest::collection::vec(0u64..3_000, 1..300),
		) {
			let (rates, start) = (Rates::new(4), Instant::now());
			let limit = limit(calls, per_seconds);
			let mut now = start;
			let mut taken = 0u64;
			for pause in pauses {
				now += Duration::from_millis(pause);
				match rates.take_at(7, invoker(1), limit, now) {
					Ok(()) => taken += 1,
					// Whoever waits as long as it is told is served.
					Err(wait) => {
						now += wait;
						prop_assert!(rates.take_at(7, invoker(1), limit, now).is_ok());
						taken += 1;
					}
				}
				let seconds = (now - start).as_secs_f64();
				let most = f64::from(calls) * (1.0 + seconds / f64::from(per_seconds));
				prop_assert!(taken as f64 <= most + 1e-6, "{taken} in {seconds} s");
			}
		}
	}
}
