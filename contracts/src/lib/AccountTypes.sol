// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @dev Shapes of an account's init data (spec/wire-formats.md, section 2) and of a call (ERC-7821). The address of an
/// account commits to `keccak256(abi.encode(AccountInit))`, so a change here changes the address of every new account.

/// @dev One WebAuthn credential: affine coordinates on P-256 and SHA-256 of the relying party id it answers for.
struct Passkey {
    uint256 x;
    uint256 y;
    bytes32 rpIdHash;
}

/// @dev The most wei that one operation which no paymaster pays for may cost the account, on one chain.
struct GasCap {
    uint256 chainId;
    uint256 maxCost;
}

/// @dev The amount of one token, in its smallest unit, that may leave the account a day. Token 0 is the native currency.
struct SpendingLimit {
    uint256 chainId;
    address token;
    uint256 perDay;
}

/// @dev Everything an account starts with. Rows for all chains are part of it so that the address is the same on each;
/// creation stores this chain's rows only.
struct AccountInit {
    Passkey[] passkeys;
    address serverKey;
    address escapeKey;
    bytes32 guardiansHash;
    uint8 guardianThreshold;
    uint32 recoveryDelay;
    bool strict;
    GasCap[] gasCaps;
    SpendingLimit[] limits;
    uint256 salt;
}

/// @dev One call of an ERC-7821 batch.
struct Call {
    address to;
    uint256 value;
    bytes data;
}
