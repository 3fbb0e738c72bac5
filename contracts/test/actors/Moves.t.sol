// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {PackedUserOperation} from "@openzeppelin/contracts/interfaces/IERC4337.sol";
import {Call, Grant, ItemKind, QueueKind} from "../../src/lib/AccountTypes.sol";
import {OperationMoves} from "./OperationMoves.t.sol";
import {Returner} from "./Places.t.sol";
import {WideToken} from "./WideToken.t.sol";

/// @dev What each actor does, chosen by a stream of random numbers; what the trusted core signs and what not; and the
/// owner's looks.
abstract contract Moves is OperationMoves {
    /// @dev Places of the tally; the plain functions have the numbers of `Fn`.
    uint256 internal constant FINISH = 15;
    uint256 internal constant REPLAY_PLAIN = 16;
    uint256 internal constant REPLAY_OP = 17;
    uint256 internal constant SPEND = 18;
    uint256 internal constant QUEUE = 19;
    uint256 internal constant CONFIRM = 20;
    uint256 internal constant GRANT = 21;
    uint256 internal constant SESSION = 22;
    uint256 internal constant MESSAGE = 23;
    uint256 internal constant PULL = 24;
    uint256 internal constant FUND = 25;
    uint256 internal constant KNOCK = 26;
    uint256 internal constant WAIT = 27;
    uint256 internal constant LOOK = 28;
    uint256 internal constant EXIT = 29;
    uint256 internal constant ALTERED = 30;

    /// @dev Tried and worked; owner first, then adversary.
    uint256[2][31][2] public tally;

    uint256 private stream;
    uint256 private draws;
    uint256 private nextLook;

    function _tell(bool thief, uint256 move, bool ok) internal {
        uint256[2] storage row = tally[thief ? 1 : 0][move];
        ++row[0];
        if (ok) ++row[1];
    }

    // ---- chance

    /// @dev Everything a move chooses follows from the seed and from how many moves there were.
    function _shuffle(uint256 seed) internal {
        stream = uint256(keccak256(abi.encode(seed, ++draws)));
        _restock();
        if (setting.lookEvery != 0 && _now() >= nextLook) _look();
    }

    /// @dev 0 to n - 1.
    function _pick(uint256 n) internal returns (uint256) {
        uint256 s = stream;
        stream = uint256(keccak256(abi.encode(s)));
        return s % n;
    }

    /// @dev True for the adversary, who is twice as busy.
    function _somebody() internal returns (bool) {
        return _pick(3) != 0;
    }

    /// @dev `n` random bits of `mask`, all of them if there are fewer.
    function _some(uint256 mask, uint256 n) internal returns (uint256 chosen) {
        while (_bits(mask) > n) {
            uint256 rest = mask;
            for (uint256 drop = _pick(_bits(mask)); drop != 0; --drop) rest &= rest - 1;
            mask &= ~(rest & (~rest + 1));
        }
        return mask;
    }

    /// @dev Whoever lost a key by a change gets hold of its successor: the configuration stays what it is. Of two passkeys
    /// one remains the owner's, as long as there is a second.
    function _restock() internal {
        uint256 stolen = setting.stolen;
        if (stolen & (1 << 9) != 0) hostile[secrets[9]] = true;
        if (stolen & (1 << 8) != 0) hostile[secrets[8]] = true;
        if (stolen & 0xff == 0 || _held(true) & 0xff != 0) return;
        if (setting.secondPasskey && _bits(book.slots) < 2) return;
        hostile[secrets[_lowest(_some(book.slots, 1))]] = true;
    }

    // ---- the trusted core

    /// @dev What an honest core signs of a plain function (trusted/core/rules_action.cpp, rule 9): any struct over which a
    /// live passkey of the wallet made its assertion, but no freeze, which is the operator's, and no change by which a
    /// passkey removes itself. A change of keys is entered before its signature leaves. A server key that was stolen
    /// signs anything for its thief, and for the owner as it pleases.
    function _gateFor(bool thief, Plain memory p) internal returns (bool) {
        if (hostile[secrets[9]]) return thief || _pick(2) == 0;
        if (p.fn == Fn.Freeze) return false;
        uint256 passkeys = _held(thief) & 0xff;
        bool asserted;
        for (uint8 i = 0; i < 8; ++i) {
            if ((passkeys >> i) & 1 == 0 || !coreKnows[secrets[i]]) continue;
            asserted = asserted || p.fn != Fn.ChangeKeys || secrets[i] != p.removed;
        }
        if (asserted && p.fn == Fn.ChangeKeys) (coreKnows[p.removed], coreKnows[p.added]) = (false, true);
        return asserted;
    }

    /// @dev What an honest core signs of an operation (trusted/core/rules_userop.cpp, rule 1, with the loosest policy): the
    /// passkey lives, the call data is `execute` with a canonical batch, no call goes to the zero address, the account or
    /// an EntryPoint, but for one named self-call alone. The core looks at the policy's caps and at nothing on chain.
    function _coreSigns(bool thief, uint256 passkey, Call[] memory calls) internal returns (bool) {
        if (hostile[secrets[9]]) return thief || _pick(2) == 0;
        if (!coreKnows[passkey]) return false;
        for (uint256 i = 0; i < calls.length; ++i) {
            address to = calls[i].to;
            if (to == address(0) || to == address(account) || to == address(entryPoint)) return false;
        }
        return true;
    }

    // ---- time and the owner's looks

    function _pass(uint256 seconds_) internal {
        uint256 end = _now() + seconds_;
        while (setting.lookEvery != 0 && nextLook < end) {
            if (nextLook > _now()) _advance(nextLook - _now());
            _look();
        }
        _advance(end - _now());
    }

    /// @dev Ends whatever the adversary started. An owner with two votes and a core that signs also thaws; one with a
    /// single vote freezes instead.
    function _look() internal {
        nextLook = _now() + setting.lookEvery;
        _tidy();
        bool found;
        for (uint256 i = 0; i < waiting.length; ++i) {
            if (!entries[waiting[i]].hostile || !entries[waiting[i]].open) continue;
            found = true;
            _cancelAsOwner(waiting[i]);
        }
        if (setting.freezes && found && book.frozenUntil != NEVER) _freezeAsOwner();
        uint256 votes = _held(false) & VOTE_BITS;
        if (!setting.freezes && _frozenNow() && _bits(votes) > 1) _thawAsOwner(votes);
    }

    function _thawAsOwner(uint256 votes) internal {
        Plain memory p;
        (p.fn, p.votes, p.stamp) = (Fn.Unfreeze, 2, _newStamp(1 hours));
        if (!_gateFor(false, p)) return;
        uint256 mask = _some(votes, 2) | GATE_BIT;
        vm.assertTrue(_submit(_keep(p, mask, 0), mask), "two votes and the gate thaw at once");
        _tell(false, uint256(Fn.Unfreeze), true);
    }

    function _freezeAsOwner() private {
        Plain memory p;
        (p.fn, p.stamp) = (Fn.Freeze, _newStamp(1 hours));
        uint256 mask = _some(_held(false) & VOTE_BITS, 1);
        vm.assertTrue(_submit(_keep(p, mask, 0), mask), "one vote freezes");
    }

    function _cancelAsOwner(bytes32 id) internal {
        Entry memory e = entries[id];
        Plain memory p;
        (p.fn, p.subject, p.stamp) = (Fn.Cancel, id, _newStamp(1 hours));
        // Of an upgrade those who started it may as well; the others have to be another vote.
        uint256 others = VOTE_BITS & ~(e.kind == ItemKind.Upgrade ? 0 : uint256(e.votes));
        uint256 mask = _some(_held(false) & others, e.kind == ItemKind.Recover ? 2 : 1);
        vm.assertTrue(_submit(_keep(p, mask, 0), mask), "another vote cancels");
        _tell(false, LOOK, true);
    }

    // ---- plain functions

    function _signSomething(bool thief) internal {
        Plain memory p = _draft(thief);
        uint256 held = _held(thief) & ~GATE_BIT;
        uint256 gate = _gateFor(thief, p) ? GATE_BIT : 0;
        uint256 mask = _signersFor(p, held, gate);
        uint256 forger;
        // The adversary signs in the name of a vote that is not the adversary's.
        if (thief && _pick(8) == 0) {
            mask |= 1;
            forger = _aSecretOf(held | gate);
        }
        if (mask == 0) return;
        uint256 n = _keep(p, mask, forger);
        // Some signatures lie about before somebody submits them.
        if (_pick(8) != 0) _tell(thief, uint256(p.fn), _submit(n, mask));
    }

    function _signersFor(Plain memory p, uint256 held, uint256 gate) private returns (uint256) {
        if (_pick(10) == 0) return (held | gate) & _pick(1 << 13);
        // The gate alone, which is never a vote.
        if (gate != 0 && _pick(p.fn == Fn.Cancel ? 3 : 12) == 0) return gate;
        if (p.fn == Fn.Recover || p.fn == Fn.CancelAsGuardians) return held & GUARDIAN_BITS;
        uint256 votes = held & VOTE_BITS;
        if (p.fn == Fn.Freeze || p.fn >= Fn.LowerLimit) return _some(votes | gate, 1);
        if (p.fn == Fn.ConfirmUpgrade) return _some(votes, 2);
        if (p.fn == Fn.Upgrade) return _some(votes, 2) | gate;
        if (p.fn == Fn.Escape) return _some(votes, p.votes);
        if (p.fn != Fn.Cancel) return _some(votes, p.votes) | gate;
        Entry memory e = entries[p.subject];
        if (e.kind == ItemKind.Queued) return _some(votes | gate, 1);
        return _some(votes & ~uint256(e.votes), e.kind == ItemKind.Recover ? 2 : 1);
    }

    function _aSecretOf(uint256 mask) private view returns (uint256) {
        if (mask & 0x3ff == 0) return guardianSecrets[0];
        return secrets[_lowest(mask)];
    }

    function _draft(bool thief) private returns (Plain memory p) {
        p.fn = Fn(_pick(15));
        if (p.fn == Fn.Freeze && _pick(3) != 0) p.fn = Fn.ChangeKeys;
        // Each new key epoch ends what waits, so an owner who did that all the time would never see an upgrade through.
        bool raisesEpoch = p.fn == Fn.ChangeKeys || p.fn == Fn.ChangeRules || p.fn == Fn.Escape || p.fn == Fn.Recover;
        if (!thief && raisesEpoch && _pick(5) != 0) p.fn = _pick(3) == 0 ? Fn.Upgrade : Fn.ConfirmUpgrade;
        if (_frozenNow() && _pick(thief ? 8 : 2) == 0) p.fn = Fn.Unfreeze;
        p.votes = _pick(16) == 0 ? uint8(_pick(4)) : uint8(1 + _pick(2));
        p.stamp = _newStamp(_pick(8) == 0 ? 0 : 1 + _pick(thief ? 20 days : setting.stampLife));
        if (_pick(16) == 0) p.stamp.keyEpoch = uint32(_pick(book.epoch + 2));
        if (p.fn == Fn.ChangeKeys) {
            if (_pick(3) == 0) p.removed = secrets[uint8(_pick(4))];
            if (_pick(2) == 0 || p.removed == 0) p.added = _newSecret(thief);
            if (_pick(4) == 0) p.server = _newSecret(thief);
            if (_pick(4) == 0) p.escapeKey = _newSecret(thief);
        } else if (p.fn == Fn.Escape || p.fn == Fn.Recover) {
            (p.added, p.server) = (_newSecret(thief), _newSecret(thief));
            if (setting.secondPasskey) p.second = _newSecret(thief);
            if (p.fn == Fn.Recover) p.escapeKey = _newSecret(thief);
        } else if (p.fn == Fn.ChangeRules) {
            p.delay = uint32(1 days + _pick(10 days));
            (p.strict, p.unlisted) = (_pick(8) == 0, _pick(4) == 0);
        } else if (p.fn == Fn.Upgrade) {
            (p.votes, p.amount) = (2, _pick(2));
        } else if (p.fn == Fn.ConfirmUpgrade) {
            p.votes = 2;
            _draftConfirm(p);
        } else if (p.fn == Fn.Cancel || p.fn == Fn.CancelAsGuardians) {
            p.subject = _aWaiting();
        } else if (p.fn == Fn.LowerLimit) {
            if (_pick(2) == 0) p.subject = bytes32(uint256(uint160(address(tokens[0]))));
            p.amount = _pick(8) == 0 ? 0 : limits[p.subject != "" ? 1 : 0] * (50 + _pick(51)) / 100;
        } else if (p.fn == Fn.LowerGasCap) {
            p.amount = _pick(8) == 0 ? 0 : book.gasCap * (50 + _pick(51)) / 100;
        } else if (p.fn == Fn.RevokeGrant && granted.length != 0) {
            p.subject = granted[granted.length - 1 - _pick(granted.length > 3 ? 3 : granted.length)].id;
        }
    }

    function _draftConfirm(Plain memory p) private {
        for (uint256 i = waiting.length; i != 0; --i) {
            Entry memory e = entries[waiting[i - 1]];
            if (e.kind != ItemKind.Upgrade || !e.open || _pick(3) == 0) continue;
            Plain memory first = plains[e.ref];
            (p.subject, p.amount, p.other) = (waiting[i - 1], first.amount, first.stamp);
            return;
        }
        p.other = _newStamp(1);
        // The id of nothing: a struct that nobody started.
        p.subject = keccak256("no upgrade");
    }

    function _aWaiting() internal returns (bytes32) {
        return waiting.length == 0 ? bytes32(0) : waiting[_pick(waiting.length)];
    }

    /// @dev Rather what is old enough by some clock; also what was cancelled, finished, or is of an earlier key epoch.
    function _finishSomething() internal {
        if (plains.length == 0) return;
        bytes32 id = _pick(4) == 0 ? plains[_recent(plains.length)].digest : _aRipe(false);
        _tell(entries[id].hostile, FINISH, _finish(id));
        _tidy();
    }

    /// @dev One whose time has come, of the queue or not; or one that is old by the clock on the wall alone; or any.
    function _aRipe(bool ofQueue) private returns (bytes32 id) {
        id = _aWaiting();
        bool byTheWall = _pick(4) == 0;
        if (byTheWall && _pick(2) == 0) return id;
        for (uint256 i = 0; i < waiting.length; ++i) {
            Entry memory e = entries[waiting[i]];
            if ((e.kind == ItemKind.Queued) != ofQueue || e.kind == ItemKind.Upgrade) continue;
            if (byTheWall ? _now() >= e.wall + (ofQueue ? 1 days : 3 days) : _ripe(e)) return waiting[i];
        }
    }

    function _replaySomething() internal {
        if (_pick(2) == 0 && ops.length != 0) {
            uint256 op = _recent(ops.length);
            if (_pick(3) == 0) return _alter(op);
            // Nobody signs the day (spec/wire-formats.md, section 1): who lands it later names another.
            if (_pick(2) == 0) _nameToday(op);
            _tell(true, REPLAY_OP, _land(op));
            return;
        }
        if (plains.length == 0) return;
        uint256 n = _recent(plains.length);
        uint256 mask = plains[n].signed;
        if (_pick(4) == 0) mask &= _pick(1 << 13);
        if (_pick(4) == 0) {
            _sign(n, _held(true));
            mask |= plains[n].signed & _pick(1 << 13);
        }
        _tell(true, REPLAY_PLAIN, _submit(n, mask));
    }

    function _nameToday(uint256 n) private {
        Op memory o = ops[n];
        if (o.kind == OpKind.Session || o.sponsored) return;
        PackedUserOperation memory op = abi.decode(o.packed, (PackedUserOperation));
        uint32 day = _day();
        for (uint256 i = 0; i < 4; ++i) op.signature[2 + i] = bytes4(day)[i];
        (ops[n].day, ops[n].packed) = (day, abi.encode(op));
    }

    /// @dev One field is another than the one that was signed: refused, whatever it is and whether it landed or not.
    function _alter(uint256 n) private {
        PackedUserOperation[] memory list = new PackedUserOperation[](1);
        PackedUserOperation memory op = abi.decode(ops[n].packed, (PackedUserOperation));
        uint256 field = _pick(8);
        if (field == 0) op.nonce = ((1 << 100) + _pick(1 << 60)) << 64;
        else if (field == 1) op.callData = _call(DRAIN, _pick(NATIVE_LIMIT), "");
        else if (field == 2) op.gasFees = bytes32(uint256(op.gasFees) + 1);
        else if (field == 3) op.accountGasLimits = bytes32(uint256(op.accountGasLimits) - 1);
        else if (field == 4) op.preVerificationGas -= 1;
        else if (field == 5) op.signature[0] = op.signature[0] ^ 0x03;
        else if (field == 6) op.signature[6] = op.signature[6] ^ 0x01;
        else op.paymasterAndData = op.paymasterAndData.length == 0 ? abi.encodePacked(paymaster, bytes32(0)) : bytes("");
        // Another nonce, so that it is not refused for having landed.
        if (field != 0 && _pick(2) == 0) op.nonce = ((1 << 101) + _pick(1 << 60)) << 64;
        list[0] = op;
        vm.prank(BENEFICIARY, BENEFICIARY);
        (bool ok,) = address(entryPoint).call(abi.encodeCall(entryPoint.handleOps, (list, BENEFICIARY)));
        vm.assertFalse(ok, "accepted with a field that nobody signed");
        _tell(true, ALTERED, true);
    }

    /// @dev Any of all, with more weight on the last ones.
    function _recent(uint256 length) internal returns (uint256) {
        return length - 1 - _pick(_pick(2) == 0 || length < 6 ? length : 6);
    }

    // ---- operations

    /// @dev A slot whose passkey the party has; 8 if it has none.
    function _slotOfParty(bool thief) internal returns (uint8) {
        uint256 slots = _held(thief) & 0xff;
        return slots == 0 ? 8 : _lowest(_some(slots, 1));
    }

    /// @dev An operation of the party: signed by its passkey and, if the core signs, by the server key; else by whatever
    /// else it has. False in `made` when it has no passkey at all.
    function _operation(bool thief, OpKind kind, Call[] memory calls, bytes memory callData, uint256 ref)
        internal
        returns (bool made, uint256 n)
    {
        Op memory o;
        o.slot = _slotOfParty(thief);
        if (o.slot == 8) {
            if (!thief || !hostile[secrets[9]]) return (false, 0);
            // The server key without a passkey: it signs in the name of a passkey it does not have.
            (o.slot, o.passkey) = (_lowest(book.slots), secrets[9]);
        } else {
            o.passkey = secrets[o.slot];
        }
        o.server = _coreSigns(thief, o.passkey, calls) ? secrets[9] : o.passkey;
        (o.kind, o.ref, o.sponsored) = (kind, ref, _pick(3) == 0);
        return (true, _makeOp(o, callData, _fee()));
    }

    function _fee() internal returns (uint256) {
        uint256 cap = book.gasCap / GAS;
        uint256 kind = _pick(6);
        if (kind == 0) return cap + 1;
        if (kind < 3) return cap;
        return kind == 3 ? 0 : 1 + _pick(1 gwei);
    }

    function _landOrKeep(bool thief, uint256 move, uint256 n) internal {
        if (_pick(8) != 0) _tell(thief, move, _land(n));
    }

    function _spendSomething(bool thief) internal {
        uint256 count = _pick(6) == 0 ? 2 + _pick(2) : 1;
        uint256[] memory list = new uint256[](count);
        for (uint256 i = 0; i < count; ++i) {
            Call[] memory calls = new Call[](_pick(4) == 0 ? 1 + _pick(3) : 1);
            for (uint256 k = 0; k < calls.length; ++k) calls[k] = _aCall();
            bool made;
            (made, list[i]) = _operation(thief, OpKind.Spend, calls, _batch(calls), 0);
            if (!made) return;
        }
        if (count == 1) _landOrKeep(thief, SPEND, list[0]);
        else _tell(thief, SPEND, _land(list));
    }

    /// @dev Around what is left of the day, or anything.
    function _amount(uint256 asset) internal returns (uint256) {
        uint256 limit = asset == UNLISTED ? 1000 : limits[asset];
        uint256 used = left[asset][_now() / 1 days];
        uint256 rest = used < limit ? limit - used : 0;
        uint256 kind = _pick(8);
        if (kind < 2) return rest;
        if (kind == 2) return rest + 1;
        if (kind == 3) return rest / 2;
        if (kind == 4) return _pick(2 * limit + 1);
        if (kind == 5) return type(uint256).max;
        return _pick(limit / 16 + 1);
    }

    function _aCall() internal returns (Call memory) {
        uint256 kind = _pick(16);
        address to = _pick(2) == 0 ? DRAIN : address(uint160(0xD000 + _pick(4)));
        if (kind < 4) return Call(to, _amount(NATIVE), "");
        if (kind < 13) {
            uint256 asset = _pick(3) == 0 ? UNLISTED : LISTED;
            return Call(address(tokens[asset - 1]), 0, _tokenCall(to, _amount(asset)));
        }
        if (kind == 13) return Call(address(returner), _pick(10), _backCall());
        if (kind == 14) return Call(address(tokens[0]), _amount(NATIVE) % 1 ether, abi.encodeCall(WideToken.deposit, ()));
        uint256 odd = _pick(5);
        if (odd == 0) return Call(address(0), 1, "");
        if (odd == 1) return Call(address(tokens[0]), 0, hex"a9059c");
        if (odd == 2) return Call(address(account), 0, abi.encodeCall(account.approve, (bytes32(odd))));
        if (odd == 3) return Call(address(entryPoint), 1, abi.encodeWithSignature("depositTo(address)", DRAIN));
        return Call(address(entryPoint), 0, abi.encodeWithSignature("withdrawTo(address,uint256)", DRAIN, 1));
    }

    function _backCall() private returns (bytes memory) {
        if (_pick(2) == 0) return "";
        bytes memory back = _call(DRAIN, 1, "");
        if (_pick(2) == 0) back = abi.encodeCall(account.queue, (QueueKind.GasCap, abi.encode(1 ether), 7));
        return abi.encodeCall(Returner.enter, (back));
    }

    /// @dev Every function of `WideToken` that costs its caller something.
    function _tokenCall(address to, uint256 amount) private returns (bytes memory) {
        address me = address(account);
        uint256 kind = _pick(2) == 0 ? _pick(4) : _pick(31);
        if (kind < 2) return abi.encodeWithSelector(0xa9059cbb, to, amount);
        if (kind == 2) return abi.encodeWithSelector(0x095ea7b3, DRAIN, amount);
        if (kind == 3) return abi.encodeWithSelector(0x23b872dd, me, to, amount);
        if (kind == 4) return abi.encodeCall(WideToken.increaseAllowance, (DRAIN, amount));
        if (kind == 5) return abi.encodeCall(WideToken.decreaseAllowance, (DRAIN, 1));
        if (kind == 6) return abi.encodeWithSelector(0xd505accf, me, DRAIN, amount, 0, 0, 0, 0);
        if (kind == 7) return abi.encodeWithSelector(0x8fcbaf0c, me, DRAIN, 0, 0, amount % 2, 0, 0, 0);
        if (kind == 8) return abi.encodeWithSelector(0x9fd5a6cf, me, DRAIN, amount, 0, 160, 0);
        if (kind == 9) return abi.encodeCall(WideToken.setApprovalForAll, (DRAIN, amount % 4 != 0));
        if (kind == 10) return abi.encodeCall(WideToken.authorizeOperator, (DRAIN));
        if (kind == 11) return abi.encodeCall(WideToken.send, (to, amount, ""));
        if (kind == 12) return abi.encodeWithSelector(0x1296ee62, to, amount);
        if (kind == 13) return abi.encodeWithSelector(0x4000aea0, to, amount, 96, 0);
        if (kind == 14) return abi.encodeWithSelector(0x3177029f, DRAIN, amount);
        if (kind == 15) return abi.encodeWithSelector(0xcae9ca51, DRAIN, amount, 96, 0);
        if (kind == 16) return abi.encodeWithSelector(0x42842e0e, me, to, amount);
        if (kind == 17) return abi.encodeWithSelector(0xb88d4fde, me, to, amount, 128, 0);
        if (kind == 18) return abi.encodeWithSelector(0xf242432a, me, to, 1, amount, 160, 0);
        if (kind == 19) return abi.encodeWithSelector(0xd8fbe994, me, to, amount);
        if (kind == 20) return abi.encodeCall(WideToken.operatorSend, (me, to, amount, "", ""));
        if (kind == 21) return abi.encodeWithSelector(0x42966c68, amount);
        if (kind == 22) return abi.encodeCall(WideToken.burnFrom, (me, amount));
        if (kind == 23) return abi.encodeCall(WideToken.operatorBurn, (me, amount, "", ""));
        if (kind == 24) return abi.encodeCall(WideToken.revokeOperator, (DRAIN));
        if (kind == 25) return abi.encodeCall(WideToken.setOperator, (DRAIN, amount % 4 != 0));
        if (kind == 26) return abi.encodeWithSelector(0x095bcdb6, to, 1, amount);
        if (kind == 27) return abi.encodeWithSelector(0x426a8493, DRAIN, 1, amount);
        if (kind == 28) return abi.encodeWithSelector(0xfe99049a, me, to, 1, amount);
        bytes[] memory inner = new bytes[](1);
        inner[0] = abi.encodeWithSelector(0xa9059cbb, to, amount);
        if (kind == 29) return abi.encodeWithSelector(0xac9650d8, inner);
        return abi.encodeWithSelector(0x5ae401dc, type(uint256).max, inner);
    }

    // ---- the queue

    function _queueSomething(bool thief) internal {
        uint256 n = _pick(4) == 0 && queued.length != 0 ? _recent(queued.length) : _newContent();
        (bool made, uint256 op) = _operation(thief, OpKind.Queue, new Call[](0), _queueData(n), n);
        if (made) _landOrKeep(thief, QUEUE, op);
    }

    function _newContent() private returns (uint256) {
        int256[ASSETS] memory takes;
        uint256 kind = _pick(8);
        if (kind == 0) {
            // Mostly up again, so that a limit that was lowered does not stay low.
            uint256 asset = _pick(2);
            uint256 perDay = (asset == 0 ? NATIVE_LIMIT : TOKEN_LIMIT) * (80 + _pick(40)) / 100;
            return _newQueued(QueueKind.Limit, abi.encode(asset == 0 ? address(0) : address(tokens[0]), perDay), takes);
        }
        if (kind == 1) return _newQueued(QueueKind.GasCap, abi.encode(GAS_CAP * (80 + _pick(40)) / 100), takes);
        if (kind == 2) return _newQueued(QueueKind.Domain, abi.encode(bytes32(0)), takes);
        if (kind < 5) return _newQueued(QueueKind.AllowedCall, abi.encode(address(shop), shop.buy.selector), takes);
        Call[] memory calls = new Call[](1 + _pick(2));
        for (uint256 i = 0; i < calls.length; ++i) {
            uint256 asset = _pick(3);
            uint256 amount = asset == NATIVE ? _pick(1 ether) : _pick(3000);
            takes[asset] += int256(amount);
            calls[i] = asset == NATIVE
                ? Call(DRAIN, amount, "")
                : Call(address(tokens[asset - 1]), 0, abi.encodeWithSelector(0xa9059cbb, DRAIN, amount));
        }
        return _newQueued(QueueKind.Spend, abi.encode(calls), takes);
    }

    function _confirmSomething(bool thief) internal {
        if (queued.length == 0) return;
        uint256 n = _recent(queued.length);
        bytes32 id = waiting.length == 0 ? bytes32(0) : _aRipe(true);
        if (entries[id].kind == ItemKind.Queued) n = entries[id].ref;
        id = _idOf(n);
        bool open = entries[id].open;
        (bool made, uint256 op) = _operation(thief, OpKind.Confirm, new Call[](0), _confirmData(n), n);
        if (!made) return;
        _land(op);
        _tell(thief, CONFIRM, open && !entries[id].open);
    }

    // ---- sessions

    function _grantSomething(bool thief) internal {
        uint256 perCall = _pick(2) == 0 ? 1 + _pick(100) : NATIVE_LIMIT / (1 + _pick(4));
        uint256 n = _newGrant(perCall, perCall * (1 + _pick(3)), _now(), 1 + _pick(2 hours + 60));
        Call[] memory none = new Call[](0);
        Grant memory grant = abi.decode(granted[n].grant, (Grant));
        bytes memory data = _selfCall(abi.encodeCall(account.createGrant, (grant)));
        (bool made, uint256 op) = _operation(thief, OpKind.MakeGrant, none, data, n);
        if (!made) return;
        // Behind the first second of the grant, which EntryPoint 0.8 excludes.
        if (_land(op)) _pass(1);
        _tell(thief, GRANT, granted[n].live);
        if (_pick(2) == 0) _useGrant();
    }

    /// @dev The core signs a session for whoever shows that the grant was given (trusted/core/rules_session.cpp), so does
    /// a thief of its key for anything.
    function _useGrant() internal {
        if (granted.length == 0) return;
        uint256 n = _pick(2) == 0 ? granted.length - 1 : _recent(granted.length);
        Granted memory g = granted[n];
        Grant memory content = abi.decode(g.grant, (Grant));
        Op memory o;
        (o.kind, o.ref, o.server) = (OpKind.Session, n, _pick(8) == 0 ? PASSKEY : secrets[9]);
        uint256 count = 1 + _pick(2);
        (o.sponsored, o.value) = (_pick(8) != 0, _pick(3) == 0 ? g.valueLeft : _pick(count * content.valuePerCall + 2));
        uint256 op = _makeOp(o, _sessionData(n, count, o.value / count), 1);
        ops[op].value = o.value / count * count;
        _landOrKeep(hostile[secrets[9]], SESSION, op);
    }
}
