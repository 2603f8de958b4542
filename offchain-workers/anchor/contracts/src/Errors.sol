// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

// Where something was expected and something else was given, the error says both, in this order.

/// The commitment has another number of payload entries than the genesis hash and the MMR root.
error PayloadEntries(uint256 expected, uint256 given);
/// The commitment is not as long as the encoding of two entries of 32 bytes.
error CommitmentLength(uint256 expected, uint256 given);
/// A payload entry has another name or length. `expected` and `given` are name and length as encoded, left-aligned.
error PayloadEntry(uint256 index, bytes3 expected, bytes3 given);
/// The commitment was signed for another chain.
error WrongChain(bytes32 expected, bytes32 given);
/// A checkpoint must be of a later block than the last one.
error StaleBlock(uint32 latest, uint32 given);
/// The commitment is by a set that has handed over already.
error RetiredSet(uint64 current, uint64 given);
/// A set before this one has not handed over yet. Submit its first checkpoint first.
error SkippedHandover(uint64 next, uint64 given);
/// The next set signed, but no leaf shows which set follows it.
error HandoverMissing(uint64 followingSet);
/// The leaf names another set than the one that follows the signing set.
error WrongHandover(uint64 expected, uint64 given);
/// A set has no members, or more than can be counted here.
error SetLength(uint256 max, uint256 given);
/// The ids of two sets that follow each other must follow each other, too.
error SetOrder(uint64 expected, uint64 given);
/// The list of authorities is not as long as the set.
error AuthorityCount(uint256 expected, uint256 given);
/// The list of authorities is not that of the set.
error AuthorityRoot(bytes32 expected, bytes32 given);
/// The bitmap does not have one bit for each authority, in words of 256.
error BitmapLength(uint256 expectedWords, uint256 givenWords);
/// The bitmap has bits beyond the last authority.
error BitmapTail(uint256 authorities, uint256 lastWord);
/// There must be one signature for each bit that is set.
error SignatureCount(uint256 expected, uint256 given);
/// Too few authorities signed.
error QuorumNotReached(uint256 required, uint256 given);
/// The signature of this authority is by another key.
error WrongSigner(uint256 index, address expected, address recovered);
/// The signature at this place is by an authority that was counted already, at `first`.
error DuplicateSigner(uint256 index, address signer, uint256 first);
/// An authority whose key has no address cannot sign.
error ZeroAuthority(uint256 index);
/// The signature belongs to no key.
error NoSigner(uint256 index, address expected);
/// The signature's `s` is in the upper half, where every signature has a twin.
error HighS(uint256 index, bytes32 max, bytes32 given);
/// The leaf does not have the length of version 0.
error LeafLength(uint256 expected, uint256 given);
/// The leaf is of a version that is not known here.
error LeafVersion(uint8 expected, uint8 given);
/// The leaf's index is not below the number of leaves.
error LeafIndex(uint64 leafCount, uint64 given);
/// The proof of a leaf does not have the length that its place asks for.
error LeafProofLength(uint256 expected, uint256 given);
/// The leaf is not in the range with this root.
error LeafNotProven(bytes32 root, bytes32 computed);
/// No root is known of this block. Those of `latest` and of the 1,023 checkpoints before it are, the oldest being `oldest`.
error UnknownRoot(uint32 oldest, uint32 latest, uint32 given);
/// The client has seen two conflicting checkpoints of one set and takes nothing until guardians have set it right.
error ClientFrozen();
/// The current set took over so long ago that its stake may be gone, and nobody is known to have followed it.
error ClientStale(uint256 staleSince, uint256 time);

/// Both commitments are the same.
error SameCommitment(bytes32 commitmentHash);
/// The commitments are of different sets.
error DifferentSets(uint64 first, uint64 second);
/// The commitments are of different blocks, which one set may well sign.
error DifferentBlocks(uint32 first, uint32 second);
/// The set is not among the three that are known.
error UnknownSet(uint64 oldest, uint64 newest, uint64 given);
/// Nobody signed both commitments.
error NoDoubleSigner();

/// The client works: there is nothing to recover from before this time.
error NotRecoverable(uint256 staleSince, uint256 time);
/// Only guardians can agree on a recovery.
error NotGuardian(address given);
/// This guardian has agreed to this recovery already.
error AlreadyAgreed(address guardian);
/// The guardians' agreement has no effect yet.
error RecoveryPending(uint256 readyAt, uint256 time);
/// Sets are believed for so long from the first vote for them, and the delay is at most half of that.
error RecoveryDelay(uint40 staleAfter, uint40 given);
/// More guardians are required than there are, or one is named twice.
error GuardianSettings(uint256 guardians, uint256 threshold);

/// The index of a message is not below the number of messages of its block.
error MessageIndex(uint32 count, uint32 given);
/// The path of a message does not have the length that its place asks for.
error MessageProofLength(uint256 expected, uint256 given);
/// The message is not among those of its block.
error MessageNotProven(bytes32 root, bytes32 computed);
/// The message does not begin with this chain, this anchor and this contract.
error ForeignMessage(bytes32 expectedHeader, bytes32 givenHeader);
/// The withdrawal was taken already.
error AlreadyWithdrawn(bytes32 id);
/// Nothing can be claimed under this id.
error NothingToClaim(bytes32 id);
/// The withdrawal belongs to somebody else.
error NotRecipient(address expected, address given);
/// A recovery came in between. Prove the withdrawal again, by a later checkpoint.
error ProvenBeforeRecovery(uint32 expectedRound, uint32 givenRound);
/// The period's outflow is used up. It comes back evenly, `cap` in `period` seconds.
error OutflowExhausted(uint128 cap, uint40 period);
/// The outflow settings must not be zero.
error OutflowSettings(uint128 cap, uint40 period);

/// A deposit must not be smaller than this.
error DepositTooSmall(uint128 minimum, uint128 given);
/// A forced message must not be empty, nor longer than this.
error ForcedLength(uint256 max, uint256 given);
/// The chain takes no forced message that is longer, and one that it cannot take would hold up all behind it.
error ForcedSettings(uint256 max, uint256 given);
/// A forced message must cost something, since the chain must take it.
error ZeroForceFee();
/// The recipient must not be zero.
error ZeroRecipient();
