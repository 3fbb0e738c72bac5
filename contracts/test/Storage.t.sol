// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccountInit, Passkey} from "../src/lib/AccountTypes.sol";
import {CommunityAccount} from "../src/CommunityAccount.sol";
import {AccountStorage} from "../src/lib/AccountStorage.sol";
import {Fixture} from "./support/Fixture.sol";

/// @dev Where the account keeps its state. A failure here means that an upgrade would read its predecessor's state wrongly.
contract StorageTest is Fixture {
    function test_TheNamespaceFollowsErc7201() public pure {
        bytes32 outer = keccak256(abi.encode(uint256(keccak256("community.storage.Account")) - 1));
        vm.assertEq(AccountStorage.SLOT, outer & ~bytes32(uint256(0xff)), "slot");
    }

    function test_FieldsLieWhereTheyLie() public {
        AccountInit memory init = _init();
        init.passkeys = new Passkey[](8);
        for (uint256 i = 0; i < 8; ++i) init.passkeys[i] = _passkey(60 + i);
        init.strict = true;
        init.guardiansHash = keccak256("g");
        init.guardianThreshold = 3;
        account = CommunityAccount(payable(factory.createAccount(abi.encode(init))));
        // Low to high: serverKey 160, keyEpoch 32, frozenUntil 48, passkeySlots 8, strict 8.
        uint256 first = uint160(init.serverKey) | (uint256(0xff) << 240) | (uint256(1) << 248);
        vm.assertEq(_slot(0), bytes32(first), "server key, epoch, freeze, slots, strict");
        vm.assertEq(_slot(1), bytes32(uint160(init.escapeKey) | (GAS_CAP << 160)), "escape key, gas cap");
        vm.assertEq(_slot(2), bytes32(uint256(7 days) | (uint256(3) << 32)), "recovery delay, threshold");
        vm.assertEq(_slot(3), init.guardiansHash, "guardians");
        for (uint256 i = 0; i < 8; ++i) {
            vm.assertEq(_slot(4 + 3 * i), bytes32(init.passkeys[i].x), "x");
            vm.assertEq(_slot(5 + 3 * i), bytes32(init.passkeys[i].y), "y");
            vm.assertEq(_slot(6 + 3 * i), RP_ID_HASH, "rp");
        }
        bytes32 row = keccak256(abi.encode(address(0), uint256(AccountStorage.SLOT) + 28));
        vm.assertEq(vm.load(address(account), row), bytes32(DAY_LIMIT), "limit of the native currency");
    }

    /// @dev Nothing but the namespace and the ERC-1967 slot.
    function test_NothingLiesOutsideTheNamespace() public {
        AccountInit memory init = _init();
        init.salt = 3;
        vm.record();
        address made = factory.createAccount(abi.encode(init));
        (, bytes32[] memory writes) = vm.accesses(made);
        bytes32 limit = keccak256(abi.encode(address(0), uint256(AccountStorage.SLOT) + 28));
        bytes32 implementation = bytes32(uint256(keccak256("eip1967.proxy.implementation")) - 1);
        vm.assertTrue(writes.length >= 7, "recorded");
        for (uint256 i = 0; i < writes.length; ++i) {
            uint256 slot = uint256(writes[i]);
            bool inside = slot >= uint256(AccountStorage.SLOT) && slot < uint256(AccountStorage.SLOT) + 28;
            vm.assertTrue(inside || writes[i] == limit || writes[i] == implementation, "inside");
        }
        (, writes) = vm.accesses(address(factory));
        vm.assertEq(writes.length, 0, "the factory has no storage");
    }

    function _slot(uint256 offset) private view returns (bytes32) {
        return vm.load(address(account), bytes32(uint256(AccountStorage.SLOT) + offset));
    }
}
