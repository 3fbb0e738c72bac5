// SPDX-License-Identifier: Apache-2.0
// Which coin's keys of a phrase serve a chain (SLIP-44): the third number of a derivation path.
#pragma once
#include <cstdint>

namespace community::protocol {

// 966 Polygon, 714 BNB Smart Chain, 60 Ethereum and every other chain.
constexpr std::uint32_t coin_type(std::uint64_t chain_id) { return chain_id == 137 ? 966 : chain_id == 56 ? 714 : 60; }

}  // namespace community::protocol
