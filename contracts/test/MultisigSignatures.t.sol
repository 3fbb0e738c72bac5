// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Call} from "../src/lib/AccountTypes.sol";
import {CommunityMultisig} from "../src/CommunityMultisig.sol";
import {MultisigInit, Stamp, Status, Vote} from "../src/multisig/MultisigTypes.sol";
import {OwnerSet} from "../src/multisig/OwnerSet.sol";
import {AccountLike, MultisigFixture} from "./MultisigFixture.t.sol";

/// @dev Answers every question with what it was made with.
contract Oracle {
    bytes private answer;

    constructor(bytes memory answer_) {
        answer = answer_;
    }

    fallback() external {
        bytes memory copy = answer;
        assembly ("memory-safe") {
            return(add(copy, 32), mload(copy))
        }
    }
}

/// @dev Owners that act by signatures which a stranger submits: EOAs, contracts, passkeys; and everything that must not
/// pass for one.
contract MultisigSignaturesTest is MultisigFixture {
    bytes32 private id;

    function setUp() public override {
        super.setUp();
        id = _propose(ALICE, _pay(), 0);
    }

    // ---- what passes

    function test_EveryActionBySignature() public {
        Stamp memory s = _stamp();
        Call[] memory calls = _calls(RECIPIENT, 1, "");
        bytes memory signature = _sign(BOB, _digest(_proposeStruct(_owner(BOB), calls, 5, 0, s)));
        vm.prank(STRANGER);
        bytes32 mine = multisig.proposeBySignature(calls, 5, 0, _owner(BOB), s, signature);
        vm.assertEq(mine, multisig.proposalId(_ownerId(BOB), calls, 5, 0), "id");
        _assertVotes(mine, 1, 0, 2);
        _submitVote(BOB, "Approve", id);
        _assertVote(id, BOB, Vote.Approved);
        _submitVote(BOB, "WithdrawApproval", id);
        _assertVote(id, BOB, Vote.None);
        _submitVote(BOB, "Reject", id);
        _assertVote(id, BOB, Vote.Rejected);
        _submitVote(BOB, "Cancel", mine);
        _assertStatus(mine, Status.Cancelled, "cancelled");
        s = _stamp();
        signature = _sign(BOB, _digest(_spendStruct(_owner(BOB), address(0), RECIPIENT, 3, s)));
        vm.prank(STRANGER);
        multisig.spendBySignature(address(0), RECIPIENT, 3, _owner(BOB), s, signature);
        vm.assertEq(RECIPIENT.balance, 3, "spent");
    }

    function test_ADomainThatWalletsFind() public view {
        (, string memory name, string memory version, uint256 chainId, address contract_,,) = multisig.eip712Domain();
        vm.assertEq(bytes(name), "CommunityMultisig", "name");
        vm.assertEq(bytes(version), "1", "version");
        vm.assertTrue(chainId == block.chainid && contract_ == address(multisig), "chain and multisig");
    }

    function test_APasskeyActs() public {
        bytes memory owner = _passkeyOwner(PASSKEY);
        _carry(_changeOwners(_none(), _list(owner), 2));
        Stamp memory s = _stamp();
        bytes memory assertion = _assertion(PASSKEY, _digest(_voteStruct("Approve", owner, id, s)));
        vm.prank(STRANGER);
        multisig.approveBySignature(id, owner, s, assertion);
        _execute(ALICE, _pay(), 0);
        vm.assertEq(RECIPIENT.balance, 10 ether, "paid");
    }

    function test_APasskeyProposesAndSpends() public {
        bytes memory owner = _passkeyOwner(PASSKEY);
        _carry(_changeOwners(_none(), _list(owner), 2));
        Stamp memory s = _stamp();
        bytes memory assertion = _assertion(PASSKEY, _digest(_proposeStruct(owner, _pay(), 0, 0, s)));
        bytes32 mine = multisig.proposeBySignature(_pay(), 0, 0, owner, s, assertion);
        _approve(BOB, mine);
        multisig.execute(keccak256(owner), _pay(), 0, 0);
        s = _stamp();
        assertion = _assertion(PASSKEY, _digest(_spendStruct(owner, address(token), RECIPIENT, 9, s)));
        multisig.spendBySignature(address(token), RECIPIENT, 9, owner, s, assertion);
        vm.assertTrue(RECIPIENT.balance == 10 ether && token.balanceOf(RECIPIENT) == 9, "both");
    }

    function test_AnotherPasskeyIsRefused() public {
        bytes memory owner = _passkeyOwner(PASSKEY);
        _carry(_changeOwners(_none(), _list(owner), 2));
        Stamp memory s = _stamp();
        bytes32 digest = _digest(_voteStruct("Approve", owner, id, s));
        _refused(owner, s, _assertion(PASSKEY + 1, digest));
        _refused(owner, s, _assertion(PASSKEY, keccak256("other")));
        _refused(owner, s, "");
        _refused(owner, s, new bytes(191));
    }

    function test_AContractSignsAndCalls() public {
        AccountLike account = new AccountLike(vm.addr(DAVE));
        bytes memory owner = abi.encodePacked(address(account));
        _carry(_changeOwners(_none(), _list(owner), 2));
        Stamp memory s = _stamp();
        bytes32 digest = _digest(_voteStruct("Approve", owner, id, s));
        _refused(owner, s, _sign(DAVE, digest));
        _refused(owner, s, _sign(BOB, account.wrapped(digest)));
        multisig.approveBySignature(id, owner, s, _sign(DAVE, account.wrapped(digest)));
        vm.assertEq(uint256(multisig.vote(id, owner)), uint256(Vote.Approved), "by signature");
        _through(account, abi.encodeCall(CommunityMultisig.withdrawApproval, (id)));
        _through(account, abi.encodeCall(CommunityMultisig.approve, (id)));
        _through(account, abi.encodeCall(CommunityMultisig.spend, (address(0), RECIPIENT, 1)));
        bytes memory answer = _through(account, abi.encodeCall(CommunityMultisig.propose, (_pay(), 9, 0)));
        _assertVotes(abi.decode(answer, (bytes32)), 1, 0, 2);
        _execute(ALICE, _pay(), 0);
        vm.assertEq(RECIPIENT.balance, 10 ether + 1, "paid");
    }

    /// @dev The key of a contract is not the contract.
    function test_TheKeyBehindAContractIsNoOwner() public {
        AccountLike account = new AccountLike(vm.addr(DAVE));
        _carry(_changeOwners(_none(), _list(abi.encodePacked(address(account))), 2));
        _expect(OwnerSet.NotAnOwner.selector, abi.encode(_owner(DAVE)));
        _approve(DAVE, id);
    }

    /// @dev One key that answers for two contracts without binding its messages to them: the struct names the owner.
    function test_ASignatureForOneContractIsNoneForAnother() public {
        bytes memory first = abi.encodePacked(address(new RawAccount(vm.addr(DAVE))));
        bytes memory second = abi.encodePacked(address(new RawAccount(vm.addr(DAVE))));
        _carry(_changeOwners(_none(), _list(first, second), 3));
        Stamp memory s = _stamp();
        bytes memory signature = _sign(DAVE, _digest(_voteStruct("Approve", first, id, s)));
        multisig.approveBySignature(id, first, s, signature);
        _refused(second, s, signature);
    }

    function test_ContractsThatAnswerNonsenseDoNotSign() public {
        bytes[5] memory answers = [
            bytes(""),
            hex"1626ba7e",
            abi.encode(uint256(1)),
            abi.encode(bytes4(0xffffffff)),
            abi.encodePacked(bytes4(0x1626ba7e), uint224(1))
        ];
        for (uint256 i = 0; i < answers.length; ++i) {
            bytes memory owner = abi.encodePacked(address(new Oracle(answers[i])));
            bytes memory keyed = bytes.concat(abi.encodePacked(address(new Oracle(answers[i]))), "key");
            _carry(_changeOwners(_none(), _list(owner, keyed), 2));
            Stamp memory s = _stamp();
            _refused(owner, s, "");
            _refused(keyed, s, "");
        }
    }

    // ---- what does not

    function test_ASignatureServesOnce() public {
        Stamp memory s = _stamp();
        bytes memory signature = _signVote(BOB, "Approve", id, s);
        bytes32 digest = _digest(_voteStruct("Approve", _owner(BOB), id, s));
        vm.assertFalse(multisig.digestUsed(digest), "unused");
        multisig.approveBySignature(id, _owner(BOB), s, signature);
        vm.assertTrue(multisig.digestUsed(digest), "used");
        vm.prank(vm.addr(BOB));
        multisig.withdrawApproval(id);
        _expect(CommunityMultisig.SignatureUsed.selector, abi.encode(digest));
        multisig.approveBySignature(id, _owner(BOB), s, signature);
        // A new nonce makes a new digest.
        _submitVote(BOB, "Approve", id);
    }

    function test_ASpendServesOnce() public {
        Stamp memory s = _stamp();
        bytes32 digest = _digest(_spendStruct(_owner(BOB), address(0), RECIPIENT, 3, s));
        bytes memory signature = _sign(BOB, digest);
        multisig.spendBySignature(address(0), RECIPIENT, 3, _owner(BOB), s, signature);
        _expect(CommunityMultisig.SignatureUsed.selector, abi.encode(digest));
        multisig.spendBySignature(address(0), RECIPIENT, 3, _owner(BOB), s, signature);
    }

    /// @dev The twin (r, n - s) is refused, and would be the same digest anyway.
    function test_TheTwinOfASignatureIsRefused() public {
        Stamp memory s = _stamp();
        (uint8 v, bytes32 r, bytes32 low) = vm.sign(BOB, _digest(_voteStruct("Approve", _owner(BOB), id, s)));
        uint256 n = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;
        _refused(_owner(BOB), s, abi.encodePacked(r, bytes32(n - uint256(low)), v == 27 ? uint8(28) : uint8(27)));
    }

    function test_NoncesHaveNoOrder() public {
        Stamp memory later = Stamp(0, 900, uint48(NOON + 1));
        Stamp memory earlier = Stamp(0, 3, uint48(NOON + 1));
        multisig.approveBySignature(id, _owner(BOB), later, _signVote(BOB, "Approve", id, later));
        multisig.withdrawApprovalBySignature(id, _owner(BOB), earlier, _signVote(BOB, "WithdrawApproval", id, earlier));
        // The same nonce by another owner, and for another struct.
        multisig.approveBySignature(id, _owner(CAROL), later, _signVote(CAROL, "Approve", id, later));
        multisig.rejectBySignature(id, _owner(BOB), later, _signVote(BOB, "Reject", id, later));
    }

    function test_TheDeadlineIsTheLastSecond() public {
        Stamp memory s = Stamp(0, 1, uint48(NOON));
        bytes memory signature = _signVote(BOB, "Approve", id, s);
        vm.warp(NOON + 1);
        _expect(CommunityMultisig.SignaturePastDeadline.selector, abi.encode(NOON));
        multisig.approveBySignature(id, _owner(BOB), s, signature);
        vm.warp(NOON);
        multisig.approveBySignature(id, _owner(BOB), s, signature);
    }

    function test_AnotherChainIsRefused() public {
        Stamp memory s = _stamp();
        bytes memory signature = _signVote(BOB, "Approve", id, s);
        vm.chainId(block.chainid + 1);
        _refused(_owner(BOB), s, signature);
    }

    /// @dev A chain that splits: what was approved before the split is unknown under the new chain id.
    function test_AnotherChainKnowsNoProposal() public {
        _approve(BOB, id);
        vm.chainId(block.chainid + 1);
        (bool ok,) = address(multisig).call(abi.encodeCall(CommunityMultisig.execute, (_ownerId(ALICE), _pay(), 0, 0)));
        vm.assertFalse(ok || RECIPIENT.balance != 0, "nothing moves");
    }

    function test_AnotherMultisigIsRefused() public {
        Stamp memory s = _stamp();
        bytes memory signature = _signVote(BOB, "Approve", id, s);
        bytes memory spend = _sign(BOB, _digest(_spendStruct(_owner(BOB), address(0), RECIPIENT, 3, s)));
        MultisigInit memory init = _init();
        init.salt = 77;
        CommunityMultisig first = multisig;
        multisig = _create(init);
        vm.deal(address(multisig), 1 ether);
        vm.assertTrue(_propose(ALICE, _pay(), 0) != id, "ids differ");
        bytes32 theirs = id;
        id = multisig.proposalId(_ownerId(ALICE), _pay(), 0, 0);
        _refused(_owner(BOB), s, signature);
        _expect(CommunityMultisig.WrongSignature.selector, abi.encode(_owner(BOB)));
        multisig.spendBySignature(address(0), RECIPIENT, 3, _owner(BOB), s, spend);
        first.approveBySignature(theirs, _owner(BOB), s, signature);
    }

    function test_AnotherProposalIsRefused() public {
        Stamp memory s = _stamp();
        bytes memory signature = _signVote(BOB, "Approve", id, s);
        id = _propose(ALICE, _pay(), 1);
        _refused(_owner(BOB), s, signature);
    }

    /// @dev A rejection, a withdrawal or a cancellation is no approval, and the other way round.
    function test_AnotherActionIsRefused() public {
        string[4] memory names = ["Approve", "WithdrawApproval", "Reject", "Cancel"];
        for (uint256 i = 0; i < 4; ++i) {
            Stamp memory s = _stamp();
            bytes memory signature = _signVote(BOB, names[i], id, s);
            for (uint256 j = 0; j < 4; ++j) {
                if (i == j) continue;
                _expect(CommunityMultisig.WrongSignature.selector, abi.encode(_owner(BOB)));
                _submit(names[j], id, _owner(BOB), s, signature);
            }
        }
    }

    function test_EachFieldIsSigned() public {
        Stamp memory s = _stamp();
        bytes memory signature = _signVote(BOB, "Approve", id, s);
        _refused(_owner(CAROL), s, signature);
        _refused(_owner(BOB), Stamp(s.epoch, s.nonce + 1, s.deadline), signature);
        _refused(_owner(BOB), Stamp(s.epoch, s.nonce, s.deadline + 1), signature);
        signature = _sign(BOB, _digest(_spendStruct(_owner(BOB), address(0), RECIPIENT, 3, s)));
        _spendRefused(address(token), RECIPIENT, 3, s, signature);
        _spendRefused(address(0), STRANGER, 3, s, signature);
        _spendRefused(address(0), RECIPIENT, 4, s, signature);
        Call[] memory calls = _pay();
        signature = _sign(BOB, _digest(_proposeStruct(_owner(BOB), calls, 5, 0, s)));
        _proposalRefused(calls, 6, 0, s, signature);
        _proposalRefused(calls, 5, uint48(NOON + 1), s, signature);
        calls[0].to = STRANGER;
        _proposalRefused(calls, 5, 0, s, signature);
        calls[0] = Call(RECIPIENT, 10 ether, "1");
        _proposalRefused(calls, 5, 0, s, signature);
    }

    /// @dev Whoever submits cannot leave an approval out: what was not submitted does not count.
    function test_StrippedApprovalsAreMissing() public {
        _carry(_changeOwners(_none(), _none(), 3));
        Stamp memory s = _stamp();
        multisig.approveBySignature(id, _owner(BOB), s, _signVote(BOB, "Approve", id, s));
        _expect(CommunityMultisig.NotEnoughApprovals.selector, abi.encode(id, 2, 3));
        _execute(ALICE, _pay(), 0);
    }

    function test_WhoIsNoOwnerSignsNothing() public {
        Stamp memory s = _stamp();
        bytes memory signature = _signVote(DAVE, "Approve", id, s);
        _expect(OwnerSet.NotAnOwner.selector, abi.encode(_owner(DAVE)));
        multisig.approveBySignature(id, _owner(DAVE), s, signature);
        bytes memory padded = abi.encode(vm.addr(BOB));
        signature = _signVote(BOB, "Approve", id, s);
        _expect(OwnerSet.NotAnOwner.selector, abi.encode(padded));
        multisig.approveBySignature(id, padded, s, signature);
    }

    function test_AFailedActionLeavesItsSignature() public {
        Stamp memory s = _stamp();
        bytes32 digest = _digest(_spendStruct(_owner(BOB), address(0), RECIPIENT, NATIVE_LIMIT + 1, s));
        bytes memory signature = _sign(BOB, digest);
        (bool ok,) = address(multisig)
            .call(
                abi.encodeCall(
                    CommunityMultisig.spendBySignature,
                    (address(0), RECIPIENT, NATIVE_LIMIT + 1, _owner(BOB), s, signature)
                )
            );
        vm.assertFalse(ok || multisig.digestUsed(digest), "over the limit, and not used up");
    }

    function testFuzz_NoOtherKeySigns(uint256 key) public {
        uint256 n = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;
        key = _bound(key, 1, n - 1);
        if (key == BOB) return;
        Stamp memory s = _stamp();
        _refused(_owner(BOB), s, _sign(key, _digest(_voteStruct("Approve", _owner(BOB), id, s))));
    }

    function testFuzz_NoBytesSign(bytes calldata signature) public {
        _refused(_owner(BOB), _stamp(), signature);
    }

    // ---- helpers

    function _through(AccountLike account, bytes memory data) private returns (bytes memory) {
        vm.prank(vm.addr(DAVE));
        return account.execute(address(multisig), 0, data);
    }

    function _submitVote(uint256 key, string memory name, bytes32 id_) private {
        Stamp memory s = _stamp();
        bytes memory signature = _signVote(key, name, id_, s);
        vm.prank(STRANGER);
        _submit(name, id_, _owner(key), s, signature);
    }

    function _submit(string memory name, bytes32 id_, bytes memory owner, Stamp memory s, bytes memory signature)
        private
    {
        bytes32 which = keccak256(bytes(name));
        if (which == keccak256("Approve")) multisig.approveBySignature(id_, owner, s, signature);
        if (which == keccak256("WithdrawApproval")) multisig.withdrawApprovalBySignature(id_, owner, s, signature);
        if (which == keccak256("Reject")) multisig.rejectBySignature(id_, owner, s, signature);
        if (which == keccak256("Cancel")) multisig.cancelBySignature(id_, owner, s, signature);
    }

    function _refused(bytes memory owner, Stamp memory s, bytes memory signature) private {
        _expect(CommunityMultisig.WrongSignature.selector, abi.encode(owner));
        multisig.approveBySignature(id, owner, s, signature);
    }

    function _spendRefused(address token_, address to, uint256 amount, Stamp memory s, bytes memory signature) private {
        _expect(CommunityMultisig.WrongSignature.selector, abi.encode(_owner(BOB)));
        multisig.spendBySignature(token_, to, amount, _owner(BOB), s, signature);
    }

    function _proposalRefused(Call[] memory calls, uint256 salt, uint48 expiry, Stamp memory s, bytes memory signature)
        private
    {
        _expect(CommunityMultisig.WrongSignature.selector, abi.encode(_owner(BOB)));
        multisig.proposeBySignature(calls, salt, expiry, _owner(BOB), s, signature);
    }
}

/// @dev Takes its key's signature over the hash as it is, as older wallets do.
contract RawAccount {
    address private immutable _KEY;

    constructor(address key) {
        _KEY = key;
    }

    function isValidSignature(bytes32 hash, bytes calldata signature) external view returns (bytes4) {
        address signer = ecrecover(hash, uint8(signature[64]), bytes32(signature[0:32]), bytes32(signature[32:64]));
        return signer == _KEY ? bytes4(0x1626ba7e) : bytes4(0);
    }
}
