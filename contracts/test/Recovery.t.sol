// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {IERC7913SignatureVerifier} from "@openzeppelin/contracts/interfaces/IERC7913.sol";
import {Votes} from "../src/account/Votes.sol";
import {GuardianProof, ItemKind, Passkey, RuleChange, Signature, Stamp} from "../src/lib/AccountTypes.sol";
import {ReaderErrors} from "../src/lib/ReaderErrors.sol";
import {VoteFixture} from "./support/VoteFixture.sol";

/// @dev A guardian that is a contract: says what it is told, with ERC-1271 or as an ERC-7913 verifier.
contract SayingGuardian {
    bool public agrees;

    function say(bool yes) external {
        agrees = yes;
    }

    function isValidSignature(bytes32, bytes calldata) external view returns (bytes4) {
        return agrees ? IERC1271.isValidSignature.selector : bytes4(0xffffffff);
    }

    function verify(bytes calldata, bytes32, bytes calldata) external view returns (bytes4) {
        return agrees ? IERC7913SignatureVerifier.verify.selector : bytes4(0xffffffff);
    }
}

/// @dev Guardians: who they may be, how they agree, and what recovery and their cancelling do.
contract RecoveryTest is VoteFixture {
    uint256 private constant NEW = 501;
    bytes32 private constant SALT = "salt";
    uint256[3] private guardianKeys = [uint256(901), 902, 903];

    bytes[] private list;
    SayingGuardian private contractGuardian;

    function setUp() public override {
        super.setUp();
        contractGuardian = new SayingGuardian();
        for (uint256 i = 0; i < 3; ++i) list.push(abi.encodePacked(vm.addr(guardianKeys[i])));
    }

    function test_TheThresholdRecoversAfterTheDelay() public {
        _setGuardians(2, 2 days);
        (Stamp memory stamp, bytes32 id) = _startRecovery(0, 1);
        _skip(2 days - 1);
        _finishRefused(stamp, abi.encodeWithSelector(Votes.ItemNotReady.selector, id, 1));
        _skip(1);
        _finish(stamp);
        (address server, address escapeKey, uint32 epoch, uint8 slots) = account.keys();
        vm.assertTrue(server == vm.addr(NEW) && escapeKey == vm.addr(NEW + 1), "keys");
        vm.assertTrue(epoch == 2 && slots == 1 && account.passkey(0).x == _passkey(NEW).x, "passkey");
    }

    function test_NoFreezeStopsARecovery() public {
        _setGuardians(2, 2 days);
        (Stamp memory stamp,) = _startRecovery(0, 2);
        _freeze(0);
        _skip(2 days);
        _finish(stamp);
        (uint48 until,) = account.frozen();
        vm.assertEq(until, 0, "the freeze ended");
    }

    function test_TwoVotesCancelARecoveryAndNobodyElse() public {
        _setGuardians(2, 7 days);
        (, bytes32 id) = _startRecovery(0, 1);
        Stamp memory stamp = _stamp();
        bytes32 digest = _cancelDigest(id, stamp);
        Signature[][3] memory sets =
            [_signatures(0, digest), _signatures(SERVER_SIGNER, digest), _signatures(0, SERVER_SIGNER, digest)];
        uint256[3] memory signers = [uint256(1), 1 << 9, 1 | 1 << 9];
        for (uint256 i = 0; i < 3; ++i) {
            vm.expectRevert(abi.encodeWithSelector(ReaderErrors.WrongSigners.selector, signers[i]));
            account.cancel(id, stamp, sets[i]);
        }
        GuardianProof memory proof = _proof(digest, 0, 1);
        vm.expectRevert(abi.encodeWithSelector(ReaderErrors.NotCancellable.selector, id, ItemKind.Recover));
        account.cancelAsGuardians(id, stamp, proof);
        Signature[] memory both = _signatures(0, ESCAPE_SIGNER, digest);
        vm.expectEmit(true, true, true, true, address(account));
        emit Votes.ItemCancelled(id, ItemKind.Recover, 1 | 1 << 8);
        account.cancel(id, stamp, both);
    }

    function test_GuardiansCancelAnEscapeEvenOfTwoVotes() public {
        _setGuardians(2, 7 days);
        for (uint8 votes = 1; votes <= 2; ++votes) {
            Stamp memory stamp = _stamp();
            bytes32 id = _escapeDigest(_keys(NEW), vm.addr(NEW), votes, stamp);
            Signature[] memory signatures = votes == 1 ? _signatures(0, id) : _signatures(0, ESCAPE_SIGNER, id);
            account.escape(_keys(NEW), vm.addr(NEW), votes, stamp, signatures);
            Stamp memory cancelStamp = _stamp();
            GuardianProof memory proof = _proof(_cancelDigest(id, cancelStamp), 1, 2);
            vm.expectEmit(true, true, true, true, address(account));
            emit Votes.ItemCancelled(id, ItemKind.Escape, 0);
            account.cancelAsGuardians(id, cancelStamp, proof);
        }
    }

    function test_WhatGuardiansSignedCountsOnce() public {
        _setGuardians(2, 7 days);
        (Stamp memory stamp, bytes32 id) = _startRecovery(0, 1);
        Stamp memory cancelStamp = _stamp();
        bytes32 digest = _cancelDigest(id, cancelStamp);
        account.cancel(id, cancelStamp, _signatures(0, ESCAPE_SIGNER, digest));
        // A cancelled recovery does not begin again.
        _refused(stamp, _proof(id, 0, 1), abi.encodeWithSelector(Votes.AlreadyUsed.selector, id));
        Stamp memory escapeStamp = _stamp();
        id = _escapeDigest(_keys(NEW), vm.addr(NEW), 1, escapeStamp);
        account.escape(_keys(NEW), vm.addr(NEW), 1, escapeStamp, _signatures(0, id));
        cancelStamp = _stamp();
        digest = _cancelDigest(id, cancelStamp);
        GuardianProof memory proof = _proof(digest, 1, 2);
        account.cancelAsGuardians(id, cancelStamp, proof);
        vm.expectRevert(abi.encodeWithSelector(Votes.AlreadyUsed.selector, digest));
        account.cancelAsGuardians(id, cancelStamp, proof);
    }

    function test_BelowTheThresholdNothingStarts() public {
        _setGuardians(2, 7 days);
        Stamp memory stamp = _stamp();
        GuardianProof memory proof = _proof(_recoverHash(stamp), 0, 0);
        _refused(stamp, proof, abi.encodeWithSelector(ReaderErrors.TooFewGuardians.selector, 1, 2));
        proof.signatures[_place(0)] = "";
        _refused(stamp, proof, abi.encodeWithSelector(ReaderErrors.TooFewGuardians.selector, 0, 2));
    }

    function test_AWrongSignatureIsAnError() public {
        _setGuardians(1, 7 days);
        Stamp memory stamp = _stamp();
        GuardianProof memory proof = _proof(_recoverHash(stamp), 0, 0);
        proof.signatures[_place(1)] = _serverSignature(guardianKeys[0], _recoverHash(stamp));
        _refused(stamp, proof, abi.encodeWithSelector(ReaderErrors.GuardianSignatureInvalid.selector, _place(1)));
    }

    function test_WithoutGuardiansThereIsNoRecovery() public {
        Stamp memory stamp = _stamp();
        GuardianProof memory proof = _proof(_recoverHash(stamp), 0, 1);
        _refused(stamp, proof, abi.encodeWithSelector(ReaderErrors.NoGuardians.selector));
    }

    function test_TheListIsTheHashedOne() public {
        _setGuardians(2, 7 days);
        Stamp memory stamp = _stamp();
        GuardianProof memory proof = _proof(_recoverHash(stamp), 0, 1);
        proof.salt = "other";
        _refused(stamp, proof, abi.encodeWithSelector(ReaderErrors.GuardianListMismatch.selector));
        proof.salt = SALT;
        proof.guardians[0] = abi.encodePacked(STRANGER);
        _refused(stamp, proof, abi.encodeWithSelector(ReaderErrors.GuardianListMismatch.selector));
        proof = _proof(_recoverHash(stamp), 0, 1);
        proof.signatures = new bytes[](2);
        _refused(stamp, proof, abi.encodeWithSelector(ReaderErrors.GuardianCountOutOfRange.selector, 3, 2));
    }

    /// @dev What somebody hashed in disorder never acts.
    function test_TheListObeysItsRules() public {
        bytes[] memory twice = new bytes[](2);
        (twice[0], twice[1]) = (list[0], list[0]);
        _listRefused(twice, abi.encodeWithSelector(ReaderErrors.GuardiansNotAscending.selector, 1));
        bytes[] memory short = new bytes[](1);
        short[0] = hex"01020304050607080910111213141516171819";
        _listRefused(short, abi.encodeWithSelector(ReaderErrors.GuardianTooShort.selector, 0));
        _listRefused(new bytes[](0), abi.encodeWithSelector(ReaderErrors.GuardianCountOutOfRange.selector, 0, 0));
        _listRefused(new bytes[](17), abi.encodeWithSelector(ReaderErrors.GuardianCountOutOfRange.selector, 17, 17));
    }

    function test_AKeyOfTheAccountIsNoGuardian() public {
        bytes[4] memory own = [
            abi.encodePacked(vm.addr(ESCAPE)),
            abi.encodePacked(vm.addr(SERVER)),
            abi.encodePacked(address(account)),
            abi.encodePacked(address(contractGuardian), _passkey(PASSKEY).x, _passkey(PASSKEY).y)
        ];
        contractGuardian.say(true);
        for (uint256 i = 0; i < 4; ++i) {
            delete list;
            list.push(own[i]);
            _setGuardians(1, 7 days);
            Stamp memory stamp = _stamp();
            GuardianProof memory proof = GuardianProof(SALT, list, new bytes[](1));
            proof.signatures[0] = i < 2 ? _serverSignature(i == 0 ? ESCAPE : SERVER, _recoverHash(stamp)) : bytes("x");
            _refused(stamp, proof, abi.encodeWithSelector(ReaderErrors.GuardianIsOwner.selector, 0));
        }
    }

    function test_ContractsSignOrApprove() public {
        delete list;
        list.push(abi.encodePacked(address(contractGuardian)));
        _setGuardians(1, 7 days);
        Stamp memory stamp = _stamp();
        GuardianProof memory proof = GuardianProof(SALT, list, new bytes[](1));
        _refused(stamp, proof, abi.encodeWithSelector(ReaderErrors.TooFewGuardians.selector, 0, 1));
        proof.signatures[0] = "x";
        _refused(stamp, proof, abi.encodeWithSelector(ReaderErrors.GuardianSignatureInvalid.selector, 0));
        uint256 state = vm.snapshotState();
        contractGuardian.say(true);
        _recover(stamp, proof);
        vm.revertToState(state);
        proof.signatures[0] = "";
        bytes32 digest = _recoverHash(stamp);
        vm.prank(STRANGER);
        account.approve(digest);
        _refused(stamp, proof, abi.encodeWithSelector(ReaderErrors.TooFewGuardians.selector, 0, 1));
        vm.expectEmit(true, true, true, true, address(account));
        emit Votes.DigestApproved(digest, address(contractGuardian));
        vm.prank(address(contractGuardian));
        account.approve(digest);
        vm.assertTrue(account.isApproved(digest, address(contractGuardian)), "approved");
        _recover(stamp, proof);
    }

    function test_KeysBehindAVerifierSign() public {
        delete list;
        list.push(abi.encodePacked(address(contractGuardian), "some key"));
        _setGuardians(1, 7 days);
        Stamp memory stamp = _stamp();
        GuardianProof memory proof = GuardianProof(SALT, list, new bytes[](1));
        proof.signatures[0] = "x";
        _refused(stamp, proof, abi.encodeWithSelector(ReaderErrors.GuardianSignatureInvalid.selector, 0));
        contractGuardian.say(true);
        _recover(stamp, proof);
    }

    /// @dev The identity precompile answers with the question, which begins with the selector that means yes.
    function test_APrecompileIsNoVerifier() public {
        delete list;
        list.push(abi.encodePacked(address(4), "some key"));
        _setGuardians(1, 7 days);
        Stamp memory stamp = _stamp();
        GuardianProof memory proof = GuardianProof(SALT, list, new bytes[](1));
        proof.signatures[0] = "x";
        _refused(stamp, proof, abi.encodeWithSelector(ReaderErrors.GuardianSignatureInvalid.selector, 0));
    }

    /// @dev Whoever finishes first wins; the rest is of an earlier key epoch.
    function test_RecoveryAndEscapeRace() public {
        _setGuardians(2, 3 days);
        (Stamp memory recovery, bytes32 recoveryId) = _startRecovery(0, 1);
        Stamp memory stamp = _stamp();
        bytes32 id = _escapeDigest(_keys(700), vm.addr(701), 1, stamp);
        account.escape(_keys(700), vm.addr(701), 1, stamp, _signatures(0, id));
        _skip(3 days);
        uint256 state = vm.snapshotState();
        _finish(recovery);
        (Passkey[] memory keys, address server) = (_keys(700), vm.addr(701));
        vm.expectRevert(abi.encodeWithSelector(Votes.ItemVoid.selector, id));
        account.finishEscape(keys, server, 1, stamp);
        vm.revertToState(state);
        account.finishEscape(_keys(700), vm.addr(701), 1, stamp);
        _finishRefused(recovery, abi.encodeWithSelector(Votes.ItemVoid.selector, recoveryId));
    }

    // ---- inside

    function _setGuardians(uint8 threshold, uint32 delay) private {
        bytes[] memory sorted = _sorted();
        bytes32 hash = keccak256(abi.encode(SALT, sorted));
        _changeRules(RuleChange(hash, threshold, delay, false, false, 2));
    }

    /// @dev Ascending by hash.
    function _sorted() private view returns (bytes[] memory sorted) {
        sorted = list;
        for (uint256 i = 0; i < sorted.length; ++i) {
            for (uint256 j = i + 1; j < sorted.length; ++j) {
                if (keccak256(sorted[j]) < keccak256(sorted[i])) (sorted[i], sorted[j]) = (sorted[j], sorted[i]);
            }
        }
    }

    function _place(uint256 guardian) private view returns (uint256 place) {
        bytes[] memory sorted = _sorted();
        while (keccak256(sorted[place]) != keccak256(list[guardian])) ++place;
    }

    function _proof(bytes32 digest, uint256 one, uint256 two) private view returns (GuardianProof memory proof) {
        proof = GuardianProof(SALT, _sorted(), new bytes[](list.length));
        proof.signatures[_place(one)] = _serverSignature(guardianKeys[one], digest);
        proof.signatures[_place(two)] = _serverSignature(guardianKeys[two], digest);
    }

    function _recoverHash(Stamp memory stamp) private view returns (bytes32) {
        return _recoverDigest(_keys(NEW), vm.addr(NEW), vm.addr(NEW + 1), stamp);
    }

    function _startRecovery(uint256 one, uint256 two) private returns (Stamp memory stamp, bytes32 id) {
        stamp = _stamp();
        id = _recoverHash(stamp);
        _recover(stamp, _proof(id, one, two));
        (ItemKind kind,,,,) = account.item(id);
        vm.assertTrue(kind == ItemKind.Recover, "waits");
    }

    function _recover(Stamp memory stamp, GuardianProof memory proof) private {
        account.recover(_keys(NEW), vm.addr(NEW), vm.addr(NEW + 1), stamp, proof);
    }

    function _finish(Stamp memory stamp) private {
        account.finishRecover(_keys(NEW), vm.addr(NEW), vm.addr(NEW + 1), stamp);
    }

    function _finishRefused(Stamp memory stamp, bytes memory reason) private {
        (Passkey[] memory keys, address server, address escapeKey) = (_keys(NEW), vm.addr(NEW), vm.addr(NEW + 1));
        vm.expectRevert(reason);
        account.finishRecover(keys, server, escapeKey, stamp);
    }

    function _refused(Stamp memory stamp, GuardianProof memory proof, bytes memory reason) private {
        Passkey[] memory keys = _keys(NEW);
        (address server, address escapeKey) = (vm.addr(NEW), vm.addr(NEW + 1));
        vm.expectRevert(reason);
        account.recover(keys, server, escapeKey, stamp, proof);
    }

    function _listRefused(bytes[] memory guardians, bytes memory reason) private {
        bytes32 hash = keccak256(abi.encode(SALT, guardians));
        _changeRules(RuleChange(hash, 1, 7 days, false, false, 2));
        _refused(_stamp(), GuardianProof(SALT, guardians, new bytes[](guardians.length)), reason);
    }
}
