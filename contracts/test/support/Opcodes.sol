// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Vm} from "./Vm.sol";

/// @dev The opcode rules of ERC-7562 over a recorded trace.
library Opcodes {
    uint8 internal constant GAS = 0x5a;
    uint8 internal constant CREATE2 = 0xf5;
    uint8 internal constant STATICCALL = 0xfa;

    error ForbiddenOpcode(uint256 step, uint8 opcode);
    error GasNotForCall(uint256 step);

    /// @dev OP-011 and OP-080 forbid the first list for everybody but staked entities' balance reads, which nothing here
    /// needs; OP-012 allows GAS only right before a call.
    function requireCleanValidation(Vm.DebugStep[] memory steps, address[] memory own) internal pure {
        for (uint256 i = 0; i < steps.length; ++i) {
            if (!_isOwn(steps[i].contractAddr, own)) continue;
            uint8 opcode = steps[i].opcode;
            if (_forbidden(opcode)) revert ForbiddenOpcode(i, opcode);
            if (opcode == GAS && !(i + 1 < steps.length && _isCall(steps[i + 1].opcode))) revert GasNotForCall(i);
        }
    }

    function count(Vm.DebugStep[] memory steps, address[] memory own, uint8 opcode) internal pure returns (uint256 n) {
        for (uint256 i = 0; i < steps.length; ++i) {
            if (steps[i].opcode == opcode && _isOwn(steps[i].contractAddr, own)) ++n;
        }
    }

    function _isOwn(address where, address[] memory own) private pure returns (bool found) {
        for (uint256 i = 0; i < own.length; ++i) found = found || own[i] == where;
    }

    function _isCall(uint8 opcode) private pure returns (bool) {
        return opcode == 0xf1 || opcode == 0xf2 || opcode == 0xf4 || opcode == STATICCALL;
    }

    /// @dev BALANCE, ORIGIN, GASPRICE, BLOCKHASH to GASLIMIT, SELFBALANCE to BLOBBASEFEE, CREATE, INVALID, SELFDESTRUCT.
    function _forbidden(uint8 opcode) private pure returns (bool) {
        return opcode == 0x31 || opcode == 0x32 || opcode == 0x3a || (opcode >= 0x40 && opcode <= 0x45)
            || (opcode >= 0x47 && opcode <= 0x4a) || opcode == 0xf0 || opcode == 0xfe || opcode == 0xff;
    }
}
