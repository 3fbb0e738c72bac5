// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Call} from "../src/lib/AccountTypes.sol";
import {CommunityMultisig} from "../src/CommunityMultisig.sol";
import {DailyLimits} from "../src/multisig/DailyLimits.sol";
import {BoundedCall} from "../src/multisig/BoundedCall.sol";
import {Status} from "../src/multisig/MultisigTypes.sol";
import {Proposals} from "../src/multisig/Proposals.sol";
import {MultisigFixture} from "./MultisigFixture.t.sol";

/// @dev Whoever is paid calls back, once, with what it was told; keeps the answer.
contract Reentrant {
    address private target;
    bytes private data;
    bool private armed;
    bool public succeeded;
    bytes public answer;

    function arm(address target_, bytes calldata data_) external {
        (target, data, armed) = (target_, data_, true);
    }

    receive() external payable {
        if (!armed) return;
        armed = false;
        (succeeded, answer) = target.call(data);
    }
}

/// @dev Fails with as many bytes as it is asked for.
contract Bomb {
    function fail(uint256 size) external pure {
        assembly ("memory-safe") {
            mstore(0, not(0))
            revert(0, size)
        }
    }

    function succeed(uint256 size) external pure {
        assembly ("memory-safe") {
            return(0, size)
        }
    }
}

