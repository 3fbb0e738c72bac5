// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {KeyChange, Passkey, Stamp} from "./AccountTypes.sol";

/// @title EIP-712 structs of the plain functions
/// @notice Type strings and struct hashes of spec/account.md, section 2. Every struct ends with the stamp's three fields.
library ActionHashes {
    bytes32 internal constant DOMAIN_TYPE =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    bytes32 internal constant NAME = keccak256("CommunityAccount");
    bytes32 internal constant VERSION = keccak256("1");

    bytes32 internal constant PASSKEY = keccak256("Passkey(uint256 x,uint256 y,bytes32 rpIdHash)");
    bytes32 internal constant FREEZE = keccak256("Freeze(uint32 keyEpoch,uint256 nonce,uint48 deadline)");
    bytes32 internal constant UNFREEZE = keccak256("Unfreeze(uint8 votes,uint32 keyEpoch,uint256 nonce,uint48 deadline)");
    bytes32 internal constant CHANGE_KEYS = keccak256(
        "ChangeKeys(uint256[] removed,Passkey[] added,address serverKey,address escapeKey,uint8 votes,"
        "uint32 keyEpoch,uint256 nonce,uint48 deadline)Passkey(uint256 x,uint256 y,bytes32 rpIdHash)"
    );
    bytes32 internal constant CHANGE_RULES = keccak256(
        "ChangeRules(bytes32 guardiansHash,uint8 guardianThreshold,uint32 recoveryDelay,bool strict,"
        "bool unlistedTokens,uint8 votes,uint32 keyEpoch,uint256 nonce,uint48 deadline)"
    );
    bytes32 internal constant ESCAPE = keccak256(
        "Escape(Passkey[] passkeys,address serverKey,uint8 votes,"
        "uint32 keyEpoch,uint256 nonce,uint48 deadline)Passkey(uint256 x,uint256 y,bytes32 rpIdHash)"
    );
    bytes32 internal constant RECOVER = keccak256(
        "Recover(Passkey[] passkeys,address serverKey,address escapeKey,"
        "uint32 keyEpoch,uint256 nonce,uint48 deadline)Passkey(uint256 x,uint256 y,bytes32 rpIdHash)"
    );
    bytes32 internal constant UPGRADE =
        keccak256("Upgrade(address implementation,bytes32 codeHash,uint32 keyEpoch,uint256 nonce,uint48 deadline)");
    bytes32 internal constant CONFIRM_UPGRADE =
        keccak256("ConfirmUpgrade(bytes32 item,uint32 keyEpoch,uint256 nonce,uint48 deadline)");
    bytes32 internal constant CANCEL = keccak256("Cancel(bytes32 item,uint32 keyEpoch,uint256 nonce,uint48 deadline)");
    bytes32 internal constant LOWER_LIMIT =
        keccak256("LowerLimit(address token,uint256 perDay,uint32 keyEpoch,uint256 nonce,uint48 deadline)");
    bytes32 internal constant LOWER_GAS_CAP =
        keccak256("LowerGasCap(uint256 maxCost,uint32 keyEpoch,uint256 nonce,uint48 deadline)");
    bytes32 internal constant UNLIST_DOMAIN =
        keccak256("UnlistDomain(bytes32 domainSeparator,uint32 keyEpoch,uint256 nonce,uint48 deadline)");
    bytes32 internal constant DISALLOW_CALL =
        keccak256("DisallowCall(address target,bytes4 selector,uint32 keyEpoch,uint256 nonce,uint48 deadline)");
    bytes32 internal constant REVOKE_GRANT =
        keccak256("RevokeGrant(bytes32 grantId,uint32 keyEpoch,uint256 nonce,uint48 deadline)");

    /// @notice The domain separator of `account` on this chain.
    function domainSeparator(address account) internal view returns (bytes32) {
        return keccak256(abi.encode(DOMAIN_TYPE, NAME, VERSION, block.chainid, account));
    }

    /// @notice What is signed for a struct of `account` and `typeHash` whose fields before the stamp encode to `content`.
    function digest(address account, bytes32 typeHash, bytes memory content, Stamp calldata stamp)
        internal
        view
        returns (bytes32)
    {
        return typed(domainSeparator(account), keccak256(abi.encodePacked(typeHash, content, abi.encode(stamp))));
    }

    /// @notice `keccak256("\x19\x01" || domain || struct)` (EIP-712).
    function typed(bytes32 domain, bytes32 structHash) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(hex"1901", domain, structHash));
    }

    function keyChange(KeyChange calldata c) internal pure returns (bytes memory) {
        return abi.encode(
            keccak256(abi.encodePacked(c.removed)), passkeys(c.added), c.serverKey, c.escapeKey, c.votes
        );
    }

    /// @notice encodeData of a `Passkey[]`: the hash of its elements' struct hashes.
    function passkeys(Passkey[] calldata keys) internal pure returns (bytes32) {
        bytes32[] memory hashes = new bytes32[](keys.length);
        for (uint256 i = 0; i < keys.length; ++i) hashes[i] = keccak256(abi.encode(PASSKEY, keys[i]));
        return keccak256(abi.encodePacked(hashes));
    }
}
