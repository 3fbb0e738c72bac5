// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @dev Shapes of a multisig's init data, stamps and views (spec/multisig.md). The address of a multisig commits to
/// `keccak256(abi.encode(MultisigInit))`, so a change here changes the address of every new one.

/// @dev What one owner alone may send of one token a UTC day, in its smallest unit. Token 0 is the native currency.
struct LimitRow {
    uint256 chainId;
    address token;
    uint256 perDay;
}

/// @dev Everything a multisig starts with. Rows for all chains are part of it so that the address is the same on each;
/// creation stores this chain's rows only.
struct MultisigInit {
    bytes[] owners;
    uint8 threshold;
    LimitRow[] limits;
    uint256 salt;
}

/// @dev End of every signed struct: the multisig's epoch, a number that makes the struct unlike others, and the last
/// second at which it may be submitted.
struct Stamp {
    uint32 epoch;
    uint256 nonce;
    uint48 deadline;
}

/// @dev `Expired` is never stored: an open proposal is expired from the second after its expiry on.
enum Status {
    Unknown,
    Open,
    Executed,
    Cancelled,
    Expired
}

enum Vote {
    None,
    Approved,
    Rejected
}

/// @dev A proposal as it stands with the owners and the threshold of now.
struct ProposalView {
    Status status;
    uint48 expiry;
    uint256 needed;
    uint256 approvals;
    uint256 rejections;
}
