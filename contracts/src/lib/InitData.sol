// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {P256} from "@openzeppelin/contracts/utils/cryptography/P256.sol";
import {AccountStorage} from "./AccountStorage.sol";
import {AccountInit, FirstState, GasCap, KeyPlan, Passkey, SpendingLimit} from "./AccountTypes.sol";

/// @title Rules for keys, guardians and init data
/// @notice Keys and guardians obey them always, init data once. Whoever makes init data must obey the same rules: an
/// address whose init data breaks one can be paid to but never be deployed. All rows are checked on all chains, so that an
/// account that deploys on one deploys on each.
library InitData {
    /// @dev Rows of each table, for all chains together. The pairwise comparison of 32 rows costs under 100 k gas.
    uint256 internal constant MAX_ROWS = 32;

    /// @dev Guardians may never act faster than the owner can notice, whatever the init data says.
    uint256 internal constant MIN_RECOVERY_DELAY = 1 days;

    error PasskeyCountOutOfRange(uint256 count);
    error PasskeyNotOnCurve(uint256 index);
    error PasskeyWithoutRpId(uint256 index);
    error DuplicatePasskey(uint256 index);
    error ZeroServerKey();
    error ZeroEscapeKey();
    error EscapeKeyIsServerKey();
    error GuardianThresholdInconsistent(bytes32 guardiansHash, uint8 threshold);
    error RecoveryDelayTooShort(uint32 delay);
    error TooManyGasCaps(uint256 count);
    error TooManySpendingLimits(uint256 count);
    error DuplicateGasCap(uint256 index);
    error DuplicateSpendingLimit(uint256 index);

    /// @notice What `init` says for this chain. Reverts with the name of the first rule that it breaks, on whichever chain.
    function firstState(AccountInit memory init) internal view returns (FirstState memory first) {
        checkKeys(init.passkeys, init.serverKey, init.escapeKey);
        checkGuardians(init.guardiansHash, init.guardianThreshold, init.recoveryDelay);
        _checkGasCaps(init.gasCaps);
        _checkLimits(init.limits);
        first.keys = KeyPlan(0, init.passkeys, init.serverKey, init.escapeKey);
        first.guardiansHash = init.guardiansHash;
        first.guardianThreshold = init.guardianThreshold;
        first.recoveryDelay = init.recoveryDelay;
        first.strict = init.strict;
        for (uint256 i = 0; i < init.gasCaps.length; ++i) {
            if (init.gasCaps[i].chainId != block.chainid) continue;
            (first.gasCap, first.hasGasCap) = (init.gasCaps[i].maxCost, true);
        }
        first.limits = _ofThisChain(init.limits);
    }

    /// @notice What holds of an account's keys at any time.
    function checkKeys(Passkey[] memory passkeys, address serverKey, address escapeKey) internal pure {
        _checkPasskeys(passkeys);
        if (serverKey == address(0)) revert ZeroServerKey();
        if (escapeKey == address(0)) revert ZeroEscapeKey();
        // One key must not be a vote and the gate at once.
        if (escapeKey == serverKey) revert EscapeKeyIsServerKey();
    }

    /// @notice What holds of an account's guardians at any time.
    function checkGuardians(bytes32 guardiansHash, uint8 threshold, uint32 recoveryDelay) internal pure {
        if ((guardiansHash == 0) != (threshold == 0)) revert GuardianThresholdInconsistent(guardiansHash, threshold);
        if (recoveryDelay < MIN_RECOVERY_DELAY) revert RecoveryDelayTooShort(recoveryDelay);
    }

    /// @dev Moves the rows of this chain to the front and cuts the list behind them.
    function _ofThisChain(SpendingLimit[] memory rows) private view returns (SpendingLimit[] memory) {
        uint256 count;
        for (uint256 i = 0; i < rows.length; ++i) {
            if (rows[i].chainId == block.chainid) rows[count++] = rows[i];
        }
        assembly ("memory-safe") {
            mstore(rows, count)
        }
        return rows;
    }

    /// @dev A point and its negative are the same secret, so equal x alone makes a duplicate: one secret, one vote.
    function _checkPasskeys(Passkey[] memory keys) private pure {
        uint256 count = keys.length;
        if (count == 0 || count > AccountStorage.MAX_PASSKEYS) revert PasskeyCountOutOfRange(count);
        for (uint256 i = 0; i < count; ++i) {
            Passkey memory key = keys[i];
            if (!P256.isValidPublicKey(bytes32(key.x), bytes32(key.y))) revert PasskeyNotOnCurve(i);
            if (key.rpIdHash == 0) revert PasskeyWithoutRpId(i);
            for (uint256 j = 0; j < i; ++j) {
                if (keys[j].x == key.x) revert DuplicatePasskey(i);
            }
        }
    }

    function _checkGasCaps(GasCap[] memory rows) private pure {
        if (rows.length > MAX_ROWS) revert TooManyGasCaps(rows.length);
        for (uint256 i = 1; i < rows.length; ++i) {
            for (uint256 j = 0; j < i; ++j) {
                if (rows[j].chainId == rows[i].chainId) revert DuplicateGasCap(i);
            }
        }
    }

    function _checkLimits(SpendingLimit[] memory rows) private pure {
        if (rows.length > MAX_ROWS) revert TooManySpendingLimits(rows.length);
        for (uint256 i = 1; i < rows.length; ++i) {
            for (uint256 j = 0; j < i; ++j) {
                if (rows[j].chainId == rows[i].chainId && rows[j].token == rows[i].token) {
                    revert DuplicateSpendingLimit(i);
                }
            }
        }
    }
}
