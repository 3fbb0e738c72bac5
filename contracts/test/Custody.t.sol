// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccountBase} from "../src/account/AccountBase.sol";
import {Custody} from "../src/account/Custody.sol";
import {Votes} from "../src/account/Votes.sol";
import {ItemKind, KeyChange, Passkey, RuleChange, Signature, Stamp} from "../src/lib/AccountTypes.sol";
import {InitData} from "../src/lib/InitData.sol";
import {ReaderErrors} from "../src/lib/ReaderErrors.sol";
import {Vm} from "./support/Vm.sol";
import {VoteFixture} from "./support/VoteFixture.sol";

/// @dev Changes of keys and rules, and the escape: who, when, who cancels, and what a freeze does to it.
contract CustodyTest is VoteFixture {
    uint256 private constant NEW = 501;
    uint256 private constant NEW_SERVER = 502;
    uint256 private constant NEW_ESCAPE = 503;

    // ---- changeKeys

    function test_TwoVotesAndTheGateChangeKeysAtOnce() public {
        KeyChange memory change = _moveHouse(2);
        Stamp memory stamp = _stamp();
        Signature[] memory signatures =
            _signatures(0, ESCAPE_SIGNER, SERVER_SIGNER, _keysDigest(change, stamp));
        vm.expectEmit(true, true, true, true, address(account));
        emit Custody.PasskeyRemoved(0, _passkey(PASSKEY).x);
        vm.expectEmit(true, true, true, true, address(account));
        emit Custody.PasskeyAdded(0, _passkey(NEW).x, _passkey(NEW).y, RP_ID_HASH);
        vm.expectEmit(true, true, true, true, address(account));
        emit Custody.ServerKeyChanged(vm.addr(NEW_SERVER));
        vm.expectEmit(true, true, true, true, address(account));
        emit Custody.EscapeKeyChanged(vm.addr(NEW_ESCAPE));
        vm.expectEmit(true, true, true, true, address(account));
        emit Custody.KeyEpochChanged(1);
        account.changeKeys(change, stamp, signatures);
        (address server, address escapeKey, uint32 epoch, uint8 slots) = account.keys();
        vm.assertTrue(server == vm.addr(NEW_SERVER) && escapeKey == vm.addr(NEW_ESCAPE), "keys");
        vm.assertTrue(epoch == 1 && slots == 1, "epoch, slots");
        vm.assertEq(account.passkey(0).x, _passkey(NEW).x, "passkey");
    }

    function test_AChangeByTwoWorksWhileFrozenAndStaysFrozen() public {
        _freeze(0);
        _nextEpoch();
        (uint48 until,) = account.frozen();
        vm.assertEq(until, type(uint48).max, "frozen");
    }

    function test_PasskeysGoIntoTheLowestFreeSlots() public {
        KeyChange memory change;
        change.votes = 2;
        change.added = new Passkey[](7);
        for (uint256 i = 0; i < 7; ++i) change.added[i] = _passkey(600 + i);
        _changeKeys(change);
        (,,, uint8 slots) = account.keys();
        vm.assertEq(slots, 0xff, "eight");
        change.removed = new uint256[](2);
        (change.removed[0], change.removed[1]) = (_passkey(603).x, _passkey(601).x);
        change.added = new Passkey[](1);
        change.added[0] = _passkey(700);
        _changeKeys(change);
        (,,, slots) = account.keys();
        // Slots 2 and 4 were freed, 2 is taken again.
        vm.assertEq(slots, 0xff ^ (1 << 4), "lowest");
        vm.assertEq(account.passkey(2).x, _passkey(700).x, "in slot 2");
        vm.assertEq(account.passkey(4).x + account.passkey(4).y, 0, "cleared");
        vm.assertEq(account.passkey(4).rpIdHash, 0, "cleared");
    }

    function test_KeysStayInOrder() public {
        KeyChange memory change;
        change.votes = 2;
        change.removed = new uint256[](1);
        change.removed[0] = _passkey(PASSKEY).x;
        _changeRefused(change, abi.encodeWithSelector(InitData.PasskeyCountOutOfRange.selector, 0));
        change.removed[0] = 5;
        _changeRefused(change, abi.encodeWithSelector(ReaderErrors.PasskeysUnknown.selector, 1, 0));
        change.removed = new uint256[](2);
        (change.removed[0], change.removed[1]) = (_passkey(PASSKEY).x, _passkey(PASSKEY).x);
        change.added = _keys(NEW);
        _changeRefused(change, abi.encodeWithSelector(ReaderErrors.PasskeysUnknown.selector, 2, 1));
        change.removed = new uint256[](0);
        change.added = new Passkey[](8);
        for (uint256 i = 0; i < 8; ++i) change.added[i] = _passkey(600 + i);
        _changeRefused(change, abi.encodeWithSelector(InitData.PasskeyCountOutOfRange.selector, 9));
        change.added = _keys(PASSKEY);
        _changeRefused(change, abi.encodeWithSelector(InitData.DuplicatePasskey.selector, 1));
        change.added = _keys(NEW);
        change.added[0].rpIdHash = 0;
        _changeRefused(change, abi.encodeWithSelector(InitData.PasskeyWithoutRpId.selector, 0));
        change.added = _keys(NEW);
        change.added[0].y ^= 1;
        _changeRefused(change, abi.encodeWithSelector(InitData.PasskeyNotOnCurve.selector, 0));
        change.added = new Passkey[](0);
        change.serverKey = vm.addr(ESCAPE);
        _changeRefused(change, abi.encodeWithSelector(InitData.EscapeKeyIsServerKey.selector));
        (change.serverKey, change.escapeKey) = (address(0), vm.addr(SERVER));
        _changeRefused(change, abi.encodeWithSelector(InitData.EscapeKeyIsServerKey.selector));
    }

    function test_OneVoteAndTheGateChangeKeysAfterThreeDays() public {
        (KeyChange memory change, Stamp memory stamp, bytes32 id) = _startMove(0);
        vm.assertEq(account.passkey(0).x, _passkey(PASSKEY).x, "not yet");
        _skip(3 days - 1);
        vm.expectRevert(abi.encodeWithSelector(Votes.ItemNotReady.selector, id, 1));
        account.finishChangeKeys(change, stamp);
        _skip(1);
        vm.expectEmit(true, true, true, true, address(account));
        emit Votes.ItemFinished(id, ItemKind.ChangeKeys);
        vm.prank(STRANGER);
        account.finishChangeKeys(change, stamp);
        vm.assertEq(account.passkey(0).x, _passkey(NEW).x, "moved");
        // What it would remove is gone, which is noticed first.
        vm.expectRevert(abi.encodeWithSelector(ReaderErrors.PasskeysUnknown.selector, 1, 0));
        account.finishChangeKeys(change, stamp);
    }

    function test_AFreezeStopsTheClockOfAChange() public {
        (KeyChange memory change, Stamp memory stamp, bytes32 id) = _startMove(0);
        _skip(1 days);
        _freeze(ESCAPE_SIGNER);
        _skip(100 days);
        vm.expectRevert(abi.encodeWithSelector(AccountBase.AccountFrozen.selector));
        account.finishChangeKeys(change, stamp);
        _unfreeze();
        vm.expectRevert(abi.encodeWithSelector(Votes.ItemNotReady.selector, id, 2 days));
        account.finishChangeKeys(change, stamp);
        // A server's freeze stops it for its seven days, though nobody ends it.
        _skip(1 days);
        _freeze(SERVER_SIGNER);
        _skip(7 days + 1 days - 1);
        vm.expectRevert(abi.encodeWithSelector(Votes.ItemNotReady.selector, id, 1));
        account.finishChangeKeys(change, stamp);
        _skip(1);
        account.finishChangeKeys(change, stamp);
    }

    function test_ARipeChangeDoesNotActWhileFrozen() public {
        (KeyChange memory change, Stamp memory stamp,) = _startMove(0);
        _skip(3 days);
        _freeze(SERVER_SIGNER);
        vm.expectRevert(abi.encodeWithSelector(AccountBase.AccountFrozen.selector));
        account.finishChangeKeys(change, stamp);
        _skip(7 days);
        account.finishChangeKeys(change, stamp);
    }

    function test_AChangeIsVoidThirtyDaysAfterItsTime() public {
        (KeyChange memory change, Stamp memory stamp, bytes32 id) = _startMove(0);
        _skip(33 days);
        uint256 state = vm.snapshotState();
        account.finishChangeKeys(change, stamp);
        vm.revertToState(state);
        _skip(1);
        vm.expectRevert(abi.encodeWithSelector(Votes.ItemVoid.selector, id));
        account.finishChangeKeys(change, stamp);
    }

    function test_AnEpochVoidsWhatWaits() public {
        (KeyChange memory change, Stamp memory stamp, bytes32 id) = _startMove(0);
        _nextEpoch();
        _skip(3 days);
        vm.expectRevert(abi.encodeWithSelector(Votes.ItemVoid.selector, id));
        account.finishChangeKeys(change, stamp);
        _cancelRefused(id, ESCAPE_SIGNER, abi.encodeWithSelector(Votes.ItemVoid.selector, id));
    }

    function test_WhoChangesKeys() public {
        KeyChange memory change = _moveHouse(1);
        Stamp memory stamp = _stamp();
        bytes32 digest = _keysDigest(change, stamp);
        uint8[2][3] memory wrong = [[0, 8], [0, 0], [9, 9]];
        uint256[3] memory signers = [uint256(1 | 1 << 8), 1, 1 << 9];
        for (uint256 i = 0; i < 3; ++i) {
            Signature[] memory signatures = i == 0
                ? _signatures(wrong[i][0], wrong[i][1], digest)
                : _signatures(wrong[i][0], digest);
            vm.expectRevert(abi.encodeWithSelector(ReaderErrors.WrongSigners.selector, signers[i]));
            account.changeKeys(change, stamp, signatures);
        }
    }

    // ---- changeRules

    function test_TwoVotesAndTheGateChangeRulesAtOnce() public {
        vm.expectEmit(true, true, true, true, address(account));
        emit Custody.GuardiansChanged(keccak256("g"), 2, 2 days);
        vm.expectEmit(true, true, true, true, address(account));
        emit Custody.StrictModeChanged(true);
        vm.expectEmit(true, true, true, true, address(account));
        emit Custody.UnlistedTokensChanged(true);
        vm.expectEmit(true, true, true, true, address(account));
        emit Custody.KeyEpochChanged(1);
        _changeRules(RuleChange(keccak256("g"), 2, 2 days, true, true, 2));
        (bytes32 hash, uint8 threshold, uint32 delay) = account.guardians();
        vm.assertTrue(hash == keccak256("g") && threshold == 2 && delay == 2 days, "guardians");
        vm.assertTrue(account.strictMode() && account.unlistedTokensAllowed(), "modes");
    }

    function test_RulesStayInOrder() public {
        RuleChange[3] memory bad = [
            RuleChange(0, 1, 7 days, false, false, 2),
            RuleChange(keccak256("g"), 0, 7 days, false, false, 2),
            RuleChange(0, 0, 1 days - 1, false, false, 2)
        ];
        bytes[3] memory reasons = [
            abi.encodeWithSelector(InitData.GuardianThresholdInconsistent.selector, bytes32(0), 1),
            abi.encodeWithSelector(InitData.GuardianThresholdInconsistent.selector, keccak256("g"), 0),
            abi.encodeWithSelector(InitData.RecoveryDelayTooShort.selector, 1 days - 1)
        ];
        for (uint256 i = 0; i < 3; ++i) {
            Stamp memory stamp = _stamp();
            Signature[] memory signatures =
                _signatures(0, ESCAPE_SIGNER, SERVER_SIGNER, _rulesDigest(bad[i], stamp));
            vm.expectRevert(reasons[i]);
            account.changeRules(bad[i], stamp, signatures);
        }
    }

    function test_OneVoteAndTheGateChangeRulesAfterThreeDaysThatFreezesStop() public {
        RuleChange memory change = RuleChange(0, 0, 7 days, true, false, 1);
        Stamp memory stamp = _stamp();
        bytes32 id = _rulesDigest(change, stamp);
        account.changeRules(change, stamp, _signatures(ESCAPE_SIGNER, SERVER_SIGNER, id));
        _skip(2 days);
        _freeze(0);
        _skip(2 days);
        _unfreeze();
        _skip(1 days - 1);
        vm.expectRevert(abi.encodeWithSelector(Votes.ItemNotReady.selector, id, 1));
        account.finishChangeRules(change, stamp);
        _skip(1);
        RuleChange memory other = RuleChange(0, 0, 7 days, false, true, 1);
        bytes32 otherId = _rulesDigest(other, stamp);
        vm.expectRevert(abi.encodeWithSelector(Votes.ItemUnknown.selector, otherId));
        account.finishChangeRules(other, stamp);
        account.finishChangeRules(change, stamp);
        vm.assertTrue(account.strictMode(), "strict");
    }

    // ---- escape

    function test_OneVoteEscapesAfterThreeDays() public {
        (Stamp memory stamp, bytes32 id) = _startEscape(1);
        _skip(3 days - 1);
        _finishRefused(NEW, NEW_SERVER, stamp, abi.encodeWithSelector(Votes.ItemNotReady.selector, id, 1));
        _skip(1);
        vm.prank(STRANGER);
        account.finishEscape(_keys(NEW), vm.addr(NEW_SERVER), 1, stamp);
        (address server, address escapeKey, uint32 epoch, uint8 slots) = account.keys();
        vm.assertTrue(server == vm.addr(NEW_SERVER) && escapeKey == vm.addr(ESCAPE), "server new, escape key as it was");
        vm.assertTrue(epoch == 1 && slots == 1 && account.passkey(0).x == _passkey(NEW).x, "passkey");
    }

    function test_TheNewKeysOpenTheAccount() public {
        (Stamp memory stamp,) = _startEscape(1);
        _skip(3 days);
        account.finishEscape(_keys(NEW), vm.addr(NEW_SERVER), 1, stamp);
        bytes32 hash = keccak256("h");
        vm.assertEq(_validateSignature(hash, _dual(hash)), SIG_FAILED, "the old keys");
        (secrets[0], secrets[SERVER_SIGNER]) = (NEW, NEW_SERVER);
        _freeze(0);
        _unfreeze();
    }

    /// @dev A thief of the passkey or the server freezes as much as they like: the escape key gets out.
    function test_NoFreezeStopsAnEscape() public {
        (Stamp memory stamp,) = _startEscape(1);
        _freeze(SERVER_SIGNER);
        _freeze(0);
        _skip(3 days);
        vm.expectEmit(true, true, true, true, address(account));
        emit Custody.Unfrozen();
        account.finishEscape(_keys(NEW), vm.addr(NEW_SERVER), 1, stamp);
        (uint48 until,) = account.frozen();
        vm.assertEq(until, 0, "the freeze ended");
    }

    function test_WithoutAFreezeNoneEnds() public {
        (Stamp memory stamp,) = _startEscape(1);
        _skip(3 days);
        vm.recordLogs();
        account.finishEscape(_keys(NEW), vm.addr(NEW_SERVER), 1, stamp);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        vm.assertTrue(logs.length != 0, "recorded");
        for (uint256 i = 0; i < logs.length; ++i) {
            vm.assertTrue(logs[i].topics[0] != Custody.Unfrozen.selector, "no such event");
        }
    }

    function test_TheOtherVoteCancelsAnEscapeByOne() public {
        (Stamp memory stamp, bytes32 id) = _startEscape(1);
        _cancelRefused(id, ESCAPE_SIGNER, abi.encodeWithSelector(ReaderErrors.WrongSigners.selector, 1 << 8));
        _cancelRefused(id, SERVER_SIGNER, abi.encodeWithSelector(ReaderErrors.WrongSigners.selector, 1 << 9));
        vm.expectEmit(true, true, true, true, address(account));
        emit Votes.ItemCancelled(id, ItemKind.Escape, 1);
        _cancel(id, 0);
        _skip(3 days);
        _finishRefused(NEW, NEW_SERVER, stamp, abi.encodeWithSelector(Votes.ItemUnknown.selector, id));
    }

    function test_NoVoteCancelsAnEscapeByTwo() public {
        _addSecondPasskey();
        Stamp memory stamp = _stamp();
        bytes32 id = _escapeDigest(_keys(NEW), vm.addr(NEW_SERVER), 2, stamp);
        account.escape(_keys(NEW), vm.addr(NEW_SERVER), 2, stamp, _signatures(1, ESCAPE_SIGNER, id));
        bytes memory reason = abi.encodeWithSelector(ReaderErrors.NotCancellable.selector, id, ItemKind.Escape);
        _cancelRefused(id, 0, reason);
        _cancelRefused(id, ESCAPE_SIGNER, reason);
        _cancelRefused(id, SERVER_SIGNER, reason);
        _skip(3 days);
        account.finishEscape(_keys(NEW), vm.addr(NEW_SERVER), 2, stamp);
    }

    function test_TwoEscapesWaitSideBySideAndTheFirstFinishedWins() public {
        (Stamp memory first, bytes32 firstId) = _startEscape(1);
        Stamp memory second = _stamp();
        bytes32 secondId = _escapeDigest(_keys(700), vm.addr(701), 1, second);
        account.escape(_keys(700), vm.addr(701), 1, second, _signatures(0, secondId));
        _skip(3 days);
        account.finishEscape(_keys(700), vm.addr(701), 1, second);
        _finishRefused(NEW, NEW_SERVER, first, abi.encodeWithSelector(Votes.ItemVoid.selector, firstId));
    }

    function test_WhoEscapes() public {
        Passkey[] memory keys = _keys(NEW);
        address server = vm.addr(NEW_SERVER);
        Stamp memory stamp = _stamp();
        bytes32 one = _escapeDigest(keys, server, 1, stamp);
        Signature[][3] memory sets = [
            _signatures(SERVER_SIGNER, one),
            _signatures(0, SERVER_SIGNER, one),
            _signatures(0, ESCAPE_SIGNER, one)
        ];
        uint256[3] memory signers = [uint256(1 << 9), 1 | 1 << 9, 1 | 1 << 8];
        for (uint256 i = 0; i < 3; ++i) {
            vm.expectRevert(abi.encodeWithSelector(ReaderErrors.WrongSigners.selector, signers[i]));
            account.escape(keys, server, 1, stamp, sets[i]);
        }
        // Stripped of one vote.
        Signature[] memory stripped = _signatures(0, _escapeDigest(keys, server, 2, stamp));
        vm.expectRevert(abi.encodeWithSelector(ReaderErrors.WrongSigners.selector, 1));
        account.escape(keys, server, 2, stamp, stripped);
        vm.expectRevert(abi.encodeWithSelector(ReaderErrors.SignatureInvalid.selector, 0));
        account.escape(keys, server, 1, stamp, stripped);
    }

    function test_AnEscapeIntoDisorderDoesNotStart() public {
        Stamp memory stamp = _stamp();
        Passkey[] memory keys = _keys(NEW);
        Signature[] memory none = new Signature[](0);
        vm.expectRevert(abi.encodeWithSelector(InitData.EscapeKeyIsServerKey.selector));
        account.escape(keys, vm.addr(ESCAPE), 1, stamp, none);
        vm.expectRevert(abi.encodeWithSelector(InitData.ZeroServerKey.selector));
        account.escape(keys, address(0), 1, stamp, none);
        keys[0].y ^= 1;
        vm.expectRevert(abi.encodeWithSelector(InitData.PasskeyNotOnCurve.selector, 0));
        account.escape(keys, vm.addr(NEW_SERVER), 1, stamp, none);
        vm.expectRevert(abi.encodeWithSelector(InitData.PasskeyCountOutOfRange.selector, 0));
        account.escape(new Passkey[](0), vm.addr(NEW_SERVER), 1, stamp, none);
    }

    /// @dev One vote against one, without guardians: the freeze stays, the escapes are cancelled, nobody takes.
    function test_OneAgainstOneEndsFrozen() public {
        _freeze(ESCAPE_SIGNER);
        Stamp memory stamp = _stamp();
        bytes32 id = _escapeDigest(_keys(700), vm.addr(701), 1, stamp);
        account.escape(_keys(700), vm.addr(701), 1, stamp, _signatures(0, id));
        _cancel(id, ESCAPE_SIGNER);
        (, id) = _startEscape(1);
        _cancel(id, 0);
        stamp = _stamp();
        id = _unfreezeDigest(1, stamp);
        account.unfreeze(1, stamp, _signatures(0, SERVER_SIGNER, id));
        _cancel(id, ESCAPE_SIGNER);
        _skip(365 days);
        (uint48 until,) = account.frozen();
        vm.assertEq(until, type(uint48).max, "frozen");
    }

    // ---- cancel

    function test_OnlyWhatWaitsIsCancelled() public {
        _cancelRefused(
            keccak256("nothing"),
            0,
            abi.encodeWithSelector(ReaderErrors.NotCancellable.selector, keccak256("nothing"), ItemKind.None)
        );
        (, bytes32 id) = _startEscape(1);
        _cancel(id, 0);
        _cancelRefused(id, 0, abi.encodeWithSelector(ReaderErrors.NotCancellable.selector, id, ItemKind.Done));
    }

    function test_TheOtherVoteCancelsAChange() public {
        (,, bytes32 id) = _startMove(0);
        _cancelRefused(id, 0, abi.encodeWithSelector(ReaderErrors.WrongSigners.selector, 1));
        _cancelRefused(id, SERVER_SIGNER, abi.encodeWithSelector(ReaderErrors.WrongSigners.selector, 1 << 9));
        _freeze(ESCAPE_SIGNER);
        _cancel(id, ESCAPE_SIGNER);
    }

    // ---- inside

    function _moveHouse(uint8 votes) private pure returns (KeyChange memory change) {
        change.removed = new uint256[](1);
        change.removed[0] = _passkey(PASSKEY).x;
        change.added = _keys(NEW);
        (change.serverKey, change.escapeKey, change.votes) = (vm.addr(NEW_SERVER), vm.addr(NEW_ESCAPE), votes);
    }

    function _changeKeys(KeyChange memory change) private {
        Stamp memory stamp = _stamp();
        account.changeKeys(change, stamp, _signatures(0, ESCAPE_SIGNER, SERVER_SIGNER, _keysDigest(change, stamp)));
    }

    function _changeRefused(KeyChange memory change, bytes memory reason) private {
        Stamp memory stamp = _stamp();
        Signature[] memory signatures =
            _signatures(0, ESCAPE_SIGNER, SERVER_SIGNER, _keysDigest(change, stamp));
        vm.expectRevert(reason);
        account.changeKeys(change, stamp, signatures);
    }

    function _startMove(uint8 signer) private returns (KeyChange memory change, Stamp memory stamp, bytes32 id) {
        change = _moveHouse(1);
        stamp = _stamp();
        id = _keysDigest(change, stamp);
        account.changeKeys(change, stamp, _signatures(signer, SERVER_SIGNER, id));
    }

    function _startEscape(uint8 votes) private returns (Stamp memory stamp, bytes32 id) {
        stamp = _stamp();
        id = _escapeDigest(_keys(NEW), vm.addr(NEW_SERVER), votes, stamp);
        Signature[] memory signatures = _signatures(ESCAPE_SIGNER, id);
        vm.expectEmit(true, true, true, true, address(account));
        emit Votes.ItemStarted(
            id,
            ItemKind.Escape,
            1 << 8,
            abi.encodeCall(account.escape, (_keys(NEW), vm.addr(NEW_SERVER), votes, stamp, signatures))
        );
        account.escape(_keys(NEW), vm.addr(NEW_SERVER), votes, stamp, signatures);
    }

    function _finishRefused(uint256 passkey, uint256 server, Stamp memory stamp, bytes memory reason) private {
        (Passkey[] memory keys, address serverKey) = (_keys(passkey), vm.addr(server));
        vm.expectRevert(reason);
        account.finishEscape(keys, serverKey, 1, stamp);
    }

    function _cancel(bytes32 id, uint8 signer) private {
        Stamp memory stamp = _stamp();
        account.cancel(id, stamp, _signatures(signer, _cancelDigest(id, stamp)));
    }

    function _cancelRefused(bytes32 id, uint8 signer, bytes memory reason) private {
        Stamp memory stamp = _stamp();
        Signature[] memory signatures = _signatures(signer, _cancelDigest(id, stamp));
        vm.expectRevert(reason);
        account.cancel(id, stamp, signatures);
    }
}
