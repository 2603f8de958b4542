// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    BitmapLength,
    BitmapTail,
    DuplicateSigner,
    HighS,
    NoSigner,
    SignatureCount,
    WrongSigner,
    ZeroAuthority
} from "./Errors.sol";

/// Signatures of a part of a set, each checked against the address at its place.
library Quorum {
    /// Half of the order of secp256k1: the greatest `s` of which the twin is not the smaller one.
    uint256 private constant MAX_S = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0;
    uint256 private constant S_MASK = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF;

    /// How many of `n` must sign: so many that a third could be false and still two quorums share somebody who is not.
    function required(uint256 n) internal pure returns (uint256) {
        return n - (n - 1) / 3;
    }

    /// How many the bitmap says have signed. Fails unless it fits the number of authorities and that of signatures.
    function count(uint256 authorities, uint256[] calldata bitmap, bytes32[2][] calldata signatures)
        internal
        pure
        returns (uint256 signed)
    {
        uint256 words = (authorities + 255) >> 8;
        if (bitmap.length != words) revert BitmapLength(words, bitmap.length);
        uint256 tail = authorities & 255;
        if (tail != 0 && bitmap[words - 1] >> tail != 0) revert BitmapTail(authorities, bitmap[words - 1]);
        for (uint256 i = 0; i < words; i++) {
            signed += ones(bitmap[i]);
        }
        if (signatures.length != signed) revert SignatureCount(signed, signatures.length);
    }

    /// How many bits of a word are set: sums of pairs, then of fours and bytes, then of all bytes by one multiplication. All
    /// 256 do not fit in the byte where that sum ends up.
    function ones(uint256 word) private pure returns (uint256) {
        if (word == type(uint256).max) return 256;
        unchecked {
            uint256 pairs = type(uint256).max / 3;
            uint256 fours = type(uint256).max / 5;
            word -= (word >> 1) & pairs;
            word = (word & fours) + ((word >> 2) & fours);
            word = (word + (word >> 4)) & (type(uint256).max / 17);
            word = (word & type(uint128).max) + (word >> 128);
            return (word * (type(uint128).max / 255) >> 120) & 0xFF;
        }
    }

    /// Fails unless each authority whose bit is set has signed `digest`. `count` must have been asked before.
    ///
    /// A signature is `r`, and `s` with the parity of the point in its highest bit (EIP-2098).
    function verify(
        bytes32 digest,
        address[] calldata authorities,
        uint256[] calldata bitmap,
        bytes32[2][] calldata signatures
    ) internal view {
        uint256 signature;
        assembly ("memory-safe") {
            signature := signatures.offset
        }
        for (uint256 i = 0; i < bitmap.length; i++) {
            uint256 authority;
            assembly ("memory-safe") {
                authority := add(authorities.offset, shl(13, i))
            }
            bool fits;
            address signer;
            (fits, authority, signature, signer) = verifyWord(digest, bitmap[i], authority, signature);
            if (fits) continue;
            uint256 index;
            bytes32 s;
            assembly ("memory-safe") {
                index := shr(5, sub(authority, authorities.offset))
                s := calldataload(add(signature, 0x20))
            }
            explain(signer, authorities, bitmap, index, uint256(s) & S_MASK);
        }
    }

    /// Checks the signatures of 256 authorities at most, from these places in the call data on. Answers the places after
    /// them, or those of the first that does not fit and who signed it.
    ///
    /// Written for gas, since nearly all of a checkpoint's is spent here. The places exist: `count` has compared the lengths.
    function verifyWord(bytes32 digest, uint256 word, uint256 authority, uint256 signature)
        private
        view
        returns (bool fits, uint256 authorityEnd, uint256 signatureEnd, address signer)
    {
        assembly ("memory-safe") {
            fits := 1
            let input := mload(0x40)
            mstore(input, digest)
            for {} word { word := shr(1, word) } {
                if and(word, 1) {
                    let s := calldataload(add(signature, 0x20))
                    mstore(add(input, 0x20), add(27, shr(255, s)))
                    mstore(add(input, 0x40), calldataload(signature))
                    s := and(s, S_MASK)
                    mstore(add(input, 0x60), s)
                    // Zero is what the precompile's failure looks like, and what a key without address looks like.
                    mstore(0, 0)
                    pop(staticcall(gas(), 1, input, 0x80, 0, 0x20))
                    signer := mload(0)
                    // An address has the lower 20 bytes of its word; what stands above them is not hashed either.
                    let differs := shl(96, xor(signer, calldataload(authority)))
                    if or(or(iszero(signer), differs), gt(s, MAX_S)) {
                        fits := 0
                        break
                    }
                    signature := add(signature, 0x40)
                }
                authority := add(authority, 0x20)
            }
            authorityEnd := authority
            signatureEnd := signature
        }
    }

    /// The address at a place.
    function authorityAt(address[] calldata authorities, uint256 index) private pure returns (address authority) {
        assembly ("memory-safe") {
            authority := shr(96, shl(96, calldataload(add(authorities.offset, shl(5, index)))))
        }
    }

    /// Says what is wrong with a signature that does not fit.
    function explain(
        address signer,
        address[] calldata authorities,
        uint256[] calldata bitmap,
        uint256 index,
        uint256 s
    ) private pure {
        address expected = authorityAt(authorities, index);
        if (s > MAX_S) revert HighS(index, bytes32(MAX_S), bytes32(s));
        if (expected == address(0)) revert ZeroAuthority(index);
        if (signer == address(0)) revert NoSigner(index, expected);
        for (uint256 i = 0; i < index; i++) {
            bool counted = (bitmap[i >> 8] >> (i & 255)) & 1 == 1;
            if (counted && authorityAt(authorities, i) == signer) revert DuplicateSigner(index, signer, i);
        }
        revert WrongSigner(index, expected, signer);
    }
}
