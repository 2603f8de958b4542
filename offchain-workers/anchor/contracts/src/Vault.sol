// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {LeafProof, OutboxProof, Settings, Withdrawal} from "./Types.sol";
import {Inbox} from "./Inbox.sol";
import {Recoverable} from "./Recoverable.sol";
import {Merkle} from "./Merkle.sol";
import "./Errors.sol";

/// Messages from the chain: FLT that was locked there is minted here, once, within the limit of outflow.
abstract contract Vault is Inbox, Recoverable {
    /// A withdrawal that was proven.
    struct Credit {
        address recipient;
        /// Recoveries there had been when it was proven.
        uint32 round;
        uint128 amount;
        /// How much of it was minted. Never goes back, whatever is recovered.
        uint128 paid;
    }

    /// Most FLT that is minted at once; as much comes back in a period.
    uint128 public immutable outflowCap;
    uint40 public immutable outflowPeriod;

    /// What could be minted at `outflowAt`. It grows evenly up to the cap.
    uint128 private outflowLeft;
    uint40 private outflowAt;
    /// By the hash of the message.
    mapping(bytes32 id => Credit) public credits;

    /// A withdrawal was proven. Its recipient can claim it.
    event Withdrawn(uint64 indexed nonce, address indexed recipient, bytes32 id, uint128 amount);
    /// FLT was minted for a withdrawal, all or as much as the limit admits.
    event Claimed(bytes32 indexed id, address indexed to, uint128 amount, uint128 left);

    constructor(Settings memory settings) {
        if (settings.outflowCap == 0 || settings.outflowPeriod == 0) {
            revert OutflowSettings(settings.outflowCap, settings.outflowPeriod);
        }
        outflowCap = settings.outflowCap;
        outflowPeriod = settings.outflowPeriod;
        outflowLeft = settings.outflowCap;
        outflowAt = uint40(block.timestamp);
    }

    /// Proves a withdrawal: its message, the path to the outbox root in `leaf`, and the leaf's proof under the root of
    /// `rootBlock`. Anybody may; in any order; each once. Mints nothing: that is for the recipient to claim.
    function withdraw(
        Withdrawal calldata withdrawal,
        OutboxProof calldata path,
        bytes calldata leaf,
        LeafProof calldata proof,
        uint32 rootBlock
    ) external returns (bytes32 id) {
        if (head.frozen) revert ClientFrozen();
        id = keccak256(
            abi.encodePacked(header(WITHDRAWAL, withdrawal.nonce), withdrawal.recipient, withdrawal.amount)
        );
        Credit storage credit = credits[id];
        bool known = credit.recipient != address(0);
        // After a recovery, what is left of it can be proven again.
        if (known && (credit.round == round || credit.paid == credit.amount)) revert AlreadyWithdrawn(id);
        if (withdrawal.recipient == address(0)) revert ZeroRecipient();
        requireMessage(id, path, leaf, proof, rootBlock);
        credit.recipient = withdrawal.recipient;
        credit.round = round;
        credit.amount = withdrawal.amount;
        emit Withdrawn(withdrawal.nonce, withdrawal.recipient, id, withdrawal.amount);
    }

    /// Mints what the caller has proven withdrawals for, to any address. What the limit does not admit stays claimable.
    function claim(address to, bytes32[] calldata ids) external returns (uint128 total) {
        if (head.frozen) revert ClientFrozen();
        if (to == address(0)) revert ZeroRecipient();
        uint128 left = outflowAvailable();
        for (uint256 i = 0; i < ids.length; i++) {
            bytes32 id = ids[i];
            Credit storage credit = credits[id];
            uint128 due = credit.amount - credit.paid;
            if (due == 0) revert NothingToClaim(id);
            if (credit.recipient != msg.sender) revert NotRecipient(credit.recipient, msg.sender);
            if (credit.round != round) revert ProvenBeforeRecovery(round, credit.round);
            if (left == 0) {
                if (total == 0) revert OutflowExhausted(outflowCap, outflowPeriod);
                break;
            }
            uint128 pay = due < left ? due : left;
            left -= pay;
            total += pay;
            credit.paid += pay;
            emit Claimed(id, to, pay, due - pay);
        }
        outflowLeft = left;
        outflowAt = uint40(block.timestamp);
        flt.mint(to, total);
    }

    /// How much FLT can be minted now.
    function outflowAvailable() public view returns (uint128) {
        uint256 refill = (block.timestamp - outflowAt) * outflowCap / outflowPeriod;
        uint256 available = outflowLeft + refill;
        return available < outflowCap ? uint128(available) : outflowCap;
    }

    /// Fails unless the chain sent this message. For contracts here that take messages; they must remember the id, which is
    /// the message's hash, so as to take it once.
    function verifyMessage(
        bytes calldata message,
        OutboxProof calldata path,
        bytes calldata leaf,
        LeafProof calldata proof,
        uint32 rootBlock
    ) external view returns (bytes32 id) {
        if (head.frozen) revert ClientFrozen();
        requireHeader(message);
        id = keccak256(message);
        requireMessage(id, path, leaf, proof, rootBlock);
    }

    /// Fails unless a message with this hash is in the outbox of the leaf, and the leaf in the range.
    function requireMessage(
        bytes32 id,
        OutboxProof calldata path,
        bytes calldata leaf,
        LeafProof calldata proof,
        uint32 rootBlock
    ) private view {
        bytes32 root = provenLeaf(leaf, proof, rootBlock).outboxRoot;
        bytes32 computed = Merkle.outboxRoot(id, path);
        if (computed != root) revert MessageNotProven(root, computed);
    }
}
