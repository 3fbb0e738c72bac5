// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Sessions} from "../src/account/Sessions.sol";
import {Votes} from "../src/account/Votes.sol";
import {Grant, ItemKind, KeyChange, QueueKind, RuleChange, Signature, Stamp} from "../src/lib/AccountTypes.sol";
import {ReaderErrors} from "../src/lib/ReaderErrors.sol";
import {VoteFixture} from "./support/VoteFixture.sol";

/// @dev What holds for each plain function that votes or the server key sign: without signatures it does nothing, and
/// with the same ones it does nothing a second time. What an item remembers of who started it decides who may cancel it.
contract PlainFunctionsTest is VoteFixture {
    uint256 private constant NEW = 501;
    uint256 private constant COUNT = 12;
    bytes32 private constant DOMAIN = keccak256("domain");
    bytes32 private constant OTHER = keccak256("another domain");
    address private constant TARGET = address(0x7A26E7);

    address private next;
    bytes32 private grantId;
    bytes32 private waiting;

    /// @dev Something to take back for each function that takes back.
    function setUp() public override {
        super.setUp();
        next = _newFactory().implementation();
        _pass(QueueKind.Domain, abi.encode(DOMAIN));
        _pass(QueueKind.AllowedCall, abi.encode(TARGET, bytes4("abcd")));
        Grant memory grant;
        (grant.target, grant.paymaster) = (TARGET, address(paymaster));
        (grant.validAfter, grant.validUntil) = (uint48(_now()), uint48(_now() + 1 hours));
        grant.selectors = new bytes4[](1);
        grant.selectors[0] = "abcd";
        _execute(address(account), 0, abi.encodeCall(Sessions.createGrant, (grant)));
        grantId = account.grantId(grant);
        _execute(address(account), 0, _queueCall(QueueKind.Domain, abi.encode(OTHER), 7));
        waiting = _queueId(QueueKind.Domain, abi.encode(OTHER), 7);
        _freeze(ESCAPE_SIGNER);
    }

    function test_WithoutSignaturesNothingHappens() public {
        for (uint256 i = 0; i < COUNT; ++i) {
            Stamp memory stamp = _stamp();
            _refused(i, stamp, new Signature[](0), abi.encodeWithSelector(ReaderErrors.WrongSigners.selector, 0));
        }
    }

    /// @dev Else whoever saw a change on chain could begin it again after it was cancelled.
    function test_NoSignatureCountsTwice() public {
        for (uint256 i = 0; i < COUNT; ++i) {
            uint256 state = vm.snapshotState();
            if (i == COUNT - 1) _unfreeze();
            Stamp memory stamp = _stamp();
            bytes32 digest = _digestOf(i, stamp);
            Signature[] memory signatures = _signaturesOf(i, digest);
            (bool done,) = address(account).call(_callOf(i, stamp, signatures));
            vm.assertTrue(done, "the first time");
            // Not even one that a vote has cancelled since.
            if (_waits(digest)) _cancel(digest, ESCAPE_SIGNER);
            // What was cancelled is gone, which is noticed first.
            bytes memory reason = i == 5
                ? abi.encodeWithSelector(ReaderErrors.NotCancellable.selector, waiting, ItemKind.Done)
                : abi.encodeWithSelector(Votes.AlreadyUsed.selector, digest);
            _refused(i, stamp, signatures, reason);
            vm.revertToState(state);
        }
    }

    /// @dev Bit i for signer i; the server key is no vote, so its bit never stays.
    function test_AnItemRemembersTheVotesAndNotTheGate() public {
        uint16[5] memory votes = [1, 1, 1, 1, 1 | 1 << 8];
        ItemKind[5] memory kinds =
            [ItemKind.Unfreeze, ItemKind.ChangeKeys, ItemKind.ChangeRules, ItemKind.Escape, ItemKind.Upgrade];
        for (uint256 i = 0; i < 5; ++i) {
            Stamp memory stamp = _stamp();
            bytes32 digest = _digestOf(i, stamp);
            (bool done,) = address(account).call(_callOf(i, stamp, _signaturesOf(i, digest)));
            vm.assertTrue(done, "started");
            (ItemKind kind, uint16 stored, uint32 epoch, uint256 age,) = account.item(digest);
            vm.assertTrue(kind == kinds[i] && epoch == 0 && age == 0, "kind, epoch, age");
            vm.assertEq(uint256(stored), votes[i], "votes");
        }
    }

    // ---- the functions, by number

    function _digestOf(uint256 i, Stamp memory stamp) private view returns (bytes32) {
        if (i == 0) return _unfreezeDigest(1, stamp);
        if (i == 1) return _keysDigest(_change(), stamp);
        if (i == 2) return _rulesDigest(_rules(), stamp);
        if (i == 3) return _escapeDigest(_keys(NEW), vm.addr(NEW), 1, stamp);
        if (i == 4) return _upgradeDigest(next, next.codehash, stamp);
        if (i == 5) return _cancelDigest(waiting, stamp);
        if (i == 6) return _digest("LowerLimit(address token,uint256 perDay,", abi.encode(address(0), 5), stamp);
        if (i == 7) return _digest("LowerGasCap(uint256 maxCost,", abi.encode(5), stamp);
        if (i == 8) return _digest("UnlistDomain(bytes32 domainSeparator,", abi.encode(DOMAIN), stamp);
        if (i == 9) {
            return _digest("DisallowCall(address target,bytes4 selector,", abi.encode(TARGET, bytes4("abcd")), stamp);
        }
        if (i == 10) return _digest("RevokeGrant(bytes32 grantId,", abi.encode(grantId), stamp);
        return _freezeDigest(stamp);
    }

    function _callOf(uint256 i, Stamp memory stamp, Signature[] memory list) private view returns (bytes memory) {
        if (i == 0) return abi.encodeCall(account.unfreeze, (1, stamp, list));
        if (i == 1) return abi.encodeCall(account.changeKeys, (_change(), stamp, list));
        if (i == 2) return abi.encodeCall(account.changeRules, (_rules(), stamp, list));
        if (i == 3) return abi.encodeCall(account.escape, (_keys(NEW), vm.addr(NEW), 1, stamp, list));
        if (i == 4) return abi.encodeCall(account.upgrade, (next, next.codehash, stamp, list));
        if (i == 5) return abi.encodeCall(account.cancel, (waiting, stamp, list));
        if (i == 6) return abi.encodeCall(account.lowerLimit, (address(0), 5, stamp, list));
        if (i == 7) return abi.encodeCall(account.lowerGasCap, (5, stamp, list));
        if (i == 8) return abi.encodeCall(account.unlistDomain, (DOMAIN, stamp, list));
        if (i == 9) return abi.encodeCall(account.disallowCall, (TARGET, "abcd", stamp, list));
        if (i == 10) return abi.encodeCall(account.revokeGrant, (grantId, stamp, list));
        return abi.encodeCall(account.freeze, (stamp, list));
    }

    function _signaturesOf(uint256 i, bytes32 digest) private view returns (Signature[] memory) {
        if (i < 3) return _signatures(0, SERVER_SIGNER, digest);
        if (i == 4) return _signatures(0, ESCAPE_SIGNER, SERVER_SIGNER, digest);
        return _signatures(0, digest);
    }

    function _change() private pure returns (KeyChange memory change) {
        change.added = _keys(NEW);
        change.votes = 1;
    }

    function _rules() private pure returns (RuleChange memory) {
        return RuleChange(0, 0, 5 days, true, true, 1);
    }

    function _waits(bytes32 id) private view returns (bool) {
        (ItemKind kind,,,,) = account.item(id);
        return kind > ItemKind.Done;
    }

    function _cancel(bytes32 id, uint8 signer) private {
        Stamp memory stamp = _stamp();
        account.cancel(id, stamp, _signatures(signer, _cancelDigest(id, stamp)));
    }

    function _refused(uint256 i, Stamp memory stamp, Signature[] memory signatures, bytes memory reason) private {
        (bool done, bytes memory answer) = address(account).call(_callOf(i, stamp, signatures));
        vm.assertFalse(done, vm.toString(i));
        vm.assertEq(answer, reason, vm.toString(i));
    }
}
