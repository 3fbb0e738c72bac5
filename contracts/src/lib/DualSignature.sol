// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Signature of a user operation, kind `dual`
/// @notice Layout of spec/wire-formats.md, section 1. Decoding never reverts: what does not have the form comes back as
/// not formed, with empty parts, and the caller walks the same path with them.
library DualSignature {
    uint8 internal constant KIND = 0x01;
    uint256 private constant MAX_SLOT = 7;
    uint256 private constant SERVER_AT = 6;
    uint256 private constant PASSKEY_AT = 71;

    /// @notice Slot, claimed day, and the parts of both keys, which are read by their own functions.
    function decode(bytes calldata signature)
        internal
        pure
        returns (bool formed, uint256 slot, uint256 day, bytes calldata server, bytes calldata passkey)
    {
        server = signature[0:0];
        passkey = server;
        if (signature.length >= PASSKEY_AT) {
            slot = uint8(signature[1]);
            formed = uint8(signature[0]) == KIND && slot <= MAX_SLOT;
            if (!formed) slot = 0;
            day = uint32(bytes4(signature[2:SERVER_AT]));
            server = signature[SERVER_AT:PASSKEY_AT];
            passkey = signature[PASSKEY_AT:];
        }
    }
}
