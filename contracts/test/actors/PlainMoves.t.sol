// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    GuardianProof,
    ItemKind,
    KeyChange,
    Passkey,
    RuleChange,
    Signature,
    Stamp
} from "../../src/lib/AccountTypes.sol";
import {Books} from "./Books.t.sol";

/// @dev Plain functions: what anybody may sign, submit, leave out, add to and submit again, and what the rules make of it.
/// A signed struct is kept as its fields and signers; signing is deterministic (RFC 6979), so the same bytes come out
/// whenever somebody submits it.
abstract contract PlainMoves is Books {
    enum Fn {
        Freeze,
        Unfreeze,
        ChangeKeys,
        ChangeRules,
        Escape,
        Recover,
        Upgrade,
        ConfirmUpgrade,
        Cancel,
        CancelAsGuardians,
        LowerLimit,
        LowerGasCap,
        UnlistDomain,
        DisallowCall,
        RevokeGrant
    }

    /// @dev `removed`, `added`, `second` (of an escape), `server` and `escapeKey` are secrets, zero for none; `subject` is an item, a grant or a
    /// token, `amount` a limit, a cap or the number of an implementation; `other` the stamp of the upgrade that is
    /// confirmed. `signed`: whose signatures exist.
    struct Plain {
        Fn fn;
        uint8 votes;
        bool used;
        bool strict;
        bool unlisted;
        uint16 signed;
        uint32 delay;
        uint256 removed;
        uint256 added;
        uint256 second;
        uint256 server;
        uint256 escapeKey;
        bytes32 subject;
        uint256 amount;
        Stamp stamp;
        Stamp other;
        bytes32 digest;
    }

    Plain[] internal plains;
    mapping(uint256 plain => mapping(uint256 signer => uint256 secret)) internal signedWith;
    uint256 private stampNonce;

    /// @dev What a live grant may still spend; of the operations' half of the books.
    function _grantLive(bytes32 id) internal view virtual returns (bool);
    function _grantEnds(bytes32 id) internal virtual;

    // ---- submitting

    /// @dev Submits what the signers in `mask` signed and compares the answer with the rules, both ways.
    function _submit(uint256 n, uint256 mask) internal returns (bool ok) {
        Plain memory p = plains[n];
        bool may = _mayAct(p, n, mask);
        (ok,) = address(account).call(_encode(p, n, mask));
        vm.assertTrue(ok == may, ok ? "accepted against the rules" : "refused against the rules");
        if (!ok) return false;
        plains[n].used = true;
        _act(p, n, mask);
    }

    /// @dev Anybody carries out what waits; the answer follows from the clocks alone.
    function _finish(bytes32 id) internal returns (bool ok) {
        Entry memory e = entries[id];
        if (e.kind == ItemKind.None || e.kind == ItemKind.Queued || e.kind == ItemKind.Upgrade) return false;
        Plain memory p = plains[e.ref];
        bool may = _ripe(e);
        (ok,) = address(account).call(_encodeFinish(p));
        vm.assertTrue(ok == may, ok ? "finished against the rules" : "not finished against the rules");
        if (!ok) return false;
        _close(id);
        if (e.hostile) ++takenOver;
        if (e.kind == ItemKind.Unfreeze) _thaw();
        else if (e.kind == ItemKind.ChangeRules) _applyRules(p);
        else _applyKeys(p);
    }

    // ---- the rules

    function _mayAct(Plain memory p, uint256 n, uint256 mask) internal view returns (bool) {
        if (p.used || p.stamp.keyEpoch != book.epoch || p.stamp.deadline < _now()) return false;
        for (uint256 i = 0; i < 10; ++i) {
            if ((mask >> i) & 1 != 0 && (!_live(i) || signedWith[n][i] != secrets[uint8(i)])) return false;
        }
        uint256 votes = _bits(mask & VOTE_BITS);
        bool gate = mask & GATE_BIT != 0;
        for (uint256 i = 0; i < 3; ++i) {
            if ((mask >> (10 + i)) & 1 != 0 && signedWith[n][10 + i] != guardianSecrets[i]) return false;
        }
        if (p.fn == Fn.Freeze) return _mayFreeze(mask, votes, gate);
        if (p.fn == Fn.Recover) return _agreed(mask);
        if (p.fn == Fn.CancelAsGuardians) {
            Entry memory e = entries[p.subject];
            return e.open && e.epoch == book.epoch && e.kind != ItemKind.Recover && e.kind != ItemKind.Queued
                && _agreed(mask);
        }
        if (p.fn == Fn.Cancel) return _mayCancel(entries[p.subject], mask, votes, gate);
        if (p.fn >= Fn.LowerLimit) return _bits(mask & (VOTE_BITS | GATE_BIT)) == 1 && _isLess(p);
        if (p.votes == 0 || p.votes > 2 || votes != p.votes) return false;
        if (gate != (p.fn != Fn.Escape && p.fn != Fn.ConfirmUpgrade)) return false;
        if (p.fn == Fn.Unfreeze) return _frozenNow();
        if (p.fn == Fn.ChangeKeys) return _keysInOrder(p);
        return p.fn != Fn.ConfirmUpgrade || _ripe(entries[p.subject]);
    }

    function _mayFreeze(uint256 mask, uint256 votes, bool gate) private view returns (bool) {
        if (_bits(mask & (VOTE_BITS | GATE_BIT)) != 1 || book.frozenUntil == NEVER) return false;
        return votes == 1 || (gate && _now() >= book.serverFreezeNotBefore);
    }

    function _agreed(uint256 mask) private view returns (bool) {
        return book.threshold != 0 && _bits(mask & GUARDIAN_BITS) >= book.threshold;
    }

    function _mayCancel(Entry memory e, uint256 mask, uint256 votes, bool gate) private view returns (bool) {
        if (!e.open || e.epoch != book.epoch) return false;
        if (e.kind == ItemKind.Queued) return (votes == 1) != gate && votes < 2;
        if (gate) return false;
        if (e.kind == ItemKind.Recover) return votes == 2;
        if (e.kind == ItemKind.Upgrade) return votes == 1;
        return votes == 1 && _bits(e.votes) == 1 && mask & e.votes == 0;
    }

    function _isLess(Plain memory p) private view returns (bool) {
        if (p.fn == Fn.LowerLimit) return p.subject != "" ? p.amount < limits[1] : p.amount < limits[0];
        if (p.fn == Fn.LowerGasCap) return p.amount < book.gasCap;
        if (p.fn == Fn.UnlistDomain) return book.personal;
        if (p.fn == Fn.DisallowCall) return book.buyAllowed;
        return _grantLive(p.subject);
    }

    /// @dev New secrets are always good keys, so that only the number of passkeys and the removed one can be wrong.
    function _keysInOrder(Plain memory p) private view returns (bool) {
        uint256 count = _bits(book.slots) + (p.added != 0 ? 1 : 0);
        if (p.removed != 0) {
            if (_slotOf(p.removed) == 8) return false;
            --count;
        }
        return count >= 1 && count <= 8;
    }

    /// @dev 8 when no slot has it.
    function _slotOf(uint256 secret) internal view returns (uint8 slot) {
        while (slot < 8 && (!_live(slot) || secrets[slot] != secret)) ++slot;
    }

    // ---- what follows

    function _act(Plain memory p, uint256 n, uint256 mask) private {
        uint256 votes = mask & VOTE_BITS;
        bool byAdversary = _allHostile(n, mask);
        if (p.fn == Fn.Freeze) return _freezeBook(mask);
        if (p.fn == Fn.Cancel || p.fn == Fn.CancelAsGuardians) return _close(p.subject);
        if (p.fn == Fn.Recover) return _enter(p.digest, ItemKind.Recover, 0, byAdversary, n);
        if (p.fn == Fn.Escape) return _enter(p.digest, ItemKind.Escape, votes, byAdversary, n);
        if (p.fn == Fn.Upgrade) return _enter(p.digest, ItemKind.Upgrade, votes, byAdversary, n);
        if (p.fn == Fn.ConfirmUpgrade) {
            _close(p.subject);
            implementation = p.amount;
        } else if (p.fn >= Fn.LowerLimit) {
            _lower(p);
        } else if (p.votes == 1) {
            ItemKind kind = p.fn == Fn.Unfreeze
                ? ItemKind.Unfreeze
                : p.fn == Fn.ChangeKeys ? ItemKind.ChangeKeys : ItemKind.ChangeRules;
            return _enter(p.digest, kind, votes, byAdversary, n);
        } else if (p.fn == Fn.Unfreeze) {
            _thaw();
        } else if (p.fn == Fn.ChangeKeys) {
            _applyKeys(p);
        } else {
            _applyRules(p);
        }
        if (byAdversary && p.fn < Fn.LowerLimit) ++takenOver;
    }

    /// @dev Whether nobody but the adversary wanted it: no vote and no guardian of the owner's signed.
    function _allHostile(uint256 n, uint256 mask) private view returns (bool) {
        for (uint256 i = 0; i < 13; ++i) {
            if (i != 9 && (mask >> i) & 1 != 0 && !hostile[signedWith[n][i]]) return false;
        }
        return true;
    }

    function _freezeBook(uint256 mask) private {
        uint48 time = uint48(_now());
        // One that replaces another is a new one: an unfreeze that was started before does not end it.
        (book.frozenSince, book.frozenUntil) = (time, NEVER);
        if (mask & GATE_BIT == 0) return;
        book.frozenUntil = time + 7 days;
        book.serverFreezeNotBefore = time + 37 days;
    }

    function _thaw() private {
        (book.frozenUntil, book.frozenSince) = (0, 0);
    }

    function _lower(Plain memory p) private {
        if (p.fn == Fn.LowerLimit) limits[p.subject != "" ? 1 : 0] = p.amount;
        else if (p.fn == Fn.LowerGasCap) book.gasCap = uint96(p.amount);
        else if (p.fn == Fn.UnlistDomain) book.personal = false;
        else if (p.fn == Fn.DisallowCall) book.buyAllowed = false;
        else _grantEnds(p.subject);
    }

    function _applyRules(Plain memory p) private {
        (book.threshold, book.recoveryDelay) = (setting.guardians ? 2 : 0, p.delay);
        (book.strict, book.unlisted) = (p.strict, p.unlisted);
        ++book.epoch;
    }

    /// @dev Escape and recovery begin without passkeys and end a freeze; a change keeps what it does not name.
    function _applyKeys(Plain memory p) private {
        if (p.fn != Fn.ChangeKeys) {
            book.slots = 0;
            _thaw();
            // The new keys come with a new wallet, whose core knows them.
            (coreKnows[p.added], coreKnows[p.second]) = (true, true);
        } else if (p.removed != 0) {
            book.slots &= ~uint8(1 << _slotOf(p.removed));
        }
        if (p.added != 0) _place(p.added);
        if (p.second != 0) _place(p.second);
        if (p.server != 0) secrets[9] = p.server;
        if (p.escapeKey != 0) secrets[8] = p.escapeKey;
        ++book.epoch;
    }

    /// @dev Into the lowest free slot.
    function _place(uint256 passkeySecret) private {
        uint8 slot;
        while ((book.slots >> slot) & 1 != 0) ++slot;
        book.slots |= uint8(1 << slot);
        secrets[slot] = passkeySecret;
    }

    // ---- making one

    function _newStamp(uint256 life) internal returns (Stamp memory) {
        return Stamp(book.epoch, ++stampNonce, uint48(_now() + life));
    }

    /// @dev Signed by `mask` with the keys of today; `forger`, when not zero, signs in the place of the lowest of them.
    function _keep(Plain memory p, uint256 mask, uint256 forger) internal returns (uint256 n) {
        n = plains.length;
        p.signed = uint16(mask);
        p.digest = _digestOf(p);
        plains.push(p);
        for (uint256 i = 0; i < 13; ++i) {
            if ((mask >> i) & 1 == 0) continue;
            uint256 secret = i < 10 ? secrets[uint8(i)] : guardianSecrets[i - 10];
            if (forger != 0) (secret, forger) = (forger, 0);
            signedWith[n][i] = secret;
        }
    }

    /// @dev Adds today's signatures of `mask` to a struct that others signed before.
    function _sign(uint256 n, uint256 mask) internal {
        mask &= ~uint256(plains[n].signed);
        plains[n].signed |= uint16(mask);
        for (uint256 i = 0; i < 13; ++i) {
            if ((mask >> i) & 1 != 0) signedWith[n][i] = i < 10 ? secrets[uint8(i)] : guardianSecrets[i - 10];
        }
    }

    // ---- encoding

    function _change(Plain memory p) private pure returns (KeyChange memory c) {
        if (p.removed != 0) {
            c.removed = new uint256[](1);
            (c.removed[0],) = vm.publicKeyP256(p.removed);
        }
        if (p.added != 0) c.added = _added(p);
        if (p.server != 0) c.serverKey = vm.addr(p.server);
        if (p.escapeKey != 0) c.escapeKey = vm.addr(p.escapeKey);
        c.votes = p.votes;
    }

    function _added(Plain memory p) private pure returns (Passkey[] memory keys) {
        keys = new Passkey[](p.second == 0 ? 1 : 2);
        keys[0] = _passkey(p.added);
        if (p.second != 0) keys[1] = _passkey(p.second);
    }

    function _rules(Plain memory p) private view returns (RuleChange memory) {
        (bytes32 hash, uint8 threshold) = setting.guardians ? (_guardiansHash(), 2) : (bytes32(0), 0);
        return RuleChange(hash, threshold, p.delay, p.strict, p.unlisted, p.votes);
    }

    function _code(Plain memory p) private view returns (address) {
        return address(implementations[p.amount]);
    }

    function _digestOf(Plain memory p) private view returns (bytes32) {
        if (p.fn == Fn.Freeze) return _freezeDigest(p.stamp);
        if (p.fn == Fn.Unfreeze) return _unfreezeDigest(p.votes, p.stamp);
        if (p.fn == Fn.ChangeKeys) return _keysDigest(_change(p), p.stamp);
        if (p.fn == Fn.ChangeRules) return _rulesDigest(_rules(p), p.stamp);
        if (p.fn == Fn.Escape) return _escapeDigest(_added(p), vm.addr(p.server), p.votes, p.stamp);
        if (p.fn == Fn.Recover) {
            return _recoverDigest(_added(p), vm.addr(p.server), vm.addr(p.escapeKey), p.stamp);
        }
        if (p.fn == Fn.Upgrade) return _upgradeDigest(_code(p), _code(p).codehash, p.stamp);
        if (p.fn == Fn.ConfirmUpgrade) return _digest("ConfirmUpgrade(bytes32 item,", abi.encode(p.subject), p.stamp);
        if (p.fn <= Fn.CancelAsGuardians) return _cancelDigest(p.subject, p.stamp);
        if (p.fn == Fn.LowerLimit) {
            return _digest("LowerLimit(address token,uint256 perDay,", abi.encode(p.subject, p.amount), p.stamp);
        }
        if (p.fn == Fn.LowerGasCap) return _digest("LowerGasCap(uint256 maxCost,", abi.encode(p.amount), p.stamp);
        if (p.fn == Fn.UnlistDomain) {
            return _digest("UnlistDomain(bytes32 domainSeparator,", abi.encode(bytes32(0)), p.stamp);
        }
        if (p.fn == Fn.DisallowCall) {
            bytes memory content = abi.encode(address(shop), shop.buy.selector);
            return _digest("DisallowCall(address target,bytes4 selector,", content, p.stamp);
        }
        return _digest("RevokeGrant(bytes32 grantId,", abi.encode(p.subject), p.stamp);
    }

    function _encode(Plain memory p, uint256 n, uint256 mask) private view returns (bytes memory) {
        if (p.fn == Fn.Recover) {
            (Passkey[] memory keys, address server) = (_added(p), vm.addr(p.server));
            return abi.encodeCall(account.recover, (keys, server, vm.addr(p.escapeKey), p.stamp, _proof(p, n, mask)));
        }
        if (p.fn == Fn.CancelAsGuardians) {
            return abi.encodeCall(account.cancelAsGuardians, (p.subject, p.stamp, _proof(p, n, mask)));
        }
        Signature[] memory list = _list(p, n, mask & (VOTE_BITS | GATE_BIT));
        if (p.fn == Fn.Freeze) return abi.encodeCall(account.freeze, (p.stamp, list));
        if (p.fn == Fn.Unfreeze) return abi.encodeCall(account.unfreeze, (p.votes, p.stamp, list));
        if (p.fn == Fn.ChangeKeys) return abi.encodeCall(account.changeKeys, (_change(p), p.stamp, list));
        if (p.fn == Fn.ChangeRules) return abi.encodeCall(account.changeRules, (_rules(p), p.stamp, list));
        if (p.fn == Fn.Escape) {
            return abi.encodeCall(account.escape, (_added(p), vm.addr(p.server), p.votes, p.stamp, list));
        }
        if (p.fn == Fn.Upgrade) return abi.encodeCall(account.upgrade, (_code(p), _code(p).codehash, p.stamp, list));
        if (p.fn == Fn.ConfirmUpgrade) {
            return abi.encodeCall(account.confirmUpgrade, (_code(p), _code(p).codehash, p.other, p.stamp, list));
        }
        if (p.fn == Fn.Cancel) return abi.encodeCall(account.cancel, (p.subject, p.stamp, list));
        return _encodeLess(p, list);
    }

    function _encodeLess(Plain memory p, Signature[] memory list) private view returns (bytes memory) {
        if (p.fn == Fn.LowerLimit) {
            address token = address(uint160(uint256(p.subject)));
            return abi.encodeCall(account.lowerLimit, (token, p.amount, p.stamp, list));
        }
        if (p.fn == Fn.LowerGasCap) return abi.encodeCall(account.lowerGasCap, (p.amount, p.stamp, list));
        if (p.fn == Fn.UnlistDomain) return abi.encodeCall(account.unlistDomain, (0, p.stamp, list));
        if (p.fn == Fn.DisallowCall) {
            return abi.encodeCall(account.disallowCall, (address(shop), shop.buy.selector, p.stamp, list));
        }
        return abi.encodeCall(account.revokeGrant, (p.subject, p.stamp, list));
    }

    function _encodeFinish(Plain memory p) private view returns (bytes memory) {
        if (p.fn == Fn.Unfreeze) return abi.encodeCall(account.finishUnfreeze, (p.votes, p.stamp));
        if (p.fn == Fn.ChangeKeys) return abi.encodeCall(account.finishChangeKeys, (_change(p), p.stamp));
        if (p.fn == Fn.ChangeRules) return abi.encodeCall(account.finishChangeRules, (_rules(p), p.stamp));
        (Passkey[] memory keys, address server) = (_added(p), vm.addr(p.server));
        if (p.fn == Fn.Escape) return abi.encodeCall(account.finishEscape, (keys, server, p.votes, p.stamp));
        return abi.encodeCall(account.finishRecover, (keys, server, vm.addr(p.escapeKey), p.stamp));
    }

    function _list(Plain memory p, uint256 n, uint256 mask) private view returns (Signature[] memory list) {
        list = new Signature[](_bits(mask));
        uint256 k;
        for (uint8 i = 0; i < 10; ++i) {
            if ((mask >> i) & 1 != 0) list[k++] = _by(i, signedWith[n][i], p.digest);
        }
    }

    function _proof(Plain memory p, uint256 n, uint256 mask) private view returns (GuardianProof memory proof) {
        (proof.salt, proof.guardians, proof.signatures) = (GUARDIAN_SALT, guardianList, new bytes[](3));
        for (uint256 i = 0; i < 3; ++i) {
            uint256 signer = 10 + i;
            if ((mask >> signer) & 1 != 0) proof.signatures[i] = _serverSignature(signedWith[n][signer], p.digest);
        }
    }
}
