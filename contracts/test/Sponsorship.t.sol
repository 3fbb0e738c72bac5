// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {Paymaster} from "@openzeppelin/contracts/account/paymaster/Paymaster.sol";
import {IEntryPoint, IPaymaster, PackedUserOperation} from "@openzeppelin/contracts/interfaces/IERC4337.sol";
import {CommunityPaymaster} from "../src/CommunityPaymaster.sol";
import {Opcodes} from "./support/Opcodes.sol";
import {SponsorFixture} from "./support/SponsorFixture.sol";
import {Vm} from "./support/Vm.sol";

/// @dev The paymaster alone: which sponsorships it honours, and who may change what.
contract SponsorshipTest is SponsorFixture {
    // ---- sponsorships

    function test_TheStructIsTheOneOfTheSpecification() public view {
        PackedUserOperation memory op = _sponsored(_op("call data"), 2000, 1000, SIGNER);
        op.initCode = "init code";
        op.nonce = 77;
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("CommunityPaymaster"),
                keccak256("1"),
                block.chainid,
                address(paymaster)
            )
        );
        bytes memory values = abi.encode(
            keccak256(
                "Sponsorship(address entryPoint,address sender,uint256 nonce,bytes32 initCodeHash,bytes32 callDataHash,bytes32 accountGasLimits,uint256 preVerificationGas,bytes32 gasFees,uint128 paymasterVerificationGasLimit,uint128 paymasterPostOpGasLimit,uint48 validUntil,uint48 validAfter)"
            ),
            address(entryPoint),
            address(account),
            77,
            keccak256("init code"),
            keccak256("call data"),
            op.accountGasLimits
        );
        values = abi.encodePacked(
            values, abi.encode(op.preVerificationGas, op.gasFees, PM_VERIFICATION, PM_POST_OP, 2000, 1000)
        );
        bytes32 digest = keccak256(abi.encodePacked(hex"1901", domain, keccak256(values)));
        vm.assertEq(paymaster.sponsorshipHash(op, 2000, 1000), digest, "digest");
    }

    function test_ASponsorshipIsHonouredForItsTime() public {
        PackedUserOperation memory op = _sponsored(_op(""), 2000, 1000, SIGNER);
        vm.assertEq(_ask(op), _data(true, 2000, 1000), "both times");
        vm.assertEq(op.paymasterAndData.length, 129, "length of the specification");
    }

    function testFuzz_TimesAreThoseThatWereSigned(uint48 validUntil, uint48 validAfter) public {
        vm.assume(validUntil != 0);
        vm.assertEq(_ask(_sponsored(_op(""), validUntil, validAfter, SIGNER)), _data(true, validUntil, validAfter), "times");
    }

    function test_ASponsorshipWithoutEndIsRefused() public {
        _refusedAs(
            _sponsored(_op(""), 0, 0, SIGNER), abi.encodeWithSelector(CommunityPaymaster.SponsorshipWithoutEnd.selector)
        );
    }

    function test_ForeignAndSpoiledSignaturesFailWithoutRevert() public {
        vm.assertEq(_ask(_sponsored(_op(""), 2000, 0, SIGNER + 1)), _data(false, 2000, 0), "foreign signer");
        vm.assertEq(_ask(_sponsored(_op(""), 2000, 0, OWNER)), _data(false, 2000, 0), "the owner is no signer");
        PackedUserOperation memory op = _sponsored(_op(""), 2000, 0, SIGNER);
        for (uint256 i = 64; i < 129; ++i) {
            op.paymasterAndData[i] ^= 0x01;
            vm.assertEq(_ask(op), _data(false, 2000, 0), "byte of the signature");
            op.paymasterAndData[i] ^= 0x01;
        }
        for (uint256 i = 64; i < 129; ++i) op.paymasterAndData[i] = 0;
        vm.assertEq(_ask(op), _data(false, 2000, 0), "zeros, while there is no previous signer");
    }

    function test_TheHighTwinIsRefused() public {
        PackedUserOperation memory op = _sponsored(_op(""), 2000, 0, SIGNER);
        bytes memory data = op.paymasterAndData;
        assembly ("memory-safe") {
            let place := add(data, 128)
            mstore(place, sub(0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141, mload(place)))
        }
        data[128] = bytes1(uint8(data[128]) ^ 7);
        vm.assertEq(_ask(op), _data(false, 2000, 0), "twin");
    }

    function testFuzz_GarbageSignaturesNeverRevert(bytes32 r, bytes32 s, uint8 v) public {
        PackedUserOperation memory op = _sponsored(_op(""), 2000, 0, SIGNER);
        op.paymasterAndData = _field(2000, 0, abi.encodePacked(r, s, v));
        vm.assertEq(_ask(op), _data(false, 2000, 0), "garbage");
    }

    function test_EveryFieldIsSigned() public {
        PackedUserOperation memory op = _sponsored(_op("call"), 2000, 1000, SIGNER);
        for (uint256 field = 0; field < 11; ++field) {
            PackedUserOperation memory changed = abi.decode(abi.encode(op), (PackedUserOperation));
            (uint48 validUntil, uint48 validAfter) = (2000, 1000);
            if (field == 0) changed.sender = STRANGER;
            if (field == 1) changed.nonce += 1;
            if (field == 2) changed.initCode = "x";
            if (field == 3) changed.callData = "x";
            if (field == 4) changed.accountGasLimits = _pack(700_000, 150_001);
            if (field == 5) changed.preVerificationGas += 1;
            if (field == 6) changed.gasFees = _pack(1, 2);
            if (field == 7) changed.paymasterAndData[35] ^= 0x01;
            if (field == 8) changed.paymasterAndData[51] ^= 0x01;
            if (field == 9) (changed.paymasterAndData[57], validUntil) = (bytes1(uint8(0xd1)), 2001);
            if (field == 10) (changed.paymasterAndData[63], validAfter) = (bytes1(uint8(0xe9)), 1001);
            vm.assertEq(_ask(changed), _data(false, validUntil, validAfter), "field");
        }
        vm.assertEq(_ask(op), _data(true, 2000, 1000), "unchanged");
    }

    function test_AnotherChainPaymasterOrEntryPointIsRefused() public {
        PackedUserOperation memory op = _sponsored(_op(""), 2000, 0, SIGNER);
        uint256 before = vm.snapshotState();
        vm.chainId(1);
        vm.assertEq(_ask(op), _data(false, 2000, 0), "chain");
        vm.revertToState(before);
        address signer = vm.addr(SIGNER);
        paymaster = new CommunityPaymaster(entryPoint, vm.addr(OWNER), TREASURY, signer);
        vm.assertEq(_ask(op), _data(false, 2000, 0), "paymaster");
        // The same address over another EntryPoint: only the struct's own field tells them apart.
        IEntryPoint other = _deployEntryPoint(15 - _entryPointVersion());
        CommunityPaymaster elsewhere = new CommunityPaymaster(other, vm.addr(OWNER), TREASURY, signer);
        op = _sponsored(_op(""), 2000, 0, SIGNER);
        vm.assertEq(_ask(op), _data(true, 2000, 0), "here");
        bytes memory code = address(elsewhere).code;
        vm.etch(address(paymaster), code);
        vm.prank(address(other));
        (, uint256 result) = paymaster.validatePaymasterUserOp(op, 0, 0);
        vm.assertEq(result, _data(false, 2000, 0), "EntryPoint");
    }

    function test_OtherLengthsAreRefusedByName() public {
        PackedUserOperation memory op = _sponsored(_op(""), 2000, 0, SIGNER);
        bytes memory good = op.paymasterAndData;
        op.paymasterAndData = abi.encodePacked(good, uint8(0));
        _refusedAs(op, abi.encodeWithSelector(CommunityPaymaster.PaymasterDataLength.selector, 130));
        op.paymasterAndData = abi.encodePacked(address(paymaster), PM_VERIFICATION, PM_POST_OP);
        _refusedAs(op, abi.encodeWithSelector(CommunityPaymaster.PaymasterDataLength.selector, 52));
    }

    function test_OnlyTheEntryPointMayAsk() public {
        PackedUserOperation memory op = _sponsored(_op(""), 2000, 0, SIGNER);
        vm.expectRevert(abi.encodeWithSelector(Paymaster.PaymasterUnauthorized.selector, address(this)));
        paymaster.validatePaymasterUserOp(op, 0, 0);
        vm.expectRevert(abi.encodeWithSelector(Paymaster.PaymasterUnauthorized.selector, address(this)));
        paymaster.postOp(IPaymaster.PostOpMode.opSucceeded, "", 0, 0);
    }

    function test_ValidationHasNoContextNoWriteAndNoForbiddenOpcode() public {
        PackedUserOperation memory op = _sponsored(_op(_call(RECIPIENT, 1, "")), 2000, 0, SIGNER);
        vm.record();
        vm.startDebugTraceRecording();
        vm.prank(address(entryPoint));
        (bytes memory context,) = paymaster.validatePaymasterUserOp(op, 0, 0);
        Vm.DebugStep[] memory steps = vm.stopAndReturnDebugTraceRecording();
        (bytes32[] memory reads, bytes32[] memory writes) = vm.accesses(address(paymaster));
        vm.assertEq(context.length, 0, "context");
        vm.assertTrue(reads.length >= 2 && writes.length == 0, "reads both signers, writes nothing");
        address[] memory own = new address[](1);
        own[0] = address(paymaster);
        vm.assertEq(Opcodes.count(steps, own, Opcodes.STATICCALL), 1, "one recovery");
        Opcodes.requireCleanValidation(steps, own);
    }

    function test_AWrongSignatureCostsWhatARightOneCosts() public {
        _gasOf(SIGNER);
        uint256 gas = _gasOf(SIGNER);
        vm.assertApproxEqAbs(_gasOf(SIGNER + 1), gas, 40, "foreign signer");
    }

    // ---- signers and owner

    function test_DuringTheOverlapBothSignersCount() public {
        vm.warp(1_000_000);
        vm.expectEmit(true, true, true, true, address(paymaster));
        emit CommunityPaymaster.SignerRotated(vm.addr(SIGNER + 1), vm.addr(SIGNER), 1_000_600);
        _rotate(SIGNER + 1, 600);
        vm.assertEq(_ask(_sponsored(_op(""), 1_000_100, 5, SIGNER)), _data(true, 1_000_100, 5), "old, ends before");
        vm.assertEq(_ask(_sponsored(_op(""), 2_000_000, 5, SIGNER)), _data(true, 1_000_600, 5), "old, cut to the overlap");
        vm.assertEq(_ask(_sponsored(_op(""), 2_000_000, 5, SIGNER + 1)), _data(true, 2_000_000, 5), "new");
        vm.assertEq(_ask(_sponsored(_op(""), 2_000_000, 5, SIGNER + 2)), _data(false, 2_000_000, 5), "foreign");
    }

    function test_ASecondRotationForgetsTheFirstSigner() public {
        _rotate(SIGNER + 1, 600);
        _rotate(SIGNER + 2, 600);
        vm.assertEq(_ask(_sponsored(_op(""), 2000, 0, SIGNER)), _data(false, 2000, 0), "first");
        vm.assertEq(paymaster.previousSigner(), vm.addr(SIGNER + 1), "second");
    }

    function test_WithoutOverlapTheOldSignerEndsAtOnce() public {
        _rotate(SIGNER + 1, 0);
        vm.assertEq(_ask(_sponsored(_op(""), 2000, 0, SIGNER)), _data(false, 2000, 0), "ended");
        vm.assertEq(paymaster.previousSigner(), address(0), "forgotten");
    }

    function test_TheOverlapCanBeEndedEarly() public {
        _rotate(SIGNER + 1, 600);
        vm.expectEmit(true, true, true, true, address(paymaster));
        emit CommunityPaymaster.PreviousSignerRevoked(vm.addr(SIGNER));
        vm.prank(vm.addr(OWNER));
        paymaster.revokePreviousSigner();
        vm.assertEq(_ask(_sponsored(_op(""), 2000, 0, SIGNER)), _data(false, 2000, 0), "ended");
        vm.assertEq(paymaster.previousSignerUntil(), 0, "time");
    }

    function test_RotationRefusesByName() public {
        address signer = vm.addr(SIGNER);
        vm.expectRevert(abi.encodeWithSelector(CommunityPaymaster.ZeroAddress.selector));
        vm.prank(vm.addr(OWNER));
        paymaster.rotateSigner(address(0), 0);
        vm.expectRevert(abi.encodeWithSelector(CommunityPaymaster.SignerUnchanged.selector, signer));
        vm.prank(vm.addr(OWNER));
        paymaster.rotateSigner(signer, 0);
        vm.expectRevert(abi.encodeWithSelector(CommunityPaymaster.OverlapTooLong.selector, 7 days + 1));
        vm.prank(vm.addr(OWNER));
        paymaster.rotateSigner(STRANGER, 7 days + 1);
        _rotate(SIGNER + 1, 7 days);
    }

    function test_OwnerFunctionsAreTheOwners() public {
        bytes[7] memory calls = [
            abi.encodeCall(paymaster.rotateSigner, (STRANGER, 0)),
            abi.encodeCall(paymaster.revokePreviousSigner, ()),
            abi.encodeCall(paymaster.addStake, (1 days)),
            abi.encodeCall(paymaster.unlockStake, ()),
            abi.encodeCall(paymaster.withdrawStake, ()),
            abi.encodeCall(paymaster.withdrawDeposit, (1)),
            abi.encodeCall(paymaster.renounceOwnership, ())
        ];
        address[3] memory callers = [STRANGER, vm.addr(SIGNER), TREASURY];
        for (uint256 i = 0; i < calls.length; ++i) {
            address caller = callers[i % 3];
            vm.prank(caller);
            (bool ok, bytes memory reason) = address(paymaster).call(calls[i]);
            vm.assertFalse(ok, "refused");
            vm.assertEq(reason, abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, caller), "named");
        }
        _asOwner(calls[6], abi.encodeWithSelector(CommunityPaymaster.OwnerIsNeeded.selector));
    }

    function test_OwnershipMovesInTwoSteps() public {
        _asOwner(abi.encodeCall(paymaster.transferOwnership, (STRANGER)), "");
        vm.assertEq(paymaster.owner(), vm.addr(OWNER), "not yet");
        vm.prank(STRANGER);
        paymaster.acceptOwnership();
        vm.assertEq(paymaster.owner(), STRANGER, "accepted");
    }

    function test_DeploymentRefusesByName() public {
        address signer = vm.addr(SIGNER);
        vm.expectRevert(abi.encodeWithSelector(CommunityPaymaster.ZeroAddress.selector));
        new CommunityPaymaster(entryPoint, STRANGER, payable(0), signer);
        vm.expectRevert(abi.encodeWithSelector(CommunityPaymaster.ZeroAddress.selector));
        new CommunityPaymaster(entryPoint, STRANGER, TREASURY, address(0));
        vm.expectRevert(abi.encodeWithSelector(CommunityPaymaster.EntryPointWithoutCode.selector, STRANGER));
        new CommunityPaymaster(IEntryPoint(STRANGER), STRANGER, TREASURY, signer);
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableInvalidOwner.selector, address(0)));
        new CommunityPaymaster(entryPoint, address(0), TREASURY, signer);
    }

    // ---- helpers

    function _ask(PackedUserOperation memory op) private returns (uint256 result) {
        vm.prank(address(entryPoint));
        (, result) = paymaster.validatePaymasterUserOp(op, 0, 0);
    }

    /// @dev Own packing: aggregator or failure in the low 20 bytes, then validUntil, then validAfter (ERC-4337).
    function _data(bool valid, uint256 validUntil, uint256 validAfter) private pure returns (uint256) {
        return (valid ? 0 : SIG_FAILED) | (validUntil << 160) | (validAfter << 208);
    }

    function _refusedAs(PackedUserOperation memory op, bytes memory reason) private {
        vm.prank(address(entryPoint));
        vm.expectRevert(reason);
        paymaster.validatePaymasterUserOp(op, 0, 0);
    }

    function _gasOf(uint256 key) private returns (uint256) {
        return this.measure(_sponsored(_op(""), 2000, 0, key));
    }

    function measure(PackedUserOperation calldata op) external returns (uint256 gas) {
        vm.prank(address(entryPoint));
        gas = gasleft();
        paymaster.validatePaymasterUserOp(op, 0, 0);
        gas -= gasleft();
    }
}
