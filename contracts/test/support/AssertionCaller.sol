// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Passkey} from "../../src/lib/AccountTypes.sol";
import {WebAuthnAssertion} from "../../src/lib/WebAuthnAssertion.sol";

/// @dev The library with the challenge passed in, as the account calls it.
contract AssertionCaller {
    function verify(
        address verifier,
        Passkey memory key,
        bytes32 challenge,
        bytes calldata authenticatorData,
        bytes calldata tail,
        bytes32 r,
        bytes32 s
    ) external view returns (bool) {
        return WebAuthnAssertion.verify(verifier, key, challenge, authenticatorData, tail, r, s);
    }
}
