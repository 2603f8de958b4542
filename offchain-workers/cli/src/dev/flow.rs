//! The steps of the demo, in their order.

use super::{
	anchor,
	money::{self, Books},
	network::{account, Network, Peer, Running},
	observer::Observer,
	report::{Latency, Report},
	rewards::{self, Work},
	DevCommand,
};
use crate::{
	commands::{
		deal::missing_event,
		invoke::{check_response, deal_url, receipt_of},
		package, receipt, spec,
	},
	errors::{CliError, Kind, Result},
	files,
	ui::Steps,
};
use bytes::Bytes;
use millrace_client::{amounts, calls, receipts, AccountId, AccountKey, ReceiptProof, View};
use millrace_primitives::{
	commitment::StakeOffer,
	epoch::Phase,
	execution::{SignedReceipt, MAX_MEMORY_BYTES, MAX_REQUEST_BYTES, MAX_RESPONSE_BYTES},
	market::{Abi, CallLimits, DealSpec, OfferTerms, Package, ProviderFilter},
	peer::{key_proof, PeerId},
	Balance, DealId, EpochIndex, CPU_V1, FLT, H256,
};
use sp_arithmetic::Perbill;
use std::{
	collections::BTreeSet,
	path::Path,
	time::{Duration, Instant},
};

/// Epochs of the commitments: far more than the demo takes.
const COMMITTED_EPOCHS: u32 = 100;
/// What asks are multiples of.
const TICK: Balance = FLT / 1_000_000;
/// Price of the first peer's unit for an epoch; each further peer asks a tick more.
const ASK: Balance = FLT / 100 + TICK;
/// Highest price that the client pays.
const CEILING: Balance = FLT / 50;
/// Epochs at the highest price that the client prepays.
const PREPAID_EPOCHS: Balance = 25;
/// Gas of a call.
const GAS: u64 = 8_000_000_000;
/// Longest wait for what takes a few epochs of 20 seconds.
const EPOCHS_LIMIT: Duration = Duration::from_secs(180);
/// Longest wait for a call to be answered by a live worker.
const CALL_LIMIT: Duration = Duration::from_secs(30);
/// Pause before a call is tried again.
const CALL_PAUSE: Duration = Duration::from_millis(500);

/// Who acts in the demo.
struct Actors {
	/// Owns the peers.
	provider: AccountKey,
	/// Owns the deal.
	client: AccountKey,
	/// Makes the calls that anybody may make, so that the others' balances move by the rules alone.
	bystander: AccountKey,
}

/// A call that was answered.
struct Called {
	receipt: SignedReceipt,
	milliseconds: f64,
}

