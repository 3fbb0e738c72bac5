// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Account} from "@openzeppelin/contracts/account/Account.sol";
import {ERC4337Utils} from "@openzeppelin/contracts/account/utils/ERC4337Utils.sol";
import {IAccount, IEntryPoint, PackedUserOperation} from "@openzeppelin/contracts/interfaces/IERC4337.sol";
import {IERC7821} from "@openzeppelin/contracts/interfaces/draft-IERC7821.sol";
import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";
import {IERC721Receiver} from "@openzeppelin/contracts/token/ERC721/IERC721Receiver.sol";
import {ERC721Holder} from "@openzeppelin/contracts/token/ERC721/utils/ERC721Holder.sol";
import {ERC1155Holder} from "@openzeppelin/contracts/token/ERC1155/utils/ERC1155Holder.sol";
import {AccountStorage} from "./lib/AccountStorage.sol";
import {AccountInit, Call, Passkey} from "./lib/AccountTypes.sol";
import {both} from "./lib/Bools.sol";
import {CallBatch} from "./lib/CallBatch.sol";
import {DualSignature} from "./lib/DualSignature.sol";
import {InitData} from "./lib/InitData.sol";
import {P256Choice} from "./lib/P256Choice.sol";
import {WebAuthnAssertion} from "./lib/WebAuthnAssertion.sol";

