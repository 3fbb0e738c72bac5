// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Ownable, Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {Paymaster} from "@openzeppelin/contracts/account/paymaster/Paymaster.sol";
import {ERC4337Utils} from "@openzeppelin/contracts/account/utils/ERC4337Utils.sol";
import {IEntryPoint, PackedUserOperation} from "@openzeppelin/contracts/interfaces/IERC4337.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {both} from "./lib/Bools.sol";

/// @dev `getDepositInfo` of EntryPoint 0.7 and 0.8. Amounts in wei, delay and time in seconds.
interface IDepositInfo {
    struct DepositInfo {
        uint256 deposit;
        bool staked;
        uint112 stake;
        uint32 unstakeDelaySec;
        uint48 withdrawTime;
    }

    function getDepositInfo(address account) external view returns (DepositInfo memory);
}

/// @title Paymaster of a community node
/// @notice Pays for operations that the trusted core signed a sponsorship for (spec/wire-formats.md, section 4). Money
/// leaves it in two ways only: as gas through the EntryPoint, and to a treasury fixed at deployment, after the delay.
/// @dev One deployment an EntryPoint. Validation reads this contract's storage, so it must be staked (ERC-7562, STO-031);
/// it reads no clock: times go back to the EntryPoint in the validation data.
contract CommunityPaymaster is Paymaster, Ownable2Step, EIP712 {
    bytes32 private constant SPONSORSHIP_TYPEHASH = keccak256(
        "Sponsorship(address entryPoint,address sender,uint256 nonce,bytes32 initCodeHash,bytes32 callDataHash,"
        "bytes32 accountGasLimits,uint256 preVerificationGas,bytes32 gasFees,uint128 paymasterVerificationGasLimit,"
        "uint128 paymasterPostOpGasLimit,uint48 validUntil,uint48 validAfter)"
    );

    /// @dev paymaster (20), verification gas limit (16), post-op gas limit (16), validUntil (6), validAfter (6), signature (65).
    uint256 private constant PAYMASTER_AND_DATA_LENGTH = 129;

    /// @dev Half of the order of secp256k1, rounded down: only the low twin of a signature counts.
    uint256 private constant HALF_N = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0;

    /// @notice The shortest unstake delay, ERC-7562's MIN_UNSTAKE_DELAY: what was sponsored is paid before money leaves.
    uint32 public constant MIN_UNSTAKE_DELAY = 1 days;

    /// @notice The longest time a signer stays valid after its successor came.
    uint48 public constant MAX_OVERLAP = 7 days;

    IEntryPoint private immutable _ENTRY_POINT;

    /// @notice Where deposit and stake go. Fixed: an owner whose key was stolen can stop this paymaster, not empty it.
    address payable public immutable treasury;

    /// @notice The trusted core's current `paymaster` key.
    address public signer;

    /// @notice The signer before; its sponsorships end at `previousSignerUntil` (seconds) at the latest. Zero when none.
    address public previousSigner;
    uint48 public previousSignerUntil;

    error EntryPointWithoutCode(address entryPoint);
    error ZeroAddress();
    error SignerUnchanged(address signer);
    error OverlapTooLong(uint48 overlap);
    error PaymasterDataLength(uint256 length);
    error SponsorshipWithoutEnd();
    error UnstakeDelayTooShort(uint32 delay);
    error StakeStillLocked(uint48 withdrawTime);
    error OwnerIsNeeded();

    event SignerRotated(address indexed signer, address indexed previousSigner, uint48 previousSignerUntil);
    event PreviousSignerRevoked(address indexed previousSigner);
    event Deposited(address indexed from, uint256 amount);
    event DepositWithdrawn(uint256 amount);
    event StakeAdded(uint256 amount, uint32 unstakeDelay);
    event StakeUnlocked();
    event StakeWithdrawn();

    /// @param owner_ rotates the signer and manages the stake.
    /// @param treasury_ receives whatever is withdrawn, for ever.
    /// @param signer_ first `paymaster` key of the trusted core.
    constructor(IEntryPoint entryPoint_, address owner_, address payable treasury_, address signer_)
        Ownable(owner_)
        EIP712("CommunityPaymaster", "1")
    {
        if (address(entryPoint_).code.length == 0) revert EntryPointWithoutCode(address(entryPoint_));
        if (treasury_ == address(0) || signer_ == address(0)) revert ZeroAddress();
        _ENTRY_POINT = entryPoint_;
        treasury = treasury_;
        signer = signer_;
        emit SignerRotated(signer_, address(0), 0);
    }

    /// @notice Ether sent here becomes deposit, so that it can pay for gas or return to the treasury and nothing else.
    receive() external payable {
        deposit();
    }

    /// @notice Anybody may add to the deposit.
    function deposit() public payable {
        // The whole balance: ether that was forced in here joins the next deposit.
        uint256 amount = address(this).balance;
        emit Deposited(msg.sender, amount);
        _deposit(amount);
    }

    /// @notice Makes `newSigner` the signer at once; the old one stays valid for `overlap` seconds, so that operations
    /// already signed can still land. Overlap 0 ends it at once, for a signer that can no longer be trusted.
    function rotateSigner(address newSigner, uint48 overlap) external onlyOwner {
        if (newSigner == address(0)) revert ZeroAddress();
        if (newSigner == signer) revert SignerUnchanged(newSigner);
        if (overlap > MAX_OVERLAP) revert OverlapTooLong(overlap);
        (address old, uint48 until) = overlap == 0 ? (address(0), 0) : (signer, uint48(block.timestamp) + overlap);
        previousSigner = old;
        previousSignerUntil = until;
        signer = newSigner;
        emit SignerRotated(newSigner, old, until);
    }

    /// @notice Ends the overlap early.
    function revokePreviousSigner() external onlyOwner {
        emit PreviousSignerRevoked(previousSigner);
        previousSigner = address(0);
        previousSignerUntil = 0;
    }

    /// @notice Adds the sent ether to the stake and locks it. Without ether: locks an unlocked stake again.
    /// @param unstakeDelay seconds, at least one day; the EntryPoint never lets it shrink while staked.
    function addStake(uint32 unstakeDelay) external payable onlyOwner {
        if (unstakeDelay < MIN_UNSTAKE_DELAY) revert UnstakeDelayTooShort(unstakeDelay);
        emit StakeAdded(msg.value, unstakeDelay);
        _addStake(msg.value, unstakeDelay);
    }

    /// @notice Starts the unstake delay. Bundlers take no more sponsored operations from now on.
    function unlockStake() external onlyOwner {
        emit StakeUnlocked();
        _unlockStake();
    }

    /// @notice Sends the stake to the treasury; the EntryPoint refuses before the delay is over.
    function withdrawStake() external onlyOwner {
        emit StakeWithdrawn();
        _withdrawStake(treasury);
    }

    /// @notice Sends `amount` wei of the deposit to the treasury. Not before stake was unlocked and its delay is over:
    /// a deposit that could vanish at once would let sponsored operations fail in bundlers' hands.
    function withdrawDeposit(uint256 amount) external onlyOwner {
        IDepositInfo.DepositInfo memory info = IDepositInfo(address(_ENTRY_POINT)).getDepositInfo(address(this));
        if (info.staked || info.withdrawTime > block.timestamp) revert StakeStillLocked(info.withdrawTime);
        emit DepositWithdrawn(amount);
        _withdraw(treasury, amount);
    }

    /// @dev A paymaster without an owner could never return its money.
    function renounceOwnership() public view override onlyOwner {
        revert OwnerIsNeeded();
    }

    /// @inheritdoc Paymaster
    function entryPoint() public view override returns (IEntryPoint) {
        return _ENTRY_POINT;
    }

    /// @notice Digest that the trusted core signs for `userOp` with these times (EIP-712, domain of this contract).
    /// Reads the paymaster's gas limits from bytes 20 to 52 of `paymasterAndData`.
    function sponsorshipHash(PackedUserOperation calldata userOp, uint48 validUntil, uint48 validAfter)
        public
        view
        returns (bytes32)
    {
        bytes calldata sponsor = userOp.paymasterAndData;
        return _hashTypedDataV4(
            keccak256(
                abi.encode(
                    SPONSORSHIP_TYPEHASH,
                    address(_ENTRY_POINT),
                    userOp.sender,
                    userOp.nonce,
                    keccak256(userOp.initCode),
                    keccak256(userOp.callData),
                    userOp.accountGasLimits,
                    userOp.preVerificationGas,
                    userOp.gasFees,
                    uint128(bytes16(sponsor[20:36])),
                    uint128(bytes16(sponsor[36:52])),
                    validUntil,
                    validAfter
                )
            )
        );
    }

    /// @dev ERC-4337: a wrong signature returns SIG_VALIDATION_FAILED; a shape that no signer makes reverts. Both signers
    /// are always compared. No context, so the EntryPoint never calls `postOp`.
    function _validatePaymasterUserOp(PackedUserOperation calldata userOp, bytes32, uint256)
        internal
        view
        override
        returns (bytes memory, uint256)
    {
        bytes calldata sponsor = userOp.paymasterAndData;
        if (sponsor.length != PAYMASTER_AND_DATA_LENGTH) revert PaymasterDataLength(sponsor.length);
        uint48 validUntil = uint48(bytes6(sponsor[52:58]));
        uint48 validAfter = uint48(bytes6(sponsor[58:64]));
        // The EntryPoint reads zero as "for ever".
        if (validUntil == 0) revert SponsorshipWithoutEnd();
        address recovered = _recover(sponsorshipHash(userOp, validUntil, validAfter), sponsor[64:129]);
        bool byCurrent = recovered == signer;
        // Between overlaps the previous signer is zero, and so is what an unusable signature recovers to.
        bool byPrevious = both(recovered == previousSigner, recovered != address(0));
        uint48 until = previousSignerUntil;
        if (byPrevious && until < validUntil) validUntil = until;
        uint256 result = byCurrent || byPrevious
            ? ERC4337Utils.SIG_VALIDATION_SUCCESS
            : ERC4337Utils.SIG_VALIDATION_FAILED;
        // ERC-4337: result or aggregator (20 bytes), validUntil (6), validAfter (6), from the low end.
        return ("", result | (uint256(validUntil) << 160) | (uint256(validAfter) << 208));
    }

    /// @dev The zero address for whatever is not a canonical signature; the recovery itself always runs.
    function _recover(bytes32 hash, bytes calldata signature) private pure returns (address recovered) {
        bytes32 s = bytes32(signature[32:64]);
        recovered = ecrecover(hash, uint8(signature[64]), bytes32(signature[0:32]), s);
        if (uint256(s) > HALF_N) recovered = address(0);
    }
}
