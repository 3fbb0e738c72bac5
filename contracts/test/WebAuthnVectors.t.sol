// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Base64 as Base64Url} from "solady/utils/Base64.sol";
import {CommunityAccount} from "../src/CommunityAccount.sol";
import {AccountInit, Passkey} from "../src/lib/AccountTypes.sol";
import {AssertionCaller} from "./support/AssertionCaller.sol";
import {Fixture} from "./support/Fixture.sol";

/// @dev Assertions of a browser's virtual authenticator (test/vectors/webauthn-vectors.json). Their challenges are random
/// bytes, so they go to the verification library; one of them also goes through a whole account.
contract WebAuthnVectorsTest is Fixture {
    /// @dev 36 bytes of prefix and 43 of challenge stand before the tail.
    uint256 private constant TAIL_AT = 79;

    struct Vector {
        string name;
        bytes challenge;
        bytes client;
        bytes data;
        bytes signature;
    }

    AssertionCaller private caller;
    string private json;

    function setUp() public override {
        super.setUp();
        caller = new AssertionCaller();
        json = vm.readFile("test/vectors/webauthn-vectors.json");
    }

    function test_AssertionsOfTheBrowserAreAccepted() public view {
        (uint256 accepted, uint256 unverified, uint256 otherCurves) = (0, 0, 0);
        for (uint256 i = 0; vm.keyExistsJson(json, _at(".assertions", i, "")); ++i) {
            string memory base = _at(".assertions", i, "");
            (bool found, Passkey memory key) = _key(base);
            if (!found) {
                // Ed25519 and RSA credentials: an account cannot hold them.
                ++otherCurves;
                continue;
            }
            Vector memory v = _vector(base);
            bool verified = vm.parseJsonBool(json, string.concat(base, ".expect.uv"));
            bool present = vm.parseJsonBool(json, string.concat(base, ".expect.up"));
            vm.assertTrue(vm.parseJsonBool(json, string.concat(base, ".expect.verifies")), v.name);
            vm.assertTrue(_verifies(key, v) == (verified && present), v.name);
            // The fallback verifier agrees.
            vm.assertTrue(_verifiesWith(address(p256), key, v) == (verified && present), v.name);
            if (verified && present) ++accepted;
            else ++unverified;
        }
        vm.assertEq(accepted, 16, "accepted");
        vm.assertEq(unverified, 5, "signed without verified user");
        vm.assertEq(otherCurves, 4, "not on P-256");
    }

    function test_NegativesAreRefusedButForWhatOnlyTheCoreSees() public view {
        (uint256 refused, uint256 left, uint256 fromBrowser) = (0, 0, 0);
        for (uint256 i = 0; vm.keyExistsJson(json, _at(".negatives", i, "")); ++i) {
            string memory base = _at(".negatives", i, "");
            if (!vm.keyExistsJson(json, string.concat(base, ".credential"))) {
                // The browser itself refused: there is nothing to verify.
                ++fromBrowser;
                continue;
            }
            (bool found, Passkey memory key) = _key(base);
            vm.assertTrue(found, "P-256 credential");
            Vector memory v = _vector(base);
            bool core = _onlyTheCoreSees(v.name);
            bool undone = keccak256(bytes(v.name)) == keccak256("challenge-replaced");
            vm.assertTrue(_verifies(key, v) == (core || undone), v.name);
            if (undone) _checkUndone(key, v);
            else if (core) ++left;
            else ++refused;
        }
        vm.assertEq(refused, 17, "refused by the contract");
        vm.assertEq(left, 4, "left to the core");
        vm.assertEq(fromBrowser, 3, "refused by the browser");
    }

    /// @dev This vector changes bytes that are not sent: the contract puts its own challenge there, which is the one that
    /// was signed. For the challenge that stands in the changed client data it does not verify.
    function _checkUndone(Passkey memory key, Vector memory v) private view {
        bytes memory other = new bytes(43);
        for (uint256 i = 0; i < 43; ++i) other[i] = v.client[36 + i];
        v.challenge = Base64Url.decode(string(other));
        vm.assertFalse(_verifies(key, v), v.name);
    }

    /// @dev Origin with port and cross-origin are in the part of client data that the contract does not read. The counter
    /// is a risk signal, which nobody refuses.
    function _onlyTheCoreSees(string memory name) private pure returns (bool) {
        bytes32 hash = keccak256(bytes(name));
        return hash == keccak256("signed/another-origin") || hash == keccak256("signed/another-port")
            || hash == keccak256("signed/cross-origin") || hash == keccak256("signed/counter-went-back");
    }

    function test_OfTwoTwinsOnlyTheLowOneVerifies() public view {
        (, Passkey memory key) = _key(".malleable");
        Vector memory twin = _vector(".malleable");
        Vector memory original = _vector(_at(".assertions", 0, ""));
        vm.assertFalse(vm.parseJsonBool(json, ".malleable.originalIsLowS"), "the original has the high s");
        (bytes32 r, bytes32 s) = _der(twin.signature);
        vm.assertTrue(_call_(address(0x100), key, twin, r, s), "low s");
        (r, s) = _der(original.signature);
        vm.assertFalse(_call_(address(0x100), key, original, r, s), "high s");
    }

    /// @dev The same bytes through `validateUserOp`, with the vector's challenge in the place of an operation hash.
    function test_ABrowserAssertionOpensAnAccount() public {
        Vector memory v = _vector(_at(".assertions", 0, ""));
        AccountInit memory init = _init();
        (, init.passkeys[0]) = _key(_at(".assertions", 0, ""));
        account = CommunityAccount(payable(factory.createAccount(abi.encode(init))));
        (bytes32 r, bytes32 s) = _der(v.signature);
        if (uint256(s) > N_P256 / 2) s = bytes32(N_P256 - uint256(s));
        bytes32 hash = bytes32(v.challenge);
        bytes memory server = _serverSignature(SERVER, hash);
        bytes memory tail = _slice(v.client, TAIL_AT);
        bytes memory signature = abi.encodePacked(uint8(1), uint8(0), _day(), server, r, s, uint16(v.data.length), v.data, tail);
        vm.assertEq(_validateSignature(hash, signature), 0, "accepted");
        vm.assertEq(_validateSignature(~hash, signature), SIG_FAILED, "for this challenge only");
    }

    // ---- reading

    function _at(string memory list, uint256 i, string memory rest) private pure returns (string memory) {
        return string.concat(list, "[", vm.toString(i), "]", rest);
    }

    /// @dev The public key registered under the credential's name, with the rp id of all vectors.
    function _key(string memory base) private view returns (bool found, Passkey memory key) {
        bytes32 wanted = keccak256(bytes(vm.parseJsonString(json, string.concat(base, ".credential"))));
        for (uint256 i = 0; vm.keyExistsJson(json, _at(".registrations", i, "")); ++i) {
            if (keccak256(bytes(vm.parseJsonString(json, _at(".registrations", i, ".name")))) != wanted) continue;
            if (!vm.keyExistsJson(json, _at(".registrations", i, ".expect.xHex"))) return (false, key);
            key.x = _hex(_at(".registrations", i, ".expect.xHex"));
            key.y = _hex(_at(".registrations", i, ".expect.yHex"));
            key.rpIdHash = sha256(bytes(vm.parseJsonString(json, ".rpId")));
            return (true, key);
        }
        vm.assertTrue(false, "no such registration");
    }

    function _hex(string memory path) private view returns (uint256) {
        return uint256(bytes32(vm.parseBytes(string.concat("0x", vm.parseJsonString(json, path)))));
    }

    function _vector(string memory base) private view returns (Vector memory v) {
        string memory name = string.concat(base, ".name");
        v.name = vm.keyExistsJson(json, name) ? vm.parseJsonString(json, name) : base;
        v.challenge = _decoded(string.concat(base, ".request.challenge"));
        v.client = _decoded(string.concat(base, ".response.clientDataJSON"));
        v.data = _decoded(string.concat(base, ".response.authenticatorData"));
        v.signature = _decoded(string.concat(base, ".response.signature"));
    }

    function _decoded(string memory path) private view returns (bytes memory) {
        return Base64Url.decode(vm.parseJsonString(json, path));
    }

    // ---- verifying

    function _verifies(Passkey memory key, Vector memory v) private view returns (bool) {
        return _verifiesWith(address(0x100), key, v);
    }

    /// @dev As a wallet sends it: client data split behind the challenge, s normalised. Client data that does not have
    /// the shape is passed as an empty tail, which is what its sender would have to do.
    function _verifiesWith(address verifier, Passkey memory key, Vector memory v) private view returns (bool) {
        (bytes32 r, bytes32 s) = _der(v.signature);
        if (uint256(s) > N_P256 / 2 && uint256(s) < N_P256) s = bytes32(N_P256 - uint256(s));
        return _call_(verifier, key, v, r, s);
    }

    function _call_(address verifier, Passkey memory key, Vector memory v, bytes32 r, bytes32 s)
        private
        view
        returns (bool)
    {
        bytes memory tail = _slice(v.client, TAIL_AT);
        return caller.verify(verifier, key, bytes32(v.challenge), v.data, tail, r, s);
    }

    function _slice(bytes memory from, uint256 start) private pure returns (bytes memory part) {
        if (from.length <= start) return "";
        part = new bytes(from.length - start);
        for (uint256 i = 0; i < part.length; ++i) part[i] = from[start + i];
    }

    /// @dev r and s of a DER ECDSA signature with short lengths; zeros for an empty one.
    function _der(bytes memory signature) private pure returns (bytes32 r, bytes32 s) {
        if (signature.length == 0) return (0, 0);
        uint256 length = uint8(signature[3]);
        r = bytes32(_number(signature, 4, length));
        s = bytes32(_number(signature, 6 + length, uint8(signature[5 + length])));
    }

    function _number(bytes memory from, uint256 start, uint256 length) private pure returns (uint256 value) {
        for (uint256 i = 0; i < length; ++i) value = (value << 8) | uint8(from[start + i]);
    }
}