/// @title Smart account of two keys
/// @notice An operation needs a passkey (WebAuthn, P-256) and the server key (secp256k1), both over the same user
/// operation hash. A closed account: no modules, no hooks, no delegatecall, no owner; its only entry is the EntryPoint.
/// @dev Runs behind an ERC-1967 proxy made by `CommunityAccountFactory`; state is in `AccountStorage` (ERC-7201). Works
/// with EntryPoint 0.7 and 0.8, one implementation each.
contract CommunityAccount is Account, IERC7821, ERC721Holder, ERC1155Holder {
    /// @dev The one mode that is accepted: batch, revert on any failure, no opData (ERC-7821, ERC-7579 encoding).
    bytes32 private constant BATCH_MODE = bytes32(uint256(1) << 248);

    IEntryPoint private immutable _ENTRY_POINT;
    address private immutable _FACTORY;
    address private immutable _SELF;
    address private immutable _P256;

    error EntryPointWithoutCode(address entryPoint);
    error OnlyFactory(address caller);
    error ImplementationIsNotAnAccount();
    error AlreadyInitialized();
    /// @notice An operation may call `execute` or nothing; anything else would reach the account as the EntryPoint.
    error CallDataNotExecute(bytes4 selector);
    /// @notice Nobody else pays and the operation may cost more than the owner allowed: `gas * maxFeePerGas > cap` wei.
    error GasCostOverCap(uint256 gas, uint256 maxFeePerGas, uint256 cap);
    error UnsupportedExecutionMode(bytes32 mode);
    /// @notice The zero address means the account itself in ERC-7821.
    error CallToZeroAddress(uint256 index);
    error CallToSelf(uint256 index);
    error CallToEntryPoint(uint256 index);
    /// @notice The call at `index` failed without a reason; a reason is passed on as it is.
    error CallFailed(uint256 index);

    event PasskeyAdded(uint256 indexed slot, uint256 x, uint256 y, bytes32 rpIdHash);
    event ServerKeyChanged(address indexed serverKey);
    event EscapeKeyChanged(address indexed escapeKey);
    event GuardiansChanged(bytes32 guardiansHash, uint8 threshold, uint32 recoveryDelay);
    event StrictModeChanged(bool strict);
    event GasCapChanged(uint256 maxCost);
    event SpendingLimitChanged(address indexed token, uint256 perDay);

    /// @param entryPoint_ EntryPoint 0.7 or 0.8, deployed.
    /// @param p256Fallback verifier for chains without the precompile; see `P256Choice`.
    /// @dev Deployed by its factory, which is therefore the sender.
    constructor(IEntryPoint entryPoint_, address p256Fallback) {
        if (address(entryPoint_).code.length == 0) revert EntryPointWithoutCode(address(entryPoint_));
        _ENTRY_POINT = entryPoint_;
        _FACTORY = msg.sender;
        _SELF = address(this);
        _P256 = P256Choice.choose(p256Fallback);
    }

    /// @notice Stores what `initData`, canonical `abi.encode(AccountInit)`, says for this chain.
    /// @dev Only the factory, in the call that makes the proxy: an EOA that delegated its code here (EIP-7702) or the
    /// implementation itself can never be claimed by a stranger. Amounts too large for their field are stored as the
    /// largest it holds, which is less than asked for and more than exists, so that no number makes an account undeployable.
    function initialize(bytes calldata initData) external {
        if (msg.sender != _FACTORY) revert OnlyFactory(msg.sender);
        if (address(this) == _SELF) revert ImplementationIsNotAnAccount();
        AccountStorage.Layout storage $ = AccountStorage.get();
        if ($.serverKey != address(0)) revert AlreadyInitialized();
        AccountInit memory init = abi.decode(initData, (AccountInit));
        InitData.check(init);
        _storeKeys($, init);
        _storeRows($, init);
    }

    /// @inheritdoc IERC7821
    /// @notice Runs a batch of 1 to 32 calls, all or nothing: `executionData = abi.encode(Call[])`, see `CallBatch`.
    function execute(bytes32 mode, bytes calldata executionData) external payable onlyEntryPoint {
        if (mode != BATCH_MODE) revert UnsupportedExecutionMode(mode);
        Call[] calldata calls = CallBatch.decode(executionData);
        for (uint256 i = 0; i < calls.length; ++i) {
            Call calldata one = calls[i];
            address to = one.to;
            if (to == address(0)) revert CallToZeroAddress(i);
            if (to == address(this)) revert CallToSelf(i);
            // The deposit is value too: it must not move past the limits, nor may an operation start another one.
            if (to == address(_ENTRY_POINT)) revert CallToEntryPoint(i);
            // solhint-disable-next-line avoid-low-level-calls
            (bool success, bytes memory reason) = to.call{value: one.value}(one.data);
            if (!success) _passOn(i, reason);
        }
    }

    /// @inheritdoc IERC7821
    function supportsExecutionMode(bytes32 mode) external pure returns (bool) {
        return mode == BATCH_MODE;
    }

    /// @inheritdoc Account
    function entryPoint() public view override returns (IEntryPoint) {
        return _ENTRY_POINT;
    }

    /// @notice The P-256 verifier of this chain: the precompile at 0x100 or the fallback contract.
    function p256Verifier() external view returns (address) {
        return _P256;
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

    /// @notice Most wei that an operation which no paymaster pays for may cost.
    function gasCap() external view returns (uint256 maxCost) {
        return AccountStorage.get().gasCap;
    }

    /// @notice Limit of `token` (0 = native) a day, and what was spent on day `day` (block.timestamp / 1 days).
    function spendingLimit(address token) external view returns (uint256 perDay, uint256 spent, uint256 day) {
        AccountStorage.DayLimit storage limit = AccountStorage.get().limits[token];
        return (limit.perDay, limit.spent, limit.day);
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

    /// @inheritdoc IERC165
    function supportsInterface(bytes4 id) public view override(ERC1155Holder) returns (bool) {
        return id == type(IAccount).interfaceId || id == type(IERC7821).interfaceId
            || id == type(IERC721Receiver).interfaceId || super.supportsInterface(id);
    }

    /// @dev ERC-4337: a wrong signature returns SIG_VALIDATION_FAILED, any other refusal reverts. The refusals do not
    /// depend on the signature, so an estimate with a dummy meets the same ones. A node that estimates with inflated gas
    /// limits sets the fees to zero, as it must to get past the prefund.
    function _validateUserOp(PackedUserOperation calldata userOp, bytes32 userOpHash, bytes calldata signature)
        internal
        view
        override
        returns (uint256)
    {
        bytes calldata callData = userOp.callData;
        if (callData.length != 0 && bytes4(callData) != IERC7821.execute.selector) {
            revert CallDataNotExecute(bytes4(callData));
        }
        _checkGasCap(userOp);
        return _rawSignatureValidation(userOpHash, signature)
            ? ERC4337Utils.SIG_VALIDATION_SUCCESS
            : ERC4337Utils.SIG_VALIDATION_FAILED;
    }

    /// @dev Both signatures are always evaluated, for a malformed signature too, and only then combined: neither gas nor
    /// the trace tells which of them was wrong.
    function _rawSignatureValidation(bytes32 hash, bytes calldata signature) internal view override returns (bool) {
        (bool formed, uint256 slot, bytes calldata authenticatorData, bytes calldata tail) =
            DualSignature.decode(signature);
        (bytes32 r, bytes32 s) = DualSignature.passkeyPart(signature);
        AccountStorage.Layout storage $ = AccountStorage.get();
        bool live = ($.passkeySlots >> slot) & 1 != 0;
        bool server = DualSignature.serverSigned(signature, hash, $.serverKey);
        bool person = WebAuthnAssertion.verify(_P256, $.passkeys[slot], hash, authenticatorData, tail, r, s);
        return both(both(formed, live), both(server, person));
    }

    /// @dev Who touches a passkey gets the server's signature for what the core's rules allow; without this bound a thief
    /// could burn the balance as fees. EntryPoint 0.7 also charges the account when the paymaster field names the zero
    /// address, and then counts the paymaster gas fields too. The comparison divides, so nothing overflows.
    function _checkGasCap(PackedUserOperation calldata userOp) private view {
        bytes calldata sponsor = userOp.paymasterAndData;
        if (sponsor.length >= 20 && address(bytes20(sponsor)) != address(0)) return;
        uint256 maxFeePerGas = uint128(uint256(userOp.gasFees));
        uint256 cap = AccountStorage.get().gasCap;
        // EntryPoint refuses fields above 120 bits (AA94); saturation keeps the sum safe without relying on it.
        uint256 gas = userOp.preVerificationGas;
        if (gas > type(uint128).max) gas = type(uint128).max;
        gas += uint256(userOp.accountGasLimits) >> 128;
        gas += uint128(uint256(userOp.accountGasLimits));
        if (sponsor.length >= 52) gas += uint256(uint128(bytes16(sponsor[20:36]))) + uint128(bytes16(sponsor[36:52]));
        if (maxFeePerGas != 0 && gas > cap / maxFeePerGas) revert GasCostOverCap(gas, maxFeePerGas, cap);
    }

    function _passOn(uint256 index, bytes memory reason) private pure {
        if (reason.length == 0) revert CallFailed(index);
        assembly ("memory-safe") {
            revert(add(reason, 32), mload(reason))
        }
    }

    function _storeKeys(AccountStorage.Layout storage $, AccountInit memory init) private {
        uint256 count = init.passkeys.length;
        for (uint256 i = 0; i < count; ++i) {
            Passkey memory key = init.passkeys[i];
            $.passkeys[i] = key;
            emit PasskeyAdded(i, key.x, key.y, key.rpIdHash);
        }
        $.serverKey = init.serverKey;
        $.passkeySlots = uint8(2 ** count - 1);
        $.strict = init.strict;
        $.escapeKey = init.escapeKey;
        $.recoveryDelay = init.recoveryDelay;
        $.guardianThreshold = init.guardianThreshold;
        if (init.guardiansHash != 0) $.guardiansHash = init.guardiansHash;
        emit ServerKeyChanged(init.serverKey);
        emit EscapeKeyChanged(init.escapeKey);
        emit GuardiansChanged(init.guardiansHash, init.guardianThreshold, init.recoveryDelay);
        emit StrictModeChanged(init.strict);
    }

    /// @dev A chain without a row keeps cap or limit 0.
    function _storeRows(AccountStorage.Layout storage $, AccountInit memory init) private {
        for (uint256 i = 0; i < init.gasCaps.length; ++i) {
            if (init.gasCaps[i].chainId != block.chainid) continue;
            uint256 cap = init.gasCaps[i].maxCost;
            if (cap > type(uint96).max) cap = type(uint96).max;
            $.gasCap = uint96(cap);
            emit GasCapChanged(cap);
        }
        for (uint256 i = 0; i < init.limits.length; ++i) {
            if (init.limits[i].chainId != block.chainid) continue;
            uint256 perDay = init.limits[i].perDay;
            if (perDay > type(uint112).max) perDay = type(uint112).max;
            $.limits[init.limits[i].token].perDay = uint112(perDay);
            emit SpendingLimitChanged(init.limits[i].token, perDay);
        }
    }
}
