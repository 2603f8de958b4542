//! Pages behind RandomX's memory.
//!
//! RandomX reads its memory at random, so that most of its time over ordinary pages is spent on
//! finding them. Reserved pages are the best and have to be set aside by the operator; transparent
//! ones need nothing but the kernel's leave, and are a third faster than ordinary ones over a
//! dataset.

use rustix::{
	io::Errno,
	mm::{madvise, mmap_anonymous, munmap, Advice, MapFlags, ProtFlags},
};
use serde::{Deserialize, Serialize};
use std::{
	ffi::c_void,
	fs,
	ptr::{self, NonNull},
};

/// Size of a huge page. Systems with others are not asked for reserved ones: RandomX unmaps its
/// memory by lengths that fit this size only.
pub(crate) const HUGE_BYTES: usize = 2 << 20;

/// Pages behind a cache, a dataset or a scratchpad.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pages {
	/// What every process gets.
	#[default]
	Ordinary,
	/// Asked of the kernel by madvise.
	Transparent,
	/// From vm.nr_hugepages.
	Reserved,
}

/// Whether so much memory can be had in reserved pages, and be written.
///
/// The second is the point. A control group may forbid what the pool would grant, and the kernel
/// tells so by a deadly signal at the first access. So a mapping of the same size is filled and
/// given back before RandomX makes its own.
pub(crate) fn reserved_fit(bytes: usize) -> bool {
	let bytes = bytes.next_multiple_of(HUGE_BYTES);
	let of_our_size = fs::read_to_string("/proc/meminfo").is_ok_and(|text| huge_size_fits(&text));
	if !of_our_size {
		return false;
	}
	let access = ProtFlags::READ | ProtFlags::WRITE;
	let flags = MapFlags::PRIVATE | MapFlags::HUGETLB;
	// SAFETY: a new mapping, at an address that the kernel chooses, replaces none.
	let Ok(start) = (unsafe { mmap_anonymous(ptr::null_mut(), bytes, access, flags) }) else {
		return false;
	};
	// SAFETY: the mapping is ours, of this length, and nobody else knows of it.
	let filled = unsafe { madvise(start, bytes, Advice::LinuxPopulateWrite) };
	// SAFETY: as above; nothing refers to it afterwards.
	let given_back = unsafe { munmap(start, bytes) };
	// Kernels before 5.14 cannot be asked, and are trusted.
	given_back.is_ok() && matches!(filled, Ok(()) | Err(Errno::INVAL))
}

/// Whether the system's reserved pages are of the size that RandomX can handle.
fn huge_size_fits(meminfo: &str) -> bool {
	let size = meminfo
		.lines()
		.find_map(|line| line.strip_prefix("Hugepagesize:"));
	let kib = size.and_then(|size| size.trim().strip_suffix(" kB")?.parse::<usize>().ok());
	kib.is_some_and(|kib| kib * 1_024 == HUGE_BYTES)
}

/// Asks the kernel for transparent pages behind memory that is not filled yet; whether it agreed.
pub(crate) fn ask_transparent(start: NonNull<u8>, bytes: usize) -> bool {
	if !may_ask() {
		return false;
	}
	let Some((first, length)) = whole_huge_pages(start.as_ptr() as usize, bytes) else {
		return false;
	};
	// SAFETY: the advice changes neither content nor access of whatever lies there.
	unsafe { madvise(first as *mut c_void, length, Advice::LinuxHugepage) }.is_ok()
}

/// Whether the kernel gives transparent pages to who asks.
pub(crate) fn may_ask() -> bool {
	let modes = fs::read_to_string("/sys/kernel/mm/transparent_hugepage/enabled");
	modes.is_ok_and(|modes| may_be_transparent(&modes))
}

fn may_be_transparent(modes: &str) -> bool {
	!modes.trim().is_empty() && !modes.contains("[never]")
}

/// The huge pages that lie in a range as a whole: their start and length.
fn whole_huge_pages(start: usize, bytes: usize) -> Option<(usize, usize)> {
	let end = start.checked_add(bytes)? / HUGE_BYTES * HUGE_BYTES;
	let first = start.checked_next_multiple_of(HUGE_BYTES)?;
	let length = end.checked_sub(first).filter(|length| *length > 0)?;
	Some((first, length))
}

/// Whether all these bytes are mapped in this process, which may read and write them.
pub(crate) fn mapped(start: NonNull<u8>, bytes: usize) -> bool {
	let maps = fs::read_to_string("/proc/self/maps");
	maps.is_ok_and(|maps| cover(&maps, start.as_ptr() as usize, bytes))
}

/// Whether mappings of `/proc/self/maps` have all these bytes, one after the other. The kernel tells
/// a mapping as several as soon as its parts differ: advice about the huge pages in the middle of one
/// makes three of it.
fn cover(maps: &str, start: usize, bytes: usize) -> bool {
	let Some(end) = start.checked_add(bytes) else {
		return false;
	};
	// They stand in the order of their addresses.
	let reached = maps
		.lines()
		.filter_map(writable)
		.fold(start, |reached, (first, last)| {
			if first <= reached {
				reached.max(last)
			} else {
				reached
			}
		});
	reached >= end
}

