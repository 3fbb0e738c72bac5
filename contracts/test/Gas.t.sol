// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {PackedUserOperation} from "@openzeppelin/contracts/interfaces/IERC4337.sol";
import {Sessions} from "../src/account/Sessions.sol";
import {AccountInit, Call, Grant, Passkey, Signature, Stamp} from "../src/lib/AccountTypes.sol";
import {TestToken} from "./support/TestTokens.sol";
import {VoteFixture} from "./support/VoteFixture.sol";

interface ISimpleAccountFactory {
    function createAccount(address owner, uint256 salt) external returns (address);
    function getAddress(address owner, uint256 salt) external view returns (address);
}

interface ISenderCreatorOf {
    function senderCreator() external view returns (address);
}

/// @dev Gas of one operation inside `handleOps` of EntryPoint 0.8: warm is the second of two equal operations in one
/// transaction, cold has every account and slot untouched in it. All nonces were used before. Intrinsic gas and calldata are not
/// part of it. `npm run gas` writes the table of `gas.md`; `forge snapshot` keeps each test's total.
contract GasTest is VoteFixture {
    /// @dev A dual native transfer and a session call without its paymaster's part, warm; the creation of an account.
    uint256 private constant TRANSFER_TARGET = 60_000;
    uint256 private constant CREATION_TARGET = 400_000;
    uint256 private constant SESSION_TARGET = 50_000;

    bytes private transfer;
    address private simple;
    address private simpleFactory;
    TestToken private token;

    function setUp() public override {
        super.setUp();
        transfer = _call(RECIPIENT, 1, "");
        vm.deal(RECIPIENT, 1);
        vm.deal(address(this), 10 ether);
        entryPoint.depositTo{value: 1 ether}(address(account));
        _handle(_signed(_op(transfer)));
        simple = _simpleAccount();
        token = new TestToken();
        token.mint(address(account), 1000);
        token.mint(RECIPIENT, 1000);
        _list(address(token), 1000);
        _handle(_signed(_op(_tokenTransfer())));
    }

    /// @dev Within its limit, to a known recipient.
    function test_TokenTransfer() public {
        uint256 gas = _warm(_signed(_op(_tokenTransfer())), _signed(_next(_op(_tokenTransfer()))));
        _row("dual token transfer, warm", gas);
    }

    function test_TokenTransferCold() public {
        PackedUserOperation memory op = _signed(_op(_tokenTransfer()));
        _cool();
        vm.cool(address(token));
        _row("dual token transfer, cold", _handle(op));
    }

    /// @dev A function of another contract, without value; the paymaster is part of every session.
    function test_SessionCall() public {
        Grant memory grant = _grant();
        uint256 gas = _warm(_session(grant, 0), _session(grant, 1));
        uint256 paymasters = _paymasterPart();
        _row("session call with paymaster, warm", gas);
        _row("of which the paymaster's part, as in a dual transfer", paymasters);
        vm.assertLe(gas - paymasters, SESSION_TARGET, "target");
    }

    function test_SessionCallCold() public {
        PackedUserOperation memory op = _session(_grant(), 0);
        _cool();
        _row("session call with paymaster, cold", _handle(op));
    }

    function test_Freeze() public {
        Stamp memory stamp = _stamp();
        Signature[] memory one = _signatures(0, _freezeDigest(stamp));
        _coolAccount();
        uint256 gas = gasleft();
        account.freeze(stamp, one);
        _row("freeze by a passkey, cold", gas - gasleft());
    }

    function test_StartAndFinishEscape() public {
        Stamp memory stamp = _stamp();
        (Passkey[] memory keys, address server) = (_keys(501), vm.addr(502));
        Signature[] memory one = _signatures(ESCAPE_SIGNER, _escapeDigest(keys, server, 1, stamp));
        _coolAccount();
        uint256 gas = gasleft();
        account.escape(keys, server, 1, stamp, one);
        _row("escape by the escape key, cold", gas - gasleft());
        _skip(3 days);
        _coolAccount();
        gas = gasleft();
        account.finishEscape(keys, server, 1, stamp);
        _row("finishing an escape, cold", gas - gasleft());
    }

    function test_Unfreeze() public {
        _freeze(0);
        Stamp memory stamp = _stamp();
        Signature[] memory three = _signatures(0, ESCAPE_SIGNER, SERVER_SIGNER, _unfreezeDigest(2, stamp));
        _coolAccount();
        uint256 gas = gasleft();
        account.unfreeze(2, stamp, three);
        _row("unfreeze by two votes and the gate, cold", gas - gasleft());
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

    /// @dev Its factory obeys nobody but the contract that the EntryPoint makes accounts with.
    function test_SimpleAccountCreation() public {
        address creator = ISenderCreatorOf(address(entryPoint)).senderCreator();
        vm.cool(simpleFactory);
        vm.prank(creator);
        uint256 gas = gasleft();
        ISimpleAccountFactory(simpleFactory).createAccount(vm.addr(SERVER), 1);
        _row("SimpleAccount 0.8 creation (factory call)", gas - gasleft());
    }

    function test_SimpleAccountFirstOperation() public {
        address sender = ISimpleAccountFactory(simpleFactory).getAddress(vm.addr(SERVER), 1);
        vm.deal(sender, 1 ether);
        PackedUserOperation memory op = _simpleFirst(sender, 1);
        _cool();
        vm.cool(simpleFactory);
        vm.cool(sender);
        _row("SimpleAccount 0.8 creation and transfer in one operation, cold", _handle(op));
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

    function _coolAccount() private {
        vm.cool(address(account));
        vm.cool(factory.implementation());
        vm.cool(account.reader());
    }

    function _cool() private {
        _coolAccount();
        vm.cool(address(entryPoint));
        vm.cool(address(factory));
        vm.cool(address(paymaster));
        vm.cool(simple);
        vm.cool(RECIPIENT);
        vm.cool(BENEFICIARY);
    }

    function _tokenTransfer() private view returns (bytes memory) {
        return _call(address(token), 0, abi.encodeCall(token.transfer, (RECIPIENT, 1)));
    }

    function _grant() private returns (Grant memory grant) {
        bytes4[] memory selectors = new bytes4[](1);
        selectors[0] = token.mint.selector;
        (uint48 start, uint48 end) = (uint48(_now() - 1), uint48(_now() + 1 hours));
        grant = Grant(address(paymaster), selectors, 0, 0, start, end, address(paymaster), 0);
        grant.target = address(_otherToken());
        _execute(address(account), 0, abi.encodeCall(Sessions.createGrant, (grant)));
        Call[] memory calls = new Call[](1);
        calls[0] = Call(grant.target, 0, abi.encodeCall(token.mint, (RECIPIENT, 1)));
        _execute(calls);
    }

    /// @dev Another token than the listed one: its `mint` is no token function, so nothing is charged.
    function _otherToken() private returns (TestToken) {
        return new TestToken();
    }

    function _session(Grant memory grant, uint256 nonceAhead) private view returns (PackedUserOperation memory op) {
        Call[] memory calls = new Call[](1);
        calls[0] = Call(grant.target, 0, abi.encodeCall(token.mint, (RECIPIENT, 1)));
        op = _op(abi.encodeCall(Sessions.executeSession, (grant, abi.encode(calls))));
        op.nonce += nonceAhead;
        op = _sponsor(op);
        op.signature = abi.encodePacked(uint8(2), _serverSignature(SERVER, entryPoint.getUserOpHash(op)));
    }

    function _paymasterPart() private returns (uint256) {
        uint256 state = vm.snapshotState();
        uint256 alone = _warm(_signed(_op(transfer)), _signed(_next(_op(transfer))));
        vm.revertToState(state);
        uint256 sponsored = _warm(_signed(_sponsor(_op(transfer))), _signed(_sponsor(_next(_op(transfer)))));
        return sponsored - alone;
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
        address made;
        assembly ("memory-safe") {
            made := create(0, add(initCode, 32), mload(initCode))
        }
        simpleFactory = made;
        sender = ISimpleAccountFactory(made).getAddress(vm.addr(SERVER), 0);
        entryPoint.depositTo{value: 1 ether}(sender);
        vm.deal(sender, 1 ether);
        _handle(_simpleFirst(sender, 0));
        vm.assertTrue(sender.code.length != 0, "deployed");
    }

    function _simpleFirst(address sender, uint256 salt) private view returns (PackedUserOperation memory op) {
        op = _simpleOp(sender);
        op.initCode = abi.encodePacked(
            simpleFactory, abi.encodeCall(ISimpleAccountFactory.createAccount, (vm.addr(SERVER), salt))
        );
        op.signature = _serverSignature(SERVER, entryPoint.getUserOpHash(op));
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