/// Runs all steps. An error names the step that it happened in.
pub(crate) async fn run(
	network: &mut Network,
	command: &DevCommand,
	out: &Path,
	steps: &Steps,
) -> Result<Report> {
	let actors = Actors {
		provider: account("//Bob")?,
		client: account("//Charlie")?,
		bystander: account("//Dave")?,
	};

	steps.doing("starting the chain");
	let running = network
		.start_node(command.node_binary.as_deref())
		.await
		.map_err(at("starting the chain"))?;
	steps.done("the chain runs");

	let peers = network.new_peers()?;
	let ids: Vec<PeerId> = peers.iter().map(|peer| peer.key.id()).collect();
	let observer = Observer::start(running.chain.clone(), running.rpc.clone(), ids.clone());
	let start = provide(network, &running, &actors, &peers, command.units, steps).await?;

	let gateway = network
		.start_gateway()
		.await
		.map_err(at("starting the gateway"))?;
	steps.done(&format!("the gateway listens at {gateway}"));

	steps.doing("waiting until the units are proven");
	settle(network, &running, &actors, &ids, start)
		.await
		.map_err(at("proving"))?;
	let rates = running
		.chain
		.latest()
		.await?
		.duties(first(&ids)?)
		.await?
		.work;
	let solutions_per_unit = rates.map_or(0, |work| work.rates.idle);
	steps.done(&format!("epoch {start} is proven and settled"));

	let module = files::read(&command.package)?;
	let size = module.len();
	let (hash, link) = package::upload(&gateway, module)
		.await
		.map_err(at("uploading the package"))?;
	steps.done(&format!("package {hash:?} is uploaded"));

	let spec = specification(hash, size, link, peers.len())?;
	let mut books = Books::open(
		&running,
		&actors.provider,
		&actors.client,
		&actors.bystander,
	)
	.await?;
	let deal = order(&running, &actors, &spec, &mut books)
		.await
		.map_err(at("creating the deal"))?;
	steps.done(&format!(
		"deal {deal} is created, with {} in escrow",
		amounts::format(books.escrowed()),
	));

	steps.doing("waiting until both workers are live");
	live(network, &running, deal, peers.len())
		.await
		.map_err(at("going live"))?;
	steps.done("both workers are live");

	let calls = call_all(network, command, &gateway, deal, out, steps).await?;
	check_calls(&calls, deal, hash, &ids).map_err(at("checking the receipts"))?;

	let epochs: BTreeSet<EpochIndex> = calls
		.iter()
		.map(|call| call.receipt.receipt.epoch)
		.collect();
	let last_called = epochs.last().copied().unwrap_or_default();
	steps.doing(format!(
		"waiting for report, audit and settlement of epoch {last_called}"
	));
	settle(network, &running, &actors, &ids, last_called)
		.await
		.map_err(at("settling"))?;
	steps.done(&format!(
		"epoch {last_called} is reported, audited and settled"
	));

	steps.doing("verifying receipts");
	let verified = verify(network, &running, &calls)
		.await
		.map_err(at("verifying receipts"))?;
	steps.done(&format!(
		"{} receipts stand under the roots on the chain",
		verified.len()
	));

	let last = stop(&running, &actors, deal, &mut books)
		.await
		.map_err(at("stopping the deal"))?;
	steps.done(&format!("the deal is stopped and ends with epoch {last}"));
	steps.doing(format!("waiting for the settlement of epoch {last}"));
	settle(network, &running, &actors, &ids, last)
		.await
		.map_err(at("settling the last epoch"))?;
	let end = close(&running, &actors, deal, &mut books)
		.await
		.map_err(at("closing the deal"))?;
	steps.done("the deal is closed and the rest refunded");

	steps.doing("claiming the rewards that have vested");
	let work = Work {
		peers: &ids,
		units: command.units,
		workers: books.workers(),
		closed: end.epoch().await?.info.index,
	};
	let (provider, bystander) = (&actors.provider, &actors.bystander);
	let rewards = rewards::claim(network, &running, provider, bystander, &work)
		.await
		.map_err(at("claiming rewards"))?;
	steps.done(&format!(
		"{} of {} earned has vested and is claimed",
		amounts::format(rewards.claimed),
		amounts::format(rewards.credited),
	));

	steps.doing("anchoring the chain");
	let checkpoint = anchor::checkpoint(network, &running.chain, &verified)
		.await
		.map_err(at("anchoring"))?;
	steps.done(&format!(
		"{} receipts are checked down to the checkpoint of block {} on an anchor (which adds no security \
		 here)",
		checkpoint.receipts, checkpoint.block,
	));

	let mut mismatches = books.compare(&end, &ids, last).await?;
	mismatches.extend(rewards.mismatches);
	mismatches.extend(books.compare_issuance(&rewards.end).await?);
	let seen = observer.seen();
	if seen.passed.is_empty() {
		mismatches.push("no audit passed".into());
	}
	if !seen.failed.is_empty() {
		mismatches.push(format!("{} audits failed", seen.failed.len()));
	}
	let last_view = running.chain.latest().await?;
	Ok(Report {
		ok: mismatches.is_empty(),
		blocks: last_view.block().number,
		finality_lag_blocks: seen.median_lag(),
		epochs: last_view.epoch().await?.info.index,
		units: command.units.saturating_mul(peers.len() as u32),
		solutions_per_unit,
		audits_verified: seen.passed.len() as u32,
		calls: command.calls,
		calls_ok: calls.len() as u32,
		receipts_verified: verified.len() as u32,
		checkpoint,
		latency_ms: Latency::of(calls.iter().map(|call| call.milliseconds).collect()),
		gas_total: calls.iter().map(|call| call.receipt.receipt.gas).sum(),
		flt: books.report(rewards.credited, rewards.claimed),
		elapsed_seconds: (steps.elapsed().as_secs_f64() * 10.0).round() / 10.0,
		mismatches,
		responses: out.display().to_string(),
	})
}

