// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {IERC5267} from "@openzeppelin/contracts/interfaces/IERC5267.sol";
import {AccountStorage} from "../lib/AccountStorage.sol";
import {AccountBase} from "./AccountBase.sol";

/// @title Messages
/// @notice ERC-1271 for the applications that the owner listed, through ERC-7739 only: what both keys signed names this
/// account and shows its content (spec/account.md, section 5).
abstract contract Messages is AccountBase, IERC1271, IERC5267 {
    /// @dev ERC-7739: how an application asks whether nested signatures are understood.
    bytes32 private constant DETECTION = 0x7739773977397739773977397739773977397739773977397739773977397739;
    bytes4 private constant DETECTED = 0x77390001;
    bytes4 private constant REFUSED = 0xffffffff;

    /// @notice Whether messages for this EIP-712 domain are accepted; zero stands for personal messages.
    function isListedDomain(bytes32 domainSeparator) external view returns (bool) {
        return AccountStorage.get().listedDomains[domainSeparator];
    }

    /// @notice ERC-5267: name `CommunityAccount`, version `1`, this chain, this account.
    function eip712Domain()
        external
        view
        returns (bytes1, string memory, string memory, uint256, address, bytes32, uint256[] memory)
    {
        _pass();
    }

    /// @inheritdoc IERC1271
    /// @dev The reader takes TypedDataSign and PersonalSign apart.
    function isValidSignature(bytes32 hash, bytes calldata signature) external view returns (bytes4) {
        if (hash == DETECTION && signature.length == 0) return DETECTED;
        if (_isFrozen(AccountStorage.get())) return REFUSED;
        (bytes32 domain, bytes32 nested, uint256 length) = abi.decode(_ask(msg.data), (bytes32, bytes32, uint256));
        bool listed = AccountStorage.get().listedDomains[domain];
        return listed && _rawSignatureValidation(nested, signature[:length]) ? IERC1271.isValidSignature.selector : REFUSED;
    }
}
