// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {LibBit} from "solady/utils/LibBit.sol";
import {Call} from "../lib/AccountTypes.sol";
import {MultisigStorage} from "./MultisigStorage.sol";
import {OwnerSet} from "./OwnerSet.sol";
import {Status} from "./MultisigTypes.sol";

/// @title Proposals of a multisig
/// @notice What may be proposed, how votes are counted, and what a change of owners or threshold does to them: votes of
/// whoever left or came back do not count, all others stay. A proposal needs the higher of the threshold it was made
/// under and the threshold of now, so a lowered threshold makes nothing executable; and never more votes than there are
/// owners, so it voids nothing either.
library Proposals {
    /// @dev As in a batch of an account.
    uint256 internal constant MAX_CALLS = 32;
    uint256 internal constant DEFAULT_LIFETIME = 14 days;
    uint256 internal constant MAX_LIFETIME = 30 days;

    error CallCountOutOfRange(uint256 count);
    error CallToZeroAddress(uint256 index);
    error SelfCallNotAlone(uint256 index);
    error SelfCallWithValue(uint256 value);
    error SelfCallUnknown(bytes4 selector);
    error ExpiryOutOfRange(uint256 expiry, uint256 earliest, uint256 latest);
    error UnknownProposal(bytes32 id);
    error ProposalIsExecuted(bytes32 id);
    error ProposalIsCancelled(bytes32 id);
    error ProposalIsExpired(bytes32 id, uint256 expiry);

    /// @notice Reverts with the name of the first rule that `calls` break. `first` and `second` are the functions that
    /// a multisig may call on itself.
    function check(Call[] calldata calls, bytes4 first, bytes4 second) internal view {
        if (calls.length == 0 || calls.length > MAX_CALLS) revert CallCountOutOfRange(calls.length);
        for (uint256 i = 0; i < calls.length; ++i) {
            if (calls[i].to == address(0)) revert CallToZeroAddress(i);
            if (calls[i].to != address(this)) continue;
            if (calls.length != 1) revert SelfCallNotAlone(i);
            if (calls[i].value != 0) revert SelfCallWithValue(calls[i].value);
            bytes4 selector = bytes4(calls[i].data);
            if (calls[i].data.length < 4 || (selector != first && selector != second)) {
                revert SelfCallUnknown(selector);
            }
        }
    }

    /// @notice The last second of a proposal made now; `asked` 0 stands for 14 days.
    function lastSecond(uint48 asked) internal view returns (uint48) {
        if (asked == 0) return uint48(block.timestamp + DEFAULT_LIFETIME);
        uint256 latest = block.timestamp + MAX_LIFETIME;
        if (asked < block.timestamp || asked > latest) revert ExpiryOutOfRange(asked, block.timestamp, latest);
        return asked;
    }

    /// @notice The proposal `id` with the votes of those who still sit where they voted.
    function load(bytes32 id) internal view returns (MultisigStorage.Proposal memory p) {
        MultisigStorage.Layout storage $ = MultisigStorage.get();
        p = $.proposals[id];
        uint32 epoch = $.epoch;
        if (p.epoch == epoch) return p;
        uint256 voted = p.approvals | p.rejections;
        uint256 gone;
        for (; voted != 0; voted &= voted - 1) {
            uint256 seat = LibBit.ffs(voted);
            if ($.seatedIn[seat] > p.epoch) gone |= 1 << seat;
        }
        if (p.proposer != MultisigStorage.NO_SEAT && $.seatedIn[p.proposer] > p.epoch) {
            p.proposer = MultisigStorage.NO_SEAT;
        }
        p.approvals &= ~uint32(gone);
        p.rejections &= ~uint32(gone);
        p.epoch = epoch;
    }

    /// @notice As `load`; reverts unless the proposal can still be voted on and executed.
    function loadOpen(bytes32 id) internal view returns (MultisigStorage.Proposal memory p) {
        p = load(id);
        if (p.status == Status.Unknown) revert UnknownProposal(id);
        if (p.status == Status.Executed) revert ProposalIsExecuted(id);
        if (p.status == Status.Cancelled) revert ProposalIsCancelled(id);
        if (block.timestamp > p.expiry) revert ProposalIsExpired(id, p.expiry);
    }

    function save(bytes32 id, MultisigStorage.Proposal memory p) internal {
        MultisigStorage.get().proposals[id] = p;
    }

    /// @notice How many approvals `p` needs now.
    function needed(MultisigStorage.Proposal memory p) internal view returns (uint256 votes) {
        votes = MultisigStorage.get().threshold;
        if (p.threshold > votes) votes = p.threshold;
        uint256 owners = OwnerSet.count();
        if (votes > owners) votes = owners;
    }

    /// @notice Whether so many owners rejected `p` that the rest cannot approve it.
    function unreachable(MultisigStorage.Proposal memory p) internal view returns (bool) {
        return OwnerSet.count() - LibBit.popCount(p.rejections) < needed(p);
    }
}
