// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SaveGame} from "./SaveGame.sol";

interface Vm {
    function prank(address) external;
    function expectEmit(bool, bool, bool, bool) external;
    function expectRevert(bytes4) external;
}

contract SaveGameTest {
    Vm private constant VM = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
    address private constant ANN = address(0xA11);
    address private constant BOB = address(0xB0B);
    SaveGame private game;

    function setUp() public {
        game = new SaveGame();
    }

    function testFuzz_TheLatestSaveIsKept(bytes32 first, bytes32 second, uint32 score) public {
        if (first == 0) first = bytes32(uint256(1));
        if (second == 0) second = bytes32(uint256(2));
        VM.prank(ANN);
        game.save(first, 1);
        VM.expectEmit(true, true, true, true);
        emit SaveGame.Saved(ANN, second, score);
        VM.prank(ANN);
        game.save(second, score);
        (bytes32 state, uint32 kept) = game.saves(ANN);
        assert(state == second && kept == score);
    }

    function test_EachPlayerHasTheirOwn() public {
        VM.prank(ANN);
        game.save(bytes32(uint256(7)), 70);
        VM.prank(BOB);
        game.save(bytes32(uint256(8)), 80);
        (bytes32 state, uint32 score) = game.saves(ANN);
        assert(state == bytes32(uint256(7)) && score == 70);
        (state,) = game.saves(address(this));
        assert(state == 0);
    }

    function test_NothingIsNoSave() public {
        VM.expectRevert(SaveGame.NothingToSave.selector);
        game.save(0, 1);
    }
}
