//! What the chain would take for an order, at what price, and why not more.

use super::get;
use crate::{
	arguments,
	commands::spec::SpecArgs,
	context::Context,
	errors::{CliError, Result},
	ui,
};
use clap::Args;
use millrace_client::{amounts, AccountId};
use millrace_primitives::{
	market::DealSpec,
	peer::PeerId,
	views::{Content, Quote, Reason, Subject, WhyNot},
	Balance, DealId,
};

/// Options of `deal quote`.
#[derive(Debug, Args)]
pub(crate) struct QuoteArgs {
	/// What is asked about.
	#[command(flatten)]
	spec: SpecArgs,
	/// What would be prepaid.
	#[command(flatten)]
	escrow: EscrowArgs,
}

/// Options that say how much is prepaid.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct EscrowArgs {
	/// Amount that is prepaid.
	#[arg(long, value_parser = arguments::amount, value_name = "AMOUNT")]
	escrow: Option<Balance>,
	/// Prepay so many epochs at the highest price instead.
	#[arg(
		long,
		value_name = "EPOCHS",
		default_value_t = 24,
		conflicts_with = "escrow"
	)]
	epochs_of_escrow: u32,
}

impl EscrowArgs {
	/// The amount.
	pub(super) fn amount(&self, spec: &DealSpec<AccountId>) -> Result<Balance> {
		let epochs = Balance::from(self.epochs_of_escrow);
		self.escrow
			.or_else(|| spec.epoch_price_ceiling()?.checked_mul(epochs))
			.ok_or_else(|| CliError::usage("bad_amount", "the escrow is over every balance"))
	}
}

/// Options of `deal why-not`.
#[derive(Debug, Args)]
pub(crate) struct WhyNotArgs {
	/// The deal; without it, an order that the other options describe.
	#[arg(conflicts_with_all = ["from", "package", "package_hash", "price"])]
	deal: Option<DealId>,
	/// Ask about this peer's offer only: peer id or key file.
	#[arg(long, value_parser = arguments::peer)]
	peer: Option<PeerId>,
	/// An order that is only asked about.
	#[command(flatten)]
	spec: SpecArgs,
}

/// Shows who would be taken, and for how long an escrow pays them.
pub(super) async fn quote(context: &Context, args: &QuoteArgs) -> Result<()> {
	let spec = args.spec.spec(context)?;
	let escrow = args.escrow.amount(&spec)?;
	let view = context.chain().await?.latest().await?;
	let quote = view.quote(&spec, escrow).await?;
	context.emit(&quote, || {
		let offers = quote.workers.iter().map(|offer| {
			vec![
				offer.offer.to_string(),
				offer.peer.to_string(),
				amounts::format(offer.terms.ask),
				offer.free_units.to_string(),
			]
		});
		let offers = ui::table(["offer", "peer", "ask", "free units"], offers);
		let found = quote.workers.len();
		let sums = ui::pairs([
			("workers", format!("{found} of {}", spec.target_workers)),
			("price of an epoch", amounts::format(quote.epoch_price)),
			("escrow", amounts::format(escrow)),
			("pays for", lasts(&quote)),
			("smallest escrow", amounts::format(quote.min_escrow)),
			("closing deposit", amounts::format(quote.closing_deposit)),
			(
				"offers looked at",
				looked_at(quote.looked_at, quote.truncated),
			),
			(
				"verifiable",
				match quote.verifiable {
					true => "yes".into(),
					false => "no: a call may take more than the chain runs again".into(),
				},
			),
		]);
		format!("{offers}\n\n{sums}")
	})
}

fn lasts(quote: &Quote) -> String {
	match quote.paid_epochs {
		_ if quote.workers.is_empty() => "nobody: `millrace deal why-not` says why".into(),
		Some(1) => "1 epoch".into(),
		Some(epochs) => format!("{epochs} epochs"),
		None => "ever".into(),
	}
}

/// Says why offers are not taken for a deal or an order.
pub(super) async fn why_not(context: &Context, args: &WhyNotArgs) -> Result<()> {
	let subject = match args.deal {
		Some(deal) => Subject::Deal(deal),
		None => Subject::Spec(args.spec.spec(context)?),
	};
	let view = context.chain().await?.latest().await?;
	if let Some(deal) = args.deal {
		get(&view, deal).await?;
	}
	let why = view.why_not(&subject, args.peer).await?;
	context.emit(&why, || {
		let head = ui::pairs([
			("offers looked at", looked_at(why.looked_at, why.truncated)),
			("eligible", why.eligible.to_string()),
			("in short", in_short(&why, args.deal.is_some())),
		]);
		if why.reasons.is_empty() {
			return head;
		}
		let rows = why.reasons.iter().map(|(reason, offers)| {
			let (because, remedy) = explain(*reason);
			vec![offers.to_string(), because.into(), remedy.into()]
		});
		let table = ui::table(["offers", "not taken because", "what helps"], rows);
		format!("{head}\n\n{table}")
	})
}

fn looked_at(offers: u32, truncated: bool) -> String {
	let stopped = if truncated { ", then stopped" } else { "" };
	format!("{offers}{stopped}")
}

/// What it comes to.
fn in_short(why: &WhyNot, is_deal: bool) -> String {
	match why.content {
		Some(content) => of_content(content).into(),
		None if why.looked_at == 0 => "nobody offers anything: wait for an offer".into(),
		None if why.eligible == 0 => "no offer that was looked at can be taken".into(),
		None if is_deal => {
			"nothing stands against an offer: the matcher takes the cheapest in one of the next blocks"
				.into()
		}
		None => "nothing stands against an offer: a deal of this kind would find a worker".into(),
	}
}

