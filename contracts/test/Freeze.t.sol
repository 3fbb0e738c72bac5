// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {PackedUserOperation} from "@openzeppelin/contracts/interfaces/IERC4337.sol";
import {AccountBase} from "../src/account/AccountBase.sol";
import {Custody} from "../src/account/Custody.sol";
import {Votes} from "../src/account/Votes.sol";
import {ItemKind, Signature, Stamp} from "../src/lib/AccountTypes.sol";
import {ReaderErrors} from "../src/lib/ReaderErrors.sol";
import {VoteFixture} from "./support/VoteFixture.sol";

/// @dev Freezing by a vote and by the server key, the ways out, and what stands still meanwhile.
contract FreezeTest is VoteFixture {
    uint48 private constant FOREVER = type(uint48).max;

    function test_AVoteFreezesWithoutEnd() public {
        uint8[2] memory votes = [0, ESCAPE_SIGNER];
        uint256 before = vm.snapshotState();
        for (uint256 i = 0; i < 2; ++i) {
            Stamp memory stamp = _stamp();
            Signature[] memory signatures = _signatures(votes[i], _freezeDigest(stamp));
            vm.expectEmit(true, true, true, true, address(account));
            emit Custody.Frozen(1 << votes[i]);
            vm.prank(STRANGER);
            account.freeze(stamp, signatures);
            (uint48 until,) = account.frozen();
            vm.assertEq(until, FOREVER, "until");
            _skip(1000 days);
            _operationRefused();
            vm.revertToState(before);
        }
    }

    function test_AnOperationOfAFrozenAccountIsRefusedByName() public {
        PackedUserOperation memory op = _signed(_op(_call(RECIPIENT, 1, "")));
        _freeze(0);
        _expectFailedOp("AA23 reverted", abi.encodeWithSelector(AccountBase.AccountFrozen.selector));
        _handle(op);
    }

    /// @dev Validated before the freeze, executed after it in the same bundle.
    function test_ExecutionLooksAgain() public {
        _freeze(SERVER_SIGNER);
        _executeExpecting(RECIPIENT, 1, "", abi.encodeWithSelector(AccountBase.AccountFrozen.selector));
        _skip(7 days);
        _execute(RECIPIENT, 1, "");
    }

    function test_TheServersFreezeEndsByItself() public {
        uint48 end = uint48(_now() + 7 days);
        Stamp memory stamp = _stamp();
        Signature[] memory signatures = _signatures(SERVER_SIGNER, _freezeDigest(stamp));
        vm.expectEmit(true, true, true, true, address(account));
        emit Custody.ServerFrozen(end);
        account.freeze(stamp, signatures);
        (uint48 until, uint48 notBefore) = account.frozen();
        vm.assertTrue(until == end && notBefore == end + 30 days, "times");
        PackedUserOperation memory op = _signed(_op(_call(RECIPIENT, 1, "")));
        _expectFailedOp("AA22 expired or not due");
        _handle(op);
        vm.warp(end);
        (until,) = account.frozen();
        vm.assertEq(until, 0, "over");
        // EntryPoint 0.8 takes validAfter as the last second that is too early.
        vm.warp(end + 1);
        _handle(_signed(_op(_call(RECIPIENT, 1, ""))));
        vm.assertEq(RECIPIENT.balance, 1, "moves again");
    }

    function test_ValidationReturnsTheEndOfTheServersFreeze() public {
        _freeze(SERVER_SIGNER);
        (uint48 until,) = account.frozen();
        PackedUserOperation memory op = _op("");
        op.paymasterAndData = abi.encodePacked(STRANGER, uint128(1), uint128(1));
        op.signature = _dual(0, 0, _serverSignature(SERVER, "h"), _assertion(), "h");
        vm.assertEq(_validate(op, "h"), uint256(until) << 208, "sponsored");
        // Paid by the account: the day's end stays, the later beginning counts.
        op.paymasterAndData = "";
        op.signature = _dual("h");
        uint256 dayEnd = uint256(_day()) * 1 days + 1 days - 1;
        vm.assertEq(_validate(op, "h"), (uint256(until) << 208) | (dayEnd << 160), "paid by the account");
    }

    function test_TheServerCannotFreezeAgainForThirtyDays() public {
        _freeze(SERVER_SIGNER);
        (, uint48 notBefore) = account.frozen();
        // Whether the freeze lasts, ended, or was ended by votes.
        _freezeRefused(SERVER_SIGNER, abi.encodeWithSelector(Custody.ServerFreezeTooSoon.selector, notBefore));
        _unfreeze();
        _freezeRefused(SERVER_SIGNER, abi.encodeWithSelector(Custody.ServerFreezeTooSoon.selector, notBefore));
        vm.warp(notBefore - 1);
        _freezeRefused(SERVER_SIGNER, abi.encodeWithSelector(Custody.ServerFreezeTooSoon.selector, notBefore));
        vm.warp(notBefore);
        _freeze(SERVER_SIGNER);
    }

    /// @dev The pause belongs to the account: an exchanged server key brings no new freeze.
    function test_ANewServerKeyHasToWaitToo() public {
        _freeze(SERVER_SIGNER);
        (, uint48 notBefore) = account.frozen();
        _nextEpoch();
        _freezeRefused(SERVER_SIGNER, abi.encodeWithSelector(Custody.ServerFreezeTooSoon.selector, notBefore));
    }

    function test_AVotesFreezeReplacesAServers() public {
        _freeze(SERVER_SIGNER);
        _freeze(0);
        _skip(8 days);
        (uint48 until,) = account.frozen();
        vm.assertEq(until, FOREVER, "stays");
        _freezeRefused(0, abi.encodeWithSelector(Custody.AlreadyFrozen.selector));
        _freezeRefused(ESCAPE_SIGNER, abi.encodeWithSelector(Custody.AlreadyFrozen.selector));
        _freezeRefused(SERVER_SIGNER, abi.encodeWithSelector(Custody.AlreadyFrozen.selector));
    }

    function test_TwoVotesAndTheGateUnfreezeAtOnce() public {
        _freeze(0);
        vm.expectEmit(true, true, true, true, address(account));
        emit Custody.Unfrozen();
        _unfreeze();
        _handle(_signed(_op(_call(RECIPIENT, 1, ""))));
        vm.assertEq(RECIPIENT.balance, 1, "moves");
    }

    function test_NothingToUnfreeze() public {
        Stamp memory stamp = _stamp();
        Signature[] memory signatures =
            _signatures(0, ESCAPE_SIGNER, SERVER_SIGNER, _unfreezeDigest(2, stamp));
        vm.expectRevert(abi.encodeWithSelector(Custody.NotFrozen.selector));
        account.unfreeze(2, stamp, signatures);
        // A server's freeze that ended is none either.
        _freeze(SERVER_SIGNER);
        _skip(7 days);
        stamp = _stamp();
        signatures = _signatures(0, ESCAPE_SIGNER, SERVER_SIGNER, _unfreezeDigest(2, stamp));
        vm.expectRevert(abi.encodeWithSelector(Custody.NotFrozen.selector));
        account.unfreeze(2, stamp, signatures);
    }

    function test_OneVoteAndTheGateUnfreezeAfterThreeDaysOfFrost() public {
        _freeze(ESCAPE_SIGNER);
        (Stamp memory stamp, bytes32 id) = _startUnfreeze(0);
        (ItemKind kind, uint16 votes,, uint256 age, uint256 delay) = account.item(id);
        vm.assertTrue(kind == ItemKind.Unfreeze && votes == 1 && age == 0 && delay == 3 days, "item");
        _skip(3 days - 1);
        vm.expectRevert(abi.encodeWithSelector(Votes.ItemNotReady.selector, id, 1));
        account.finishUnfreeze(1, stamp);
        _skip(1);
        vm.prank(STRANGER);
        account.finishUnfreeze(1, stamp);
        (uint48 until,) = account.frozen();
        vm.assertEq(until, 0, "ended");
        vm.expectRevert(abi.encodeWithSelector(Votes.ItemUnknown.selector, id));
        account.finishUnfreeze(1, stamp);
    }

    function test_AnUnfreezeDoesNotEndALaterFreeze() public {
        _freeze(ESCAPE_SIGNER);
        (Stamp memory stamp, bytes32 id) = _startUnfreeze(0);
        _skip(3 days);
        _unfreeze();
        vm.expectRevert(abi.encodeWithSelector(Custody.NotFrozen.selector));
        account.finishUnfreeze(1, stamp);
        _skip(1);
        _freeze(ESCAPE_SIGNER);
        vm.expectRevert(abi.encodeWithSelector(Votes.ItemVoid.selector, id));
        account.finishUnfreeze(1, stamp);
    }

    function test_AnUnfreezeIsVoidAfterThirtyDays() public {
        _freeze(ESCAPE_SIGNER);
        (Stamp memory stamp, bytes32 id) = _startUnfreeze(0);
        _skip(33 days + 1);
        vm.expectRevert(abi.encodeWithSelector(Votes.ItemVoid.selector, id));
        account.finishUnfreeze(1, stamp);
        vm.warp(_now() - 1);
        account.finishUnfreeze(1, stamp);
    }

    function test_WhoUnfreezes() public {
        _freeze(0);
        Stamp memory stamp = _stamp();
        bytes32 digest = _unfreezeDigest(2, stamp);
        _unfreezeRefused(2, stamp, _signatures(0, ESCAPE_SIGNER, digest), 1 | 1 << 8);
        _unfreezeRefused(2, stamp, _signatures(0, SERVER_SIGNER, digest), 1 | 1 << 9);
        digest = _unfreezeDigest(1, stamp);
        _unfreezeRefused(1, stamp, _signatures(0, digest), 1);
        _unfreezeRefused(1, stamp, _signatures(SERVER_SIGNER, digest), 1 << 9);
        _unfreezeRefused(1, stamp, _signatures(0, ESCAPE_SIGNER, SERVER_SIGNER, digest), 1 | 1 << 8 | 1 << 9);
        uint8[2] memory wrong = [0, 3];
        for (uint256 i = 0; i < 2; ++i) {
            Signature[] memory signatures = _signatures(0, SERVER_SIGNER, _unfreezeDigest(wrong[i], stamp));
            vm.expectRevert(abi.encodeWithSelector(ReaderErrors.VotesOutOfRange.selector, wrong[i]));
            account.unfreeze(wrong[i], stamp, signatures);
        }
    }

    /// @dev A hostile server freezes as often as it may: of 37 days the account is free for 30.
    function test_FreezingByTheServerCannotLast() public {
        uint256 frozen;
        for (uint256 day = 0; day < 111; ++day) {
            Stamp memory stamp = _stamp();
            Signature[] memory signatures = _signatures(SERVER_SIGNER, _freezeDigest(stamp));
            try account.freeze(stamp, signatures) {} catch {}
            (uint48 until,) = account.frozen();
            if (until != 0) ++frozen;
            _skip(1 days);
        }
        vm.assertEq(frozen, 21, "days");
    }

    // ---- inside

    function _startUnfreeze(uint8 signer) private returns (Stamp memory stamp, bytes32 id) {
        stamp = _stamp();
        id = _unfreezeDigest(1, stamp);
        account.unfreeze(1, stamp, _signatures(signer, SERVER_SIGNER, id));
    }

    function _freezeRefused(uint8 signer, bytes memory reason) private {
        Stamp memory stamp = _stamp();
        Signature[] memory signatures = _signatures(signer, _freezeDigest(stamp));
        vm.expectRevert(reason);
        account.freeze(stamp, signatures);
    }

    function _unfreezeRefused(uint8 votes, Stamp memory stamp, Signature[] memory signatures, uint256 signers)
        private
    {
        vm.expectRevert(abi.encodeWithSelector(ReaderErrors.WrongSigners.selector, signers));
        account.unfreeze(votes, stamp, signatures);
    }

    function _operationRefused() private {
        PackedUserOperation memory op = _op("");
        op.signature = _dual("h");
        vm.prank(address(entryPoint));
        vm.expectRevert(abi.encodeWithSelector(AccountBase.AccountFrozen.selector));
        account.validateUserOp(op, "h", 0);
    }
}
