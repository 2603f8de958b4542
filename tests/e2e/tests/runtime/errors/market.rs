//! Errors of offers, deals and their workers.

use super::scene::{
	account, asked, assert_all_raised, by, deal, done, duty, endow, go_live, go_to, hand_in,
	offering, on_dev_chain, order, pass_audit, peer, refuses, register, report, ALICE, BOB, EVE,
};
use crate::samples::{hosts, invokers, receipt};
use millrace_primitives::{
	access::{Access, Invokers, RateLimit},
	billing::Billing,
	capacity::MAX_UNITS,
	execution::MAX_PACKAGE_BYTES,
	market::{DealSpec, Host, Link, OfferTerms, GAS_BILLED, HTTP_OUT, MAX_WORKERS},
	Balance, DealId, FLT, H256,
};
use millrace_runtime::{AccountId, Runtime};
use pallet_market::{MAX_KNOWN_REGIONS, MAX_PROBES_PER_EPOCH};

type Market = pallet_market::Call<Runtime>;
type Spec = DealSpec<AccountId>;

fn post(n: u16, terms: OfferTerms) -> Market {
	let peer = peer(n);
	Market::post_offer { peer, terms }
}

/// A good order with one thing wrong.
fn ordered(mend: impl FnOnce(&mut Spec)) -> Market {
	let mut spec = order(1, 1);
	mend(&mut spec);
	let escrow = FLT;
	Market::create_deal { spec, escrow }
}

fn opened(deal: DealId) -> Market {
	let (access, rate) = (Access::Open, None);
	Market::set_access { deal, access, rate }
}

fn released(deal: DealId, n: u16) -> Market {
	let peer = peer(n);
	Market::release_worker { deal, peer }
}

fn ended(deal: DealId, n: u16) -> Market {
	let peer = peer(n);
	Market::end_worker { deal, peer }
}

fn replaced(deal: DealId, n: u16) -> Market {
	let peer = peer(n);
	Market::replace { deal, peer }
}

fn resized(deal: DealId, min_workers: u32, target_workers: u32) -> Market {
	Market::resize {
		deal,
		min_workers,
		target_workers,
	}
}

/// Another package.
fn updated(deal: DealId, number: u8) -> Market {
	let mut package = order(1, 1).package;
	package.hash = H256::repeat_byte(number);
	Market::update_package { deal, package }
}

#[test]
fn every_error_of_the_market_is_raised() {
	for scene in [offers, orders, deals, notice, grace, probes] {
		on_dev_chain(scene);
	}
	let unreachable = "for sums that cannot run over; seen by pallet tests' invariants alone";
	let one_abi = "for a second way to run packages, of which there is one";
	let few_epochs = "for challenges that are open for longer; the pallet's tests raise it";
	let exempt = [
		("Arithmetic", unreachable),
		("AbiChanged", one_abi),
		("TooManyUpdates", few_epochs),
	];
	assert_all_raised("Market", &exempt);
}

fn offers() {
	let (alice, bob) = (by(ALICE), by(BOB));
	register(ALICE, 1);
	refuses!(Market::UnknownPeer, alice.clone(), post(9, asked()));
	refuses!(Market::NotProvider, bob.clone(), post(1, asked()));
	let other_class = OfferTerms {
		class: asked().class + 1,
		..asked()
	};
	refuses!(Market::UnknownClass, alice.clone(), post(1, other_class));
	let nowhere = OfferTerms {
		region: MAX_KNOWN_REGIONS as u16,
		..asked()
	};
	refuses!(Market::UnknownRegion, alice.clone(), post(1, nowhere));
	let cheap = OfferTerms {
		ask: asked().ask - 1,
		..asked()
	};
	refuses!(Market::PriceBelowMinimum, alice.clone(), post(1, cheap));
	let between = OfferTerms {
		ask: asked().ask + 1,
		..asked()
	};
	refuses!(Market::AskOffTick, alice.clone(), post(1, between));
	let withdraw = |n| Market::withdraw_offer { peer: peer(n) };
	let update = |terms| Market::update_offer {
		peer: peer(1),
		terms,
	};
	refuses!(Market::NoOffer, alice.clone(), withdraw(1));
	refuses!(Market::NoOffer, alice.clone(), update(asked()));
	done(alice.clone(), post(1, asked()));
	refuses!(Market::OfferExists, alice.clone(), post(1, asked()));
	refuses!(Market::NotProvider, bob.clone(), withdraw(1));
	refuses!(Market::NotProvider, bob, update(asked()));
	refuses!(Market::ClassChanged, alice.clone(), update(other_class));
	refuses!(Market::UnknownRegion, alice.clone(), update(nowhere));
	refuses!(Market::PriceBelowMinimum, alice.clone(), update(cheap));
	refuses!(Market::AskOffTick, alice, update(between));
}

