// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {PackedUserOperation} from "@openzeppelin/contracts/interfaces/IERC4337.sol";
import {AccountStorage} from "../lib/AccountStorage.sol";
import {Call, Counting, Grant, SessionPlan, Signature, Stamp} from "../lib/AccountTypes.sol";
import {both} from "../lib/Bools.sol";
import {CallBatch} from "../lib/CallBatch.sol";
import {KeySignature} from "../lib/KeySignature.sol";
import {Spending} from "./Spending.sol";

/// @title Session grants
/// @notice For at most two hours the server key alone may call named functions of one contract, at the cost of one
/// paymaster (spec/account.md, section 4). Every call still counts against the daily limits.
abstract contract Sessions is Spending {
    uint8 private constant KIND = 0x02;
    /// @dev Kind and server signature.
    uint256 private constant SIGNATURE_LENGTH = 66;

    error GrantUsed(bytes32 grantId);
    /// @notice Unknown, revoked, or of another key epoch.
    error GrantNotLive(bytes32 grantId);
    /// @notice Another paymaster, or none: the server key must not spend the account's ether as gas.
    error GrantForeignPaymaster(address paymaster);
    error GrantValueOverTotal(uint256 value, uint256 left);

    /// @notice `call` is the call of `createGrant`.
    event GrantCreated(bytes32 indexed grantId, bytes call);
    event GrantRevoked(bytes32 indexed grantId);

    /// @notice Id of `grant` in this key epoch.
    function grantId(Grant calldata) external view returns (bytes32) {
        _pass();
    }

    /// @notice What a grant may still spend, in wei, and whether it is live. Its times are not looked at.
    function grantState(bytes32 id) external view returns (bool live, uint256 valueLeft) {
        AccountStorage.Layout storage $ = AccountStorage.get();
        AccountStorage.GrantState storage state = $.grants[id];
        return (state.live && state.keyEpoch == $.keyEpoch, state.valueLeft);
    }

    /// @notice Makes `grant` live. Only as the single call of a `dual` batch. The reader refuses what no grant may allow.
    function createGrant(Grant calldata grant) external onlySelf {
        bytes32 id = _askId();
        AccountStorage.Layout storage $ = AccountStorage.get();
        if ($.grants[id].used) revert GrantUsed(id);
        $.grants[id] = AccountStorage.GrantState(grant.valueTotal, $.keyEpoch, true, true);
        emit GrantCreated(id, msg.data);
    }

    /// @notice Ends a grant. Any vote or the server key.
    function revokeGrant(bytes32 id, Stamp calldata, Signature[] calldata) external {
        _accept();
        _requireLive(AccountStorage.get(), id).live = false;
        emit GrantRevoked(id);
    }

    /// @notice Runs a batch within `grant`. What it allows was checked in validation, about the same bytes; but whether it
    /// is still live, and what is left of it, may have changed since then in the same bundle.
    function executeSession(Grant calldata grant, bytes calldata executionData) external payable onlyEntryPoint {
        AccountStorage.Layout storage $ = AccountStorage.get();
        _requireNotFrozen($);
        Call[] calldata calls = CallBatch.decode(executionData);
        uint256 sum;
        // Each value is below 2^128 (validation), so nothing wraps.
        unchecked {
            for (uint256 i = 0; i < calls.length; ++i) sum += calls[i].value;
        }
        AccountStorage.GrantState storage state = _requireLeft($, grant, sum);
        if (sum != 0) state.valueLeft -= uint128(sum);
        _run(calls, Counting.AsSession);
    }

    /// @dev The server key signs; everything else is refused by name, with a dummy signature too.
    function _validateSession(PackedUserOperation calldata userOp, bytes32 hash, bytes calldata signature, uint48 frozen)
        internal
        view
        returns (uint256)
    {
        SessionPlan memory plan = abi.decode(_ask(userOp.callData), (SessionPlan));
        AccountStorage.Layout storage $ = AccountStorage.get();
        Grant calldata grant;
        bytes calldata callData = userOp.callData;
        assembly ("memory-safe") {
            // Behind selector and two offsets; the reader refuses other places.
            grant := add(callData.offset, 68)
        }
        _requireLeft($, grant, plan.value);
        bytes calldata sponsor = userOp.paymasterAndData;
        address paymaster = sponsor.length < 20 ? address(0) : address(bytes20(sponsor));
        // A grant's paymaster is not zero, so an operation without one is refused here too.
        if (paymaster != plan.paymaster) revert GrantForeignPaymaster(paymaster);
        bool formed = both(signature.length == SIGNATURE_LENGTH, bytes1(signature) == bytes1(KIND));
        bytes calldata server = signature.length == SIGNATURE_LENGTH ? signature[1:] : signature[0:0];
        bool valid = both(KeySignature.signed($.serverKey, hash, server), formed);
        return _validationData(valid, plan.validAfter < frozen ? frozen : plan.validAfter, plan.validUntil);
    }

    /// @dev The id as the reader makes it, over the bytes of the call data. Another encoding of a grant has another hash and
    /// is not live.
    function _canonicalId(AccountStorage.Layout storage $, Grant calldata grant) private view returns (bytes32 id) {
        uint256 epoch = $.keyEpoch;
        assembly ("memory-safe") {
            let input := mload(0x40)
            // Eight words of fields, the number of selectors, the selectors.
            let size := add(0x120, shl(5, calldataload(add(grant, 0x100))))
            mstore(input, chainid())
            mstore(add(input, 0x20), address())
            mstore(add(input, 0x40), epoch)
            mstore(add(input, 0x60), 0x80)
            calldatacopy(add(input, 0x80), grant, size)
            id := keccak256(input, add(size, 0x80))
        }
    }

    /// @dev Each call by itself is one that the grant allows; here it is live and has enough left for all of them.
    function _requireLeft(AccountStorage.Layout storage $, Grant calldata grant, uint256 value)
        private
        view
        returns (AccountStorage.GrantState storage state)
    {
        state = _requireLive($, _canonicalId($, grant));
        if (value > state.valueLeft) revert GrantValueOverTotal(value, state.valueLeft);
    }

    function _requireLive(AccountStorage.Layout storage $, bytes32 id)
        private
        view
        returns (AccountStorage.GrantState storage state)
    {
        state = $.grants[id];
        if (!state.live || state.keyEpoch != $.keyEpoch) revert GrantNotLive(id);
    }
}
