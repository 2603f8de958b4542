// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AuthoritySet, Handover, LeafProof, Settings, SignedCommitment} from "./Types.sol";
import {Commitment, Leaf, Scale} from "./Scale.sol";
import {Merkle} from "./Merkle.sol";
import {Quorum} from "./Quorum.sol";
import "./Errors.sol";

/// Follows the finality of a Millrace chain: takes commitments that a quorum of its validators signed, and keeps their
/// MMR roots.
abstract contract LightClient {
    /// All that a checkpoint changes besides its root, in one word of storage.
    struct Head {
        uint32 blockNumber;
        /// Id of the current set. The previous one and the next are one below and one above.
        uint64 setId;
        uint16 previousLen;
        uint16 currentLen;
        uint16 nextLen;
        /// When the current set took over, by the chain's own clock, in seconds.
        uint40 currentSince;
        /// Block of the anchor at the last checkpoint.
        uint32 acceptedEpoch;
        /// Checkpoints accepted so far.
        uint32 count;
        bool frozen;
    }

    /// Hash of the chain's first block.
    bytes32 public immutable genesisHash;
    /// Seconds after which a set is believed no more.
    uint40 public immutable staleAfter;

    /// Roots that are kept. Proofs do not race checkpoints while fewer than this follow.
    uint256 public constant RING = 1024;
    /// Block numbers that fit in a word of storage.
    uint256 private constant BLOCKS_IN_WORD = 8;
    /// Signatures in one event: Filecoin takes 8,192 bytes of topics and data, which leaves room for 23 words of a bitmap.
    uint256 private constant LOGGED_AT_ONCE = 112;

    Head internal head;
    bytes32 internal previousRoot;
    bytes32 internal currentRoot;
    bytes32 internal nextRoot;
    /// Root of checkpoint `i` at `i % RING`, and beside it the block that it is of.
    bytes32[RING] private roots;
    uint256[RING / BLOCKS_IN_WORD] private blocks;
    /// Checkpoints before this one are void, since a recovery came after them.
    uint32 internal firstValid;

    /// A checkpoint was accepted.
    event Checkpoint(uint32 indexed blockNumber, bytes32 mmrRoot, uint64 indexed setId);
    /// Who signed a commitment that was accepted or reported, in parts: `signatures` are those from the `first` on.
    ///
    /// With the genesis hash and the set's addresses it proves itself, by whatever contract it came here.
    event Signed(
        uint32 indexed blockNumber,
        bytes32 mmrRoot,
        uint64 indexed setId,
        uint256[] bitmap,
        uint256 first,
        bytes32[2][] signatures
    );
    /// The next set has taken over, and another is known to follow it.
    event HandedOver(uint64 indexed nextId, uint32 len, bytes32 root);
    /// An authority signed two commitments of one block.
    event DoubleSigned(address indexed authority, uint64 indexed setId, uint32 indexed blockNumber);
    /// A quorum signed both: nothing that this set signs can be believed.
    event Frozen(uint64 indexed setId, uint32 indexed blockNumber, bytes32 first, bytes32 second);

    constructor(Settings memory settings) {
        genesisHash = settings.genesisHash;
        staleAfter = settings.staleAfter;
        setAuthorities(settings.blockNumber, settings.current, settings.next, settings.currentSince);
    }

    /// Accepts a later checkpoint.
    ///
    /// `authorities` are the addresses of the whole signing set in its order; `bitmap` says who of them signed, `signatures`
    /// are theirs, in the same order. If the next set signs, `handover` proves by the new root which set follows; where the
    /// current set signs it is not read.
    function submit(
        bytes calldata commitment,
        address[] calldata authorities,
        uint256[] calldata bitmap,
        bytes32[2][] calldata signatures,
        Handover calldata handover
    ) external {
        Head memory was = head;
        if (was.frozen) revert ClientFrozen();
        Commitment memory c = Scale.commitment(commitment);
        if (c.genesisHash != genesisHash) revert WrongChain(genesisHash, c.genesisHash);
        if (c.blockNumber <= was.blockNumber) revert StaleBlock(was.blockNumber, c.blockNumber);
        requireFresh(was);
        if (c.setId < was.setId) revert RetiredSet(was.setId, c.setId);
        if (c.setId > was.setId + 1) revert SkippedHandover(was.setId + 1, c.setId);

        bool byNext = c.setId != was.setId;
        uint256 len = byNext ? was.nextLen : was.currentLen;
        requireAuthorities(authorities, len, byNext ? nextRoot : currentRoot);
        uint256 signed = Quorum.count(len, bitmap, signatures);
        if (signed < Quorum.required(len)) revert QuorumNotReached(Quorum.required(len), signed);
        Quorum.verify(keccak256(commitment), authorities, bitmap, signatures);

        if (byNext) handOver(was, c, handover);
        record(was, c.blockNumber, c.mmrRoot);
        emit Checkpoint(c.blockNumber, c.mmrRoot, c.setId);
        logSigned(c, bitmap, signatures);
    }

    /// Takes two commitments for one block by one set, and records each authority that signed both. If both have a quorum,
    /// the client freezes. `authorities` are the whole set: the current one, the next, or the one before.
    function reportDoubleSign(
        SignedCommitment calldata first,
        SignedCommitment calldata second,
        address[] calldata authorities
    ) external {
        Commitment memory a = Scale.commitment(first.commitment);
        Commitment memory b = Scale.commitment(second.commitment);
        if (a.genesisHash != genesisHash) revert WrongChain(genesisHash, a.genesisHash);
        if (b.genesisHash != genesisHash) revert WrongChain(genesisHash, b.genesisHash);
        if (a.setId != b.setId) revert DifferentSets(a.setId, b.setId);
        if (a.blockNumber != b.blockNumber) revert DifferentBlocks(a.blockNumber, b.blockNumber);
        if (a.mmrRoot == b.mmrRoot) revert SameCommitment(keccak256(first.commitment));

        (uint256 len, bytes32 root) = knownSet(a.setId);
        requireAuthorities(authorities, len, root);
        uint256 countA = Quorum.count(len, first.bitmap, first.signatures);
        uint256 countB = Quorum.count(len, second.bitmap, second.signatures);
        Quorum.verify(keccak256(first.commitment), authorities, first.bitmap, first.signatures);
        Quorum.verify(keccak256(second.commitment), authorities, second.bitmap, second.signatures);

        bool found;
        for (uint256 i = 0; i < len; i++) {
            uint256 both = first.bitmap[i >> 8] & second.bitmap[i >> 8];
            if ((both >> (i & 255)) & 1 == 0) continue;
            found = true;
            emit DoubleSigned(authorities[i], a.setId, a.blockNumber);
        }
        if (!found) revert NoDoubleSigner();
        logSigned(a, first.bitmap, first.signatures);
        logSigned(b, second.bitmap, second.signatures);

        uint256 quorum = Quorum.required(len);
        if (countA >= quorum && countB >= quorum && !head.frozen) {
            head.frozen = true;
            emit Frozen(a.setId, a.blockNumber, a.mmrRoot, b.mmrRoot);
        }
    }

    /// MMR root of a block that a checkpoint is of.
    function rootAt(uint32 blockNumber) public view returns (bytes32) {
        uint256 end = head.count;
        uint256 start = oldestKept();
        uint256 low = start;
        uint256 high = end;
        // The first checkpoint that is not of an earlier block.
        while (low < high) {
            uint256 middle = (low + high) >> 1;
            if (blockOf(middle) < blockNumber) low = middle + 1;
            else high = middle;
        }
        if (low == end || blockOf(low) != blockNumber) {
            revert UnknownRoot(start == end ? 0 : blockOf(start), head.blockNumber, blockNumber);
        }
        return roots[low % RING];
    }

    /// The three sets that are known: the one before, the current one and the next. Of the first, `len` may be zero.
    function authoritySets()
        external
        view
        returns (AuthoritySet memory previous, AuthoritySet memory current, AuthoritySet memory next)
    {
        Head memory now_ = head;
        if (now_.previousLen != 0) previous = AuthoritySet(now_.setId - 1, now_.previousLen, previousRoot);
        current = AuthoritySet(now_.setId, now_.currentLen, currentRoot);
        next = AuthoritySet(now_.setId + 1, now_.nextLen, nextRoot);
    }

    /// When the client stops taking checkpoints, unless another set takes over before.
    ///
    /// Counted from when the current set took over there, not from when that became known here: else old checkpoints, sent
    /// one by one, would keep a set alive that has withdrawn its stake.
    function staleSince() public view returns (uint256) {
        return uint256(head.currentSince) + staleAfter;
    }

    /// The leaf that is proven to be in the range of a checkpoint.
    function provenLeaf(bytes calldata leaf, LeafProof calldata proof, uint32 rootBlock)
        internal
        view
        returns (Leaf memory)
    {
        requireLeaf(rootAt(rootBlock), leaf, proof);
        return Scale.leaf(leaf);
    }

    /// Root of the last checkpoint, or zero if there is none since the start or the last recovery.
    function latestRoot() internal view returns (bytes32) {
        uint256 end = head.count;
        return end == oldestKept() ? bytes32(0) : roots[(end - 1) % RING];
    }

    /// Fails once the current set is so old that its members may have withdrawn their stake.
    function requireFresh(Head memory h) internal view {
        uint256 since = uint256(h.currentSince) + staleAfter;
        if (block.timestamp > since) revert ClientStale(since, block.timestamp);
    }

    /// Begins anew from these sets. Roots from before are void.
    function setAuthorities(uint32 blockNumber, AuthoritySet memory current, AuthoritySet memory next, uint256 since)
        internal
    {
        if (next.id != current.id + 1) revert SetOrder(current.id + 1, next.id);
        Head memory h = head;
        h.blockNumber = blockNumber;
        h.setId = current.id;
        h.previousLen = 0;
        h.currentLen = checkedLen(current.len);
        h.nextLen = checkedLen(next.len);
        h.currentSince = notLater(since);
        h.acceptedEpoch = epoch();
        h.frozen = false;
        head = h;
        currentRoot = current.root;
        nextRoot = next.root;
        firstValid = h.count;
    }

    /// Makes the next set the current one. Changes `h`; the caller stores it.
    function handOver(Head memory h, Commitment memory c, Handover calldata handover) private {
        if (handover.leaf.length == 0) revert HandoverMissing(c.setId + 1);
        requireLeaf(c.mmrRoot, handover.leaf, handover.proof);
        Leaf memory leaf = Scale.leaf(handover.leaf);
        AuthoritySet memory next = leaf.next;
        if (next.id != c.setId + 1) revert WrongHandover(c.setId + 1, next.id);
        h.setId = c.setId;
        h.previousLen = h.currentLen;
        h.currentLen = h.nextLen;
        h.nextLen = checkedLen(next.len);
        h.currentSince = notLater(leaf.time / 1000);
        previousRoot = currentRoot;
        currentRoot = nextRoot;
        nextRoot = next.root;
        emit HandedOver(next.id, next.len, next.root);
    }

    /// Puts a root in the ring and stores `h` with it.
    function record(Head memory h, uint32 blockNumber, bytes32 root) private {
        uint256 place = h.count % RING;
        roots[place] = root;
        uint256 shift = (place % BLOCKS_IN_WORD) * 32;
        uint256 word = blocks[place / BLOCKS_IN_WORD];
        blocks[place / BLOCKS_IN_WORD] =
            (word & ~(uint256(type(uint32).max) << shift)) | (uint256(blockNumber) << shift);
        h.count++;
        h.blockNumber = blockNumber;
        h.acceptedEpoch = epoch();
        head = h;
    }

    /// Emits `Signed`, as often as it takes. Written for gas: the compiler copies signatures one by one.
    function logSigned(Commitment memory c, uint256[] calldata bitmap, bytes32[2][] calldata signatures) private {
        bytes32 topic = Signed.selector;
        (bytes32 root, uint256 blockNumber, uint256 setId) = (c.mmrRoot, c.blockNumber, c.setId);
        assembly ("memory-safe") {
            let data := mload(0x40)
            let words := shl(5, bitmap.length)
            let list := add(add(data, 0xa0), words)
            // The root, where the bitmap begins, the first one, where the signatures begin; then both, each behind its
            // length.
            mstore(data, root)
            mstore(add(data, 0x20), 0x80)
            mstore(add(data, 0x60), add(0xa0, words))
            mstore(add(data, 0x80), bitmap.length)
            calldatacopy(add(data, 0xa0), bitmap.offset, words)
            for { let first := 0 } lt(first, signatures.length) { first := add(first, LOGGED_AT_ONCE) } {
                let count := sub(signatures.length, first)
                if gt(count, LOGGED_AT_ONCE) { count := LOGGED_AT_ONCE }
                mstore(add(data, 0x40), first)
                mstore(list, count)
                let size := shl(6, count)
                calldatacopy(add(list, 0x20), add(signatures.offset, shl(6, first)), size)
                log3(data, add(add(0xc0, words), size), topic, blockNumber, setId)
            }
        }
    }

    /// The anchor's block. It is for people only, so it stops rather than fails at its end.
    function epoch() private view returns (uint32) {
        return block.number > type(uint32).max ? type(uint32).max : uint32(block.number);
    }

    /// A time of the chain, which is not believed to be ahead of the anchor's.
    function notLater(uint256 time) private view returns (uint40) {
        return uint40(time < block.timestamp ? time : block.timestamp);
    }

    /// Number of the oldest checkpoint whose root is kept.
    function oldestKept() private view returns (uint256) {
        uint256 count = head.count;
        uint256 kept = count > RING ? count - RING : 0;
        return kept > firstValid ? kept : firstValid;
    }

    /// The block that a checkpoint is of. The checkpoint must be kept.
    function blockOf(uint256 checkpoint) private view returns (uint32) {
        uint256 place = checkpoint % RING;
        return uint32(blocks[place / BLOCKS_IN_WORD] >> ((place % BLOCKS_IN_WORD) * 32));
    }

    /// A set of which commitments can be judged: that before, the current one, the next.
    function knownSet(uint64 id) private view returns (uint256 len, bytes32 root) {
        Head memory h = head;
        if (id == h.setId) return (h.currentLen, currentRoot);
        if (id == h.setId + 1) return (h.nextLen, nextRoot);
        bool previous = h.previousLen != 0;
        if (previous && id == h.setId - 1) return (h.previousLen, previousRoot);
        revert UnknownSet(previous ? h.setId - 1 : h.setId, h.setId + 1, id);
    }

    /// Fails unless the list is the set.
    function requireAuthorities(address[] calldata authorities, uint256 len, bytes32 root) private pure {
        if (authorities.length != len) revert AuthorityCount(len, authorities.length);
        bytes32 computed = Merkle.authorityRoot(authorities);
        if (computed != root) revert AuthorityRoot(root, computed);
    }

    /// Fails unless the leaf is in the range.
    function requireLeaf(bytes32 root, bytes calldata leaf, LeafProof calldata proof) private pure {
        bytes32 computed = Merkle.rangeRoot(keccak256(leaf), proof);
        if (computed != root) revert LeafNotProven(root, computed);
    }

    /// The length of a set, if it is one that can be counted here. Nobody could sign for an empty one, or anybody.
    function checkedLen(uint32 len) private pure returns (uint16) {
        if (len == 0 || len > type(uint16).max) revert SetLength(type(uint16).max, len);
        return uint16(len);
    }
}
