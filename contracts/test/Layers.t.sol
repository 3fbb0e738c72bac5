// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {PasskeySignature} from "../src/lib/PasskeySignature.sol";
import {AssertionCaller} from "./support/AssertionCaller.sol";
import {Assertion, Fixture} from "./support/Fixture.sol";

contract DecodeCaller {
    function formed(bytes calldata signature) external pure returns (bool result) {
        (result,,) = PasskeySignature.decode(signature);
    }
}

/// @dev Decoding and verification both know the shortest authenticator data. Each must hold without the other.
contract LayersTest is Fixture {
    bytes32 private constant HASH = keccak256("an operation");

    function test_VerificationRefusesShortData() public {
        AssertionCaller caller = new AssertionCaller();
        bytes memory data = abi.encodePacked(RP_ID_HASH, uint8(0x05), uint32(1));
        vm.assertTrue(_verifies(caller, data, _assertion()), "37 bytes");
        data = abi.encodePacked(RP_ID_HASH, uint8(0x05), uint24(1));
        vm.assertFalse(_verifies(caller, data, _assertion()), "36 bytes, correctly signed");
    }

    function test_DecodingRefusesShortAndLongParts() public {
        DecodeCaller caller = new DecodeCaller();
        for (uint256 length = 0; length < 600; ++length) {
            bool fits = length >= 37 && length <= 512;
            vm.assertTrue(caller.formed(_shape(length, 40)) == fits, "authenticator data");
            vm.assertTrue(caller.formed(_shape(37, 2 * length)) == (length > 0 && length <= 512), "tail");
        }
    }

    function _verifies(AssertionCaller caller, bytes memory data, Assertion memory a) private view returns (bool) {
        (bytes32 r, bytes32 s) = _passkeySignature(a, data, HASH);
        return caller.verify(address(0x100), _passkey(PASSKEY), HASH, data, bytes(a.tail), r, s);
    }

    function _shape(uint256 data, uint256 tail) private pure returns (bytes memory) {
        return abi.encodePacked(new bytes(64), uint16(data), new bytes(data), new bytes(tail));
    }
}
