// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Spending} from "../src/account/Spending.sol";
import {QueueKind, Signature, Stamp} from "../src/lib/AccountTypes.sol";
import {VoteFixture} from "./support/VoteFixture.sol";

/// @dev ERC-1271 through ERC-7739, for listed domains only. Nested hashes are built here, beside the code.
contract MessagesTest is VoteFixture {
    bytes4 private constant VALID = 0x1626ba7e;
    bytes4 private constant REFUSED = 0xffffffff;
    bytes32 private constant APPLICATION = keccak256("an application's domain separator");
    bytes32 private constant CONTENT = keccak256("a struct hash");
    string private constant TYPE = "Order(address maker,uint256 amount)";

    function test_TypedDataOfAListedDomain() public {
        bytes memory signature = _typed(APPLICATION);
        _same(_ask(_hash(APPLICATION), signature), REFUSED, "not listed");
        _pass(QueueKind.Domain, abi.encode(APPLICATION));
        _same(_ask(_hash(APPLICATION), signature), VALID, "listed");
        _same(_ask(keccak256("another hash"), signature), REFUSED, "another content");
        bytes32 other = keccak256("another domain");
        _same(_ask(_hash(other), _typed(other)), REFUSED, "another domain");
        _unlist(APPLICATION);
        _same(_ask(_hash(APPLICATION), signature), REFUSED, "unlisted");
    }

    function test_BothFormsOfADescription() public {
        _pass(QueueKind.Domain, abi.encode(APPLICATION));
        bytes memory signature = _dualMessage(_nested(APPLICATION, "Order", TYPE));
        // Explicit: the name stands behind the types.
        string memory description = string.concat(TYPE, "Order");
        bytes memory encoded = abi.encodePacked(
            signature, APPLICATION, CONTENT, description, uint16(bytes(description).length)
        );
        _same(_ask(_hash(APPLICATION), encoded), VALID, "explicit");
    }

    function test_PersonalMessages() public {
        bytes32 hash = keccak256("\x19Ethereum Signed Message:\n5hello");
        bytes32 nested = keccak256(
            abi.encodePacked(
                hex"1901",
                _domain(address(account)),
                keccak256(abi.encode(keccak256("PersonalSign(bytes prefixed)"), hash))
            )
        );
        bytes memory signature = _dualMessage(nested);
        _same(_ask(hash, signature), REFUSED, "not listed");
        _pass(QueueKind.Domain, abi.encode(bytes32(0)));
        _same(_ask(hash, signature), VALID, "listed");
        _same(_ask(~hash, signature), REFUSED, "another message");
        _unlist(0);
        _same(_ask(hash, signature), REFUSED, "unlisted");
    }

    function test_ThePersonalMarkListsNoDomain() public {
        _pass(QueueKind.Domain, abi.encode(bytes32(0)));
        _same(_ask(_hash(0), _typed(0)), REFUSED, "zero domain");
    }

    function test_NotWhileFrozen() public {
        _pass(QueueKind.Domain, abi.encode(APPLICATION));
        bytes memory signature = _typed(APPLICATION);
        _freeze(SERVER_SIGNER);
        _same(_ask(_hash(APPLICATION), signature), REFUSED, "by the server");
        _skip(7 days);
        _same(_ask(_hash(APPLICATION), signature), VALID, "over");
        _freeze(0);
        _same(_ask(_hash(APPLICATION), signature), REFUSED, "by a vote");
    }

    function test_BothKeysSign() public {
        _pass(QueueKind.Domain, abi.encode(APPLICATION));
        bytes32 nested = _nested(APPLICATION, "Order", TYPE);
        bytes[4] memory bad = [
            _dual(0, 0, _serverSignature(SERVER + 1, nested), _assertion(), nested),
            _dual(0, 0, _serverSignature(SERVER, nested), _assertion(), ~nested),
            _dual(1, 0, _serverSignature(SERVER, nested), _assertion(), nested),
            abi.encodePacked(uint8(2), _serverSignature(SERVER, nested))
        ];
        for (uint256 i = 0; i < 4; ++i) {
            bytes memory encoded = abi.encodePacked(bad[i], APPLICATION, CONTENT, TYPE, uint16(bytes(TYPE).length));
            _same(_ask(_hash(APPLICATION), encoded), REFUSED, "bad");
        }
        // Over the application's hash itself: not nested, so it would serve every account of these keys.
        _same(_ask(_hash(APPLICATION), _dualMessage(_hash(APPLICATION))), REFUSED, "not nested");
    }

    function test_AnOperationsSignatureIsNoMessage() public {
        _pass(QueueKind.Domain, abi.encode(bytes32(0)));
        bytes32 hash = entryPoint.getUserOpHash(_op(""));
        _same(_ask(hash, _dualMessage(hash)), REFUSED, "operation");
    }

    function test_NoReplayOnAnotherAccountOrChain() public {
        _pass(QueueKind.Domain, abi.encode(APPLICATION));
        bytes memory signature = _typed(APPLICATION);
        vm.chainId(1);
        _same(_ask(_hash(APPLICATION), signature), REFUSED, "chain");
    }

    function test_SupportIsDetected() public view {
        bytes32 question = 0x7739773977397739773977397739773977397739773977397739773977397739;
        _same(_ask(question, ""), bytes4(0x77390001), "ERC-7739");
        _same(_ask(question, "x"), REFUSED, "with a signature");
    }

    function testFuzz_NothingMalformedReverts(bytes32 hash, bytes calldata signature, uint16 length) public {
        _pass(QueueKind.Domain, abi.encode(APPLICATION));
        _same(_ask(hash, signature), REFUSED, "garbage");
        _same(_ask(hash, abi.encodePacked(signature, APPLICATION, CONTENT, TYPE, length)), REFUSED, "framed");
        bytes memory cut = _typed(APPLICATION);
        uint256 size = _bound(length, 0, cut.length - 1);
        assembly ("memory-safe") {
            mstore(cut, size)
        }
        _same(_ask(_hash(APPLICATION), cut), REFUSED, "cut");
    }

    function test_MalformedDescriptionsAreRefused() public {
        _pass(QueueKind.Domain, abi.encode(APPLICATION));
        bytes memory signature = _dualMessage(_nested(APPLICATION, "Order", TYPE));
        string[5] memory bad = ["", "(address maker)", "Order", "Or der(a)", "Order,(a)"];
        for (uint256 i = 0; i < 5; ++i) {
            bytes memory encoded =
                abi.encodePacked(signature, APPLICATION, CONTENT, bad[i], uint16(bytes(bad[i]).length));
            _same(_ask(_hash(APPLICATION), encoded), REFUSED, bad[i]);
        }
    }

    // ---- inside

    function _ask(bytes32 hash, bytes memory signature) private view returns (bytes4) {
        return account.isValidSignature(hash, signature);
    }

    function _same(bytes4 left, bytes4 right, string memory what) private pure {
        vm.assertEq(bytes32(left), bytes32(right), what);
    }

    function _hash(bytes32 domain) private pure returns (bytes32) {
        return keccak256(abi.encodePacked(hex"1901", domain, CONTENT));
    }

    function _nested(bytes32 domain, string memory name, string memory types) private view returns (bytes32) {
        bytes32 typeHash = keccak256(
            abi.encodePacked(
                "TypedDataSign(",
                name,
                " contents,string name,string version,uint256 chainId,address verifyingContract,bytes32 salt)",
                types
            )
        );
        bytes memory fields = abi.encode(
            typeHash, CONTENT, keccak256("CommunityAccount"), keccak256("1"), block.chainid, address(account), bytes32(0)
        );
        return keccak256(abi.encodePacked(hex"1901", domain, keccak256(fields)));
    }

    function _dualMessage(bytes32 hash) private pure returns (bytes memory) {
        return _dual(0, 0, _serverSignature(SERVER, hash), _assertion(), hash);
    }

    function _typed(bytes32 domain) private view returns (bytes memory) {
        bytes memory signature = _dualMessage(_nested(domain, "Order", TYPE));
        return abi.encodePacked(signature, domain, CONTENT, TYPE, uint16(bytes(TYPE).length));
    }

    function _unlist(bytes32 domain) private {
        Stamp memory stamp = _stamp();
        bytes32 digest = _digest("UnlistDomain(bytes32 domainSeparator,", abi.encode(domain), stamp);
        Signature[] memory one = _signatures(SERVER_SIGNER, digest);
        vm.expectEmit(true, true, true, true, address(account));
        emit Spending.DomainUnlisted(domain);
        account.unlistDomain(domain, stamp, one);
        stamp = _stamp();
        digest = _digest("UnlistDomain(bytes32 domainSeparator,", abi.encode(domain), stamp);
        one = _signatures(0, digest);
        vm.expectRevert(abi.encodeWithSelector(Spending.DomainNotListed.selector, domain));
        account.unlistDomain(domain, stamp, one);
    }
}
