// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Account} from "@openzeppelin/contracts/account/Account.sol";
import {IAccount} from "@openzeppelin/contracts/interfaces/IERC4337.sol";
import {IERC7821} from "@openzeppelin/contracts/interfaces/draft-IERC7821.sol";
import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";
import {IERC721Receiver} from "@openzeppelin/contracts/token/ERC721/IERC721Receiver.sol";
import {IERC1155Receiver} from "@openzeppelin/contracts/token/ERC1155/IERC1155Receiver.sol";
import {CommunityAccount} from "../src/CommunityAccount.sol";
import {Call} from "../src/lib/AccountTypes.sol";
import {CallBatch} from "../src/lib/CallBatch.sol";
import {OutgoingCall} from "../src/lib/OutgoingCall.sol";
import {ReaderErrors} from "../src/lib/ReaderErrors.sol";
import {VoteFixture} from "./support/VoteFixture.sol";
import {TestCollectible, TestItems, TestToken} from "./support/TestTokens.sol";

/// @dev Remembers what reached it; fails on demand.
contract Target {
    error Spoiled(uint256 code);

    uint256 public calls;
    address public caller;
    uint256 public value;
    bytes public data;

    fallback() external payable {
        if (bytes4(msg.data) == bytes4("FAIL")) revert Spoiled(7);
        if (bytes4(msg.data) == bytes4("BARE")) {
            assembly {
                revert(0, 0)
            }
        }
        (calls, caller, value, data) = (calls + 1, msg.sender, msg.value, msg.data);
    }

    receive() external payable {}
}

