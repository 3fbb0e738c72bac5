// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ItemKind, Passkey} from "../lib/AccountTypes.sol";

/// @dev What the reader asks of the account that calls it.
interface IReadableAccount {
    function keys() external view returns (address serverKey, address escapeKey, uint32 keyEpoch, uint8 passkeySlots);
    function passkey(uint256 slot) external view returns (Passkey memory);
    function guardians() external view returns (bytes32 guardiansHash, uint8 threshold, uint32 recoveryDelay);
    function isApproved(bytes32 digest, address guardian) external view returns (bool);
    function item(bytes32 id)
        external
        view
        returns (ItemKind kind, uint16 votes, uint32 keyEpoch, uint256 age, uint256 delay);
}

/// @title What all parts of the reader share
/// @dev An account forwards the call that it received, byte for byte, with its key epoch as one word behind it: the
/// reader's functions have the names and arguments of the account's. No storage anywhere; the account is `msg.sender`.
abstract contract ReaderBase {
    /// @dev Signers 0 to 7 are passkey slots.
    uint256 internal constant MAX_PASSKEYS = 8;
    uint256 internal constant ESCAPE_SIGNER = 8;
    uint256 internal constant SERVER_SIGNER = 9;
    uint256 internal constant VOTES = (1 << 9) - 1;
    uint256 internal constant SERVER = 1 << SERVER_SIGNER;

    function _account() internal view returns (IReadableAccount) {
        return IReadableAccount(msg.sender);
    }

    function _keyEpoch() internal pure returns (uint32 epoch) {
        assembly ("memory-safe") {
            epoch := calldataload(sub(calldatasize(), 32))
        }
    }

    function _count(uint256 bits) internal pure returns (uint256 n) {
        for (; bits != 0; bits &= bits - 1) ++n;
    }
}