/// Where the mapping of a line begins and ends, if it can be read and written.
fn writable(line: &str) -> Option<(usize, usize)> {
	let mut words = line.split_ascii_whitespace();
	let (first, end) = words.next()?.split_once('-')?;
	let number = |text| usize::from_str_radix(text, 16).ok();
	words
		.next()
		.filter(|access| access.starts_with("rw"))
		.and(number(first).zip(number(end)))
}

/// Whether the kernel knows that all whole huge pages of a range are to be transparent ones; `None`
/// where it does not tell.
#[cfg(test)]
pub(crate) fn advised(start: NonNull<u8>, bytes: usize) -> Option<bool> {
	let text = fs::read_to_string("/proc/self/smaps").ok()?;
	let (first, length) = whole_huge_pages(start.as_ptr() as usize, bytes)?;
	let (mut maps, mut range, mut told) = (String::new(), "", false);
	for line in text.lines() {
		let (word, rest) = line.split_once(' ')?;
		match word {
			"VmFlags:" => {
				told = true;
				if rest.split_ascii_whitespace().any(|flag| flag == "hg") {
					maps.push_str(range);
					maps.push('\n');
				}
			}
			// Every other figure ends with a colon, too.
			_ if !word.ends_with(':') => range = line,
			_ => {}
		}
	}
	told.then(|| cover(&maps, first, length))
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn mappings_are_read() {
		let line = "7f0000000000-7f0010001000 rw-p 00000000 00:00 0 ";
		let start = 0x7f00_0000_0000;
		assert!(cover(line, start, 0x1000_1000));
		assert!(cover(line, start + 0x40, 0x1000_0000));
		assert!(!cover(line, start, 0x1000_1001));
		assert!(!cover(line, start - 1, 16));
		assert!(!cover(line, usize::MAX, 16));
		assert!(!cover(&line.replace("rw-p", "r--p"), start, 16));
		for text in ["", "rw-p", "7f00 rw-p", "x-y rw-p", "1000-2000"] {
			assert!(!cover(text, 0x1000, 1), "{text}");
		}
	}

	/// As the kernel tells 256 MiB whose huge pages it was advised about.
	#[test]
	fn neighbours_are_one_range() {
		let maps = "55f34e3d0000-55f34e3e0000 r--p 00000000 fe:00 1 /bin/other\n\
			7fec1e818000-7fec1ea00000 rw-p 00000000 00:00 0 \n\
			7fec1ea00000-7fec2e800000 rw-p 00000000 00:00 0 \n\
			7fec2e800000-7fec2e81c000 rw-p 00000000 00:00 0 \n\
			7fec2e81c000-7fec2e842000 r--p 00000000 fe:00 2 /lib/libc.so.6\n";
		let (start, bytes) = (0x7fec_1e81_8040, 256 << 20);
		assert!(cover(maps, start, bytes));
		assert!(!cover(maps, start, bytes + 0x4000));
		assert!(!cover(maps, 0x55f3_4e3d_0000, 16));
		for lost in ["7fec1e8", "7fec1ea", "7fec2e800"] {
			let rest: String = maps
				.lines()
				.filter(|line| !line.starts_with(lost))
				.flat_map(|line| [line, "\n"])
				.collect();
			assert!(!cover(&rest, start, bytes), "{lost}");
		}
	}

	#[test]
	fn what_is_mapped_is_found() {
		let bytes = vec![0u8; 64 << 20];
		let start = NonNull::from(&bytes[0]);
		assert!(mapped(start, bytes.len()));
		assert!(!mapped(start, usize::MAX / 2));
		assert!(!mapped(NonNull::dangling(), 1));
	}

	#[test]
	fn only_whole_huge_pages_are_asked_for() {
		let huge = HUGE_BYTES;
		assert_eq!(whole_huge_pages(huge, huge), Some((huge, huge)));
		assert_eq!(
			whole_huge_pages(huge + 16, 3 * huge),
			Some((2 * huge, 2 * huge))
		);
		assert_eq!(whole_huge_pages(huge + 16, huge), None);
		assert_eq!(whole_huge_pages(16, 16), None);
		assert_eq!(whole_huge_pages(usize::MAX, huge), None);
	}

	#[test]
	fn the_kernel_is_asked_only_where_it_may_agree() {
		assert!(may_be_transparent("always [madvise] never\n"));
		assert!(may_be_transparent("[always] madvise never\n"));
		assert!(!may_be_transparent("always madvise [never]\n"));
		assert!(!may_be_transparent("\n"));
	}

	#[test]
	fn reserved_pages_of_another_size_are_left_alone() {
		let text = |size: &str| format!("HugePages_Total:       0\nHugepagesize:    {size}\n");
		assert!(huge_size_fits(&text("2048 kB")));
		assert!(!huge_size_fits(&text("1048576 kB")));
		assert!(!huge_size_fits(&text("")));
		assert!(!huge_size_fits("MemTotal: 1 kB\n"));
	}

	#[test]
	fn more_than_there_can_be_is_not_to_be_had() {
		assert!(!reserved_fit(1 << 46));
	}
}
