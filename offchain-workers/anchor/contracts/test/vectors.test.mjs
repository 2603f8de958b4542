// The encodings and trees of these tests give what the SDK's own tests expect, and the contracts give what these tests do.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VECTORS, deployRaw, refused } from './lib/anchor.mjs';
import { required } from './lib/chain.mjs';
import { evm } from './lib/evm.mjs';
import { bytes, commitment, commitmentOf, concat, hex, keccak, leaf, little, unhex } from './lib/scale.mjs';
import { Range, merkleProof, merkleRoot } from './lib/trees.mjs';

const ascii = (text) => new TextEncoder().encode(text);
const hash = (i) => keccak(little(i, 4));

const { contract } = await deployRaw(await evm(), VECTORS);

test('commitments are encoded as in the tests of sp-consensus-beefy', () => {
	const encoded = commitmentOf([['mh', bytes(ascii('Hello World!'))]], 5, 0, 16);
	const expected = '046d68343048656c6c6f20576f726c6421050000000000000000000000000000000000000000000000';
	assert.equal(hex(encoded), `0x${expected}`);
});

test('merkle roots are those of the tests of binary-merkle-tree', () => {
	const root = (leaves) => hex(merkleRoot(leaves)).slice(2);
	const addresses = ['E04CC55ebEE1cBCE552f250e85c57B70B2E2625b', '25451A4de12dcCc2D166922fA938E900fCc4ED24'].map(unhex);
	const letters = (text) => [...text].map(ascii);
	assert.equal(root([]), '00'.repeat(32));
	assert.equal(root(addresses.slice(0, 1)), 'aeb47a269393297f4b0a3c9c9cfd00c7a4195255274cf39d83dabc2fcc9ff3d7');
	assert.equal(root(addresses), '697ea2a8fe5b03468548a7a413424a6292ab44a82a6f5cc594c3fa7dda7ce402');
	assert.equal(root(letters('abc')), 'aff1208e69c9e8be9b584b07ebac4e48a1ee9d15ce3afe20b77a4d29e4175aa3');
	assert.equal(root(letters('abab')), 'dc8e73fe6903148ff5079baecc043983625c23b39f31537e322cd0deee09fa9c');
	assert.equal(root(letters('abcdefghij')), 'fb3b3be94be9e983ba5e094c9c51a7d96a4fa2e5d8e891df00ca89ba05bb1239');
});

test('ranges and their proofs are those of the tests of pallet-mmr', () => {
	// Their leaf is a pair of which each half is hashed first: number and hash of the parent, and a record.
	const half = (data) => concat([1], keccak(data));
	const range = new Range();
	for (let block = 1; block <= 7; block++) {
		const parent = concat(little(block - 1, 8), new Uint8Array(32).fill(block));
		const record = concat(little(block, 8), bytes([]));
		range.push(keccak(half(parent), half(record)));
	}
	const items = (index, leaves) => range.proof(index, leaves).items.map((item) => hex(item).slice(2, 10));
	assert.equal(hex(range.root(1)), '0x4320435e8c3318562dba60116bdbcc0b82ffcecb9bb39aae3300cfda3ad0b8b0');
	assert.equal(hex(range.root(2)), '0x672c04a9cd05a644789d769daa552d35d8de7c33129f8a7cbf49e595234c4854');
	assert.equal(hex(range.root(7)), '0xe45e25259f7930626431347fa4dd9aae7ac83b4966126d425ca70ab343709d2c');
	assert.deepEqual(items(0, 1), []);
	assert.deepEqual(items(0, 7), ['ad4cbc03', 'cb24f461', 'dca42119']);
	assert.deepEqual(items(2, 7), ['1b14c1dc', '672c04a9', 'dca42119']);
	assert.deepEqual(items(2, 3), ['672c04a9']);
	assert.deepEqual(items(2, 5), ['1b14c1dc', '672c04a9', '3b031d22']);
	assert.deepEqual(items(4, 7), ['ae88a082', '8ed25570', '611c2174']);
	assert.deepEqual(items(6, 7), ['ae88a082', '7e4316ae']);
});

test('the contract asks for the quorum that the gadget asks for', async () => {
	for (const n of [1, 2, 3, 4, 5, 6, 7, 99, 100, 101, 255, 256, 257, 300]) {
		assert.equal(Number(await contract.read('required', n)), required(n), `of ${n}`);
	}
	assert.deepEqual([1, 2, 3, 4, 7, 100, 256].map(required), [1, 2, 3, 3, 5, 67, 171]);
});

