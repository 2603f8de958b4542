// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// An authority set as it stands in an MMR leaf: BEEFY's id, how many validators, and the Keccak root of their addresses.
struct AuthoritySet {
    uint64 id;
    uint32 len;
    bytes32 root;
}

/// What `mmr_generateProof` answers for one leaf, item for item.
struct LeafProof {
    uint64 leafIndex;
    uint64 leafCount;
    bytes32[] items;
}

/// The leaf that names the set after the one that signed, and its proof. Empty where the current set signed.
struct Handover {
    bytes leaf;
    LeafProof proof;
}

/// A commitment with the signatures of those whose bits are set, in the order of the set.
struct SignedCommitment {
    bytes commitment;
    uint256[] bitmap;
    bytes32[2][] signatures;
}

/// Path of one message to the outbox root of its block.
struct OutboxProof {
    uint32 index;
    uint32 count;
    bytes32[] items;
}

/// FLT that was locked on the chain, to be minted here.
struct Withdrawal {
    uint64 nonce;
    address recipient;
    uint128 amount;
}

/// What guardians agree on when the client cannot go on by itself.
struct Recovery {
    uint32 blockNumber;
    AuthoritySet current;
    AuthoritySet next;
}

/// All that a relayer or a watcher needs to know, in one read.
struct Status {
    uint32 latestBlock;
    bytes32 root;
    uint64 setId;
    uint64 nonce;
    bytes32 acc;
    uint64 lastEpoch;
    bool frozen;
}

/// Everything that is fixed when the contracts are deployed. Nobody can change it afterwards.
struct Settings {
    /// Hash of the chain's first block, as the validators sign it.
    bytes32 genesisHash;
    /// Finalised block that the deployer vouches for; later ones only are accepted.
    uint32 blockNumber;
    AuthoritySet current;
    AuthoritySet next;
    /// When the current set took over, in seconds.
    uint40 currentSince;
    /// Seconds after which a set is believed no more, nor who follows it. Below the unbonding period of the chain.
    uint40 staleAfter;
    /// Seconds between the guardians' agreement and its effect. At most half of `staleAfter`.
    uint40 recoveryDelay;
    /// Most FLT that can be minted at once. As much comes back within `outflowPeriod` seconds, evenly, so that no more than
    /// twice the cap is minted within any period.
    uint128 outflowCap;
    uint40 outflowPeriod;
    /// Least FLT of a deposit. At least the existential deposit of the chain.
    uint128 minDeposit;
    /// FLT that a forced message costs; the chain receives it.
    uint128 forceFee;
    /// Most bytes of a forced message.
    uint32 maxForcedBytes;
    address[] guardians;
    uint32 guardianThreshold;
}
