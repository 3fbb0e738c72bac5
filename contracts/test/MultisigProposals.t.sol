// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Call} from "../src/lib/AccountTypes.sol";
import {CommunityMultisig} from "../src/CommunityMultisig.sol";
import {MultisigInit, Status, Vote} from "../src/multisig/MultisigTypes.sol";
import {OwnerSet} from "../src/multisig/OwnerSet.sol";
import {Proposals} from "../src/multisig/Proposals.sol";
import {MultisigFixture} from "./MultisigFixture.t.sol";

/// @dev The life of a proposal, to the second.
contract MultisigProposalsTest is MultisigFixture {
    // ---- propose

    function test_AProposalIsToldAndCountsAsApproval() public {
        Call[] memory calls = _pay();
        bytes32 id = multisig.proposalId(_ownerId(ALICE), calls, 7, 0);
        bytes32 written = keccak256(
            abi.encode(block.chainid, address(multisig), _ownerId(ALICE), _callsHash(calls), uint256(7), uint48(0))
        );
        vm.assertEq(id, written, "id");
        vm.expectEmit(true, true, true, true, address(multisig));
        emit CommunityMultisig.Proposed(id, _ownerId(ALICE), calls, 7, 0, uint48(NOON + 14 days));
        vm.expectEmit(true, true, true, true, address(multisig));
        emit CommunityMultisig.Approved(id, _ownerId(ALICE));
        vm.assertEq(_propose(ALICE, calls, 7), id, "id");
        _assertVotes(id, 1, 0, 2);
        _assertVote(id, ALICE, Vote.Approved);
        _assertVote(id, BOB, Vote.None);
        vm.assertEq(multisig.proposal(id).expiry, NOON + 14 days, "default");
    }

    function test_OnlyOwnersPropose() public {
        vm.prank(STRANGER);
        _expect(OwnerSet.NotAnOwner.selector, abi.encode(abi.encodePacked(STRANGER)));
        multisig.propose(_pay(), 0, 0);
    }

    function test_AProposalIsMadeOnce() public {
        bytes32 id = _propose(ALICE, _pay(), 0);
        _proposalFails(_pay(), abi.encodeWithSelector(CommunityMultisig.ProposalExists.selector, id));
        vm.warp(NOON + 15 days);
        _proposalFails(_pay(), abi.encodeWithSelector(CommunityMultisig.ProposalExists.selector, id));
        id = _propose(ALICE, _pay(), 1);
        vm.prank(vm.addr(ALICE));
        multisig.cancel(id);
        vm.prank(vm.addr(ALICE));
        _expect(CommunityMultisig.ProposalExists.selector, abi.encode(id));
        multisig.propose(_pay(), 1, 0);
    }

    /// @dev Another owner with the same calls and salt makes another proposal: nobody takes a proposal's place.
    function test_TheProposerIsPartOfTheId() public {
        bytes32 theirs = _propose(BOB, _pay(), 0);
        vm.prank(vm.addr(BOB));
        multisig.cancel(theirs);
        bytes32 id = _propose(ALICE, _pay(), 0);
        vm.assertTrue(id != theirs, "two proposals");
        _assertStatus(id, Status.Open, "open");
    }

    function test_CallsAreChecked() public {
        Call[] memory calls = new Call[](0);
        _proposalFails(calls, abi.encodeWithSelector(Proposals.CallCountOutOfRange.selector, 0));
        calls = new Call[](33);
        _proposalFails(calls, abi.encodeWithSelector(Proposals.CallCountOutOfRange.selector, 33));
        calls = new Call[](32);
        for (uint256 i = 0; i < 32; ++i) {
            calls[i] = Call(RECIPIENT, i, "");
        }
        calls[31].to = address(0);
        _proposalFails(calls, abi.encodeWithSelector(Proposals.CallToZeroAddress.selector, 31));
        calls[31].to = address(multisig);
        _proposalFails(calls, abi.encodeWithSelector(Proposals.SelfCallNotAlone.selector, 31));
        calls[31].to = RECIPIENT;
        _carry(calls);
        vm.assertEq(RECIPIENT.balance, 31 * 32 / 2, "thirty-two calls");
    }

    function test_CallsToItselfAreTheTwoChangesAlone() public {
        bytes memory change = abi.encodeCall(CommunityMultisig.setDailyLimit, (address(0), 1));
        _proposalFails(
            _calls(address(multisig), 1, change), abi.encodeWithSelector(Proposals.SelfCallWithValue.selector, 1)
        );
        bytes4[5] memory others = [
            CommunityMultisig.initialize.selector,
            CommunityMultisig.execute.selector,
            CommunityMultisig.spend.selector,
            CommunityMultisig.propose.selector,
            bytes4(0)
        ];
        for (uint256 i = 0; i < others.length; ++i) {
            bytes memory data = abi.encodeWithSelector(others[i], 0, 0);
            _proposalFails(_self(data), abi.encodeWithSelector(Proposals.SelfCallUnknown.selector, others[i]));
        }
        _proposalFails(_self(""), abi.encodeWithSelector(Proposals.SelfCallUnknown.selector, bytes4(0)));
        bytes memory three = hex"aabbcc";
        _proposalFails(_self(three), abi.encodeWithSelector(Proposals.SelfCallUnknown.selector, bytes4(three)));
        // Arguments are looked at when it is executed.
        _propose(ALICE, _self(abi.encodePacked(CommunityMultisig.setDailyLimit.selector)), 0);
    }

    function test_TheExpiryIsWithinThirtyDays() public {
        bytes4 error_ = Proposals.ExpiryOutOfRange.selector;
        vm.prank(vm.addr(ALICE));
        _expect(error_, abi.encode(NOON - 1, NOON, NOON + 30 days));
        multisig.propose(_pay(), 0, uint48(NOON - 1));
        vm.prank(vm.addr(ALICE));
        _expect(error_, abi.encode(NOON + 30 days + 1, NOON, NOON + 30 days));
        multisig.propose(_pay(), 0, uint48(NOON + 30 days + 1));
        vm.prank(vm.addr(ALICE));
        bytes32 id = multisig.propose(_pay(), 0, uint48(NOON + 30 days));
        vm.assertEq(multisig.proposal(id).expiry, NOON + 30 days, "the last possible");
        vm.prank(vm.addr(ALICE));
        id = multisig.propose(_pay(), 0, uint48(NOON));
        _approve(BOB, id);
        multisig.execute(_ownerId(ALICE), _pay(), 0, uint48(NOON));
        vm.assertEq(RECIPIENT.balance, 10 ether, "within this second");
    }

    // ---- votes

    function test_ApproveWithdrawRejectAreTold() public {
        bytes32 id = _propose(ALICE, _pay(), 0);
        vm.expectEmit(true, true, true, true, address(multisig));
        emit CommunityMultisig.Approved(id, _ownerId(BOB));
        _approve(BOB, id);
        vm.expectEmit(true, true, true, true, address(multisig));
        emit CommunityMultisig.ApprovalWithdrawn(id, _ownerId(BOB));
        vm.prank(vm.addr(BOB));
        multisig.withdrawApproval(id);
        _assertVote(id, BOB, Vote.None);
        vm.expectEmit(true, true, true, true, address(multisig));
        emit CommunityMultisig.Rejected(id, _ownerId(BOB));
        _reject(BOB, id);
        _assertVote(id, BOB, Vote.Rejected);
    }

    function test_OneVoteAnOwnerTheLastOneCounts() public {
        bytes32 id = _propose(ALICE, _pay(), 0);
        _expect(CommunityMultisig.AlreadyApproved.selector, abi.encode(id));
        _approve(ALICE, id);
        _reject(BOB, id);
        _assertVotes(id, 1, 1, 2);
        _expect(CommunityMultisig.AlreadyRejected.selector, abi.encode(id));
        _reject(BOB, id);
        _approve(BOB, id);
        _assertVotes(id, 2, 0, 2);
        _reject(BOB, id);
        _assertVotes(id, 1, 1, 2);
        vm.prank(vm.addr(BOB));
        _expect(CommunityMultisig.NotApproved.selector, abi.encode(id));
        multisig.withdrawApproval(id);
    }

    function test_AWithdrawnApprovalDoesNotCount() public {
        bytes32 id = _propose(ALICE, _pay(), 0);
        _approve(BOB, id);
        vm.prank(vm.addr(ALICE));
        multisig.withdrawApproval(id);
        _expect(CommunityMultisig.NotEnoughApprovals.selector, abi.encode(id, 1, 2));
        _execute(ALICE, _pay(), 0);
        _approve(CAROL, id);
        _execute(ALICE, _pay(), 0);
    }

    function test_StrangersDoNotVote() public {
        bytes32 id = _propose(ALICE, _pay(), 0);
        bytes memory refusal = abi.encodeWithSelector(OwnerSet.NotAnOwner.selector, abi.encodePacked(STRANGER));
        bytes4[4] memory votes = [
            CommunityMultisig.approve.selector,
            CommunityMultisig.withdrawApproval.selector,
            CommunityMultisig.reject.selector,
            CommunityMultisig.cancel.selector
        ];
        for (uint256 i = 0; i < 4; ++i) {
            vm.prank(STRANGER);
            (bool ok, bytes memory reason) = address(multisig).call(abi.encodeWithSelector(votes[i], id));
            vm.assertFalse(ok, "refused");
            vm.assertEq(reason, refusal, "reason");
        }
    }

    function test_UnknownProposalsAreRefused() public {
        _everyVoteFails(bytes32(uint256(1)), Proposals.UnknownProposal.selector);
        bytes32 id = multisig.proposalId(_ownerId(ALICE), _pay(), 0, 0);
        _expect(Proposals.UnknownProposal.selector, abi.encode(id));
        _execute(ALICE, _pay(), 0);
    }

    // ---- cancel

    function test_TheProposerCancels() public {
        bytes32 id = _propose(ALICE, _pay(), 0);
        _approve(BOB, id);
        vm.prank(vm.addr(BOB));
        _expect(CommunityMultisig.NotTheProposer.selector, abi.encode(id));
        multisig.cancel(id);
        vm.expectEmit(true, true, true, true, address(multisig));
        emit CommunityMultisig.Cancelled(id);
        vm.prank(vm.addr(ALICE));
        multisig.cancel(id);
        _assertStatus(id, Status.Cancelled, "cancelled");
        _everyVoteFails(id, Proposals.ProposalIsCancelled.selector);
        _expect(Proposals.ProposalIsCancelled.selector, abi.encode(id));
        _execute(ALICE, _pay(), 0);
    }

    /// @dev Two of three: two rejections leave one.
    function test_SoManyRejectionsThatTheRestIsTooFew() public {
        bytes32 id = _propose(ALICE, _pay(), 0);
        _reject(BOB, id);
        _assertStatus(id, Status.Open, "Alice and Carol could");
        vm.expectEmit(true, true, true, true, address(multisig));
        emit CommunityMultisig.Rejected(id, _ownerId(CAROL));
        vm.expectEmit(true, true, true, true, address(multisig));
        emit CommunityMultisig.Cancelled(id);
        _reject(CAROL, id);
        _assertStatus(id, Status.Cancelled, "cancelled");
    }

    function test_RejectionsOfWhoLeftDoNotCancel() public {
        bytes32 id = _propose(ALICE, _pay(), 0);
        _reject(BOB, id);
        bytes32 change = _propose(ALICE, _changeOwners(_list(_owner(BOB)), _list(_owner(DAVE)), 2), 1);
        _approve(CAROL, change);
        _execute(ALICE, _changeOwners(_list(_owner(BOB)), _list(_owner(DAVE)), 2), 1);
        _assertVotes(id, 1, 0, 2);
        _reject(CAROL, id);
        _assertStatus(id, Status.Open, "Alice and Dave could");
        _reject(DAVE, id);
        _assertStatus(id, Status.Cancelled, "cancelled");
    }

    /// @dev For every n and threshold: exactly n - threshold + 1 rejections cancel.
    function testFuzz_TheNumberThatCancels(uint8 n, uint8 threshold) public {
        uint256 owners = _bound(n, 1, 32);
        MultisigInit memory init = _init();
        init.owners = new bytes[](owners);
        for (uint256 i = 0; i < owners; ++i) {
            init.owners[i] = _owner(i + 1);
        }
        init.threshold = uint8(_bound(threshold, 1, owners));
        multisig = _create(init);
        bytes32 id = _propose(1, _pay(), 0);
        for (uint256 i = 1; i <= owners - init.threshold; ++i) {
            _reject(i, id);
        }
        _assertStatus(id, Status.Open, "one fewer");
        _reject(owners, id);
        _assertStatus(id, Status.Cancelled, "as many");
    }

    /// @dev For every n and threshold: exactly the threshold executes.
    function testFuzz_TheNumberThatExecutes(uint8 n, uint8 threshold) public {
        uint256 owners = _bound(n, 1, 32);
        MultisigInit memory init = _init();
        init.owners = new bytes[](owners);
        for (uint256 i = 0; i < owners; ++i) {
            init.owners[i] = _owner(i + 1);
        }
        init.threshold = uint8(_bound(threshold, 1, owners));
        multisig = _create(init);
        vm.deal(address(multisig), 10 ether);
        bytes32 id = _propose(1, _pay(), 0);
        for (uint256 i = 2; i <= init.threshold; ++i) {
            _expect(CommunityMultisig.NotEnoughApprovals.selector, abi.encode(id, i - 1, init.threshold));
            _execute(1, _pay(), 0);
            _approve(i, id);
        }
        _execute(1, _pay(), 0);
        vm.assertEq(RECIPIENT.balance, 10 ether, "paid");
    }

    // ---- execute

    function test_AnybodyExecutesOnce() public {
        bytes32 id = _propose(ALICE, _pay(), 0);
        _approve(CAROL, id);
        vm.expectEmit(true, true, true, true, address(multisig));
        emit CommunityMultisig.Executed(id);
        _execute(ALICE, _pay(), 0);
        vm.assertEq(RECIPIENT.balance, 10 ether, "paid");
        _assertStatus(id, Status.Executed, "executed");
        _expect(Proposals.ProposalIsExecuted.selector, abi.encode(id));
        _execute(ALICE, _pay(), 0);
        _everyVoteFails(id, Proposals.ProposalIsExecuted.selector);
    }

    function test_OnlyWhatWasApprovedIsExecuted() public {
        bytes32 id = _propose(ALICE, _pay(), 0);
        _approve(BOB, id);
        Call[] memory other = _pay();
        other[0].to = STRANGER;
        _unknown(_ownerId(ALICE), other, 0, 0);
        other = _pay();
        other[0].value += 1;
        _unknown(_ownerId(ALICE), other, 0, 0);
        other = _pay();
        other[0].data = hex"00";
        _unknown(_ownerId(ALICE), other, 0, 0);
        other = new Call[](2);
        (other[0], other[1]) = (_pay()[0], _pay()[0]);
        _unknown(_ownerId(ALICE), other, 0, 0);
        _unknown(_ownerId(ALICE), _pay(), 1, 0);
        _unknown(_ownerId(ALICE), _pay(), 0, uint48(NOON + 14 days));
        _unknown(_ownerId(BOB), _pay(), 0, 0);
        _execute(ALICE, _pay(), 0);
    }

    function test_AllOrNothing() public {
        Call[] memory calls = new Call[](2);
        calls[0] = Call(RECIPIENT, 1 ether, "");
        calls[1] = Call(RECIPIENT, 100 ether, "");
        bytes32 id = _propose(ALICE, calls, 0);
        _approve(BOB, id);
        _expect(CommunityMultisig.CallFailed.selector, abi.encode(1, bytes("")));
        _execute(ALICE, calls, 0);
        vm.assertEq(RECIPIENT.balance, 0, "nothing");
        _assertStatus(id, Status.Open, "still open");
        vm.deal(address(multisig), 101 ether);
        _execute(ALICE, calls, 0);
        vm.assertEq(RECIPIENT.balance, 101 ether, "all");
    }

    function test_ThresholdOneStillTakesTwoSteps() public {
        _carry(_changeOwners(_none(), _none(), 1));
        _propose(BOB, _pay(), 0);
        vm.assertEq(RECIPIENT.balance, 0, "proposing moves nothing");
        _execute(BOB, _pay(), 0);
        vm.assertEq(RECIPIENT.balance, 10 ether, "executing does");
    }

    // ---- expiry

    function test_TheLastSecondCounts() public {
        bytes32 id = _propose(ALICE, _pay(), 0);
        uint256 snapshot = vm.snapshotState();
        vm.warp(NOON + 14 days);
        _assertStatus(id, Status.Open, "last second");
        _approve(BOB, id);
        _execute(ALICE, _pay(), 0);
        vm.assertEq(RECIPIENT.balance, 10 ether, "executed in the last second");
        vm.revertToState(snapshot);
        _approve(BOB, id);
        vm.warp(NOON + 14 days + 1);
        _assertStatus(id, Status.Expired, "one second later");
        _expect(Proposals.ProposalIsExpired.selector, abi.encode(id, NOON + 14 days));
        _execute(ALICE, _pay(), 0);
        _everyVoteFails(id, Proposals.ProposalIsExpired.selector);
    }

    function test_LimitsChangeByProposalOnly() public {
        bytes memory data = abi.encodeCall(CommunityMultisig.setDailyLimit, (STRANGER, 5));
        _carry(_self(data));
        (uint256 perDay,,) = multisig.dailyLimit(STRANGER);
        vm.assertEq(perDay, 5, "listed");
        vm.assertEq(multisig.epoch(), 0, "a limit is no change of owners");
    }

    function _proposalFails(Call[] memory calls, bytes memory reason) private {
        vm.prank(vm.addr(ALICE));
        vm.expectRevert(reason);
        multisig.propose(calls, 0, 0);
    }

    function _unknown(bytes32 proposer, Call[] memory calls, uint256 salt, uint48 expiry) private {
        bytes32 id = multisig.proposalId(proposer, calls, salt, expiry);
        _expect(Proposals.UnknownProposal.selector, abi.encode(id));
        multisig.execute(proposer, calls, salt, expiry);
    }

    /// @dev Each by Alice, who proposed, approved and may cancel.
    function _everyVoteFails(bytes32 id, bytes4 selector) private {
        bytes4[4] memory votes = [
            CommunityMultisig.approve.selector,
            CommunityMultisig.withdrawApproval.selector,
            CommunityMultisig.reject.selector,
            CommunityMultisig.cancel.selector
        ];
        for (uint256 i = 0; i < 4; ++i) {
            vm.prank(vm.addr(ALICE));
            (bool ok, bytes memory reason) = address(multisig).call(abi.encodeWithSelector(votes[i], id));
            vm.assertFalse(ok, "refused");
            vm.assertEq(bytes32(bytes4(reason)), bytes32(selector), "reason");
        }
    }
}
