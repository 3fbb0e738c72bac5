// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {PackedUserOperation} from "@openzeppelin/contracts/interfaces/IERC4337.sol";
import {Call} from "../src/lib/AccountTypes.sol";
import {CommunityAccount} from "../src/CommunityAccount.sol";
import {Assertion} from "./support/Fixture.sol";
import {SponsorFixture} from "./support/SponsorFixture.sol";

/// @dev Everybody at once: the owner, a thief of the passkey, a hostile server, a stranger, the paymaster's owner.
contract World is SponsorFixture {
    /// @dev What valid operations sent to the recipient, and what went to the treasury by the rules.
    uint256 public sent;
    uint256 public withdrawn;
    uint256 public deposited = DEPOSIT;
    uint256 public accepted;
    uint256 public refused;
    uint256 public collectedBefore;
    PackedUserOperation private last;

    constructor() {
        setUp();
        collectedBefore = BENEFICIARY.balance;
    }

    function owner(uint96 value, bool fails) external {
        uint256 amount = value % (address(account).balance / 10 + 1);
        Call[] memory calls = new Call[](fails ? 2 : 1);
        calls[0] = Call(RECIPIENT, amount, "");
        if (fails) calls[1] = Call(RECIPIENT, type(uint128).max, "");
        PackedUserOperation memory op = _signed(_sponsorNow(_op(_batch(calls))));
        if (!_try(op)) return;
        ++accepted;
        if (!fails) sent += amount;
        last = op;
    }

    function passkeyThief(uint96 value, uint256 serverKey) external {
        PackedUserOperation memory op = _sponsorNow(_op(_call(STRANGER, value, "")));
        bytes32 hash = entryPoint.getUserOpHash(op);
        serverKey = _bound(serverKey, 1, N_K1 - 1);
        if (serverKey == SERVER) return;
        op.signature = _dual(0, _serverSignature(serverKey, hash), _assertion(), hash);
        _mustFail(op);
    }

    function hostileServer(uint96 value, uint256 passkey, uint8 slot) external {
        PackedUserOperation memory op = _sponsorNow(_op(_call(STRANGER, value, "")));
        bytes32 hash = entryPoint.getUserOpHash(op);
        Assertion memory a = _assertion();
        a.key = _bound(passkey, 1, N_P256 - 1);
        if (a.key == PASSKEY) return;
        op.signature = _dual(slot, _serverSignature(SERVER, hash), a, hash);
        _mustFail(op);
    }

    function replayer(uint8 what) external {
        if (last.sender == address(0)) return;
        PackedUserOperation memory op = last;
        if (what % 4 == 1) op.nonce = entryPoint.getNonce(op.sender, 1);
        if (what % 4 == 2) (op.nonce, op.callData) = (entryPoint.getNonce(op.sender, 1), _call(STRANGER, 1, ""));
        if (what % 4 == 3) (op.nonce, op.paymasterAndData) = (entryPoint.getNonce(op.sender, 1), "");
        _mustFail(op);
    }

    function stranger(address caller, bytes calldata data, uint8 what) external {
        if (caller == address(entryPoint) || caller == address(factory)) return;
        bytes memory callData = data;
        if (what % 4 == 1) callData = _call(STRANGER, 1 ether, "");
        if (what % 4 == 2) callData = abi.encodeCall(CommunityAccount.initialize, (abi.encode(_init())));
        if (what % 4 == 3) callData = abi.encodeCall(account.validateUserOp, (_op(""), 0, 1 ether));
        vm.prank(caller);
        (bool ok,) = address(account).call(callData);
        if (!ok) ++refused;
        factory.createAccount(abi.encode(_init()));
    }

    function depositor(uint64 value) external {
        vm.deal(STRANGER, value);
        vm.prank(STRANGER);
        paymaster.deposit{value: value}();
        vm.deal(STRANGER, 0);
        deposited += value;
    }

    function paymasterOwner(uint8 what, uint96 amount, uint32 time) external {
        vm.warp(block.timestamp + time % 2 days);
        bytes memory data;
        if (what % 5 == 0) data = abi.encodeCall(paymaster.unlockStake, ());
        if (what % 5 == 1) data = abi.encodeCall(paymaster.withdrawDeposit, (amount % 0.1 ether));
        if (what % 5 == 2) data = abi.encodeCall(paymaster.addStake, (1 days));
        if (what % 5 == 3) data = abi.encodeCall(paymaster.rotateSigner, (vm.addr(SIGNER + 1), 0));
        if (what % 5 == 4) data = abi.encodeCall(paymaster.rotateSigner, (vm.addr(SIGNER), 0));
        vm.prank(vm.addr(OWNER));
        (bool ok,) = address(paymaster).call(data);
        if (ok && what % 5 == 1) withdrawn += amount % 0.1 ether;
    }

    function state() external view returns (bytes32) {
        (address server, address escape, uint32 epoch, uint8 slots) = account.keys();
        (bytes32 hash, uint8 threshold, uint32 delay) = account.guardians();
        (uint256 perDay,,) = account.spendingLimit(address(0));
        bytes32 implementationSlot = bytes32(uint256(keccak256("eip1967.proxy.implementation")) - 1);
        bytes32 code = vm.load(address(account), implementationSlot);
        bytes memory keys = abi.encode(server, escape, epoch, slots, account.passkey(0), account.passkey(1));
        return keccak256(abi.encode(keys, hash, threshold, delay, perDay, account.gasCap(), account.strictMode(), code));
    }

    function balances()
        external
        view
        returns (uint256 accountWei, uint256 recipient, uint256 strangerWei, uint256 accountDeposit)
    {
        accountDeposit = entryPoint.balanceOf(address(account));
        return (address(account).balance, RECIPIENT.balance, STRANGER.balance, accountDeposit);
    }

    function sponsorMoney() external view returns (uint256 left, uint256 treasury, uint256 collected, uint256 loose) {
        left = entryPoint.balanceOf(address(paymaster));
        return (left, TREASURY.balance, BENEFICIARY.balance - collectedBefore, address(paymaster).balance);
    }

    function _sponsorNow(PackedUserOperation memory op) private view returns (PackedUserOperation memory) {
        uint256 key = paymaster.signer() == vm.addr(SIGNER) ? SIGNER : SIGNER + 1;
        return _sponsored(op, uint48(block.timestamp + 600), 0, key);
    }

    function _try(PackedUserOperation memory op) private returns (bool) {
        PackedUserOperation[] memory ops = new PackedUserOperation[](1);
        ops[0] = op;
        vm.prank(BENEFICIARY, BENEFICIARY);
        try entryPoint.handleOps(ops, BENEFICIARY) {
            return true;
        } catch {
            ++refused;
            return false;
        }
    }

    function _mustFail(PackedUserOperation memory op) private {
        vm.assertFalse(_try(op), "accepted without both signatures");
    }
}

