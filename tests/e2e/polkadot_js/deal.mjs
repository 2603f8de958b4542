// Orders a worker, calls it and ends the deal, with @polkadot/api and what the node publishes.
//
// Usage: node deal.mjs ws://NODE:9944 http://GATEWAY:8090 function.wasm KEY
//
// The key is a file with a phrase, or //Bob and the like on development chains.

import { readFile } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';
import { ApiPromise, Keyring, WsProvider } from '@polkadot/api';

const [node, gateway, file, key] = process.argv.slice(2);
const FLT = 10n ** 18n;

const api = await ApiPromise.create({ provider: new WsProvider(node), throwOnConnect: true, noInitWarn: true });
const secret = key.startsWith('//') ? key : (await readFile(key, 'utf8')).trim();
const client = new Keyring({ type: 'sr25519' }).addFromUri(secret);

// The gateway stores the function. Workers fetch it from there and check its hash.
const stored = await fetch(`${gateway}/packages`, { method: 'PUT', body: await readFile(file) });
if (!stored.ok) throw new Error(await stored.text());
const { hash, size, url } = await stored.json();

// What is left out has the first value of its type: no hosts, any region, any provider, no bond, no term.
const priceCeiling = FLT / 50n;
const spec = {
	class: 1,
	unitsPerWorker: 1,
	minWorkers: 1,
	targetWorkers: 1,
	maxWorkersPerProvider: 1,
	priceCeiling,
	package: { hash, size, links: [url], abi: 'WasiPreview1Command' },
	limits: { gas: 20_000_000, memoryBytes: 16 << 20, requestBytes: 64 << 10, responseBytes: 64 << 10 },
};
const escrow = 24n * priceCeiling;

// Who would be taken now, at what price? The runtime answers by the code that matches.
const quote = await api.call.marketApi.quote(spec, escrow);
console.error(`${quote.workers.length} of 1 workers, ${quote.epochPrice} an epoch`);

// Signs a call and waits until it is final.
function submit(call) {
	return new Promise((resolve, reject) => {
		const follow = ({ status, events, dispatchError, isError }) => {
			if (dispatchError?.isModule) {
				const { name, docs } = api.registry.findMetaError(dispatchError.asModule);
				reject(new Error(`${name}: ${docs.join(' ')}`));
			} else if (dispatchError || isError) reject(new Error(`${dispatchError ?? status}`));
			else if (status.isFinalized) resolve(events.map(({ event }) => event));
		};
		call.signAndSend(client, follow).catch(reject);
	});
}

const events = await submit(api.tx.market.createDeal(spec, escrow));
const created = events.find((event) => api.events.market.DealCreated.is(event));
const deal = created.data[0].toNumber();
console.error(`deal ${deal} is created`);

// A worker serves as soon as it is live. It is paid from the next epoch on.
async function findWorker() {
	const at = await api.at(await api.rpc.chain.getFinalizedHead());
	const { workers } = (await at.call.marketApi.deal(deal)).unwrap();
	return workers.find(({ worker: { status } }) => status.isLive);
}
let found;
while (!(found = await findWorker())) await setTimeout(1_000);
const peer = found.worker.peer.toHex();
console.error(`peer ${peer} serves`);

// Any HTTP client works. The gateway may see the block that we have seen a moment later.
async function call(path, body) {
	for (;;) {
		const answer = await fetch(`${gateway}/deals/${deal}${path}`, { method: 'POST', body });
		if (answer.status !== 503) return answer;
		await setTimeout(1_000);
	}
}
const answer = await call('/greet', 'hello');
const response = await answer.text();
if (!answer.ok) throw new Error(response);
const receipt = answer.headers.get('x-millrace-receipt');

// The present epoch is the last one. When it is closed, anybody calls market.close, which pays back the rest.
await submit(api.tx.market.stop(deal));
console.log(JSON.stringify({ deal, peer, response, receipt }));
await api.disconnect();