fn orders() {
	let bob = by(BOB);
	macro_rules! orders {
		($error:ident, $mend:expr) => {
			refuses!(Market::$error, bob.clone(), ordered($mend))
		};
	}
	orders!(UnknownClass, |spec| spec.class += 1);
	orders!(UnitsZero, |spec| spec.units_per_worker = 0);
	orders!(TooManyUnits, |spec| spec.units_per_worker = MAX_UNITS + 1);
	orders!(WorkersOutOfRange, |spec| spec.min_workers = 0);
	orders!(WorkersOutOfRange, |spec| spec.min_workers = 2);
	orders!(WorkersOutOfRange, |spec| spec.target_workers =
		MAX_WORKERS + 1);
	orders!(WorkersOutOfRange, |spec| spec.max_workers_per_provider = 0);
	orders!(PriceBelowMinimum, |spec| spec.price_ceiling =
		asked().ask - 1);
	orders!(PriceOverflow, |spec| {
		(spec.price_ceiling, spec.units_per_worker) = (Balance::MAX, 2);
	});
	// What it costs is a balance, and what it costs for two epochs is none.
	orders!(PriceOverflow, |spec| spec.price_ceiling = Balance::MAX);
	orders!(UnknownRegion, |spec| {
		spec.regions = vec![MAX_KNOWN_REGIONS as u16].try_into().expect("one fits");
	});
	orders!(LimitsZero, |spec| spec.limits.gas = 0);
	orders!(LimitsZero, |spec| spec.limits.memory_bytes = 0);
	orders!(LimitsZero, |spec| spec.limits.response_bytes = 0);
	orders!(LimitsTooHigh, |spec| spec.limits.gas = u64::MAX);
	orders!(LimitsTooHigh, |spec| spec.limits.memory_bytes = u32::MAX);
	orders!(LimitsTooHigh, |spec| spec.limits.request_bytes = u32::MAX);
	orders!(LimitsTooHigh, |spec| spec.limits.response_bytes = u32::MAX);
	orders!(PackageEmpty, |spec| spec.package.size = 0);
	orders!(PackageTooLarge, |spec| spec.package.size =
		MAX_PACKAGE_BYTES + 1);
	orders!(NoLinks, |spec| spec.package.links = Default::default());
	for link in ["ftp://a/m", "//a/m", "https://a/ m", ""] {
		orders!(BadLink, |spec| {
			let link: Link = link.as_bytes().to_vec().try_into().expect("it is short");
			spec.package.links = vec![link].try_into().expect("one fits");
		});
	}
	let by_gas = |full_gas| Billing::Gas {
		full_gas,
		voucher_key: [7; 32],
	};
	orders!(BillingNeedsCapability, |spec| spec.billing = by_gas(1));
	orders!(FullGasZero, |spec| {
		spec.capabilities = GAS_BILLED;
		spec.billing = by_gas(0);
	});
	orders!(HostsNeedCapability, |spec| spec.hosts = hosts());
	for host in ["", "A.example", "a.example:0", "http://a.example", "127.1"] {
		orders!(BadHost, |spec| {
			let host: Host = host.as_bytes().to_vec().try_into().expect("it is short");
			spec.hosts = vec![host].try_into().expect("one fits");
			spec.capabilities = HTTP_OUT;
		});
	}
	orders!(BadHost, |spec| {
		let twice = [hosts().to_vec(), hosts().to_vec()].concat();
		spec.hosts = twice.try_into().expect("two fit");
		spec.capabilities = HTTP_OUT;
	});
	let none = Invokers::default();
	let twice = [invokers().to_vec(), invokers().to_vec()].concat();
	let twice: Invokers = twice.try_into().expect("two fit");
	for access in [
		Access::Keys(none.clone()),
		Access::Tokens(none),
		Access::Keys(twice.clone()),
		Access::Tokens(twice),
	] {
		orders!(BadAccess, |spec| spec.access = access);
	}
	for (calls, per_seconds) in [(0, 1), (1, 0), (1_000_001, 1), (1, 86_401)] {
		orders!(RateOutOfRange, |spec| {
			spec.rate = Some(RateLimit { calls, per_seconds });
		});
	}
	for term in [0, u32::MAX] {
		// The longest term that there is ends in an epoch that can be counted in epoch 0.
		if term == u32::MAX {
			go_to(1, 0);
		}
		orders!(TermOutOfRange, |spec| spec.term_epochs = Some(term));
	}

	let spec = order(1, 1);
	let least = 2 * spec.price_ceiling;
	let escrow = least - 1;
	refuses!(
		Market::EscrowTooSmall,
		bob.clone(),
		Market::create_deal {
			spec: spec.clone(),
			escrow
		}
	);
	let escrow = 1_000_000_000 * FLT;
	refuses!(
		Market::FundsTooLow,
		bob,
		Market::create_deal { spec, escrow }
	);
}

