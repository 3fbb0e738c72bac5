// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {PackedUserOperation} from "@openzeppelin/contracts/interfaces/IERC4337.sol";
import {AccountInit} from "../src/lib/AccountTypes.sol";
import {SponsorFixture} from "./support/SponsorFixture.sol";

interface ISimpleAccountFactory {
    function createAccount(address owner, uint256 salt) external returns (address);
    function getAddress(address owner, uint256 salt) external view returns (address);
}

/// @dev Gas of one operation inside `handleOps` of EntryPoint 0.8: warm is the second of two equal operations in one
/// transaction, cold has every account and slot untouched in it. All nonces were used before. Intrinsic gas and calldata are not part of it. `npm run gas`
/// prints the table; `forge snapshot` keeps each test's total.
contract GasTest is SponsorFixture {
    /// @dev design/contracts.md: a dual native transfer, warm, and the creation of an account.
    uint256 private constant TRANSFER_TARGET = 60_000;
    uint256 private constant CREATION_TARGET = 400_000;

    bytes private transfer;
    address private simple;

    function setUp() public override {
        super.setUp();
        transfer = _call(RECIPIENT, 1, "");
        vm.deal(RECIPIENT, 1);
        vm.deal(address(this), 10 ether);
        entryPoint.depositTo{value: 1 ether}(address(account));
        _handle(_signed(_op(transfer)));
        simple = _simpleAccount();
    }

    function test_DualTransfer() public {
        uint256 gas = _warm(_signed(_op(transfer)), _signed(_next(_op(transfer))));
        _row("dual native transfer, warm", gas);
        vm.assertLe(gas, TRANSFER_TARGET, "target");
    }

    function test_DualTransferCold() public {
        PackedUserOperation memory op = _signed(_op(transfer));
        _cool();
        _row("dual native transfer, cold", _handle(op));
    }

    function test_DualTransferSponsored() public {
        PackedUserOperation memory first = _signed(_sponsor(_op(transfer)));
        uint256 gas = _warm(first, _signed(_sponsor(_next(_op(transfer)))));
        _row("dual native transfer with paymaster, warm", gas);
    }

    function test_DualTransferSponsoredCold() public {
        PackedUserOperation memory op = _signed(_sponsor(_op(transfer)));
        _cool();
        _row("dual native transfer with paymaster, cold", _handle(op));
    }

    function test_Validation() public {
        PackedUserOperation memory op = _signed(_op(transfer));
        bytes32 hash = entryPoint.getUserOpHash(op);
        this.validate(op, hash);
        _row("validateUserOp alone, warm", this.validate(op, hash));
    }

    function test_Creation() public {
        bytes memory initData = abi.encode(_fresh());
        vm.cool(address(factory));
        vm.cool(factory.implementation());
        uint256 gas = gasleft();
        factory.createAccount(initData);
        gas -= gasleft();
        _row("creation (factory call)", gas);
        vm.assertLe(gas, CREATION_TARGET, "target");
    }

    function test_FirstOperation() public {
        bytes memory initData = abi.encode(_fresh());
        PackedUserOperation memory op = _op(transfer);
        op.sender = factory.accountAddress(initData);
        op.nonce = entryPoint.getNonce(op.sender, 0);
        op.initCode = abi.encodePacked(address(factory), abi.encodeCall(factory.createAccount, (initData)));
        vm.deal(op.sender, 1 ether);
        op = _signed(op);
        _cool();
        _row("creation and transfer in one operation, cold", _handle(op));
    }

    function test_SimpleAccount() public {
        PackedUserOperation memory first = _simpleOp(simple);
        PackedUserOperation memory second = _simpleOp(simple);
        second.nonce += 1;
        second.signature = _serverSignature(SERVER, entryPoint.getUserOpHash(second));
        _row("SimpleAccount 0.8 native transfer, warm", _warm(first, second));
    }

    function test_SimpleAccountCold() public {
        PackedUserOperation memory op = _simpleOp(simple);
        _cool();
        _row("SimpleAccount 0.8 native transfer, cold", _handle(op));
    }

    function validate(PackedUserOperation calldata op, bytes32 hash) external returns (uint256 gas) {
        vm.prank(address(entryPoint));
        gas = gasleft();
        account.validateUserOp(op, hash, 0);
        gas -= gasleft();
    }

    /// @dev A call of its own, so that the test's memory does not count.
    function measure(PackedUserOperation calldata op) external returns (uint256) {
        return _handle(op);
    }

    function _warm(PackedUserOperation memory first, PackedUserOperation memory second) private returns (uint256) {
        this.measure(first);
        return this.measure(second);
    }

    function _cool() private {
        vm.cool(address(entryPoint));
        vm.cool(address(account));
        vm.cool(address(factory));
        vm.cool(factory.implementation());
        vm.cool(address(paymaster));
        vm.cool(simple);
        vm.cool(RECIPIENT);
        vm.cool(BENEFICIARY);
    }

    function _next(PackedUserOperation memory op) private pure returns (PackedUserOperation memory) {
        op.nonce += 1;
        return op;
    }

    function _sponsor(PackedUserOperation memory op) private view returns (PackedUserOperation memory) {
        return _sponsored(op, uint48(block.timestamp + 600), 0, SIGNER);
    }

    function _fresh() private view returns (AccountInit memory init) {
        init = _init();
        init.salt = 1;
    }

    /// @dev The sample account of the EntryPoint's authors: one secp256k1 key. Its factory obeys the EntryPoint only, so
    /// the first operation makes it.
    function _simpleAccount() private returns (address sender) {
        bytes memory initCode = abi.encodePacked(_npmInitCode(ARTIFACTS_08, "SimpleAccountFactory"), abi.encode(entryPoint));
        address simpleFactory;
        assembly ("memory-safe") {
            simpleFactory := create(0, add(initCode, 32), mload(initCode))
        }
        sender = ISimpleAccountFactory(simpleFactory).getAddress(vm.addr(SERVER), 0);
        entryPoint.depositTo{value: 1 ether}(sender);
        vm.deal(sender, 1 ether);
        PackedUserOperation memory op = _simpleOp(sender);
        op.initCode = abi.encodePacked(
            simpleFactory, abi.encodeCall(ISimpleAccountFactory.createAccount, (vm.addr(SERVER), 0))
        );
        op.signature = _serverSignature(SERVER, entryPoint.getUserOpHash(op));
        _handle(op);
        vm.assertTrue(sender.code.length != 0, "deployed");
    }

    function _simpleOp(address sender) private view returns (PackedUserOperation memory op) {
        op = _op(abi.encodeWithSignature("execute(address,uint256,bytes)", RECIPIENT, 1, ""));
        op.sender = sender;
        op.nonce = entryPoint.getNonce(sender, 1);
        op.signature = _serverSignature(SERVER, entryPoint.getUserOpHash(op));
    }

    function _row(string memory what, uint256 gas) private view {
        _log(string.concat("gas | ", what, " | ", vm.toString(gas)));
    }
}
