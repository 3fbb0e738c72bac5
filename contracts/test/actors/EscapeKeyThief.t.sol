// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Actors} from "./Actors.t.sol";
import {Setting} from "./Books.t.sol";

/// @dev The recovery file was stolen. Whoever has it alone moves no value at all, and gets no signature of the core's.
contract EscapeKeyThiefTest is Actors {
    function _setting() internal pure override returns (Setting memory) {
        return Setting(ESCAPE_KEY, true, true, 71 hours, 20 days, false);
    }

    function _possible() internal pure override returns (uint256 owner, uint256 adversary) {
        return (OWNER | RECOVER | SESSION, FREEZE | ESCAPE | CANCEL | LESS | ANYBODY);
    }

    function _holds() internal view override {
        world.check();
        vm.assertEq(world.takenOver(), 0, "nothing is taken over");
        vm.assertEq(world.takenQueued(), 0, "nothing over the limit is taken");
    }

    function invariant_TheEscapeKeyAloneTakesNothing() external view {
        _holds();
    }
}
