// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Actors} from "./Actors.t.sol";
import {Setting} from "./Books.t.sol";

/// @dev The server key is stolen and a guardian as well; the owner never looks, and sometimes leaves.
contract HostileServerTest is Actors {
    function _setting() internal pure override returns (Setting memory) {
        return Setting(SERVER_KEY | ONE_GUARDIAN, true, true, 0, 1 hours, false);
    }

    function _possible() internal pure override returns (uint256 owner, uint256 adversary) {
        return (OPERATIONS | ESCAPE | FINISH | EXIT, LOWER_LIMIT | (1 << 26) | (1 << 30));
    }

    function _holds() internal view override {
        world.check();
        vm.assertEq(world.takenOver(), 0, "nothing is taken over");
        vm.assertEq(world.takenQueued(), 0, "nothing over the limit is taken");
    }

    function _leaves() internal pure override returns (bool) {
        return true;
    }

    function invariant_TheServerAloneTakesNothingAndTrapsNobody() external view {
        _holds();
    }
}
