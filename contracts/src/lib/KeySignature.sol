// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {both} from "./Bools.sol";

/// @title Signature of server or escape key
/// @notice `r (32) || s (32) || v (1)` on secp256k1.
library KeySignature {
    /// @dev Half of the order of secp256k1, rounded down. The twin (r, n - s) of a signature is refused.
    uint256 private constant HALF_N = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0;

    /// @notice Whether `key` signed `hash`. The recovery runs whatever the input is; another length, a high s, a v other
    /// than 27 and 28 and the zero key are refused afterwards.
    function signed(address key, bytes32 hash, bytes calldata signature) internal pure returns (bool) {
        bytes32 r;
        bytes32 s;
        uint8 v;
        if (signature.length == 65) {
            (r, s) = (bytes32(signature[0:32]), bytes32(signature[32:64]));
            v = uint8(signature[64]);
        }
        address signer = ecrecover(hash, v, r, s);
        return both(signer == key, both(key != address(0), uint256(s) <= HALF_N));
    }
}
