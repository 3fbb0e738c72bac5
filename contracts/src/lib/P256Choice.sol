// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Which P-256 verifier this chain has
/// @notice Decided once, when an implementation is deployed, and kept as an immutable. Asking at every validation would
/// cost a second verification for each dummy signature, and on a chain without the precompile the question itself is
/// forbidden: validation may not call an address without code (ERC-7562, OP-041).
library P256Choice {
    /// @dev EIP-7951.
    address internal constant PRECOMPILE = address(0x100);

    error P256VerifierUnusable(address verifier);

    /// @notice The precompile if this chain has it, else `fallbackVerifier`, which must work on every chain so that
    /// constructor arguments, and with them addresses, are the same everywhere.
    function choose(address fallbackVerifier) internal view returns (address) {
        if (!_works(fallbackVerifier)) revert P256VerifierUnusable(fallbackVerifier);
        return _works(PRECOMPILE) ? PRECOMPILE : fallbackVerifier;
    }

    /// @dev Accepts a known signature and refuses it for another message. The vector is this project's own: key 1 (the
    /// generator), message SHA-256("community-node/p256-choice").
    function _works(address verifier) private view returns (bool) {
        return _verify(verifier, HASH) && !_verify(verifier, ~HASH);
    }

    bytes32 private constant HASH = 0x63cf2191643dc6279db10c435340a760b316772c1f2a4309da2142fc1510d446;
    bytes32 private constant R = 0x8ab08056ba4002e4379d01a0541b2cd69db4300ea1fdc8a9cebcff04be5ef205;
    bytes32 private constant S = 0x28a11765aa3ae2cf83dc010d2d378ae78b6b133af827ae4db6c1fa048e5bead0;
    bytes32 private constant X = 0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296;
    bytes32 private constant Y = 0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5;

    function _verify(address verifier, bytes32 hash) private view returns (bool) {
        (bool called, bytes memory answer) = verifier.staticcall(abi.encode(hash, R, S, X, Y));
        return called && answer.length == 32 && uint256(bytes32(answer)) == 1;
    }
}