fn deals() {
	let (bob, eve) = (by(BOB), by(EVE));
	offering(ALICE, 5, 1);
	let unknown = 99;
	for call in [
		Market::top_up {
			deal: unknown,
			amount: 1,
		},
		Market::stop { deal: unknown },
		Market::close { deal: unknown },
		Market::match_deal { deal: unknown },
		Market::name_heir {
			deal: unknown,
			heir: None,
		},
		Market::take_deal { deal: unknown },
		opened(unknown),
		Market::begin_grace { deal: unknown },
		released(unknown, 1),
		ended(unknown, 1),
		replaced(unknown, 1),
		resized(unknown, 1, 1),
		updated(unknown, 1),
	] {
		refuses!(Market::UnknownDeal, bob.clone(), call);
	}

	let deal = deal(order(5, 5));
	refuses!(
		Market::AmountZero,
		bob.clone(),
		Market::top_up { deal, amount: 0 }
	);
	refuses!(
		Market::FundsTooLow,
		bob.clone(),
		Market::top_up {
			deal,
			amount: 1_000_000_000 * FLT
		}
	);
	refuses!(Market::NotOwner, eve.clone(), Market::stop { deal });
	refuses!(Market::NotOwner, eve.clone(), opened(deal));
	refuses!(Market::DealActive, eve.clone(), Market::close { deal });
	refuses!(Market::NotAssigned, eve.clone(), released(deal, 1));
	done(eve.clone(), Market::match_deal { deal });
	refuses!(Market::NotOverdue, eve.clone(), released(deal, 1));
	for n in 1..=5 {
		go_live(n, deal);
	}
	refuses!(Market::NotAssigned, eve.clone(), released(deal, 1));
	refuses!(
		Market::DealIsFilled,
		eve.clone(),
		Market::match_deal { deal }
	);

	// The first epoch that is paid is closed, and nobody has settled it.
	go_to(4, 16);
	refuses!(
		Market::WorkersNotSettled,
		bob.clone(),
		Market::stop { deal }
	);
	let peer = peer(1);
	done(
		eve.clone(),
		pallet_capacity::Call::<Runtime>::settle { peer },
	);
	done(bob.clone(), Market::stop { deal });
	refuses!(Market::DealEnding, bob.clone(), Market::stop { deal });
	refuses!(Market::DealEnding, bob.clone(), opened(deal));
	refuses!(Market::DealEnding, bob.clone(), resized(deal, 1, 1));
	refuses!(Market::DealEnding, bob.clone(), ended(deal, 1));
	refuses!(Market::DealEnding, bob.clone(), updated(deal, 1));
	refuses!(
		Market::DealEnding,
		eve.clone(),
		Market::begin_grace { deal }
	);
	refuses!(Market::DealEnding, bob, Market::top_up { deal, amount: 1 });
	refuses!(Market::LastEpochOpen, eve, Market::close { deal });
}

fn notice() {
	let (bob, eve) = (by(BOB), by(EVE));
	offering(ALICE, 1, 1);
	let deal = deal(order(1, 1));
	refuses!(Market::NotAssigned, bob.clone(), ended(deal, 1));
	refuses!(Market::NotAssigned, eve.clone(), replaced(deal, 1));
	done(eve.clone(), Market::match_deal { deal });
	// It owes nothing yet.
	refuses!(Market::NotLost, eve.clone(), replaced(deal, 1));
	go_live(1, deal);
	refuses!(Market::NotOwner, eve.clone(), ended(deal, 1));
	done(bob.clone(), ended(deal, 1));
	refuses!(Market::NotLive, bob.clone(), ended(deal, 1));
	refuses!(Market::NotOverdue, eve.clone(), released(deal, 1));

	refuses!(Market::NotOwner, eve.clone(), updated(deal, 1));
	done(bob.clone(), updated(deal, 1));
	refuses!(Market::UpdatedThisEpoch, bob.clone(), updated(deal, 2));

	refuses!(Market::NotOwner, eve.clone(), resized(deal, 1, 2));
	refuses!(Market::WorkersOutOfRange, bob.clone(), resized(deal, 2, 1));
	refuses!(
		Market::WorkersOutOfRange,
		bob.clone(),
		resized(deal, 1, MAX_WORKERS + 1)
	);

	let heir = Some(account(EVE));
	let name = Market::name_heir { deal, heir };
	refuses!(Market::NotOwner, eve.clone(), name.clone());
	done(bob.clone(), name);
	refuses!(Market::NotHeir, bob.clone(), Market::take_deal { deal });
	done(eve.clone(), Market::take_deal { deal });
	refuses!(Market::NotHeir, eve, Market::take_deal { deal });
	refuses!(Market::NotOwner, bob, Market::stop { deal });
}

