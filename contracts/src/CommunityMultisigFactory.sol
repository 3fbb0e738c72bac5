// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {LibClone} from "solady/utils/LibClone.sol";
import {CommunityMultisig} from "./CommunityMultisig.sol";

/// @title Factory of `CommunityMultisig`
/// @notice Callable by anybody. It has no owner, no storage and no constructor argument: the address of a multisig
/// follows from factory and init data alone, the same on every chain.
/// @dev Makes its implementation itself, so implementation and factory know each other and neither can be exchanged.
contract CommunityMultisigFactory {
    /// @notice Logic of all multisigs of this factory.
    address public immutable implementation;

    /// @notice keccak256 of the proxy's init code, the constant of the CREATE2 address rule (EIP-1014).
    bytes32 public immutable proxyInitCodeHash;

    event MultisigCreated(address indexed multisig, bytes32 indexed initDataHash);

    constructor() {
        implementation = address(new CommunityMultisig());
        proxyInitCodeHash = LibClone.initCodeHash(implementation);
    }

    /// @notice Makes the multisig of `initData`, or returns it if it exists. Reverts with the name of the rule that the
    /// init data breaks (`OwnerSet`, `DailyLimits`).
    function createMultisig(bytes calldata initData) external returns (address multisig) {
        bytes32 salt = keccak256(initData);
        multisig = LibClone.predictDeterministicAddress(proxyInitCodeHash, salt, address(this));
        if (multisig.code.length != 0) return multisig;
        LibClone.cloneDeterministic(implementation, salt);
        emit MultisigCreated(multisig, salt);
        CommunityMultisig(payable(multisig)).initialize(initData);
    }

    /// @notice Address of the multisig of `initData`, whether it exists or not. Does not say that the data is valid.
    function multisigAddress(bytes calldata initData) external view returns (address) {
        return LibClone.predictDeterministicAddress(proxyInitCodeHash, keccak256(initData), address(this));
    }
}
