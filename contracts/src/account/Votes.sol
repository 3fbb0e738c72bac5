// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccountStorage} from "../lib/AccountStorage.sol";
import {GuardianProof, ItemKind, Signature, Stamp} from "../lib/AccountTypes.sol";
import {AccountBase} from "./AccountBase.sol";

/// @title What was signed, and what waits
/// @notice Digests that are accepted once, and the items that act later: how they start, ripen, are cancelled and end
/// (spec/account.md, sections 1 and 2). Who signed is the reader's answer (`reader/Signers.sol`, `reader/Actions.sol`).
/// @dev Two clocks. One runs always. The other stands still while the account is frozen: it is block.timestamp less the
/// seconds spent frozen. An item remembers when its own clock started, so nothing has to be touched by a freeze.
abstract contract Votes is AccountBase {
    uint256 internal constant VOTES = (1 << 9) - 1;
    /// @dev The bit of signer 9.
    uint256 internal constant SERVER = 1 << 9;

    uint256 internal constant CHANGE_DELAY = 3 days;
    uint256 internal constant UPGRADE_DELAY = 7 days;
    uint256 internal constant QUEUE_DELAY = 1 days;
    /// @dev How long a ripe item may be finished; afterwards a forgotten one cannot surprise anybody.
    uint256 internal constant ITEM_LIFE = 30 days;

    /// @notice The digest was accepted before, or the queued content and salt were used in this epoch.
    error AlreadyUsed(bytes32 digest);
    /// @notice Nothing of this kind waits under this id: other content, or finished, or cancelled.
    error ItemUnknown(bytes32 item);
    error ItemNotReady(bytes32 item, uint256 secondsLeft);
    /// @notice Of an earlier key epoch or freeze, or ripe for more than 30 days.
    error ItemVoid(bytes32 item);

    /// @notice Something waits now. `votes` has a bit for each vote that signed it (none for guardians and the queue),
    /// `call` is the whole call that started it, so that whoever watches can show the content and finish it.
    event ItemStarted(bytes32 indexed item, ItemKind indexed kind, uint256 votes, bytes call);
    /// @notice `signers` cancelled it; zero stands for guardians.
    event ItemCancelled(bytes32 indexed item, ItemKind indexed kind, uint256 signers);
    event ItemFinished(bytes32 indexed item, ItemKind indexed kind);
    event DigestApproved(bytes32 indexed digest, address indexed guardian);

    /// @notice What stands under `id`. `age` is in seconds of the item's own clock: it may be finished from `delay` on and
    /// until 30 days after, within its key epoch.
    function item(bytes32 id)
        external
        view
        returns (ItemKind kind, uint16 votes, uint32 keyEpoch, uint256 age, uint256 delay)
    {
        AccountStorage.Layout storage $ = AccountStorage.get();
        AccountStorage.Item storage one = $.items[id];
        kind = one.kind;
        if (kind <= ItemKind.Done) return (kind, 0, 0, 0, 0);
        return (kind, one.votes, one.keyEpoch, _clock($, kind) - one.startedAt, _delay($, kind));
    }

    /// @notice Whether a guardian that is a contract agreed with `digest` beforehand.
    function isApproved(bytes32 digest, address guardian) external view returns (bool) {
        return AccountStorage.get().approvals[digest][guardian];
    }

    /// @notice For guardians that are contracts and sign no messages: the sender agrees with `digest`.
    function approve(bytes32 digest) external {
        AccountStorage.get().approvals[digest][msg.sender] = true;
        emit DigestApproved(digest, msg.sender);
    }

    /// @notice Ends an item before it acts. Who may do that follows from the item.
    function cancel(bytes32 id, Stamp calldata, Signature[] calldata) external {
        (, uint256 signers) = _accept();
        _cancel(id, signers);
    }

    /// @notice The guardians end an item: any but their own recovery and what is queued.
    function cancelAsGuardians(bytes32 id, Stamp calldata, GuardianProof calldata) external {
        _acceptDigest(_askId());
        _cancel(id, 0);
    }

    // ---- signed structs

    /// @dev The id that the call being made is about, without any signature.
    function _askId() internal view returns (bytes32) {
        return abi.decode(_ask(msg.data), (bytes32));
    }

    /// @dev Accepts the signed call that is being made, once. The reader refuses what those signers may not do.
    function _accept() internal returns (bytes32 digest, uint256 signers) {
        (digest, signers) = abi.decode(_ask(msg.data), (bytes32, uint256));
        _acceptDigest(digest);
    }

    function _acceptDigest(bytes32 digest) internal {
        AccountStorage.Item storage one = AccountStorage.get().items[digest];
        if (one.kind != ItemKind.None) revert AlreadyUsed(digest);
        one.kind = ItemKind.Done;
    }

    // ---- items

    /// @dev The id was accepted in this call.
    function _start(bytes32 id, ItemKind kind, uint256 votes) internal {
        AccountStorage.Layout storage $ = AccountStorage.get();
        $.items[id] = AccountStorage.Item(kind, uint16(votes), $.keyEpoch, uint48(_clock($, kind)));
        emit ItemStarted(id, kind, votes, msg.data);
    }

    /// @dev Ends an item whose time has come; the caller carries it out.
    function _finish(bytes32 id, ItemKind kind) internal {
        AccountStorage.Layout storage $ = AccountStorage.get();
        AccountStorage.Item storage one = _waiting($, id);
        if (one.kind != kind) revert ItemUnknown(id);
        // What stops while the account is frozen does not act then either.
        if (_stops(kind)) _requireNotFrozen($);
        uint256 age = _clock($, kind) - one.startedAt;
        uint256 delay = _delay($, kind);
        if (age < delay) revert ItemNotReady(id, delay - age);
        if (age > delay + ITEM_LIFE) revert ItemVoid(id);
        one.kind = ItemKind.Done;
        emit ItemFinished(id, kind);
    }

    function _cancel(bytes32 id, uint256 signers) private {
        AccountStorage.Item storage one = _waiting(AccountStorage.get(), id);
        emit ItemCancelled(id, one.kind, signers);
        one.kind = ItemKind.Done;
    }

    /// @dev An item of an earlier key epoch is void, whoever started it.
    function _waiting(AccountStorage.Layout storage $, bytes32 id) private view returns (AccountStorage.Item storage one) {
        one = $.items[id];
        if (one.kind <= ItemKind.Done) revert ItemUnknown(id);
        if (one.keyEpoch != $.keyEpoch) revert ItemVoid(id);
    }

    function _stops(ItemKind kind) private pure returns (bool) {
        return kind != ItemKind.Unfreeze && kind != ItemKind.Escape && kind != ItemKind.Recover;
    }

    function _clock(AccountStorage.Layout storage $, ItemKind kind) private view returns (uint256) {
        return _stops(kind) ? block.timestamp - _frozenSeconds($) : block.timestamp;
    }

    function _delay(AccountStorage.Layout storage $, ItemKind kind) private view returns (uint256) {
        if (kind == ItemKind.Recover) return $.recoveryDelay;
        if (kind == ItemKind.Upgrade) return UPGRADE_DELAY;
        return kind == ItemKind.Queued ? QUEUE_DELAY : CHANGE_DELAY;
    }
}
