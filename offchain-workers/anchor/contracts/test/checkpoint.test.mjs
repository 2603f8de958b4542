// Checkpoints: which are taken, and with which error the others are refused.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { BEGINNING, Chain, compactSignature, keys } from './lib/chain.mjs';
import { DAY, NO_HANDOVER, deploy, refused } from './lib/anchor.mjs';
import { commitment, concat, hex, keccak } from './lib/scale.mjs';

const MAX_S = '0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0';

/** A chain with one block, and its anchor. */
async function start(options = {}) {
	const chain = new Chain(options);
	chain.author();
	return { chain, anchor: await deploy(chain) };
}

/** The same without the block's checkpoint, but after a session began in block 2. */
async function rotated(options = {}) {
	const { chain, anchor } = await start(options);
	await anchor.checkpoint();
	chain.author({ rotate: true });
	return { chain, anchor };
}

test('a checkpoint is kept with its root, block, set and epoch', async () => {
	const { chain, anchor } = await start();
	const before = await anchor.status();
	assert.deepEqual([before.latestBlock, before.root], [0n, hex(new Uint8Array(32))]);
	const { events } = await anchor.checkpoint();
	assert.deepEqual(events.map(({ name }) => name), ['Checkpoint', 'Signed']);
	const status = await anchor.status();
	assert.equal(status.latestBlock, 1n);
	assert.equal(status.root, hex(chain.range.root()));
	assert.equal(status.setId, 0n);
	assert.ok(status.lastEpoch > before.lastEpoch);
	assert.equal(status.frozen, false);
	assert.equal(await anchor.contract.read('rootAt', 1), hex(chain.range.root()));
});

test('any quorum will do, and more than a quorum', async () => {
	const { chain, anchor } = await start({ sizes: [7] });
	for (const signers of [[0, 1, 2, 3, 4], [2, 3, 4, 5, 6], [0, 2, 4, 5, 6], [0, 1, 2, 3, 4, 5, 6]]) {
		await anchor.submit(chain.commit(chain.number, { signers }));
		chain.author();
	}
});

test('blocks may be left out', async () => {
	const { chain, anchor } = await start({ sizes: [1] });
	for (let i = 0; i < 100; i++) chain.author();
	await anchor.checkpoint();
	assert.equal((await anchor.status()).latestBlock, 101n);
	await refused(anchor.contract.read('rootAt', 100), 'UnknownRoot', 101, 101, 100);
});

test('one signature less than a quorum is refused', async () => {
	const { chain, anchor } = await start({ sizes: [7] });
	await refused(anchor.submit(chain.commit(1, { signers: [0, 1, 2, 3] })), 'QuorumNotReached', 5, 4);
	await refused(anchor.submit(chain.commit(1, { signers: [] })), 'QuorumNotReached', 5, 0);
});

test('one signature cannot count for two', async () => {
	const { chain, anchor } = await start({ sizes: [7] });
	const signed = chain.commit(1, { signers: [0, 1, 2, 3, 6] });
	signed.signatures[4] = signed.signatures[1];
	await refused(anchor.submit(signed), 'DuplicateSigner', 6, signed.authorities[1], 1);
});

test('the signature of a stranger is refused', async () => {
	const { chain, anchor } = await start({ sizes: [7] });
	const signed = chain.commit();
	const [stranger] = keys('stranger', 1);
	signed.signatures[2] = stranger.sign(keccak(signed.commitment));
	await refused(anchor.submit(signed), 'WrongSigner', 2, signed.authorities[2], stranger.address);
});

test('signatures of another commitment are refused', async () => {
	const { chain, anchor } = await start();
	const signed = chain.commit();
	const other = chain.commit(1, { root: keccak([1]) });
	await refused(anchor.submit({ ...signed, commitment: other.commitment }), 'WrongSigner', 0, signed.authorities[0]);
});

test('a signature that belongs to no key is refused', async () => {
	const { chain, anchor } = await start();
	const signed = chain.commit();
	signed.signatures[1] = compactSignature(new Uint8Array(32), new Uint8Array(32).fill(1), 0);
	await refused(anchor.submit(signed), 'NoSigner', 1, signed.authorities[1]);
});