/// @dev Callers back, callees that fail expensively, and calls that carry more than they show.
contract MultisigHostileTest is MultisigFixture {
    Reentrant private reentrant;

    function setUp() public override {
        super.setUp();
        reentrant = new Reentrant();
    }

    function test_AProposalCannotRunInsideItself() public {
        Call[] memory calls = _calls(address(reentrant), 10 ether, "");
        reentrant.arm(address(multisig), abi.encodeCall(CommunityMultisig.execute, (_ownerId(ALICE), calls, 0, 0)));
        bytes32 id = _propose(ALICE, calls, 0);
        _approve(BOB, id);
        _execute(ALICE, calls, 0);
        vm.assertFalse(reentrant.succeeded(), "refused");
        vm.assertEq(reentrant.answer(), abi.encodeWithSelector(Proposals.ProposalIsExecuted.selector, id), "reason");
        vm.assertEq(address(reentrant).balance, 10 ether, "paid once");
    }

    /// @dev As anybody may at any time; each proposal has its own approvals.
    function test_AnotherApprovedProposalMayRunInside() public {
        bytes32 other = _propose(ALICE, _pay(), 1);
        _approve(BOB, other);
        reentrant.arm(address(multisig), abi.encodeCall(CommunityMultisig.execute, (_ownerId(ALICE), _pay(), 1, 0)));
        _carry(_calls(address(reentrant), 1 ether, ""));
        vm.assertTrue(reentrant.succeeded(), "ran");
        vm.assertEq(RECIPIENT.balance, 10 ether, "once");
        _assertStatus(other, Status.Executed, "and is over");
    }

    function test_AnOwnerWhoIsPaidCannotSpendTwice() public {
        _carry(_changeOwners(_none(), _list(abi.encodePacked(address(reentrant))), 2));
        reentrant.arm(
            address(multisig), abi.encodeCall(CommunityMultisig.spend, (address(0), address(reentrant), NATIVE_LIMIT))
        );
        vm.prank(vm.addr(ALICE));
        multisig.spend(address(0), address(reentrant), NATIVE_LIMIT);
        vm.assertEq(address(reentrant).balance, NATIVE_LIMIT, "one day's limit");
        bytes memory refusal =
            abi.encodeWithSelector(DailyLimits.OverDailyLimit.selector, address(0), NATIVE_LIMIT, uint256(0));
        vm.assertEq(reentrant.answer(), refusal, "reason");
    }

    /// @dev During a batch the owners are still bound by the threshold: a callee that is an owner changes nothing.
    function test_ACalleeCannotChangeOwners() public {
        _carry(_changeOwners(_none(), _list(abi.encodePacked(address(reentrant))), 2));
        reentrant.arm(address(multisig), abi.encodeCall(CommunityMultisig.changeOwners, (_none(), _none(), 1)));
        _carry(_calls(address(reentrant), 1 ether, ""));
        vm.assertFalse(reentrant.succeeded(), "refused");
        vm.assertEq(multisig.threshold(), 2, "threshold");
    }

    /// @dev Voting on a proposal from inside another one's calls writes over nothing.
    function test_VotesFromInsideACallAreKept() public {
        _carry(_changeOwners(_none(), _list(abi.encodePacked(address(reentrant))), 2));
        bytes32 other = _propose(ALICE, _pay(), 1);
        reentrant.arm(address(multisig), abi.encodeCall(CommunityMultisig.approve, (other)));
        _carry(_calls(address(reentrant), 1 ether, ""));
        _assertVotes(other, 2, 0, 2);
    }

    function test_AThresholdLoweredFromInsideServesNoOpenProposal() public {
        Call[] memory theft = _calls(STRANGER, 90 ether, "");
        bytes32 id = _propose(CAROL, theft, 0);
        _carry(_changeOwners(_none(), _none(), 1));
        _expect(CommunityMultisig.NotEnoughApprovals.selector, abi.encode(id, 1, 2));
        _execute(CAROL, theft, 0);
        vm.assertEq(STRANGER.balance, 0, "nothing");
    }

    function test_AReasonIsPassedOnAndCut() public {
        Bomb bomb = new Bomb();
        uint256[5] memory sizes = [uint256(0), 1, 1024, 1025, 200_000];
        for (uint256 i = 0; i < sizes.length; ++i) {
            Call[] memory calls = _calls(address(bomb), 0, abi.encodeCall(Bomb.fail, (sizes[i])));
            bytes32 id = _propose(ALICE, calls, i);
            _approve(BOB, id);
            (bool ok, bytes memory reason) =
                address(multisig).call(abi.encodeCall(CommunityMultisig.execute, (_ownerId(ALICE), calls, i, 0)));
            vm.assertFalse(ok, "failed");
            uint256 kept = sizes[i] < BoundedCall.MAX_REASON ? sizes[i] : BoundedCall.MAX_REASON;
            bytes memory expected = new bytes(kept);
            for (uint256 j = 0; j < kept && j < 32; ++j) {
                expected[j] = 0xff;
            }
            vm.assertEq(bytes32(bytes4(reason)), bytes32(CommunityMultisig.CallFailed.selector), "error");
            if (kept <= 96) {
                vm.assertEq(
                    reason, abi.encodeWithSelector(CommunityMultisig.CallFailed.selector, 0, expected), "reason"
                );
            }
            vm.assertEq(reason.length, 4 + 96 + (kept + 31) / 32 * 32, "length");
        }
    }

    /// @dev A megabyte costs the callee 2.2 million gas to make; the multisig does not pay it a second time.
    function test_AHugeReasonCostsTheCalleeOnly() public {
        _measureBomb(abi.encodeCall(Bomb.fail, (1_000_000)), false);
    }

    function test_AHugeAnswerCostsTheCalleeOnly() public {
        _measureBomb(abi.encodeCall(Bomb.succeed, (1_000_000)), true);
    }

    function _measureBomb(bytes memory data, bool succeeds) private {
        Bomb bomb = new Bomb();
        uint256 alone = gasleft();
        (bool ok,) = address(bomb).call{gas: 10_000_000}(data);
        alone -= gasleft();
        Call[] memory calls = _calls(address(bomb), 0, data);
        _approve(BOB, _propose(ALICE, calls, 0));
        bytes memory execution = abi.encodeCall(CommunityMultisig.execute, (_ownerId(ALICE), calls, 0, 0));
        address target = address(multisig);
        uint256 gas = gasleft();
        assembly ("memory-safe") {
            ok := call(gas(), target, 0, add(execution, 32), mload(execution), 0, 0)
        }
        gas -= gasleft();
        vm.assertTrue(ok == succeeds, "as the callee");
        vm.assertLt(gas, alone + 60_000, "little more than the callee alone");
    }

    /// @dev A token's approval, or anything else, inside a proposal is what the owners saw: calls are nowhere
    /// rewritten.
    function test_CallsArriveAsTheyWereApproved() public {
        Call[] memory calls = new Call[](2);
        calls[0] = Call(address(token), 0, abi.encodeCall(token.approve, (STRANGER, 7)));
        calls[1] = Call(address(token), 0, abi.encodeCall(token.transfer, (RECIPIENT, 8)));
        _carry(calls);
        vm.assertEq(token.allowance(address(multisig), STRANGER), 7, "approval");
        vm.assertEq(token.balanceOf(RECIPIENT), 8, "transfer");
    }

    /// @dev The clone's implementation has no owner, no money and nobody who could make it call.
    function test_TheImplementationDoesNothing() public {
        CommunityMultisig logic = CommunityMultisig(payable(factory.implementation()));
        vm.deal(address(logic), 1 ether);
        (bool ok,) = address(logic).call(abi.encodeCall(CommunityMultisig.propose, (_pay(), 0, 0)));
        vm.assertFalse(ok, "no proposal");
        (ok,) = address(logic).call(abi.encodeCall(CommunityMultisig.spend, (address(0), STRANGER, 1)));
        vm.assertFalse(ok, "no spending");
        (ok,) =
            address(logic).call(abi.encodeCall(CommunityMultisig.execute, (bytes32(0), _calls(STRANGER, 1, ""), 0, 0)));
        vm.assertFalse(ok, "no execution");
    }

    function testFuzz_AStrangerMovesNothing(bytes calldata data, uint8 what) public {
        bytes4[7] memory functions = [
            CommunityMultisig.propose.selector,
            CommunityMultisig.approve.selector,
            CommunityMultisig.execute.selector,
            CommunityMultisig.spend.selector,
            CommunityMultisig.changeOwners.selector,
            CommunityMultisig.setDailyLimit.selector,
            CommunityMultisig.spendBySignature.selector
        ];
        vm.prank(STRANGER);
        (bool ok,) = address(multisig).call(bytes.concat(functions[what % 7], data));
        vm.assertFalse(ok, "refused");
    }
}
