// SPDX-License-Identifier: Apache-2.0
// Requests about transactions, read.
#pragma once
#include "community/gateway/api_v1/json_reader.hpp"
#include "community/transactions/api/transactions.hpp"

namespace community::gateway::api_v1 {

// Of a request to prepare: all call data in hexadecimal, and 64 kB for the rest.
inline constexpr std::size_t kMaxPrepareBody = 2 * transactions::kMaxCallData + 64 * 1'024;

transactions::PrepareRequest read_prepare_request(JsonReader& in);
transactions::SignRequest read_sign_request(JsonReader& in);

// The member `calls`: 1 to 32 of them.
std::vector<accounts::Call> read_calls(JsonReader& in);

// A chain's number, as GET asks in its query and POST in its body.
std::uint64_t read_chain_id(JsonReader& in);
// A decimal number below 2^256 as a text.
core::Uint256 read_amount(JsonReader& in, std::string_view member);
// Zero, which the chain takes for its native currency, is null here.
core::Address read_token(JsonReader& in, std::string_view member);
// "0x…,0x…" of a query: nothing for what is no list of 1 to kMaxTokens addresses.
std::optional<std::vector<core::Address>> read_addresses(std::string_view text);

}  // namespace community::gateway::api_v1
