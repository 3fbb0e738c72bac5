// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccountBase} from "../src/account/AccountBase.sol";
import {Custody} from "../src/account/Custody.sol";
import {Votes} from "../src/account/Votes.sol";
import {ItemKind, Signature, Stamp} from "../src/lib/AccountTypes.sol";
import {Implementation} from "../src/lib/Implementation.sol";
import {ReaderErrors} from "../src/lib/ReaderErrors.sol";
import {VoteFixture} from "./support/VoteFixture.sol";

/// @dev A minimal next version, and its faulty relatives.
contract NextVersion {
    bytes32 private immutable uuid;
    address public immutable entryPoint;
    bool private immutable fails;

    constructor(bytes32 uuid_, address entryPoint_, bool fails_) {
        (uuid, entryPoint, fails) = (uuid_, entryPoint_, fails_);
    }

    function proxiableUUID() external view returns (bytes32) {
        require(!fails);
        return uuid;
    }

    function version() external pure returns (uint256) {
        return 2;
    }
}

/// @dev New code: two votes and the gate, seven days, two votes again.
contract UpgradeTest is VoteFixture {
    bytes32 private constant SLOT = bytes32(uint256(keccak256("eip1967.proxy.implementation")) - 1);
    address private next;

    function setUp() public override {
        super.setUp();
        next = address(new NextVersion(SLOT, address(entryPoint), false));
    }

    function test_TwoVotesAndTheGateThenSevenDaysThenTwoVotes() public {
        (Stamp memory stamp, bytes32 id) = _start();
        _skip(7 days - 1);
        _confirmRefused(stamp, abi.encodeWithSelector(Votes.ItemNotReady.selector, id, 1));
        _skip(1);
        Stamp memory second = _stamp();
        Signature[] memory signatures = _signatures(0, ESCAPE_SIGNER, _confirmDigest(id, second));
        vm.expectEmit(true, true, true, true, address(account));
        emit Custody.Upgraded(next);
        vm.prank(STRANGER);
        account.confirmUpgrade(next, next.codehash, stamp, second, signatures);
        vm.assertEq(vm.load(address(account), SLOT), bytes32(uint256(uint160(next))), "ERC-1967");
        vm.assertEq(NextVersion(address(account)).version(), 2, "new code");
    }

    function test_TheWaitAloneIsNotEnough() public {
        (Stamp memory stamp, bytes32 id) = _start();
        _skip(7 days);
        Stamp memory second = _stamp();
        bytes32 digest = _confirmDigest(id, second);
        bytes32 codeHash = next.codehash;
        Signature[][3] memory sets =
            [_signatures(0, digest), _signatures(0, SERVER_SIGNER, digest), new Signature[](0)];
        uint256[3] memory signers = [uint256(1), 1 | 1 << 9, 0];
        for (uint256 i = 0; i < 3; ++i) {
            vm.expectRevert(abi.encodeWithSelector(ReaderErrors.WrongSigners.selector, signers[i]));
            account.confirmUpgrade(next, codeHash, stamp, second, sets[i]);
        }
    }

    function test_WhoStartsAnUpgrade() public {
        Stamp memory stamp = _stamp();
        bytes32 codeHash = next.codehash;
        bytes32 id = _upgradeDigest(next, codeHash, stamp);
        Signature[][3] memory sets =
            [_signatures(0, ESCAPE_SIGNER, id), _signatures(0, SERVER_SIGNER, id), _signatures(SERVER_SIGNER, id)];
        uint256[3] memory signers = [uint256(1 | 1 << 8), 1 | 1 << 9, 1 << 9];
        for (uint256 i = 0; i < 3; ++i) {
            vm.expectRevert(abi.encodeWithSelector(ReaderErrors.WrongSigners.selector, signers[i]));
            account.upgrade(next, codeHash, stamp, sets[i]);
        }
    }

    function test_AnyVoteCancelsAnUpgrade() public {
        uint8[2] memory votes = [0, ESCAPE_SIGNER];
        for (uint256 i = 0; i < 2; ++i) {
            (, bytes32 id) = _start();
            Stamp memory stamp = _stamp();
            Signature[] memory signatures = _signatures(SERVER_SIGNER, _cancelDigest(id, stamp));
            vm.expectRevert(abi.encodeWithSelector(ReaderErrors.WrongSigners.selector, 1 << 9));
            account.cancel(id, stamp, signatures);
            signatures = _signatures(votes[i], _cancelDigest(id, stamp));
            vm.expectEmit(true, true, true, true, address(account));
            emit Votes.ItemCancelled(id, ItemKind.Upgrade, 1 << votes[i]);
            account.cancel(id, stamp, signatures);
        }
    }

    function test_AFreezeStopsTheClockAndTheConfirmation() public {
        (Stamp memory stamp, bytes32 id) = _start();
        _skip(7 days);
        _freeze(0);
        _skip(20 days);
        _confirmRefused(stamp, abi.encodeWithSelector(AccountBase.AccountFrozen.selector));
        _unfreeze();
        // In its own clock it is ripe since a moment ago.
        _skip(30 days);
        (,,, uint256 age, uint256 delay) = account.item(id);
        vm.assertEq(age, delay + 30 days, "age");
        uint256 state = vm.snapshotState();
        _confirm(stamp);
        vm.revertToState(state);
        _skip(1);
        _confirmRefused(stamp, abi.encodeWithSelector(Votes.ItemVoid.selector, id));
    }

    function test_AnEpochVoidsAnUpgrade() public {
        (Stamp memory stamp,) = _start();
        _nextEpoch();
        _skip(7 days);
        bytes32 id = _upgradeDigest(next, next.codehash, stamp);
        _confirmRefused(stamp, abi.encodeWithSelector(Votes.ItemVoid.selector, id));
    }

    function test_TheCodeIsTheSignedOne() public {
        bytes32 codeHash = keccak256("other");
        _startRefused(
            next, codeHash, abi.encodeWithSelector(Implementation.CodeHashMismatch.selector, next, next.codehash)
        );
        (Stamp memory stamp,) = _start();
        _skip(7 days);
        // Code that is exchanged while the upgrade waits (a chain that allows it) is noticed at the end.
        bytes32 signed = next.codehash;
        vm.etch(next, address(new NextVersion(SLOT, STRANGER, false)).code);
        Signature[] memory none = new Signature[](0);
        bytes memory reason = abi.encodeWithSelector(Implementation.CodeHashMismatch.selector, next, next.codehash);
        Stamp memory second = _stamp();
        vm.expectRevert(reason);
        account.confirmUpgrade(next, signed, stamp, second, none);
    }

    function test_OnlyImplementationsOfThisKind() public {
        address eoa = address(0xE0A);
        _startRefused(eoa, eoa.codehash, abi.encodeWithSelector(Implementation.NotAnImplementation.selector, eoa));
        // EIP-7702: code that its owner may exchange at any time.
        vm.etch(eoa, abi.encodePacked(hex"ef0100", next));
        _startRefused(eoa, eoa.codehash, abi.encodeWithSelector(Implementation.NotAnImplementation.selector, eoa));
        address bad = address(new NextVersion("other", address(entryPoint), false));
        _startRefused(bad, bad.codehash, abi.encodeWithSelector(Implementation.NotAnImplementation.selector, bad));
        bad = address(new NextVersion(SLOT, address(entryPoint), true));
        _startRefused(bad, bad.codehash, abi.encodeWithSelector(Implementation.NotAnImplementation.selector, bad));
        bad = address(new NextVersion(SLOT, STRANGER, false));
        _startRefused(bad, bad.codehash, abi.encodeWithSelector(Implementation.ForeignEntryPoint.selector, bad));
        // Another account is a proxy, not an implementation.
        bad = address(account);
        _startRefused(bad, bad.codehash, abi.encodeWithSelector(Implementation.NotAnImplementation.selector, bad));
    }

    function test_ThisImplementationWouldDo() public {
        address other = address(_newFactory().implementation());
        Stamp memory stamp = _stamp();
        bytes32 id = _upgradeDigest(other, other.codehash, stamp);
        account.upgrade(other, other.codehash, stamp, _signatures(0, ESCAPE_SIGNER, SERVER_SIGNER, id));
    }

    /// @dev To other code of this kind, which knows what was accepted before.
    function test_AConfirmationIsAcceptedOnce() public {
        next = address(_newFactory().implementation());
        (Stamp memory stamp, bytes32 id) = _start();
        _skip(7 days);
        Stamp memory second = _stamp();
        bytes32 digest = _confirmDigest(id, second);
        bytes32 codeHash = next.codehash;
        Signature[] memory signatures = _signatures(0, ESCAPE_SIGNER, digest);
        account.confirmUpgrade(next, codeHash, stamp, second, signatures);
        vm.expectRevert(abi.encodeWithSelector(Votes.AlreadyUsed.selector, digest));
        account.confirmUpgrade(next, codeHash, stamp, second, signatures);
        // Nor does another one carry the same upgrade out again.
        _confirmRefused(stamp, abi.encodeWithSelector(Votes.ItemUnknown.selector, id));
    }

    // ---- inside

    function _confirmDigest(bytes32 id, Stamp memory stamp) private view returns (bytes32) {
        return _digest("ConfirmUpgrade(bytes32 item,", abi.encode(id), stamp);
    }

    function _start() private returns (Stamp memory stamp, bytes32 id) {
        stamp = _stamp();
        id = _upgradeDigest(next, next.codehash, stamp);
        account.upgrade(next, next.codehash, stamp, _signatures(0, ESCAPE_SIGNER, SERVER_SIGNER, id));
    }

    function _startRefused(address implementation, bytes32 codeHash, bytes memory reason) private {
        Stamp memory stamp = _stamp();
        bytes32 id = _upgradeDigest(implementation, codeHash, stamp);
        Signature[] memory signatures = _signatures(0, ESCAPE_SIGNER, SERVER_SIGNER, id);
        vm.expectRevert(reason);
        account.upgrade(implementation, codeHash, stamp, signatures);
    }

    function _confirm(Stamp memory stamp) private {
        Stamp memory second = _stamp();
        bytes32 id = _upgradeDigest(next, next.codehash, stamp);
        account.confirmUpgrade(next, next.codehash, stamp, second, _signatures(0, ESCAPE_SIGNER, _confirmDigest(id, second)));
    }

    function _confirmRefused(Stamp memory stamp, bytes memory reason) private {
        Stamp memory second = _stamp();
        bytes32 codeHash = next.codehash;
        bytes32 id = _upgradeDigest(next, codeHash, stamp);
        Signature[] memory signatures = _signatures(0, ESCAPE_SIGNER, _confirmDigest(id, second));
        vm.expectRevert(reason);
        account.confirmUpgrade(next, codeHash, stamp, second, signatures);
    }
}
