// SPDX-License-Identifier: Apache-2.0
#include "community/accounts/api/state.hpp"

#include <algorithm>
#include <map>

#include "community/accounts/api/questions.hpp"

namespace community::accounts {
namespace {

using core::AbiValue;
using infra::Task;
using Values = AbiValues;

constexpr std::uint8_t kPasskeySlots = 8;
// What public servers answer in one go.
constexpr std::uint64_t kBlocksPerQuestion = 10'000;

Error chain_error(const chain::ChainError& error) { return {ErrorCode::chain_failed, error.text()}; }

std::uint64_t small(const AbiValue& value) { return value.word().limb[0]; }

Bytes32 word(const AbiValue& value) {
  Bytes32 out{};
  base::copy(out, value.bytes());
  return out;
}

InitPasskey passkey_of(const AbiValue& tuple) {
  InitPasskey key;
  base::copy(key.public_key, tuple[0].word().to_be());
  base::copy(base::MutableByteView(key.public_key).subspan(32), tuple[1].word().to_be());
  key.rp_id_hash = word(tuple[2]);
  return key;
}

LimitState limit_of(const Address& token, const Values& limit, bool listed, std::uint64_t today) {
  LimitState state;
  state.token = token;
  state.listed = listed;
  state.per_day = limit[0].word();
  if (small(limit[2]) == today) state.spent_today = limit[1].word();
  return state;
}

}  // namespace

struct AccountView::Answers {
  bool deployed = false;
  Uint256 balance;
  // Of the questions in their order; none when it is not deployed.
  std::vector<Values> values;
};

Task<Result<AccountView::Answers>> AccountView::ask_at(Address account, std::vector<Address> tokens,
                                                       chain::BlockRef block) {
  std::vector<Question> questions{
      {"keys()", {}, "address,address,uint32,uint8"}, {"frozen()", {}, "uint48,uint48"},
      {"guardians()", {}, "bytes32,uint8,uint32"},    {"strictMode()", {}, "bool"},
      {"unlistedTokensAllowed()", {}, "bool"},        {"gasCap()", {}, "uint256"},
  };
  for (std::uint64_t slot = 0; slot < kPasskeySlots; slot++)
    questions.push_back({"passkey(uint256)", {AbiValue(slot)}, "(uint256,uint256,bytes32)"});
  for (const Address& token : tokens) {
    questions.push_back({"spendingLimit(address)", {AbiValue(token)}, "uint256,uint256,uint256"});
    questions.push_back({"isListedToken(address)", {AbiValue(token)}, "bool"});
  }
  auto values = ask_all(chain_, account, std::move(questions), block);
  auto [whole, answers] =
      co_await infra::both(infra::both(chain_.code(account, block), chain_.balance(account, block)), std::move(values));
  const auto& [code, balance] = whole;
  if (!code) co_return tl::unexpected(chain_error(code.error()));
  if (!balance) co_return tl::unexpected(chain_error(balance.error()));
  Answers out;
  out.balance = *balance;
  out.deployed = !code->empty();
  // What is not there answers nothing.
  if (!out.deployed) co_return out;
  if (!answers) co_return tl::unexpected(std::move(answers.error()));
  out.values = std::move(*answers);
  co_return out;
}

Task<Result<AccountState>> AccountView::state(Address account, std::vector<Address> tokens,
                                              std::optional<std::uint64_t> likely_head) {
  tokens.insert(tokens.begin(), Address{});
  chain::ChainResult<std::optional<chain::Block>> latest;
  std::optional<Result<Answers>> answers;
  if (likely_head) {
    auto guess = ask_at(account, tokens, chain::BlockRef::number(*likely_head));
    auto [head, guessed] = co_await infra::both(chain_.block(chain::BlockRef::latest()), std::move(guess));
    latest = std::move(head);
    if (latest && *latest && (*latest)->number == *likely_head) answers = std::move(guessed);
  } else {
    latest = co_await chain_.block(chain::BlockRef::latest());
  }
  if (!latest) co_return tl::unexpected(chain_error(latest.error()));
  if (!*latest) co_return fail(ErrorCode::chain_failed, "the chain has no latest block");
  if (!answers) answers = co_await ask_at(account, tokens, chain::BlockRef::number((*latest)->number));
  if (!*answers) co_return tl::unexpected(std::move(answers->error()));
  co_return read(**answers, tokens, **latest);
}

Task<Result<AccountState>> AccountView::state_at(Address account, std::uint64_t block_number) {
  const chain::BlockRef at = chain::BlockRef::number(block_number);
  auto asked = ask_at(account, std::vector<Address>(), at);
  auto [block, answers] = co_await infra::both(chain_.block(at), std::move(asked));
  if (!block) co_return tl::unexpected(chain_error(block.error()));
  if (!*block) co_return fail(ErrorCode::chain_failed, "the chain's server does not have this block");
  if (!answers) co_return tl::unexpected(std::move(answers.error()));
  co_return read(*answers, std::vector<Address>(), **block);
}

AccountState AccountView::read(const Answers& answers, const std::vector<Address>& tokens, const chain::Block& block) {
  AccountState state;
  state.block_number = block.number;
  state.block_time_s = block.timestamp;
  state.balance = answers.balance;
  state.deployed = answers.deployed;
  if (!state.deployed) return state;

  const std::uint64_t today = state.block_time_s / static_cast<std::uint64_t>(kSecondsPerDay);
  auto next = answers.values.begin();
  const Values keys = *next++, frozen = *next++, guardians = *next++;
  state.server_key = keys[0].address();
  state.escape_key = keys[1].address();
  state.key_epoch = static_cast<std::uint32_t>(small(keys[2]));
  state.frozen_until_s = small(frozen[0]);
  state.server_freeze_not_before_s = small(frozen[1]);
  state.guardians_hash = word(guardians[0]);
  state.guardian_threshold = static_cast<std::uint8_t>(small(guardians[1]));
  state.recovery_delay_s = static_cast<std::uint32_t>(small(guardians[2]));
  state.strict = small((*next++)[0]) != 0;
  state.unlisted_tokens = small((*next++)[0]) != 0;
  state.gas_cap = (*next++)[0].word();
  for (std::uint8_t slot = 0; slot < kPasskeySlots; slot++) {
    const Values& one = *next++;
    if ((small(keys[3]) >> slot) & 1) state.passkeys.push_back({slot, passkey_of(one[0])});
  }
  for (const Address& token : tokens) {
    const Values& limit = *next++;
    const bool listed = small((*next++)[0]) != 0;
    state.limits.push_back(limit_of(token, limit, listed, today));
  }
  return state;
}

Task<Result<std::vector<AccountEvent>>> AccountView::events(Address account, std::uint64_t from_block) {
  const auto head = co_await chain_.block_number();
  if (!head) co_return tl::unexpected(chain_error(head.error()));
  std::vector<AccountEvent> events;
  for (std::uint64_t from = from_block; from <= *head; from += kBlocksPerQuestion) {
    chain::LogFilter filter;
    filter.from = chain::BlockRef::number(from);
    filter.to = chain::BlockRef::number(std::min(from + kBlocksPerQuestion - 1, *head));
    filter.addresses = {account};
    filter.topics = {account_event_topics()};
    const auto logs = co_await chain_.logs(std::move(filter));
    if (!logs) co_return tl::unexpected(chain_error(logs.error()));
    for (const chain::Log& log : *logs)
      if (auto event = read_account_event(log)) events.push_back(std::move(*event));
  }
  co_return events;
}

Task<Result<std::vector<WaitingItem>>> AccountView::waiting(Address account, std::uint64_t from_block) {
  auto events = co_await this->events(account, from_block);
  if (!events) co_return tl::unexpected(std::move(events.error()));
  std::vector<WaitingItem> items;
  std::vector<Question> questions{{"keys()", {}, "address,address,uint32,uint8"}};
  for (const AccountEvent& event : *events) {
    if (event.name != "ItemStarted") continue;
    WaitingItem item;
    item.id = word(*event.field("item"));
    item.call = event.field("call")->bytes();
    questions.push_back({"item(bytes32)", {AbiValue(item.id)}, "uint8,uint16,uint32,uint256,uint256"});
    items.push_back(std::move(item));
  }
  if (items.empty()) co_return items;
  auto answers = co_await ask_all(chain_, account, std::move(questions), chain::BlockRef::latest());
  if (!answers) co_return tl::unexpected(std::move(answers.error()));
  const std::uint64_t epoch = small(answers->front()[2]);
  std::vector<WaitingItem> waiting;
  for (std::size_t i = 0; i < items.size(); i++) {
    const Values& now = (*answers)[i + 1];
    const auto kind = static_cast<ItemKind>(small(now[0]));
    // Finished, cancelled, or of an earlier key epoch.
    if (kind == ItemKind::none || kind == ItemKind::done || small(now[2]) != epoch) continue;
    items[i].kind = kind;
    items[i].votes = static_cast<std::uint16_t>(small(now[1]));
    items[i].age_s = small(now[3]);
    items[i].delay_s = small(now[4]);
    waiting.push_back(std::move(items[i]));
  }
  co_return waiting;
}

Task<Result<std::vector<LiveGrant>>> AccountView::grants(Address account, std::uint64_t from_block) {
  auto events = co_await this->events(account, from_block);
  if (!events) co_return tl::unexpected(std::move(events.error()));
  std::vector<LiveGrant> made;
  std::vector<Question> questions;
  for (const AccountEvent& event : *events) {
    if (event.name != "GrantCreated") continue;
    LiveGrant grant;
    grant.id = word(*event.field("grantId"));
    grant.call = event.field("call")->bytes();
    questions.push_back({"grantState(bytes32)", {AbiValue(grant.id)}, "bool,uint256"});
    made.push_back(std::move(grant));
  }
  if (made.empty()) co_return made;
  auto answers = co_await ask_all(chain_, account, std::move(questions), chain::BlockRef::latest());
  if (!answers) co_return tl::unexpected(std::move(answers.error()));
  std::vector<LiveGrant> live;
  for (std::size_t i = 0; i < made.size(); i++) {
    if (small((*answers)[i][0]) == 0) continue;
    made[i].value_left = (*answers)[i][1].word();
    live.push_back(std::move(made[i]));
  }
  co_return live;
}

}  // namespace community::accounts
