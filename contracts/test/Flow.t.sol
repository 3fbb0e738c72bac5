// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IEntryPoint, PackedUserOperation} from "@openzeppelin/contracts/interfaces/IERC4337.sol";
import {CommunityAccount} from "../src/CommunityAccount.sol";
import {Spending} from "../src/account/Spending.sol";
import {AccountInit, Call, GasCap, SpendingLimit} from "../src/lib/AccountTypes.sol";
import {SponsorFixture} from "./support/SponsorFixture.sol";
import {TestToken} from "./support/TestTokens.sol";
import {Vm} from "./support/Vm.sol";

/// @dev Account, factory and paymaster together, through `handleOps` of the published EntryPoints.
contract FlowTest is SponsorFixture {
    bytes32 private constant USER_OPERATION_EVENT =
        keccak256("UserOperationEvent(bytes32,address,address,uint256,bool,uint256,uint256)");

    /// @dev The first operation of a person without any ether: deployed, sponsored and executed at once.
    function test_DeploymentSponsorshipAndTransferInOneOperation() public {
        TestToken token = new TestToken();
        AccountInit memory init = _init();
        init.limits[0] = SpendingLimit(block.chainid, address(token), 60);
        PackedUserOperation memory op = _first(init);
        token.mint(op.sender, 100);
        op.callData = _call(address(token), 0, abi.encodeCall(token.transfer, (RECIPIENT, 60)));
        op = _sponsored(op, uint48(block.timestamp + 600), 0, SIGNER);
        uint256 deposit = entryPoint.balanceOf(address(paymaster));
        uint256 collected = BENEFICIARY.balance;
        vm.assertTrue(_succeeds(_signed(op)), "success");
        vm.assertTrue(op.sender.code.length != 0, "deployed");
        vm.assertEq(token.balanceOf(RECIPIENT), 60, "transferred");
        uint256 paid = deposit - entryPoint.balanceOf(address(paymaster));
        vm.assertTrue(paid != 0 && paid == BENEFICIARY.balance - collected, "the paymaster paid the gas");
        vm.assertEq(op.sender.balance + entryPoint.balanceOf(op.sender), 0, "the account paid nothing");
    }

    function test_AnAccountDeploysAndPaysForItself() public {
        PackedUserOperation memory op = _firstOperation();
        vm.deal(op.sender, 1 ether);
        op.callData = _call(RECIPIENT, 0.5 ether, "");
        vm.assertTrue(_succeeds(_signed(op)), "success");
        vm.assertEq(RECIPIENT.balance, 0.5 ether, "paid");
        vm.assertLt(op.sender.balance, 0.5 ether, "minus gas");
    }

    /// @dev Whoever deploys first makes the pending operation fail; without its factory it passes.
    function test_SomebodyElseDeployedFirst() public {
        PackedUserOperation memory op = _firstOperation();
        vm.deal(op.sender, 1 ether);
        op.callData = _call(RECIPIENT, 1, "");
        op = _signed(op);
        vm.prank(STRANGER);
        factory.createAccount(_initCodeData(op.initCode));
        _expectFailedOp("AA10 sender already constructed");
        _handle(op);
        op.initCode = "";
        vm.assertTrue(_succeeds(_signed(op)), "again, without factory");
    }

    function test_OperationsOfTwoAccountsInOneBundle() public {
        PackedUserOperation[] memory ops = new PackedUserOperation[](2);
        ops[0] = _signed(_sponsored(_op(_call(RECIPIENT, 1, "")), uint48(block.timestamp + 600), 0, SIGNER));
        PackedUserOperation memory first = _firstOperation();
        vm.deal(first.sender, 1 ether);
        first.callData = _call(RECIPIENT, 2, "");
        ops[1] = _signed(first);
        vm.prank(BENEFICIARY, BENEFICIARY);
        entryPoint.handleOps(ops, BENEFICIARY);
        vm.assertEq(RECIPIENT.balance, 3, "both");
    }

    function test_AFailingBatchCostsGasOnly() public {
        Call[] memory calls = new Call[](2);
        calls[0] = Call(RECIPIENT, 1 ether, "");
        calls[1] = Call(RECIPIENT, 1000 ether, "");
        vm.assertFalse(_succeeds(_signed(_op(_batch(calls)))), "reverted");
        vm.assertEq(RECIPIENT.balance, 0, "nothing moved");
    }

    function test_ForeignSponsorsAreRefused() public {
        PackedUserOperation memory op = _op(_call(RECIPIENT, 1, ""));
        op = _signed(_sponsored(op, uint48(block.timestamp + 600), 0, SIGNER + 1));
        _expectFailedOp("AA34 signature error");
        _handle(op);
    }

    function test_SponsorshipsCountWithinTheirTimesOnly() public {
        vm.warp(1_000_000);
        PackedUserOperation memory op = _signed(_sponsored(_op(_call(RECIPIENT, 1, "")), 1_000_600, 1_000_100, SIGNER));
        _expectFailedOp("AA32 paymaster expired or not due");
        _handle(op);
        vm.warp(1_000_601);
        _expectFailedOp("AA32 paymaster expired or not due");
        _handle(op);
        vm.warp(1_000_300);
        vm.assertTrue(_succeeds(op), "in time");
    }

    function test_BrokenInitDataFailsInTheFactory() public {
        AccountInit memory init = _init();
        init.recoveryDelay = 0;
        PackedUserOperation memory op = _op("");
        op.initCode = abi.encodePacked(address(factory), abi.encodeCall(factory.createAccount, (abi.encode(init))));
        op.sender = factory.accountAddress(abi.encode(init));
        op = _signed(op);
        _expectFailedOp("AA13 initCode failed or OOG");
        _handle(op);
    }

    function test_TheCapHoldsFromTheFirstOperationOn() public {
        AccountInit memory init = _init();
        init.gasCaps = new GasCap[](0);
        PackedUserOperation memory op = _first(init);
        vm.deal(op.sender, 1 ether);
        op = _signed(op);
        _expectFailedOp(
            "AA23 reverted", abi.encodeWithSelector(Spending.GasCostOverCap.selector, 900_000, 1, 0)
        );
        _handle(op);
    }

    function _firstOperation() private view returns (PackedUserOperation memory) {
        AccountInit memory init = _init();
        init.salt = 4337;
        return _first(init);
    }

    function _first(AccountInit memory init) private view returns (PackedUserOperation memory op) {
        op = _op("");
        op.sender = factory.accountAddress(abi.encode(init));
        op.nonce = entryPoint.getNonce(op.sender, 0);
        op.initCode = abi.encodePacked(address(factory), abi.encodeCall(factory.createAccount, (abi.encode(init))));
    }

    function _initCodeData(bytes memory initCode) private pure returns (bytes memory) {
        bytes memory arguments = new bytes(initCode.length - 24);
        for (uint256 i = 0; i < arguments.length; ++i) arguments[i] = initCode[24 + i];
        return abi.decode(arguments, (bytes));
    }

    function _succeeds(PackedUserOperation memory op) private returns (bool success) {
        vm.recordLogs();
        _handle(op);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        bool found;
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].topics[0] != USER_OPERATION_EVENT) continue;
            (, success) = abi.decode(logs[i].data, (uint256, bool));
            found = true;
        }
        vm.assertTrue(found, "UserOperationEvent");
    }
}

/// @dev The same through EntryPoint 0.7.
contract FlowOverEntryPoint07Test is FlowTest {
    function _entryPointVersion() internal pure override returns (uint256) {
        return 7;
    }
}