/// @dev `execute`: one mode, all or nothing, and the addresses it never calls.
contract ExecutionTest is VoteFixture {
    Target private target;
    Call[] private calls;

    function setUp() public override {
        super.setUp();
        target = new Target();
    }

    function test_CallsArriveInOrderWithValueAndData() public {
        calls.push(Call(RECIPIENT, 1 ether, ""));
        calls.push(Call(address(target), 0, "first"));
        calls.push(Call(address(target), 5, "second"));
        _execute();
        vm.assertEq(RECIPIENT.balance, 1 ether, "plain transfer");
        vm.assertEq(target.calls(), 2, "calls");
        vm.assertEq(target.caller(), address(account), "caller");
        vm.assertEq(target.value(), 5, "value");
        vm.assertEq(target.data(), "second", "data of the last");
    }

    function test_AFailingCallUndoesAllAndPassesItsReasonOn() public {
        calls.push(Call(RECIPIENT, 1 ether, ""));
        calls.push(Call(address(target), 0, "count"));
        calls.push(Call(address(target), 0, "FAIL"));
        _executeExpecting(abi.encodeWithSelector(Target.Spoiled.selector, 7));
        vm.assertEq(RECIPIENT.balance, 0, "nothing paid");
        vm.assertEq(target.calls(), 0, "nothing called");
    }

    function test_AFailureWithoutReasonIsNamed() public {
        calls.push(Call(RECIPIENT, 1, ""));
        calls.push(Call(address(target), 0, "BARE"));
        _executeExpecting(abi.encodeWithSelector(OutgoingCall.CallFailed.selector, 1));
        calls[0].value = 11 ether;
        _executeExpecting(abi.encodeWithSelector(OutgoingCall.CallFailed.selector, 0));
    }

    function test_ForbiddenAddressesAreRefusedByName() public {
        calls.push(Call(RECIPIENT, 1, ""));
        calls.push(Call(address(0), 0, abi.encodeCall(CommunityAccount.initialize, ("x"))));
        _executeExpecting(abi.encodeWithSelector(ReaderErrors.CallToZeroAddress.selector, 1));
        calls[1].to = address(account);
        _executeExpecting(abi.encodeWithSelector(ReaderErrors.CallToSelf.selector, 1));
        calls[1].to = address(entryPoint);
        _executeExpecting(abi.encodeWithSelector(ReaderErrors.CallToEntryPoint.selector, 1));
        vm.assertEq(RECIPIENT.balance, 0, "the call before is undone");
    }

    function testFuzz_OnlyTheBatchMode(bytes32 mode) public {
        vm.assume(mode != BATCH);
        _modeRefused(mode);
    }

    function test_NeighbouringModesAreRefused() public {
        // Single, try-batch, opData, batch of batches, static call, delegate call, and a payload behind the mode.
        _modeRefused(bytes32(0));
        _modeRefused(BATCH | bytes32(uint256(1) << 240));
        _modeRefused(BATCH | bytes32(uint256(0x78210001) << 176));
        _modeRefused(BATCH | bytes32(uint256(0x78210002) << 176));
        _modeRefused(bytes32(uint256(0xfe) << 248));
        _modeRefused(bytes32(uint256(0xff) << 248));
        _modeRefused(BATCH | bytes32(uint256(1)));
        vm.assertTrue(account.supportsExecutionMode(BATCH), "batch mode");
    }

    function test_BatchHasOneTo32Calls() public {
        _executeExpecting(abi.encodeWithSelector(CallBatch.CallCountOutOfRange.selector, 0));
        for (uint256 i = 0; i < 32; ++i) calls.push(Call(address(target), 0, "next"));
        _execute();
        vm.assertEq(target.calls(), 32, "32 calls");
        calls.push(Call(address(target), 0, "next"));
        _executeExpecting(abi.encodeWithSelector(CallBatch.CallCountOutOfRange.selector, 33));
    }

    function test_OnlyTheEntryPointExecutes() public {
        calls.push(Call(RECIPIENT, 1, ""));
        address[4] memory callers = [STRANGER, address(account), address(factory), vm.addr(SERVER)];
        for (uint256 i = 0; i < callers.length; ++i) {
            vm.prank(callers[i]);
            vm.expectRevert(abi.encodeWithSelector(Account.AccountUnauthorized.selector, callers[i]));
            account.execute(BATCH, abi.encode(calls));
        }
    }

    function test_ReceivesEther() public {
        uint256 before = address(account).balance;
        vm.deal(STRANGER, 3);
        vm.prank(STRANGER);
        (bool ok,) = address(account).call{value: 3}("");
        vm.assertTrue(ok, "received");
        vm.assertEq(address(account).balance - before, 3, "balance");
    }

    function test_UnknownFunctionsAreRefused() public {
        (bool ok,) = address(account).call(abi.encodeWithSignature("upgradeToAndCall(address,bytes)", STRANGER, ""));
        vm.assertFalse(ok, "no upgrade entry");
        (ok,) = address(account).call(abi.encodeWithSignature("owner()"));
        vm.assertFalse(ok, "no owner");
    }

    function test_ReceivesAndMovesTokens() public {
        TestToken token = new TestToken();
        TestCollectible collectible = new TestCollectible();
        TestItems items = new TestItems();
        _allowUnlistedTokens();
        token.mint(address(account), 10);
        collectible.mint(address(account), 4);
        items.mint(address(account), 1, 2);
        items.mintBatch(address(account), new uint256[](1), new uint256[](1));
        calls.push(Call(address(token), 0, abi.encodeCall(token.transfer, (RECIPIENT, 3))));
        address from = address(account);
        calls.push(Call(address(collectible), 0, abi.encodeCall(collectible.transferFrom, (from, RECIPIENT, 4))));
        _execute();
        vm.assertEq(token.balanceOf(RECIPIENT), 3, "ERC-20");
        vm.assertEq(collectible.ownerOf(4), RECIPIENT, "ERC-721");
        vm.assertEq(items.balanceOf(address(account), 1), 2, "ERC-1155");
    }

    function test_InterfacesAreAnnounced() public view {
        vm.assertTrue(account.supportsInterface(type(IERC165).interfaceId), "ERC-165");
        vm.assertTrue(account.supportsInterface(type(IAccount).interfaceId), "ERC-4337");
        vm.assertTrue(account.supportsInterface(type(IERC7821).interfaceId), "ERC-7821");
        vm.assertTrue(account.supportsInterface(type(IERC721Receiver).interfaceId), "ERC-721");
        vm.assertTrue(account.supportsInterface(type(IERC1155Receiver).interfaceId), "ERC-1155");
        vm.assertFalse(account.supportsInterface(0xffffffff), "ERC-165 forbids this one");
    }

    function _execute() private {
        vm.prank(address(entryPoint));
        account.execute(BATCH, abi.encode(calls));
    }

    function _executeExpecting(bytes memory reason) private {
        vm.prank(address(entryPoint));
        vm.expectRevert(reason);
        account.execute(BATCH, abi.encode(calls));
    }

    function _modeRefused(bytes32 mode) private {
        vm.assertFalse(account.supportsExecutionMode(mode), "announced");
        Call[] memory one = new Call[](1);
        one[0] = Call(RECIPIENT, 1, "");
        vm.prank(address(entryPoint));
        vm.expectRevert(abi.encodeWithSelector(CommunityAccount.UnsupportedExecutionMode.selector, mode));
        account.execute(mode, abi.encode(one));
    }
}
