// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";
import {IERC721Receiver} from "@openzeppelin/contracts/token/ERC721/IERC721Receiver.sol";
import {IERC1155Receiver} from "@openzeppelin/contracts/token/ERC1155/IERC1155Receiver.sol";
import {CommunityMultisig} from "../src/CommunityMultisig.sol";
import {CommunityMultisigFactory} from "../src/CommunityMultisigFactory.sol";
import {DailyLimits} from "../src/multisig/DailyLimits.sol";
import {MultisigStorage} from "../src/multisig/MultisigStorage.sol";
import {LimitRow, MultisigInit} from "../src/multisig/MultisigTypes.sol";
import {OwnerSet} from "../src/multisig/OwnerSet.sol";
import {MultisigFixture} from "./MultisigFixture.t.sol";
import {TestCollectible, TestItems} from "./support/TestTokens.sol";

/// @dev Factory, address rule, what creation stores, and what a multisig receives.
contract MultisigCreationTest is MultisigFixture {
    function test_TheAddressFollowsTheWrittenRule() public view {
        bytes memory initData = abi.encode(_init());
        bytes memory code =
            abi.encodePacked(hex"3d3d3d3d363d3d37363d73", factory.implementation(), hex"5af43d3d93803e602a57fd5bf3");
        vm.assertEq(address(multisig).code, code, "minimal proxy");
        bytes32 proxy = keccak256(abi.encodePacked(hex"602c3d8160093d39f3", code));
        vm.assertEq(factory.proxyInitCodeHash(), proxy, "init code");
        bytes32 hash = keccak256(abi.encodePacked(bytes1(0xff), address(factory), keccak256(initData), proxy));
        vm.assertEq(address(uint160(uint256(hash))), address(multisig), "address");
        vm.assertEq(factory.multisigAddress(initData), address(multisig), "as the factory says");
    }

    function test_AnybodyCreatesItOnce() public {
        MultisigInit memory init = _init();
        init.salt = 1;
        bytes memory initData = abi.encode(init);
        address expected = factory.multisigAddress(initData);
        vm.assertEq(expected.code.length, 0, "new");
        vm.expectEmit(true, true, true, true, address(factory));
        emit CommunityMultisigFactory.MultisigCreated(expected, keccak256(initData));
        vm.prank(STRANGER);
        vm.assertEq(factory.createMultisig(initData), expected, "address");
        vm.recordLogs();
        vm.assertEq(factory.createMultisig(initData), expected, "again");
        vm.assertEq(vm.getRecordedLogs().length, 0, "nothing happened");
    }

    function test_MoneyCanWaitForTheMultisig() public {
        MultisigInit memory init = _init();
        init.salt = 2;
        vm.deal(factory.multisigAddress(abi.encode(init)), 3 ether);
        vm.assertEq(address(_create(init)).balance, 3 ether, "still there");
    }

    function test_CreationStoresWhatItSays() public view {
        vm.assertEq(abi.encode(multisig.owners()), abi.encode(_three()), "owners");
        vm.assertTrue(multisig.threshold() == 2 && multisig.epoch() == 0, "threshold and epoch");
        (uint256 perDay, uint256 spent, uint256 left) = multisig.dailyLimit(address(0));
        vm.assertTrue(perDay == NATIVE_LIMIT && spent == 0 && left == NATIVE_LIMIT, "this chain's native limit");
        (perDay,,) = multisig.dailyLimit(address(token));
        vm.assertEq(perDay, TOKEN_LIMIT, "token");
        (perDay,,) = multisig.dailyLimit(STRANGER);
        vm.assertEq(perDay, 0, "unlisted");
        vm.assertEq(multisig.factory(), address(factory), "factory");
        bytes32 slot =
            keccak256(abi.encode(uint256(keccak256("community.storage.Multisig")) - 1)) & ~bytes32(uint256(255));
        vm.assertEq(MultisigStorage.SLOT, slot, "ERC-7201");
        // Low to high: epoch 32, seats 32, threshold 8.
        vm.assertEq(vm.load(address(multisig), slot), bytes32(uint256(7 << 32 | 2 << 64)), "first word");
    }

    function test_AnotherChainStoresItsOwnRows() public {
        bytes memory initData = abi.encode(_init());
        vm.chainId(1);
        CommunityMultisigFactory other = new CommunityMultisigFactory();
        multisig = CommunityMultisig(payable(other.createMultisig(initData)));
        (uint256 perDay,,) = multisig.dailyLimit(address(0));
        vm.assertEq(perDay, 5 ether, "that chain's limit");
        (perDay,,) = multisig.dailyLimit(address(token));
        vm.assertEq(perDay, 0, "no row, nothing allowed");
    }

    function test_EveryStoredFieldHasAnEvent() public {
        MultisigInit memory init = _init();
        init.salt = 3;
        address made = factory.multisigAddress(abi.encode(init));
        for (uint256 i = 0; i < 3; ++i) {
            vm.expectEmit(true, true, true, true, made);
            emit OwnerSet.OwnerAdded(keccak256(init.owners[i]), init.owners[i]);
        }
        vm.expectEmit(true, true, true, true, made);
        emit OwnerSet.ThresholdChanged(2);
        vm.expectEmit(true, true, true, true, made);
        emit DailyLimits.DailyLimitChanged(address(0), NATIVE_LIMIT);
        vm.expectEmit(true, true, true, true, made);
        emit DailyLimits.DailyLimitChanged(address(token), TOKEN_LIMIT);
        _create(init);
    }

    function test_LimitRowsAreChecked() public {
        MultisigInit memory init = _init();
        init.limits[2] = init.limits[1];
        _refused(init, abi.encodeWithSelector(DailyLimits.DuplicateLimit.selector, 2));
        init.limits[2] = init.limits[0];
        _refused(init, abi.encodeWithSelector(DailyLimits.DuplicateLimit.selector, 2));
        init.limits = new LimitRow[](33);
        _refused(init, abi.encodeWithSelector(DailyLimits.TooManyLimits.selector, 33));
        init.limits = new LimitRow[](32);
        for (uint256 i = 0; i < 32; ++i) {
            init.limits[i] = LimitRow(block.chainid, address(uint160(i)), type(uint256).max);
        }
        (uint256 perDay,,) = _create(init).dailyLimit(address(31));
        vm.assertEq(perDay, type(uint112).max, "the largest the field holds");
    }

    function test_NobodyInitializes() public {
        bytes memory initData = abi.encode(_init());
        _expect(CommunityMultisig.OnlyFactory.selector, abi.encode(STRANGER));
        vm.prank(STRANGER);
        multisig.initialize(initData);
        vm.prank(address(factory));
        _expect(CommunityMultisig.AlreadyInitialized.selector);
        multisig.initialize(initData);
        CommunityMultisig logic = CommunityMultisig(payable(factory.implementation()));
        _expect(CommunityMultisig.OnlyFactory.selector, abi.encode(address(this)));
        logic.initialize(initData);
        vm.assertEq(logic.owners().length, 0, "the implementation has no owner");
    }

    function test_ItReceivesEtherAndTokens() public {
        vm.deal(STRANGER, 1 ether);
        vm.prank(STRANGER);
        (bool ok,) = address(multisig).call{value: 1 ether}("");
        vm.assertTrue(ok && address(multisig).balance == 101 ether, "ether");
        TestCollectible collectible = new TestCollectible();
        collectible.mint(address(multisig), 1);
        TestItems items = new TestItems();
        items.mint(address(multisig), 1, 2);
        uint256[] memory ids = new uint256[](2);
        items.mintBatch(address(multisig), ids, ids);
        vm.assertEq(collectible.ownerOf(1), address(multisig), "ERC-721");
        vm.assertEq(items.balanceOf(address(multisig), 1), 2, "ERC-1155");
        vm.assertTrue(
            multisig.supportsInterface(type(IERC165).interfaceId)
                && multisig.supportsInterface(type(IERC721Receiver).interfaceId)
                && multisig.supportsInterface(type(IERC1155Receiver).interfaceId),
            "says so"
        );
    }

    function test_ItAnswersNoMessages() public {
        vm.assertFalse(multisig.supportsInterface(type(IERC1271).interfaceId), "interface");
        (bool ok,) = address(multisig).call(abi.encodeCall(IERC1271.isValidSignature, (0, "")));
        vm.assertFalse(ok, "no such function");
        (ok,) = address(multisig).call(hex"12345678");
        vm.assertFalse(ok, "no fallback");
    }

    function test_TheCodeIsSmall() public view {
        vm.assertLt(factory.implementation().code.length, 22_118, "a tenth below EIP-170");
    }

    function _refused(MultisigInit memory init, bytes memory reason) private {
        vm.expectRevert(reason);
        factory.createMultisig(abi.encode(init));
    }
}
