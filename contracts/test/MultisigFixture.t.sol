// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {Base64} from "@openzeppelin/contracts/utils/Base64.sol";
import {Call} from "../src/lib/AccountTypes.sol";
import {CommunityMultisig} from "../src/CommunityMultisig.sol";
import {CommunityMultisigFactory} from "../src/CommunityMultisigFactory.sol";
import {PasskeyVerifier} from "../src/multisig/PasskeyVerifier.sol";
import {LimitRow, MultisigInit, ProposalView, Stamp, Status, Vote} from "../src/multisig/MultisigTypes.sol";
import {TestToken} from "./support/TestTokens.sol";
import {Vm} from "./support/Vm.sol";

/// @dev An owner like a `CommunityAccount`: its key acts through it, and its messages are bound to it (the wrapping
/// stands for ERC-7739).
contract AccountLike is IERC1271 {
    address private immutable _KEY;

    constructor(address key) {
        _KEY = key;
    }

    function execute(address to, uint256 value, bytes calldata data) external payable returns (bytes memory answer) {
        require(msg.sender == _KEY, "not the key");
        bool ok;
        (ok, answer) = to.call{value: value}(data);
        if (!ok) {
            assembly ("memory-safe") {
                revert(add(answer, 32), mload(answer))
            }
        }
    }

    function isValidSignature(bytes32 hash, bytes calldata signature) external view returns (bytes4) {
        (address signer,,) = ECDSA.tryRecover(wrapped(hash), signature);
        return signer == _KEY ? IERC1271.isValidSignature.selector : bytes4(0xffffffff);
    }

    function wrapped(bytes32 hash) public view returns (bytes32) {
        return keccak256(abi.encode(hash, address(this)));
    }

    receive() external payable {}
}

