// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IEntryPoint} from "@openzeppelin/contracts/interfaces/IERC4337.sol";
import {IERC1822Proxiable} from "@openzeppelin/contracts/interfaces/draft-IERC1822.sol";

/// @title Code that an account may be upgraded to
library Implementation {
    /// @dev ERC-1967: keccak256("eip1967.proxy.implementation") - 1.
    bytes32 internal constant SLOT = 0x360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc;

    /// @dev An EOA with delegated code (EIP-7702) has 23 bytes, and may exchange what they point to at any time.
    uint256 private constant DELEGATION_LENGTH = 23;

    error NotAnImplementation(address implementation);
    error CodeHashMismatch(address implementation, bytes32 codeHash);
    error ForeignEntryPoint(address implementation);

    /// @notice Reverts unless `implementation` has the signed code, is made for ERC-1967 proxies (ERC-1822) and answers to
    /// the same EntryPoint. It is asked by STATICCALL only.
    function check(address implementation, bytes32 codeHash, IEntryPoint entryPoint) internal view {
        if (implementation.code.length <= DELEGATION_LENGTH) revert NotAnImplementation(implementation);
        if (implementation.codehash != codeHash) revert CodeHashMismatch(implementation, implementation.codehash);
        if (_ask(implementation, IERC1822Proxiable.proxiableUUID.selector) != SLOT) {
            revert NotAnImplementation(implementation);
        }
        // The first word of the answer; `entryPoint()` of OpenZeppelin's `Account`.
        if (_ask(implementation, bytes4(keccak256("entryPoint()"))) != bytes32(uint256(uint160(address(entryPoint))))) {
            revert ForeignEntryPoint(implementation);
        }
    }

    function set(address implementation) internal {
        assembly ("memory-safe") {
            sstore(SLOT, implementation)
        }
    }

    /// @dev One word, however long the answer is; zero when there is none.
    function _ask(address implementation, bytes4 question) private view returns (bytes32 answer) {
        assembly ("memory-safe") {
            mstore(0, question)
            let answered := staticcall(gas(), implementation, 0, 4, 0, 32)
            if and(answered, gt(returndatasize(), 31)) { answer := mload(0) }
        }
    }
}