contract InvariantsTest is SponsorFixture {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    World private world;
    bytes32 private initialState;

    function setUp() public override {
        world = new World();
        initialState = world.state();
    }

    function targetContracts() external view returns (address[] memory list) {
        list = new address[](1);
        list[0] = address(world);
    }

    function targetSelectors() external view returns (FuzzSelector[] memory list) {
        list = new FuzzSelector[](1);
        list[0].addr = address(world);
        list[0].selectors = new bytes4[](7);
        list[0].selectors[0] = World.owner.selector;
        list[0].selectors[1] = World.passkeyThief.selector;
        list[0].selectors[2] = World.hostileServer.selector;
        list[0].selectors[3] = World.replayer.selector;
        list[0].selectors[4] = World.stranger.selector;
        list[0].selectors[5] = World.depositor.selector;
        list[0].selectors[6] = World.paymasterOwner.selector;
    }

    function invariant_WithoutBothSignaturesNothingMoves() external view {
        (uint256 left, uint256 recipient, uint256 strangerWei, uint256 deposit) = world.balances();
        vm.assertEq(recipient, world.sent(), "the recipient has what the owner sent");
        vm.assertEq(left, 10 ether - world.sent(), "the account has the rest");
        vm.assertEq(strangerWei + deposit, 0, "nobody else has anything");
    }

    function invariant_InitNeverChanges() external view {
        vm.assertEq(world.state(), initialState, "keys, rules and code");
    }

    function invariant_PaymasterMoneyIsGasOrTreasury() external view {
        (uint256 left, uint256 treasury, uint256 collected, uint256 loose) = world.sponsorMoney();
        vm.assertEq(treasury, world.withdrawn(), "the treasury has what was withdrawn by the rules");
        vm.assertEq(left + treasury + collected, world.deposited(), "the rest is deposit or was gas");
        vm.assertEq(loose, 0, "nothing lies in the contract");
    }

    /// @dev The handlers reach both sides: without this the invariants could hold because nothing happened.
    function test_TheWorldDoesSomething() external {
        world.owner(1 ether, false);
        world.owner(1 ether, true);
        world.passkeyThief(1, 5);
        world.hostileServer(1, 5, 0);
        world.stranger(STRANGER, "", 1);
        for (uint8 i = 0; i < 4; ++i) world.replayer(i);
        world.paymasterOwner(0, 0, 0);
        world.paymasterOwner(1, 1000, 2 days - 1);
        vm.assertEq(world.accepted(), 2, "accepted");
        vm.assertEq(world.refused(), 7, "refused");
        vm.assertTrue(world.sent() != 0 && world.withdrawn() == 1000, "moved");
    }
}
