// What the chain encodes, written from the SDK's sources and not from the contracts.

import { keccak_256 } from '@noble/hashes/sha3.js';

export const keccak = (...parts) => keccak_256(concat(...parts));

/** Joins bytes. */
export function concat(...parts) {
	return Uint8Array.from(parts.flatMap((part) => [...part]));
}

export const hex = (bytes) => `0x${Buffer.from(bytes).toString('hex')}`;

export function unhex(text) {
	return Uint8Array.from(Buffer.from(text.replace(/^0x/, ''), 'hex'));
}

const fixed = (value, bytes) => {
	const out = new Uint8Array(bytes);
	let rest = BigInt(value);
	for (let i = 0; i < bytes; i++, rest >>= 8n) out[i] = Number(rest & 0xffn);
	if (rest !== 0n) throw new Error(`${value} does not fit in ${bytes} bytes`);
	return out;
};

/** A number, its least byte first, as SCALE has it. */
export const little = fixed;

/** A number, its greatest byte first, as our messages have it. */
export const big = (value, bytes) => fixed(value, bytes).reverse();

/** SCALE's compact integer, up to four bytes. */
export function compact(value) {
	if (value < 1 << 6) return little(value << 2, 1);
	if (value < 1 << 14) return little((value << 2) | 1, 2);
	return little(value * 4 + 2, 4);
}

const text = (string) => new TextEncoder().encode(string);

/** `Vec<u8>`. */
export const bytes = (value) => concat(compact(value.length), value);

/** `Commitment<BlockNumber>`, of whatever payload. `entries` are pairs of a name of two letters and bytes. */
export function commitmentOf(entries, blockNumber, setId, blockNumberBytes = 4) {
	const payload = entries.map(([name, value]) => concat(text(name), bytes(value)));
	return concat(
		compact(entries.length),
		...payload,
		little(blockNumber, blockNumberBytes),
		little(setId, 8),
	);
}

/** The commitment that validators of a Millrace chain sign. */
export function commitment({ genesis, root, blockNumber, setId }) {
	return commitmentOf([['ch', genesis], ['mh', root]], blockNumber, setId);
}

/** `MmrLeaf<u32, H256, H256, (H256, u64)>`. */
export function leaf({ version = 0, parentNumber, parentHash, next, outboxRoot, time }) {
	return concat(
		little(version, 1),
		little(parentNumber, 4),
		parentHash,
		little(next.id, 8),
		little(next.len, 4),
		next.root,
		outboxRoot,
		little(time, 8),
	);
}
