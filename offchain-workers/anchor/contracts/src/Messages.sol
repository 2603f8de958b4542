// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {LightClient} from "./LightClient.sol";
import {ForeignMessage} from "./Errors.sol";

/// What messages of both directions begin with, so that none counts for another chain, anchor or contract, and none in the
/// other direction.
///
/// Kind (1 byte), genesis hash (32), chain id of the anchor (8), this contract (20), nonce (8): 69 bytes. Numbers are big-endian.
abstract contract Messages is LightClient {
    /// From the chain: FLT to be minted here.
    uint8 internal constant WITHDRAWAL = 0x00;
    /// From the chain: bytes for a contract here.
    uint8 internal constant MESSAGE = 0x01;
    /// To the chain: FLT to be unlocked there.
    uint8 internal constant DEPOSIT = 0x10;
    /// To the chain: bytes that it must take.
    uint8 internal constant FORCED = 0x11;

    uint256 private constant HEADER_BYTES = 69;

    function header(uint8 kind, uint64 nonce) internal view returns (bytes memory) {
        return abi.encodePacked(kind, genesisHash, uint64(block.chainid), address(this), nonce);
    }

    /// Fails unless the message has a header of this contract, whatever its kind and nonce.
    function requireHeader(bytes calldata message) internal view {
        bytes32 expected = keccak256(abi.encodePacked(genesisHash, uint64(block.chainid), address(this)));
        bytes32 given = message.length < HEADER_BYTES ? bytes32(0) : keccak256(message[1:61]);
        if (given != expected) revert ForeignMessage(expected, given);
    }
}
