// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Vm} from "../support/Vm.sol";
import {Setting} from "./Books.t.sol";
import {World} from "./World.t.sol";

/// @dev One configuration: who has what. Forge plays its moves at random; `test_` walks the same moves from a fixed seed and
/// shows that each of them works sometimes, without which an invariant could hold because nothing happened.
abstract contract Actors {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
    uint256 internal constant FIRST_PASSKEY = 1 << 0;
    uint256 internal constant SECOND_PASSKEY = 1 << 1;
    uint256 internal constant ESCAPE_KEY = 1 << 8;
    uint256 internal constant SERVER_KEY = 1 << 9;
    uint256 internal constant ONE_GUARDIAN = 1 << 10;
    /// @dev Places of the tally (`World.tally`) that several configurations name.
    uint256 internal constant LESS = LOWER_LIMIT | (1 << 11) | (1 << 14);
    uint256 internal constant OPERATIONS = (1 << 18) | (1 << 19) | (1 << 21);
    uint256 internal constant CONFIRM = 1 << 20;
    uint256 internal constant SESSION = 1 << 22;
    uint256 internal constant CHANGES = (1 << 2) | (1 << 3);
    uint256 internal constant OWNER = ESCAPE | CANCEL | FINISH | LOWER_LIMIT | OPERATIONS | (1 << 6);
    uint256 internal constant LOWER_LIMIT = 1 << 10;
    uint256 internal constant ANYBODY = (1 << 17) | (1 << 26) | (1 << 30);
    uint256 internal constant PULL = 1 << 24;
    uint256 internal constant FREEZE = 1 << 0;
    uint256 internal constant ESCAPE = 1 << 4;
    uint256 internal constant RECOVER = 1 << 5;
    uint256 internal constant CANCEL = 1 << 8;
    uint256 internal constant FINISH = 1 << 15;
    uint256 internal constant EXIT = 1 << 29;
    uint256 private constant WALK = 2000;
    uint256 private constant MOVES = 31;

    World internal world;

    function _setting() internal pure virtual returns (Setting memory);

    /// @dev Moves that can work in this configuration, as a mask over the tally's places: owner, adversary.
    function _possible() internal pure virtual returns (uint256 owner, uint256 adversary);

    function _holds() internal view virtual;

    /// @dev From the compiled artifact: as a part of each test contract the world would be compiled once more for each.
    function setUp() public {
        bytes memory initCode = bytes.concat(vm.getCode("World.t.sol:World"), abi.encode(_setting()));
        address made;
        assembly ("memory-safe") {
            made := create(0, add(initCode, 32), mload(initCode))
        }
        vm.assertTrue(made != address(0), "the world is made");
        world = World(made);
    }

    function targetContracts() external view returns (address[] memory list) {
        list = new address[](1);
        list[0] = address(world);
    }

    function targetSelectors() external view returns (FuzzSelector[] memory list) {
        list = new FuzzSelector[](1);
        (list[0].addr, list[0].selectors) = (address(world), _moves());
    }

    /// @dev Whether the owner leaves now and then (`Exit`).
    function _leaves() internal pure virtual returns (bool) {
        return false;
    }

    /// @dev Some twice and more, because more follows from them.
    function _moves() private view returns (bytes4[] memory list) {
        list = new bytes4[](_leaves() ? 19 : 18);
        (list[0], list[1], list[2], list[3]) =
            (world.sign.selector, world.sign.selector, world.sign.selector, world.sign.selector);
        (list[4], list[5], list[6], list[7]) =
            (world.finish.selector, world.replay.selector, world.replay.selector, world.spend.selector);
        (list[8], list[9], list[10], list[11]) =
            (world.spend.selector, world.queue.selector, world.confirm.selector, world.grant.selector);
        (list[12], list[13], list[14], list[15]) =
            (world.session.selector, world.message.selector, world.pull.selector, world.knock.selector);
        (list[16], list[17]) = (world.wait.selector, world.fund.selector);
        if (_leaves()) list[18] = world.exit.selector;
    }

    /// @dev Prints the table of moves with how often each was tried and worked, and compares it with what is possible.
    function test_EveryMoveWorksSometimes() external {
        bytes4[] memory moves = _moves();
        for (uint256 i = 0; i < WALK; ++i) {
            uint256 seed = uint256(keccak256(abi.encode("walk", i)));
            _play(moves[seed % moves.length], seed);
            if (i % 16 == 0) _holds();
            // The walk is longer than a test's gas.
            vm.resetGasMetering();
        }
        _holds();
        (uint256 owner, uint256 adversary) = _possible();
        _compare(0, owner);
        _compare(1, adversary);
    }

    function _play(bytes4 move, uint256 seed) private {
        (bool ok, bytes memory reason) = address(world).call(abi.encodeWithSelector(move, seed));
        if (ok) return;
        assembly ("memory-safe") {
            revert(add(reason, 32), mload(reason))
        }
    }

    function _compare(uint256 actor, uint256 possible) private view {
        for (uint256 move = 0; move < MOVES; ++move) {
            uint256 tried = world.tally(actor, move, 0);
            uint256 worked = world.tally(actor, move, 1);
            if (tried != 0) _print(actor, move, tried, worked);
            bool expected = (possible >> move) & 1 != 0;
            string memory name = _name(move);
            if (expected) vm.assertTrue(worked != 0, string.concat(name, " never worked"));
        }
    }

    function _print(uint256 actor, uint256 move, uint256 tried, uint256 worked) private view {
        string memory who = actor == 0 ? "owner      " : "adversary  ";
        string memory line = string.concat(who, _name(move), ": ", vm.toString(worked), " of ", vm.toString(tried));
        (bool ok,) = address(0x000000000000000000636F6e736F6c652e6c6f67).staticcall(
            abi.encodeWithSignature("log(string)", line)
        );
        ok;
    }

    function _name(uint256 move) private pure returns (string memory) {
        return [
            "freeze",
            "unfreeze",
            "changeKeys",
            "changeRules",
            "escape",
            "recover",
            "upgrade",
            "confirmUpgrade",
            "cancel",
            "cancelAsGuardians",
            "lowerLimit",
            "lowerGasCap",
            "unlistDomain",
            "disallowCall",
            "revokeGrant",
            "finish",
            "replay of a struct",
            "replay of an operation",
            "spend",
            "queue",
            "confirm",
            "grant",
            "session",
            "message",
            "pull",
            "fund",
            "knock",
            "wait",
            "look",
            "exit",
            "altered operation"
        ][move];
    }
}
