// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Call} from "../src/lib/AccountTypes.sol";
import {both} from "../src/lib/Bools.sol";
import {CallBatch} from "../src/lib/CallBatch.sol";
import {DualSignature} from "../src/lib/DualSignature.sol";
import {PasskeySignature} from "../src/lib/PasskeySignature.sol";

/// @dev The decoders, as a contract of their own: they read call data.
contract DecoderCaller {
    function readBatch(bytes calldata data) external pure {
        CallBatch.decode(data);
    }

    function batch(bytes calldata data) external pure returns (bytes memory) {
        Call[] calldata calls = CallBatch.decode(data);
        return abi.encode(calls);
    }

    function dual(bytes calldata data)
        external
        pure
        returns (bool formed, uint256 slot, uint256 day, bytes memory server, bytes memory person)
    {
        return DualSignature.decode(data);
    }

    function passkey(bytes calldata data)
        external
        pure
        returns (bool formed, bytes memory authenticatorData, bytes memory tail, bytes32 r, bytes32 s)
    {
        (formed, authenticatorData, tail) = PasskeySignature.decode(data);
        (r, s) = PasskeySignature.scalars(data);
    }
}

/// @dev What holds for every input of a size, proven by halmos (`make symbolic`). Lengths are fixed in each function
/// because a proof unrolls what follows from them; contents are free.
contract DecodersProof {
    DecoderCaller private immutable CALLER = new DecoderCaller();

    function check_BothIsAnd(bool left, bool right) external pure {
        assert(both(left, right) == (left && right));
    }

    // ---- batches: what is accepted has one encoding

    /// @dev One call, in 64 + 32 + 128 + 64 bytes and less: whatever the first word, the offsets, receiver, value and
    /// padding are, and whichever length of its data is claimed, accepted bytes are what `abi.encode` makes of what was read.
    function check_ABatchOfOneHasOneEncoding(bytes32[9] calldata words) external view {
        for (uint256 size = 7; size < 10; ++size) {
            for (uint256 i = 0; i < LENGTHS.length; ++i) _oneEncoding(words, size, uint8(LENGTHS[i]));
        }
    }

    bytes private constant LENGTHS = hex"00011f202140417f";

    /// @dev Whatever is accepted can be encoded again, and then it is the same.
    function _same(bytes memory data) private view {
        try CALLER.readBatch(data) {}
        catch {
            return;
        }
        try CALLER.batch(data) returns (bytes memory again) {
            assert(keccak256(again) == keccak256(data));
        } catch {
            assert(false);
        }
    }

    function _oneEncoding(bytes32[9] calldata words, uint256 size, uint256 length) private view {
        bytes memory data;
        for (uint256 i = 0; i < size; ++i) {
            bytes32 word = words[i];
            // The number of calls and the length decide what is read where, so they take all values in turn.
            if (i == 1) word = bytes32(uint256(1));
            if (i == 6) word = bytes32(length);
            data = bytes.concat(data, word);
        }
        _same(data);
    }

    /// @dev Two calls, the first with 0 to 32 bytes of data and the second with none.
    function check_ABatchOfTwoHasOneEncoding(bytes32[13] calldata words, bool withData) external view {
        uint256 size = withData ? 13 : 12;
        for (uint256 length = withData ? 1 : 0; length < (withData ? 33 : 1); length += 15) {
            bytes memory data;
            for (uint256 i = 0; i < size; ++i) {
                bytes32 word = words[i];
                if (i == 1) word = bytes32(uint256(2));
                if (i == 7) word = bytes32(length);
                if (i == size - 1) word = 0;
                data = bytes.concat(data, word);
            }
            _same(data);
        }
    }

    /// @dev No number of calls but 1 to 32 is accepted.
    function check_ABatchHasOneToThirtyTwoCalls(bytes32[8] calldata words, uint256 count) external view {
        if (count != 0 && count <= 32) return;
        bytes memory data = abi.encodePacked(uint256(32), count, words);
        try CALLER.readBatch(data) {
            assert(false);
        } catch {}
    }

    // ---- signatures: decoding never reverts, and nothing is read twice or left over

    function check_AShortDualSignatureIsNotFormed(bytes32[2] calldata words, bytes6 rest) external view {
        (bool formed, uint256 slot, uint256 day, bytes memory server, bytes memory passkey) =
            CALLER.dual(abi.encodePacked(words, rest));
        assert(!formed && slot == 0 && day == 0 && server.length == 0 && passkey.length == 0);
    }

    function check_ADualSignatureIsItsParts(bytes32[4] calldata words) external view {
        bytes memory data = abi.encodePacked(words);
        (bool formed, uint256 slot, uint256 day, bytes memory server, bytes memory passkey) = CALLER.dual(data);
        assert(formed == (data[0] == 0x01 && uint8(data[1]) < 8));
        assert(slot < 8 && day <= type(uint32).max && server.length == 65);
        if (!formed) return;
        bytes memory again = abi.encodePacked(uint8(1), uint8(slot), uint32(day), server, passkey);
        assert(keccak256(again) == keccak256(data));
    }

    /// @dev 66 + 62 bytes, with each length that authenticator data may claim there.
    function check_APasskeySignatureIsItsParts(bytes32[4] calldata words) external view {
        for (uint256 length = 0; length < 80; ++length) {
            bytes memory data = abi.encodePacked(words[0], words[1], uint16(length), bytes30(words[2]), words[3]);
            (bool formed, bytes memory authenticatorData, bytes memory tail, bytes32 r, bytes32 s) = CALLER.passkey(data);
            assert(formed == (length >= 37 && length < 62));
            assert(r == words[0] && s == words[1]);
            if (!formed) continue;
            bytes memory again = abi.encodePacked(r, s, uint16(length), authenticatorData, tail);
            assert(keccak256(again) == keccak256(data));
        }
    }
}
