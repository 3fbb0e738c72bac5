// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Actors} from "./Actors.t.sol";
import {Setting} from "./Books.t.sol";

/// @dev The same thief, and nobody looks. What is signed by one vote waits as long as the rules say; then it is the thief's.
contract SleepingOwnerTest is Actors {
    function _setting() internal pure override returns (Setting memory) {
        return Setting(FIRST_PASSKEY, true, true, 0, 20 days, false);
    }

    function _possible() internal pure override returns (uint256 owner, uint256 adversary) {
        return (
            0,
            FREEZE | CHANGES | ESCAPE | CANCEL | FINISH | LESS | OPERATIONS | CONFIRM | (1 << 26) | (1 << 30)
        );
    }

    function _holds() internal view override {
        world.check();
    }

    function invariant_WhatNobodyAnswersWaitsItsTime() external view {
        _holds();
    }
}
