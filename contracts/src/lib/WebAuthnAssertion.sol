// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Base64} from "solady/utils/Base64.sol";
import {Passkey} from "./AccountTypes.sol";
import {both} from "./Bools.sol";

/// @title WebAuthn assertions on chain
/// @notice Checks what a contract can check of WebAuthn level 3, section 7.2: type, challenge, relying party, user
/// presence and verification, backup state, signature. The origin stays with the trusted core: client data carries it in
/// a part whose content the contract does not read, and signCount is a risk signal that needs state.
/// @dev No early return anywhere: a wrong assertion costs what a right one costs, so estimates made with a dummy fit.
library WebAuthnAssertion {
    /// @dev Section 5.8.1.1 fixes the order in which browsers serialise client data: type, then challenge. So the
    /// contract builds these bytes instead of searching for them; nothing can stand before, between or twice.
    string private constant PREFIX = '{"type":"webauthn.get","challenge":"';

    /// @dev Smallest authenticator data: rp id hash (32), flags (1), signature counter (4). Section 6.1.
    uint256 internal constant MIN_AUTHENTICATOR_DATA = 37;

    /// @dev Flags of section 6.1: user present and user verified must be set.
    uint8 private constant UP_UV = 0x05;
    /// @dev Backup eligible and backup state: "backed up" without "eligible" contradicts section 6.1.3.
    uint8 private constant BE_BS = 0x18;
    uint8 private constant BS = 0x10;

    /// @dev Half of the order of P-256, rounded down. The twin (r, n - s) of a signature is refused.
    uint256 private constant HALF_N = 0x7fffffff800000007fffffffffffffffde737d56d38bcf4279dce5617e3192a8;

    /// @notice Whether `key` signed `challenge` in an assertion with a verified user.
    /// @param verifier speaks the interface of the P-256 precompile (EIP-7951).
    /// @param authenticatorData shorter than 37 bytes is refused.
    /// @param tail client data after the challenge; must begin with the quote that ends the challenge.
    function verify(
        address verifier,
        Passkey memory key,
        bytes32 challenge,
        bytes calldata authenticatorData,
        bytes calldata tail,
        bytes32 r,
        bytes32 s
    ) internal view returns (bool valid) {
        bytes32 message = _message(challenge, authenticatorData, tail);
        valid = _p256(verifier, message, r, s, key.x, key.y);
        bool long = both(authenticatorData.length >= MIN_AUTHENTICATOR_DATA, tail.length != 0);
        bytes32 rpIdHash;
        uint8 flags;
        bytes1 quote;
        assembly ("memory-safe") {
            rpIdHash := calldataload(authenticatorData.offset)
            flags := byte(0, calldataload(add(authenticatorData.offset, 32)))
            quote := and(calldataload(tail.offset), shl(248, 0xff))
        }
        valid = both(valid, both(quote == '"', rpIdHash == key.rpIdHash));
        valid = both(valid, both(flags & UP_UV == UP_UV, flags & BE_BS != BS));
        valid = both(valid, both(long, uint256(s) <= HALF_N));
    }

    /// @dev SHA-256(authenticator data || SHA-256(client data)), section 6.3.3.
    function _message(bytes32 challenge, bytes calldata authenticatorData, bytes calldata tail)
        private
        pure
        returns (bytes32)
    {
        string memory encoded = Base64.encode(abi.encodePacked(challenge), true, true);
        bytes32 clientDataHash = sha256(abi.encodePacked(PREFIX, encoded, tail));
        return sha256(abi.encodePacked(authenticatorData, clientDataHash));
    }

    /// @dev One STATICCALL whatever the input. The precompile answers 1 or nothing; nothing else counts as yes.
    function _p256(address verifier, bytes32 message, bytes32 r, bytes32 s, uint256 x, uint256 y)
        private
        view
        returns (bool valid)
    {
        assembly ("memory-safe") {
            let input := mload(0x40)
            mstore(input, message)
            mstore(add(input, 0x20), r)
            mstore(add(input, 0x40), s)
            mstore(add(input, 0x60), x)
            mstore(add(input, 0x80), y)
            mstore(0x00, 0)
            let called := staticcall(gas(), verifier, input, 0xa0, 0x00, 0x20)
            valid := and(and(called, eq(returndatasize(), 0x20)), eq(mload(0x00), 1))
        }
    }
}
