// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Votes} from "../src/account/Votes.sol";
import {AccountInit, Passkey, Signature, Stamp} from "../src/lib/AccountTypes.sol";
import {ReaderErrors} from "../src/lib/ReaderErrors.sol";
import {CommunityAccount} from "../src/CommunityAccount.sol";
import {VoteFixture} from "./support/VoteFixture.sol";
import {Assertion} from "./support/Fixture.sol";

/// @dev Stamps and signature sets of plain functions, shown with `freeze` (one signer) and `unfreeze` (several).
contract SignersTest is VoteFixture {
    function test_AForeignKeyEpochIsRefused() public {
        Stamp memory stamp = _stamp();
        stamp.keyEpoch = 1;
        _refused(stamp, abi.encodeWithSelector(ReaderErrors.ForeignKeyEpoch.selector, 1, 0));
        stamp = _stamp();
        Signature[] memory signatures = _signatures(0, _freezeDigest(stamp));
        _nextEpoch();
        vm.expectRevert(abi.encodeWithSelector(ReaderErrors.ForeignKeyEpoch.selector, 0, 1));
        account.freeze(stamp, signatures);
    }

    function test_TheDeadlineIsTheLastSecond() public {
        Stamp memory stamp = _stamp();
        Signature[] memory signatures = _signatures(0, _freezeDigest(stamp));
        vm.warp(stamp.deadline + 1);
        vm.expectRevert(abi.encodeWithSelector(ReaderErrors.DeadlinePassed.selector, stamp.deadline));
        account.freeze(stamp, signatures);
        vm.warp(stamp.deadline);
        account.freeze(stamp, signatures);
    }

    function test_ADigestIsAcceptedOnce() public {
        Stamp memory stamp = _stamp();
        bytes32 digest = _freezeDigest(stamp);
        account.freeze(stamp, _signatures(0, digest));
        _unfreeze();
        Signature[] memory signatures = _signatures(0, digest);
        vm.expectRevert(abi.encodeWithSelector(Votes.AlreadyUsed.selector, digest));
        account.freeze(stamp, signatures);
        // Nor by another signer: the digest is the same.
        signatures = _signatures(ESCAPE_SIGNER, digest);
        vm.expectRevert(abi.encodeWithSelector(Votes.AlreadyUsed.selector, digest));
        account.freeze(stamp, signatures);
    }

    function test_NoReplayOnAnotherChainOrAccount() public {
        Stamp memory stamp = _stamp();
        Signature[] memory signatures = _signatures(ESCAPE_SIGNER, _freezeDigest(stamp));
        vm.chainId(1);
        vm.expectRevert(abi.encodeWithSelector(ReaderErrors.SignatureInvalid.selector, 8));
        account.freeze(stamp, signatures);
        vm.chainId(31_337);
        AccountInit memory init = _init();
        init.salt = 99;
        CommunityAccount twin = CommunityAccount(payable(factory.createAccount(abi.encode(init))));
        vm.expectRevert(abi.encodeWithSelector(ReaderErrors.SignatureInvalid.selector, 8));
        twin.freeze(stamp, signatures);
        account.freeze(stamp, signatures);
    }

    function test_SetsAreExact() public {
        Stamp memory stamp = _stamp();
        bytes32 digest = _freezeDigest(stamp);
        _freezeRefused(stamp, new Signature[](0), abi.encodeWithSelector(ReaderErrors.WrongSigners.selector, 0));
        _freezeRefused(
            stamp,
            _signatures(0, SERVER_SIGNER, digest),
            abi.encodeWithSelector(ReaderErrors.WrongSigners.selector, 1 | 1 << 9)
        );
        _freezeRefused(
            stamp,
            _signatures(0, ESCAPE_SIGNER, digest),
            abi.encodeWithSelector(ReaderErrors.WrongSigners.selector, 1 | 1 << 8)
        );
    }

    function test_SignersAscend() public {
        _freeze(0);
        Stamp memory stamp = _stamp();
        bytes32 digest = _unfreezeDigest(2, stamp);
        uint8[3][4] memory orders = [[8, 0, 9], [0, 9, 8], [0, 0, 9], [0, 8, 8]];
        uint256[4] memory index = [uint256(1), 2, 1, 2];
        for (uint256 i = 0; i < 4; ++i) {
            Signature[] memory signatures = _signatures(orders[i][0], orders[i][1], orders[i][2], digest);
            vm.expectRevert(abi.encodeWithSelector(ReaderErrors.SignersNotAscending.selector, index[i]));
            account.unfreeze(2, stamp, signatures);
        }
    }

    function test_ThereAreTenSigners() public {
        Stamp memory stamp = _stamp();
        bytes32 digest = _freezeDigest(stamp);
        for (uint8 signer = 1; signer < 8; ++signer) {
            Signature[] memory signatures = new Signature[](1);
            signatures[0] = _by(signer, PASSKEY, digest);
            _freezeRefused(stamp, signatures, abi.encodeWithSelector(ReaderErrors.SignatureInvalid.selector, signer));
        }
        for (uint16 signer = 10; signer < 256; signer += 41) {
            Signature[] memory signatures = new Signature[](1);
            signatures[0] = Signature(uint8(signer), "");
            _freezeRefused(stamp, signatures, abi.encodeWithSelector(ReaderErrors.NoSuchSigner.selector, signer));
        }
    }

    function test_EveryPasskeySlotVotes() public {
        AccountInit memory init = _init();
        init.passkeys = new Passkey[](8);
        for (uint8 slot = 0; slot < 8; ++slot) {
            secrets[slot] = 60 + slot;
            init.passkeys[slot] = _passkey(60 + slot);
        }
        account = CommunityAccount(payable(factory.createAccount(abi.encode(init))));
        for (uint8 slot = 0; slot < 8; ++slot) {
            uint256 state = vm.snapshotState();
            _freeze(slot);
            (uint48 until,) = account.frozen();
            vm.assertEq(until, type(uint48).max, "frozen");
            vm.revertToState(state);
        }
    }

    function test_ASignerCannotSpeakForAnother() public {
        Stamp memory stamp = _stamp();
        bytes32 digest = _freezeDigest(stamp);
        Signature[] memory signatures = new Signature[](1);
        signatures[0] = _by(ESCAPE_SIGNER, SERVER, digest);
        _freezeRefused(stamp, signatures, abi.encodeWithSelector(ReaderErrors.SignatureInvalid.selector, 8));
        signatures[0] = _by(SERVER_SIGNER, ESCAPE, digest);
        _freezeRefused(stamp, signatures, abi.encodeWithSelector(ReaderErrors.SignatureInvalid.selector, 9));
        signatures[0] = Signature(0, _serverSignature(ESCAPE, digest));
        _freezeRefused(stamp, signatures, abi.encodeWithSelector(ReaderErrors.SignatureInvalid.selector, 0));
    }

    function test_HighTwinsAreRefused() public {
        Stamp memory stamp = _stamp();
        bytes32 digest = _freezeDigest(stamp);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(ESCAPE, digest);
        Signature[] memory signatures = new Signature[](1);
        signatures[0] = Signature(8, abi.encodePacked(r, bytes32(N_K1 - uint256(s)), v ^ 7));
        _freezeRefused(stamp, signatures, abi.encodeWithSelector(ReaderErrors.SignatureInvalid.selector, 8));
        bytes memory data = _passkeyData(_assertion(), digest);
        assembly ("memory-safe") {
            let place := add(data, 64)
            mstore(place, sub(N_P256, mload(place)))
        }
        signatures[0] = Signature(0, data);
        _freezeRefused(stamp, signatures, abi.encodeWithSelector(ReaderErrors.SignatureInvalid.selector, 0));
    }

    function test_LengthsAreExact() public {
        Stamp memory stamp = _stamp();
        bytes32 digest = _freezeDigest(stamp);
        Signature[] memory signatures = _signatures(ESCAPE_SIGNER, digest);
        signatures[0].data = bytes.concat(signatures[0].data, hex"00");
        _freezeRefused(stamp, signatures, abi.encodeWithSelector(ReaderErrors.SignatureInvalid.selector, 8));
        signatures[0].data = "";
        _freezeRefused(stamp, signatures, abi.encodeWithSelector(ReaderErrors.SignatureInvalid.selector, 8));
        signatures[0] = Signature(0, bytes.concat(_passkeyData(_assertion(), digest), hex"00"));
        _freezeRefused(stamp, signatures, abi.encodeWithSelector(ReaderErrors.SignatureInvalid.selector, 0));
        signatures[0] = Signature(0, "");
        _freezeRefused(stamp, signatures, abi.encodeWithSelector(ReaderErrors.SignatureInvalid.selector, 0));
    }

    /// @dev The person must have been there and verified, for this account's relying party.
    function test_APasskeysVoteIsAFullAssertion() public {
        Stamp memory stamp = _stamp();
        bytes32 digest = _freezeDigest(stamp);
        Assertion[3] memory bad = [_assertion(), _assertion(), _assertion()];
        bad[0].flags = 0x01;
        bad[1].rpIdHash = sha256("evil.example");
        bad[2].prefix = '{"type":"webauthn.create","challenge":"';
        Signature[] memory signatures = new Signature[](1);
        for (uint256 i = 0; i < 3; ++i) {
            signatures[0] = Signature(0, _passkeyData(bad[i], digest));
            _freezeRefused(stamp, signatures, abi.encodeWithSelector(ReaderErrors.SignatureInvalid.selector, 0));
        }
    }

    /// @dev A dual signature over the digest is not the person's vote, nor are its parts the sum of two votes.
    function test_ADualSignatureIsNoVote() public {
        Stamp memory stamp = _stamp();
        Signature[] memory signatures = new Signature[](1);
        signatures[0] = Signature(0, _dual(_freezeDigest(stamp)));
        _freezeRefused(stamp, signatures, abi.encodeWithSelector(ReaderErrors.SignatureInvalid.selector, 0));
    }

    function test_OneStructIsNotAnother() public {
        Stamp memory stamp = _stamp();
        _freeze(0);
        Signature[] memory signatures = _signatures(0, SERVER_SIGNER, _freezeDigest(stamp));
        vm.expectRevert(abi.encodeWithSelector(ReaderErrors.SignatureInvalid.selector, 0));
        account.unfreeze(1, stamp, signatures);
        // Signed for one vote, presented for two.
        signatures = _signatures(0, ESCAPE_SIGNER, SERVER_SIGNER, _unfreezeDigest(1, stamp));
        vm.expectRevert(abi.encodeWithSelector(ReaderErrors.SignatureInvalid.selector, 0));
        account.unfreeze(2, stamp, signatures);
    }

    /// @dev Bits above a field's width are refused by the ABI decoder, so that what was signed has one encoding.
    function test_DirtyWordsAreRefused() public {
        Stamp memory stamp = _stamp();
        bytes32 digest = _unfreezeDigest(1, stamp);
        bytes memory call = abi.encodeCall(account.unfreeze, (1, stamp, _signatures(0, SERVER_SIGNER, digest)));
        _freeze(0);
        call[34] = 0x01;
        (bool ok, bytes memory reason) = address(account).call(call);
        vm.assertTrue(!ok && reason.length == 0, "votes");
        call[34] = 0;
        (ok,) = address(account).call(call);
        vm.assertTrue(ok, "clean");
    }

    function test_TheDomainIsAnnounced() public view {
        (bytes1 fields, string memory name, string memory version, uint256 chainId, address verifying, bytes32 salt,) =
            account.eip712Domain();
        vm.assertTrue(fields == 0x0f && salt == 0 && chainId == block.chainid, "fields, salt, chain");
        vm.assertEq(verifying, address(account), "account");
        vm.assertEq(bytes(name), "CommunityAccount", "name");
        vm.assertEq(bytes(version), "1", "version");
    }

    function _refused(Stamp memory stamp, bytes memory reason) private {
        _freezeRefused(stamp, _signatures(0, _freezeDigest(stamp)), reason);
    }

    function _freezeRefused(Stamp memory stamp, Signature[] memory signatures, bytes memory reason) private {
        vm.expectRevert(reason);
        account.freeze(stamp, signatures);
    }
}
