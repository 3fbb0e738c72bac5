// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {CommunityAccount} from "../src/CommunityAccount.sol";
import {CommunityAccountFactory} from "../src/CommunityAccountFactory.sol";
import {P256Choice} from "../src/lib/P256Choice.sol";
import {AssertionCaller} from "./support/AssertionCaller.sol";
import {Fixture} from "./support/Fixture.sol";

/// @dev Says yes to everything, as a wrong contract at the verifier's place might.
contract AlwaysYes {
    fallback() external {
        assembly {
            mstore(0, 1)
            return(0, 32)
        }
    }
}

/// @dev Answers what it was told, or fails with it.
contract Parrot {
    bytes private answer;
    bool private fails;

    constructor(bytes memory answer_, bool fails_) {
        (answer, fails) = (answer_, fails_);
    }

    fallback() external {
        bytes memory data = answer;
        bool revert_ = fails;
        assembly {
            if revert_ { revert(add(data, 32), mload(data)) }
            return(add(data, 32), mload(data))
        }
    }
}

/// @dev The fallback verifier against the precompile, and accounts on a chain without it.
contract P256Test is Fixture {
    address private constant PRECOMPILE = address(0x100);

    function testFuzz_TheFallbackAgreesOnSignatures(uint256 key, bytes32 hash, bool high) public view {
        key = _bound(key, 1, N_P256 - 1);
        (uint256 x, uint256 y) = vm.publicKeyP256(key);
        (bytes32 r, bytes32 s) = vm.signP256(key, hash);
        if (high != uint256(s) > N_P256 / 2) s = bytes32(N_P256 - uint256(s));
        vm.assertTrue(_agree(abi.encode(hash, r, s, x, y)), "valid");
        vm.assertFalse(_agree(abi.encode(~hash, r, s, x, y)), "another hash");
        vm.assertFalse(_agree(abi.encode(hash, s, r, x, y)), "swapped");
        vm.assertFalse(_agree(abi.encode(hash, r, s, y, x)), "not a point");
    }

    function test_TheFallbackAgreesOnEdges() public view {
        (uint256 x, uint256 y) = vm.publicKeyP256(1);
        (bytes32 r, bytes32 s) = vm.signP256(1, "m");
        uint256[5] memory edges = [uint256(0), 1, N_P256 - 1, N_P256, type(uint256).max];
        for (uint256 i = 0; i < edges.length; ++i) {
            vm.assertFalse(_agree(abi.encode(bytes32("m"), edges[i], s, x, y)), "r");
            vm.assertFalse(_agree(abi.encode(bytes32("m"), r, edges[i], x, y)), "s");
            vm.assertFalse(_agree(abi.encode(bytes32("m"), r, s, edges[i], y)), "x");
            vm.assertFalse(_agree(abi.encode(bytes32("m"), r, s, x, edges[i])), "y");
        }
        vm.assertTrue(_agree(abi.encode(bytes32("m"), r, s, x, y)), "the signature they were made from");
        vm.assertFalse(_agree(abi.encodePacked(bytes32("m"), r, s, x, y, uint8(0))), "161 bytes");
        vm.assertFalse(_agree(abi.encodePacked(bytes32("m"), r, s, x)), "128 bytes");
        vm.assertFalse(_agree(""), "nothing");
    }

    function test_ThePrecompileIsChosenWhereItIs() public view {
        vm.assertEq(account.p256Verifier(), PRECOMPILE, "precompile");
    }

    function test_WithoutThePrecompileTheFallbackIsUsed() public {
        vm.mockCall(PRECOMPILE, "", "");
        factory = _newFactory();
        account = CommunityAccount(payable(factory.createAccount(abi.encode(_init()))));
        vm.assertEq(account.p256Verifier(), address(p256), "fallback");
        bytes32 hash = keccak256("x");
        vm.assertEq(_validateSignature(hash, _dual(hash)), 0, "accepted");
        vm.assertEq(_validateSignature(hash, _dual(~hash)), SIG_FAILED, "refused");
        vm.assertEq(_validateSignature(hash, _dummy()), SIG_FAILED, "dummy");
        // And it does not depend on the precompile appearing later.
        vm.clearMockedCalls();
        vm.assertEq(_validateSignature(hash, _dual(hash)), 0, "accepted later");
    }

    function test_AnUnusableFallbackIsRefusedEvenWithThePrecompile() public {
        address[3] memory bad = [STRANGER, address(new AlwaysYes()), address(entryPoint)];
        for (uint256 i = 0; i < bad.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(P256Choice.P256VerifierUnusable.selector, bad[i]));
            _newImplementation(address(entryPoint), bad[i]);
        }
    }

    /// @dev Nothing but a successful answer of 32 bytes with value 1 is a yes.
    function test_OnlyTheExactAnswerCounts() public {
        vm.assertTrue(_believes(abi.encode(1), false), "the answer of the precompile");
        vm.assertFalse(_believes("", false), "nothing");
        vm.assertFalse(_believes(abi.encode(0), false), "zero");
        vm.assertFalse(_believes(abi.encode(2), false), "two");
        vm.assertFalse(_believes(abi.encode(uint256(1) << 255 | 1), false), "one with a high bit");
        vm.assertFalse(_believes(abi.encode(1, 0), false), "64 bytes");
        vm.assertFalse(_believes(abi.encode(1), true), "a failure that says one");
    }

    function _believes(bytes memory answer, bool fails) private returns (bool) {
        address verifier = address(new Parrot(answer, fails));
        bytes memory data = abi.encodePacked(RP_ID_HASH, uint8(0x05), uint32(1));
        AssertionCaller caller = new AssertionCaller();
        return caller.verify(verifier, _passkey(PASSKEY), "challenge", data, bytes(TAIL), "r", bytes32(uint256(1)));
    }

    /// @dev Both answers, which must be equal: 32 bytes of value 1 or nothing.
    function _agree(bytes memory input) private view returns (bool valid) {
        (bool called, bytes memory native) = PRECOMPILE.staticcall(input);
        (bool calledToo, bytes memory solidity) = address(p256).staticcall(input);
        vm.assertTrue(called && calledToo, "no revert");
        vm.assertEq(native, solidity, "same answer");
        valid = native.length == 32;
        if (valid) vm.assertEq(uint256(bytes32(native)), 1, "one");
    }
}