test('an authority without an address cannot sign', async () => {
	const chain = new Chain({ sizes: [4] });
	const nobody = {
		address: new Uint8Array(20),
		sign: () => compactSignature(new Uint8Array(32), new Uint8Array(32).fill(1), 0),
	};
	chain.others.set(0, [nobody, ...keys('somebody', 3)]);
	chain.author();
	const anchor = await deploy(chain);
	await refused(anchor.submit(chain.commit(1, { signers: [0, 1, 2] })), 'ZeroAuthority', 0);
	await anchor.submit(chain.commit(1, { signers: [1, 2, 3] }));
});

test('the twin of a signature, with s in the upper half, is refused', async () => {
	const chain = new Chain({ sizes: [1] });
	chain.author();
	// A twin has no room for the parity, but for keys that are made to have the least such s: s = (z + r d) / k.
	const digest = keccak(chain.commit().commitment);
	const { Fn, BASE } = secp256k1.Point;
	const number = (bytes) => BigInt(hex(bytes));
	const s = BigInt(MAX_S) + 1n;
	const { x, y } = BASE.multiply(5n).toAffine();
	const r = Fn.create(x);
	const secret = Fn.mul(Fn.sub(Fn.mul(s, 5n), Fn.create(number(digest))), Fn.inv(r));
	const key = BASE.multiply(secret).toBytes(false).slice(1);
	const word = (value) => Uint8Array.from(Buffer.from(value.toString(16).padStart(64, '0'), 'hex'));
	const high = compactSignature(word(r), word(s), Number(y & 1n));
	const low = compactSignature(word(r), word(Fn.neg(s)), Number(~y & 1n));
	const crafted = { address: keccak(key).slice(12), sign: () => high };
	chain.others.set(0, [crafted]);

	const anchor = await deploy(chain);
	await refused(anchor.submit(chain.commit()), 'HighS', 0, MAX_S, word(s));
	crafted.sign = () => low;
	await anchor.submit(chain.commit());
});

test('a block that is not later than the last is refused', async () => {
	const { chain, anchor } = await start();
	chain.author();
	await anchor.checkpoint();
	await refused(anchor.submit(chain.commit(2)), 'StaleBlock', 2, 2);
	await refused(anchor.submit(chain.commit(1)), 'StaleBlock', 2, 1);
});

test('the commitment of another chain is refused, though the keys are the same', async () => {
	const { chain, anchor } = await start();
	const genesis = keccak([1]);
	await refused(anchor.submit(chain.commit(1, { genesis })), 'WrongChain', chain.genesis, genesis);
});

test('another set is refused', async () => {
	const { chain, anchor } = await start({ sizes: [4] });
	const signed = chain.commit();
	const strangers = keys('stranger', 4);
	const digest = keccak(signed.commitment);
	const forged = {
		...signed,
		authorities: strangers.map((key) => key.address),
		signatures: strangers.slice(0, 3).map((key) => key.sign(digest)),
	};
	await refused(anchor.submit(forged), 'AuthorityRoot', chain.set(0).root);
	const { authorities } = signed;
	const swapped = [authorities[1], authorities[0], ...authorities.slice(2)];
	await refused(anchor.submit({ ...signed, authorities: swapped }), 'AuthorityRoot', chain.set(0).root);
	await refused(anchor.submit({ ...signed, authorities: authorities.slice(1) }), 'AuthorityCount', 4, 3);
	await refused(anchor.submit({ ...signed, authorities: [...authorities, authorities[0]] }), 'AuthorityCount', 4, 5);
	await refused(anchor.submit({ ...signed, authorities: [] }), 'AuthorityCount', 4, 0);
});

