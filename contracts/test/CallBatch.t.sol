// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Call} from "../src/lib/AccountTypes.sol";
import {CallBatch} from "../src/lib/CallBatch.sol";
import {Fixture} from "./support/Fixture.sol";

/// @dev The library beside the compiler's own codec.
contract BatchReader {
    function read(bytes calldata data) external pure returns (Call[] memory calls) {
        Call[] calldata inPlace = CallBatch.decode(data);
        calls = new Call[](inPlace.length);
        for (uint256 i = 0; i < calls.length; ++i) {
            calls[i] = Call(inPlace[i].to, inPlace[i].value, inPlace[i].data);
        }
    }

    function readByCompiler(bytes calldata data) external pure returns (Call[] memory) {
        return abi.decode(data, (Call[]));
    }
}

/// @dev Execution data: exactly the canonical encodings are accepted, and read as the compiler reads them.
contract CallBatchTest is Fixture {
    BatchReader private reader;

    function setUp() public override {
        super.setUp();
        reader = new BatchReader();
    }

    function testFuzz_EveryCanonicalEncodingIsRead(Call[] calldata calls) public view {
        vm.assume(calls.length != 0 && calls.length <= 32);
        _check(abi.encode(calls), true);
    }

    /// @dev Few words of plausible values: many of these decode, few canonically.
    function testFuzz_NothingElseIsAccepted(uint256[12] calldata seeds, uint8 length) public view {
        uint256[12] memory words;
        for (uint256 i = 0; i < 12; ++i) words[i] = seeds[i] % 5 == 0 ? seeds[i] % 40 : 32 * (seeds[i] % 9);
        if (seeds[0] % 8 != 0) words[0] = 32;
        if (seeds[1] % 8 != 0) words[1] = 1 + seeds[1] % 2;
        bytes memory data = abi.encodePacked(words);
        uint256 bytes_ = _bound(length, 0, data.length);
        assembly ("memory-safe") {
            mstore(data, bytes_)
        }
        _check(data, false);
    }

    function testFuzz_AChangedWordIsNoticed(bytes calldata first, bytes calldata second, uint256 seed, uint8 delta)
        public
        view
    {
        Call[] memory calls = new Call[](2);
        calls[0] = Call(RECIPIENT, 1, first);
        calls[1] = Call(STRANGER, 2, second);
        bytes memory data = abi.encode(calls);
        uint256 place = _bound(seed, 0, data.length - 1);
        data[place] = bytes1(uint8(data[place]) ^ delta);
        _check(data, delta == 0);
    }

    function test_MalformedDataIsRefusedByName() public {
        Call[] memory calls = new Call[](1);
        calls[0] = Call(RECIPIENT, 1, "three");
        bytes memory good = abi.encode(calls);
        _check(good, true);
        _refused("");
        _refused(abi.encode(32));
        // A byte short of a count: malformed, and not a count of zero.
        _refused(abi.encodePacked(uint256(32), new bytes(31)));
        _refused(abi.encode(64, 0, 1));
        _refused(abi.encodePacked(good, uint8(0)));
        _refused(abi.encodePacked(good, uint256(0)));
        // The words: 0 offset, 1 count, 2 offset of the call, 3 receiver, 4 value, 5 offset of data, 6 length, 7 data.
        _refusedWith(good, 2, 64);
        _refusedWith(good, 3, 1 << 160);
        _refusedWith(good, 5, 128);
        _refusedWith(good, 6, 33);
        _refusedWith(good, 6, type(uint256).max);
        _refusedWith(good, 6, type(uint256).max - 127);
        _refusedWith(good, 7, uint256(bytes32("three")) | 1);
    }

    /// @dev Accepted means: the compiler decodes it too, to the same calls, and encodes them to the same bytes.
    function _check(bytes memory data, bool mustPass) private view {
        bool canonical;
        Call[] memory expected;
        try reader.readByCompiler(data) returns (Call[] memory decoded) {
            expected = decoded;
            canonical = keccak256(abi.encode(decoded)) == keccak256(data);
        } catch {}
        canonical = canonical && expected.length != 0 && expected.length <= 32;
        try reader.read(data) returns (Call[] memory calls) {
            vm.assertTrue(canonical, "only the canonical encoding");
            vm.assertEq(abi.encode(calls), abi.encode(expected), "as the compiler reads it");
        } catch {
            vm.assertFalse(canonical, "every canonical encoding");
            vm.assertFalse(mustPass, "must pass");
        }
    }

    function _refusedWith(bytes memory good, uint256 index, uint256 word) private {
        bytes memory data = bytes.concat(good);
        assembly ("memory-safe") {
            mstore(add(add(data, 32), mul(32, index)), word)
        }
        _refused(data);
    }

    function _refused(bytes memory data) private {
        vm.prank(address(entryPoint));
        vm.expectRevert(abi.encodeWithSelector(CallBatch.ExecutionDataMalformed.selector));
        account.execute(BATCH, data);
    }
}
