// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title What a passkey answers, packed
/// @notice `r (32) || s (32) || n (2) || authenticator data (n) || client data tail`, alone as a vote and at the end of a
/// `dual` signature. Decoding never reverts: what does not have the form comes back as not formed, with empty parts, and
/// the caller walks the same path with them.
library PasskeySignature {
    uint256 internal constant HEADER = 66;
    uint256 private constant MIN_AUTHENTICATOR_DATA = 37;
    uint256 private constant MAX_AUTHENTICATOR_DATA = 512;
    uint256 private constant MAX_TAIL = 1024;

    /// @notice Authenticator data and client data tail of `data`.
    function decode(bytes calldata data)
        internal
        pure
        returns (bool formed, bytes calldata authenticatorData, bytes calldata tail)
    {
        authenticatorData = data[0:0];
        tail = authenticatorData;
        if (data.length > HEADER + MIN_AUTHENTICATOR_DATA) {
            uint256 length = uint16(bytes2(data[HEADER - 2:HEADER]));
            uint256 rest = data.length - HEADER;
            formed = length >= MIN_AUTHENTICATOR_DATA && length <= MAX_AUTHENTICATOR_DATA && length < rest
                && rest - length <= MAX_TAIL;
            if (formed) {
                authenticatorData = data[HEADER:HEADER + length];
                tail = data[HEADER + length:];
            }
        }
    }

    /// @notice r and s; zero when `data` is too short to hold them.
    function scalars(bytes calldata data) internal pure returns (bytes32 r, bytes32 s) {
        if (data.length >= HEADER) (r, s) = (bytes32(data[0:32]), bytes32(data[32:64]));
    }
}
