// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {both} from "./Bools.sol";

/// @title Signature of a user operation, kind `dual`
/// @notice Layout of spec/wire-formats.md, section 1. Decoding never reverts: what does not have the form comes back as
/// not formed, with empty parts, and the caller walks the same path with them.
library DualSignature {
    uint8 internal constant KIND = 0x01;
    uint256 private constant HEADER = 133;
    uint256 private constant MIN_AUTHENTICATOR_DATA = 37;
    uint256 private constant MAX_AUTHENTICATOR_DATA = 512;
    uint256 private constant MAX_TAIL = 1024;
    uint256 private constant MAX_SLOT = 7;

    /// @dev Half of the order of secp256k1, rounded down. The twin (r, n - s) of a signature is refused.
    uint256 private constant HALF_N = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0;

    /// @notice Slot and WebAuthn parts of `signature`. Signatures of P-256 and secp256k1 are read by their own functions.
    function decode(bytes calldata signature)
        internal
        pure
        returns (bool formed, uint256 slot, bytes calldata authenticatorData, bytes calldata tail)
    {
        authenticatorData = signature[0:0];
        tail = authenticatorData;
        if (signature.length > HEADER + MIN_AUTHENTICATOR_DATA) {
            uint256 length = uint16(bytes2(signature[HEADER - 2:HEADER]));
            uint256 rest = signature.length - HEADER;
            slot = uint8(signature[1]);
            formed = uint8(signature[0]) == KIND && slot <= MAX_SLOT && length >= MIN_AUTHENTICATOR_DATA
                && length <= MAX_AUTHENTICATOR_DATA && length < rest && rest - length <= MAX_TAIL;
            if (formed) {
                authenticatorData = signature[HEADER:HEADER + length];
                tail = signature[HEADER + length:];
            } else {
                slot = 0;
            }
        }
    }

    /// @notice The passkey's r and s; zero when the signature is too short to hold them.
    function passkeyPart(bytes calldata signature) internal pure returns (bytes32 r, bytes32 s) {
        if (signature.length >= HEADER) (r, s) = (bytes32(signature[67:99]), bytes32(signature[99:131]));
    }

    /// @notice Whether `key` signed `hash` with the server part. The recovery runs whatever the input is; a high s, a v
    /// other than 27 and 28 and the zero key are refused afterwards.
    function serverSigned(bytes calldata signature, bytes32 hash, address key) internal pure returns (bool) {
        bytes32 r;
        bytes32 s;
        uint8 v;
        if (signature.length >= HEADER) {
            (r, s) = (bytes32(signature[2:34]), bytes32(signature[34:66]));
            v = uint8(signature[66]);
        }
        address signer = ecrecover(hash, v, r, s);
        return both(signer == key, both(key != address(0), uint256(s) <= HALF_N));
    }
}
