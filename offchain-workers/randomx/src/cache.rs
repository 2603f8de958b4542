//! The memory of light machines, from which datasets are made too.

use crate::{
	allowed, ffi,
	pages::{self, Pages},
	Code, Options, Unavailable,
};
use std::{ptr::NonNull, sync::Arc};

/// Memory of a cache.
const BYTES: usize = 256 << 20;

/// 256 MiB, read-only once made; machines of any thread read it.
#[derive(Debug)]
pub struct Cache {
	raw: Raw,
	code: Code,
	pages: Pages,
	wanted: Pages,
}

#[derive(Debug)]
struct Raw(NonNull<ffi::Cache>);

// SAFETY: what the pointer leads to belongs to no thread: one may release what another allocated.
unsafe impl Send for Raw {}
// SAFETY: the library lets any number of threads read a cache at once. It is written in
// `Cache::new` only, before anybody else knows of it.
unsafe impl Sync for Raw {}

impl Drop for Raw {
	fn drop(&mut self) {
		// SAFETY: this is the only owner, and whoever reads the cache keeps it.
		unsafe { ffi::randomx_release_cache(self.0.as_ptr()) }
	}
}

impl Cache {
	/// Allocates a cache and fills it from a key of at most 60 bytes, which takes about a second of
	/// one core.
	pub fn new(key: &[u8], options: Options) -> Result<Arc<Self>, Unavailable> {
		// Asked for again, since compiled code where it is forbidden ends the process.
		let code = options.code.at_most(allowed());
		let (raw, pages) = allocate(code, options.pages)?;
		// SAFETY: the cache is allocated and nobody else knows of it; the key is readable for its
		// length, and the library keeps a copy.
		unsafe { ffi::randomx_init_cache(raw.0.as_ptr(), key.as_ptr().cast(), key.len()) };
		Ok(Arc::new(Self {
			raw,
			code,
			pages,
			wanted: options.pages,
		}))
	}

	/// How machines over it run.
	pub fn code(&self) -> Code {
		self.code
	}

	/// The pages that it has got.
	pub fn pages(&self) -> Pages {
		self.pages
	}

	/// The pages that were wished for.
	pub(crate) fn wanted(&self) -> Pages {
		self.wanted
	}

	/// For the library: valid, filled, and not to be written, as long as the cache is borrowed.
	pub(crate) fn as_ptr(&self) -> *mut ffi::Cache {
		self.raw.0.as_ptr()
	}
}

fn allocate(code: Code, wanted: Pages) -> Result<(Raw, Pages), Unavailable> {
	let flags = ffi::processor_flags() | code.flags();
	if wanted == Pages::Reserved && pages::reserved_fit(BYTES) {
		// SAFETY: any combination of flags may be asked for; null is the answer where it is refused.
		let raw = unsafe { ffi::randomx_alloc_cache(flags | ffi::LARGE_PAGES) };
		if let Some(raw) = NonNull::new(raw) {
			return Ok((Raw(raw), Pages::Reserved));
		}
	}
	// SAFETY: as above.
	let raw = unsafe { ffi::randomx_alloc_cache(flags) };
	let raw = Raw(NonNull::new(raw).ok_or(Unavailable("a cache"))?);
	let transparent = wanted >= Pages::Transparent
		&& memory(&raw).is_some_and(|start| pages::ask_transparent(start, BYTES));
	match transparent {
		true => Ok((raw, Pages::Transparent)),
		false => Ok((raw, Pages::Ordinary)),
	}
}

/// The cache's 256 MiB. The library has no function that tells them, but the address is the first
/// field of its struct: upstream asserts the layout, since its assembler reads the field so. It is
/// believed only if so much memory is mapped there.
fn memory(raw: &Raw) -> Option<NonNull<u8>> {
	// SAFETY: the struct is allocated, larger than a pointer and aligned for one.
	let start = unsafe { raw.0.cast::<*mut u8>().read() };
	NonNull::new(start).filter(|start| pages::mapped(*start, BYTES))
}

#[cfg(test)]
mod tests {
	use super::*;

	/// "Cache initialization" of upstream's tests.
	#[test]
	fn a_cache_is_filled_as_upstream_fills_it() {
		let cache = Cache::new(b"test key 000", Options::default()).expect("a cache fits");
		let memory = memory(&cache.raw).expect("the cache is mapped");
		let word = |index: usize| {
			assert!(index < BYTES / 8);
			// SAFETY: inside the cache, which is aligned for words, filled and not written any more.
			unsafe { memory.cast::<u64>().add(index).read() }
		};
		assert_eq!(word(0), 0x191e_0e1d_23c0_2186);
		assert_eq!(word(1_568_413), 0xf1b6_2fe6_210b_f8b1);
		assert_eq!(word(33_554_431), 0x1f47_f056_d05c_d99b);
	}

	#[test]
	fn the_kernel_is_told_of_a_caches_transparent_pages() {
		for pages in [Pages::Transparent, Pages::Ordinary] {
			let (raw, got) = allocate(allowed(), pages).expect("a cache fits");
			let expected = match pages::may_ask() {
				true => pages,
				false => Pages::Ordinary,
			};
			assert_eq!(got, expected);
			let start = memory(&raw).expect("the cache is mapped");
			let Some(advised) = pages::advised(start, BYTES) else {
				eprintln!("this kernel does not tell what it was advised");
				continue;
			};
			assert_eq!(advised, got == Pages::Transparent);
		}
	}
}
