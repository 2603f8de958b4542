//! The memory of fast machines.

use crate::{
	allowed, ffi,
	pages::{self, Pages},
	Cache, Code, Options, Unavailable,
};
use rustix::thread::{sched_setaffinity, CpuSet};
use std::{
	ptr::NonNull,
	sync::{
		atomic::{AtomicU64, Ordering},
		Mutex, MutexGuard, PoisonError,
	},
	thread,
};

/// Memory of an item.
const ITEM_BYTES: usize = 64;

/// Items that a thread fills at a time: 4 MiB, well under a second, so that a stop is heard soon.
const ITEMS_PER_STEP: u64 = 65_536;

/// A dataset in reserved pages that nobody uses. The library cannot unmap such a dataset, since its
/// length is not a multiple of the page's; so the next one that is wanted takes it over.
static SPARE: Mutex<Option<Spare>> = Mutex::new(None);

/// 2 GiB + 32 MiB.
#[derive(Debug)]
pub struct Dataset {
	raw: Raw,
	code: Code,
	wanted: Pages,
	filled: bool,
}

#[derive(Debug)]
struct Raw {
	dataset: NonNull<ffi::Dataset>,
	pages: Pages,
}

// SAFETY: what the pointer leads to belongs to no thread: one may release what another allocated.
unsafe impl Send for Raw {}
// SAFETY: the library lets any number of threads read a dataset, or fill parts of it that do not
// overlap. `Dataset::fill` alone writes, over an exclusive borrow, and gives out such parts.
unsafe impl Sync for Raw {}

#[derive(Debug)]
struct Spare(NonNull<ffi::Dataset>);

// SAFETY: as for `Raw`.
unsafe impl Send for Spare {}

impl Drop for Raw {
	fn drop(&mut self) {
		if self.pages == Pages::Reserved {
			let mut spare = spare();
			if spare.is_none() {
				*spare = Some(Spare(self.dataset));
				return;
			}
		}
		// SAFETY: this is the only owner, and whoever reads the dataset keeps it.
		unsafe { ffi::randomx_release_dataset(self.dataset.as_ptr()) }
	}
}

impl Dataset {
	/// Allocates without filling. The allocation can be filled for one key after the other.
	pub fn allocate(options: Options) -> Result<Self, Unavailable> {
		Ok(Self {
			raw: allocate(options.pages)?,
			code: options.code.at_most(allowed()),
			wanted: options.pages,
			filled: false,
		})
	}

	/// Fills with so many threads, one for each entry, which names the core that the thread stays
	/// on. `filled_items` counts up meanwhile to [`Dataset::items`].
	///
	/// `false` when `stop` said so, and then it must be filled again before use.
	pub fn fill(
		&mut self,
		cache: &Cache,
		threads: &[Option<usize>],
		filled_items: &AtomicU64,
		stop: &(dyn Fn() -> bool + Sync),
	) -> bool {
		self.filled = false;
		filled_items.store(0, Ordering::Relaxed);
		let items = Self::items();
		let next = AtomicU64::new(0);
		let work = |core: Option<usize>| {
			// Taken whole, since it is the handles and not their pointers that threads share.
			let (dataset, cache): (&Raw, &Cache) = (&self.raw, cache);
			stay_on(core);
			while !stop() {
				let start = next.fetch_add(ITEMS_PER_STEP, Ordering::Relaxed);
				if start >= items {
					break;
				}
				let count = ITEMS_PER_STEP.min(items - start);
				// SAFETY: the range lies inside the dataset and no other thread is given it; the
				// cache is filled, and both outlive the call.
				unsafe {
					ffi::randomx_init_dataset(
						dataset.dataset.as_ptr(),
						cache.as_ptr(),
						start,
						count,
					);
				}
				filled_items.fetch_add(count, Ordering::Relaxed);
			}
		};
		let work = &work;
		thread::scope(|scope| {
			let begun = threads.iter().enumerate().filter(|(number, core)| {
				let core = **core;
				thread::Builder::new()
					.name(format!("randomx-fill-{number}"))
					.spawn_scoped(scope, move || work(core))
					.is_ok()
			});
			// Where no thread can be had, the caller's does it.
			if begun.count() == 0 {
				work(None);
			}
		});
		// Whatever was given out is filled. A dataset with gaps gives hashes of nobody else.
		self.filled = next.load(Ordering::Relaxed) >= items;
		self.filled
	}

	/// Items of a dataset.
	pub fn items() -> u64 {
		// SAFETY: a constant of the library.
		unsafe { ffi::randomx_dataset_item_count() }
	}

	/// The pages that it has got.
	pub fn pages(&self) -> Pages {
		self.raw.pages
	}

	/// How machines over it run.
	pub(crate) fn code(&self) -> Code {
		self.code
	}

	/// The pages that were wished for.
	pub(crate) fn wanted(&self) -> Pages {
		self.wanted
	}

	/// For the library, if it is filled: valid, and not to be written, as long as the dataset is
	/// borrowed.
	pub(crate) fn filled(&self) -> Option<*mut ffi::Dataset> {
		self.filled.then_some(self.raw.dataset.as_ptr())
	}
}

