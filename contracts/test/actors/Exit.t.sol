// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Call, ItemKind, QueueKind} from "../../src/lib/AccountTypes.sol";
import {Moves} from "./Moves.t.sol";

/// @dev How an owner with two votes leaves, whoever else holds the third vote, the server key and a guardian. The adversary
/// plays between all steps. Every step must work: nothing here is tried twice.
abstract contract Exit is Moves {
    /// @dev What the steps themselves may take, in seconds: most of it waiting for the end of what the owner signed before.
    uint256 private constant PATIENCE = 2 hours;

    /// @dev False when the owner has not got two votes.
    function _leave() internal returns (bool) {
        if (_bits(_held(false) & VOTE_BITS) < 2) return false;
        uint256 begin = _now();
        _endEverything();
        _interfere();
        // A gate's signature that was held back can make a change of the owner's act until now. It begins a new key epoch
        // and need not touch the server key, so the owner looks again before the escape.
        _advance(setting.stampLife + 1);
        _endEverything();
        _interfere();
        uint32 epoch = book.epoch;
        uint256 votes = _held(false) & VOTE_BITS;
        if (_bits(votes) < 2) return false;
        bytes32 id = _startEscape(votes);
        for (uint256 i = 1; i < 3; ++i) {
            _interfere();
            _advance(begin + i * 1 days - _now());
            if (book.epoch == epoch) _endEverything();
        }
        _interfere();
        if (book.epoch == epoch) {
            _advance(entries[id].wall + 3 days - _now());
            _interfere();
            // A stranger may have been faster; it is the same.
            if (entries[id].open && book.epoch == epoch) vm.assertTrue(_finish(id), "an escape by two votes finishes");
        }
        vm.assertLe(_now() - begin, 3 days + PATIENCE, "out within three days");
        vm.assertEq(_held(true) & (0xff | GATE_BIT), 0, "no passkey and no server key of the adversary's is left");
        _newHouse();
        _moveMoney();
        _leak();
        return true;
    }

    /// @dev The owner ends all that waits, own things too: whatever is finished first would void the escape. What cannot be
    /// ended is an earlier escape by two votes, and with it the owner would be out as well.
    function _endEverything() private {
        _tidy();
        for (uint256 i = 0; i < waiting.length; ++i) {
            Entry memory e = entries[waiting[i]];
            if (!e.open || (e.kind == ItemKind.Escape && _bits(e.votes) == 2)) continue;
            _cancelAsOwner(waiting[i]);
        }
    }

    function _startEscape(uint256 votes) private returns (bytes32) {
        Plain memory p;
        (p.fn, p.votes, p.stamp) = (Fn.Escape, 2, _newStamp(1 hours));
        (p.added, p.second, p.server) = (_newSecret(false), _newSecret(false), _newSecret(false));
        uint256 mask = _some(votes, 2);
        uint256 n = _keep(p, mask, 0);
        vm.assertTrue(_submit(n, mask), "two votes start an escape");
        return plains[n].digest;
    }

    /// @dev What the adversary does meanwhile; the steps of the owner are some seconds apart.
    function _interfere() private {
        for (uint256 i = _pick(4); i != 0; --i) {
            uint256 kind = _pick(8);
            if (kind < 3) _signSomething(true);
            else if (kind == 3) _finishSomething();
            else if (kind == 4) _replaySomething();
            else if (kind == 5) _spendSomething(true);
            else if (kind == 6) _queueSomething(true);
            else _useGrant();
        }
        _advance(_pick(30));
    }

    /// @dev With the votes that are left and the gate, which is the owner's again: another escape key if the old one was
    /// stolen, as many passkeys as before, and an end to a freeze.
    function _newHouse() private {
        bool stolen = hostile[secrets[8]];
        uint256 votes = _held(false) & VOTE_BITS;
        if (stolen || _bits(book.slots) < 2) {
            Plain memory p;
            (p.fn, p.votes, p.stamp) = (Fn.ChangeKeys, 2, _newStamp(1 hours));
            if (stolen) p.escapeKey = _newSecret(false);
            if (_bits(book.slots) < 2) p.added = _newSecret(false);
            if (p.added != 0) coreKnows[p.added] = true;
            uint256 mask = _some(votes, 2) | GATE_BIT;
            vm.assertTrue(_submit(_keep(p, mask, 0), mask), "two votes and the gate change keys at once");
            _interfere();
        }
        if (!_frozenNow()) return;
        Plain memory thaw;
        (thaw.fn, thaw.votes, thaw.stamp) = (Fn.Unfreeze, 2, _newStamp(1 hours));
        uint256 signers = _some(_held(false) & VOTE_BITS, 2) | GATE_BIT;
        vm.assertTrue(_submit(_keep(thaw, signers, 0), signers), "two votes and the gate thaw at once");
        _interfere();
    }

    /// @dev Half of everything, over the limits and without any paymaster: queued at once, gone a day later. The operations
    /// offer no fee, so that anybody who pays a bundle's gas can land them.
    function _moveMoney() private {
        Call[] memory calls = new Call[](2);
        int256[ASSETS] memory takes;
        takes[NATIVE] = int256(address(account).balance / 2);
        takes[LISTED] = int256(tokens[0].balanceOf(address(account)) / 2);
        calls[0] = Call(RECIPIENT, uint256(takes[NATIVE]), "");
        calls[1] = Call(address(tokens[0]), 0, abi.encodeWithSelector(0xa9059cbb, RECIPIENT, takes[LISTED]));
        uint256 n = _newQueued(QueueKind.Spend, abi.encode(calls), takes);
        uint256 before = RECIPIENT.balance;
        // The one wei that an operation without a fee is charged may be spent today.
        (uint256 perDay, uint256 spent, uint256 day) = account.spendingLimit(address(0));
        if (day == _now() / 1 days && spent >= perDay) _advance(1 days - _now() % 1 days + 1);
        vm.assertTrue(_landFree(OpKind.Queue, _queueData(n), n) && entries[_idOf(n)].open, "the owner queues");
        _interfere();
        _advance(1 days + 2);
        vm.assertTrue(_landFree(OpKind.Confirm, _confirmData(n), n), "the owner confirms");
        vm.assertEq(RECIPIENT.balance, before + uint256(takes[NATIVE]), "the money is out");
    }

    function _landFree(OpKind kind, bytes memory data, uint256 ref) private returns (bool) {
        Op memory o;
        (o.kind, o.ref, o.slot) = (kind, ref, _lowest(_held(false) & 0xff));
        (o.passkey, o.server) = (secrets[o.slot], secrets[9]);
        // Not in the first second of a day, which EntryPoint 0.8 excludes.
        if (_now() % 1 days == 0) _advance(1);
        return _land(_makeOp(o, data, 0));
    }

    /// @dev Afterwards another vote is stolen, if one was, and what else the setting says.
    function _leak() private {
        if (setting.stolen & VOTE_BITS != 0) {
            setting.stolen = (setting.stolen & ~VOTE_BITS) | (_pick(3) == 0 ? 1 << 8 : 1);
        }
        _restock();
    }
}
