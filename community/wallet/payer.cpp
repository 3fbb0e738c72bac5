// SPDX-License-Identifier: Apache-2.0
#include "community/wallet/api/payer.hpp"

#include "community/accounts/api/reverts.hpp"
#include "community/chain/api/entry_point.hpp"
#include "community/chain/api/fee_oracle.hpp"

namespace community::wallet {
namespace {

constexpr infra::Milliseconds kLook{500};
// Ten minutes: a chain that takes longer needs a person's decision.
constexpr int kLooks = 1'200;
// Estimates are exact for the state they were made on.
constexpr std::uint64_t kGasMarginPercent = 25;

}  // namespace

Error chain_refusal(const chain::ChainError& error) {
  if (!error.reverted) return {ErrorCode::chain, "the chain: " + error.text()};
  std::string words = accounts::describe_account_revert(error.data).value_or(chain::describe_revert(error.data));
  if (words.empty()) words = error.message;
  return {ErrorCode::reverted, "the contract refuses: " + words};
}

Payer::Payer(chain::ExecutionClient& chain, infra::Clock& clock, std::uint64_t chain_id, const Bytes32& secret)
    : chain_(chain),
      clock_(clock),
      chain_id_(chain_id),
      secret_(secret),
      address_(core::address_of(core::public_key_of(secret).value())) {}

Task<Result<core::Transaction>> Payer::prepare(Address to, Uint256 value, Bytes call_data,
                                               std::optional<std::uint64_t> gas) {
  chain::CallRequest request;
  request.from = address_;
  request.to = to;
  request.value = value;
  request.data = call_data;
  if (!gas) {
    const auto estimate = co_await chain_.estimate_gas(std::move(request));
    if (!estimate) co_return tl::unexpected(chain_refusal(estimate.error()));
    gas = *estimate + *estimate * kGasMarginPercent / 100;
  }
  chain::FeeOracle oracle(chain_, clock_);
  const auto fees = co_await oracle.suggest();
  const auto balance = co_await chain_.balance(address_);
  const auto nonce = co_await chain_.transaction_count(address_, chain::BlockRef::pending());
  if (!fees) co_return tl::unexpected(chain_refusal(fees.error()));
  if (!balance) co_return tl::unexpected(chain_refusal(balance.error()));
  if (!nonce) co_return tl::unexpected(chain_refusal(nonce.error()));
  core::Transaction transaction;
  transaction.chain_id = Uint256(chain_id_);
  transaction.nonce = *nonce;
  transaction.gas_limit = Uint256(*gas);
  transaction.max_fee_per_gas = fees->fast.max_fee_per_gas;
  transaction.max_priority_fee_per_gas = fees->fast.max_priority_fee_per_gas;
  transaction.to = to;
  transaction.value = value;
  transaction.data = std::move(call_data);
  const auto gas_cost = multiply(transaction.gas_limit, transaction.max_fee_per_gas);
  const auto cost = gas_cost ? base::add(*gas_cost, value) : std::nullopt;
  if (!cost || *cost > *balance)
    co_return fail(ErrorCode::funds, core::format_address(address_) + " pays and has " +
                                         core::format_decimal(*balance) + " wei; it may cost " +
                                         (cost ? core::format_decimal(*cost) : "more") + " wei");
  co_return transaction;
}

Task<Result<chain::Receipt>> Payer::follow(Bytes32 hash) {
  for (int look = 0; look < kLooks; look++) {
    const auto receipt = co_await chain_.receipt(hash);
    // A server that is away for a moment loses nothing that was sent.
    if (receipt && *receipt) {
      if (!(*receipt)->success)
        co_return fail(ErrorCode::reverted, "transaction " + core::to_hex(hash) + " is in a block and reverted");
      co_return **receipt;
    }
    co_await clock_.sleep_for(kLook);
  }
  co_return fail(ErrorCode::not_included, "transaction " + core::to_hex(hash) +
                                              " is sent and in no block yet; look again before you send another one");
}

Task<Result<chain::Receipt>> Payer::send(Address to, Uint256 value, Bytes call_data, std::optional<std::uint64_t> gas) {
  auto prepared = co_await prepare(to, value, std::move(call_data), gas);
  if (!prepared) co_return tl::unexpected(std::move(prepared.error()));
  const auto is_signed = core::sign_transaction(std::move(*prepared), secret_);
  if (!is_signed) co_return fail(ErrorCode::argument, is_signed.error().text());
  auto raw = is_signed->signed_encoding();
  if (!raw) co_return fail(ErrorCode::argument, raw.error().text());
  const auto hash = co_await chain_.send_raw_transaction(std::move(*raw));
  if (!hash) co_return tl::unexpected(chain_refusal(hash.error()));
  co_return co_await follow(is_signed->hash().value());
}

Task<Result<Carried>> Payer::carry(Address to, Bytes call_data) {
  const auto receipt = co_await send(to, Uint256(), std::move(call_data));
  if (!receipt) co_return tl::unexpected(receipt.error());
  co_return Carried{receipt->transaction_hash, receipt->block_number};
}

}  // namespace community::wallet
