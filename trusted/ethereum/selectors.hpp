// SPDX-License-Identifier: Apache-2.0
// Selectors that the core must tell apart, each beside its signature, so that a test can compute it again: the plain
// functions of an account (spec/account.md, section 2), which an executor may send to anybody, and the functions that
// move or allow tokens (section 3), which no session grant may name.
#pragma once
#include <string_view>

#include "trusted/ethereum/calls.hpp"

namespace community::ethereum {

struct NamedSelector {
  Selector selector{};
  std::string_view signature;
};

// clang-format off
// Each carries its signatures and takes no ether of the account.
inline constexpr NamedSelector kPlainFunctions[] = {
    {{0xb7, 0x87, 0xd7, 0x4c}, "freeze((uint32,uint256,uint48),(uint8,bytes)[])"},
    {{0x20, 0x86, 0x1d, 0xf0}, "unfreeze(uint8,(uint32,uint256,uint48),(uint8,bytes)[])"},
    {{0xf9, 0xe2, 0x0b, 0xd7}, "changeKeys((uint256[],(uint256,uint256,bytes32)[],address,address,uint8),(uint32,"
                               "uint256,uint48),(uint8,bytes)[])"},
    {{0xda, 0xbd, 0x80, 0x04}, "changeRules((bytes32,uint8,uint32,bool,bool,uint8),(uint32,uint256,uint48),(uint8,"
                               "bytes)[])"},
    {{0xb5, 0xc3, 0x89, 0x03}, "escape((uint256,uint256,bytes32)[],address,uint8,(uint32,uint256,uint48),(uint8,"
                               "bytes)[])"},
    {{0x33, 0x6d, 0x0c, 0xaf}, "recover((uint256,uint256,bytes32)[],address,address,(uint32,uint256,uint48),(bytes32,"
                               "bytes[],bytes[]))"},
    {{0xfb, 0x7d, 0x5a, 0xb5}, "upgrade(address,bytes32,(uint32,uint256,uint48),(uint8,bytes)[])"},
    {{0xf8, 0x71, 0x94, 0xa2}, "confirmUpgrade(address,bytes32,(uint32,uint256,uint48),(uint32,uint256,uint48),"
                               "(uint8,bytes)[])"},
    {{0x17, 0x0a, 0xcd, 0x45}, "cancel(bytes32,(uint32,uint256,uint48),(uint8,bytes)[])"},
    {{0xc5, 0x51, 0x99, 0xad}, "cancelAsGuardians(bytes32,(uint32,uint256,uint48),(bytes32,bytes[],bytes[]))"},
    {{0xfd, 0x3f, 0xce, 0xf7}, "lowerLimit(address,uint256,(uint32,uint256,uint48),(uint8,bytes)[])"},
    {{0x7e, 0xb7, 0x45, 0x07}, "lowerGasCap(uint256,(uint32,uint256,uint48),(uint8,bytes)[])"},
    {{0xcc, 0x8b, 0x58, 0x04}, "unlistDomain(bytes32,(uint32,uint256,uint48),(uint8,bytes)[])"},
    {{0x0f, 0x2f, 0x7e, 0x81}, "disallowCall(address,bytes4,(uint32,uint256,uint48),(uint8,bytes)[])"},
    {{0xca, 0xac, 0xed, 0xd2}, "revokeGrant(bytes32,(uint32,uint256,uint48),(uint8,bytes)[])"},
    {{0x4e, 0x3a, 0x7e, 0x5d}, "finishUnfreeze(uint8,(uint32,uint256,uint48))"},
    {{0x47, 0x5c, 0xcf, 0xe0}, "finishChangeKeys((uint256[],(uint256,uint256,bytes32)[],address,address,uint8),"
                               "(uint32,uint256,uint48))"},
    {{0x42, 0x13, 0x43, 0x91}, "finishChangeRules((bytes32,uint8,uint32,bool,bool,uint8),(uint32,uint256,uint48))"},
    {{0x63, 0xf5, 0x2a, 0x80}, "finishEscape((uint256,uint256,bytes32)[],address,uint8,(uint32,uint256,uint48))"},
    {{0x56, 0x0b, 0x02, 0x65}, "finishRecover((uint256,uint256,bytes32)[],address,address,(uint32,uint256,uint48))"},
};

// ERC-20, 721, 777, 1155, 1363 and their extensions.
inline constexpr NamedSelector kTokenFunctions[] = {
    {{0xa9, 0x05, 0x9c, 0xbb}, "transfer(address,uint256)"},
    {{0x09, 0x5e, 0xa7, 0xb3}, "approve(address,uint256)"},
    {{0x39, 0x50, 0x93, 0x51}, "increaseAllowance(address,uint256)"},
    {{0x23, 0xb8, 0x72, 0xdd}, "transferFrom(address,address,uint256)"},
    {{0xd5, 0x05, 0xac, 0xcf}, "permit(address,address,uint256,uint256,uint8,bytes32,bytes32)"},
    {{0x8f, 0xcb, 0xaf, 0x0c}, "permit(address,address,uint256,uint256,bool,uint8,bytes32,bytes32)"},
    {{0x9f, 0xd5, 0xa6, 0xcf}, "permit(address,address,uint256,uint256,bytes)"},
    {{0xa2, 0x2c, 0xb4, 0x65}, "setApprovalForAll(address,bool)"},
    {{0x95, 0x9b, 0x8c, 0x3f}, "authorizeOperator(address)"},
    {{0x55, 0x8a, 0x72, 0x97}, "setOperator(address,bool)"},
    {{0x09, 0x5b, 0xcd, 0xb6}, "transfer(address,uint256,uint256)"},
    {{0x42, 0x6a, 0x84, 0x93}, "approve(address,uint256,uint256)"},
    {{0xfe, 0x99, 0x04, 0x9a}, "transferFrom(address,address,uint256,uint256)"},
    {{0x9b, 0xd9, 0xbb, 0xc6}, "send(address,uint256,bytes)"},
    {{0x12, 0x96, 0xee, 0x62}, "transferAndCall(address,uint256)"},
    {{0x40, 0x00, 0xae, 0xa0}, "transferAndCall(address,uint256,bytes)"},
    {{0x31, 0x77, 0x02, 0x9f}, "approveAndCall(address,uint256)"},
    {{0xca, 0xe9, 0xca, 0x51}, "approveAndCall(address,uint256,bytes)"},
    {{0x42, 0x84, 0x2e, 0x0e}, "safeTransferFrom(address,address,uint256)"},
    {{0xd8, 0xfb, 0xe9, 0x94}, "transferFromAndCall(address,address,uint256)"},
    {{0xb8, 0x8d, 0x4f, 0xde}, "safeTransferFrom(address,address,uint256,bytes)"},
    {{0xc1, 0xd3, 0x4b, 0x89}, "transferFromAndCall(address,address,uint256,bytes)"},
    {{0xf2, 0x42, 0x43, 0x2a}, "safeTransferFrom(address,address,uint256,uint256,bytes)"},
    {{0x2e, 0xb2, 0xc2, 0xd6}, "safeBatchTransferFrom(address,address,uint256[],uint256[],bytes)"},
    {{0x62, 0xad, 0x1b, 0x83}, "operatorSend(address,address,uint256,bytes,bytes)"},
    {{0x42, 0x96, 0x6c, 0x68}, "burn(uint256)"},
    {{0x79, 0xcc, 0x67, 0x90}, "burnFrom(address,uint256)"},
    {{0xfe, 0x9d, 0x93, 0x03}, "burn(uint256,bytes)"},
    {{0xfc, 0x67, 0x3c, 0x4f}, "operatorBurn(address,uint256,bytes,bytes)"},
};
// clang-format on

template <std::size_t N>
constexpr bool contains(const NamedSelector (&table)[N], const Selector& selector) {
  for (const NamedSelector& row : table)
    if (row.selector == selector) return true;
  return false;
}

inline bool is_plain_function(const Selector& selector) { return contains(kPlainFunctions, selector); }
inline bool is_token_function(const Selector& selector) { return contains(kTokenFunctions, selector); }

}  // namespace community::ethereum
