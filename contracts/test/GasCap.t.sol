// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {PackedUserOperation} from "@openzeppelin/contracts/interfaces/IERC4337.sol";
import {CommunityAccount} from "../src/CommunityAccount.sol";
import {Spending} from "../src/account/Spending.sol";
import {CommunityAccountFactory} from "../src/CommunityAccountFactory.sol";
import {AccountInit, GasCap} from "../src/lib/AccountTypes.sol";
import {Fixture} from "./support/Fixture.sol";

/// @dev What an operation that no paymaster pays for may cost.
contract GasCapTest is Fixture {
    function test_TheCapItselfPassesAndOneWeiMoreDoesNot() public {
        // 250,000 + 250,000 + 500,000 gas at 10 gwei are exactly 0.01 ether.
        PackedUserOperation memory op = _op("");
        op.accountGasLimits = _pack(250_000, 250_000);
        op.preVerificationGas = 500_000;
        op.gasFees = _pack(1, 10 gwei);
        _accepted(op);
        op.preVerificationGas += 1;
        _refused(op, 1_000_001, 10 gwei);
        op.preVerificationGas -= 1;
        op.gasFees = _pack(1, 10 gwei + 1);
        _refused(op, 1_000_000, 10 gwei + 1);
    }

    function test_EveryGasFieldCounts() public {
        uint256 over = GAS_CAP + 1;
        PackedUserOperation memory op = _op("");
        op.accountGasLimits = _pack(over, 0);
        op.preVerificationGas = 0;
        _refused(op, over, 1);
        op.accountGasLimits = _pack(0, over);
        _refused(op, over, 1);
        op.accountGasLimits = 0;
        op.preVerificationGas = over;
        _refused(op, over, 1);
    }

    /// @dev Values that the EntryPoint would refuse itself (AA94): named here all the same, never an arithmetic panic.
    function test_TheLargestValuesAreRefusedByName() public {
        PackedUserOperation memory op = _op("");
        op.preVerificationGas = type(uint256).max;
        op.accountGasLimits = bytes32(type(uint256).max);
        op.gasFees = bytes32(type(uint256).max);
        _refused(op, 3 * uint256(type(uint128).max), type(uint128).max);
        op.gasFees = 0;
        _accepted(op);
    }

    /// @dev EntryPoint 0.7 charges the account when the paymaster is the zero address with gas limits behind it.
    function test_TheZeroAddressIsNoSponsor() public {
        PackedUserOperation memory op = _op("");
        op.accountGasLimits = 0;
        op.preVerificationGas = 0;
        op.paymasterAndData = abi.encodePacked(address(0), uint128(GAS_CAP), uint128(1));
        _refused(op, GAS_CAP + 1, 1);
        op.paymasterAndData = abi.encodePacked(address(0), uint128(GAS_CAP), uint128(0), "data");
        _accepted(op);
        op.preVerificationGas = GAS_CAP + 1;
        op.paymasterAndData = hex"ffffff";
        _refused(op, GAS_CAP + 1, 1);
    }

    function test_AZeroPaymasterDoesNotLeadPastTheCapOnEntryPoint07() public {
        entryPoint = _deployEntryPoint(7);
        factory = _newFactory();
        account = CommunityAccount(payable(factory.createAccount(abi.encode(_init()))));
        vm.deal(address(account), 1 ether);
        PackedUserOperation memory op = _op("");
        op.paymasterAndData = abi.encodePacked(address(0), uint128(100_000), uint128(0));
        _handle(_signed(op));
        vm.assertLt(address(account).balance, 1 ether, "this EntryPoint charges the account");
        op = _op("");
        op.gasFees = _pack(1, GAS_CAP / 950_000);
        op.paymasterAndData = abi.encodePacked(address(0), uint128(100_000), uint128(0));
        uint256 fee = GAS_CAP / 950_000;
        bytes memory named = abi.encodeWithSelector(Spending.GasCostOverCap.selector, 1_000_000, fee, GAS_CAP);
        op = _signed(op);
        _expectFailedOp("AA23 reverted", named);
        _handle(op);
    }

    function test_ASponsoredOperationHasNoCap() public {
        PackedUserOperation memory op = _op("");
        op.gasFees = _pack(1, type(uint128).max);
        op.preVerificationGas = type(uint256).max;
        op.paymasterAndData = abi.encodePacked(STRANGER, uint128(1), uint128(1));
        _accepted(op);
    }

    function test_WithoutRowTheCapIsZero() public {
        AccountInit memory init = _init();
        init.gasCaps = new GasCap[](0);
        account = CommunityAccount(payable(factory.createAccount(abi.encode(init))));
        vm.assertEq(account.gasCap(), 0, "cap");
        PackedUserOperation memory op = _op("");
        bytes32 hash = entryPoint.getUserOpHash(op);
        op.signature = _dual(hash);
        vm.prank(address(entryPoint));
        vm.expectRevert(abi.encodeWithSelector(Spending.GasCostOverCap.selector, 900_000, 1, 0));
        account.validateUserOp(op, hash, 0);
        // An estimate sets the fees to zero.
        op.gasFees = 0;
        _accepted(op);
    }

    function test_TheRefusalReachesTheBundlerByName() public {
        PackedUserOperation memory op = _op("");
        op.gasFees = _pack(1, 1 ether);
        bytes memory named = abi.encodeWithSelector(Spending.GasCostOverCap.selector, 900_000, 1 ether, GAS_CAP);
        op = _signed(op);
        _expectFailedOp("AA23 reverted", named);
        _handle(op);
    }

    function testFuzz_NoOverflowLetsAnOperationPass(uint256 preVerification, bytes32 limits, uint128 fee) public {
        // Reference in exact arithmetic: the sum is below 2^131 once the first term is, the product is compared in parts.
        PackedUserOperation memory op = _op("");
        op.preVerificationGas = preVerification;
        op.accountGasLimits = limits;
        op.gasFees = _pack(0, fee);
        bool over;
        if (preVerification > type(uint128).max) {
            over = fee != 0;
        } else {
            uint256 gas = preVerification + (uint256(limits) >> 128) + uint128(uint256(limits));
            (uint256 high, uint256 low) = _multiply(gas, fee);
            over = high != 0 || low > GAS_CAP;
        }
        _check(op, over);
    }

    function testFuzz_AroundTheCap(uint64 fee, uint32 gas, uint8 share, int8 delta) public {
        vm.assume(fee != 0);
        // Splits a gas total near cap / fee over the three fields.
        uint256 total = uint256(int256(GAS_CAP / fee) + delta % 3 + int256(uint256(gas) % 3));
        if (total > type(uint128).max) total = 0;
        PackedUserOperation memory op = _op("");
        uint256 first = total * share / 512;
        op.accountGasLimits = _pack(first, first / 2);
        op.preVerificationGas = total - first - first / 2;
        op.gasFees = _pack(0, fee);
        _check(op, total * fee > GAS_CAP);
    }

    function _check(PackedUserOperation memory op, bool over) private {
        op.signature = _dual(bytes32(uint256(1)));
        vm.prank(address(entryPoint));
        try account.validateUserOp(op, bytes32(uint256(1)), 0) returns (uint256 result) {
            vm.assertFalse(over, "should have been refused");
            vm.assertEq(_normal(result), 0, "valid");
        } catch (bytes memory reason) {
            vm.assertTrue(over, "should have passed");
            vm.assertTrue(bytes4(reason) == Spending.GasCostOverCap.selector, "name");
        }
    }

    /// @dev 512-bit product.
    function _multiply(uint256 a, uint256 b) private pure returns (uint256 high, uint256 low) {
        assembly ("memory-safe") {
            let rest := mulmod(a, b, not(0))
            low := mul(a, b)
            high := sub(sub(rest, low), lt(rest, low))
        }
    }

    function _accepted(PackedUserOperation memory op) private {
        bytes32 hash = keccak256(abi.encode(op));
        bool sponsored = bytes20(op.paymasterAndData) != 0;
        op.signature = _dual(sponsored ? 0 : _day(), 0, _serverSignature(SERVER, hash), _assertion(), hash);
        vm.assertEq(_validate(op, hash), 0, "accepted");
    }

    function _refused(PackedUserOperation memory op, uint256 gas, uint256 fee) private {
        bytes32 hash = keccak256(abi.encode(op));
        op.signature = _dual(hash);
        vm.prank(address(entryPoint));
        vm.expectRevert(abi.encodeWithSelector(Spending.GasCostOverCap.selector, gas, fee, GAS_CAP));
        account.validateUserOp(op, hash, 0);
    }
}
