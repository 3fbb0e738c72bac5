// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {PackedUserOperation} from "@openzeppelin/contracts/interfaces/IERC4337.sol";
import {P256} from "@openzeppelin/contracts/utils/cryptography/P256.sol";
import {CommunityAccount} from "../src/CommunityAccount.sol";
import {AccountBase} from "../src/account/AccountBase.sol";
import {Custody} from "../src/account/Custody.sol";
import {Spending} from "../src/account/Spending.sol";
import {CommunityAccountFactory} from "../src/CommunityAccountFactory.sol";
import {AccountInit, GasCap, Passkey, SpendingLimit} from "../src/lib/AccountTypes.sol";
import {InitData} from "../src/lib/InitData.sol";
import {Fixture} from "./support/Fixture.sol";

/// @dev Factory, address rule, what creation stores, and each rule that init data may break.
contract CreationTest is Fixture {
    function test_TheAddressFollowsTheWrittenRule() public view {
        bytes memory initData = abi.encode(_init());
        address implementation = factory.implementation();
        bytes memory proxy = abi.encodePacked(
            hex"603d3d8160223d3973",
            implementation,
            hex"60095155f3363d3d373d3d363d7f360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc545af43d6000803e6038573d6000fd5b3d6000f3"
        );
        vm.assertEq(factory.proxyInitCodeHash(), keccak256(proxy), "init code");
        bytes32 salt = keccak256(initData);
        bytes32 hash = keccak256(abi.encodePacked(bytes1(0xff), address(factory), salt, keccak256(proxy)));
        vm.assertEq(address(uint160(uint256(hash))), address(account), "address");
        vm.assertEq(factory.accountAddress(initData), address(account), "as the factory says");
        bytes32 slot = bytes32(uint256(keccak256("eip1967.proxy.implementation")) - 1);
        vm.assertEq(vm.load(address(account), slot), bytes32(uint256(uint160(implementation))), "ERC-1967 slot");
    }

    function test_AnybodyCreatesTheSameAccount() public {
        AccountInit memory init = _init();
        init.salt = 1;
        bytes memory initData = abi.encode(init);
        address expected = factory.accountAddress(initData);
        vm.assertTrue(expected.code.length == 0 && expected != address(account), "a new address");
        uint256 before = vm.snapshotState();
        address[3] memory callers = [STRANGER, address(entryPoint), vm.addr(ESCAPE)];
        for (uint256 i = 0; i < callers.length; ++i) {
            vm.prank(callers[i]);
            vm.assertEq(factory.createAccount(initData), expected, "address");
            vm.assertTrue(expected.code.length != 0, "deployed");
            vm.revertToState(before);
        }
    }

    function test_CreatingAgainReturnsTheAccountUntouched() public {
        bytes32 state = _state(account);
        vm.prank(STRANGER);
        vm.recordLogs();
        vm.assertEq(factory.createAccount(abi.encode(_init())), address(account), "same address");
        vm.assertEq(vm.getRecordedLogs().length, 0, "no event");
        vm.assertEq(_state(account), state, "same state");
    }

    function test_AnyDifferenceMakesAnotherAccount() public view {
        bytes memory initData = abi.encode(_init());
        for (uint256 i = 0; i < initData.length; i += 31) {
            initData[i] ^= 0x01;
            vm.assertTrue(factory.accountAddress(initData) != address(account), "address");
            initData[i] ^= 0x01;
        }
    }

    function test_CreationStoresThisChainsPart() public {
        AccountInit memory init = _init();
        init.guardiansHash = keccak256("guardians");
        init.guardianThreshold = 2;
        init.strict = true;
        init.passkeys = new Passkey[](2);
        init.passkeys[0] = _passkey(21);
        init.passkeys[1] = Passkey(_passkey(22).x, _passkey(22).y, keccak256("another rp"));
        account = CommunityAccount(payable(factory.createAccount(abi.encode(init))));
        (address server, address escape, uint32 epoch, uint8 slots) = account.keys();
        vm.assertEq(server, init.serverKey, "server key");
        vm.assertEq(escape, init.escapeKey, "escape key");
        vm.assertTrue(epoch == 0 && slots == 3, "epoch and slots");
        for (uint256 i = 0; i < 3; ++i) {
            Passkey memory expected = i < 2 ? init.passkeys[i] : Passkey(0, 0, 0);
            vm.assertEq(abi.encode(account.passkey(i)), abi.encode(expected), "passkey");
        }
        (bytes32 guardians, uint8 threshold, uint32 delay) = account.guardians();
        vm.assertTrue(guardians == init.guardiansHash && threshold == 2 && delay == 7 days, "guardians");
        vm.assertTrue(account.strictMode(), "strict");
        vm.assertEq(account.gasCap(), GAS_CAP, "this chain's gas cap");
        (uint256 perDay, uint256 spent, uint256 day) = account.spendingLimit(address(0));
        vm.assertTrue(perDay == DAY_LIMIT && spent == 0 && day == 0, "this chain's limit");
        (perDay,,) = account.spendingLimit(STRANGER);
        vm.assertEq(perDay, 0, "unlisted token");
    }

    function test_AnotherChainStoresItsOwnRowsAtTheSameAddress() public {
        bytes memory initData = abi.encode(_init());
        vm.chainId(1);
        // The account of setUp is on the first chain; a second factory stands for the same one on another chain.
        CommunityAccountFactory other = _newFactory();
        CommunityAccount there = CommunityAccount(payable(other.createAccount(initData)));
        vm.assertEq(there.gasCap(), 1 ether, "gas cap");
        (uint256 perDay,,) = there.spendingLimit(address(0));
        vm.assertEq(perDay, 5 ether, "limit");
        vm.chainId(77);
        other = _newFactory();
        there = CommunityAccount(payable(other.createAccount(initData)));
        (perDay,,) = there.spendingLimit(address(0));
        vm.assertTrue(there.gasCap() == 0 && perDay == 0, "no row, nothing allowed");
    }

    function test_AmountsBeyondTheirFieldBecomeTheLargest() public {
        AccountInit memory init = _init();
        init.gasCaps[1].maxCost = uint256(type(uint96).max) + 1;
        init.limits[1].perDay = uint256(type(uint112).max) + 7;
        account = CommunityAccount(payable(factory.createAccount(abi.encode(init))));
        vm.assertEq(account.gasCap(), type(uint96).max, "gas cap");
        (uint256 perDay,,) = account.spendingLimit(address(0));
        vm.assertEq(perDay, type(uint112).max, "limit");
    }

    function test_EveryStoredFieldHasAnEvent() public {
        AccountInit memory init = _init();
        init.salt = 2;
        address expected = factory.accountAddress(abi.encode(init));
        vm.expectEmit(true, true, true, true, address(factory));
        emit CommunityAccountFactory.AccountCreated(expected, keccak256(abi.encode(init)));
        vm.expectEmit(true, true, true, true, expected);
        emit Custody.PasskeyAdded(0, init.passkeys[0].x, init.passkeys[0].y, RP_ID_HASH);
        vm.expectEmit(true, true, true, true, expected);
        emit Custody.ServerKeyChanged(init.serverKey);
        vm.expectEmit(true, true, true, true, expected);
        emit Custody.EscapeKeyChanged(init.escapeKey);
        vm.expectEmit(true, true, true, true, expected);
        emit Custody.GuardiansChanged(0, 0, 7 days);
        vm.expectEmit(true, true, true, true, expected);
        emit Custody.StrictModeChanged(false);
        vm.expectEmit(true, true, true, true, expected);
        emit Spending.GasCapChanged(GAS_CAP);
        vm.expectEmit(true, true, true, true, expected);
        emit Spending.SpendingLimitChanged(address(0), DAY_LIMIT);
        factory.createAccount(abi.encode(init));
    }

    /// @dev `tools/bundle.mjs` says where it is.
    function test_TheReaderIsTheImplementationsFirstChild() public view {
        address implementation = factory.implementation();
        bytes32 hash = keccak256(abi.encodePacked(hex"d694", implementation, hex"01"));
        vm.assertEq(account.reader(), address(uint160(uint256(hash))), "address");
        vm.assertEq(account.factory(), address(factory), "whose implementation it is");
    }

    // ---- initialisation

    function test_NobodyInitializesAgain() public {
        bytes memory initData = abi.encode(_init());
        vm.expectRevert(abi.encodeWithSelector(CommunityAccount.OnlyFactory.selector, address(this)));
        account.initialize(initData);
        vm.prank(address(factory));
        vm.expectRevert(abi.encodeWithSelector(CommunityAccount.AlreadyInitialized.selector));
        account.initialize(initData);
    }

    function test_TheImplementationIsNoAccount() public {
        CommunityAccount implementation = CommunityAccount(payable(factory.implementation()));
        bytes memory initData = abi.encode(_init());
        vm.expectRevert(abi.encodeWithSelector(CommunityAccount.OnlyFactory.selector, address(this)));
        implementation.initialize(initData);
        vm.prank(address(factory));
        vm.expectRevert(abi.encodeWithSelector(CommunityAccount.ImplementationIsNotAnAccount.selector));
        implementation.initialize(initData);
        // Without keys nothing signs for it: not even signatures that recover to the zero address.
        account = implementation;
        bytes32 hash = keccak256("x");
        PackedUserOperation memory op = _op("");
        op.paymasterAndData = abi.encodePacked(STRANGER, uint128(1), uint128(1));
        op.signature = _dual(hash);
        vm.assertEq(_validate(op, hash), SIG_FAILED, "signed");
        op.signature = new bytes(200);
        vm.assertEq(_validate(op, hash), SIG_FAILED, "zeros");
    }

    /// @dev An EOA may delegate its code to the implementation (EIP-7702); a stranger must not claim it.
    function test_ADelegatedEoaCannotBeClaimed() public {
        address eoa = address(0xE0A);
        vm.etch(eoa, factory.implementation().code);
        bytes memory initData = abi.encode(_init());
        vm.prank(STRANGER);
        vm.expectRevert(abi.encodeWithSelector(CommunityAccount.OnlyFactory.selector, STRANGER));
        CommunityAccount(payable(eoa)).initialize(initData);
    }

    function test_DeploymentNeedsAnEntryPointAndAVerifier() public {
        address none = address(0x1234);
        vm.expectRevert(abi.encodeWithSelector(AccountBase.EntryPointWithoutCode.selector, none));
        _newImplementation(none, address(p256));
    }

    // ---- rules of init data

    function test_PasskeyCount() public {
        AccountInit memory init = _init();
        init.passkeys = new Passkey[](0);
        _refused(init, abi.encodeWithSelector(InitData.PasskeyCountOutOfRange.selector, 0));
        init.passkeys = new Passkey[](9);
        for (uint256 i = 0; i < 9; ++i) init.passkeys[i] = _passkey(50 + i);
        _refused(init, abi.encodeWithSelector(InitData.PasskeyCountOutOfRange.selector, 9));
    }

    function test_DuplicatePasskeys() public {
        AccountInit memory init = _init();
        init.passkeys = new Passkey[](3);
        for (uint256 i = 0; i < 3; ++i) init.passkeys[i] = _passkey(50 + i);
        init.passkeys[2] = _passkey(50);
        _refused(init, abi.encodeWithSelector(InitData.DuplicatePasskey.selector, 2));
        init.passkeys[2].rpIdHash = keccak256("another rp does not make another key");
        _refused(init, abi.encodeWithSelector(InitData.DuplicatePasskey.selector, 2));
        // The negative of a point has the same secret, up to its sign.
        init.passkeys[2].y = P256.P - init.passkeys[2].y;
        _refused(init, abi.encodeWithSelector(InitData.DuplicatePasskey.selector, 2));
    }

    function test_PasskeyOffTheCurve() public {
        AccountInit memory init = _init();
        Passkey memory good = init.passkeys[0];
        uint256 y = 0x459243b9aa581806fe913bce99817ade11ca503c64d9a3c533415c083248fbcc;
        Passkey[4] memory bad = [
            Passkey(0, 0, RP_ID_HASH),
            Passkey(good.x, good.y ^ 1, RP_ID_HASH),
            Passkey(good.y, good.x, RP_ID_HASH),
            // A point of the curve with a coordinate that is not reduced.
            Passkey(5 + P256.P, y, RP_ID_HASH)
        ];
        vm.assertTrue(P256.isValidPublicKey(bytes32(uint256(5)), bytes32(y)), "reduced, it is a point");
        for (uint256 i = 0; i < bad.length; ++i) {
            init.passkeys[0] = bad[i];
            _refused(init, abi.encodeWithSelector(InitData.PasskeyNotOnCurve.selector, 0));
        }
    }

    function test_PasskeyWithoutRp() public {
        AccountInit memory init = _init();
        init.passkeys[0].rpIdHash = 0;
        _refused(init, abi.encodeWithSelector(InitData.PasskeyWithoutRpId.selector, 0));
    }

    function test_ServerAndEscapeKey() public {
        AccountInit memory init = _init();
        init.serverKey = address(0);
        _refused(init, abi.encodeWithSelector(InitData.ZeroServerKey.selector));
        init = _init();
        init.escapeKey = address(0);
        _refused(init, abi.encodeWithSelector(InitData.ZeroEscapeKey.selector));
        init.escapeKey = init.serverKey;
        _refused(init, abi.encodeWithSelector(InitData.EscapeKeyIsServerKey.selector));
    }

    function test_GuardianThreshold() public {
        AccountInit memory init = _init();
        init.guardianThreshold = 1;
        _refused(init, abi.encodeWithSelector(InitData.GuardianThresholdInconsistent.selector, bytes32(0), 1));
        init.guardianThreshold = 0;
        init.guardiansHash = keccak256("g");
        bytes32 hash = init.guardiansHash;
        _refused(init, abi.encodeWithSelector(InitData.GuardianThresholdInconsistent.selector, hash, 0));
    }

    function test_RecoveryDelay() public {
        AccountInit memory init = _init();
        init.recoveryDelay = 1 days - 1;
        _refused(init, abi.encodeWithSelector(InitData.RecoveryDelayTooShort.selector, 1 days - 1));
        init.recoveryDelay = 1 days;
        factory.createAccount(abi.encode(init));
    }

    function test_GasCapRows() public {
        AccountInit memory init = _init();
        init.gasCaps = new GasCap[](33);
        for (uint256 i = 0; i < 33; ++i) init.gasCaps[i] = GasCap(i, i);
        _refused(init, abi.encodeWithSelector(InitData.TooManyGasCaps.selector, 33));
        init.gasCaps = new GasCap[](32);
        for (uint256 i = 0; i < 32; ++i) init.gasCaps[i] = GasCap(i, 1);
        factory.createAccount(abi.encode(init));
        // Rows of other chains count too: an account that deploys on one chain deploys on each.
        init.gasCaps[31].chainId = 4;
        _refused(init, abi.encodeWithSelector(InitData.DuplicateGasCap.selector, 31));
    }

    function test_SpendingLimitRows() public {
        AccountInit memory init = _init();
        init.limits = new SpendingLimit[](33);
        for (uint256 i = 0; i < 33; ++i) init.limits[i] = SpendingLimit(i % 3, address(uint160(i / 3)), 1);
        _refused(init, abi.encodeWithSelector(InitData.TooManySpendingLimits.selector, 33));
        init.limits = new SpendingLimit[](32);
        for (uint256 i = 0; i < 32; ++i) init.limits[i] = SpendingLimit(i % 3, address(uint160(i / 3)), 1);
        factory.createAccount(abi.encode(init));
        init.limits[31] = SpendingLimit(init.limits[4].chainId, init.limits[4].token, 2);
        _refused(init, abi.encodeWithSelector(InitData.DuplicateSpendingLimit.selector, 31));
    }

    function testFuzz_BytesThatAreNoInitDataMakeNoAccount(bytes calldata garbage) public {
        address would = factory.accountAddress(garbage);
        try factory.createAccount(garbage) {
            vm.assertTrue(false, "created");
        } catch {
            vm.assertEq(would.code.length, 0, "nothing deployed");
        }
    }

    function _refused(AccountInit memory init, bytes memory reason) private {
        bytes memory initData = abi.encode(init);
        vm.expectRevert(reason);
        factory.createAccount(initData);
        vm.assertEq(factory.accountAddress(initData).code.length, 0, "nothing deployed");
    }

    function _state(CommunityAccount of_) private view returns (bytes32) {
        (address server, address escape, uint32 epoch, uint8 slots) = of_.keys();
        return keccak256(abi.encode(server, escape, epoch, slots, of_.passkey(0), of_.gasCap(), of_.strictMode()));
    }
}
