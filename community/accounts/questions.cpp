// SPDX-License-Identifier: Apache-2.0
#include "community/accounts/api/questions.hpp"

#include <algorithm>

#include "community/chain/api/view_calls.hpp"

namespace community::accounts {

using infra::Task;
namespace json = core::json;

namespace {

// In a request of their own: whatever stands at the contract's address may take the chain's server long, and holds back
// no other answers.
constexpr chain::ChainCallOptions kApart{std::nullopt, false};

using Answers = std::vector<chain::ViewAnswer>;

Bytes data_of(const Question& question) {
  return core::parse_abi_function(question.function).value().encode(question.arguments).value();
}

Result<AbiValues> read(const Question& question, const chain::ViewAnswer& answer) {
  if (!answer.success) return fail(ErrorCode::account_unreadable, question.function + " reverts");
  auto values = core::abi_decode(core::parse_abi_parameters(question.answer).value(), answer.data);
  if (!values) return fail(ErrorCode::account_unreadable, question.function + ": " + values.error().text());
  return std::move(*values);
}

// Without a value where the server runs no such program, or its answers are too large for one: they are asked singly.
Task<Result<std::optional<Answers>>> ask_as_one(chain::ExecutionClient& client, Address contract,
                                                std::vector<Question> questions, chain::BlockRef block) {
  std::vector<chain::ViewCall> calls;
  for (const Question& question : questions) calls.push_back({contract, data_of(question)});
  chain::CallRequest request;
  request.data = chain::encode_view_calls(calls);
  const auto answer = co_await client.call(std::move(request), block);
  if (answer) co_return chain::decode_view_answers(*answer, calls.size());
  if (answer.error().kind == chain::ChainErrorKind::rpc) co_return std::optional<Answers>();
  co_return fail(ErrorCode::chain_failed, answer.error().text());
}

Task<Result<Answers>> ask_singly(chain::ExecutionClient& client, Address contract, std::vector<Question> questions,
                                 chain::BlockRef block) {
  std::vector<chain::ChainCall> calls;
  for (const Question& question : questions) {
    chain::CallRequest request;
    request.to = contract;
    request.data = data_of(question);
    json::array params;
    params.push_back(chain::to_json(request));
    params.push_back(block.to_json());
    calls.push_back({"eth_call", std::move(params)});
  }
  const auto answers = co_await client.batch(std::move(calls), kApart);
  if (!answers) co_return fail(ErrorCode::chain_failed, answers.error().text());
  Answers out;
  for (std::size_t i = 0; i < questions.size(); i++) {
    const auto& answer = (*answers)[i];
    if (!answer && !answer.error().reverted) co_return fail(ErrorCode::chain_failed, answer.error().text());
    const bool has_bytes = answer && answer->is_string();
    auto bytes = core::parse_hex(has_bytes ? std::string_view(answer->get_string()) : std::string_view("0x"));
    if (!bytes || (answer && !has_bytes))
      co_return fail(ErrorCode::chain_failed, questions[i].function + ": the answer is no bytes");
    out.push_back({answer.has_value(), std::move(*bytes)});
  }
  co_return out;
}

Task<Result<Answers>> ask_some(chain::ExecutionClient& client, Address contract, std::vector<Question> questions,
                               chain::BlockRef block) {
  auto together = co_await ask_as_one(client, contract, questions, block);
  if (!together) co_return tl::unexpected(std::move(together.error()));
  if (*together) co_return std::move(**together);
  co_return co_await ask_singly(client, contract, std::move(questions), block);
}

}  // namespace

Task<Result<std::vector<AbiValues>>> ask_all(chain::ExecutionClient& client, Address contract,
                                             std::vector<Question> questions, chain::BlockRef block) {
  std::vector<AbiValues> values;
  while (values.size() < questions.size()) {
    const auto first = questions.begin() + static_cast<std::ptrdiff_t>(values.size());
    const std::size_t count = std::min(chain::kMaxViewCalls, questions.size() - values.size());
    std::vector<Question> some(first, first + static_cast<std::ptrdiff_t>(count));
    const auto answers = co_await ask_some(client, contract, std::move(some), block);
    if (!answers) co_return tl::unexpected(answers.error());
    for (std::size_t i = 0; i < count; i++) {
      auto value = read(first[static_cast<std::ptrdiff_t>(i)], (*answers)[i]);
      if (!value) co_return tl::unexpected(std::move(value.error()));
      values.push_back(std::move(*value));
    }
  }
  co_return values;
}

}  // namespace community::accounts
