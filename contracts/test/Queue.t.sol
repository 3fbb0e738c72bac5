// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Spending} from "../src/account/Spending.sol";
import {Votes} from "../src/account/Votes.sol";
import {Call, Grant, ItemKind, QueueKind, Signature, Stamp} from "../src/lib/AccountTypes.sol";
import {CallBatch} from "../src/lib/CallBatch.sol";
import {ReaderErrors} from "../src/lib/ReaderErrors.sol";
import {VoteFixture} from "./support/VoteFixture.sol";
import {TestCollectible, TestToken} from "./support/TestTokens.sol";

/// @dev What is over the limit: queued by one dual operation, confirmed by another a day later, cancelled in between.
contract QueueTest is VoteFixture {
    uint256 private constant SALT = 77;
    bytes private spend;

    function setUp() public override {
        super.setUp();
        vm.deal(address(account), 100 ether);
        spend = _spend(RECIPIENT, 50 ether, "");
    }

    function test_AQueuedSpendMovesMoreThanTheLimitADayLater() public {
        bytes32 id = _queue(QueueKind.Spend, spend);
        (ItemKind kind,,, uint256 age, uint256 delay) = account.item(id);
        vm.assertTrue(kind == ItemKind.Queued && age == 0 && delay == 1 days, "item");
        _skip(1 days - 1);
        _confirmRefused(QueueKind.Spend, spend, abi.encodeWithSelector(Votes.ItemNotReady.selector, id, 1));
        _skip(1);
        vm.expectEmit(true, true, true, true, address(account));
        emit Votes.ItemFinished(id, ItemKind.Queued);
        vm.expectEmit(true, true, true, true, address(account));
        emit Spending.FirstUse(RECIPIENT);
        _execute(address(account), 0, _confirmCall(QueueKind.Spend, spend, SALT));
        vm.assertEq(RECIPIENT.balance, 50 ether, "moved");
        (, uint256 spent,) = account.spendingLimit(address(0));
        vm.assertEq(spent, 0, "not charged");
        _confirmRefused(QueueKind.Spend, spend, abi.encodeWithSelector(Votes.ItemUnknown.selector, id));
        bytes memory again = abi.encodeWithSelector(Votes.AlreadyUsed.selector, id);
        _executeExpecting(address(account), 0, _queueCall(QueueKind.Spend, spend, SALT), again);
    }

    function test_ThroughTheEntryPoint() public {
        _handle(_signed(_op(_call(address(account), 0, _queueCall(QueueKind.Spend, spend, SALT)))));
        _skip(1 days);
        _handle(_signed(_op(_call(address(account), 0, _confirmCall(QueueKind.Spend, spend, SALT)))));
        vm.assertEq(RECIPIENT.balance, 50 ether, "moved");
    }

    function test_TheContentIsTold() public {
        bytes memory call = _queueCall(QueueKind.Spend, spend, SALT);
        vm.expectEmit(true, true, true, true, address(account));
        emit Votes.ItemStarted(_queueId(QueueKind.Spend, spend, SALT), ItemKind.Queued, 0, call);
        _execute(address(account), 0, call);
    }

    function test_TokensWithoutALimitMoveThroughTheQueue() public {
        TestCollectible collectible = new TestCollectible();
        collectible.mint(address(account), 4);
        bytes memory data = abi.encodeCall(collectible.transferFrom, (address(account), RECIPIENT, 4));
        _pass(QueueKind.Spend, _spend(address(collectible), 0, data));
        vm.assertEq(collectible.ownerOf(4), RECIPIENT, "moved");
        vm.assertTrue(account.isKnown(RECIPIENT) && account.isKnown(address(collectible)), "known from now on");
    }

    function test_StrictModeLearnsRecipientsFromTheQueue() public {
        _beStrict();
        _executeExpecting(RECIPIENT, 1, "", abi.encodeWithSelector(Spending.NewRecipient.selector, RECIPIENT));
        _pass(QueueKind.Spend, _spend(RECIPIENT, 1, ""));
        _execute(RECIPIENT, 1, "");
        // Whoever a confirmed token function names as well.
        TestCollectible collectible = new TestCollectible();
        collectible.mint(address(account), 4);
        bytes memory data = abi.encodeCall(collectible.transferFrom, (address(account), STRANGER, 4));
        _pass(QueueKind.Spend, _spend(address(collectible), 0, data));
        vm.assertTrue(account.isKnown(STRANGER), "known from now on");
    }

    function test_AnyVoteOrTheServerCancels() public {
        uint8[3] memory signers = [0, ESCAPE_SIGNER, SERVER_SIGNER];
        for (uint256 i = 0; i < 3; ++i) {
            bytes memory content = _spend(RECIPIENT, 50 ether + i, "");
            bytes32 id = _queue(QueueKind.Spend, content);
            Stamp memory stamp = _stamp();
            Signature[] memory both = _signatures(0, ESCAPE_SIGNER, _cancelDigest(id, stamp));
            vm.expectRevert(abi.encodeWithSelector(ReaderErrors.WrongSigners.selector, 1 | 1 << 8));
            account.cancel(id, stamp, both);
            Signature[] memory one = _signatures(signers[i], _cancelDigest(id, stamp));
            vm.expectEmit(true, true, true, true, address(account));
            emit Votes.ItemCancelled(id, ItemKind.Queued, 1 << signers[i]);
            account.cancel(id, stamp, one);
            _skip(1 days);
            _confirmRefused(QueueKind.Spend, content, abi.encodeWithSelector(Votes.ItemUnknown.selector, id));
        }
    }

    function test_SecondsOfFrostDoNotCount() public {
        bytes32 id = _queue(QueueKind.Spend, spend);
        _skip(10 hours);
        _freeze(0);
        _skip(50 days);
        _unfreeze();
        _skip(14 hours - 1);
        _confirmRefused(QueueKind.Spend, spend, abi.encodeWithSelector(Votes.ItemNotReady.selector, id, 1));
        _skip(1);
        _execute(address(account), 0, _confirmCall(QueueKind.Spend, spend, SALT));
    }

    function test_AQueuedItemIsVoidThirtyDaysAfterItsTimeAndWithTheEpoch() public {
        bytes32 id = _queue(QueueKind.Spend, spend);
        _skip(31 days);
        uint256 state = vm.snapshotState();
        _execute(address(account), 0, _confirmCall(QueueKind.Spend, spend, SALT));
        vm.revertToState(state);
        _skip(1);
        _confirmRefused(QueueKind.Spend, spend, abi.encodeWithSelector(Votes.ItemVoid.selector, id));
        // The id of the next epoch is another one.
        _nextEpoch();
        bytes32 next = _queueId(QueueKind.Spend, spend, SALT);
        vm.assertTrue(next != id, "id");
        _confirmRefused(QueueKind.Spend, spend, abi.encodeWithSelector(Votes.ItemUnknown.selector, next));
    }

    function test_AFailingSpendStaysInTheQueue() public {
        bytes memory content = _spend(RECIPIENT, 101 ether, "");
        bytes32 id = _queue(QueueKind.Spend, content);
        _skip(1 days);
        bytes memory call = _confirmCall(QueueKind.Spend, content, SALT);
        Call[] memory calls = new Call[](1);
        calls[0] = Call(address(account), 0, call);
        vm.prank(address(entryPoint));
        (bool ok,) = address(account).call(abi.encodeCall(account.execute, (BATCH, abi.encode(calls))));
        vm.assertFalse(ok, "too much");
        (ItemKind kind,,,,) = account.item(id);
        vm.assertTrue(kind == ItemKind.Queued, "waits on");
        vm.deal(address(account), 200 ether);
        _execute(calls);
    }

    // ---- other kinds

    function test_ALimitIsRaisedAndATokenListed() public {
        TestToken token = new TestToken();
        vm.assertFalse(account.isListedToken(address(token)), "not yet");
        _list(address(token), 10);
        vm.assertTrue(account.isListedToken(address(token)), "listed");
        (uint256 perDay,,) = account.spendingLimit(address(token));
        vm.assertEq(perDay, 10, "limit");
        _list(address(0), type(uint256).max);
        (perDay,,) = account.spendingLimit(address(0));
        vm.assertEq(perDay, type(uint112).max, "the largest");
    }

    function test_ALimitKeepsWhatWasSpent() public {
        _execute(address(account), 0, _queueCall(QueueKind.Limit, abi.encode(address(0), 60 ether), SALT));
        _skip(1 days);
        _execute(RECIPIENT, 20 ether, "");
        _execute(address(account), 0, _confirmCall(QueueKind.Limit, abi.encode(address(0), 60 ether), SALT));
        (uint256 perDay, uint256 spent,) = account.spendingLimit(address(0));
        vm.assertTrue(perDay == 60 ether && spent == 20 ether, "row");
    }

    function test_TheGasCapDomainsAndCalls() public {
        _ripe(QueueKind.GasCap, abi.encode(type(uint256).max));
        vm.expectEmit(true, true, true, true, address(account));
        emit Spending.GasCapChanged(type(uint96).max);
        _execute(address(account), 0, _confirmCall(QueueKind.GasCap, abi.encode(type(uint256).max), SALT));
        _ripe(QueueKind.Domain, abi.encode(bytes32("domain")));
        vm.expectEmit(true, true, true, true, address(account));
        emit Spending.DomainListed("domain");
        _execute(address(account), 0, _confirmCall(QueueKind.Domain, abi.encode(bytes32("domain")), SALT));
        vm.assertTrue(account.isListedDomain("domain"), "domain");
        bytes memory content = abi.encode(STRANGER, bytes4("abcd"));
        _ripe(QueueKind.AllowedCall, content);
        vm.expectEmit(true, true, true, true, address(account));
        emit Spending.CallAllowed(STRANGER, "abcd");
        _execute(address(account), 0, _confirmCall(QueueKind.AllowedCall, content, SALT));
        vm.assertTrue(account.isAllowedCall(STRANGER, "abcd"), "call");
    }

    // ---- refusals

    function test_WhatCouldNeverBeConfirmedIsNotQueued() public {
        _queueRefused(
            QueueKind.Spend, _spend(address(account), 0, ""), abi.encodeWithSelector(ReaderErrors.CallToSelf.selector, 0)
        );
        _queueRefused(
            QueueKind.Spend, _spend(address(0), 0, ""), abi.encodeWithSelector(ReaderErrors.CallToZeroAddress.selector, 0)
        );
        _queueRefused(
            QueueKind.Spend,
            _spend(address(entryPoint), 1, ""),
            abi.encodeWithSelector(ReaderErrors.CallToEntryPoint.selector, 0)
        );
        _queueRefused(
            QueueKind.Spend,
            abi.encode(new Call[](0)),
            abi.encodeWithSelector(CallBatch.CallCountOutOfRange.selector, 0)
        );
        _queueRefused(QueueKind.Spend, "", abi.encodeWithSelector(CallBatch.ExecutionDataMalformed.selector));
        _contentRefused(QueueKind.Limit, abi.encode(STRANGER));
        _contentRefused(QueueKind.Limit, abi.encode(uint256(1) << 160, 5));
        _contentRefused(QueueKind.GasCap, abi.encode(1, 2));
        _contentRefused(QueueKind.Domain, "");
        _contentRefused(QueueKind.AllowedCall, abi.encode(STRANGER, bytes5("abcde")));
        _contentRefused(QueueKind.AllowedCall, abi.encode(uint256(1) << 160, bytes4("abcd")));
    }

    function test_ThereAreFiveKinds() public {
        bytes memory call = abi.encodeWithSelector(Spending.queue.selector, 5, 96, SALT, 0);
        Call[] memory calls = new Call[](1);
        calls[0] = Call(address(account), 0, call);
        vm.prank(address(entryPoint));
        (bool ok,) = address(account).call(abi.encodeCall(account.execute, (BATCH, abi.encode(calls))));
        vm.assertFalse(ok, "kind 5");
    }

    function test_OnlyTheAccountQueues() public {
        address[3] memory callers = [STRANGER, address(entryPoint), vm.addr(SERVER)];
        Grant memory grant;
        for (uint256 i = 0; i < 3; ++i) {
            vm.prank(callers[i]);
            vm.expectRevert(abi.encodeWithSelector(Spending.OnlySelf.selector, callers[i]));
            account.queue(QueueKind.Spend, spend, SALT);
            vm.prank(callers[i]);
            vm.expectRevert(abi.encodeWithSelector(Spending.OnlySelf.selector, callers[i]));
            account.confirm(QueueKind.Spend, spend, SALT);
            vm.prank(callers[i]);
            vm.expectRevert(abi.encodeWithSelector(Spending.OnlySelf.selector, callers[i]));
            account.createGrant(grant);
        }
    }

    function test_OnlyAsTheSingleCallWithoutValue() public {
        bytes memory call = _queueCall(QueueKind.Spend, spend, SALT);
        bytes memory reason = abi.encodeWithSelector(ReaderErrors.CallToSelf.selector, 0);
        _executeExpecting(address(account), 1, call, reason);
        Call[] memory calls = new Call[](2);
        (calls[0], calls[1]) = (Call(address(account), 0, call), Call(RECIPIENT, 1, ""));
        vm.prank(address(entryPoint));
        vm.expectRevert(reason);
        account.execute(BATCH, abi.encode(calls));
        bytes[3] memory others = [
            abi.encodeCall(account.initialize, ("")),
            abi.encodeCall(account.execute, (BATCH, abi.encode(calls))),
            abi.encodeCall(account.approve, (bytes32(0)))
        ];
        for (uint256 i = 0; i < 3; ++i) _executeExpecting(address(account), 0, others[i], reason);
    }

    // ---- inside

    function _spend(address to, uint256 value, bytes memory data) private pure returns (bytes memory) {
        Call[] memory calls = new Call[](1);
        calls[0] = Call(to, value, data);
        return abi.encode(calls);
    }

    function _queue(QueueKind kind, bytes memory content) private returns (bytes32) {
        _execute(address(account), 0, _queueCall(kind, content, SALT));
        return _queueId(kind, content, SALT);
    }

    /// @dev Queued a day ago.
    function _ripe(QueueKind kind, bytes memory content) private {
        _queue(kind, content);
        _skip(1 days);
    }

    function _queueRefused(QueueKind kind, bytes memory content, bytes memory reason) private {
        _executeExpecting(address(account), 0, _queueCall(kind, content, SALT), reason);
    }

    function _contentRefused(QueueKind kind, bytes memory content) private {
        _queueRefused(kind, content, abi.encodeWithSelector(ReaderErrors.QueueContentMalformed.selector, kind));
    }

    function _confirmRefused(QueueKind kind, bytes memory content, bytes memory reason) private {
        _executeExpecting(address(account), 0, _confirmCall(kind, content, SALT), reason);
    }
}
