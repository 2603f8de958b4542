// The contracts agree with the chain's own code: with what the runtime and the SDK's crates made, which vectors/chain.json has.
// Nothing of what is expected here comes from these tests' own encodings and trees, which are compared with it besides.
//
// On anvil all of it is compared; in this process, which is many times slower, a part. `cargo test` compares all of it in
// another EVM, in offchain-workers/anchor/embedded.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { ANCHOR, NO_HANDOVER, SETTINGS, VECTORS, deployRaw, refused } from './lib/anchor.mjs';
import { BEGINNING, compactSignature, keys } from './lib/chain.mjs';
import { evm } from './lib/evm.mjs';
import { commitment, hex, keccak, leaf, unhex } from './lib/scale.mjs';
import { Range, merkleProof, merkleRoot } from './lib/trees.mjs';

const chain = JSON.parse(readFileSync(new URL('../vectors/chain.json', import.meta.url), 'utf8'));
const { authorities, checkpoints, genesis, outboxes, range, sets } = chain;

const zeros = '00'.repeat(32);
const blockOf = (number) => range.blocks[number - 1];
const setOf = ({ id, len, root }) => ({ id, len, root });
const proofOf = ({ leafIndex, leafCount, items }) => ({ leafIndex, leafCount, items });
/** All on anvil; else one of so many, and the last. */
const some = (list, step) =>
	list.filter((_, i) => process.env.ANVIL || i % step === 0 || i === list.length - 1);

const { contract } = await deployRaw(await evm(), VECTORS);

test('addresses of validators are those that the chain computes', () => {
	const addresses = keys('vectors', process.env.ANVIL ? 300 : 30).map((key) => hex(key.address));
	assert.equal(authorities.addresses.length, 300);
	assert.deepEqual(addresses, authorities.addresses.slice(0, addresses.length));
});

test('the root of every set of 1 to 300 authorities is that of the chain', async () => {
	assert.equal(authorities.roots.length, 300);
	const sizes = Array.from({ length: 300 }, (_, i) => i + 1);
	const chosen = [...sizes.slice(0, 10), 16, 17, 100, 255, 256, 257, 300];
	for (const n of process.env.ANVIL ? sizes : chosen) {
		const addresses = authorities.addresses.slice(0, n);
		const root = authorities.roots[n - 1];
		assert.equal(await contract.read('authorityRoot', addresses), root, `of ${n}`);
		assert.equal(hex(merkleRoot(addresses.map(unhex))), root, `of ${n}`);
	}
});

test('the contract reads commitments of the chain', async () => {
	for (const { block, set, root, commitment: raw, digest } of checkpoints) {
		const read = await contract.read('commitment', raw);
		assert.deepEqual([...read], [genesis, root, BigInt(block), BigInt(set)]);
		const made = commitment({ genesis: unhex(genesis), root: unhex(root), blockNumber: block, setId: set });
		assert.equal(hex(made), raw);
		assert.equal(hex(keccak(unhex(raw))), digest);
	}
});

test('the contract reads leaves of the chain', async () => {
	for (const { number, parentHash, nextSet, outboxRoot, time, leaf: raw } of range.blocks) {
		const next = sets[nextSet];
		const [parentNumber, [id, len, root], outbox, milliseconds] = await contract.read('leaf', raw);
		assert.deepEqual(
			[parentNumber, id, len, root, outbox, milliseconds],
			[BigInt(number - 1), BigInt(next.id), BigInt(next.len), next.root, outboxRoot, BigInt(time)],
		);
		const made = leaf({
			parentNumber: number - 1,
			parentHash: unhex(parentHash),
			next: { ...next, root: unhex(next.root) },
			outboxRoot: unhex(outboxRoot),
			time,
		});
		assert.equal(hex(made), raw);
	}
});

test('the contract proves leaves as the chain does', async () => {
	for (const proof of some(range.proofs, 5)) {
		const node = keccak(unhex(blockOf(proof.block).leaf));
		const root = await contract.read('rangeRoot', node, proofOf(proof));
		assert.equal(root, blockOf(proof.rootBlock).root, `${proof.block} by ${proof.rootBlock}`);
	}
});

