//! Modules in memory.

use crate::engine::Module;
use millrace_primitives::H256;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// The modules that were used last; when there are too many, the one that was not used for longest
/// goes.
#[derive(Debug)]
pub(crate) struct MemoryCache {
	max: usize,
	entries: Mutex<Entries>,
}

#[derive(Debug, Default)]
struct Entries {
	/// Counts uses.
	now: u64,
	/// By package hash: the module and when it was last used.
	modules: HashMap<H256, (Arc<Module>, u64)>,
}

impl MemoryCache {
	pub(crate) fn new(max: usize) -> Self {
		Self {
			max: max.max(1),
			entries: Mutex::default(),
		}
	}

	pub(crate) fn get(&self, package: &H256) -> Option<Arc<Module>> {
		let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
		entries.now += 1;
		let now = entries.now;
		let (module, used) = entries.modules.get_mut(package)?;
		*used = now;
		Some(module.clone())
	}

	pub(crate) fn insert(&self, package: H256, module: Arc<Module>) {
		let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
		entries.now += 1;
		let now = entries.now;
		entries.modules.insert(package, (module, now));
		while entries.modules.len() > self.max {
			let oldest = entries.modules.iter().min_by_key(|(_, (_, used))| *used);
			let Some(package) = oldest.map(|(package, _)| *package) else {
				break;
			};
			entries.modules.remove(&package);
		}
	}
}
