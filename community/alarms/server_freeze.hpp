// SPDX-License-Identifier: Apache-2.0
// Carries out the freezes that the operator's rules asked for (spec/account.md, section 2): the account is looked at,
// the struct that will be signed is put on disk, the core signs it, the courier brings it on chain. Any of these steps
// may be the last one before a crash: what is signed follows from what is on disk, so the next run signs the same
// bytes, and the contract accepts a digest once.
#pragma once
#include "community/alarms/alarm_store.hpp"
#include "community/chain/api/execution_client.hpp"
#include "community/courier/api/courier.hpp"

namespace community::alarms {

struct ServerFreezeDependencies {
  AlarmStore& store;
  chain::ExecutionClient& chain;
  keys::WalletKeys& keys;
  // Null: this node brings nothing on chain, and says so.
  courier::Courier* courier = nullptr;
  infra::Metrics* metrics = nullptr;
};

class ServerFreezes {
 public:
  ServerFreezes(ServerFreezeDependencies dependencies, std::uint64_t chain_id, AlarmLimits limits);

  // Each freeze as far as it goes now. What fails for a reason that may pass is tried again at the next call.
  Task<void> advance();

 private:
  // True when it went a step further.
  Task<bool> step(FreezeRow& freeze);
  Task<bool> stamp(FreezeRow& freeze);
  Task<bool> sign_and_send(FreezeRow& freeze);
  Task<bool> follow(FreezeRow& freeze);
  // Nothing when the account can be frozen now; else its end, or wanted for "ask again later".
  Task<std::optional<FreezeState>> obstacle(FreezeRow& freeze, std::uint64_t now_s);
  Task<std::optional<FreezeState>> find_key(FreezeRow& freeze, Address server_key);
  Task<bool> try_again(FreezeRow& freeze, std::string why);
  Task<bool> move(FreezeRow& freeze, FreezeState to);
  void tell(const FreezeRow& freeze);

  ServerFreezeDependencies d_;
  const std::uint64_t chain_id_;
  const AlarmLimits limits_;
};

}  // namespace community::alarms
