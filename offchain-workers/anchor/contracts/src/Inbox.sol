// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Settings} from "./Types.sol";
import {Messages} from "./Messages.sol";
import {Flt} from "./Flt.sol";
import {ClientFrozen, DepositTooSmall, ForcedLength, ForcedSettings, ZeroForceFee, ZeroRecipient} from "./Errors.sol";

/// Messages to the chain. They are folded into an accumulator that its validators attest, so no log has to be trusted.
abstract contract Inbox is Messages {
    /// FLT here. Only this contract mints and burns it.
    Flt public immutable flt;
    /// Least FLT of a deposit.
    uint128 public immutable minDeposit;
    /// FLT that a forced message costs.
    uint128 public immutable forceFee;
    /// Most bytes of a forced message.
    uint32 public immutable maxForcedBytes;

    /// Most bytes of a forced message that the chain takes: `MAX_FORCED_BYTES` there.
    uint32 private constant CHAIN_FORCED_BYTES = 4096;

    /// Messages so far; also the nonce of the next one.
    uint64 public inboxNonce;
    /// Accumulator after so many messages. All are kept, so that the chain can attest any number at a time.
    mapping(uint64 nonce => bytes32) public accumulatorAt;

    /// A message to the chain. `message` is what the chain must be shown.
    event Enqueued(uint64 indexed nonce, bytes32 acc, bytes message);

    constructor(Settings memory settings) {
        if (settings.maxForcedBytes > CHAIN_FORCED_BYTES) {
            revert ForcedSettings(CHAIN_FORCED_BYTES, settings.maxForcedBytes);
        }
        if (settings.forceFee == 0) revert ZeroForceFee();
        flt = new Flt();
        minDeposit = settings.minDeposit;
        forceFee = settings.forceFee;
        maxForcedBytes = settings.maxForcedBytes;
    }

    /// Burns FLT of the caller, which is unlocked for `recipient` on the chain.
    function deposit(bytes32 recipient, uint128 amount) external returns (uint64 nonce) {
        if (amount < minDeposit || amount == 0) revert DepositTooSmall(minDeposit, amount);
        if (recipient == 0) revert ZeroRecipient();
        flt.burn(msg.sender, amount);
        nonce = inboxNonce;
        enqueue(abi.encodePacked(header(DEPOSIT, nonce), msg.sender, recipient, amount));
    }

    /// Burns the fee of the caller, which the chain receives, and leaves bytes that the chain must take within its deadline.
    function forceInclude(bytes calldata data) external returns (uint64 nonce) {
        if (data.length == 0 || data.length > maxForcedBytes) revert ForcedLength(maxForcedBytes, data.length);
        flt.burn(msg.sender, forceFee);
        nonce = inboxNonce;
        enqueue(abi.encodePacked(header(FORCED, nonce), msg.sender, forceFee, data));
    }

    /// Nothing goes to a chain that is forked or whose word would not be taken back here.
    function enqueue(bytes memory message) private {
        if (head.frozen) revert ClientFrozen();
        requireFresh(head);
        uint64 nonce = inboxNonce;
        bytes32 acc = keccak256(abi.encodePacked(accumulatorAt[nonce], keccak256(message)));
        inboxNonce = nonce + 1;
        accumulatorAt[nonce + 1] = acc;
        emit Enqueued(nonce, acc, message);
    }
}
