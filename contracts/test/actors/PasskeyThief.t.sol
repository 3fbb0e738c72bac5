// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Actors} from "./Actors.t.sol";
import {Setting} from "./Books.t.sol";

/// @dev The thief touches one passkey, and an honest core signs for whoever does. The owner looks every 20 hours.
contract PasskeyThiefTest is Actors {
    function _setting() internal pure override returns (Setting memory) {
        return Setting(FIRST_PASSKEY, true, true, 20 hours, 20 days, false);
    }

    function _possible() internal pure override returns (uint256 owner, uint256 adversary) {
        return (OWNER | RECOVER, FREEZE | CHANGES | ESCAPE | CANCEL | LESS | OPERATIONS | CONFIRM | PULL);
    }

    function _holds() internal view override {
        world.check();
        vm.assertEq(world.takenOver(), 0, "one vote changes nothing that somebody watches");
        vm.assertEq(world.takenQueued(), 0, "nor does it spend over the limit");
    }

    function invariant_OnePasskeyMovesTheDaysLimitAtMost() external view {
        _holds();
    }
}
