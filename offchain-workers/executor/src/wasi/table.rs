//! The functions that do something, once for every engine that binds them.

/// Calls `$define` with `$linker` and all functions: the module that they are imported from, their
/// names, and their arguments. Each is a method of [`super::Wasi`]. Not among them is `proc_exit`,
/// which does not return.
macro_rules! with_functions {
	($define:ident, $linker:expr) => {
		$define! { $linker;
			"wasi_snapshot_preview1" {
				args_get(pointers: u32, buffer: u32);
				args_sizes_get(count: u32, size: u32);
				clock_res_get(clock: u32, resolution: u32);
				clock_time_get(clock: u32, precision: u64, time: u32);
				environ_get(pointers: u32, buffer: u32);
				environ_sizes_get(count: u32, size: u32);
				fd_advise(fd: u32, offset: u64, length: u64, advice: u32);
				fd_close(fd: u32);
				fd_fdstat_get(fd: u32, stat: u32);
				fd_fdstat_set_flags(fd: u32, flags: u32);
				fd_filestat_get(fd: u32, stat: u32);
				fd_pread(fd: u32, vectors: u32, count: u32, offset: u64, read: u32);
				fd_prestat_dir_name(fd: u32, name: u32, length: u32);
				fd_prestat_get(fd: u32, stat: u32);
				fd_read(fd: u32, vectors: u32, count: u32, read: u32);
				fd_readdir(fd: u32, buffer: u32, length: u32, cookie: u64, used: u32);
				fd_renumber(from: u32, to: u32);
				fd_seek(fd: u32, offset: u64, whence: u32, position: u32);
				fd_tell(fd: u32, position: u32);
				fd_write(fd: u32, vectors: u32, count: u32, written: u32);
				path_filestat_get(fd: u32, flags: u32, path: u32, length: u32, stat: u32);
				path_open(
					fd: u32, lookup: u32, path: u32, length: u32, how: u32, rights: u64,
					inherited: u64, flags: u32, opened: u32
				);
				path_readlink(
					fd: u32, path: u32, length: u32, buffer: u32, room: u32, used: u32
				);
				poll_oneoff(subscriptions: u32, events: u32, count: u32, happened: u32);
				random_get(buffer: u32, length: u32);
				sched_yield();
			}
			"millrace" {
				effect_call(request: u32, length: u32, reply_length: u32);
				effect_read(buffer: u32, length: u32);
			}
		}
	};
}

pub(crate) use with_functions;
