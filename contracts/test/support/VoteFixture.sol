// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC7821} from "@openzeppelin/contracts/interfaces/draft-IERC7821.sol";
import {
    AccountInit,
    Call,
    Grant,
    GuardianProof,
    ItemKind,
    KeyChange,
    Passkey,
    QueueKind,
    RuleChange,
    Signature,
    Stamp
} from "../../src/lib/AccountTypes.sol";
import {Spending} from "../../src/account/Spending.sol";
import {Assertion} from "./Fixture.sol";
import {SponsorFixture} from "./SponsorFixture.sol";

/// @dev Plain functions signed by votes, gate and guardians. Digests are built here from the type strings of
/// spec/account.md, beside the code under test.
abstract contract VoteFixture is SponsorFixture {
    string internal constant STAMP = "uint32 keyEpoch,uint256 nonce,uint48 deadline)";
    string internal constant PASSKEY_TYPE = "Passkey(uint256 x,uint256 y,bytes32 rpIdHash)";
    uint256 internal constant PASSKEY_2 = 77;
    uint8 internal constant ESCAPE_SIGNER = 8;
    uint8 internal constant SERVER_SIGNER = 9;

    uint256 private nonce;

    /// @dev Which secrets the signers 0 to 9 have; a test that changes keys changes them too.
    mapping(uint8 signer => uint256 key) internal secrets;

    function setUp() public virtual override {
        super.setUp();
        vm.warp(1_800_000_000);
        (secrets[0], secrets[1], secrets[ESCAPE_SIGNER], secrets[SERVER_SIGNER]) = (PASSKEY, PASSKEY_2, ESCAPE, SERVER);
    }

    function _now() internal view returns (uint256) {
        return vm.getBlockTimestamp();
    }

    function _skip(uint256 time) internal {
        vm.warp(vm.getBlockTimestamp() + time);
    }

    // ---- stamps and signatures

    function _stamp() internal returns (Stamp memory) {
        (,, uint32 epoch,) = account.keys();
        return Stamp(epoch, uint256(keccak256(abi.encode("nonce", ++nonce))), uint48(_now() + 1 hours));
    }

    /// @dev `name` and fields before the stamp, and how they are encoded.
    function _digest(string memory fields, bytes memory content, Stamp memory stamp) internal view returns (bytes32) {
        return _digest(fields, "", content, stamp);
    }

    function _digest(string memory fields, string memory types, bytes memory content, Stamp memory stamp)
        internal
        view
        returns (bytes32)
    {
        bytes32 typeHash = keccak256(bytes(string.concat(fields, STAMP, types)));
        bytes32 structHash = keccak256(
            bytes.concat(typeHash, content, abi.encode(stamp.keyEpoch, stamp.nonce, stamp.deadline))
        );
        return keccak256(abi.encodePacked(hex"1901", _domain(address(account)), structHash));
    }

    function _domain(address verifying) internal view returns (bytes32) {
        bytes32 typeHash =
            keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
        return keccak256(abi.encode(typeHash, keccak256("CommunityAccount"), keccak256("1"), block.chainid, verifying));
    }

    function _hashOf(Passkey[] memory keys) internal pure returns (bytes32) {
        bytes memory hashes;
        bytes32 typeHash = keccak256(bytes(PASSKEY_TYPE));
        for (uint256 i = 0; i < keys.length; ++i) {
            hashes = bytes.concat(hashes, keccak256(abi.encode(typeHash, keys[i].x, keys[i].y, keys[i].rpIdHash)));
        }
        return keccak256(hashes);
    }

    function _by(uint8 signer, bytes32 digest) internal view returns (Signature memory) {
        return _by(signer, secrets[signer], digest);
    }

    function _by(uint8 signer, uint256 key, bytes32 digest) internal pure returns (Signature memory) {
        if (signer >= ESCAPE_SIGNER) return Signature(signer, _serverSignature(key, digest));
        Assertion memory a = _assertion();
        a.key = key;
        return Signature(signer, _passkeyData(a, digest));
    }

    function _signatures(uint8 one, bytes32 digest) internal view returns (Signature[] memory list) {
        list = new Signature[](1);
        list[0] = _by(one, digest);
    }

    function _signatures(uint8 one, uint8 two, bytes32 digest) internal view returns (Signature[] memory list) {
        list = new Signature[](2);
        (list[0], list[1]) = (_by(one, digest), _by(two, digest));
    }

    function _signatures(uint8 one, uint8 two, uint8 three, bytes32 digest)
        internal
        view
        returns (Signature[] memory list)
    {
        list = new Signature[](3);
        (list[0], list[1], list[2]) = (_by(one, digest), _by(two, digest), _by(three, digest));
    }

    // ---- digests of spec/account.md, section 2

    function _freezeDigest(Stamp memory stamp) internal view returns (bytes32) {
        return _digest("Freeze(", "", stamp);
    }

    function _unfreezeDigest(uint8 votes, Stamp memory stamp) internal view returns (bytes32) {
        return _digest("Unfreeze(uint8 votes,", abi.encode(votes), stamp);
    }

    function _keysDigest(KeyChange memory c, Stamp memory stamp) internal view returns (bytes32) {
        bytes memory content = abi.encode(
            keccak256(abi.encodePacked(c.removed)), _hashOf(c.added), c.serverKey, c.escapeKey, c.votes
        );
        return _digest(
            "ChangeKeys(uint256[] removed,Passkey[] added,address serverKey,address escapeKey,uint8 votes,",
            PASSKEY_TYPE,
            content,
            stamp
        );
    }

    function _rulesDigest(RuleChange memory c, Stamp memory stamp) internal view returns (bytes32) {
        bytes memory content = abi.encode(
            c.guardiansHash, c.guardianThreshold, c.recoveryDelay, c.strict, c.unlistedTokens, c.votes
        );
        return _digest(
            "ChangeRules(bytes32 guardiansHash,uint8 guardianThreshold,uint32 recoveryDelay,bool strict,bool unlistedTokens,uint8 votes,",
            content,
            stamp
        );
    }

    function _escapeDigest(Passkey[] memory keys, address server, uint8 votes, Stamp memory stamp)
        internal
        view
        returns (bytes32)
    {
        bytes memory content = abi.encode(_hashOf(keys), server, votes);
        return _digest("Escape(Passkey[] passkeys,address serverKey,uint8 votes,", PASSKEY_TYPE, content, stamp);
    }

    function _recoverDigest(Passkey[] memory keys, address server, address escapeKey, Stamp memory stamp)
        internal
        view
        returns (bytes32)
    {
        bytes memory content = abi.encode(_hashOf(keys), server, escapeKey);
        return _digest("Recover(Passkey[] passkeys,address serverKey,address escapeKey,", PASSKEY_TYPE, content, stamp);
    }

    function _upgradeDigest(address implementation, bytes32 codeHash, Stamp memory stamp)
        internal
        view
        returns (bytes32)
    {
        return _digest("Upgrade(address implementation,bytes32 codeHash,", abi.encode(implementation, codeHash), stamp);
    }

    function _cancelDigest(bytes32 item, Stamp memory stamp) internal view returns (bytes32) {
        return _digest("Cancel(bytes32 item,", abi.encode(item), stamp);
    }

    // ---- actions that tests begin with

    function _freeze(uint8 signer) internal {
        Stamp memory stamp = _stamp();
        account.freeze(stamp, _signatures(signer, _freezeDigest(stamp)));
    }

    /// @dev By both votes and the gate.
    function _unfreeze() internal {
        Stamp memory stamp = _stamp();
        account.unfreeze(2, stamp, _signatures(0, ESCAPE_SIGNER, SERVER_SIGNER, _unfreezeDigest(2, stamp)));
    }

    function _changeRules(RuleChange memory change) internal {
        change.votes = 2;
        Stamp memory stamp = _stamp();
        account.changeRules(change, stamp, _signatures(0, ESCAPE_SIGNER, SERVER_SIGNER, _rulesDigest(change, stamp)));
    }

    function _allowUnlistedTokens() internal {
        _changeRules(RuleChange(0, 0, 7 days, false, true, 2));
    }

    function _beStrict() internal {
        _changeRules(RuleChange(0, 0, 7 days, true, false, 2));
    }

    /// @dev An empty change: it does nothing but begin a key epoch.
    function _nextEpoch() internal {
        KeyChange memory change;
        change.votes = 2;
        Stamp memory stamp = _stamp();
        account.changeKeys(change, stamp, _signatures(0, ESCAPE_SIGNER, SERVER_SIGNER, _keysDigest(change, stamp)));
    }

    function _addSecondPasskey() internal {
        KeyChange memory change;
        change.added = new Passkey[](1);
        change.added[0] = _passkey(PASSKEY_2);
        change.votes = 2;
        Stamp memory stamp = _stamp();
        account.changeKeys(change, stamp, _signatures(0, ESCAPE_SIGNER, SERVER_SIGNER, _keysDigest(change, stamp)));
    }

    function _keys(uint256 secret) internal pure returns (Passkey[] memory keys) {
        keys = new Passkey[](1);
        keys[0] = _passkey(secret);
    }

    // ---- execution as the EntryPoint asks for it after validation

    function _execute(Call[] memory calls) internal {
        vm.prank(address(entryPoint));
        account.execute(BATCH, abi.encode(calls));
    }

    function _execute(address to, uint256 value, bytes memory data) internal {
        Call[] memory calls = new Call[](1);
        calls[0] = Call(to, value, data);
        _execute(calls);
    }

    function _executeExpecting(address to, uint256 value, bytes memory data, bytes memory reason) internal {
        Call[] memory calls = new Call[](1);
        calls[0] = Call(to, value, data);
        vm.prank(address(entryPoint));
        vm.expectRevert(reason);
        account.execute(BATCH, abi.encode(calls));
    }

    function _queueCall(QueueKind kind, bytes memory content, uint256 salt) internal pure returns (bytes memory) {
        return abi.encodeCall(Spending.queue, (kind, content, salt));
    }

    function _confirmCall(QueueKind kind, bytes memory content, uint256 salt) internal pure returns (bytes memory) {
        return abi.encodeCall(Spending.confirm, (kind, content, salt));
    }

    /// @dev Queued and confirmed, with a day between.
    function _pass(QueueKind kind, bytes memory content) internal {
        uint256 salt = ++nonce;
        _execute(address(account), 0, _queueCall(kind, content, salt));
        _skip(1 days);
        _execute(address(account), 0, _confirmCall(kind, content, salt));
    }

    function _list(address token, uint256 perDay) internal {
        _pass(QueueKind.Limit, abi.encode(token, perDay));
    }

    function _queueId(QueueKind kind, bytes memory content, uint256 salt) internal view returns (bytes32) {
        (,, uint32 epoch,) = account.keys();
        return keccak256(abi.encode(block.chainid, address(account), kind, keccak256(content), salt, epoch));
    }
}
