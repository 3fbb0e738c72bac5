// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {QueueKind} from "../../src/lib/AccountTypes.sol";
import {CommunityAccount} from "../../src/CommunityAccount.sol";
import {Assertion} from "../support/Fixture.sol";
import {Setting} from "./Books.t.sol";
import {Exit} from "./Exit.t.sol";
import {WideToken} from "./WideToken.t.sol";

/// @dev The moves that forge plays at random, with everybody who takes part. Each takes one number, from which all choices
/// of the move follow. `tally` says how often each was tried and how often it worked, for owner and adversary.
contract World is Exit {
    bytes32 private constant PERSONAL = keccak256("PersonalSign(bytes prefixed)");
    bytes32 private constant IMPLEMENTATION_SLOT = bytes32(uint256(keccak256("eip1967.proxy.implementation")) - 1);

    constructor(Setting memory setting_) {
        setting = setting_;
        _begin();
    }

    // ---- moves: plain functions

    /// @dev Somebody signs a plain function and submits it, keeps it, or lets it lie about for others.
    function sign(uint256 seed) external {
        _shuffle(seed);
        _signSomething(_somebody());
    }

    /// @dev Anybody carries out what waits.
    function finish(uint256 seed) external {
        _shuffle(seed);
        _finishSomething();
    }

    /// @dev A stranger submits what was signed before, whole, in part or with signatures of the adversary's added; or an
    /// operation that landed already or was kept back.
    function replay(uint256 seed) external {
        _shuffle(seed);
        _replaySomething();
    }

    // ---- moves: operations

    function spend(uint256 seed) external {
        _shuffle(seed);
        _spendSomething(_somebody());
    }

    function queue(uint256 seed) external {
        _shuffle(seed);
        _queueSomething(_somebody());
    }

    function confirm(uint256 seed) external {
        _shuffle(seed);
        _confirmSomething(_somebody());
    }

    function grant(uint256 seed) external {
        _shuffle(seed);
        _grantSomething(_somebody());
    }

    /// @dev Whoever has the server key uses a grant, dead or alive.
    function session(uint256 seed) external {
        _shuffle(seed);
        _useGrant();
    }

    // ---- moves: others

    /// @dev Personal messages (ERC-1271 by ERC-7739), with keys of today or the first ones.
    function message(uint256 seed) external {
        _shuffle(seed);
        bool thief = _somebody();
        bool old = _pick(4) == 0;
        uint8 slot = _slotOfParty(thief);
        if (slot == 8) return;
        (uint256 passkey, uint256 server) = old ? (PASSKEY, SERVER) : (secrets[slot], secrets[9]);
        bytes32 nested =
            keccak256(abi.encodePacked(hex"1901", _domain(address(account)), keccak256(abi.encode(PERSONAL, seed))));
        Assertion memory a = _assertion();
        a.key = passkey;
        bytes memory signature = _dual(0, slot, _serverSignature(server, nested), a, nested);
        bool ok = account.isValidSignature(bytes32(seed), signature) == account.isValidSignature.selector;
        bool may = book.personal && !_frozenNow() && passkey == secrets[slot] && server == secrets[9];
        vm.assertTrue(ok == may, "a message against the rules");
        _tell(thief, MESSAGE, ok);
    }

    /// @dev Whoever was allowed tokens takes them: that was charged when it was allowed.
    function pull(uint256 seed) external {
        _shuffle(seed);
        WideToken token = tokens[_pick(2)];
        uint256 allowance = token.allowance(address(account), DRAIN);
        vm.prank(DRAIN);
        (bool ok,) = address(token).call(
            abi.encodeWithSelector(0x23b872dd, address(account), DRAIN, allowance == 0 ? 1 : 1 + _pick(allowance))
        );
        _settle();
        _tell(true, PULL, ok);
    }

    /// @dev Somebody pays the account.
    function fund(uint256 seed) external {
        _shuffle(seed);
        uint256 amount = _pick(1000);
        vm.deal(address(account), address(account).balance + amount * 1 gwei);
        tokens[_pick(2)].mint(address(account), amount);
        for (uint256 a = 0; a < ASSETS; ++a) secured[a] = _secured(a);
        _tell(false, FUND, true);
    }

    /// @dev A stranger knocks at every door of the account that is not a plain function.
    function knock(uint256 seed) external {
        _shuffle(seed);
        vm.prank(_pick(2) == 0 ? STRANGER : address(tokens[0]));
        (bool ok,) = address(account).call(_door(_pick(8)));
        vm.assertFalse(ok, "no door is open");
        _tell(true, KNOCK, true);
    }

    /// @dev Seconds to weeks, often to just before or behind midnight, or behind a delay.
    function wait(uint256 seed) external {
        _shuffle(seed);
        uint256 kind = _pick(12);
        uint256 time = 1 + _pick(1 hours);
        if (kind == 1) time = 1 hours + _pick(1 days);
        if (kind == 2 || kind == 3) time = 1 days - _now() % 1 days + _pick(3);
        if (kind == 4) time = 1 days;
        if (kind == 5) time = 3 days + _pick(2);
        if (kind == 6) time = 7 days + _pick(2);
        if (kind == 7 && _pick(8) == 0) time = 30 days + _pick(10 days);
        _pass(time);
        _tell(false, WAIT, true);
    }

    /// @dev The owner decides to leave; see `Exit`.
    function exit(uint256 seed) external {
        _shuffle(seed);
        _tell(false, EXIT, _leave());
    }

    // ---- what always holds

    /// @dev The account is what the books say it is, nothing moved that was not entered, and it is where it was.
    function check() external view {
        (address server, address escapeKey, uint32 epoch, uint8 slots) = account.keys();
        vm.assertEq(server, _addressOf(secrets[9]), "server key");
        vm.assertEq(escapeKey, _addressOf(secrets[8]), "escape key");
        vm.assertEq(epoch, book.epoch, "key epoch");
        vm.assertEq(slots, book.slots, "passkeys");
        for (uint8 i = 0; i < 8; ++i) {
            if (_live(i)) vm.assertEq(account.passkey(i).x, _xOf(secrets[i]), "passkey");
        }
        (bytes32 hash, uint8 threshold, uint32 delay) = account.guardians();
        vm.assertTrue((hash == 0) == (book.threshold == 0) && threshold == book.threshold, "guardians");
        vm.assertEq(delay, book.recoveryDelay, "recovery delay");
        bool modes = account.strictMode() == book.strict && account.unlistedTokensAllowed() == book.unlisted;
        vm.assertTrue(modes && account.isListedDomain(0) == book.personal, "modes");
        vm.assertTrue(account.isAllowedCall(address(shop), shop.buy.selector) == book.buyAllowed, "allowed call");
        (uint48 until,) = account.frozen();
        vm.assertEq(until, _frozenNow() ? book.frozenUntil : 0, "freeze");
        vm.assertEq(account.gasCap(), book.gasCap, "gas cap");
        (uint256 perDay,,) = account.spendingLimit(address(0));
        vm.assertEq(perDay, limits[0], "limit");
        (perDay,,) = account.spendingLimit(address(tokens[0]));
        vm.assertEq(perDay, limits[1], "token limit");
        for (uint256 a = 0; a < ASSETS; ++a) vm.assertTrue(_secured(a) == secured[a], "moved behind the back");
        vm.assertEq(returner.entered(), 0, "nobody comes back in");
        vm.assertEq(factory.accountAddress(initData), address(account), "address");
        address code = address(uint160(uint256(vm.load(address(account), IMPLEMENTATION_SLOT))));
        vm.assertEq(code, address(implementations[implementation]), "code");
    }

    function _door(uint256 which) private view returns (bytes memory) {
        if (which == 0) return _call(DRAIN, 1 ether, "");
        if (which == 1) return abi.encodeCall(CommunityAccount.initialize, (initData));
        if (which == 2) return abi.encodeCall(account.queue, (QueueKind.GasCap, abi.encode(1 ether), 1));
        if (which == 3) return abi.encodeCall(account.confirm, (QueueKind.GasCap, abi.encode(1 ether), 1));
        if (which == 4) return abi.encodeWithSelector(account.createGrant.selector, 32, DRAIN);
        if (which == 5) return granted.length == 0 ? bytes("xxxx") : _sessionData(granted.length - 1, 1, 0);
        if (which == 6) return abi.encodeWithSelector(account.validateUserOp.selector, 96, 0, 1 ether);
        return abi.encodeWithSelector(bytes4(keccak256("upgradeToAndCall(address,bytes)")), DRAIN, 64, 0);
    }
}
