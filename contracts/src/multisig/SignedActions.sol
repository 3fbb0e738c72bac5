// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Call} from "../lib/AccountTypes.sol";
import {Stamp} from "./MultisigTypes.sol";

/// @title EIP-712 structs that owners sign
/// @notice Each names its owner, so that a key that answers for two owners never answers for one by mistake, and ends
/// with the stamp.
library SignedActions {
    bytes32 internal constant APPROVE =
        keccak256("Approve(bytes owner,bytes32 proposal,uint32 epoch,uint256 nonce,uint48 deadline)");
    bytes32 internal constant WITHDRAW =
        keccak256("WithdrawApproval(bytes owner,bytes32 proposal,uint32 epoch,uint256 nonce,uint48 deadline)");
    bytes32 internal constant REJECT =
        keccak256("Reject(bytes owner,bytes32 proposal,uint32 epoch,uint256 nonce,uint48 deadline)");
    bytes32 internal constant CANCEL =
        keccak256("Cancel(bytes owner,bytes32 proposal,uint32 epoch,uint256 nonce,uint48 deadline)");
    bytes32 private constant SPEND = keccak256(
        "Spend(bytes owner,address token,address to,uint256 amount,uint32 epoch,uint256 nonce,uint48 deadline)"
    );
    bytes32 private constant PROPOSE = keccak256(
        "Propose(bytes owner,Call[] calls,uint256 salt,uint48 expiry,uint32 epoch,uint256 nonce,uint48 deadline)Call(address to,uint256 value,bytes data)"
    );
    bytes32 private constant CALL = keccak256("Call(address to,uint256 value,bytes data)");

    /// @notice EIP-712 encoding of `Call[]`.
    function calls(Call[] calldata list) internal pure returns (bytes32) {
        bytes32[] memory hashes = new bytes32[](list.length);
        for (uint256 i = 0; i < hashes.length; ++i) {
            hashes[i] = keccak256(abi.encode(CALL, list[i].to, list[i].value, keccak256(list[i].data)));
        }
        return keccak256(abi.encodePacked(hashes));
    }

    /// @notice Struct hash of `APPROVE`, `WITHDRAW`, `REJECT` or `CANCEL`.
    function onProposal(bytes32 kind, bytes32 ownerId, bytes32 proposal, Stamp calldata stamp)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(kind, ownerId, proposal, stamp.epoch, stamp.nonce, stamp.deadline));
    }

    function propose(bytes32 ownerId, bytes32 callsHash, uint256 salt, uint48 expiry, Stamp calldata stamp)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(
            abi.encode(PROPOSE, ownerId, callsHash, salt, expiry, stamp.epoch, stamp.nonce, stamp.deadline)
        );
    }

    function spend(bytes32 ownerId, address token, address to, uint256 amount, Stamp calldata stamp)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(SPEND, ownerId, token, to, amount, stamp.epoch, stamp.nonce, stamp.deadline));
    }
}
