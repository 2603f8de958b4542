// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Recovery, Settings} from "./Types.sol";
import {LightClient} from "./LightClient.sol";
import {AlreadyAgreed, GuardianSettings, NotGuardian, NotRecoverable, RecoveryPending} from "./Errors.sol";

/// The way out where the validators' keys are lost, or where they signed a fork.
///
/// Guardians can do nothing while the client works. When it is frozen or stale, so many of them as the threshold says can
/// agree on the sets to go on from, which anybody can see and put in force after the delay.
abstract contract Recoverable is LightClient {
    /// Seconds between agreement and effect.
    uint40 public immutable recoveryDelay;
    /// Guardians who must agree.
    uint32 public immutable guardianThreshold;

    mapping(address guardian => bool) public isGuardian;
    /// Recoveries so far. What was proven before the last one counts no more.
    uint32 public round;
    /// What is agreed, and when it can be put in force. Zero if nothing is.
    bytes32 public agreed;
    uint40 public readyAt;
    mapping(bytes32 proposal => uint256) private votes;
    mapping(bytes32 proposal => mapping(address guardian => bool)) private voted;

    /// A guardian agreed to a recovery.
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
    }

    /// Agrees to a recovery, if called by a guardian, or puts it in force, if enough have agreed and the delay is over.
    function recover(Recovery calldata recovery) external {
        if (!head.frozen && block.timestamp <= staleSince()) revert NotRecoverable(staleSince(), block.timestamp);
        bytes32 proposal = keccak256(abi.encode(round, recovery));
        if (proposal == agreed) {
            if (block.timestamp < readyAt) revert RecoveryPending(readyAt, block.timestamp);
            round++;
            agreed = 0;
            readyAt = 0;
            setAuthorities(recovery.blockNumber, recovery.current, recovery.next, block.timestamp);
            emit Recovered(proposal, round);
            return;
        }
        if (!isGuardian[msg.sender]) revert NotGuardian(msg.sender);
        if (voted[proposal][msg.sender]) revert AlreadyAgreed(msg.sender);
        voted[proposal][msg.sender] = true;
        emit RecoveryVote(proposal, msg.sender, recovery);
        if (++votes[proposal] == guardianThreshold) {
            agreed = proposal;
            readyAt = uint40(block.timestamp) + recoveryDelay;
            emit RecoveryAgreed(proposal, readyAt);
        }
    }
}
