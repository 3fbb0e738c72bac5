// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Call} from "./AccountTypes.sol";

/// @title Execution data of a batch
/// @notice Reads `abi.encode(Call[])` in place and accepts the canonical encoding only (spec/wire-formats.md, section 3):
/// what the trusted core decoded and showed is then the only reading there is, byte for byte.
library CallBatch {
    /// @dev Calls of one batch; the trusted core decodes and shows each of them.
    uint256 internal constant MAX_CALLS = 32;

    error CallCountOutOfRange(uint256 count);
    error ExecutionDataMalformed();

    /// @notice The calls in `data`, 1 to 32, in order and without gaps, overlaps, dirty padding or anything behind them.
    /// @dev Positions only grow, and the last one must be the end of `data`: whatever was read then lies inside.
    function decode(bytes calldata data) internal pure returns (Call[] calldata calls) {
        if (data.length < 64 || _word(data, 0) != 32) revert ExecutionDataMalformed();
        uint256 count = _word(data, 32);
        if (count == 0 || count > MAX_CALLS) revert CallCountOutOfRange(count);
        // No sum below wraps: each of at most 32 calls adds four words and no more than the length of `data`.
        unchecked {
            uint256 position = 64 + 32 * count;
            for (uint256 i = 0; i < count; ++i) {
                // Offsets of elements count from the first of them.
                if (_word(data, 64 + 32 * i) != position - 64) revert ExecutionDataMalformed();
                position = _endOfCall(data, position);
            }
            if (data.length != position) revert ExecutionDataMalformed();
        }
        assembly ("memory-safe") {
            calls.offset := add(data.offset, 64)
            calls.length := count
        }
    }

    /// @dev One element: receiver, value, offset of the call data (always 96), its length, its bytes padded with zeros.
    function _endOfCall(bytes calldata data, uint256 start) private pure returns (uint256 end) {
        unchecked {
            uint256 length = _word(data, start + 96);
            if (_word(data, start) >> 160 != 0 || _word(data, start + 64) != 96 || length > data.length) {
                revert ExecutionDataMalformed();
            }
            uint256 used = length % 32;
            end = start + 128 + length + (32 - used) % 32;
            if (used != 0 && _word(data, end - 32) << (8 * used) != 0) revert ExecutionDataMalformed();
        }
    }

    /// @dev Bytes of the surrounding call data when it lies outside.
    function _word(bytes calldata data, uint256 offset) private pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := calldataload(add(data.offset, offset))
        }
    }
}
