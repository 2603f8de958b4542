// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {LeafProof, OutboxProof} from "./Types.sol";
import {LeafIndex, LeafProofLength, MessageIndex, MessageProofLength} from "./Errors.sol";

/// The trees of the chain: `binary_merkle_tree` over Keccak for authorities and messages, `pallet-mmr` for leaves.
///
/// Leaves are hashed as nodes are, without a prefix. What keeps them apart is length: a node is the hash of 64 bytes, an
/// address has 20, a leaf of the range 121, and a message at least 69.
library Merkle {
    /// Root over a list of addresses. The last of an odd number goes up a row as it is.
    function authorityRoot(address[] calldata authorities) internal pure returns (bytes32 root) {
        uint256 width = authorities.length;
        if (width == 0) return 0;
        assembly ("memory-safe") {
            // The row is written beyond the free pointer, and folded in place: a node is written where its left child was,
            // or before it.
            let row := mload(0x40)
            for { let i := 0 } lt(i, width) { i := add(i, 1) } {
                mstore(0, shl(96, calldataload(add(authorities.offset, shl(5, i)))))
                mstore(add(row, shl(5, i)), keccak256(0, 20))
            }
            for {} gt(width, 1) {} {
                let to := row
                let end := add(row, shl(5, and(width, not(1))))
                for { let from := row } lt(from, end) { from := add(from, 0x40) } {
                    mstore(to, keccak256(from, 0x40))
                    to := add(to, 0x20)
                }
                if and(width, 1) { mstore(to, mload(end)) }
                width := shr(1, add(width, 1))
            }
            root := mload(row)
        }
    }

    /// Root over the messages of a block, of which one is known.
    function outboxRoot(bytes32 node, OutboxProof calldata proof) internal pure returns (bytes32) {
        uint256 index = proof.index;
        uint256 width = proof.count;
        if (index >= width) revert MessageIndex(proof.count, proof.index);
        uint256 used;
        while (width > 1) {
            // The last of an odd row has no sibling and goes up as it is.
            if (index & 1 == 1 || index + 1 < width) {
                if (used == proof.items.length) revert MessageProofLength(used + 1, used);
                bytes32 sibling = proof.items[used++];
                node = index & 1 == 1 ? hash(sibling, node) : hash(node, sibling);
            }
            index >>= 1;
            width = (width + 1) >> 1;
        }
        if (used != proof.items.length) revert MessageProofLength(used, proof.items.length);
        return node;
    }

    /// Root of the mountain range, of which one leaf is known.
    ///
    /// The items are: the peaks to the left, the siblings on the way up to the leaf's own peak, and the peaks to the right,
    /// bagged into one. Bagging puts the right one first.
    function rangeRoot(bytes32 node, LeafProof calldata proof) internal pure returns (bytes32) {
        uint256 count = proof.leafCount;
        uint256 index = proof.leafIndex;
        if (index >= count) revert LeafIndex(proof.leafCount, proof.leafIndex);

        // Each bit of the number of leaves is a peak, the highest first.
        uint256 left;
        uint256 height = 63;
        while (true) {
            uint256 size = 1 << height;
            if (count & size != 0) {
                if (index < size) break;
                index -= size;
                left++;
            }
            height--;
        }
        bool right = count & ((1 << height) - 1) != 0;

        uint256 expected = left + height + (right ? 1 : 0);
        if (proof.items.length != expected) revert LeafProofLength(expected, proof.items.length);

        for (uint256 i = 0; i < height; i++) {
            bytes32 sibling = proof.items[left + i];
            node = (index >> i) & 1 == 1 ? hash(sibling, node) : hash(node, sibling);
        }
        if (right) node = hash(proof.items[expected - 1], node);
        for (uint256 i = left; i > 0; i--) {
            node = hash(node, proof.items[i - 1]);
        }
        return node;
    }

    /// A node over two others.
    function hash(bytes32 first, bytes32 second) internal pure returns (bytes32 node) {
        assembly ("memory-safe") {
            mstore(0, first)
            mstore(0x20, second)
            node := keccak256(0, 0x40)
        }
    }
}
