// SPDX-License-Identifier: Apache-2.0
#include "community/accounts/api/questions.hpp"

namespace community::accounts {

using infra::Task;

namespace {

Task<Result<AbiValues>> ask(chain::ExecutionClient& client, Address contract, Question question,
                            chain::BlockRef block) {
  chain::CallRequest request;
  request.to = contract;
  request.data = core::parse_abi_function(question.function).value().encode(question.arguments).value();
  auto answer = co_await client.call(std::move(request), block);
  if (!answer) {
    if (answer.error().reverted) co_return fail(ErrorCode::account_unreadable, question.function + " reverts");
    co_return fail(ErrorCode::chain_failed, answer.error().text());
  }
  auto values = core::abi_decode(core::parse_abi_parameters(question.answer).value(), *answer);
  if (!values) co_return fail(ErrorCode::account_unreadable, question.function + ": " + values.error().text());
  co_return std::move(*values);
}

}  // namespace

Task<Result<std::vector<AbiValues>>> ask_all(chain::ExecutionClient& client, Address contract,
                                             std::vector<Question> questions, chain::BlockRef block) {
  std::vector<Task<Result<AbiValues>>> tasks;
  for (Question& question : questions) tasks.push_back(ask(client, contract, std::move(question), block));
  auto answers = co_await infra::all(std::move(tasks));
  std::vector<AbiValues> values;
  for (auto& answer : answers) {
    if (!answer) co_return tl::unexpected(std::move(answer.error()));
    values.push_back(std::move(*answer));
  }
  co_return values;
}

}  // namespace community::accounts
