// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {LibBit} from "solady/utils/LibBit.sol";
import {MultisigStorage} from "./MultisigStorage.sol";

/// @title Owners of a multisig
/// @notice Owners are signers as in ERC-7913: 20 bytes are an address (an EOA or a contract), more are a verifier's
/// address and a key. One secret, one owner, as far as a contract can tell: every rule here is against a person who
/// sits twice and against an owner who can never answer.
library OwnerSet {
    /// @dev A verifier and an RSA key of 2048 bits are 436 bytes. Storing 512 costs about 400,000 gas, once.
    uint256 internal constant MAX_OWNER_LENGTH = 512;

    /// @dev A verifier's address and a point of a curve of 256 bits.
    uint256 private constant POINT_OWNER_LENGTH = 84;

    error OwnerLengthOutOfRange(uint256 length);
    error OwnerIsZero();
    error OwnerIsTheMultisig();
    error DuplicateOwner(bytes owner);
    /// @notice Another owner is the same address or has the same key, written differently.
    error SameOwnerSpelledTwice(bytes owner, bytes other);
    error VerifierWithoutCode(address verifier);
    error NotAnOwner(bytes owner);
    error TooManyOwners();
    error ThresholdOutOfRange(uint256 threshold, uint256 owners);

    event OwnerAdded(bytes32 indexed ownerId, bytes owner);
    event OwnerRemoved(bytes32 indexed ownerId, bytes owner);
    event ThresholdChanged(uint8 threshold);

    /// @notice Removes, then adds, then sets the threshold. The epoch was raised before, so that seats tell from when
    /// on they are taken.
    function change(bytes[] memory removed, bytes[] memory added, uint8 threshold) internal {
        MultisigStorage.Layout storage $ = MultisigStorage.get();
        uint32 seats = $.seats;
        for (uint256 i = 0; i < removed.length; ++i) {
            seats &= ~uint32(1 << _remove($, removed[i]));
        }
        bytes[] memory present = _load($, seats);
        for (uint256 i = 0; i < added.length; ++i) {
            uint256 seat = LibBit.ffs(~uint256(seats));
            if (seat >= MultisigStorage.MAX_OWNERS) revert TooManyOwners();
            _check($, added[i], present);
            _add($, added[i], seat);
            present[seat] = added[i];
            seats |= uint32(1 << seat);
        }
        $.seats = seats;
        uint256 owners = LibBit.popCount(seats);
        if (threshold == 0 || threshold > owners) revert ThresholdOutOfRange(threshold, owners);
        if (threshold == $.threshold) return;
        $.threshold = threshold;
        emit ThresholdChanged(threshold);
    }

    /// @notice Seat of `owner`; reverts when it has none.
    function seatOf(bytes memory owner) internal view returns (uint8) {
        uint256 seatPlusOne = MultisigStorage.get().seatPlusOne[keccak256(owner)];
        if (seatPlusOne == 0) revert NotAnOwner(owner);
        return uint8(seatPlusOne - 1);
    }

    /// @notice How many owners there are.
    function count() internal view returns (uint256) {
        return LibBit.popCount(MultisigStorage.get().seats);
    }

    /// @notice All owners, by seat.
    function list() internal view returns (bytes[] memory owners) {
        MultisigStorage.Layout storage $ = MultisigStorage.get();
        uint256 seats = $.seats;
        owners = new bytes[](LibBit.popCount(seats));
        for (uint256 i = 0; i < owners.length; ++i) {
            owners[i] = $.owners[LibBit.ffs(seats)];
            seats &= seats - 1;
        }
    }

    function _remove(MultisigStorage.Layout storage $, bytes memory owner) private returns (uint8 seat) {
        seat = seatOf(owner);
        bytes32 id = keccak256(owner);
        delete $.seatPlusOne[id];
        delete $.owners[seat];
        $.seatedIn[seat] = $.epoch;
        emit OwnerRemoved(id, owner);
    }

    function _add(MultisigStorage.Layout storage $, bytes memory owner, uint256 seat) private {
        bytes32 id = keccak256(owner);
        $.seatPlusOne[id] = seat + 1;
        $.owners[seat] = owner;
        $.seatedIn[seat] = $.epoch;
        emit OwnerAdded(id, owner);
    }

    /// @dev Owners by seat, empty where nobody sits.
    function _load(MultisigStorage.Layout storage $, uint256 seats) private view returns (bytes[] memory present) {
        present = new bytes[](MultisigStorage.MAX_OWNERS);
        for (; seats != 0; seats &= seats - 1) {
            uint256 seat = LibBit.ffs(seats);
            present[seat] = $.owners[seat];
        }
    }

    function _check(MultisigStorage.Layout storage $, bytes memory owner, bytes[] memory present) private view {
        if (owner.length < 20 || owner.length > MAX_OWNER_LENGTH) revert OwnerLengthOutOfRange(owner.length);
        address head = _head(owner);
        if (head == address(0)) revert OwnerIsZero();
        if (head == address(this)) revert OwnerIsTheMultisig();
        // An address padded to a word would be such a verifier too.
        if (owner.length > 20 && head.code.length == 0) revert VerifierWithoutCode(head);
        if ($.seatPlusOne[keccak256(owner)] != 0) revert DuplicateOwner(owner);
        for (uint256 i = 0; i < present.length; ++i) {
            if (present[i].length != 0 && _same(owner, present[i])) revert SameOwnerSpelledTwice(owner, present[i]);
        }
    }

    /// @dev A contract could answer as an owner and as a verifier. A point and its negative are the same secret, so
    /// equal x alone makes two owners one, whatever verifier they name.
    function _same(bytes memory one, bytes memory other) private pure returns (bool) {
        if ((one.length == 20) != (other.length == 20)) return _head(one) == _head(other);
        return one.length == POINT_OWNER_LENGTH && other.length == POINT_OWNER_LENGTH && _x(one) == _x(other);
    }

    function _head(bytes memory owner) private pure returns (address) {
        return address(bytes20(owner));
    }

    /// @dev Bytes 20 to 51.
    function _x(bytes memory owner) private pure returns (bytes32 x) {
        assembly ("memory-safe") {
            x := mload(add(owner, 52))
        }
    }
}
