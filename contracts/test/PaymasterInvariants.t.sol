// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {PackedUserOperation} from "@openzeppelin/contracts/interfaces/IERC4337.sol";
import {SponsorFixture} from "./support/SponsorFixture.sol";

/// @dev The paymaster's money: people who are sponsored, donors, and an owner who tries everything. The account's
/// invariants are in `actors/`.
contract Sponsor is SponsorFixture {
    /// @dev What went to the treasury by the rules, and what came in.
    uint256 public withdrawn;
    uint256 public deposited = DEPOSIT;
    uint256 public accepted;
    uint256 public refused;
    uint256 public collectedBefore;

    constructor() {
        setUp();
        collectedBefore = BENEFICIARY.balance;
    }

    /// @dev Sponsored by the signer of the moment, or by another key.
    function person(uint96 value, uint256 key) external {
        uint256 signer = paymaster.signer() == vm.addr(SIGNER) ? SIGNER : SIGNER + 1;
        bool right = key % 4 != 0;
        if (!right) signer = _bound(key, 1000, 2000);
        PackedUserOperation memory op = _op(_call(RECIPIENT, value % (address(account).balance / 10 + 1), ""));
        op = _signed(_sponsored(op, uint48(block.timestamp + 600), 0, signer));
        PackedUserOperation[] memory ops = new PackedUserOperation[](1);
        ops[0] = op;
        vm.prank(BENEFICIARY, BENEFICIARY);
        try entryPoint.handleOps(ops, BENEFICIARY) {
            vm.assertTrue(right, "sponsored by somebody else's key");
            ++accepted;
        } catch {
            ++refused;
        }
    }

    function depositor(uint64 value) external {
        vm.deal(STRANGER, value);
        vm.prank(STRANGER);
        paymaster.deposit{value: value}();
        vm.deal(STRANGER, 0);
        deposited += value;
    }

    function paymasterOwner(uint8 what, uint96 amount, uint32 time) external {
        vm.warp(block.timestamp + time % 2 days);
        bytes memory data;
        if (what % 5 == 0) data = abi.encodeCall(paymaster.unlockStake, ());
        if (what % 5 == 1) data = abi.encodeCall(paymaster.withdrawDeposit, (amount % 0.1 ether));
        if (what % 5 == 2) data = abi.encodeCall(paymaster.addStake, (1 days));
        if (what % 5 == 3) data = abi.encodeCall(paymaster.rotateSigner, (vm.addr(SIGNER + 1), 0));
        if (what % 5 == 4) data = abi.encodeCall(paymaster.rotateSigner, (vm.addr(SIGNER), 0));
        vm.prank(vm.addr(OWNER));
        (bool ok,) = address(paymaster).call(data);
        if (ok && what % 5 == 1) withdrawn += amount % 0.1 ether;
    }

    function money() external view returns (uint256 left, uint256 treasury, uint256 collected, uint256 loose) {
        left = entryPoint.balanceOf(address(paymaster));
        return (left, TREASURY.balance, BENEFICIARY.balance - collectedBefore, address(paymaster).balance);
    }
}

contract PaymasterInvariantsTest is SponsorFixture {
    Sponsor private sponsor;

    function setUp() public override {
        sponsor = new Sponsor();
    }

    function targetContracts() external view returns (address[] memory list) {
        list = new address[](1);
        list[0] = address(sponsor);
    }

    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    function targetSelectors() external view returns (FuzzSelector[] memory list) {
        list = new FuzzSelector[](1);
        list[0].addr = address(sponsor);
        list[0].selectors = new bytes4[](3);
        (list[0].selectors[0], list[0].selectors[1], list[0].selectors[2]) =
            (Sponsor.person.selector, Sponsor.depositor.selector, Sponsor.paymasterOwner.selector);
    }

    function invariant_PaymasterMoneyIsGasOrTreasury() external view {
        (uint256 left, uint256 treasury, uint256 collected, uint256 loose) = sponsor.money();
        vm.assertEq(treasury, sponsor.withdrawn(), "the treasury has what was withdrawn by the rules");
        vm.assertEq(left + treasury + collected, sponsor.deposited(), "the rest is deposit or was gas");
        vm.assertEq(loose, 0, "nothing lies in the contract");
    }

    /// @dev The moves reach both sides: without this the invariant could hold because nothing happened.
    function test_TheSponsorDoesSomething() external {
        sponsor.person(1 ether, 1);
        sponsor.person(1 ether, 4);
        sponsor.depositor(77);
        sponsor.paymasterOwner(0, 0, 0);
        sponsor.paymasterOwner(1, 1000, 2 days - 1);
        vm.assertEq(sponsor.accepted(), 1, "accepted");
        vm.assertEq(sponsor.refused(), 1, "refused");
        vm.assertTrue(sponsor.withdrawn() == 1000 && sponsor.deposited() == DEPOSIT + 77, "moved");
    }
}