test('the range of these tests is that of the chain', () => {
	const own = new Range();
	for (const { number, leaf: raw, root } of range.blocks) {
		own.push(keccak(unhex(raw)));
		assert.equal(hex(own.root()), root, `of ${number}`);
	}
	for (const proof of range.proofs) {
		const { leafIndex, leafCount, items } = own.proof(proof.block - 1, proof.rootBlock);
		assert.deepEqual({ leafIndex, leafCount, items: items.map(hex) }, proofOf(proof));
	}
});

test('the contract proves messages as the chain does', async () => {
	for (const { messages, root, proofs } of some(outboxes, 3)) {
		const raw = messages.map(unhex);
		assert.equal(hex(merkleRoot(raw)), root);
		if (messages.length === 0) assert.equal(root, `0x${zeros}`);
		for (const proof of proofs) {
			assert.equal(await contract.read('outboxRoot', keccak(raw[proof.index]), proof), root);
			assert.deepEqual(merkleProof(raw, proof.index).map(hex), proof.items);
		}
	}
});

/** A client of this chain, from its first sets on. */
async function client() {
	const settings = {
		genesisHash: genesis,
		blockNumber: 0,
		current: setOf(sets[0]),
		next: setOf(sets[1]),
		currentSince: BEGINNING,
		...SETTINGS,
	};
	return (await deployRaw(await evm(), ANCHOR, [settings])).contract;
}

/** What `submit` takes of a checkpoint. */
function submission({ block, set, commitment: raw, signatures }, handover) {
	const { addresses } = sets[set];
	const bitmap = new Array(Math.ceil(addresses.length / 256)).fill(0n);
	const compact = signatures.map(({ index, signature }) => {
		bitmap[index >> 8] |= 1n << BigInt(index & 255);
		const bytes = unhex(signature);
		return compactSignature(bytes.slice(0, 32), bytes.slice(32, 64), bytes[64]);
	});
	if (!handover) return [raw, addresses, bitmap, compact, NO_HANDOVER];
	const proof = range.proofs.find((known) => known.block === block && known.rootBlock === block);
	const items = proof ? proof.items : ownProof(block);
	const leafProof = { leafIndex: block - 1, leafCount: block, items };
	return [raw, addresses, bitmap, compact, { leaf: blockOf(block).leaf, proof: leafProof }];
}

/** Proof of a block's leaf by its own root. */
function ownProof(block) {
	const own = new Range();
	for (const { leaf: raw } of range.blocks.slice(0, block)) own.push(keccak(unhex(raw)));
	return own.proof(block - 1).items.map(hex);
}

test('a client follows what the sets of the chain signed through three handovers', async () => {
	const anchor = await client();
	let current = 0;
	for (const checkpoint of checkpoints) {
		await anchor.send('relayer', 'submit', ...submission(checkpoint, checkpoint.set > current));
		current = checkpoint.set;
		const status = await anchor.read('status');
		assert.equal(Number(status.latestBlock), checkpoint.block);
		assert.equal(Number(status.setId), checkpoint.set);
		assert.equal(status.root, checkpoint.root);
		assert.equal(checkpoint.root, blockOf(checkpoint.block).root);
	}
	assert.equal(current, 3);
});

test('a signature that is of another commitment is refused', async () => {
	const anchor = await client();
	const [first, second] = checkpoints;
	const mixed = { ...first, signatures: [second.signatures[0], ...first.signatures.slice(1)] };
	mixed.signatures[0] = { ...mixed.signatures[0], index: first.signatures[0].index };
	await refused(anchor.send('relayer', 'submit', ...submission(mixed, true)), 'WrongSigner');
});

test('the answer of a node holds the leaf and its proof', () => {
	const { block, rootBlock, leaves, proof } = range.answer;
	const known = range.proofs.find((other) => other.block === block && other.rootBlock === rootBlock);
	// One leaf, of 121 bytes: a compact 1, and a compact 121 in two bytes.
	assert.equal(leaves, `0x04e501${blockOf(block).leaf.slice(2)}`);
	const little = (value) => Buffer.from(new BigUint64Array([BigInt(value)]).buffer).toString('hex');
	const items = known.items.map((item) => item.slice(2)).join('');
	const count = (known.items.length << 2).toString(16).padStart(2, '0');
	assert.equal(proof, `0x04${little(known.leafIndex)}${little(known.leafCount)}${count}${items}`);
});
