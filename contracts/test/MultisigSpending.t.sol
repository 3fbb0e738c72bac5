// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {SafeTransferLib} from "solady/utils/SafeTransferLib.sol";
import {CommunityMultisig} from "../src/CommunityMultisig.sol";
import {DailyLimits} from "../src/multisig/DailyLimits.sol";
import {OwnerSet} from "../src/multisig/OwnerSet.sol";
import {MultisigFixture} from "./MultisigFixture.t.sol";

/// @dev Takes a tenth from what arrives, or on top of what was sent.
contract FeeToken is ERC20("Fee", "FEE") {
    bool private immutable _ON_TOP;

    constructor(bool onTop) {
        _ON_TOP = onTop;
        _mint(msg.sender, 1_000_000);
    }

    function transfer(address to, uint256 amount) public override returns (bool) {
        uint256 fee = amount / 10;
        _transfer(msg.sender, to, _ON_TOP ? amount : amount - fee);
        _transfer(msg.sender, address(0xfee), fee);
        return true;
    }
}

/// @dev A transfer that answers as it was told to.
contract OddToken {
    mapping(address => uint256) public balanceOf;
    bytes private answer;
    bool private fails;

    constructor(bytes memory answer_, bool fails_) {
        (answer, fails) = (answer_, fails_);
        balanceOf[msg.sender] = 1_000;
    }

    function transfer(address to, uint256 amount) external {
        balanceOf[msg.sender] -= amount;
        balanceOf[to] += amount;
        bytes memory copy = answer;
        bool revert_ = fails;
        assembly ("memory-safe") {
            if revert_ { revert(add(copy, 32), mload(copy)) }
            return(add(copy, 32), mload(copy))
        }
    }
}

