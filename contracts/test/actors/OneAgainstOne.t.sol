// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Actors} from "./Actors.t.sol";
import {Setting} from "./Books.t.sol";

/// @dev One vote and the gate against one vote, no guardians: the owner has the escape key alone, looks every 20 hours and
/// freezes at the first sign.
contract OneAgainstOneTest is Actors {
    function _setting() internal pure override returns (Setting memory) {
        return Setting(FIRST_PASSKEY | SERVER_KEY, false, false, 20 hours, 20 days, true);
    }

    function _possible() internal pure override returns (uint256 owner, uint256 adversary) {
        return ((1 << 8) | (1 << 10), FREEZE | CHANGES | CANCEL | OPERATIONS | (1 << 26) | (1 << 30));
    }

    function _holds() internal view override {
        world.check();
        vm.assertEq(world.takenOver(), 0, "nothing is taken over");
        vm.assertEq(world.takenQueued(), 0, "nothing over the limit is taken");
    }

    function invariant_OneAgainstOneNobodyTakes() external view {
        _holds();
    }
}

/// @dev The other way round: the recovery file was stolen, the owner has the only passkey and an honest core.
contract EscapeKeyAgainstPasskeyTest is Actors {
    function _setting() internal pure override returns (Setting memory) {
        return Setting(ESCAPE_KEY, false, false, 20 hours, 20 days, true);
    }

    function _possible() internal pure override returns (uint256 owner, uint256 adversary) {
        return (CANCEL, FREEZE | ESCAPE | CANCEL);
    }

    function _holds() internal view override {
        world.check();
        vm.assertEq(world.takenOver(), 0, "nothing is taken over");
        vm.assertEq(world.takenQueued(), 0, "nothing over the limit is taken");
    }

    function invariant_TheEscapeKeyAgainstAPasskeyTakesNothing() external view {
        _holds();
    }
}
