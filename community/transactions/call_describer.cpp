// SPDX-License-Identifier: Apache-2.0
#include "community/transactions/api/call_describer.hpp"

#include "community/transactions/factory.hpp"
#include "community/transactions/summary.hpp"

namespace community::transactions {
namespace {

class ChainCallDescriber final : public CallDescriber {
 public:
  ChainCallDescriber(chain::ExecutionClient& chain, infra::Clock& clock)
      : tokens_(chain, clock), describer_(chain, tokens_) {}

  Task<Result<CallsDescription>> describe(Address sender, std::vector<accounts::Call> calls) override {
    DescribeRequest request{sender, std::move(calls)};
    auto nobody = Describer::these(std::vector<Address>());
    auto described = co_await describer_.describe(std::move(request), std::move(nobody));
    if (!described) co_return tl::unexpected(described.error());
    CallsDescription out;
    out.summary = std::move(described->summary);
    const std::string left_out = with_hyphens(name(Warning::first_payment));
    for (const auto& warning : described->warnings)
      if (warning.at("rule").as_string() != left_out) out.warnings.push_back(warning);
    co_return out;
  }

  Task<std::vector<TokenBalance>> balances(Address holder, std::vector<Address> tokens) override {
    return tokens_.balances(holder, std::move(tokens));
  }

 private:
  TokenBook tokens_;
  Describer describer_;
};

}  // namespace

std::unique_ptr<CallDescriber> make_call_describer(chain::ExecutionClient& chain, infra::Clock& clock) {
  return std::make_unique<ChainCallDescriber>(chain, clock);
}

}  // namespace community::transactions
