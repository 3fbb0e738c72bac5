// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";
import {IERC721Receiver} from "@openzeppelin/contracts/token/ERC721/IERC721Receiver.sol";
import {ERC721Holder} from "@openzeppelin/contracts/token/ERC721/utils/ERC721Holder.sol";
import {ERC1155Holder} from "@openzeppelin/contracts/token/ERC1155/utils/ERC1155Holder.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {LibBit} from "solady/utils/LibBit.sol";
import {SafeTransferLib} from "solady/utils/SafeTransferLib.sol";
import {Call} from "./lib/AccountTypes.sol";
import {BoundedCall} from "./multisig/BoundedCall.sol";
import {DailyLimits} from "./multisig/DailyLimits.sol";
import {MultisigStorage} from "./multisig/MultisigStorage.sol";
import {MultisigInit, ProposalView, Stamp, Status, Vote} from "./multisig/MultisigTypes.sol";
import {OwnerSet} from "./multisig/OwnerSet.sol";
import {Proposals} from "./multisig/Proposals.sol";
import {SignedActions} from "./multisig/SignedActions.sol";

/// @title Shared treasury of a community
/// @notice Value leaves by a proposal that the threshold of owners approved, or, up to a token's daily limit, by one
/// owner's `spend`. No modules, no delegatecall, no upgrade, nobody above the owners. It answers no ERC-1271 question:
/// a signed message (an order, a permit) moves value later and elsewhere, past expiry, daily limit and the calls that
/// owners saw; what needs such a message can be an executed call instead (approve, an on-chain order).
/// @dev Runs behind a minimal proxy made by `CommunityMultisigFactory`. State is written before every call outside, so
/// there is no lock: whoever is called may execute another proposal that was approved, as anybody may at any time.
contract CommunityMultisig is EIP712, ERC721Holder, ERC1155Holder {
    address private immutable _FACTORY;

    error OnlyFactory(address caller);
    error AlreadyInitialized();
    error OnlySelf(address caller);
    error SignaturePastDeadline(uint256 deadline);
    /// @notice Owners or threshold changed since this was signed.
    error SignatureOfOtherEpoch(uint256 signed, uint256 current);
    error SignatureUsed(bytes32 digest);
    error WrongSignature(bytes owner);
    error ProposalExists(bytes32 id);
    error AlreadyApproved(bytes32 id);
    error NotApproved(bytes32 id);
    error AlreadyRejected(bytes32 id);
    error NotTheProposer(bytes32 id);
    error NotEnoughApprovals(bytes32 id, uint256 approvals, uint256 needed);
    /// @notice The call at `index` failed; `reason` is cut after 1,024 bytes.
    error CallFailed(uint256 index, bytes reason);
    error SpendOfNothing();
    error SpendToZeroAddress();
    error SpendToSelf();
    /// @notice What `SafeTransferLib` reverts with: the token is no contract, answered no, or failed.
    error TransferFailed();
    /// @notice Likewise: too little money, or the recipient refused.
    error ETHTransferFailed();
    /// @notice The token took more from the multisig than was charged.
    error TokenTookMore(address token, uint256 took, uint256 amount);

    event EpochRaised(uint32 epoch);
    /// @notice `expiry` is as asked for and part of the id; `lastSecond` is what follows from it.
    event Proposed(
        bytes32 indexed id, bytes32 indexed proposer, Call[] calls, uint256 salt, uint48 expiry, uint48 lastSecond
    );
    event Approved(bytes32 indexed id, bytes32 indexed ownerId);
    event ApprovalWithdrawn(bytes32 indexed id, bytes32 indexed ownerId);
    event Rejected(bytes32 indexed id, bytes32 indexed ownerId);
    event Cancelled(bytes32 indexed id);
    event Executed(bytes32 indexed id);
    event Spent(bytes32 indexed ownerId, address indexed token, address indexed to, uint256 amount);

    modifier onlySelf() {
        if (msg.sender != address(this)) revert OnlySelf(msg.sender);
        _;
    }

    /// @dev Deployed by its factory, which is therefore the sender.
    constructor() EIP712("CommunityMultisig", "1") {
        _FACTORY = msg.sender;
    }

    receive() external payable {}

    /// @notice Stores what `initData`, `abi.encode(MultisigInit)`, says for this chain. Only the factory, in the call
    /// that makes the proxy; it never calls the implementation, which therefore has no owner and does nothing.
    function initialize(bytes calldata initData) external {
        if (msg.sender != _FACTORY) revert OnlyFactory(msg.sender);
        if (MultisigStorage.get().threshold != 0) revert AlreadyInitialized();
        MultisigInit memory init = abi.decode(initData, (MultisigInit));
        OwnerSet.change(new bytes[](0), init.owners, init.threshold);
        DailyLimits.init(init.limits);
    }

    // ---- what an owner does: directly when it is an address, or by a signature that anybody submits

    /// @notice Proposes 1 to 32 calls and approves them. `expiry` is the last second: 0 means in 14 days, and 30 are
    /// the most.
    function propose(Call[] calldata calls, uint256 salt, uint48 expiry) external returns (bytes32) {
        (uint8 seat, bytes32 ownerId) = _sender();
        return _propose(seat, ownerId, calls, SignedActions.calls(calls), salt, expiry);
    }

    function proposeBySignature(
        Call[] calldata calls,
        uint256 salt,
        uint48 expiry,
        bytes calldata owner,
        Stamp calldata stamp,
        bytes calldata signature
    ) external returns (bytes32) {
        bytes32 ownerId = keccak256(owner);
        bytes32 callsHash = SignedActions.calls(calls);
        uint8 seat = _signer(owner, SignedActions.propose(ownerId, callsHash, salt, expiry, stamp), stamp, signature);
        return _propose(seat, ownerId, calls, callsHash, salt, expiry);
    }

    /// @notice Approves proposal `id`, and takes back a rejection.
    function approve(bytes32 id) external {
        (uint8 seat, bytes32 ownerId) = _sender();
        _approve(seat, ownerId, id);
    }

    function approveBySignature(bytes32 id, bytes calldata owner, Stamp calldata stamp, bytes calldata signature)
        external
    {
        (uint8 seat, bytes32 ownerId) = _signerOn(SignedActions.APPROVE, id, owner, stamp, signature);
        _approve(seat, ownerId, id);
    }

    /// @notice Takes an approval back while the proposal is open.
    function withdrawApproval(bytes32 id) external {
        (uint8 seat, bytes32 ownerId) = _sender();
        _withdraw(seat, ownerId, id);
    }

    function withdrawApprovalBySignature(
        bytes32 id,
        bytes calldata owner,
        Stamp calldata stamp,
        bytes calldata signature
    ) external {
        (uint8 seat, bytes32 ownerId) = _signerOn(SignedActions.WITHDRAW, id, owner, stamp, signature);
        _withdraw(seat, ownerId, id);
    }

    /// @notice Votes against proposal `id`, and takes back an approval. It is cancelled when the other owners are too
    /// few to approve it.
    function reject(bytes32 id) external {
        (uint8 seat, bytes32 ownerId) = _sender();
        _reject(seat, ownerId, id);
    }

    function rejectBySignature(bytes32 id, bytes calldata owner, Stamp calldata stamp, bytes calldata signature)
        external
    {
        (uint8 seat, bytes32 ownerId) = _signerOn(SignedActions.REJECT, id, owner, stamp, signature);
        _reject(seat, ownerId, id);
    }

    /// @notice Cancels proposal `id`; only who proposed it and has been an owner ever since.
    function cancel(bytes32 id) external {
        (uint8 seat,) = _sender();
        _cancel(seat, id);
    }

    function cancelBySignature(bytes32 id, bytes calldata owner, Stamp calldata stamp, bytes calldata signature)
        external
    {
        (uint8 seat,) = _signerOn(SignedActions.CANCEL, id, owner, stamp, signature);
        _cancel(seat, id);
    }

    /// @notice Sends `amount` of `token` (0 = native) within what is left of today's limit, which all owners share.
    function spend(address token, address to, uint256 amount) external {
        (, bytes32 ownerId) = _sender();
        _spend(ownerId, token, to, amount);
    }

    function spendBySignature(
        address token,
        address to,
        uint256 amount,
        bytes calldata owner,
        Stamp calldata stamp,
        bytes calldata signature
    ) external {
        bytes32 ownerId = keccak256(owner);
        _signer(owner, SignedActions.spend(ownerId, token, to, amount, stamp), stamp, signature);
        _spend(ownerId, token, to, amount);
    }

    // ---- what anybody does

    /// @notice Runs the calls of an approved proposal, all or nothing. `proposer` is keccak256 of the owner who
    /// proposed.
    function execute(bytes32 proposer, Call[] calldata calls, uint256 salt, uint48 expiry) external {
        bytes32 id = _id(proposer, SignedActions.calls(calls), salt, expiry);
        MultisigStorage.Proposal memory p = Proposals.loadOpen(id);
        uint256 approvals = LibBit.popCount(p.approvals);
        uint256 needed = Proposals.needed(p);
        if (approvals < needed) revert NotEnoughApprovals(id, approvals, needed);
        p.status = Status.Executed;
        Proposals.save(id, p);
        emit Executed(id);
        for (uint256 i = 0; i < calls.length; ++i) {
            (bool success, bytes memory reason) = BoundedCall.run(calls[i].to, calls[i].value, calls[i].data);
            if (!success) revert CallFailed(i, reason);
        }
    }

    // ---- what only an executed proposal does

    /// @notice Removes and adds owners and sets the threshold, in this order. Raises the epoch: signatures that nobody
    /// submitted are void; open proposals stay, without the votes of whoever left (see `Proposals`).
    function changeOwners(bytes[] calldata removed, bytes[] calldata added, uint8 newThreshold) external onlySelf {
        uint32 raised = ++MultisigStorage.get().epoch;
        emit EpochRaised(raised);
        OwnerSet.change(removed, added, newThreshold);
    }

    /// @notice Sets the daily limit of `token` (0 = native); 0 takes the token off the list.
    function setDailyLimit(address token, uint112 perDay) external onlySelf {
        DailyLimits.set(token, perDay);
    }

    // ---- views

    /// @notice The factory that made this implementation and its multisigs.
    function factory() external view returns (address) {
        return _FACTORY;
    }

    /// @notice How many changes of owners or threshold there were.
    function epoch() external view returns (uint32) {
        return MultisigStorage.get().epoch;
    }

    function threshold() external view returns (uint256) {
        return MultisigStorage.get().threshold;
    }

    function owners() external view returns (bytes[] memory) {
        return OwnerSet.list();
    }

    function isOwner(bytes calldata owner) external view returns (bool) {
        return MultisigStorage.get().seatPlusOne[keccak256(owner)] != 0;
    }

    function proposalId(bytes32 proposer, Call[] calldata calls, uint256 salt, uint48 expiry)
        external
        view
        returns (bytes32)
    {
        return _id(proposer, SignedActions.calls(calls), salt, expiry);
    }

    /// @notice Proposal `id`, counted with the owners and the threshold of now.
    function proposal(bytes32 id) external view returns (ProposalView memory) {
        MultisigStorage.Proposal memory p = Proposals.load(id);
        if (p.status == Status.Open && block.timestamp > p.expiry) p.status = Status.Expired;
        uint256 approvals = LibBit.popCount(p.approvals);
        return ProposalView(p.status, p.expiry, Proposals.needed(p), approvals, LibBit.popCount(p.rejections));
    }

    /// @notice What `owner`, a current one, says to proposal `id`.
    function vote(bytes32 id, bytes calldata owner) external view returns (Vote) {
        MultisigStorage.Proposal memory p = Proposals.load(id);
        uint256 seat = OwnerSet.seatOf(owner);
        if ((p.approvals >> seat) & 1 != 0) return Vote.Approved;
        return (p.rejections >> seat) & 1 != 0 ? Vote.Rejected : Vote.None;
    }

    /// @notice Limit of `token` (0 = native) a UTC day, what was spent of it today and what is left.
    function dailyLimit(address token) external view returns (uint256 perDay, uint256 spent, uint256 left) {
        return DailyLimits.today(token);
    }

    /// @notice Whether a signature over `digest` was accepted before.
    function digestUsed(bytes32 digest) external view returns (bool) {
        return MultisigStorage.get().usedDigests[digest];
    }

    /// @inheritdoc IERC165
    function supportsInterface(bytes4 id) public view override returns (bool) {
        return id == type(IERC721Receiver).interfaceId || super.supportsInterface(id);
    }

    // ---- who acts

    function _sender() private view returns (uint8 seat, bytes32 ownerId) {
        bytes memory owner = abi.encodePacked(msg.sender);
        return (OwnerSet.seatOf(owner), keccak256(owner));
    }

    /// @dev Accepts `owner`'s signature over the struct once.
    function _signer(bytes calldata owner, bytes32 structHash, Stamp calldata stamp, bytes calldata signature)
        private
        returns (uint8 seat)
    {
        MultisigStorage.Layout storage $ = MultisigStorage.get();
        seat = OwnerSet.seatOf(owner);
        if (block.timestamp > stamp.deadline) revert SignaturePastDeadline(stamp.deadline);
        if (stamp.epoch != $.epoch) revert SignatureOfOtherEpoch(stamp.epoch, $.epoch);
        bytes32 digest = _hashTypedDataV4(structHash);
        if ($.usedDigests[digest]) revert SignatureUsed(digest);
        $.usedDigests[digest] = true;
        if (!SignatureChecker.isValidSignatureNow(owner, digest, signature)) revert WrongSignature(owner);
    }

    function _signerOn(bytes32 kind, bytes32 id, bytes calldata owner, Stamp calldata stamp, bytes calldata signature)
        private
        returns (uint8 seat, bytes32 ownerId)
    {
        ownerId = keccak256(owner);
        seat = _signer(owner, SignedActions.onProposal(kind, ownerId, id, stamp), stamp, signature);
    }

    // ---- what happens

    /// @dev The proposer is part of the id, so nobody spoils a proposal by making it first.
    function _id(bytes32 proposer, bytes32 callsHash, uint256 salt, uint48 expiry) private view returns (bytes32) {
        return keccak256(abi.encode(block.chainid, address(this), proposer, callsHash, salt, expiry));
    }

    function _propose(
        uint8 seat,
        bytes32 ownerId,
        Call[] calldata calls,
        bytes32 callsHash,
        uint256 salt,
        uint48 expiry
    ) private returns (bytes32 id) {
        Proposals.check(calls, this.changeOwners.selector, this.setDailyLimit.selector);
        id = _id(ownerId, callsHash, salt, expiry);
        MultisigStorage.Layout storage $ = MultisigStorage.get();
        if ($.proposals[id].status != Status.Unknown) revert ProposalExists(id);
        uint48 lastSecond = Proposals.lastSecond(expiry);
        MultisigStorage.Proposal memory p;
        p.status = Status.Open;
        p.expiry = lastSecond;
        p.threshold = $.threshold;
        p.proposer = seat;
        p.epoch = $.epoch;
        p.approvals = uint32(1 << seat);
        Proposals.save(id, p);
        emit Proposed(id, ownerId, calls, salt, expiry, lastSecond);
        emit Approved(id, ownerId);
    }

    function _approve(uint8 seat, bytes32 ownerId, bytes32 id) private {
        MultisigStorage.Proposal memory p = Proposals.loadOpen(id);
        uint32 bit = uint32(1 << seat);
        if (p.approvals & bit != 0) revert AlreadyApproved(id);
        p.approvals |= bit;
        p.rejections &= ~bit;
        Proposals.save(id, p);
        emit Approved(id, ownerId);
    }

    function _withdraw(uint8 seat, bytes32 ownerId, bytes32 id) private {
        MultisigStorage.Proposal memory p = Proposals.loadOpen(id);
        uint32 bit = uint32(1 << seat);
        if (p.approvals & bit == 0) revert NotApproved(id);
        p.approvals &= ~bit;
        Proposals.save(id, p);
        emit ApprovalWithdrawn(id, ownerId);
    }

    function _reject(uint8 seat, bytes32 ownerId, bytes32 id) private {
        MultisigStorage.Proposal memory p = Proposals.loadOpen(id);
        uint32 bit = uint32(1 << seat);
        if (p.rejections & bit != 0) revert AlreadyRejected(id);
        p.rejections |= bit;
        p.approvals &= ~bit;
        bool over = Proposals.unreachable(p);
        if (over) p.status = Status.Cancelled;
        Proposals.save(id, p);
        emit Rejected(id, ownerId);
        if (over) emit Cancelled(id);
    }

    function _cancel(uint8 seat, bytes32 id) private {
        MultisigStorage.Proposal memory p = Proposals.loadOpen(id);
        if (p.proposer != seat) revert NotTheProposer(id);
        p.status = Status.Cancelled;
        Proposals.save(id, p);
        emit Cancelled(id);
    }

    /// @dev A token may take a fee from what arrives, not on top of what was charged.
    function _spend(bytes32 ownerId, address token, address to, uint256 amount) private {
        if (amount == 0) revert SpendOfNothing();
        if (to == address(0)) revert SpendToZeroAddress();
        if (to == address(this)) revert SpendToSelf();
        DailyLimits.charge(token, amount);
        emit Spent(ownerId, token, to, amount);
        if (token == address(0)) return SafeTransferLib.safeTransferETH(to, amount);
        uint256 before = SafeTransferLib.balanceOf(token, address(this));
        SafeTransferLib.safeTransfer(token, to, amount);
        uint256 left = SafeTransferLib.balanceOf(token, address(this));
        if (left < before && before - left > amount) revert TokenTookMore(token, before - left, amount);
    }
}
