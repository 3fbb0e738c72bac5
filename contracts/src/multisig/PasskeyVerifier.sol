// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    ERC7913WebAuthnVerifier
} from "@openzeppelin/contracts/utils/cryptography/verifiers/ERC7913WebAuthnVerifier.sol";

/// @title ERC-7913 verifier of passkeys
/// @notice OpenZeppelin's, deployed once a chain at the same address: key is x || y, signature is
/// `abi.encode(r, s, challengeIndex, typeIndex, authenticatorData, clientDataJSON)`, user verification is required.
/// Relying party and origin are not checked.
contract PasskeyVerifier is ERC7913WebAuthnVerifier {}
