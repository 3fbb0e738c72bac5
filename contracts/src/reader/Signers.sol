// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {ActionHashes} from "../lib/ActionHashes.sol";
import {GuardianProof, Signature, Stamp} from "../lib/AccountTypes.sol";
import {KeySignature} from "../lib/KeySignature.sol";
import {PasskeySignature} from "../lib/PasskeySignature.sol";
import {ReaderErrors} from "../lib/ReaderErrors.sol";
import {WebAuthnAssertion} from "../lib/WebAuthnAssertion.sol";
import {ReaderBase} from "./ReaderBase.sol";

/// @title Who signed
/// @notice Stamps, votes, the gate and the guardians of a plain function (spec/account.md, section 1).
abstract contract Signers is ReaderBase, ReaderErrors {
    /// @dev Each guardian costs a verification; nobody has more than this.
    uint256 internal constant MAX_GUARDIANS = 16;

    address internal immutable _P256;

    constructor(address p256) {
        _P256 = p256;
    }

    /// @dev The digest that waits or was signed; whether it is still of use is not looked at.
    function _digest(bytes32 typeHash, bytes memory content, Stamp calldata stamp) internal view returns (bytes32) {
        return ActionHashes.digest(msg.sender, typeHash, content, stamp);
    }

    /// @dev A struct of this key epoch, in time. That it is accepted once is the account's to remember.
    function _stamped(bytes32 typeHash, bytes memory content, Stamp calldata stamp) internal view returns (bytes32) {
        if (stamp.keyEpoch != _keyEpoch()) revert ForeignKeyEpoch(stamp.keyEpoch, _keyEpoch());
        if (block.timestamp > stamp.deadline) revert DeadlinePassed(stamp.deadline);
        return _digest(typeHash, content, stamp);
    }

    /// @dev Bit i of the answer: signer i signed. Every signature that is there must be right.
    function _signers(bytes32 digest, Signature[] calldata signatures) internal view returns (uint256 signers) {
        (address serverKey, address escapeKey,, uint8 slots) = _account().keys();
        for (uint256 i = 0; i < signatures.length; ++i) {
            uint8 signer = signatures[i].signer;
            bytes calldata data = signatures[i].data;
            if (signer > SERVER_SIGNER) revert NoSuchSigner(signer);
            // A bit at or above this one means an order that would let a signer count twice.
            if (signers >> signer != 0) revert SignersNotAscending(i);
            bool valid = signer < ESCAPE_SIGNER
                ? (slots >> signer) & 1 != 0 && _passkeySigned(signer, digest, data)
                : KeySignature.signed(signer == ESCAPE_SIGNER ? escapeKey : serverKey, digest, data);
            if (!valid) revert SignatureInvalid(signer);
            signers |= 1 << signer;
        }
    }

    /// @dev One vote or the server key, nobody else.
    function _requireOne(uint256 signers) internal pure {
        if (_count(signers) != 1) revert WrongSigners(signers);
    }

    /// @dev Exactly `votes` votes, and the server key exactly when the gate is asked for.
    function _requireVotes(uint256 signers, uint256 votes, bool gate) internal pure {
        if (_count(signers & VOTES) != votes || (signers & SERVER != 0) != gate) revert WrongSigners(signers);
    }

    /// @dev For structs that one vote or two may sign: the struct says how many, so nobody weakens it by leaving one out.
    function _requireStatedVotes(uint256 signers, uint8 votes, bool gate) internal pure {
        if (votes == 0 || votes > 2) revert VotesOutOfRange(votes);
        _requireVotes(signers, votes, gate);
    }

    /// @dev Reverts unless the threshold of the account's guardians agrees with `digest`.
    function _requireGuardians(bytes32 digest, GuardianProof calldata proof) internal view {
        (bytes32 guardiansHash, uint8 threshold,) = _account().guardians();
        if (guardiansHash == 0) revert NoGuardians();
        uint256 count = proof.guardians.length;
        if (count == 0 || count > MAX_GUARDIANS || proof.signatures.length != count) {
            revert GuardianCountOutOfRange(count, proof.signatures.length);
        }
        if (keccak256(abi.encode(proof.salt, proof.guardians)) != guardiansHash) revert GuardianListMismatch();
        bytes32 last;
        uint256 agreed;
        for (uint256 i = 0; i < count; ++i) {
            bytes calldata guardian = proof.guardians[i];
            bytes32 id = keccak256(guardian);
            // Ascending, so nobody counts twice.
            if (id <= last) revert GuardiansNotAscending(i);
            last = id;
            if (guardian.length < 20) revert GuardianTooShort(i);
            if (_agrees(digest, i, guardian, proof.signatures[i])) ++agreed;
        }
        if (agreed < threshold) revert TooFewGuardians(agreed, threshold);
    }

    function _passkeySigned(uint256 slot, bytes32 digest, bytes calldata data) private view returns (bool) {
        (bool formed, bytes calldata authenticatorData, bytes calldata tail) = PasskeySignature.decode(data);
        (bytes32 r, bytes32 s) = PasskeySignature.scalars(data);
        return formed
            && WebAuthnAssertion.verify(_P256, _account().passkey(slot), digest, authenticatorData, tail, r, s);
    }

    /// @dev No signature and no approval means that this guardian takes no part; a wrong signature is an error.
    function _agrees(bytes32 digest, uint256 index, bytes calldata guardian, bytes calldata signature)
        private
        view
        returns (bool)
    {
        address signer = address(bytes20(guardian));
        bool approved = guardian.length == 20 && _account().isApproved(digest, signer);
        if (signature.length == 0 && !approved) return false;
        if (_isOwner(signer, guardian)) revert GuardianIsOwner(index);
        if (approved) return true;
        // A verifier without code would be believed if it were a precompile that echoes the question.
        bool able = guardian.length == 20 || signer.code.length != 0;
        if (!able || !SignatureChecker.isValidSignatureNow(guardian, digest, signature)) {
            revert GuardianSignatureInvalid(index);
        }
        return true;
    }

    /// @dev Keys of the account must not count a second time as guardians. A passkey's ERC-7913 key begins with its x.
    function _isOwner(address signer, bytes calldata guardian) private view returns (bool) {
        (address serverKey, address escapeKey,, uint8 slots) = _account().keys();
        if (guardian.length == 20) return signer == serverKey || signer == escapeKey || signer == msg.sender;
        if (guardian.length < 52) return false;
        uint256 x = uint256(bytes32(guardian[20:52]));
        for (uint256 slot = 0; slot < MAX_PASSKEYS; ++slot) {
            if ((slots >> slot) & 1 != 0 && _account().passkey(slot).x == x) return true;
        }
        return false;
    }
}
