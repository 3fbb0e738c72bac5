// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccountStorage} from "../lib/AccountStorage.sol";
import {
    FirstState,
    GuardianProof,
    ItemKind,
    KeyChange,
    KeyPlan,
    Passkey,
    RuleChange,
    Signature,
    Stamp
} from "../lib/AccountTypes.sol";
import {Implementation} from "../lib/Implementation.sol";
import {Votes} from "./Votes.sol";

/// @title Who has the account
/// @notice Freeze, unfreeze, changes of keys and rules, escape, recovery and upgrade (spec/account.md, section 2). All of
/// them are plain functions: anybody submits them, they carry signatures and cost the account nothing.
/// @dev Arguments without a name are the reader's alone: digest, signatures and the rules for them.
abstract contract Custody is Votes {
    uint48 internal constant SERVER_FREEZE = 7 days;
    /// @dev After the end of a server's freeze. Counted for the account, so that a new server key changes nothing.
    uint48 internal constant SERVER_FREEZE_PAUSE = 30 days;

    error AlreadyFrozen();
    error NotFrozen();
    error ServerFreezeTooSoon(uint48 notBefore);

    /// @notice A vote froze the account; it has no end of its own.
    event Frozen(uint256 votes);
    event ServerFrozen(uint48 until);
    event Unfrozen();
    event PasskeyAdded(uint256 indexed slot, uint256 x, uint256 y, bytes32 rpIdHash);
    event PasskeyRemoved(uint256 indexed slot, uint256 x);
    event ServerKeyChanged(address indexed serverKey);
    event EscapeKeyChanged(address indexed escapeKey);
    event GuardiansChanged(bytes32 guardiansHash, uint8 threshold, uint32 recoveryDelay);
    event StrictModeChanged(bool strict);
    event UnlistedTokensChanged(bool allowed);
    /// @notice Everything signed or waiting in an earlier key epoch is void from now on.
    event KeyEpochChanged(uint32 indexed keyEpoch);
    /// @notice ERC-1967.
    event Upgraded(address indexed implementation);

    // ---- freeze

    /// @notice Stops operations and ERC-1271 at once. By any vote, without end; by the server key for 7 days, and not
    /// again until 30 days after that. A vote's freeze replaces a server's.
    function freeze(Stamp calldata, Signature[] calldata) external {
        (, uint256 signers) = _accept();
        AccountStorage.Layout storage $ = AccountStorage.get();
        if ($.frozenUntil == AccountStorage.FOREVER) revert AlreadyFrozen();
        uint48 time = uint48(block.timestamp);
        uint48 until = AccountStorage.FOREVER;
        if (signers == SERVER) {
            if (time < $.serverFreezeNotBefore) revert ServerFreezeTooSoon($.serverFreezeNotBefore);
            until = time + SERVER_FREEZE;
            $.serverFreezeNotBefore = until + SERVER_FREEZE_PAUSE;
            emit ServerFrozen(until);
        } else {
            emit Frozen(signers);
        }
        $.frozenTotal = uint48(_frozenSeconds($));
        $.frozenSince = time;
        $.frozenUntil = until;
    }

    /// @notice Ends a freeze: two votes and the gate at once, one vote and the gate after 3 days.
    function unfreeze(uint8 votes, Stamp calldata, Signature[] calldata) external {
        AccountStorage.Layout storage $ = AccountStorage.get();
        if (!_isFrozen($)) revert NotFrozen();
        (bytes32 id, uint256 signers) = _accept();
        if (votes == 1) _start(id, ItemKind.Unfreeze, signers & VOTES);
        else _endFreeze($);
    }

    /// @notice Carries out a waiting `unfreeze`. It ends the freeze it was started in, not a later one.
    function finishUnfreeze(uint8, Stamp calldata) external {
        AccountStorage.Layout storage $ = AccountStorage.get();
        bytes32 id = _askId();
        _finish(id, ItemKind.Unfreeze);
        if (!_isFrozen($)) revert NotFrozen();
        if ($.items[id].startedAt < $.frozenSince) revert ItemVoid(id);
        _endFreeze($);
    }

    /// @dev Settles the clock, for a server's freeze that ended by itself too.
    function _endFreeze(AccountStorage.Layout storage $) private {
        if ($.frozenUntil == 0) return;
        $.frozenTotal = uint48(_frozenSeconds($));
        ($.frozenSince, $.frozenUntil) = (0, 0);
        emit Unfrozen();
    }

    // ---- keys and rules

    /// @notice Removes and adds passkeys, exchanges server and escape key. Two votes and the gate at once, one vote and
    /// the gate after 3 days that stop while the account is frozen.
    function changeKeys(KeyChange calldata change, Stamp calldata, Signature[] calldata) external {
        (bytes32 id, uint256 signers, KeyPlan memory plan) = _askPlan();
        _acceptDigest(id);
        if (change.votes == 1) _start(id, ItemKind.ChangeKeys, signers & VOTES);
        else _applyKeys(plan);
    }

    /// @notice Carries out a waiting `changeKeys`.
    function finishChangeKeys(KeyChange calldata, Stamp calldata) external {
        _finishKeys(ItemKind.ChangeKeys);
    }

    /// @notice Exchanges guardians, recovery delay and modes; signed and delayed like `changeKeys`.
    function changeRules(RuleChange calldata change, Stamp calldata, Signature[] calldata) external {
        (bytes32 id, uint256 signers) = _accept();
        if (change.votes == 1) _start(id, ItemKind.ChangeRules, signers & VOTES);
        else _applyRules(change);
    }

    /// @notice Carries out a waiting `changeRules`.
    function finishChangeRules(RuleChange calldata change, Stamp calldata) external {
        _finish(_askId(), ItemKind.ChangeRules);
        _applyRules(change);
    }

    // ---- escape and recovery

    /// @notice New passkeys and a new server key without the gate, after 3 days that no freeze stops. `votes` 2: only
    /// guardians cancel it.
    function escape(Passkey[] calldata, address, uint8, Stamp calldata, Signature[] calldata) external {
        (bytes32 id, uint256 signers) = _accept();
        _start(id, ItemKind.Escape, signers);
    }

    /// @notice Carries out a waiting `escape`, and ends a freeze.
    function finishEscape(Passkey[] calldata, address, uint8, Stamp calldata) external {
        _endFreeze(AccountStorage.get());
        _finishKeys(ItemKind.Escape);
    }

    /// @notice All keys new, by the guardians, after the recovery delay, which no freeze stops.
    function recover(Passkey[] calldata, address, address, Stamp calldata, GuardianProof calldata) external {
        bytes32 id = _askId();
        _acceptDigest(id);
        _start(id, ItemKind.Recover, 0);
    }

    /// @notice Carries out a waiting `recover`, and ends a freeze.
    function finishRecover(Passkey[] calldata, address, address, Stamp calldata) external {
        _endFreeze(AccountStorage.get());
        _finishKeys(ItemKind.Recover);
    }

    // ---- upgrade

    /// @notice Starts the exchange of this contract's code, by two votes and the gate. It waits 7 days and then for two
    /// votes once more. Nothing of the new code runs in an upgrade.
    function upgrade(address, bytes32, Stamp calldata, Signature[] calldata) external {
        (bytes32 id, uint256 signers) = _accept();
        _start(id, ItemKind.Upgrade, signers & VOTES);
    }

    /// @notice Carries out a waiting `upgrade`, whose stamp is the first one here. Not while the account is frozen.
    function confirmUpgrade(address implementation, bytes32, Stamp calldata, Stamp calldata, Signature[] calldata)
        external
    {
        (bytes32 digest,, bytes32 id) = abi.decode(_ask(msg.data), (bytes32, uint256, bytes32));
        _acceptDigest(digest);
        _finish(id, ItemKind.Upgrade);
        Implementation.set(implementation);
        emit Upgraded(implementation);
    }

    /// @notice ERC-1822: this code runs behind an ERC-1967 proxy. Only the implementation itself answers, so that no proxy
    /// can be taken for one.
    function proxiableUUID() external view returns (bytes32) {
        if (address(this) != _SELF) revert Implementation.NotAnImplementation(address(this));
        return Implementation.SLOT;
    }

    // ---- inside

    function _askPlan() private view returns (bytes32, uint256, KeyPlan memory) {
        return abi.decode(_ask(msg.data), (bytes32, uint256, KeyPlan));
    }

    function _applyKeys(KeyPlan memory plan) private {
        _putKeys(plan);
        _nextEpoch(AccountStorage.get());
    }

    function _finishKeys(ItemKind kind) private {
        (bytes32 id,, KeyPlan memory plan) = _askPlan();
        _finish(id, kind);
        _applyKeys(plan);
    }

    /// @dev Drops all passkeys but the kept ones and puts the new ones into the lowest free slots. Events only for what is
    /// new, which at creation is everything.
    function _putKeys(KeyPlan memory plan) private {
        AccountStorage.Layout storage $ = AccountStorage.get();
        uint256 live = plan.kept;
        uint256 gone = $.passkeySlots & ~live;
        for (uint256 slot = 0; gone >> slot != 0; ++slot) {
            if ((gone >> slot) & 1 == 0) continue;
            emit PasskeyRemoved(slot, $.passkeys[slot].x);
            delete $.passkeys[slot];
        }
        uint256 place;
        for (uint256 i = 0; i < plan.added.length; ++i) {
            while ((live >> place) & 1 != 0) ++place;
            live |= 1 << place;
            Passkey memory key = plan.added[i];
            $.passkeys[place] = key;
            emit PasskeyAdded(place, key.x, key.y, key.rpIdHash);
        }
        $.passkeySlots = uint8(live);
        if ($.serverKey != plan.serverKey) {
            $.serverKey = plan.serverKey;
            emit ServerKeyChanged(plan.serverKey);
        }
        if ($.escapeKey != plan.escapeKey) {
            $.escapeKey = plan.escapeKey;
            emit EscapeKeyChanged(plan.escapeKey);
        }
    }

    function _applyRules(RuleChange calldata change) private {
        AccountStorage.Layout storage $ = AccountStorage.get();
        _putRules($, change.guardiansHash, change.guardianThreshold, change.recoveryDelay, change.strict);
        $.unlistedTokensAllowed = change.unlistedTokens;
        emit UnlistedTokensChanged(change.unlistedTokens);
        _nextEpoch($);
    }

    function _nextEpoch(AccountStorage.Layout storage $) private {
        uint32 epoch = $.keyEpoch + 1;
        $.keyEpoch = epoch;
        emit KeyEpochChanged(epoch);
    }

    function _putRules(
        AccountStorage.Layout storage $,
        bytes32 guardiansHash,
        uint8 guardianThreshold,
        uint32 recoveryDelay,
        bool strict
    ) private {
        $.recoveryDelay = recoveryDelay;
        $.guardianThreshold = guardianThreshold;
        // A slot of its own, which most accounts never use.
        if ($.guardiansHash != guardiansHash) $.guardiansHash = guardiansHash;
        $.strict = strict;
        emit GuardiansChanged(guardiansHash, guardianThreshold, recoveryDelay);
        emit StrictModeChanged(strict);
    }

    /// @dev Keys and rules of a new account; its key epoch is 0.
    function _storeFirst(AccountStorage.Layout storage $, FirstState memory first) internal {
        _putKeys(first.keys);
        _putRules($, first.guardiansHash, first.guardianThreshold, first.recoveryDelay, first.strict);
    }
}
