// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccount, IEntryPoint, PackedUserOperation} from "@openzeppelin/contracts/interfaces/IERC4337.sol";
import {IERC7821} from "@openzeppelin/contracts/interfaces/draft-IERC7821.sol";
import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";
import {IERC721Receiver} from "@openzeppelin/contracts/token/ERC721/IERC721Receiver.sol";
import {ERC721Holder} from "@openzeppelin/contracts/token/ERC721/utils/ERC721Holder.sol";
import {ERC1155Holder} from "@openzeppelin/contracts/token/ERC1155/utils/ERC1155Holder.sol";
import {AccountBase} from "./account/AccountBase.sol";
import {Custody} from "./account/Custody.sol";
import {Messages} from "./account/Messages.sol";
import {Sessions} from "./account/Sessions.sol";
import {AccountStorage} from "./lib/AccountStorage.sol";
import {Call, Counting, FirstState} from "./lib/AccountTypes.sol";
import {both} from "./lib/Bools.sol";
import {CallBatch} from "./lib/CallBatch.sol";
import {OutgoingCall} from "./lib/OutgoingCall.sol";

/// @title Smart account of two keys
/// @notice An operation needs a passkey (WebAuthn, P-256) and the server key (secp256k1), both over the same user
/// operation hash, or a session grant that both gave before. A closed account: no modules, no hooks, no delegatecall, no
/// owner. This is the door; the rooms are in `account/`.
/// @dev Runs behind an ERC-1967 proxy made by `CommunityAccountFactory`; state is in `AccountStorage` (ERC-7201). Works
/// with EntryPoint 0.7 and 0.8, one implementation each.
contract CommunityAccount is Custody, Sessions, Messages, IERC7821, ERC721Holder, ERC1155Holder {
    /// @dev The one mode that is accepted: batch, revert on any failure, no opData (ERC-7821, ERC-7579 encoding).
    bytes32 private constant BATCH_MODE = bytes32(uint256(1) << 248);

    error OnlyFactory(address caller);
    error ImplementationIsNotAnAccount();
    error AlreadyInitialized();
    /// @notice An operation may call `execute`, `executeSession` or nothing; anything else would reach the account as the
    /// EntryPoint.
    error CallDataNotExecute(bytes4 selector);
    error UnsupportedExecutionMode(bytes32 mode);

    /// @param entryPoint_ EntryPoint 0.7 or 0.8, deployed.
    /// @param p256Fallback verifier for chains without the precompile; see `P256Choice`.
    constructor(IEntryPoint entryPoint_, address p256Fallback) AccountBase(entryPoint_, p256Fallback) {}

    /// @notice Stores what an account begins with: `firstState` is `abi.encode(FirstState)`, which the factory makes of init
    /// data that obeys all rules (`InitData`).
    /// @dev Only the factory, in the call that makes the proxy: an EOA that delegated its code here (EIP-7702) or the
    /// implementation itself can never be claimed by a stranger. Amounts too large for their field are stored as the
    /// largest it holds, which is less than asked for and more than exists, so that no number makes an account undeployable.
    function initialize(bytes memory firstState) external {
        if (msg.sender != _FACTORY) revert OnlyFactory(msg.sender);
        if (address(this) == _SELF) revert ImplementationIsNotAnAccount();
        AccountStorage.Layout storage $ = AccountStorage.get();
        if ($.serverKey != address(0)) revert AlreadyInitialized();
        FirstState memory first = abi.decode(firstState, (FirstState));
        _storeFirst($, first);
        _storeRows($, first);
    }

    /// @inheritdoc IERC7821
    /// @notice Runs a batch of 1 to 32 calls, all or nothing: `executionData = abi.encode(Call[])`, see `CallBatch`. A
    /// single call may go to the account itself, to `queue`, `confirm` or `createGrant`, without value.
    function execute(bytes32 mode, bytes calldata executionData) external payable onlyEntryPoint {
        if (mode != BATCH_MODE) revert UnsupportedExecutionMode(mode);
        // A freeze may have come between validation and execution of one bundle.
        _requireNotFrozen(AccountStorage.get());
        Call[] calldata calls = CallBatch.decode(executionData);
        if (calls.length == 1 && _isOwnFunction(calls[0])) OutgoingCall.make(0, address(this), 0, calls[0].data);
        else _run(calls, Counting.ByContent);
    }

    /// @inheritdoc IERC7821
    function supportsExecutionMode(bytes32 mode) external pure returns (bool) {
        return mode == BATCH_MODE;
    }

    /// @inheritdoc IERC165
    function supportsInterface(bytes4 id) public view override(ERC1155Holder) returns (bool) {
        return id == type(IAccount).interfaceId || id == type(IERC7821).interfaceId
            || id == type(IERC721Receiver).interfaceId || super.supportsInterface(id);
    }

    /// @dev ERC-4337: a wrong signature returns SIG_VALIDATION_FAILED, any other refusal reverts. The refusals do not
    /// depend on whether the signature is right, so an estimate with a dummy meets the same ones. A node that estimates
    /// with inflated gas limits sets the fees to zero, as it must to get past the prefund. No clock here (ERC-7562,
    /// OP-011): a server's freeze goes back as the time from which the operation is valid.
    function _validateUserOp(PackedUserOperation calldata userOp, bytes32 userOpHash, bytes calldata signature)
        internal
        override
        returns (uint256)
    {
        uint48 frozen = AccountStorage.get().frozenUntil;
        if (frozen == AccountStorage.FOREVER) revert AccountFrozen();
        bytes4 selector = bytes4(userOp.callData);
        if (selector == this.executeSession.selector) return _validateSession(userOp, userOpHash, signature, frozen);
        if (selector != IERC7821.execute.selector && userOp.callData.length != 0) revert CallDataNotExecute(selector);
        return _validateDual(userOp, userOpHash, signature, frozen);
    }

    function _validateDual(PackedUserOperation calldata userOp, bytes32 hash, bytes calldata signature, uint48 frozen)
        private
        returns (uint256)
    {
        (bool paidByAccount, uint256 cost) = _gasCost(userOp);
        (bool valid, bool formed, uint256 day) = _dualSigned(hash, signature);
        uint48 validAfter;
        uint48 validUntil;
        if (paidByAccount) {
            uint256 start = _chargeGas(cost, day, formed) * 1 days;
            (validAfter, validUntil) = (uint48(start), uint48(start + 1 days - 1));
        } else {
            // Whoever else pays, the operation has no day, and the signature has one form.
            valid = both(valid, day == 0);
        }
        return _validationData(valid, validAfter < frozen ? frozen : validAfter, validUntil);
    }

    /// @dev A call that `execute` makes to the account itself; every other one is refused as such.
    function _isOwnFunction(Call calldata one) private view returns (bool) {
        if (one.to != address(this) || one.value != 0) return false;
        bytes4 selector = bytes4(one.data);
        return selector == this.queue.selector || selector == this.confirm.selector
            || selector == this.createGrant.selector;
    }
}
