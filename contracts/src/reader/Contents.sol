// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ERC7739Utils} from "@openzeppelin/contracts/utils/cryptography/draft-ERC7739Utils.sol";
import {ActionHashes} from "../lib/ActionHashes.sol";
import {Call, Grant, QueueKind, SessionPlan} from "../lib/AccountTypes.sol";
import {CallBatch} from "../lib/CallBatch.sol";
import {CallClass, CallClasses} from "../lib/CallClasses.sol";
import {Actions} from "./Actions.sol";

/// @title Contents, read
/// @notice Call data, session operations, queued contents and nested messages (spec/account.md, sections 3 to 5).
abstract contract Contents is Actions {
    uint256 private constant MAX_SELECTORS = 8;
    uint256 private constant MAX_DURATION = 2 hours;

    /// @notice ERC-5267, for the account that asks.
    function eip712Domain()
        external
        view
        returns (bytes1, string memory, string memory, uint256, address, bytes32, uint256[] memory)
    {
        return (0x0f, "CommunityAccount", "1", block.chainid, msg.sender, 0, new uint256[](0));
    }

    /// @notice `CallClasses.classify` for the account that asks.
    function classify(bytes calldata data) external view returns (CallClass, uint256, address) {
        return CallClasses.classify(msg.sender, data);
    }

    /// @notice Id of what is to be queued. Reverts for content that could never be confirmed, so that whoever queues
    /// learns it at once.
    function queue(QueueKind kind, bytes calldata content, uint256 salt) external view returns (bytes32) {
        _checkContent(kind, content);
        return _queueId(kind, content, salt);
    }

    /// @notice Id of what was queued.
    function confirm(QueueKind kind, bytes calldata content, uint256 salt) external view returns (bytes32) {
        return _queueId(kind, content, salt);
    }

    function _queueId(QueueKind kind, bytes calldata content, uint256 salt) private view returns (bytes32) {
        return keccak256(abi.encode(block.chainid, msg.sender, kind, keccak256(content), salt, _keyEpoch()));
    }

    function _checkContent(QueueKind kind, bytes calldata content) private view {
        if (kind == QueueKind.Spend) {
            Call[] calldata calls = CallBatch.decode(content);
            for (uint256 i = 0; i < calls.length; ++i) {
                address to = calls[i].to;
                if (to == address(0)) revert CallToZeroAddress(i);
                if (to == msg.sender) revert CallToSelf(i);
                if (to == address(_ENTRY_POINT)) revert CallToEntryPoint(i);
            }
            return;
        }
        bool two = kind == QueueKind.Limit || kind == QueueKind.AllowedCall;
        if (content.length != (two ? 64 : 32)) revert QueueContentMalformed(kind);
        if (two && uint256(bytes32(content)) >> 160 != 0) revert QueueContentMalformed(kind);
        if (kind == QueueKind.AllowedCall && uint256(bytes32(content[32:])) << 32 != 0) {
            revert QueueContentMalformed(kind);
        }
    }

    /// @notice Id of a grant that may be made now.
    function createGrant(Grant calldata grant) external view returns (bytes32) {
        address target = grant.target;
        if (target == address(0) || target == msg.sender || target == address(_ENTRY_POINT)) {
            revert GrantTargetRefused(target);
        }
        if (grant.paymaster == address(0)) revert GrantWithoutPaymaster();
        if (
            grant.validAfter >= grant.validUntil || grant.validUntil <= block.timestamp
                || grant.validUntil > block.timestamp + MAX_DURATION
        ) revert GrantTimesRefused(grant.validAfter, grant.validUntil);
        uint256 count = grant.selectors.length;
        if (count == 0 || count > MAX_SELECTORS) revert GrantSelectorCount(count);
        bytes4 last;
        for (uint256 i = 0; i < count; ++i) {
            bytes4 selector = grant.selectors[i];
            // Above the one before and, at first, above zero.
            if (selector <= last) revert GrantSelectorsNotAscending(i);
            last = selector;
            // Calls of a session are not looked into any more, so nothing may be in them.
            if (CallClasses.isTokenFunction(selector) || CallClasses.listPlace(selector) != 0) {
                revert GrantSelectorRefused(selector);
            }
        }
        return _grantId(grant);
    }

    /// @notice Id of `grant` in the current key epoch.
    function grantId(Grant calldata grant) external view returns (bytes32) {
        return _grantId(grant);
    }

    /// @notice What a session operation does, when each of its calls is one that its grant allows. Whether the grant is
    /// live is the account's to say.
    function executeSession(Grant calldata grant, bytes calldata executionData)
        external
        pure
        returns (SessionPlan memory plan)
    {
        // The account hashes the grant where the canonical encoding has it.
        if (uint256(bytes32(msg.data[4:36])) != 64) revert SessionCallMalformed();
        Call[] calldata calls = CallBatch.decode(executionData);
        (address target, bytes4[] calldata selectors) = (grant.target, grant.selectors);
        for (uint256 i = 0; i < calls.length; ++i) {
            Call calldata one = calls[i];
            (address to, uint256 value, bytes calldata data) = (one.to, one.value, one.data);
            if (to != target) revert GrantForeignTarget(i, to);
            bytes4 selector = bytes4(data);
            bool granted;
            for (uint256 j = 0; j < selectors.length; ++j) granted = granted || selectors[j] == selector;
            // One to three bytes are filled with zeros here; a selector may end with zeros.
            if (!granted || data.length < 4) revert GrantForeignSelector(i, selector);
            if (value > grant.valuePerCall) revert GrantValueOverCall(i, value);
            plan.value += value;
        }
        (plan.paymaster, plan.validAfter, plan.validUntil) = (grant.paymaster, grant.validAfter, grant.validUntil);
    }

    /// @notice ERC-7739: the domain that must be listed for a message, what both keys must have signed, and how many bytes
    /// of `signature` are theirs. A domain of zero stands for a personal message.
    function isValidSignature(bytes32 hash, bytes calldata signature)
        external
        view
        returns (bytes32 domain, bytes32 nested, uint256 length)
    {
        (bytes calldata inner, bytes32 application, bytes32 content, string calldata description) =
            ERC7739Utils.decodeTypedDataSig(signature);
        (string calldata name, string calldata types) = ERC7739Utils.decodeContentsDescr(description);
        // A domain of zero is none here: it would let the mark for personal messages list it.
        if (application != 0 && bytes(name).length != 0 && hash == ActionHashes.typed(application, content)) {
            bytes memory own =
                abi.encode(ActionHashes.NAME, ActionHashes.VERSION, block.chainid, msg.sender, bytes32(0));
            nested = ActionHashes.typed(
                application, ERC7739Utils.typedDataSignStructHash(name, types, content, own)
            );
            return (application, nested, inner.length);
        }
        nested = ActionHashes.typed(
            ActionHashes.domainSeparator(msg.sender), ERC7739Utils.personalSignStructHash(hash)
        );
        return (0, nested, signature.length);
    }

    /// @dev Commits to the whole grant, to the account, its chain and its key epoch.
    function _grantId(Grant calldata grant) private view returns (bytes32) {
        return keccak256(abi.encode(block.chainid, msg.sender, _keyEpoch(), grant));
    }
}
