// SPDX-License-Identifier: Apache-2.0
#include "community/accounts/api/questions.hpp"

namespace community::accounts {

using infra::Task;
namespace json = core::json;

namespace {

// In a request of their own: whatever stands at the contract's address may take the chain's server long, and holds back
// no other answers.
constexpr chain::ChainCallOptions kApart{std::nullopt, false};

chain::ChainCall call_of(const Question& question, const Address& contract, const chain::BlockRef& block) {
  chain::CallRequest request;
  request.to = contract;
  request.data = core::parse_abi_function(question.function).value().encode(question.arguments).value();
  json::array params;
  params.push_back(chain::to_json(request));
  params.push_back(block.to_json());
  return {"eth_call", std::move(params)};
}

Result<AbiValues> read(const Question& question, const chain::ChainResult<json::value>& answer) {
  if (!answer && answer.error().reverted) return fail(ErrorCode::account_unreadable, question.function + " reverts");
  if (!answer) return fail(ErrorCode::chain_failed, answer.error().text());
  if (!answer->is_string()) return fail(ErrorCode::chain_failed, question.function + ": the answer is no string");
  const auto bytes = core::parse_hex(std::string_view(answer->get_string()));
  if (!bytes) return fail(ErrorCode::chain_failed, question.function + ": " + bytes.error().text());
  auto values = core::abi_decode(core::parse_abi_parameters(question.answer).value(), *bytes);
  if (!values) return fail(ErrorCode::account_unreadable, question.function + ": " + values.error().text());
  return std::move(*values);
}

}  // namespace

Task<Result<std::vector<AbiValues>>> ask_all(chain::ExecutionClient& client, Address contract,
                                             std::vector<Question> questions, chain::BlockRef block) {
  std::vector<AbiValues> values;
  if (questions.empty()) co_return values;
  std::vector<chain::ChainCall> calls;
  for (const Question& question : questions) calls.push_back(call_of(question, contract, block));
  const auto answers = co_await client.batch(std::move(calls), kApart);
  if (!answers) co_return fail(ErrorCode::chain_failed, answers.error().text());
  for (std::size_t i = 0; i < questions.size(); i++) {
    auto value = read(questions[i], (*answers)[i]);
    if (!value) co_return tl::unexpected(std::move(value.error()));
    values.push_back(std::move(*value));
  }
  co_return values;
}

}  // namespace community::accounts
