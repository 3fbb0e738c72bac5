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

// A chain's number, as GET asks in its query and POST in its body.
std::uint64_t read_chain_id(JsonReader& in);

}  // namespace community::gateway::api_v1