/// The provider registers its peers, commits and stakes; gives the first epoch that is owed.
async fn provide(
	network: &mut Network,
	running: &Running,
	actors: &Actors,
	peers: &[Peer],
	units: u32,
	steps: &Steps,
) -> Result<EpochIndex> {
	let (chain, provider) = (&running.chain, &actors.provider);
	steps.doing("registering provider and peers");
	let proof = key_proof(chain.genesis(), &provider.account());
	let mut batch = vec![calls::providers::register_provider("Demo provider")];
	batch.extend(peers.iter().map(|peer| {
		calls::providers::register_peer(peer.key.public(), peer.key.sign_hash(proof), &peer.url)
	}));
	chain
		.submit(provider, calls::utility::batch_all(batch))
		.await
		.map_err(CliError::from)
		.map_err(at("registering"))?;
	steps.done("the provider is registered with two peers");

	network
		.start_workers(peers)
		.await
		.map_err(at("starting the workers"))?;
	steps.done("two workers run");

	steps.doing("committing and staking");
	// The provider brings the whole stake, so there is nobody to share rewards with.
	let offer = StakeOffer {
		own_part: Perbill::one(),
		commission: Perbill::zero(),
		invited: Default::default(),
	};
	let signed = chain
		.latest()
		.await?
		.start_terms(units, COMMITTED_EPOCHS, offer.own_part, offer.commission)
		.await?;
	let each = Balance::from(units)
		.checked_mul(signed.terms.stake_per_unit)
		.ok_or_else(|| CliError::usage("bad_amount", "the stake is over every balance"))?;
	let mut batch = Vec::new();
	for (number, peer) in (0..).zip(peers) {
		let id = peer.key.id();
		let terms = OfferTerms {
			class: CPU_V1,
			region: 0,
			ask: ASK.saturating_add(TICK.saturating_mul(number)),
			capabilities: 0,
			max_worker_bond: 0,
		};
		batch.push(calls::capacity::create(id, units, COMMITTED_EPOCHS, &offer));
		batch.push(calls::capacity::stake(id, &signed, 0, each));
		batch.push(calls::market::post_offer(id, terms));
	}
	let included = chain
		.submit(provider, calls::utility::batch_all(batch))
		.await
		.map_err(CliError::from)
		.map_err(at("committing"))?;
	let view = chain.at(included.block).await?;
	let committed = view.epoch().await?.info.index;
	let mut stake: Balance = 0;
	for peer in peers {
		stake = stake.saturating_add(money::commitment(&view, peer.key.id()).await?.stake);
	}
	let total = units.saturating_mul(peers.len() as u32);
	steps.done(&format!(
		"{total} units are committed, with {} at stake",
		amounts::format(stake)
	));
	Ok(committed.saturating_add(1))
}

