// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @dev What a call is to a spending limit.
enum CallClass {
    // Nothing that is known here: it counts with its value alone, unless the target is a listed token.
    Other,
    // Moves or allows `amount` of an ERC-20 token of the account.
    Amount,
    // Moves, allows or destroys tokens in a way that has no amount to count.
    Token,
    // A token's function that cannot cost the account anything.
    Harmless,
    // Several calls in one, with a token function inside.
    Hidden,
    // Cannot be read as what its selector says.
    Malformed
}

/// @title What a call means for a spending limit
/// @notice Reads call data as tokens do (spec/account.md, section 3). It knows selectors, not contracts: whether the
/// target is a listed token is the account's to say.
library CallClasses {
    uint256 private constant ADDRESS_BITS = 160;

    /// @notice Class of `data`, sent by `self`; for Amount how much; for Amount and Token who gets or may take it, if the
    /// function names somebody.
    function classify(address self, bytes calldata data)
        internal
        pure
        returns (CallClass class, uint256 amount, address counterparty)
    {
        if (data.length < 4) return (CallClass.Malformed, 0, address(0));
        bytes4 selector = bytes4(data);
        uint256 place = listPlace(selector);
        if (place != 0) return (_anyHidden(data, place), 0, address(0));
        if (_takesBack(selector, data)) return (CallClass.Harmless, 0, address(0));
        (uint256 words, uint256 owner, uint256 other, uint256 sum) = _shape(selector);
        if (words == 0) return (isHarmless(selector) ? CallClass.Harmless : CallClass.Other, 0, address(0));
        if (data.length < 4 + 32 * words) return (CallClass.Malformed, 0, address(0));
        if (other != NONE) {
            uint256 word = _argument(data, other);
            if (word >> ADDRESS_BITS != 0) return (CallClass.Malformed, 0, address(0));
            counterparty = address(uint160(word));
        }
        if (sum == NONE) return (CallClass.Token, 0, counterparty);
        // Of somebody else's tokens there is no amount to count.
        if (owner != NONE && _argument(data, owner) != uint160(self)) return (CallClass.Token, 0, counterparty);
        amount = _argument(data, sum);
        // DAI's permit allows everything or nothing.
        if (selector == PERMIT_DAI && amount != 0) amount = type(uint256).max;
        return (CallClass.Amount, amount, counterparty);
    }

    /// @notice Whether `selector` moves, allows or destroys tokens. No session grant may name it.
    function isTokenFunction(bytes4 selector) internal pure returns (bool) {
        (uint256 words,,,) = _shape(selector);
        return words != 0;
    }

    /// @notice Functions of a token that cannot cost its caller anything.
    function isHarmless(bytes4 s) internal pure returns (bool) {
        // balanceOf, allowance, totalSupply, decimals, name, symbol, nonces, DOMAIN_SEPARATOR.
        if (s == 0x70a08231 || s == 0xdd62ed3e || s == 0x18160ddd || s == 0x313ce567) return true;
        if (s == 0x06fdde03 || s == 0x95d89b41 || s == 0x7ecebe00 || s == 0x3644e515) return true;
        // decreaseAllowance(address,uint256); ERC-777's revokeOperator(address); deposit(), of wrapped native currency, whose
        // value is counted itself.
        return s == 0xa457c2d7 || s == 0xfad8b32a || s == 0xd0e30db0;
    }

    /// @dev Whether the call ends a permission and can do nothing else: setApprovalForAll(operator, false) of ERC-721 and
    /// 1155 and setOperator(operator, false) of ERC-6909, in their exact encoding, so that no target can read the bytes otherwise. Two forms of `approve` are none.
    /// approve(spender, 0) gives token 0 of an ERC-721; of a listed token it is an amount of zero. approve(address(0), n)
    /// gives an ERC-20 allowance to whomever a token takes for the zero address when it recovers a wrong signature.
    function _takesBack(bytes4 selector, bytes calldata data) private pure returns (bool) {
        return (selector == SET_APPROVAL_FOR_ALL || selector == SET_OPERATOR) && data.length == 4 + 32 * 2
            && _argument(data, 0) >> ADDRESS_BITS == 0 && _argument(data, 1) == 0;
    }

    /// @notice Place of the `bytes[]` argument, counted from 1, of a function that runs several calls on its own
    /// contract; 0 for all others.
    function listPlace(bytes4 s) internal pure returns (uint256) {
        // multicall(bytes[]), tryMulticall(bytes[]), batch(bytes[],bool).
        if (s == 0xac9650d8 || s == 0x437b9116 || s == 0xd2423b51) return 1;
        // multicall(uint256,bytes[]), multicall(bytes32,bytes[]), tryMulticall(bool,bytes[]),
        // multicallWithNodeCheck(bytes32,bytes[]).
        return s == 0x5ae401dc || s == 0x1f0464d1 || s == 0xf8014891 || s == 0xe32954eb ? 2 : 0;
    }

    uint256 private constant NONE = type(uint8).max;
    bytes4 private constant PERMIT_DAI = 0x8fcbaf0c;
    bytes4 private constant SET_APPROVAL_FOR_ALL = 0xa22cb465;
    bytes4 private constant SET_OPERATOR = 0x558a7297;

    /// @dev Of a token function: how many words its arguments take at least, and which of them is the owner, the other
    /// side, and the amount. All zero when `s` is none.
    function _shape(bytes4 s) private pure returns (uint256 words, uint256 owner, uint256 other, uint256 sum) {
        // ERC-20: transfer, approve, increaseAllowance.
        if (s == 0xa9059cbb || s == 0x095ea7b3 || s == 0x39509351) return (2, NONE, 0, 1);
        // transferFrom, of ERC-721 too.
        if (s == 0x23b872dd) return (3, 0, 1, 2);
        // permit: ERC-2612, DAI, and with bytes for contracts.
        if (s == 0xd505accf) return (7, 0, 1, 2);
        if (s == PERMIT_DAI) return (8, 0, 1, 4);
        if (s == 0x9fd5a6cf) return (5, 0, 1, 2);
        // The other side first: setApprovalForAll(address,bool), authorizeOperator(address), send(address,uint256,bytes),
        // transferAndCall and approveAndCall without and with data.
        if (s == 0xa22cb465 || s == 0x1296ee62 || s == 0x3177029f) return (2, NONE, 0, NONE);
        if (s == 0x959b8c3f) return (1, NONE, 0, NONE);
        // ERC-6909: setOperator(address,bool); transfer and approve with an id between address and amount.
        if (s == 0x558a7297) return (2, NONE, 0, NONE);
        if (s == 0x095bcdb6 || s == 0x426a8493) return (3, NONE, 0, NONE);
        if (s == 0x9bd9bbc6 || s == 0x4000aea0 || s == 0xcae9ca51) return (3, NONE, 0, NONE);
        // The other side second: safeTransferFrom of ERC-721 (two) and ERC-1155, safeBatchTransferFrom, operatorSend,
        // transferFromAndCall (two), ERC-6909's transferFrom.
        if (s == 0x42842e0e || s == 0xd8fbe994) return (3, NONE, 1, NONE);
        if (s == 0xb88d4fde || s == 0xc1d34b89 || s == 0xfe99049a) return (4, NONE, 1, NONE);
        if (s == 0xf242432a || s == 0x2eb2c2d6 || s == 0x62ad1b83) return (5, NONE, 1, NONE);
        // Nobody gets it: burn(uint256), burnFrom(address,uint256), ERC-777's burn(uint256,bytes) and operatorBurn.
        if (s == 0x42966c68) return (1, NONE, NONE, NONE);
        if (s == 0x79cc6790 || s == 0xfe9d9303) return (2, NONE, NONE, NONE);
        if (s == 0xfc673c4f) return (4, NONE, NONE, NONE);
        return (0, 0, 0, 0);
    }

    /// @dev Reads the list as the ABI decoder of its target does, offsets and all, and looks at each inner selector. What
    /// it cannot read, and a list inside the list, is over the limit.
    function _anyHidden(bytes calldata data, uint256 place) private pure returns (CallClass) {
        uint256 length = data.length;
        if (length < 4 + 32 * place) return CallClass.Malformed;
        uint256 list = _argument(data, place - 1);
        // Bounds first, so that no sum below can wrap.
        if (list > length) return CallClass.Malformed;
        list += 4;
        if (list + 32 > length) return CallClass.Malformed;
        uint256 count = _word(data, list);
        list += 32;
        if (count > length || list + 32 * count > length) return CallClass.Malformed;
        for (uint256 i = 0; i < count; ++i) {
            uint256 start = _word(data, list + 32 * i);
            if (start > length) return CallClass.Malformed;
            start += list;
            if (start + 32 > length) return CallClass.Malformed;
            uint256 size = _word(data, start);
            if (size > length || start + 32 + size > length) return CallClass.Malformed;
            if (size == 0) continue;
            if (size < 4) return CallClass.Malformed;
            bytes4 selector = bytes4(bytes32(_word(data, start + 32)));
            if (listPlace(selector) != 0 || isTokenFunction(selector)) return CallClass.Hidden;
        }
        return CallClass.Other;
    }

    function _argument(bytes calldata data, uint256 index) private pure returns (uint256) {
        return _word(data, 4 + 32 * index);
    }

    function _word(bytes calldata data, uint256 offset) private pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := calldataload(add(data.offset, offset))
        }
    }
}