fn allocate(wanted: Pages) -> Result<Raw, Unavailable> {
	let reserved = |dataset| Raw {
		dataset,
		pages: Pages::Reserved,
	};
	if wanted == Pages::Reserved {
		if let Some(Spare(dataset)) = spare().take() {
			return Ok(reserved(dataset));
		}
		if pages::reserved_fit(bytes()) {
			// SAFETY: null is the answer where there is no such memory.
			let dataset = unsafe { ffi::randomx_alloc_dataset(ffi::LARGE_PAGES) };
			if let Some(dataset) = NonNull::new(dataset) {
				return Ok(reserved(dataset));
			}
		}
	}
	// SAFETY: null is the answer where memory is short.
	let dataset = unsafe { ffi::randomx_alloc_dataset(0) };
	let dataset = NonNull::new(dataset).ok_or(Unavailable("a dataset"))?;
	let mut raw = Raw {
		dataset,
		pages: Pages::Ordinary,
	};
	if wanted >= Pages::Transparent && pages::ask_transparent(memory(&raw), bytes()) {
		raw.pages = Pages::Transparent;
	}
	Ok(raw)
}

fn memory(raw: &Raw) -> NonNull<u8> {
	// SAFETY: the dataset is allocated.
	let start = unsafe { ffi::randomx_get_dataset_memory(raw.dataset.as_ptr()) };
	// It is never null: an allocation without memory is refused as a whole.
	NonNull::new(start.cast()).unwrap_or(NonNull::dangling())
}

fn bytes() -> usize {
	Dataset::items() as usize * ITEM_BYTES
}

// A dataset that is put there or taken out is whole at every point where a panic could come.
fn spare() -> MutexGuard<'static, Option<Spare>> {
	SPARE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Keeps the calling thread on a core. Where the system refuses, it runs wherever it may.
fn stay_on(core: Option<usize>) {
	if let Some(core) = core.filter(|core| *core < CpuSet::MAX_CPU) {
		let mut set = CpuSet::new();
		set.set(core);
		let _ = sched_setaffinity(None, &set);
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use std::sync::atomic::AtomicUsize;

	/// Upstream's "Dataset initialization", over just the items that it looks at.
	fn items_are_those_of_upstream(code: Code) {
		let options = Options {
			code,
			pages: Pages::Ordinary,
		};
		let cache = Cache::new(b"test key 000", options).expect("a cache fits");
		let dataset = Dataset::allocate(options).expect("a dataset fits");
		let words = memory(&dataset.raw).cast::<u64>();
		let expected = [
			(0, 0x6805_88a8_5ae2_22db),
			(10_000_000, 0x7943_a1f6_186f_fb72),
			(20_000_000, 0x9035_244d_7180_95e1),
			(30_000_000, 0x145a_5091_f785_3099),
		];
		for (item, expected) in expected {
			assert!(item < Dataset::items());
			let at = item as usize * ITEM_BYTES / 8;
			// SAFETY: the item lies inside the dataset, which this thread alone knows of and which
			// is aligned for words.
			let word = unsafe {
				let raw = dataset.raw.dataset.as_ptr();
				ffi::randomx_init_dataset(raw, cache.as_ptr(), item, 1);
				words.add(at).read()
			};
			assert_eq!(word, expected, "item {item}, {code:?}");
		}
	}

	#[test]
	fn compiled_items_are_those_of_upstream() {
		items_are_those_of_upstream(Code::Compiled);
	}

	#[test]
	fn interpreted_items_are_those_of_upstream() {
		items_are_those_of_upstream(Code::Interpreted);
	}

	#[test]
	fn filling_stops_when_told_and_is_then_not_done() {
		let options = Options {
			pages: Pages::Ordinary,
			..Options::default()
		};
		let cache = Cache::new(b"key", options).expect("a cache fits");
		let mut dataset = Dataset::allocate(options).expect("a dataset fits");
		assert!(dataset.filled().is_none());
		let (filled, asked) = (AtomicU64::new(7), AtomicUsize::new(0));
		assert!(!dataset.fill(&cache, &[None, Some(0)], &filled, &|| true));
		assert_eq!(filled.load(Ordering::Relaxed), 0);
		// The caller's thread does it, one step.
		let stop = || asked.fetch_add(1, Ordering::Relaxed) >= 1;
		assert!(!dataset.fill(&cache, &[], &filled, &stop));
		assert_eq!(filled.load(Ordering::Relaxed), ITEMS_PER_STEP);
		assert!(dataset.filled().is_none());
	}

	#[test]
	fn the_kernel_is_told_of_a_datasets_transparent_pages() {
		let raw = allocate(Pages::Transparent).expect("a dataset fits");
		assert_eq!(raw.pages == Pages::Transparent, pages::may_ask());
		if let Some(advised) = pages::advised(memory(&raw), bytes()) {
			assert_eq!(advised, raw.pages == Pages::Transparent);
		}
	}

	#[test]
	fn a_core_that_there_is_not_is_no_core() {
		stay_on(Some(usize::MAX));
		stay_on(None);
	}
}
