// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Account} from "@openzeppelin/contracts/account/Account.sol";
import {IERC7821} from "@openzeppelin/contracts/interfaces/draft-IERC7821.sol";
import {IAccountExecute, PackedUserOperation} from "@openzeppelin/contracts/interfaces/IERC4337.sol";
import {CommunityAccount} from "../src/CommunityAccount.sol";
import {CommunityAccountFactory} from "../src/CommunityAccountFactory.sol";
import {AccountStorage} from "../src/lib/AccountStorage.sol";
import {AccountInit} from "../src/lib/AccountTypes.sol";
import {Fixture} from "./support/Fixture.sol";
import {Opcodes} from "./support/Opcodes.sol";
import {Vm} from "./support/Vm.sol";

/// @dev The six classic mistakes of ERC-4337 accounts, through the published EntryPoint 0.8.
contract MistakesTest is Fixture {
    // ---- 1: execution open to others

    function testFuzz_1_NobodyButTheEntryPointMovesAnything(address caller, uint96 value) public {
        vm.assume(caller != address(entryPoint));
        bytes memory callData = _call(RECIPIENT, value, "");
        vm.prank(caller);
        (bool ok, bytes memory reason) = address(account).call(callData);
        vm.assertFalse(ok, "executed");
        vm.assertEq(reason, abi.encodeWithSelector(Account.AccountUnauthorized.selector, caller), "named");
        vm.assertEq(RECIPIENT.balance, 0, "moved");
    }

    // ---- 2: a field of the operation that the signatures do not cover

    function test_2_NoFieldMayChangeAfterSigning() public {
        PackedUserOperation memory op = _signed(_op(_call(RECIPIENT, 1, "")));
        uint256 before = vm.snapshotState();
        for (uint256 field = 0; field < 8; ++field) {
            PackedUserOperation memory changed = abi.decode(abi.encode(op), (PackedUserOperation));
            if (field == 0) changed.accountGasLimits = _pack(700_001, 150_000);
            if (field == 1) changed.accountGasLimits = _pack(700_000, 150_001);
            if (field == 2) changed.preVerificationGas += 1;
            if (field == 3) changed.gasFees = _pack(2, 1);
            if (field == 4) changed.gasFees = _pack(1, 2);
            if (field == 5) changed.callData = _call(RECIPIENT, 2, "");
            if (field == 6) changed.nonce = entryPoint.getNonce(address(account), 2);
            if (field == 7) changed.callData = "";
            _expectFailedOp("AA24 signature error");
            _handle(changed);
            vm.revertToState(before);
        }
        _handle(op);
        vm.assertEq(RECIPIENT.balance, 1, "unchanged, it passes");
    }

    // ---- 3: state changed in validation

    /// @dev What the account itself may pay is charged there and then to the day's limit; nothing else is written.
    function testFuzz_3_ValidationWritesTheLimitAtMost(bytes32 hash, bool good, bool sponsored) public {
        PackedUserOperation memory op = _op(_call(RECIPIENT, 1, ""));
        if (sponsored) op.paymasterAndData = abi.encodePacked(STRANGER, uint128(1), uint128(1));
        bytes32 signed = good ? hash : ~hash;
        uint32 day = sponsored ? 0 : _day();
        op.signature = _dual(day, 0, _serverSignature(SERVER, signed), _assertion(), signed);
        vm.record();
        vm.recordLogs();
        vm.assertEq(_validate(op, hash), good ? 0 : SIG_FAILED, "result");
        (bytes32[] memory reads, bytes32[] memory writes) = vm.accesses(address(account));
        vm.assertTrue(reads.length != 0, "recorded");
        bytes32 row = keccak256(abi.encode(address(0), uint256(AccountStorage.SLOT) + 28));
        for (uint256 i = 0; i < writes.length; ++i) vm.assertEq(writes[i], row, "the native limit");
        vm.assertTrue((writes.length == 0) == sponsored, "written");
        vm.assertEq(vm.getRecordedLogs().length, 0, "events");
    }

    // ---- 4: replay

    function test_4_NoReplayWithTheSameNonce() public {
        PackedUserOperation memory op = _signed(_op(_call(RECIPIENT, 1, "")));
        _handle(op);
        _expectFailedOp("AA25 invalid account nonce");
        _handle(op);
        vm.assertEq(RECIPIENT.balance, 1, "once");
    }

    function test_4_NoReplayOnAnotherChain() public {
        PackedUserOperation memory op = _signed(_op(_call(RECIPIENT, 1, "")));
        vm.chainId(1);
        _expectFailedOp("AA24 signature error");
        _handle(op);
    }

    function test_4_NoReplayOnAnotherAccountOfTheSameKeys() public {
        AccountInit memory init = _init();
        init.salt = 99;
        address twin = factory.createAccount(abi.encode(init));
        vm.deal(twin, 1 ether);
        PackedUserOperation memory op = _signed(_op(_call(RECIPIENT, 1, "")));
        op.sender = twin;
        _expectFailedOp("AA24 signature error");
        _handle(op);
    }

    function test_4_NoReplayThroughAnotherEntryPoint() public {
        PackedUserOperation memory op = _signed(_op(_call(RECIPIENT, 1, "")));
        entryPoint = _deployEntryPoint(7);
        // The account answers to its own EntryPoint only; the one of the other version does not take the signature.
        _expectFailedOp(
            "AA23 reverted", abi.encodeWithSelector(Account.AccountUnauthorized.selector, address(entryPoint))
        );
        _handle(op);
        factory = _newFactory();
        account = CommunityAccount(payable(factory.createAccount(abi.encode(_init()))));
        vm.deal(address(account), 1 ether);
        op.sender = address(account);
        _expectFailedOp("AA24 signature error");
        _handle(op);
    }

    // ---- 5: a way around validation

    function test_5_TheEntryPointReachesNothingButExecute() public {
        PackedUserOperation memory op = _op("");
        PackedUserOperation memory inner = _op("");
        bytes[3] memory others = [
            abi.encodeCall(account.validateUserOp, (inner, bytes32(0), 1 ether)),
            abi.encodeCall(IAccountExecute.executeUserOp, (inner, bytes32(0))),
            abi.encodeCall(CommunityAccount.initialize, (abi.encode(_init())))
        ];
        for (uint256 i = 0; i < others.length; ++i) {
            op.callData = others[i];
            op = _signed(op);
            bytes4 selector = bytes4(bytes32(others[i]));
            _expectFailedOp(
                "AA23 reverted", abi.encodeWithSelector(CommunityAccount.CallDataNotExecute.selector, selector)
            );
            _handle(op);
        }
    }

    function test_5_ABundleDoesNotLendItsSignatures() public {
        PackedUserOperation[] memory ops = new PackedUserOperation[](2);
        ops[0] = _signed(_op(_call(RECIPIENT, 1, "")));
        ops[1] = _op(_call(STRANGER, 1 ether, ""));
        ops[1].nonce += 1;
        ops[1].signature = ops[0].signature;
        vm.expectRevert(abi.encodeWithSignature("FailedOp(uint256,string)", 1, "AA24 signature error"));
        vm.prank(BENEFICIARY, BENEFICIARY);
        entryPoint.handleOps(ops, BENEFICIARY);
    }

    function test_5_ACallCannotComeBackThroughTheEntryPoint() public {
        Reentrant reentrant = new Reentrant();
        PackedUserOperation[] memory ops = new PackedUserOperation[](1);
        ops[0] = _op(_call(STRANGER, 1 ether, ""));
        ops[0].nonce += 1;
        ops[0] = _signed(ops[0]);
        reentrant.load(address(entryPoint), abi.encodeCall(entryPoint.handleOps, (ops, BENEFICIARY)));
        _handle(_signed(_op(_call(address(reentrant), 0, "go on"))));
        vm.assertTrue(reentrant.tried() && !reentrant.succeeded(), "tried in vain");
        reentrant.load(address(account), abi.encodeCall(IERC7821.execute, (BATCH, "")));
        _handle(_signed(_op(_call(address(reentrant), 0, "go on"))));
        vm.assertTrue(reentrant.tried() && !reentrant.succeeded(), "tried in vain at the account");
        vm.assertEq(STRANGER.balance, 0, "nothing moved");
    }

    // ---- 6: simulation unlike execution

    function testFuzz_6_TheResultDoesNotDependOnTheWorld(bytes32 seed, bool good) public {
        PackedUserOperation memory op = _op(_call(RECIPIENT, 1, ""));
        op.signature = good ? _dual(seed) : _dual(~seed);
        uint256 expected = good ? _today() : SIG_FAILED;
        uint256 state = vm.snapshotState();
        vm.prank(address(entryPoint));
        vm.assertEq(account.validateUserOp(op, seed, 0), expected, "before");
        vm.revertToState(state);
        vm.warp(uint64(uint256(seed)));
        vm.roll(uint32(uint256(seed) >> 64));
        vm.fee(uint32(uint256(seed) >> 96));
        vm.coinbase(address(uint160(uint256(seed))));
        vm.prevrandao(seed);
        vm.deal(address(account), 0);
        vm.chainId(uint32(uint256(seed) >> 128) | 1);
        vm.prank(address(entryPoint), address(uint160(uint256(seed) >> 96)));
        vm.assertEq(account.validateUserOp(op, seed, 0), expected, "elsewhere");
    }

    /// @dev Right, wrong or no signature at all: two SHA-256, one recovery, one P-256 verification, and nothing forbidden.
    function test_6_ValidationIsCleanAndComplete() public {
        bytes32 hash = entryPoint.getUserOpHash(_op(_call(RECIPIENT, 1, "")));
        _traced(hash, _dual(hash));
        _traced(hash, _dual(~hash));
        _traced(hash, _dummy());
        _traced(hash, "short");
        _traced(hash, "");
    }

    function _traced(bytes32 hash, bytes memory signature) private {
        PackedUserOperation memory op = _op(_call(RECIPIENT, 1, ""));
        op.signature = signature;
        vm.startDebugTraceRecording();
        vm.prank(address(entryPoint));
        account.validateUserOp(op, hash, 1);
        Vm.DebugStep[] memory steps = vm.stopAndReturnDebugTraceRecording();
        address[] memory own = new address[](2);
        (own[0], own[1]) = (address(account), factory.implementation());
        vm.assertEq(Opcodes.count(steps, own, Opcodes.STATICCALL), 4, "precompile calls");
        Opcodes.requireCleanValidation(steps, own);
    }

    function test_6_CreationUsesNoForbiddenOpcode() public {
        AccountInit memory init = _init();
        init.salt = 5;
        bytes memory initData = abi.encode(init);
        vm.startDebugTraceRecording();
        address made = factory.createAccount(initData);
        Vm.DebugStep[] memory steps = vm.stopAndReturnDebugTraceRecording();
        address[] memory own = new address[](3);
        (own[0], own[1], own[2]) = (address(factory), made, factory.implementation());
        vm.assertEq(Opcodes.count(steps, own, Opcodes.CREATE2), 1, "one CREATE2 (OP-031)");
        Opcodes.requireCleanValidation(steps, own);
    }
}

/// @dev Called by an operation, calls what it was loaded with.
contract Reentrant {
    address private target;
    bytes private data;
    bool public tried;
    bool public succeeded;

    function load(address target_, bytes calldata data_) external {
        (target, data, tried, succeeded) = (target_, data_, false, false);
    }

    fallback() external {
        (succeeded,) = target.call(data);
        tried = true;
    }
}
