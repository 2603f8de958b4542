//! A network of a test's own, with public addresses in it.

use std::{
	env, fs,
	future::Future,
	path::{Path, PathBuf},
	process::Command,
};
use tempfile::TempDir;

/// Set for the run inside.
const MARK: &str = "MILLRACE_INSIDE";
/// Address of the servers that may be reached.
pub(crate) const ORIGIN: [u8; 4] = [9, 9, 9, 9];
/// Address of those that must not be.
pub(crate) const INNER: [u8; 4] = [10, 0, 0, 1];
/// Port of the proxy that the environment names.
pub(crate) const PROXY_PORT: u16 = 3128;
/// Run as root of the new namespaces: gives the loopback interface the addresses, and puts the test's
/// own names before the system's.
const SETUP: &str = r#"set -e
PATH=$PATH:/usr/sbin:/sbin
ip link set lo up
ip addr add 9.9.9.9/32 dev lo
ip addr add 10.0.0.1/32 dev lo
mount --bind "$1/hosts" /etc/hosts
[ ! -e /etc/resolv.conf ] || mount --bind "$1/resolv.conf" /etc/resolv.conf
[ ! -e /etc/nsswitch.conf ] || mount --bind "$1/nsswitch.conf" /etc/nsswitch.conf
shift
exec "$@"
"#;

/// What a test finds inside.
pub(crate) struct Inside {
	/// Leads to [`ORIGIN`].
	pub(crate) name: &'static str,
	/// Leads to [`INNER`].
	pub(crate) private: &'static str,
	/// Leads to both.
	pub(crate) mixed: &'static str,
	hosts: PathBuf,
}

impl Inside {
	/// From now on the name leads to another address.
	pub(crate) fn name_now_leads_to(&self, address: &str) {
		// The same file, which is mounted: a new one in its place would not be seen.
		fs::write(&self.hosts, hosts(address)).expect("the file is the test's own");
	}
}

/// Runs a test inside. Outside, it is run again by its name; what it says there is shown here.
pub(crate) fn run<F: Future<Output = ()>>(name: &str, test: impl FnOnce(Inside) -> F) {
	let Some(folder) = env::var_os(MARK) else {
		return run_again(name);
	};
	let inside = Inside {
		name: "origin.test",
		private: "inner.test",
		mixed: "mixed.test",
		hosts: Path::new(&folder).join("hosts"),
	};
	let runtime = tokio::runtime::Builder::new_multi_thread()
		.worker_threads(2)
		.enable_all()
		.build()
		.expect("a runtime can be built");
	runtime.block_on(test(inside));
}

fn run_again(name: &str) {
	let namespaces = ["--user", "--map-root-user", "--net", "--mount"];
	let probe = Command::new("unshare")
		.args(namespaces)
		.arg("true")
		.output();
	let works = probe.as_ref().is_ok_and(|probe| probe.status.success());
	assert!(
		works,
		"this test makes a network of its own, and may not ({probe:?}): let users make namespaces, by \
		`sysctl -w kernel.unprivileged_userns_clone=1 user.max_user_namespaces=10000` and, on Ubuntu, \
		`sysctl -w kernel.apparmor_restrict_unprivileged_userns=0`; scripts/setup.sh installs what it \
		needs"
	);
	let folder = files();
	let own = env::current_exe().expect("a process knows its own program");
	let proxy = format!("http://9.9.9.9:{PROXY_PORT}");
	let output = Command::new("unshare")
		.args(namespaces)
		.args(["sh", "-c", SETUP, "sh"])
		.arg(folder.path())
		.arg(own)
		.args(["--exact", name, "--nocapture", "--test-threads", "1"])
		.env(MARK, folder.path())
		.envs(["http_proxy", "https_proxy", "all_proxy"].map(|name| (name, proxy.clone())))
		.envs(["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"].map(|name| (name, proxy.clone())))
		.output()
		.expect("unshare has just run");
	let said = [&output.stdout[..], &output.stderr[..]].concat();
	let said = String::from_utf8_lossy(&said);
	assert!(output.status.success(), "inside:\n{said}");
	// A name that no test has would succeed, too.
	assert!(said.contains("1 passed"), "nothing ran inside:\n{said}");
}

/// What is mounted over the system's files.
fn files() -> TempDir {
	let folder = tempfile::tempdir().expect("there is room for temporary files");
	for (name, content) in [
		("hosts", hosts("9.9.9.9")),
		("resolv.conf", String::new()),
		("nsswitch.conf", "hosts: files\n".into()),
	] {
		fs::write(folder.path().join(name), content).expect("the folder is new");
	}
	folder
}

fn hosts(origin: &str) -> String {
	format!(
		"127.0.0.1 localhost\n{origin} origin.test\n10.0.0.1 inner.test\n\
		9.9.9.9 mixed.test\n10.0.0.1 mixed.test\n"
	)
}