test('a path of another length than its place asks for is refused', async () => {
	const messages = Array.from({ length: 5 }, (_, i) => concat(new Uint8Array(69), [i]));
	const items = merkleProof(messages, 4);
	assert.equal(items.length, 1, 'the last of five goes up two rows as it is');
	const path = (changed) => contract.read('outboxRoot', hash(0), { index: 4, count: 5, items, ...changed });
	await refused(path({ items: [] }), 'MessageProofLength', 1, 0);
	await refused(path({ items: [...items, hash(1)] }), 'MessageProofLength', 1, 2);
	await refused(path({ index: 5 }), 'MessageIndex', 5, 5);
	await refused(path({ index: 0, count: 0 }), 'MessageIndex', 0, 0);
});

test('the contract proves leaves of short ranges and of long ones', async () => {
	const range = new Range();
	for (let leaves = 1; leaves <= 5000; leaves++) range.push(hash(leaves));
	const short = [1, 2, 3, 7, 20, 40].flatMap((leaves) => [[0, leaves], [leaves >> 1, leaves], [leaves - 1, leaves]]);
	const long = [[0, 5000], [4095, 4999], [4096, 4999], [4998, 4999], [2047, 4096], [4999, 5000]];
	for (const [index, leaves] of [...short, ...long]) {
		const root = await contract.read('rangeRoot', hash(index + 1), range.proof(index, leaves));
		assert.equal(root, hex(range.root(leaves)), `${index} of ${leaves}`);
	}
});

test('a proof of a leaf of another length than its place asks for is refused', async () => {
	const range = new Range();
	for (let i = 1; i <= 7; i++) range.push(hash(i));
	const proof = range.proof(2);
	const root = (changed) => contract.read('rangeRoot', hash(3), { ...proof, ...changed });
	await refused(root({ items: proof.items.slice(1) }), 'LeafProofLength', 3, 2);
	await refused(root({ items: [...proof.items, hash(1)] }), 'LeafProofLength', 3, 4);
	await refused(root({ leafIndex: 7 }), 'LeafIndex', 7, 7);
	await refused(root({ leafIndex: 0, leafCount: 0 }), 'LeafIndex', 0, 0);
});

test('the contract reads commitments', async () => {
	const given = { genesis: hash(1), root: hash(2), blockNumber: 0x01020304, setId: 0x0102030405060708n };
	const raw = commitment(given);
	assert.equal(raw.length, 83);
	const read = await contract.read('commitment', raw);
	assert.deepEqual(
		[...read],
		[hex(given.genesis), hex(given.root), BigInt(given.blockNumber), given.setId],
	);
});

test('a commitment with other entries than two is refused', async () => {
	const [ch, mh] = [['ch', hash(1)], ['mh', hash(2)]];
	const read = (...entries) => contract.read('commitment', commitmentOf(entries, 1, 0));
	await refused(read(mh), 'PayloadEntries', 2, 1);
	await refused(read(ch, mh, ['zz', hash(3)]), 'PayloadEntries', 2, 3);
	await refused(read(mh, ch), 'PayloadEntry', 0, '0x636880', '0x6d6880');
	await refused(read(ch, ['mi', hash(2)]), 'PayloadEntry', 1, '0x6d6880', '0x6d6980');
	await refused(read(['ch', hash(1).slice(1)], mh), 'CommitmentLength', 83, 82);
	// Both lengths are wrong, but not their sum.
	await refused(read(['ch', hash(1).slice(1)], ['mh', concat(hash(2), [0])]), 'PayloadEntry', 0, '0x636880', '0x63687c');
	await refused(contract.read('commitment', '0x'), 'CommitmentLength', 83, 0);
	await refused(contract.read('commitment', concat(commitmentOf([ch, mh], 1, 0), [0])), 'CommitmentLength', 83, 84);
});

test('the contract reads leaves', async () => {
	const next = { id: 0x0102030405060708n, len: 0x01020304, root: hash(2) };
	const given = { parentNumber: 0x05060708, parentHash: hash(1), next, outboxRoot: hash(3), time: 0x1112131415161718n };
	const raw = leaf(given);
	assert.equal(raw.length, 121);
	const [parentNumber, [id, len, root], outboxRoot, time] = await contract.read('leaf', raw);
	assert.deepEqual(
		[parentNumber, id, len, root, outboxRoot, time],
		[BigInt(given.parentNumber), next.id, BigInt(next.len), hex(next.root), hex(given.outboxRoot), given.time],
	);
	await refused(contract.read('leaf', leaf({ ...given, version: 0x20 })), 'LeafVersion', 0, 0x20);
	await refused(contract.read('leaf', concat(raw, [0])), 'LeafLength', 121, 122);
});