test('a bitmap that is too short, too long or has bits for nobody is refused', async () => {
	const { chain, anchor } = await start({ sizes: [300, 1] });
	// As if a quorum had signed: nothing here comes as far as its signatures.
	const bitmap = [(1n << 201n) - 1n, 0n];
	const signatures = new Array(201).fill([new Uint8Array(32), new Uint8Array(32)]);
	const signed = { ...chain.commit(1, { signers: [] }), bitmap, signatures };
	await refused(anchor.submit({ ...signed, bitmap: bitmap.slice(0, 1) }), 'BitmapLength', 2, 1);
	await refused(anchor.submit({ ...signed, bitmap: [...bitmap, 0n] }), 'BitmapLength', 2, 3);
	const tail = 1n << 44n;
	await refused(anchor.submit({ ...signed, bitmap: [bitmap[0], tail] }), 'BitmapTail', 300, tail);
	await refused(anchor.submit({ ...signed, signatures: signed.signatures.slice(1) }), 'SignatureCount', 201, 200);
	const more = [...signed.signatures, signed.signatures[0]];
	await refused(anchor.submit({ ...signed, signatures: more }), 'SignatureCount', 201, 202);
	// That such a set can sign is tested in offchain-workers/anchor/embedded, by `cargo test`: 200 signatures take long here.
});

test('the next set takes over by a leaf of its session, any of its blocks', async () => {
	const { chain, anchor } = await rotated({ sizes: [4, 7, 2] });
	chain.author();
	const { events } = await anchor.submit(chain.commit(3), chain.leafProof(2, 3));
	assert.deepEqual(events.map(({ name }) => name), ['HandedOver', 'Checkpoint', 'Signed']);
	const [previous, current, next] = await anchor.contract.read('authoritySets');
	const plain = ({ id, len, root }) => [id, len, root];
	const set = ({ id, len, root }) => [BigInt(id), BigInt(len), hex(root)];
	assert.deepEqual(plain(previous), set(chain.set(0)));
	assert.deepEqual(plain(current), set(chain.set(1)));
	assert.deepEqual(plain(next), set(chain.set(2)));
	chain.author();
	await anchor.submit(chain.commit());
});

test('sessions that were missed are made up for by one commitment each', async () => {
	const { chain, anchor } = await start({ sizes: [1] });
	const first = [];
	for (let session = 1; session <= 4; session++) {
		first.push(chain.author({ rotate: true }));
		chain.author();
	}
	await refused(anchor.checkpoint(), 'SkippedHandover', 1, 4);
	let setId = 1;
	for (const block of first) {
		await anchor.submit(chain.commit(block, { setId: setId++ }), chain.leafProof(block, block));
	}
	await anchor.checkpoint();
	assert.equal((await anchor.status()).latestBlock, 9n);
});

test('a set that has handed over is refused', async () => {
	const { chain, anchor } = await rotated();
	await anchor.checkpoint();
	chain.author();
	await refused(anchor.submit(chain.commit(3, { setId: 0 })), 'RetiredSet', 1, 0);
});

test('the next set cannot sign without showing who follows it', async () => {
	const { chain, anchor } = await rotated();
	const signed = chain.commit();
	await refused(anchor.submit(signed, NO_HANDOVER), 'HandoverMissing', 2);
	await refused(anchor.submit(signed, chain.leafProof(1)), 'WrongHandover', 2, 1);
	const { leaf, proof } = chain.leafProof(2);
	const forged = Uint8Array.from(leaf);
	forged[60] ^= 1;
	await refused(anchor.submit(signed, { leaf: forged, proof }), 'LeafNotProven', chain.range.root());
	const longer = { leaf: concat(leaf, [0]), proof };
	await refused(anchor.submit(signed, longer), 'LeafNotProven', chain.range.root());
	// A node of the range is no leaf, whatever it is said to be.
	const left = keccak(chain.leaves[0]);
	const node = { leaf: concat(left, keccak(leaf)), proof: { leafIndex: 0, leafCount: 1, items: [] } };
	await refused(anchor.submit(signed, node), 'LeafLength', 121, 64);
	await anchor.submit(signed, { leaf, proof });
});

test('a leaf with no set to follow, or too great a one, is refused', async () => {
	for (const len of [0, 65_536]) {
		const { chain, anchor } = await start({ sizes: [1] });
		await anchor.checkpoint();
		chain.author({ rotate: true, next: { id: 2, len, root: keccak([1]) } });
		await refused(anchor.checkpoint(), 'SetLength', 65_535, len);
	}
	const { chain, anchor } = await start({ sizes: [1] });
	await anchor.checkpoint();
	chain.author({ rotate: true, version: 1 });
	await refused(anchor.checkpoint(), 'LeafVersion', 0, 1);
});

