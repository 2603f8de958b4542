// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AuthoritySet} from "./Types.sol";
import {CommitmentLength, LeafLength, LeafVersion, PayloadEntries, PayloadEntry} from "./Errors.sol";

/// A commitment, decoded.
struct Commitment {
    bytes32 genesisHash;
    bytes32 mmrRoot;
    uint32 blockNumber;
    uint64 setId;
}

/// An MMR leaf, decoded. The hash of the parent block is of no use here.
struct Leaf {
    uint32 parentNumber;
    AuthoritySet next;
    /// Root over the messages of the parent block.
    bytes32 outboxRoot;
    /// Time of the parent block, in milliseconds.
    uint64 time;
}

/// Reads what the chain encodes. Both encodings have one length, so that each value has one place.
library Scale {
    uint256 internal constant COMMITMENT_BYTES = 83;
    uint256 internal constant LEAF_BYTES = 121;

    /// Two as a compact integer, which is how many entries the payload has.
    uint8 private constant TWO_ENTRIES = 2 << 2;
    /// Name of an entry, and 32 as a compact integer, which is how many bytes it has.
    bytes3 private constant GENESIS_ENTRY = "ch\x80";
    bytes3 private constant ROOT_ENTRY = "mh\x80";

    /// Decodes `Commitment<u32>` whose payload is the genesis hash under `ch` and the MMR root under `mh`, and nothing else.
    function commitment(bytes calldata raw) internal pure returns (Commitment memory decoded) {
        if (raw.length != 0 && uint8(raw[0]) != TWO_ENTRIES) {
            revert PayloadEntries(2, uint8(raw[0]) >> 2);
        }
        if (raw.length != COMMITMENT_BYTES) revert CommitmentLength(COMMITMENT_BYTES, raw.length);
        if (bytes3(raw[1:]) != GENESIS_ENTRY) revert PayloadEntry(0, GENESIS_ENTRY, bytes3(raw[1:]));
        if (bytes3(raw[36:]) != ROOT_ENTRY) revert PayloadEntry(1, ROOT_ENTRY, bytes3(raw[36:]));
        decoded.genesisHash = bytes32(raw[4:]);
        decoded.mmrRoot = bytes32(raw[39:]);
        decoded.blockNumber = uint32(littleEndian(bytes8(bytes4(raw[71:]))));
        decoded.setId = littleEndian(bytes8(raw[75:]));
    }

    /// Decodes `MmrLeaf<u32, H256, H256, (H256, u64)>`.
    function leaf(bytes calldata raw) internal pure returns (Leaf memory decoded) {
        if (raw.length != LEAF_BYTES) revert LeafLength(LEAF_BYTES, raw.length);
        if (raw[0] != 0) revert LeafVersion(0, uint8(raw[0]));
        decoded.parentNumber = uint32(littleEndian(bytes8(bytes4(raw[1:]))));
        decoded.next.id = littleEndian(bytes8(raw[37:]));
        decoded.next.len = uint32(littleEndian(bytes8(bytes4(raw[45:]))));
        decoded.next.root = bytes32(raw[49:]);
        decoded.outboxRoot = bytes32(raw[81:]);
        decoded.time = littleEndian(bytes8(raw[113:]));
    }

    /// Turns bytes around. Shorter numbers are filled up with zeros on the right, which come out as leading ones.
    function littleEndian(bytes8 raw) internal pure returns (uint64 value) {
        value = uint64(raw);
        value = ((value >> 8) & 0x00FF00FF00FF00FF) | ((value & 0x00FF00FF00FF00FF) << 8);
        value = ((value >> 16) & 0x0000FFFF0000FFFF) | ((value & 0x0000FFFF0000FFFF) << 16);
        value = (value >> 32) | (value << 32);
    }
}
