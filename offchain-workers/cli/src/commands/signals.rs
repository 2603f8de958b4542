//! Being asked to stop: Ctrl-C, or SIGTERM as service managers send it.

use tokio::signal::unix::{signal, SignalKind};

/// Returns when the process is asked to stop.
pub(crate) async fn until_stopped() {
	let Ok(mut terminate) = signal(SignalKind::terminate()) else {
		let _ = tokio::signal::ctrl_c().await;
		return;
	};
	tokio::select! {
		_ = tokio::signal::ctrl_c() => {},
		_ = terminate.recv() => {},
	}
}
