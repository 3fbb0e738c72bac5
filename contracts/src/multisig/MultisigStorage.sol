// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Status} from "./MultisigTypes.sol";

/// @title Storage of a `CommunityMultisig`
/// @notice One namespaced struct (ERC-7201). There is no upgrade, so the layout is final for each multisig.
library MultisigStorage {
    /// @dev keccak256(abi.encode(uint256(keccak256("community.storage.Multisig")) - 1)) & ~bytes32(uint256(0xff))
    bytes32 internal constant SLOT = 0xe52d1e50f4eaf19b1916a9fe65647f4f33149e9a45c997b31cc995c7318ab300;

    /// @dev Owners of one multisig. Each has a seat, and sets of seats are 32-bit masks.
    uint256 internal constant MAX_OWNERS = 32;

    /// @dev Stands for the proposer who is no owner any more.
    uint8 internal constant NO_SEAT = type(uint8).max;

    /// @dev One slot. Masks and `proposer` speak of who sat in epoch `epoch`; `Proposals.load` brings them up to date.
    /// `threshold` is the one at the time of the proposal.
    struct Proposal {
        Status status;
        uint48 expiry;
        uint8 threshold;
        uint8 proposer;
        uint32 epoch;
        uint32 approvals;
        uint32 rejections;
    }

    /// @dev What was spent of one token on day `day` (block.timestamp / 1 days) of at most `perDay`.
    struct DayLimit {
        uint112 perDay;
        uint112 spent;
        uint32 day;
    }

    /// @custom:storage-location erc7201:community.storage.Multisig
    struct Layout {
        // Read by every action. `threshold` is not zero from initialization on; bit i of `seats`: seat i is taken.
        uint32 epoch;
        uint32 seats;
        uint8 threshold;
        // Epoch in which a seat was last taken or left: votes of earlier epochs do not belong to who sits there now.
        uint32[MAX_OWNERS] seatedIn;
        // Seat of an owner plus one, by keccak256 of the owner.
        mapping(bytes32 ownerId => uint256) seatPlusOne;
        bytes[MAX_OWNERS] owners;
        mapping(bytes32 id => Proposal) proposals;
        mapping(bytes32 digest => bool) usedDigests;
        mapping(address token => DayLimit) limits;
    }

    /// @dev The one instance of the struct.
    function get() internal pure returns (Layout storage $) {
        assembly ("memory-safe") {
            $.slot := SLOT
        }
    }
}
