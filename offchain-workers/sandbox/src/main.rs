//! The process that guests are compiled and run in. Daemons start it; see [`millrace_sandbox::guest`].

use std::process::ExitCode;

fn main() -> ExitCode {
	millrace_sandbox::guest::main()
}
