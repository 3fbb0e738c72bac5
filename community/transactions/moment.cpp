// SPDX-License-Identifier: Apache-2.0
// What is true now: whose wallet it is, what its account is on chain, which of the person's passkeys it takes; and what
// the contracts' refusals mean.
#include "community/accounts/api/reverts.hpp"
#include "community/chain/api/entry_point.hpp"
#include "community/transactions/service.hpp"
#include "community/transactions/text.hpp"

namespace community::transactions {
namespace {

// Moves within one node that this program looks back over.
constexpr std::uint32_t kMaxServerKeys = 16;

}  // namespace

Result<void> take_init(const OwnedOrigin& origin, std::uint64_t chain_id, accounts::AccountState& state) {
  const auto init = accounts::read_init_data(origin.init_data);
  if (!init) return fail(ErrorCode::account_not_deployed, init.error().text());
  for (std::size_t slot = 0; slot < init->passkeys.size(); slot++)
    state.passkeys.push_back({static_cast<std::uint8_t>(slot), init->passkeys[slot]});
  state.server_key = init->server_key;
  state.escape_key = init->escape_key;
  state.guardians_hash = init->guardians_hash;
  state.guardian_threshold = init->guardian_threshold;
  state.recovery_delay_s = init->recovery_delay_s;
  state.strict = init->strict;
  state.limits.push_back({});
  for (const accounts::GasCap& cap : init->gas_caps)
    if (cap.chain_id == chain_id) state.gas_cap = cap.max_cost;
  for (const accounts::SpendingLimit& limit : init->limits) {
    if (limit.chain_id != chain_id) continue;
    const accounts::LimitState row{limit.token, true, limit.per_day, Uint256()};
    if (base::is_zero(limit.token)) {
      state.limits.front() = row;
    } else {
      state.limits.push_back(row);
    }
  }
  return {};
}

namespace {

struct NamedRefusal {
  std::string_view revert;
  ErrorCode code;
};
// The account's own errors (spec/account.md, section 3) that a person can do something about.
constexpr NamedRefusal kRefusals[] = {
    {"AccountFrozen(", ErrorCode::account_frozen}, {"AlreadyFrozen(", ErrorCode::account_frozen},
    {"NotFrozen(", ErrorCode::account_not_frozen}, {"OverLimit(", ErrorCode::over_limit},
    {"UnlistedToken(", ErrorCode::over_limit},     {"UncountedTokenCall(", ErrorCode::over_limit},
    {"HiddenTokenCall(", ErrorCode::over_limit},   {"NewRecipient(", ErrorCode::over_limit},
    {"CallNotAllowed(", ErrorCode::over_limit},    {"GasCostOverCap(", ErrorCode::gas_cost_over_cap},
    {"ItemNotReady(", ErrorCode::item_not_ready},  {"ItemUnknown(", ErrorCode::not_found},
    {"ItemVoid(", ErrorCode::not_found},
};

}  // namespace

Error refusal_of_revert(ByteView revert, std::string_view fallback) {
  std::string words = accounts::describe_account_revert(revert).value_or(chain::describe_revert(revert));
  if (words.empty()) words = fallback;
  Error error;
  error.code = ErrorCode::would_revert;
  // By the outermost name alone: what stands behind it are words of contracts that were called.
  for (const NamedRefusal& refusal : kRefusals)
    if (words.starts_with(refusal.revert)) error.code = refusal.code;
  error.revert = clean_text(words, kMaxRevertCharacters);
  error.message = "the contract refuses";
  return error;
}

Error from_validation(const validation::Error& error) {
  using enum validation::ErrorCode;
  Error out;
  out.message = clean_text(error.message, kMaxRevertCharacters);
  if (error.code == chain_unavailable) {
    out.code = ErrorCode::chain_unavailable;
  } else if (error.rule == "AA21") {
    out.code = ErrorCode::insufficient_funds;
  } else if (error.code == execution_reverted || !error.revert.empty()) {
    out = refusal_of_revert(error.revert, error.message);
  } else if (error.code == userop_too_large || error.code == field_invalid || error.code == gas_over_bundle) {
    out.code = ErrorCode::calls_invalid;
  } else {
    out.code = ErrorCode::would_revert;
    out.revert = out.message;
  }
  return out;
}

Error from_accounts(const accounts::Error& error) {
  Error out;
  out.code = error.code == accounts::ErrorCode::chain_failed || error.code == accounts::ErrorCode::account_unreadable
                 ? ErrorCode::chain_unavailable
                 : ErrorCode::calls_invalid;
  out.message = error.text();
  return out;
}

TransactionService::Chain* TransactionService::find_chain(std::uint64_t chain_id) {
  for (const auto& chain : chains_)
    if (chain->served.chain_id == chain_id) return chain.get();
  return nullptr;
}

Task<Result<TransactionService::Moment>> TransactionService::moment(std::string user_id, std::string wallet_id,
                                                                    std::uint64_t chain_id,
                                                                    std::vector<Address> tokens) {
  auto now = co_await begin_moment(std::move(user_id), std::move(wallet_id), chain_id);
  if (!now) co_return now;
  if (auto whole = co_await complete(*now, std::move(tokens)); !whole) co_return tl::unexpected(whole.error());
  co_return now;
}

Task<Result<TransactionService::Moment>> TransactionService::begin_moment(std::string user_id, std::string wallet_id,
                                                                          std::uint64_t chain_id) {
  Moment now;
  now.user_id = user_id;
  auto wallet = co_await d_.people.wallet(user_id, wallet_id);
  if (!wallet) co_return tl::unexpected(wallet.error());
  now.wallet = std::move(*wallet);
  now.chain = find_chain(chain_id);
  const auto& bound = now.wallet.chain_ids;
  if (now.chain == nullptr || std::find(bound.begin(), bound.end(), chain_id) == bound.end())
    co_return fail(ErrorCode::chain_unknown, "the wallet has no account on this chain");
  co_return now;
}

Task<Result<void>> TransactionService::complete(Moment& now, std::vector<Address> tokens) {
  const std::uint64_t chain_id = now.chain->served.chain_id;
  const auto& head = now.chain->served.blocks.head();
  std::optional<std::uint64_t> likely_head;
  if (head) likely_head = head->number;
  auto asked = now.chain->view.state(now.wallet.account, std::move(tokens), likely_head);
  auto [own, state] = co_await infra::both(d_.people.passkeys(now.user_id), std::move(asked));
  if (!own) co_return tl::unexpected(own.error());
  if (!state) co_return tl::unexpected(from_accounts(state.error()));
  now.own = std::move(*own);
  now.state = std::move(*state);
  if (!now.state.deployed) {
    if (!now.wallet.origin)
      co_return fail(ErrorCode::account_not_deployed, "this node does not know what makes the account");
    if (auto taken = take_init(*now.wallet.origin, chain_id, now.state); !taken)
      co_return tl::unexpected(taken.error());
  }
  for (const OwnedPasskey& own_key : now.own) {
    for (const accounts::ChainPasskey& on_chain : now.state.passkeys) {
      if (!own_key.is_active || on_chain.key.public_key != own_key.public_key) continue;
      now.usable.push_back(on_chain);
      now.credential_ids.push_back(own_key.credential_id);
    }
  }
  co_await notice_strange_keys(now);
  co_return Result<void>{};
}

Task<Result<accounts::WaitingItem>> TransactionService::find_item(const Moment& now, Bytes32 item) {
  const std::uint64_t head = now.state.block_number;
  auto items = co_await now.chain->view.waiting(now.wallet.account, head > kItemBlocks ? head - kItemBlocks : 0);
  if (!items) co_return tl::unexpected(from_accounts(items.error()));
  for (accounts::WaitingItem& one : *items)
    if (one.id == item) co_return std::move(one);
  co_return fail(ErrorCode::not_found, "no such item waits in the account");
}

// The index is a hint of the core's: a move may have been finished by anybody since.
Task<Result<std::uint32_t>> TransactionService::server_key_index(const Moment& now) {
  // What is not deployed yet obeys the key that its init data names, which is the first.
  if (!now.state.deployed) co_return std::uint32_t{0};
  for (std::uint32_t index = 0; index < kMaxServerKeys; index++) {
    const auto described = co_await d_.wallets.describe_wallet(now.wallet.record, index);
    if (!described) co_return from_core(described.error());
    if (described->server_key == now.state.server_key) co_return index;
    bool is_last = true;
    for (std::size_t i = 0; i < described->account_count; i++) {
      const protocol::AccountBinding& account = described->accounts[i];
      const bool is_this = account.chain_id == now.chain->served.chain_id && account.address == now.wallet.account;
      if (is_this && index < account.last_server_key_index) is_last = false;
    }
    if (is_last) break;
  }
  co_return fail(ErrorCode::account_elsewhere, "the account's server key is none of this wallet's");
}

}  // namespace community::transactions