/** Lets time go by on both chains, on the anchor a minute more, so that its clock is not behind. */
async function wait(chain, anchor, seconds) {
	chain.time += seconds;
	await anchor.machine.advance(seconds + 60);
}

test('a set is not believed when it took over too long ago, however often it signed since', async () => {
	const { chain, anchor } = await start({ sizes: [1] });
	for (let day = 0; day < 13; day++) {
		await wait(chain, anchor, DAY);
		await anchor.checkpoint();
		chain.author();
	}
	await wait(chain, anchor, DAY);
	const since = BigInt(BEGINNING + 14 * DAY);
	assert.equal(await anchor.contract.read('staleSince'), since);
	await refused(anchor.checkpoint(), 'ClientStale', since);
	chain.author({ rotate: true });
	await refused(anchor.checkpoint(), 'ClientStale', since);
});

test('a handover renews the belief, from when it took place there', async () => {
	const { chain, anchor } = await start({ sizes: [1] });
	for (let i = 0; i < 3; i++) {
		await wait(chain, anchor, 10 * DAY);
		// The leaf has the time of the block before it.
		chain.author();
		const { time } = chain;
		chain.author({ rotate: true });
		await anchor.checkpoint();
		assert.equal(await anchor.contract.read('staleSince'), BigInt(time + 14 * DAY));
	}
});

test('old checkpoints, sent one by one, do not keep a set alive', async () => {
	const { chain, anchor } = await start({ sizes: [1] });
	const first = [1, 2].map(() => {
		chain.time += DAY;
		return chain.author({ rotate: true });
	});
	await anchor.machine.advance(13 * DAY);
	const block = first[0];
	await anchor.submit(chain.commit(block, { setId: 1 }), chain.leafProof(block, block));
	// Set 1 took over on the first day. That this became known on the thirteenth only is no reason to believe it longer.
	await anchor.machine.advance(2 * DAY + 60);
	await refused(anchor.checkpoint(), 'ClientStale');
});

test('a time that is ahead of the anchor is not believed', async () => {
	const { chain, anchor } = await start({ sizes: [1] });
	await anchor.checkpoint();
	chain.time += 1000 * DAY;
	chain.author({ rotate: true });
	await anchor.checkpoint();
	const since = Number(await anchor.contract.read('staleSince'));
	assert.ok(since < BEGINNING + 15 * DAY, `${since}`);
});

// That only the last 1,024 are found is tested in offchain-workers/anchor/embedded, by `cargo test`.
test('roots of checkpoints are found, and no others', async () => {
	const { chain, anchor } = await start({ sizes: [1] });
	const root = (block) => anchor.contract.read('rootAt', block);
	const blocks = [];
	for (let i = 0; i < 20; i++) {
		// Blocks between are left out.
		if (i % 3 === 1) chain.author();
		blocks.push(chain.number);
		await anchor.checkpoint();
		chain.author();
	}
	const [oldest, latest] = [blocks[0], blocks.at(-1)];
	for (const block of blocks) {
		assert.equal(await root(block), hex(chain.range.root(block)), `of ${block}`);
	}
	const between = blocks.find((block, i) => blocks[i + 1] === block + 2) + 1;
	for (const block of [0, between, latest + 1, 2 ** 32 - 1]) {
		await refused(root(block), 'UnknownRoot', oldest, latest, block);
	}
});

test('a commitment in another form is refused before any signature is looked at', async () => {
	const { chain, anchor } = await start();
	const raw = commitment({ genesis: chain.genesis, root: chain.range.root(), blockNumber: 1, setId: 0 });
	await refused(anchor.submit(chain.signed(concat(raw, [0]), 0)), 'CommitmentLength', 83, 84);
	await refused(anchor.submit(chain.signed(concat([4], raw.slice(36)), 0)), 'PayloadEntries', 2, 1);
});