/// @dev A multisig of three EOAs, threshold two, with a native and a token limit, and everything its owners sign.
abstract contract MultisigFixture {
    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
    uint256 internal constant N_P256 = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551;
    uint256 internal constant ALICE = 0xa11ce;
    uint256 internal constant BOB = 0xb0b;
    uint256 internal constant CAROL = 0xca401;
    uint256 internal constant DAVE = 0xda7e;
    uint256 internal constant PASSKEY = 7;
    address internal constant STRANGER = address(0x5742);
    address internal constant RECIPIENT = address(0xd00d5);
    /// @dev Noon of a UTC day.
    uint256 internal constant NOON = 20_000 days + 12 hours;
    uint256 internal constant NATIVE_LIMIT = 1 ether;
    uint256 internal constant TOKEN_LIMIT = 500;

    CommunityMultisigFactory internal factory;
    CommunityMultisig internal multisig;
    PasskeyVerifier internal verifier;
    TestToken internal token;
    uint256 internal nextNonce;

    function setUp() public virtual {
        vm.warp(NOON);
        factory = new CommunityMultisigFactory();
        verifier = new PasskeyVerifier();
        token = new TestToken();
        multisig = _create(_init());
        vm.deal(address(multisig), 100 ether);
        token.mint(address(multisig), 1_000_000);
    }

    // ---- creation

    function _init() internal view returns (MultisigInit memory init) {
        init.owners = _three();
        init.threshold = 2;
        init.limits = new LimitRow[](3);
        init.limits[0] = LimitRow(1, address(0), 5 ether);
        init.limits[1] = LimitRow(block.chainid, address(0), NATIVE_LIMIT);
        init.limits[2] = LimitRow(block.chainid, address(token), TOKEN_LIMIT);
    }

    function _create(MultisigInit memory init) internal returns (CommunityMultisig) {
        return CommunityMultisig(payable(factory.createMultisig(abi.encode(init))));
    }

    function _owner(uint256 key) internal pure returns (bytes memory) {
        return abi.encodePacked(vm.addr(key));
    }

    function _ownerId(uint256 key) internal pure returns (bytes32) {
        return keccak256(_owner(key));
    }

    function _passkeyOwner(uint256 key) internal view returns (bytes memory) {
        (uint256 x, uint256 y) = vm.publicKeyP256(key);
        return abi.encodePacked(address(verifier), x, y);
    }

    function _none() internal pure returns (bytes[] memory) {
        return new bytes[](0);
    }

    function _list(bytes memory one) internal pure returns (bytes[] memory list) {
        list = new bytes[](1);
        list[0] = one;
    }

    function _list(bytes memory one, bytes memory two) internal pure returns (bytes[] memory list) {
        list = new bytes[](2);
        (list[0], list[1]) = (one, two);
    }

    function _three() internal pure returns (bytes[] memory list) {
        list = new bytes[](3);
        (list[0], list[1], list[2]) = (_owner(ALICE), _owner(BOB), _owner(CAROL));
    }

    // ---- calls and proposals

    function _calls(address to, uint256 value, bytes memory data) internal pure returns (Call[] memory calls) {
        calls = new Call[](1);
        calls[0] = Call(to, value, data);
    }

    function _pay() internal pure returns (Call[] memory) {
        return _calls(RECIPIENT, 10 ether, "");
    }

    function _self(bytes memory data) internal view returns (Call[] memory) {
        return _calls(address(multisig), 0, data);
    }

    function _changeOwners(bytes[] memory removed, bytes[] memory added, uint8 threshold)
        internal
        view
        returns (Call[] memory)
    {
        return _self(abi.encodeCall(CommunityMultisig.changeOwners, (removed, added, threshold)));
    }

    function _propose(uint256 key, Call[] memory calls, uint256 salt) internal returns (bytes32) {
        vm.prank(vm.addr(key));
        return multisig.propose(calls, salt, 0);
    }

    function _approve(uint256 key, bytes32 id) internal {
        vm.prank(vm.addr(key));
        multisig.approve(id);
    }

    function _reject(uint256 key, bytes32 id) internal {
        vm.prank(vm.addr(key));
        multisig.reject(id);
    }

    function _execute(uint256 proposer, Call[] memory calls, uint256 salt) internal {
        vm.prank(STRANGER);
        multisig.execute(_ownerId(proposer), calls, salt, 0);
    }

    /// @dev Proposed by Alice, approved by Bob, executed by a stranger. Salts of its own.
    function _carry(Call[] memory calls) internal returns (bytes32 id) {
        uint256 salt = uint256(keccak256(abi.encode("carry", ++nextNonce)));
        id = _propose(ALICE, calls, salt);
        _approve(BOB, id);
        _execute(ALICE, calls, salt);
    }

    function _status(bytes32 id) internal view returns (uint256) {
        return uint256(multisig.proposal(id).status);
    }

    function _assertStatus(bytes32 id, Status expected, string memory what) internal view {
        vm.assertEq(_status(id), uint256(expected), what);
    }

    /// @dev Approvals, rejections, and how many approvals are needed.
    function _assertVotes(bytes32 id, uint256 approvals, uint256 rejections, uint256 needed) internal view {
        ProposalView memory p = multisig.proposal(id);
        vm.assertEq(p.approvals, approvals, "approvals");
        vm.assertEq(p.rejections, rejections, "rejections");
        vm.assertEq(p.needed, needed, "needed");
    }

    function _assertVote(bytes32 id, uint256 key, Vote expected) internal view {
        vm.assertEq(uint256(multisig.vote(id, _owner(key))), uint256(expected), "vote");
    }

    // ---- signatures, written from spec/multisig.md and not from the contract

    function _stamp() internal returns (Stamp memory) {
        return Stamp(multisig.epoch(), ++nextNonce, uint48(block.timestamp + 1 hours));
    }

    function _domain(uint256 chainId, address place) internal pure returns (bytes32) {
        bytes32 kind = keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
        return keccak256(abi.encode(kind, keccak256("CommunityMultisig"), keccak256("1"), chainId, place));
    }

    function _digest(bytes32 structHash) internal view returns (bytes32) {
        return keccak256(abi.encodePacked(hex"1901", _domain(block.chainid, address(multisig)), structHash));
    }

    /// @dev `name` is Approve, WithdrawApproval, Reject or Cancel.
    function _voteStruct(string memory name, bytes memory owner, bytes32 id, Stamp memory s)
        internal
        pure
        returns (bytes32)
    {
        string memory kind =
            string.concat(name, "(bytes owner,bytes32 proposal,uint32 epoch,uint256 nonce,uint48 deadline)");
        return keccak256(abi.encode(keccak256(bytes(kind)), keccak256(owner), id, s.epoch, s.nonce, s.deadline));
    }

    function _proposeStruct(bytes memory owner, Call[] memory calls, uint256 salt, uint48 expiry, Stamp memory s)
        internal
        pure
        returns (bytes32)
    {
        bytes32 kind = keccak256(
            "Propose(bytes owner,Call[] calls,uint256 salt,uint48 expiry,uint32 epoch,uint256 nonce,uint48 deadline)Call(address to,uint256 value,bytes data)"
        );
        bytes32 content = _callsHash(calls);
        return keccak256(abi.encode(kind, keccak256(owner), content, salt, expiry, s.epoch, s.nonce, s.deadline));
    }

    function _callsHash(Call[] memory calls) internal pure returns (bytes32) {
        bytes memory all;
        bytes32 kind = keccak256("Call(address to,uint256 value,bytes data)");
        for (uint256 i = 0; i < calls.length; ++i) {
            bytes32 one = keccak256(abi.encode(kind, calls[i].to, calls[i].value, keccak256(calls[i].data)));
            all = bytes.concat(all, one);
        }
        return keccak256(all);
    }

    function _spendStruct(bytes memory owner, address token_, address to, uint256 amount, Stamp memory s)
        internal
        pure
        returns (bytes32)
    {
        bytes32 kind = keccak256(
            "Spend(bytes owner,address token,address to,uint256 amount,uint32 epoch,uint256 nonce,uint48 deadline)"
        );
        return keccak256(abi.encode(kind, keccak256(owner), token_, to, amount, s.epoch, s.nonce, s.deadline));
    }

    function _sign(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    function _signVote(uint256 key, string memory name, bytes32 id, Stamp memory s)
        internal
        view
        returns (bytes memory)
    {
        return _sign(key, _digest(_voteStruct(name, _owner(key), id, s)));
    }

    /// @dev What a browser makes of `challenge`, in the form OpenZeppelin's verifier reads.
    function _assertion(uint256 key, bytes32 challenge) internal pure returns (bytes memory) {
        bytes memory data = abi.encodePacked(sha256("wallet.example"), uint8(0x05), uint32(1));
        string memory client = string.concat(
            '{"type":"webauthn.get","challenge":"',
            Base64.encodeURL(abi.encodePacked(challenge)),
            '","origin":"https://wallet.example"}'
        );
        (bytes32 r, bytes32 s) = vm.signP256(key, sha256(abi.encodePacked(data, sha256(bytes(client)))));
        if (uint256(s) > N_P256 / 2) s = bytes32(N_P256 - uint256(s));
        return abi.encode(r, s, 23, 1, data, client);
    }

    function _expect(bytes4 selector) internal {
        vm.expectRevert(abi.encodePacked(selector));
    }

    function _expect(bytes4 selector, bytes memory arguments) internal {
        vm.expectRevert(bytes.concat(selector, arguments));
    }

    function _bound(uint256 value, uint256 low, uint256 high) internal pure returns (uint256) {
        return low + value % (high - low + 1);
    }
}
