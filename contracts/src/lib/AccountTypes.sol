// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @dev Shapes that the account reads (spec/wire-formats.md, section 2; spec/account.md, sections 1 to 4). The address of
/// an account commits to `keccak256(abi.encode(AccountInit))`, so a change there changes the address of every new account.

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

/// @dev The end of every signed struct: the key epoch, any number that makes the struct unlike others, and the last
/// second at which it may be submitted.
struct Stamp {
    uint32 keyEpoch;
    uint256 nonce;
    uint48 deadline;
}

/// @dev One signature of a plain function. `signer`: 0 to 7 a passkey's slot, 8 the escape key, 9 the server key.
struct Signature {
    uint8 signer;
    bytes data;
}

/// @dev The guardian list behind its hash, and what each guardian says: a signature over the digest, or nothing when it
/// does not take part or approved the digest beforehand. Both lists are equally long.
struct GuardianProof {
    bytes32 salt;
    bytes[] guardians;
    bytes[] signatures;
}

/// @dev Passkeys to remove, named by x, and to add. A zero server or escape key means "as it is".
struct KeyChange {
    uint256[] removed;
    Passkey[] added;
    address serverKey;
    address escapeKey;
    uint8 votes;
}

/// @dev Everything that is no key and needs votes, as it is to be afterwards.
struct RuleChange {
    bytes32 guardiansHash;
    uint8 guardianThreshold;
    uint32 recoveryDelay;
    bool strict;
    bool unlistedTokens;
    uint8 votes;
}

/// @dev What the server key alone may do for a while, at somebody else's cost.
struct Grant {
    address target;
    bytes4[] selectors;
    uint128 valuePerCall;
    uint128 valueTotal;
    uint48 validAfter;
    uint48 validUntil;
    address paymaster;
    uint256 salt;
}

/// @dev What a change of keys leaves and brings: bit i of `kept` is a passkey slot that stays, `added` goes into the
/// lowest free ones.
struct KeyPlan {
    uint256 kept;
    Passkey[] added;
    address serverKey;
    address escapeKey;
}

/// @dev What a new account begins with on this chain.
struct FirstState {
    KeyPlan keys;
    bytes32 guardiansHash;
    uint8 guardianThreshold;
    uint32 recoveryDelay;
    bool strict;
    uint256 gasCap;
    bool hasGasCap;
    SpendingLimit[] limits;
}

/// @dev What the reader says about a session operation whose calls its grant allows: the value of all of them, who pays
/// for it, and when it is valid.
struct SessionPlan {
    uint256 value;
    address paymaster;
    uint48 validAfter;
    uint48 validUntil;
}

/// @dev What an id stands for: nothing yet, something that is over, or what still waits. Numbers are part of events.
enum ItemKind {
    None,
    Done,
    Unfreeze,
    ChangeKeys,
    ChangeRules,
    Escape,
    Recover,
    Upgrade,
    Queued
}

/// @dev How the calls of a batch are counted: by their content, as a grant's, which holds no token function, or not at all.
enum Counting {
    ByContent,
    AsSession,
    Confirmed
}

/// @dev Kinds of `queue`. Numbers are part of the id of a queued item.
enum QueueKind {
    Spend,
    Limit,
    GasCap,
    Domain,
    AllowedCall
}
