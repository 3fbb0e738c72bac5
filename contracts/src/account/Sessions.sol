// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {PackedUserOperation} from "@openzeppelin/contracts/interfaces/IERC4337.sol";
import {AccountStorage} from "../lib/AccountStorage.sol";
import {Grant, SessionPlan, Signature, Stamp} from "../lib/AccountTypes.sol";
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

    /// @notice Runs a batch within `grant`. Validation asked the same about the same bytes; but whether the grant is still
    /// live, and what is left of it, may have changed since then in the same bundle.
    function executeSession(Grant calldata, bytes calldata executionData) external payable onlyEntryPoint {
        _requireNotFrozen(AccountStorage.get());
        (SessionPlan memory plan, AccountStorage.GrantState storage state) = _plan(msg.data);
        if (plan.value != 0) state.valueLeft -= uint128(plan.value);
        _run(CallBatch.decode(executionData), true);
    }

    /// @dev The server key signs; everything else is refused by name, with a dummy signature too.
    function _validateSession(PackedUserOperation calldata userOp, bytes32 hash, bytes calldata signature, uint48 frozen)
        internal
        view
        returns (uint256)
    {
        (SessionPlan memory plan,) = _plan(userOp.callData);
        bytes calldata sponsor = userOp.paymasterAndData;
        address paymaster = sponsor.length < 20 ? address(0) : address(bytes20(sponsor));
        // A grant's paymaster is not zero, so an operation without one is refused here too.
        if (paymaster != plan.paymaster) revert GrantForeignPaymaster(paymaster);
        bool formed = both(signature.length == SIGNATURE_LENGTH, bytes1(signature) == bytes1(KIND));
        bytes calldata server = signature.length == SIGNATURE_LENGTH ? signature[1:] : signature[0:0];
        bool valid = both(KeySignature.signed(AccountStorage.get().serverKey, hash, server), formed);
        return _validationData(valid, plan.validAfter < frozen ? frozen : plan.validAfter, plan.validUntil);
    }

    /// @dev The grant allows each call by itself; here it is live and has enough left for all of them.
    function _plan(bytes calldata callData)
        private
        view
        returns (SessionPlan memory plan, AccountStorage.GrantState storage state)
    {
        plan = abi.decode(_ask(callData), (SessionPlan));
        state = _requireLive(AccountStorage.get(), plan.grantId);
        if (plan.value > state.valueLeft) revert GrantValueOverTotal(plan.value, state.valueLeft);
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
