// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IEntryPoint} from "@openzeppelin/contracts/interfaces/IERC4337.sol";
import {ActionHashes} from "../lib/ActionHashes.sol";
import {
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
import {InitData} from "../lib/InitData.sol";
import {Signers} from "./Signers.sol";

/// @title Plain functions, read
/// @notice For each plain function of the account: the digest of what was signed, who signed it, that those may, and that
/// its content keeps the account in order (spec/account.md, section 2). Functions are described in the account's parts.
abstract contract Actions is Signers {
    IEntryPoint internal immutable _ENTRY_POINT;

    constructor(IEntryPoint entryPoint) {
        _ENTRY_POINT = entryPoint;
    }

    // ---- freeze

    function freeze(Stamp calldata stamp, Signature[] calldata signatures) external view returns (bytes32, uint256) {
        return _byOne(ActionHashes.FREEZE, _words(0), stamp, signatures);
    }

    function unfreeze(uint8 votes, Stamp calldata stamp, Signature[] calldata signatures)
        external
        view
        returns (bytes32, uint256)
    {
        return _byVotes(ActionHashes.UNFREEZE, _words(1), votes, true, stamp, signatures);
    }

    function finishUnfreeze(uint8, Stamp calldata stamp) external view returns (bytes32) {
        return _digest(ActionHashes.UNFREEZE, _words(1), stamp);
    }

    // ---- keys and rules

    /// @dev Checked before a wait too: within a key epoch the keys stay as they are, so what is in order now will be then.
    function changeKeys(KeyChange calldata change, Stamp calldata stamp, Signature[] calldata signatures)
        external
        view
        returns (bytes32 digest, uint256 signers, KeyPlan memory plan)
    {
        plan = _plan(change);
        (digest, signers) = _byVotes(
            ActionHashes.CHANGE_KEYS, ActionHashes.keyChange(change), change.votes, true, stamp, signatures
        );
    }

    function finishChangeKeys(KeyChange calldata change, Stamp calldata stamp)
        external
        view
        returns (bytes32, uint256, KeyPlan memory)
    {
        return (_digest(ActionHashes.CHANGE_KEYS, ActionHashes.keyChange(change), stamp), 0, _plan(change));
    }

    function changeRules(RuleChange calldata change, Stamp calldata stamp, Signature[] calldata signatures)
        external
        view
        returns (bytes32, uint256)
    {
        InitData.checkGuardians(change.guardiansHash, change.guardianThreshold, change.recoveryDelay);
        return _byVotes(
            ActionHashes.CHANGE_RULES, _words(6), change.votes, true, stamp, signatures
        );
    }

    function finishChangeRules(RuleChange calldata, Stamp calldata stamp) external view returns (bytes32) {
        return _digest(ActionHashes.CHANGE_RULES, _words(6), stamp);
    }

    // ---- escape and recovery

    function escape(
        Passkey[] calldata passkeys,
        address serverKey,
        uint8 votes,
        Stamp calldata stamp,
        Signature[] calldata signatures
    ) external view returns (bytes32, uint256) {
        _planEscape(passkeys, serverKey);
        bytes memory content = abi.encode(ActionHashes.passkeys(passkeys), serverKey, votes);
        return _byVotes(ActionHashes.ESCAPE, content, votes, false, stamp, signatures);
    }

    function finishEscape(Passkey[] calldata passkeys, address serverKey, uint8 votes, Stamp calldata stamp)
        external
        view
        returns (bytes32, uint256, KeyPlan memory)
    {
        bytes memory content = abi.encode(ActionHashes.passkeys(passkeys), serverKey, votes);
        return (_digest(ActionHashes.ESCAPE, content, stamp), 0, _planEscape(passkeys, serverKey));
    }

    function recover(
        Passkey[] calldata passkeys,
        address serverKey,
        address escapeKey,
        Stamp calldata stamp,
        GuardianProof calldata proof
    ) external view returns (bytes32) {
        InitData.checkKeys(passkeys, serverKey, escapeKey);
        bytes memory content = abi.encode(ActionHashes.passkeys(passkeys), serverKey, escapeKey);
        return _byGuardians(ActionHashes.RECOVER, content, stamp, proof);
    }

    function finishRecover(Passkey[] calldata passkeys, address serverKey, address escapeKey, Stamp calldata stamp)
        external
        view
        returns (bytes32, uint256, KeyPlan memory)
    {
        InitData.checkKeys(passkeys, serverKey, escapeKey);
        bytes memory content = abi.encode(ActionHashes.passkeys(passkeys), serverKey, escapeKey);
        return (_digest(ActionHashes.RECOVER, content, stamp), 0, KeyPlan(0, passkeys, serverKey, escapeKey));
    }

    // ---- upgrade

    function upgrade(address implementation, bytes32 codeHash, Stamp calldata stamp, Signature[] calldata signatures)
        external
        view
        returns (bytes32, uint256)
    {
        Implementation.check(implementation, codeHash, _ENTRY_POINT);
        return _byVotes(ActionHashes.UPGRADE, _words(2), 2, true, stamp, signatures);
    }

    /// @return digest of the confirmation.
    /// @return signers of it.
    /// @return id of the upgrade that it confirms.
    function confirmUpgrade(
        address implementation,
        bytes32 codeHash,
        Stamp calldata stamp,
        Stamp calldata confirmStamp,
        Signature[] calldata signatures
    ) external view returns (bytes32 digest, uint256 signers, bytes32 id) {
        Implementation.check(implementation, codeHash, _ENTRY_POINT);
        id = _digest(ActionHashes.UPGRADE, _words(2), stamp);
        (digest, signers) =
            _byVotes(ActionHashes.CONFIRM_UPGRADE, abi.encode(id), 2, false, confirmStamp, signatures);
    }

    // ---- cancel

    /// @dev Who may follows from the item: how it is started says who is left to object.
    function cancel(bytes32 id, Stamp calldata stamp, Signature[] calldata signatures)
        external
        view
        returns (bytes32 digest, uint256 signers)
    {
        digest = _stamped(ActionHashes.CANCEL, _words(1), stamp);
        signers = _signers(digest, signatures);
        (ItemKind kind, uint16 started,,,) = _account().item(id);
        if (kind == ItemKind.Queued) {
            _requireOne(signers);
        } else if (kind == ItemKind.Recover) {
            _requireVotes(signers, 2, false);
        } else if (kind == ItemKind.Upgrade) {
            _requireVotes(signers, 1, false);
        } else if (_count(started) == 1) {
            // Any vote but the one that started it.
            _requireVotes(signers, 1, false);
            if (signers & started != 0) revert WrongSigners(signers);
        } else {
            // An escape by two votes, or nothing that waits.
            revert NotCancellable(id, kind);
        }
    }

    /// @dev The guardians end anything but their own recovery and what is queued.
    function cancelAsGuardians(bytes32 id, Stamp calldata stamp, GuardianProof calldata proof)
        external
        view
        returns (bytes32)
    {
        (ItemKind kind,,,,) = _account().item(id);
        if (kind == ItemKind.Recover || kind == ItemKind.Queued) revert NotCancellable(id, kind);
        return _byGuardians(ActionHashes.CANCEL, _words(1), stamp, proof);
    }

    // ---- less, at once

    function lowerLimit(address, uint256, Stamp calldata stamp, Signature[] calldata signatures)
        external
        view
        returns (bytes32, uint256)
    {
        return _byOne(ActionHashes.LOWER_LIMIT, _words(2), stamp, signatures);
    }

    function lowerGasCap(uint256, Stamp calldata stamp, Signature[] calldata signatures)
        external
        view
        returns (bytes32, uint256)
    {
        return _byOne(ActionHashes.LOWER_GAS_CAP, _words(1), stamp, signatures);
    }

    function unlistDomain(bytes32, Stamp calldata stamp, Signature[] calldata signatures)
        external
        view
        returns (bytes32, uint256)
    {
        return _byOne(ActionHashes.UNLIST_DOMAIN, _words(1), stamp, signatures);
    }

    function disallowCall(address, bytes4, Stamp calldata stamp, Signature[] calldata signatures)
        external
        view
        returns (bytes32, uint256)
    {
        return _byOne(ActionHashes.DISALLOW_CALL, _words(2), stamp, signatures);
    }

    function revokeGrant(bytes32, Stamp calldata stamp, Signature[] calldata signatures)
        external
        view
        returns (bytes32, uint256)
    {
        return _byOne(ActionHashes.REVOKE_GRANT, _words(1), stamp, signatures);
    }

    // ---- inside

    /// @dev encodeData of the first `count` arguments of the call, which are single words: EIP-712 and the ABI encode them
    /// alike, and the ABI decoder has refused dirty ones.
    function _words(uint256 count) private pure returns (bytes memory) {
        return msg.data[4:4 + 32 * count];
    }

    function _byOne(bytes32 typeHash, bytes memory content, Stamp calldata stamp, Signature[] calldata signatures)
        private
        view
        returns (bytes32 digest, uint256 signers)
    {
        digest = _stamped(typeHash, content, stamp);
        signers = _signers(digest, signatures);
        _requireOne(signers);
    }

    function _byVotes(
        bytes32 typeHash,
        bytes memory content,
        uint8 votes,
        bool gate,
        Stamp calldata stamp,
        Signature[] calldata signatures
    ) private view returns (bytes32 digest, uint256 signers) {
        digest = _stamped(typeHash, content, stamp);
        signers = _signers(digest, signatures);
        _requireStatedVotes(signers, votes, gate);
    }

    function _byGuardians(bytes32 typeHash, bytes memory content, Stamp calldata stamp, GuardianProof calldata proof)
        private
        view
        returns (bytes32 digest)
    {
        digest = _stamped(typeHash, content, stamp);
        _requireGuardians(digest, proof);
    }

    /// @dev All passkeys and the server key new; the escape key stays.
    function _planEscape(Passkey[] calldata passkeys, address serverKey) private view returns (KeyPlan memory plan) {
        (, address escapeKey,,) = _account().keys();
        InitData.checkKeys(passkeys, serverKey, escapeKey);
        return KeyPlan(0, passkeys, serverKey, escapeKey);
    }

    /// @dev What a change leads to; reverts when the account would not be in order afterwards.
    function _plan(KeyChange calldata change) private view returns (KeyPlan memory plan) {
        uint8 slots;
        (plan.serverKey, plan.escapeKey,, slots) = _account().keys();
        if (change.serverKey != address(0)) plan.serverKey = change.serverKey;
        if (change.escapeKey != address(0)) plan.escapeKey = change.escapeKey;
        plan.added = change.added;
        uint256 added = change.added.length;
        Passkey[] memory all = new Passkey[](added + MAX_PASSKEYS);
        for (uint256 i = 0; i < added; ++i) all[i] = plan.added[i];
        uint256 total = added;
        uint256 removed;
        for (uint256 slot = 0; slot < MAX_PASSKEYS; ++slot) {
            if ((slots >> slot) & 1 == 0) continue;
            Passkey memory key = _account().passkey(slot);
            if (_contains(change.removed, key.x)) {
                ++removed;
            } else {
                all[total++] = key;
                plan.kept |= 1 << slot;
            }
        }
        // One that the account has not, or one named twice.
        if (removed != change.removed.length) revert PasskeysUnknown(change.removed.length, removed);
        assembly ("memory-safe") {
            mstore(all, total)
        }
        InitData.checkKeys(all, plan.serverKey, plan.escapeKey);
    }

    function _contains(uint256[] calldata list, uint256 x) private pure returns (bool found) {
        for (uint256 i = 0; i < list.length; ++i) found = found || list[i] == x;
    }
}
