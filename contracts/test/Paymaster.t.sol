// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {PackedUserOperation} from "@openzeppelin/contracts/interfaces/IERC4337.sol";
import {CommunityPaymaster, IDepositInfo} from "../src/CommunityPaymaster.sol";
import {SponsorFixture} from "./support/SponsorFixture.sol";

/// @dev Where the paymaster's money can go, and how long a signer counts, by the books of the published EntryPoints.
contract PaymasterTest is SponsorFixture {
    function test_AfterTheOverlapTheOldSignerExpires() public {
        vm.warp(1_000_000);
        _rotate(SIGNER + 1, 600);
        PackedUserOperation memory op = _sponsored(_op(""), 2_000_000, 0, SIGNER);
        vm.warp(1_000_601);
        vm.deal(address(account), 0);
        op = _signed(op);
        _expectFailedOp("AA32 paymaster expired or not due");
        _handle(op);
        vm.warp(1_000_600);
        _handle(op);
    }

    function test_AnybodyDeposits() public {
        uint256 before = entryPoint.balanceOf(address(paymaster));
        vm.deal(STRANGER, 5);
        vm.prank(STRANGER);
        paymaster.deposit{value: 2}();
        vm.prank(STRANGER);
        (bool ok,) = address(paymaster).call{value: 3}("");
        vm.assertTrue(ok, "plain transfer");
        vm.assertEq(entryPoint.balanceOf(address(paymaster)) - before, 5, "deposit");
        // Ether that was forced in joins the next deposit.
        vm.deal(address(paymaster), 7);
        paymaster.deposit();
        vm.assertEq(entryPoint.balanceOf(address(paymaster)) - before, 12, "forced ether");
    }

    function test_MoneyLeavesAfterTheDelayAndToTheTreasuryOnly() public {
        uint256 deposit = entryPoint.balanceOf(address(paymaster));
        vm.warp(1_000_000);
        _asOwner(abi.encodeCall(paymaster.withdrawDeposit, (1)), _locked(0));
        _asOwner(abi.encodeCall(paymaster.unlockStake, ()), "");
        _asOwner(abi.encodeCall(paymaster.withdrawDeposit, (1)), _locked(1_000_000 + 1 days));
        vm.warp(1_000_000 + 1 days - 1);
        _asOwner(abi.encodeCall(paymaster.withdrawDeposit, (1)), _locked(1_000_000 + 1 days));
        vm.prank(vm.addr(OWNER));
        (bool ok,) = address(paymaster).call(abi.encodeCall(paymaster.withdrawStake, ()));
        vm.assertFalse(ok, "the stake neither");
        vm.warp(1_000_000 + 1 days);
        _asOwner(abi.encodeCall(paymaster.withdrawDeposit, (deposit)), "");
        _asOwner(abi.encodeCall(paymaster.withdrawStake, ()), "");
        vm.assertEq(TREASURY.balance, deposit + STAKE, "all of it");
        vm.assertEq(vm.addr(OWNER).balance, 0, "nothing for the owner");
    }

    function test_EveryMoveOfMoneyHasItsEvent() public {
        vm.warp(1_000_000);
        vm.deal(STRANGER, 5);
        _expect();
        emit CommunityPaymaster.Deposited(STRANGER, 5);
        vm.prank(STRANGER);
        paymaster.deposit{value: 5}();
        vm.deal(vm.addr(OWNER), 3);
        _expect();
        emit CommunityPaymaster.StakeAdded(3, 2 days);
        vm.prank(vm.addr(OWNER));
        paymaster.addStake{value: 3}(2 days);
        _expect();
        emit CommunityPaymaster.StakeUnlocked();
        _asOwner(abi.encodeCall(paymaster.unlockStake, ()), "");
        vm.warp(1_000_000 + 2 days);
        _expect();
        emit CommunityPaymaster.StakeWithdrawn();
        _asOwner(abi.encodeCall(paymaster.withdrawStake, ()), "");
        _expect();
        emit CommunityPaymaster.DepositWithdrawn(4);
        _asOwner(abi.encodeCall(paymaster.withdrawDeposit, (4)), "");
    }

    function test_StakingAgainLocksAgain() public {
        vm.warp(1_000_000);
        _asOwner(abi.encodeCall(paymaster.unlockStake, ()), "");
        vm.warp(3_000_000);
        _asOwner(abi.encodeCall(paymaster.addStake, (1 days)), "");
        _asOwner(abi.encodeCall(paymaster.withdrawDeposit, (1)), _locked(0));
    }

    function test_StakeIsLockedForADayAtLeast() public {
        IDepositInfo.DepositInfo memory info = IDepositInfo(address(entryPoint)).getDepositInfo(address(paymaster));
        vm.assertTrue(info.staked && info.stake == STAKE && info.unstakeDelaySec == 1 days, "staked");
        bytes memory short = abi.encodeWithSelector(CommunityPaymaster.UnstakeDelayTooShort.selector, 1 days - 1);
        _asOwner(abi.encodeCall(paymaster.addStake, (1 days - 1)), short);
    }

    function _expect() private {
        vm.expectEmit(true, true, true, true, address(paymaster));
    }

    function _locked(uint48 time) private pure returns (bytes memory) {
        return abi.encodeWithSelector(CommunityPaymaster.StakeStillLocked.selector, time);
    }
}

/// @dev The same over EntryPoint 0.7.
contract PaymasterOverEntryPoint07Test is PaymasterTest {
    function _entryPointVersion() internal pure override returns (uint256) {
        return 7;
    }
}
