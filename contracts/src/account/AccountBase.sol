// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Account} from "@openzeppelin/contracts/account/Account.sol";
import {IEntryPoint} from "@openzeppelin/contracts/interfaces/IERC4337.sol";
import {AccountReader} from "../AccountReader.sol";
import {AccountStorage} from "../lib/AccountStorage.sol";
import {Passkey} from "../lib/AccountTypes.sol";
import {both} from "../lib/Bools.sol";
import {DualSignature} from "../lib/DualSignature.sol";
import {KeySignature} from "../lib/KeySignature.sol";
import {P256Choice} from "../lib/P256Choice.sol";
import {PasskeySignature} from "../lib/PasskeySignature.sol";
import {ReaderErrors} from "../lib/ReaderErrors.sol";
import {WebAuthnAssertion} from "../lib/WebAuthnAssertion.sol";

/// @title What all parts of the account share
/// @notice Immutables, the freeze and its clock, the dual signature, the way to the reader, and what anybody may read.
abstract contract AccountBase is Account, ReaderErrors {
    IEntryPoint internal immutable _ENTRY_POINT;
    address internal immutable _FACTORY;
    address internal immutable _SELF;
    address internal immutable _P256;
    address internal immutable _READER;

    error EntryPointWithoutCode(address entryPoint);
    /// @notice A vote or, for its seven days, the server key froze the account.
    error AccountFrozen();

    /// @dev Deployed by its factory, which is therefore the sender.
    constructor(IEntryPoint entryPoint_, address p256Fallback) {
        if (address(entryPoint_).code.length == 0) revert EntryPointWithoutCode(address(entryPoint_));
        _ENTRY_POINT = entryPoint_;
        _FACTORY = msg.sender;
        _SELF = address(this);
        _P256 = P256Choice.choose(p256Fallback);
        _READER = address(new AccountReader(entryPoint_, _P256));
    }

    /// @inheritdoc Account
    function entryPoint() public view override returns (IEntryPoint) {
        return _ENTRY_POINT;
    }

    /// @notice The P-256 verifier of this chain: the precompile at 0x100 or the fallback contract.
    function p256Verifier() external view returns (address) {
        return _P256;
    }

    /// @notice The half of this code that reads what the account is given; see `AccountReader`.
    function reader() external view returns (address) {
        return _READER;
    }

    /// @notice The factory that made this implementation and its accounts.
    function factory() external view returns (address) {
        return _FACTORY;
    }

    /// @notice Current keys. Bit i of `passkeySlots` is set when slot i holds a passkey.
    function keys() external view returns (address serverKey, address escapeKey, uint32 keyEpoch, uint8 passkeySlots) {
        AccountStorage.Layout storage $ = AccountStorage.get();
        return ($.serverKey, $.escapeKey, $.keyEpoch, $.passkeySlots);
    }

    /// @notice The passkey in `slot`, 0 to 7; all zero when there is none.
    function passkey(uint256 slot) external view returns (Passkey memory) {
        return AccountStorage.get().passkeys[slot];
    }

    /// @notice Hash of the guardian list, how many of them act, and after how many seconds their recovery completes.
    function guardians() external view returns (bytes32 guardiansHash, uint8 threshold, uint32 recoveryDelay) {
        AccountStorage.Layout storage $ = AccountStorage.get();
        return ($.guardiansHash, $.guardianThreshold, $.recoveryDelay);
    }

    /// @notice Whether the owner chose strict mode.
    function strictMode() external view returns (bool) {
        return AccountStorage.get().strict;
    }

    /// @notice Whether tokens without a limit may be spent freely.
    function unlistedTokensAllowed() external view returns (bool) {
        return AccountStorage.get().unlistedTokensAllowed;
    }

    /// @notice End of the freeze that is in effect: 0 when none is, the largest uint48 when a vote froze the account; and
    /// before which time the server key cannot freeze (again).
    function frozen() external view returns (uint48 until, uint48 serverFreezeNotBefore) {
        AccountStorage.Layout storage $ = AccountStorage.get();
        return (_isFrozen($) ? $.frozenUntil : 0, $.serverFreezeNotBefore);
    }

    /// @dev Reads the clock, so it is for execution and plain functions; validation returns the time instead.
    function _isFrozen(AccountStorage.Layout storage $) internal view returns (bool) {
        return block.timestamp < $.frozenUntil;
    }

    function _requireNotFrozen(AccountStorage.Layout storage $) internal view {
        if (_isFrozen($)) revert AccountFrozen();
    }

    /// @dev Seconds that the account was frozen so far. A server's freeze ends at `frozenUntil` even if nobody touches the
    /// account then.
    function _frozenSeconds(AccountStorage.Layout storage $) internal view returns (uint256 total) {
        total = $.frozenTotal;
        uint256 until = $.frozenUntil;
        if (until != 0) total += (block.timestamp < until ? block.timestamp : until) - $.frozenSince;
    }

    /// @dev Forwards `question`, a call to this account, to the reader, with the key epoch behind it. Its refusals are passed
    /// on as they are.
    function _ask(bytes calldata question) internal view returns (bytes memory answer) {
        uint256 epoch = AccountStorage.get().keyEpoch;
        address target = _READER;
        assembly ("memory-safe") {
            let input := mload(0x40)
            calldatacopy(input, question.offset, question.length)
            mstore(add(input, question.length), epoch)
            let success := staticcall(gas(), target, input, add(question.length, 0x20), 0, 0)
            let size := returndatasize()
            answer := input
            mstore(answer, size)
            returndatacopy(add(answer, 0x20), 0, size)
            if iszero(success) { revert(add(answer, 0x20), size) }
            mstore(0x40, and(add(add(answer, size), 0x3f), not(0x1f)))
        }
    }

    /// @dev Answers the call that is being made with the reader's words.
    function _pass() internal view {
        bytes memory answer = _ask(msg.data);
        assembly ("memory-safe") {
            return(add(answer, 0x20), mload(answer))
        }
    }

    /// @dev Both signatures are always evaluated, for a malformed signature too, and only then combined: neither gas nor
    /// the trace tells which of them was wrong.
    function _dualSigned(bytes32 hash, bytes calldata signature)
        internal
        view
        returns (bool valid, bool formed, uint256 day)
    {
        uint256 slot;
        bytes calldata server;
        bytes calldata person;
        (formed, slot, day, server, person) = DualSignature.decode(signature);
        (bool whole, bytes calldata authenticatorData, bytes calldata tail) = PasskeySignature.decode(person);
        (bytes32 r, bytes32 s) = PasskeySignature.scalars(person);
        formed = both(formed, whole);
        AccountStorage.Layout storage $ = AccountStorage.get();
        bool live = ($.passkeySlots >> slot) & 1 != 0;
        bool serverSigned = KeySignature.signed($.serverKey, hash, server);
        valid = WebAuthnAssertion.verify(_P256, $.passkeys[slot], hash, authenticatorData, tail, r, s);
        valid = both(both(valid, serverSigned), both(formed, live));
    }

    /// @dev ERC-4337: validAfter, validUntil, and 1 alone for a wrong signature. Without a jump, as `both`.
    function _validationData(bool valid, uint48 validAfter, uint48 validUntil) internal pure returns (uint256 data) {
        data = (uint256(validAfter) << 208) | (uint256(validUntil) << 160);
        assembly ("memory-safe") {
            data := or(mul(valid, data), iszero(valid))
        }
    }

    /// @dev What ERC-7739 asks for; a message has no day.
    function _rawSignatureValidation(bytes32 hash, bytes calldata signature) internal view override returns (bool) {
        (bool valid,, uint256 day) = _dualSigned(hash, signature);
        return both(valid, day == 0);
    }
}
