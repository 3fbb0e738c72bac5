// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ItemKind, QueueKind} from "./AccountTypes.sol";

/// @title Refusals of the reader
/// @notice The account passes them on as they are, so they belong to its interface too.
abstract contract ReaderErrors {
    // ---- signed structs
    error ForeignKeyEpoch(uint32 stamped, uint32 current);
    error DeadlinePassed(uint48 deadline);
    error SignersNotAscending(uint256 index);
    error NoSuchSigner(uint8 signer);
    error SignatureInvalid(uint8 signer);
    /// @notice `signers` (bit i: signer i) are not exactly those that the action asks for.
    error WrongSigners(uint256 signers);
    error VotesOutOfRange(uint8 votes);
    error PasskeysUnknown(uint256 named, uint256 found);
    error NotCancellable(bytes32 item, ItemKind kind);

    // ---- guardians
    error NoGuardians();
    error GuardianListMismatch();
    error GuardianCountOutOfRange(uint256 guardians, uint256 signatures);
    error GuardiansNotAscending(uint256 index);
    error GuardianTooShort(uint256 index);
    /// @notice A key of this account, or the account, cannot be its guardian.
    error GuardianIsOwner(uint256 index);
    error GuardianSignatureInvalid(uint256 index);
    error TooFewGuardians(uint256 agreed, uint256 threshold);

    // ---- calls
    /// @notice The zero address means the account itself in ERC-7821.
    error CallToZeroAddress(uint256 index);
    error CallToSelf(uint256 index);
    error CallToEntryPoint(uint256 index);
    error QueueContentMalformed(QueueKind kind);

    // ---- session grants
    error GrantTargetRefused(address target);
    error GrantSelectorCount(uint256 count);
    error GrantSelectorsNotAscending(uint256 index);
    /// @notice A token function, or several calls in one: no grant may move, allow or destroy tokens.
    error GrantSelectorRefused(bytes4 selector);
    error GrantTimesRefused(uint48 validAfter, uint48 validUntil);
    error GrantWithoutPaymaster();
    error SessionCallMalformed();
    error GrantForeignTarget(uint256 index, address to);
    error GrantForeignSelector(uint256 index, bytes4 selector);
    error GrantValueOverCall(uint256 index, uint256 value);
}
