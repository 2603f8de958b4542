// A Millrace chain, as far as its anchor sees it: sets of validators that take turns, blocks with a leaf and messages, and
// commitments that validators sign.

import { secp256k1 } from '@noble/curves/secp256k1.js';
import { big, commitment, concat, keccak, leaf, unhex } from './scale.mjs';
import { Range, merkleProof, merkleRoot } from './trees.mjs';

/** A key of which everybody knows the secret. */
export class Key {
	constructor(name) {
		this.secret = keccak(new TextEncoder().encode(name));
		// Without the byte that says that the point is not compressed.
		this.address = keccak(secp256k1.getPublicKey(this.secret, false).slice(1)).slice(12);
	}

	/** Signs a digest as BEEFY's keystore does: r and s, and in the highest bit of s which of two points it is. */
	sign(digest) {
		const raw = secp256k1.sign(digest, this.secret, { prehash: false, format: 'recovered' });
		return compactSignature(raw.slice(1, 33), raw.slice(33), raw[0]);
	}
}

/** EIP-2098. */
export function compactSignature(r, s, parity) {
	const packed = Uint8Array.from(s);
	if (packed[0] & 0x80) throw new Error('no room for the parity');
	packed[0] |= parity << 7;
	return [r, packed];
}

/** Keys of a set, made from its name and cached: keys of hundreds of validators take a while. */
const known = new Map();
export const keys = (name, count) => Array.from({ length: count }, (_, i) => account(`${name}/${i}`));

/** The key with a name. */
export function account(name) {
	if (!known.has(name)) known.set(name, new Key(name));
	return known.get(name);
}

export const required = (count) => count - Math.floor((count - 1) / 3);

/** When chains of tests begin, in seconds. */
export const BEGINNING = 1_700_000_000;

export class Chain {
	/** `sizes[id]` is the size of the set with that id; the last one holds for all later ones. */
	constructor({ name = 'millrace', sizes = [4] } = {}) {
		this.name = name;
		this.sizes = sizes;
		this.genesis = keccak(new TextEncoder().encode(`${name}/genesis`));
		this.setId = 0;
		/** Time of the last block, in seconds. */
		this.time = BEGINNING;
		/** Keys that stand in the place of a set's own, by its id. */
		this.others = new Map();
		this.range = new Range();
		this.leaves = [];
		/** Messages of each block, by its number. */
		this.messages = [[]];
	}

	get number() {
		return this.leaves.length;
	}

	members(id) {
		return this.others.get(id) ?? keys(`${this.name}/set ${id}`, this.sizes[Math.min(id, this.sizes.length - 1)]);
	}

	/** A set as a leaf has it. */
	set(id) {
		const addresses = this.members(id).map((key) => key.address);
		return { id, len: addresses.length, root: merkleRoot(addresses) };
	}

	/** Makes a block. `rotate` begins a session with it; `messages` are those that it sends; `next` is another next set. */
	author({ rotate = false, messages = [], next, version } = {}) {
		const parentNumber = this.number;
		if (rotate) this.setId++;
		const encoded = leaf({
			version,
			parentNumber,
			parentHash: keccak(new TextEncoder().encode(`${this.name}/block ${parentNumber}`)),
			next: next ?? this.set(this.setId + 1),
			outboxRoot: merkleRoot(this.messages[parentNumber]),
			time: BigInt(this.time) * 1000n,
		});
		this.time++;
		this.leaves.push(encoded);
		this.range.push(keccak(encoded));
		this.messages.push(messages);
		return this.number;
	}

	/** A commitment for a block, by the set with this id, with a quorum's signatures or those of `signers`. */
	commit(blockNumber = this.number, { setId = this.setId, signers, root, genesis = this.genesis } = {}) {
		const raw = commitment({
			genesis,
			root: root ?? this.range.root(blockNumber),
			blockNumber,
			setId,
		});
		return this.signed(raw, setId, signers);
	}

	/** Signatures of a set, or a part of it, below any bytes. */
	signed(raw, setId, signers) {
		const members = this.members(setId);
		const chosen = signers ?? members.map((_, i) => i).slice(0, required(members.length));
		const bitmap = new Array(Math.ceil(members.length / 256)).fill(0n);
		for (const i of chosen) bitmap[i >> 8] |= 1n << BigInt(i & 255);
		const digest = keccak(raw);
		return {
			commitment: raw,
			authorities: members.map((key) => key.address),
			bitmap,
			signatures: [...chosen].sort((a, b) => a - b).map((i) => members[i].sign(digest)),
		};
	}

	/** A leaf with its proof, by the root of `rootBlock`. */
	leafProof(blockNumber, rootBlock = this.number) {
		return { leaf: this.leaves[blockNumber - 1], proof: this.range.proof(blockNumber - 1, rootBlock) };
	}

	/** Proof of the `index`th message of a block. The leaf that has it is that of the block after. */
	messageProof(blockNumber, index, rootBlock = this.number) {
		const messages = this.messages[blockNumber];
		return {
			path: { index, count: messages.length, items: merkleProof(messages, index) },
			...this.leafProof(blockNumber + 1, rootBlock),
		};
	}
}

/** What messages of both directions begin with. */
export function header({ kind, genesis, chainId, anchor, nonce }) {
	return concat(big(kind, 1), genesis, big(chainId, 8), unhex(anchor), big(nonce, 8));
}

export function withdrawal(place, { nonce, recipient, amount }) {
	return concat(header({ ...place, kind: 0x00, nonce }), unhex(recipient), big(amount, 16));
}

export function message(place, { nonce, sender, target, data }) {
	return concat(header({ ...place, kind: 0x01, nonce }), sender, unhex(target), data);
}

export function deposit(place, { nonce, sender, recipient, amount }) {
	return concat(header({ ...place, kind: 0x10, nonce }), unhex(sender), recipient, big(amount, 16));
}

export function forced(place, { nonce, sender, fee, data }) {
	return concat(header({ ...place, kind: 0x11, nonce }), unhex(sender), big(fee, 16), data);
}

/** The accumulator after these messages. */
export function accumulator(messages) {
	return messages.reduce((acc, raw) => keccak(acc, keccak(raw)), new Uint8Array(32));
}
