// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IEntryPoint, PackedUserOperation} from "@openzeppelin/contracts/interfaces/IERC4337.sol";
import {IERC7821} from "@openzeppelin/contracts/interfaces/draft-IERC7821.sol";
import {Base64} from "@openzeppelin/contracts/utils/Base64.sol";
import {AccountInit, Call, GasCap, Passkey, SpendingLimit} from "../../src/lib/AccountTypes.sol";
import {CommunityAccount} from "../../src/CommunityAccount.sol";
import {CommunityAccountFactory} from "../../src/CommunityAccountFactory.sol";
import {P256Verifier} from "../../src/P256Verifier.sol";
import {Vm} from "./Vm.sol";

/// @dev What tests call of EntryPoint 0.7 and 0.8 beyond the common interface.
interface IEntryPointUnderTest is IEntryPoint {
    function getUserOpHash(PackedUserOperation calldata userOp) external view returns (bytes32);
}

/// @dev A passkey's answer, with everything a test may want to spoil.
struct Assertion {
    uint256 key;
    bytes32 rpIdHash;
    uint8 flags;
    string prefix;
    string tail;
}

/// @dev EntryPoints at their canonical addresses, keys, an account, and operations signed with both keys.
abstract contract Fixture {
    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
    address internal constant DEPLOYER = 0x4e59b44847b379578588920cA78FbF26c0B4956C;
    address internal constant ENTRY_POINT_07 = 0x0000000071727De22E5E9d8BAf0edAc6f37da032;
    address internal constant ENTRY_POINT_08 = 0x4337084D9E255Ff0702461CF8895CE9E3b5Ff108;
    string internal constant ARTIFACTS_07 = "node_modules/aa07/artifacts/";
    string internal constant ARTIFACTS_08 = "node_modules/@account-abstraction/contracts/artifacts/";

    uint256 internal constant N_P256 = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551;
    uint256 internal constant N_K1 = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;
    bytes32 internal constant BATCH = bytes32(uint256(1) << 248);
    bytes32 internal constant RP_ID_HASH = sha256("wallet.example");
    string internal constant PREFIX = '{"type":"webauthn.get","challenge":"';
    string internal constant TAIL = '","origin":"https://wallet.example","crossOrigin":false}';

    uint256 internal constant PASSKEY = 7;
    uint256 internal constant SERVER = 9;
    uint256 internal constant ESCAPE = 11;
    uint256 internal constant GAS_CAP = 0.01 ether;
    uint256 internal constant DAY_LIMIT = 20 ether;
    uint256 internal constant SIG_FAILED = 1;
    address payable internal constant BENEFICIARY = payable(address(0xBEEF));
    address internal constant STRANGER = address(0x5742);
    address internal constant RECIPIENT = address(0xd00d5);

    IEntryPointUnderTest internal entryPoint;
    P256Verifier internal p256;
    CommunityAccountFactory internal factory;
    CommunityAccount internal account;

    /// @dev Which EntryPoint the tests of a contract run against.
    function _entryPointVersion() internal pure virtual returns (uint256) {
        return 8;
    }

    function setUp() public virtual {
        entryPoint = _deployEntryPoint(_entryPointVersion());
        p256 = new P256Verifier();
        factory = _newFactory();
        account = CommunityAccount(payable(factory.createAccount(abi.encode(_init()))));
        vm.deal(BENEFICIARY, 1 ether);
        vm.deal(address(account), 10 ether);
    }

    // ---- deployment

    /// @dev The published artifact through the deterministic deployer; fails when it is not at its canonical address.
    function _deployEntryPoint(uint256 version) internal returns (IEntryPointUnderTest) {
        bytes32 salt07 = 0x90d8084deab30c2a37c45e8d47f49f2f7965183cb6990a98943ef94940681de3;
        bytes32 salt08 = 0x0a59dbff790c23c976a548690c27297883cc66b4c67024f9117b0238995e35e9;
        (string memory folder, bytes32 salt, address canonical) =
            version == 7 ? (ARTIFACTS_07, salt07, ENTRY_POINT_07) : (ARTIFACTS_08, salt08, ENTRY_POINT_08);
        if (canonical.code.length == 0) {
            (bool made,) = DEPLOYER.call(abi.encodePacked(salt, _npmInitCode(folder, "EntryPoint")));
            vm.assertTrue(made && canonical.code.length != 0, "EntryPoint is at its canonical address");
        }
        return IEntryPointUnderTest(canonical);
    }

    /// @dev From the compiled artifact, not by `new`: a test contract would carry the code of factory, account and reader,
    /// and each of them would be optimised once more for every test contract.
    function _newFactory() internal returns (CommunityAccountFactory) {
        bytes memory arguments = abi.encode(entryPoint, p256);
        return CommunityAccountFactory(_make("CommunityAccountFactory.sol:CommunityAccountFactory", arguments));
    }

    function _newImplementation(address entryPoint_, address p256Fallback) internal returns (CommunityAccount) {
        bytes memory arguments = abi.encode(entryPoint_, p256Fallback);
        return CommunityAccount(payable(_make("CommunityAccount.sol:CommunityAccount", arguments)));
    }

    function _make(string memory artifact, bytes memory arguments) internal returns (address made) {
        bytes memory initCode = bytes.concat(vm.getCode(artifact), arguments);
        assembly ("memory-safe") {
            made := create(0, add(initCode, 32), mload(initCode))
            if iszero(made) {
                returndatacopy(0, 0, returndatasize())
                revert(0, returndatasize())
            }
        }
    }

    function _npmInitCode(string memory folder, string memory name) internal view returns (bytes memory) {
        return vm.parseJsonBytes(vm.readFile(string.concat(folder, name, ".json")), ".bytecode");
    }

    // ---- init data

    function _passkey(uint256 key) internal pure returns (Passkey memory) {
        (uint256 x, uint256 y) = vm.publicKeyP256(key);
        return Passkey(x, y, RP_ID_HASH);
    }

    /// @dev One passkey, no guardians, a gas cap and a native limit for this chain and rows for another.
    function _init() internal view virtual returns (AccountInit memory init) {
        init.passkeys = new Passkey[](1);
        init.passkeys[0] = _passkey(PASSKEY);
        init.serverKey = vm.addr(SERVER);
        init.escapeKey = vm.addr(ESCAPE);
        init.recoveryDelay = 7 days;
        init.gasCaps = new GasCap[](2);
        init.gasCaps[0] = GasCap(1, 1 ether);
        init.gasCaps[1] = GasCap(block.chainid, GAS_CAP);
        init.limits = new SpendingLimit[](2);
        init.limits[0] = SpendingLimit(1, address(0), 5 ether);
        init.limits[1] = SpendingLimit(block.chainid, address(0), DAY_LIMIT);
    }

    // ---- calls and operations

    function _batch(Call[] memory calls) internal pure returns (bytes memory) {
        return abi.encodeCall(IERC7821.execute, (BATCH, abi.encode(calls)));
    }

    function _call(address to, uint256 value, bytes memory data) internal pure returns (bytes memory) {
        Call[] memory calls = new Call[](1);
        calls[0] = Call(to, value, data);
        return _batch(calls);
    }

    /// @dev Costs at most 900,000 wei: far below the gas cap.
    function _op(bytes memory callData) internal view returns (PackedUserOperation memory op) {
        op.sender = address(account);
        op.nonce = entryPoint.getNonce(op.sender, 1);
        op.callData = callData;
        op.accountGasLimits = _pack(700_000, 150_000);
        op.preVerificationGas = 50_000;
        op.gasFees = _pack(1, 1);
    }

    function _pack(uint256 high, uint256 low) internal pure returns (bytes32) {
        return bytes32((high << 128) | low);
    }

    function _handle(PackedUserOperation memory op) internal returns (uint256 gas) {
        PackedUserOperation[] memory ops = new PackedUserOperation[](1);
        ops[0] = op;
        vm.prank(BENEFICIARY, BENEFICIARY);
        gas = gasleft();
        entryPoint.handleOps(ops, BENEFICIARY);
        gas -= gasleft();
    }

    function _expectFailedOp(string memory reason) internal {
        vm.expectRevert(abi.encodeWithSelector(IEntryPoint.FailedOp.selector, 0, reason));
    }

    function _expectFailedOp(string memory reason, bytes memory inner) internal {
        vm.expectRevert(abi.encodeWithSelector(IEntryPoint.FailedOpWithRevert.selector, 0, reason, inner));
    }

    /// @dev Validation as the EntryPoint asks for it, without the rest of `handleOps`. 0 when the operation is valid, today
    /// if the account pays for it and at any time if not.
    function _validate(PackedUserOperation memory op, bytes32 hash) internal returns (uint256) {
        vm.prank(address(entryPoint));
        return _normal(account.validateUserOp(op, hash, 0));
    }

    function _normal(uint256 validationData) internal view returns (uint256) {
        return validationData == _today() ? 0 : validationData;
    }

    /// @dev Validation data of an operation that is valid on the current day.
    function _today() internal view returns (uint256) {
        uint256 start = uint256(_day()) * 1 days;
        return (start << 208) | ((start + 1 days - 1) << 160);
    }

    function _day() internal view returns (uint32) {
        return uint32(vm.getBlockTimestamp() / 1 days);
    }

    /// @dev Validation data for a signature over an otherwise empty operation.
    function _validateSignature(bytes32 hash, bytes memory signature) internal returns (uint256) {
        PackedUserOperation memory op;
        op.sender = address(account);
        op.signature = signature;
        return _validate(op, hash);
    }

    // ---- signatures

    function _signed(PackedUserOperation memory op) internal view returns (PackedUserOperation memory) {
        bytes memory sponsor = op.paymasterAndData;
        bool sponsored = sponsor.length >= 20 && bytes20(sponsor) != 0;
        bytes32 hash = entryPoint.getUserOpHash(op);
        op.signature = _dual(sponsored ? 0 : _day(), 0, _serverSignature(SERVER, hash), _assertion(), hash);
        return op;
    }

    function _dual(bytes32 hash) internal view returns (bytes memory) {
        return _dual(0, _serverSignature(SERVER, hash), _assertion(), hash);
    }

    function _dual(uint8 slot, bytes memory server, Assertion memory a, bytes32 challenge)
        internal
        view
        returns (bytes memory)
    {
        return _dual(_day(), slot, server, a, challenge);
    }

    function _assertion() internal pure returns (Assertion memory) {
        return Assertion(PASSKEY, RP_ID_HASH, 0x05, PREFIX, TAIL);
    }

    function _dual(uint32 day, uint8 slot, bytes memory server, Assertion memory a, bytes32 challenge)
        internal
        pure
        returns (bytes memory)
    {
        return abi.encodePacked(uint8(1), slot, day, server, _passkeyData(a, challenge));
    }

    /// @dev A passkey's part of a dual signature, and all of its vote.
    function _passkeyData(Assertion memory a, bytes32 challenge) internal pure returns (bytes memory) {
        bytes memory data = abi.encodePacked(a.rpIdHash, a.flags, uint32(1));
        (bytes32 r, bytes32 s) = _passkeySignature(a, data, challenge);
        return abi.encodePacked(r, s, uint16(data.length), data, a.tail);
    }

    function _passkeySignature(Assertion memory a, bytes memory data, bytes32 challenge)
        internal
        pure
        returns (bytes32 r, bytes32 s)
    {
        string memory client = string.concat(a.prefix, Base64.encodeURL(abi.encodePacked(challenge)), a.tail);
        (r, s) = vm.signP256(a.key, sha256(abi.encodePacked(data, sha256(bytes(client)))));
        if (uint256(s) > N_P256 / 2) s = bytes32(N_P256 - uint256(s));
    }

    function _serverSignature(uint256 key, bytes32 hash) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, hash);
        return abi.encodePacked(r, s, v);
    }

    /// @dev The dummy that estimates are made with (spec/wire-formats.md, section 1).
    function _dummy() internal view returns (bytes memory) {
        bytes memory data = abi.encodePacked(RP_ID_HASH, uint8(0x05), uint32(0));
        bytes32 r = bytes32(N_P256 / 3);
        bytes32 s = bytes32(N_P256 / 3);
        bytes memory server = abi.encodePacked(N_K1 / 3, N_K1 / 3, uint8(27));
        return abi.encodePacked(uint8(1), uint8(0), _day(), server, r, s, uint16(37), data, TAIL);
    }

    function _bound(uint256 value, uint256 low, uint256 high) internal pure returns (uint256) {
        return low + value % (high - low + 1);
    }

    function _log(string memory text) internal view {
        (bool ok,) = address(0x000000000000000000636F6e736F6c652e6c6f67).staticcall(
            abi.encodeWithSignature("log(string)", text)
        );
        ok;
    }
}
