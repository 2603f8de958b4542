// Works with a Millrace node through @polkadot/api: metadata, calls, storage, our RPC, a transfer.
//
// Usage: node check.mjs ws://127.0.0.1:9944
//
// Ends with one JSON object as the last line on standard output, or with an error and status 1.

import assert from 'node:assert/strict';
import { ApiPromise, Keyring, WsProvider } from '@polkadot/api';

const FLT = 10n ** 18n;
const LIMIT_MS = 90_000;

// Our methods, declared as their users declare them. A method that the node does not list is left out
// by the library, and is then missed below.
const at = { name: 'at', type: 'Hash', isOptional: true };
const method = (type, ...params) => ({ description: '', params: [...params, at], type });
const rpc = {
	epochs: { current: method('Json') },
	capacity: {
		commitment: method('Option<Json>', { name: 'peer', type: 'H256' }),
		round: method('Option<Json>', { name: 'peer', type: 'H256' }),
		earnings: method('Json', { name: 'account', type: 'AccountId' }),
	},
	market: {
		quote: method(
			'Json',
			{ name: 'spec', type: 'Json' },
			{ name: 'escrow', type: 'Text', isOptional: true },
		),
		whyNot: method(
			'Json',
			{ name: 'subject', type: 'Json' },
			{ name: 'peer', type: 'H256', isOptional: true },
		),
		deal: method('Option<Json>', { name: 'deal', type: 'u64' }),
		deals: method(
			'Vec<Json>',
			{ name: 'owner', type: 'AccountId', isOptional: true },
			{ name: 'from', type: 'u64', isOptional: true },
			{ name: 'limit', type: 'u32', isOptional: true },
		),
	},
	receipts: {
		report: method('Option<Json>', { name: 'peer', type: 'H256' }, { name: 'epoch', type: 'u32' }),
	},
};

// Calls with their arguments, as the metadata must show them.
const calls = {
	providers: {
		registerProvider: ['name'],
		registerPeer: ['key', 'proof', 'endpoint'],
		setEndpoint: ['peer', 'endpoint'],
		rotateKey: ['peer', 'newKey', 'proof'],
		removePeer: ['peer'],
	},
	capacity: {
		create: ['peer', 'units', 'durationEpochs', 'offer'],
		stake: ['peer', 'terms', 'keep', 'add'],
		grow: ['peer', 'moreUnits', 'invited'],
		extend: ['peer', 'durationEpochs', 'offer'],
		cancel: ['peer'],
		report: ['peer', 'report', 'signature'],
		answerAudit: ['peer', 'answer', 'signature'],
		settle: ['peer'],
		withdraw: ['peer'],
		claim: ['who'],
		applySlash: ['peer', 'slash'],
		cancelSlash: ['peer', 'slash'],
	},
	market: {
		postOffer: ['peer', 'terms'],
		createDeal: ['spec', 'escrow'],
		topUp: ['deal', 'amount'],
		stop: ['deal'],
		goLive: ['peer', 'deal', 'signature'],
		close: ['deal'],
		matchDeal: ['deal'],
		updateOffer: ['peer', 'terms'],
		drain: ['peer', 'deal', 'signature'],
		endWorker: ['deal', 'peer'],
		replace: ['deal', 'peer'],
		resize: ['deal', 'minWorkers', 'targetWorkers'],
		nameHeir: ['deal', 'heir'],
		takeDeal: ['deal'],
		beginGrace: ['deal'],
		updatePackage: ['deal', 'package'],
	},
};

function checkMetadata(api) {
	assert.equal(api.runtimeVersion.specName.toString(), 'millrace');
	assert.deepEqual(api.registry.chainTokens, ['FLT']);
	assert.deepEqual(api.registry.chainDecimals, [18]);
	for (const [pallet, expected] of Object.entries(calls)) {
		for (const [name, args] of Object.entries(expected)) {
			const call = api.tx[pallet]?.[name];
			assert.ok(call, `there is no call ${pallet}.${name}`);
			// A leading underscore only says that the call itself does not look at the argument.
			const found = call.meta.args.map((arg) => arg.name.toString().replace(/^_/, ''));
			assert.deepEqual(found, args, `arguments of ${pallet}.${name}`);
			assert.ok(call.meta.docs.length > 0, `${pallet}.${name} has no documentation`);
		}
	}
	for (const name of ['EscrowTooSmall', 'FundsTooLow', 'PriceBelowMinimum', 'UnknownDeal']) {
		const error = api.errors.market?.[name];
		assert.ok(error, `there is no error market.${name}`);
		assert.ok(error.meta.docs.join('').length > 0, `market.${name} does not say why`);
	}
	for (const name of ['DealCreated', 'WorkerLive', 'ReportPaid', 'DealClosed']) {
		assert.ok(api.events.market?.[name], `there is no event market.${name}`);
	}
}

