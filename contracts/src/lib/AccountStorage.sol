// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ItemKind, Passkey} from "./AccountTypes.sol";

/// @title Storage of a `CommunityAccount`
/// @notice One namespaced struct (ERC-7201), append-only from the first release on: an upgrade may use or add fields at
/// the end, never move one.
/// @dev Packing follows the hot path: one slot for what every validation reads, one for a limit, one for a grant, one for
/// an item; the rest by who changes it together. Times are seconds since the epoch, delays are seconds, amounts are
/// smallest units of their token.
library AccountStorage {
    /// @dev keccak256(abi.encode(uint256(keccak256("community.storage.Account")) - 1)) & ~bytes32(uint256(0xff))
    bytes32 internal constant SLOT = 0xea808e489bb6c68560d600d813276fc97ea50c1c64e699ea41c3c2ff2ca85500;

    /// @dev Passkey slots of one account; their live set fits the bit mask `passkeySlots`.
    uint256 internal constant MAX_PASSKEYS = 8;

    /// @dev `frozenUntil` of a freeze by a vote, which has no end.
    uint48 internal constant FOREVER = type(uint48).max;

    /// @dev What was spent of one token on day `day` (block.timestamp / 1 days) of at most `perDay`. 112 bits hold
    /// 5.19e15 tokens of 18 decimals and keep the row in one slot: one cold read and one write a spend. `listed` tells a
    /// token whose limit is zero from one that has none; the native currency needs no mark.
    struct DayLimit {
        uint112 perDay;
        uint112 spent;
        uint24 day;
        bool listed;
    }

    /// @dev What was signed or queued under this id. `startedAt` is read from the clock of its kind (see `Votes`), and
    /// `votes` has a bit for each signer that started it.
    struct Item {
        ItemKind kind;
        uint16 votes;
        uint32 keyEpoch;
        uint48 startedAt;
    }

    /// @dev What is left of a session grant. Its content comes with each call; the id commits to it, and to the key epoch
    /// as well. `used` stays when the grant was revoked.
    struct GrantState {
        uint128 valueLeft;
        uint32 keyEpoch;
        bool live;
        bool used;
    }

    /// @custom:storage-location erc7201:community.storage.Account
    struct Layout {
        // Read by every validation. `serverKey` is not zero from initialization on. `frozenUntil`: 0 not frozen,
        // FOREVER frozen by a vote, else the end of the server's freeze. Bit i of `passkeySlots`: slot i lives.
        address serverKey;
        uint32 keyEpoch;
        uint48 frozenUntil;
        uint8 passkeySlots;
        bool strict;
        // Read by validation of operations that no paymaster pays for.
        address escapeKey;
        uint96 gasCap;
        // Recovery and freeze bookkeeping. `frozenTotal`: seconds spent frozen before `frozenSince`, so that clocks can
        // stop meanwhile.
        uint32 recoveryDelay;
        uint8 guardianThreshold;
        bool unlistedTokensAllowed;
        uint48 frozenSince;
        uint48 frozenTotal;
        uint48 serverFreezeNotBefore;
        bytes32 guardiansHash;
        Passkey[MAX_PASSKEYS] passkeys;
        mapping(address token => DayLimit) limits;
        mapping(bytes32 id => Item) items;
        mapping(bytes32 digest => mapping(address guardian => bool)) approvals;
        mapping(bytes32 grantId => GrantState) grants;
        mapping(bytes32 domainSeparator => bool) listedDomains;
        mapping(address counterparty => bool) known;
        mapping(address target => mapping(bytes4 selector => bool)) allowedCalls;
    }

    /// @dev The one instance of the struct.
    function get() internal pure returns (Layout storage $) {
        assembly ("memory-safe") {
            $.slot := SLOT
        }
    }
}
