// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Call} from "../src/lib/AccountTypes.sol";
import {CommunityMultisig} from "../src/CommunityMultisig.sol";
import {Stamp, Status} from "../src/multisig/MultisigTypes.sol";
import {MultisigFixture} from "./MultisigFixture.t.sol";

/// @dev Eight people who come and go as owners, a stranger, and a clock. The handler keeps books of its own: who sits,
/// since when, who approved what and when, in plain lists and with no masks, seats or epochs; the contract is compared
/// with them at every execution.
contract Treasury is MultisigFixture {
    uint256 private constant PEOPLE = 8;
    uint256 private constant FIRST = 500;

    struct Book {
        bytes32 id;
        uint256 proposer;
        Call[] calls;
        uint256 salt;
        uint256 threshold;
        uint256 end;
        bool over;
    }

    Book[] private books;
    /// @dev Time, in steps of the handler, since when somebody sits; 0 = does not sit.
    uint256[PEOPLE] private since;
    mapping(uint256 book => mapping(uint256 person => uint256 step)) private approvedAt;
    mapping(uint256 book => mapping(uint256 person => uint256 step)) private rejectedAt;
    uint256 private threshold = 2;
    uint256 private limit = NATIVE_LIMIT;
    uint256 private step = 1;
    uint256 private today;
    uint256 private spentToday;
    bytes private lastSpend;

    uint256 public paid;
    uint256 public spent;
    uint256 public executed;
    uint256 public changed;
    uint256 public refused;
    uint256 public cancelled;
    uint256 public replayed;

    constructor() {
        setUp();
        Call[] memory calls = _changeOwners(_three(), _names(), 2);
        uint256 salt = 1 << 255;
        bytes32 id = _propose(ALICE, calls, salt);
        _approve(BOB, id);
        _execute(ALICE, calls, salt);
        for (uint256 i = 0; i < 5; ++i) {
            since[i] = 1;
        }
        today = block.timestamp / 1 days;
        vm.deal(RECIPIENT, 0);
    }

    // ---- moves

    function wait(uint32 seconds_) external {
        _step();
        vm.warp(block.timestamp + seconds_ % 4 days);
    }

    function proposePayment(uint8 who, uint96 amount) external {
        _step();
        _proposeAs(who % PEOPLE, _calls(RECIPIENT, amount % 3 ether, ""));
    }

    function proposeChange(uint8 who, uint8 removed, uint8 added, uint8 newThreshold) external {
        _step();
        uint256 out = removed % (PEOPLE + 1);
        uint256 come = added % (PEOPLE + 1);
        bytes[] memory leaving = out == PEOPLE ? _none() : _list(_owner(FIRST + out));
        bytes[] memory coming = come == PEOPLE ? _none() : _list(_owner(FIRST + come));
        _proposeAs(who % PEOPLE, _changeOwners(leaving, coming, newThreshold % 4 + 1));
    }

    function proposeLimit(uint8 who, uint96 perDay) external {
        _step();
        bytes memory data = abi.encodeCall(CommunityMultisig.setDailyLimit, (address(0), uint112(perDay % 2 ether)));
        _proposeAs(who % PEOPLE, _self(data));
    }

    function vote(uint8 who, uint8 which, uint8 kind) public {
        _step();
        if (books.length == 0) return;
        uint256 person = who % PEOPLE;
        uint256 n = _recent(which);
        Book storage b = books[n];
        bytes4 selector = [
            CommunityMultisig.approve.selector,
            CommunityMultisig.approve.selector,
            CommunityMultisig.approve.selector,
            CommunityMultisig.withdrawApproval.selector,
            CommunityMultisig.reject.selector
        ][kind % 5];
        vm.prank(vm.addr(FIRST + person));
        (bool ok,) = address(multisig).call(abi.encodeWithSelector(selector, b.id));
        if (!ok) return _refuse();
        vm.assertTrue(since[person] != 0 && !b.over && block.timestamp <= b.end, "only owners, only while open");
        (approvedAt[n][person], rejectedAt[n][person]) = (0, 0);
        if (kind % 5 < 3) approvedAt[n][person] = step;
        if (kind % 5 == 4) rejectedAt[n][person] = step;
        if (kind % 5 != 4) return;
        bool dead = _count(rejectedAt[n]) + _needed(b) > _sitting();
        vm.assertTrue((_status(b.id) == uint256(Status.Cancelled)) == dead, "cancelled exactly when out of reach");
        if (!dead) return;
        b.over = true;
        ++cancelled;
    }

    /// @dev Everybody approves, and it is executed: the quick way to the states behind a change.
    function agree(uint8 which) external {
        for (uint8 i = 0; i < PEOPLE; ++i) {
            vote(i, which, 0);
        }
        execute(which);
    }

    /// @dev Anybody, at any time: passes exactly when the books say so.
    function execute(uint8 which) public {
        _step();
        if (books.length == 0) return;
        uint256 n = _recent(which);
        Book storage b = books[n];
        uint256 before = address(multisig).balance;
        bool allowed = !b.over && block.timestamp <= b.end && _count(approvedAt[n]) >= _needed(b);
        vm.prank(STRANGER);
        (bool ok,) = address(multisig)
            .call(
                abi.encodeCall(CommunityMultisig.execute, (keccak256(_owner(FIRST + b.proposer)), b.calls, b.salt, 0))
            );
        bool itself = b.calls[0].to == address(multisig);
        vm.assertTrue(allowed || !ok, "executed without the approvals");
        // Changes may fail for what they ask, payments for lack of money; nothing else stands in the way.
        if (allowed && !itself) vm.assertTrue(ok == (before >= b.calls[0].value), "an approved payment passes");
        if (!ok) return _refuse();
        b.over = true;
        ++executed;
        paid += b.calls[0].value;
        if (itself) _follow(n);
    }

    function spend(uint8 who, uint96 amount) external {
        _step();
        uint256 person = who % PEOPLE;
        uint256 value = amount % 0.8 ether;
        _spent(abi.encodeCall(CommunityMultisig.spend, (address(0), RECIPIENT, value)), person, value, true);
    }

    function spendBySignature(uint8 who, uint96 amount) external {
        _step();
        uint256 person = who % PEOPLE;
        uint256 value = amount % 0.8 ether;
        Stamp memory s = _stamp();
        bytes memory owner = _owner(FIRST + person);
        bytes memory signature = _sign(FIRST + person, _digest(_spendStruct(owner, address(0), RECIPIENT, value, s)));
        bytes memory data =
            abi.encodeCall(CommunityMultisig.spendBySignature, (address(0), RECIPIENT, value, owner, s, signature));
        if (_spent(data, person, value, false)) lastSpend = data;
    }

    function replay() external {
        _step();
        if (lastSpend.length == 0) return;
        vm.prank(STRANGER);
        (bool ok,) = address(multisig).call(lastSpend);
        vm.assertFalse(ok, "a signature served twice");
        ++replayed;
    }

    function stranger(bytes calldata data, uint8 what) external {
        _step();
        bytes memory attempt = data;
        if (what % 4 == 1) attempt = abi.encodeCall(CommunityMultisig.spend, (address(0), STRANGER, 1));
        if (what % 4 == 2) attempt = abi.encodeCall(CommunityMultisig.changeOwners, (_none(), _none(), 1));
        if (what % 4 == 3) attempt = abi.encodeCall(CommunityMultisig.initialize, (abi.encode(_init())));
        vm.prank(STRANGER);
        (bool ok,) = address(multisig).call(attempt);
        if (!ok) _refuse();
    }

    // ---- what the invariants read

    function treasury() external view returns (uint256 left, uint256 recipient, uint256 strangerWei) {
        return (address(multisig).balance, RECIPIENT.balance, STRANGER.balance);
    }

    function sitsAsTheBooksSay() external view returns (bool same) {
        same = multisig.owners().length == _sitting() && multisig.threshold() == threshold;
        for (uint256 i = 0; i < PEOPLE; ++i) {
            same = same && multisig.isOwner(_owner(FIRST + i)) == (since[i] != 0);
        }
    }

    function votesAsTheBooksSay() external view returns (bool same) {
        same = true;
        for (uint256 n = books.length > 4 ? books.length - 4 : 0; n < books.length; ++n) {
            if (books[n].over) continue;
            same = same && multisig.proposal(books[n].id).approvals == _count(approvedAt[n])
                && multisig.proposal(books[n].id).rejections == _count(rejectedAt[n])
                && multisig.proposal(books[n].id).needed == _needed(books[n]);
        }
    }

    // ---- the books

    function _step() private {
        ++step;
    }

    function _refuse() private {
        ++refused;
    }

    function _names() private pure returns (bytes[] memory names) {
        names = new bytes[](5);
        for (uint256 i = 0; i < 5; ++i) {
            names[i] = _owner(FIRST + i);
        }
    }

    /// @dev One of the latest four, so that votes meet.
    function _recent(uint8 which) private view returns (uint256) {
        uint256 span = books.length < 4 ? books.length : 4;
        return books.length - 1 - which % span;
    }

    function _sitting() private view returns (uint256 count) {
        for (uint256 i = 0; i < PEOPLE; ++i) {
            if (since[i] != 0) ++count;
        }
    }

    /// @dev Votes of those who sit and sat without a break since they voted.
    function _count(mapping(uint256 => uint256) storage votedAt) private view returns (uint256 count) {
        for (uint256 i = 0; i < PEOPLE; ++i) {
            if (since[i] != 0 && votedAt[i] != 0 && votedAt[i] >= since[i]) ++count;
        }
    }

    function _needed(Book storage b) private view returns (uint256 votes) {
        votes = b.threshold > threshold ? b.threshold : threshold;
        if (votes > _sitting()) votes = _sitting();
    }

    function _proposeAs(uint256 person, Call[] memory calls) private {
        vm.prank(vm.addr(FIRST + person));
        try multisig.propose(calls, books.length, 0) returns (bytes32 id) {
            vm.assertTrue(since[person] != 0, "only owners propose");
            Book storage b = books.push();
            (b.id, b.proposer, b.salt, b.threshold) = (id, person, books.length - 1, threshold);
            b.end = block.timestamp + 14 days;
            b.calls.push(calls[0]);
            approvedAt[books.length - 1][person] = step;
        } catch {
            vm.assertEq(since[person], 0, "every owner proposes");
            _refuse();
        }
    }

    /// @dev After a change that passed. Whoever was added sits since now, also when named on both sides.
    function _follow(uint256 n) private {
        ++changed;
        (limit,,) = multisig.dailyLimit(address(0));
        bytes memory data = books[n].calls[0].data;
        if (bytes4(data) != CommunityMultisig.changeOwners.selector) return;
        (bytes[] memory removed, bytes[] memory added, uint8 newThreshold) = this.read(data);
        for (uint256 i = 0; i < removed.length; ++i) {
            since[_person(removed[i])] = 0;
        }
        for (uint256 i = 0; i < added.length; ++i) {
            since[_person(added[i])] = step;
        }
        threshold = newThreshold;
    }

    function read(bytes calldata data) external pure returns (bytes[] memory, bytes[] memory, uint8) {
        return abi.decode(data[4:], (bytes[], bytes[], uint8));
    }

    function _person(bytes memory owner) private pure returns (uint256 i) {
        while (keccak256(_owner(FIRST + i)) != keccak256(owner)) ++i;
    }

    function _spent(bytes memory data, uint256 person, uint256 value, bool direct) private returns (bool ok) {
        if (block.timestamp / 1 days != today) (today, spentToday) = (block.timestamp / 1 days, 0);
        bool allowed =
            since[person] != 0 && value != 0 && spentToday + value <= limit && value <= address(multisig).balance;
        vm.prank(direct ? vm.addr(FIRST + person) : STRANGER);
        (ok,) = address(multisig).call(data);
        vm.assertTrue(ok == allowed, "an owner, within the limit, and nothing else");
        if (!ok) {
            _refuse();
            return false;
        }
        spentToday += value;
        spent += value;
    }
}

