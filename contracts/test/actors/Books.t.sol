// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccountInit, GasCap, ItemKind, Passkey, SpendingLimit} from "../../src/lib/AccountTypes.sol";
import {CommunityAccount} from "../../src/CommunityAccount.sol";
import {VoteFixture} from "../support/VoteFixture.sol";
import {Returner, Shop} from "./Places.t.sol";
import {WideToken} from "./WideToken.t.sol";

/// @dev What one configuration is: which secrets the adversary has, and who behaves how.
struct Setting {
    /// Bits: 0 first passkey, 1 second passkey, 8 escape key, 9 server key, 10 to 12 guardians.
    uint256 stolen;
    bool secondPasskey;
    bool guardians;
    /// The owner looks so often, in seconds, and ends whatever the adversary started; 0: never.
    uint256 lookEvery;
    /// How long at most what the owner signs may be submitted, in seconds.
    uint256 stampLife;
    /// The owner freezes as soon as a look shows anything of the adversary's.
    bool freezes;
}

/// @dev Books beside the account, kept by the rules of spec/account.md and nothing else: keys, clocks, items, limits and
/// what left on which day. Every answer of the account is compared with them. Two clocks run here second by second, so
/// that nothing of the account's own arithmetic about frozen time is repeated.
abstract contract Books is VoteFixture {
    struct State {
        uint32 epoch;
        uint8 slots;
        bool strict;
        bool unlisted;
        bool personal;
        bool buyAllowed;
        uint8 threshold;
        uint32 recoveryDelay;
        uint48 frozenUntil;
        uint48 frozenSince;
        uint48 serverFreezeNotBefore;
        uint96 gasCap;
    }

    /// @dev Something that waits. `wall` and `awake`: what both clocks showed when it started; `ref`: what it is about.
    struct Entry {
        ItemKind kind;
        uint16 votes;
        uint32 epoch;
        bool open;
        bool hostile;
        uint256 wall;
        uint256 awake;
        uint256 ref;
    }

    uint256 internal constant NATIVE = 0;
    uint256 internal constant LISTED = 1;
    uint256 internal constant UNLISTED = 2;
    uint256 internal constant ASSETS = 3;
    uint256 internal constant NATIVE_LIMIT = 0.05 ether;
    uint256 internal constant TOKEN_LIMIT = 1000;
    uint256 internal constant VOTE_BITS = 0x1ff;
    uint256 internal constant GATE_BIT = 1 << 9;
    uint256 internal constant GUARDIAN_BITS = 7 << 10;
    uint48 internal constant NEVER = type(uint48).max;
    bytes32 internal constant GUARDIAN_SALT = "guardians";
    address internal constant DRAIN = address(0xD8A1);

    Setting internal setting;
    State internal book;
    WideToken[2] internal tokens;
    Shop internal shop;
    Returner internal returner;
    CommunityAccount[2] internal implementations;
    uint256 internal implementation;
    bytes internal initData;

    /// @dev Secrets of the guardians in the order of the list, and the list.
    uint256[3] internal guardianSecrets;
    bytes[] internal guardianList;

    /// @dev Secrets that the adversary has, whatever they open at the moment.
    mapping(uint256 secret => bool) internal hostile;
    /// @dev Secrets that the trusted core takes for live passkeys of this wallet.
    mapping(uint256 secret => bool) internal coreKnows;
    uint256 private lastSecret = 5000;
    mapping(uint256 secret => address) private addresses;
    mapping(uint256 secret => uint256) private abscissas;

    /// @dev Seconds since the beginning in which the account was not frozen.
    uint256 internal awake;
    mapping(bytes32 id => Entry) internal entries;
    bytes32[] internal waiting;

    uint256[2] internal limits;
    int256[ASSETS] internal secured;
    mapping(uint256 asset => mapping(uint256 day => uint256)) internal left;

    /// @dev How often the adversary's keys alone changed keys, rules, freeze or code, and how often they moved a queued spend.
    uint256 public takenOver;
    uint256 public takenQueued;

    // ---- beginning

    function _begin() internal {
        tokens[0] = new WideToken();
        tokens[1] = new WideToken();
        _orderGuardians();
        setUp();
        initData = abi.encode(_init());
        shop = new Shop();
        returner = new Returner(address(account), entryPoint);
        implementations[0] = CommunityAccount(payable(factory.implementation()));
        implementations[1] = _newImplementation(address(entryPoint), address(p256));
        AccountInit memory init = _init();
        book.slots = setting.secondPasskey ? 3 : 1;
        (book.threshold, book.recoveryDelay, book.gasCap) = (init.guardianThreshold, 7 days, uint96(GAS_CAP));
        limits = [NATIVE_LIMIT, TOKEN_LIMIT];
        vm.deal(address(account), 100 ether);
        for (uint256 i = 0; i < 2; ++i) tokens[i].mint(address(account), 1e12);
        for (uint256 i = 0; i < ASSETS; ++i) secured[i] = _secured(i);
        for (uint8 i = 0; i < 10; ++i) hostile[secrets[i]] = (setting.stolen >> i) & 1 != 0;
        for (uint256 i = 0; i < 3; ++i) hostile[guardianSecrets[i]] = (setting.stolen >> (10 + i)) & 1 != 0;
        for (uint8 i = 0; i < 10; ++i) {
            if (secrets[i] != 0) (addresses[secrets[i]], abscissas[secrets[i]]) = _publicOf(secrets[i]);
        }
        (coreKnows[PASSKEY], coreKnows[PASSKEY_2]) = (true, setting.secondPasskey);
    }

    function _init() internal view override returns (AccountInit memory init) {
        init.passkeys = new Passkey[](setting.secondPasskey ? 2 : 1);
        init.passkeys[0] = _passkey(PASSKEY);
        if (setting.secondPasskey) init.passkeys[1] = _passkey(PASSKEY_2);
        (init.serverKey, init.escapeKey) = (vm.addr(SERVER), vm.addr(ESCAPE));
        init.recoveryDelay = 7 days;
        if (setting.guardians) (init.guardiansHash, init.guardianThreshold) = (_guardiansHash(), 2);
        init.gasCaps = new GasCap[](1);
        init.gasCaps[0] = GasCap(block.chainid, GAS_CAP);
        init.limits = new SpendingLimit[](2);
        init.limits[0] = SpendingLimit(block.chainid, address(0), NATIVE_LIMIT);
        init.limits[1] = SpendingLimit(block.chainid, address(tokens[0]), TOKEN_LIMIT);
    }

    function _guardiansHash() internal view returns (bytes32) {
        return keccak256(abi.encode(GUARDIAN_SALT, guardianList));
    }

    function _orderGuardians() private {
        guardianSecrets = [uint256(901), 902, 903];
        for (uint256 i = 0; i < 3; ++i) {
            for (uint256 j = 0; j + 1 < 3 - i; ++j) {
                if (_guardianHash(j) < _guardianHash(j + 1)) continue;
                (guardianSecrets[j], guardianSecrets[j + 1]) = (guardianSecrets[j + 1], guardianSecrets[j]);
            }
        }
        for (uint256 i = 0; i < 3; ++i) guardianList.push(abi.encodePacked(vm.addr(guardianSecrets[i])));
    }

    function _guardianHash(uint256 i) private view returns (bytes32) {
        return keccak256(abi.encodePacked(vm.addr(guardianSecrets[i])));
    }

    /// @dev A secret that nobody used before, the adversary's or the owner's.
    function _newSecret(bool forAdversary) internal returns (uint256 secret) {
        secret = ++lastSecret;
        if (forAdversary) hostile[secret] = true;
        (addresses[secret], abscissas[secret]) = _publicOf(secret);
    }

    function _publicOf(uint256 secret) private pure returns (address key, uint256 x) {
        (x,) = vm.publicKeyP256(secret);
        return (vm.addr(secret), x);
    }

    /// @dev Address and P-256 x coordinate of a secret; computed once, for they are asked for after every move.
    function _addressOf(uint256 secret) internal view returns (address) {
        return addresses[secret];
    }

    function _xOf(uint256 secret) internal view returns (uint256) {
        return abscissas[secret];
    }

    // ---- keys

    function _live(uint256 signer) internal view returns (bool) {
        return signer >= 8 || (book.slots >> signer) & 1 != 0;
    }

    /// @dev Signers whose key of today is on the adversary's side, or on the owner's; guardians too.
    function _held(bool byAdversary) internal view returns (uint256 mask) {
        for (uint8 i = 0; i < 10; ++i) if (_live(i) && hostile[secrets[i]] == byAdversary) mask |= 1 << i;
        if (!setting.guardians) return mask;
        for (uint256 i = 0; i < 3; ++i) if (hostile[guardianSecrets[i]] == byAdversary) mask |= 1 << (10 + i);
    }

    function _bits(uint256 mask) internal pure returns (uint256 n) {
        for (; mask != 0; mask &= mask - 1) ++n;
    }

    function _lowest(uint256 mask) internal pure returns (uint8 bit) {
        while ((mask >> bit) & 1 == 0) ++bit;
    }

    // ---- time

    function _frozenNow() internal view returns (bool) {
        return _now() < book.frozenUntil;
    }

    function _advance(uint256 seconds_) internal {
        uint256 time = _now();
        uint256 end = book.frozenUntil;
        if (time + seconds_ > end) awake += time + seconds_ - (end > time ? end : time);
        vm.warp(time + seconds_);
    }

    // ---- items

    function _enter(bytes32 id, ItemKind kind, uint256 votes, bool byAdversary, uint256 ref) internal {
        entries[id] = Entry(kind, uint16(votes), book.epoch, true, byAdversary, _now(), awake, ref);
        waiting.push(id);
    }

    function _close(bytes32 id) internal {
        entries[id].open = false;
    }

    /// @dev Whether the item may act now (spec/account.md, section 2).
    function _ripe(Entry memory e) internal view returns (bool) {
        if (!e.open || e.epoch != book.epoch) return false;
        bool runs = e.kind == ItemKind.Unfreeze || e.kind == ItemKind.Escape || e.kind == ItemKind.Recover;
        if (!runs && _frozenNow()) return false;
        if (e.kind == ItemKind.Unfreeze && (!_frozenNow() || e.wall < book.frozenSince)) return false;
        uint256 age = runs ? _now() - e.wall : awake - e.awake;
        uint256 delay = 3 days;
        if (e.kind == ItemKind.Recover) delay = book.recoveryDelay;
        if (e.kind == ItemKind.Upgrade) delay = 7 days;
        if (e.kind == ItemKind.Queued) delay = 1 days;
        return age >= delay && age <= delay + 30 days;
    }

    /// @dev Drops what is over or of an earlier key epoch from the list of what waits.
    function _tidy() internal {
        for (uint256 i = waiting.length; i != 0; --i) {
            Entry storage e = entries[waiting[i - 1]];
            if (e.open && e.epoch == book.epoch && _now() < e.wall + 100 days) continue;
            waiting[i - 1] = waiting[waiting.length - 1];
            waiting.pop();
        }
    }

    // ---- value

    /// @dev What of an asset nobody but the account can move: the balance and the deposit at the EntryPoint, which pays for
    /// gas; of a token without what is allowed to others.
    function _secured(uint256 asset) internal view returns (int256) {
        if (asset != NATIVE) return tokens[asset - 1].secured(address(account));
        return int256(address(account).balance + entryPoint.balanceOf(address(account)));
    }

    /// @dev Enters what left since the last look, without what a confirmed item was allowed to take.
    function _settle(int256[ASSETS] memory confirmed) internal {
        uint256 day = _now() / 1 days;
        for (uint256 a = 0; a < ASSETS; ++a) {
            int256 value = _secured(a);
            int256 gone = secured[a] - value - confirmed[a];
            secured[a] = value;
            if (gone <= 0 || (a == UNLISTED && book.unlisted)) continue;
            left[a][day] += uint256(gone);
            vm.assertLe(left[a][day], a == UNLISTED ? 0 : limits[a], "no more than the day's limit leaves, gas included");
        }
    }

    function _settle() internal {
        int256[ASSETS] memory none;
        _settle(none);
    }
}
