// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title A call that copies little back
library BoundedCall {
    /// @dev What is kept of a reason. A callee could otherwise return so much that copying it takes all gas.
    uint256 internal constant MAX_REASON = 1024;

    /// @notice Calls `to`; nothing is copied back from a call that succeeds, the first 1,024 bytes from one that fails.
    function run(address to, uint256 value, bytes memory data) internal returns (bool success, bytes memory reason) {
        assembly ("memory-safe") {
            success := call(gas(), to, value, add(data, 32), mload(data), 0, 0)
            reason := mload(0x40)
            let size := 0
            if iszero(success) {
                size := returndatasize()
                if gt(size, MAX_REASON) { size := MAX_REASON }
            }
            mstore(reason, size)
            returndatacopy(add(reason, 32), 0, size)
            mstore(0x40, and(add(add(reason, size), 63), not(31)))
        }
    }
}
