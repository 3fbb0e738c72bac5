// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @dev `left && right` without the jump. Conditions of a validation are combined with it so that an operation with a
/// dummy signature costs what the real one will cost.
function both(bool left, bool right) pure returns (bool result) {
    assembly ("memory-safe") {
        result := and(left, right)
    }
}
