// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Actors} from "./Actors.t.sol";
import {Setting} from "./Books.t.sol";

/// @dev A passkey, the server key and a guardian are stolen. The owner looks every 20 hours.
contract ThiefWithServerTest is Actors {
    function _setting() internal pure override returns (Setting memory) {
        return Setting(FIRST_PASSKEY | SERVER_KEY | ONE_GUARDIAN, true, true, 20 hours, 20 days, false);
    }

    function _possible() internal pure override returns (uint256 owner, uint256 adversary) {
        return (OWNER | RECOVER, FREEZE | CHANGES | ESCAPE | CANCEL | LESS | OPERATIONS | SESSION | PULL);
    }

    function _holds() internal view override {
        world.check();
        vm.assertEq(world.takenOver(), 0, "nothing is taken over");
        vm.assertEq(world.takenQueued(), 0, "nothing over the limit is taken");
    }

    function invariant_OneVoteAndTheGateMoveTheDaysLimitAtMost() external view {
        _holds();
    }
}
