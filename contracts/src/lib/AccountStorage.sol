// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Passkey} from "./AccountTypes.sol";

/// @title Storage of a `CommunityAccount`
/// @notice One namespaced struct (ERC-7201), append-only from the first release on: an upgrade may use or add fields at
/// the end, never move one. Fields that no function writes yet belong to votes, freeze, escape, limits and grants; they
/// have their place from the start so that the layout is decided once.
/// @dev Packing follows the hot path: one slot for what every validation reads, the rest by who changes it together.
/// Times are seconds since the epoch, delays are seconds, amounts are smallest units of their token.
library AccountStorage {
    /// @dev keccak256(abi.encode(uint256(keccak256("community.storage.Account")) - 1)) & ~bytes32(uint256(0xff))
    bytes32 internal constant SLOT = 0xea808e489bb6c68560d600d813276fc97ea50c1c64e699ea41c3c2ff2ca85500;

    /// @dev Passkey slots of one account; their live set fits the bit mask `passkeySlots`.
    uint256 internal constant MAX_PASSKEYS = 8;

    /// @dev What was spent of one token on day `day` (block.timestamp / 1 days) of at most `perDay`. 112 bits hold
    /// 5.19e15 tokens of 18 decimals and keep the row in one slot: one cold read and one write a spend.
    struct DayLimit {
        uint112 perDay;
        uint112 spent;
        uint32 day;
    }

    /// @dev A change of keys or rules that waits for its delay. Its content is the hash it is stored under.
    struct PendingChange {
        uint48 readyAt;
        uint32 keyEpoch;
        uint8 kind;
        uint16 votes;
        uint48 frozenTotalAtStart;
    }

    /// @dev A session grant. `selectors` holds up to eight four-byte selectors, zero after the last.
    struct Grant {
        address target;
        uint48 validAfter;
        uint48 validUntil;
        address paymaster;
        uint32 keyEpoch;
        uint128 valuePerCall;
        uint128 valueLeft;
        bytes32 selectors;
    }

    /// @dev An implementation that waits for its delay and its second confirmation.
    struct PendingUpgrade {
        address implementation;
        uint48 readyAt;
        uint32 keyEpoch;
        uint16 votes;
    }

    /// @custom:storage-location erc7201:community.storage.Account
    struct Layout {
        // Read by every validation. `serverKey` is not zero from initialization on. `frozenUntil`: 0 not frozen,
        // type(uint48).max frozen by a vote, else the end of the server's freeze. Bit i of `passkeySlots`: slot i lives.
        address serverKey;
        uint32 keyEpoch;
        uint48 frozenUntil;
        uint8 passkeySlots;
        bool strict;
        // Read by validation of operations that no paymaster pays for.
        address escapeKey;
        uint96 gasCap;
        // Recovery and freeze bookkeeping. `frozenTotal`: seconds spent frozen, so that clocks can stop meanwhile.
        uint32 recoveryDelay;
        uint8 guardianThreshold;
        bool unlistedTokensAllowed;
        uint48 frozenSince;
        uint48 frozenTotal;
        uint48 serverFreezeNotBefore;
        bytes32 guardiansHash;
        Passkey[MAX_PASSKEYS] passkeys;
        mapping(address token => DayLimit) limits;
        mapping(bytes32 signerId => uint256 nonce) actionNonces;
        mapping(bytes32 changeHash => PendingChange) pendingChanges;
        mapping(bytes32 grantId => Grant) grants;
        mapping(bytes32 domainHash => bool) listedDomains;
        mapping(address counterparty => uint8 flags) counterparties;
        mapping(bytes32 targetAndSelector => bool) allowedCalls;
        PendingUpgrade pendingUpgrade;
    }

    /// @dev The one instance of the struct.
    function get() internal pure returns (Layout storage $) {
        assembly ("memory-safe") {
            $.slot := SLOT
        }
    }
}