fn grace() {
	let (bob, eve) = (by(BOB), by(EVE));
	offering(ALICE, 1, 1);
	let ask = asked().ask;
	let spec = DealSpec {
		price_ceiling: ask,
		..order(1, 1)
	};
	let deal = pallet_market::NextDeal::<Runtime>::get();
	let escrow = 2 * ask;
	done(bob.clone(), Market::create_deal { spec, escrow });
	done(eve.clone(), Market::match_deal { deal });
	go_live(1, deal);
	let begin = || Market::begin_grace { deal };
	let top_up = |amount| Market::top_up { deal, amount };
	refuses!(Market::EscrowLasts, eve.clone(), begin());

	// Epochs 3 and 4 are all that the escrow pays.
	go_to(4, 0);
	hand_in(1, &report(0, 1, &[0], &[deal]));
	done(eve.clone(), begin());
	refuses!(Market::DealInGrace, eve.clone(), begin());
	refuses!(Market::DealInGrace, bob.clone(), resized(deal, 1, 2));
	refuses!(Market::DealInGrace, bob.clone(), updated(deal, 1));
	refuses!(Market::NotOwner, eve.clone(), Market::stop { deal });
	refuses!(Market::GraceTooLittle, bob.clone(), top_up(1));
	go_to(4, 8);
	pass_audit(1);
	// Epoch 5 is one of grace, which its report settles later: half of it is missing in the deposit.
	go_to(5, 0);
	hand_in(1, &report(0, 1, &[0], &[deal]));
	let missing = ask / 2;
	refuses!(
		Market::GraceTooLittle,
		bob.clone(),
		top_up(missing + ask - 1)
	);
	done(bob, top_up(missing + ask));
	refuses!(Market::EscrowLasts, eve.clone(), begin());
	go_to(5, 8);
	pass_audit(1);
	// The escrow is used up again, and epoch 5 is not closed.
	go_to(6, 0);
	refuses!(Market::GraceNotSettled, eve, begin());
}

fn probes() {
	let (bob, eve) = (by(BOB), by(EVE));
	offering(ALICE, 1, 1);
	let mut spec = order(1, 1);
	spec.limits.request_bytes = 3;
	let (deal, peer) = (deal(spec), peer(1));
	let ask = |body: &[u8]| {
		let body = body.to_vec().try_into().expect("it is short");
		Market::probe { deal, peer, body }
	};
	let fail = || Market::fail_probe { deal, peer };
	refuses!(Market::NotAssigned, eve.clone(), ask(b""));
	refuses!(Market::NotProbed, eve.clone(), fail());
	done(eve.clone(), Market::match_deal { deal });
	go_live(1, deal);
	refuses!(Market::NothingToProbe, eve.clone(), ask(b""));
	go_to(3, 0);
	refuses!(Market::ProbeTooLong, eve.clone(), ask(b"long"));
	let (access, rate) = (Access::Keys(invokers()), None);
	done(bob.clone(), Market::set_access { deal, access, rate });
	refuses!(Market::NotOwner, eve.clone(), ask(b""));
	done(bob.clone(), opened(deal));

	done(eve.clone(), ask(b""));
	refuses!(Market::AlreadyProbed, bob.clone(), ask(b""));
	refuses!(Market::ProbePending, bob.clone(), fail());
	let answer = || Market::answer_probe {
		peer,
		deal,
		receipt: receipt(),
	};
	done(duty(), answer());
	refuses!(Market::ProbedBefore, eve, ask(b""));
	for n in 1..MAX_PROBES_PER_EPOCH {
		let prober = format!("//Prober{n}");
		endow(&prober, 10 * FLT);
		done(by(&prober), ask(b""));
		done(duty(), answer());
	}
	refuses!(Market::TooManyProbes, bob, ask(b""));
}
