// SPDX-License-Identifier: Apache-2.0
// Who brings calls on chain: a key with money of its own, or the node's courier at the node's cost.
#pragma once
#include <functional>
#include <memory>

#include "community/chain/api/execution_client.hpp"
#include "community/infra/api/clock.hpp"
#include "community/wallet/api/error.hpp"

namespace community::wallet {

using core::Address;
using core::Bytes;
using core::Bytes32;
using core::Uint256;
using infra::Task;

struct Carried {
  Bytes32 transaction_hash{};
  std::uint64_t block_number = 0;
};

class Carrier {
 public:
  virtual ~Carrier() = default;
  // Done when it is in a block and succeeded: reverted, funds, chain, node, not_included.
  virtual Task<Result<Carried>> carry(Address to, Bytes call_data) = 0;
};

// Signs EIP-1559 transactions with a key at hand.
class Payer final : public Carrier {
 public:
  // `chain` and `clock` outlive the payer.
  Payer(chain::ExecutionClient& chain, infra::Clock& clock, std::uint64_t chain_id, const Bytes32& secret);
  ~Payer() override { base::wipe(secret_); }

  const Address& address() const { return address_; }
  chain::ExecutionClient& chain() { return chain_; }
  std::uint64_t chain_id() const { return chain_id_; }

  Task<Result<Carried>> carry(Address to, Bytes call_data) override;
  // With its receipt. `gas`: instead of an estimate.
  Task<Result<chain::Receipt>> send(Address to, Uint256 value, Bytes call_data,
                                    std::optional<std::uint64_t> gas = std::nullopt);

 private:
  Task<Result<core::Transaction>> prepare(Address to, Uint256 value, Bytes call_data, std::optional<std::uint64_t> gas);
  Task<Result<chain::Receipt>> follow(Bytes32 hash);

  chain::ExecutionClient& chain_;
  infra::Clock& clock_;
  std::uint64_t chain_id_;
  Bytes32 secret_;
  Address address_{};
};

// In words a person understands, with the contract's own error where there is one.
Error chain_refusal(const chain::ChainError& error);

}  // namespace community::wallet
