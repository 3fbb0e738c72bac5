// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title A call to somebody else's contract
/// @notice What comes back costs the account at most a fixed amount of gas: an answer is not read at all, a reason for a
/// failure is passed on up to a bound.
library OutgoingCall {
    /// @dev As much as EntryPoint 0.8 passes on to its event.
    uint256 private constant MAX_REASON = 2048;

    /// @notice The call at `index` failed without a reason; a reason is passed on as it is, cut at 2,048 bytes.
    error CallFailed(uint256 index);

    /// @notice Calls `to`, or reverts with its reason.
    function make(uint256 index, address to, uint256 value, bytes calldata data) internal {
        bool success;
        uint256 reason;
        assembly ("memory-safe") {
            let input := mload(0x40)
            calldatacopy(input, data.offset, data.length)
            success := call(gas(), to, value, input, data.length, 0, 0)
            reason := returndatasize()
        }
        if (success) return;
        if (reason == 0) revert CallFailed(index);
        if (reason > MAX_REASON) reason = MAX_REASON;
        assembly ("memory-safe") {
            let output := mload(0x40)
            returndatacopy(output, 0, reason)
            revert(output, reason)
        }
    }
}
