// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {P256} from "@openzeppelin/contracts/utils/cryptography/P256.sol";

/// @title P-256 verification for chains without the precompile
/// @notice Speaks the interface of EIP-7951 (and RIP-7212): 160 bytes hash, r, s, x, y in; 32 bytes of value 1 out for a
/// valid signature, nothing otherwise. Immutable and stateless, so an account may call it in validation (ERC-7562).
/// A verification costs about 200 k gas, against 6,900 for the precompile.
contract P256Verifier {
    // solhint-disable-next-line no-complex-fallback
    fallback(bytes calldata input) external returns (bytes memory) {
        if (input.length != 160) return "";
        (bytes32 hash, bytes32 r, bytes32 s, bytes32 x, bytes32 y) =
            abi.decode(input, (bytes32, bytes32, bytes32, bytes32, bytes32));
        // The precompile accepts both twins of a signature; the library only the one with the low s.
        if (uint256(s) < P256.N && uint256(s) > P256.N / 2) s = bytes32(P256.N - uint256(s));
        return P256.verifySolidity(hash, r, s, x, y) ? abi.encode(uint256(1)) : bytes("");
    }
}