/// Why the deal itself looks for nobody, and what to do.
fn of_content(content: Content) -> &'static str {
	match content {
		Content::UnknownDeal => "there is no such deal",
		Content::NotActive => {
			"the deal is ending or in grace and looks for nobody: top it up in grace, else create \
			 another"
		}
		Content::Filled => "the deal has, or is getting, all the workers that it wants",
		Content::Full => {
			"with those that leave the deal has as many workers as it can have, or can pay for one \
			 epoch: wait for the next epoch, or until they are gone"
		}
		Content::TermOver => "no epoch of the deal's term is left: create another",
		Content::EscrowTooLow => {
			"the escrow does not cover one more worker at the highest price besides all that is owed: \
			 top it up"
		}
	}
}

/// A reason in words, and what the client or the provider can do about it.
fn explain(reason: Reason) -> (&'static str, &'static str) {
	match reason {
		Reason::NoOffer => (
			"the peer has no offer",
			"its provider posts one: `millrace offer post`",
		),
		Reason::OtherClass => ("it is of another resource class", "ask for that --class"),
		Reason::OtherRegion => (
			"it is in another region",
			"ask for more regions, or for any",
		),
		Reason::AboveCeiling => (
			"it asks more than the ceiling",
			"a deal with a higher --price",
		),
		Reason::Capabilities => (
			"it lacks a capability that is asked for",
			"ask for fewer --capabilities, or list no hosts",
		),
		Reason::Bond => (
			"the worker bond is more than its provider accepts or has",
			"a lower --worker-bond; the provider raises --max-bond or brings unlocked FLT",
		),
		Reason::ProviderFilter => (
			"its provider is denied, or not among those allowed",
			"other --allow or --deny lists",
		),
		Reason::AlreadyWorks => (
			"the peer works for the deal already",
			"nothing: it is yours",
		),
		Reason::ProviderLimit => (
			"its provider has as many workers in the deal as it may",
			"a higher --per-provider",
		),
		Reason::TooManyDeals => (
			"the peer works for as many deals as one report can hold, with those that it has just left",
			"wait until it leaves one, and that epoch's audits are over",
		),
		Reason::Excluded => (
			"the peer did not go live in the deal, was lost, gave notice or was ended by its owner",
			"wait: it is left out for some epochs",
		),
		Reason::Unproven => (
			"none of its units was proven in the last closed epoch",
			"wait: its worker must report, and its epochs be settled (`millrace peer settle`)",
		),
		Reason::TooFewUnits => (
			"fewer of its units are free than one worker needs",
			"fewer --units for each worker",
		),
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use clap::Parser;

	#[derive(Parser)]
	struct Asked {
		#[command(flatten)]
		why: WhyNotArgs,
	}

	#[test]
	fn what_is_asked_about_is_a_deal_or_an_order_and_not_both() {
		let asked = |line: &[&str]| Asked::try_parse_from([&["test"][..], line].concat());
		let of_deal = asked(&["7", "--peer", &"11".repeat(32)]).expect("that is a deal");
		assert_eq!(of_deal.why.deal, Some(7));
		assert!(of_deal.why.peer.is_some());
		let of_order = asked(&["--package", "f.wasm", "--price", "1 FLT"]);
		assert_eq!(of_order.expect("that is an order").why.deal, None);
		assert!(asked(&["7", "--price", "1 FLT"]).is_err());
	}

	#[test]
	fn what_keeps_the_deal_itself_goes_before_what_is_said_of_offers() {
		let why = WhyNot {
			looked_at: 3,
			eligible: 1,
			content: Some(Content::EscrowTooLow),
			..WhyNot::default()
		};
		assert!(in_short(&why, true).contains("top it up"));
		let free = WhyNot {
			content: None,
			..why.clone()
		};
		assert!(in_short(&free, true).contains("the matcher takes"));
		assert!(in_short(&free, false).contains("would find"));
		let none = WhyNot {
			eligible: 0,
			..free
		};
		assert!(in_short(&none, true).contains("no offer that was looked at"));
		assert!(in_short(&WhyNot::default(), false).contains("nobody offers"));
	}

	#[test]
	fn an_escrow_is_an_amount_or_so_many_epochs_at_the_ceiling() {
		#[derive(Parser)]
		struct Prepaid {
			#[command(flatten)]
			spec: SpecArgs,
			#[command(flatten)]
			escrow: EscrowArgs,
		}
		let hash = "11".repeat(32);
		let order = [
			"test",
			"--package-hash",
			&hash,
			"--package-size",
			"8",
			"--price",
			"2 unit",
			"--workers",
			"3",
		];
		let amount = |more: &[&str]| {
			let line = [&order[..], more].concat();
			let prepaid = Prepaid::try_parse_from(line).expect("every option is known");
			let context = Context {
				global: Default::default(),
				settings: Default::default(),
			};
			let spec = prepaid.spec.spec(&context).expect("that is an order");
			prepaid.escrow.amount(&spec).ok()
		};
		assert_eq!(amount(&[]), Some(24 * 6));
		assert_eq!(amount(&["--epochs-of-escrow", "2"]), Some(12));
		assert_eq!(amount(&["--escrow", "7 unit"]), Some(7));
	}
}
