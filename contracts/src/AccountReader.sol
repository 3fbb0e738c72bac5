// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IEntryPoint} from "@openzeppelin/contracts/interfaces/IERC4337.sol";
import {Actions} from "./reader/Actions.sol";
import {Contents} from "./reader/Contents.sol";
import {Signers} from "./reader/Signers.sol";

/// @title The reading half of `CommunityAccount`
/// @notice Decodes, hashes and checks what an account is given; the account keeps all state and does all that changes it.
/// Apart for size alone (EIP-170): immutable, without storage, made by the account's implementation and asked by
/// STATICCALL. It believes nobody: what it says about a call is true of that call, whoever asks.
contract AccountReader is Contents {
    constructor(IEntryPoint entryPoint, address p256) Signers(p256) Actions(entryPoint) {}
}
