// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {MultisigStorage} from "./MultisigStorage.sol";
import {LimitRow} from "./MultisigTypes.sol";

/// @title Daily limits of a multisig
/// @notice One sum a token and UTC day for all owners together. A token without a limit cannot be spent by one owner.
library DailyLimits {
    /// @dev Rows for all chains together. The pairwise comparison of 32 rows costs under 100,000 gas.
    uint256 internal constant MAX_ROWS = 32;

    error TooManyLimits(uint256 count);
    error DuplicateLimit(uint256 index);
    error OverDailyLimit(address token, uint256 amount, uint256 left);

    event DailyLimitChanged(address indexed token, uint256 perDay);

    /// @notice Stores this chain's rows. Amounts too large for their field are stored as the largest it holds, so that
    /// no number makes a multisig undeployable.
    function init(LimitRow[] memory rows) internal {
        if (rows.length > MAX_ROWS) revert TooManyLimits(rows.length);
        for (uint256 i = 0; i < rows.length; ++i) {
            LimitRow memory row = rows[i];
            for (uint256 j = 0; j < i; ++j) {
                if (rows[j].chainId == row.chainId && rows[j].token == row.token) revert DuplicateLimit(i);
            }
            if (row.chainId != block.chainid) continue;
            set(row.token, row.perDay > type(uint112).max ? type(uint112).max : uint112(row.perDay));
        }
    }

    /// @notice What was spent today stays spent.
    function set(address token, uint112 perDay) internal {
        MultisigStorage.get().limits[token].perDay = perDay;
        emit DailyLimitChanged(token, perDay);
    }

    /// @notice Limit of `token`, what was spent of it today and what is left.
    function today(address token) internal view returns (uint256 perDay, uint256 spent, uint256 left) {
        MultisigStorage.DayLimit memory limit = MultisigStorage.get().limits[token];
        perDay = limit.perDay;
        if (limit.day == block.timestamp / 1 days) spent = limit.spent;
        if (spent < perDay) left = perDay - spent;
    }

    /// @notice Takes `amount` from what is left today.
    function charge(address token, uint256 amount) internal {
        (, uint256 spent, uint256 left) = today(token);
        if (amount > left) revert OverDailyLimit(token, amount, left);
        MultisigStorage.DayLimit storage limit = MultisigStorage.get().limits[token];
        limit.spent = uint112(spent + amount);
        limit.day = uint32(block.timestamp / 1 days);
    }
}
