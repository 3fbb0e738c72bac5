// SPDX-License-Identifier: Apache-2.0
// What the chain says about an account now. Key state is per chain: ask each chain.
#pragma once
#include "community/accounts/api/events.hpp"
#include "community/chain/api/execution_client.hpp"

namespace community::accounts {

struct ChainPasskey {
  std::uint8_t slot = 0;
  InitPasskey key;
};

struct LimitState {
  // Zero: the native currency.
  Address token{};
  bool listed = false;
  Uint256 per_day;
  // Spent on the day of the block that was asked.
  Uint256 spent_today;
};

struct WaitingItem {
  Bytes32 id{};
  ItemKind kind = ItemKind::none;
  // Bit i: signer i started it; 0 for guardians and queued items.
  std::uint16_t votes = 0;
  // Seconds of its own clock: it acts from `delay_s` on, and is void 30 days later.
  std::uint64_t age_s = 0;
  std::uint64_t delay_s = 0;
  // The call that started it.
  Bytes call;
};

struct LiveGrant {
  Bytes32 id{};
  // What it may still spend, wei.
  Uint256 value_left;
  // The call that made it.
  Bytes call;
};

// End of a freeze that a vote made.
inline constexpr std::uint64_t kFrozenForever = (std::uint64_t{1} << 48) - 1;

struct AccountState {
  // Of the block that was asked; seconds since 1970.
  std::uint64_t block_number = 0, block_time_s = 0;
  bool deployed = false;
  Uint256 balance;
  // Everything below only when it is deployed.
  Address server_key{};
  Address escape_key{};
  std::uint32_t key_epoch = 0;
  std::vector<ChainPasskey> passkeys;
  // 0: not frozen.
  std::uint64_t frozen_until_s = 0;
  std::uint64_t server_freeze_not_before_s = 0;
  Bytes32 guardians_hash{};
  std::uint8_t guardian_threshold = 0;
  std::uint32_t recovery_delay_s = 0;
  bool strict = false;
  bool unlisted_tokens = false;
  Uint256 gas_cap;
  // The native currency first, then the tokens that were asked for.
  std::vector<LimitState> limits;
};

class AccountView {
 public:
  explicit AccountView(chain::ExecutionClient& chain) : chain_(chain) {}

  // All answers are of one block. chain_failed when the chain does not answer, account_unreadable when code at the
  // address answers otherwise than an account does. Who knows the number that the latest block has in most cases, the
  // block watcher's head, names it: it is all asked in one request then, and again when the latest block is another.
  infra::Task<Result<AccountState>> state(Address account, std::vector<Address> tokens = {},
                                          std::optional<std::uint64_t> likely_head = std::nullopt);
  // As of the end of this block, limits left out; chain_failed where the chain's server does not have it.
  infra::Task<Result<AccountState>> state_at(Address account, std::uint64_t block_number);
  // Items that were started from `from_block` on and still wait, oldest first.
  infra::Task<Result<std::vector<WaitingItem>>> waiting(Address account, std::uint64_t from_block);
  // Grants that were created from `from_block` on, of this key epoch and not revoked; their times are not looked at.
  infra::Task<Result<std::vector<LiveGrant>>> grants(Address account, std::uint64_t from_block);
  // Events from `from_block` on, oldest first.
  infra::Task<Result<std::vector<AccountEvent>>> events(Address account, std::uint64_t from_block);

 private:
  struct Answers;
  infra::Task<Result<Answers>> ask_at(Address account, std::vector<Address> tokens, chain::BlockRef block);
  static AccountState read(const Answers& answers, const std::vector<Address>& tokens, const chain::Block& block);

  chain::ExecutionClient& chain_;
};

}  // namespace community::accounts
