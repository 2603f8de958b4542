// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Recovery, Settings} from "./Types.sol";
import {LightClient} from "./LightClient.sol";
import {
    AlreadyAgreed,
    GuardianSettings,
    NotGuardian,
    NotRecoverable,
    RecoveryDelay,
    RecoveryPending
} from "./Errors.sol";

/// The way out where the validators' keys are lost, or where they signed a fork.
///
/// Guardians can do nothing while the client works. When it is frozen or stale, so many of them as the threshold says can
/// agree on the sets to go on from, which anybody can see and put in force after the delay.
abstract contract Recoverable is LightClient {
    /// Seconds between agreement and effect. At most half of the time for which a set is believed, so that guardians have
    /// the other half to agree in, and validators to hand over in.
    uint40 public immutable recoveryDelay;
    /// Guardians who must agree.
    uint32 public immutable guardianThreshold;

    mapping(address guardian => bool) public isGuardian;
    /// Recoveries so far. What was proven before the last one counts no more.
    uint32 public round;
    /// What is agreed, and when it can be put in force. Zero if nothing is.
    bytes32 public agreed;
    uint40 public readyAt;
    /// When a proposal was voted for first. It begins anew when it is as old as a set may be.
    mapping(bytes32 proposal => uint40) public begun;
    /// What a guardian voted for last: a proposal as of when it began. No other vote of his counts.
    mapping(address guardian => bytes32 ballot) private choice;
    mapping(bytes32 ballot => uint256) private votes;

    /// A guardian agreed to a recovery, and to none before it.
    event RecoveryVote(bytes32 indexed proposal, address indexed guardian, Recovery recovery);
    /// Enough guardians agreed. What was agreed before is dropped.
    event RecoveryAgreed(bytes32 indexed proposal, uint40 readyAt);
    /// The client goes on from other sets.
    event Recovered(bytes32 indexed proposal, uint32 indexed round);

    constructor(Settings memory settings) {
        recoveryDelay = settings.recoveryDelay;
        guardianThreshold = settings.guardianThreshold;
        uint256 count = settings.guardians.length;
        bool valid = settings.guardianThreshold <= count && (settings.guardianThreshold == 0) == (count == 0);
        for (uint256 i = 0; i < count; i++) {
            address guardian = settings.guardians[i];
            valid = valid && !isGuardian[guardian] && guardian != address(0);
            isGuardian[guardian] = true;
        }
        if (!valid) revert GuardianSettings(count, settings.guardianThreshold);
        if (count != 0 && settings.recoveryDelay > settings.staleAfter / 2) {
            revert RecoveryDelay(settings.staleAfter, settings.recoveryDelay);
        }
    }

    /// Agrees to a recovery, if called by a guardian, or puts it in force, if enough have agreed and the delay is over.
    function recover(Recovery calldata recovery) external {
        if (!head.frozen && block.timestamp <= staleSince()) revert NotRecoverable(staleSince(), block.timestamp);
        bytes32 proposal = keccak256(abi.encode(round, recovery));
        uint40 since = begun[proposal];
        bool expired = block.timestamp > uint256(since) + staleAfter;
        if (proposal == agreed && !expired) {
            if (block.timestamp < readyAt) revert RecoveryPending(readyAt, block.timestamp);
            round++;
            agreed = 0;
            readyAt = 0;
            // The sets are as old as the first vote for them. Counted from now, or from the last vote, which one guardian may
            // hold back, sets would be believed again that have long withdrawn their stake.
            setAuthorities(recovery.blockNumber, recovery.current, recovery.next, since);
            emit Recovered(proposal, round);
            return;
        }
        if (!isGuardian[msg.sender]) revert NotGuardian(msg.sender);
        if (expired) {
            if (proposal == agreed) {
                agreed = 0;
                readyAt = 0;
            }
            since = uint40(block.timestamp);
            begun[proposal] = since;
        }
        bytes32 ballot = keccak256(abi.encode(proposal, since));
        bytes32 before = choice[msg.sender];
        if (before == ballot) revert AlreadyAgreed(msg.sender);
        if (before != 0) votes[before]--;
        choice[msg.sender] = ballot;
        emit RecoveryVote(proposal, msg.sender, recovery);
        if (++votes[ballot] == guardianThreshold) {
            agreed = proposal;
            readyAt = uint40(block.timestamp) + recoveryDelay;
            emit RecoveryAgreed(proposal, readyAt);
        }
    }
}
