// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Actors} from "./Actors.t.sol";
import {Setting} from "./Books.t.sol";

/// @dev Guardians below their threshold; the owner never looks.
contract FewGuardiansTest is Actors {
    function _setting() internal pure override returns (Setting memory) {
        return Setting(ONE_GUARDIAN, true, true, 0, 20 days, false);
    }

    function _possible() internal pure override returns (uint256 owner, uint256 adversary) {
        return (OWNER | RECOVER | SESSION, ANYBODY);
    }

    function _holds() internal view override {
        world.check();
        vm.assertEq(world.takenOver(), 0, "nothing is taken over");
        vm.assertEq(world.takenQueued(), 0, "nothing over the limit is taken");
    }

    function invariant_GuardiansBelowTheirThresholdDoNothing() external view {
        _holds();
    }
}
