// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {PackedUserOperation} from "@openzeppelin/contracts/interfaces/IERC4337.sol";
import {AccountBase} from "../src/account/AccountBase.sol";
import {Sessions} from "../src/account/Sessions.sol";
import {Spending} from "../src/account/Spending.sol";
import {Call, Grant, QueueKind, Signature, Stamp} from "../src/lib/AccountTypes.sol";
import {CallBatch} from "../src/lib/CallBatch.sol";
import {ReaderErrors} from "../src/lib/ReaderErrors.sol";
import {Opcodes} from "./support/Opcodes.sol";
import {Vm} from "./support/Vm.sol";
import {VoteFixture} from "./support/VoteFixture.sol";

/// @dev What an application offers to a session.
contract Game {
    uint256 public moves;

    function move(uint256) external payable {
        ++moves;
    }

    function leave() external payable {
        ++moves;
    }

    /// @dev Passes a call on; for what happens in the same bundle.
    function relay(address to, bytes calldata data) external {
        (bool ok,) = to.call(data);
        require(ok);
    }
}

/// @dev Session grants: each field, in creation, validation and execution.
contract SessionsTest is VoteFixture {
    Game private game;
    Grant private grant;

    function setUp() public override {
        super.setUp();
        game = new Game();
        grant.target = address(game);
        grant.selectors.push(Game.move.selector);
        grant.selectors.push(Game.leave.selector);
        if (grant.selectors[0] > grant.selectors[1]) {
            (grant.selectors[0], grant.selectors[1]) = (grant.selectors[1], grant.selectors[0]);
        }
        grant.valuePerCall = 10;
        grant.valueTotal = 25;
        grant.validAfter = uint48(_now());
        grant.validUntil = uint48(_now() + 2 hours);
        grant.paymaster = address(paymaster);
    }

    // ---- a session

    function test_TheServerAlonePlaysWithinTheGrant() public {
        _create();
        _skip(1);
        PackedUserOperation memory op = _session(_move(10));
        _handle(op);
        vm.assertTrue(game.moves() == 1 && address(game).balance == 10, "moved");
        (bool live, uint256 left) = account.grantState(_id());
        vm.assertTrue(live && left == 15, "left");
        (, uint256 spent,) = account.spendingLimit(address(0));
        vm.assertEq(spent, 10, "counted against the day");
    }

    function test_AFunctionWithoutArgumentsIsFourBytes() public {
        _create();
        _skip(1);
        Call[] memory calls = new Call[](1);
        calls[0] = Call(address(game), 0, abi.encodeCall(Game.leave, ()));
        _handle(_session(calls));
        vm.assertEq(game.moves(), 1, "left");
    }

    function test_TheGrantIsTold() public {
        bytes memory call = abi.encodeCall(Sessions.createGrant, (grant));
        vm.expectEmit(true, true, true, true, address(account));
        emit Sessions.GrantCreated(_id(), call);
        _execute(address(account), 0, call);
        vm.assertEq(account.grantId(grant), _id(), "id");
    }

    function test_ValidationReturnsTheGrantsTimes() public {
        _create();
        PackedUserOperation memory op = _sessionOp(_move(1));
        op.signature = _sessionSignature(SERVER, "h");
        uint256 expected = (uint256(grant.validAfter) << 208) | (uint256(grant.validUntil) << 160);
        vm.assertEq(_validate(op, "h"), expected, "times");
        _freeze(SERVER_SIGNER);
        (uint48 until,) = account.frozen();
        vm.assertEq(
            _validate(op, "h"), (uint256(until) << 208) | (uint256(grant.validUntil) << 160), "the server's freeze"
        );
        _freeze(0);
        _validationRefused(op, abi.encodeWithSelector(AccountBase.AccountFrozen.selector));
    }

    // ---- creation

    function test_EachFieldOfAGrant() public {
        address[3] memory targets = [address(0), address(account), address(entryPoint)];
        for (uint256 i = 0; i < 3; ++i) {
            grant.target = targets[i];
            _createRefused(abi.encodeWithSelector(ReaderErrors.GrantTargetRefused.selector, targets[i]));
        }
        grant.target = address(game);
        grant.paymaster = address(0);
        _createRefused(abi.encodeWithSelector(ReaderErrors.GrantWithoutPaymaster.selector));
        grant.paymaster = address(paymaster);
        uint48 time = uint48(_now());
        _timesRefused(time, time + 2 hours + 1);
        _timesRefused(time + 1 hours, time + 1 hours);
        _timesRefused(time - 2 hours, time);
        (grant.validAfter, grant.validUntil) = (0, time + 2 hours);
        _create();
    }

    function test_SelectorsAscendAndAreFew() public {
        bytes4[] memory selectors = new bytes4[](0);
        _selectorsRefused(selectors, abi.encodeWithSelector(ReaderErrors.GrantSelectorCount.selector, 0));
        selectors = new bytes4[](9);
        for (uint32 i = 0; i < 9; ++i) selectors[i] = bytes4(i + 1);
        _selectorsRefused(selectors, abi.encodeWithSelector(ReaderErrors.GrantSelectorCount.selector, 9));
        selectors = new bytes4[](2);
        _selectorsRefused(selectors, abi.encodeWithSelector(ReaderErrors.GrantSelectorsNotAscending.selector, 0));
        (selectors[0], selectors[1]) = (bytes4(uint32(2)), bytes4(uint32(2)));
        _selectorsRefused(selectors, abi.encodeWithSelector(ReaderErrors.GrantSelectorsNotAscending.selector, 1));
        // transfer, approve, permit, setApprovalForAll, and two that run several calls in one.
        bytes4[6] memory token = [bytes4(0xa9059cbb), 0x095ea7b3, 0xd505accf, 0xa22cb465, 0xac9650d8, 0x5ae401dc];
        selectors = new bytes4[](1);
        for (uint256 i = 0; i < 6; ++i) {
            selectors[0] = token[i];
            _selectorsRefused(selectors, abi.encodeWithSelector(ReaderErrors.GrantSelectorRefused.selector, token[i]));
        }
        selectors = new bytes4[](8);
        for (uint32 i = 0; i < 8; ++i) selectors[i] = bytes4(i + 1);
        grant.selectors = selectors;
        _create();
    }

    function test_AGrantIsAcceptedOnce() public {
        _create();
        _createRefused(abi.encodeWithSelector(Sessions.GrantUsed.selector, _id()));
        _revoke(0);
        _createRefused(abi.encodeWithSelector(Sessions.GrantUsed.selector, _id()));
        grant.salt = 1;
        _create();
    }

    // ---- validation

    function test_OnlyLiveGrants() public {
        PackedUserOperation memory op = _sessionOp(_move(1));
        _validationRefused(op, abi.encodeWithSelector(Sessions.GrantNotLive.selector, _id()));
        _create();
        bytes32 id = _id();
        grant.valueTotal += 1;
        _validationRefused(_sessionOp(_move(1)), abi.encodeWithSelector(Sessions.GrantNotLive.selector, _id()));
        grant.valueTotal -= 1;
        _revoke(SERVER_SIGNER);
        (bool live,) = account.grantState(id);
        vm.assertFalse(live, "revoked");
        _validationRefused(op, abi.encodeWithSelector(Sessions.GrantNotLive.selector, id));
    }

    function test_AnEpochEndsGrants() public {
        _create();
        bytes32 id = _id();
        _nextEpoch();
        (bool live,) = account.grantState(id);
        vm.assertFalse(live, "over");
        _validationRefused(_sessionOp(_move(1)), abi.encodeWithSelector(Sessions.GrantNotLive.selector, _id()));
    }

    function test_AnyVoteOrTheServerRevokes() public {
        uint8[3] memory signers = [0, ESCAPE_SIGNER, SERVER_SIGNER];
        for (uint256 i = 0; i < 3; ++i) {
            grant.salt = i;
            _create();
            vm.expectEmit(true, true, true, true, address(account));
            emit Sessions.GrantRevoked(_id());
            _revoke(signers[i]);
        }
        Stamp memory stamp = _stamp();
        Signature[] memory one = _signatures(0, _digest("RevokeGrant(bytes32 grantId,", abi.encode(_id()), stamp));
        bytes32 id = _id();
        vm.expectRevert(abi.encodeWithSelector(Sessions.GrantNotLive.selector, id));
        account.revokeGrant(id, stamp, one);
    }

    /// @dev Otherwise the server could burn the account's ether as gas, alone.
    function test_OnlyTheGrantsPaymasterPays() public {
        _create();
        PackedUserOperation memory op = _sessionOp(_move(1));
        op.paymasterAndData = "";
        _validationRefused(op, abi.encodeWithSelector(Sessions.GrantForeignPaymaster.selector, address(0)));
        op.paymasterAndData = abi.encodePacked(bytes19(bytes20(address(paymaster))));
        _validationRefused(op, abi.encodeWithSelector(Sessions.GrantForeignPaymaster.selector, address(0)));
        op.paymasterAndData = abi.encodePacked(address(0), uint128(1), uint128(1));
        _validationRefused(op, abi.encodeWithSelector(Sessions.GrantForeignPaymaster.selector, address(0)));
        op.paymasterAndData = abi.encodePacked(STRANGER, uint128(1), uint128(1));
        _validationRefused(op, abi.encodeWithSelector(Sessions.GrantForeignPaymaster.selector, STRANGER));
    }

    function test_EachCallIsChecked() public {
        _create();
        Call[] memory calls = new Call[](2);
        (calls[0], calls[1]) = (_move(1)[0], _move(1)[0]);
        calls[1].to = RECIPIENT;
        _callsRefused(calls, abi.encodeWithSelector(ReaderErrors.GrantForeignTarget.selector, 1, RECIPIENT));
        calls[1].to = address(game);
        calls[1].data = abi.encodeCall(Game.relay, (RECIPIENT, ""));
        _callsRefused(
            calls, abi.encodeWithSelector(ReaderErrors.GrantForeignSelector.selector, 1, Game.relay.selector)
        );
        calls[1].data = "";
        _callsRefused(calls, abi.encodeWithSelector(ReaderErrors.GrantForeignSelector.selector, 1, bytes4(0)));
        calls[1] = _move(11)[0];
        _callsRefused(calls, abi.encodeWithSelector(ReaderErrors.GrantValueOverCall.selector, 1, 11));
        calls = new Call[](3);
        for (uint256 i = 0; i < 3; ++i) calls[i] = _move(i < 2 ? 10 : 6)[0];
        _callsRefused(calls, abi.encodeWithSelector(Sessions.GrantValueOverTotal.selector, 26, 25));
        _callsRefused(new Call[](0), abi.encodeWithSelector(CallBatch.CallCountOutOfRange.selector, 0));
    }

    /// @dev Three bytes that would be the selector if zeros followed.
    function test_AShortSelectorIsNone() public {
        bytes4[] memory selectors = new bytes4[](1);
        selectors[0] = 0x11223300;
        grant.selectors = selectors;
        _create();
        Call[] memory calls = _move(0);
        calls[0].data = hex"112233";
        _callsRefused(calls, abi.encodeWithSelector(ReaderErrors.GrantForeignSelector.selector, 0, selectors[0]));
    }

    /// @dev A live grant where the account hashes it, and another one where the ABI decoder would find it.
    function test_AGrantHasOnePlace() public {
        _create();
        Grant memory fake = grant;
        fake.target = RECIPIENT;
        Call[] memory calls = _move(1);
        calls[0].to = RECIPIENT;
        bytes memory live = _tail(abi.encode(grant));
        bytes memory other = _tail(abi.encode(fake));
        bytes memory batch = abi.encode(calls);
        bytes memory callData = abi.encodePacked(
            Sessions.executeSession.selector,
            uint256(64 + live.length),
            uint256(64 + live.length + other.length),
            live,
            other,
            batch.length,
            batch
        );
        PackedUserOperation memory op = _sessionOp(calls);
        op.callData = callData;
        _validationRefused(op, abi.encodeWithSelector(ReaderErrors.SessionCallMalformed.selector));
        vm.prank(address(entryPoint));
        (bool ok, bytes memory reason) = address(account).call(callData);
        vm.assertTrue(!ok && bytes4(reason) == Sessions.GrantNotLive.selector, "nor executed");
    }

    /// @dev Sessions are not looked into, except on a listed token: there a call must be harmless or is over the limit.
    function test_AListedTokenKeepsItsLimitInASession() public {
        _create();
        _list(address(game), 1000);
        grant.salt = 3;
        (grant.validAfter, grant.validUntil) = (uint48(_now()), uint48(_now() + 1 hours));
        _create();
        _sessionExecutionRefused(
            _move(0), abi.encodeWithSelector(Spending.UncountedTokenCall.selector, address(game), Game.move.selector)
        );
    }

    function test_OnlyTheServerKeySigns() public {
        _create();
        PackedUserOperation memory op = _sessionOp(_move(1));
        uint256[3] memory others = [uint256(ESCAPE), SERVER + 1, PASSKEY];
        for (uint256 i = 0; i < 3; ++i) {
            op.signature = _sessionSignature(others[i], "h");
            vm.assertEq(_validate(op, "h"), SIG_FAILED, "foreign key");
        }
        op.signature = _sessionSignature(SERVER, "other");
        vm.assertEq(_validate(op, "h"), SIG_FAILED, "other hash");
        bytes memory good = _sessionSignature(SERVER, "h");
        op.signature = bytes.concat(good, hex"00");
        vm.assertEq(_validate(op, "h"), SIG_FAILED, "longer");
        for (uint256 kind = 0; kind < 256; ++kind) {
            op.signature = good;
            op.signature[0] = bytes1(uint8(kind));
            vm.assertTrue((_validate(op, "h") == SIG_FAILED) == (kind != 2), "kind");
        }
        op.signature = "";
        vm.assertEq(_validate(op, "h"), SIG_FAILED, "none");
    }

    function test_NeitherSignatureServesTheOthersCallData() public {
        _create();
        PackedUserOperation memory op = _sessionOp(_move(1));
        op.signature = _dual(0, 0, _serverSignature(SERVER, "h"), _assertion(), "h");
        vm.assertEq(_validate(op, "h"), SIG_FAILED, "dual for a session");
        op.callData = _call(RECIPIENT, 1, "");
        op.signature = _sessionSignature(SERVER, "h");
        vm.assertEq(_validate(op, "h"), SIG_FAILED, "session for execute");
        op.callData = "";
        vm.assertEq(_validate(op, "h"), SIG_FAILED, "session for nothing");
    }

    function test_ARefusalCostsWhatAcceptanceCosts() public {
        _create();
        PackedUserOperation memory op = _sessionOp(_move(1));
        op.signature = _sessionSignature(SERVER, "h");
        this.measure(op);
        uint256 gas = this.measure(op);
        op.signature = _sessionSignature(ESCAPE, "h");
        vm.assertApproxEqAbs(this.measure(op), gas, 16, "wrong key");
        op.signature = abi.encodePacked(uint8(2), N_K1 / 3, N_K1 / 3, uint8(27));
        vm.assertApproxEqAbs(this.measure(op), gas, 16, "dummy");
    }

    /// @dev One recovery and one question to the reader, in every case, and nothing forbidden (ERC-7562).
    function test_ValidationIsCleanAndComplete() public {
        _create();
        PackedUserOperation memory op = _sessionOp(_move(1));
        bytes[3] memory signatures = [_sessionSignature(SERVER, "h"), _sessionSignature(ESCAPE, "h"), bytes("short")];
        for (uint256 i = 0; i < 3; ++i) {
            op.signature = signatures[i];
            this.trace(op);
        }
    }

    // ---- execution

    function test_RevokedInTheSameBundle() public {
        _create();
        _skip(1);
        Stamp memory stamp = _stamp();
        bytes memory revoke = abi.encodeCall(
            Sessions.revokeGrant,
            (_id(), stamp, _signatures(0, _digest("RevokeGrant(bytes32 grantId,", abi.encode(_id()), stamp)))
        );
        PackedUserOperation[] memory ops = new PackedUserOperation[](2);
        ops[0] = _signed(_op(_call(address(game), 0, abi.encodeCall(Game.relay, (address(account), revoke)))));
        ops[1] = _sessionOp(_move(1));
        ops[1].nonce += 1;
        ops[1] = _sponsored(ops[1], uint48(_now() + 600), 0, SIGNER);
        ops[1].signature = _sessionSignature(SERVER, entryPoint.getUserOpHash(ops[1]));
        vm.prank(BENEFICIARY, BENEFICIARY);
        entryPoint.handleOps(ops, BENEFICIARY);
        vm.assertEq(game.moves(), 0, "validated, not executed");
        _sessionExecutionRefused(_move(1), abi.encodeWithSelector(Sessions.GrantNotLive.selector, _id()));
    }

    /// @dev Both were validated against the same remainder.
    function test_TheTotalHoldsWithinABundle() public {
        _create();
        _executeSession(_move(10));
        _executeSession(_move(10));
        _sessionExecutionRefused(_move(6), abi.encodeWithSelector(Sessions.GrantValueOverTotal.selector, 6, 5));
        _executeSession(_move(4));
        _executeSession(_move(1));
        _sessionExecutionRefused(_move(1), abi.encodeWithSelector(Sessions.GrantValueOverTotal.selector, 1, 0));
        _executeSession(_move(0));
        vm.assertEq(game.moves(), 5, "moves");
    }

    function test_ExecutionLooksAtTheFreeze() public {
        _create();
        _freeze(0);
        _sessionExecutionRefused(_move(1), abi.encodeWithSelector(AccountBase.AccountFrozen.selector));
    }

    function test_OnlyTheEntryPointExecutes() public {
        _create();
        bytes memory data = abi.encode(_move(1));
        vm.prank(STRANGER);
        vm.expectRevert(abi.encodeWithSignature("AccountUnauthorized(address)", STRANGER));
        account.executeSession(grant, data);
    }

    function test_SessionCallsCountAgainstTheDay() public {
        grant.valuePerCall = uint128(DAY_LIMIT);
        grant.valueTotal = uint128(2 * DAY_LIMIT);
        vm.deal(address(account), 100 ether);
        _create();
        _execute(RECIPIENT, DAY_LIMIT - 5, "");
        _sessionExecutionRefused(_move(6), abi.encodeWithSelector(Spending.OverLimit.selector, address(0), 6, 5));
        _executeSession(_move(5));
    }

    function test_StrictModeAsksForTheAllowList() public {
        _beStrict();
        grant.validAfter = uint48(_now());
        _create();
        bytes4 selector = Game.move.selector;
        _sessionExecutionRefused(
            _move(0), abi.encodeWithSelector(Spending.CallNotAllowed.selector, address(game), selector)
        );
        _pass(QueueKind.AllowedCall, abi.encode(address(game), selector));
        _executeSession(_move(0));
    }

    // ---- inside

    function trace(PackedUserOperation calldata op) external {
        address[] memory own = new address[](3);
        (own[0], own[1], own[2]) = (address(account), factory.implementation(), account.reader());
        vm.startDebugTraceRecording();
        vm.prank(address(entryPoint));
        account.validateUserOp(op, "h", 0);
        Vm.DebugStep[] memory steps = vm.stopAndReturnDebugTraceRecording();
        vm.assertEq(Opcodes.count(steps, own, Opcodes.STATICCALL), 2, "calls");
        vm.assertEq(Opcodes.count(steps, own, 0x42), 0, "TIMESTAMP");
        Opcodes.requireCleanValidation(steps, own);
    }

    function measure(PackedUserOperation calldata op) external returns (uint256 gas) {
        vm.prank(address(entryPoint));
        gas = gasleft();
        account.validateUserOp(op, "h", 0);
        gas -= gasleft();
    }

    function _id() private view returns (bytes32) {
        (,, uint32 epoch,) = account.keys();
        return keccak256(abi.encode(block.chainid, address(account), epoch, grant));
    }

    function _create() private {
        _execute(address(account), 0, abi.encodeCall(Sessions.createGrant, (grant)));
    }

    function _createRefused(bytes memory reason) private {
        _executeExpecting(address(account), 0, abi.encodeCall(Sessions.createGrant, (grant)), reason);
    }

    function _timesRefused(uint48 validAfter, uint48 validUntil) private {
        (grant.validAfter, grant.validUntil) = (validAfter, validUntil);
        _createRefused(abi.encodeWithSelector(ReaderErrors.GrantTimesRefused.selector, validAfter, validUntil));
    }

    function _selectorsRefused(bytes4[] memory selectors, bytes memory reason) private {
        grant.selectors = selectors;
        _createRefused(reason);
    }

    function _revoke(uint8 signer) private {
        Stamp memory stamp = _stamp();
        bytes32 digest = _digest("RevokeGrant(bytes32 grantId,", abi.encode(_id()), stamp);
        account.revokeGrant(_id(), stamp, _signatures(signer, digest));
    }

    /// @dev Without the offset in front.
    function _tail(bytes memory encoded) private pure returns (bytes memory rest) {
        rest = new bytes(encoded.length - 32);
        for (uint256 i = 0; i < rest.length; ++i) rest[i] = encoded[32 + i];
    }

    function _move(uint256 value) private view returns (Call[] memory calls) {
        calls = new Call[](1);
        calls[0] = Call(address(game), value, abi.encodeCall(Game.move, (1)));
    }

    /// @dev With a paymaster field that names the grant's; validation alone looks no further.
    function _sessionOp(Call[] memory calls) private view returns (PackedUserOperation memory op) {
        op = _op(abi.encodeCall(Sessions.executeSession, (grant, abi.encode(calls))));
        op.paymasterAndData = abi.encodePacked(address(paymaster), uint128(1), uint128(1));
    }

    function _session(Call[] memory calls) private view returns (PackedUserOperation memory op) {
        op = _sponsored(_sessionOp(calls), uint48(_now() + 600), 0, SIGNER);
        op.signature = _sessionSignature(SERVER, entryPoint.getUserOpHash(op));
    }

    function _sessionSignature(uint256 key, bytes32 hash) private pure returns (bytes memory) {
        return abi.encodePacked(uint8(2), _serverSignature(key, hash));
    }

    function _callsRefused(Call[] memory calls, bytes memory reason) private {
        _validationRefused(_sessionOp(calls), reason);
    }

    function _validationRefused(PackedUserOperation memory op, bytes memory reason) private {
        op.signature = _sessionSignature(SERVER, "h");
        vm.prank(address(entryPoint));
        vm.expectRevert(reason);
        account.validateUserOp(op, "h", 0);
    }

    function _executeSession(Call[] memory calls) private {
        Grant memory current = grant;
        vm.prank(address(entryPoint));
        account.executeSession(current, abi.encode(calls));
    }

    function _sessionExecutionRefused(Call[] memory calls, bytes memory reason) private {
        Grant memory current = grant;
        bytes memory data = abi.encode(calls);
        vm.prank(address(entryPoint));
        vm.expectRevert(reason);
        account.executeSession(current, data);
    }
}
