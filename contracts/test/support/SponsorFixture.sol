// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {PackedUserOperation} from "@openzeppelin/contracts/interfaces/IERC4337.sol";
import {CommunityPaymaster} from "../../src/CommunityPaymaster.sol";
import {Fixture} from "./Fixture.sol";

/// @dev A staked paymaster with a deposit, and operations that its signer sponsors.
abstract contract SponsorFixture is Fixture {
    uint256 internal constant SIGNER = 31;
    uint256 internal constant OWNER = 33;
    uint128 internal constant PM_VERIFICATION = 60_000;
    uint128 internal constant PM_POST_OP = 0;
    uint256 internal constant STAKE = 1 ether;
    uint256 internal constant DEPOSIT = 2 ether;
    address payable internal constant TREASURY = payable(address(0x7EA5));

    CommunityPaymaster internal paymaster;

    function setUp() public virtual override {
        super.setUp();
        paymaster = new CommunityPaymaster(entryPoint, vm.addr(OWNER), TREASURY, vm.addr(SIGNER));
        vm.deal(address(this), DEPOSIT);
        paymaster.deposit{value: DEPOSIT}();
        vm.deal(vm.addr(OWNER), STAKE);
        vm.prank(vm.addr(OWNER));
        paymaster.addStake{value: STAKE}(1 days);
    }

    /// @dev `op` with a sponsorship; sign the operation itself afterwards.
    function _sponsored(PackedUserOperation memory op, uint48 validUntil, uint48 validAfter, uint256 key)
        internal
        view
        returns (PackedUserOperation memory)
    {
        op.paymasterAndData = _field(validUntil, validAfter, new bytes(65));
        bytes32 digest = paymaster.sponsorshipHash(op, validUntil, validAfter);
        op.paymasterAndData = _field(validUntil, validAfter, _serverSignature(key, digest));
        return op;
    }

    function _field(uint48 validUntil, uint48 validAfter, bytes memory signature) internal view returns (bytes memory) {
        return abi.encodePacked(
            address(paymaster), PM_VERIFICATION, PM_POST_OP, validUntil, validAfter, signature
        );
    }

    /// @dev The owner calls; an empty reason means that it must work.
    function _asOwner(bytes memory data, bytes memory reason) internal {
        vm.prank(vm.addr(OWNER));
        (bool ok, bytes memory answer) = address(paymaster).call(data);
        vm.assertTrue(ok == (reason.length == 0), "outcome");
        if (!ok) vm.assertEq(answer, reason, "reason");
    }

    function _rotate(uint256 key, uint48 overlap) internal {
        address next = vm.addr(key);
        vm.prank(vm.addr(OWNER));
        paymaster.rotateSigner(next, overlap);
    }
}