// A specification can be encoded and read back by the metadata alone.
function checkOrder(api, link) {
	const spec = {
		class: 1,
		unitsPerWorker: 1,
		minWorkers: 1,
		targetWorkers: 2,
		maxWorkersPerProvider: 2,
		priceCeiling: FLT / 50n,
		package: { hash: `0x${'11'.repeat(32)}`, size: 8, links: [link], abi: 'WasiPreview1Command' },
		limits: { gas: 1_000_000, memoryBytes: 65_536, requestBytes: 1_024, responseBytes: 1_024 },
		capabilities: 0,
		regions: [],
		providers: 'Any',
		workerBond: 0,
		termEpochs: null,
	};
	const call = api.tx.market.createDeal(spec, FLT);
	const again = api.createType('Call', call.method.toHex());
	assert.equal(again.toHex(), call.method.toHex());
	assert.equal(again.args[0].toJSON().targetWorkers, 2);
}

// What a staker signs can be encoded and read back by the metadata alone.
function checkTerms(api) {
	const part = 10_000_000;
	const terms = {
		kind: 'Renewal',
		units: 2,
		durationEpochs: 720,
		end: 900,
		terms: {
			stakePerUnit: 100n * FLT,
			slashRate: part,
			ownPart: 20 * part,
			ownFloor: 10 * part,
			commission: 5 * part,
			unbondingEpochs: 504,
			challengeEpochs: 24,
			slashDelayEpochs: 24,
			vestingEpochs: 2_160,
		},
	};
	const call = api.tx.capacity.stake(`0x${'22'.repeat(32)}`, terms, 0, 160n * FLT);
	const again = api.createType('Call', call.method.toHex());
	assert.equal(again.toHex(), call.method.toHex());
	assert.equal(again.args[1].toJSON().terms.ownPart, 20 * part);
}

async function checkReads(api) {
	for (const [section, methods] of Object.entries(rpc)) {
		for (const name of Object.keys(methods)) {
			assert.ok(api.rpc[section]?.[name], `the node does not list ${section}_${name}`);
		}
	}
	const hash = await api.rpc.chain.getFinalizedHead();
	const state = await api.at(hash);
	const stored = (await state.query.epochs.current()).toJSON();
	const shown = (await api.rpc.epochs.current(hash)).toJSON();
	assert.equal(stored.lengths.len, 20);
	assert.deepEqual(
		{ index: stored.index, start: stored.start, slot: stored.slotMs },
		{ index: shown.info.index, start: shown.info.start, slot: shown.info.slot_ms },
	);
	const status = (await state.call.epochsApi.status()).toJSON();
	assert.equal(status.info.index, stored.index, 'the runtime API says the same');
	assert.equal(status.seed, shown.seed);
	const peer = `0x${'22'.repeat(32)}`;
	assert.ok((await api.rpc.capacity.commitment(peer)).isEmpty);
	assert.ok((await api.rpc.capacity.round(peer)).isEmpty);
	assert.ok((await api.rpc.market.deal(0)).isEmpty);
	assert.equal((await api.rpc.market.deals()).length, 0);
	const why = (await api.rpc.market.whyNot({ deal: 0 })).toJSON();
	assert.deepEqual([why.looked_at, why.content], [0, 'unknown_deal']);
	assert.ok((await api.rpc.receipts.report(peer, 0)).isEmpty);
	return stored.index;
}

async function checkTransfer(api) {
	const keyring = new Keyring({ type: 'sr25519' });
	const [from, to] = ['//Ferdie', '//Eve'].map((name) => keyring.addFromUri(name));
	const free = async ({ address }) => (await api.query.system.account(address)).data.free.toBigInt();
	const before = { from: await free(from), to: await free(to) };
	const done = await new Promise((resolve, reject) => {
		api.tx.balances
			.transferKeepAlive(to.address, FLT)
			.signAndSend(from, (result) => {
				if (result.dispatchError) reject(new Error(result.dispatchError.toString()));
				else if (result.isError) reject(new Error(result.status.toString()));
				else if (result.isFinalized) resolve(result);
			})
			.catch(reject);
	});
	const paid = done.events.find(({ event }) => api.events.transactionPayment.TransactionFeePaid.is(event));
	assert.ok(paid, 'the fee has its event');
	const fee = paid.event.data[1].toBigInt();
	assert.ok(fee > 0n && fee < FLT, `a fee of ${fee}`);
	assert.equal((await free(to)) - before.to, FLT);
	assert.equal(before.from - (await free(from)), FLT + fee);
	return fee;
}

async function main() {
	const url = process.argv[2];
	assert.ok(url, 'usage: node check.mjs ws://HOST:PORT');
	const api = await ApiPromise.create({ provider: new WsProvider(url), rpc, throwOnConnect: true });
	checkMetadata(api);
	checkOrder(api, 'http://127.0.0.1:1/module');
	checkTerms(api);
	const epoch = await checkReads(api);
	const fee = await checkTransfer(api);
	await api.disconnect();
	return { ok: true, epoch, fee: fee.toString(), genesis: api.genesisHash.toHex() };
}

const timer = setTimeout(() => {
	console.error(`not done within ${LIMIT_MS} ms`);
	process.exit(1);
}, LIMIT_MS);

main().then(
	(result) => {
		clearTimeout(timer);
		console.log(JSON.stringify(result));
		process.exit(0);
	},
	(error) => {
		console.error(error);
		process.exit(1);
	},
);
