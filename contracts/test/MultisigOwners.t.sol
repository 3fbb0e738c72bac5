// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Call} from "../src/lib/AccountTypes.sol";
import {CommunityMultisig} from "../src/CommunityMultisig.sol";
import {MultisigInit, Stamp, Status, Vote} from "../src/multisig/MultisigTypes.sol";
import {OwnerSet} from "../src/multisig/OwnerSet.sol";
import {MultisigFixture} from "./MultisigFixture.t.sol";

/// @dev Who may be an owner, how owners change, and what that does to what is open.
contract MultisigOwnersTest is MultisigFixture {
    // ---- who may be an owner, at creation and later

    function test_OwnersThatAreRefused() public {
        bytes memory alice = _owner(ALICE);
        _refused(alice, abi.encodeWithSelector(OwnerSet.DuplicateOwner.selector, alice));
        _refused("", abi.encodeWithSelector(OwnerSet.OwnerLengthOutOfRange.selector, 0));
        _refused(new bytes(19), abi.encodeWithSelector(OwnerSet.OwnerLengthOutOfRange.selector, 19));
        bytes memory long = bytes.concat(abi.encodePacked(address(verifier)), new bytes(493));
        _refused(long, abi.encodeWithSelector(OwnerSet.OwnerLengthOutOfRange.selector, 513));
        _refused(new bytes(20), abi.encodeWithSelector(OwnerSet.OwnerIsZero.selector));
        _refused(new bytes(84), abi.encodeWithSelector(OwnerSet.OwnerIsZero.selector));
    }

    function test_TheLongestOwnerFits() public {
        bytes memory long = bytes.concat(abi.encodePacked(address(verifier)), new bytes(492));
        _carry(_changeOwners(_none(), _list(long), 2));
        vm.assertEq(multisig.owners()[3], long, "512 bytes");
    }

    /// @dev The same EOA with something behind it, and padded to a word as the ABI would.
    function test_TwoSpellingsOfOneEoaAreRefused() public {
        bytes memory behind = abi.encodePacked(vm.addr(ALICE), uint8(0));
        _refused(behind, abi.encodeWithSelector(OwnerSet.VerifierWithoutCode.selector, vm.addr(ALICE)));
        bytes memory padded = abi.encode(vm.addr(ALICE));
        address head = address(bytes20(padded));
        _refused(padded, abi.encodeWithSelector(OwnerSet.VerifierWithoutCode.selector, head));
        // An EOA that delegated its code (EIP-7702) has code.
        vm.etch(vm.addr(ALICE), hex"ef0100000000000000000000000000000000000000dead");
        _refused(behind, abi.encodeWithSelector(OwnerSet.SameOwnerSpelledTwice.selector, behind, _owner(ALICE)));
    }

    function test_AContractIsNoOwnerAndVerifierAtOnce() public {
        bytes memory short = abi.encodePacked(address(verifier));
        _carry(_changeOwners(_none(), _list(_passkeyOwner(PASSKEY)), 2));
        _refusedLater(
            short, abi.encodeWithSelector(OwnerSet.SameOwnerSpelledTwice.selector, short, _passkeyOwner(PASSKEY))
        );
    }

    /// @dev (x, y) and (x, p - y) are the same secret, whichever verifier reads them.
    function test_OnePasskeyCannotSitTwice() public {
        bytes memory first = _passkeyOwner(PASSKEY);
        (uint256 x, uint256 y) = vm.publicKeyP256(PASSKEY);
        uint256 p = 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffff;
        _carry(_changeOwners(_none(), _list(first), 2));
        bytes memory twin = abi.encodePacked(address(verifier), x, p - y);
        _refusedLater(twin, abi.encodeWithSelector(OwnerSet.SameOwnerSpelledTwice.selector, twin, first));
        bytes memory elsewhere = abi.encodePacked(address(token), x, y);
        _refusedLater(elsewhere, abi.encodeWithSelector(OwnerSet.SameOwnerSpelledTwice.selector, elsewhere, first));
        _carry(_changeOwners(_none(), _list(_passkeyOwner(PASSKEY + 1)), 2));
        vm.assertEq(multisig.owners().length, 5, "another passkey of the same verifier");
    }

    function test_TheMultisigIsNoOwnerOfItself() public {
        bytes memory itself = abi.encodePacked(address(multisig));
        _refusedLater(itself, abi.encodeWithSelector(OwnerSet.OwnerIsTheMultisig.selector));
        _refusedLater(bytes.concat(itself, "key"), abi.encodeWithSelector(OwnerSet.OwnerIsTheMultisig.selector));
    }

    function test_OneToThirtyTwoOwners() public {
        MultisigInit memory init = _init();
        init.owners = _none();
        init.threshold = 0;
        _creationFails(init, abi.encodeWithSelector(OwnerSet.ThresholdOutOfRange.selector, 0, 0));
        init.threshold = 1;
        _creationFails(init, abi.encodeWithSelector(OwnerSet.ThresholdOutOfRange.selector, 1, 0));
        init.owners = _list(_owner(ALICE));
        vm.assertEq(_create(init).owners().length, 1, "one");
        init.owners = new bytes[](32);
        for (uint256 i = 0; i < 32; ++i) {
            init.owners[i] = _owner(i + 1);
        }
        init.threshold = 33;
        _creationFails(init, abi.encodeWithSelector(OwnerSet.ThresholdOutOfRange.selector, 33, 32));
        init.threshold = 32;
        multisig = _create(init);
        vm.assertEq(abi.encode(multisig.owners()), abi.encode(init.owners), "thirty-two");
        _everybodyAnswers();
        init.owners = new bytes[](33);
        for (uint256 i = 0; i < 33; ++i) {
            init.owners[i] = _owner(i + 1);
        }
        _creationFails(init, abi.encodeWithSelector(OwnerSet.TooManyOwners.selector));
    }

    function _everybodyAnswers() private {
        vm.deal(address(multisig), 10 ether);
        bytes32 id = _propose(1, _pay(), 0);
        for (uint256 i = 2; i < 32; ++i) {
            _approve(i, id);
        }
        _expect(CommunityMultisig.NotEnoughApprovals.selector, abi.encode(id, 31, 32));
        _execute(1, _pay(), 0);
        _approve(32, id);
        _execute(1, _pay(), 0);
        vm.assertEq(RECIPIENT.balance, 10 ether, "paid");
    }

    // ---- changing them

    function test_OnlyTheMultisigChangesItself() public {
        bytes memory data = abi.encode(vm.addr(ALICE));
        vm.prank(vm.addr(ALICE));
        _expect(CommunityMultisig.OnlySelf.selector, data);
        multisig.changeOwners(_none(), _none(), 1);
        vm.prank(vm.addr(ALICE));
        _expect(CommunityMultisig.OnlySelf.selector, data);
        multisig.setDailyLimit(address(0), 1);
    }

    function test_AChangeIsToldAndRaisesTheEpoch() public {
        Call[] memory calls = _changeOwners(_list(_owner(CAROL)), _list(_owner(DAVE), _passkeyOwner(PASSKEY)), 3);
        bytes32 id = _propose(ALICE, calls, 0);
        _approve(BOB, id);
        vm.expectEmit(true, true, true, true, address(multisig));
        emit CommunityMultisig.Executed(id);
        vm.expectEmit(true, true, true, true, address(multisig));
        emit CommunityMultisig.EpochRaised(1);
        vm.expectEmit(true, true, true, true, address(multisig));
        emit OwnerSet.OwnerRemoved(_ownerId(CAROL), _owner(CAROL));
        vm.expectEmit(true, true, true, true, address(multisig));
        emit OwnerSet.OwnerAdded(_ownerId(DAVE), _owner(DAVE));
        vm.expectEmit(true, true, true, true, address(multisig));
        emit OwnerSet.OwnerAdded(keccak256(_passkeyOwner(PASSKEY)), _passkeyOwner(PASSKEY));
        vm.expectEmit(true, true, true, true, address(multisig));
        emit OwnerSet.ThresholdChanged(3);
        _execute(ALICE, calls, 0);
        vm.assertTrue(multisig.epoch() == 1 && multisig.threshold() == 3, "epoch and threshold");
        vm.assertTrue(multisig.owners().length == 4 && !multisig.isOwner(_owner(CAROL)), "owners");
        vm.assertTrue(multisig.isOwner(_owner(DAVE)) && multisig.isOwner(_passkeyOwner(PASSKEY)), "the new ones");
    }

    function test_WhoLeftCannotAct() public {
        _carry(_changeOwners(_list(_owner(CAROL)), _none(), 2));
        vm.prank(vm.addr(CAROL));
        _expect(OwnerSet.NotAnOwner.selector, abi.encode(_owner(CAROL)));
        multisig.propose(_pay(), 0, 0);
        vm.prank(vm.addr(CAROL));
        _expect(OwnerSet.NotAnOwner.selector, abi.encode(_owner(CAROL)));
        multisig.spend(address(0), RECIPIENT, 1);
    }

    function test_RemovingComesBeforeAdding() public {
        _carry(_changeOwners(_list(_owner(CAROL)), _list(_owner(CAROL)), 2));
        vm.assertEq(abi.encode(multisig.owners()), abi.encode(_three()), "the same owners");
        _changeFails(
            _list(_owner(DAVE)), _none(), 2, abi.encodeWithSelector(OwnerSet.NotAnOwner.selector, _owner(DAVE))
        );
        bytes[] memory twice = _list(_owner(CAROL), _owner(CAROL));
        _changeFails(twice, _none(), 1, abi.encodeWithSelector(OwnerSet.NotAnOwner.selector, _owner(CAROL)));
        twice = _list(_owner(DAVE), _owner(DAVE));
        _changeFails(_none(), twice, 1, abi.encodeWithSelector(OwnerSet.DuplicateOwner.selector, _owner(DAVE)));
    }

    function test_TheThresholdStaysInRange() public {
        _changeFails(_none(), _none(), 0, abi.encodeWithSelector(OwnerSet.ThresholdOutOfRange.selector, 0, 3));
        _changeFails(_none(), _none(), 4, abi.encodeWithSelector(OwnerSet.ThresholdOutOfRange.selector, 4, 3));
        _changeFails(
            _list(_owner(CAROL)), _none(), 3, abi.encodeWithSelector(OwnerSet.ThresholdOutOfRange.selector, 3, 2)
        );
        _changeFails(_three(), _none(), 1, abi.encodeWithSelector(OwnerSet.ThresholdOutOfRange.selector, 1, 0));
        _carry(_changeOwners(_none(), _none(), 3));
        vm.assertEq(multisig.threshold(), 3, "all");
    }

    /// @dev The whole set is replaced at once, seats are used again.
    function test_EverybodyMayBeReplaced() public {
        _carry(_changeOwners(_three(), _list(_owner(DAVE)), 1));
        vm.assertEq(abi.encode(multisig.owners()), abi.encode(_list(_owner(DAVE))), "one");
        _propose(DAVE, _pay(), 0);
        _execute(DAVE, _pay(), 0);
        vm.assertEq(RECIPIENT.balance, 10 ether, "acts alone");
    }

    // ---- what a change does to open proposals

    function test_VotesOfWhoLeftStopCounting() public {
        bytes32 id = _propose(CAROL, _pay(), 0);
        _approve(ALICE, id);
        _assertVotes(id, 2, 0, 2);
        _carry(_changeOwners(_list(_owner(CAROL)), _list(_owner(DAVE)), 2));
        _assertVotes(id, 1, 0, 2);
        // Dave sits where Carol sat and has not voted, and Carol's proposal is nobody's now.
        _assertVote(id, DAVE, Vote.None);
        _assertVote(id, ALICE, Vote.Approved);
        vm.prank(vm.addr(DAVE));
        _expect(CommunityMultisig.NotTheProposer.selector, abi.encode(id));
        multisig.cancel(id);
        _expect(CommunityMultisig.NotEnoughApprovals.selector, abi.encode(id, 1, 2));
        _execute(CAROL, _pay(), 0);
        _approve(DAVE, id);
        _execute(CAROL, _pay(), 0);
        vm.assertEq(RECIPIENT.balance, 10 ether, "the proposal outlived its proposer");
    }

    function test_WhoComesBackStartsWithoutVotes() public {
        bytes32 id = _propose(CAROL, _pay(), 0);
        _approve(ALICE, id);
        _carry(_changeOwners(_list(_owner(CAROL)), _none(), 2));
        // Her seat is empty, and her vote with it.
        _assertVotes(id, 1, 0, 2);
        _expect(CommunityMultisig.NotEnoughApprovals.selector, abi.encode(id, 1, 2));
        _execute(CAROL, _pay(), 0);
        _carry(_changeOwners(_none(), _list(_owner(CAROL)), 2));
        _assertVotes(id, 1, 0, 2);
        vm.prank(vm.addr(CAROL));
        _expect(CommunityMultisig.NotTheProposer.selector, abi.encode(id));
        multisig.cancel(id);
        _approve(CAROL, id);
        _assertVotes(id, 2, 0, 2);
    }

    function test_WhoLeavesAndReturnsInOneChangeStartsWithoutVotes() public {
        bytes32 id = _propose(CAROL, _pay(), 0);
        _carry(_changeOwners(_list(_owner(CAROL)), _list(_owner(CAROL)), 2));
        _assertVotes(id, 0, 0, 2);
    }

    function test_VotesSurviveManyChangesInBetween() public {
        bytes32 id = _propose(CAROL, _pay(), 0);
        for (uint256 i = 0; i < 3; ++i) {
            _carry(_changeOwners(_none(), _list(_owner(DAVE)), 2));
            if (i == 1) _reject(DAVE, id);
            _carry(_changeOwners(_list(_owner(DAVE)), _none(), 2));
        }
        _assertVotes(id, 1, 0, 2);
        _approve(ALICE, id);
        _execute(CAROL, _pay(), 0);
    }

    /// @dev Voted on after its proposer left, and looked at after one more change.
    function test_AProposalOutlivesItsProposerAndFurtherChanges() public {
        bytes32 id = _propose(CAROL, _pay(), 0);
        _carry(_changeOwners(_list(_owner(CAROL)), _list(_owner(DAVE)), 2));
        _approve(ALICE, id);
        _carry(_changeOwners(_none(), _list(_owner(CAROL)), 2));
        _assertVotes(id, 1, 0, 2);
        vm.prank(vm.addr(CAROL));
        _expect(CommunityMultisig.NotTheProposer.selector, abi.encode(id));
        multisig.cancel(id);
        _approve(BOB, id);
        _execute(CAROL, _pay(), 0);
        vm.assertEq(RECIPIENT.balance, 10 ether, "paid");
    }

    function test_ALoweredThresholdMakesNothingExecutable() public {
        bytes32 id = _propose(CAROL, _pay(), 0);
        _carry(_changeOwners(_none(), _none(), 1));
        _assertVotes(id, 1, 0, 2);
        _expect(CommunityMultisig.NotEnoughApprovals.selector, abi.encode(id, 1, 2));
        _execute(CAROL, _pay(), 0);
        // A new one needs one.
        _propose(CAROL, _pay(), 1);
        _execute(CAROL, _pay(), 1);
        _approve(ALICE, id);
        _execute(CAROL, _pay(), 0);
        vm.assertEq(RECIPIENT.balance, 20 ether, "both in the end");
    }

    function test_ARaisedThresholdHoldsForOpenProposals() public {
        bytes32 id = _propose(CAROL, _pay(), 0);
        _approve(ALICE, id);
        _carry(_changeOwners(_none(), _none(), 3));
        _expect(CommunityMultisig.NotEnoughApprovals.selector, abi.encode(id, 2, 3));
        _execute(CAROL, _pay(), 0);
        _approve(BOB, id);
        _execute(CAROL, _pay(), 0);
    }

    /// @dev Fewer owners than the old threshold: all of them are enough, so the change voids nothing.
    function test_AllWhoAreLeftAreEnough() public {
        _carry(_changeOwners(_none(), _none(), 3));
        bytes32 id = _propose(ALICE, _pay(), 0);
        Call[] memory calls = _changeOwners(_list(_owner(CAROL)), _none(), 1);
        bytes32 change = _propose(ALICE, calls, 0);
        _approve(BOB, change);
        _approve(CAROL, change);
        _execute(ALICE, calls, 0);
        _assertVotes(id, 1, 0, 2);
        _expect(CommunityMultisig.NotEnoughApprovals.selector, abi.encode(id, 1, 2));
        _execute(ALICE, _pay(), 0);
        _approve(BOB, id);
        _execute(ALICE, _pay(), 0);
    }

    /// @dev Two changes that were open side by side: the second is judged by the rules that the first one made.
    function test_AChangeThatNoLongerFitsFails() public {
        Call[] memory calls = _changeOwners(_list(_owner(CAROL)), _none(), 1);
        bytes32 first = _propose(ALICE, calls, 1);
        bytes32 second = _propose(ALICE, calls, 2);
        _approve(BOB, first);
        _approve(BOB, second);
        _execute(ALICE, calls, 1);
        bytes memory reason = abi.encodeWithSelector(OwnerSet.NotAnOwner.selector, _owner(CAROL));
        _expect(CommunityMultisig.CallFailed.selector, abi.encode(0, reason));
        _execute(ALICE, calls, 2);
        _assertStatus(second, Status.Open, "a failed execution changes nothing");
    }

    function test_AnEmptyChangeVoidsSignatures() public {
        bytes32 id = _propose(ALICE, _pay(), 0);
        Stamp memory s = _stamp();
        bytes memory signature = _signVote(BOB, "Approve", id, s);
        _carry(_changeOwners(_none(), _none(), 2));
        _expect(CommunityMultisig.SignatureOfOtherEpoch.selector, abi.encode(0, 1));
        multisig.approveBySignature(id, _owner(BOB), s, signature);
        vm.assertEq(multisig.threshold(), 2, "nothing else");
    }

    /// @dev Any sequence of seats taken and left leaves a list without gaps or doubles, and everybody in it can vote.
    function testFuzz_ChurnKeepsTheListWhole(uint256 seed) public {
        _carry(_changeOwners(_none(), _none(), 1));
        bool[12] memory sits;
        uint256 count = 3;
        for (uint256 i = 0; i < 12; ++i) {
            uint256 who = (seed >> (i * 8)) % 12;
            bytes[] memory one = _list(_owner(1000 + who));
            Call[] memory calls = sits[who] ? _changeOwners(one, _none(), 1) : _changeOwners(_none(), one, 1);
            sits[who] = !sits[who];
            count = sits[who] ? count + 1 : count - 1;
            _propose(ALICE, calls, i);
            _execute(ALICE, calls, i);
        }
        bytes[] memory owners = multisig.owners();
        vm.assertEq(owners.length, count, "count");
        bytes32 id = _propose(ALICE, _pay(), 99);
        for (uint256 i = 0; i < owners.length; ++i) {
            vm.assertTrue(multisig.isOwner(owners[i]), "listed and known");
            if (keccak256(owners[i]) == _ownerId(ALICE)) continue;
            vm.prank(address(bytes20(owners[i])));
            multisig.approve(id);
        }
        _assertVotes(id, count, 0, 1);
    }

    function _refused(bytes memory owner, bytes memory reason) private {
        MultisigInit memory init = _init();
        init.owners[2] = owner;
        _creationFails(init, reason);
        _refusedLater(owner, reason);
    }

    function _refusedLater(bytes memory owner, bytes memory reason) private {
        _changeFails(_none(), _list(owner), 2, reason);
    }

    function _creationFails(MultisigInit memory init, bytes memory reason) private {
        vm.expectRevert(reason);
        factory.createMultisig(abi.encode(init));
    }

    function _changeFails(bytes[] memory removed, bytes[] memory added, uint8 threshold, bytes memory reason) private {
        Call[] memory calls = _changeOwners(removed, added, threshold);
        uint256 salt = ++nextNonce;
        bytes32 id = _propose(ALICE, calls, salt);
        _approve(BOB, id);
        _expect(CommunityMultisig.CallFailed.selector, abi.encode(0, reason));
        _execute(ALICE, calls, salt);
    }
}
