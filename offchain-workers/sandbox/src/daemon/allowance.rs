//! How long a process may compute: as long as it has calls.
//!
//! Gas bounds what a guest computes, and the clock bounds its call. Neither bounds a process that a
//! guest has taken over: it cannot make threads, but those that it has need not rest when no call is
//! theirs. A limit of the kernel would be one for its whole life, which honest processes pass, or one
//! that whoever handles its signal passes too. So the daemon keeps the account: each call gives the
//! process one thread's time for as long as it has a line, and a process that takes more is ended.

use std::time::{Duration, Instant};

/// Longest time for which a line's thread works on when its answer is out: it makes the guest's memory
/// ready for the next call.
const CLEANING: Duration = Duration::from_millis(100);
/// What a process may be ahead besides. Clocks are read one after the other.
const SPARE: Duration = Duration::from_secs(1);
/// One in so many is given on top: the clocks of processors and of the day do not run alike.
const MARGIN: u32 = 16;

/// A process' account of processor time.
#[derive(Debug)]
pub(super) struct Allowance {
	/// Lines that calls have.
	taken: u32,
	/// Up to when they are counted.
	counted: Instant,
	/// What calls have given since the process was last looked at.
	given: Duration,
	/// What was left then.
	left: Duration,
	/// Most that is left, however little the process computes.
	most: Duration,
	/// Processor time that it had had then.
	had: Duration,
}

impl Allowance {
	/// That of a process with so many lines, which has had so much time to begin with.
	pub(super) fn new(lines: u32, had: Duration, now: Instant) -> Self {
		// Lines that rest are paid for their cleaning when they are taken.
		let most = SPARE.saturating_add(CLEANING.saturating_mul(lines));
		Self {
			taken: 0,
			counted: now,
			given: Duration::ZERO,
			left: most,
			most,
			had,
		}
	}

	/// A call takes a line that has rested since then.
	pub(super) fn take(&mut self, rests_since: Instant, now: Instant) {
		self.count(now);
		let rested = now.saturating_duration_since(rests_since);
		self.given = self.given.saturating_add(rested.min(CLEANING));
		self.taken = self.taken.saturating_add(1);
	}

	/// A call gives its line back.
	pub(super) fn give_back(&mut self, now: Instant) {
		self.count(now);
		self.taken = self.taken.saturating_sub(1);
	}

	/// Whether a process that has had so much time, a moment before, has kept to it.
	pub(super) fn is_kept(&mut self, had: Duration, now: Instant) -> bool {
		self.count(now);
		let given = std::mem::take(&mut self.given);
		let spent = had.saturating_sub(self.had);
		self.had = had;
		let left = self.left.saturating_add(given + given / MARGIN);
		let kept = left.checked_sub(spent);
		self.left = kept.unwrap_or_default().min(self.most);
		kept.is_some()
	}

	fn count(&mut self, now: Instant) {
		let passed = now.saturating_duration_since(self.counted);
		self.given = self.given.saturating_add(passed.saturating_mul(self.taken));
		self.counted = self.counted.max(now);
	}
}

/// Processor time that a process has had, all of its threads together; `None`: there is none.
pub(super) fn processor_time(pid: u32) -> Option<Duration> {
	let pid = libc::pid_t::try_from(pid).ok()?;
	let mut clock = libc::CLOCK_PROCESS_CPUTIME_ID;
	let mut time = libc::timespec {
		tv_sec: 0,
		tv_nsec: 0,
	};
	// SAFETY: both write to nothing but what they are given here.
	let told = unsafe {
		libc::clock_getcpuclockid(pid, &mut clock) == 0
			&& libc::clock_gettime(clock, &mut time) == 0
	};
	let seconds = u64::try_from(time.tv_sec).ok()?;
	let nanoseconds = u32::try_from(time.tv_nsec).ok()?;
	told.then(|| Duration::new(seconds, nanoseconds))
}

#[cfg(test)]
mod tests {
	use super::*;

	const fn ms(time: u64) -> Duration {
		Duration::from_millis(time)
	}

	#[test]
	fn calls_give_one_threads_time_for_each_line() {
		let begun = Instant::now();
		let mut allowance = Allowance::new(2, ms(50), begun);
		let mut had = ms(50);
		// Two lines that never rest, on two threads that never do, a little fast by this clock.
		for line in [0, 10] {
			allowance.take(begun, begun + ms(line));
		}
		for second in 1..=3_600 {
			had += ms(2_010);
			let now = begun + Duration::from_secs(second);
			assert!(allowance.is_kept(had, now), "{second}");
		}
		// A third thread can have a second, but not three.
		let now = begun + Duration::from_secs(3_601);
		assert!(allowance.is_kept(had + ms(3_000), now));
		let now = begun + Duration::from_secs(3_603);
		assert!(!allowance.is_kept(had + ms(9_000), now));
	}

	#[test]
	fn what_was_not_used_is_not_kept_for_later() {
		let begun = Instant::now();
		let mut allowance = Allowance::new(1, Duration::ZERO, begun);
		allowance.take(begun, begun);
		// An hour in which the guest waits for a host.
		let hour = begun + Duration::from_secs(3_600);
		assert!(allowance.is_kept(Duration::ZERO, hour));
		allowance.give_back(hour);
		assert!(allowance.is_kept(SPARE, hour));
		assert!(!allowance.is_kept(SPARE + CLEANING + ms(1), hour + ms(1_000)));
	}

	#[test]
	fn cleaning_up_behind_many_calls_is_paid_for() {
		let begun = Instant::now();
		let mut allowance = Allowance::new(1, Duration::ZERO, begun);
		let (mut now, mut rests_since, mut had) = (begun, begun, Duration::ZERO);
		for call in 0..10_000 {
			allowance.take(rests_since, now);
			now += ms(1);
			allowance.give_back(now);
			rests_since = now;
			// Of each pause some is spent on it.
			now += ms(90);
			had += ms(60);
			assert!(allowance.is_kept(had, now), "{call}");
		}
		// Not so of longer ones.
		let kept = (0..20).all(|_| {
			allowance.take(rests_since, now);
			now += ms(1);
			allowance.give_back(now);
			rests_since = now;
			now += ms(1_000);
			had += ms(1_000);
			allowance.is_kept(had, now)
		});
		assert!(!kept);
	}

	#[test]
	fn processors_tell_the_time_of_others() {
		let before = processor_time(std::process::id()).unwrap();
		let begun = Instant::now();
		while processor_time(std::process::id()).unwrap() < before + ms(5) {
			assert!(begun.elapsed() < Duration::from_secs(20));
		}
		let mut ended = std::process::Command::new("true").spawn().unwrap();
		ended.wait().unwrap();
		assert_eq!(processor_time(ended.id()), None);
	}
}