/// Waits until an epoch is settled for all peers. Anybody may settle, so the bystander does as soon
/// as the epoch is closed.
async fn settle(
	network: &mut Network,
	running: &Running,
	actors: &Actors,
	peers: &[PeerId],
	epoch: EpochIndex,
) -> Result<()> {
	let what = format!("epoch {epoch} is settled");
	network
		.until(&running.chain, &what, EPOCHS_LIMIT, async |view: &View| {
			let status = view.epoch().await?;
			let closed = match status.phase {
				Phase::Rest => epoch < status.info.index,
				_ => epoch.saturating_add(1) < status.info.index,
			};
			let mut open = Vec::new();
			for peer in peers {
				if money::commitment(view, *peer).await?.next_to_settle <= epoch {
					open.push(*peer);
				}
			}
			if closed {
				for peer in &open {
					// Refused where a report of the peer was faster; the next block shows it.
					let call = calls::capacity::settle(*peer);
					match running.chain.submit(&actors.bystander, call).await {
						Ok(_) => {}
						Err(error) => tracing::debug!(%error, "not settled by us"),
					}
				}
			}
			Ok(open.is_empty().then_some(()))
		})
		.await
}

fn specification(
	hash: H256,
	size: usize,
	link: String,
	workers: usize,
) -> Result<DealSpec<AccountId>> {
	let mut package = Package {
		hash,
		size: size as u32,
		links: Default::default(),
		abi: Abi::WasiPreview1Command,
	};
	spec::set_links(&mut package, vec![link])?;
	let workers = workers as u32;
	Ok(DealSpec {
		class: CPU_V1,
		units_per_worker: 1,
		min_workers: workers,
		target_workers: workers,
		max_workers_per_provider: workers,
		price_ceiling: CEILING,
		package,
		limits: CallLimits {
			gas: GAS,
			memory_bytes: MAX_MEMORY_BYTES,
			request_bytes: MAX_REQUEST_BYTES,
			response_bytes: MAX_RESPONSE_BYTES,
		},
		capabilities: 0,
		regions: Default::default(),
		providers: ProviderFilter::Any,
		worker_bond: 0,
		term_epochs: None,
		hosts: Default::default(),
		billing: Default::default(),
		access: Default::default(),
		rate: None,
		rematch: None,
	})
}

async fn order(
	running: &Running,
	actors: &Actors,
	spec: &DealSpec<AccountId>,
	books: &mut Books,
) -> Result<DealId> {
	let escrow = spec
		.epoch_price_ceiling()
		.and_then(|price| price.checked_mul(PREPAID_EPOCHS))
		.ok_or_else(|| CliError::usage("bad_amount", "the escrow is over every balance"))?;
	let call = calls::market::create_deal(spec, escrow);
	let included = running.chain.submit(&actors.client, call).await?;
	books.created(running, &included).await
}

/// Waits until all workers are live and paid, in a half of an epoch in which the calls have time.
async fn live(
	network: &mut Network,
	running: &Running,
	deal: DealId,
	workers: usize,
) -> Result<()> {
	let what = "all workers are live";
	network
		.until(&running.chain, what, EPOCHS_LIMIT, async |view: &View| {
			let status = view.epoch().await?;
			let found = crate::commands::deal::get(view, deal).await?;
			let paid = found
				.workers
				.iter()
				.filter(|view| view.worker.is_due(status.info.index));
			let early = status.position < status.info.lengths.len / 2;
			Ok((paid.count() >= workers && early).then_some(()))
		})
		.await
}

async fn call_all(
	network: &mut Network,
	command: &DevCommand,
	gateway: &str,
	deal: DealId,
	out: &Path,
	steps: &Steps,
) -> Result<Vec<Called>> {
	let input = Bytes::from(files::read(&command.input)?);
	let url = deal_url(gateway, deal, "/");
	let content_type = if input.starts_with(b"\x89PNG") {
		"image/png"
	} else {
		"text/plain"
	};
	let mut calls = Vec::new();
	for number in 1..=command.calls {
		steps.doing(format!("call {number} of {}", command.calls));
		let (call, response) = call_once(network, &url, content_type, &input)
			.await
			.map_err(at(&format!("call {number}")))?;
		let extension = if response.starts_with(b"\x89PNG") {
			"png"
		} else {
			"out"
		};
		files::write(&out.join(format!("{number:03}.{extension}")), &response)?;
		calls.push(call);
	}
	steps.done(&format!(
		"{} calls are answered; responses in {}",
		calls.len(),
		out.display()
	));
	Ok(calls)
}