/// @dev What one owner sends alone: the day's limit, midnight, and tokens that are not like others.
contract MultisigSpendingTest is MultisigFixture {
    function test_OneOwnerSendsWithinTheLimit() public {
        vm.expectEmit(true, true, true, true, address(multisig));
        emit CommunityMultisig.Spent(_ownerId(ALICE), address(0), RECIPIENT, NATIVE_LIMIT);
        _spend(ALICE, address(0), NATIVE_LIMIT);
        vm.assertEq(RECIPIENT.balance, NATIVE_LIMIT, "native");
        _spend(BOB, address(token), TOKEN_LIMIT);
        vm.assertEq(token.balanceOf(RECIPIENT), TOKEN_LIMIT, "token");
        _assertLeft(address(0), NATIVE_LIMIT, 0);
        _assertLeft(address(token), TOKEN_LIMIT, 0);
    }

    function test_TheLimitIsSharedByAllOwners() public {
        _spend(ALICE, address(0), 0.6 ether);
        _over(BOB, address(0), 0.4 ether + 1, 0.4 ether);
        _spend(CAROL, address(0), 0.4 ether);
        _over(ALICE, address(0), 1, 0);
        // Another token has its own.
        _spend(ALICE, address(token), 1);
    }

    function test_OneUnitOverTheLimitIsRefused() public {
        _over(ALICE, address(0), NATIVE_LIMIT + 1, NATIVE_LIMIT);
        _over(ALICE, address(0), type(uint256).max, NATIVE_LIMIT);
        _over(ALICE, address(token), TOKEN_LIMIT + 1, TOKEN_LIMIT);
        _over(ALICE, address(0xabc), 1, 0);
    }

    function test_TheDayEndsAtMidnightUtc() public {
        vm.warp(20_001 days - 1);
        _spend(ALICE, address(0), NATIVE_LIMIT);
        _over(BOB, address(0), 1, 0);
        vm.warp(20_001 days);
        _assertLeft(address(0), 0, NATIVE_LIMIT);
        _spend(BOB, address(0), NATIVE_LIMIT);
        _over(ALICE, address(0), 1, 0);
        vm.assertEq(RECIPIENT.balance, 2 * NATIVE_LIMIT, "two days' limits, a second apart");
        vm.warp(20_002 days - 1);
        _over(ALICE, address(0), 1, 0);
    }

    function test_WhatWasNotSpentIsNotSaved() public {
        _spend(ALICE, address(0), 1);
        vm.warp(NOON + 10 days);
        _over(ALICE, address(0), NATIVE_LIMIT + 1, NATIVE_LIMIT);
    }

    function test_AChangedLimitHoldsAtOnceAndForgetsNothing() public {
        _spend(ALICE, address(0), 0.6 ether);
        _setLimit(address(0), 0.5 ether);
        _assertLeft(address(0), 0.6 ether, 0);
        _over(ALICE, address(0), 1, 0);
        _setLimit(address(0), 0.7 ether);
        _over(ALICE, address(0), 0.1 ether + 1, 0.1 ether);
        _spend(ALICE, address(0), 0.1 ether);
        _setLimit(address(0), 0);
        vm.warp(NOON + 1 days);
        _over(ALICE, address(0), 1, 0);
        _setLimit(address(0), type(uint112).max);
        _spend(ALICE, address(0), 50 ether);
        _over(ALICE, address(0), type(uint112).max, type(uint112).max - 50 ether);
    }

    /// @dev A proposal of the owners is no small amount.
    function test_ProposalsAreNotCharged() public {
        _carry(_pay());
        _assertLeft(address(0), 0, NATIVE_LIMIT);
    }

    function test_AChangeOfOwnersForgetsNothing() public {
        _spend(ALICE, address(0), 0.6 ether);
        _carry(_changeOwners(_list(_owner(CAROL)), _list(_owner(DAVE)), 2));
        _over(DAVE, address(0), 0.4 ether + 1, 0.4 ether);
    }

    function test_StrangersSpendNothing() public {
        vm.prank(STRANGER);
        _expect(OwnerSet.NotAnOwner.selector, abi.encode(abi.encodePacked(STRANGER)));
        multisig.spend(address(0), RECIPIENT, 1);
    }

    function test_WhereNothingMayGo() public {
        vm.prank(vm.addr(ALICE));
        _expect(CommunityMultisig.SpendToZeroAddress.selector);
        multisig.spend(address(0), address(0), 1);
        vm.prank(vm.addr(ALICE));
        _expect(CommunityMultisig.SpendToSelf.selector);
        multisig.spend(address(0), address(multisig), 1);
    }

    /// @dev Otherwise one owner could make the multisig call any contract at all.
    function test_NothingIsNotSent() public {
        vm.prank(vm.addr(ALICE));
        _expect(CommunityMultisig.SpendOfNothing.selector);
        multisig.spend(STRANGER, RECIPIENT, 0);
    }

    function test_AFailedTransferIsNotCharged() public {
        vm.deal(address(multisig), 0);
        vm.prank(vm.addr(ALICE));
        _expect(SafeTransferLib.ETHTransferFailed.selector);
        multisig.spend(address(0), RECIPIENT, 1);
        _assertLeft(address(0), 0, NATIVE_LIMIT);
    }

    // ---- tokens

    function test_ATokenThatTakesAFeeFromWhatArrives() public {
        FeeToken odd = new FeeToken(false);
        odd.transfer(address(multisig), 10_000);
        _setLimit(address(odd), 100);
        _spend(ALICE, address(odd), 100);
        vm.assertEq(odd.balanceOf(RECIPIENT), 90, "a tenth was taken");
        _assertLeft(address(odd), 100, 0);
    }

    function test_ATokenThatTakesAFeeOnTop() public {
        FeeToken odd = new FeeToken(true);
        odd.transfer(address(multisig), 10_000);
        _setLimit(address(odd), 100);
        vm.prank(vm.addr(ALICE));
        _expect(CommunityMultisig.TokenTookMore.selector, abi.encode(address(odd), 110, 100));
        multisig.spend(address(odd), RECIPIENT, 100);
        _assertLeft(address(odd), 0, 100);
    }

    function test_ATokenWithoutAnswer() public {
        address odd = _odd("", false);
        _spend(ALICE, odd, 100);
        vm.assertEq(OddToken(odd).balanceOf(RECIPIENT), 100, "arrived");
    }

    function test_TokensThatRefuse() public {
        bytes[4] memory answers = [abi.encode(false), abi.encode(uint256(2)), bytes(hex"01"), bytes("no")];
        for (uint256 i = 0; i < answers.length; ++i) {
            address odd = _odd(answers[i], i == 3);
            vm.prank(vm.addr(ALICE));
            _expect(SafeTransferLib.TransferFailed.selector);
            multisig.spend(odd, RECIPIENT, 100);
            _assertLeft(odd, 0, 100);
        }
    }

    /// @dev A call to an address without code succeeds, and would look like a payment.
    function test_ATokenWithoutCodeIsRefused() public {
        _setLimit(address(0xabc), 100);
        vm.prank(vm.addr(ALICE));
        _expect(SafeTransferLib.TransferFailed.selector);
        multisig.spend(address(0xabc), RECIPIENT, 1);
    }

    // ---- any sequence

    /// @dev On no day does more leave than that day's limit, whoever spends, whenever.
    function testFuzz_NoDayExceedsItsLimit(uint256[16] calldata seeds) public {
        uint256 time = NOON;
        uint256 day = time / 1 days;
        uint256 thisDay;
        for (uint256 i = 0; i < seeds.length; ++i) {
            time += seeds[i] % 11 hours;
            vm.warp(time);
            if (time / 1 days != day) (day, thisDay) = (time / 1 days, 0);
            uint256 amount = 1 + (seeds[i] >> 32) % (NATIVE_LIMIT / 2);
            uint256 key = [ALICE, BOB, CAROL][(seeds[i] >> 128) % 3];
            vm.prank(vm.addr(key));
            (bool ok,) =
                address(multisig).call(abi.encodeCall(CommunityMultisig.spend, (address(0), RECIPIENT, amount)));
            vm.assertTrue(ok == (thisDay + amount <= NATIVE_LIMIT), "exactly within the limit");
            if (ok) thisDay += amount;
            _assertLeft(address(0), thisDay, NATIVE_LIMIT - thisDay);
        }
    }

    function _odd(bytes memory answer, bool fails) private returns (address odd) {
        vm.prank(address(multisig));
        odd = address(new OddToken(answer, fails));
        _setLimit(odd, 100);
    }

    function _spend(uint256 key, address token_, uint256 amount) private {
        vm.prank(vm.addr(key));
        multisig.spend(token_, RECIPIENT, amount);
    }

    function _over(uint256 key, address token_, uint256 amount, uint256 left) private {
        _expect(DailyLimits.OverDailyLimit.selector, abi.encode(token_, amount, left));
        _spend(key, token_, amount);
    }

    function _setLimit(address token_, uint112 perDay) private {
        _carry(_self(abi.encodeCall(CommunityMultisig.setDailyLimit, (token_, perDay))));
    }

    function _assertLeft(address token_, uint256 spent, uint256 left) private view {
        (, uint256 s, uint256 l) = multisig.dailyLimit(token_);
        vm.assertEq(s, spent, "spent");
        vm.assertEq(l, left, "left");
    }
}
