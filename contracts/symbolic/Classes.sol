// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {CallClass, CallClasses} from "../src/lib/CallClasses.sol";

/// @dev The classifier, as a contract of its own: it reads call data.
contract ClassCaller {
    function classify(address self, bytes calldata data) external pure returns (CallClass, uint256, address) {
        return CallClasses.classify(self, data);
    }
}

/// @dev What holds for every call data of a size, proven by halmos (`make symbolic`).
contract ClassesProof {
    ClassCaller private immutable CALLER = new ClassCaller();

    /// @dev Whatever the first four bytes are, eight words of arguments never make it revert, and what a grant may not name
    /// is never taken for harmless or unknown.
    function check_NoTokenFunctionIsOverlooked(address self, bytes4 selector, bytes32[8] calldata words) external view {
        if (CallClasses.listPlace(selector) != 0) return;
        (CallClass class,,) = CALLER.classify(self, abi.encodePacked(selector, words));
        bool counted = class == CallClass.Amount || class == CallClass.Token || class == CallClass.Malformed;
        assert(counted == CallClasses.isTokenFunction(selector));
        assert((class == CallClass.Harmless) == (!counted && CallClasses.isHarmless(selector)));
        assert(class != CallClass.Hidden);
    }

    /// @dev An amount is the whole word, or everything where the function says yes or no.
    function check_TheAmountIsTheArgument(address self, bytes32[3] calldata words) external view {
        bytes4[3] memory selectors = [bytes4(0xa9059cbb), 0x095ea7b3, 0x39509351];
        for (uint256 i = 0; i < 3; ++i) {
            (CallClass class, uint256 amount, address other) =
                CALLER.classify(self, abi.encodePacked(selectors[i], words));
            if (uint256(words[0]) >> 160 != 0) {
                assert(class == CallClass.Malformed);
            } else {
                assert(class == CallClass.Amount && amount == uint256(words[1]));
                assert(other == address(uint160(uint256(words[0]))));
            }
        }
    }

    /// @dev `transferFrom` of the account counts its amount; of anybody else, and of dirty words, never.
    function check_TransferFromCountsTheOwnTokensOnly(address self, bytes32[3] calldata words) external view {
        (CallClass class, uint256 amount,) = CALLER.classify(self, abi.encodePacked(bytes4(0x23b872dd), words));
        bool own = uint256(words[0]) == uint160(self);
        bool clean = uint256(words[1]) >> 160 == 0;
        assert((class == CallClass.Amount) == (own && clean));
        if (class == CallClass.Amount) assert(amount == uint256(words[2]));
        else assert(class == (clean ? CallClass.Token : CallClass.Malformed));
    }

    /// @dev `setApprovalForAll` and ERC-6909's `setOperator` are harmless when their exact encoding says no, and only then.
    function check_OnlyTakingBackIsHarmless(address self, bytes32[2] calldata words) external view {
        bytes4[2] memory selectors = [bytes4(0xa22cb465), 0x558a7297];
        bool takesBack = uint256(words[0]) >> 160 == 0 && words[1] == 0;
        for (uint256 i = 0; i < 2; ++i) {
            (CallClass class,,) = CALLER.classify(self, abi.encodePacked(selectors[i], words));
            assert((class == CallClass.Harmless) == takesBack);
            assert(takesBack || class == CallClass.Token || class == CallClass.Malformed);
        }
    }

    /// @dev No selector is a token's function, harmless and a list at the same time.
    function check_ASelectorIsOneThing(bytes4 selector) external pure {
        bool token = CallClasses.isTokenFunction(selector);
        bool harmless = CallClasses.isHarmless(selector);
        bool list = CallClasses.listPlace(selector) != 0;
        assert(!(token && harmless) && !(token && list) && !(harmless && list));
    }
}
