// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IEntryPoint, PackedUserOperation} from "@openzeppelin/contracts/interfaces/IERC4337.sol";
import {CommunityAccount} from "../../src/CommunityAccount.sol";

/// @dev An application with two functions of its own, as grants name them.
contract Shop {
    function buy(uint256) external payable {}

    function look() external payable {}
}

/// @dev Comes back into whoever calls it, with call data that it was given, at the account and at the EntryPoint.
contract Returner {
    address private immutable ACCOUNT;
    IEntryPoint private immutable ENTRY_POINT;

    /// @dev How often one of them let it in.
    uint256 public entered;

    constructor(address account, IEntryPoint entryPoint) {
        (ACCOUNT, ENTRY_POINT) = (account, entryPoint);
    }

    receive() external payable {
        _return(abi.encodeCall(CommunityAccount.execute, (bytes32(uint256(1) << 248), "")));
    }

    /// @param back call data for the account.
    function enter(bytes calldata back) external payable {
        _return(back);
        PackedUserOperation[] memory none;
        (bool ok,) = address(ENTRY_POINT).call(abi.encodeCall(IEntryPoint.handleOps, (none, payable(address(this)))));
        if (ok) ++entered;
    }

    function _return(bytes memory back) private {
        (bool ok,) = ACCOUNT.call(back);
        if (ok) ++entered;
    }
}
