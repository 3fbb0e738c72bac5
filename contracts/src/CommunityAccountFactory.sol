// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IEntryPoint} from "@openzeppelin/contracts/interfaces/IERC4337.sol";
import {LibClone} from "solady/utils/LibClone.sol";
import {CommunityAccount} from "./CommunityAccount.sol";
import {AccountInit, FirstState} from "./lib/AccountTypes.sol";
import {InitData} from "./lib/InitData.sol";

/// @title Factory of `CommunityAccount`
/// @notice Callable by anybody, because an account that was never used must be able to escape without its node. It has no
/// owner and no storage: the address of an account follows from factory and init data alone, the same on every chain.
/// @dev Makes its implementation itself, so implementation and factory know each other and neither can be exchanged.
contract CommunityAccountFactory {
    /// @notice Logic of all accounts of this factory.
    address public immutable implementation;

    /// @notice keccak256 of the proxy's init code, the constant of the CREATE2 address rule (EIP-1014).
    bytes32 public immutable proxyInitCodeHash;

    event AccountCreated(address indexed account, bytes32 indexed initDataHash);

    /// @param entryPoint EntryPoint 0.7 or 0.8, deployed.
    /// @param p256Fallback verifier for chains without the P-256 precompile.
    constructor(IEntryPoint entryPoint, address p256Fallback) {
        implementation = address(new CommunityAccount(entryPoint, p256Fallback));
        proxyInitCodeHash = LibClone.initCodeHashERC1967(implementation);
    }

    /// @notice Makes the account of `initData`, or returns it if it exists: a second first operation must not fail here.
    /// Reverts with the name of the rule that the init data breaks (`InitData`).
    function createAccount(bytes calldata initData) external returns (address account) {
        bytes32 salt = keccak256(initData);
        bool exists;
        (exists, account) = LibClone.createDeterministicERC1967(implementation, salt);
        if (exists) return account;
        emit AccountCreated(account, salt);
        // Read here and not by the account, whose code has no room for it (EIP-170).
        FirstState memory first = InitData.firstState(abi.decode(initData, (AccountInit)));
        CommunityAccount(payable(account)).initialize(abi.encode(first));
    }

    /// @notice Address of the account of `initData`, whether it exists or not. Does not say that the data is valid.
    function accountAddress(bytes calldata initData) external view returns (address) {
        return LibClone.predictDeterministicAddress(proxyInitCodeHash, keccak256(initData), address(this));
    }
}
