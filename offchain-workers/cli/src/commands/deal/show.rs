//! How a deal is shown.

use crate::{
	commands::access::{of_access, of_rate},
	context::Context,
	errors::Result,
	ui,
};
use millrace_client::{amounts, AccountId};
use millrace_primitives::{
	market::{DealStatus, DealTerms, WorkerStatus},
	views::{DealView, GraceSpan},
};

/// Shows a deal and its workers.
pub(super) fn show(context: &Context, deal: &DealView<AccountId>) -> Result<()> {
	context.emit(deal, || {
		format!("{}\n\n{}", ui::pairs(head(deal)), table_of_workers(deal))
	})
}

/// The workers, one a row.
pub(super) fn table_of_workers(deal: &DealView<AccountId>) -> String {
	let workers = deal.workers.iter().map(|view| {
		vec![
			view.worker.peer.to_string(),
			String::from_utf8_lossy(&view.endpoint).into_owned(),
			view.worker.units.to_string(),
			amounts::format(view.worker.epoch_price()),
			of_worker(&view.worker.status),
		]
	});
	ui::table(
		["peer", "endpoint", "units", "epoch price", "status"],
		workers,
	)
}

fn head(deal: &DealView<AccountId>) -> Vec<(&'static str, String)> {
	let mut rows = vec![
		("deal", deal.deal.to_string()),
		("owner", deal.owner.to_string()),
	];
	if let Some(heir) = &deal.heir {
		rows.push(("offered to", format!("{heir}, until it is taken")));
	}
	rows.extend([
		("status", of_deal(&deal.status, deal.grace, &deal.terms)),
		("package", format!("{:?}", deal.spec.package.hash)),
	]);
	if let Some(past) = deal.packages.past.last() {
		let before = format!("{:?}, in calls up to epoch {}", past.hash, past.until);
		rows.push(("before it", before));
	}
	rows.extend([
		("workers", workers(deal)),
		("may be called by", who(deal)),
		("price ceiling", amounts::format(deal.spec.price_ceiling)),
		("escrow", amounts::format(deal.escrow)),
		("closing deposit", amounts::format(deal.closing_deposit)),
		("paid", amounts::format(deal.paid)),
		("burnt", amounts::format(deal.burnt)),
		("paid until", format!("epoch {}", deal.paid_until)),
	]);
	if let Some(full_gas) = deal.spec.billing.full_gas() {
		let billed = format!("{full_gas} gas of a worker in an epoch cost its whole price");
		rows.push(("billed by gas", billed));
	}
	rows
}

/// Who may call, and how often.
fn who(deal: &DealView<AccountId>) -> String {
	let who = of_access(&deal.spec.access);
	match deal.spec.rate {
		Some(rate) => format!("{who}, {}", of_rate(rate)),
		None => who,
	}
}

/// Number of workers that are live and stay.
pub(super) fn live(deal: &DealView<AccountId>) -> usize {
	let stays = |status: &WorkerStatus| matches!(status, WorkerStatus::Live { .. });
	count(deal, stays)
}

fn workers(deal: &DealView<AccountId>) -> String {
	let mut text = format!("{} live of {}", live(deal), deal.spec.target_workers);
	let leaving = count(deal, |status| {
		matches!(status, WorkerStatus::Draining { .. })
	});
	if leaving > 0 {
		text.push_str(&format!(", and {leaving} with notice"));
	}
	text
}

fn count(deal: &DealView<AccountId>, counts: impl Fn(&WorkerStatus) -> bool) -> usize {
	let statuses = deal.workers.iter().map(|view| &view.worker.status);
	statuses.filter(|status| counts(status)).count()
}

/// Where a deal stands, in words.
pub(super) fn of_deal(status: &DealStatus, grace: Option<GraceSpan>, terms: &DealTerms) -> String {
	match (status, grace) {
		(DealStatus::Active, _) => "active".into(),
		(DealStatus::Grace, Some(GraceSpan { from, until })) => format!(
			"in grace: {:?} of the price from epoch {from} up to {until}, and nothing afterwards; \
			 top it up",
			terms.grace_price,
		),
		(DealStatus::Grace, None) => "in grace; top it up".into(),
		(DealStatus::Ending { last }, _) => format!("ends with epoch {last}"),
	}
}

/// Where a worker stands, in words.
fn of_worker(status: &WorkerStatus) -> String {
	match status {
		WorkerStatus::Assigned { deadline } => format!("goes live by epoch {deadline}"),
		WorkerStatus::Live { since } => format!("live, paid from epoch {since}"),
		WorkerStatus::Draining { since, last } => {
			format!("leaves, paid from epoch {since} up to {last}")
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn who_looks_at_a_deal_in_grace_is_told_how_long_it_lasts_and_what_to_do() {
		let span = GraceSpan { from: 5, until: 6 };
		let terms = DealTerms::default();
		let text = of_deal(&DealStatus::Grace, Some(span), &terms);
		assert!(
			text.contains("50% of the price from epoch 5 up to 6"),
			"{text}"
		);
		assert!(text.contains("top it up"), "{text}");
		// The span of an earlier time says nothing of a deal that has money again.
		assert_eq!(of_deal(&DealStatus::Active, Some(span), &terms), "active");
	}

	#[test]
	fn a_worker_with_notice_shows_its_last_epoch() {
		let status = WorkerStatus::Draining { since: 3, last: 9 };
		assert_eq!(of_worker(&status), "leaves, paid from epoch 3 up to 9");
	}
}