contract MultisigInvariantsTest {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    Treasury private treasury;

    function setUp() public {
        treasury = new Treasury();
    }

    function targetContracts() external view returns (address[] memory list) {
        list = new address[](1);
        list[0] = address(treasury);
    }

    function targetSelectors() external view returns (FuzzSelector[] memory list) {
        list = new FuzzSelector[](1);
        list[0].addr = address(treasury);
        bytes4[14] memory all = [
            Treasury.wait.selector,
            Treasury.proposePayment.selector,
            Treasury.proposeChange.selector,
            Treasury.proposeChange.selector,
            Treasury.agree.selector,
            Treasury.proposeLimit.selector,
            Treasury.vote.selector,
            Treasury.vote.selector,
            Treasury.vote.selector,
            Treasury.execute.selector,
            Treasury.spend.selector,
            Treasury.spendBySignature.selector,
            Treasury.replay.selector,
            Treasury.stranger.selector
        ];
        list[0].selectors = new bytes4[](all.length);
        for (uint256 i = 0; i < all.length; ++i) {
            list[0].selectors[i] = all[i];
        }
    }

    /// @dev What passes and what not is asserted at each move; here the sums.
    function invariant_ValueLeavesByApprovalOrWithinTheLimit() external view {
        (uint256 left, uint256 recipient, uint256 strangerWei) = treasury.treasury();
        require(recipient == treasury.paid() + treasury.spent(), "the recipient has what was approved or spent");
        require(left == 100 ether - recipient, "the treasury has the rest");
        require(strangerWei == 0, "nobody else has anything");
    }

    function invariant_OwnersAndVotesAreAsTheBooksSay() external view {
        require(treasury.sitsAsTheBooksSay(), "owners and threshold");
        require(treasury.votesAsTheBooksSay(), "votes");
    }

    /// @dev The handlers reach both sides: without this the invariants could hold because nothing happened.
    function test_TheTreasuryDoesSomething() external {
        treasury.proposePayment(0, 1 ether);
        treasury.execute(0);
        treasury.vote(1, 0, 0);
        treasury.vote(7, 0, 0);
        treasury.execute(0);
        treasury.execute(0);
        treasury.proposeChange(0, 4, 6, 2);
        treasury.vote(4, 0, 0);
        treasury.vote(1, 0, 0);
        treasury.vote(2, 0, 0);
        treasury.execute(0);
        treasury.proposeLimit(6, 0.5 ether);
        treasury.vote(1, 0, 0);
        treasury.vote(2, 0, 0);
        treasury.execute(0);
        treasury.spend(6, 0.5 ether);
        treasury.spendBySignature(6, 0.5 ether);
        treasury.wait(1 days);
        treasury.spendBySignature(6, 0.5 ether);
        treasury.replay();
        treasury.stranger("", 2);
        treasury.proposePayment(0, 1 ether);
        for (uint8 i = 0; i < 3; ++i) {
            treasury.vote(i, 0, 4);
        }
        require(treasury.executed() == 3 && treasury.changed() == 2, "executed");
        require(treasury.paid() == 1 ether && treasury.spent() == 1 ether, "moved");
        require(treasury.refused() == 5 && treasury.cancelled() == 1 && treasury.replayed() == 1, "refused");
    }
}
