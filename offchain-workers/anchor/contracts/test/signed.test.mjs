// What is shown to the contract is told to everybody: commitments that were accepted or reported, with their signatures.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Chain } from './lib/chain.mjs';
import { Contract, NO_HANDOVER, deploy } from './lib/anchor.mjs';
import { hex, keccak } from './lib/scale.mjs';

// Most bytes of an event on Filecoin, topics and data together.
const MAX_EVENT_BYTES = 8192;
// Calls the address in the first word of its call data with the rest of them, and refuses where that does.
const FORWARDER =
	'0x60278060093d393df3' +
	'602036038060206000376000600091600060006000355af16025573d600060003e3d6000fd5b00';

const everybody = (count) => Array.from({ length: count }, (_, i) => i);

/** A chain with one block, and its anchor. */
async function start(size) {
	const chain = new Chain({ name: 'signed', sizes: [size] });
	chain.author();
	return { chain, anchor: await deploy(chain) };
}

/** What the events say of a commitment, put together. */
function told(events, root) {
	const parts = events.filter(({ name, args }) => name === 'Signed' && args.mmrRoot === hex(root));
	const signatures = [];
	for (const { args } of parts) {
		assert.equal(args.first, BigInt(signatures.length));
		signatures.push(...args.signatures.map((pair) => [...pair]));
	}
	const { blockNumber, setId, bitmap } = parts[0].args;
	return { blockNumber, setId, bitmap: [...bitmap], signatures };
}

const expected = ({ bitmap, signatures }, blockNumber) => ({
	blockNumber,
	setId: 0n,
	bitmap,
	signatures: signatures.map((pair) => pair.map(hex)),
});

test('a checkpoint tells who signed it, in events that Filecoin takes', async () => {
	for (const [size, parts] of [[7, 1], [120, 2]]) {
		const { chain, anchor } = await start(size);
		const signed = chain.commit(1, { signers: everybody(size) });
		const { events } = await anchor.submit(signed);
		assert.deepEqual(told(events, chain.range.root()), expected(signed, 1n));
		assert.equal(events.filter(({ name }) => name === 'Signed').length, parts);
		assert.ok(events.every(({ bytes }) => bytes <= MAX_EVENT_BYTES), `${events.map(({ bytes }) => bytes)}`);
	}
});

test('a report tells who signed both', async () => {
	const { chain, anchor } = await start(7);
	const other = keccak([1]);
	const signed = [chain.commit(1, { signers: [0, 3] }), chain.commit(1, { signers: [2, 3, 6], root: other })];
	const both = signed.map(({ commitment, bitmap, signatures }) => ({ commitment, bitmap, signatures }));
	const { events } = await anchor.contract.send('watcher', 'reportDoubleSign', ...both, signed[0].authorities);
	assert.deepEqual(told(events, chain.range.root()), expected(signed[0], 1n));
	assert.deepEqual(told(events, other), expected(signed[1], 1n));
});

test('a checkpoint that comes through another contract tells it too', async () => {
	const { chain, anchor } = await start(4);
	const { machine, contract } = anchor;
	const { created } = await machine.send('deployer', undefined, FORWARDER);
	const signed = chain.commit();
	const { commitment, authorities, bitmap, signatures } = signed;
	const data = contract.encode('submit', [commitment, authorities, bitmap, signatures, NO_HANDOVER]);
	const through = (of) => {
		const forwarder = new Contract(machine, { encodeFunctionData: (_, [raw]) => raw }, created);
		return forwarder.send('mallory', '', `0x${of.slice(2).padStart(64, '0')}${data.slice(2)}`);
	};
	const { events } = await through(contract.address);
	assert.deepEqual(told(events, chain.range.root()), expected(signed, 1n));
	assert.equal((await anchor.status()).latestBlock, 1n);
	await assert.rejects(through(contract.address), /StaleBlock/);
});
