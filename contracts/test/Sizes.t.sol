// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {CommunityMultisigFactory} from "../src/CommunityMultisigFactory.sol";
import {CommunityPaymaster} from "../src/CommunityPaymaster.sol";
import {PasskeyVerifier} from "../src/multisig/PasskeyVerifier.sol";
import {Fixture} from "./support/Fixture.sol";

/// @dev Every contract that is deployed, as it lies on chain and as it is sent there.
contract SizesTest is Fixture {
    /// @dev EIP-170 less a tenth: room for a correction that must not wait for a rearrangement.
    uint256 private constant MAX_RUNTIME = 22_118;
    /// @dev EIP-3860.
    uint256 private constant MAX_INIT_CODE = 49_152;

    function test_EveryContractIsATenthBelowTheSizeLimit() public {
        _runtime("account", factory.implementation());
        _runtime("reader", account.reader());
        _runtime("factory", address(factory));
        _runtime("verifier", address(p256));
        CommunityMultisigFactory multisigs = new CommunityMultisigFactory();
        _runtime("multisig factory", address(multisigs));
        _runtime("multisig", multisigs.implementation());
        _runtime("passkey verifier", address(new PasskeyVerifier()));
        CommunityPaymaster paymaster = new CommunityPaymaster(entryPoint, address(1), payable(address(2)), address(3));
        _runtime("paymaster", address(paymaster));
    }

    /// @dev A factory is sent with the code of all that it makes.
    function test_EveryInitCodeFitsATransaction() public view {
        uint256 account_ = _initCode("CommunityAccountFactory", 64);
        vm.assertTrue(account_ > factory.implementation().code.length + account.reader().code.length, "holds both");
        _initCode("CommunityMultisigFactory", 0);
        _initCode("CommunityPaymaster", 128);
        _initCode("PasskeyVerifier", 0);
        _initCode("P256Verifier", 0);
    }

    function _runtime(string memory what, address deployed) private view {
        uint256 size = deployed.code.length;
        _log(string.concat("size | ", what, " | ", vm.toString(size)));
        vm.assertTrue(size != 0, what);
        vm.assertLe(size, MAX_RUNTIME, what);
    }

    /// @dev With `arguments` bytes of constructor arguments behind it.
    function _initCode(string memory artifact, uint256 arguments) private view returns (uint256 size) {
        size = vm.getCode(string.concat(artifact, ".sol:", artifact)).length + arguments;
        _log(string.concat("size | init code of ", artifact, " | ", vm.toString(size)));
        vm.assertLe(size, MAX_INIT_CODE, artifact);
    }
}
