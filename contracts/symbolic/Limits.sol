// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {DailyLimits} from "../src/multisig/DailyLimits.sol";
import {MultisigStorage} from "../src/multisig/MultisigStorage.sol";
import {Vm} from "../test/support/Vm.sol";

/// @dev The multisig's daily limit on a row of any content at any time, proven by halmos (`make symbolic`).
contract LimitsProof {
    Vm private constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
    address private constant TOKEN = address(1);
    /// @dev Some day: what matters is whether the row is of it.
    uint256 private constant TODAY = 20_000;

    function charge(uint256 amount) external {
        DailyLimits.charge(TOKEN, amount);
    }

    /// @dev A payment goes through exactly when it and what was spent today stay within the limit; afterwards exactly that
    /// much more was spent, and a refused one changes nothing.
    function check_ADayHasOneLimit(MultisigStorage.DayLimit calldata row, uint256 amount) external {
        vm.warp(TODAY * 1 days + 12 hours);
        MultisigStorage.get().limits[TOKEN] = row;
        (uint256 perDay, uint256 spent, uint256 left) = DailyLimits.today(TOKEN);
        assert(perDay == row.perDay && left == (spent < perDay ? perDay - spent : 0));
        assert(spent == (row.day == TODAY ? row.spent : 0));
        (bool paid,) = address(this).call(abi.encodeCall(this.charge, (amount)));
        assert(paid == (amount <= left));
        (, uint256 after_,) = DailyLimits.today(TOKEN);
        assert(after_ == (paid ? spent + amount : spent));
    }
}
