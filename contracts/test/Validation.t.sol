// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Account} from "@openzeppelin/contracts/account/Account.sol";
import {PackedUserOperation} from "@openzeppelin/contracts/interfaces/IERC4337.sol";
import {CommunityAccount} from "../src/CommunityAccount.sol";
import {AccountStorage} from "../src/lib/AccountStorage.sol";
import {AccountInit, Passkey} from "../src/lib/AccountTypes.sol";
import {Assertion, Fixture} from "./support/Fixture.sol";

/// @dev `validateUserOp`: which signatures are accepted, and that a refusal never reverts nor costs less.
contract ValidationTest is Fixture {
    bytes32 private constant HASH = keccak256("an operation");

    function test_DualSignatureIsAccepted() public {
        vm.assertEq(_validateSignature(HASH, _dual(HASH)), 0, "dual");
    }

    function testFuzz_DualSignatureIsAcceptedForAnyHash(bytes32 hash) public {
        vm.assertEq(_validateSignature(hash, _dual(hash)), 0, "dual");
    }

    function test_EveryPasskeySlotSignsForItselfOnly() public {
        AccountInit memory init = _init();
        init.passkeys = new Passkey[](8);
        for (uint256 i = 0; i < 8; ++i) init.passkeys[i] = _passkey(100 + i);
        account = CommunityAccount(payable(factory.createAccount(abi.encode(init))));
        Assertion memory a = _assertion();
        for (uint8 slot = 0; slot < 8; ++slot) {
            for (uint256 key = 0; key < 8; ++key) {
                a.key = 100 + key;
                uint256 result = _validateSignature(HASH, _dual(slot, _serverSignature(SERVER, HASH), a, HASH));
                vm.assertEq(result, slot == key ? 0 : SIG_FAILED, "slot and key");
            }
        }
    }

    function test_EmptyAndUnknownSlotsAreRefused() public {
        for (uint16 slot = 1; slot < 256; ++slot) {
            bytes memory signature = _dual(uint8(slot), _serverSignature(SERVER, HASH), _assertion(), HASH);
            vm.assertEq(_validateSignature(HASH, signature), SIG_FAILED, "slot");
        }
    }

    /// @dev The mask rules, whatever is left in the slot.
    function test_AClearedSlotBitAloneDisablesAPasskey() public {
        bytes32 slot = AccountStorage.SLOT;
        bytes32 word = vm.load(address(account), slot);
        vm.store(address(account), slot, word ^ bytes32(uint256(1) << 240));
        vm.assertTrue(account.passkey(0).x != 0, "the key is still there");
        _refused(_dual(HASH), "not live");
        vm.store(address(account), slot, word);
        vm.assertEq(_validateSignature(HASH, _dual(HASH)), 0, "live again");
    }

    /// @dev A failed recovery gives the zero address, which must not open an account whose server key is zero.
    function test_TheZeroAddressIsNoServer() public {
        bytes memory signature = _dual(0, new bytes(65), _assertion(), HASH);
        bytes32 word = vm.load(address(account), AccountStorage.SLOT);
        vm.store(address(account), AccountStorage.SLOT, (word >> 160) << 160);
        (address server,,,) = account.keys();
        vm.assertEq(server, address(0), "no server key");
        _refused(signature, "unrecoverable");
    }

    function test_OnePartAloneIsNotEnough() public {
        _refused(_dual(0, _serverSignature(SERVER + 1, HASH), _assertion(), HASH), "foreign server key");
        _refused(_dual(0, _serverSignature(ESCAPE, HASH), _assertion(), HASH), "escape key as server key");
        _refused(_dual(0, _serverSignature(SERVER, ~HASH), _assertion(), HASH), "server signed something else");
        _refused(_dual(0, new bytes(65), _assertion(), HASH), "no server signature");
        Assertion memory a = _assertion();
        a.key = PASSKEY + 1;
        _refused(_dual(0, _serverSignature(SERVER, HASH), a, HASH), "foreign passkey");
        _refused(_dual(0, _serverSignature(SERVER, HASH), _assertion(), ~HASH), "passkey signed something else");
    }

    function test_KindsOtherThanDualAreRefused() public {
        bytes memory signature = _dual(HASH);
        for (uint256 kind = 0; kind < 256; ++kind) {
            signature[0] = bytes1(uint8(kind));
            vm.assertEq(_validateSignature(HASH, signature), kind == 1 ? 0 : SIG_FAILED, "kind");
        }
    }

    function test_ClientDataMustBeTypeThenChallenge() public {
        Assertion memory a = _assertion();
        a.prefix = '{"type":"webauthn.create","challenge":"';
        _refused(_dual(0, _serverSignature(SERVER, HASH), a, HASH), "registration");
        a.prefix = '{"challenge":"';
        _refused(_dual(0, _serverSignature(SERVER, HASH), a, HASH), "no type");
        a.prefix = '{"type":"webauthn.get", "challenge":"';
        _refused(_dual(0, _serverSignature(SERVER, HASH), a, HASH), "white space");
    }

    function test_TailMustEndTheChallenge() public {
        // Both are correctly signed; the second continues the challenge string instead of ending it.
        Assertion memory a = _assertion();
        a.tail = '"}';
        vm.assertEq(_validateSignature(HASH, _dual(0, _serverSignature(SERVER, HASH), a, HASH)), 0, "shortest");
        a.tail = 'A","origin":"https://wallet.example"}';
        _refused(_dual(0, _serverSignature(SERVER, HASH), a, HASH), "longer challenge");
        // Nothing but the quote ends the challenge.
        for (uint256 bit = 0; bit < 8; ++bit) {
            a.tail = string.concat(string(abi.encodePacked(bytes1(uint8(0x22 ^ (1 << bit))))), ',"origin":"o"}');
            _refused(_dual(0, _serverSignature(SERVER, HASH), a, HASH), "another byte");
        }
        a.tail = "";
        _refused(_dual(0, _serverSignature(SERVER, HASH), a, HASH), "no tail");
    }

    function test_TailAndAuthenticatorDataHaveLimits() public {
        Assertion memory a = _assertion();
        a.tail = string(abi.encodePacked('"', new bytes(1023)));
        vm.assertEq(_validateSignature(HASH, _dual(0, _serverSignature(SERVER, HASH), a, HASH)), 0, "1024");
        a.tail = string(abi.encodePacked('"', new bytes(1024)));
        _refused(_dual(0, _serverSignature(SERVER, HASH), a, HASH), "tail of 1025");
        vm.assertEq(_validateSignature(HASH, _withData(512)), 0, "512");
        _refused(_withData(513), "authenticator data of 513");
        _refused(_withData(36), "authenticator data of 36");
    }

    function test_FlagsMustSayPresentAndVerified() public {
        Assertion memory a = _assertion();
        for (uint256 flags = 0; flags < 256; ++flags) {
            a.flags = uint8(flags);
            bool acceptable = flags & 0x05 == 0x05 && flags & 0x18 != 0x10;
            uint256 result = _validateSignature(HASH, _dual(0, _serverSignature(SERVER, HASH), a, HASH));
            vm.assertEq(result, acceptable ? 0 : SIG_FAILED, "flags");
        }
    }

    function test_AnotherRelyingPartyIsRefused() public {
        Assertion memory a = _assertion();
        a.rpIdHash = sha256("evil.example");
        _refused(_dual(0, _serverSignature(SERVER, HASH), a, HASH), "rp id");
    }

    function test_HighTwinsAreRefused() public {
        bytes memory signature = _dual(HASH);
        _refused(_twin(signature, 103, N_P256), "high s of P-256");
        bytes memory twin = _twin(signature, 38, N_K1);
        twin[70] = bytes1(uint8(twin[70]) ^ 7);
        vm.assertTrue(twin[70] == bytes1(uint8(27)) || twin[70] == bytes1(uint8(28)), "v of the twin");
        _refused(twin, "high s of secp256k1");
    }

    function test_EveryFlippedBitIsRefused() public {
        bytes memory signature = _dual(HASH);
        for (uint256 i = 0; i < signature.length * 8; ++i) {
            // The day is not signed; see Limits.t.sol.
            if (i / 8 >= 2 && i / 8 < 6) continue;
            bytes1 before = signature[i / 8];
            signature[i / 8] = before ^ bytes1(uint8(1 << (i % 8)));
            vm.assertEq(_validateSignature(HASH, signature), SIG_FAILED, "bit");
            signature[i / 8] = before;
        }
    }

    function testFuzz_ChangedBytesAreRefused(bytes32 hash, uint256 from, bytes8 mask) public {
        bytes memory signature = _dual(hash);
        vm.assume(mask != 0);
        from = _bound(from, 6, signature.length - 8);
        for (uint256 i = 0; i < 8; ++i) signature[from + i] ^= mask[i];
        vm.assertEq(_validateSignature(hash, signature), SIG_FAILED, "changed");
    }

    function testFuzz_GarbageNeverReverts(bytes32 hash, bytes calldata garbage) public {
        vm.assertEq(_validateSignature(hash, garbage), SIG_FAILED, "garbage");
        bytes memory framed = abi.encodePacked(uint8(1), uint8(0), garbage);
        vm.assertEq(_validateSignature(hash, framed), SIG_FAILED, "framed garbage");
    }

    function test_EveryLengthIsRefusedWithoutRevert() public {
        bytes memory signature = _dual(HASH);
        for (uint256 length = 0; length < signature.length; ++length) {
            bytes memory cut = new bytes(length);
            for (uint256 i = 0; i < length; ++i) cut[i] = signature[i];
            vm.assertEq(_validateSignature(HASH, cut), SIG_FAILED, "cut");
        }
        _refused(abi.encodePacked(signature, bytes1(0)), "one byte more");
    }

    /// @dev A dummy must cost what the real signature will cost, and a wrong part must not be told from the other.
    function test_RefusalsCostWhatAcceptanceCosts() public {
        bytes memory real = _dual(HASH);
        bytes memory dummy = _dummy();
        vm.assertEq(dummy.length, real.length, "equal length");
        // The first call only warms the slots.
        _gasOf(real, 0);
        uint256 gas = _gasOf(real, 0);
        vm.assertApproxEqAbs(_gasOf(dummy, SIG_FAILED), gas, 16, "dummy");
        vm.assertLe(gas, _gasOf(dummy, SIG_FAILED), "an estimate is never too small");
        bytes memory wrong = _dual(0, _serverSignature(SERVER + 1, HASH), _assertion(), HASH);
        vm.assertApproxEqAbs(_gasOf(wrong, SIG_FAILED), gas, 16, "wrong server key");
        Assertion memory a = _assertion();
        a.key = PASSKEY + 1;
        wrong = _dual(0, _serverSignature(SERVER, HASH), a, HASH);
        vm.assertApproxEqAbs(_gasOf(wrong, SIG_FAILED), gas, 16, "wrong passkey");
        wrong[0] = 0x7f;
        vm.assertApproxEqAbs(_gasOf(wrong, SIG_FAILED), gas, 600, "unknown kind");
    }

    function test_MissingFundsArePaid() public {
        PackedUserOperation memory op = _op("");
        op.signature = _dual(HASH);
        uint256 before = entryPoint.balanceOf(address(account));
        vm.prank(address(entryPoint));
        vm.assertEq(_normal(account.validateUserOp(op, HASH, 12345)), 0, "valid");
        vm.assertEq(entryPoint.balanceOf(address(account)) - before, 12345, "deposit");
    }

    function test_OnlyTheEntryPointMayAsk() public {
        address[3] memory callers = [STRANGER, address(account), address(factory)];
        PackedUserOperation memory op = _op("");
        op.signature = _dual(HASH);
        for (uint256 i = 0; i < callers.length; ++i) {
            vm.prank(callers[i]);
            vm.expectRevert(abi.encodeWithSelector(Account.AccountUnauthorized.selector, callers[i]));
            account.validateUserOp(op, HASH, 0);
        }
    }

    function test_CallDataMustBeExecuteOrEmpty() public {
        PackedUserOperation memory op = _op(_call(RECIPIENT, 1, ""));
        op.signature = _dual(HASH);
        vm.assertEq(_validate(op, HASH), 0, "execute");
        op.callData = "";
        vm.assertEq(_validate(op, HASH), 0, "nothing");
        bytes[4] memory others = [
            abi.encodeCall(CommunityAccount.initialize, (abi.encode(_init()))),
            abi.encodeCall(account.validateUserOp, (op, HASH, 1 ether)),
            abi.encodeWithSignature("executeUserOp(bytes,bytes32)", "", HASH),
            bytes(hex"e9ae5c")
        ];
        for (uint256 i = 0; i < others.length; ++i) {
            op.callData = others[i];
            vm.prank(address(entryPoint));
            vm.expectRevert(
                abi.encodeWithSelector(CommunityAccount.CallDataNotExecute.selector, bytes4(bytes32(others[i])))
            );
            account.validateUserOp(op, HASH, 0);
        }
    }

    /// @dev A call of its own: the memory of the test must not count.
    function measure(bytes calldata signature) external returns (uint256 gas, uint256 result) {
        PackedUserOperation memory op;
        op.signature = signature;
        vm.prank(address(entryPoint));
        gas = gasleft();
        result = account.validateUserOp(op, HASH, 0);
        gas -= gasleft();
        result = _normal(result);
    }

    function _refused(bytes memory signature, string memory what) private {
        vm.assertEq(_validateSignature(HASH, signature), SIG_FAILED, what);
    }

    function _gasOf(bytes memory signature, uint256 expected) private returns (uint256 gas) {
        uint256 result;
        (gas, result) = this.measure(signature);
        vm.assertEq(result, expected, "result");
    }

    function _withData(uint256 length) private view returns (bytes memory) {
        bytes memory data = abi.encodePacked(RP_ID_HASH, uint8(0x05), uint32(1), new bytes(513 - 37));
        assembly ("memory-safe") {
            mstore(data, length)
        }
        (bytes32 r, bytes32 s) = _passkeySignature(_assertion(), data, HASH);
        bytes memory server = _serverSignature(SERVER, HASH);
        return abi.encodePacked(uint8(1), uint8(0), _day(), server, r, s, uint16(length), data, TAIL);
    }

    /// @dev Replaces the 32-byte s at `offset` by n - s.
    function _twin(bytes memory signature, uint256 offset, uint256 n) private pure returns (bytes memory twin) {
        twin = bytes.concat(signature);
        assembly ("memory-safe") {
            let place := add(add(twin, 32), offset)
            mstore(place, sub(n, mload(place)))
        }
    }
}
