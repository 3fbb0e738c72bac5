// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {PackedUserOperation} from "@openzeppelin/contracts/interfaces/IERC4337.sol";
import {AccountReader} from "../AccountReader.sol";
import {AccountStorage} from "../lib/AccountStorage.sol";
import {Call, Counting, FirstState, ItemKind, QueueKind, Signature, Stamp} from "../lib/AccountTypes.sol";
import {CallBatch} from "../lib/CallBatch.sol";
import {CallClass} from "../lib/CallClasses.sol";
import {OutgoingCall} from "../lib/OutgoingCall.sol";
import {Votes} from "./Votes.sol";

/// @title What may leave the account
/// @notice Daily limits for the native currency and each listed token, the gas cap, strict mode, and the queue for what
/// is over the limit (spec/account.md, section 3).
abstract contract Spending is Votes {
    /// @notice Nobody else pays and the operation may cost more than the owner allowed: `gas * maxFeePerGas > cap` wei.
    error GasCostOverCap(uint256 gas, uint256 maxFeePerGas, uint256 cap);
    /// @notice The signature names a day before one that was charged already.
    error DayIsOver(uint256 day, uint256 charged);
    /// @notice `amount` of `token` (0 = native) with `left` left today.
    error OverLimit(address token, uint256 amount, uint256 left);
    /// @notice A token function on a token without a limit.
    error UnlistedToken(address token, bytes4 selector);
    /// @notice A function of a listed token that has no amount to count.
    error UncountedTokenCall(address token, bytes4 selector);
    /// @notice Several calls in one, with a token function inside.
    error HiddenTokenCall(address target, bytes4 selector);
    /// @notice Call data of one to three bytes, or not what its selector says.
    error CallDataMalformed(address target, bytes4 selector);
    /// @notice Strict mode: the call is not on the allow-list.
    error CallNotAllowed(address target, bytes4 selector);
    /// @notice Strict mode: nothing was sent or allowed there before.
    error NewRecipient(address recipient);
    /// @notice Only from the account itself: the single call of a `dual` batch.
    error OnlySelf(address caller);
    /// @notice It is not above the new value.
    error NotLowered(uint256 current);
    error DomainNotListed(bytes32 domainSeparator);
    error CallIsNotAllowed(address target, bytes4 selector);

    event GasCapChanged(uint256 maxCost);
    event SpendingLimitChanged(address indexed token, uint256 perDay);
    event DomainListed(bytes32 indexed domainSeparator);
    event DomainUnlisted(bytes32 indexed domainSeparator);
    event CallAllowed(address indexed target, bytes4 indexed selector);
    event CallDisallowed(address indexed target, bytes4 indexed selector);
    /// @notice A contract or recipient that was never called or paid before.
    event FirstUse(address indexed counterparty);

    modifier onlySelf() {
        if (msg.sender != address(this)) revert OnlySelf(msg.sender);
        _;
    }

    /// @notice Most wei that an operation which no paymaster pays for may cost.
    function gasCap() external view returns (uint256 maxCost) {
        return AccountStorage.get().gasCap;
    }

    /// @notice Limit of `token` (0 = native) a day, and what was spent on day `day` (block.timestamp / 1 days).
    function spendingLimit(address token) external view returns (uint256 perDay, uint256 spent, uint256 day) {
        AccountStorage.DayLimit storage limit = AccountStorage.get().limits[token];
        return (limit.perDay, limit.spent, limit.day);
    }

    /// @notice Whether `token` has a limit; one of zero is a limit too.
    function isListedToken(address token) external view returns (bool) {
        return token == address(0) || AccountStorage.get().limits[token].listed;
    }

    /// @notice Whether a contract or recipient was called or paid before.
    function isKnown(address counterparty) external view returns (bool) {
        return AccountStorage.get().known[counterparty];
    }

    /// @notice Whether strict mode lets `selector` of `target` be called.
    function isAllowedCall(address target, bytes4 selector) external view returns (bool) {
        return AccountStorage.get().allowedCalls[target][selector];
    }

    // ---- queue

    /// @notice Puts something over the limit into the queue for 24 hours, which stop while the account is frozen.
    /// The reader refuses what could never be confirmed.
    function queue(QueueKind, bytes calldata, uint256) external onlySelf {
        bytes32 id = _askId();
        _acceptDigest(id);
        _start(id, ItemKind.Queued, 0);
    }

    /// @notice Carries out what was queued.
    function confirm(QueueKind kind, bytes calldata content, uint256) external onlySelf {
        _finish(_askId(), ItemKind.Queued);
        if (kind == QueueKind.Spend) return _run(CallBatch.decode(content), Counting.Confirmed);
        AccountStorage.Layout storage $ = AccountStorage.get();
        // One word or two: the reader looked at the length and the width of each when they were queued.
        bytes32 first = bytes32(content);
        address named = address(uint160(uint256(first)));
        if (kind == QueueKind.Limit) {
            _setLimit($, named, uint256(bytes32(content[32:])));
        } else if (kind == QueueKind.GasCap) {
            _setGasCap($, uint256(first));
        } else if (kind == QueueKind.Domain) {
            $.listedDomains[first] = true;
            emit DomainListed(first);
        } else {
            bytes4 selector = bytes4(content[32:]);
            $.allowedCalls[named][selector] = true;
            emit CallAllowed(named, selector);
        }
    }

    // ---- less, at once

    /// @notice Lowers the daily limit of a listed token or the native currency. Any vote or the server key.
    function lowerLimit(address token, uint256 perDay, Stamp calldata, Signature[] calldata) external {
        _accept();
        AccountStorage.Layout storage $ = AccountStorage.get();
        uint256 current = $.limits[token].perDay;
        if (perDay >= current) revert NotLowered(current);
        _setLimit($, token, perDay);
    }

    /// @notice Lowers the gas cap. Any vote or the server key.
    function lowerGasCap(uint256 maxCost, Stamp calldata, Signature[] calldata) external {
        _accept();
        AccountStorage.Layout storage $ = AccountStorage.get();
        if (maxCost >= $.gasCap) revert NotLowered($.gasCap);
        _setGasCap($, maxCost);
    }

    /// @notice Takes an application's domain from the ERC-1271 list. Any vote or the server key.
    function unlistDomain(bytes32 domainSeparator, Stamp calldata, Signature[] calldata) external {
        _accept();
        AccountStorage.Layout storage $ = AccountStorage.get();
        if (!$.listedDomains[domainSeparator]) revert DomainNotListed(domainSeparator);
        delete $.listedDomains[domainSeparator];
        emit DomainUnlisted(domainSeparator);
    }

    /// @notice Takes a call from strict mode's allow-list. Any vote or the server key.
    function disallowCall(address target, bytes4 selector, Stamp calldata, Signature[] calldata) external {
        _accept();
        AccountStorage.Layout storage $ = AccountStorage.get();
        if (!$.allowedCalls[target][selector]) revert CallIsNotAllowed(target, selector);
        delete $.allowedCalls[target][selector];
        emit CallDisallowed(target, selector);
    }

    // ---- gas, in validation

    /// @dev Who touches a passkey gets the server's signature for what the core's rules allow; without this bound a thief
    /// could burn the balance as fees. EntryPoint 0.7 also charges the account when the paymaster field names the zero
    /// address, and then counts the paymaster gas fields too. The comparison divides, so nothing overflows.
    function _gasCost(PackedUserOperation calldata userOp) internal view returns (bool paidByAccount, uint256 cost) {
        bytes calldata sponsor = userOp.paymasterAndData;
        if (sponsor.length >= 20 && address(bytes20(sponsor)) != address(0)) return (false, 0);
        uint256 maxFeePerGas = uint128(uint256(userOp.gasFees));
        uint256 cap = AccountStorage.get().gasCap;
        // EntryPoint refuses fields above 120 bits (AA94); saturation keeps the sum safe without relying on it.
        uint256 gas = userOp.preVerificationGas;
        if (gas > type(uint128).max) gas = type(uint128).max;
        gas += uint256(userOp.accountGasLimits) >> 128;
        gas += uint128(uint256(userOp.accountGasLimits));
        if (sponsor.length >= 52) gas += uint256(uint128(bytes16(sponsor[20:36]))) + uint128(bytes16(sponsor[36:52]));
        if (maxFeePerGas != 0 && gas > cap / maxFeePerGas) revert GasCostOverCap(gas, maxFeePerGas, cap);
        return (true, gas * maxFeePerGas);
    }

    /// @dev Charges the largest cost of an operation to the claimed day; the EntryPoint checks the day, because validation
    /// has no clock (ERC-7562, OP-011). An operation that costs nothing is an estimate and pays one wei, to write the slot
    /// that the real one will write; or somebody bundles it for nothing, which takes nothing from the account, so that
    /// nothing is charged where nothing is left: an account without a limit row can be moved out without a paymaster. A
    /// signature that is not formed claims no day and fails whatever is charged here.
    function _chargeGas(uint256 cost, uint256 day, bool formed) internal returns (uint256) {
        AccountStorage.DayLimit storage limit = AccountStorage.get().limits[address(0)];
        uint256 charged = limit.day;
        if (!formed) day = charged;
        if (day < charged || day > type(uint24).max) revert DayIsOver(day, charged);
        if (cost == 0) {
            (, uint256 left) = _today(limit, day);
            if (left != 0) cost = 1;
        }
        _spend(limit, address(0), cost, day);
        return day;
    }

    // ---- calls, in execution

    /// @dev Runs a batch, all or nothing. Each call is charged before it is made; what it would leave unlimited reverts.
    function _run(Call[] calldata calls, Counting counting) internal {
        for (uint256 i = 0; i < calls.length; ++i) {
            Call calldata one = calls[i];
            (address to, uint256 value, bytes calldata data) = (one.to, one.value, one.data);
            _checkTarget(to, i);
            if (counting == Counting.Confirmed) _note(to, data);
            else _charge(to, value, data, counting == Counting.ByContent);
            OutgoingCall.make(i, to, value, data);
        }
    }

    /// @dev A deposit at the EntryPoint is value too: it must not move past the limits, nor may an operation start another.
    function _checkTarget(address to, uint256 index) private view {
        if (to == address(0)) revert CallToZeroAddress(index);
        if (to == address(this)) revert CallToSelf(index);
        if (to == address(_ENTRY_POINT)) revert CallToEntryPoint(index);
    }

    /// @dev What one call costs the limits of today. What none of them can count reverts by name.
    function _charge(address to, uint256 value, bytes calldata data, bool byContent) private {
        AccountStorage.Layout storage $ = AccountStorage.get();
        uint256 day = block.timestamp / 1 days;
        if (value != 0) _spend($.limits[address(0)], address(0), value, day);
        if (data.length == 0) return _meet($, to, true);
        _chargeData($, to, data, day, byContent);
    }

    /// @dev A grant has no token function in it; only on a listed token its calls must be harmless as well.
    function _chargeData(
        AccountStorage.Layout storage $,
        address to,
        bytes calldata data,
        uint256 day,
        bool byContent
    ) private {
        bytes4 selector = bytes4(data);
        AccountStorage.DayLimit storage limit = $.limits[to];
        bool listed = limit.listed;
        CallClass class;
        uint256 amount;
        address other;
        if (byContent || listed) (class, amount, other) = _classify(data);
        if (class == CallClass.Malformed) revert CallDataMalformed(to, selector);
        if (class == CallClass.Hidden) revert HiddenTokenCall(to, selector);
        if ($.strict && !$.allowedCalls[to][selector]) revert CallNotAllowed(to, selector);
        // The owner allowed this call, so its target needs no other acquaintance.
        _meet($, to, false);
        if (listed) {
            if (class == CallClass.Amount) _spend(limit, to, amount, day);
            else if (class != CallClass.Harmless) revert UncountedTokenCall(to, selector);
        } else if ((class == CallClass.Amount || class == CallClass.Token) && !$.unlistedTokensAllowed) {
            revert UnlistedToken(to, selector);
        }
        if (other != address(0)) _meet($, other, true);
    }

    /// @dev A confirmed call is not charged; whom it reaches is known from now on.
    function _note(address to, bytes calldata data) private {
        AccountStorage.Layout storage $ = AccountStorage.get();
        _meet($, to, false);
        (,, address other) = _classify(data);
        if (other != address(0)) _meet($, other, false);
    }

    function _classify(bytes calldata data) private view returns (CallClass, uint256, address) {
        return AccountReader(_READER).classify(data);
    }

    function _meet(AccountStorage.Layout storage $, address counterparty, bool asRecipient) private {
        if ($.known[counterparty]) return;
        if (asRecipient && $.strict) revert NewRecipient(counterparty);
        $.known[counterparty] = true;
        emit FirstUse(counterparty);
    }

    /// @dev A row of an earlier day starts anew. It is never of a later one: the EntryPoint holds validation to its day.
    function _spend(AccountStorage.DayLimit storage limit, address token, uint256 amount, uint256 day) private {
        (uint256 spent, uint256 left) = _today(limit, day);
        if (amount > left) revert OverLimit(token, amount, left);
        (limit.spent, limit.day) = (uint112(spent + amount), uint24(day));
    }

    function _today(AccountStorage.DayLimit storage limit, uint256 day)
        private
        view
        returns (uint256 spent, uint256 left)
    {
        uint256 perDay = limit.perDay;
        spent = limit.day < day ? 0 : limit.spent;
        left = spent < perDay ? perDay - spent : 0;
    }

    // ---- inside

    /// @dev Amounts too large for their field become the largest it holds, which is more than exists.
    function _setLimit(AccountStorage.Layout storage $, address token, uint256 perDay) internal {
        if (perDay > type(uint112).max) perDay = type(uint112).max;
        AccountStorage.DayLimit storage limit = $.limits[token];
        (limit.perDay, limit.listed) = (uint112(perDay), token != address(0));
        emit SpendingLimitChanged(token, perDay);
    }

    function _setGasCap(AccountStorage.Layout storage $, uint256 cap) internal {
        if (cap > type(uint96).max) cap = type(uint96).max;
        $.gasCap = uint96(cap);
        emit GasCapChanged(cap);
    }

    /// @dev Rows of this chain; one without a row keeps cap or limit 0.
    function _storeRows(AccountStorage.Layout storage $, FirstState memory first) internal {
        if (first.hasGasCap) _setGasCap($, first.gasCap);
        for (uint256 i = 0; i < first.limits.length; ++i) _setLimit($, first.limits[i].token, first.limits[i].perDay);
    }
}
