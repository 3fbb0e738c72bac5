// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Actors} from "./Actors.t.sol";
import {Setting} from "./Books.t.sol";

/// @dev One vote, the server key and a guardian are stolen, another vote after each exit. The owner looks every 71 hours and
/// at any time leaves (`Exit`).
contract TwoVotesGetOutTest is Actors {
    function _setting() internal pure override returns (Setting memory) {
        return Setting(FIRST_PASSKEY | SERVER_KEY | ONE_GUARDIAN, true, true, 71 hours, 1 hours, false);
    }

    function _possible() internal pure override returns (uint256 owner, uint256 adversary) {
        return (
            OPERATIONS | FINISH | EXIT,
            FREEZE | CHANGES | ESCAPE | LOWER_LIMIT | OPERATIONS | SESSION | ANYBODY
        );
    }

    function _holds() internal view override {
        world.check();
        vm.assertEq(world.takenOver(), 0, "nothing is taken over");
    }

    function _leaves() internal pure override returns (bool) {
        return true;
    }

    function invariant_TwoVotesGetOutWithinThreeDays() external view {
        _holds();
    }
}
