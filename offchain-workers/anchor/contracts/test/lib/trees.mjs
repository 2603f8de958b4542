// The chain's trees: `binary-merkle-tree`, and the range of `pallet-mmr` with its proofs, position by position as the SDK's
// library has them.

import { keccak } from './scale.mjs';

const node = (left, right) => keccak(left, right);

/** Rows of the tree over hashes of leaves, the lowest first. */
function rows(hashes) {
	const all = [hashes];
	while (all.at(-1).length > 1) {
		const below = all.at(-1);
		const row = [];
		for (let i = 0; i < below.length; i += 2) {
			row.push(i + 1 < below.length ? node(below[i], below[i + 1]) : below[i]);
		}
		all.push(row);
	}
	return all;
}

/** `binary_merkle_tree::merkle_root::<Keccak256, _>`. */
export function merkleRoot(leaves) {
	if (leaves.length === 0) return new Uint8Array(32);
	return rows(leaves.map((leaf) => keccak(leaf))).at(-1)[0];
}

/** `binary_merkle_tree::merkle_proof::<Keccak256, _, _>`, its items. */
export function merkleProof(leaves, index) {
	const items = [];
	let place = index;
	for (const row of rows(leaves.map((leaf) => keccak(leaf)))) {
		const sibling = place ^ 1;
		if (sibling < row.length) items.push(row[sibling]);
		place >>= 1;
	}
	return items;
}

const ones = (value) => BigInt(value).toString(2).replaceAll('0', '').length;
const trailingZeros = (value) => Math.log2(value & -value);

/** Positions of a range of so many nodes that are peaks. */
function peaks(size) {
	const out = [];
	let before = 0;
	let rest = size;
	for (let peak = 2 ** 31 - 1; peak > 0; peak = (peak - 1) / 2) {
		if (rest >= peak) {
			rest -= peak;
			out.push(before + peak - 1);
			before += peak;
		}
	}
	return out;
}

function height(position) {
	let rest = position;
	for (let peak = 2 ** 31 - 1; peak > 0; peak = (peak - 1) / 2) {
		if (rest >= peak) rest -= peak;
	}
	return rest;
}

const sizeOf = (leaves) => 2 * leaves - ones(leaves);
const positionOf = (index) => sizeOf(index + 1) - trailingZeros(index + 1) - 1;

/** `bag_rhs_peaks`: the right peak comes first. */
function bag(hashes) {
	const rest = [...hashes];
	while (rest.length > 1) {
		const right = rest.pop();
		const left = rest.pop();
		rest.push(node(right, left));
	}
	return rest[0];
}

/** A mountain range. Keeps every node, so it can prove each leaf in each of its past states. */
export class Range {
	#nodes = [];
	leaves = 0;

	/** Appends the hash of a leaf. */
	push(hash) {
		this.#nodes.push(hash);
		let rise = 0;
		while (height(this.#nodes.length) > rise) {
			const right = this.#nodes.length - 1;
			const left = right - (2 ** (rise + 1) - 1);
			this.#nodes.push(node(this.#nodes[left], this.#nodes[right]));
			rise++;
		}
		this.leaves++;
		if (this.#nodes.length !== sizeOf(this.leaves)) throw new Error('the range is broken');
	}

	/** Root when it had so many leaves. */
	root(leaves = this.leaves) {
		return bag(peaks(sizeOf(leaves)).map((position) => this.#nodes[position]));
	}

	/** `mmr_generateProof` of one leaf when the range had `leaves`. */
	proof(index, leaves = this.leaves) {
		const target = positionOf(index);
		const items = [];
		let bagged = 0;
		let found = false;
		for (const peak of peaks(sizeOf(leaves))) {
			if (found || target > peak) {
				items.push(this.#nodes[peak]);
				if (found) bagged++;
				continue;
			}
			found = true;
			let position = target;
			for (let rise = 0; position !== peak; rise++) {
				const offset = 2 ** (rise + 1) - 1;
				if (height(position + 1) > rise) {
					items.push(this.#nodes[position - offset]);
					position += 1;
				} else {
					items.push(this.#nodes[position + offset]);
					position += 2 ** (rise + 1);
				}
			}
		}
		if (bagged > 1) items.push(bag(items.splice(items.length - bagged)));
		return { leafIndex: index, leafCount: leaves, items };
	}
}