/// One call. What says that nobody was ready is tried again: gateway and workers learn of a deal
/// at the next finalised block. Only the attempt that is answered counts as latency.
async fn call_once(
	network: &mut Network,
	url: &str,
	content_type: &str,
	input: &Bytes,
) -> Result<(Called, Bytes)> {
	let deadline = Instant::now() + CALL_LIMIT;
	loop {
		network.check()?;
		let began = Instant::now();
		let answer = network
			.http
			.send(::http::Method::POST, url, Some(content_type), input.clone())
			.await?;
		let milliseconds = began.elapsed().as_secs_f64() * 1_000.0;
		let receipt = receipt_of(&answer)?;
		match (answer.status.is_success(), receipt) {
			(true, Some(receipt)) => {
				check_response(&receipt, &answer.body)?;
				return Ok((
					Called {
						receipt,
						milliseconds,
					},
					answer.body,
				));
			}
			(true, None) => {
				let message = "the response came without a receipt";
				return Err(CliError::new(
					Kind::Verification,
					"receipt_missing",
					message,
				));
			}
			// The guest failed: the same call fails again.
			(false, Some(_)) => return Err(answer.error()),
			(false, None) if Instant::now() > deadline => return Err(answer.error()),
			(false, None) => tokio::time::sleep(CALL_PAUSE).await,
		}
	}
}

/// Checks what can be seen without the chain: deal, package, peer, success, and that no number was
/// used twice.
fn check_calls(calls: &[Called], deal: DealId, package: H256, peers: &[PeerId]) -> Result<()> {
	let mut numbers = BTreeSet::new();
	for call in calls {
		let receipt = &call.receipt.receipt;
		let right = receipt.deal == deal
			&& receipt.package == package
			&& receipt.status.is_success()
			&& peers.contains(&receipt.peer)
			&& numbers.insert((receipt.peer, receipt.epoch, receipt.seq));
		if !right {
			let message = format!("this receipt is not of its call: {receipt:?}");
			return Err(CliError::new(Kind::Verification, "receipt_wrong", message));
		}
	}
	Ok(())
}

async fn verify(
	network: &Network,
	running: &Running,
	calls: &[Called],
) -> Result<Vec<ReceiptProof>> {
	let view = running.chain.latest().await?;
	let mut verified = Vec::with_capacity(calls.len());
	for call in calls {
		let proof = receipt::fetch(&network.http, &view, &call.receipt, None).await?;
		receipts::verify(&view, &proof).await?;
		verified.push(proof);
	}
	Ok(verified)
}

async fn stop(
	running: &Running,
	actors: &Actors,
	deal: DealId,
	books: &mut Books,
) -> Result<EpochIndex> {
	let included = running
		.chain
		.submit(&actors.client, calls::market::stop(deal))
		.await?;
	let view = running.chain.at(included.block).await?;
	books.stopped(&included, &crate::commands::deal::get(&view, deal).await?)
}

async fn close(
	running: &Running,
	actors: &Actors,
	deal: DealId,
	books: &mut Books,
) -> Result<View> {
	let included = running
		.chain
		.submit(&actors.bystander, calls::market::close(deal))
		.await?;
	let closed = included
		.find("Market", "DealClosed")
		.ok_or_else(|| missing_event("DealClosed"))?;
	books.closed(closed);
	Ok(running.chain.at(included.block).await?)
}

fn first(peers: &[PeerId]) -> Result<PeerId> {
	peers
		.first()
		.copied()
		.ok_or_else(|| CliError::not_found("peer_unknown", "there are no peers"))
}

/// Names the step in an error.
fn at(step: &str) -> impl FnOnce(CliError) -> CliError {
	let step = step.to_string();
	move |mut error| {
		error.message = format!("{step}: {}", error.message);
		error
	}
}
