// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {PackedUserOperation} from "@openzeppelin/contracts/interfaces/IERC4337.sol";
import {Spending} from "../src/account/Spending.sol";
import {CommunityAccount} from "../src/CommunityAccount.sol";
import {AccountInit, Call, GasCap, QueueKind, Signature, SpendingLimit, Stamp} from "../src/lib/AccountTypes.sol";
import {ReaderErrors} from "../src/lib/ReaderErrors.sol";
import {VoteFixture} from "./support/VoteFixture.sol";
import {TestCollectible, TestToken} from "./support/TestTokens.sol";

/// @dev A contract with functions of every kind a limit must see through; says with how much gas it was called.
contract Anything {
    uint256 public gas;
    uint256 public calls;

    fallback() external payable {
        gas = gasleft();
        ++calls;
    }
}

contract Bomb {
    fallback() external {
        assembly {
            revert(0, 1000000)
        }
    }
}

/// @dev Takes a part of every transfer.
contract FeeToken is TestToken {
    function _update(address from, address to, uint256 value) internal override {
        super._update(from, to, value);
        if (from != address(0) && value > 10) super._update(to, address(0xfee), value / 10);
    }
}

/// @dev Daily limits, native and per token, each way around them, and gas paid by the account.
contract LimitsTest is VoteFixture {
    TestToken private token;
    Anything private anything;

    function setUp() public override {
        super.setUp();
        token = new FeeToken();
        anything = new Anything();
        token.mint(address(account), 1_000_000);
        vm.deal(address(account), 100 ether);
    }

    // ---- native currency

    function test_ADayHasItsLimitAndTheNextDayAnother() public {
        _startOfDay();
        _execute(RECIPIENT, 15 ether, "");
        _refused(RECIPIENT, 6 ether, "", _over(address(0), 6 ether, 5 ether));
        _execute(RECIPIENT, 5 ether, "");
        _refused(RECIPIENT, 1, "", _over(address(0), 1, 0));
        _skip(1 days - 1);
        _refused(RECIPIENT, 1, "", _over(address(0), 1, 0));
        _skip(1);
        _execute(RECIPIENT, 20 ether, "");
        (uint256 perDay, uint256 spent, uint256 day) = account.spendingLimit(address(0));
        vm.assertTrue(perDay == DAY_LIMIT && spent == 20 ether && day == _day(), "row");
    }

    function test_TheCallsOfABatchAddUp() public {
        Call[] memory calls = new Call[](3);
        (calls[0], calls[1]) = (Call(RECIPIENT, 15 ether, ""), Call(address(anything), 4 ether, "data"));
        calls[2] = Call(STRANGER, 1 ether + 1, "");
        vm.prank(address(entryPoint));
        vm.expectRevert(_over(address(0), 1 ether + 1, 1 ether));
        account.execute(BATCH, abi.encode(calls));
        calls[2].value -= 1;
        _execute(calls);
    }

    function test_AFailingBatchChargesNothing() public {
        Call[] memory calls = new Call[](2);
        calls[0] = Call(RECIPIENT, 10 ether, "");
        calls[1] = Call(address(token), 0, abi.encodeWithSignature("nothing()"));
        _list(address(token), 100);
        vm.prank(address(entryPoint));
        vm.expectRevert(
            abi.encodeWithSelector(
                Spending.UncountedTokenCall.selector, address(token), bytes4(keccak256("nothing()"))
            )
        );
        account.execute(BATCH, abi.encode(calls));
        (, uint256 spent,) = account.spendingLimit(address(0));
        vm.assertEq(spent, 0, "spent");
    }

    // ---- gas

    function test_GasIsChargedToTheDay() public {
        PackedUserOperation memory op = _op("");
        _handle(_signed(op));
        (, uint256 spent, uint256 day) = account.spendingLimit(address(0));
        vm.assertTrue(spent == 900_000 && day == _day(), "the largest cost");
        _execute(RECIPIENT, 1 ether, "");
        (, spent,) = account.spendingLimit(address(0));
        vm.assertEq(spent, 1 ether + 900_000, "beside what was sent");
    }

    function test_ASponsoredOperationChargesNoGas() public {
        _handle(_signed(_sponsored(_op(""), uint48(_now() + 600), 0, SIGNER)));
        (, uint256 spent,) = account.spendingLimit(address(0));
        vm.assertEq(spent, 0, "spent");
    }

    /// @dev A thief who burns the balance as fees meets the limit like one who sends it.
    function test_GasOverTheLimitIsRefusedInValidation() public {
        _execute(RECIPIENT, DAY_LIMIT - 899_999, "");
        PackedUserOperation memory op = _signed(_op(""));
        _expectFailedOp("AA23 reverted", _over(address(0), 900_000, 899_999));
        _handle(op);
        op.preVerificationGas -= 1;
        _handle(_signed(op));
    }

    /// @dev Each was validated against what the one before had charged.
    function test_TwoOperationsOfOneBundleAreChargedBoth() public {
        _execute(RECIPIENT, DAY_LIMIT - 1_799_999, "");
        PackedUserOperation[] memory ops = new PackedUserOperation[](2);
        ops[0] = _signed(_op(""));
        ops[1] = _op("");
        ops[1].nonce += 1;
        ops[1] = _signed(ops[1]);
        vm.expectRevert(
            abi.encodeWithSignature(
                "FailedOpWithRevert(uint256,string,bytes)", 1, "AA23 reverted", _over(address(0), 900_000, 899_999)
            )
        );
        vm.prank(BENEFICIARY, BENEFICIARY);
        entryPoint.handleOps(ops, BENEFICIARY);
    }

    function test_AnEstimateWithoutFeesWritesTheSameSlot() public {
        PackedUserOperation memory op = _op("");
        op.gasFees = 0;
        op.signature = _dummy();
        vm.assertEq(_validate(op, "h"), SIG_FAILED, "dummy");
        (, uint256 spent, uint256 day) = account.spendingLimit(address(0));
        vm.assertTrue(spent == 1 && day == _day(), "one wei");
    }

    /// @dev Whoever bundles an operation without fees takes nothing from the account, so that one that has nothing to
    /// spend today can still queue, confirm and call.
    function test_AnOperationThatCostsNothingNeedsNoLimit() public {
        _startOfDay();
        _skip(1);
        _execute(RECIPIENT, DAY_LIMIT, "");
        uint256 before = address(account).balance;
        _handle(_signed(_free(_call(address(anything), 0, "data"))));
        vm.assertEq(anything.calls(), 1, "executed");
        (, uint256 spent,) = account.spendingLimit(address(0));
        vm.assertEq(spent, DAY_LIMIT, "nothing was left to charge");
        vm.assertEq(address(account).balance + entryPoint.balanceOf(address(account)), before, "nothing was paid");
        // What it carries is charged as ever: the operation is included and moves nothing.
        _handle(_signed(_free(_call(RECIPIENT, 1, ""))));
        vm.assertEq(address(account).balance, before, "not a wei over the limit");
        // One wei of fees is a wei over the limit.
        PackedUserOperation memory op = _op("");
        op.accountGasLimits = _pack(0, 0);
        op.preVerificationGas = 1;
        op.signature = _dual("h");
        vm.prank(address(entryPoint));
        vm.expectRevert(_over(address(0), 1, 0));
        account.validateUserOp(op, "h", 0);
    }

    /// @dev On a chain that the init data has no rows for: out with an operation without fees, through the queue.
    function test_WithoutARowAnAccountIsMovedOutForNothing() public {
        AccountInit memory init = _init();
        (init.gasCaps, init.limits) = (new GasCap[](0), new SpendingLimit[](0));
        account = CommunityAccount(payable(factory.createAccount(abi.encode(init))));
        vm.deal(address(account), 3 ether);
        Call[] memory calls = new Call[](1);
        calls[0] = Call(RECIPIENT, 3 ether, "");
        _handle(_signed(_free(_batch(calls))));
        vm.assertEq(address(account).balance, 3 ether, "over the limit of zero");
        bytes memory content = abi.encode(calls);
        _handle(_signed(_free(_call(address(account), 0, _queueCall(QueueKind.Spend, content, 1)))));
        bytes memory confirm = _call(address(account), 0, _confirmCall(QueueKind.Spend, content, 1));
        _handle(_signed(_free(confirm)));
        vm.assertEq(address(account).balance, 3 ether, "not before a day");
        _skip(1 days);
        _handle(_signed(_free(confirm)));
        vm.assertEq(RECIPIENT.balance, 3 ether, "moved");
        (uint256 perDay, uint256 spent,) = account.spendingLimit(address(0));
        vm.assertTrue(perDay == 0 && spent == 0, "no limit, nothing spent");
    }

    /// @dev However operations with fees, without fees and value alternate, fees and value of a day stay within its limit.
    function testFuzz_FreeOperationsMakeNoRoom(uint8[12] calldata steps) public {
        _startOfDay();
        _skip(1);
        _lowerLimit(address(0), 3_000_000);
        uint256 before = address(account).balance;
        for (uint256 i = 0; i < steps.length; ++i) {
            bytes memory data = _call(RECIPIENT, uint256(steps[i]) * 4_000, "");
            PackedUserOperation memory op = _signed(steps[i] % 2 == 0 ? _free(data) : _op(data));
            vm.prank(BENEFICIARY, BENEFICIARY);
            PackedUserOperation[] memory ops = new PackedUserOperation[](1);
            ops[0] = op;
            try entryPoint.handleOps(ops, BENEFICIARY) {} catch {}
        }
        vm.assertLe(before - address(account).balance, 3_000_000, "a day's limit");
    }

    function test_TheClaimedDayIsTheOperationsValidity() public {
        uint32 day = _day();
        PackedUserOperation memory op = _op("");
        bytes32 hash = entryPoint.getUserOpHash(op);
        for (uint32 claimed = day - 1; claimed <= day + 1; ++claimed) {
            op.signature = _dual(claimed, 0, _serverSignature(SERVER, hash), _assertion(), hash);
            uint256 state = vm.snapshotState();
            if (claimed == day) {
                _handle(op);
            } else {
                _expectFailedOp("AA22 expired or not due");
                _handle(op);
            }
            vm.revertToState(state);
            vm.prank(address(entryPoint));
            uint256 data = account.validateUserOp(op, hash, 0);
            vm.assertEq(data >> 208, uint256(claimed) * 1 days, "validAfter");
            vm.assertEq(uint48(data >> 160), uint256(claimed) * 1 days + 1 days - 1, "validUntil");
            vm.revertToState(state);
        }
    }

    /// @dev Claiming yesterday would find yesterday's limit unspent.
    function test_ADayBeforeTheChargedOneIsRefused() public {
        _execute(RECIPIENT, 1 ether, "");
        uint32 day = _day();
        PackedUserOperation memory op = _op("");
        op.signature = _dual(day - 1, 0, _serverSignature(SERVER, "h"), _assertion(), "h");
        vm.prank(address(entryPoint));
        vm.expectRevert(abi.encodeWithSelector(Spending.DayIsOver.selector, day - 1, day));
        account.validateUserOp(op, "h", 0);
        op.signature = _dual(1 << 24, 0, _serverSignature(SERVER, "h"), _assertion(), "h");
        vm.prank(address(entryPoint));
        vm.expectRevert(abi.encodeWithSelector(Spending.DayIsOver.selector, 1 << 24, day));
        account.validateUserOp(op, "h", 0);
    }

    function test_ASponsoredOperationNamesNoDay() public {
        PackedUserOperation memory op = _op("");
        op.paymasterAndData = abi.encodePacked(STRANGER, uint128(1), uint128(1));
        op.signature = _dual("h");
        vm.assertEq(_validate(op, "h"), SIG_FAILED, "with a day");
        op.signature = _dual(0, 0, _serverSignature(SERVER, "h"), _assertion(), "h");
        vm.assertEq(_validate(op, "h"), 0, "without");
    }

    // ---- listed tokens

    function test_TransfersAndApprovalsOfAListedTokenAddUp() public {
        _list(address(token), 1000);
        _startOfDay();
        address t = address(token);
        _execute(t, 0, abi.encodeCall(token.transfer, (RECIPIENT, 100)));
        _execute(t, 0, abi.encodeCall(token.approve, (address(account), 700)));
        _execute(t, 0, abi.encodeCall(token.transferFrom, (address(account), RECIPIENT, 100)));
        (, uint256 spent,) = account.spendingLimit(t);
        vm.assertEq(spent, 900, "spent, the fee included");
        _refused(t, 0, abi.encodeCall(token.transfer, (RECIPIENT, 101)), _over(t, 101, 100));
        _refused(t, 0, abi.encodeWithSignature("increaseAllowance(address,uint256)", STRANGER, 101), _over(t, 101, 100));
        bytes memory data =
            abi.encodeWithSignature("permit(address,address,uint256,uint256,uint8,bytes32,bytes32)", account, STRANGER, 101, 0, 0, 0, 0);
        _refused(t, 0, data, _over(t, 101, 100));
        data = abi.encodeWithSignature("permit(address,address,uint256,uint256,bytes)", account, STRANGER, 101, 0, "");
        _refused(t, 0, data, _over(t, 101, 100));
        data = abi.encodeWithSignature(
            "permit(address,address,uint256,uint256,bool,uint8,bytes32,bytes32)", account, STRANGER, 0, 0, true, 0, 0, 0
        );
        _refused(t, 0, data, _over(t, type(uint256).max, 100));
        _refused(t, 0, abi.encodeCall(token.approve, (STRANGER, type(uint256).max)), _over(t, type(uint256).max, 100));
        _execute(t, 0, abi.encodeCall(token.transfer, (RECIPIENT, 100)));
        _skip(1 days);
        _execute(t, 0, abi.encodeCall(token.transfer, (RECIPIENT, 1000)));
    }

    function test_HarmlessFunctionsOfAListedTokenPass() public {
        _list(address(anything), 0);
        string[10] memory harmless = [
            "balanceOf(address)",
            "allowance(address,address)",
            "totalSupply()",
            "decimals()",
            "name()",
            "symbol()",
            "nonces(address)",
            "DOMAIN_SEPARATOR()",
            "decreaseAllowance(address,uint256)",
            "deposit()"
        ];
        for (uint256 i = 0; i < 10; ++i) _execute(address(anything), 1, abi.encodeWithSignature(harmless[i], 1, 2));
        // Ether alone is its own amount, wherever it goes.
        _execute(address(anything), 1, "");
        vm.assertEq(anything.calls(), 11, "calls");
        (, uint256 spent,) = account.spendingLimit(address(0));
        vm.assertEq(spent, 11, "value");
    }

    function test_EverythingElseOfAListedTokenIsOverTheLimit() public {
        _list(address(anything), 1_000_000);
        address a = address(anything);
        string[7] memory others = [
            "mint(address,uint256)",
            "withdraw(uint256)",
            "transferAndCall(address,uint256,bytes)",
            "setApprovalForAll(address,bool)",
            "burn(uint256)",
            "multicall(bytes[])",
            "anything()"
        ];
        for (uint256 i = 0; i < 7; ++i) {
            bytes memory data = i == 5
                ? abi.encodeWithSignature(others[i], new bytes[](1))
                : abi.encodeWithSignature(others[i], 1, 2, 96, 0);
            _refused(a, 0, data, abi.encodeWithSelector(Spending.UncountedTokenCall.selector, a, bytes4(data)));
        }
        // Somebody else's tokens have no amount to count.
        bytes memory foreign = abi.encodeCall(token.transferFrom, (STRANGER, RECIPIENT, 1));
        _refused(a, 0, foreign, abi.encodeWithSelector(Spending.UncountedTokenCall.selector, a, bytes4(foreign)));
    }

    // ---- permissions taken back

    /// @dev What ends a permission and can do nothing else goes at once, whatever the target is.
    function test_TakingAPermissionBackIsFree() public {
        address a = address(anything);
        bytes[] memory calls = new bytes[](4);
        calls[0] = abi.encodeWithSignature("setApprovalForAll(address,bool)", STRANGER, false);
        calls[1] = abi.encodeWithSignature("revokeOperator(address)", STRANGER);
        calls[2] = abi.encodeWithSignature("decreaseAllowance(address,uint256)", STRANGER, 1);
        calls[3] = abi.encodeWithSignature("setOperator(address,bool)", STRANGER, false);
        for (uint256 i = 0; i < 4; ++i) _execute(a, 0, calls[i]);
        _list(a, 0);
        for (uint256 i = 0; i < 4; ++i) _execute(a, 0, calls[i]);
        vm.assertEq(anything.calls(), 8, "without a limit and with a limit of zero");
        vm.assertFalse(account.isKnown(STRANGER), "nobody was paid or allowed anything");
    }

    function test_TheApprovalOfACollectionIsGone() public {
        TestCollectible collectible = new TestCollectible();
        vm.prank(address(account));
        collectible.setApprovalForAll(STRANGER, true);
        _execute(address(collectible), 0, abi.encodeCall(collectible.setApprovalForAll, (STRANGER, false)));
        vm.assertFalse(collectible.isApprovedForAll(address(account), STRANGER), "gone");
    }

    /// @dev Nothing but the exact encoding of false counts: a decoder that reads anything else elsewhere is not believed.
    function test_OnlyTheExactEncodingTakesBack() public {
        bytes4 all = bytes4(keccak256("setApprovalForAll(address,bool)"));
        _unlisted(abi.encodeWithSelector(all, STRANGER, true));
        _unlisted(abi.encodeWithSelector(all, STRANGER, 2));
        _unlisted(abi.encodeWithSignature("setOperator(address,bool)", STRANGER, true));
        _unlisted(abi.encodeWithSelector(all, STRANGER, uint256(1) << 255));
        _unlisted(abi.encodePacked(abi.encodeWithSelector(all, STRANGER, false), uint8(0)));
        _unlisted(abi.encodePacked(abi.encodeWithSelector(all, STRANGER, false), uint256(0)));
        _malformed(address(anything), abi.encodeWithSelector(all, uint256(1) << 160, false));
        _malformed(address(anything), abi.encodePacked(abi.encodeWithSelector(all, STRANGER), new bytes(31)));
    }

    function test_ApproveTakesBackOnAListedTokenOnly() public {
        bytes memory nothing = abi.encodeCall(token.approve, (STRANGER, 0));
        bytes memory nobody = abi.encodeCall(token.approve, (address(0), 1));
        // Of an ERC-721 the first gives token 0 away.
        _unlisted(nothing);
        _unlisted(nobody);
        _list(address(anything), 0);
        _execute(address(anything), 0, nothing);
        _refused(address(anything), 0, nobody, _over(address(anything), 1, 0));
    }

    function test_AMulticallHidesNoPermissionTakenBack() public {
        bytes[] memory inner = new bytes[](1);
        inner[0] = abi.encodeWithSignature("setApprovalForAll(address,bool)", STRANGER, false);
        bytes memory data = abi.encodeWithSignature("multicall(bytes[])", inner);
        address a = address(anything);
        _refused(a, 0, data, abi.encodeWithSelector(Spending.HiddenTokenCall.selector, a, bytes4(data)));
    }

    function testFuzz_AnApprovalForAllIsFreeWhenItsWordIsZero(address operator, uint256 word) public {
        bytes memory data = abi.encodeWithSignature("setApprovalForAll(address,uint256)", operator, word);
        bytes4 selector = bytes4(keccak256("setApprovalForAll(address,bool)"));
        for (uint256 i = 0; i < 4; ++i) data[i] = selector[i];
        if (word == 0) _execute(address(anything), 0, data);
        else _unlisted(data);
    }

    // ---- tokens without a limit

    function test_TokenFunctionsWithoutALimitAreRefused() public {
        address a = address(anything);
        bytes[] memory calls = _tokenCalls();
        for (uint256 i = 0; i < calls.length; ++i) {
            _refused(a, 0, calls[i], abi.encodeWithSelector(Spending.UnlistedToken.selector, a, bytes4(calls[i])));
        }
        _allowUnlistedTokens();
        for (uint256 i = 0; i < calls.length; ++i) _execute(a, 0, calls[i]);
        vm.assertEq(anything.calls(), calls.length, "allowed");
    }

    /// @dev Spelled out once more, beside the contract's table: how many words a token function takes, and which of them
    /// names who gets something. The call with one byte less cannot be read; the one with more words is read the same.
    function test_ATokenFunctionIsReadAsItsArgumentsLie() public {
        uint8[29] memory words =
            [2, 3, 2, 2, 7, 8, 5, 3, 4, 5, 5, 2, 3, 5, 1, 1, 2, 4, 2, 2, 3, 3, 4, 2, 3, 2, 3, 3, 4];
        // 9 for nobody.
        uint8[29] memory others =
            [0, 1, 0, 0, 1, 1, 1, 1, 1, 1, 1, 0, 0, 1, 0, 9, 9, 9, 9, 0, 0, 1, 1, 0, 0, 0, 0, 0, 1];
        _allowUnlistedTokens();
        bytes[] memory calls = _tokenCalls();
        address a = address(anything);
        for (uint256 i = 0; i < calls.length; ++i) {
            bytes memory data = new bytes(4 + 32 * 260);
            for (uint256 j = 0; j < 4; ++j) data[j] = calls[i][j];
            // Small addresses that nobody else uses.
            for (uint256 j = 0; j < 260; ++j) _put(data, j, 0x10000 * (i + 1) + j);
            uint256 whole = data.length;
            _cut(data, 4 + 32 * uint256(words[i]) - 1);
            _malformed(a, data);
            _cut(data, 4 + 32 * uint256(words[i]));
            uint256 state = vm.snapshotState();
            _execute(a, 0, data);
            vm.revertToState(state);
            _cut(data, whole);
            _execute(a, 0, data);
            for (uint256 j = 0; j < 260; j = j == 8 ? 250 : j + 1) {
                bool known = account.isKnown(address(uint160(0x10000 * (i + 1) + j)));
                vm.assertTrue(known == (j == others[i]), string.concat(vm.toString(i), " ", vm.toString(j)));
            }
        }
    }

    function test_AListedTokenKeepsItsLimitThoughUnlistedOnesAreFree() public {
        _list(address(token), 10);
        _allowUnlistedTokens();
        bytes memory data = abi.encodeCall(token.transfer, (RECIPIENT, 11));
        _refused(address(token), 0, data, _over(address(token), 11, 10));
        // Lowered to nothing it is still listed.
        _lowerLimit(address(token), 0);
        vm.assertTrue(account.isListedToken(address(token)), "listed");
        _refused(address(token), 0, data, _over(address(token), 11, 0));
    }

    // ---- call data that hides something

    function test_MulticallsAreLookedInto() public {
        address a = address(anything);
        bytes[] memory inner = new bytes[](2);
        inner[0] = abi.encodeWithSignature("harmless(uint256)", 1);
        inner[1] = abi.encodeCall(token.transfer, (STRANGER, 1));
        bytes[7] memory calls = _multicalls(inner);
        for (uint256 i = 0; i < 7; ++i) {
            _refused(a, 0, calls[i], abi.encodeWithSelector(Spending.HiddenTokenCall.selector, a, bytes4(calls[i])));
        }
        inner[1] = calls[0];
        calls = _multicalls(inner);
        for (uint256 i = 0; i < 7; ++i) {
            _refused(a, 0, calls[i], abi.encodeWithSelector(Spending.HiddenTokenCall.selector, a, bytes4(calls[i])));
        }
        inner[1] = "";
        calls = _multicalls(inner);
        for (uint256 i = 0; i < 7; ++i) _execute(a, 0, calls[i]);
        inner[1] = "abc";
        calls = _multicalls(inner);
        for (uint256 i = 0; i < 7; ++i) {
            _refused(a, 0, calls[i], abi.encodeWithSelector(Spending.CallDataMalformed.selector, a, bytes4(calls[i])));
        }
        vm.assertEq(anything.calls(), 7, "only the harmless ones");
    }

    function test_MulticallsHideNothingWhereUnlistedTokensAreFree() public {
        _allowUnlistedTokens();
        bytes[] memory inner = new bytes[](1);
        inner[0] = abi.encodeCall(token.transfer, (STRANGER, 1));
        bytes memory data = abi.encodeWithSignature("multicall(bytes[])", inner);
        address a = address(anything);
        _refused(a, 0, data, abi.encodeWithSelector(Spending.HiddenTokenCall.selector, a, bytes4(data)));
    }

    function test_MalformedCallDataIsRefused() public {
        address a = address(anything);
        bytes memory full = abi.encodeCall(token.transfer, (RECIPIENT, 1));
        bytes memory cut = new bytes(full.length - 1);
        for (uint256 i = 0; i < cut.length; ++i) cut[i] = full[i];
        _malformed(a, cut);
        full[5] = 0x01;
        _malformed(a, full);
        _malformed(a, "abc");
        _malformed(a, "a");
        bytes4 multicall = bytes4(keccak256("multicall(bytes[])"));
        _malformed(a, abi.encodePacked(multicall));
        _malformed(a, abi.encodePacked(multicall, uint256(64), uint256(1)));
        _malformed(a, abi.encodePacked(multicall, type(uint256).max));
        _malformed(a, abi.encodePacked(multicall, uint256(32), type(uint256).max));
        _malformed(a, abi.encodePacked(multicall, uint256(32), uint256(1), type(uint256).max));
        _malformed(a, abi.encodePacked(multicall, uint256(32), uint256(1), uint256(32), type(uint256).max));
        // Three offsets are said to follow, and two words do.
        _malformed(a, abi.encodePacked(multicall, uint256(32), uint256(3), uint256(32), uint256(0)));
    }

    /// @dev A list is read up to the last byte of the call data, and not one byte beyond it.
    function test_AListMayEndWithTheCallData() public {
        address a = address(anything);
        bytes4 multicall = bytes4(keccak256("multicall(bytes[])"));
        bytes[4] memory whole = [
            // The list begins where its own offset stands, which is zero, and so is its length.
            abi.encodePacked(multicall, uint256(0)),
            abi.encodePacked(multicall, uint256(32), uint256(0)),
            abi.encodePacked(multicall, uint256(32), uint256(1), uint256(32), uint256(0)),
            abi.encodePacked(multicall, uint256(32), uint256(1), uint256(32), uint256(4), bytes4("abcd"))
        ];
        for (uint256 i = 0; i < 4; ++i) {
            _execute(a, 0, whole[i]);
            for (uint256 length = 4; length < whole[i].length; ++length) {
                bytes memory cut = new bytes(length);
                for (uint256 j = 0; j < length; ++j) cut[j] = whole[i][j];
                _malformed(a, cut);
            }
        }
        vm.assertEq(anything.calls(), 4, "the whole ones");
    }

    // ---- other ways around

    function test_TheDepositAndTheAccountAreOutOfReach() public {
        bytes memory data = abi.encodeCall(entryPoint.withdrawTo, (payable(STRANGER), 1));
        _refused(address(entryPoint), 0, data, abi.encodeWithSelector(ReaderErrors.CallToEntryPoint.selector, 0));
        data = abi.encodeWithSignature("lowerGasCap(uint256)", 0);
        _refused(address(account), 0, data, abi.encodeWithSelector(ReaderErrors.CallToSelf.selector, 0));
        data = abi.encodeCall(account.freeze, (Stamp(0, 0, 0), new Signature[](0)));
        _refused(address(account), 0, data, abi.encodeWithSelector(ReaderErrors.CallToSelf.selector, 0));
    }

    function test_AHugeReasonDoesNotEatTheGas() public {
        Bomb bomb = new Bomb();
        Call[] memory calls = new Call[](1);
        calls[0] = Call(address(bomb), 0, "boom");
        vm.prank(address(entryPoint));
        (bool ok, bytes memory reason) = address(account).call(abi.encodeCall(account.execute, (BATCH, abi.encode(calls))));
        vm.assertTrue(!ok && reason.length == 2048, "cut");
    }

    function test_FirstUseIsTold() public {
        vm.expectEmit(true, true, true, true, address(account));
        emit Spending.FirstUse(RECIPIENT);
        _execute(RECIPIENT, 1, "");
        vm.recordLogs();
        _execute(RECIPIENT, 1, "");
        vm.assertEq(vm.getRecordedLogs().length, 0, "once");
        _list(address(token), 100);
        vm.expectEmit(true, true, true, true, address(account));
        emit Spending.FirstUse(address(token));
        vm.expectEmit(true, true, true, true, address(account));
        emit Spending.FirstUse(STRANGER);
        _execute(address(token), 0, abi.encodeCall(token.approve, (STRANGER, 1)));
        vm.assertTrue(account.isKnown(STRANGER) && account.isKnown(address(token)), "known");
    }

    // ---- strict mode

    function test_StrictModeRefusesNewRecipientsAndUnlistedCalls() public {
        _execute(RECIPIENT, 1, "");
        _list(address(token), 100);
        _beStrict();
        _execute(RECIPIENT, 1, "");
        _refused(STRANGER, 1, "", abi.encodeWithSelector(Spending.NewRecipient.selector, STRANGER));
        _refused(STRANGER, 0, "", abi.encodeWithSelector(Spending.NewRecipient.selector, STRANGER));
        address a = address(anything);
        _refused(a, 0, "data", abi.encodeWithSelector(Spending.CallNotAllowed.selector, a, bytes4("data")));
        bytes memory data = abi.encodeCall(token.transfer, (STRANGER, 1));
        address t = address(token);
        _refused(t, 0, data, abi.encodeWithSelector(Spending.CallNotAllowed.selector, t, token.transfer.selector));
        _allow(t, token.transfer.selector);
        _refused(t, 0, data, abi.encodeWithSelector(Spending.NewRecipient.selector, STRANGER));
        _execute(t, 0, abi.encodeCall(token.transfer, (RECIPIENT, 1)));
        _allow(a, bytes4("data"));
        _execute(a, 1, "data");
        _refused(a, 0, "atad", abi.encodeWithSelector(Spending.CallNotAllowed.selector, a, bytes4("atad")));
    }

    // ---- less, at once

    function test_AnyVoteOrTheServerLowersALimit() public {
        uint8[3] memory signers = [0, ESCAPE_SIGNER, SERVER_SIGNER];
        _execute(RECIPIENT, 10 ether, "");
        for (uint256 i = 0; i < 3; ++i) {
            Stamp memory stamp = _stamp();
            uint256 limit = 5 ether - i;
            bytes32 digest = _digest("LowerLimit(address token,uint256 perDay,", abi.encode(address(0), limit), stamp);
            Signature[] memory signatures = _signatures(signers[i], digest);
            vm.expectEmit(true, true, true, true, address(account));
            emit Spending.SpendingLimitChanged(address(0), limit);
            account.lowerLimit(address(0), limit, stamp, signatures);
        }
        // Below what was spent already: nothing is left.
        _refused(RECIPIENT, 1, "", _over(address(0), 1, 0));
        Stamp memory again = _stamp();
        bytes32 hash = _digest("LowerLimit(address token,uint256 perDay,", abi.encode(address(0), 5 ether), again);
        Signature[] memory one = _signatures(0, hash);
        vm.expectRevert(abi.encodeWithSelector(Spending.NotLowered.selector, 5 ether - 2));
        account.lowerLimit(address(0), 5 ether, again, one);
    }

    function test_AnyVoteOrTheServerLowersTheGasCap() public {
        Stamp memory stamp = _stamp();
        bytes32 digest = _digest("LowerGasCap(uint256 maxCost,", abi.encode(5), stamp);
        account.lowerGasCap(5, stamp, _signatures(SERVER_SIGNER, digest));
        vm.assertEq(account.gasCap(), 5, "cap");
        stamp = _stamp();
        Signature[] memory one = _signatures(0, _digest("LowerGasCap(uint256 maxCost,", abi.encode(5), stamp));
        vm.expectRevert(abi.encodeWithSelector(Spending.NotLowered.selector, 5));
        account.lowerGasCap(5, stamp, one);
    }

    function test_AllowedCallsAreTakenAwayAtOnce() public {
        _allow(STRANGER, bytes4("abcd"));
        vm.assertTrue(account.isAllowedCall(STRANGER, "abcd"), "allowed");
        for (uint256 i = 0; i < 2; ++i) {
            Stamp memory stamp = _stamp();
            bytes32 digest =
                _digest("DisallowCall(address target,bytes4 selector,", abi.encode(STRANGER, bytes4("abcd")), stamp);
            Signature[] memory one = _signatures(0, digest);
            if (i == 1) {
                vm.expectRevert(
                    abi.encodeWithSelector(Spending.CallIsNotAllowed.selector, STRANGER, bytes4("abcd"))
                );
            } else {
                vm.expectEmit(true, true, true, true, address(account));
                emit Spending.CallDisallowed(STRANGER, "abcd");
            }
            account.disallowCall(STRANGER, "abcd", stamp, one);
        }
    }

    // ---- inside

    /// @dev Without fees: it costs the account nothing.
    function _free(bytes memory callData) private view returns (PackedUserOperation memory op) {
        op = _op(callData);
        op.gasFees = 0;
    }

    function _startOfDay() private {
        vm.warp((uint256(_day()) + 1) * 1 days);
    }

    function _over(address what, uint256 amount, uint256 left) private pure returns (bytes memory) {
        return abi.encodeWithSelector(Spending.OverLimit.selector, what, amount, left);
    }

    function _refused(address to, uint256 value, bytes memory data, bytes memory reason) private {
        _executeExpecting(to, value, data, reason);
    }

    function _malformed(address to, bytes memory data) private {
        _refused(to, 0, data, abi.encodeWithSelector(Spending.CallDataMalformed.selector, to, bytes4(data)));
    }

    function _put(bytes memory data, uint256 index, uint256 word) private pure {
        assembly ("memory-safe") {
            mstore(add(data, add(36, mul(32, index))), word)
        }
    }

    function _cut(bytes memory data, uint256 length) private pure {
        assembly ("memory-safe") {
            mstore(data, length)
        }
    }

    function _unlisted(bytes memory data) private {
        address a = address(anything);
        _refused(a, 0, data, abi.encodeWithSelector(Spending.UnlistedToken.selector, a, bytes4(data)));
    }

    function _lowerLimit(address what, uint256 perDay) private {
        Stamp memory stamp = _stamp();
        bytes32 digest = _digest("LowerLimit(address token,uint256 perDay,", abi.encode(what, perDay), stamp);
        account.lowerLimit(what, perDay, stamp, _signatures(0, digest));
    }

    function _allow(address target, bytes4 selector) private {
        _pass(QueueKind.AllowedCall, abi.encode(target, selector));
    }

    function _multicalls(bytes[] memory inner) private pure returns (bytes[7] memory calls) {
        calls[0] = abi.encodeWithSignature("multicall(bytes[])", inner);
        calls[1] = abi.encodeWithSignature("multicall(uint256,bytes[])", 1, inner);
        calls[2] = abi.encodeWithSignature("multicall(bytes32,bytes[])", 1, inner);
        calls[3] = abi.encodeWithSignature("tryMulticall(bytes[])", inner);
        calls[4] = abi.encodeWithSignature("tryMulticall(bool,bytes[])", true, inner);
        calls[5] = abi.encodeWithSignature("batch(bytes[],bool)", inner, true);
        calls[6] = abi.encodeWithSignature("multicallWithNodeCheck(bytes32,bytes[])", bytes32(0), inner);
    }

    /// @dev One well-formed call of each token function.
    function _tokenCalls() private view returns (bytes[] memory calls) {
        string[29] memory names = [
            "transfer(address,uint256)",
            "transferFrom(address,address,uint256)",
            "approve(address,uint256)",
            "increaseAllowance(address,uint256)",
            "permit(address,address,uint256,uint256,uint8,bytes32,bytes32)",
            "permit(address,address,uint256,uint256,bool,uint8,bytes32,bytes32)",
            "permit(address,address,uint256,uint256,bytes)",
            "safeTransferFrom(address,address,uint256)",
            "safeTransferFrom(address,address,uint256,bytes)",
            "safeTransferFrom(address,address,uint256,uint256,bytes)",
            "safeBatchTransferFrom(address,address,uint256[],uint256[],bytes)",
            "setApprovalForAll(address,bool)",
            "send(address,uint256,bytes)",
            "operatorSend(address,address,uint256,bytes,bytes)",
            "authorizeOperator(address)",
            "burn(uint256)",
            "burn(uint256,bytes)",
            "operatorBurn(address,uint256,bytes,bytes)",
            "burnFrom(address,uint256)",
            "transferAndCall(address,uint256)",
            "transferAndCall(address,uint256,bytes)",
            "transferFromAndCall(address,address,uint256)",
            "transferFromAndCall(address,address,uint256,bytes)",
            "approveAndCall(address,uint256)",
            "approveAndCall(address,uint256,bytes)",
            "setOperator(address,bool)",
            "transfer(address,uint256,uint256)",
            "approve(address,uint256,uint256)",
            "transferFrom(address,address,uint256,uint256)"
        ];
        calls = new bytes[](names.length);
        // Eight words that fit every one of them: the account as owner, then a small address.
        for (uint256 i = 0; i < names.length; ++i) {
            calls[i] = abi.encodeWithSignature(names[i], account, RECIPIENT, 1, 0, 0, 0, 0, 0);
        }
    }
}
