// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {PackedUserOperation} from "@openzeppelin/contracts/interfaces/IERC4337.sol";
import {Call, Grant, ItemKind, QueueKind} from "../../src/lib/AccountTypes.sol";
import {Spending} from "../../src/account/Spending.sol";
import {Assertion} from "../support/Fixture.sol";
import {PlainMoves} from "./PlainMoves.t.sol";

/// @dev User operations through the real EntryPoint: made, signed, kept, landed, landed again; and what the rules make of
/// each that is accepted. What it moved is measured from outside (`_settle`), not computed.
abstract contract OperationMoves is PlainMoves {
    enum OpKind {
        Spend,
        Queue,
        Confirm,
        MakeGrant,
        Session
    }

    /// @dev `passkey` and `server` are the secrets that signed; `ref` is a queued item or a grant; `value` what a session's
    /// calls carry, in wei; `day` what the signature claims.
    struct Op {
        OpKind kind;
        bool landed;
        bool sponsored;
        uint8 slot;
        uint32 day;
        uint256 passkey;
        uint256 server;
        uint256 ref;
        uint256 value;
        bytes packed;
    }

    /// @dev `takes`: what its calls move of each asset.
    struct Queued {
        QueueKind kind;
        uint256 salt;
        bytes content;
        int256[ASSETS] takes;
    }

    /// @dev `id` is zero until an operation made it live.
    struct Granted {
        bytes32 id;
        uint32 epoch;
        bool live;
        uint256 valueLeft;
        bytes grant;
    }

    uint256 private constant VERIFICATION_GAS = 700_000;
    uint256 private constant CALL_GAS = 600_000;
    uint256 private constant PRE_VERIFICATION_GAS = 50_000;
    uint256 internal constant GAS = VERIFICATION_GAS + CALL_GAS + PRE_VERIFICATION_GAS;

    Op[] internal ops;
    Queued[] internal queued;
    Granted[] internal granted;
    mapping(bytes32 id => uint256 place) private grantPlace;

    function _grantLive(bytes32 id) internal view override returns (bool) {
        if (grantPlace[id] == 0) return false;
        Granted storage g = granted[grantPlace[id] - 1];
        return g.id == id && g.live && g.epoch == book.epoch;
    }

    function _grantEnds(bytes32 id) internal override {
        granted[grantPlace[id] - 1].live = false;
    }

    // ---- making one

    /// @dev Signed by the secret `passkey` in the name of `slot` and by the secret `server`; `feePerGas` in wei counts when
    /// nobody sponsors it.
    function _makeOp(Op memory o, bytes memory callData, uint256 feePerGas) internal returns (uint256 n) {
        n = ops.length;
        PackedUserOperation memory op;
        op.sender = address(account);
        // A key of its own, so that one that was kept back can still land later.
        op.nonce = (n + 1) << 64;
        op.callData = callData;
        op.accountGasLimits = _pack(VERIFICATION_GAS, CALL_GAS);
        op.preVerificationGas = PRE_VERIFICATION_GAS;
        op.gasFees = _pack(feePerGas, feePerGas);
        if (o.sponsored) {
            op.gasFees = _pack(1, 1);
            op = _sponsored(op, NEVER, 0, SIGNER);
        }
        bytes32 hash = entryPoint.getUserOpHash(op);
        bytes memory server = _serverSignature(o.server, hash);
        if (o.kind == OpKind.Session) {
            op.signature = abi.encodePacked(uint8(2), server);
        } else {
            o.day = o.sponsored ? 0 : _day();
            Assertion memory a = _assertion();
            a.key = o.passkey;
            op.signature = _dual(o.day, o.slot, server, a, hash);
        }
        o.packed = abi.encode(op);
        ops.push(o);
    }

    // ---- landing

    /// @dev A bundle of what was signed before. Whatever the EntryPoint accepts must be live, signed by both keys of today
    /// and of this day; whatever it moves is entered.
    function _land(uint256[] memory list) internal returns (bool ok) {
        PackedUserOperation[] memory bundle = new PackedUserOperation[](list.length);
        for (uint256 i = 0; i < list.length; ++i) bundle[i] = abi.decode(ops[list[i]].packed, (PackedUserOperation));
        int256 nativeBefore = secured[NATIVE];
        vm.prank(BENEFICIARY, BENEFICIARY);
        try entryPoint.handleOps(bundle, BENEFICIARY) {
            ok = true;
        } catch {
            return false;
        }
        int256[ASSETS] memory confirmed;
        for (uint256 i = 0; i < list.length; ++i) {
            Op memory o = ops[list[i]];
            vm.assertTrue(_maySign(o), "an operation against the rules");
            ops[list[i]].landed = true;
            if (o.kind == OpKind.Queue) _afterQueue(o);
            else if (o.kind == OpKind.Confirm) _afterConfirm(o, confirmed);
            else if (o.kind == OpKind.MakeGrant) _afterGrant(o);
            else if (o.kind == OpKind.Session) _afterSession(o, nativeBefore);
        }
        _settle(confirmed);
    }

    function _land(uint256 n) internal returns (bool) {
        uint256[] memory list = new uint256[](1);
        list[0] = n;
        return _land(list);
    }

    function _maySign(Op memory o) private view returns (bool) {
        if (o.landed || _frozenNow() || o.server != secrets[9]) return false;
        if (o.kind == OpKind.Session) {
            Granted storage g = granted[o.ref];
            Grant memory grant = abi.decode(g.grant, (Grant));
            return g.live && g.epoch == book.epoch && o.sponsored && _now() >= grant.validAfter
                && _now() <= grant.validUntil;
        }
        return _live(o.slot) && o.passkey == secrets[o.slot] && o.day == (o.sponsored ? 0 : _day());
    }

    function _afterQueue(Op memory o) private {
        bytes32 id = _idOf(o.ref);
        (ItemKind kind,,,,) = account.item(id);
        if (kind == ItemKind.Queued && entries[id].kind == ItemKind.None) {
            _enter(id, ItemKind.Queued, 0, hostile[o.passkey], o.ref);
        }
    }

    /// @dev It acted if the item is over; then it had to be ripe.
    function _afterConfirm(Op memory o, int256[ASSETS] memory confirmed) private {
        bytes32 id = _idOf(o.ref);
        Entry memory e = entries[id];
        (ItemKind kind,,,,) = account.item(id);
        if (!e.open || kind != ItemKind.Done) return;
        vm.assertTrue(_ripe(e), "confirmed against the rules");
        _close(id);
        Queued memory q = queued[o.ref];
        if (q.kind == QueueKind.Spend) {
            for (uint256 a = 0; a < ASSETS; ++a) confirmed[a] += q.takes[a];
            if (e.hostile) ++takenQueued;
        } else if (q.kind == QueueKind.Limit) {
            (address token, uint256 perDay) = abi.decode(q.content, (address, uint256));
            limits[token == address(0) ? 0 : 1] = perDay;
        } else if (q.kind == QueueKind.GasCap) {
            book.gasCap = abi.decode(q.content, (uint96));
        } else if (q.kind == QueueKind.Domain) {
            book.personal = true;
        } else {
            book.buyAllowed = true;
        }
    }

    function _afterGrant(Op memory o) private {
        Granted memory g = granted[o.ref];
        Grant memory grant = abi.decode(g.grant, (Grant));
        bytes32 id = keccak256(abi.encode(block.chainid, address(account), book.epoch, grant));
        (bool live, uint256 valueLeft) = account.grantState(id);
        if (!live || grantPlace[id] != 0) return;
        bool good = grant.validUntil > _now() && grant.validUntil <= _now() + 2 hours && grant.target == address(shop);
        vm.assertTrue(good && valueLeft == grant.valueTotal, "a grant against the rules");
        grantPlace[id] = o.ref + 1;
        (g.id, g.epoch, g.live, g.valueLeft) = (id, book.epoch, true, valueLeft);
        granted[o.ref] = g;
    }

    /// @dev The paymaster pays for the gas, so what the account lost is what the calls carried, or nothing.
    function _afterSession(Op memory o, int256 nativeBefore) private {
        Granted storage g = granted[o.ref];
        int256 lost = nativeBefore - _secured(NATIVE);
        Grant memory grant = abi.decode(g.grant, (Grant));
        (, uint256 valueLeft) = account.grantState(g.id);
        if (lost != 0) {
            vm.assertTrue(lost == int256(o.value), "a session's calls and nothing else");
            vm.assertTrue(o.value <= g.valueLeft && o.value <= 2 * uint256(grant.valuePerCall), "within the grant");
            g.valueLeft -= o.value;
        }
        vm.assertEq(valueLeft, g.valueLeft, "the grant counts what it spends");
    }

    // ---- contents

    function _idOf(uint256 n) internal view returns (bytes32) {
        Queued storage q = queued[n];
        return keccak256(
            abi.encode(block.chainid, address(account), q.kind, keccak256(q.content), q.salt, book.epoch)
        );
    }

    function _selfCall(bytes memory data) internal view returns (bytes memory) {
        return _call(address(account), 0, data);
    }

    function _queueData(uint256 n) internal view returns (bytes memory) {
        Queued memory q = queued[n];
        return _selfCall(abi.encodeCall(Spending.queue, (q.kind, q.content, q.salt)));
    }

    function _confirmData(uint256 n) internal view returns (bytes memory) {
        Queued memory q = queued[n];
        return _selfCall(abi.encodeCall(Spending.confirm, (q.kind, q.content, q.salt)));
    }

    function _newQueued(QueueKind kind, bytes memory content, int256[ASSETS] memory takes) internal returns (uint256 n) {
        n = queued.length;
        queued.push(Queued(kind, n, content, takes));
    }

    function _newGrant(uint256 perCall, uint256 total, uint256 start, uint256 duration) internal returns (uint256 n) {
        n = granted.length;
        Grant memory grant;
        grant.target = address(shop);
        grant.selectors = new bytes4[](2);
        (bytes4 one, bytes4 two) = (shop.buy.selector, shop.look.selector);
        (grant.selectors[0], grant.selectors[1]) = one < two ? (one, two) : (two, one);
        (grant.valuePerCall, grant.valueTotal) = (uint128(perCall), uint128(total));
        (grant.validAfter, grant.validUntil) = (uint48(start), uint48(start + duration));
        (grant.paymaster, grant.salt) = (address(paymaster), n);
        granted.push(Granted(0, 0, false, 0, abi.encode(grant)));
    }

    /// @dev `count` calls of the grant's function with `value` wei each.
    function _sessionData(uint256 n, uint256 count, uint256 value) internal view returns (bytes memory) {
        Call[] memory calls = new Call[](count);
        for (uint256 i = 0; i < count; ++i) calls[i] = Call(address(shop), value, abi.encodeCall(shop.buy, (i)));
        Grant memory grant = abi.decode(granted[n].grant, (Grant));
        return abi.encodeCall(account.executeSession, (grant, abi.encode(calls)));
    }
}
