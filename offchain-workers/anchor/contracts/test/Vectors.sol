// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {LeafProof, OutboxProof} from "../src/Types.sol";
import {Commitment, Leaf, Scale} from "../src/Scale.sol";
import {Merkle} from "../src/Merkle.sol";
import {Quorum} from "../src/Quorum.sol";

/// Opens the libraries to tests that compare them with the chain's own code. Never deployed.
contract Vectors {
    function commitment(bytes calldata raw) external pure returns (Commitment memory) {
        return Scale.commitment(raw);
    }

    function leaf(bytes calldata raw) external pure returns (Leaf memory) {
        return Scale.leaf(raw);
    }

    function authorityRoot(address[] calldata authorities) external pure returns (bytes32) {
        return Merkle.authorityRoot(authorities);
    }

    function outboxRoot(bytes32 node, OutboxProof calldata proof) external pure returns (bytes32) {
        return Merkle.outboxRoot(node, proof);
    }

    function rangeRoot(bytes32 node, LeafProof calldata proof) external pure returns (bytes32) {
        return Merkle.rangeRoot(node, proof);
    }

    function required(uint256 n) external pure returns (uint256) {
        return Quorum.required(n);
    }
}
