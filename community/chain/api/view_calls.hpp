// SPDX-License-Identifier: Apache-2.0
// Several view calls as one eth_call: the code of a contract that is made for the length of the call, asks one thing
// after the other and has the answers as its result. A client sets up one execution instead of one for each question,
// which costs it more than what is asked, and all answers are of one block.
#pragma once
#include "community/chain/api/types.hpp"

namespace community::chain {

struct ViewCall {
  Address to{};
  // Less than 64 KiB.
  Bytes data;
  bool operator==(const ViewCall&) const = default;
};

// Whether it went through, and what it returned or reverted with. Of an address without code: success, and no bytes.
struct ViewAnswer {
  bool success = false;
  Bytes data;
  bool operator==(const ViewAnswer&) const = default;
};

// What fits creation code and its result (EIP-3860, EIP-170); more may fail, and is asked in parts.
inline constexpr std::size_t kMaxViewCalls = 64;

// `data` of a CallRequest without `to`.
Bytes encode_view_calls(const std::vector<ViewCall>& calls);
// The calls that such a program makes; nothing for other bytes. For chains in memory, which run no code.
std::optional<std::vector<ViewCall>> decode_view_calls(ByteView program);

// What the program returns. Nothing when these are not `count` answers.
Bytes encode_view_answers(const std::vector<ViewAnswer>& answers);
std::optional<std::vector<ViewAnswer>> decode_view_answers(ByteView bytes, std::size_t count);

}  // namespace community::chain
